"""The receiving half of a mailbox: letters from IMAP as deliveries and facts."""

from __future__ import annotations

from threading import Event as Flag
from typing import Any

from hub.channels.base import Accepted, Batch, Channel, Check, Place, Rejected, Request
from hub.channels.email_imap import Mailbox
from hub.channels.email_read import read_letter
from hub.channels.email_settings import EmailSettings


class EmailIn(Channel):
    """Reads a mailbox. Nobody calls us: what a poll found is genuine by where it lay."""

    kind = "email"
    title = "Почта"
    Settings = EmailSettings
    accepts = ()
    pause = 29.0
    """Servers end an IDLE that lasts long, and a word of theirs can be overheard: it is asked twice a minute anyway."""

    def __init__(self, place: Place, settings: Any) -> None:
        super().__init__(place, settings)
        self.mailbox = Mailbox(place.account, settings)

    @property
    def hooked(self) -> bool:
        return False

    @property
    def polled(self) -> bool:
        return bool(self.settings.imap)

    def verify(self, request: Request) -> None:
        raise Rejected(403, "hook_forged", account=self.account)

    def read(self, request: Request) -> Accepted:
        return read_letter(request, self.settings, self.account, self.place.title)

    def poll(self, position: str) -> Batch:
        return self.mailbox.batch(position)

    def rest(self, stop: Flag, seconds: float) -> None:
        self.mailbox.rest(stop, seconds)

    def check(self) -> list[Check]:
        found = self.mailbox.check() if self.polled else []
        return [*found, *super().check()]

    def close(self) -> None:
        self.mailbox.drop()
        super().close()

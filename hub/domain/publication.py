"""Which process was in force when: every version is an event that holds its whole content (R0)."""

from __future__ import annotations

import hashlib
from datetime import date
from uuid import UUID

from msgspec import Struct

from hub.domain.aggregate import Aggregate
from hub.domain.event import Event, topic
from hub.domain.process import Process
from hub.domain.process_check import read_process, reread_process

PROCESS_STREAM = UUID("6f9f6a3e-0c2b-5d0e-9a51-0f2c3a4b5c6d")
"""The one stream of published processes."""


@topic("process.published")
class ProcessPublished(Event, frozen=True, kw_only=True):
    """A version came into force. It holds the file and the calendar's days, so that a later release of the holiday library
    cannot change history. ``source``: ``file`` of the server, ``page`` of the settings (then ``why`` says the reason), or
    ``calendar``: the same text with other days."""

    number: int
    text: str
    digest: str
    days_off: tuple[date, ...] = ()
    working_days: tuple[date, ...] = ()
    source: str = "file"
    why: str = ""


class Published(Struct, frozen=True):
    """The newest version's number, digest and text; ``from_file`` is the digest of what the server's file said last."""

    number: int = 0
    digest: str = ""
    text: str = ""
    from_file: str = ""


def process_of(event: ProcessPublished) -> Process:
    """The process that ``event`` put in force."""
    return Process(reread_process(event.text), event.number, event.days_off, event.working_days)


class Publication(Aggregate[Published]):
    """The stream of versions."""

    EMPTY = Published()

    @staticmethod
    def evolve(state: Published, event: Event) -> Published:
        if isinstance(event, ProcessPublished):
            from_file = _digest(event.text) if event.source == "file" else state.from_file
            return Published(event.number, event.digest, event.text, from_file)
        return state

    def publish(self, text: str, days_off: tuple[date, ...], working_days: tuple[date, ...], *, source: str = "file",
                why: str = "") -> bool:
        """Put ``text`` in force unless the same content already is. Raises BadProcess on a faulty file.

        A text that is in force already gets other days, without being checked anew.
        """
        digest = _digest(text, *map(str, days_off), "|", *map(str, working_days))
        if digest == self.state.digest:
            return False
        if text == self.state.text:
            source = "calendar"
        else:
            read_process(text)
        self.record(ProcessPublished, number=self.state.number + 1, text=text, digest=digest,
                    days_off=days_off, working_days=working_days, source=source, why=why)
        return True


def text_due(state: Published, file: str) -> str:
    """What the server's ``file`` puts in force: itself where it says something new, else what is in force already. So a version
    from the pages stays until somebody changes the file."""
    return state.text if state.number and _digest(file) == state.from_file else file


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()

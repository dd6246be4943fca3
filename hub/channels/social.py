"""VK: a community that people write to (R1, R6), by the Callback API, by Bots Long Poll or by both, and answers from the card.

A message is known by conversation and number, so that both transports and VK's own lists bring it once. Names, time
zones and files are fetched later. VK knows a message of ours again by its ``random_id``, so that it can be repeated.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from threading import Event as Flag
from time import monotonic
from typing import Any, Literal

import msgspec
from msgspec import Struct

from hub.channels.base import (
    Accepted,
    Answer,
    Batch,
    Channel,
    Check,
    Failed,
    Fetched,
    Outgoing,
    Place,
    Rejected,
    Request,
    Result,
    Retry,
    Sent,
    Trouble,
    fetched,
    said,
)
from hub.channels.base_http import Cut, Unsent
from hub.channels.social_api import API, PASSING, Api, LongPoll, Refusal, as_item, not_taken, trouble
from hub.channels.social_catch_up import PAGE, CatchUp, newest
from hub.channels.social_reading import OK, Reader, random_id
from hub.channels.social_setup import Setup
from hub.channels.social_types import EVENTS
from hub.domain.delivery import Address, Later
from hub.domain.errors import sentences

LONGEST = 4096
"""Characters of one text message."""
LARGEST_SENT = 200_000_000
"""Bytes of a file that VK takes."""
SECRET = re.compile(r"[A-Za-z0-9_-]{16,50}")
LOOKS = 60.0
"""Seconds between two looks at VK's lists where the Callback API brings what is new."""
LISTENS = 300.0
"""The same where the long poll does."""
TRUSTED_FOR = 30 * 60
"""Seconds after which VK is asked whether a message has left before it is repeated: VK's documents disagree on how long
it remembers a ``random_id``."""

sentences(
    hook_vk_body=("Это не событие ВКонтакте.", "This is no event of VK."),
    hook_vk_group=("Событие другого сообщества: у канала {account} задано group = {group}.",
                   "An event of another community: channel {account} has group = {group}."),
)


class VkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``group`` is the community's number, ``token`` its key. ``secrets`` are of our own making: the first is given to VK,
    all are taken. ``confirmation`` is the string that VK wants to see at our address.

    ``mode`` ``poll`` needs no public address; with ``secrets`` the Callback API may be on as well. ``api`` is where
    VK's methods are.
    """

    group: int
    token: str
    secrets: tuple[str, ...] = ()
    confirmation: str = ""
    mode: Literal["callback", "poll"] = "callback"
    api: str = API

    def __post_init__(self) -> None:
        if self.group <= 0:
            raise ValueError("group: the community's number, above 0")
        if not re.fullmatch(r"[A-Za-z0-9._-]{20,}", self.token):
            raise ValueError("token: this is not a community's key")
        if self.mode == "callback" and not self.secrets:
            raise ValueError("secrets: the Callback API needs one, 16 to 50 letters, digits, _ or -")
        if not all(SECRET.fullmatch(secret) for secret in self.secrets):
            raise ValueError("secrets: 16 to 50 letters, digits, _ or - each")
        if self.secrets and not self.confirmation:
            raise ValueError("confirmation: the string that VK shows on the page of the Callback API")


PROOF = re.compile(rb'("secret"\s*:\s*")(?:[^"\\]|\\.)*"')
"""The proof of a callback in its body; it is checked before anything is kept."""


class Vk(Channel):
    """One community."""

    kind = "vk"
    title = "ВКонтакте"
    Settings = VkSettings
    ways = ("vk",)
    repeatable = True

    def __init__(self, place: Place, settings: VkSettings) -> None:
        super().__init__(place, settings)
        self._reader = Reader(place, settings.group, settings.confirmation)
        self._talk = Api(settings.api, settings.token)
        self._listen = Api(settings.api, settings.token)
        self._long_poll: LongPoll | None = None
        self._looked = 0.0
        self.now: Callable[[], datetime] = partial(datetime.now, UTC)
        """Our clock."""

    @property
    def hooked(self) -> bool:
        return bool(self.settings.secrets)

    @property
    def polled(self) -> bool:
        """Always: where the Callback API brings what is new, VK's lists say what it lost."""
        return True

    def rest(self, stop: Flag, seconds: float) -> None:
        stop.wait(seconds if self.settings.mode == "poll" else LOOKS)

    # ── in ───────────────────────────────────────────────────────────────────────

    def verify(self, request: Request) -> None:
        try:
            event = EVENTS.decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Rejected(400, "hook_vk_body") from None
        # All are compared, so that the time of an answer does not tell which one is near.
        given = event.secret.encode()
        genuine = sum(hmac.compare_digest(given, secret.encode()) for secret in self.settings.secrets)
        # VK asks for the confirmation before it has been told a secret.
        if not genuine and (event.secret or event.type != "confirmation"):
            raise Rejected(403, "hook_forged", account=self.account)
        if event.group_id != self.settings.group:
            raise Rejected(403, "hook_vk_group", account=self.account, group=self.settings.group)

    def read(self, request: Request) -> Accepted:
        return self._reader.read(request)

    def keeps(self, request: Request) -> Request:
        return replace(request, body=PROOF.sub(rb'\1"', request.body))

    def acknowledge(self, request: Request) -> Answer:
        return OK

    def poll(self, position: str) -> Batch:
        try:
            if not position:
                return self._begun()
            known = json.loads(position)
            if self.settings.mode == "callback":
                return self._caught_up("", known)
            return self._listened(known, position)
        except Trouble:
            self._long_poll = None
            raise

    def _begun(self) -> Batch:
        """The first position of all, kept before anything is read: from here on nothing is missed, whatever breaks."""
        ts = str(LongPoll(self._listen, self.settings.api, self.settings.group).ts) if self.settings.mode == "poll" else ""
        return Batch(position=_position(ts, newest(self._listen, self.settings.group), new=True), more=True)

    def _listened(self, known: dict[str, Any], position: str) -> Batch:
        """One answer of the long poll. After a start, a failure or a loss VK's lists are read, and now and then."""
        ts = str(known["ts"])
        if self._long_poll is None:
            begun = LongPoll(self._listen, self.settings.api, self.settings.group)
            return replace(self._caught_up(ts or str(begun.ts), known), done=partial(setattr, self, "_long_poll", begun))
        if monotonic() - self._looked > LISTENS:
            return self._caught_up(ts, known)
        poll = self._long_poll
        poll.ts = ts
        told = poll.check()
        match told.get("failed"):
            case None:
                # What VK lost in silence is older than what it tells now: only its lists move the time they are read from.
                found = [fetched(json.dumps(update, ensure_ascii=False).encode(), self.now()) for update in told["updates"]]
                return Batch(tuple(found), _position(str(told["ts"]), int(known["seen"])), more=bool(found))
            case 1:
                # Taken before the lists are read, so that nothing falls between them.
                return self._caught_up(str(told["ts"]), known)
            case 2:
                poll.update_longpoll_server(update_ts=False)
                return Batch(position=position, more=True)
            case 3:
                poll.update_longpoll_server()
                return self._caught_up(str(poll.ts), known)
            case code:
                raise Trouble(f"VK: long poll: failed {code}")

    def _caught_up(self, ts: str, known: dict[str, Any]) -> Batch:
        self._looked = monotonic()
        look = CatchUp(self._listen, self.settings.group, int(known["seen"]), new=bool(known.get("new")))
        now = self.now()
        items = tuple(fetched(as_item("message_edit" if message.get("update_time") else "message_new", self.settings.group,
                                      message), now) for message in look.messages())
        return Batch(items, _position(ts, look.newest), more=self.settings.mode == "poll")

    def fetch(self, item: Later) -> Fetched:
        return self._talk.person(item.ref) if item.kind == "person" else self._talk.download(item)

    # ── out ──────────────────────────────────────────────────────────────────────

    def reaches(self, way: str, address: Address) -> bool:
        return way == "vk" and address.kind == "vk" and re.fullmatch(r"id[1-9]\d{0,9}", address.value) is not None

    def parts(self, message: Outgoing) -> int:
        return len(chunks(message.text)) + len(message.files)

    def send(self, message: Outgoing, part: int) -> Result:
        if message.asked_at is not None and (self.now() - message.asked_at).total_seconds() > TRUSTED_FOR:
            found = self.was_sent(message, part)
            if found is not None:
                return found
        texts, peer = chunks(message.text), int(message.to.removeprefix("id"))
        number = random_id(message.id, part)
        mark = {"out": message.id.hex, "part": part, "parts": self.parts(message)}
        values: dict[str, Any] = {"peer_id": peer, "random_id": number, "payload": json.dumps(mark)}
        if part < len(texts):
            values["message"] = texts[part]
        else:
            file = message.files[part - len(texts)]
            if len(file.data) > LARGEST_SENT:
                return Failed("vk_file")
            try:
                values["attachment"] = self._talk.upload(peer, file)
            except Refusal as refusal:
                found = not_taken("docs.save", refusal) if refusal.code in PASSING else None
                return found if found is not None else Failed("vk_file", refusal.why)
            except (Unsent, Cut) as error:
                return Retry(f"VK: {said(error, self.settings.token)}")
        result, told = self._talk.send(values)
        return result if result is not None else Sent(self._names(peer, told))

    def was_sent(self, message: Outgoing, part: int) -> Result | None:
        """Whether the conversation holds it. None where it does not: then it is sent, under the same number."""
        peer, number = int(message.to.removeprefix("id")), random_id(message.id, part)
        try:
            told = self._talk.call("messages.getHistory", group_id=self.settings.group, peer_id=peer, count=PAGE)
        except Refusal as refusal:
            if refusal.code in PASSING:
                raise trouble("messages.getHistory", refusal) from refusal
            return None
        except (Unsent, Cut) as error:
            raise Trouble(f"VK: messages.getHistory: {said(error, self.settings.token)}") from error
        for one in told.get("items", ()) if isinstance(told, dict) else ():
            if isinstance(one, dict) and one.get("out") and one.get("random_id") == number:
                return Sent((*self._names(peer, one.get("id")), self._reader.name(peer, int(one["conversation_message_id"]))))
        return None

    def _names(self, peer: int, id: Any) -> tuple[str, ...]:
        return (f"vk/{self.settings.group}/{peer}/id/{id}",) if isinstance(id, int) and id else ()

    # ── both ─────────────────────────────────────────────────────────────────────

    def check(self) -> list[Check]:
        return Setup(self._talk, self.place, self.settings).check()

    def connect(self) -> list[Check]:
        return Setup(self._talk, self.place, self.settings).connect()


def chunks(text: str) -> list[str]:
    """A text in pieces that VK takes, cut at a blank line, a line or a space where there is one."""
    pieces = []
    while len(text) > LONGEST:
        cut = next((at for mark in ("\n\n", "\n", " ") if (at := text.rfind(mark, LONGEST // 2, LONGEST)) > 0), LONGEST)
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*pieces, text] if text else pieces


def _position(ts: str, seen: int, *, new: bool = False) -> str:
    return json.dumps({"ts": ts, "seen": seen, **({"new": True} if new else {})})

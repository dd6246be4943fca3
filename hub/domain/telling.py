"""How a colleague is told beside the browser (R34): by which ways, when not, and what became of each notice.

A stream for each colleague. Notices name cards and never a client: what they say leaves the company's own machines.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from hub.domain.aggregate import Aggregate
from hub.domain.contact import email
from hub.domain.errors import Refused, sentences
from hub.domain.event import Event, topic

TELLINGS = UUID("3f0c8f0a-3a1d-5a7c-9f5e-0b8f6f1f6c34")
CODE_LIVES = timedelta(minutes=15)
GATHER = timedelta(seconds=5)
"""For so long a notice waits for others that come with it."""
APART = timedelta(minutes=1)
"""At most one message to a colleague in this time; what comes meanwhile is in the next one."""
MOST_ITEMS = 10
"""Notices that a message names; the others are counted."""

sentences(
    bad_quiet=("Тихие часы — время с и по, например 21:00 и 08:00. Чтобы их не было, очистите оба поля.",
               "Quiet hours have a beginning and an end, such as 21:00 and 08:00. Clear both fields to have none."),
    bad_own_email=("Укажите свою почту, например anna@studio.ru, или снимите отметку.",
                   "Give your own e-mail address, such as anna@studio.ru, or clear the tick."),
    telegram_not_linked=("Сначала подключите свой Telegram: получите код и отправьте его боту.",
                         "Link your Telegram first: get a code and send it to the bot."),
    nothing_to_test=("Выберите хотя бы один способ и сохраните, потом проверяйте.", "Choose a way and save it, then try it."),
    suspect_colleague=("пишет сотрудник со своего Telegram, который подключён к уведомлениям",
                       "a colleague writes from the Telegram that is linked for notices"),
)


def telling_stream(user: UUID) -> UUID:
    """The stream of what a colleague is told."""
    return uuid5(TELLINGS, user.hex)


class Item(Struct, frozen=True):
    """One notice as the message names it: the card, what happened to it and when."""

    lead: UUID
    kind: str
    key: str
    at: datetime


@topic("telling.ways_set")
class WaysSet(Event, frozen=True, kw_only=True):
    """By which ways the colleague wants to be told, and in which hours not (``22:00``; empty for none).

    ``since`` is the log position from which notices are told, where nothing was told before.
    """

    user: UUID
    telegram: bool
    email: str = ""
    quiet_from: str = ""
    quiet_until: str = ""
    language: str = "ru"
    since: int = 0


@topic("telling.code_made")
class CodeMade(Event, frozen=True, kw_only=True):
    """A one-time code to link a chat was shown to the colleague; ``digest`` is its SHA-256."""

    user: UUID
    digest: str


@topic("telling.chat_linked")
class ChatLinked(Event, frozen=True, kw_only=True):
    """The colleague's own chat with our bot is known: who had the code wrote from it."""

    account: str
    chat: str


@topic("telling.chat_unlinked")
class ChatUnlinked(Event, frozen=True, kw_only=True):
    """The chat is the colleague's no more, or they do not want to be told there."""


@topic("telling.asked")
class NoticeAsked(Event, frozen=True, kw_only=True):
    """The colleague is to be told. Its event id is the fixed id under which it is sent.

    ``kind``: ``notices``, ``test`` or ``linked``. ``items`` are the newest notices, ``count`` is how many there are in all, and
    ``upto`` the log position of the newest.
    """

    message: int
    way: str
    account: str
    to: str
    kind: str
    upto: int
    count: int = 0
    items: tuple[Item, ...] = ()


@topic("telling.sent")
class NoticeSent(Event, frozen=True, kw_only=True):
    """It left."""

    message: int


@topic("telling.failed")
class NoticeFailed(Event, frozen=True, kw_only=True):
    """It will not leave. ``code`` is a sentence ``out_<code>``, ``why`` the provider's own words."""

    message: int
    code: str
    why: str = ""


@topic("telling.unknown")
class NoticeUnknown(Event, frozen=True, kw_only=True):
    """Nobody can say whether it left. It is not sent again: the browser tells the same."""

    message: int
    code: str
    why: str = ""


class Told(Struct, frozen=True):
    """A message to a colleague. ``status``: ``asked``, ``sent``, ``failed``, ``unknown``."""

    id: int
    fixed_id: str
    at: datetime
    way: str
    account: str
    to: str
    kind: str
    count: int = 0
    items: tuple[Item, ...] = ()
    status: str = "asked"
    code: str = ""
    why: str = ""


class TellingState(Struct, frozen=True):
    """``told`` are messages that are not settled yet; ``last`` the newest settled ones, the oldest first."""

    user: UUID | None = None
    telegram: bool = False
    email: str = ""
    quiet_from: str = ""
    quiet_until: str = ""
    language: str = "ru"
    code: str = ""
    code_at: datetime | None = None
    account: str = ""
    chat: str = ""
    linked_by: str = ""
    upto: int = 0
    number: int = 0
    asked_at: datetime | None = None
    told: dict[int, Told] = {}
    last: tuple[Told, ...] = ()

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways that can be used."""
        return (*(("telegram",) if self.telegram and self.chat else ()), *(("email",) if self.email else ()))

    @property
    def failed(self) -> Told | None:
        """The newest message of a way by which the newest did not leave."""
        newest = {told.way: told for told in self.last}
        return next((told for told in newest.values() if told.status in ("failed", "unknown")), None)

    def quiet(self, at: datetime, zone: str) -> bool:
        """Whether ``at`` is in the colleague's quiet hours."""
        if not self.quiet_from or self.quiet_from == self.quiet_until:
            return False
        now = at.astimezone(ZoneInfo(zone)).time()
        begin, end = time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until)
        return begin <= now < end if begin < end else now >= begin or now < end

    def due(self, oldest: datetime, now: datetime) -> bool:
        """Whether what came at ``oldest`` is told now rather than together with what may still come."""
        return oldest + GATHER <= now and (self.asked_at is None or self.asked_at + APART <= now)


KEPT = 20
"""Settled messages that the state remembers."""


class Telling(Aggregate[TellingState]):
    """What one colleague is told."""

    EMPTY = TellingState()

    @staticmethod
    def evolve(state: TellingState, event: Event) -> TellingState:
        match event:
            case WaysSet():
                return replace(state, user=event.user, telegram=event.telegram, email=event.email, quiet_from=event.quiet_from,
                               quiet_until=event.quiet_until, language=event.language, upto=max(state.upto, event.since))
            case CodeMade():
                return replace(state, user=event.user, code=event.digest, code_at=event.at)
            case ChatLinked():
                return replace(state, account=event.account, chat=event.chat, telegram=True, code="", linked_by=state.code)
            case ChatUnlinked():
                return replace(state, account="", chat="", telegram=False)
            case NoticeAsked():
                told = Told(event.message, event.event_id.hex, event.at, event.way, event.account, event.to, event.kind,
                            event.count, event.items)
                return replace(state, told={**state.told, event.message: told}, number=event.message,
                               upto=max(state.upto, event.upto),
                               asked_at=event.at if event.kind == "notices" else state.asked_at)
            case NoticeSent():
                return _settled(state, event.message, "sent")
            case NoticeFailed():
                return _settled(state, event.message, "failed", event.code, event.why)
            case NoticeUnknown():
                return _settled(state, event.message, "unknown", event.code, event.why)
        return state

    # ── settings ─────────────────────────────────────────────────────────────────

    def set_ways(self, user: UUID, *, telegram: bool, by_email: bool, address: str, quiet_from: str, quiet_until: str,
                 language: str, head: int) -> None:
        """How the colleague wants to be told. ``head`` is the newest log position: what came before is not told any more."""
        found = email(address) if by_email else None
        if by_email and found is None:
            raise Refused("bad_own_email", rule="R34", field="email")
        if telegram and not self.state.chat:
            raise Refused("telegram_not_linked", rule="R34", field="telegram")
        begin, end = quiet_from.strip(), quiet_until.strip()
        times = [t for t in (begin, end) if t]
        if len(times) == 1 or not all(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", t) for t in times):
            raise Refused("bad_quiet", rule="R34", field="quiet_from")
        wanted: dict[str, Any] = {"telegram": telegram, "email": found.value if found else "", "quiet_from": begin,
                                  "quiet_until": end, "language": language}
        if any(getattr(self.state, name) != value for name, value in wanted.items()) or self.state.user is None:
            since = 0 if self.state.ways else head
            self.record(WaysSet, user=user, since=since, **wanted)

    def make_code(self, user: UUID, code: str) -> None:
        """A one-time code that links the chat from which it comes. Only its digest is kept."""
        self.record(CodeMade, user=user, digest=digest(code))

    def link(self, code: str, account: str, chat: str) -> bool:
        """The code came from a chat; whether it was one of ours. The same code from the same chat again changes nothing."""
        s = self.state
        if s.chat == chat and s.account == account and s.linked_by == digest(code):
            return True
        if s.code != digest(code) or s.code_at is None or self.stamp.at - s.code_at > CODE_LIVES:
            return False
        self.record(ChatLinked, account=account, chat=chat)
        if s.user is not None and not s.ways:
            self.record(WaysSet, user=s.user, telegram=True, email=s.email, quiet_from=s.quiet_from, quiet_until=s.quiet_until,
                        language=s.language, since=0)
        self.ask("telegram", account, chat, "linked")
        return True

    def unlink(self) -> None:
        """No more notices to the chat."""
        if self.state.chat:
            self.record(ChatUnlinked)

    # ── telling ──────────────────────────────────────────────────────────────────

    def ask(self, way: str, account: str, to: str, kind: str, upto: int = 0, count: int = 0,
            items: tuple[Item, ...] = ()) -> None:
        """A message is to be sent."""
        self.record(NoticeAsked, hub=kind != "test", message=self.state.number + 1, way=way, account=account, to=to, kind=kind,
                    upto=upto, count=count, items=items)

    def sent(self, message: int) -> None:
        """It left. Idempotent."""
        if message in self.state.told:
            self.record(NoticeSent, message=message)

    def did_not_leave(self, message: int, code: str, why: str = "", *, unknown: bool = False) -> None:
        """It did not leave, or nobody knows. Idempotent."""
        if message in self.state.told:
            self.record(NoticeUnknown if unknown else NoticeFailed, message=message, code=code, why=why)


def digest(code: str) -> str:
    """What is kept of a code."""
    return hashlib.sha256(code.encode()).hexdigest()


def _settled(state: TellingState, message: int, status: str, code: str = "", why: str = "") -> TellingState:
    told = {number: one for number, one in state.told.items() if number != message}
    known = state.told.get(message)
    last = state.last if known is None else (*state.last, replace(known, status=status, code=code, why=why, items=()))[-KEPT:]
    return replace(state, told=told, last=last)

"""The timeline of a lead: every event as a sentence with what changed by it (R31)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from babel.dates import format_date
from flask_babel import gettext as _

from hub.domain.event import Event
from hub.domain.events import Money
from hub.domain.evolve import evolve
from hub.domain.process import Process
from hub.domain.state import LeadState
from hub.web import words
from hub.web.desk import now
from hub.web.frame import language
from hub.web.lead import words as w

GROUPS = ("talk", "meeting", "stage", "score", "system")
"""What events are about."""
FILTERS = ("talk", "meeting", "decision", "due", "file", "system")
"""What the timeline can be narrowed to."""
DECISIONS = frozenset(f"lead.{name}" for name in (
    "taken", "reassigned", "decision_maker_changed", "guard_overridden", "test_task_decided", "head_opinion_given",
    "proposal_drafted", "head_contributed", "merged_into", "absorbed", "handed_over"))
"""Decisions beside stages and sheets."""
DUES = frozenset(f"lead.{name}" for name in (
    "deadline_set", "deadline_met", "deadline_missed", "deadline_dropped", "next_step_planned", "next_step_done",
    "decision_date_agreed", "proposal_promised", "meeting_planned", "meeting_moved", "slept", "woken"))
"""Whatever sets, keeps or misses a date."""

Change = tuple[str, str | None, str | None]


@dataclass(frozen=True)
class Line:
    """What an event says: a title, perhaps somebody's words, and what was before and after."""

    title: str
    icon: str = "info"
    tone: str = ""
    text: str = ""
    changes: tuple[Change, ...] = ()
    who: str = ""
    """Whose doing it was, where the event knows better than its actor: the form that a request came from."""
    noise: bool = False


@dataclass(frozen=True)
class Entry:
    """A line of the timeline with its place in time. ``noise``: the hub's own book-keeping, folded away."""

    number: int
    at: datetime
    time: str
    day: str
    who: str
    group: str
    noise: bool
    icon: str
    tone: str
    title: str
    text: str
    changes: tuple[Change, ...]
    topic: str = ""
    files: bool = False

    def belongs(self, filter: str) -> bool:
        """Whether a filter of the timeline shows it."""
        match filter:
            case "":
                return True
            case "decision":
                return self.group in ("stage", "score") or self.topic in DECISIONS
            case "due":
                return self.topic in DUES
            case "file":
                return self.files
        return self.group == filter


@dataclass(frozen=True)
class Teller:
    """Whose words an event is told in: the names of colleagues, the process, other cards by their numbers."""

    process: Process
    names: Mapping[str, str]
    numbers: Mapping[UUID, int] = field(default_factory=dict)

    def who(self, id: str) -> str:
        """A colleague, a channel, a program or the hub itself."""
        if id.startswith("channel:"):
            return w.said(w.CHANNELS, id.partition(":")[2]).lower()
        if id.startswith("token:"):
            return words.program(id.partition(":")[2])
        return _("система") if id == "hub" else self.names.get(id, id)

    def people(self, ids: Iterable[str]) -> str:
        """Several colleagues, by comma."""
        return ", ".join(self.names.get(i, i) for i in ids)

    def stage(self, id: str) -> str:
        """A stage by its title."""
        return w.titled(self.process.stages, id) if id else ""

    def card(self, lead: UUID) -> str:
        """Another card by its number."""
        return f"L-{self.numbers[lead]}" if lead in self.numbers else _("другая карточка")

    def moment(self, at: datetime) -> str:
        """A moment on the company's clock."""
        return words.moment(at)

    def day(self, on: date) -> str:
        """A day."""
        return words.day(on)

    def money(self, money: Money) -> str:
        """An amount with its VAT."""
        return amount(money)


def amount(money: Money, short: bool = False) -> str:
    """An amount in its own currency, with a word on VAT."""
    said = words.money(money.amount, short)
    if money.currency != "RUB":
        said = said.replace("₽", money.currency)
    return said + (f", {money.vat}" if money.vat else "")


def heading(at: datetime) -> str:
    """The day over the lines of the timeline: «20 ноября, пятница», «23 ноября, сегодня»."""
    there, today = words.local(at), words.local(now())
    if there is None or today is None:
        return ""
    ago = (today.date() - there.date()).days
    name = _("сегодня") if ago == 0 else _("вчера") if ago == 1 else format_date(there, "EEEE", locale=language())
    return f"{words.day(there)}, {name}"


Tell = Callable[[Any, LeadState, Teller], Line]
T = TypeVar("T", bound=Tell)
TELLERS: dict[type[Event], tuple[Tell, str, bool]] = {}
"""How each event is told, the filter that it belongs to, and whether it is noise."""


def tells(kind: type[Event], group: str = "", noise: bool = False) -> Callable[[T], T]:
    """Registers how events of ``kind`` are told; the function gets the event and the state before it."""

    def register(function: T) -> T:
        TELLERS[kind] = (function, group, noise)
        return function

    return register


def changed(*items: tuple[str, object, object]) -> tuple[Change, ...]:
    """Changes as the template draws them; lines on which nothing is said are left out."""
    return tuple((label, str(before) if before else None, str(after)) for label, before, after in items if after)


def tell(event: Event, before: LeadState, teller: Teller) -> Entry:
    """One event in words; ``before`` is the state that it met. What a delivery told of people is noise: its own words say it."""
    found = TELLERS.get(type(event))
    if found is None:
        line, group, noise = Line(event.TOPIC), "system", True
    else:
        function, group, noise = found
        line = function(event, before, teller)
    return Entry(
        number=event.originator_version,
        at=event.at,
        time=words.clock(event.at),
        day=heading(event.at),
        who=line.who or teller.who(event.actor),
        group=group,
        noise=noise or line.noise or (not group and event.actor.startswith("channel:")),
        icon=line.icon,
        tone=line.tone,
        title=line.title,
        text=words.personal(line.text),
        topic=event.TOPIC,
        files=bool(getattr(event, "files", ()) or getattr(event, "file", None)),
        changes=tuple((name, was and words.personal(was), new and words.personal(new)) for name, was, new in line.changes),
    )


def story(events: Iterable[Event], teller: Teller) -> tuple[list[Entry], LeadState]:
    """All events in words, the oldest first, and the state that they lead to."""
    entries, state = [], LeadState()
    for event in events:
        entries.append(tell(event, state, teller))
        state = evolve(state, event)
    return entries, state


@dataclass(frozen=True)
class Fold:
    """Neighbours in the timeline: one entry, or a run of noise folded into a line."""

    day: str
    entries: tuple[Entry, ...]
    folded: bool

    @property
    def label(self) -> str:
        """Which events are folded, by their numbers."""
        low, high = min(e.number for e in self.entries), max(e.number for e in self.entries)
        if low == high:
            return str(_("Событие %(number)s: система", number=low))
        return str(_("События %(low)s–%(high)s: система, %(count)s", low=low, high=high, count=len(self.entries)))


def shown(entries: list[Entry], group: str = "", limit: int = 0) -> tuple[list[Fold], int]:
    """The timeline, the newest first, narrowed to a group; how many older lines were left out by ``limit``."""
    wanted = [e for e in reversed(entries) if e.belongs(group)]
    kept = wanted[:limit] if limit else wanted
    folds: list[Fold] = []
    for entry in kept:
        last = folds[-1] if folds else None
        if entry.noise and not group and last is not None and last.folded and last.day == entry.day:
            folds[-1] = Fold(last.day, (*last.entries, entry), True)
        else:
            folds.append(Fold(entry.day, (entry,), entry.noise and not group))
    return folds, len(wanted) - len(kept)


def counts(entries: list[Entry]) -> dict[str, int]:
    """How many lines each filter has; "" is all."""
    return {f: sum(e.belongs(f) for e in entries) for f in ("", *FILTERS)}

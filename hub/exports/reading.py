"""Leads as other programs want them: one at a time, their events in order, with values that are safe to give away."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct

from hub.application import LeadHub
from hub.domain.errors import NotFound, sentences
from hub.domain.event import Event, personal_fields
from hub.domain.events import FileRef, Money, MoveUndone, StageEntered
from hub.domain.lead import Lead
from hub.domain.process import Process
from hub.domain.replay import known_at
from hub.domain.staff import RolesChanged, UserAdded
from hub.domain.state import LeadState
from hub.exports.activities import CLOSING, INSTANCES, RETURNS, Activity, Names
from hub.projections.leads import iso
from hub.store.keys import blind

PAGE = 200
"""Leads that are looked up at once."""
USER = "user:"
COMMON = frozenset(Event.__struct_fields__)
TYPED_NAMES = frozenset({"ours"})
"""Fields, not marked as personal, in which people write names of colleagues by hand."""

sentences(no_such_process_version=("Редакции процесса № {given} нет: есть с 1 по {newest}.",
                                   "There is no version {given} of the process: there are 1 to {newest}."))

Value = str | int | float | bool | datetime


def process_of(hub: LeadHub, version: int) -> Process:
    """A version of the process, the one in force where 0; ``no_such_process_version`` where there is none."""
    newest = hub.process
    if not 0 <= version <= newest.version:
        raise NotFound("no_such_process_version", field="version", given=version, newest=newest.version)
    return hub.process_of_day(version) if version else newest


@dataclass(frozen=True)
class Scope:
    """Which leads, and how they are told.

    ``since`` and ``until`` (not included) are when they came in; ``leads`` names some of them. What became known after ``at``
    is left out. ``personal``: with clients' data and colleagues' names. ``steps``: only events that the process draws.
    ``version`` is the process whose words are used, 0 for the one in force.
    """

    at: datetime
    since: datetime | None = None
    until: datetime | None = None
    leads: tuple[UUID, ...] = ()
    personal: bool = False
    steps: bool = False
    language: str = "ru"
    version: int = 0

    def where(self) -> tuple[str, list[Any]]:
        """The condition on the table of leads, with its values."""
        conditions, values = ["received_at <= ?"], [iso(self.at)]
        if self.since is not None:
            conditions.append("received_at >= ?")
            values.append(iso(self.since))
        if self.until is not None:
            conditions.append("received_at < ?")
            values.append(iso(self.until))
        if self.leads:
            conditions.append(f"id IN ({', '.join('?' * len(self.leads))})")
            values += [lead.hex for lead in self.leads]
        return " AND ".join(conditions), values


class Told(NamedTuple):
    """An event of a trace. ``at`` never goes back within a lead; ``values`` are what the event says besides."""

    event: Event
    activity: Activity
    at: datetime
    resource: str
    role: str
    instance: str
    values: dict[str, Value]


@dataclass(frozen=True)
class Trace:
    """A lead: its stream, its number, its state, and its events in the order in which they were recorded."""

    lead: UUID
    number: int
    state: LeadState
    events: list[Told]

    @property
    def name(self) -> str:
        """What people call it."""
        return f"L-{self.number}"


class Reader:
    """Reads the leads of a scope one after another: however many there are, one is in memory."""

    def __init__(self, hub: LeadHub, scope: Scope) -> None:
        self.hub, self.scope = hub, scope
        self.process = process_of(hub, scope.version)
        self.names = Names(self.process, scope.language)
        self._roles: dict[str, list[tuple[datetime, str]]] = {}
        self._people = {f"{USER}{id}": user.name for id, user in hub.users().items()} if scope.personal else {}

    def count(self) -> int:
        """How many leads there are. Open and ended ones are counted apart: each has an index that holds all that is asked."""
        where, values = self.scope.where()
        return sum(self.hub.views.leads.count(f"is_open = {which} AND {where}", values) for which in (0, 1))

    def traces(self, after: int = 0, most: int | None = None) -> Iterator[Trace]:
        """The leads with numbers above ``after``, by number; at most so many."""
        where, values = self.scope.where()
        given = 0
        while True:
            rows = self.hub.views.leads.rows(f"number > ? AND {where}", (after, *values), "number", PAGE)
            for row in rows:
                if most is not None and given >= most:
                    return
                after, lead = row["number"], UUID(row["id"])
                events = [event for event in self.hub.store.read(lead) if known_at(event) <= self.scope.at]
                if events:
                    given += 1
                    yield self._trace(lead, after, events)
            if len(rows) < PAGE:
                return

    def holds(self, lead: UUID) -> bool:
        """Whether a lead is one of the scope's."""
        where, values = self.scope.where()
        return bool(self.hub.views.leads.count(f"id = ? AND {where}", (lead.hex, *values)))

    def _trace(self, lead: UUID, number: int, events: list[Event]) -> Trace:
        told, closed, last, undone = [], False, events[0].at, _undone(events)
        for event in events:
            last = max(last, event.at)
            activity = self.names.of(event, closed=closed, undone=event.originator_version in undone)
            closed = isinstance(event, CLOSING) or (closed and not isinstance(event, RETURNS))
            if activity.step or not self.scope.steps:
                told.append(Told(event, activity, last, self.who(event.actor), self._role(event.actor, event.at),
                                 _instance(event), self.values(event)))
        return Trace(lead, number, Lead.fold(events), told)

    # ── people ───────────────────────────────────────────────────────────────────

    def who(self, actor: str) -> str:
        """An actor: a colleague's name where names are wanted, else a keyed pseudonym, the same in every export of this hub."""
        if not actor.startswith(USER):
            return actor
        if self.scope.personal:
            return self._people.get(actor, actor)
        return f"user-{blind(self.hub.pseudonym_key, 'colleague', actor).hex[:12]}"

    def _role(self, actor: str, at: datetime) -> str:
        """The roles of a colleague at that moment."""
        if not actor.startswith(USER):
            return ""
        if actor not in self._roles:
            self._roles[actor] = [(event.at, " ".join(event.roles)) for event in self.hub.store.read(UUID(actor[len(USER):]))
                                  if isinstance(event, UserAdded | RolesChanged)]
        known = self._roles[actor]
        place = bisect_right(known, at, key=lambda pair: pair[0])
        return known[place - 1][1] if place else ""

    # ── values ───────────────────────────────────────────────────────────────────

    def values(self, event: Event) -> dict[str, Value]:
        """What an event says, as plain values by name; personal fields only where they are wanted."""
        found: dict[str, Value] = {}
        hidden = frozenset() if self.scope.personal else _hidden(type(event))
        for name in event.__struct_fields__:
            if name in COMMON or name in hidden:
                continue
            value = getattr(event, name)
            if name in TYPED_NAMES and isinstance(value, tuple) and not self.scope.personal:
                name, value = f"{name}_count", len(value)
            found.update(self._plain(name, value))
        return found

    def _plain(self, name: str, value: Any) -> dict[str, Value]:
        if value is None or value in ("", (), {}):
            return {}
        match value:
            case Money():
                return {"amount": float(value.amount), "currency": value.currency, **({"vat": value.vat} if value.vat else {})}
            case dict() if all(isinstance(inner, int) for inner in value.values()):
                return {f"{name.rstrip('s')}_{key}": inner for key, inner in value.items()}
            case Decimal():
                return {name: float(value)}
            case bool() | int() | float() | datetime():
                return {name: value}
        return {name: self._text(value)}

    def _text(self, value: Any) -> str:
        match value:
            case str():
                return self.who(value)
            case date():
                return value.isoformat()
            case FileRef():
                return value.name
            case Struct():
                return "; ".join(self._text(getattr(value, name)) for name in value.__struct_fields__)
            case dict():
                return "; ".join(f"{key}: {self._text(inner)}" for key, inner in value.items())
            case tuple() | list():
                return "; ".join(map(self._text, value))
        return str(value)


@cache
def _hidden(kind: type[Event]) -> frozenset[str]:
    return frozenset(personal_fields(kind))


def _undone(events: list[Event]) -> set[int]:
    """Versions of moves that were taken back."""
    found: set[int] = set()
    moved = 0
    for event in events:
        if isinstance(event, StageEntered):
            moved = event.originator_version
        elif isinstance(event, MoveUndone):
            found.add(moved)
    return found


def _instance(event: Event) -> str:
    """Which of several things an event is about, such as ``meeting 3``; empty where there is only the lead."""
    for name in INSTANCES:
        if value := getattr(event, name, None):
            return f"{name} {value}"
    return ""

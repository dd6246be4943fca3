"""A draft of the process, tried on everything that was decided: sheets are summed anew, deadlines are counted anew (R0).

For one lead, step by step, see :mod:`hub.domain.what_if`. Nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from hub.domain.clockwork import Clockwork, micros
from hub.domain.process import Deadline, Process

LENGTHS = ("minutes", "hours", "days", "working_days")
ROOM = timedelta(days=400)
"""How far after its beginning a deadline is looked for in the lists."""


class Difference(NamedTuple):
    """Marks by which two processes sum one sheet otherwise: parameters that no longer count, and those that begin to.

    ``lacking``: parameters of the draft that the sheet cannot have; then there is no sum.
    """

    less: tuple[str, ...]
    more: tuple[str, ...]
    lacking: tuple[str, ...]


def sums(then: Process, draft: Process) -> Difference:
    """How ``draft`` sums a sheet that was filled in under ``then``."""
    counted = {p for p, rule in then.parameters.items() if rule.counts}
    wanted = [p for p, rule in draft.parameters.items() if rule.counts]
    return Difference(tuple(sorted(counted - set(wanted))), tuple(p for p in wanted if p in then.parameters and p not in counted),
                      tuple(p for p in wanted if p not in then.parameters))


def bounds_differ(old: Process, new: Process) -> bool:
    """Whether a sheet may land elsewhere or be worked otherwise: bounds, what counts, refusals, when the head joins."""
    def said(p: Process) -> tuple[object, ...]:
        return ([(s.id, s.low, s.high, s.refuse) for s in p.file.segments], p.file.proposal.head_above,
                sorted((n, q.counts) for n, q in p.parameters.items()))
    return said(old) != said(new)


def length_of(deadline: Deadline) -> tuple[int | None, ...]:
    """A deadline's length, comparable: hours are minutes."""
    minutes = deadline.hours * 60 if deadline.hours is not None else deadline.minutes
    return minutes, deadline.days, deadline.working_days


def on_working_clock(deadline: Deadline) -> bool:
    """Whether the calendar matters to it (R7)."""
    return deadline.working_days is not None or (deadline.days is None and deadline.clock == "working")


def calendars_differ(old: Process, new: Process, since: date) -> bool:
    """Whether any hour since ``since`` is worked under one of them only, of the years whose days ``old`` holds."""
    a, b = old.calendar, new.calendar
    if (a.timezone, a.opens, a.closes, a.lunch, a.weekdays) != (b.timezone, b.opens, b.closes, b.lunch, b.weekdays):
        return True
    first, last = max(since, min(a.days_off, default=since)), max(a.days_off, default=date.max)
    named = {day for c in (a, b) for day in (*c.days_off, *c.working_days) if first <= day <= last}
    return any(a.is_working_day(day) != b.is_working_day(day) for day in named)


def deadlines_that_differ(old: Process, new: Process, since: date) -> list[str]:
    """Deadlines whose time may be another one under ``new``, in the order of the file."""
    calendar = calendars_differ(old, new, since)
    return [id for id, rule in new.deadlines.items() if id in old.deadlines and (
        length_of(rule) != length_of(old.deadlines[id]) or rule.clock != old.deadlines[id].clock
        or (calendar and on_working_clock(rule)))]


class Outcome(NamedTuple):
    """A deadline as it was and as it would have been: ``lead`` in hex, its beginning, both ends and when it was done or given up
    (microseconds since 1970; the moment asked about where it still runs)."""

    lead: str
    start: int
    was_due: int
    due: int
    until: int
    met: bool

    @property
    def was_late(self) -> bool:
        """Its time passed before it was done."""
        return self.until > self.was_due

    @property
    def late(self) -> bool:
        """Its time would have passed."""
        return self.until > self.due


class Tried(NamedTuple):
    """A kind of deadline under the draft: how many kept their time in both, lost it, gained it, or missed both."""

    kind: str
    kept: int
    lost: int
    gained: int
    missed: int


class Timer:
    """Counts deadlines anew. ``of_day`` gives the process of an event's version; ``first`` is the day of the oldest deadline."""

    def __init__(self, draft: Process, of_day: Callable[[int], Process], first: date, now: datetime) -> None:
        self._of_day, self._first, self._last, self._now = of_day, first - timedelta(days=2), (now + ROOM).date(), micros(now)
        self._draft = Clockwork(draft, self._first, self._last)
        self._then: dict[int, Clockwork] = {}

    def outcomes(self, kind: str, spans: Iterable[tuple[str, str, str, str, int, int]]) -> Iterable[Outcome]:
        """Those of ``spans`` whose time came from the process and was not agreed with the client.

        A span: the lead in hex, beginning, end of the time, when it was done or given up, whether done, the process version.
        """
        new = self._draft.of(kind)
        old: dict[int, Callable[[int], int] | None] = {}
        for lead, start_text, due_text, until_text, met, version in spans:
            start, was_due = _read(start_text), _read(due_text)
            if version not in old:
                old[version] = self._rule(version, kind)
            rule = old[version]
            if rule is not None and rule(start) == was_due:
                until = _read(until_text) if until_text else self._now
                yield Outcome(lead, start, was_due, new(start), until, bool(met))

    def _rule(self, version: int, kind: str) -> Callable[[int], int] | None:
        if not version:
            return None
        if version not in self._then:
            self._then[version] = Clockwork(self._of_day(version), self._first, self._last)
        found = self._then[version]
        return found.of(kind) if kind in found.process.deadlines else None


def counted(kind: str, outcomes: Iterable[Outcome]) -> Tried:
    """How a kind of deadline fared."""
    found: dict[tuple[bool, bool], int] = {}
    for one in outcomes:
        key = one.was_late, one.late
        found[key] = found.get(key, 0) + 1
    return Tried(kind, *(found.get(key, 0) for key in ((False, False), (False, True), (True, False), (True, True))))


def _read(text: str) -> int:
    return micros(datetime.fromisoformat(text))


def places(parameters: Sequence[str], names: Iterable[str]) -> tuple[int, ...]:
    """The 1-based places of ``names`` among ``parameters`` in alphabetical order."""
    order = sorted(parameters)
    return tuple(order.index(name) + 1 for name in names)

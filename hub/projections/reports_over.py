"""Over which time and which leads the department's figures are, and how their middles are found."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.domain.worktime import WorkCalendar
from hub.projections.leads import iso

NONE = "none"
"""Asks for leads without an owner or a segment."""


class Part(NamedTuple):
    """A part of a time: what it is called, and its ends as sortable text."""

    id: str
    since: str
    until: str


class Over(Struct, frozen=True, kw_only=True):
    """From ``since`` and before ``until``; of one ``owner``, ``segment`` or ``channel`` where it is given."""

    since: datetime
    until: datetime
    owner: str = ""
    segment: str = ""
    channel: str = ""

    @property
    def time(self) -> tuple[str, str]:
        """Both ends as sortable text."""
        return iso(self.since) or "", iso(self.until) or ""

    def weeks(self, zone: str) -> list[Part]:
        """Its calendar weeks in a zone, the first and the last perhaps parts of one; each is called by its Monday."""
        first = self.since.astimezone(ZoneInfo(zone)).date()
        return self._parts(zone, first - timedelta(days=first.weekday()), lambda day: day + timedelta(days=7))

    def months(self, zone: str) -> list[Part]:
        """Its calendar months in a zone, each called by its first day."""
        first = self.since.astimezone(ZoneInfo(zone)).date().replace(day=1)
        return self._parts(zone, first, lambda day: (day + timedelta(days=31)).replace(day=1))

    def _parts(self, zone: str, day: date, following: Callable[[date], date]) -> list[Part]:
        found = []
        while (begin := _midnight(day, zone)) < self.until:
            last = _midnight(following(day), zone)
            found.append(Part(day.isoformat(), iso(max(begin, self.since)) or "", iso(min(last, self.until)) or ""))
            day = following(day)
        return found

    def where(self, time: str, owner: str = "owner", table: str = "") -> tuple[str, list[Any]]:
        """The condition on the columns ``time`` and ``owner`` (and ``segment``, ``channel``) of ``table``, with its values."""
        own, more = self.only(owner, table)
        return f"{time} >= ? AND {time} < ?{own}", [*self.time, *more]

    def only(self, owner: str = "owner", table: str = "") -> tuple[str, list[Any]]:
        """The part of it that is not about time; begins with AND where there is any."""
        said, values = "", []
        for column, wanted in ((owner, self.owner), ("segment", self.segment), ("channel", self.channel)):
            if wanted:
                said += f" AND {table}{column} = ?"
                values.append("" if wanted == NONE else wanted)
        return said, values

    @property
    def narrowed(self) -> bool:
        """Whether it is of some leads only."""
        return bool(self.owner or self.segment or self.channel)


class Spread(Struct, frozen=True):
    """Lengths in seconds: how many, the middle one, and the one that nine of ten do not exceed (None of none)."""

    n: int
    median: int | None
    p90: int | None


def spread(lengths: Sequence[int]) -> Spread:
    """Of lengths in any order. The median of an even number is the mean of the middle two; p90 is the smallest length that at
    least nine tenths of them do not exceed."""
    if not lengths:
        return Spread(0, None, None)
    found = sorted(lengths)
    (a, b), last = middle(len(found)), ninetieth(len(found))
    return Spread(len(found), round((found[a] + found[b]) / 2), found[last])


def middle(n: int) -> tuple[int, int]:
    """The places of the middle two of ``n`` in order; the same one twice of an odd number."""
    return (n - 1) // 2, n // 2


def ninetieth(n: int) -> int:
    """The place of p90 of ``n`` in order."""
    return -(-n * 9 // 10) - 1


class Worked:
    """Working seconds between any two instants of a time, counted once for all of them (R7)."""

    def __init__(self, calendar: WorkCalendar, since: datetime, until: datetime) -> None:
        hours = list(calendar.spans(since, until))
        self._opens, self._closes = [iso(a) or "" for a, _ in hours], [iso(b) or "" for _, b in hours]
        self._begins, self._ends = [a.timestamp() for a, _ in hours], [b.timestamp() for _, b in hours]
        self._before = list(accumulate((b - a for a, b in zip(self._begins, self._ends, strict=True)), initial=0.0))

    def between(self, a: str, b: str, length: int) -> int:
        """Working seconds from ``a`` to ``b`` (sortable text), both within the time and ``length`` apart by the clock."""
        place = bisect_right(self._opens, a) - 1
        if place >= 0 and b <= self._closes[place]:
            return length  # most leads are taken in the hours in which they came
        return max(0, round(self._until(datetime.fromisoformat(b).timestamp())
                            - self._until(datetime.fromisoformat(a).timestamp())))

    def _until(self, at: float) -> float:
        place = bisect_right(self._begins, at) - 1
        if place < 0:
            return 0.0
        return self._before[place] + min(at, self._ends[place]) - self._begins[place]


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def parts_of(parts: Sequence[Part], instants: Iterable[str]) -> list[str]:
    """What the part of a time is called in which each of ``instants`` (sortable text, within that time) lies."""
    begins = [part.since for part in parts]
    return [parts[bisect_right(begins, at) - 1].id for at in instants]

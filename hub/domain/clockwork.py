"""When deadlines fall due, for hundreds of thousands of them: :meth:`Process.due` with the calendar laid out once (R7).

Instants are whole microseconds since 1970, so that nothing is lost to rounding.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hub.domain.process import Process

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND, MINUTE, DAY = 1_000_000, 60_000_000, 86_400_000_000


def micros(at: datetime) -> int:
    """An aware instant as a number."""
    return (at - EPOCH) // MICROSECOND


def instant(at: int) -> datetime:
    """The number as an instant."""
    return EPOCH + timedelta(microseconds=at)


class Clockwork:
    """The working hours of ``process`` from ``first`` to ``last`` (days of its calendar), as lists to look into.

    A deadline that ends later than ``last`` is asked of the process itself.
    """

    def __init__(self, process: Process, first: date, last: date) -> None:
        self.process = process
        calendar = process.calendar
        self._zone = ZoneInfo(calendar.timezone)
        edges = [calendar.opens, *(calendar.lunch or ()), calendar.closes]
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._worked: list[int] = []
        """Working time up to the end of each span."""
        self._midnights: list[int] = []
        """When each day of the calendar begins."""
        self._closings: list[int] = []
        self._nth: list[int] = []
        """For each day, how many working days lie before it."""
        day, worked = first, 0
        while day <= last:
            self._midnights.append(self._at(day, time()))
            self._nth.append(len(self._closings))
            if calendar.is_working_day(day):
                instants = [self._at(day, edge) for edge in edges]
                for start, end in zip(instants[::2], instants[1::2], strict=True):
                    if start < end:
                        worked += end - start
                        self._starts.append(start)
                        self._ends.append(end)
                        self._worked.append(worked)
                self._closings.append(instants[-1])
            day += timedelta(days=1)
        self._end = self._at(last, time())

    def _at(self, day: date, clock: time) -> int:
        return micros(datetime.combine(day, clock, self._zone).astimezone(UTC))

    def of(self, kind: str) -> Callable[[int], int]:
        """What gives the end of a deadline of ``kind`` by its beginning."""
        rule = self.process.deadlines[kind]
        if rule.working_days is not None:
            n = rule.working_days
            return lambda start: self._or(self._closing(start, n), kind, start)
        if rule.days is not None:
            days = rule.days * DAY
            return lambda start: start + days
        minutes = (rule.minutes if rule.minutes is not None else (rule.hours or 0) * 60) * MINUTE
        if rule.clock == "plain":
            return lambda start: start + minutes
        return lambda start: self._or(self._after(start, minutes), kind, start)

    def _or(self, found: int | None, kind: str, start: int) -> int:
        return micros(self.process.due(kind, instant(start))) if found is None else found

    def _after(self, start: int, left: int) -> int | None:
        """The instant when ``left`` of working time has passed; None where the lists do not reach so far."""
        if not self._midnights or start < self._midnights[0]:
            return None
        place = bisect_right(self._ends, start)
        if place == len(self._ends):
            return None
        begun = max(self._starts[place], start)
        if begun + left <= self._ends[place]:
            return begun + left
        wanted = self._worked[place] - (self._ends[place] - begun) + left
        last = bisect_left(self._worked, wanted)
        return None if last == len(self._ends) else self._ends[last] - (self._worked[last] - wanted)

    def _closing(self, start: int, n: int) -> int | None:
        """The end of the ``n``-th working day; see :meth:`WorkCalendar.end_of_working_day`."""
        day = bisect_right(self._midnights, start) - 1
        if day < 0 or start >= self._end:
            return None
        if n == 0:
            place = bisect_right(self._closings, start, lo=self._nth[day])
        else:
            if day + 1 == len(self._nth):
                return None
            place = bisect_right(self._closings, start, lo=self._nth[day + 1]) + n - 1
        return self._closings[place] if place < len(self._closings) else None

"""Working time: when a deadline of working minutes or working days falls due (R7, R22)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import force_setattr

ONE_DAY = timedelta(days=1)

LONGEST_PAUSE = 400
"""Days in a row without work after which a calendar is taken to be wrong: more than a year."""

MOST_MINUTES = 366 * 24 * 60
"""The longest deadline in working minutes that :meth:`WorkCalendar.add` counts."""

MOST_DAYS = 3660
"""The longest deadline in working days that :meth:`WorkCalendar.end_of_working_day` counts."""

Span = tuple[datetime, datetime]


class CalendarError(ValueError):
    """The working calendar, or the question put to it, makes no sense. The sentence says what to change."""


class WorkCalendar(Struct, frozen=True, kw_only=True):
    """The hours in which the department works; every answer is an instant in UTC.

    ``timezone`` is an IANA name; ``opens``, ``closes`` and ``lunch`` are wall-clock times there.
    ``weekdays`` are ISO numbers (Monday is 1). ``days_off`` are public holidays and days off of our
    own, and win over everything; ``working_days`` are dates that are worked although their weekday
    is not (transferred Saturdays). The lists are kept sorted and without repeats, so that two
    calendars that mean the same are equal and are stored the same.

    Hours are half-open: at ``opens`` the department is open, at ``closes`` it is closed. Lunch is
    not work. Raises :class:`CalendarError` when the parts contradict each other.
    """

    timezone: str = "Europe/Moscow"
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5)
    opens: time = time(9)
    closes: time = time(18)
    lunch: tuple[time, time] | None = None
    days_off: tuple[date, ...] = ()
    working_days: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        _zone(self.timezone)
        for name in ("weekdays", "days_off", "working_days"):
            force_setattr(self, name, tuple(sorted(set(getattr(self, name)))))
        if not all(1 <= day <= 7 for day in self.weekdays):
            raise CalendarError(f"Weekdays are numbers from 1 (Monday) to 7 (Sunday), not {list(self.weekdays)}.")
        if any(at.tzinfo for at in (self.opens, self.closes, *(self.lunch or ()))):
            raise CalendarError("Working hours are times of the calendar's own zone: leave the zone out of them.")
        if not self.opens < self.closes:
            raise CalendarError(f"The working day opens at {self.opens:%H:%M}, so it must close later, "
                                f"not at {self.closes:%H:%M}.")
        if self.lunch and not self.opens < self.lunch[0] < self.lunch[1] < self.closes:
            raise CalendarError(f"Lunch {self.lunch[0]:%H:%M}-{self.lunch[1]:%H:%M} must lie inside the working day "
                                f"{self.opens:%H:%M}-{self.closes:%H:%M}.")

    def is_working_day(self, day: date) -> bool:
        """Whether ``day`` (a date in the calendar's zone) is worked."""
        if _holds(self.days_off, day):
            return False
        return day.isoweekday() in self.weekdays or _holds(self.working_days, day)

    def is_open(self, at: datetime) -> bool:
        """Whether the department works at ``at``; exactly at closing time it does not."""
        at, today = self._local(at)
        return self.is_working_day(today) and any(start <= at < end for start, end in self._spans(today))

    def add(self, at: datetime, minutes: int) -> datetime:
        """The instant when ``minutes`` of working time have passed since ``at`` (R7).

        Outside the hours the count starts at the next opening: Friday 17:55 and 15 minutes is
        Monday 09:10. A count that ends exactly at closing time is due then, not at the next opening.
        """
        if not 0 <= minutes <= MOST_MINUTES:
            raise CalendarError(f"A deadline is between 0 and {MOST_MINUTES} working minutes, not {minutes}.")
        left = timedelta(minutes=minutes)
        spans = self._spans_after(at)
        start, end = next(spans)
        while left > end - start:
            left -= end - start
            start, end = next(spans)
        return start + left

    def next_opening(self, at: datetime) -> datetime:
        """``at`` itself when the department is open then, else the next instant at which it opens."""
        return self.add(at, 0)

    def end_of_working_day(self, at: datetime, n: int) -> datetime:
        """The end of the ``n``-th working day from ``at`` (R22: ``n`` is 2).

        The day of ``at`` is day 0 whether it is worked or not, at whatever hour: from any time on a
        Friday, and from the Saturday and Sunday after it, day 1 is Monday and day 2 is Tuesday.
        ``n`` = 0 is the first end of a working day after ``at``: today's, or once that is over (or
        today is off) that of the next working day.
        """
        if not 0 <= n <= MOST_DAYS:
            raise CalendarError(f"A deadline is between 0 and {MOST_DAYS} working days, not {n}.")
        at, today = self._local(at)
        days = self._working_days(today + ONE_DAY if n else today)
        ends = (end for day in days if (end := self._instant(day, self.closes)) > at)
        return next(islice(ends, max(n - 1, 0), None))

    def working_minutes_between(self, a: datetime, b: datetime) -> int:
        """Whole working minutes from ``a`` to ``b``; negative when ``b`` is the earlier one."""
        (a, first), (b, last) = self._local(a), self._local(b)
        if b < a:
            return -self.working_minutes_between(b, a)
        worked = timedelta()
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
            if self.is_working_day(day):
                for start, end in self._spans(day):
                    worked += max(min(end, b) - max(start, a), timedelta())
        return worked // timedelta(minutes=1)

    def spans(self, since: datetime, until: datetime) -> Iterator[Span]:
        """The working hours from ``since`` to ``until``, in UTC and in order; the first and the last may be parts of one."""
        (since, day), (until, last) = self._local(since), self._local(until)
        while day <= last:
            if self.is_working_day(day):
                yield from ((max(a, since), min(b, until)) for a, b in self._spans(day) if b > since and a < until)
            day += ONE_DAY

    def _spans_after(self, at: datetime) -> Iterator[Span]:
        """The working hours from ``at`` on, in UTC, without end; the first may be what is left of one."""
        at, today = self._local(at)
        for day in self._working_days(today):
            for start, end in self._spans(day):
                if end > at:
                    yield max(start, at), end

    def _working_days(self, day: date) -> Iterator[date]:
        """Working days from ``day`` on, without end; raises after :data:`LONGEST_PAUSE` days without one."""
        idle = 0
        while idle < LONGEST_PAUSE:
            if self.is_working_day(day):
                idle = 0
                yield day
            else:
                idle += 1
            day += ONE_DAY
        raise CalendarError(f"The working calendar has no working day in the {LONGEST_PAUSE} days before {day}: "
                            "give it weekdays, or take days off out of it.")

    def _spans(self, day: date) -> Iterator[Span]:
        """The working hours of ``day`` in UTC, in order; a span that a clock change swallowed is left out."""
        edges = (self.opens, *(self.lunch or ()), self.closes)
        instants = [self._instant(day, edge) for edge in edges]
        return ((start, end) for start, end in zip(instants[::2], instants[1::2], strict=True) if start < end)

    def _instant(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, ZoneInfo(self.timezone)).astimezone(UTC)

    def _local(self, at: datetime) -> tuple[datetime, date]:
        """``at`` in UTC, and its date in the calendar's zone."""
        if at.utcoffset() is None:
            raise ValueError(f"{at.isoformat()} has no time zone: give an aware instant.")
        return at.astimezone(UTC), at.astimezone(ZoneInfo(self.timezone)).date()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise CalendarError(f"{name!r} is not a known time zone: give an IANA name such as Europe/Moscow.") from None


def _holds(days: tuple[date, ...], day: date) -> bool:
    """Whether the sorted ``days`` hold ``day``: asked for every day of every deadline, so by bisection."""
    place = bisect_left(days, day)
    return place < len(days) and days[place] == day

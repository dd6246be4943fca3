"""A clock of its own: stories wait for their moments, and between them time passes for every lead as it does in life."""

from __future__ import annotations

import heapq
import random
from collections.abc import Generator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from hub.application import LeadHub
from hub.domain.process import Process
from hub.projections import Runner

SEED = 2026
ONE_DAY = timedelta(days=1)
LONGEST_BACK = 66
"""Working days before today on which the department begins."""
GESTURE = (6, 25)
"""Seconds that a person needs from one command to the next, at least and at most."""

Waits = Generator[datetime, None, None]
"""A story: it acts, names the moment of its next act, and goes on then. What lies after the present is not told."""


class Simulator:
    """Runs stories up to ``end``, the present. The clock only moves forward, whichever story moves it.

    ``process`` gives the calendar and the sheet; it need not be published yet.
    """

    def __init__(self, hub: LeadHub, runner: Runner, process: Process, end: datetime) -> None:
        self.hub = hub
        self.runner = runner
        self.process = process
        self.end = end
        self.clock = self.on(LONGEST_BACK, "09:00")
        self.random = random.Random(SEED)
        self._order = count()
        self._heap: list[tuple[datetime, int, Waits]] = []

    # ── moments ──────────────────────────────────────────────────────────────────

    def on(self, days: int, hour: str) -> datetime:
        """The ``days``-th working day before today at ``hour`` of the company's clock; 1 is the last one before today."""
        day = self.process.date_of(self.end)
        while days:
            day -= ONE_DAY
            days -= self.process.calendar.is_working_day(day)
        return self.at(day, hour)

    def at(self, day: date, hour: str) -> datetime:
        """``day`` at ``hour`` of the company's clock."""
        return datetime.combine(day, time.fromisoformat(hour), ZoneInfo(self.process.file.calendar.timezone)).astimezone(UTC)

    def weekend(self, weeks: int, hour: str) -> datetime:
        """The ``weeks``-th Saturday before today."""
        today = self.process.date_of(self.end)
        return self.at(today - timedelta(days=(today.weekday() + 2) % 7 or 7, weeks=weeks - 1), hour)

    def ago(self, minutes: int) -> datetime:
        """The moment with ``minutes`` of working time between it and the present, whenever the demo is started."""
        calendar = self.process.calendar
        day, left = self.process.date_of(self.end), timedelta(minutes=minutes)
        while True:
            begins, ends = self.at(day, f"{calendar.opens}"), min(self.at(day, f"{calendar.closes}"), self.end)
            if calendar.is_working_day(day) and ends > begins:
                if ends - begins >= left:
                    return ends - left
                left -= ends - begins
            day -= ONE_DAY

    def ahead(self, minutes: int, since: datetime | None = None) -> datetime:
        """A round time (of half hours) at least so many working minutes after ``since`` (the present)."""
        found = self.process.calendar.add((since or self.end) + timedelta(minutes=1), minutes)
        late = timedelta(minutes=found.minute % 30, seconds=found.second, microseconds=found.microsecond)
        return self.process.calendar.next_opening(found + timedelta(minutes=30) - late if late else found)

    def after(self, days: int, hour: str) -> datetime:
        """The ``days``-th working day after the clock's, at ``hour``."""
        day = self.process.date_of(self.clock)
        while days:
            day += ONE_DAY
            days -= self.process.calendar.is_working_day(day)
        return self.at(day, hour)

    def tick(self) -> datetime:
        """The moment of a command: a little after the one before it, never after the present."""
        self.clock = min(self.clock + timedelta(seconds=self.random.randint(*GESTURE)), self.end)
        return self.clock

    # ── the run ──────────────────────────────────────────────────────────────────

    def tell(self, story: Waits) -> None:
        """Take a story in; its first wait is its beginning."""
        self._wait(story)

    def _wait(self, story: Waits) -> None:
        until = next(story, None)
        if until is not None and until <= self.end:
            heapq.heappush(self._heap, (until, next(self._order), story))

    def run(self) -> None:
        """Tell all stories up to the present."""
        while self._heap:
            until, _, story = heapq.heappop(self._heap)
            self.pass_time(max(until, self.clock))
            self._wait(story)
        self.pass_time(self.end)
        self.runner.catch_up()

    def pass_time(self, until: datetime) -> None:
        """What the worker does: let time pass for the leads for which something becomes true, in the order of time."""
        while True:
            self.runner.catch_up()
            instant = self.hub.views.deadlines.next_instant()
            if instant is None or instant > until:
                break
            self.clock = max(self.clock, instant)
            for lead in self.hub.views.deadlines.due(instant):
                self.hub.pass_time(lead, at=self.clock)
        self.clock = max(self.clock, until)

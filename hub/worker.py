"""One loop: read models catch up, time passes for leads, absent people's leads are offered, the calendar is renewed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Event as Flag
from threading import Thread
from uuid import UUID

from hub.application import LeadHub
from hub.projections import Runner
from hub.projections.leads import OPEN
from hub.store import Unavailable

log = logging.getLogger(__name__)

LONGEST_SLEEP = 1.0
"""Seconds between two looks at the deadlines: a fact is recorded this late at most, and dated when it became true."""
SLOW_EVERY = timedelta(minutes=1)


class Worker:
    """Everything that happens without a request. Several may run: what they record is idempotent."""

    def __init__(self, hub: LeadHub, runner: Runner, clock: Callable[[], datetime],
                 publish: Callable[[datetime], object]) -> None:
        self.hub = hub
        self.runner = runner
        self.clock = clock
        self.publish = publish
        self._slow_at: datetime | None = None
        self._published_on: object = None

    def run(self, stop: Flag) -> None:
        """Work until ``stop`` is set. Faults are logged and tried again; they never end the loop."""
        reader = Thread(target=self.runner.run, args=(stop,), name="projections", daemon=True)
        reader.start()
        while not stop.is_set():
            try:
                self.turn(self.clock())
            except Unavailable as error:
                log.warning("the store is unavailable, trying again: %s", error)
            except Exception:
                log.exception("a turn of the worker failed; the next one goes on")
            stop.wait(LONGEST_SLEEP)
        reader.join(timeout=10)

    def turn(self, now: datetime) -> int:
        """One round; how many leads time passed for."""
        leads = self.hub.views.deadlines.due(now)
        for lead in leads:
            self._for(lead, self.hub.pass_time, now)
        if self._slow_at is None or now - self._slow_at >= SLOW_EVERY:
            self._slow_at = now
            self._renew_calendar(now)
            self._offer_of_absent(now)
            self._leave_removed_stages(now)
        return len(leads)

    def _for(self, lead: UUID, act: Callable[..., object], now: datetime) -> None:
        """One lead's trouble must not hold up the others."""
        try:
            act(lead, at=now)
        except Unavailable:
            raise
        except Exception:
            log.exception("time could not pass for lead %s", lead)

    def _offer_of_absent(self, now: datetime) -> None:
        """Open leads of people who are away today, who left or who work no leads any more go to those at work (R34)."""
        process = self.hub.process
        today = process.date_of(now)
        for stream, user in self.hub.users().items():
            works = "work" in process.permissions(frozenset(user.roles))
            if user.disabled or not works or user.absent_on(today) is not None:
                for lead in self._worked_by(f"user:{stream}"):
                    self._for(lead, self.hub.offer_absent, now)

    def _worked_by(self, user: str) -> Iterator[UUID]:
        """Open leads of ``user`` that are not asleep, all pages of them."""
        after = 0
        while rows := self.hub.views.leads.rows(f"{OPEN} AND owner = ? AND asleep_until IS NULL AND number > ?", (user, after),
                                                "number"):
            after = rows[-1]["number"]
            yield from (UUID(row["id"]) for row in rows)

    def _leave_removed_stages(self, now: datetime) -> None:
        """Open leads in a stage that the process in force does not have leave it (R0)."""
        stages = tuple(self.hub.process.stages)
        for row in self.hub.views.leads.rows(f"{OPEN} AND stage NOT IN ({', '.join('?' * len(stages))})", stages, "number"):
            self._for(UUID(row["id"]), self.hub.pass_time, now)

    def _renew_calendar(self, now: datetime) -> None:
        """A new year's days off come in force without a restart; the file itself is taken at start only."""
        year = self.hub.process.date_of(now).year
        if self._published_on != year:
            self.publish(now)
            self._published_on = year

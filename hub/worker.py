"""One loop: read models catch up, time passes for leads, absent people's leads are offered, the calendar is renewed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Event as Flag
from threading import Thread
from uuid import UUID, uuid4

from hub.accounts import Accounts
from hub.application import THE_HUB, LeadHub
from hub.audit.publishing import Keeper
from hub.domain.errors import NotFound
from hub.domain.webhook import Webhook
from hub.jobs import JobRunner
from hub.privacy import Eraser
from hub.privacy.retention import Retention
from hub.projections import Runner
from hub.projections.leads import OPEN
from hub.store import Unavailable, Unreadable
from hub.traffic.acknowledge import Acknowledger
from hub.traffic.audit_mail import mailer
from hub.traffic.staff import Teller
from hub.traffic.state import States
from hub.traffic.supervisor import Supervisor
from hub.webhooks import Sender

log = logging.getLogger(__name__)

LONGEST_SLEEP = 1.0
"""Seconds between two looks at the deadlines: a fact is recorded this late at most, and dated when it became true."""
LEASE = 5.0
"""Seconds after which another worker takes over from one that died."""
RETENTION = "retention"
"""The position under which the day of the last run of the retention rules is kept."""
SLOW_EVERY = timedelta(minutes=1)
JOBS_AT_ONCE = 2
"""Long works at a time: a long import does not keep an export waiting."""


class Worker:
    """Everything that happens without a request. Several may run: what they record is idempotent."""

    def __init__(self, hub: LeadHub, runner: Runner, clock: Callable[[], datetime],
                 publish: Callable[[datetime], object], accounts: Accounts | None = None) -> None:
        self.hub = hub
        self.runner = runner
        self.clock = clock
        self.publish = publish
        self.accounts = accounts or Accounts()
        self.holder = uuid4().hex
        self.teller = Teller(hub, self.accounts)
        self.acknowledger = Acknowledger(hub, self.accounts)
        self.states = States(hub.store)
        self._slow_at: datetime | None = None
        self._unreadable: set[UUID] = set()
        self._published_on: object = None

    def run(self, stop: Flag) -> None:
        """Work until ``stop`` is set. Faults are logged and tried again; they never end the loop.

        Of several workers one lets time pass; the others are ready to take over within :data:`LEASE` seconds. Where one of
        the threads beside the loop ends all the same, everything does: whoever started the worker starts it again.
        """
        beside = {"projections": self.runner.run, "rebuilds": self._rebuild, "webhooks": sender_of(self.hub, self.clock).run,
                  "channels": Supervisor(self.hub, self.accounts, self.clock).run,
                  **{f"jobs-{n}": JobRunner(self.hub.jobs, self.clock).run for n in range(JOBS_AT_ONCE)},
                  "audit": Keeper(self.hub.audit, self.hub.audit_record(), mailer(self.accounts), self.clock).run}
        threads = [Thread(target=act, args=(stop,), name=name, daemon=True) for name, act in beside.items()]
        for thread in threads:
            thread.start()
        while not stop.is_set():
            self._try(self._lead_turn)
            for thread in threads:
                if not thread.is_alive() and not stop.is_set():
                    log.error("%s ended by itself; the worker ends, to be begun anew whole", thread.name)
                    stop.set()
            stop.wait(LONGEST_SLEEP)
        for thread in threads:
            thread.join(timeout=10)
        self._try(lambda: self.hub.store.leases.free("worker", self.holder))

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Unavailable as error:
            log.warning("the store is unavailable, trying again: %s", error)
        except Exception:
            log.exception("a turn of the worker failed; the next one goes on")

    def _lead_turn(self) -> None:
        if self.hub.store.leases.hold("worker", self.holder, LEASE):
            self.turn(self.clock())

    def _rebuild(self, stop: Flag) -> None:
        """Make read models anew that an administrator asked for."""
        while not stop.wait(LONGEST_SLEEP):
            self._try(self.runner.rebuild_asked)

    def turn(self, now: datetime) -> int:
        """One round; how many leads time passed for."""
        leads = self.hub.views.deadlines.due(now)
        for lead in leads:
            self._for(lead, self.hub.pass_time, now)
        self._try(lambda: self.teller.turn(now))
        self._try(lambda: self.acknowledger.turn(now))
        if self._slow_at is None or now - self._slow_at >= SLOW_EVERY:
            self._slow_at = now
            self._renew_calendar(now)
            self._offer_of_absent(now)
            self._leave_removed_stages(now)
            self._erase(now)
        return len(leads)

    def _for(self, lead: UUID, act: Callable[..., object], now: datetime) -> None:
        """One lead's trouble must not hold up the others."""
        try:
            act(lead, at=now)
        except Unavailable:
            raise
        except Unreadable as error:
            if lead not in self._unreadable:
                self._unreadable.add(lead)
                log.error("time does not pass for lead %s, which was altered past the hub: %s", lead, error)
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

    def _erase(self, now: datetime) -> None:
        """Go on with erasures that were cut short; once a day those whose time has come, where the process says so."""
        eraser = Eraser(self.hub, self.runner, self.accounts)
        self._try(lambda: eraser.go_on(now, after=SLOW_EVERY))
        today = self.hub.process.date_of(now).isoformat()
        if self.hub.process.file.privacy.runs and self.states.position(RETENTION) != today:
            self._try(lambda: Retention(eraser).run(now))
            self.states.move(RETENTION, today, now)

    def _renew_calendar(self, now: datetime) -> None:
        """A new year's days off come in force without a restart; the file itself is taken at start only."""
        year = self.hub.process.date_of(now).year
        if self._published_on != year:
            self.publish(now)
            self._published_on = year


def sender_of(hub: LeadHub, clock: Callable[[], datetime]) -> Sender:
    """What sends events of leads to other programs. Several may run: one of them sends."""
    def pause(id: UUID, why: str, at: datetime) -> None:
        with suppress(NotFound):  # removed meanwhile
            hub.change(Webhook, id, lambda w: w.pause(why), actor=THE_HUB, at=at)

    def number(lead: UUID) -> int | None:
        row = hub.views.leads.one(lead)
        return row["number"] if row else None
    return Sender(hub.outgoing, hub.webhooks, pause, number, hub.store.leases, clock)

"""Working jobs off: one at a time in each thread, each by one worker, taken over from a worker that died."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event as Flag
from threading import Thread
from uuid import UUID, uuid4

from hub.domain.errors import Refused
from hub.jobs.table import HELD, SERVED, Job, Jobs, said, text
from hub.jobs.work import Cancelled, Stopped, Work
from hub.store import Unavailable

log = logging.getLogger(__name__)

LEASE = 10.0
"""Seconds after which another worker takes a job over from one that died."""
TRIES = 5
"""So many times a job is begun without a saved cursor in between; then it is given up, so that one that kills its worker ends."""
LOOK = 0.5
"""Seconds between two looks for jobs that other processes asked for; those of this process wake at once."""
SERVED_EVERY, SERVED_FOR = timedelta(seconds=3), 10.0
TIDY_EVERY = timedelta(minutes=10)


class JobRunner:
    """Works jobs off in one thread: :meth:`run`. As many as wanted may run, in any processes."""

    def __init__(self, jobs: Jobs, clock: Callable[[], datetime]) -> None:
        self.jobs = jobs
        self.clock = clock
        self.holder = uuid4().hex
        self._served_at: datetime | None = None
        self._tidied_at: datetime | None = None

    def run(self, stop: Flag) -> None:
        """Work until ``stop`` is set. Faults of the database are waited out; nothing ends the loop."""
        self.jobs.prepare()
        while not stop.is_set():
            try:
                worked = self.turn(stop)
            except Unavailable as error:
                log.warning("jobs: the store is unavailable, trying again: %s", error)
                worked = False
            except Exception:
                log.exception("jobs: a turn failed; the next one goes on")
                worked = False
            if not worked:
                with self.jobs.asked:
                    self.jobs.asked.wait(LOOK)

    def turn(self, stop: Flag) -> bool:
        """Work on one job where there is one to work on; whether there was."""
        now = self.clock()
        if self._served_at is None or abs(now - self._served_at) >= SERVED_EVERY:
            self._served_at = now
            self.jobs.store.leases.hold(SERVED, self.holder, SERVED_FOR)
        if self._tidied_at is None or now - self._tidied_at >= TIDY_EVERY:
            self._tidied_at = now
            self.jobs.tidy(now)
        waiting = self.jobs.open()
        if not waiting:
            return False
        held = self.jobs.store.leases.holders()
        for job in waiting:
            there = held.get(HELD + job.hex)
            if there is not None and there.seconds_left > 0:
                continue
            if self.jobs.store.leases.hold(HELD + job.hex, self.holder, LEASE):
                try:
                    if self._work(job, stop):
                        return True
                finally:
                    self.jobs.store.leases.free(HELD + job.hex, self.holder)
        return False

    def _work(self, id: UUID, stop: Flag) -> bool:
        """Begin a job that we hold and see it to its end; False where it was not there to be begun any more."""
        now, holder = text(self.clock()), uuid4().hex
        with self.jobs.store.writing() as c:
            c.execute("UPDATE jobs SET state = 'running', holder = ?, begun = ?, alive = ?, base = done, takes = takes + 1 "
                      "WHERE id = ? AND state IN ('waiting', 'running')", (holder, now, now, id.hex))
            if c.rowcount == 0:
                return False
        job = self.jobs.one(id)
        kind = self.jobs.kinds.get(job.kind)
        if job.inside is None or kind is None or job.cancel or job.takes > TRIES:
            self._not_begun(job, known=kind is not None)
            return True
        lost, ended = Flag(), Flag()
        heart = Thread(target=self._beat, args=(id, lost, ended), name="job lease", daemon=True)
        heart.start()
        try:
            self._run(Work(self.jobs, job, job.inside, holder, self.clock, stop, lost), kind.run)
        finally:
            ended.set()
            heart.join()
        return True

    def _run(self, work: Work, function: Callable[[Work], None]) -> None:
        try:
            function(work)
        except Stopped:
            work.put_back()
        except Cancelled:
            work.end("cancelled")
        except Refused as refused:
            work.end("failed", said(refused.code, **refused.params))
        except Unavailable as error:
            log.warning("job %s: the store is unavailable, trying again: %s", work.id, error)
            work.put_back()
            raise
        except Exception:
            log.exception("job %s failed", work.id)
            work.end("failed", said("job_failed"))
        else:
            work.end("done")

    def _not_begun(self, job: Job, *, known: bool) -> None:
        state, words = "failed", said("job_given_up", takes=job.takes - 1)
        if job.cancel:
            state, words = "cancelled", ""
        elif job.inside is None:
            words = said("job_erased")
        elif not known:
            words = said("job_unknown")
        with self.jobs.store.writing() as c:
            c.execute("UPDATE jobs SET state = ?, finished = ?, said = ?, cancel = 0 WHERE id = ? AND state = 'running'",
                      (state, text(self.clock()), words, job.id.hex))

    def _beat(self, job: UUID, lost: Flag, ended: Flag) -> None:
        """Keep the leases while the function works, whatever it does; ``lost`` is set where somebody else has the job."""
        while not ended.wait(LEASE / 4):
            try:
                held = self.jobs.store.leases.hold_all([HELD + job.hex, SERVED], self.holder, LEASE)
            except Unavailable:
                continue  # asked again in a moment; another worker may take over meanwhile
            if HELD + job.hex not in held:
                lost.set()

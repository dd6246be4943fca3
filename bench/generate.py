"""A made-up department of any size as domain events, the same ones for the same seed.

``python -m bench.generate --leads 110000 --open 10000 --seed 1 --database FOLDER``. A few hundred lives are lived through
the hub's real commands in memory (:mod:`bench.lives`); every lead is a copy of one of them with its own people, ids and
time (:mod:`bench.stamping`). A run that was stopped goes on after the last batch that it stored.
"""

from __future__ import annotations

import argparse
import heapq
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from uuid import UUID, uuid5

from bench.lives import OPEN_AGES, PEOPLE, Case, Desk, Life, arrival
from bench.stamping import Copy, Mould
from hub.bootstrap import House, open_house
from hub.config import BadSetting, load
from hub.domain.event import Event
from hub.domain.index import DeliveryDismissed
from hub.domain.publication import PROCESS_STREAM
from hub.domain.staff import user_stream
from hub.store.base import EventStore
from hub.store.keys import derive

SPACE = UUID("5d3f0c54-7c0e-5b1e-9c55-2f64f3a1b7aa")
"""The ids of a seed are made in it."""
UNTIL = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)
"""The present of a history where none is given: a working Monday, 11:20 in Moscow."""
YEARS = 5
BATCH = 5_000
"""Events in one append, about."""
PASSWORD = "bench-2026-hub"
"""Everybody's."""
SEASON = (.72, .96, 1.08, 1.1, .84, .95, .82, .86, 1.1, 1.2, 1.22, 1.0)
"""How busy the months are, January first."""
GROWTH = 1.12
"""How many more requests come each year."""
SHARES = {"new": .02, "contact": .05, "screening": .06, "scoring": .12, "refusal": .04, "preparation": .09, "interview": .1,
          "proposal": .15, "presentation": .08, "follow_up": .2, "asleep": .09}
"""Where open leads are."""
FATES = {"refusal": ("sheet", "unfit"), "scoring": ("early", "deep", "won"),
         **dict.fromkeys(("new", "contact", "screening"), ("",)),
         **dict.fromkeys(("preparation", "interview", "proposal", "presentation", "follow_up", "asleep"), ("deep", "won"))}
"""Whose lives come to a stage."""
RESTING = .012
"""The share of ended leads that return by themselves on a day to come."""
DISMISSED = .03
"""Deliveries that are no requests and were dismissed, for each lead."""
WAITING = .0008
"""Deliveries that wait in the quarantine now, for each lead."""
TRIES = 600
JITTER = 600
"""Seconds by which copies of a life differ."""

Planned = tuple[datetime, int, Mould, timedelta]


class History:
    """All events of a department with ``leads`` leads, of which ``open`` are worked at ``until``. ``key`` is the hub's
    contact index key: the ids of contacts depend on it, nothing else does."""

    def __init__(self, leads: int, open: int, seed: int = 1, *, key: bytes, until: datetime = UNTIL, years: int = YEARS) -> None:
        if not len(SHARES) <= open <= leads:
            raise ValueError(f"give at least {len(SHARES)} open leads, one for each stage, and no more than there are leads")
        self.leads, self.open, self.until, self.years, self.key = leads, open, until, years, key
        self.seed = uuid5(SPACE, f"{seed} {leads} {open} {years} {until.isoformat()}")
        self._rng = Random(str(self.seed))
        self._monday = _monday(until)
        self.begins = self._monday - timedelta(weeks=52 * years, days=3)
        self._weeks = [self._monday - timedelta(weeks=n) for n in range(52 * years)]
        self._busy = list(accumulate(SEASON[w.month - 1] * GROWTH ** ((w - self.begins).days / 365) for w in self._weeks))
        self._lives = 0
        self.desk = Desk(self.begins, range(self.begins.year, until.year + 3))
        company = self.desk.store.log[:self.desk.company]
        self._fixed = frozenset({e.originator_id for e in company} | {PROCESS_STREAM})
        self._company = Mould(Case(0, company, [len(company)], {}, {}, 0, 0, "", None), self._fixed)
        self.plan = self._planned()

    # ── lives ────────────────────────────────────────────────────────────────────

    def _live(self, start: datetime, fate: str = "", *, present: bool = False) -> Case:
        self._lives += 1
        life = Life(self.desk, self._lives, Random(f"{self.seed} life {self._lives}"), start, fate=fate)
        if present:
            life.limit = self.until
        return life.live()

    def _ended_lives(self, count: int, fate: str = "") -> list[Mould]:
        """Lives that are over for good."""
        found: list[Mould] = []
        while len(found) < count:
            case = self._live(arrival(self._rng, self._monday - timedelta(weeks=self._rng.randint(9, 60))), fate)
            if case.open == 0 and case.pending is None:
                found.append(Mould(case, self._fixed))
        return found

    def _open_lives(self, wanted: dict[str, int]) -> dict[str, list[Mould]]:
        """Lives that are open now, so many in each stage; whichever stage a life is found in, it is taken where one is wanted."""
        found: dict[str, list[Mould]] = {stage: [] for stage in wanted}
        for stage, count in wanted.items():
            for _ in range(TRIES):
                if len(found[stage]) >= count:
                    break
                case = self._live(self._aged(*OPEN_AGES[stage]), self._rng.choice(FATES[stage]), present=True)
                if case.open == 1 and len(found[case.place]) < wanted[case.place]:
                    found[case.place].append(Mould(case, self._fixed))
            if not found[stage]:
                raise RuntimeError(f"no life of {TRIES} is in {stage} at {self.until}")
        return found

    def _resting_lives(self, count: int) -> list[Mould]:
        """Lives that are lost and return some day to come."""
        cases = (self._live(self._aged(30_000, 150_000), "deep", present=True) for _ in range(TRIES))
        return [m for m, _ in zip((Mould(c, self._fixed) for c in cases if c.place == "lost" and not c.open and c.pending),
                                  range(count), strict=False)]

    def _waiting_lives(self, count: int) -> list[Mould]:
        """Deliveries that nobody has looked at yet."""
        cases = (self._live(self._aged(5, 300), "quarantine", present=True) for _ in range(TRIES))
        doubtful = (Mould(c, self._fixed) for c in cases if not isinstance(c.events[-1], DeliveryDismissed))
        return [m for m, _ in zip(doubtful, range(count), strict=False)]

    def _aged(self, least: int, most: int) -> datetime:
        return self.until - timedelta(minutes=math.exp(self._rng.uniform(math.log(least), math.log(most))))

    # ── the plan ─────────────────────────────────────────────────────────────────

    def _planned(self) -> list[Planned]:
        """What begins when: every lead of the history, in order of arrival."""
        placed = [*self._open_ones()]
        left = self.leads - sum(m.open + m.closed for m, _ in placed)
        resting = self._resting_lives(min(60, max(1, left // 400)))
        for _ in range(round(left * RESTING) if resting else 0):
            mould = self._rng.choice(resting)
            placed.append((mould, self._jitter()))
            left -= mould.closed
        placed += self._closed_ones(left)
        spam = self._ended_lives(min(40, max(3, self.leads // 500)), "quarantine")
        placed += [self._in_its_week(spam) for _ in range(round(self.leads * DISMISSED))]
        waiting = self._waiting_lives(12)
        placed += [(self._rng.choice(waiting), self._jitter()) for _ in range(max(2, round(self.leads * WAITING)))]
        placed.sort(key=lambda p: p[0].begins + p[1])
        return [(mould.begins + delta, number, mould, delta) for number, (mould, delta) in enumerate(placed, 1)]

    def _open_ones(self) -> Iterator[tuple[Mould, timedelta]]:
        spare = self.open - len(SHARES)
        counts = {stage: 1 + int(spare * share) for stage, share in SHARES.items()}
        counts["follow_up"] += self.open - sum(counts.values())
        moulds = self._open_lives({stage: min(40, max(1, count // 4)) for stage, count in counts.items()})
        for stage, count in counts.items():
            for _ in range(count):
                yield self._rng.choice(moulds[stage]), self._jitter()

    def _closed_ones(self, count: int) -> Iterator[tuple[Mould, timedelta]]:
        moulds = self._ended_lives(min(600, max(60, count // 12)))
        short = [m for m in moulds if m.closed == 1]
        while count > 0:
            found = self._in_its_week(moulds if count > 1 else short)
            if found[0].closed <= count:
                count -= found[0].closed
                yield found

    def _in_its_week(self, moulds: Sequence[Mould]) -> tuple[Mould, timedelta]:
        """A life in a week of the history, by the season, in which it is over by now."""
        while True:
            monday = self._rng.choices(self._weeks, cum_weights=self._busy)[0]
            mould = self._rng.choice(moulds)
            delta = monday - _monday(mould.begins) + timedelta(seconds=self._rng.randrange(JITTER))
            if mould.ends + delta < self.until - timedelta(hours=1):
                return mould, delta

    def _jitter(self) -> timedelta:
        return -timedelta(seconds=self._rng.randrange(JITTER))

    # ── the events ───────────────────────────────────────────────────────────────

    @property
    def events(self) -> int:
        """How many there are."""
        return len(self._company.case.events) + sum(len(mould.case.events) for _, _, mould, _ in self.plan)

    def commands(self, after: int = 0) -> Iterator[tuple[int, list[Event]]]:
        """The events of each command in the order of the log, with how many there are up to its end.

        Those that end at or before ``after`` events are passed over, all but the last of them.
        """
        company = Copy(self._company, self.seed, 0, timedelta(), self.key)
        done = len(company.mould.case.events)
        if done >= after:
            yield done, [make(company) for make in company.mould.makers]
        waiting: list[tuple[datetime, int, int, Mould, timedelta]] = []
        copies: dict[int, Copy] = {}
        arrivals = iter(self.plan)
        coming = next(arrivals, None)
        while waiting or coming is not None:
            while coming is not None and (not waiting or coming[0] <= waiting[0][0]):
                heapq.heappush(waiting, (coming[0], coming[1], 0, coming[2], coming[3]))
                coming = next(arrivals, None)
            _, number, n, mould, delta = waiting[0]
            _, begin, end = mould.groups[n]
            done += end - begin
            if done >= after:
                if number not in copies:
                    copies[number] = Copy(mould, self.seed, number, delta, self.key)
                copy = copies[number]
                yield done, [make(copy) for make in mould.makers[begin:end]]
            if n + 1 < len(mould.groups):
                heapq.heapreplace(waiting, (mould.begins + delta + mould.groups[n + 1][0], number, n + 1, mould, delta))
            else:
                heapq.heappop(waiting)
                copies.pop(number, None)

    def batches(self, after: int = 0, size: int = BATCH) -> Iterator[list[Event]]:
        """The events after the first ``after``, in lists of whole commands of about ``size``."""
        batch: list[Event] = []
        for done, events in self.commands(after + 1):
            if done - len(events) < after:
                raise ValueError(f"{after} events do not end with a command of this history")
            batch += events
            if len(batch) >= size:
                yield batch
                batch = []
        if batch:
            yield batch


def _monday(at: datetime) -> datetime:
    """Midnight in Moscow of the Monday of the week."""
    local = at + timedelta(hours=3)
    return datetime(local.year, local.month, local.day, tzinfo=UTC) - timedelta(days=local.weekday(), hours=3)


class AnotherHistory(Exception):
    """The database holds something else."""


def stored(history: History, store: EventStore) -> int:
    """How many events of ``history`` are in ``store``, which may have gone on after it was filled.

    :class:`AnotherHistory` where it holds other ones.
    """
    count = min(store.count(), history.events)
    if count:
        done, events = next(history.commands(count))
        [(_, last)] = store.log(count - 1, 1)
        if done != count or events[-1].event_id != last.event_id:
            raise AnotherHistory("The database holds events that this history has not: give an empty folder, or the numbers "
                                 "and the seed that it was begun with.")
    return count


def fill(history: History, house: House, size: int = BATCH, *, say: bool = True) -> int:
    """Append what ``house`` has not yet of ``history``; how many events were added."""
    total, before = history.events, stored(history, house.store)
    begin, done = time.monotonic(), before
    for batch in history.batches(before, size):
        house.store.append(batch)
        done += len(batch)
        if say:
            rate = (done - before) / (time.monotonic() - begin)
            print(f"\r  {done:,} of {total:,} events, {rate:,.0f} a second, {(total - done) / rate:,.0f} s left  ",
                  end="" if done < total else "\n", flush=True)
    return done - before


def let_in(house: House, at: datetime) -> None:
    """Everybody may sign in with :data:`PASSWORD`."""
    for login, _, _ in PEOPLE:
        house.access.set_password(user_stream(login), PASSWORD, temporary=False, at=at)


def index_key(house: House) -> bytes:
    """The contact index key of a hub, as bootstrap derives it."""
    return derive(house.settings.secret_key.encode(), "contact index")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.generate", description="A made-up department of any size.")
    parser.add_argument("--leads", type=int, default=110_000, help="all of them (%(default)s)")
    parser.add_argument("--open", type=int, default=10_000, help="those that are worked now (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed and numbers make the same events (%(default)s)")
    parser.add_argument("--years", type=int, default=YEARS, help="how far back it goes (%(default)s)")
    parser.add_argument("--until", type=datetime.fromisoformat, default=UNTIL, help="the present of the history (%(default)s)")
    parser.add_argument("--batch", type=int, default=BATCH, help="events in one append (%(default)s)")
    parser.add_argument("--database", type=Path, required=True, help="the hub's data folder; HUB_DATABASE_URL works as always")
    given = parser.parse_args(arguments)
    try:
        settings = load({**os.environ, "HUB_DATA_DIR": str(given.database)})
        with closing(open_house(settings)) as house:
            until = given.until if given.until.tzinfo else given.until.replace(tzinfo=UTC)
            history = History(given.leads, given.open, given.seed, key=index_key(house), until=until, years=given.years)
            print(f"  {history.events:,} events of {given.leads:,} leads, {history.begins:%d.%m.%Y} to {until:%d.%m.%Y %H:%M}")
            added = fill(history, house, given.batch)
            let_in(house, until)
            print(f"  {added:,} added. Everybody's password is {PASSWORD}; logins: {', '.join(p[0] for p in PEOPLE)}.")
    except (BadSetting, AnotherHistory, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\n  Stopped. The same command goes on after the last batch that was stored.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How read models follow the log: in batches, each event once, a bad event stops only its own projection."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from functools import partial
from threading import Condition
from threading import Event as Flag
from typing import Any
from uuid import uuid4

from hub.projections import rebuild as rebuilds
from hub.projections.base import Projection, Status
from hub.projections.batch import Batch, Failed, reason_of
from hub.store.base import Cursor, EventStore, Notification
from hub.store.errors import NotMigrated

logger = logging.getLogger(__name__)

BATCH = 500
"""Events in one transaction."""
ATTEMPTS = 3
"""How often a failing event is tried before it parks its projection."""
PAUSES = (0.01, 0.05)
"""Seconds before each new attempt."""
WAIT_POLLS = (0.001, 0.002, 0.005)
"""Seconds between looks whether the runner of another process has come as far as we wait for; the last one repeats."""
IDLE = 0.25
"""Seconds after which an idle runner looks again, even if nothing woke it."""
REST = 1.0
"""Seconds of rest after the database was unavailable."""
LEASE = 3.0
"""Seconds after which another process drives a projection whose holder has died."""
REBUILD_LEASE = 30.0
"""Seconds after which a rebuild whose process died may be begun by another one. It is renewed at every batch."""
RENEW = 1.0
"""Seconds between two renewals of the leases."""

POSITIONS = """
CREATE TABLE IF NOT EXISTS projection_positions (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    parked_at_position INTEGER,
    parked_reason TEXT,
    retries INTEGER NOT NULL,
    own_tables TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS projection_log (first_event TEXT PRIMARY KEY);
""" + rebuilds.TABLES
"""``projection_log`` holds the first event of the log that the read models were made from."""


OWN = ("projection_positions", "projection_rebuilds", "projection_log", "leases")
"""Tables that no projection may have."""


def nothing_skipped(name: str) -> frozenset[int]:
    """No event was ever decided to be left out."""
    return frozenset()


class Runner:
    """Keeps projections up with the log. Any number of runners, in any number of processes, may do so at once.

    The position of a projection is read and written in the transaction that writes its tables: what
    another runner has applied meanwhile is never applied again. ``skipped`` tells at which positions a person
    decided that a projection does without an event that it cannot take; ``altered`` whether an event, or one before it in its
    stream, was altered past the hub: it then does without it as well, so that nobody stops the department by one byte.
    ``make_tables`` False: raises :class:`NotMigrated` where tables are missing, instead of making them.
    """

    def __init__(self, store: EventStore, projections: Sequence[Projection], *, batch: int = BATCH,
                 pause: Callable[[float], object] = time.sleep, make_tables: bool = True,
                 skipped: Callable[[str], frozenset[int]] = nothing_skipped,
                 altered: Callable[[Notification], bool] = lambda row: False) -> None:
        self.store = store
        self.views = store.views
        self.projections = {projection.name: projection for projection in projections}
        self.batch = batch
        self.skipped = skipped
        self.altered = altered
        self.holder = uuid4().hex
        self._pause = pause
        self._moved = Condition()
        _refuse_shared_names(projections)
        self._prepare(make_tables)

    def _prepare(self, make: bool) -> None:
        """Make the tables of new projections; rebuild those whose version changed; all of them where they are another log's."""
        self._forget_another_log()
        with self.views.reading() as cursor:
            there = self.views.names(cursor)
            rows = {name: self._row(cursor, name) for name in self.projections} if "projection_positions" in there else {}
        new = [p for name, p in self.projections.items() if rows.get(name) is None]
        changed = [name for name, row in rows.items() if row is not None and row["version"] != self.projections[name].version]
        old = not set(OWN) <= there
        if (new or changed or old) and not make:
            raise NotMigrated("the read models are not those of this release")
        if new or old:
            with self.views.writing() as cursor:
                self.views.script(cursor, POSITIONS)
                for projection in new:
                    if self._row(cursor, projection.name) is None:
                        self.views.script(cursor, projection.tables)
                        rebuilds.place(cursor, projection, 0)
        for name in changed:
            while not self._has_this_version(name):
                try:
                    self.rebuild(name)
                except rebuilds.RebuildFailed:
                    if not self._busy_elsewhere(name):
                        raise
                    self._pause(REST)
        self._note_log()

    def _forget_another_log(self) -> None:
        """Drop read models that were made from another log, or from more of this one than there is now: an older copy of the
        log was put in its place."""
        with self.views.reading() as cursor:
            if "projection_log" not in self.views.names(cursor) or not self._of_another_log(cursor):
                return
        with self.views.writing() as cursor:
            if not self._of_another_log(cursor):
                return  # another process was first, and has perhaps begun to make them anew
            logger.warning("the read models were made from another log: they are made anew")
            rows = cursor.execute("SELECT own_tables FROM projection_positions").fetchall()
            for table in [table for row in rows for table in row["own_tables"].split()]:
                cursor.execute(f"DROP TABLE IF EXISTS {table}")
            for table in OWN[:-1]:
                cursor.execute(f"DELETE FROM {table}")

    def _of_another_log(self, cursor: Cursor) -> bool:
        known = [row["first_event"] for row in cursor.execute("SELECT first_event FROM projection_log").fetchall()]
        positions = [row["position"] for row in cursor.execute("SELECT position FROM projection_positions").fetchall()]
        first, head = self._first_event(), self.store.head()  # after the positions: others append and project meanwhile
        return bool(known and known != first) or any(position > head for position in positions)

    def _note_log(self) -> None:
        """Remember which log the read models are of, once it has an event."""
        with self.views.reading() as cursor:
            if cursor.execute("SELECT first_event FROM projection_log").fetchall():
                return
        for event in self._first_event():
            with self.views.writing() as cursor:
                cursor.execute("INSERT INTO projection_log VALUES (?) ON CONFLICT DO NOTHING", (event,))

    def _first_event(self) -> list[str]:
        return [f"{row.originator_id} {row.originator_version} {row.topic}" for row in self.store.tail(0, 1)]

    def _has_this_version(self, name: str) -> bool:
        with self.views.reading() as cursor:
            return bool(self._row(cursor, name)["version"] == self.projections[name].version)

    def _busy_elsewhere(self, name: str) -> bool:
        held = self.store.leases.holders().get(f"rebuild:{name}")
        return held is not None and held.seconds_left > 0

    def catch_up(self, names: Collection[str] | None = None) -> int:
        """Apply all that is in the log; how many events were applied (an event counts once for each projection)."""
        applied = 0
        while True:
            groups = self._behind(self.projections if names is None else names)
            if not groups:
                return applied
            for position, projections in groups.items():
                applied += self._batch(position, projections)

    def _behind(self, names: Collection[str]) -> dict[int, list[Projection]]:
        """Unparked projections that have something to read, by their position."""
        groups: dict[int, list[Projection]] = defaultdict(list)
        for status in self.status():
            projection = self.projections[status.name]
            mine = status.name in names and status.version == projection.version
            if mine and status.lag > 0 and status.parked_at is None:
                groups[status.position].append(projection)
        return groups

    def _batch(self, position: int, projections: list[Projection]) -> int:
        """One batch from ``position`` for projections that stand there together."""
        rows = self.store.tail(position, self.batch)
        if not rows:
            return 0
        batch = Batch(self.store, rows)
        batch.prepare(projections)
        applied = 0
        failed: dict[Projection, Failed] = {}
        with self.views.writing() as cursor:
            there = {row["name"]: row for row in cursor.execute("SELECT * FROM projection_positions").fetchall()}
            done = []
            for projection in projections:
                if not _stands_at(there.get(projection.name), projection, position):
                    continue
                failure = batch.apply(cursor, projection, 0, len(rows))
                if failure is None:
                    done.append(projection)
                else:
                    failed[projection] = failure
            self._move(cursor, done, rows[-1].id)
            applied += len(rows) * len(done)
        for projection, failure in failed.items():
            applied += self._carefully(projection, position, batch, failure.at)
        with self._moved:
            self._moved.notify_all()
        return applied

    def _carefully(self, projection: Projection, position: int, batch: Batch, poison: int) -> int:
        """Apply what comes before a failing event, then that event alone; park the projection if it goes on failing."""
        rows = batch.rows
        if poison > 0:
            with self.views.writing() as cursor:
                if not _stands_at(self._row(cursor, projection.name), projection, position):
                    return 0
                earlier = batch.apply(cursor, projection, 0, poison)
                if earlier is None:
                    self._move(cursor, [projection], rows[poison - 1].id)
            if earlier is not None:
                return self._carefully(projection, position, batch, earlier.at)
            position = rows[poison - 1].id
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(PAUSES[attempt - 1])
            with self.views.writing() as cursor:
                if not _stands_at(self._row(cursor, projection.name), projection, position):
                    return poison
                failure = batch.apply(cursor, projection, poison, poison + 1)
                if failure is None or self._without(projection.name, rows[poison]):
                    self._move(cursor, [projection], rows[poison].id)
                    return poison + 1
                self._note_failure(cursor, projection, rows[poison], failure, last=attempt == ATTEMPTS - 1)
        return poison

    def _without(self, name: str, row: Notification) -> bool:
        """Whether a read model does without an event that it cannot take."""
        if row.id in self.skipped(name):
            return True
        if self.altered(row):
            logger.error("%s does without the event at position %d: its stream was altered past the hub", name, row.id)
            return True
        return False

    def _move(self, cursor: Cursor, projections: Sequence[Projection], position: int) -> None:
        if projections:
            cursor.execute(
                f"UPDATE projection_positions SET position = ?, retries = 0 WHERE name IN ({', '.join('?' * len(projections))})",
                (position, *(projection.name for projection in projections)))

    def _note_failure(self, cursor: Cursor, projection: Projection, row: Notification, failure: Failed, *, last: bool) -> None:
        cursor.execute("UPDATE projection_positions SET retries = retries + 1 WHERE name = ?", (projection.name,))
        if last:
            cursor.execute(
                "UPDATE projection_positions SET parked_at_position = ?, parked_reason = ? WHERE name = ?",
                (row.id, f"{row.topic}: {failure.reason}", projection.name))
            logger.error("projection %s is parked at position %d (%s): %s", projection.name, row.id, row.topic, failure.reason)

    def status(self) -> list[Status]:
        """Every projection of this runner, in its order."""
        with self.views.reading() as cursor:
            rows = {row["name"]: row for row in cursor.execute("SELECT * FROM projection_positions").fetchall()}
        head = self.store.head()
        return [
            Status(name, row["version"], row["position"], max(0, head - row["position"]),
                   row["parked_reason"], row["parked_at_position"], row["retries"])
            for name in self.projections if (row := rows.get(name)) is not None
        ]

    def retry(self, name: str) -> bool:
        """Let a parked projection try its event again at the next catch-up; False when it is not parked."""
        with self.views.writing() as cursor:
            cursor.execute(
                "UPDATE projection_positions SET parked_at_position = NULL, parked_reason = NULL "
                "WHERE name = ? AND parked_at_position IS NOT NULL", (self.projections[name].name,))
            return bool(cursor.rowcount > 0)

    def rebuild(self, name: str, tell: Callable[[rebuilds.Progress], object] = lambda progress: None) -> int:
        """Make a projection anew from the whole log beside its tables, then put it in their place; events read.

        The old tables serve meanwhile. Raises :class:`hub.projections.rebuild.RebuildFailed` at an event that cannot be
        applied and that nobody decided to skip, and while another process rebuilds it; the old tables stay then.
        """
        lease = f"rebuild:{name}"

        def told(progress: rebuilds.Progress) -> None:
            self.store.leases.hold(lease, self.holder, REBUILD_LEASE)
            tell(progress)

        if not self.store.leases.hold(lease, self.holder, REBUILD_LEASE):
            raise rebuilds.RebuildFailed(f"{name} is being rebuilt by another process already")
        try:
            read = rebuilds.run(self.store, self.projections[name], partial(self._without, name), told)
        except rebuilds.RebuildFailed as failed:
            rebuilds.note_failure(self.views, name, str(failed))
            raise
        finally:
            self.store.leases.free(lease, self.holder)
        with self._moved:
            self._moved.notify_all()
        return read

    def rebuild_asked(self) -> list[str]:
        """Rebuild what somebody asked for by :func:`hub.projections.rebuild.ask`, and what a process that died had begun;
        the names of those."""
        busy = self.store.leases.holders()
        asked = [name for name in rebuilds.unfinished(self.views) if name in self.projections
                 and ((held := busy.get(f"rebuild:{name}")) is None or held.seconds_left < 0)]
        for name in asked:
            try:
                self.rebuild(name)
            except rebuilds.RebuildFailed as failed:
                logger.error("read model %s was not rebuilt: %s", name, failed)
        return asked

    def wait(self, position: int, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds until every projection that is not parked has come to ``position``.

        It does not matter which runner in which process brings them there.
        """
        until = time.monotonic() + timeout
        looks = 0
        with self._moved:
            while not self._reached(position):
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._moved.wait(min(left, WAIT_POLLS[min(looks, len(WAIT_POLLS) - 1)]))
                looks += 1
        return True

    def _reached(self, position: int) -> bool:
        with self.views.reading() as cursor:
            rows = cursor.execute("SELECT name FROM projection_positions WHERE position < ? AND parked_at_position IS NULL",
                                  (position,)).fetchall()
        return not any(row["name"] in self.projections for row in rows)

    def run(self, stop: Flag) -> None:
        """Follow the log until ``stop`` is set, with the projections that no other process drives.

        Neither a bad event nor an unavailable database ends it.
        """
        leases = {f"projection:{name}": name for name in self.projections}
        mine: list[str] = []
        renew_at = 0.0
        while not stop.is_set():
            try:
                if time.monotonic() >= renew_at:
                    renew_at = time.monotonic() + RENEW
                    mine = [leases[lease] for lease in self.store.leases.hold_all(leases, self.holder, LEASE)]
                head = self.store.head()
                if mine:
                    self.catch_up(mine)
                self.store.wait_for_append(head, IDLE)
            except Exception as error:
                if self.store.outage(error):
                    logger.warning("projections rest: the database is unavailable")
                else:
                    logger.error("projections rest after an unexpected error: %s", reason_of(error))
                stop.wait(REST)
        try:
            self.store.leases.free_all(self.holder)
        except Exception as error:
            logger.warning("the leases of the projections run out by themselves: %s", type(error).__name__)

    def _row(self, cursor: Cursor, name: str) -> Any:
        cursor.execute("SELECT * FROM projection_positions WHERE name = ?", (name,))
        return cursor.fetchone()


def _stands_at(row: Any, projection: Projection, position: int) -> bool:
    """Whether no other runner has moved, parked or replaced the projection since its position was read."""
    return bool(row is not None and row["position"] == position and row["version"] == projection.version
                and row["parked_at_position"] is None)


def _refuse_shared_names(projections: Sequence[Projection]) -> None:
    owners: dict[str, str] = dict.fromkeys(OWN, "the runner")
    names: set[str] = set()
    for projection in projections:
        if projection.name in names:
            raise ValueError(f"two projections are named {projection.name!r}")
        names.add(projection.name)
        for table in projection.table_names:
            if table in owners:
                raise ValueError(f"table {table!r} of projection {projection.name!r} belongs to {owners[table]}")
            owners[table] = projection.name

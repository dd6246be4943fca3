"""How read models follow the log: in batches, each event once, a bad event stops only its own projection."""

from __future__ import annotations

import logging
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Sequence
from threading import Condition
from threading import Event as Flag
from typing import Any, NamedTuple

from hub.domain.event import Event
from hub.projections.base import Projection, Status
from hub.store.base import Cursor, EventStore, Notification
from hub.store.errors import Unreadable

logger = logging.getLogger(__name__)

BATCH = 500
"""Events in one transaction."""
ATTEMPTS = 3
"""How often a failing event is tried before it parks its projection."""
PAUSES = (0.01, 0.05)
"""Seconds before each new attempt."""
WAIT_POLL = 0.005
"""Seconds between looks whether the runner of another process has come as far as we wait for."""
IDLE = 0.25
"""Seconds after which an idle runner looks again, even if nothing woke it."""
REST = 1.0
"""Seconds of rest after the database was unavailable."""

POSITIONS = """
CREATE TABLE IF NOT EXISTS projection_positions (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    parked_at_position INTEGER,
    parked_reason TEXT,
    retries INTEGER NOT NULL,
    own_tables TEXT NOT NULL
)
"""


class _Failed(NamedTuple):
    at: int
    reason: str


class Runner:
    """Keeps projections up with the log. Any number of runners, in any number of processes, may do so at once.

    The position of a projection is read and written in the transaction that writes its tables: what
    another runner has applied meanwhile is never applied again.
    """

    def __init__(self, store: EventStore, projections: Sequence[Projection], *, batch: int = BATCH,
                 pause: Callable[[float], object] = time.sleep) -> None:
        self.store = store
        self.projections = {projection.name: projection for projection in projections}
        self.batch = batch
        self._pause = pause
        self._moved = Condition()
        _refuse_shared_names(projections)
        self._prepare()

    def _prepare(self) -> None:
        """Make the tables of new projections; start those over whose version changed."""
        with self.store.writing() as cursor:
            cursor.execute(POSITIONS)
            for projection in self.projections.values():
                row = self._row(cursor, projection.name)
                if row is None or row["version"] != projection.version:
                    self._reset(cursor, projection)

    def _reset(self, cursor: Cursor, projection: Projection) -> None:
        row = self._row(cursor, projection.name)
        for table in reversed(row["own_tables"].split() if row else []):
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
        projection.clear(cursor)
        self.store.script(cursor, projection.tables)
        cursor.execute("DELETE FROM projection_positions WHERE name = ?", (projection.name,))
        cursor.execute(
            "INSERT INTO projection_positions (name, version, position, retries, own_tables) VALUES (?, ?, 0, 0, ?)",
            (projection.name, projection.version, " ".join(projection.table_names)))

    def catch_up(self) -> int:
        """Apply all that is in the log; how many events were applied (an event counts once for each projection)."""
        applied = 0
        while True:
            groups = self._behind()
            if not groups:
                return applied
            for position, names in groups.items():
                applied += self._batch(position, names)

    def _behind(self) -> dict[int, list[Projection]]:
        """Unparked projections that have something to read, by their position."""
        groups: dict[int, list[Projection]] = defaultdict(list)
        for status in self.status():
            projection = self.projections[status.name]
            if status.lag > 0 and status.parked_at is None and status.version == projection.version:
                groups[status.position].append(projection)
        return groups

    def _batch(self, position: int, projections: list[Projection]) -> int:
        """One batch from ``position`` for projections that stand there together."""
        rows = self.store.tail(position, self.batch)
        events = _Decoded(self.store, rows)
        events.prepare(projections)
        applied = 0
        failed: dict[Projection, _Failed] = {}
        with self.store.writing() as cursor:
            for projection in projections:
                if not self._stands_at(cursor, projection, position):
                    continue
                failure = self._apply(cursor, projection, events, 0, len(rows))
                if failure is None:
                    self._move(cursor, projection, rows[-1].id)
                    applied += len(rows)
                else:
                    failed[projection] = failure
        for projection, failure in failed.items():
            applied += self._carefully(projection, position, events, failure.at)
        with self._moved:
            self._moved.notify_all()
        return applied

    def _carefully(self, projection: Projection, position: int, events: _Decoded, poison: int) -> int:
        """Apply what comes before a failing event, then that event alone; park the projection if it goes on failing."""
        rows = events.rows
        if poison > 0:
            with self.store.writing() as cursor:
                if not self._stands_at(cursor, projection, position):
                    return 0
                earlier = self._apply(cursor, projection, events, 0, poison)
                if earlier is None:
                    self._move(cursor, projection, rows[poison - 1].id)
            if earlier is not None:
                return self._carefully(projection, position, events, earlier.at)
            position = rows[poison - 1].id
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(PAUSES[attempt - 1])
            with self.store.writing() as cursor:
                if not self._stands_at(cursor, projection, position):
                    return poison
                failure = self._apply(cursor, projection, events, poison, poison + 1)
                if failure is None:
                    self._move(cursor, projection, rows[poison].id)
                    return poison + 1
                self._note_failure(cursor, projection, rows[poison], failure, last=attempt == ATTEMPTS - 1)
        return poison

    def _apply(self, cursor: Cursor, projection: Projection, events: _Decoded, start: int, stop: int) -> _Failed | None:
        """Apply ``events[start:stop]`` or nothing of them; where and why it failed."""
        cursor.execute("SAVEPOINT projection")
        for index in range(start, stop):
            row = events.rows[index]
            if not projection.wants(row.topic):
                continue
            try:
                projection.apply(cursor, row.id, events[index])
            except Exception as error:
                if self.store.outage(error):
                    raise
                cursor.execute("ROLLBACK TO projection")
                cursor.execute("RELEASE projection")
                return _Failed(index, _reason(error))
        cursor.execute("RELEASE projection")
        return None

    def _stands_at(self, cursor: Cursor, projection: Projection, position: int) -> bool:
        """Whether no other runner has moved, parked or replaced the projection since its position was read."""
        row = self._row(cursor, projection.name)
        return bool(row is not None and row["position"] == position and row["version"] == projection.version
                    and row["parked_at_position"] is None)

    def _move(self, cursor: Cursor, projection: Projection, position: int) -> None:
        cursor.execute(
            "UPDATE projection_positions SET position = ?, retries = 0 WHERE name = ?", (position, projection.name))

    def _note_failure(self, cursor: Cursor, projection: Projection, row: Notification, failure: _Failed, *, last: bool) -> None:
        cursor.execute("UPDATE projection_positions SET retries = retries + 1 WHERE name = ?", (projection.name,))
        if last:
            cursor.execute(
                "UPDATE projection_positions SET parked_at_position = ?, parked_reason = ? WHERE name = ?",
                (row.id, f"{row.topic}: {failure.reason}", projection.name))
            logger.error("projection %s is parked at position %d (%s): %s", projection.name, row.id, row.topic, failure.reason)

    def status(self) -> list[Status]:
        """Every projection of this runner, in its order."""
        with self.store.reading() as cursor:
            rows = {row["name"]: row for row in cursor.execute("SELECT * FROM projection_positions")}
        head = self.store.head()
        return [
            Status(name, row["version"], row["position"], max(0, head - row["position"]),
                   row["parked_reason"], row["parked_at_position"], row["retries"])
            for name in self.projections if (row := rows.get(name)) is not None
        ]

    def retry(self, name: str) -> bool:
        """Let a parked projection try its event again at the next catch-up; False when it is not parked."""
        with self.store.writing() as cursor:
            cursor.execute(
                "UPDATE projection_positions SET parked_at_position = NULL, parked_reason = NULL "
                "WHERE name = ? AND parked_at_position IS NOT NULL", (self.projections[name].name,))
            return cursor.rowcount > 0

    def rebuild(self, name: str) -> int:
        """Drop the tables of a projection, make them again and replay the log into them; events applied."""
        with self.store.writing() as cursor:
            self._reset(cursor, self.projections[name])
        return self.catch_up()

    def wait(self, position: int, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds until every projection that is not parked has come to ``position``.

        It does not matter which runner in which process brings them there.
        """
        until = time.monotonic() + timeout
        with self._moved:
            while not self._reached(position):
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._moved.wait(min(left, WAIT_POLL))
        return True

    def _reached(self, position: int) -> bool:
        return all(status.position >= position or status.parked_at is not None for status in self.status())

    def run(self, stop: Flag) -> None:
        """Follow the log until ``stop`` is set. Neither a bad event nor an unavailable database ends it."""
        while not stop.is_set():
            try:
                head = self.store.head()
                self.catch_up()
                self.store.wait_for_append(head, IDLE)
            except Exception as error:
                if self.store.outage(error):
                    logger.warning("projections rest: the database is unavailable")
                else:
                    logger.error("projections rest after an unexpected error: %s", _reason(error))
                stop.wait(REST)

    def _row(self, cursor: Cursor, name: str) -> Any:
        cursor.execute("SELECT * FROM projection_positions WHERE name = ?", (name,))
        return cursor.fetchone()


class _Decoded:
    """The events of a batch, each decoded once and only if somebody wants it."""

    def __init__(self, store: EventStore, rows: Sequence[Notification]) -> None:
        self.rows = rows
        self._store = store
        self._events: list[Event | None] = [None] * len(rows)

    def prepare(self, projections: Sequence[Projection]) -> None:
        """Decode before the write lock is taken. What cannot be decoded raises where it is applied."""
        for index, row in enumerate(self.rows):
            if any(projection.wants(row.topic) for projection in projections):
                try:
                    self[index]
                except Exception as error:
                    logger.debug("position %d is not readable: %s", row.id, type(error).__name__)

    def __getitem__(self, index: int) -> Event:
        event = self._events[index]
        if event is None:
            event = self._events[index] = self._store.decode(self.rows[index])
        return event


def _refuse_shared_names(projections: Sequence[Projection]) -> None:
    owners: dict[str, str] = {"projection_positions": "the runner"}
    names: set[str] = set()
    for projection in projections:
        if projection.name in names:
            raise ValueError(f"two projections are named {projection.name!r}")
        names.add(projection.name)
        for table in projection.table_names:
            if table in owners:
                raise ValueError(f"table {table!r} of projection {projection.name!r} belongs to {owners[table]}")
            owners[table] = projection.name


def _reason(error: Exception) -> str:
    """Kind and place of an error. Its message may quote a person's data and is left out, except that of the
    database and of the store, which name columns and places only."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} at {frame.filename.rpartition('/')[2]}:{frame.lineno}"
    says_no_data = isinstance(error, Unreadable) or type(error).__module__ == "sqlite3"
    return f"{place}: {error}" if says_no_data else place

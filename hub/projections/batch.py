"""A batch of the log, decoded once for all projections, and its application to one of them."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from typing import NamedTuple

from hub.domain.event import Event
from hub.projections.base import Projection
from hub.store.base import Cursor, EventStore, Notification
from hub.store.errors import Unreadable

logger = logging.getLogger(__name__)


class Failed(NamedTuple):
    """The index in the batch of the event that cannot be applied, and why."""

    at: int
    reason: str


class Batch:
    """Rows of the log with their events, each decoded once and only if somebody wants it."""

    def __init__(self, store: EventStore, rows: Sequence[Notification]) -> None:
        self.rows = rows
        self._store = store
        self._events: list[Event | None] = [None] * len(rows)

    def prepare(self, projections: Sequence[Projection]) -> None:
        """Decode before the write lock is taken. What cannot be decoded raises where it is applied."""
        topics = {topic: any(p.wants(topic) for p in projections) for topic in {row.topic for row in self.rows}}
        wanted = [index for index, row in enumerate(self.rows) if topics[row.topic]]
        try:
            for index, event in zip(wanted, self._store.decode_all([self.rows[i] for i in wanted]), strict=True):
                self._events[index] = event
        except Exception as error:
            logger.debug("a batch from position %d is not readable whole: %s", self.rows[0].id, type(error).__name__)

    def __getitem__(self, index: int) -> Event:
        event = self._events[index]
        if event is None:
            event = self._events[index] = self._store.decode(self.rows[index])
        return event

    def apply(self, cursor: Cursor, projection: Projection, start: int, stop: int) -> Failed | None:
        """Apply the events from ``start`` up to ``stop`` to ``projection``, or none of them; where and why it failed.

        An outage of the database is raised: it is nobody's poison.
        """
        wants = {topic: projection.wants(topic) for topic in {row.topic for row in self.rows[start:stop]}}
        wanted = [index for index in range(start, stop) if wants[self.rows[index].topic]]
        if not wanted:
            return None
        cursor.execute("SAVEPOINT projection")
        try:
            projection.apply_all(cursor, [(self.rows[i].id, self[i]) for i in wanted])
        except Exception as error:
            if self._store.outage(error):
                raise
            cursor.execute("ROLLBACK TO projection")
            failed = self._one_by_one(cursor, projection, wanted)
            if failed is not None:
                cursor.execute("ROLLBACK TO projection")
            cursor.execute("RELEASE projection")
            return failed
        cursor.execute("RELEASE projection")
        return None

    def _one_by_one(self, cursor: Cursor, projection: Projection, wanted: Sequence[int]) -> Failed | None:
        for index in wanted:
            try:
                projection.apply_all(cursor, [(self.rows[index].id, self[index])])
            except Exception as error:
                if self._store.outage(error):
                    raise
                return Failed(index, reason_of(error))
        return None


def reason_of(error: Exception) -> str:
    """Kind and place of an error. Its message may quote a person's data and is left out, except that of the
    store and of SQLite, which name columns and places only."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} at {frame.filename.rpartition('/')[2]}:{frame.lineno}"
    says_no_data = isinstance(error, Unreadable) or type(error).__module__ == "sqlite3"
    return f"{place}: {error}" if says_no_data else place

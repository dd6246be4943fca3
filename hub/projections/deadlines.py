"""What the worker looks at: for each lead and deadline, the next instant at which time makes something true."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from hub.domain import events as e
from hub.domain.event import Event
from hub.projections.base import Projection
from hub.projections.leads import iso
from hub.store.base import Cursor, EventStore


class Deadlines(Projection):
    """Rows go when a deadline is met, missed or dropped: then time has nothing more to say about it."""

    name = "deadlines"
    version = 1
    tables = """
        CREATE TABLE deadlines (lead TEXT NOT NULL, key TEXT NOT NULL, next_at TEXT NOT NULL, due_at TEXT NOT NULL,
                                PRIMARY KEY (lead, key)) WITHOUT ROWID;
        CREATE INDEX deadlines_next ON deadlines (next_at);
    """
    topics = frozenset(k.TOPIC for k in (e.DeadlineSet, e.DeadlineMet, e.DeadlineMissed, e.DeadlineDropped, e.NoticeRaised,
                                         e.LeadOffered))

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        lead = event.originator_id.hex
        match event:
            case e.DeadlineSet():
                cursor.execute("INSERT OR REPLACE INTO deadlines VALUES (?, ?, ?, ?)",
                               (lead, event.key, iso(event.warn_at or event.due_at), iso(event.due_at)))
            case e.DeadlineMet() | e.DeadlineMissed() | e.DeadlineDropped():
                cursor.execute("DELETE FROM deadlines WHERE lead = ? AND key = ?", (lead, event.key))
            case e.NoticeRaised(kind="near"):
                cursor.execute("UPDATE deadlines SET next_at = due_at WHERE lead = ? AND key = ?", (lead, event.key))
            case e.LeadOffered(why="near_deadline"):
                cursor.execute("UPDATE deadlines SET next_at = due_at WHERE lead = ? AND key = 'take'", (lead,))

    def due(self, now: datetime, limit: int = 500) -> list[UUID]:
        """Leads for which something becomes true by ``now``, the oldest first."""
        with self.store.reading() as c:
            c.execute("SELECT lead, MIN(next_at) AS first FROM deadlines WHERE next_at <= ? GROUP BY lead ORDER BY first LIMIT ?",
                      (iso(now), limit))
            return [UUID(row["lead"]) for row in c.fetchall()]

    def next_instant(self) -> datetime | None:
        """When time next makes something true."""
        with self.store.reading() as c:
            c.execute("SELECT MIN(next_at) AS first FROM deadlines")
            first = c.fetchone()["first"]
        return datetime.fromisoformat(first) if first else None

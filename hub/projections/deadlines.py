"""What the worker looks at: for each lead and deadline, the next instant at which time makes something true."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from hub.domain import events as e
from hub.domain.event import Event
from hub.projections.base import Projection, Row
from hub.projections.leads import iso
from hub.store.base import Cursor, EventStore


class Deadlines(Projection):
    """Rows go when a deadline is met, missed or dropped: then time has nothing more to say about it."""

    name = "deadlines"
    version = 2
    readable = False
    tables = """
        CREATE TABLE deadlines (lead TEXT NOT NULL, key TEXT NOT NULL, next_at TEXT NOT NULL, due_at TEXT NOT NULL,
                                PRIMARY KEY (lead, key)) WITHOUT ROWID;
        CREATE INDEX deadlines_next ON deadlines (next_at);
    """
    topics = frozenset(k.TOPIC for k in (e.DeadlineSet, e.DeadlineMet, e.DeadlineMissed, e.DeadlineDropped, e.NoticeRaised,
                                         e.LeadOffered, e.MoveUndone))

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        self.apply_all(cursor, [(position, event)])

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Only what is last said of a deadline is written: a reminder speaks of one that was set before."""
        last: dict[tuple[str, str], tuple[str, str] | None] = {}
        reminded: list[tuple[str, str]] = []
        for _, event in rows:
            lead = event.originator_id.hex
            match event:
                case e.DeadlineSet():
                    due = iso(event.due_at) or ""
                    last[lead, event.key] = iso(event.warn_at) or due, due
                case e.DeadlineMet() | e.DeadlineMissed() | e.DeadlineDropped():
                    last[lead, event.key] = None
                case e.MoveUndone():
                    last.update({(lead, key): None for key in event.gone})
                    last.update({(lead, due.key): _next(due) for due in event.back})
                case e.NoticeRaised(kind="near") | e.LeadOffered(why="near_deadline"):
                    key = (lead, "take" if isinstance(event, e.LeadOffered) else event.key)
                    if key not in last:
                        reminded.append(key)
                    elif (known := last[key]) is not None:
                        last[key] = known[1], known[1]
        cursor.executemany("UPDATE deadlines SET next_at = due_at WHERE lead = ? AND key = ?", reminded)
        cursor.executemany("DELETE FROM deadlines WHERE lead = ? AND key = ?", [key for key, at in last.items() if at is None])
        cursor.executemany("INSERT INTO deadlines VALUES (?, ?, ?, ?) ON CONFLICT (lead, key) DO UPDATE SET "
                           "next_at = excluded.next_at, due_at = excluded.due_at",
                           [(*key, *at) for key, at in last.items() if at is not None])

    def due(self, now: datetime, limit: int = 500) -> list[UUID]:
        """Leads for which something becomes true by ``now``, the oldest first."""
        with self.store.views.reading() as c:
            c.execute("SELECT lead, MIN(next_at) AS first FROM deadlines WHERE next_at <= ? GROUP BY lead ORDER BY first LIMIT ?",
                      (iso(now), limit))
            return [UUID(row["lead"]) for row in c.fetchall()]

    def next_instant(self) -> datetime | None:
        """When time next makes something true."""
        with self.store.views.reading() as c:
            c.execute("SELECT MIN(next_at) AS first FROM deadlines")
            first = c.fetchone()["first"]
        return datetime.fromisoformat(first) if first else None


def _next(due: e.DueBack) -> tuple[str, str] | None:
    """The next instant of a deadline that is back, and when it is due; nothing where its time had passed already."""
    due_at = iso(due.due_at) or ""
    return None if due.missed else (due_at if due.warned else iso(due.warn_at) or due_at, due_at)

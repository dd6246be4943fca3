"""What staff are told (R2, R34): one row for each person and fact."""

from __future__ import annotations

from typing import Any

from hub.domain import events as e
from hub.domain.event import Event
from hub.projections.base import Projection
from hub.projections.leads import iso
from hub.store.base import Cursor, EventStore


class Notices(Projection):
    """Offers and notices by person. What a person has seen is theirs, and kept beside the log."""

    name = "notices"
    version = 1
    tables = """
        CREATE TABLE notices (user TEXT NOT NULL, position INTEGER NOT NULL, lead TEXT NOT NULL, kind TEXT NOT NULL,
                              key TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (user, position)) WITHOUT ROWID;
    """
    topics = frozenset({e.NoticeRaised.TOPIC, e.LeadOffered.TOPIC})

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        if isinstance(event, e.LeadOffered):
            kind, key = "offered", event.why
        elif isinstance(event, e.NoticeRaised):
            kind, key = event.kind, event.key
        else:
            return
        for user in event.to:
            cursor.execute("INSERT INTO notices VALUES (?, ?, ?, ?, ?, ?)",
                           (user, position, event.originator_id.hex, kind, key, iso(event.at)))

    def of(self, user: str, after: int = 0, limit: int = 50) -> list[Any]:
        """What ``user`` was told after a log position, the newest first."""
        with self.store.reading() as c:
            c.execute("SELECT n.*, l.name, l.number FROM notices n LEFT JOIN leads l ON l.id = n.lead "
                      "WHERE n.user = ? AND n.position > ? ORDER BY n.position DESC LIMIT ?", (user, after, limit))
            return list(c.fetchall())

    def count(self, user: str, after: int) -> int:
        """How many notices came after a log position."""
        with self.store.reading() as c:
            c.execute("SELECT COUNT(*) AS n FROM notices WHERE user = ? AND position > ?", (user, after))
            return int(c.fetchone()["n"])

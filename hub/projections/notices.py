"""What staff are told (R2, R34): one row for each person and fact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.domain import events as e
from hub.domain.event import Event
from hub.projections.base import Projection, Row
from hub.projections.leads import iso
from hub.store.base import Cursor, EventStore

MOST = 1_000
"""Notices that are counted: nobody reads the number of more."""


class Notices(Projection):
    """Offers and notices by person. What a person has seen is theirs, and kept beside the log."""

    name = "notices"
    version = 1
    readable = False
    tables = """
        CREATE TABLE notices ("user" TEXT NOT NULL, position INTEGER NOT NULL, lead TEXT NOT NULL, kind TEXT NOT NULL,
                              key TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY ("user", position)) WITHOUT ROWID;
    """
    topics = frozenset({e.NoticeRaised.TOPIC, e.LeadOffered.TOPIC})

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        self.apply_all(cursor, [(position, event)])

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Rows are only ever added."""
        told: list[tuple[Any, ...]] = []
        for position, event in rows:
            if isinstance(event, e.LeadOffered):
                kind, key = "offered", event.why
            elif isinstance(event, e.NoticeRaised):
                kind, key = event.kind, event.key
            else:
                continue
            lead, at = event.originator_id.hex, iso(event.at)
            told += [(user, position, lead, kind, key, at) for user in event.to]
        cursor.executemany("INSERT INTO notices VALUES (?, ?, ?, ?, ?, ?)", told)

    def of(self, user: str, after: int = 0, limit: int = 50) -> list[Any]:
        """What ``user`` was told after a log position, the newest first."""
        with self.store.views.reading() as c:
            c.execute("SELECT n.*, l.name, l.number FROM notices n LEFT JOIN leads l ON l.id = n.lead "
                      'WHERE n."user" = ? AND n.position > ? ORDER BY n.position DESC LIMIT ?', (user, after, limit))
            return list(c.fetchall())

    def count(self, user: str, after: int) -> int:
        """How many notices came after a log position; :data:`MOST` says that they are as many at least."""
        with self.store.views.reading() as c:
            c.execute('SELECT COUNT(*) AS n FROM (SELECT position FROM notices WHERE "user" = ? AND position > ? LIMIT ?) newest',
                      (user, after, MOST))
            return int(c.fetchone()["n"])

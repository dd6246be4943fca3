"""Deliveries as they came: the quarantine, and when each form was last heard of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.domain import index
from hub.domain.event import Event
from hub.projections.base import Projection, Row
from hub.projections.leads import iso
from hub.store.base import Cursor, EventStore


class Receipts(Projection):
    """One row a delivery, without its content: that is read from its stream when a person opens it."""

    name = "receipts"
    version = 2
    readable = False
    tables = """
        CREATE TABLE receipts (id TEXT PRIMARY KEY, status TEXT NOT NULL, channel TEXT NOT NULL, source TEXT NOT NULL,
                               source_title TEXT NOT NULL, at TEXT NOT NULL, lead TEXT, reason TEXT NOT NULL,
                               test INTEGER NOT NULL);
        CREATE INDEX receipts_by_status ON receipts (status, at);
        CREATE TABLE source_counts (channel TEXT NOT NULL, source TEXT NOT NULL, last TEXT NOT NULL, n INTEGER NOT NULL,
                                    PRIMARY KEY (channel, source)) WITHOUT ROWID;
    """

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def wants(self, topic: str) -> bool:
        return topic.startswith("receipt.")

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        self.apply_all(cursor, [(position, event)])

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """New deliveries go in together: what is said of one later comes after it in the log."""
        new: list[tuple[Any, ...]] = []
        settled: list[tuple[Any, ...]] = []
        heard: dict[tuple[str, str], tuple[str, int]] = {}
        for _, event in rows:
            id, at = event.originator_id.hex, iso(event.at) or ""
            match event:
                case index.DeliveryAccepted():
                    new.append((id, "accepted", event.channel, event.source, "", at, event.lead.hex, "", int(event.test)))
                case index.DeliveryQuarantined():
                    new.append((id, "quarantined", event.channel, event.source, event.source_title, at, None, event.reason, 0))
                case index.DeliveryReleased():
                    settled.append(("released", event.lead.hex, id))
                case index.DeliveryDismissed():
                    settled.append(("dismissed", None, id))
        for row in new:
            if not row[-1]:
                last, n = heard.get((row[2], row[3]), ("", 0))
                heard[row[2], row[3]] = max(last, row[5]), n + 1
        cursor.executemany("INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", new)
        cursor.executemany("UPDATE receipts SET status = ?, lead = ? WHERE id = ?", settled)
        cursor.executemany("INSERT INTO source_counts VALUES (?, ?, ?, ?) ON CONFLICT (channel, source) DO UPDATE SET "
                           "last = CASE WHEN excluded.last > source_counts.last THEN excluded.last ELSE source_counts.last END, "
                           "n = source_counts.n + excluded.n", [(*source, *found) for source, found in heard.items()])

    def quarantine(self, status: str = "quarantined", limit: int = 200, before: tuple[str, str] | None = None) -> list[Any]:
        """Deliveries that wait for a person (or were dealt with), the newest first; only those behind ``before`` (at, id)."""
        with self.store.views.reading() as c:
            c.execute("SELECT * FROM receipts WHERE status = ? AND (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?",
                      (status, *(before or ("~", "")), limit))
            return list(c.fetchall())

    def waiting(self) -> int:
        """How many wait in the quarantine."""
        with self.store.views.reading() as c:
            c.execute("SELECT COUNT(*) AS n FROM receipts WHERE status = 'quarantined'")
            return int(c.fetchone()["n"])

    def last_of(self, channel: str) -> dict[str, tuple[datetime, int]]:
        """By source: when it was last heard of (tests aside) and how many deliveries came."""
        with self.store.views.reading() as c:
            c.execute("SELECT source, last, n FROM source_counts WHERE channel = ?", (channel,))
            return {row["source"]: (datetime.fromisoformat(row["last"]), row["n"]) for row in c.fetchall()}

    def of_lead(self, lead: UUID) -> list[Any]:
        """The deliveries of a lead, in order."""
        with self.store.views.reading() as c:
            c.execute("SELECT * FROM receipts WHERE lead = ? ORDER BY at", (lead.hex,))
            return list(c.fetchall())

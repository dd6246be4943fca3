"""Deliveries as they came: the quarantine, and when each form was last heard of."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from hub.domain import index
from hub.domain.event import Event
from hub.projections.base import Projection
from hub.projections.leads import iso
from hub.store.base import Cursor, EventStore


class Receipts(Projection):
    """One row a delivery, without its content: that is read from its stream when a person opens it."""

    name = "receipts"
    version = 1
    tables = """
        CREATE TABLE receipts (id TEXT PRIMARY KEY, status TEXT NOT NULL, channel TEXT NOT NULL, source TEXT NOT NULL,
                               source_title TEXT NOT NULL, at TEXT NOT NULL, lead TEXT, reason TEXT NOT NULL,
                               test INTEGER NOT NULL);
        CREATE INDEX receipts_by_status ON receipts (status, at);
        CREATE INDEX receipts_by_source ON receipts (channel, source, at);
    """

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def wants(self, topic: str) -> bool:
        return topic.startswith("receipt.")

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        id = event.originator_id.hex
        match event:
            case index.DeliveryAccepted():
                cursor.execute("INSERT INTO receipts VALUES (?, 'accepted', ?, ?, '', ?, ?, '', ?)",
                               (id, event.channel, event.source, iso(event.at), event.lead.hex, int(event.test)))
            case index.DeliveryQuarantined():
                cursor.execute("INSERT INTO receipts VALUES (?, 'quarantined', ?, ?, ?, ?, NULL, ?, 0)",
                               (id, event.channel, event.source, event.source_title, iso(event.at), event.reason))
            case index.DeliveryReleased():
                cursor.execute("UPDATE receipts SET status = 'released', lead = ? WHERE id = ?", (event.lead.hex, id))
            case index.DeliveryDismissed():
                cursor.execute("UPDATE receipts SET status = 'dismissed' WHERE id = ?", (id,))

    def quarantine(self, status: str = "quarantined", limit: int = 200) -> list[Any]:
        """Deliveries that wait for a person (or were dealt with), the newest first."""
        with self.store.reading() as c:
            c.execute("SELECT * FROM receipts WHERE status = ? ORDER BY at DESC LIMIT ?", (status, limit))
            return list(c.fetchall())

    def waiting(self) -> int:
        """How many wait in the quarantine."""
        with self.store.reading() as c:
            c.execute("SELECT COUNT(*) AS n FROM receipts WHERE status = 'quarantined'")
            return int(c.fetchone()["n"])

    def last_of(self, channel: str) -> dict[str, tuple[datetime, int]]:
        """By source: when it was last heard of (tests aside) and how many deliveries came."""
        with self.store.reading() as c:
            c.execute("SELECT source, MAX(at) AS last, COUNT(*) AS n FROM receipts "
                      "WHERE channel = ? AND test = 0 GROUP BY source", (channel,))
            return {row["source"]: (datetime.fromisoformat(row["last"]), row["n"]) for row in c.fetchall()}

    def of_lead(self, lead: UUID) -> list[Any]:
        """The deliveries of a lead, in order."""
        with self.store.reading() as c:
            c.execute("SELECT * FROM receipts WHERE lead = ? ORDER BY at", (lead.hex,))
            return list(c.fetchall())

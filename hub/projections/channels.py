"""The traffic of each channel account, and the dead letters: what came and could not be read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from hub.domain import events as e
from hub.domain import index
from hub.domain.event import Event
from hub.projections.base import Projection
from hub.projections.leads import iso
from hub.store.base import Cursor, EventStore


class Traffic(NamedTuple):
    """How many deliveries or messages of one ``what`` an account had, and when the last one was."""

    account: str
    what: str
    n: int
    last_at: datetime


class Channels(Projection):
    """``what``: ``came``, ``unread``, ``asked``, ``sent``, ``failed``, ``unknown``."""

    name = "channels"
    version = 1
    readable = False
    tables = """
        CREATE TABLE channel_traffic (account TEXT NOT NULL, what TEXT NOT NULL, n INTEGER NOT NULL, last_at TEXT NOT NULL,
                                      PRIMARY KEY (account, what)) WITHOUT ROWID;
        CREATE TABLE channel_messages (stream TEXT NOT NULL, number INTEGER NOT NULL, account TEXT NOT NULL,
                                       PRIMARY KEY (stream, number)) WITHOUT ROWID;
        CREATE TABLE dead_letters (id TEXT PRIMARY KEY, status TEXT NOT NULL, channel TEXT NOT NULL, account TEXT NOT NULL,
                                   account_title TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL, lead TEXT);
        CREATE INDEX dead_letters_by_status ON dead_letters (status, at);
    """
    topics = frozenset(k.TOPIC for k in (e.MessageAsked, e.MessageSent, e.MessageFailed, e.MessageUnknown,
                                         index.DeliveryAccepted, index.DeliveryQuarantined, index.DeliveryUnread,
                                         index.DeliveryReread, index.DeliveryDismissed))

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        id = event.originator_id.hex
        match event:
            case index.DeliveryAccepted() | index.DeliveryQuarantined():
                self._count(cursor, event.source, "came", event)
            case index.DeliveryUnread():
                self._count(cursor, event.source, "unread", event)
                cursor.execute("INSERT INTO dead_letters VALUES (?, 'unread', ?, ?, ?, ?, ?, NULL)",
                               (id, event.channel, event.source, event.source_title, event.reason, iso(event.at)))
            case index.DeliveryReread():
                cursor.execute("UPDATE dead_letters SET status = 'reread', lead = ? WHERE id = ?",
                               (event.lead.hex if event.lead else None, id))
            case index.DeliveryDismissed():
                cursor.execute("UPDATE dead_letters SET status = 'dismissed' WHERE id = ?", (id,))
            case e.MessageAsked():
                cursor.execute("INSERT INTO channel_messages VALUES (?, ?, ?)", (id, event.message, event.account))
                self._count(cursor, event.account, "asked", event)
            case e.MessageSent() | e.MessageFailed() | e.MessageUnknown():
                cursor.execute("SELECT account FROM channel_messages WHERE stream = ? AND number = ?", (id, event.message))
                row = cursor.fetchone()
                if row is not None:
                    self._count(cursor, row["account"], event.TOPIC.rpartition("_")[2], event)

    def _count(self, cursor: Cursor, account: str, what: str, event: Event) -> None:
        cursor.execute("INSERT INTO channel_traffic VALUES (?, ?, 1, ?) ON CONFLICT (account, what) DO UPDATE SET "
                       "n = channel_traffic.n + 1, last_at = excluded.last_at", (account, what, iso(event.at)))

    def traffic(self) -> dict[tuple[str, str], Traffic]:
        """All traffic by account and what."""
        with self.store.views.reading() as cursor:
            cursor.execute("SELECT * FROM channel_traffic")
            found = [Traffic(r["account"], r["what"], r["n"], datetime.fromisoformat(r["last_at"])) for r in cursor.fetchall()]
        return {(t.account, t.what): t for t in found}

    def dead_letters(self, status: str = "unread", limit: int = 200, before: tuple[str, str] | None = None) -> list[Any]:
        """Dead letters with a status (``unread``, ``reread``, ``dismissed``), the newest first; only those behind ``before``
        (at, id)."""
        with self.store.views.reading() as cursor:
            cursor.execute("SELECT * FROM dead_letters WHERE status = ? AND (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?",
                           (status, *(before or ("~", "")), limit))
            return list(cursor.fetchall())

    def unread(self) -> int:
        """How many dead letters wait for a person."""
        with self.store.views.reading() as cursor:
            cursor.execute("SELECT COUNT(*) AS n FROM dead_letters WHERE status = 'unread'")
            return int(cursor.fetchone()["n"])

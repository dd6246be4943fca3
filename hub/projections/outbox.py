"""What the hub has still to do with channels: messages that were asked for and not settled, and things to be fetched."""

from __future__ import annotations

from typing import Any

from hub.domain import events as e
from hub.domain import privacy
from hub.domain import telling as t
from hub.domain.event import Event
from hub.projections.base import Projection
from hub.projections.leads import iso
from hub.store.base import Cursor, EventStore


class Outbox(Projection):
    """A row goes as soon as nothing is left to do about it.

    ``id`` is the fixed id of a message (hex), ``source`` whose message it is: ``lead``, ``call`` for a call from the
    card, ``staff`` for a notice to a colleague, or ``removal`` for a copy that a provider is to delete. ``stream`` and
    ``number`` say where it is told.
    """

    name = "outbox"
    version = 3
    readable = False
    tables = """
        CREATE TABLE outbox (id TEXT PRIMARY KEY, source TEXT NOT NULL, stream TEXT NOT NULL, number INTEGER NOT NULL,
                             account TEXT NOT NULL, at TEXT NOT NULL, position INTEGER NOT NULL);
        CREATE INDEX outbox_by_account ON outbox (account, position);
        CREATE INDEX outbox_by_message ON outbox (stream, number);
        CREATE TABLE fetches (lead TEXT NOT NULL, number INTEGER NOT NULL, account TEXT NOT NULL, at TEXT NOT NULL,
                              position INTEGER NOT NULL, PRIMARY KEY (lead, number)) WITHOUT ROWID;
        CREATE INDEX fetches_by_account ON fetches (account, position);
    """
    topics = frozenset(k.TOPIC for k in (e.MessageAsked, e.MessageSent, e.MessageReached, e.MessageFailed, e.MessageUnknown,
                                         e.FetchAsked, e.FileFetched, e.FetchEnded,
                                         t.NoticeAsked, t.NoticeSent, t.NoticeFailed, t.NoticeUnknown,
                                         privacy.RemovalAsked, privacy.RemovalDone, privacy.RemovalFailed,
                                         e.CallAsked, e.CallPlaced, e.CallFailed, e.CallUnknown, e.CallMoved))

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        stream = event.originator_id.hex
        match event:
            case e.MessageAsked():
                cursor.execute("INSERT INTO outbox VALUES (?, 'lead', ?, ?, ?, ?, ?)",
                               (event.event_id.hex, stream, event.message, event.account, iso(event.at), position))
            case e.CallAsked():
                cursor.execute("INSERT INTO outbox VALUES (?, 'call', ?, ?, ?, ?, ?)",
                               (event.event_id.hex, stream, event.call, event.account, iso(event.at), position))
            case e.CallPlaced() | e.CallFailed() | e.CallUnknown() | e.CallMoved():
                cursor.execute("DELETE FROM outbox WHERE stream = ? AND number = ? AND source = 'call'", (stream, event.call))
            case e.MessageSent() | e.MessageReached() | e.MessageFailed() | e.MessageUnknown():
                cursor.execute("DELETE FROM outbox WHERE stream = ? AND number = ? AND source = 'lead'", (stream, event.message))
            case t.NoticeAsked():
                cursor.execute("INSERT INTO outbox VALUES (?, 'staff', ?, ?, ?, ?, ?)",
                               (event.event_id.hex, stream, event.message, event.account, iso(event.at), position))
            case t.NoticeSent() | t.NoticeFailed() | t.NoticeUnknown():
                cursor.execute("DELETE FROM outbox WHERE stream = ? AND number = ? AND source = 'staff'", (stream, event.message))
            case privacy.RemovalAsked():
                cursor.execute("INSERT INTO outbox VALUES (?, 'removal', ?, ?, ?, ?, ?)",
                               (event.event_id.hex, stream, event.removal, event.account, iso(event.at), position))
            case privacy.RemovalDone() | privacy.RemovalFailed():
                cursor.execute("DELETE FROM outbox WHERE stream = ? AND number = ? AND source = 'removal'",
                               (stream, event.removal))
            case e.FetchAsked():
                cursor.execute("INSERT INTO fetches VALUES (?, ?, ?, ?, ?)",
                               (stream, event.fetch, event.account, iso(event.at), position))
            case e.FileFetched() | e.FetchEnded():
                cursor.execute("DELETE FROM fetches WHERE lead = ? AND number = ?", (stream, event.fetch))

    def of(self, account: str, limit: int = 100) -> list[Any]:
        """What an account has to send, in the order in which it was asked for."""
        return self._rows("SELECT * FROM outbox WHERE account = ? ORDER BY position LIMIT ?", account, limit)

    def to_fetch(self, account: str, limit: int = 100) -> list[Any]:
        """What is to be fetched through an account, the oldest first."""
        return self._rows("SELECT * FROM fetches WHERE account = ? ORDER BY position LIMIT ?", account, limit)

    def waiting(self) -> dict[str, int]:
        """How many messages wait, by account; accounts that are not set up any more included."""
        rows = self._rows("SELECT account, COUNT(*) AS n FROM outbox GROUP BY account")
        return {row["account"]: row["n"] for row in rows}

    def _rows(self, sql: str, *values: object) -> list[Any]:
        with self.store.views.reading() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

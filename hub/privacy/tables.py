"""What the tables beside the log keep of a person, and how it goes: the log itself is never changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from hub.privacy.clients import mentions
from hub.projections import Projection
from hub.store.base import Cursor, EventStore

KEEPING = ("api_answers", "outbox_tries", "fetch_tries", "webhook_deliveries", "channel_states")
"""Tables beside the log in which something of a person may stand: kept answers of the API, what providers and receivers said."""


def clear(store: EventStore, leads: Collection[UUID], messages: Collection[str], known: Sequence[str]) -> int:
    """Delete what the tables keep of ``leads``, of ``messages`` (fixed ids) and of whom ``known`` texts name; how many rows."""
    with store.reading() as cursor:
        there = store.tables.names(cursor) & set(KEEPING)
    rows = 0
    with store.writing() as cursor:
        for lead in leads:
            if "api_answers" in there:
                rows += _run(cursor, "DELETE FROM api_answers WHERE body LIKE ? OR body LIKE ?", f"%{lead}%", f"%{lead.hex}%")
            if "fetch_tries" in there:
                rows += _run(cursor, "DELETE FROM fetch_tries WHERE id LIKE ?", f"{lead.hex}/%")
            if "webhook_deliveries" in there:
                rows += _run(cursor, "UPDATE webhook_deliveries SET said = '' WHERE lead = ? AND said <> ''", lead.hex)
        if "outbox_tries" in there:
            for message in messages:
                rows += _run(cursor, "DELETE FROM outbox_tries WHERE id = ? AND state = 'waiting'", message)
                rows += _run(cursor, "UPDATE outbox_tries SET reason = '' WHERE id = ? AND reason <> ''", message)
        if "channel_states" in there and known:
            cursor.execute("SELECT account, direction, reason FROM channel_states WHERE reason <> ''")
            for row in cursor.fetchall():
                if mentions(row["reason"], known):
                    rows += _run(cursor, "UPDATE channel_states SET reason = '' WHERE account = ? AND direction = ?",
                                 row["account"], row["direction"])
    return rows


def leaving(store: EventStore) -> frozenset[str]:
    """Fixed ids of messages whose request is out at this moment, or was when its sender died."""
    with store.reading() as cursor:
        if "outbox_tries" not in store.tables.names(cursor):
            return frozenset()
        cursor.execute("SELECT id FROM outbox_tries WHERE state = 'claimed'")
        return frozenset(row["id"] for row in cursor.fetchall())


def readable(projections: Collection[Projection]) -> tuple[str, ...]:
    """The tables whose files may hold what a person wrote: those of read models with texts, and :data:`KEEPING`."""
    return (*(table for p in projections if p.readable for table in p.table_names), *KEEPING)


def _run(cursor: Cursor, statement: str, *values: object) -> int:
    cursor.execute(statement, values)
    return int(cursor.rowcount)

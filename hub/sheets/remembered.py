"""What the columns of a heading were taken for last time: the next file of the same shape need not be told again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from hub.sheets.mapping import plain
from hub.store.base import EventStore

TABLES = """
CREATE TABLE IF NOT EXISTS import_columns (heading TEXT PRIMARY KEY, columns TEXT NOT NULL) WITHOUT ROWID;
"""
"""A durable table beside the log. ``heading`` is a digest of the headings: they may be anything."""


def _digest(header: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(map(plain, header)).encode()).hexdigest()


def remember(store: EventStore, header: Sequence[str], columns: Sequence[str]) -> None:
    """Keep what was chosen for this heading."""
    store.make_tables(TABLES)
    with store.writing() as c:
        c.execute("INSERT INTO import_columns VALUES (?, ?) ON CONFLICT (heading) DO UPDATE SET columns = excluded.columns",
                  (_digest(header), msgspec.json.encode(list(columns)).decode()))


def recall(store: EventStore, header: Sequence[str]) -> tuple[str, ...] | None:
    """What was chosen for this heading last; None where it is new."""
    store.make_tables(TABLES)
    with store.reading() as c:
        row = c.execute("SELECT columns FROM import_columns WHERE heading = ?", (_digest(header),)).fetchone()
    found = tuple(msgspec.json.decode(row["columns"], type=list[str])) if row is not None else None
    return found if found is not None and len(found) == len(header) else None

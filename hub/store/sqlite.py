"""The embedded store: SQLite in WAL mode, every commit on the disk, one writer and many readers.

The read models are in a file of their own beside the log: their commits need no wait for the disk, because they can be
made again, and nobody who appends waits for them.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.persistence import IntegrityError, Notification, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder

from hub.store.base import EventStore, outages
from hub.store.errors import Unavailable
from hub.store.group import GroupCommit
from hub.store.keys import Keys
from hub.store.leases import TABLES as LEASES
from hub.store.sqlite_tables import SqliteTables
from hub.store.tables import Cursor

EVENTS = "stored_events"
SEARCHED = 1 << 24
"""Bytes of a file that are searched at a time."""
VIEWS = "-views"
"""What the name of the file of read models has after that of the log."""

Rows = Sequence[StoredEvent]
Outcome = list[int] | Exception
"""The log positions of an append, or why it alone failed."""


class _Recorder(SQLiteApplicationRecorder):
    """The library's recorder, whose appends share commits."""

    def __init__(self, tables: SqliteTables) -> None:
        super().__init__(tables.datastore, EVENTS)
        self.tables = tables
        self._group: GroupCommit[Rows, list[int]] = GroupCommit(self._commit)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> list[int]:
        return self._group.write(stored_events)

    def _commit(self, appends: list[Rows]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        with self.datastore.transaction(commit=True) as wrapped:
            cursor = wrapped.sqlite_cursor
            if len(appends) == 1:
                return [self._insert(cursor, appends[0])]
            for rows in appends:
                cursor.execute("SAVEPOINT one")
                try:
                    outcomes.append(self._insert(cursor, rows))
                except sqlite3.IntegrityError as error:
                    cursor.execute("ROLLBACK TO one")
                    outcomes.append(IntegrityError(str(error)))
                cursor.execute("RELEASE one")
        return outcomes

    def _insert(self, cursor: sqlite3.Cursor, rows: Rows) -> list[int]:
        positions = []
        for row in rows:
            values = (_text(row.originator_id), row.originator_version, row.topic, row.state)
            cursor.execute(self.insert_events_statement, values)
            positions.append(int(cursor.lastrowid or 0))
        return positions

    def select_events(self, originator_id: UUID | str, *, gt: int | None = None, lte: int | None = None, desc: bool = False,
                      limit: int | None = None) -> list[StoredEvent]:
        """The library's, without a transaction of its own: one statement sees one state anyway."""
        stream = originator_id.hex if isinstance(originator_id, UUID) else originator_id
        statement, values = "SELECT originator_version, topic, state FROM stored_events WHERE originator_id = ?", [stream]
        for condition, value in ((" AND originator_version > ?", gt), (" AND originator_version <= ?", lte)):
            if value is not None:
                statement += condition
                values.append(value)  # type: ignore[arg-type]
        statement += f" ORDER BY originator_version {'DESC' if desc else 'ASC'}"
        if limit is not None:
            statement += f" LIMIT {int(limit)}"
        with self.tables.datastore.plain() as connection:
            rows = connection.execute(statement, values).fetchall()
        return [StoredEvent(originator_id, version, topic, state) for version, topic, state in rows]


class SqliteStore(EventStore):
    """Events in one SQLite file, in the library's own tables. ``path`` and the file of read models are made when absent."""

    tables: SqliteTables
    views: SqliteTables

    def __init__(self, path: Path, keys: Keys) -> None:
        self.path = path
        with outages(), ExitStack() as opened:
            self.tables = SqliteTables(path, durable=True)
            opened.callback(self.tables.close)
            self.views = SqliteTables(path.with_name(f"{path.stem}{VIEWS}{path.suffix}"), durable=False)
            opened.callback(self.views.close)
            recorder = _Recorder(self.tables)
            recorder.create_table()
            with self.views.writing() as cursor:
                self.views.script(cursor, LEASES)
            super().__init__(recorder, keys, self.tables, self.views)
            self._watch = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._seen_version = -1
            opened.pop_all()  # nothing failed: they stay open

    def position(self, stream: UUID, version: int) -> int:
        with self.reading() as cursor:
            cursor.execute(
                f"SELECT rowid FROM {EVENTS} WHERE originator_id = ? AND originator_version = ?", (stream.hex, version))
            return int(cursor.fetchone()["rowid"])

    def count(self) -> int:
        with self.reading() as cursor:
            cursor.execute(f"SELECT COUNT(*) AS n FROM {EVENTS}")
            return int(cursor.fetchone()["n"])

    def rows(self, cursor: Cursor, after: int, limit: int) -> list[Notification]:
        cursor.execute(f"SELECT originator_id, originator_version, topic, state, rowid FROM {EVENTS} WHERE rowid > ? "
                       "ORDER BY rowid LIMIT ?", (after, limit))
        return [Notification(_stream(stream), version, topic, state, id)
                for stream, version, topic, state, id in cursor.fetchall()]

    def filling(self) -> AbstractContextManager[Cursor]:
        return self.writing()

    def put_rows(self, cursor: Cursor, rows: Sequence[Notification]) -> None:
        cursor.executemany(
            f"INSERT INTO {EVENTS} (rowid, originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?, ?)",
            [(row.id, _text(row.originator_id), row.originator_version, row.topic, row.state) for row in rows])

    def changed_elsewhere(self) -> bool:
        try:
            (version,) = self._watch.execute("PRAGMA data_version").fetchone()
        except sqlite3.OperationalError as error:
            raise Unavailable(str(error)) from error
        changed, self._seen_version = version != self._seen_version, int(version)
        return bool(changed)

    def healthy(self) -> bool:
        return all(tables.datastore.in_place() and os.access(tables.path, os.W_OK) for tables in (self.tables, self.views))

    def scrub(self, tables: Sequence[str], *, thorough: bool = False) -> None:
        if thorough:
            self.views.rewrite()  # never the log: its positions would be numbered anew
        self.views.checkpoint()
        self.tables.checkpoint()

    def holding(self, texts: Sequence[str]) -> tuple[int, list[str]]:
        wanted = [form for text in texts for form in dict.fromkeys(
            (text.encode(), json.dumps(text)[1:-1].encode(), text.lower().encode()))]
        searched, found = 0, []
        for path in sorted(self.path.parent.glob(f"{self.path.stem}*")):
            if path.is_file():
                n, held = _search(path, wanted)
                searched += n
                found += [path.name] if held else []
        return searched, found

    def close(self) -> None:
        with self._appended:
            self._watch.close()
        self.views.close()
        self.tables.close()


def _search(path: Path, wanted: Sequence[bytes]) -> tuple[int, bool]:
    """Bytes of a file, and whether one of ``wanted`` is in it; pieces overlap, so that none is cut."""
    longest = max(map(len, wanted), default=1)
    size, kept = 0, b""
    with open(path, "rb") as file:
        while piece := file.read(SEARCHED):
            size += len(piece)
            kept = kept[-longest:] + piece
            if any(form in kept for form in wanted):
                return size, True
    return size, False


def _stream(text: str) -> UUID | str:
    """A stream's id; as it is where nobody of ours wrote it, so that a check can tell."""
    try:
        found = UUID(text)
    except (ValueError, AttributeError, TypeError):
        return text
    return found if found.hex == text else text


def _text(stream: UUID | str) -> str:
    return stream.hex if isinstance(stream, UUID) else stream

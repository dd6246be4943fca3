"""The embedded store: SQLite in WAL mode, every commit on the disk, one writer and many readers."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from eventsourcing import persistence as library
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
)

from hub.store.base import Cursor, EventStore, outages
from hub.store.errors import Unavailable
from hub.store.keys import KeyStore

LOCK_TIMEOUT = 5
"""Seconds that a writer waits for another process's transaction before the store is unavailable."""
STATEMENTS = 128
READERS = 16
EVENTS = "stored_events"

OUTAGES = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
})
"""Primary result codes that mean "not now"; every other error is somebody's mistake."""

PRAGMAS = ("synchronous=FULL", "foreign_keys=ON", "secure_delete=1")


class _Connection(SQLiteConnection):
    """The library's connection with a transaction that takes the write lock at once and always ends.

    A plain BEGIN that writes later fails with SQLITE_BUSY without waiting; a failed COMMIT leaves the
    transaction open.
    """

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        connection = self._sqlite_conn
        try:
            with SQLiteCursor(connection.cursor()) as cursor:
                cursor.execute("BEGIN IMMEDIATE" if commit else "BEGIN")
                try:
                    yield SQLiteCursor(cursor)
                    if commit:
                        cursor.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.rollback()
        except sqlite3.Error as error:
            raise _translated(error) from error


class _Pool(SQLiteConnectionPool):
    def __init__(self, path: Path, *, writes: bool) -> None:
        super().__init__(
            db_name=str(path), lock_timeout=LOCK_TIMEOUT, pool_timeout=float(LOCK_TIMEOUT),
            pool_size=1 if writes else READERS, max_overflow=0 if writes else READERS)
        self.writes = writes

    def _create_connection(self) -> SQLiteConnection:
        try:
            connection = sqlite3.connect(
                self.db_name, isolation_level=None, check_same_thread=False,
                cached_statements=STATEMENTS, timeout=LOCK_TIMEOUT)
            try:
                for pragma in ("journal_mode=WAL", *PRAGMAS) if self.writes else (*PRAGMAS, "query_only=ON"):
                    connection.execute(f"PRAGMA {pragma}").fetchall()
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise _translated(error) from error
        connection.row_factory = sqlite3.Row
        return _Connection(connection, max_age=None)


class _Datastore(SQLiteDatastore):
    """The library's datastore with a pool for the writer and one for readers.

    In one pool a reader queues behind a writer that waits for its turn.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch(mode=0o600)
        super().__init__(str(path), lock_timeout=LOCK_TIMEOUT)
        self.pool = _Pool(path, writes=False)
        self.writer = _Pool(path, writes=True)
        with self.get_connection(commit=True):
            pass  # the first writer switches the file to WAL before anybody reads
        self.file = _file_id(path)

    @contextmanager
    def get_connection(self, *, commit: bool) -> Iterator[SQLiteConnection]:
        pool = self.writer if commit else self.pool
        connection = pool.get_connection()
        try:
            yield connection
        finally:
            pool.put_connection(connection)

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        with super().transaction(commit=commit) as cursor:
            yield cursor
        if commit and not self.in_place():
            raise Unavailable(f"the database file {self.path} was moved or deleted under the running hub: restart it")

    def in_place(self) -> bool:
        """Whether the path still leads to the file that is open; a commit into a deleted file succeeds."""
        return _file_id(self.path) == self.file

    def close(self) -> None:
        super().close()
        self.writer.close()  # the last to close: it empties the log into the file


class SqliteStore(EventStore):
    """Events in one SQLite file, in the library's own tables. ``path`` is made when it is absent."""

    def __init__(self, path: Path, keys: KeyStore) -> None:
        self.path = path
        with outages():
            self._datastore = _Datastore(path)
            try:
                recorder = SQLiteApplicationRecorder(self._datastore, EVENTS)
                recorder.create_table()
                super().__init__(recorder, keys)
                self._watch = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                self._seen_version = -1
            except BaseException:
                self._datastore.close()
                raise

    def position(self, stream: UUID, version: int) -> int:
        with self.reading() as cursor:
            cursor.execute(
                f"SELECT rowid FROM {EVENTS} WHERE originator_id = ? AND originator_version = ?", (stream.hex, version))
            return int(cursor.fetchone()["rowid"])

    def count(self) -> int:
        with self.reading() as cursor:
            cursor.execute(f"SELECT COUNT(*) AS n FROM {EVENTS}")
            return int(cursor.fetchone()["n"])

    @contextmanager
    def writing(self) -> Iterator[Cursor]:
        with outages(), self._datastore.transaction(commit=True) as cursor:
            yield cursor.sqlite_cursor

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        with outages(), self._datastore.transaction(commit=False) as cursor:
            yield cursor.sqlite_cursor

    def script(self, cursor: Cursor, statements: str) -> None:
        # executescript would commit the transaction that it runs in
        statement = ""
        for part in statements.split(";")[:-1]:
            statement += part + ";"
            if sqlite3.complete_statement(statement):
                cursor.execute(statement)
                statement = ""
        if rest := (statement + statements.rpartition(";")[2]).strip():
            cursor.execute(rest)

    def outage(self, error: BaseException) -> bool:
        if isinstance(error, sqlite3.Error):
            return _primary_code(error) in OUTAGES
        return isinstance(error, Unavailable)

    def changed_elsewhere(self) -> bool:
        try:
            (version,) = self._watch.execute("PRAGMA data_version").fetchone()
        except sqlite3.OperationalError as error:
            raise Unavailable(str(error)) from error
        changed, self._seen_version = version != self._seen_version, int(version)
        return bool(changed)

    def healthy(self) -> bool:
        return self._datastore.in_place() and os.access(self.path, os.W_OK)

    def close(self) -> None:
        with self._appended:
            self._watch.close()
        self._datastore.close()


def _file_id(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _primary_code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def _translated(error: sqlite3.Error) -> Exception:
    """The library's error of the same meaning; ``OperationalError`` only for outages."""
    if _primary_code(error) in OUTAGES:
        return library.OperationalError(str(error))
    if isinstance(error, sqlite3.IntegrityError):
        return library.IntegrityError(str(error))
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        return library.DatabaseError(str(error))
    return library.ProgrammingError(str(error))

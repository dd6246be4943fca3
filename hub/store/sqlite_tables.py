"""SQLite: WAL mode, one writer and many readers of a file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from eventsourcing import persistence as library
from eventsourcing.sqlite import SQLiteConnection, SQLiteConnectionPool, SQLiteCursor, SQLiteDatastore

from hub.store.base import outages
from hub.store.errors import Unavailable
from hub.store.tables import Cursor, Tables

LOCK_TIMEOUT = 5
"""Seconds that a writer waits for another process's transaction before the store is unavailable."""
STATEMENTS = 128
READERS = 16

OUTAGES = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
})
"""Primary result codes that mean "not now"; every other error is somebody's mistake."""

PRAGMAS = ("foreign_keys=ON", "secure_delete=1")


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
    def __init__(self, path: Path, *, writes: bool, durable: bool) -> None:
        super().__init__(
            db_name=str(path), lock_timeout=LOCK_TIMEOUT, pool_timeout=float(LOCK_TIMEOUT),
            pool_size=1 if writes else READERS, max_overflow=0 if writes else READERS)
        self.writes = writes
        self.pragmas = (f"synchronous={'FULL' if durable else 'NORMAL'}", *PRAGMAS)

    def _create_connection(self) -> SQLiteConnection:
        try:
            connection = sqlite3.connect(
                self.db_name, isolation_level=None, check_same_thread=False,
                cached_statements=STATEMENTS, timeout=LOCK_TIMEOUT)
            try:
                for pragma in ("journal_mode=WAL", *self.pragmas) if self.writes else (*self.pragmas, "query_only=ON"):
                    connection.execute(f"PRAGMA {pragma}").fetchall()
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise _translated(error) from error
        connection.row_factory = sqlite3.Row
        return _Connection(connection, max_age=None)


class Datastore(SQLiteDatastore):
    """The library's datastore with a pool for the writer and one for readers.

    In one pool a reader queues behind a writer that waits for its turn.
    """

    def __init__(self, path: Path, *, durable: bool) -> None:
        self.path = path
        path.touch(mode=0o600)
        super().__init__(str(path), lock_timeout=LOCK_TIMEOUT)
        self.pool = _Pool(path, writes=False, durable=durable)
        self.writer = _Pool(path, writes=True, durable=durable)
        with self.get_connection(commit=True):
            pass  # the first writer switches the file to WAL before anybody reads
        self.file = file_id(path)

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

    @contextmanager
    def plain(self) -> Iterator[sqlite3.Connection]:
        """A connection for one reading statement."""
        connection = self.pool.get_connection()
        try:
            yield connection._sqlite_conn
        except sqlite3.Error as error:
            raise _translated(error) from error
        finally:
            self.pool.put_connection(connection)

    def in_place(self) -> bool:
        """Whether the path still leads to the file that is open; a commit into a deleted file succeeds."""
        return file_id(self.path) == self.file

    def close(self) -> None:
        super().close()
        self.writer.close()  # the last to close: it empties the log into the file



class SqliteTables(Tables):
    """Tables in one SQLite file, made when it is absent.

    ``durable``: a commit is on the disk. Without it a power cut may take back the last commits, in order; for what can be
    made again.
    """

    def __init__(self, path: Path, *, durable: bool) -> None:
        self.path = path
        with outages():
            self.datastore = Datastore(path, durable=durable)

    @contextmanager
    def writing(self) -> Iterator[Cursor]:
        with outages(), self.datastore.transaction(commit=True) as cursor:
            yield cursor.sqlite_cursor

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        with outages(), self.datastore.transaction(commit=False) as cursor:
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

    def names(self, cursor: Cursor) -> frozenset[str]:
        rows = cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
        return frozenset(row["name"] for row in rows)

    def outage(self, error: BaseException) -> bool:
        if isinstance(error, sqlite3.Error):
            return primary_code(error) in OUTAGES
        return isinstance(error, Unavailable)

    def now(self, cursor: Cursor) -> float:
        return time.time()  # everybody who opens the file is on this machine

    @contextmanager
    def beside(self, name: str) -> Iterator[SqliteTables]:
        path = self.path.with_name(f"{self.path.stem}-{name}.db")
        _remove(path)
        other = SqliteTables(path, durable=False)
        try:
            yield other
        finally:
            other.close()
            _remove(path)

    def seclude(self, cursor: Cursor, names: Sequence[str]) -> None:
        """Nothing to do: readers go on seeing the tables of before."""

    def move_in(self, cursor: Cursor, other: Tables, names: Sequence[str], statements: str) -> None:
        assert isinstance(other, SqliteTables)
        self.script(cursor, statements)
        # Copied by this connection: a file cannot be attached inside a transaction.
        for name in names:
            with other.reading() as source:
                rows = source.execute(f"SELECT * FROM {name}")
                first = rows.fetchone()
                if first is not None:
                    insert = f"INSERT INTO {name} VALUES ({', '.join('?' * len(tuple(first)))})"
                    cursor.execute(insert, tuple(first))
                    cursor.executemany(insert, (tuple(row) for row in rows))

    def checkpoint(self) -> None:
        """Bring the write-ahead log into the file and cut it to nothing: it holds rows as they were before.

        Readers of a moment ago are waited for; :class:`Unavailable` where one goes on.
        """
        with outages(), self.datastore.get_connection(commit=True) as connection:
            try:
                (busy, *_) = connection._sqlite_conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.Error as error:
                raise _translated(error) from error
        if busy:
            raise Unavailable(f"what was deleted is still in the write-ahead log of {self.path.name}: somebody reads it")

    def rewrite(self) -> None:
        """Write the whole file anew without anything that was deleted."""
        with outages(), self.datastore.get_connection(commit=True) as connection:
            try:
                connection._sqlite_conn.execute("VACUUM")
            except sqlite3.Error as error:
                raise _translated(error) from error

    def close(self) -> None:
        """Close all connections."""
        self.datastore.close()


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def file_id(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def primary_code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def _translated(error: sqlite3.Error) -> Exception:
    """The library's error of the same meaning; ``OperationalError`` only for outages."""
    if primary_code(error) in OUTAGES:
        return library.OperationalError(str(error))
    if isinstance(error, sqlite3.IntegrityError):
        return library.IntegrityError(str(error))
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        return library.DatabaseError(str(error))
    return library.ProgrammingError(str(error))

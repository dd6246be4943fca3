"""The store for many processes: PostgreSQL. An append is one call of a function that takes a lock before it numbers.

Without the lock a reader that follows the log may see number 8 before number 7 is committed, and never see 7. The lock is
held until the commit is on the disk, so that numbers become visible in order; group commit makes up for the waiting.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event as Flag
from threading import Thread
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, Notification, StoredEvent

from hub.store.base import EventStore
from hub.store.errors import NotMigrated, Unavailable
from hub.store.group import GroupCommit
from hub.store.keys import Keys
from hub.store.leases import TABLES as LEASES
from hub.store.postgres_keys import SCHEMA as KEYS
from hub.store.postgres_tables import (
    APPEND_LOCK,
    TABLES_LOCK,
    VIEWS_LOCK,
    Connection,
    Pool,
    PostgresCursor,
    PostgresTables,
    outage,
    typed,
)
from hub.store.tables import Cursor

logger = logging.getLogger(__name__)

CHANNEL = "hub_events"
"""Where every append says the new head of the log."""
HEAR_POLL = 1.0
"""Seconds after which the log is looked at even if nothing was heard: a notification is a hint, never a promise."""

SCHEMA = typed("""
CREATE TABLE IF NOT EXISTS stored_events (
    originator_id UUID NOT NULL,
    originator_version BIGINT NOT NULL,
    topic TEXT NOT NULL,
    state BYTEA NOT NULL,
    notification_id BIGSERIAL,
    PRIMARY KEY (originator_id, originator_version)
);
CREATE UNIQUE INDEX IF NOT EXISTS stored_events_by_position ON stored_events (notification_id);
""") + f"""
CREATE OR REPLACE FUNCTION hub_append(streams UUID[], versions BIGINT[], topics TEXT[], states BYTEA[])
RETURNS BIGINT[] LANGUAGE plpgsql AS $$
DECLARE positions BIGINT[];
BEGIN
    PERFORM pg_advisory_xact_lock({APPEND_LOCK});
    WITH stored AS (
        INSERT INTO stored_events (originator_id, originator_version, topic, state)
        SELECT r.stream, r.version, r.topic, r.state
        FROM unnest(streams, versions, topics, states) WITH ORDINALITY AS r (stream, version, topic, state, n) ORDER BY r.n
        RETURNING notification_id)
    SELECT array_agg(notification_id ORDER BY notification_id) INTO positions FROM stored;
    PERFORM pg_notify('{CHANNEL}', positions[array_upper(positions, 1)]::text);
    RETURN positions;
END $$;
"""

Rows = Sequence[StoredEvent]
Outcome = list[int] | Exception
"""The log positions of an append, or why it alone failed."""


NUMBERED = """
SELECT table_name AS name, column_name AS number, pg_get_serial_sequence(quote_ident(table_name), column_name) AS sequence
FROM information_schema.columns
WHERE table_schema = current_schema() AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL
"""
"""Columns that number their rows by a sequence."""


class _Recorder(ApplicationRecorder):
    """The library's recorder over our table; the columns are the library's own."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._group: GroupCommit[Rows, list[int]] = GroupCommit(self._commit)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> list[int]:
        return self._group.write(stored_events)

    def _commit(self, appends: list[Rows]) -> list[Outcome]:
        with self.pool.connection() as connection:
            try:
                positions = iter(self._call(connection, [row for rows in appends for row in rows]))
            except IntegrityError as error:
                if len(appends) == 1:
                    return [error]
                return [self._alone(connection, rows) for rows in appends]
        return [[next(positions) for _ in rows] for rows in appends]

    def _alone(self, connection: Connection, rows: Rows) -> Outcome:
        try:
            return self._call(connection, rows)
        except IntegrityError as error:
            return error

    def _call(self, connection: Connection, rows: Rows) -> list[int]:
        try:
            row = connection.execute("SELECT hub_append(%s, %s, %s, %s)", (
                [row.originator_id for row in rows], [row.originator_version for row in rows], [row.topic for row in rows],
                [row.state for row in rows]), binary=True).fetchone()
        except psycopg.IntegrityError as error:
            raise IntegrityError(str(error)) from error
        assert row is not None
        return list(row[0])

    def select_events(self, originator_id: UUID | str, *, gt: int | None = None, lte: int | None = None, desc: bool = False,
                      limit: int | None = None) -> list[StoredEvent]:
        statement = "SELECT originator_version, topic, state FROM stored_events WHERE originator_id = %s"
        values: list[Any] = [originator_id]
        for condition, value in (("originator_version > %s", gt), ("originator_version <= %s", lte)):
            if value is not None:
                statement += f" AND {condition}"
                values.append(value)
        statement += f" ORDER BY originator_version {'DESC' if desc else 'ASC'}"
        if limit is not None:
            statement += " LIMIT %s"
            values.append(limit)
        rows = self.pool.run(statement, values, binary=True)
        return [StoredEvent(originator_id, version, topic, state) for version, topic, state in rows]

    def select_notifications(self, start: int | None, limit: int, stop: int | None = None, topics: Sequence[str] = (), *,
                             inclusive_of_start: bool = True) -> list[Notification]:
        conditions, values = ["true"], list[Any]()
        for condition, value in ((f"notification_id {'>=' if inclusive_of_start else '>'} %s", start),
                                 ("notification_id <= %s", stop), ("topic = ANY(%s)", list(topics) or None)):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        rows = self.pool.run("SELECT originator_id, originator_version, topic, state, notification_id FROM stored_events WHERE "
                             f"{' AND '.join(conditions)} ORDER BY notification_id LIMIT %s", [*values, limit], binary=True)
        return [Notification(stream, version, topic, state, id) for stream, version, topic, state, id in rows]

    def max_notification_id(self) -> int | None:
        (row,) = self.pool.run("SELECT MAX(notification_id) FROM stored_events")
        return None if row[0] is None else int(row[0])

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Any:
        """Not used: :meth:`hub.store.base.EventStore.wait_for_append` wakes readers, of both stores alike."""
        raise NotImplementedError


class PostgresStore(EventStore):
    """Events, tables and read models in one PostgreSQL database (the schema that its ``search_path`` names first).

    ``listen_url``: a direct connection for LISTEN where ``url`` leads through a pooler in transaction mode; statements are
    then not prepared. Raises :class:`NotMigrated` where :func:`migrate` has not made the tables.
    """

    makes_tables = False

    def __init__(self, url: str, keys: Keys, *, listen_url: str = "") -> None:
        self.pool = Pool(url, prepare=not listen_url)
        self.listen_url = listen_url or url
        try:
            self.recorder = _Recorder(self.pool)
            views = PostgresTables(self.pool, VIEWS_LOCK, durable=False)
            with views.reading() as cursor:
                missing = {"stored_events", "leases"} - views.names(cursor)
            if missing:
                raise NotMigrated("the database has no tables of the hub")
            super().__init__(self.recorder, keys, PostgresTables(self.pool, TABLES_LOCK, durable=True), views)
        except BaseException:
            self.pool.close()
            raise
        self.scratch = PostgresTables(self.pool, None, durable=False)
        self._closed = Flag()
        self._heard = Flag()
        self._ear: Thread | None = None

    def _insert(self, stored: Sequence[StoredEvent]) -> list[int]:
        """An append whose connection broke may be stored or not: it is made again, and the event ids tell."""
        for last in (False, False, True):
            try:
                return super()._insert(stored)
            except Unavailable:
                if last:
                    raise
        raise AssertionError

    def position(self, stream: UUID, version: int) -> int:
        with self.reading() as cursor:
            cursor.execute("SELECT notification_id AS id FROM stored_events WHERE originator_id = ? AND originator_version = ?",
                           (stream, version))
            return int(cursor.fetchone()["id"])

    def count(self) -> int:
        with self.reading() as cursor:
            return int(cursor.execute("SELECT COUNT(*) AS n FROM stored_events").fetchone()["n"])

    def rows(self, cursor: Cursor, after: int, limit: int) -> list[Notification]:
        assert isinstance(cursor, PostgresCursor)
        cursor.raw.execute("SELECT originator_id, originator_version, topic, state, notification_id FROM stored_events "
                           "WHERE notification_id > %s ORDER BY notification_id LIMIT %s", (after, limit), binary=True)
        return [Notification(*row) for row in cursor.raw]

    @contextmanager
    def filling(self) -> Iterator[Cursor]:
        """The sequences stand beyond the highest number of their rows at the end."""
        with self.writing() as cursor:
            cursor.execute(f"SELECT pg_advisory_xact_lock({APPEND_LOCK})")
            yield cursor
            for row in cursor.execute(NUMBERED).fetchall():
                cursor.execute(f"SELECT setval('{row['sequence']}', MAX({row['number']})) FROM {row['name']}")

    def put_rows(self, cursor: Cursor, rows: Sequence[Notification]) -> None:
        assert isinstance(cursor, PostgresCursor)
        columns = "(notification_id, originator_id, originator_version, topic, state)"
        with cursor.raw.copy(f"COPY stored_events {columns} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "uuid", "int8", "text", "bytea"])
            for row in rows:
                copy.write_row((row.id, row.originator_id, row.originator_version, row.topic, row.state))

    def changed_elsewhere(self) -> bool:
        """Whether something was heard. The first call begins to listen."""
        if self._ear is None:
            self._ear = Thread(target=self._listen, name="listen", daemon=True)
            self._ear.start()
            return True
        heard = self._heard.is_set()
        self._heard.clear()
        return heard

    def _listen(self) -> None:
        """Wake who waits at every notification, once a second besides, and after every loss of the connection."""
        while not self._closed.is_set():
            try:
                with psycopg.connect(self.listen_url, autocommit=True, connect_timeout=5, application_name="hub listens") as ear:
                    ear.execute(f"LISTEN {CHANNEL}")
                    self._hear(self.head())  # what came before LISTEN
                    while not self._closed.is_set():
                        heard = [int(note.payload) for note in ear.notifies(timeout=HEAR_POLL, stop_after=1)]
                        self._hear(max(heard, default=0) or self.head())
            except (psycopg.Error, Unavailable, ValueError) as error:
                logger.warning("notifications are not heard, looking every %.1f s instead: %s", HEAR_POLL, type(error).__name__)
                self._heard.set()
                self._closed.wait(HEAR_POLL)

    def _hear(self, head: int) -> None:
        if head > self._known_head:
            self._wake(head)

    def healthy(self) -> bool:
        try:
            with self.reading() as cursor:
                cursor.execute("SELECT pg_is_in_recovery() AS replica")
                return not cursor.fetchone()["replica"]
        except Unavailable:
            return False

    def close(self) -> None:
        self._closed.set()
        if self._ear is not None:
            self._ear.join(timeout=2 * HEAR_POLL + 5)
        self.pool.close()


def migrate(url: str, tables: Sequence[str]) -> None:
    """Make the schema, once, before any process starts: many that make tables at once get in each other's way.

    ``tables``: statements for the tables beside the log. May be repeated.
    """
    _run(url, SCHEMA, KEYS, typed(LEASES), *map(typed, tables))


def migrate_keys(url: str) -> None:
    """Make the schema of the keys in a database of their own. May be repeated."""
    _run(url, KEYS)


def _run(url: str, *scripts: str) -> None:
    with outage(), psycopg.connect(url, connect_timeout=5) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (TABLES_LOCK,))
        for statements in scripts:
            connection.execute(statements)

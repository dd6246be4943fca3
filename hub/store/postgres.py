"""The store for many processes: PostgreSQL. Appends wait for the disk together; readers wait for the numbers under way.

A reader that follows the log must not take number 8 while number 7 is not committed: it would never see 7. So an append marks
the next number, by an advisory lock that anybody may share, before it takes numbers of its own, and keeps the mark until its
transaction has ended. Readers stop before the lowest mark (``hub_horizon``). A lock that lets one append in at a time would do
as well, and would make each wait for the disk alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from threading import Event as Flag
from threading import Lock, Thread
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, Notification, StoredEvent
from psycopg.rows import tuple_row
from psycopg.types.numeric import Int8

from hub.domain.event import Event
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
    rewrite,
    typed,
)
from hub.store.tables import Cursor

logger = logging.getLogger(__name__)

CHANNEL = "hub_events"
"""Where processes that appended say so."""
TELL_PAUSE = 0.005
"""Seconds between two notifications of a process: what is appended meanwhile is told together."""
FEW = 4
"""Rows of an append that are sent one by one."""
HEAR_POLL = 1.0
"""Seconds after which the log is looked at even if nothing was heard: a notification is a hint, never a promise."""

NEXT = "CASE WHEN is_called THEN last_value + 1 ELSE last_value END"
"""The number that an append takes next, of the sequence's row."""
MARKS = f"((('stored_events'::regclass::oid::bigint) & {2**23 - 1}) << 40)"
"""What is added to a number to make a mark of it: the marks of several schemas of a database are kept apart."""

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
    PERFORM pg_advisory_xact_lock_shared({APPEND_LOCK});
    PERFORM pg_advisory_xact_lock_shared({MARKS} + {NEXT}) FROM stored_events_notification_id_seq;
    SELECT array_agg(nextval('stored_events_notification_id_seq')) INTO positions FROM generate_subscripts(streams, 1);
    INSERT INTO stored_events (originator_id, originator_version, topic, state, notification_id)
        SELECT * FROM unnest(streams, versions, topics, states, positions) AS r (stream, version, topic, state, position)
        ORDER BY r.stream, r.version;
    RETURN positions;
END $$;
CREATE OR REPLACE FUNCTION hub_horizon() RETURNS BIGINT LANGUAGE plpgsql VOLATILE AS $$
DECLARE marks BIGINT := {MARKS};
        next BIGINT;
        oldest BIGINT;
BEGIN
    SELECT {NEXT} INTO next FROM stored_events_notification_id_seq;
    SELECT min((classid::bigint << 32 | objid::bigint) - marks) INTO oldest FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 8 = marks >> 40
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
    RETURN LEAST(next, oldest);
END $$;
"""
"""``hub_horizon`` looks at the numbers before it looks at the marks: whoever took a number by then has put its mark before.
Rows are stored in one order of streams, so that two appends to the same streams wait for each other and never in a circle;
their numbers are in the order of the caller."""

Rows = Sequence[StoredEvent]
Outcome = list[int] | Exception
"""The log positions of an append, or why it alone failed."""


NUMBERED = """
SELECT table_name AS name, column_name AS number, pg_get_serial_sequence(quote_ident(table_name), column_name) AS sequence
FROM information_schema.columns
WHERE table_schema = current_schema() AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL
"""
"""Columns that number their rows by a sequence."""


@cache
def _append_of(rows: int) -> str:
    """The call for so many rows, each of their columns a parameter."""
    array = f"ARRAY[{', '.join(['%s'] * rows)}]"
    return f"SELECT hub_append({array}::uuid[], {array}::bigint[], {array}::text[], {array}::bytea[])"


class _Recorder(ApplicationRecorder):
    """The library's recorder over our table; the columns are the library's own."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._group: GroupCommit[Rows, list[int]] = GroupCommit(self._commit)
        self._horizon = 0

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
        columns = ([row.originator_id for row in rows], [Int8(row.originator_version) for row in rows],
                   [row.topic for row in rows], [row.state for row in rows])
        try:
            with connection.cursor(row_factory=tuple_row) as cursor:
                if len(rows) <= FEW:  # an array costs the driver more than its elements do
                    cursor.execute(_append_of(len(rows)), list(chain(*columns)), binary=True)
                else:
                    cursor.execute("SELECT hub_append(%s, %s, %s, %s)", columns, binary=True)
                row = cursor.fetchone()
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

    def horizon(self) -> int:
        """The lowest number that an append under way may have; what is below does not change any more.

        To be asked before the snapshot in which rows are read: what ends in between is not in it.
        """
        [(horizon,)] = self.pool.run("SELECT hub_horizon()")
        self._horizon = max(self._horizon, int(horizon))
        return self._horizon

    def select_notifications(self, start: int | None, limit: int, stop: int | None = None, topics: Sequence[str] = (), *,
                             inclusive_of_start: bool = True) -> list[Notification]:
        conditions, values = ["notification_id < %s"], list[Any]()
        for condition, value in ((f"notification_id {'>=' if inclusive_of_start else '>'} %s", start),
                                 ("notification_id <= %s", stop), ("topic = ANY(%s)", list(topics) or None)):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        statement = ("SELECT originator_id, originator_version, topic, state, notification_id FROM stored_events WHERE "
                     f"{' AND '.join(conditions)} ORDER BY notification_id LIMIT %s")
        rows: list[Any] = []
        if (start or 0) + limit < self._horizon:  # a reader of the past need not ask
            rows = self.pool.run(statement, [self._horizon, *values, limit], binary=True)
        if len(rows) < limit:
            rows = self.pool.run(statement, [self.horizon(), *values, limit], binary=True)
        return [Notification(stream, version, topic, state, id) for stream, version, topic, state, id in rows]

    def max_notification_id(self) -> int | None:
        (row,) = self.pool.run("SELECT MAX(notification_id) FROM stored_events WHERE notification_id < %s", (self.horizon(),))
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
        self._mouth: Thread | None = None
        self._news = Flag()
        self._newest = self._told = 0
        self._beginning = Lock()

    def append(self, events: Sequence[Event]) -> list[int]:
        positions = super().append(events)
        if positions:
            self._newest = positions[-1]
            self._news.set()
            with self._beginning:
                if self._mouth is None:
                    self._mouth = Thread(target=self._tell, name="tell", daemon=True)
                    self._mouth.start()
        return positions

    def _tell(self) -> None:
        """Notify other processes of what this one appends, beside the appends: transactions that notify commit one by one."""
        while True:
            self._news.wait()
            self._news.clear()
            if self._newest != self._told:
                self._told = self._newest
                try:
                    self.pool.run("SELECT pg_notify(%s, %s)", (CHANNEL, str(self._told)))
                except Unavailable:
                    logger.debug("nobody was notified; who listens looks every %.1f s as well", HEAR_POLL)
            if self._closed.wait(TELL_PAUSE) and self._newest == self._told:
                return

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
                        for _ in ear.notifies(timeout=HEAR_POLL, stop_after=1):
                            pass  # it may name a number that readers must not see yet
                        self._hear(self.head())
            except (psycopg.Error, Unavailable) as error:
                logger.warning("notifications are not heard, looking every %.1f s instead: %s", HEAR_POLL, type(error).__name__)
                self._heard.set()
                self._closed.wait(HEAR_POLL)

    def _hear(self, head: int) -> None:
        if head > self._known_head:
            self._wake(head)

    def scrub(self, tables: Sequence[str], *, thorough: bool = False) -> None:
        with self.reading() as cursor:
            there = self.tables.names(cursor) - {"stored_events"}
        rewrite(self.pool, [f'"{name}"' for name in tables if name in there])

    def holding(self, texts: Sequence[str]) -> None:
        return None

    def healthy(self) -> bool:
        try:
            with self.reading() as cursor:
                cursor.execute("SELECT pg_is_in_recovery() AS replica")
                return not cursor.fetchone()["replica"]
        except Unavailable:
            return False

    def close(self) -> None:
        self._closed.set()
        self._news.set()
        for thread in (self._mouth, self._ear):
            if thread is not None:
                thread.join(timeout=2 * HEAR_POLL + 5)
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

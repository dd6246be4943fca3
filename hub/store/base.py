"""What every event store of the hub is; a database adds its recorder and its transactions."""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import Condition
from uuid import UUID

from eventsourcing.persistence import ApplicationRecorder, IntegrityError, Notification, OperationalError, StoredEvent

from hub.domain.event import Event
from hub.store.codec import EventMapper
from hub.store.errors import Conflict, NotMigrated, Unavailable
from hub.store.keys import Keys
from hub.store.leases import Leases
from hub.store.tables import Cursor, Tables

__all__ = ["Cursor", "EventStore", "Notification", "StoredEvent", "outages"]

POLLS = ((5.0, 0.005), (30.0, 0.02))
"""Up to so many seconds after the last event, look for events of other processes every so many seconds."""
QUIET_POLL = 0.1
"""The same after that."""


class EventStore(ABC):
    """Append-only events in streams, and one log of all of them by position (1, 2, …).

    Safe for threads and processes. Everything raises :class:`Unavailable` when the database is locked,
    full or gone. A database needs a recorder of the library, its two places for tables and the abstract methods here.

    ``tables``: what is beside the log and cannot be made again (passwords, sessions, positions of senders).
    ``views``: read models, and what is worth nothing after a restart (leases). ``leases``: who does what now.
    """

    scratch: Tables | None = None
    """Where web processes count together what nobody misses after a restart; None where there is only one of them."""
    makes_tables = True
    """Whether any process may make tables; else ``hub migrate`` does, once."""

    def __init__(self, recorder: ApplicationRecorder, keys: Keys, tables: Tables, views: Tables) -> None:
        self.recorder = recorder
        self.tables = tables
        self.views = views
        self.leases = Leases(views)
        self.keys = keys
        self.mapper = EventMapper(keys)
        self._appended = Condition()
        self._known_head = self.head()
        self._active_at = time.monotonic()

    def append(self, events: Sequence[Event]) -> list[int]:
        """Store ``events``, of one stream or several, in one transaction; their log positions, in order.

        On return they are on the disk. :class:`Conflict` when a version of one of the streams is taken by
        another event; nothing is stored then. When all of them are stored already (same event ids at the
        same places: the answer to an earlier commit was lost), their positions are returned.
        """
        if not events:
            return []
        stored = self.mapper.to_stored_events(events)
        try:
            positions = self._insert(stored)
        except IntegrityError as error:
            known = self._stored_before(events)
            if known is None:
                raise Conflict("another event is stored at this version: read the stream again") from error
            positions = known
        self._wake(max(positions))
        return positions

    def _insert(self, stored: Sequence[StoredEvent]) -> list[int]:
        with outages():
            return list(self.recorder.insert_events(stored) or ())

    def read(self, stream: UUID, after: int = 0, upto: int | None = None) -> list[Event]:
        """Events of ``stream`` with versions above ``after``, up to ``upto`` included."""
        return self.mapper.to_domain_events(self.raw(stream, after, upto))

    def raw(self, stream: UUID, after: int = 0, upto: int | None = None) -> list[StoredEvent]:
        """The rows of ``stream`` as stored, for auditors."""
        with outages():
            return list(self.recorder.select_events(stream, gt=after, lte=upto))

    def log(self, after: int, limit: int) -> list[tuple[int, Event]]:
        """Up to ``limit`` events of all streams after position ``after``, with their positions."""
        rows = self.tail(after, limit)
        return list(zip([row.id for row in rows], self.mapper.to_domain_events(rows), strict=True))

    def tail(self, after: int, limit: int) -> list[Notification]:
        """Rows of the log as stored; ``id`` is the position. :meth:`decode` makes an event of one."""
        with outages():
            return list(self.recorder.select_notifications(after, limit, inclusive_of_start=False))

    def decode_all(self, stored: Sequence[StoredEvent]) -> list[Event]:
        """The events of rows that are read together: :meth:`decode`, with one look at the keys for all of them."""
        return self.mapper.to_domain_events(stored)

    def decode(self, stored: StoredEvent) -> Event:
        """The event of a row. Raises :class:`hub.store.Unreadable`."""
        return self.mapper.to_domain_event(stored)

    def head(self) -> int:
        """The position of the newest event; 0 when there is none."""
        with outages():
            return self.recorder.max_notification_id() or 0

    def wait_for_append(self, since: int, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds until the log reaches beyond position ``since``.

        Appends of this process wake at once; those of other processes are noticed within 5 ms, within
        20 ms after 5 quiet seconds, within 100 ms after 30.
        """
        until = time.monotonic() + timeout
        with self._appended:
            while self._known_head <= since:
                if self.changed_elsewhere() and (head := self.head()) > self._known_head:
                    self._known_head, self._active_at = head, time.monotonic()
                    continue
                now = time.monotonic()
                if now >= until:
                    return False
                quiet = now - self._active_at
                poll = next((poll for limit, poll in POLLS if quiet < limit), QUIET_POLL)
                self._appended.wait(min(poll, until - now))
        return True

    def _wake(self, position: int) -> None:
        with self._appended:
            self._known_head = max(self._known_head, position)
            self._active_at = time.monotonic()
            self._appended.notify_all()

    def _stored_before(self, events: Sequence[Event]) -> list[int] | None:
        """Positions of ``events`` if exactly they are stored at their places."""
        for event in events:
            version = event.originator_version
            there = self.read(event.originator_id, version - 1, version)
            if [(e.event_id, e.TOPIC) for e in there] != [(event.event_id, event.TOPIC)]:
                return None
        return [self.position(event.originator_id, event.originator_version) for event in events]

    @abstractmethod
    def position(self, stream: UUID, version: int) -> int:
        """The log position of a stored event."""

    @abstractmethod
    def count(self) -> int:
        """How many events are stored."""

    def writing(self) -> AbstractContextManager[Cursor]:
        """A write transaction on :attr:`tables`; see there. No append inside it."""
        return self.tables.writing()

    def reading(self) -> AbstractContextManager[Cursor]:
        """A read transaction on :attr:`tables`; see there."""
        return self.tables.reading()

    def script(self, cursor: Cursor, statements: str) -> None:
        """Run several statements inside a transaction on :attr:`tables`."""
        self.tables.script(cursor, statements)

    def make_tables(self, statements: str) -> None:
        """Make tables beside the log where they are missing; :class:`NotMigrated` where a process may not make them."""
        wanted = set(tables_made(statements))
        with self.reading() as cursor:
            missing = wanted - self.tables.names(cursor)
        if missing and not self.makes_tables:
            raise NotMigrated(f"the database has no table {', '.join(sorted(missing))}")
        if missing:
            with self.writing() as cursor:
                self.script(cursor, statements)

    def outage(self, error: BaseException) -> bool:
        """Whether ``error`` says that the database cannot work now, rather than that the caller is wrong."""
        return self.tables.outage(error)

    @abstractmethod
    def rows(self, cursor: Cursor, after: int, limit: int) -> list[Notification]:
        """Up to ``limit`` rows of the log after position ``after``, as the transaction of ``cursor`` sees them."""

    @abstractmethod
    def filling(self) -> AbstractContextManager[Cursor]:
        """A write transaction on :attr:`tables` for :meth:`put_rows`: nobody appends until it ends."""

    @abstractmethod
    def put_rows(self, cursor: Cursor, rows: Sequence[Notification]) -> None:
        """Store rows at the positions that they have, in bulk; ``cursor`` is of :meth:`filling`. For copies of whole logs."""

    @abstractmethod
    def changed_elsewhere(self) -> bool:
        """Whether the database may have changed since the last call. Cheap; one caller at a time."""

    @abstractmethod
    def healthy(self) -> bool:
        """Whether the database that was opened is still there to be written to."""

    @abstractmethod
    def scrub(self, tables: Sequence[str], *, thorough: bool = False) -> None:
        """Leave nothing in the files of what was deleted or overwritten in ``tables``; the log itself is never touched.
        ``thorough``: by writing read models anew where that is not done anyway. :class:`Unavailable` where somebody reads for
        too long: to be done again."""

    @abstractmethod
    def holding(self, texts: Sequence[str]) -> tuple[int, list[str]] | None:
        """How many bytes of files of the database were searched for ``texts``, and the files that hold one; None where this
        program does not see the files."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections. The keys are their owner's to close."""


def tables_made(statements: str) -> tuple[str, ...]:
    """The names of the tables that ``CREATE`` statements make, in their order."""
    return tuple(re.findall(r"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)", statements, re.IGNORECASE))


@contextmanager
def outages() -> Iterator[None]:
    """The library's ``OperationalError`` (out of connections, locked, full) as :class:`Unavailable`."""
    try:
        yield
    except OperationalError as error:
        raise Unavailable(str(error)) from error

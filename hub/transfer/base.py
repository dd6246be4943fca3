"""What copies, backups and restores share: refusals, progress, and the fingerprint of a log."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from hub.store.base import Cursor, EventStore, Notification
from hub.store.errors import Unreadable

PAGE = 2_000
"""Rows of the log that are in memory at a time."""

Tell = Callable[[str, int, int], object]
"""How far a step is: its name, rows done, rows in all."""


class Refusal(Exception):
    """It is not done, and nothing that was there is changed. The sentence names the way out."""


@dataclass(frozen=True)
class Fingerprint:
    """A log in three values. ``digest``: SHA-256 (hex) over position, stream, version, topic and state of every row in order."""

    count: int
    head: int
    digest: str


class Fingerprinting:
    """The fingerprint of the rows that were added."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._count = self._head = 0

    def add(self, rows: Iterable[Notification]) -> None:
        """Take in the next rows of the log."""
        for row in rows:
            stream = row.originator_id.hex if isinstance(row.originator_id, UUID) else row.originator_id
            # Lengths are in it, so that no two logs read the same.
            self._hash.update(f"{row.id} {stream} {row.originator_version} {row.topic} {len(row.state)}\n".encode())
            self._hash.update(row.state)
            self._count += 1
            self._head = row.id

    def result(self) -> Fingerprint:
        """Of all that was added so far."""
        return Fingerprint(self._count, self._head, self._hash.hexdigest())


def pages(store: EventStore, cursor: Cursor, step: str, tell: Tell) -> Iterator[list[Notification]]:
    """The log as the transaction of ``cursor`` sees it, a page at a time."""
    cursor.execute("SELECT COUNT(*) AS n FROM stored_events")
    total = int(cursor.fetchone()["n"])
    after = done = 0
    while rows := store.rows(cursor, after, PAGE):
        yield rows
        after, done = rows[-1].id, done + len(rows)
        tell(step, done, total)


def fingerprint(store: EventStore, cursor: Cursor, step: str, tell: Tell) -> Fingerprint:
    """The fingerprint of the log as the transaction of ``cursor`` sees it."""
    reading = Fingerprinting()
    for rows in pages(store, cursor, step, tell):
        reading.add(rows)
    return reading.result()


@dataclass
class Unread:
    """Rows that cannot be made into events: how many, and the first of them in words."""

    count: int = 0
    first: str = ""

    def look_at(self, store: EventStore, rows: list[Notification]) -> None:
        """Decode ``rows`` with the keys of ``store``."""
        try:
            store.decode_all(rows)
        except Unreadable:
            for row in rows:
                try:
                    store.decode(row)
                except Unreadable as error:
                    self.first = self.first or str(error)
                    self.count += 1

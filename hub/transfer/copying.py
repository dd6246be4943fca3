"""The log, what is beside it, and the keys from one place into an empty one of either kind.

All rows go in in one transaction, which is committed only when what was written reads the same as what is there: a target is
empty or whole, and a copy that was interrupted is simply begun again. The price is room on the disk of the target, about twice
the log while it lasts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from hub.bootstrap import DURABLE
from hub.store.base import Cursor, EventStore, tables_made
from hub.store.keys import Keys
from hub.transfer.base import PAGE, Fingerprint, Fingerprinting, Refusal, Tell, Unread, fingerprint, pages

TABLES = tuple(name for statements in DURABLE for name in tables_made(statements))
"""The tables beside the log, in an order in which they can be filled."""


@dataclass(frozen=True)
class Copied:
    """What a copy moved. ``unread``: rows that cannot be made into events at the target."""

    log: Fingerprint
    rows: int
    unread: Unread


def copy(source: EventStore, target: EventStore, tell: Tell, *, leave: Collection[str] = (),
         before_log: Callable[[], object] = lambda: None, check: Callable[[Copied], object] = lambda copied: None) -> Copied:
    """Copy the log of ``source`` as it is now, and the tables beside it except ``leave``, into the empty ``target``.

    ``before_log`` is called when the state of the source is fixed and before anything is readable at the target: it brings
    the keys, so that no event is newer than its key. ``check`` may refuse at the end; nothing stays at the target then.
    Raises :class:`Refusal` for a target that is not empty, or that does not read the same afterwards.
    """
    with target.filling() as here:
        _refuse_unless_empty(target, here)
        with source.reading() as there:
            written = Fingerprinting()
            for page in pages(source, there, "events", tell):
                target.put_rows(here, page)
                written.add(page)
            rows = sum(_copy_table(source, there, target, here, name) for name in TABLES if name not in leave)
            before_log()
        unread, read = Unread(), Fingerprinting()
        for page in pages(target, here, "events read again", tell):
            read.add(page)
            unread.look_at(target, page)
        copied = Copied(read.result(), rows, unread)
        if copied.log != written.result():
            raise Refusal("what was written does not read the same; nothing was kept. Check the disk of the target.")
        check(copied)
    return copied


def unchanged(source: EventStore, tell: Tell) -> Callable[[Copied], None]:
    """For ``check`` of :func:`copy`: the source, read again from the beginning in a transaction of its own, is still the same."""

    def check(copied: Copied) -> None:
        with source.reading() as cursor:
            now = fingerprint(source, cursor, "events of the source again", tell)
            unread = Unread()
            if copied.unread.count:
                for page in pages(source, cursor, "events of the source again", tell):
                    unread.look_at(source, page)
        if now.head != copied.log.head:
            raise Refusal(f"the source was written to meanwhile (it ends at {now.head}, the copy at {copied.log.head}); nothing "
                          "was kept. Stop the hub that works on it and copy again.")
        if now != copied.log:
            raise Refusal("the source does not read the same twice; nothing was kept. Check its disk, or restore a backup.")
        if copied.unread.count > unread.count:
            raise Refusal(f"{copied.unread.count} events cannot be read at the target ({copied.unread.first}); nothing was kept. "
                          "Give the keys that belong to this log.")

    return check


def copy_keys(source: Keys, target: Keys, erased: Collection[UUID] = ()) -> tuple[int, int]:
    """Bring the keys of ``source``, wrapped as they are, to ``target``; how many keys, and how many destroyed subjects.

    Keys that are at the target already stay, and who was erased at either place, or is in ``erased``, stays erased.
    """
    keys, destroyed = source.rows()
    target.take_in(keys, {*destroyed, *erased})
    kept, erased_there = target.rows()
    there, gone = dict(kept), set(erased_there)
    for subject, wrapped in keys:
        if subject not in gone and there.get(subject) != wrapped:
            raise Refusal(f"the target ({target.where}) has another key for {subject}: it belongs to another log. "
                          "Give an empty place.")
    return len(there), len(gone)


def _refuse_unless_empty(target: EventStore, cursor: Cursor) -> None:
    for table, what in (("stored_events", "events"), *((name, f"rows in the table {name}") for name in TABLES)):
        cursor.execute(f"SELECT COUNT(*) AS n FROM {table}")
        if n := int(cursor.fetchone()["n"]):
            raise Refusal(f"the target is not empty, it holds {n} {what}; nothing was changed. Give a new folder or database, or "
                          "move the old one away first.")


def _copy_table(source: EventStore, there: Cursor, target: EventStore, here: Cursor, name: str) -> int:
    if name not in source.tables.names(there):
        return 0
    rows = iter(there.execute(f"SELECT * FROM {name}"))
    first = next(rows, None)
    if first is None:
        return 0
    columns = first.keys()
    insert = f"INSERT INTO {name} ({', '.join(map(_quoted, columns))}) VALUES ({', '.join('?' * len(columns))})"
    written = _Bag()
    here.execute(insert, written.add(first))
    while some := [written.add(row) for row in islice(rows, PAGE)]:
        here.executemany(insert, some)
    read = _Bag()
    for row in _all(here, name, columns):
        read.add(row)
    if read != written:
        raise Refusal(f"the table {name} does not read as it was written; nothing was kept. Check the disk of the target.")
    return written.count


def _all(cursor: Cursor, name: str, columns: Iterable[str]) -> Iterator[Any]:
    yield from cursor.execute(f"SELECT {', '.join(map(_quoted, columns))} FROM {name}")


def _quoted(column: str) -> str:
    return f'"{column}"'


class _Bag:
    """Rows in no order, by their number and the sum of their digests: databases may give them in any order."""

    def __init__(self) -> None:
        self.count = self.sum = 0

    def add(self, row: Any) -> tuple[Any, ...]:
        values = tuple(row)
        self.count += 1
        self.sum += int.from_bytes(hashlib.sha256(repr(values).encode()).digest(), "big")
        return values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bag) and (self.count, self.sum) == (other.count, other.sum)

    __hash__ = None  # type: ignore[assignment]

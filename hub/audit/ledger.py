"""The tree as it is kept: tiles of 256 hashes beside the log, and the checkpoints that were signed.

The leaves are the events in log order, numbered from 0 without gaps: a number of the tree's own, because the store's
positions may have gaps (PostgreSQL) or be given again (SQLite). A follower hashes what was appended; an append itself
does nothing for the tree. Hashing inside the append would prove no more: what nobody has signed and taken elsewhere yet,
whoever can change events can change as well.

A tile of level L holds the roots of up to 256 neighbouring subtrees of 256**L leaves each, as in C2SP tlog-tiles; tiles of
level 0 also say where in the log each leaf lay when it was hashed.
"""

from __future__ import annotations

import bisect
import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from hub.audit import tree
from hub.audit.verifier import leaf_data, leaf_hash
from hub.store.base import Cursor, EventStore, StoredEvent

TABLES = """
CREATE TABLE IF NOT EXISTS audit_tiles (
    level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL, positions BLOB, first_position INTEGER,
    PRIMARY KEY (level, number));
CREATE INDEX IF NOT EXISTS audit_tiles_by_position ON audit_tiles (first_position);
CREATE TABLE IF NOT EXISTS audit_checkpoints (
    size INTEGER NOT NULL, position INTEGER NOT NULL, note TEXT NOT NULL, at TEXT NOT NULL, stamp BLOB, written_at TEXT,
    mailed_at TEXT, stamped_at TEXT, trouble TEXT NOT NULL, PRIMARY KEY (size));
CREATE TABLE IF NOT EXISTS audit_checks (
    id INTEGER PRIMARY KEY, state TEXT NOT NULL, asked_by TEXT NOT NULL, asked_at TEXT NOT NULL, done INTEGER NOT NULL,
    total INTEGER NOT NULL, ended_at TEXT, size INTEGER NOT NULL, position INTEGER NOT NULL, findings TEXT NOT NULL);
"""
"""Durable tables beside the log. ``state`` of a check: asked | running (the worker's) | direct (the command line's) | done."""

WIDTH = 256
HASH = 32
STRANGE = b"\x02"
"""Before what is hashed of a row that is no event: leaves begin with 0, nodes with 1."""
LARGEST = 1 << 63
BATCH = 4_000
"""Events that are hashed in one transaction at most."""


class Tip(NamedTuple):
    """The end of the tree: how many leaves, the log position of the last one, and the last tile of level 0."""

    size: int
    position: int
    hashes: bytes
    positions: bytes


class Leaf(NamedTuple):
    """A leaf as it was hashed."""

    number: int
    position: int
    hash: bytes


class Kept(NamedTuple):
    """A checkpoint that was signed. ``position`` is the log position of the last event it covers."""

    size: int
    position: int
    note: str
    at: datetime
    stamp: bytes | None
    written_at: datetime | None
    mailed_at: datetime | None
    stamped_at: datetime | None
    trouble: str


def hash_of(row: StoredEvent) -> bytes:
    """The leaf's hash of a stored event: its stream, version, topic and bytes, as they lie in the store.

    What nobody of ours stored (SQLite takes any type anywhere) has a hash of its own, which is no event's.
    """
    stream, version, topic, state = row.originator_id, row.originator_version, row.topic, row.state
    known = isinstance(stream, UUID) and type(topic) is str and type(state) is bytes
    if known and type(version) is int and 0 < version < LARGEST:
        assert isinstance(stream, UUID)
        return leaf_hash(leaf_data(stream.bytes, version, topic, state))
    return hashlib.sha256(STRANGE + repr((stream, version, topic, state)).encode("utf-8", "backslashreplace")).digest()


def packed(positions: Sequence[int]) -> bytes:
    """Positions as bytes, eight for each."""
    return array("q", positions).tobytes()


def unpacked(positions: bytes) -> Sequence[int]:
    """What :func:`packed` made."""
    found = array("q")
    found.frombytes(positions)
    return found


class Ledger:
    """The tree and the checkpoints of one store. Safe for threads and processes."""

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def prepare(self) -> None:
        """Make the tables where they are missing."""
        self.store.make_tables(TABLES)

    # ── growing ──────────────────────────────────────────────────────────────────

    def grow(self, limit: int = BATCH) -> tuple[int, bool]:
        """Hash up to ``limit`` events that were appended; how many, and whether the newest leaf is still in its place.

        Several may call it at once: one of them adds the leaves.
        """
        with self.store.reading() as cursor:
            tip = self.tip(cursor)
            rows = self.store.rows(cursor, max(tip.position - 1, 0), limit + 1)
        in_place = True
        if tip.size:
            there = bool(rows) and rows[0].id == tip.position
            in_place = there and hash_of(rows[0]) == tip.hashes[-HASH:]
            rows = rows[1:] if there else rows[:limit]
        leaves = [(row.id, hash_of(row)) for row in rows]
        if not leaves:
            return 0, in_place
        with self.store.writing() as cursor:
            if self.tip(cursor)[:2] != tip[:2]:
                return 0, in_place  # another process was first
            self._add(cursor, tip, leaves)
        return len(leaves), in_place

    def catch_up(self) -> bool:
        """Hash everything that is in the log now; whether the newest leaf was still in its place each time."""
        good = True
        while True:
            number, in_place = self.grow()
            good &= in_place
            if not number:
                return good

    def tip(self, cursor: Cursor) -> Tip:
        """The end of the tree as the transaction of ``cursor`` sees it."""
        cursor.execute("SELECT number, hashes, positions FROM audit_tiles WHERE level = 0 ORDER BY number DESC LIMIT 1")
        row = cursor.fetchone()
        if row is None:
            return Tip(0, 0, b"", b"")
        hashes, positions = bytes(row["hashes"]), bytes(row["positions"])
        return Tip(row["number"] * WIDTH + len(hashes) // HASH, unpacked(positions)[-1], hashes, positions)

    def _add(self, cursor: Cursor, tip: Tip, leaves: list[tuple[int, bytes]]) -> None:
        number, used = divmod(tip.size, WIDTH)
        hashes, positions = (bytearray(tip.hashes), list(unpacked(tip.positions))) if used else (bytearray(), [])
        tiles, full = [], list[bytes]()
        first_full = number
        for begin in range(-used, len(leaves), WIDTH):
            part = leaves[max(begin, 0):begin + WIDTH]
            for position, hash in part:
                hashes += hash
                positions.append(position)
            tiles.append((0, number, bytes(hashes), packed(positions), positions[0]))
            if len(positions) == WIDTH:
                full.append(tree.over(_split(hashes)))
                number, hashes, positions = number + 1, bytearray(), []
        cursor.executemany(
            "INSERT INTO audit_tiles (level, number, hashes, positions, first_position) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes, positions = excluded.positions", tiles)
        self._add_above(cursor, 1, first_full, full)

    def _add_above(self, cursor: Cursor, level: int, begin: int, roots: list[bytes]) -> None:
        """Put the roots of full tiles, the first of them number ``begin`` below, into the tiles of ``level``."""
        while roots:
            number, used = divmod(begin, WIDTH)
            take, roots = roots[:WIDTH - used], roots[WIDTH - used:]
            found = cursor.execute("SELECT hashes FROM audit_tiles WHERE level = ? AND number = ?", (level, number)).fetchone()
            hashes = (bytes(found["hashes"])[:used * HASH] if found else b"") + b"".join(take)
            cursor.execute("INSERT INTO audit_tiles (level, number, hashes) VALUES (?, ?, ?) "
                           "ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes", (level, number, hashes))
            begin += len(take)
            if len(hashes) == WIDTH * HASH:
                self._add_above(cursor, level + 1, number, [tree.over(_split(hashes))])

    # ── reading ──────────────────────────────────────────────────────────────────

    def size(self) -> tuple[int, int]:
        """How many leaves there are, and the log position of the last one."""
        with self.store.reading() as cursor:
            return self.tip(cursor)[:2]

    def nodes(self, cursor: Cursor) -> tree.Node:
        """The nodes of the tree as the transaction of ``cursor`` sees it. Raises :class:`LookupError` where a tile is missing."""

        @lru_cache(maxsize=256)
        def tile(level: int, number: int) -> bytes:
            cursor.execute("SELECT hashes FROM audit_tiles WHERE level = ? AND number = ?", (level, number))
            found = cursor.fetchone()
            if found is None:
                raise LookupError(f"the tree has no tile {number} of level {level}")
            return bytes(found["hashes"])

        @lru_cache(maxsize=4096)
        def node(level: int, index: int) -> bytes:
            above, height = divmod(level, 8)
            number, begin = divmod(index << height, WIDTH)
            hashes = tile(above, number)[begin * HASH:(begin + (1 << height)) * HASH]
            if len(hashes) != HASH << height:
                raise LookupError(f"the tree lacks nodes in tile {number} of level {above}")
            return tree.over(_split(hashes))

        return node

    def leaf_at(self, cursor: Cursor, position: int) -> Leaf | None:
        """The leaf of the event at a log position; None where it is not hashed yet."""
        cursor.execute("SELECT number, hashes, positions FROM audit_tiles WHERE level = 0 AND first_position <= ? "
                       "ORDER BY first_position DESC LIMIT 1", (position,))
        row = cursor.fetchone()
        if row is None:
            return None
        positions = unpacked(bytes(row["positions"]))
        n = bisect.bisect_left(positions, position)
        if n == len(positions) or positions[n] != position:
            return None
        return Leaf(row["number"] * WIDTH + n, position, bytes(row["hashes"])[n * HASH:(n + 1) * HASH])

    def leaf_numbers(self, cursor: Cursor, positions: Iterable[int]) -> dict[int, int]:
        """The numbers of the leaves of events at these log positions; those not hashed yet are missing."""
        found: dict[int, int] = {}
        tile: dict[int, int] = {}
        last = -1
        for position in sorted(set(positions)):
            if position > last:
                cursor.execute("SELECT number, positions FROM audit_tiles WHERE level = 0 AND first_position <= ? "
                               "ORDER BY first_position DESC LIMIT 1", (position,))
                row = cursor.fetchone()
                places = unpacked(bytes(row["positions"])) if row is not None else ()
                tile = {place: row["number"] * WIDTH + n for n, place in enumerate(places)}
                last = places[-1] if len(places) == WIDTH else -1
            if position in tile:
                found[position] = tile[position]
        return found

    def leaves(self, cursor: Cursor, tiles: int = 64) -> Iterator[tuple[int, bytes, bytes]]:
        """All tiles of level 0 in order: number, hashes, positions."""
        after = -1
        while True:
            cursor.execute("SELECT number, hashes, positions FROM audit_tiles WHERE level = 0 AND number > ? ORDER BY number "
                           "LIMIT ?", (after, tiles))
            rows = cursor.fetchall()
            if not rows:
                return
            for row in rows:
                yield row["number"], bytes(row["hashes"]), bytes(row["positions"])
            after = rows[-1]["number"]

    def above(self, cursor: Cursor) -> dict[tuple[int, int], bytes]:
        """All tiles above level 0: one in 256 of them."""
        cursor.execute("SELECT level, number, hashes FROM audit_tiles WHERE level > 0")
        return {(row["level"], row["number"]): bytes(row["hashes"]) for row in cursor.fetchall()}

    # ── checkpoints ──────────────────────────────────────────────────────────────

    def keep(self, size: int, position: int, note: str, at: datetime) -> None:
        """Keep a checkpoint. The first one of a size stays."""
        with self.store.writing() as cursor:
            cursor.execute("INSERT INTO audit_checkpoints (size, position, note, at, trouble) VALUES (?, ?, ?, ?, '') "
                           "ON CONFLICT (size) DO NOTHING", (size, position, note, at.isoformat()))

    def kept(self, cursor: Cursor | None = None, limit: int = 1_000_000) -> list[Kept]:
        """The checkpoints, the newest first."""
        if cursor is None:
            with self.store.reading() as reading:
                return self.kept(reading, limit)
        cursor.execute("SELECT * FROM audit_checkpoints ORDER BY size DESC LIMIT ?", (limit,))
        return [Kept(row["size"], row["position"], row["note"], datetime.fromisoformat(row["at"]),
                     bytes(row["stamp"]) if row["stamp"] is not None else None, _moment(row["written_at"]),
                     _moment(row["mailed_at"]), _moment(row["stamped_at"]), row["trouble"]) for row in cursor.fetchall()]

    def published(self, size: int, *, written_at: datetime | None, mailed_at: datetime | None, stamped_at: datetime | None,
                  stamp: bytes | None, trouble: str) -> None:
        """Note how far the publication of a checkpoint is."""
        with self.store.writing() as cursor:
            cursor.execute("UPDATE audit_checkpoints SET written_at = ?, mailed_at = ?, stamped_at = ?, stamp = ?, trouble = ? "
                           "WHERE size = ?", (_text(written_at), _text(mailed_at), _text(stamped_at), stamp, trouble, size))


def _split(hashes: bytes | bytearray) -> list[bytes]:
    return [bytes(hashes[n:n + HASH]) for n in range(0, len(hashes), HASH)]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None

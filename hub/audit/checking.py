"""The whole store against its tree and against every checkpoint that is kept: what an auditor runs, and the hub by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from hub.audit import tree
from hub.audit.findings import CHECKPOINT, FOLDER, OUTSIDE, Finding, finding
from hub.audit.ledger import HASH, WIDTH, Leaf, Ledger, hash_of, unpacked
from hub.audit.stamping import Stamps
from hub.audit.verifier import Bad, Checkpoint, Key, read_checkpoint, read_key, signer
from hub.domain.audit import AUDIT_STREAM, AuditLog, AuditState
from hub.store.base import Cursor, EventStore, Notification, StoredEvent
from hub.store.errors import Unreadable

PAGE = 2_000
LOWEST = -(1 << 63)
MOST = 1_000
"""Faults of a kind that are listed; there may be more."""

Tell = Callable[[int, int], object]
"""How far it is: events done, events in all."""


class Note(NamedTuple):
    """A checkpoint that somebody keeps. ``where``: how people find it; ``by``: see :mod:`hub.audit.findings`."""

    where: str
    text: str
    by: str
    stamp: bytes | None = None


class Verdict(NamedTuple):
    """What a check found. ``size`` and ``position``: how far the tree went; ``checkpoints``: how many were compared; ``newest``:
    events that the newest good one covers, 0 where there is none."""

    findings: tuple[Finding, ...]
    events: int
    size: int
    position: int
    checkpoints: int
    newest: int


def check(ledger: Ledger, notes: Sequence[Note], tell: Tell = lambda done, total: None,
          stamps: Stamps | None = None) -> Verdict:
    """Read the whole log in one transaction and compare. ``notes``: checkpoints beside those in the database."""
    store = ledger.store
    total = store.head()
    with store.reading() as cursor:
        kept = [Note(f"{row.size}", row.note, CHECKPOINT, row.stamp) for row in ledger.kept(cursor)]
        keys = recorded_keys(store, ledger, cursor)
        reading = _Notes([*kept, *notes], keys, stamps)
        walk = _Walk(ledger, store, cursor, reading.sizes())
        walk.run(lambda done: tell(done, total))
        findings = [*walk.findings(), *reading.compare(walk.roots, walk.events)]
    in_database = {note.text for note in kept}
    findings += [finding("missing", where=note.where) for note in notes if note.by == FOLDER and note.text not in in_database]
    tell(total, total)
    return Verdict(tuple(findings), walk.events, walk.size, walk.last, len(kept) + len(notes), reading.newest)


def recorded(store: EventStore) -> AuditState:
    """The keys on record. An event that cannot be read any more is none: the tree says that it was changed."""
    events = []
    for row in store.raw(AUDIT_STREAM):
        with suppress(Unreadable):
            events.append(store.decode(row))
    return AuditLog.fold(events)


def recorded_keys(store: EventStore, ledger: Ledger, cursor: Cursor) -> list[tuple[int | None, Key]]:
    """The keys on record in their order, each with its leaf (None: not hashed yet). What cannot be read is no key."""
    found: list[tuple[int | None, Key]] = []
    for known in recorded(store).keys:
        leaf = ledger.leaf_at(cursor, store.position(AUDIT_STREAM, known.version))
        try:
            found.append((leaf.number if leaf else None, read_key(known.vkey)))
        except Bad:
            continue
    return found


class Altered(NamedTuple):
    """An event of a stream that is not what was stored: ``differs`` from what was hashed, or is not ``readable``, or follows on
    a gap."""

    version: int
    topic: str
    position: int
    differs: bool
    readable: bool


def altered(ledger: Ledger, stream: UUID) -> list[Altered]:
    """What of one stream is not what the tree says, looked at now. A stream's last events, where they were taken out of the log,
    are found by :func:`check` alone."""
    store, found = ledger.store, []
    rows = store.raw(stream)
    with store.reading() as cursor:
        for before, row in zip([0, *(row.originator_version for row in rows)], rows, strict=False):
            position = store.position(stream, row.originator_version)
            leaf = ledger.leaf_at(cursor, position)
            readable, differs = _reads(store, row), leaf is not None and leaf.hash != hash_of(row)
            if not readable or differs or row.originator_version != before + 1:
                found.append(Altered(row.originator_version, row.topic, position, differs, readable))
    return found


def _reads(store: EventStore, row: StoredEvent) -> bool:
    try:
        store.decode(row)
    except Unreadable:
        return False
    return True


class _Notes:
    """Checkpoints that are to be compared."""

    def __init__(self, notes: Sequence[Note], keys: list[tuple[int | None, Key]], stamps: Stamps | None) -> None:
        self.faults: list[Finding] = []
        self.good: list[tuple[Note, Checkpoint]] = []
        self.newest = 0
        for note in notes:
            try:
                read = read_checkpoint(note.text)
                _signed_by_us(read, keys)
            except Bad as bad:
                self.faults.append(finding("note", note.by, where=note.where, why=str(bad)))
                continue
            self.good.append((note, read))
            if note.stamp is not None and stamps is not None and (why := stamps.fault(note.text, note.stamp)):
                self.faults.append(finding("stamp", where=note.where, why=why))

    def sizes(self) -> set[int]:
        return {read.size for _, read in self.good}

    def compare(self, roots: dict[int, bytes], events: int) -> list[Finding]:
        found = list(self.faults)
        for note, read in self.good:
            if read.size > events:
                found.append(finding("ahead", note.by, where=note.where, size=read.size, there=events))
            elif roots[read.size] != read.root:
                found.append(finding("root", note.by, where=note.where, size=read.size))
            else:
                self.newest = max(self.newest, read.size)
        return found


def _signed_by_us(read: Checkpoint, keys: list[tuple[int | None, Key]]) -> None:
    key = signer(read, [key for _, key in keys])
    if key.name != read.origin:
        raise Bad("it names another log than its key")
    n = max(n for n, (_, known) in enumerate(keys) if known == key)
    replaced = keys[n + 1][0] if n + 1 < len(keys) else None
    if replaced is not None and read.size > replaced:
        raise Bad(f"the key {key.id.hex()} was replaced before")


class _Walk:
    """The log and the leaves beside each other, both in order."""

    def __init__(self, ledger: Ledger, store: EventStore, cursor: Cursor, sizes: set[int]) -> None:
        self.ledger, self.store, self.cursor = ledger, store, cursor
        self.roots: dict[int, bytes] = {0: tree.EMPTY} if 0 in sizes else {}
        self.events = self.size = self.last = self._newest_row = 0
        self._sizes = sizes
        self._versions: dict[bytes, int] = {}
        self._faults: list[Finding] = []
        self._inserted: list[Finding] = []
        self._differing: list[tuple[Leaf, Notification, bytes]] = []
        self._gone: list[Leaf] = []
        self._gaps: list[Finding] = []

    def run(self, tell: Callable[[int], object]) -> None:
        growing = tree.Growing()
        leaves = self._leaves()
        expected = next(leaves, None)
        for page in self._pages():
            for row in page:
                hash = hash_of(row)
                growing.add(hash)
                if growing.size in self._sizes:
                    self.roots[growing.size] = growing.root()
                self._count(row)
                while expected is not None and expected.position < row.id:
                    self._note_gone(expected)
                    expected = next(leaves, None)
                if expected is not None and expected.position == row.id:
                    if expected.hash != hash and len(self._differing) < MOST:
                        self._differing.append((expected, row, hash))
                    expected = next(leaves, None)
                elif expected is not None:
                    self._note(self._inserted, finding("inserted", position=row.id, topic=row.topic))
            tell(growing.size)
        while expected is not None:
            self._note_gone(expected)
            expected = next(leaves, None)
        self.events = growing.size

    def findings(self) -> list[Finding]:
        """What the events themselves showed, the tree's own damage last."""
        own = {leaf.hash for leaf, _, _ in self._differing} | {leaf.hash for leaf in self._gone}
        found = []
        for leaf, row, hash in self._differing:
            code = "moved" if hash in own else "changed"
            found.append(finding(code, position=row.id, leaf=leaf.number) if code == "moved" else finding(
                code, position=row.id, leaf=leaf.number, topic=row.topic, version=row.originator_version,
                stream=str(row.originator_id)))
        tail = [leaf for leaf in self._gone if leaf.position > self._newest_row]
        found += [finding("deleted", position=leaf.position, leaf=leaf.number) for leaf in self._gone if leaf not in tail]
        if tail:
            found.append(finding("cut", there=self.events, size=self.size))
        found += self._inserted
        # A version that is missing is said once: where the tree names the event already, the gap says nothing new.
        if not found:
            found += self._gaps
        return found + self._faults

    def _note_gone(self, leaf: Leaf) -> None:
        if len(self._gone) < MOST:
            self._gone.append(leaf)

    def _fault(self, fault: Finding) -> None:
        self._note(self._faults, fault)

    @staticmethod
    def _note(faults: list[Finding], fault: Finding) -> None:
        if len(faults) < MOST:
            faults.append(fault)

    def _count(self, row: Notification) -> None:
        stream = row.originator_id.bytes if isinstance(row.originator_id, UUID) else repr(row.originator_id).encode()
        before = self._versions.get(stream, 0)
        if row.originator_version != before + 1:
            self._note(self._gaps, finding("versions", stream=str(row.originator_id), before=before,
                                           version=row.originator_version, position=row.id))
        self._versions[stream] = row.originator_version if isinstance(row.originator_version, int) else 0
        self._newest_row = row.id

    def _pages(self) -> Iterator[list[Notification]]:
        after = LOWEST  # positions below 1 are read by nobody who follows the log, but by those who read a stream
        while page := self.store.rows(self.cursor, after, PAGE):
            yield page
            after = page[-1].id

    def _leaves(self) -> Iterator[Leaf]:
        """The leaves of the tree; its own faults are noted on the way."""
        above = self.ledger.above(self.cursor)
        wanted, full = 0, list[bytes]()
        partial = False
        for number, hashes, positions in self.ledger.leaves(self.cursor):
            places = unpacked(positions)
            whole = len(hashes) == WIDTH * HASH
            if number != wanted or partial or len(places) * HASH != len(hashes) or list(places) != sorted(set(places)) \
                    or (places and places[0] <= self.last):
                self._fault(finding("tile", level=0, number=number))
            wanted, partial = number + 1, not whole
            for n, position in enumerate(places[:len(hashes) // HASH]):
                yield Leaf(number * WIDTH + n, position, hashes[n * HASH:(n + 1) * HASH])
            self.size = number * WIDTH + len(places)
            self.last = places[-1] if places else self.last
            if whole:
                full.append(tree.over([hashes[n:n + HASH] for n in range(0, len(hashes), HASH)]))
        self._compare_above(above, full)

    def _compare_above(self, above: dict[tuple[int, int], bytes], roots: list[bytes]) -> None:
        level = 1
        while roots or any(key[0] == level for key in above):
            tiles = [roots[n:n + WIDTH] for n in range(0, len(roots), WIDTH)]
            for number in sorted({n for lvl, n in above if lvl == level} | set(range(len(tiles)))):
                wanted = b"".join(tiles[number]) if number < len(tiles) else b""
                if above.get((level, number), b"") != wanted:
                    self._fault(finding("tile", level=level, number=number))
            roots = [tree.over(tile) for tile in tiles if len(tile) == WIDTH]
            level += 1


__all__ = ["OUTSIDE", "Note", "Tell", "Verdict", "check", "recorded", "recorded_keys"]

"""The proof of one hub: its tree, its checkpoints, its checks. :class:`Audit` is asked by pages, commands and the worker."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import NamedTuple
from uuid import UUID

import msgspec

from hub.audit import tree
from hub.audit.checking import Note, Verdict, altered, check, recorded
from hub.audit.findings import FOLDER, Finding, finding, listed
from hub.audit.ledger import Kept, Ledger
from hub.audit.signing import Custody, NoKey
from hub.audit.stamping import Stamps
from hub.audit.verifier import Bad, read_checkpoint, read_key
from hub.domain.audit import AuditLog, AuditState
from hub.store.base import Cursor, EventStore, Notification
from hub.store.errors import Unavailable

log = logging.getLogger(__name__)

Record = Callable[[Callable[[AuditLog], None], datetime], object]
"""Give a command to the audit's stream: what it does, and when."""

KNOWN_FOR = 2.0
"""Seconds that the state of the checks is kept for pages."""
WAITING = "state IN ('asked', 'running')"
PROGRESS_EVERY = 0.5
"""Seconds between two notes of how far a check is."""


@dataclass(frozen=True)
class Options:
    """What this hub's settings say. ``every``: the time between two checkpoints, and between two checks."""

    custody: Custody
    folder: Path
    host: str
    every: timedelta
    mail: tuple[str, ...] = ()
    stamps: Stamps | None = None


class Check(NamedTuple):
    """One check of the whole log. ``size`` and ``position``: how far the tree went; ``ended_at`` is None while it is asked for
    or runs."""

    id: int
    state: str
    asked_by: str
    asked_at: datetime
    done: int
    total: int
    ended_at: datetime | None
    size: int
    position: int
    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """Whether it ended and found nothing."""
        return self.ended_at is not None and not self.findings


class State(NamedTuple):
    """What is known: the last check that ended, the last that found nothing, and the one that is asked for or runs."""

    last: Check | None
    good: Check | None
    running: Check | None

    @property
    def failed(self) -> bool:
        """Whether the last check found something."""
        return self.last is not None and not self.last.good


class Audit:
    """The proof of one store. ``options`` are set by bootstrap; without them nothing is signed or written."""

    options: Options | None = None

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self.ledger = Ledger(store)
        self._known: tuple[float, State] | None = None
        self._lock = Lock()

    # ── the state, for pages ─────────────────────────────────────────────────────

    def state(self, *, fresh: bool = False) -> State:
        """The checks; as they were up to :data:`KNOWN_FOR` seconds ago unless ``fresh``."""
        with self._lock:
            known = self._known
            if known is not None and not fresh and monotonic() - known[0] < KNOWN_FOR:
                return known[1]
        with self.store.reading() as cursor:
            found = State(_one(cursor, "state = 'done'"), _one(cursor, "state = 'done' AND findings = '[]'"),
                          _one(cursor, WAITING))
        with self._lock:
            self._known = monotonic(), found
        return found

    def checks(self, limit: int = 20) -> list[Check]:
        """The newest checks first."""
        with self.store.reading() as cursor:
            cursor.execute("SELECT * FROM audit_checks ORDER BY id DESC LIMIT ?", (limit,))
            return [_check(row) for row in cursor.fetchall()]

    def verified_upto(self, stream: UUID, versions: int) -> int:
        """Up to which of its ``versions`` events a stream was found unaltered by the last good check; 0 for none."""
        good = self.state().good
        if good is None:
            return 0
        low, high = 0, versions
        while low < high:
            middle = (low + high + 1) // 2
            if self.store.position(stream, middle) <= good.position:
                low = middle
            else:
                high = middle - 1
        return low

    def altered_before(self, row: Notification) -> bool:
        """Whether the tree says of an event, or of one before it in its stream, that it was altered past the hub. Looked at now.
        What cannot be read for another reason (a lost key, a newer program) is not that."""
        stream = row.originator_id
        return isinstance(stream, UUID) and any(one.differs and one.version <= row.originator_version
                                                for one in altered(self.ledger, stream))

    def keys(self) -> AuditState:
        """The keys on record, read now."""
        return recorded(self.store)

    # ── checks ───────────────────────────────────────────────────────────────────

    def ask(self, by: str, at: datetime) -> None:
        """Ask the worker for a check now; one that is asked for or runs already is it."""
        with self.store.writing() as cursor:
            if _one(cursor, WAITING) is None:
                _insert(cursor, by, at, "asked")
        self._known = None

    def asked(self) -> Check | None:
        """The check that waits for the worker. One that a stopped worker left running waits again."""
        return self.state(fresh=True).running

    def run(self, record: Record, clock: Callable[[], datetime], *, by: str = "", waiting: Check | None = None,
            outside: tuple[Note, ...] = (), tell: Callable[[int, int], object] = lambda done, total: None) -> Check:
        """Check the whole log now: what was appended is hashed, then all is compared; a failure is recorded as an event."""
        with self.store.writing() as cursor:
            id = waiting.id if waiting is not None else _insert(cursor, by, clock(), "direct")
            cursor.execute("UPDATE audit_checks SET state = 'running' WHERE id = ? AND state = 'asked'", (id,))
        noted = 0.0

        def note(done: int, total: int) -> None:
            nonlocal noted
            tell(done, total)
            if monotonic() - noted >= PROGRESS_EVERY:
                noted = monotonic()
                with self.store.writing() as cursor:
                    cursor.execute("UPDATE audit_checks SET done = ?, total = ? WHERE id = ?", (done, total, id))

        before = self.state(fresh=True).last
        verdict = self._verdict(outside, note)
        faults = [*verdict.findings, *self._key_faults()]
        findings = tuple(listed(faults))
        self._end(id, verdict, findings, clock())
        known = before.findings if before is not None else ()
        if findings and [f.say("en") for f in known] != [f.say("en") for f in findings]:
            record(lambda log: log.check_failed(len(faults), faults[0].code), clock())
        with self.store.reading() as cursor:
            found = _one(cursor, f"id = {int(id)}")
        assert found is not None
        return found

    def _verdict(self, outside: tuple[Note, ...], tell: Callable[[int, int], object]) -> Verdict:
        try:
            self.ledger.catch_up()
            return check(self.ledger, [*self.folder_notes(), *outside], tell, self.options.stamps if self.options else None)
        except Unavailable:
            raise
        except Exception as error:  # a database that was damaged by hand must be found, whatever reading it raises
            log.exception("the log cannot be checked to its end")
            return Verdict((finding("unreadable", why=type(error).__name__),), 0, 0, 0, 0, 0)

    def _end(self, id: int, verdict: Verdict, findings: tuple[Finding, ...], at: datetime) -> None:
        with self.store.writing() as cursor:
            cursor.execute(
                "UPDATE audit_checks SET state = 'done', done = ?, total = ?, ended_at = ?, size = ?, position = ?, findings = ? "
                "WHERE id = ?", (verdict.events, verdict.events, at.isoformat(), verdict.size, verdict.position,
                                 msgspec.json.encode(findings).decode(), id))
        self._known = None

    def _key_faults(self) -> list[Finding]:
        """The key at hand is the one on record."""
        keys = self.keys().keys
        if self.options is None or not keys:
            return []
        try:
            self.options.custody.signer(keys[-1].vkey)
        except (NoKey, Bad) as error:
            return [finding("key", why=str(error))]
        return []

    def folder_notes(self) -> list[Note]:
        """The checkpoints that lie in the folder, with their stamps."""
        if self.options is None or not self.options.folder.is_dir():
            return []
        return [note_of(path, FOLDER) for path in sorted(self.options.folder.glob("checkpoint-*.txt"))]

    # ── checkpoints ──────────────────────────────────────────────────────────────

    def sign(self, record: Record, at: datetime) -> Kept | None:
        """Sign a checkpoint of everything that is in the log now and keep it; the newest one where nothing came since, None in
        an empty log. The first one makes the key. Raises :class:`NoKey`."""
        if self.options is None:
            raise NoKey("this program does not sign: let `hub serve` or `hub audit checkpoint` do it")
        if not self.keys().keys:
            first = self.options.custody.first(self.options.host)
            record(lambda log: None if log.state.keys else log.put_in_force(first.vkey), at)
        self.ledger.catch_up()
        # In this order: the key that is read now is never older than the newest one that the tree covers.
        with self.store.reading() as cursor:
            size, position = self.ledger.tip(cursor)[:2]
            newest = next(iter(self.ledger.kept(cursor, 1)), None)
            if not size or (newest is not None and newest.size == size):
                return newest
            root = tree.root(self.ledger.nodes(cursor), size)
        signer = self.options.custody.signer(self.keys().keys[-1].vkey)
        self.ledger.keep(size, position, signer.checkpoint(size, root), at)
        return self.ledger.kept(limit=1)[0]

    def rotate(self, record: Record, why: str, at: datetime) -> str:
        """Put another key in force: the one that HUB_AUDIT_KEY gives now, else one made anew; its public form."""
        if self.options is None:
            raise NoKey("this program does not sign")
        keys = self.keys().keys
        if not keys:
            raise NoKey("no key signed anything yet: there is nothing to replace")
        custody = self.options.custody
        vkey = custody.next(read_key(keys[-1].vkey).name).vkey
        record(lambda log: log.put_in_force(vkey, why), at)
        custody.settle(vkey)
        return vkey


def note_of(path: Path, by: str) -> Note:
    """A checkpoint in a file, with the stamp beside it where there is one. What cannot be read is an empty note."""
    stamp = path.with_suffix(".tsr")
    try:
        return Note(str(path), path.read_bytes().decode("utf-8", "replace"), by, stamp.read_bytes() if stamp.exists() else None)
    except OSError:
        return Note(str(path), "", by)


def size_of(note: str) -> int:
    """How many events a checkpoint covers."""
    return read_checkpoint(note).size


def _insert(cursor: Cursor, by: str, at: datetime, state: str) -> int:
    cursor.execute("INSERT INTO audit_checks (state, asked_by, asked_at, done, total, size, position, findings) "
                   "VALUES (?, ?, ?, 0, 0, 0, 0, '') RETURNING id", (state, by, at.isoformat()))
    return int(cursor.fetchone()["id"])


def _one(cursor: Cursor, condition: str) -> Check | None:
    cursor.execute(f"SELECT * FROM audit_checks WHERE {condition} ORDER BY id DESC LIMIT 1")
    row = cursor.fetchone()
    return _check(row) if row is not None else None


def _check(row: object) -> Check:
    r: dict[str, object] = row  # type: ignore[assignment]
    return Check(int(str(r["id"])), str(r["state"]), str(r["asked_by"]), datetime.fromisoformat(str(r["asked_at"])),
                 int(str(r["done"])), int(str(r["total"])),
                 datetime.fromisoformat(str(r["ended_at"])) if r["ended_at"] else None, int(str(r["size"])),
                 int(str(r["position"])),
                 msgspec.json.decode(str(r["findings"]), type=tuple[Finding, ...]) if r["findings"] else ())

"""Ways to alter a hub's log past the hub, with everything that a database administrator can do, and by what each is found."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg

from hub.audit import tree
from hub.audit.checking import Note
from hub.audit.findings import OUTSIDE
from hub.audit.keeping import Audit, Check, Options
from hub.audit.publishing import publish
from hub.audit.signing import Custody, Signer
from hub.audit.verifier import read_key
from hub.domain.audit import AUDIT_STREAM
from hub.store.base import EventStore
from tests.databases import stores, url_of
from tests.house import MONDAY, SECRET, Department, after, form, phone

Row = tuple[int, str, int, str, bytes]
"""Position, stream (hex), version, topic and state."""
LEADS = 35
"""Enough events for a full tile and one above it."""


def options(folder: Path) -> Options:
    """As bootstrap makes them; the folder of checkpoints is outside of what is rewound."""
    return Options(Custody(folder), folder / "checkpoints", "hub.example", timedelta(hours=24))


def build(folder: Path) -> None:
    """A hub with four checkpoints, the key replaced after the second, and a few events that nobody has signed yet."""
    with Department(folder) as department:
        department.begin("anna", "adam")
        audit, record = department.hub.audit, department.hub.audit_record()
        audit.options = options(folder)
        audit.ledger.prepare()
        for part in range(5):
            for n in range(LEADS // 5):
                department.receive(form(phone(100 * part + n)))
            if part == 2:
                audit.rotate(record, "Плановая замена", after(hours=part))
            if part < 4:
                kept = audit.sign(record, after(hours=part))
                assert kept is not None
                publish(audit, audit.options, kept, None, after(hours=part))
            if part == 1:
                shutil.copytree(folder, folder / "stolen", ignore=shutil.ignore_patterns("stolen", "files", "*.db*"))
        audit.ledger.catch_up()


class Desk:
    """A copy of that hub in the hands of somebody who has the database and perhaps the signing key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outside = [path.read_text(encoding="utf-8") for path in self.notes()]
        """What somebody outside has kept."""

    @property
    def on_postgres(self) -> bool:
        return bool(url_of(self.folder))

    def notes(self) -> list[Path]:
        """The folder of checkpoints."""
        return sorted((self.folder / "checkpoints").glob("*.txt"))

    @contextmanager
    def database(self) -> Iterator[Callable[..., list[Any]]]:
        """Run SQL past the hub."""
        if self.on_postgres:
            with psycopg.connect(url_of(self.folder)) as server:
                def ask(statement: str, *values: Any) -> list[Any]:
                    cursor = server.execute(statement.replace("?", "%s").replace("rowid", "notification_id"), values)
                    return cursor.fetchall() if cursor.description else []
                yield ask
        else:
            with closing(sqlite3.connect(self.folder / "hub.db")) as file, file:
                yield lambda statement, *values: file.execute(statement, values).fetchall()

    def sql(self, statement: str, *values: Any) -> list[Any]:
        """One statement."""
        with self.database() as ask:
            return ask(statement, *values)

    def stream(self, stream: str) -> Any:
        return UUID(stream) if self.on_postgres else stream

    def rows(self) -> list[Row]:
        """The log."""
        found = self.sql("SELECT rowid, originator_id, originator_version, topic, state FROM stored_events ORDER BY rowid")
        return [(p, UUID(str(s)).hex, v, t, bytes(b)) for p, s, v, t, b in found]

    def put(self, rows: Sequence[Row]) -> None:
        """Write a whole log in place of the one that is there."""
        with self.database() as ask:
            ask("DELETE FROM stored_events")
            for position, stream, version, topic, state in rows:
                ask("INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?, ?)",
                    position, self.stream(stream), version, topic, state)

    def change(self, at: int, **fields: Any) -> None:
        """Change columns of the event at a position."""
        for name, value in fields.items():
            self.sql(f"UPDATE stored_events SET {name} = ? WHERE rowid = ?", value, at)

    def state(self, at: int) -> bytes:
        return next(row[4] for row in self.rows() if row[0] == at)

    def edit(self, at: int, old: bytes, new: bytes) -> None:
        """Replace bytes in the state of an event; they must be there."""
        state = self.state(at)
        assert old in state, state
        self.change(at, state=state.replace(old, new, 1))

    def find(self, topic: str, nth: int = 0) -> int:
        """The position of the nth event of a topic."""
        return [row[0] for row in self.rows() if row[3] == topic][nth]

    @contextmanager
    def audit(self) -> Iterator[tuple[Audit, EventStore]]:
        """The hub's own tools over what is there now."""
        keys, store = stores(self.folder, SECRET)
        try:
            found = Audit(store)
            found.options = options(self.folder)
            yield found, store
        finally:
            store.close()
            keys.close()

    def retile(self) -> None:
        """Make the whole tree anew from the log as it is now."""
        self.sql("DELETE FROM audit_tiles")
        with self.audit() as (audit, _):
            audit.ledger.catch_up()

    def resign(self, signer: Signer | None = None, *, folder: bool = False) -> None:
        """Sign every checkpoint anew, by the key of the hub (stolen) or by another one; in the folder too if ``folder``."""
        with self.audit() as (audit, store):
            custody = Custody(self.folder)
            signer = signer or custody.signer(audit.keys().keys[-1].vkey)
            kept = audit.ledger.kept()
            with store.reading() as cursor:
                node = audit.ledger.nodes(cursor)
                size = audit.ledger.tip(cursor).size
                notes = {row.size: signer.checkpoint(row.size, tree.root(node, row.size)) for row in kept if row.size <= size}
        for n, note in notes.items():
            self.sql("UPDATE audit_checkpoints SET note = ? WHERE size = ?", note, n)
            if folder:
                (self.folder / "checkpoints" / f"checkpoint-{n:012}.txt").write_text(note, encoding="utf-8")

    def check(self) -> Check:
        """What the hub's own check says, with what somebody outside has kept."""
        outside = tuple(Note(f"kept elsewhere, {n + 1}", text, OUTSIDE) for n, text in enumerate(self.outside))
        with self.audit() as (audit, _):
            return audit.run(lambda act, at: None, lambda: datetime.now(UTC), by="test", outside=outside)

    def forger(self) -> Signer:
        """A key of the forger's own under the log's name."""
        name = self.outside[0].partition("\n")[0]
        return Signer(name, b"f" * 32)


@dataclass(frozen=True)
class Case:
    """One way. ``by``: by what it is found (:mod:`hub.audit.findings`), the same on both stores; empty: not found."""

    what: str
    by: str
    act: Callable[[Desk], object]
    only: str = ""
    """The one store that lets it happen."""


CASES: list[Case] = []


def way(what: str, by: str = "leaf", only: str = "") -> Callable[[Callable[[Desk], object]], Callable[[Desk], object]]:
    """Add a case."""
    def added(act: Callable[[Desk], object]) -> Callable[[Desk], object]:
        CASES.append(Case(what, by, act, only))
        return act
    return added


EVERY_NOTE = "leaf, checkpoint, folder, outside"
NEW_TREE = "checkpoint, folder, outside"
MESSAGE, STAGE = "lead.message_received", "lead.stage_entered"


# ── one event ────────────────────────────────────────────────────────────────────

@way("one byte of an event's stored state", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.edit(desk.find(STAGE), b'"new"', b'"nev"')


@way("one byte of sealed personal data", EVERY_NOTE)
def _(desk: Desk) -> None:
    at = desk.find(MESSAGE)
    state = json.loads(desk.state(at))
    sealed = bytearray(base64.b64decode(state["~"]))
    sealed[-1] ^= 1
    desk.edit(at, state["~"].encode(), base64.b64encode(sealed))


@way("a space added to a state, which reads the same", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.edit(desk.find(STAGE), b'":', b'" :')


@way("the author of an event", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.edit(desk.find(STAGE), b'"actor":"hub"', b'"actor":"hab"')


@way("the time of an event", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.edit(desk.find(STAGE), b"2026-11-16", b"2026-11-15")


@way("the id of an event", EVERY_NOTE)
def _(desk: Desk) -> None:
    at = desk.find(STAGE)
    desk.edit(at, json.loads(desk.state(at))["event_id"].encode(), str(uuid4()).encode())


@way("the process version that an event was decided under", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.edit(desk.find(STAGE), b'"process_version":1', b'"process_version":2')


@way("a state replaced by that of another event of the same kind", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.change(desk.find(STAGE), state=desk.state(desk.find(STAGE, 1)))


@way("a state emptied", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.change(desk.find(STAGE), state=b"{}")


@way("the topic of an event", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.change(desk.find(STAGE), topic="lead.taken")


@way("one letter's case in a topic", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.change(desk.find(STAGE), topic="Lead.stage_entered")


@way("the version of an event", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.change(desk.find(STAGE), originator_version=900)


@way("the stream of an event: it is another lead's now", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.change(desk.find(STAGE), originator_id=desk.stream(uuid4().hex))


@way("two versions of a stream exchanged", EVERY_NOTE)
def _(desk: Desk) -> None:
    at = desk.find(STAGE)
    version = next(row[2] for row in desk.rows() if row[0] == at)
    for position, number in ((at, 900), (at + 1, version), (at, version + 1)):
        desk.change(position, originator_version=number)


@way("the same bytes of a state as text", EVERY_NOTE, only="sqlite")
def _(desk: Desk) -> None:
    desk.sql("UPDATE stored_events SET state = CAST(state AS TEXT) WHERE rowid = ?", desk.find(STAGE))


@way("a topic that is no text", EVERY_NOTE, only="sqlite")
def _(desk: Desk) -> None:
    desk.sql("UPDATE stored_events SET topic = CAST(topic AS BLOB) WHERE rowid = ?", desk.find(STAGE))


@way("a topic that cannot be read", "leaf", only="sqlite")
def _(desk: Desk) -> None:
    no_text = "CONVERT_FROM(DECODE('ff6c', 'hex'), 'UTF8')" if desk.on_postgres else "CAST(X'ff6c' AS TEXT)"
    desk.sql(f"UPDATE stored_events SET topic = {no_text} WHERE rowid = ?", desk.find(STAGE))


@way("a stream's id in capitals, which no reader of the stream finds", EVERY_NOTE, only="sqlite")
def _(desk: Desk) -> None:
    desk.sql("UPDATE stored_events SET originator_id = UPPER(originator_id) WHERE rowid = ?", desk.find(STAGE))


@way("a stream's id that is none", EVERY_NOTE, only="sqlite")
def _(desk: Desk) -> None:
    desk.sql("UPDATE stored_events SET originator_id = 'nobody' WHERE rowid = ?", desk.find(STAGE))


@way("a version that is none", EVERY_NOTE, only="sqlite")
def _(desk: Desk) -> None:
    desk.sql("UPDATE stored_events SET originator_version = 'first' WHERE rowid = ?", desk.find(STAGE))


@way("a negative version", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.change(desk.find(STAGE), originator_version=-3)


@way("an event that no checkpoint covers yet")
def _(desk: Desk) -> None:
    desk.edit(desk.find(STAGE, -1), b'"new"', b'"nev"')


# ── events gone, come, moved ─────────────────────────────────────────────────────

@way("an event in the middle deleted", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.sql("DELETE FROM stored_events WHERE rowid = ?", desk.find(STAGE))


@way("the first event deleted", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.put(desk.rows()[1:])


@way("an event deleted and the later ones numbered anew, so that no gap shows", EVERY_NOTE)
def _(desk: Desk) -> None:
    rows = desk.rows()
    at = next(n for n, row in enumerate(rows) if row[3] == STAGE)
    desk.put([*rows[:at], *((row[0] - 1, *row[1:]) for row in rows[at + 1:])])


@way("the last event cut off")
def _(desk: Desk) -> None:
    desk.put(desk.rows()[:-1])


@way("the last 120 events cut off", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.put(desk.rows()[:-120])


@way("the whole log emptied", EVERY_NOTE)
def _(desk: Desk) -> None:
    desk.put([])


@way("a whole stream removed", EVERY_NOTE)
def _(desk: Desk) -> None:
    rows = desk.rows()
    stream = next(row[1] for row in rows if row[3] == STAGE)
    desk.put([row for row in rows if row[1] != stream])


@way("the newest events of one stream removed", EVERY_NOTE)
def _(desk: Desk) -> None:
    rows = desk.rows()
    stream = next(row[1] for row in rows if row[3] == STAGE)
    desk.put([row for row in rows if row[1] != stream or row[2] < 3])


@way("an event inserted, the later ones numbered anew", EVERY_NOTE)
def _(desk: Desk) -> None:
    rows = desk.rows()
    own = (rows[50][0], uuid4().hex, 1, STAGE, rows[40][4])
    desk.put([*rows[:50], own, *((row[0] + 1, *row[1:]) for row in rows[50:])])


@way("an event inserted before the first position, where no reader of the log looks", EVERY_NOTE)
def _(desk: Desk) -> None:
    rows = desk.rows()
    desk.put([(-5, rows[30][1], 900, STAGE, rows[30][4]), *rows])


@way("two neighbouring events exchanged", EVERY_NOTE)
def _(desk: Desk) -> None:
    rows = desk.rows()
    rows[60], rows[61] = (rows[60][0], *rows[61][1:]), (rows[61][0], *rows[60][1:])
    desk.put(rows)


@way("an event moved to the end of the log", EVERY_NOTE)
def _(desk: Desk) -> None:
    rows = desk.rows()
    desk.put([*rows[:60], *rows[61:], (rows[-1][0] + 1, *rows[60][1:])])


@way("the log in reverse order", EVERY_NOTE)
def _(desk: Desk) -> None:
    rows = desk.rows()
    desk.put([(row[0], *other[1:]) for row, other in zip(rows, rows[::-1], strict=True)])


@way("a copy of an event in place of another", EVERY_NOTE)
def _(desk: Desk) -> None:
    rows = desk.rows()
    rows[61] = (rows[61][0], rows[60][1], 900, *rows[60][3:])
    desk.put(rows)


@way("an event lost before it was hashed, with a later one of its stream stored", "order")
def _(desk: Desk) -> None:
    rows = desk.rows()
    stream = uuid4().hex
    desk.put([*rows, *((rows[-1][0] + n, stream, n, STAGE, rows[40][4]) for n in (1, 3))])


# ── the tree and the checkpoints ─────────────────────────────────────────────────

def tile(desk: Desk, level: int) -> bytes:
    return bytes(desk.sql("SELECT hashes FROM audit_tiles WHERE level = ? AND number = 0", level)[0][0])


@way("a hash in the tree", "leaf, tree")
def _(desk: Desk) -> None:
    hashes = tile(desk, 0)
    desk.sql("UPDATE audit_tiles SET hashes = ? WHERE level = 0 AND number = 0", b"x" * 32 + hashes[32:])


@way("a hash in an upper tile of the tree", "tree")
def _(desk: Desk) -> None:
    desk.sql("UPDATE audit_tiles SET hashes = ? WHERE level = 1", b"x" * 32)


@way("a tile of the tree deleted", "leaf, tree")
def _(desk: Desk) -> None:
    desk.sql("DELETE FROM audit_tiles WHERE level = 0 AND number = 0")


@way("an event and its hash in the tree", "tree, checkpoint, folder, outside")
def _(desk: Desk) -> None:
    desk.edit(desk.find(STAGE), b'"new"', b'"nev"')
    before, after_ = tile(desk, 0), b""
    desk.retile()
    after_ = tile(desk, 0)
    desk.sql("UPDATE audit_tiles SET hashes = ? WHERE level = 1", tree.over([before[n:n + 32] for n in range(0, 8192, 32)]))
    assert before != after_


@way("an event, and the whole tree made anew", NEW_TREE)
def _(desk: Desk) -> None:
    desk.edit(desk.find(STAGE), b'"new"', b'"nev"')
    desk.retile()


@way("a stream removed, and the whole tree made anew", NEW_TREE)
def _(desk: Desk) -> None:
    rows = desk.rows()
    stream = next(row[1] for row in rows if row[3] == STAGE)
    desk.put([row for row in rows if row[1] != stream])
    desk.retile()


@way("an event, a new tree, and the checkpoints deleted from the database", "folder, outside")
def _(desk: Desk) -> None:
    desk.edit(desk.find(STAGE), b'"new"', b'"nev"')
    desk.retile()
    desk.sql("DELETE FROM audit_checkpoints")


@way("a checkpoint deleted from the database", "folder")
def _(desk: Desk) -> None:
    desk.sql("DELETE FROM audit_checkpoints WHERE size = (SELECT MIN(size) FROM audit_checkpoints)")


@way("a checkpoint's root, without the key", "checkpoint, folder")
def _(desk: Desk) -> None:
    root = base64.b64encode(b"x" * 32).decode()
    for size, note in desk.sql("SELECT size, note FROM audit_checkpoints"):
        lines = note.split("\n")
        desk.sql("UPDATE audit_checkpoints SET note = ? WHERE size = ?", "\n".join([*lines[:2], root, *lines[3:]]), size)


@way("an event, a new tree, and checkpoints signed by another key", NEW_TREE)
def _(desk: Desk) -> None:
    desk.edit(desk.find(STAGE), b'"new"', b'"nev"')
    desk.retile()
    desk.resign(desk.forger())


@way("the same, and the other key put on record", "folder, outside, key")
def _(desk: Desk) -> None:
    desk.edit(desk.find(STAGE), b'"new"', b'"nev"')
    key = desk.forger()
    for position in (row[0] for row in desk.rows() if row[3] == "audit.key_in_force"):
        state = json.loads(desk.state(position))
        desk.change(position, state=json.dumps({**state, "vkey": key.vkey}, separators=(",", ":")).encode())
    desk.retile()
    desk.resign(key)


@way("the record of a signing key", "leaf, checkpoint, folder, outside, key")
def _(desk: Desk) -> None:
    at = desk.find("audit.key_in_force", 1)
    state = json.loads(desk.state(at))
    desk.change(at, state=json.dumps({**state, "vkey": desk.forger().vkey}).encode())


@way("a newer tree signed by a key that was replaced", "checkpoint, folder")
def _(desk: Desk) -> None:
    with desk.audit() as (audit, _):
        first = audit.keys().keys[0].vkey
    old = Custody(desk.folder / "stolen").signer(first)
    size, note = desk.sql("SELECT size, note FROM audit_checkpoints ORDER BY size DESC")[0]
    root = base64.b64decode(note.split("\n")[2])
    desk.sql("UPDATE audit_checkpoints SET note = ? WHERE size = ?", old.checkpoint(size, root), size)


@way("a checkpoint in the folder", "folder")
def _(desk: Desk) -> None:
    path = desk.notes()[0]
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_text("\n".join([lines[0], f"{lines[1]}0", *lines[2:]]), encoding="utf-8")


def rewind(desk: Desk, upto: int) -> None:
    """The database as it was when it had ``upto`` events: log, tree and checkpoints."""
    desk.put([row for row in desk.rows() if row[0] <= upto])
    desk.sql("DELETE FROM audit_checkpoints WHERE position > ?", upto)
    desk.retile()


@way("the database put back to an older copy of itself", "folder, outside")
def _(desk: Desk) -> None:
    rewind(desk, 10 + desk.sql("SELECT position FROM audit_checkpoints ORDER BY size DESC")[1][0])


@way("put back, and other events stored since", "folder, outside")
def _(desk: Desk) -> None:
    rewind(desk, 10 + desk.sql("SELECT position FROM audit_checkpoints ORDER BY size DESC")[1][0])
    last = desk.rows()[-1][0]
    desk.put([*desk.rows(), *((last + n, uuid4().hex, 1, STAGE, b"{}") for n in range(1, 400))])
    desk.retile()


@way("everything rewritten and signed anew with the stolen key, the folder left alone", "folder, outside")
def _(desk: Desk) -> None:
    desk.edit(desk.find(STAGE), b'"new"', b'"nev"')
    desk.retile()
    sign_all(desk, folder=False)


@way("everything rewritten and signed anew with the stolen key, the folder too", "outside")
def _(desk: Desk) -> None:
    desk.edit(desk.find(STAGE), b'"new"', b'"nev"')
    desk.retile()
    sign_all(desk, folder=True)


def sign_all(desk: Desk, *, folder: bool) -> None:
    """Every checkpoint by the key that was in force then: both private keys are stolen."""
    with desk.audit() as (audit, _):
        keys = audit.keys().keys
        kept = {row.size: row.note for row in audit.ledger.kept()}
    signers = {read_key(known.vkey).id: Custody(place).signer(known.vkey)
               for known, place in zip(keys, (desk.folder / "stolen", desk.folder), strict=True)}
    desk.resign(folder=folder)
    with desk.audit() as (audit, store), store.reading() as cursor:
        node = audit.ledger.nodes(cursor)
        notes = {size: signers[base64.b64decode(note.rsplit(" ", 1)[1])[:4]].checkpoint(size, tree.root(node, size))
                 for size, note in kept.items()}
    for size, note in notes.items():
        desk.sql("UPDATE audit_checkpoints SET note = ? WHERE size = ?", note, size)
        if folder:
            (desk.folder / "checkpoints" / f"checkpoint-{size:012}.txt").write_text(note, encoding="utf-8")


# ── what is not found ────────────────────────────────────────────────────────────

@way("an event appended past the hub, as the hub itself would store it", "")
def _(desk: Desk) -> None:
    rows = desk.rows()
    desk.put([*rows, (rows[-1][0] + 1, uuid4().hex, 1, STAGE, rows[40][4])])


@way("an event that no checkpoint covers yet, and the whole tree made anew", "")
def _(desk: Desk) -> None:
    desk.edit(desk.find(STAGE, -1), b'"new"', b'"nev"')
    desk.retile()


class Found(NamedTuple):
    """What a case came to."""

    by: str
    first: str


ORDER = ("leaf", "order", "tree", "checkpoint", "folder", "outside", "key", "stamp")


def found(check: Check) -> Found:
    """By what a check found something, and its first sentence."""
    by = {finding.by for finding in check.findings}
    return Found(", ".join(sorted(by, key=ORDER.index)), check.findings[0].say("en") if check.findings else "")


def table() -> str:
    """The table of docs/audit.md."""
    words = {"leaf": "the event's hash", "order": "the versions of the stream", "tree": "the tiles of the tree",
             "checkpoint": "a checkpoint in the database", "folder": "a checkpoint in the folder",
             "outside": "a checkpoint kept elsewhere", "key": "the key on record"}
    lines = ["| What was altered | Found | By |", "| --- | --- | --- |"]
    for case in CASES:
        by = ", ".join(words[word] for word in case.by.split(", ")) if case.by else "nothing"
        only = " (PostgreSQL refuses it)" if case.only else ""
        lines.append(f"| {case.what}{only} | {'yes' if case.by else '**no**'} | {by} |")
    return "\n".join(lines)


__all__ = ["AUDIT_STREAM", "CASES", "MONDAY", "Case", "Desk", "build", "found", "table"]

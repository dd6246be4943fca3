"""What the proof of the log costs: appends with the tree on and off, the tree itself, checks, proofs, exports.

``python -m bench.audit [--scale]`` measures this part alone and prints it.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
import zipfile
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from itertools import islice
from pathlib import Path
from random import Random
from threading import Event as Flag
from threading import Thread
from uuid import UUID, uuid5

from bench.generate import BATCH, UNTIL, History, index_key
from bench.measure import Report, Times
from bench.scale import postgresql
from hub.audit import tree, verifier
from hub.audit.checking import check
from hub.audit.export import Request, export
from hub.audit.keeping import Audit, Options
from hub.audit.ledger import Ledger
from hub.audit.publishing import GROW_EVERY
from hub.audit.signing import Custody
from hub.bootstrap import House, migrate, open_house
from hub.config import load
from hub.domain.aggregate import Actor, Stamp
from hub.domain.audit import AUDIT_STREAM, AuditLog
from hub.domain.event import Event
from hub.store.base import EventStore, StoredEvent
from tests.postgres import database

ROUNDS, COMMANDS = 5, 100
"""Rounds of appends with the tree off and on, in turn, and commands in each."""
PROOFS = 200
LEADS = 260


def sizes(arguments: Sequence[str]) -> tuple[int, ...]:
    """Events: 10,000, and a million with ``--scale``."""
    return (10_000, 1_000_000) if "--scale" in arguments else (10_000,)


def run(folder: Path, report: Report, events: Sequence[int]) -> None:
    """The table of both stores."""
    columns = [("SQLite", measured(folder / f"audit-{n}", n, "")) for n in events]
    with postgresql() as server:
        for n in events if server else ():
            assert server is not None
            with database(server) as url:
                columns.append(("PostgreSQL", measured(folder / f"audit-postgresql-{n}", n, url)))
    report.say("\n## The proof of the log\n")
    report.say("A command is appended with the tree off and on in turn; on, a follower hashes what came every "
               f"{GROW_EVERY} s. Proofs and checks are of the whole log.\n")
    report.say("| | " + " | ".join(f"{store}, {found['events']} events" for store, found in columns) + " |")
    report.say(f"| --- |{' ---: |' * len(columns)}")
    for name in columns[0][1]:
        if name != "events":
            report.say(f"| {name} | {' | '.join(found[name] for _, found in columns)} |")


def measured(folder: Path, events: int, url: str) -> dict[str, str]:
    """One log on one store: that of a small department, whose events are repeated under other ids up to ``events``."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = load({"HUB_DATA_DIR": str(folder), **({"HUB_DATABASE_URL": url} if url else {})})
    if url:
        migrate(settings)
    with closing(open_house(settings)) as house:
        store = house.store
        last = _filled(store, History(LEADS, LEADS // 10, key=index_key(house)))
        _repeated(store, events)
        audit = house.hub.audit
        audit.options = Options(Custody(folder), folder / "checkpoints", "bench.example", timedelta(days=1))
        found = {"events": "", **_grown(audit.ledger)}
        # Past the application, whose read models have not been made: only the key has to be on record.
        kept = audit.sign(lambda act, at: _record(store, act), UNTIL)
        assert kept is not None
        found |= _appends(house, last)
        audit.ledger.catch_up()
        found["events"] = f"{store.count():,}"
        begin = time.perf_counter()
        verdict = check(audit.ledger, [])
        took = time.perf_counter() - begin
        assert not verdict.findings, verdict.findings[0].say("en")
        found["check of the whole log"] = f"{took:.1f} s, {verdict.events / took:,.0f} events/s"
        found |= _proofs(audit.ledger)
        found |= _export(audit)
    return found


def _filled(store: EventStore, history: History) -> list[Sequence[Event]]:
    """Store all but the last commands of a history; those."""
    waiting: deque[Sequence[Event]] = deque()
    batch: list[Event] = []
    for _, command in history.commands():
        waiting.append(command)
        if len(waiting) > 2 * ROUNDS * COMMANDS:
            batch += waiting.popleft()
        if len(batch) >= BATCH:
            store.append(batch)
            batch = []
    store.append(batch)
    return list(waiting)


def _repeated(store: EventStore, events: int) -> None:
    """The events that there are, again and again as streams of their own."""
    rows, n = store.tail(0, events), 0
    missing = events - len(rows)
    while missing > 0:
        n += 1
        some = rows[:missing]
        again = [StoredEvent(uuid5(_uuid(row), str(n)), row.originator_version, row.topic, row.state) for row in some]
        for begin in range(0, len(again), BATCH):
            store._insert(again[begin:begin + BATCH])
        missing -= len(some)


def _uuid(row: StoredEvent) -> UUID:
    return row.originator_id if isinstance(row.originator_id, UUID) else UUID(row.originator_id)


def _record(store: EventStore, act: Callable[[AuditLog], None]) -> None:
    log = AuditLog(AUDIT_STREAM, Stamp(Actor("hub"), UNTIL, AUDIT_STREAM, 1))
    act(log)
    store.append(log.events)


def _grown(ledger: Ledger) -> dict[str, str]:
    begin = time.perf_counter()
    ledger.catch_up()
    took = time.perf_counter() - begin
    size, _ = ledger.size()
    with ledger.store.reading() as cursor:
        row = cursor.execute("SELECT SUM(LENGTH(hashes)) AS h, SUM(LENGTH(positions)) AS p FROM audit_tiles").fetchone()
    kept = int(row["h"]) + int(row["p"])
    return {"the tree made anew": f"{took:.1f} s, {took / size * 1e6:.1f} µs/event",
            "its size": f"{kept / 1e6:.1f} MB, {kept / size:.0f} B/event"}


def _appends(house: House, last: Sequence[Sequence[Event]]) -> dict[str, str]:
    """The last commands, one by one, with the follower off and on in turn."""
    commands = iter(last)
    times: dict[bool, list[float]] = {False: [], True: []}
    for n in range(2 * ROUNDS):
        on, stop = bool(n % 2), Flag()
        follower = Thread(target=_follow, args=(house.hub.audit.ledger, stop))
        if on:
            follower.start()
        for command in islice(commands, COMMANDS):
            begin = time.perf_counter()
            house.store.append(command)
            times[on].append(time.perf_counter() - begin)
        stop.set()
        if on:
            follower.join()
    off, on_ = Times(tuple(times[False])), Times(tuple(times[True]))
    return {"append of a command, tree off": f"{off}, p99 {off.at(.99) * 1e3:.2f} ms",
            "append of a command, tree on": f"{on_}, p99 {on_.at(.99) * 1e3:.2f} ms",
            "mean of an append, off / on": f"{_mean(off):.2f} / {_mean(on_):.2f} ms"}


def _mean(times: Times) -> float:
    return sum(times.seconds) / len(times.seconds) * 1e3


def _follow(ledger: Ledger, stop: Flag) -> None:
    while not stop.wait(GROW_EVERY):
        ledger.catch_up()


def _proofs(ledger: Ledger) -> dict[str, str]:
    rng = Random(1)
    size, _ = ledger.size()
    with ledger.store.reading() as cursor:
        root = tree.root(ledger.nodes(cursor), size)
        made, verified, length = list[float](), list[float](), 0
        for _n in range(PROOFS):
            leaf = rng.randrange(size)
            begin = time.perf_counter()
            node = ledger.nodes(cursor)  # nothing at hand, as for a first question
            proof = tree.inclusion(node, leaf, size)
            made.append(time.perf_counter() - begin)
            hash = node(0, leaf)
            begin = time.perf_counter()
            verifier.verify_inclusion(hash, leaf, size, proof, root)
            verified.append(time.perf_counter() - begin)
            length = max(length, len(proof))
        first = size * 2 // 3
        begin = time.perf_counter()
        node = ledger.nodes(cursor)
        consistency = tree.consistency(node, first, size)
        took = time.perf_counter() - begin
        verifier.verify_consistency(first, size, consistency, tree.root(node, first), root)
    return {"inclusion proof, made": str(Times(tuple(made))),
            "inclusion proof, verified": f"{Times(tuple(verified)).median * 1e6:.0f} µs, up to {length * 32} B",
            "consistency proof, made": f"{took * 1e3:.2f} ms, {len(consistency) * 32} B"}


def _export(audit: Audit) -> dict[str, str]:
    """The first lead with a long history."""
    kept = audit.ledger.kept(limit=1)[0]
    lead, events = _long(audit.store)
    seconds, file = list[float](), io.BytesIO()
    for _ in range(5):
        file = io.BytesIO()
        begin = time.perf_counter()
        export(audit.ledger, kept, Request(lead, 1, UNTIL, lambda actor: actor), file)
        seconds.append(time.perf_counter() - begin)
    with tempfile.NamedTemporaryFile(suffix=".zip") as on_disk, zipfile.ZipFile(file) as archive:
        on_disk.write(file.getvalue())
        on_disk.flush()
        begin = time.perf_counter()
        verifier.verify(*verifier.open_export(on_disk.name))
        verified = time.perf_counter() - begin
        plain = archive.getinfo("export.json").file_size
    took = Times(tuple(seconds)).median * 1e3
    size = f"{len(file.getvalue()) / 1e3:.0f} kB ({plain / 1e3:.0f} kB unpacked)"
    return {"export of a lead": f"{events} events, {took:.0f} ms, {size}",
            "the export verified": f"{verified * 1e3:.0f} ms"}


def _long(store: EventStore) -> tuple[UUID, int]:
    """A lead with 60 events or more, else the longest of the first ones."""
    counts: dict[UUID, int] = {}
    for row in store.tail(0, 4_000):
        if row.topic.startswith("lead."):
            counts[_uuid(row)] = counts.get(_uuid(row), 0) + 1
    best = min(counts, key=lambda stream: abs(counts[stream] - 60))
    return best, counts[best]


def main() -> int:
    """Measure this part alone."""
    report = Report()
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        run(Path(folder), report, sizes(sys.argv[1:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

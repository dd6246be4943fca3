"""Many writers at once, against as many raw ones: threads share commits, processes take turns."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from uuid import uuid4

from bench.measure import RawPostgres, Report, raw_of
from tests import databases
from tests.stores.store_events import noted

SPAWN = multiprocessing.get_context("spawn")
WRITERS = 8
SECONDS = 2.0
ROUNDS = 3
TEXT = "x" * 160


def insert_until(stop: Callable[[], bool], insert: Callable[[], object]) -> int:
    """How often ``insert`` was done until then."""
    count = 0
    while not stop():
        insert()
        count += 1
    return count


def hub_process(folder: Path, begin: object, seconds: float, result: object) -> None:
    """One process with a store of its own."""
    keys, store = databases.stores(folder, b"bench")
    _in_process(begin, seconds, result, lambda: store.append([noted(uuid4(), 1, TEXT)]))
    store.close()
    keys.close()


def raw_process(folder: Path, begin: object, seconds: float, result: object) -> None:
    """One process with a connection of its own."""
    raw = raw_of(folder, databases.url_of(folder), "raw")
    _in_process(begin, seconds, result, lambda: raw.insert([("test.noted", TEXT.encode() * 2)]))
    raw.close()


def _in_process(begin: object, seconds: float, result: object, insert: Callable[[], object]) -> None:
    insert()
    begin.wait()  # type: ignore[attr-defined]
    end = time.monotonic() + seconds
    result.put(insert_until(lambda: time.monotonic() > end, insert))  # type: ignore[attr-defined]


def processes(folder: Path, target: Callable[..., None]) -> float:
    """Inserts a second of all processes together."""
    begin, results = SPAWN.Barrier(WRITERS), SPAWN.Queue()
    workers = [SPAWN.Process(target=target, args=(folder, begin, SECONDS, results)) for _ in range(WRITERS)]
    for worker in workers:
        worker.start()
    total = sum(results.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join()
    return total / SECONDS


def threads(insert_of: Callable[[int], Callable[[], object]]) -> float:
    """Inserts a second of all threads together."""
    stop = Flag()
    inserts = [insert_of(n) for n in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        begin = time.perf_counter()
        futures = [pool.submit(insert_until, stop.is_set, insert) for insert in inserts]
        stop.wait(SECONDS)
        stop.set()
        return sum(future.result() for future in futures) / (time.perf_counter() - begin)


def seen(store: object, folder: Path) -> list[float]:
    """Seconds from the end of an append in one process's store to its being read by another one that waits for it."""
    keys, other = databases.stores(folder, b"bench")
    delays: list[float] = []
    appended: dict[int, float] = {}
    stop = Flag()

    def follow() -> None:
        after = other.head()
        while not stop.is_set():
            if other.wait_for_append(after, 0.5):
                for row in other.tail(after, 100):
                    now = time.perf_counter()
                    after = row.id
                    while row.id not in appended and not stop.is_set():
                        time.sleep(0)
                    delays.append(now - appended.get(row.id, now))

    reader = Thread(target=follow)
    reader.start()
    time.sleep(0.3)
    for _ in range(400):
        [position] = store.append([noted(uuid4(), 1, TEXT)])  # type: ignore[attr-defined]
        appended[position] = time.perf_counter()
        time.sleep(0.004)
    time.sleep(0.3)
    stop.set()
    reader.join()
    other.close()
    keys.close()
    return [max(0.0, delay) for delay in delays]


def run(folder: Path, report: Report, url: str = "") -> None:
    """Eight writers, and how soon another process sees an event."""
    folder.mkdir()
    name = "PostgreSQL" if url else "SQLite"
    if url:
        databases.put(folder, url)
    keys, store = databases.stores(folder, b"bench")
    raws = [raw_of(folder, url, "raw") for _ in range(WRITERS if url else 0)]
    if url:  # SQLite has one writer: it is for one web process
        report.section(f"{name}: {WRITERS} writers at once, inserts/s", "writers", "raw", "hub", "hub / raw")
        rounds = [(threads(lambda n: lambda: raws[n].insert([("test.noted", TEXT.encode() * 2)])),
                   threads(lambda n: lambda: store.append([noted(uuid4(), 1, TEXT)]))) for _ in range(ROUNDS)]
        _row(report, "threads of one process", rounds)
        rounds = [(processes(folder, raw_process), processes(folder, hub_process)) for _ in range(ROUNDS)]
        _row(report, "processes", rounds)
    for raw in raws:
        assert isinstance(raw, RawPostgres)
        raw.close()
    delays = sorted(seen(store, folder))
    report.section(f"{name}: from the commit until another process reads the event", "p50", "p99", "events")
    report.row(f"{statistics.median(delays) * 1e3:.2f} ms", f"{delays[int(len(delays) * .99)] * 1e3:.2f} ms", len(delays))
    store.close()
    keys.close()


def _row(report: Report, who: str, rounds: list[tuple[float, float]]) -> None:
    raw, hub = (statistics.median(values) for values in zip(*rounds, strict=True))
    shares = sorted(ours / theirs for theirs, ours in rounds)
    report.row(who, f"{raw:,.0f}", f"{hub:,.0f}", f"{statistics.median(shares):.2f} ({shares[0]:.2f}–{shares[-1]:.2f})")

"""Timing in alternating rounds, medians with their spread, and the table that is written."""

from __future__ import annotations

import gc
import os
import platform
import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

Act = Callable[[], object]


@dataclass(frozen=True)
class Times:
    """Seconds of many repetitions of one thing."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)

    def at(self, share: float) -> float:
        """The percentile ``share`` (0.99)."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def __str__(self) -> str:
        return f"{self.median * 1e3:.2f} ms ({self.at(.25) * 1e3:.2f}–{self.at(.75) * 1e3:.2f})"


def side_by_side(count: int, **acts: Act) -> dict[str, Times]:
    """Every act ``count`` times, in turn one of each, so that a noisy moment of the machine hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in acts}
    gc.collect()
    for _ in range(count):
        for name, act in acts.items():
            begin = time.perf_counter()
            act()
            seconds[name].append(time.perf_counter() - begin)
    return {name: Times(tuple(found)) for name, found in seconds.items()}


class Raw:
    """INSERT and COMMIT of given rows into a table like the store's, with the store's own settings, and nothing else."""

    def __init__(self, path: Path) -> None:
        self.database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=128)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=1"):
            self.database.execute(f"PRAGMA {pragma}").fetchall()
        self.database.execute("CREATE TABLE IF NOT EXISTS stored_events (originator_id TEXT, originator_version INTEGER, "
                              "topic TEXT, state BLOB, PRIMARY KEY (originator_id, originator_version))")

    def insert(self, rows: Sequence[tuple[str, bytes]], stream: UUID | None = None, after: int = 0) -> None:
        """These rows (topic, state) in one transaction: of a new stream, or behind so many of a given one."""
        name = (stream or uuid4()).hex
        self.database.execute("BEGIN IMMEDIATE")
        self.database.executemany("INSERT INTO stored_events VALUES (?, ?, ?, ?)",
                                  [(name, n, topic, state) for n, (topic, state) in enumerate(rows, after + 1)])
        self.database.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self.database.close()


class RawPostgres:
    """The same on PostgreSQL: prepared statements, an autocommit INSERT for one row and a transaction for many."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True, prepare_threshold=0)
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS raw_events (originator_id uuid NOT NULL, originator_version bigint NOT NULL, topic text "
            "NOT NULL, state bytea NOT NULL, notification_id bigserial, PRIMARY KEY (originator_id, originator_version))")
        self.connection.execute("CREATE UNIQUE INDEX IF NOT EXISTS raw_by_position ON raw_events (notification_id)")

    def insert(self, rows: Sequence[tuple[str, bytes]], stream: UUID | None = None, after: int = 0) -> None:
        """These rows (topic, state) in one transaction: of a new stream, or behind so many of a given one."""
        statement = "INSERT INTO raw_events (originator_id, originator_version, topic, state) VALUES (%s, %s, %s, %s)"
        stream = stream or uuid4()
        if len(rows) == 1:
            self.connection.execute(statement, (stream, after + 1, *rows[0]))
            return
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.executemany(statement, [(stream, n, topic, state) for n, (topic, state) in enumerate(rows, after + 1)])

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


class Grown:
    """Streams of a control with as many rows as the leads beside which it is measured, one row more at each :meth:`insert`."""

    def __init__(self, raw: Raw | RawPostgres, count: int, size: int, row: tuple[str, bytes]) -> None:
        self._raw, self._row = raw, row
        self._sizes = {uuid4(): size for _ in range(count)}
        self._turn = cycle(self._sizes)
        for stream in self._sizes:
            raw.insert([row] * size, stream)

    def insert(self) -> None:
        """The next row of the next stream, committed."""
        stream = next(self._turn)
        self._raw.insert([self._row], stream, self._sizes[stream])
        self._sizes[stream] += 1


def raw_of(folder: Path, url: str, name: str) -> Raw | RawPostgres:
    """The control of a database."""
    return RawPostgres(url) if url else Raw(folder / f"{name}.db")


@dataclass
class Report:
    """Lines of the results page; each is printed as it comes."""

    lines: list[str] = field(default_factory=list)

    def say(self, line: str = "") -> None:
        """One line."""
        print(line, flush=True)
        self.lines.append(line)

    def section(self, title: str, *columns: str) -> None:
        """A table begins."""
        self.say(f"\n## {title}")
        self.row(*columns)
        self.row(*["---"] * len(columns))

    def row(self, *cells: object) -> None:
        """A row of the table."""
        self.say("| " + " | ".join(map(str, cells)) + " |")


def machine() -> str:
    """What this was measured on."""
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
                  if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (f"{os.cpu_count()} × {model}, {memory:.0f} GiB, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
            f"load {load:.1f} at the start, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")

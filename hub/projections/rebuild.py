"""Making a read model anew from the whole log, beside the tables that serve meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from hub.projections.base import Projection
from hub.projections.batch import Batch
from hub.store.base import Cursor, EventStore, Notification
from hub.store.tables import Tables

BATCH = 2_000
"""Events in one transaction of a rebuild."""

TABLES = """
CREATE TABLE IF NOT EXISTS projection_rebuilds (
    name TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    position INTEGER NOT NULL,
    target INTEGER NOT NULL,
    rate REAL NOT NULL,
    reason TEXT NOT NULL
);
"""
"""``state`` is ``asked``, ``running`` or ``failed``; a rebuild that is done has no row."""


class RebuildFailed(Exception):
    """An event cannot be applied. The tables that were there go on serving."""


class Progress(NamedTuple):
    """How far a rebuild is. ``state``: asked, running or failed (``reason`` says why); ``rate`` in events a second."""

    name: str
    state: str
    position: int
    target: int
    rate: float
    reason: str = ""

    @property
    def seconds_left(self) -> float | None:
        """How long it will take at this rate; None while that is not known."""
        return (self.target - self.position) / self.rate if self.rate else None


def run(store: EventStore, projection: Projection, without: Callable[[Notification], bool],
        tell: Callable[[Progress], object]) -> int:
    """See :meth:`hub.projections.runner.Runner.rebuild`."""
    views, new = store.views, projection.fresh()
    begin, position, read = time.monotonic(), 0, 0
    with views.beside(f"rebuild-{projection.name}") as place_beside:
        with place_beside.writing() as cursor:
            place_beside.script(cursor, new.tables)
        while True:
            while rows := store.tail(position, BATCH):
                batch = Batch(store, rows)
                batch.prepare([new])
                with place_beside.writing() as cursor:
                    _apply(cursor, batch, new, without)
                position, read = rows[-1].id, read + len(rows)
                rate = read / max(time.monotonic() - begin, 1e-6)
                progress = Progress(projection.name, "running", position, max(position, store.head()), rate)
                _note(views, progress)
                tell(progress)
            with views.writing() as cursor:
                cursor.execute("SELECT position, own_tables FROM projection_positions WHERE name = ?", (projection.name,))
                row = cursor.fetchone()
                if row is not None and row["position"] > position:
                    continue  # the live one has seen newer events meanwhile
                old = row["own_tables"].split() if row is not None else []
                gone = list(reversed(dict.fromkeys([*old, *projection.table_names])))
                views.seclude(cursor, gone)
                for table in gone:
                    cursor.execute(f"DROP TABLE IF EXISTS {table}")
                views.move_in(cursor, place_beside, projection.table_names, projection.tables)
                place(cursor, projection, position)
                cursor.execute("DELETE FROM projection_rebuilds WHERE name = ?", (projection.name,))
            return read


def _apply(cursor: Cursor, batch: Batch, projection: Projection, without: Callable[[Notification], bool]) -> None:
    start = 0
    while (failed := batch.apply(cursor, projection, start, len(batch.rows))) is not None:
        row = batch.rows[failed.at]
        if not without(row):
            raise RebuildFailed(f"position {row.id} ({row.topic}): {failed.reason}")
        batch.apply(cursor, projection, start, failed.at)
        start = failed.at + 1


def place(cursor: Cursor, projection: Projection, position: int) -> None:
    """The tables of ``projection`` show the log up to ``position``."""
    cursor.execute(
        "INSERT INTO projection_positions (name, version, position, retries, own_tables) VALUES (?, ?, ?, 0, ?) "
        "ON CONFLICT (name) DO UPDATE SET version = excluded.version, position = excluded.position, retries = 0, "
        "own_tables = excluded.own_tables, parked_at_position = NULL, parked_reason = NULL",
        (projection.name, projection.version, position, " ".join(projection.table_names)))


def ask(views: Tables, name: str, head: int) -> None:
    """Somebody wants a projection rebuilt: the worker does it at its next turn."""
    _note(views, Progress(name, "asked", 0, head, 0.0))


def unfinished(views: Tables) -> list[str]:
    """Projections whose rebuild was asked for or begun, and neither ended nor failed."""
    return [progress.name for progress in progresses(views) if progress.state != "failed"]


def note_failure(views: Tables, name: str, reason: str) -> None:
    """A rebuild ended at an event; for people to see until the next one."""
    _note(views, Progress(name, "failed", 0, 0, 0.0, reason))


def progresses(views: Tables) -> list[Progress]:
    """All rebuilds that were asked for, that run or that failed."""
    with views.reading() as cursor:
        cursor.execute("SELECT name, state, position, target, rate, reason FROM projection_rebuilds ORDER BY name")
        return [Progress(*tuple(row)) for row in cursor.fetchall()]


def _note(views: Tables, progress: Progress) -> None:
    with views.writing() as cursor:
        cursor.execute(
            "INSERT INTO projection_rebuilds VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET state = excluded.state, "
            "position = excluded.position, target = excluded.target, rate = excluded.rate, reason = excluded.reason",
            tuple(progress))

"""What every projection must keep: however the log reaches it, its rows are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.domain.event import Event
from hub.projections import Projection, Runner
from hub.store.base import EventStore
from tests import databases


def dump(store: EventStore, projection: Projection) -> dict[str, list[str]]:
    """All rows of a projection's tables, comparable."""
    with store.views.reading() as cursor:
        return {table: sorted(repr(tuple(row)) for row in cursor.execute(f"SELECT * FROM {table}").fetchall())
                for table in projection.table_names}


@contextmanager
def in_place(folder: Path, url: str) -> Iterator[EventStore]:
    """A store in ``folder``, or in the PostgreSQL database of ``url``."""
    if url:
        databases.put(folder, url)
    keys, store = databases.stores(folder, b"contract")
    yield store
    store.close()
    keys.close()


class ProjectionContract:
    """Subclass it with ``Test…`` and give the projection and a history that fills its tables."""

    def projection(self) -> Projection:
        raise NotImplementedError

    def history(self) -> Sequence[Event]:
        raise NotImplementedError

    @pytest.fixture
    def stored(self, tmp_path: Path, database_url: str) -> Iterator[EventStore]:
        with in_place(tmp_path, database_url) as store:
            yield store

    @pytest.fixture
    def incremental(self, stored: EventStore) -> dict[str, list[str]]:
        """The rows after every event was applied as it came."""
        projection = self.projection()
        runner = Runner(stored, [projection])
        for event in self.history():
            stored.append([event])
            runner.catch_up()
        assert runner.status()[0].parked_reason is None
        return dump(stored, projection)

    def test_the_history_fills_every_table(self, incremental: dict[str, list[str]]) -> None:
        assert incremental
        assert [table for table, rows in incremental.items() if not rows] == []

    @pytest.mark.parametrize("batch", [1, 3, 500])
    def test_rebuilt_in_batches_is_the_same(self, stored: EventStore, incremental: dict[str, Any], batch: int) -> None:
        projection = self.projection()
        runner = Runner(stored, [projection], batch=batch)
        runner.rebuild(projection.name)
        assert dump(stored, projection) == incremental

    def test_only_its_own_tables_are_written(self, stored: EventStore, incremental: dict[str, Any]) -> None:
        with stored.views.reading() as cursor:
            names = stored.views.names(cursor)
        own = {"stored_events", "leases", "projection_positions", "projection_rebuilds", "projection_log"}
        with stored.reading() as cursor:
            beside = stored.tables.names(cursor) - incremental.keys()
        assert names - own - beside == incremental.keys()
        assert stored.count() == len(self.history())

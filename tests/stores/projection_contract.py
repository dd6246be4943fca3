"""What every projection must keep: however the log reaches it, its rows are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hub.domain.event import Event
from hub.projections import Projection, Runner
from hub.store.keys import KeyStore
from hub.store.sqlite import SqliteStore


def dump(store: SqliteStore, projection: Projection) -> dict[str, list[str]]:
    """All rows of a projection's tables, comparable."""
    with store.reading() as cursor:
        return {table: sorted(repr(tuple(row)) for row in cursor.execute(f"SELECT * FROM {table}").fetchall())
                for table in projection.table_names}


class ProjectionContract:
    """Subclass it with ``Test…`` and give the projection and a history that fills its tables."""

    def projection(self) -> Projection:
        raise NotImplementedError

    def history(self) -> Sequence[Event]:
        raise NotImplementedError

    @pytest.fixture
    def stored(self, tmp_path: Path) -> Iterator[SqliteStore]:
        keys = KeyStore(tmp_path / "keys.db", b"contract")
        store = SqliteStore(tmp_path / "hub.db", keys)
        yield store
        store.close()
        keys.close()

    @pytest.fixture
    def incremental(self, stored: SqliteStore) -> dict[str, list[str]]:
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
    def test_rebuilt_in_batches_is_the_same(self, stored: SqliteStore, incremental: dict[str, Any], batch: int) -> None:
        projection = self.projection()
        runner = Runner(stored, [projection], batch=batch)
        runner.rebuild(projection.name)
        assert dump(stored, projection) == incremental

    def test_only_its_own_tables_are_written(self, stored: SqliteStore, incremental: dict[str, Any]) -> None:
        with stored.reading() as cursor:
            rows = cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
        assert {row["name"] for row in rows} == {"stored_events", "projection_positions", *incremental}
        assert stored.count() == len(self.history())

    def test_clearing_leaves_nothing(self, stored: SqliteStore, incremental: dict[str, Any]) -> None:
        with stored.writing() as cursor:
            self.projection().clear(cursor)
        with stored.reading() as cursor:
            left = {row["name"] for row in cursor.execute("SELECT name FROM sqlite_master").fetchall()}
        assert not left & incremental.keys()

"""What only SQLite has: a file that can be locked, full or moved, and its pragmas."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from uuid import uuid4

import pytest
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from hub.projections import Runner
from hub.store import Unavailable
from hub.store.sqlite import SqliteStore
from tests.stores.store_events import Home, Notes, noted, rows


@pytest.fixture
def database_url() -> str:
    return ""


@pytest.fixture
def store(home: Home) -> SqliteStore:
    assert isinstance(home.store, SqliteStore)
    return home.store


def test_a_writer_has_the_lock_before_its_first_statement(store: SqliteStore) -> None:
    """A transaction that reads first and writes later would otherwise fail without waiting."""
    other = sqlite3.connect(store.path, isolation_level=None, timeout=0)
    with store.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_every_connection_is_as_safe_as_promised(store: SqliteStore) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 5000}
    for transaction in (store.reading, store.writing):
        with transaction() as cursor:
            assert {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted} == wanted
    with store.views.writing() as cursor:  # what can be made again need not wait for the disk
        assert cursor.execute("PRAGMA synchronous").fetchone()[0] == 1


def test_a_full_disk_is_unavailable_and_then_recovers(store: SqliteStore) -> None:
    stream = uuid4()
    store.append([noted(stream, 1)])
    connection = store.tables.datastore.writer.get_connection()
    database = connection._sqlite_conn
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count = {pages}")
    store.tables.datastore.writer.put_connection(connection)
    large = noted(stream, 2, "x" * 100_000)
    with pytest.raises(Unavailable, match="full"):
        store.append([large])
    assert len(store.read(stream)) == 1
    database.execute("PRAGMA max_page_count = 1000000")
    assert store.append([large]) == [2]


def test_a_locked_store_is_unavailable_and_then_recovers(home: Home, store: SqliteStore, tmp_path: Path) -> None:
    connection = store.tables.datastore.writer.get_connection()
    connection._sqlite_conn.execute("PRAGMA busy_timeout = 1")
    store.tables.datastore.writer.put_connection(connection)
    other = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    event = noted(uuid4(), 1)
    with pytest.raises(Unavailable, match="locked"):
        store.append([event])
    other.execute("ROLLBACK")
    other.close()
    assert store.append([event]) == [1]


def test_nothing_is_acknowledged_into_a_deleted_file(store: SqliteStore) -> None:
    assert store.healthy()
    moved = store.path.rename(store.path.with_name("moved.db"))
    assert not store.healthy()
    with pytest.raises(Unavailable, match="moved or deleted under the running hub"):
        store.append([noted(uuid4(), 1)])
    moved.rename(store.path)
    assert store.healthy()
    assert store.append([noted(uuid4(), 1)])


def test_the_librarys_own_recorder_reads_the_same_file(store: SqliteStore) -> None:
    event = noted(uuid4(), 1)
    store.append([event])
    datastore = SQLiteDatastore(str(store.path))
    recorder = SQLiteApplicationRecorder(datastore)
    recorder.create_table()
    [row] = recorder.select_notifications(1, 10)
    datastore.close()
    assert store.decode(row) == event


def test_a_closed_store_leaves_no_log_behind(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.store.append([noted(uuid4(), 1)])
    home.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hub-views.db", "hub.db", "keys.db"]


def test_a_full_disk_parks_nothing(store: SqliteStore) -> None:
    run = Runner(store, [Notes()])
    store.append([noted(uuid4(), 1, "x" * 50_000)])
    connection = store.views.datastore.writer.get_connection()
    database = connection._sqlite_conn
    database.execute(f"PRAGMA max_page_count = {database.execute('PRAGMA page_count').fetchone()[0]}")
    store.views.datastore.writer.put_connection(connection)
    with pytest.raises(Unavailable):
        run.catch_up()
    assert run.status()[0][2:] == (0, 1, None, None, 0)
    database.execute("PRAGMA max_page_count = 1000000")
    assert run.catch_up() == 1


@pytest.mark.parametrize("older", [True, False], ids=["an older copy of it", "another one"])
def test_read_models_of_another_log_are_made_anew(tmp_path: Path, older: bool) -> None:
    """Somebody put a copy in the place of the log and left the file of read models where it was."""
    home = Home(tmp_path)
    stream = uuid4()
    home.store.append([noted(stream, 1, "first")])
    home.close()
    kept = (tmp_path / "hub.db").read_bytes()
    home = Home(tmp_path)
    home.store.append([noted(stream, 2, "second")])
    Runner(home.store, [Notes()]).catch_up()
    assert len(rows(home.store, "notes")) == 2
    home.close()
    (tmp_path / "hub.db").write_bytes(kept) if older else (tmp_path / "hub.db").unlink()
    home = Home(tmp_path)
    if not older:
        home.store.append([noted(uuid4(), 1, "of another log"), noted(uuid4(), 1, "and"), noted(uuid4(), 1, "more")])
    Runner(home.store, [Notes()]).catch_up()
    assert [text for _, text in rows(home.store, "notes")] == (["first"] if older else ["of another log", "and", "more"])
    home.close()

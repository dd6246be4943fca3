"""The store's promises: stored means on the disk, one event a version, all streams or none, outages said as such."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Thread
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError

from hub.store import Conflict
from hub.store.base import Cursor, EventStore
from tests.stores.store_events import Home, noted

SPAWN = multiprocessing.get_context("spawn")


def append_with_retry(store: EventStore, stream: UUID, count: int, text: str) -> None:
    version = 0
    for _ in range(count):
        while True:
            version += 1 + len(store.raw(stream, after=version))
            try:
                store.append([noted(stream, version, text)])
                break
            except Conflict:
                version -= 1


def append_in_a_process(folder: Path, url: str, stream: UUID, count: int, text: str) -> None:
    home = Home(folder, url)
    append_with_retry(home.store, stream, count, text)
    home.close()


def test_positions_follow_the_order_of_the_log(store: EventStore) -> None:
    one, two = uuid4(), uuid4()
    first = [noted(one, 1), noted(two, 1)]
    assert store.head() == 0
    assert store.append(first) == [1, 2]
    assert store.append([]) == []
    third = noted(one, 2)
    assert store.append([third]) == [3]
    assert store.log(0, 10) == [(1, first[0]), (2, first[1]), (3, third)]
    assert store.log(1, 1) == [(2, first[1])]
    assert (store.head(), store.count()) == (3, 3)


def test_a_stream_is_read_from_and_up_to_a_version(store: EventStore) -> None:
    stream = uuid4()
    events = [noted(stream, version) for version in range(1, 6)]
    store.append(events)
    assert store.read(stream) == events
    assert store.read(stream, after=2) == events[2:]
    assert store.read(stream, after=1, upto=3) == events[1:3]
    assert store.read(uuid4()) == []


def test_a_taken_version_is_a_conflict_and_nothing_of_the_batch_is_stored(store: EventStore) -> None:
    taken, free = uuid4(), uuid4()
    first = noted(taken, 1)
    store.append([first])
    with pytest.raises(Conflict, match="read the stream again"):
        store.append([noted(free, 1), noted(taken, 1)])
    assert store.read(free) == []
    assert store.read(taken) == [first]


def test_a_commit_whose_answer_was_lost_is_recognised(store: EventStore) -> None:
    events = [noted(uuid4(), 1), noted(uuid4(), 1)]
    positions = store.append(events)
    store.append([noted(uuid4(), 1)])
    assert store.append(events) == positions
    assert store.count() == 3


def test_half_of_a_batch_being_there_is_a_conflict(store: EventStore) -> None:
    events = [noted(uuid4(), 1), noted(uuid4(), 1)]
    store.append(events[:1])
    with pytest.raises(Conflict):
        store.append(events)
    assert store.count() == 1


def test_threads_on_one_stream_lose_and_double_nothing(store: EventStore) -> None:
    stream = uuid4()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: append_with_retry(store, stream, 50, str(n)), range(8)))
    events = store.read(stream)
    assert [event.originator_version for event in events] == list(range(1, 401))
    assert sorted(event.text for event in events) == sorted(str(n) for n in range(8) for _ in range(50))  # type: ignore[attr-defined]


def test_processes_on_one_stream_lose_and_double_nothing(home: Home) -> None:
    stream = uuid4()
    workers = [SPAWN.Process(target=append_in_a_process, args=(home.folder, home.url, stream, 50, str(n))) for n in range(2)]
    for worker in workers:
        worker.start()
    append_with_retry(home.store, stream, 50, "here")
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
        worker.close()
    assert [row.originator_version for row in home.store.raw(stream)] == list(range(1, 151))
    assert home.store.count() == 150


def test_an_append_wakes_who_waits_in_this_process(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once: here nobody polls for an hour."""
    monkeypatch.setattr("hub.store.base.POLLS", ())
    monkeypatch.setattr("hub.store.base.QUIET_POLL", 3600)
    assert not store.wait_for_append(0, 0)  # the first look at the file is behind us
    looked, woken = Barrier(2), []

    def wait() -> None:
        looked.wait()
        woken.append(store.wait_for_append(0, 3600))

    thread = Thread(target=wait, daemon=True)
    thread.start()
    looked.wait()
    store.append([noted(uuid4(), 1)])
    thread.join(60)
    assert woken == [True]


def test_an_append_of_another_process_wakes_too(home: Home) -> None:
    store = home.store
    worker = SPAWN.Process(target=append_in_a_process, args=(home.folder, home.url, uuid4(), 1, "x"))
    worker.start()
    assert store.wait_for_append(0, 60)
    worker.join()
    worker.close()
    assert not store.wait_for_append(1, 0)


def test_reads_do_not_wait_for_writers(store: EventStore) -> None:
    """Neither for one that writes nor for one that stands in line behind it."""
    stream = uuid4()
    store.append([noted(stream, 1)])
    queued = Thread(target=lambda: store.append([noted(stream, 2)]))
    with store.writing() as cursor:
        cursor.execute("CREATE TABLE side (n INTEGER)")
        queued.start()
        for _ in range(50):
            assert len(store.read(stream)) >= 1
    queued.join()
    assert len(store.read(stream)) == 2


def test_a_reader_sees_one_state_and_cannot_write(store: EventStore, second: Home) -> None:
    with store.reading() as cursor:
        assert cursor.execute("SELECT COUNT(*) AS n FROM stored_events").fetchone()["n"] == 0
        second.store.append([noted(uuid4(), 1)])
        assert cursor.execute("SELECT COUNT(*) AS n FROM stored_events").fetchone()["n"] == 0
        with pytest.raises((sqlite3.OperationalError, psycopg.errors.ReadOnlySqlTransaction)):
            cursor.execute("DELETE FROM stored_events")
    assert store.count() == 1


def test_side_tables_are_written_whole_or_not_at_all(store: EventStore) -> None:
    with store.writing() as cursor:
        store.script(cursor, "CREATE TABLE side (word TEXT UNIQUE); -- with a comment;\nINSERT INTO side VALUES ('a;b');")

    def write(word: str, then: Callable[[Cursor], object]) -> None:
        with store.writing() as cursor:
            cursor.execute("INSERT INTO side VALUES (?)", (word,))
            then(cursor)

    with pytest.raises(IntegrityError):
        write("new", lambda cursor: cursor.execute("INSERT INTO side VALUES ('a;b')"))
    with pytest.raises(ZeroDivisionError):
        write("newer", lambda cursor: 1 / 0)
    with store.reading() as cursor:
        assert [row["word"] for row in cursor.execute("SELECT word FROM side")] == ["a;b"]

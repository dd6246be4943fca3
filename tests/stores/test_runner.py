"""Projections follow the log: each event once, a bad one stops its own projection only."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from eventsourcing.persistence import StoredEvent

from hub.domain.event import Event
from hub.projections import Cursor, Projection, Runner
from hub.projections.rebuild import Progress, RebuildFailed, ask, progresses
from hub.store.base import EventStore
from tests.serving import until
from tests.stores.projection_contract import ProjectionContract
from tests.stores.store_events import Home, Met, Notes, Tally, make, noted, rows

SPAWN = multiprocessing.get_context("spawn")


def runner(store: EventStore, *projections: Projection, batch: int = 500) -> Runner:
    return Runner(store, projections or (Notes(), Tally()), batch=batch, pause=lambda seconds: None)


def catch_up_in_a_process(folder: Path, url: str) -> None:
    home = Home(folder, url)
    runner(home.store, batch=7).catch_up()
    home.close()


class Repaired(Notes):
    """The second release of the notes: no poison, other tables."""

    version: ClassVar[int] = 2
    tables = "CREATE TABLE notes (position INTEGER PRIMARY KEY, text TEXT NOT NULL, length INTEGER NOT NULL)"

    def apply(self, cursor: Cursor, position: int, event: Any) -> None:
        cursor.execute("INSERT INTO notes VALUES (?, ?, ?)", (position, event.text, len(event.text)))


class Moody(Notes):
    """Fails while ``fails`` says so."""

    fails: Callable[[Any], bool] = staticmethod(lambda event: False)

    def apply(self, cursor: Cursor, position: int, event: Any) -> None:
        super().apply(cursor, position, event)
        if self.fails(event):
            raise ValueError("not in the mood")


class TestNotes(ProjectionContract):
    def projection(self) -> Projection:
        return Notes()

    def history(self) -> Sequence[Event]:
        streams = [uuid4(), uuid4()]
        return [noted(streams[n % 2], n // 2 + 1, f"note {n}") for n in range(10)]


def test_all_projections_see_what_they_want_of_the_log(store: EventStore) -> None:
    run = runner(store, batch=2)
    person = uuid4()
    store.append([noted(uuid4(), 1, "a"), make(Met, uuid4(), 1, text="Иван", subject=person), noted(uuid4(), 1, "b")])
    assert run.catch_up() == 6
    assert run.catch_up() == 0
    assert rows(store, "notes") == [(1, "a"), (3, "b")]
    assert rows(store, "tally") == [("test.met", 1), ("test.noted", 2)]
    assert [(s.name, s.position, s.lag) for s in run.status()] == [("notes", 3, 0), ("tally", 3, 0)]


def test_a_new_runner_goes_on_where_the_last_one_stopped(store: EventStore) -> None:
    stream = uuid4()
    store.append([noted(stream, 1)])
    runner(store).catch_up()
    store.append([noted(stream, 2)])
    assert runner(store).catch_up() == 2
    assert rows(store, "note_counts") == [(stream.hex, 2)]


def test_a_poison_event_parks_its_projection_visibly_and_no_other(store: EventStore) -> None:
    stream = uuid4()
    store.append([noted(stream, n, "poison" if n == 4 else f"{n}") for n in range(1, 8)])
    run = runner(store)
    run.catch_up()
    notes, tally = run.status()
    assert (notes.position, notes.parked_at, notes.lag, notes.retries) == (3, 4, 4, 3)
    assert notes.parked_reason is not None
    assert notes.parked_reason.startswith("test.noted: ValueError at store_events.py:")
    assert rows(store, "notes") == [(1, "1"), (2, "2"), (3, "3")]
    assert (tally.position, tally.parked_at) == (7, None)
    store.append([noted(stream, 8)])
    assert run.catch_up() == 1
    assert run.wait(8, 0), "a parked projection must not hold a page up"


def test_a_parked_projection_goes_on_once_its_trouble_is_over(store: EventStore) -> None:
    moody = Moody()
    moody.fails = lambda event: event.text == "2"
    run = runner(store, moody)
    stream = uuid4()
    store.append([noted(stream, n, str(n)) for n in range(1, 4)])
    run.catch_up()
    assert run.status()[0].parked_at == 2
    assert run.retry("notes")
    run.catch_up()
    assert (run.status()[0].parked_at, run.status()[0].retries) == (2, 6)
    moody.fails = lambda event: False
    assert run.retry("notes")
    assert run.catch_up() == 2
    assert run.status()[0][2:] == (3, 0, None, None, 0)
    assert not run.retry("notes")
    assert rows(store, "note_counts") == [(stream.hex, 3)]


def test_trouble_that_passes_parks_nothing_and_applies_nothing_twice(store: EventStore) -> None:
    moody, failures = Moody(), iter([True, True])
    moody.fails = lambda event: event.text == "2" and next(failures, False)
    run = runner(store, moody)
    stream = uuid4()
    store.append([noted(stream, n, str(n)) for n in range(1, 4)])
    assert run.catch_up() == 3
    assert run.status()[0].parked_at is None
    assert rows(store, "note_counts") == [(stream.hex, 3)]


def test_an_event_that_cannot_be_read_parks_only_who_wants_it(store: EventStore) -> None:
    store.recorder.insert_events([StoredEvent(uuid4(), 1, "test.from_the_future", b"{}")])
    store.append([noted(uuid4(), 1)])
    run = runner(store)
    run.catch_up()
    notes, tally = run.status()
    assert (notes.position, notes.parked_at) == (2, None)
    assert tally.parked_at == 1
    assert "no event class has this topic" in (tally.parked_reason or "")


def test_runners_at_once_apply_nothing_twice(home: Home) -> None:
    """Threads and processes race for the same events; the counts would show every double."""
    store, stream = home.store, uuid4()
    runner(store)
    store.append([noted(stream, n) for n in range(1, 301)])
    workers = [SPAWN.Process(target=catch_up_in_a_process, args=(home.folder, home.url)) for _ in range(2)]
    for worker in workers:
        worker.start()
    with ThreadPoolExecutor(4) as threads:
        applied = sum(threads.map(lambda n: runner(store, batch=7).catch_up(), range(4)))
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
        worker.close()
    assert applied <= 600
    assert rows(store, "note_counts") == [(stream.hex, 300)]
    assert rows(store, "tally") == [("test.noted", 300)]


def test_a_new_version_is_rebuilt_at_start(store: EventStore) -> None:
    store.append([noted(uuid4(), 1, "poison"), noted(uuid4(), 1, "four")])
    runner(store).catch_up()
    runner(store, Repaired())
    assert rows(store, "notes") == [(1, "poison", 6), (2, "four", 4)]
    with store.views.reading() as cursor:
        assert "note_counts" not in store.views.names(cursor), "a dropped table stayed"
    old = runner(store, Tally())
    assert old.catch_up() == 0, "the other projection was not touched"


def test_a_runner_of_the_old_release_leaves_the_new_tables_alone(store: EventStore) -> None:
    old = runner(store, Notes())
    runner(store, Repaired()).catch_up()
    store.append([noted(uuid4(), 1)])
    assert old.catch_up() == 0
    assert rows(store, "notes") == []


def test_a_rebuild_on_request_replays_everything(store: EventStore) -> None:
    run = runner(store, batch=3)
    stream = uuid4()
    store.append([noted(stream, n) for n in range(1, 11)])
    run.catch_up()
    with store.views.writing() as cursor:
        cursor.execute("DELETE FROM notes")
    assert run.rebuild("notes") == 10
    assert len(rows(store, "notes")) == 10
    assert rows(store, "note_counts") == [(stream.hex, 10)]
    assert rows(store, "tally") == [("test.noted", 10)]


def test_read_models_of_another_log_are_dropped_once_however_many_begin(
        home: Home, second: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one process looks whose log they are of, another has dropped them and made them anew: they stay."""
    home.store.append([noted(uuid4(), 1)])
    runner(home.store).catch_up()
    with home.store.views.writing() as cursor:
        cursor.execute("UPDATE projection_log SET first_event = 'that of another log'")
    head, others = second.store.head, list[Runner]()

    def head_after_the_other_began() -> int:
        if not others:
            others.append(runner(home.store))
            others[0].catch_up()
        return head()

    monkeypatch.setattr(second.store, "head", head_after_the_other_began)
    runner(second.store)
    assert [status.position for status in others[0].status()] == [1, 1]
    assert len(rows(home.store, "notes")) == 1


def test_two_projections_cannot_own_one_table(store: EventStore) -> None:
    class Thief(Projection):
        name = "thief"
        tables = "CREATE TABLE IF NOT EXISTS tally (n INTEGER)"

    with pytest.raises(ValueError, match="belongs to tally"):
        runner(store, Tally(), Thief())


def test_the_page_that_wrote_waits_for_its_event_and_the_loop_brings_it(store: EventStore) -> None:
    run, stop = runner(store), Flag()
    loop = Thread(target=run.run, args=(stop,))
    loop.start()
    try:
        for n in range(1, 6):
            [position] = store.append([noted(uuid4(), 1, str(n))])
            assert run.wait(position, 30)
            assert len(rows(store, "notes")) == n
        assert not run.wait(store.head() + 1, 0)
    finally:
        stop.set()
        loop.join()


def test_waiting_does_not_care_whose_runner_it_is(home: Home, second: Home) -> None:
    waiting, stop = runner(home.store), Flag()
    loop = Thread(target=runner(second.store).run, args=(stop,))
    loop.start()
    try:
        [position] = home.store.append([noted(uuid4(), 1)])
        assert waiting.wait(position, 30)
        assert len(rows(home.store, "notes")) == 1
    finally:
        stop.set()
        loop.join()


# ── rebuilding beside the tables that serve ──────────────────────────────────────


def test_the_old_rows_serve_until_the_new_ones_are_whole(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every step of a rebuild readers see the old rows, all of them; new events go on coming into them."""
    monkeypatch.setattr("hub.projections.rebuild.BATCH", 3)
    run, stream, seen = runner(store, Notes()), uuid4(), []
    store.append([noted(stream, n, f"note {n:02}") for n in range(1, 11)])
    run.catch_up()

    def look(progress: Progress) -> None:
        seen.append(len(rows(store, "notes")))
        if progress.position == 6:
            store.append([noted(stream, 11, "note 11")])
            run.catch_up()
        assert [(p.name, p.state, p.position) for p in progresses(store.views)] == [("notes", "running", progress.position)]
        assert progress.target >= 10
        assert progress.seconds_left is not None

    assert run.rebuild("notes", look) == 11
    assert seen == [10, 10, 11, 11]
    assert len(rows(store, "notes")) == 11
    assert progresses(store.views) == []
    assert run.status()[0].lag == 0


def test_a_rebuild_that_meets_poison_leaves_the_old_rows_and_says_where(store: EventStore) -> None:
    moody = Moody()
    run, stream = runner(store, moody), uuid4()
    store.append([noted(stream, n, str(n)) for n in range(1, 4)])
    run.catch_up()
    moody.fails = lambda event: event.text == "2"
    with pytest.raises(RebuildFailed, match=r"position 2 \(test\.noted\): ValueError"):
        run.rebuild("notes")
    assert len(rows(store, "notes")) == 3
    [failed] = progresses(store.views)
    assert (failed.state, "position 2" in failed.reason) == ("failed", True)
    moody.fails = lambda event: False
    run.rebuild("notes")
    assert progresses(store.views) == []


def test_what_a_person_decided_to_skip_is_skipped_live_and_in_a_rebuild_alike(store: EventStore) -> None:
    stream = uuid4()
    store.append([noted(stream, n, "poison" if n == 2 else str(n)) for n in range(1, 5)])
    skipped: set[int] = set()
    run = Runner(store, [Notes()], pause=lambda seconds: None, skipped=lambda name: frozenset(skipped))
    run.catch_up()
    assert run.status()[0].parked_at == 2
    skipped.add(2)
    run.retry("notes")
    run.catch_up()
    live = rows(store, "notes")
    assert [text for _, text in live] == ["1", "3", "4"]
    assert run.rebuild("notes") == 4
    assert rows(store, "notes") == live


def test_a_rebuild_that_was_asked_for_is_done_by_the_next_runner_if_the_first_one_died(home: Home, second: Home) -> None:
    run = runner(home.store, Notes())
    home.store.append([noted(uuid4(), 1)])
    run.catch_up()
    ask(home.store.views, "notes", home.store.head())
    assert home.store.leases.hold("rebuild:notes", "somebody who dies", 30)
    other = runner(second.store, Notes())
    assert other.rebuild_asked() == []
    home.store.leases.free("rebuild:notes", "somebody who dies")
    assert other.rebuild_asked() == ["notes"]
    assert other.rebuild_asked() == []


def test_two_rebuilds_of_one_read_model_do_not_meet(home: Home, second: Home) -> None:
    run = runner(home.store, Notes())
    home.store.append([noted(uuid4(), 1)])
    other = runner(second.store, Notes())

    def meanwhile(progress: Progress) -> None:
        with pytest.raises(RebuildFailed, match="rebuilt by another process"):
            other.rebuild("notes")

    assert run.rebuild("notes", meanwhile) == 1
    assert len(rows(home.store, "notes")) == 1


# ── who drives what ──────────────────────────────────────────────────────────────


def test_one_of_several_drives_a_projection_and_another_takes_over(home: Home, second: Home) -> None:
    first, stop_first = runner(home.store), Flag()
    then, stop_then = runner(second.store), Flag()
    loops = [Thread(target=first.run, args=(stop_first,)), Thread(target=then.run, args=(stop_then,))]
    loops[0].start()
    until(lambda: len(holders(home)) == 2, why="the first has both")
    loops[1].start()
    try:
        [position] = home.store.append([noted(uuid4(), 1)])
        assert first.wait(position, 30)
        assert holders(home) == {"projection:notes": first.holder, "projection:tally": first.holder}
        stop_first.set()
        loops[0].join()
        [position] = home.store.append([noted(uuid4(), 1)])
        assert first.wait(position, 30), "the second goes on"
        assert set(holders(home).values()) == {then.holder}
    finally:
        stop_first.set()
        stop_then.set()
        loops[1].join()


def holders(home: Home) -> dict[str, str]:
    return {name: held.holder for name, held in home.store.leases.holders().items()}


def test_a_lease_is_one_persons_until_it_runs_out_or_is_given_back(home: Home, second: Home) -> None:
    mine, theirs = home.store.leases, second.store.leases
    assert mine.hold("mailbox", "me", 3600)
    assert mine.hold("mailbox", "me", 3600), "it is renewed"
    assert not theirs.hold("mailbox", "they", 3600)
    assert theirs.hold_all(["mailbox", "another"], "they", 3600) == {"another"}
    theirs.free("mailbox", "they")
    assert not theirs.hold("mailbox", "they", 3600), "only its holder gives it back"
    mine.free("mailbox", "me")
    assert theirs.hold("mailbox", "they", -1)
    assert mine.hold("mailbox", "me", 3600), "it had run out"
    assert mine.holders()["mailbox"].seconds_left > 3000
    mine.free_all("me")
    assert theirs.hold("mailbox", "they", 1)

"""What only PostgreSQL has: connections that die, answers that get lost, many processes, a schema that is made once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier, Thread
from threading import Event as Flag
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from hub import bootstrap
from hub.__main__ import main
from hub.config import load
from hub.projections import Runner
from hub.store import Conflict, NotMigrated, Unavailable
from hub.store.postgres import PostgresStore, migrate
from hub.store.postgres_keys import PostgresKeys
from hub.store.postgres_tables import CONNECTIONS, PostgresCursor, translated, typed
from hub.web import create_app
from tests import databases
from tests.postgres import address
from tests.serving import FORM, environment, make_form, opened, until
from tests.stores.store_events import SECRET, Home, Notes, Tally, noted, rows
from tests.stores.wire import Wire

SPAWN = multiprocessing.get_context("spawn")
APPEND = "SELECT hub_append(ARRAY[gen_random_uuid()], ARRAY[1], ARRAY['test.noted'], ARRAY[''::bytea])"
DIE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
def database_url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
def store(home: Home) -> PostgresStore:
    assert isinstance(home.store, PostgresStore)
    return home.store


@pytest.fixture
def admin(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection beside the hub's."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def wire(postgres_url: str) -> Iterator[Wire]:
    migrate(postgres_url, [])
    with Wire(postgres_url) as wire:
        yield wire


@contextmanager
def running(runner: Runner) -> Iterator[None]:
    """A runner at work in a thread."""
    stop = Flag()
    thread = Thread(target=runner.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def kept_trying(store: PostgresStore, text: str) -> None:
    """Append one event as a client does: the same one again while the database cannot be used."""
    event = noted(uuid4(), 1, text)
    while True:
        try:
            store.append([event])
            return
        except Unavailable:
            time.sleep(0.01)


def append_in_a_process(url: str, count: int) -> None:
    home = Home(Path(), url)
    for _ in range(count):
        home.store.append([noted(uuid4(), 1), noted(uuid4(), 1)])
    home.close()


def drive_in_a_process(url: str) -> None:
    home = Home(Path(), url)
    Runner(home.store, [Notes()]).run(Flag())


# ── the log ──────────────────────────────────────────────────────────────────────


def test_a_reader_that_follows_sees_positions_grow_and_misses_none(store: PostgresStore, postgres_url: str) -> None:
    """Threads share commits, processes do not; every fifth append is refused and leaves a gap in the numbers."""
    workers = [SPAWN.Process(target=append_in_a_process, args=(postgres_url, 60)) for _ in range(2)]
    taken = noted(uuid4(), 1)
    store.append([taken])

    def write(_: int) -> None:
        for n in range(50):
            if n % 5:
                store.append([noted(uuid4(), 1)])
            else:
                with pytest.raises(Conflict):
                    store.append([noted(uuid4(), 1), noted(taken.originator_id, 1)])

    seen: list[int] = []
    all_of_them = 1 + 4 * 40 + 2 * 2 * 60
    for worker in workers:
        worker.start()
    with ThreadPoolExecutor(4) as threads:
        writing = [threads.submit(write, n) for n in range(4)]
        until(lambda: len(seen) == all_of_them or bool(seen.extend(row.id for row in store.tail(max(seen, default=0), 7))),
              why="the reader has seen all")
        for one in writing:
            one.result()
    for worker in workers:
        worker.join()
        worker.close()
    assert seen == sorted(set(seen))
    assert seen == [row.id for row in store.tail(0, 10_000)]
    assert seen[-1] > len(seen), "there are gaps to be stepped over"


@pytest.mark.parametrize(("marked", "missed"), [(True, []), (False, [1])])
def test_without_its_mark_a_reader_would_miss_an_event(
        store: PostgresStore, postgres_url: str, admin: psycopg.Connection[Any], marked: bool, missed: list[int]) -> None:
    """The first to take a number is the last to commit. Readers wait at its mark, and the second append does not wait."""
    if not marked:
        [[body]] = admin.execute("SELECT pg_get_functiondef('hub_append'::regproc)").fetchall()
        [mark] = [line for line in body.splitlines() if "pg_advisory_xact_lock_shared" in line and "last_value" in line]
        admin.execute(body.replace(mark, ""))
    seen: list[int] = []

    def look() -> None:
        assert store.head() == max([row.id for row in store.tail(0, 10)], default=0)
        seen.extend(row.id for row in store.tail(max(seen, default=0), 10))

    with psycopg.connect(postgres_url) as slow:
        slow.execute(APPEND)
        admin.execute(APPEND)
        look()
        assert seen == ([] if marked else [2])
        slow.commit()
    look()
    assert store.count() == 2
    assert sorted({1, 2} - set(seen)) == missed


def test_an_append_that_was_given_up_holds_readers_no_longer(
        store: PostgresStore, postgres_url: str, admin: psycopg.Connection[Any]) -> None:
    with closing(psycopg.connect(postgres_url)) as slow:
        slow.execute(APPEND)
        admin.execute(APPEND)
        assert store.tail(0, 10) == []
        admin.execute(DIE.replace("pid <>", f"pid = {slow.info.backend_pid} AND pid <>"))
        until(lambda: [row.id for row in store.tail(0, 10)] == [2], why="the mark goes with the connection")


def test_appends_to_the_same_streams_in_another_order_end(store: PostgresStore) -> None:
    """One of two is refused, and none waits for the other in a circle; positions are in the caller's order."""
    with ThreadPoolExecutor(2) as threads:
        for _ in range(30):
            one, other = uuid4(), uuid4()
            ready = Barrier(2)

            def append(*streams: UUID, ready: Barrier = ready) -> list[int]:
                with closing(psycopg.connect(store.pool.url, autocommit=True)) as connection:
                    ready.wait()
                    try:
                        [found] = connection.execute("SELECT hub_append(%s, ARRAY[1, 1], ARRAY['test.noted', 'test.noted'], "
                                                     "ARRAY['a'::bytea, 'b'])", (list(streams),)).fetchone() or ()
                    except psycopg.errors.UniqueViolation:
                        return []
                return list(found)

            both = [threads.submit(append, *streams) for streams in ((one, other), (other, one))]
            assert sorted(len(append.result()) for append in both) == [0, 2]
            rows = {row.originator_id: (row.id, bytes(row.state)) for row in store.tail(store.head() - 10, 20)}
            assert (rows[one] < rows[other]) == (rows[one][1] == b"a")


def test_a_whole_log_is_copied_in_while_nobody_appends(store: PostgresStore, admin: psycopg.Connection[Any]) -> None:
    with ThreadPoolExecutor(1) as thread:
        with store.filling():
            appending = thread.submit(store.append, [noted(uuid4(), 1)])
            waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
            until(lambda: admin.execute(waits).fetchone() is not None, why="the append waits")
        assert appending.result(60) == [1]


def test_killed_connections_lose_nothing_and_double_nothing(store: PostgresStore, admin: psycopg.Connection[Any]) -> None:
    """All of the hub's connections die, again and again, while it appends, projects and listens."""
    runner, texts = Runner(store, [Notes(), Tally()]), list[str]()

    def write(n: int) -> None:
        for i in range(15):
            kept_trying(store, f"{n}-{i}")
            texts.append(f"{n}-{i}")

    with running(runner), ThreadPoolExecutor(4) as threads:
        for kill in range(4):
            enough = len(texts) + 20
            writing = [threads.submit(write, 4 * kill + n) for n in range(4)]
            until(lambda: len(texts) >= enough, why="some are appended")  # noqa: B023
            admin.execute(DIE)
            for one in writing:
                one.result()
            until(lambda: told(lambda: runner.wait(store.head(), 0)), why="it goes on to project")
    assert sorted(event.text for _, event in store.log(0, 100_000)) == sorted(texts)  # type: ignore[attr-defined]
    assert sorted(row[1] for row in rows(store, "notes")) == sorted(texts)
    assert rows(store, "tally") == [("test.noted", 4 * 4 * 15)]
    assert store.healthy()


def told(ask: Callable[[], bool]) -> bool:
    """What the store says; no while it cannot be asked."""
    try:
        return ask()
    except Unavailable:
        return False


def test_dead_connections_fail_no_caller(store: PostgresStore, admin: psycopg.Connection[Any]) -> None:
    """After a restart of the server all connections of the pool are dead, and nobody is told to come again."""
    for _ in range(3):
        ready = Barrier(CONNECTIONS // 2)

        def hold(_: int, ready: Barrier = ready) -> None:
            with store.reading():
                ready.wait()
        with ThreadPoolExecutor(ready.parties) as threads:
            list(threads.map(hold, range(ready.parties)))
        assert len(admin.execute(DIE).fetchall()) >= ready.parties
        stream = uuid4()
        store.append([noted(stream, 1)])
        assert len(store.read(stream)) == 1
    with store.writing() as cursor:
        store.script(cursor, "CREATE TABLE side (n INTEGER)")


def test_an_append_whose_answer_was_lost_is_recognised(wire: Wire) -> None:
    """The server has committed, and the wire breaks before it can say so: the store finds its own events."""
    with closing(Home(Path(), wire.url)) as home:
        events = [noted(uuid4(), 1), noted(uuid4(), 1)]
        wire.lose_answers(1, b"hub_append")
        assert home.store.append(events) == [1, 2]
        assert wire.answers_lost == 1
        assert home.store.count() == 2


def test_when_every_answer_is_lost_the_caller_may_ask_again(wire: Wire) -> None:
    with closing(Home(Path(), wire.url)) as home:
        events = [noted(uuid4(), 1)]
        wire.lose_answers(3, b"hub_append")
        with pytest.raises(Unavailable):
            home.store.append(events)
        assert home.store.append(events) == [1]
        assert wire.answers_lost == 3
        assert home.store.count() == 1


def test_a_lost_answer_is_not_taken_for_somebody_elses_event(wire: Wire) -> None:
    with closing(Home(Path(), wire.url)) as home:
        stream = uuid4()
        home.store.append([noted(stream, 1)])
        wire.lose_answers(1, b"hub_append")
        with pytest.raises(Conflict):
            home.store.append([noted(stream, 1)])
        assert wire.answers_lost == 1


# ── who waits for events ─────────────────────────────────────────────────────────


@pytest.fixture
def nobody_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits is woken, or waits for an hour."""
    monkeypatch.setattr("hub.store.base.POLLS", ())
    monkeypatch.setattr("hub.store.base.QUIET_POLL", 3600)


@pytest.mark.usefixtures("nobody_polls")
def test_a_notification_wakes_who_waits(store: PostgresStore, second: Home, admin: psycopg.Connection[Any]) -> None:
    listening = "SELECT pid FROM pg_stat_activity WHERE application_name = 'hub listens' AND datname = current_database()"
    store.wait_for_append(0, 0)
    for position in range(1, 4):
        until(lambda: admin.execute(f"{listening} AND state = 'idle'").fetchone() is not None, why="it listens")
        with woken(store, position - 1):
            second.store.append([noted(uuid4(), 1)])
        admin.execute(f"SELECT pg_terminate_backend(pid) FROM ({listening}) AS ears")  # and it listens again


@pytest.mark.parametrize("without", ["notifications", "a listener"])
def test_what_was_not_heard_is_found_by_looking(
        home: Home, second: Home, postgres_server: str, monkeypatch: pytest.MonkeyPatch, without: str) -> None:
    listen_url = address(postgres_server, "there_is_no_such_database") if without == "a listener" else ""
    monkeypatch.setattr(PostgresStore, "_tell", lambda store: None)
    with closing(PostgresStore(home.url, home.keys, listen_url=listen_url)) as deaf:
        deaf.wait_for_append(0, 0)
        for position in range(1, 3):
            with woken(deaf, position - 1):
                second.store.append([noted(uuid4(), 1)])


@contextmanager
def woken(store: PostgresStore, since: int) -> Iterator[None]:
    """Somebody waits for the log to grow beyond ``since``, and is woken by what the block does."""
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(store.wait_for_append, since, 3600)
        yield
        assert waiting.result(60)
        assert store.head() == since + 1


# ── who does what ────────────────────────────────────────────────────────────────


def test_when_the_holder_of_a_lease_is_killed_another_takes_over(store: PostgresStore, postgres_url: str) -> None:
    runner = Runner(store, [Notes()])
    holder = SPAWN.Process(target=drive_in_a_process, args=(postgres_url,))
    holder.start()
    store.append([noted(uuid4(), 1)])
    assert runner.wait(1, 60), "the other process drives it"
    with running(runner):
        assert not store.leases.hold("projection:notes", "a third one", 1)
        assert holder.pid is not None
        os.kill(holder.pid, signal.SIGKILL)
        holder.join()
        holder.close()
        store.append([noted(uuid4(), 1)])
        assert runner.wait(2, 60), "this one does it now"
        assert store.leases.holders()["projection:notes"].holder == runner.holder
    assert len(rows(store, "notes")) == 2
    assert store.leases.holders() == {}, "who stops in peace gives it back"


def test_runners_that_do_not_mind_leases_apply_nothing_twice(home: Home, second: Home, admin: psycopg.Connection[Any]) -> None:
    """A lease saves work only: two that both think they hold it, and lose their connections on the way, change no row."""
    runners = [Runner(opening.store, [Notes(), Tally()], batch=3) for opening in (home, second)]
    stream = uuid4()
    home.store.append([noted(stream, n) for n in range(1, 301)])

    def catch_up(runner: Runner) -> None:
        while not told(lambda: (runner.catch_up(), runner.wait(300, 0))[1]):
            pass

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(catch_up, runner) for runner in runners]
        for _ in range(10):
            admin.execute(DIE)
            until(lambda: admin.execute(f"SELECT COUNT(*) FROM ({DIE.replace('pg_terminate_backend(pid)', 'pid')}) AS c "
                                        ).fetchone() != (0,) or all(one.done() for one in both), why="they come back")
        for one in both:
            one.result()
    assert rows(home.store, "note_counts") == [(stream.hex, 300)]
    assert rows(home.store, "tally") == [("test.noted", 300)]


def test_readers_do_not_mind_a_rebuild(store: PostgresStore) -> None:
    """The old tables serve until the new ones take their place, between two transactions of every reader, in whatever order
    they read."""
    run = Runner(store, [Notes(), Tally()])
    store.append([noted(uuid4(), 1) for _ in range(50)])
    run.catch_up()
    over, counts = Flag(), set[int]()

    def read(*tables: str) -> None:
        while not over.is_set():
            with store.views.reading() as cursor:
                for table in tables:
                    counts.add(cursor.execute(f"SELECT COUNT(*) AS n FROM {table}").fetchone()["n"])

    with ThreadPoolExecutor(4) as threads:
        reading = [threads.submit(read, *tables) for tables in [("notes", "note_counts"), ("note_counts", "notes")] * 2]
        try:
            for _ in range(3):
                run.rebuild("notes")
        finally:
            over.set()
        for one in reading:
            one.result()
    assert counts == {50}


# ── the schema ───────────────────────────────────────────────────────────────────


def test_a_database_is_made_by_several_at_once_and_again(
        postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "hub", "migrate"]
    env = environment(tmp_path, HUB_DATABASE_URL=postgres_url)
    at_once = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in at_once]
    assert [process.returncode for process in at_once] == [0, 0], said
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HUB_DATABASE_URL", postgres_url)
    for words in (["migrate"], ["projections", "status"]):
        assert main(words) == 0


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """``hub projections status`` with a database URL; what it says while it refuses."""
    def refused(url: str) -> str:
        monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("HUB_DATABASE_URL", url)
        assert main(["projections", "status"]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert len(said.err.splitlines()) == 1
        return said.err
    return refused


def test_a_database_without_tables_says_what_to_do(command: Callable[[str], str], postgres_url: str, admin: Any) -> None:
    assert "Run `hub migrate` once" in command(postgres_url)
    migrate(postgres_url, [])
    assert "Run `hub migrate` once" in command(postgres_url), "there are no read models"
    admin.execute("DROP TABLE stored_events; DELETE FROM hub_keys.check_value")
    with pytest.raises(NotMigrated), closing(PostgresKeys(postgres_url, SECRET)) as keys:
        PostgresStore(postgres_url, keys)


def test_a_wrong_address_is_a_sentence(command: Callable[[str], str], postgres_url: str, postgres_server: str) -> None:
    assert 'database "no_such" does not exist' in command(address(postgres_server, "no_such"))
    assert 'role "nobody" does not exist' in command(postgres_url.replace("//hub@", "//nobody@"))
    with Wire(postgres_url) as wire:
        wire.cut()
        assert "refused" in command(wire.url)


def test_types_are_translated_as_words_and_nothing_else() -> None:
    assert typed("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, t TEXT, b BLOB, r REAL) WITHOUT ROWID") == (
        "CREATE TABLE t (id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, n BIGINT, "
        't TEXT COLLATE "C", b BYTEA, r DOUBLE PRECISION)')
    assert typed("CREATE TABLE integers (texts_of_real_blobs INTEGER)") == "CREATE TABLE integers (texts_of_real_blobs BIGINT)"
    assert translated("SELECT a FROM b WHERE c LIKE '%x' AND d = ? AND e IN (?, ?)") == (
        "SELECT a FROM b WHERE c LIKE '%%x' AND d = %s AND e IN (%s, %s)")


def test_the_dialect_means_the_same_here(store: PostgresStore) -> None:
    with store.writing() as cursor:
        store.script(cursor, """
            CREATE TABLE odd (id INTEGER PRIMARY KEY, "user" TEXT UNIQUE, n INTEGER, share REAL, bytes BLOB);
            CREATE INDEX odd_by_n ON odd (n) WHERE n IS NOT NULL; -- a comment; with a semicolon
        """)
        cursor.execute('INSERT INTO odd ("user", n, share, bytes) VALUES (?, ?, ?, ?)', ("100% ёж", 2**62, 0.1, b"\0\xff"))
        assert cursor.rowcount == 1
        cursor.executemany('INSERT INTO odd ("user") VALUES (?)', [("а",), ("Б",), ("б",), ("a",)])
        cursor.executemany('INSERT INTO odd ("user") VALUES (?)', [])
        cursor.execute("INSERT INTO odd (\"user\") VALUES ('a') ON CONFLICT (\"user\") DO UPDATE SET n = 7 RETURNING id, n")
        assert tuple(cursor.fetchone()) == (5, 7)
    with store.reading() as cursor:
        [row] = cursor.execute('SELECT * FROM odd WHERE "user" LIKE \'%% ёж\' OR "user" LIKE ? || \'%\'', ("100",)).fetchall()
        assert (row["id"], row["user"], row["n"], row["share"], bytes(row["bytes"])) == (1, "100% ёж", 2**62, 0.1, b"\0\xff")
        assert row.keys() == ["id", "user", "n", "share", "bytes"]
        names = [row["user"] for row in cursor.execute('SELECT "user" FROM odd WHERE "user" NOT LIKE ? ORDER BY "user"', ("1%",))]
        assert names == ["a", "Б", "а", "б"], "by code points, as SQLite sorts"
        assert isinstance(cursor, PostgresCursor)


# ── a server that cannot work now ────────────────────────────────────────────────


def test_an_unreachable_server_is_503_and_passes_without_a_restart(
        tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.store.postgres_tables.CONNECT_TIMEOUT", 1)
    with Wire(postgres_url) as wire:
        bootstrap.migrate(load(environment(tmp_path, HUB_DATABASE_URL=wire.url)))
        (tmp_path / databases.NAME).write_text(wire.url, encoding="utf-8")
        make_form(tmp_path)
        with closing(opened(tmp_path)) as house:
            client = create_app(house.parts).test_client()

            def statuses() -> list[int]:
                sent = client.post(f"/api/v1/forms/{FORM}/submissions", json={"name": "Иван", "phone": "+79121234567"})
                return [client.get("/healthz").status_code, sent.status_code]

            assert statuses() == [200, 202]
            wire.cut()
            assert statuses() == [503, 503]
            answer = client.post(f"/api/v1/forms/{FORM}/submissions", json={})
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.mimetype == "application/problem+json"
            wire.mend()
            until(lambda: statuses() == [200, 202], why="it goes on")


@pytest.mark.parametrize("code", ["53100", "53200", "57P03", "25006"])
def test_a_full_server_is_unavailable_and_passes(store: PostgresStore, admin: psycopg.Connection[Any], code: str) -> None:
    """No room on the disk, no memory, starting up, standby: as the server would say it."""
    store.append([noted(uuid4(), 1)])
    admin.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                  f"RAISE EXCEPTION 'could not extend file' USING ERRCODE = '{code}'; END $$; "
                  "CREATE TRIGGER full_disk BEFORE INSERT ON stored_events EXECUTE FUNCTION refuse()")
    with pytest.raises(Unavailable, match="could not extend file"):
        store.append([noted(uuid4(), 1)])
    assert store.count() == 1
    admin.execute("DROP TRIGGER full_disk ON stored_events")
    store.append([noted(uuid4(), 1)])
    assert store.count() == 2


def test_a_schema_of_its_own_holds_everything(postgres_url: str, admin: psycopg.Connection[Any]) -> None:
    """The URL may name another one than ``public``."""
    admin.execute("CREATE SCHEMA one")
    url = f"{postgres_url}?options=-c%20search_path%3Done"
    with closing(Home(Path(), url)) as home:
        runner = Runner(home.store, [Notes()])
        home.store.append([noted(uuid4(), 1)])
        runner.catch_up()
        runner.rebuild("notes")
        assert len(rows(home.store, "notes")) == 1
    made = admin.execute("SELECT DISTINCT schemaname FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
    assert {schema for (schema,) in made} == {"one", "hub_keys"}

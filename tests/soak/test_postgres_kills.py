"""Web processes, workers and the database server are killed again and again under load: what was acknowledged is stored, once.

``SOAK_KILLS=300 SOAK_SERVER_RESTARTS=50 make soak`` kills more often.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.postgres import address
from tests.serving import Serving, ask, free_port, opened, run, submit, until
from tests.soak.load import HEAD, Load, judge
from tests.soak.postgres_house import (
    DEADLINES,
    LATE_LEADS,
    SERVE,
    Workers,
    crash_safe_server,
    kill_a_web_process,
    missed_deadlines,
    prepare,
)

pytestmark = pytest.mark.soak

KILLS = max(100, int(os.environ.get("SOAK_KILLS", "100")))
RESTARTS = int(os.environ.get("SOAK_SERVER_RESTARTS", "20"))
WAYS = ("web process",) * 5 + ("worker",) * 4 + ("all web processes",)


def test_kill_9_of_everything_loses_nothing_and_doubles_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(KILLS)
    steps = ["the database server"] * RESTARTS + [WAYS[n % len(WAYS)] for n in range(KILLS)]
    chance.shuffle(steps)
    done: Counter[str] = Counter()
    began = time.monotonic()
    with crash_safe_server() as cluster:
        prepare(tmp_path, cluster)
        workers = Workers(tmp_path, 2)
        with Serving(tmp_path, SERVE, HUB_WEB_PROCESSES="2") as server:
            try:
                server.start()
                workers.keep()
                with Load(server.port) as load:
                    for step in steps:
                        enough = load.acknowledged() + chance.randint(1, 20)
                        until(lambda: revived(server, done) and load.acknowledged() >= enough, why="it goes on")  # noqa: B023
                        workers.keep()
                        time.sleep(chance.uniform(0, 0.05))
                        if step == "the database server":
                            cluster.end(signal.SIGQUIT)
                            cluster.start()
                        elif step == "worker":
                            workers.kill_one(chance)
                        elif step == "all web processes":
                            server.kill()
                            server.start()
                        else:
                            until(lambda: kill_a_web_process(server, chance), why="there is a web process")
                        done[step] += 1
                    enough = load.acknowledged() + 2 * load.senders
                    until(lambda: revived(server, done) and load.acknowledged() >= enough, why="all senders get through")
                workers.keep()
                late = DEADLINES * LATE_LEADS
                until(lambda: len(missed_deadlines(tmp_path)) == late, 120, "the workers record what is late")
                until(lambda: in_order(tmp_path), 120, "the workers bring the read models to the head of the log")
                assert server.stop() == 0
                assert set(workers.end()) == {0}
            finally:
                workers.kill()
        facts = missed_deadlines(tmp_path)
        verdict = judge(tmp_path, load.tally)
    facts_twice = sum(facts.values()) - len(facts)
    with capfd.disabled():
        print(f"\n\n{HEAD}\n{verdict.row(f'PostgreSQL: {KILLS} kills, {RESTARTS} restarts')}")
        print(f"{dict(done)}; answers {dict(load.tally.statuses)}, unanswered {load.tally.unanswered}; "
              f"{len(facts)} deadlines missed, recorded twice: {facts_twice}; {time.monotonic() - began:.0f} s")
    assert load.tally.statuses.keys() <= {202, 503}
    assert verdict.kept, verdict
    assert set(facts.values()) == {1}
    assert "Traceback" not in server.said(), server.said()[-3000:]


def revived(server: Serving, done: Counter[str]) -> bool:
    """Start the server again where its master gave up because the database was away while a web process began."""
    if server.process is not None and server.process.poll() is not None:
        server.process = None
        server.start()
        done["service started again"] += 1
    return True


def in_order(folder: Path) -> bool:
    """Whether every read model, as the workers left it, is at the head of the log."""
    with closing(opened(folder)) as house:
        return all(status.lag == 0 and status.parked_reason is None for status in house.runner.status())


def test_a_server_that_is_away_is_waited_for(tmp_path: Path) -> None:
    """Longer than any retry: 503 meanwhile, nothing acknowledged, and everything goes on by itself."""
    with crash_safe_server() as cluster:
        prepare(tmp_path, cluster)
        with Serving(tmp_path, HUB_WEB_PROCESSES="2") as server:
            server.start()
            master = server.process
            assert submit(server.port, "before", "+79120000001").status == 202
            for away in range(2):
                cluster.end(signal.SIGQUIT)
                for n in range(3):
                    answer = submit(server.port, f"{away}-{n}", f"+7912111{away}{n:03d}")
                    assert answer.status == 503
                    assert int(answer.headers["retry-after"]) > 0
                assert ask(server.port, "GET", "/healthz").status == 503
                if away:
                    assert kill_a_web_process(server, random.Random(1)), "one that has to be started while there is no database"
                cluster.start()
                until(lambda: submit(server.port, "again", "+79120000002").status == 202, why="it goes on")
                until(lambda: ask(server.port, "GET", "/readyz").status == 200, why="the worker goes on")
            assert master is not None
            assert master.poll() is None, "the service was not started again"
            assert server.stop() == 0


def test_a_wrong_password_is_a_sentence(tmp_path: Path) -> None:
    with crash_safe_server() as cluster:
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE clerk LOGIN PASSWORD 'right'")
            connection.execute("ALTER DATABASE hub OWNER TO clerk")
            (cluster.folder / "data" / "pg_hba.conf").write_text("host all hub all trust\nhost all all all scram-sha-256\n")
            connection.execute("SELECT pg_reload_conf()")
        url = address(cluster.url, "hub").replace("//hub@", "//clerk:wrong@")
        said = "password authentication failed"
        until(lambda: said in run(tmp_path, "migrate", HUB_DATABASE_URL=url).stderr, why="it is refused")
        for command in ("serve", "work", "migrate"):
            done = run(tmp_path, command, HUB_DATABASE_URL=url, HUB_PORT=str(free_port()))
            assert done.returncode == 1
            assert len(done.stderr.strip().splitlines()) == 1
            assert "wrong" not in done.stderr, "no password is printed"
        right = url.replace(":wrong@", ":right@")
        assert run(tmp_path, "migrate", HUB_DATABASE_URL=right).returncode == 0, "an owner that is no superuser is enough"
        assert run(tmp_path, "projections", "status", HUB_DATABASE_URL=right).returncode == 0

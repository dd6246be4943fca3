"""A hub of many processes on a PostgreSQL server of its own, all of which can be killed at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from hub.domain import events as e
from tests import databases
from tests.conftest import IN_CI
from tests.house import form, phone
from tests.postgres import Cluster, address, binaries
from tests.serving import Serving, environment, make_form, opened, run

WORK = [sys.executable, "-m", "hub", "work"]
SERVE = [sys.executable, "-m", "hub", "serve", "--no-worker"]
LATE_LEADS = 150
"""Leads of an earlier working day: two deadlines of each have passed, and nobody has recorded it."""
DEADLINES = 2


@contextmanager
def crash_safe_server() -> Iterator[Cluster]:
    """A server that waits for the disk, as in production."""
    programs = binaries()
    if programs is None:
        missing = "POSTGRESQL WAS NOT KILLED: it is not installed; tools/ensure_system.sh installs it"
        pytest.fail(missing, pytrace=False) if IN_CI else pytest.skip(missing)
    cluster = Cluster(programs, durable=True)
    try:
        cluster.start()
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE hub")
        yield cluster
    finally:
        cluster.remove()


def prepare(folder: Path, cluster: Cluster) -> None:
    """The tables, a form and the late leads."""
    databases.put(folder, address(cluster.url, "hub"))
    assert run(folder, "migrate").returncode == 0
    make_form(folder)
    day = datetime.now(UTC) - timedelta(days=1)
    while day.weekday() > 4:
        day -= timedelta(days=1)
    with closing(opened(folder)) as house:
        for n in range(LATE_LEADS):
            house.hub.receive(form(phone(9_000_000 + n), text=f"late {n}"), at=day.replace(hour=8, minute=0))
        house.runner.catch_up()


def missed_deadlines(folder: Path) -> Counter[tuple[object, str]]:
    """How often each deadline of each lead was recorded as missed."""
    counted: Counter[tuple[object, str]] = Counter()
    with closing(opened(folder)) as house:
        position = 0
        while found := house.store.log(position, 2_000):
            position = found[-1][0]
            counted.update((event.originator_id, event.key) for _, event in found if isinstance(event, e.DeadlineMissed))
    return counted


class Workers:
    """Processes of ``hub work``; one that ended is started again, as a service manager does."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder = folder
        self.log = folder / "work.log"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.number = number

    def keep(self) -> None:
        """Start those that do not run."""
        self.processes = [process for process in self.processes if process.poll() is None]
        while len(self.processes) < self.number:
            with open(self.log, "ab") as log:
                self.processes.append(subprocess.Popen(WORK, env=environment(self.folder), stdout=log, stderr=log))

    def kill_one(self, chance: random.Random) -> None:
        """kill -9 one of them."""
        victim = chance.choice(self.processes)
        victim.kill()
        victim.wait()
        self.keep()

    def end(self) -> list[int]:
        """Stop all of them as the service manager does; their exit codes."""
        for process in self.processes:
            process.terminate()
        return [process.wait(timeout=60) for process in self.processes]

    def kill(self) -> None:
        """kill -9 what is left."""
        for process in self.processes:
            process.kill()
            process.wait()


def kill_a_web_process(server: Serving, chance: random.Random) -> bool:
    """kill -9 one of the processes that answer requests; its master starts another. False when none runs now."""
    assert server.process is not None
    listed = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=False)
    children = listed.stdout.split()
    if not children:
        return False
    with suppress(ProcessLookupError):
        os.kill(int(chance.choice(children)), signal.SIGKILL)
        return True
    return False

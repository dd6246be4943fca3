"""The server is killed again and again under load: what was acknowledged is stored, once.

The same check finds the two wrong ways of ``controls``. ``SOAK_KILLS=200 make soak`` kills more often.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import Serving, make_form, submit, until
from tests.soak.load import HEAD, Load, Tally, Verdict, judge

pytestmark = pytest.mark.soak

KILLS = int(os.environ.get("SOAK_KILLS", "50"))
CONTROL_KILLS = 15
STOPS = 5
STOPPED_FOR = 4.0
"""Seconds: longer than the senders of that test wait for an answer."""


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Rows of all experiments, printed at the end past pytest's capture."""
    rows: list[str] = []
    yield rows
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print("\n\n" + "\n".join([HEAD, *rows]))


def killed_under_load(folder: Path, kills: int, command: list[str]) -> tuple[Tally, Verdict]:
    """Start, wait for some submissions, kill -9 the whole group at a random moment; in the end a calm start for the rest."""
    make_form(folder)
    chance = random.Random(kills)
    with Serving(folder, command) as server, Load(server.port) as load:
        for _ in range(kills):
            server.start()
            enough = load.acknowledged() + chance.randint(1, 120)
            until(lambda: load.acknowledged() >= enough, why="submissions are acknowledged")  # noqa: B023
            time.sleep(chance.uniform(0, 0.05))
            server.kill()
        server.start()
        enough = load.acknowledged() + 2 * load.senders
        until(lambda: load.acknowledged() >= enough, why="all senders get through")
    return load.tally, judge(folder, load.tally)


def test_kill_9_under_load_loses_nothing_and_doubles_nothing(tmp_path: Path, table: list[str]) -> None:
    tally, verdict = killed_under_load(tmp_path, KILLS, [])
    table.append(verdict.row(f"kill -9, {KILLS} times"))
    assert tally.statuses.keys() <= {202, 503}
    assert verdict.kept, verdict
    assert verdict.stored <= verdict.sent


def test_the_check_finds_a_server_that_acknowledges_first(tmp_path: Path, table: list[str]) -> None:
    _, verdict = killed_under_load(tmp_path, CONTROL_KILLS, [sys.executable, "-m", "tests.soak.controls", "ack_first"])
    table.append(verdict.row(f"control: ack first, {CONTROL_KILLS} kills"))
    assert verdict.lost > 0, "the check would not notice a loss"
    assert not verdict.kept


def test_the_check_finds_a_server_that_does_not_know_repeats(tmp_path: Path, table: list[str]) -> None:
    _, verdict = killed_under_load(tmp_path, CONTROL_KILLS, [sys.executable, "-m", "tests.soak.controls", "random_id"])
    table.append(verdict.row(f"control: random id, {CONTROL_KILLS} kills"))
    assert verdict.twice > 0, "the check would not notice a double"
    assert not verdict.kept


def test_a_server_that_stands_still_loses_nothing(tmp_path: Path, table: list[str]) -> None:
    """Stopped for longer than the senders wait: they give up and send again, and both requests are there when it wakes."""
    make_form(tmp_path)
    with Serving(tmp_path) as server, Load(server.port, timeout=STOPPED_FOR / 3) as load:
        server.start()
        for _ in range(STOPS):
            enough = load.acknowledged() + 30
            until(lambda: load.acknowledged() >= enough, why="submissions are acknowledged")  # noqa: B023
            server.signal(signal.SIGSTOP)
            time.sleep(STOPPED_FOR)
            server.signal(signal.SIGCONT)
        enough = load.acknowledged() + 30
        until(lambda: load.acknowledged() >= enough, why="it goes on")
    verdict = judge(tmp_path, load.tally)
    table.append(verdict.row(f"SIGSTOP {STOPPED_FOR:.0f} s, {STOPS} times"))
    assert load.tally.repeats >= STOPS
    assert verdict.kept, verdict


def test_what_was_acknowledged_before_the_kill_is_known_after_it(tmp_path: Path) -> None:
    """The same key after a restart answers with the same receipt and says that it is a repeat."""
    make_form(tmp_path)
    with Serving(tmp_path) as server:
        server.start()
        first = submit(server.port, "once", "+79121234567").json()
        server.kill()
        server.start()
        assert submit(server.port, "once", "+79121234567").json() == {**first, "duplicate": True}

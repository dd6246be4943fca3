"""A full disk and a deleted database under the running server: it says so, acknowledges nothing, and goes on where it can."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from tests.serving import Answer, Serving, ask, make_form, submit, until
from tests.soak.load import HEAD, Load, judge

pytestmark = pytest.mark.soak

SIZE = "24m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB in memory."""
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(tmp_path)], check=False,
                                           capture_output=True).returncode:
        pytest.skip("THE FULL DISK WAS NOT TESTED: mounting a tmpfs needs root")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def fill(disk: Path) -> Path:
    """A file that leaves no room."""
    filler = disk / "filler"
    with suppress(OSError), open(filler, "ab", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    return filler


def refused(port: int) -> Answer:
    """The first 503; the log's file has room in it for some more submissions now and then."""
    for _ in range(500):
        answer = submit(port, uuid4().hex, "+79120000000", text=str(uuid4()))
        if answer.status == 503:
            return answer
    raise AssertionError("never refused")


def test_a_full_disk_is_503_and_passes_without_a_restart(small_disk: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    make_form(small_disk)
    with Serving(small_disk) as server:
        server.log = tmp_path_factory.mktemp("log") / "serve.log"  # a log on the full disk would be another experiment
        server.start()
        with Load(server.port) as load:
            for _ in range(3):
                enough = load.acknowledged() + 30
                until(lambda: load.acknowledged() >= enough, why="submissions are acknowledged")  # noqa: B023
                filler = fill(small_disk)
                before = load.tally.statuses[503]
                until(lambda: load.tally.statuses[503] >= before + 16, why="503 while the disk is full")  # noqa: B023
                said = refused(server.port)
                assert int(said.headers["retry-after"]) > 0
                assert "application/problem+json" in said.headers["content-type"]
                filler.unlink()
            enough = load.acknowledged() + 30
            until(lambda: load.acknowledged() >= enough, why="it goes on without a restart")
        assert load.tally.statuses.keys() == {202, 503}
        assert server.process is not None
        assert server.process.poll() is None
        assert server.stop() == 0
        verdict = judge(small_disk, load.tally)
        assert verdict.kept, verdict
        assert "Traceback" not in server.said(), server.said()[-3000:]
    print(f"\n{HEAD}\n{verdict.row('disk full, 3 times')}")


def test_a_deleted_database_fails_health_and_acknowledges_nothing(tmp_path: Path) -> None:
    make_form(tmp_path)
    with Serving(tmp_path) as server:
        server.start()
        assert submit(server.port, "before", "+79120000001").status == 202
        (tmp_path / "hub.db").unlink()
        assert ask(server.port, "GET", "/healthz").status == 503
        assert submit(server.port, "after", "+79120000002").status == 503
        assert "deleted under the running hub" in server.said()

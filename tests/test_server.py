"""``hub serve`` as a whole: who dies is started again, and who is asked to stop finishes what was begun."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest

import hub.server
from hub.config import load
from hub.metrics import PREFIX, Metrics, folder_for_processes
from hub.server import ENDINGS, until_told
from hub.store import Unavailable
from tests.serving import FORM, Serving, ask, environment, make_form, until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("server")
    make_form(folder)
    with Serving(folder).start() as serving:
        yield serving


def parts(server: Serving) -> dict[str, int]:
    """The web process and the worker by their process ids; only those that run."""
    assert server.process is not None
    master = server.process.pid
    children = {int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii").split()}
    ask(server.port, "GET", "/static/app.css")
    ask(server.port, "GET", "/sign-in")
    web = {int(pid) for pid in re.findall(r'"process":"web","pid":(\d+)', server.said())} & children
    return {"web": min(web), "worker": min(children - web)} if web and children - web else {}


def ready(server: Serving) -> bool:
    """Whether every check of the hub says so, the worker's among them."""
    return ask(server.port, "GET", "/readyz").status == 200


@pytest.mark.parametrize("part", ["worker", "web"])
def test_a_process_that_was_killed_is_started_again(server: Serving, part: str) -> None:
    until(lambda: ready(server), why="the hub is ready")
    before = parts(server)
    os.kill(before[part], signal.SIGKILL)
    until(lambda: server.answers() and parts(server).get(part, before[part]) != before[part], why=f"another {part}")
    until(lambda: ready(server), why="the hub is ready again")
    other = {"worker": "web", "web": "worker"}[part]
    assert parts(server)[other] == before[other], "the other one was left alone"


@pytest.mark.parametrize("step", ["open_house", "create_app"])
def test_a_web_process_waits_for_a_database_that_goes_while_it_begins(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """At whichever step: gunicorn ends everything when a web process cannot begin."""
    real, away = getattr(hub.server, step), [Unavailable("the server is away")]

    def sometimes(*given: Any) -> Any:
        if away:
            raise away.pop()
        return real(*given)

    monkeypatch.setattr(hub.server, step, sometimes)
    monkeypatch.setattr(hub.server, "PAUSES", (0.0,))
    house, app = hub.server.furnished(load(environment(tmp_path)), Metrics())
    with closing(house):
        assert app.test_client().get("/healthz").status_code == 200


def test_a_stop_waits_for_the_request_that_has_begun_and_for_the_worker(server: Serving) -> None:
    """The last of this module: half a form is under way when the stop comes."""
    body = json.dumps({"name": "Иван", "phone": "8 912 345-67-89"}).encode()
    head = (f"POST /api/v1/forms/{FORM}/submissions HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    assert server.process is not None
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)) as client:
        client.sendall(head + body[:10])
        assert ask(server.port, "GET", "/healthz").status == 200  # what came before was taken in
        server.process.terminate()
        until(lambda: not listens(server.port), why="nobody new is taken in")
        client.sendall(body[10:])
        said = b"".join(iter(lambda: client.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 202")
    assert b"connection: close" in said.lower()
    assert server.process.wait(timeout=60) == 0
    assert "killed" not in server.said(), "the worker ended by itself"
    server.process = None


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


# ── parts of it ──


def in_a_process(act: Callable[[], object]) -> int:
    """The exit code of a process that does this and nothing else; it is ended after a minute."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            signal.alarm(60)
            act()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_ends_the_work_and_further_ones_change_nothing(number: int) -> None:
    def work(stop: Flag) -> None:
        for _ in range(3):
            os.kill(os.getpid(), number)
        assert stop.wait(30)
    assert in_a_process(lambda: until_told(work)) == 0


def test_the_work_ends_when_nobody_is_there_for_whom_it_is_done() -> None:
    assert in_a_process(lambda: until_told(Flag.wait, lambda: False)) == 0


def test_a_signal_that_comes_before_there_is_a_handler_is_not_lost() -> None:
    """It is held back from before the fork on."""
    def act() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        os.kill(os.getpid(), signal.SIGTERM)
        until_told(Flag.wait)
    assert in_a_process(act) == 0


def test_two_servers_that_clear_up_after_a_dead_one_do_not_trip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is gone between the look and the removal."""
    monkeypatch.setattr("hub.metrics.IN_MEMORY", tmp_path)
    left = tmp_path / f"{PREFIX}999999999-x"
    left.mkdir()
    exists = Path.exists

    def first(path: Path) -> bool:
        if path.parent == Path("/proc") and left.is_dir():
            left.rmdir()
        return exists(path)
    monkeypatch.setattr(Path, "exists", first)
    made = folder_for_processes()
    assert list(tmp_path.iterdir()) == [made]

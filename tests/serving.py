"""``hub`` as its users run it: commands in a folder of their own, and the server on a free port, started and stopped for real."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, NamedTuple, Self

from hub.__main__ import main
from hub.application import THE_HUB
from hub.bootstrap import House, migrate, open_house, publish_process
from hub.config import load
from hub.domain.form import Form, FormSettings, form_stream
from tests.databases import url_of

STARTS_WITHIN = 60.0
"""Seconds for a start on a busy machine; it is over as soon as the server answers."""
FORM = "main"
_migrated: set[str] = set()


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """The environment of this process without its HUB_ settings, with a data folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    url = url_of(folder)
    if url:
        settings = {"HUB_DATABASE_URL": url, **settings}
    made = {**clean, "HUB_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1", **settings}
    if url and url not in _migrated:
        _migrated.add(url)
        migrate(load(made))
    return made


_commands = multiprocessing.get_context("forkserver")
_commands.set_forkserver_preload(["hub.__main__"])


def _run(arguments: Sequence[str], surroundings: dict[str, str], said: tuple[Path, Path]) -> None:
    """The command, in a process of its own, with its own environment and streams."""
    os.environ.clear()
    os.environ.update(surroundings)
    for stream, path in zip((sys.stdout, sys.stderr), said, strict=True):
        with open(path, "wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    sys.exit(main(list(arguments)))


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """``hub`` with these arguments, to its end: a process of its own, forked from one that has read the code already."""
    with TemporaryDirectory() as beside:
        out, err = said = Path(beside, "out"), Path(beside, "err")
        command = _commands.Process(target=_run, args=(arguments, environment(folder, **settings), said))
        command.start()
        command.join(120)
        assert command.exitcode is not None, f"hub {arguments} did not end"
        return subprocess.CompletedProcess(list(arguments), command.exitcode, out.read_text("utf-8"), err.read_text("utf-8"))


def opened(folder: Path, **settings: str) -> House:
    """The house of a data folder, as the server opens it."""
    return open_house(load(environment(folder, **settings)))


def make_form(folder: Path, **settings: Any) -> None:
    """A website form that takes as many requests a minute as a form can."""
    with closing(opened(folder)) as house:
        now = datetime.now(UTC)
        publish_process(house, now)
        settings = {"name": "Сайт", "rate_per_minute": 1000, "rate_cap_per_minute": 10_000, "min_fill_seconds": 0, **settings}
        house.hub.change(Form, form_stream(FORM), lambda f: f.make(FORM, FormSettings(**settings)), actor=THE_HUB, at=now)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def until(true: Callable[[], bool], seconds: float = STARTS_WITHIN, why: str = "") -> None:
    """Wait until something is true, looking often; fail when it does not become so."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {why}")
        time.sleep(0.02)


def ask(port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None, *,
        source: str = "127.0.0.2", timeout: float = 30) -> Answer:
    """One request over a connection of its own, from another loopback address: it cannot connect to itself."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout, source_address=(source, 0))
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def submit(port: int, key: str, phone: str, *, source: str = "127.0.0.2", timeout: float = 30, text: str = "Сайт") -> Answer:
    """A submission of the form, as a site's server sends it."""
    body = json.dumps({"name": "Иван", "phone": phone, "message": text}).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": f'"{key}"'}
    return ask(port, "POST", f"/api/v1/forms/{FORM}/submissions", body, headers, source=source, timeout=timeout)


class Serving:
    """A server in a process group of its own. Leaving the block kills what is left of it."""

    def __init__(self, folder: Path, command: Sequence[str] = (), port: int = 0, **settings: str) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.command = list(command) or [sys.executable, "-m", "hub", "serve"]
        self.settings = {"HUB_PORT": str(self.port), **settings}
        self.log = folder / "serve.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it answers."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, env=environment(self.folder, **self.settings), stdout=log, stderr=log,
                                            start_new_session=True)
        until(self.answers, why=f"the server answers; it said: {self.said()[-2000:]}")
        return self

    def answers(self) -> bool:
        """Whether it answers at all."""
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}: {self.said()[-2000:]}")
        try:
            return ask(self.port, "GET", "/healthz", timeout=5).status > 0
        except OSError:
            return False

    def said(self) -> str:
        """Everything that it printed, of all its starts."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def signal(self, number: int) -> None:
        """A signal to the whole group."""
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """The end that nothing can be done about."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> int:
        """A graceful stop by SIGTERM to the main process alone; the exit code."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def memory(self) -> int:
        """Resident bytes of the group's processes."""
        assert self.process is not None
        pids = subprocess.run(["pgrep", "-g", str(self.process.pid)], capture_output=True, text=True, check=True).stdout.split()
        fields = [Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split() for pid in pids]
        return sum(int(field[1]) * os.sysconf("SC_PAGE_SIZE") for field in fields)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

"""Restarts under load without one failed request: a held socket, a second master, two hubs behind nginx.

``SOAK_RESTARTS=50 make soak`` restarts more often.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

import pytest

from tests.serving import Serving, free_port, make_form, opened, until
from tests.soak.front import ROOT, Activated, Connect, Visitors, nginx, plain

pytestmark = pytest.mark.soak

RESTARTS = int(os.environ.get("SOAK_RESTARTS", "10"))
BETWEEN = 60
"""Requests between two restarts."""
HANDED_OVER = 180.0
"""Seconds that a new master may take on a machine that others use as well."""
FAILED = "the new master ended before it served"
BAD_APPLICATION = """
import hub.server
def _no_application(*_):
    raise RuntimeError("half a release")
hub.server.create_app = _no_application
"""
"""The new master comes up, its web processes do not."""


def restarted_under_load(way: str, connect: Connect, restart: Callable[[int], None]) -> None:
    """All restarts while visitors post; nobody fails."""
    with Visitors(connect) as visitors:
        visitors.more(BETWEEN)
        for n in range(RESTARTS):
            restart(n)
            visitors.more(BETWEEN)
    print(f"\n{way}: {RESTARTS} restarts, {visitors.sent} requests, {dict(visitors.ends)}, slowest {visitors.slowest:.2f} s")
    assert visitors.ends.keys() == {"202"}, visitors.ends


def stored(folder: Path) -> int:
    """How many leads there are."""
    with closing(opened(folder)) as house:
        house.runner.catch_up()
        return house.hub.views.leads.count("1 = 1")


def test_a_restart_with_a_held_socket_fails_nobody(tmp_path: Path) -> None:
    make_form(tmp_path)
    with Activated(tmp_path) as hub:
        hub.start()

        def restart(_: int) -> None:
            assert hub.stop() == 0
            hub.launch()
        restarted_under_load("held socket", plain(hub.port), restart)
        assert hub.stop() == 0


class Released(Serving):
    """A hub whose program is a copy of this one: a new master starts from what lies on the disk then."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.program = folder / "program"
        for name in ("hub", "templates"):
            shutil.copytree(ROOT / name, self.program / name, ignore=shutil.ignore_patterns("__pycache__"))
        data = folder / "data"
        data.mkdir()
        super().__init__(data, [sys.executable, "-P", "-m", "hub", "serve"], 0, PYTHONPATH=str(self.program), **settings)
        self.master = 0

    def start(self) -> Self:
        super().start()
        assert self.process is not None
        self.master = self.process.pid
        return self

    def reload(self) -> None:
        """Hand over to a new master, as ``systemctl reload`` does."""
        assert self.process is not None
        old, first, failed = self.master, self.process.pid, self.said().count(FAILED)
        os.kill(old, signal.SIGUSR2)

        def handed_over() -> bool:
            assert self.said().count(FAILED) == failed, self.said()[-3000:]
            return not alive(old)
        until(handed_over, HANDED_OVER, why=f"the old master ended; it said: {self.said()[-3000:]}")
        self.master = next(pid for pid in members(first) if parent(pid) not in members(first))

    def stop(self) -> int:
        """The first master has ended long ago; the code is what the test may say of it."""
        assert self.process is not None
        os.kill(self.master, signal.SIGTERM)
        until(lambda: not members(self.process.pid), why="everything ended")  # type: ignore[union-attr]
        return self.process.wait()


def test_a_second_master_takes_over_and_fails_nobody(tmp_path: Path) -> None:
    """SIGUSR2, as ``systemctl reload`` sends it: the new master is the one that the next signal goes to."""
    with Released(tmp_path) as hub:
        make_form(hub.folder)
        hub.start()
        restarted_under_load("second master", plain(hub.port), lambda _: hub.reload())
        assert hub.stop() == 0


def test_a_new_program_that_cannot_start_leaves_the_old_one_serving_and_systemd_with_it(tmp_path: Path) -> None:
    """systemd takes the end of its main process for the end of everything, so it hears of a new one when that one serves."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)

        def told() -> list[bytes]:
            said = []
            with suppress(BlockingIOError):
                while True:
                    said.append(systemd.recv(4096))
            return [line for text in said for line in text.split(b"\n") if line.startswith(b"MAINPID=")]
        with Released(tmp_path, NOTIFY_SOCKET=str(tmp_path / "notify")) as hub:
            make_form(hub.folder)
            hub.start()
            command = hub.program / "hub" / "commands" / "serving.py"
            good = command.read_text(encoding="utf-8")
            with Visitors(plain(hub.port)) as visitors:
                for n, bad in enumerate(("raise RuntimeError('half a release')\n", BAD_APPLICATION), 1):
                    command.write_text(good + bad, encoding="utf-8")
                    os.kill(hub.master, signal.SIGUSR2)
                    until(lambda: hub.said().count(FAILED) == n, HANDED_OVER, why=hub.said()[-3000:])  # noqa: B023
                    visitors.more(BETWEEN)
                assert alive(hub.master)
                assert told() == []
                command.write_text(good, encoding="utf-8")
                hub.reload()
                visitors.more(BETWEEN)
            assert told() == [f"MAINPID={hub.master}".encode()]
            assert visitors.ends.keys() == {"202"}, visitors.ends
            assert hub.stop() == 0


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])


def members(group: int) -> list[int]:
    """Running processes of a group."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    found = []
    for pid in pids:
        try:
            if os.getpgid(pid) == group and alive(pid):
                found.append(pid)
        except ProcessLookupError:
            continue
    return found


def test_of_two_hubs_behind_nginx_one_restarts_at_a_time_and_fails_nobody(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    make_form(data)
    port = free_port()
    settings = {"HUB_PUBLIC_URL": f"https://127.0.0.1:{port}", "HUB_TRUSTED_PROXIES": "1"}
    with Serving(data, (), 0, **settings) as one, Serving(data, (), 0, **settings) as two:
        for hub in (one, two):
            hub.start()
        with nginx(tmp_path / "nginx", port, one.port, two.port) as front:
            def restart(n: int) -> None:
                hub = (one, two)[n % 2]
                assert hub.stop() == 0
                hub.start()
            restarted_under_load("two hubs behind nginx", front.connect, restart)


def test_behind_nginx_with_tls_cookies_are_secure_and_addresses_the_visitors_own(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    make_form(data)
    port = free_port()
    with Serving(data, HUB_PUBLIC_URL=f"https://127.0.0.1:{port}", HUB_TRUSTED_PROXIES="1") as hub:
        hub.start()
        password = re.search(r"one-time password +(\S+)", hub.said())
        assert password
        with nginx(tmp_path / "nginx", port, hub.port) as front:
            def get(path: str, **headers: str) -> http.client.HTTPResponse:
                with closing(front.connect()) as connection:
                    connection.request("GET", path, headers=headers)
                    answer = connection.getresponse()
                    answer.text = answer.read().decode("utf-8", "replace")  # type: ignore[attr-defined]
                    return answer

            page = get("/sign-in")
            guest = str(page.getheader("Set-Cookie"))
            assert "Secure" in guest
            assert guest.startswith("__Host-")
            token = re.search(r'name="csrf-token" content="([^"]+)"', page.text)  # type: ignore[attr-defined]
            assert token
            form = urlencode({"login": "admin", "password": password[1], "csrf_token": token[1]})
            with closing(front.connect()) as connection:
                connection.request("POST", "/sign-in", form, {"Content-Type": "application/x-www-form-urlencoded",
                                                             "Cookie": guest.partition(";")[0],
                                                             "X-Forwarded-For": "6.6.6.6", "X-Request-ID": "f" * 32})
                signed = connection.getresponse()
                signed.read()
            assert signed.status == 303
            cookies = [value for name, value in signed.getheaders() if name.lower() == "set-cookie" and "hub_session" in value]
            assert cookies
            assert "Secure" in cookies[0]
            assert cookies[0].startswith("__Host-")
            with closing(opened(data)) as house, house.store.reading() as cursor:
                rows = cursor.execute("SELECT ip FROM sessions").fetchall()
            assert {row["ip"] for row in rows} == {"127.0.0.3"}, "the visitor's, neither the proxy's nor a made-up one"
            assert get("/metrics").status == get("/readyz").status == 404
            assert get("/healthz").status == 200
            assert get("/static/app.css", **{"Accept-Encoding": "gzip"}).getheader("Content-Encoding") == "gzip"
            assert page.getheader("Content-Encoding") is None
            assert page.getheader("Strict-Transport-Security")
            with closing(http.client.HTTPConnection("127.0.0.1", front.plain_port, timeout=30)) as connection:
                connection.request("GET", "/")
                moved = connection.getresponse()
                assert (moved.status, str(moved.getheader("Location"))[:8]) == (301, "https://")

"""What stands before the hub: a socket that outlives it, as systemd's, and nginx with the configuration of ``deploy/``."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from threading import Lock, Thread
from types import TracebackType
from typing import Self

import pytest

from tests.serving import FORM, Serving, environment, free_port, until

ROOT = Path(__file__).parents[2]
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

Connect = Callable[[], http.client.HTTPConnection]


class Activated(Serving):
    """A hub that is given its listening socket, and stopped and started around it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        handed = f'exec 3<&{self.socket.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec "{sys.executable}" -m hub serve'
        os.set_inheritable(self.socket.fileno(), True)
        super().__init__(folder, ["sh", "-c", handed], self.socket.getsockname()[1], **settings)

    def launch(self) -> None:
        """Start it without waiting: who connects meanwhile waits in the socket's queue."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, env=self.environment(), stdout=log, stderr=log, start_new_session=True,
                                            pass_fds=[self.socket.fileno()])

    def environment(self) -> dict[str, str]:
        """Its environment."""
        return environment(self.folder, **self.settings)

    def start(self) -> Self:
        self.launch()
        until(self.answers, why="the server answers")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        super().__exit__(kind, error, trace)
        self.socket.close()


@dataclass
class Visitors:
    """Threads that post to the form without a pause and never send anything twice; every other keeps its connection."""

    connect: Connect
    number: int = 6
    ends: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def __enter__(self) -> Self:
        self._over, self._lock = Flag(), Lock()
        self._threads = [Thread(target=self._visit, args=(n,)) for n in range(self.number)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def sent(self) -> int:
        """How many requests have ended somehow."""
        return sum(self.ends.values())

    def more(self, count: int) -> None:
        """Wait until so many more have ended."""
        enough = self.sent + count
        until(lambda: self.sent >= enough, why="requests are answered")

    def _visit(self, visitor: int) -> None:
        connection = self.connect()
        for n in range(10**9):
            if self._over.is_set():
                break
            began = time.monotonic()
            end = self._post(connection, f"{visitor}-{n}-{id(self)}", f"+7912{visitor}{n:06d}")
            with self._lock:
                self.ends[end] += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
            if visitor % 2 or end != "202":
                connection.close()
                connection = self.connect()
        connection.close()

    def _post(self, connection: http.client.HTTPConnection, key: str, phone: str) -> str:
        body = json.dumps({"name": "Иван", "phone": phone, "message": "Сайт"}).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": f'"{key}"'}
        try:
            connection.request("POST", f"/api/v1/forms/{FORM}/submissions", body, headers)
            answer = connection.getresponse()
            answer.read()
            return str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__


def plain(port: int) -> Connect:
    """Straight to the hub."""
    return lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=("127.0.0.2", 0))


@dataclass
class Nginx:
    """A running nginx. ``context`` trusts its certificate."""

    port: int
    plain_port: int
    context: ssl.SSLContext

    def connect(self) -> http.client.HTTPConnection:
        """A new connection with TLS."""
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.context,
                                           source_address=("127.0.0.3", 0))


@contextmanager
def nginx(folder: Path, port: int, *hubs: int) -> Iterator[Nginx]:
    """nginx with ``deploy/nginx.conf`` and a certificate of its own, on ``port``, before the hubs on these ports."""
    if NGINX is None:
        pytest.skip("THE PROXY WAS NOT TESTED: nginx is missing (Debian, Ubuntu: apt-get install nginx-light)")
    folder.mkdir()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
                    "-days", "2", "-subj", "/CN=hub.example.ru", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    plain_port = free_port()
    site = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for old, new in (
        ("    server 127.0.0.1:8000 max_fails=0;", "".join(f"    server 127.0.0.1:{hub} max_fails=0;\n" for hub in hubs)),
        ("/etc/letsencrypt/live/hub.example.ru/fullchain.pem", str(certificate)),
        ("/etc/letsencrypt/live/hub.example.ru/privkey.pem", str(key)),
        ("listen 80;", f"listen 127.0.0.1:{plain_port};"), ("    listen [::]:80;\n", ""),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"), ("    listen [::]:443 ssl http2;\n", ""),
    ):
        assert old in site, f"deploy/nginx.conf has no {old!r} any more"
        site = site.replace(old, new)
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    main = folder / "nginx.conf"
    main.write_text(f"daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
                    f"http {{\ninclude /etc/nginx/mime.types;\naccess_log off;\n{paths}{site}}}\n", encoding="utf-8")
    running = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(main), "-e", f"{folder}/error.log"])
    try:
        until(lambda: (folder / "pid").exists() and (folder / "pid").read_text() != "", why="nginx runs")
        yield Nginx(port, plain_port, ssl.create_default_context(cafile=str(certificate)))
    finally:
        running.send_signal(signal.SIGQUIT)
        running.wait(timeout=30)

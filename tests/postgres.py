"""A PostgreSQL server for the tests: the one that HUB_TEST_POSTGRES_URL names, else one of our own, started here.

``HUB_TEST_POSTGRES_URL`` is the address of a server where databases may be made, such as ``postgresql://me@localhost/postgres``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from time import monotonic, sleep

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

_numbers = count(1)


def binaries() -> Path | None:
    """The folder of PostgreSQL's programs; None where it is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


class Cluster:
    """A server of our own on a free port of this machine, in a folder of its own. It refuses root, so root gives it away.

    ``durable`` False leaves out waiting for the disk, which no test but those of a crash needs.
    """

    def __init__(self, programs: Path, *, durable: bool = False) -> None:
        self.programs = programs
        self.durable = durable
        self.folder = Path(tempfile.mkdtemp(prefix="hub-pg-"))
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.user)
        self._run([programs / "initdb", "-D", self.folder / "data", "-U", "hub", "-A", "trust", "-E", "UTF8",
                   "--locale=C.UTF-8", "--no-sync"])

    @property
    def url(self) -> str:
        """The server's own database."""
        return f"postgresql://hub@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder,
                   "max_connections": 300, "log_min_messages": "fatal", "shared_buffers": "64MB"}
        if not self.durable:
            options |= {"fsync": "off", "full_page_writes": "off"}
        settings = [f"--{name}={value}" for name, value in options.items()]
        command = [self.programs / "postgres", "-D", self.folder / "data", *settings]
        with open(self.folder.with_suffix(".log"), "ab") as log:
            self.process = subprocess.Popen(self._as_user(command), stdout=log, stderr=log, start_new_session=True)
        end = monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if monotonic() > end or self.process.poll() is not None:
                    raise
                sleep(0.05)

    def end(self, how: int = signal.SIGQUIT) -> None:
        """SIGQUIT is the immediate shutdown: the server is gone without a word to its clients, as in a crash."""
        if self.process is not None:
            pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
            os.kill(pid, how)
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        """Stop it and delete its folder."""
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.with_suffix(".log").unlink(missing_ok=True)

    def _as_user(self, command: Sequence[object]) -> list[str]:
        giving_root_away = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]
        return [*(giving_root_away if os.geteuid() == 0 else []), *(str(word) for word in command)]

    def _run(self, command: Sequence[object]) -> None:
        done = subprocess.run(self._as_user(command), capture_output=True, text=True, check=False, cwd="/")
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stderr}")


@contextmanager
def server(*, durable: bool = False) -> Iterator[str | None]:
    """The address of a server for a session of tests; None where there is none to be had. ``durable``: see :class:`Cluster`."""
    given = os.environ.get("HUB_TEST_POSTGRES_URL")
    programs = binaries()
    if given:
        yield given
    elif programs is None:
        yield None
    else:
        cluster = Cluster(programs, durable=durable)
        try:
            cluster.start()
            yield cluster.url
        finally:
            cluster.remove()


@contextmanager
def database(server: str, template: str = "template1") -> Iterator[str]:
    """A database of its own on the server, dropped at the end; its URL. A copy of ``template``."""
    name = f"hub_test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield address(server, name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def address(server: str, name: str) -> str:
    """The URL of a database of a server."""
    parts = conninfo_to_dict(make_conninfo(server, dbname=name))
    password = f":{parts['password']}" if parts.get("password") else ""
    return f"postgresql://{parts.get('user', '')}{password}@{parts.get('host', '')}:{parts.get('port', 5432)}/{name}"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])

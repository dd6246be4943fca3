"""A real Dovecot for the tests, on a free port and as whoever runs them, and a proxy before it that cuts connections.

Every user name works with the password ``secret``, so that each test has a mailbox of its own.
"""

from __future__ import annotations

import grp
import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient

PASSWORD = "secret"
BINARY = shutil.which("dovecot") or "/usr/sbin/dovecot"

CONFIG = """
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
mail_location = maildir:{dir}/mail/%u
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
auth_mechanisms = plain login
auth_failure_delay = 0
mail_max_userip_connections = 100
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={dir}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
imap_idle_notify_interval = 2 secs
mailbox_idle_check_interval = 1 secs
namespace inbox {{
  inbox = yes
}}
"""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def missing() -> str:
    """Why Dovecot cannot be started here, "" where it can."""
    if not Path(BINARY).exists():
        return "Dovecot is missing: sudo apt-get install dovecot-imapd"
    version = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=False).stdout
    return "" if version.startswith("2.3.") else f"the configuration is for Dovecot 2.3, here is {version.split(' ')[0]}"


class Dovecot:
    """One server. ``process`` is its master."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        root = os.getuid() == 0
        me, mine = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
        user, group = ("nobody", "nogroup") if root else (me, mine)
        folder.chmod(0o755)
        (folder / "mail").mkdir()
        if root:
            shutil.chown(folder / "mail", user, group)
        (folder / "dovecot.conf").write_text(CONFIG.format(
            dir=folder, port=self.port, user=user, group=group, password=PASSWORD, internal="dovecot" if root else me,
            internal_group="dovecot" if root else mine, login="dovenull" if root else me), encoding="utf-8")
        self.process = subprocess.Popen([BINARY, "-F", "-c", str(folder / "dovecot.conf")], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        waited = threading.Event()
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                waited.wait(0.02)
        self.stop()
        raise AssertionError((folder / "dovecot.log").read_text(encoding="utf-8"))

    def stop(self) -> None:
        """End it; what its connections are at is cut."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @contextmanager
    def client(self, user: str) -> Iterator[IMAPClient]:
        """A mail program of that user's."""
        with IMAPClient("127.0.0.1", self.port, ssl=False) as client:
            client.login(user, PASSWORD)
            yield client

    def put(self, user: str, *letters: bytes, folder: str = "INBOX", at: datetime | None = None) -> None:
        """Letters come."""
        with self.client(user) as client:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            for letter in letters:
                client.append(folder, letter, msg_time=at or datetime(2026, 11, 23, 8, 20, tzinfo=UTC))

    def fill(self, user: str, letters: Iterable[bytes]) -> None:
        """Many letters come at once, put into the mailbox's folder as files."""
        with self.client(user) as client:
            client.select_folder("INBOX")
        new = self.folder / "mail" / user / "new"
        for number, letter in enumerate(letters):
            path = new / f"{1_700_000_000 + number}.M{number}P1.here"
            path.write_bytes(letter)
            if os.getuid() == 0:
                shutil.chown(path, "nobody", "nogroup")

    def flags(self, user: str, folder: str = "INBOX") -> list[tuple[bytes, ...]]:
        """The flags of every letter in a folder."""
        with self.client(user) as client:
            client.select_folder(folder, readonly=True)
            found = client.fetch(client.search(), ["FLAGS"])
            return [found[uid][b"FLAGS"] for uid in sorted(found)]


@contextmanager
def running() -> Iterator[Dovecot]:
    """A server for as long as tests need one; skips where there is none, except with CI set."""
    why = missing()
    if why:
        if os.environ.get("CI"):
            raise AssertionError(why)
        pytest.skip(why)
    # Dovecot's sockets need a short path that its own users can walk through.
    with tempfile.TemporaryDirectory(prefix="hub-dovecot-", ignore_cleanup_errors=True) as folder:
        server = Dovecot(Path(folder))
        try:
            yield server
        finally:
            server.stop()


class CuttingProxy:
    """Passes bytes on to a server until told to cut: at once (:meth:`cut`), or after ``budgets`` bytes of its answers."""

    def __init__(self, port: int, seed: int = 0) -> None:
        self.target = port
        self.random = random.Random(seed)
        self.budgets: list[int] = []
        self.connections = 0
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            with self._lock:
                self.connections += 1
                budget = self.budgets.pop(0) if self.budgets else None
                self._open += [near, far]
            threading.Thread(target=self._pass, args=(near, far, None), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, budget), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, budget: int | None) -> None:
        try:
            while data := source.recv(16_384):
                if budget is not None and len(data) >= budget:
                    sink.sendall(data[:budget])
                    break
                budget = budget - len(data) if budget is not None else None
                sink.sendall(data)
        except OSError:
            pass
        self._end(source, sink)

    def _end(self, *ends: socket.socket) -> None:
        with self._lock:
            for end in ends:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
                if end in self._open:
                    self._open.remove(end)

    def cut(self) -> None:
        """Every connection that is open breaks now."""
        with self._lock:
            ends = list(self._open)
        self._end(*ends)

    def close(self) -> None:
        """Nobody is let in any more."""
        self._listening.close()
        self.cut()

    def __enter__(self) -> CuttingProxy:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

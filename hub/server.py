"""The production server: gunicorn with threads in one process, the worker beside them."""

from __future__ import annotations

import logging
from datetime import datetime
from threading import Event as Flag
from threading import Thread
from typing import Any

from gunicorn.app.base import BaseApplication

from hub.bootstrap import House, open_house, publish_process
from hub.config import Settings
from hub.listener import CONNECTIONS, WholeRequests
from hub.web import behind_proxies, create_app
from hub.worker import Worker

THREADS = 16
"""Requests at a time. SQLite has one writer; readers never wait for it."""
GRACE = 20
"""Seconds that running requests get when the server is stopped."""


def worker_of(house: House) -> Worker:
    """The worker of a house."""
    def publish(at: datetime) -> bool:
        return publish_process(house, at)
    return Worker(house.hub, house.runner, house.parts.clock, publish)


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings. Stores are opened after the fork: SQLite connections must not cross it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.house: House | None = None
        self._stop = Flag()
        self._thread: Thread | None = None
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn."""
        options: dict[str, Any] = {
            "bind": f"{_bracketed(self.settings.host)}:{self.settings.port}", "workers": 1,
            "worker_class": WholeRequests, "worker_connections": CONNECTIONS, "threads": THREADS,
            "graceful_timeout": GRACE, "timeout": 60, "keepalive": 5, "loglevel": "error",
            "proc_name": "hub", "post_worker_init": self._begin, "worker_exit": self._end, "limit_request_line": 8190,
            "control_socket_disable": True,
            # What a proxy says is believed in one place only, and only as HUB_TRUSTED_PROXIES tells.
            "forwarded_allow_ips": "", "forwarder_headers": "", "secure_scheme_headers": {},
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI application; called by gunicorn in the forked process."""
        self.house = open_house(self.settings)
        return behind_proxies(create_app(self.house.parts), self.settings.trusted_proxies)

    def _begin(self, _: Any) -> None:
        assert self.house is not None
        self._thread = Thread(target=worker_of(self.house).run, args=(self._stop,), name="worker")
        self._thread.start()

    def _end(self, _: Any, __: Any) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=GRACE)
        if self.house is not None:
            self.house.close()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def log_to_stderr() -> None:
    """Plain log lines; they carry ids and never personal data."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

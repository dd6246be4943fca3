"""The control of the HTTP figures: the same gunicorn with the same threads, and one raw INSERT a request."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Queue
from typing import Any

from gunicorn.app.base import BaseApplication

from bench.measure import Raw, RawPostgres, raw_of
from hub.server import THREADS
from tests.databases import url_of

ROWS = [("lead.event", b"x" * 280)] * 12
"""About what a delivery of somebody new stores."""


class Control(BaseApplication):  # type: ignore[misc]
    """``python -m bench.control FOLDER PORT``"""

    def load_config(self) -> None:
        """Called by gunicorn."""
        for name, value in {"bind": f"127.0.0.1:{sys.argv[2]}", "worker_class": "gthread", "threads": THREADS, "workers": 1,
                            "keepalive": 5, "loglevel": "warning", "control_socket_disable": True}.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Callable[..., Iterable[bytes]]:
        """Called by gunicorn in the forked process."""
        folder = Path(sys.argv[1])
        url = url_of(folder)
        raws = Queue[Raw | RawPostgres]()
        for _ in range(THREADS if url else 1):
            raws.put(raw_of(folder, url, "raw"))

        def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] == "POST":
                environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
                raw = raws.get()
                raw.insert(ROWS)
                raws.put(raw)
            start_response("202 ACCEPTED", [("Content-Length", "2")])
            return [b"ok"]
        return app


if __name__ == "__main__":
    Control().run()

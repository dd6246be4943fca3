"""The control of the HTTP figures: the hub's own gunicorn with Flask, and one raw INSERT and COMMIT a request.

It does what any server would that takes a form in: it reads the JSON, stores the rows that the hub stores for a delivery of
somebody new, in one transaction, and answers with a receipt.
"""

from __future__ import annotations

import sys
from pathlib import Path
from queue import Queue
from typing import Any
from uuid import uuid4

from flask import Flask, Response, jsonify, make_response, request
from gunicorn.app.base import BaseApplication

from bench.measure import Raw, RawPostgres, raw_of
from hub.listener import CONNECTIONS, WholeRequests
from hub.server import THREADS
from tests.databases import url_of

ROWS = [("lead.event", b"x" * 352)] * 10
"""What a delivery of somebody new stores: so many rows and bytes."""


class Control(BaseApplication):  # type: ignore[misc]
    """``python -m bench.control FOLDER PORT``"""

    def load_config(self) -> None:
        """Called by gunicorn."""
        options: dict[str, Any] = {"bind": f"127.0.0.1:{sys.argv[2]}", "worker_class": WholeRequests, "threads": THREADS,
                                   "worker_connections": CONNECTIONS, "workers": 1, "keepalive": 5, "loglevel": "warning",
                                   "control_socket_disable": True}
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Called by gunicorn in the forked process."""
        folder = Path(sys.argv[1])
        url = url_of(folder)
        raws = Queue[Raw | RawPostgres]()
        for _ in range(THREADS if url else 1):
            raws.put(raw_of(folder, url, "raw"))
        app = Flask("control")

        @app.post("/api/v1/forms/<form>/submissions")
        def submit(form: str) -> Response:
            assert request.get_json()["phone"]
            raw = raws.get()
            try:
                raw.insert(ROWS)
            finally:
                raws.put(raw)
            return make_response(jsonify(receipt=str(uuid4()), form=form), 202)

        @app.get("/healthz")
        def health() -> str:
            return "ok"
        return app


if __name__ == "__main__":
    Control().run()

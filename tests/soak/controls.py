"""Two ways to do intake wrong, as wrappers around the real server: the soak's check must find both.

``python -m tests.soak.controls ack_first|random_id`` serves like ``hub serve``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from io import BytesIO
from queue import SimpleQueue
from threading import Thread
from typing import Any
from uuid import uuid4

from hub.config import load
from hub.server import Server

App = Callable[..., Any]


class AckFirst:
    """Answers at once and stores later."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.queue: SimpleQueue[dict[str, Any]] = SimpleQueue()
        Thread(target=self._store, daemon=True).start()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["REQUEST_METHOD"] != "POST":
            return self.app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self.queue.put({**environ, "wsgi.input": BytesIO(body)})
        start_response("202 ACCEPTED", [("Content-Length", "2")])
        return [b"{}"]

    def _store(self) -> None:
        while True:
            response = self.app(self.queue.get(), lambda *_: None)
            b"".join(response)
            if hasattr(response, "close"):
                response.close()


class RandomId:
    """Gives every request an id of its own, so that a repeat is not known again."""

    def __init__(self, app: App) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        return self.app({**environ, "HTTP_IDEMPOTENCY_KEY": uuid4().hex}, start_response)


CONTROLS: dict[str, Callable[[App], App]] = {"ack_first": AckFirst, "random_id": RandomId}


class Wrong(Server):
    """The server with one of the controls around its application."""

    control: Callable[[App], App]

    def load(self) -> App:
        return type(self).control(super().load())


if __name__ == "__main__":
    Wrong.control = CONTROLS[sys.argv[1]]
    Wrong(load(os.environ)).run()

"""A receiver of webhooks on this machine: a real server that keeps what came and answers as a test says."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook


@dataclass
class Came:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = self.message["data"]
        return found

    def verified(self, secret: str) -> dict[str, Any]:
        """The message, as the specification's own library lets it through."""
        found: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return found


@dataclass
class Reply:
    """What to answer."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Receiver:
    """The server. ``answer`` decides about each request; everything is fine where it is not replaced."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.came: list[Came] = []
        self._more = Condition()
        self.answer: Callable[[Came], Reply] = lambda came: Reply()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                came = Came(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                with receiver._more:
                    receiver.came.append(came)
                    receiver._more.notify_all()
                reply = receiver.answer(came)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *arguments: Any) -> None:
                """Nothing is printed."""

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that turns away is what some tests are about."""

        self.server = Quiet(("127.0.0.1", 0), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def wait_for(self, number: int, seconds: float = 30.0) -> bool:
        """Wait until so many requests came; False when they do not."""
        with self._more:
            return self._more.wait_for(lambda: len(self.came) >= number, seconds)

    def texts(self) -> list[str]:
        """The notes that came, in order, as the tests write them."""
        return [came.data["fields"]["text"] for came in self.came]

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

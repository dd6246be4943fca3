"""What every provider's stand-in has: real HTTP on a free port, kept-alive connections, and connections that are cut."""

from __future__ import annotations

import json
import threading
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Cut(Exception):
    """The connection ends without an answer."""


class StandIn:
    """A provider on this machine. Use it as a context manager; ``url`` is its address.

    A subclass says by :meth:`answer` what it does. ``faults`` are taken one for each call, as the subclass says.
    """

    def __init__(self) -> None:
        self.faults: list[Any] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    status, told, *more = outer.answer(self.command, self.path, dict(self.headers), body)
                except Cut:
                    self.close_connection = True
                    return
                data = told if isinstance(told, bytes) else json.dumps(told).encode()
                self.send_response(status)
                for name, value in (more[0] if more else {"Content-Type": "application/json"}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = _any

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[Any, ...]:
        """Status, body (bytes, or what becomes JSON), and the headers where they are not JSON's. May raise :class:`Cut`."""
        raise NotImplementedError

    def fault(self) -> tuple[Any, ...]:
        """The next fault: a word cuts the connection, anything else is the answer."""
        fault = self.faults.pop(0)
        if isinstance(fault, str):
            raise Cut
        status, body = fault
        return status, body


def parts_of(kind: str, body: bytes) -> dict[str, Any]:
    """The fields of a multipart form; a file is its name and data."""
    form = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    given: dict[str, Any] = {}
    for part in form.get_payload():  # type: ignore[union-attr]
        name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
        data = part.get_payload(decode=True)  # type: ignore[union-attr]
        file = part.get_filename()  # type: ignore[union-attr]
        given[name] = {"name": file, "data": data} if file else data.decode()
    return given

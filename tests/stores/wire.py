"""A wire to the database server that a test can cut: a TCP relay."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict

READY = b"Z\x00\x00\x00\x05I"
"""What the server's answer ends with when no transaction is open any more: what was to be committed is."""


class Wire:
    """A relay on a port of its own to the server of ``url``. Leaving the block cuts everything."""

    def __init__(self, url: str) -> None:
        parts = conninfo_to_dict(url)
        self._server = (str(parts["host"]), int(parts.get("port") or 5432))
        self._listener: socket.socket | None = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._cuts, self._mark = 0, b""
        self.answers_lost = 0
        password = f":{parts['password']}" if parts.get("password") else ""
        self.url = f"postgresql://{parts['user']}{password}@127.0.0.1:{self._port}/{parts['dbname']}"
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def lose_answers(self, number: int, mark: bytes) -> None:
        """Cut the connection instead of passing on the whole answer to the next ``number`` statements with ``mark`` in them."""
        self._cuts, self._mark = number, mark

    def cut(self) -> None:
        """The server is gone: connections end, new ones are refused."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept()
            listener.close()
        with self._lock:
            for end in self._sockets:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """The server is there again."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server:
            with self._lock:
                self._sockets |= {client, server}
            doomed = threading.Event()
            back = threading.Thread(target=self._answers, args=(server, client, doomed), daemon=True)
            back.start()
            with suppress(OSError):
                while data := client.recv(65536):
                    with self._lock:
                        if self._cuts and self._mark in data:
                            self._cuts -= 1
                            doomed.set()
                    server.sendall(data)
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            back.join()
            with self._lock:
                self._sockets -= {client, server}

    def _answers(self, server: socket.socket, client: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError):
            answer = b""
            while data := server.recv(65536):
                answer = (answer + data)[-len(READY):]
                if not doomed.is_set():
                    client.sendall(data)
                elif answer == READY:
                    self.answers_lost += 1
                    break
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.cut()

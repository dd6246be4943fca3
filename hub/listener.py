"""A gunicorn worker that gives a thread only to a whole request, so that slow clients hold nobody up.

The threaded worker of gunicorn reads head and body in the thread of the request: as many slow clients as there
are threads stop everything. Here the main loop gathers what arrives, and a thread sees only what is complete.
"""

from __future__ import annotations

import re
import selectors
import socket
import struct
import time
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD = 65_536
"""Bytes of a request without an end of its head that are gathered; the parser then says what is wrong."""
HEAD_WITHIN = 10.0
"""Seconds for the head of a request."""
WHOLE_WITHIN = 180.0
"""Seconds for a whole request: ten megabytes over a poor mobile network."""
LARGEST = 12_000_000
"""Bytes of a body that are gathered; no page takes more."""
READ_AWAY = 100_000_000
"""Bytes of a larger body that are read and thrown away, because a browser shows no answer before it has sent everything."""
GATHERED = 100_000_000
"""Bytes of all unfinished requests together; beyond, the largest of them ends."""
CONNECTIONS = 600
"""Open connections; beyond, the one that has waited longest ends."""
LINGER = 2.0
"""Seconds that a connection without a request stays open while the server stops: a request may be under way."""
STUCK = 30
"""Seconds that a thread waits for one more byte to come or to go: for requests that two parsers read in two ways."""

LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*\r\n", re.I)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.I)
CONTINUE = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.I)
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]{0,200}\r\n")
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Arriving:
    """What has come of one request. ``asks``: the client waits for a word before it sends the body."""

    def __init__(self, held: bytes, now: float) -> None:
        self.data = bytearray()
        self.lingers_until = now + LINGER
        self.until = now + HEAD_WITHIN
        self.latest = now + WHOLE_WITHIN
        self.head = 0
        self.ends = 0
        self.chunk = 0
        self.thrown = 0
        self.too_large = self.asks = False
        self.take(held)

    def take(self, more: bytes) -> None:
        """Add what came."""
        if self.too_large:
            self.thrown += len(more)
            return
        self.data += more
        if not self.head:
            self._find_head()

    def _find_head(self) -> None:
        end = self.data.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        head, asked = CONTINUE.subn(b"", bytes(self.data[:end]))  # answered here, so that it is not answered twice
        self.data[:end] = head
        self.head = end = len(head)
        self.until, self.asks = self.latest, bool(asked)
        length = LENGTH.search(head)
        if CHUNKED.search(head):
            self.chunk = end
        else:
            self.ends = end + (int(length[1]) if length else 0)
            if self.ends - end > LARGEST:
                self.too_large, self.thrown = True, len(self.data) - end
                del self.data[end:]

    @property
    def whole(self) -> bool:
        """Whether everything is here that will be read, or that can be refused without more."""
        if not self.head:
            return len(self.data) > HEAD
        if self.too_large:
            return self.asks or self.thrown >= min(self.ends - self.head, READ_AWAY)
        if self.chunk:
            return len(self.data) - self.head > LARGEST or self._last_chunk_is_here()
        return len(self.data) >= self.ends

    def _last_chunk_is_here(self) -> bool:
        while found := CHUNK.match(self.data, self.chunk):
            size = int(found[1], 16)
            if not size:
                return self.data.find(b"\r\n\r\n", found.end() - 2) >= 0
            self.chunk = found.end() + size + 2
        line = self.data.find(b"\r\n", self.chunk, self.chunk + 250)
        return line >= 0 or len(self.data) > self.chunk + 250  # no chunk at all: the parser says so


class WholeRequests(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threads behind a loop that gathers requests. All methods but ``handle`` run in the main thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arriving: dict[TConn, Arriving] = {}
        self.gathered = 0

    def accept(self, listener: Any) -> None:
        """A new connection; where there are too many, one that waits makes room."""
        if self.nr_conns >= CONNECTIONS - 1:
            self._make_room()
        super().accept(listener)

    def set_accept_enabled(self, enabled: bool) -> None:
        """When the server stops: take in who waits already, then let go of the sockets, so that nobody new waits in vain."""
        if enabled or self.alive:
            super().set_accept_enabled(enabled)
            return
        for listener in self.sockets:
            for _ in range(CONNECTIONS):
                before = self.nr_conns
                self.accept(listener)
                if self.nr_conns == before:
                    break
        super().set_accept_enabled(False)
        for listener in self.sockets:
            listener.close()

    def enqueue_req(self, conn: TConn) -> None:
        """Begin to gather a request: of a new connection, a kept one, or one that has sent two at once."""
        held = conn.parser.unreader.take_buffered() if conn.parser is not None else b""
        arriving = self.arriving[conn] = Arriving(held, time.monotonic())
        self.gathered += len(arriving.data)
        conn.sock.setblocking(False)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._more, conn))
        self._go_on(conn, arriving)

    def _more(self, conn: TConn, _: Any) -> None:
        arriving = self.arriving.get(conn)
        if arriving is None:  # ended earlier in this round of the loop
            return
        try:
            data = conn.sock.recv(262_144)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end(conn)
            return
        before = len(arriving.data)
        arriving.take(data)
        self.gathered += len(arriving.data) - before
        self._go_on(conn, arriving)

    def _go_on(self, conn: TConn, arriving: Arriving) -> None:
        if arriving.whole:
            self._forget(conn)
            self._hand_over(conn, arriving)
        elif arriving.asks:
            arriving.asks = False
            self._say(conn, b"HTTP/1.1 100 Continue\r\n\r\n")
        while self.gathered > GATHERED:
            self._end(max(self.arriving, key=lambda c: len(self.arriving[c].data)))

    def _hand_over(self, conn: TConn, arriving: Arriving) -> None:
        try:
            conn.sock.setblocking(True)
            patience = struct.pack("ll", STUCK, 0)
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                conn.sock.setsockopt(socket.SOL_SOCKET, option, patience)
            if arriving.too_large:
                conn.sock.shutdown(socket.SHUT_RD)  # the body is gone: whoever looks for it finds its end
            conn.init()
        except OSError:
            self._close(conn)
            return
        conn.parser.unreader.unread(bytes(arriving.data))
        conn.data_ready = True
        super().enqueue_req(conn)

    def _forget(self, conn: TConn) -> None:
        self.gathered -= len(self.arriving.pop(conn).data)
        self.poller.unregister(conn.sock)

    def _end(self, conn: TConn, word: bytes = b"") -> None:
        self._forget(conn)
        if word:
            self._say(conn, word)
        self._close(conn)

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def _say(self, conn: TConn, word: bytes) -> None:
        with suppress(OSError):  # a client that has gone is noticed at the next read
            conn.sock.send(word)

    def _make_room(self) -> None:
        """End the connection that is missed least: one that rests between requests, else the slowest."""
        if self.keepalived_conns:
            conn = self.keepalived_conns.popleft()
            self.poller.unregister(conn.sock)
            self._close(conn)
        elif self.arriving:
            self._end(next(iter(self.arriving)))

    def murder_pending(self) -> None:
        """Called by the loop at least once a second: end what is too slow."""
        super().murder_pending()
        now = time.monotonic()
        for conn in [c for c, a in self.arriving.items()
                     if a.until < now or not (self.alive or a.data or a.lingers_until > now)]:
            self._end(conn, TOO_SLOW if self.arriving[conn].data else b"")

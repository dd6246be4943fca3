"""One POST to a stranger's server: to the address that was checked, within limits, believing nothing of the answer."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from threading import Timer

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.response import BaseHTTPResponse

from hub.domain.errors import Refused, sentences
from hub.webhooks.guard import Guard, Target

ADDRESSES_TRIED = 3
READ_MOST = 64 * 1024
"""Bytes of an answer that are read at all."""
SAID_MOST = 200
"""Characters of an answer that are kept, where it was a failure."""

sentences(
    webhook_timeout=("Получатель не ответил вовремя.", "The receiver did not answer in time."),
    webhook_unreachable=("С сервером получателя нет связи.", "The receiver's server cannot be reached."),
    webhook_tls=("Сертификат получателя не прошёл проверку.", "The receiver's certificate was not accepted."),
    webhook_broken=("Получатель оборвал связь или ответил не по HTTP.", "The receiver broke off or did not answer in HTTP."),
    webhook_redirect=("Получатель отправляет на другой адрес. Укажите в подписке сам этот адрес.",
                      "The receiver redirects elsewhere. Put that address itself into the subscription."),
    webhook_status=("Получатель ответил отказом.", "The receiver answered with a refusal."),
    webhook_gone=("Получатель ответил, что больше не ждёт событий (410).", "The receiver wants no more events (410)."),
)


@dataclass(frozen=True)
class Limits:
    """Seconds for a connection with its TLS handshake, for each silence of the receiver, and for everything together."""

    connect: float = 5.0
    read: float = 10.0
    total: float = 15.0


@dataclass(frozen=True)
class Answer:
    """What became of a POST. ``fault`` is empty where it arrived, else a code of :data:`hub.domain.errors.SENTENCES`.

    ``status`` is 0 where no answer came. ``retry_after``: that header where the receiver asks to
    wait (429, 503), as it came.
    """

    status: int
    fault: str = ""
    said: str = ""
    retry_after: str = ""


@cache
def _trusting_the_system() -> ssl.SSLContext:
    """Reading the system's certificates takes longer than all else of a start, and they are the same for all."""
    return ssl.create_default_context()


class Poster:
    """Sends. Follows no redirects, asks no proxies, resolves each host once and connects to what the guard has seen."""

    def __init__(self, guard: Guard, limits: Limits = Limits(), tls: ssl.SSLContext | None = None) -> None:
        self.guard = guard
        self.limits = limits
        self._tls = tls or _trusting_the_system()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send ``body``; never raises for what the other side does."""
        try:
            target = self.guard.check(url)
            addresses = self.guard.addresses(target)[:ADDRESSES_TRIED]
        except Refused as refused:
            return Answer(0, refused.code)
        until = time.monotonic() + self.limits.total
        answer = Answer(0, "webhook_unreachable")
        for address in addresses:
            left = until - time.monotonic()
            if left <= 0:
                break
            connection = self._connection(target, address, min(self.limits.connect, left))
            try:
                connection.connect()
            except NewConnectionError:  # before the timeout, which it is a kind of
                answer = Answer(0, "webhook_unreachable")
            except (ConnectTimeoutError, TimeoutError):
                answer = Answer(0, "webhook_timeout")
            except ssl.SSLCertVerificationError:
                return Answer(0, "webhook_tls")
            except (HTTPError, OSError):
                answer = Answer(0, "webhook_tls" if target.scheme == "https" else "webhook_unreachable")
            else:
                return self._exchange(connection, target, headers, body, until - time.monotonic())
            finally:
                connection.close()
        return answer

    def _connection(self, target: Target, address: str, timeout: float) -> HTTPConnection:
        if target.scheme == "http":
            return HTTPConnection(address, target.port, timeout=timeout)
        return HTTPSConnection(address, target.port, timeout=timeout, ssl_context=self._tls, cert_reqs="CERT_REQUIRED",
                               server_hostname=target.host)

    def _exchange(self, connection: HTTPConnection, target: Target, headers: Mapping[str, str], body: bytes,
                  left: float) -> Answer:
        assert connection.sock is not None
        connection.timeout = self.limits.read
        ended: list[bool] = []
        try:
            with _ended_after(left, connection.sock, ended):
                connection.request("POST", target.path, body=body, headers={**headers, "Host": target.authority,
                                                                            "Connection": "close"},
                                   preload_content=False, decode_content=False)
                response = connection.getresponse()
                if ended:  # headers that break off read like complete ones
                    return Answer(0, "webhook_timeout")
                said = b""
                # The status is the answer; a body that does not come, or never ends, changes nothing of it.
                with suppress(HTTPError, HTTPException, OSError, ValueError):
                    said = response.read(READ_MOST, decode_content=False)
                response.close()
                return _understood(response, said)
        except TimeoutError:
            return Answer(0, "webhook_timeout")
        except (HTTPError, HTTPException, OSError, ValueError):
            return Answer(0, "webhook_timeout" if ended else "webhook_broken")


@contextmanager
def _ended_after(seconds: float, sock: socket.socket, ended: list[bool]) -> Iterator[None]:
    """Break the connection off after ``seconds``: a receiver that sends a byte now and then never times out otherwise."""
    def end() -> None:
        ended.append(True)
        with suppress(OSError):
            # Of the socket itself: that of a TLS socket takes the encryption away under the thread that reads.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
    watch = Timer(max(seconds, 0.0), end)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _understood(response: BaseHTTPResponse, said: bytes) -> Answer:
    status = response.status
    if 200 <= status < 300:
        return Answer(status)
    fault = "webhook_redirect" if 300 <= status < 400 else "webhook_gone" if status == 410 else "webhook_status"
    text = re.sub(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]+", " ", said[:SAID_MOST * 4].decode("utf-8", "replace"))
    wait = response.headers.get("Retry-After", "") if status in (429, 503) else ""
    return Answer(status, fault, " ".join(text.split())[:SAID_MOST], wait)

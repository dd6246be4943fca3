"""Calls to providers: one client for all channels, with time limits, without redirects, and with a limit on what is read.

What matters for sending is told apart: :class:`Unsent` (nothing reached the provider) and :class:`Cut` (it may have).
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
)

LARGEST_ANSWER = 5_000_000
"""Bytes of an answer that are read, unless the call says otherwise."""


class Unsent(Exception):
    """The provider was not reached: nothing can have been done."""


class Cut(Exception):
    """The request went out and no whole answer came back: nobody knows what was done."""


class TooLarge(Exception):
    """The answer is larger than allowed."""


@dataclass(frozen=True)
class Response:
    """An answer, whole. ``headers`` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None where it is none (a proxy's HTML page)."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Http:
    """Calls under one address. ``base`` can be set for tests. Safe for threads."""

    def __init__(self, base: str, *, connect: float = 5.0, read: float = 20.0) -> None:
        """``connect`` and ``read`` are seconds."""
        self.base = base.rstrip("/")
        self._connect, self._read = connect, read
        self._tls = ssl.create_default_context()

    def call(self, method: str, path: str, *, read: float | None = None, limit: int = LARGEST_ANSWER, **more: Any) -> Response:
        """One request, tried once. ``more`` goes to urllib3: ``fields``, ``body``, ``headers``, ``json``.

        :raises Unsent: no connection; :raises Cut: it broke later; :raises TooLarge: more than ``limit`` bytes came.
        """
        timeout = urllib3.Timeout(connect=self._connect, read=read or self._read)
        more["headers"] = {"Connection": "close", **more.get("headers", {})}
        # A kept connection that the provider has just closed looks like a cut, and then nobody knows what was done: each
        # call has one of its own.
        with urllib3.PoolManager(retries=False, ssl_context=self._tls) as pool:
            return self._on(pool, method, path, timeout, limit, more)

    def _on(self, pool: urllib3.PoolManager, method: str, path: str, timeout: urllib3.Timeout, limit: int,
            more: Mapping[str, Any]) -> Response:
        try:
            answer = pool.request(method, f"{self.base}{path}", redirect=False, preload_content=False, timeout=timeout, **more)
        except (ConnectTimeoutError, NewConnectionError, NameResolutionError, LocationParseError) as error:
            raise Unsent(type(error).__name__) from error
        except MaxRetryError as error:
            raise Unsent(type(error.reason).__name__) from error
        except (HTTPError, OSError) as error:
            raise Cut(type(error).__name__) from error
        try:
            body = answer.read(limit + 1, decode_content=True)
        except (HTTPError, OSError) as error:
            raise Cut(type(error).__name__) from error
        finally:
            answer.close()
        if len(body) > limit:
            raise TooLarge
        return Response(answer.status, {k.lower(): v for k, v in answer.headers.items()}, body)

"""What a channel is given and what it gives back. No channel knows the store, flask or a lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hub.domain.delivery import Delivery


@dataclass(frozen=True)
class Request:
    """One inbound HTTP request, plain. Header names are lower case; ``query`` is the raw query string."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    remote_addr: str
    at: datetime
    query: str = ""


@dataclass(frozen=True)
class Accepted:
    """The request is genuine. ``deliveries`` may be empty (a provider's connection test)."""

    deliveries: tuple[Delivery, ...] = ()
    answer: Mapping[str, str] = field(default_factory=dict)


class Rejected(Exception):
    """The request is refused with an HTTP ``status``; nothing is stored. ``code`` names a sentence (errors.py)."""

    def __init__(self, status: int, code: str, **params: object) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.params = params

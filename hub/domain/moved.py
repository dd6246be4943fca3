"""The move that a person made last: what taking it back needs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from hub.domain.events import DueBack


class Moved(Struct, frozen=True, gc=False):
    """There while nothing else has happened since (R0).

    ``stage``, ``since``, ``disqualified`` and ``dues`` are those before it, ``met`` the deadlines that it counted as done;
    ``act`` is the correlation of its events.
    """

    act: UUID
    by: str
    at: datetime
    stage: str
    since: datetime | None
    disqualified: str
    dues: tuple[DueBack, ...]
    met: tuple[str, ...] = ()

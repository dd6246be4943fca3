"""What a merge of two cards brought from one to the other, so that a split can give it back (R6)."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct


class Brought(Struct, frozen=True, gc=False):
    """From one other card: its people, and the numbers that its meetings and requests have here."""

    people: tuple[UUID, ...] = ()
    meetings: tuple[int, ...] = ()
    requests: tuple[int, ...] = ()

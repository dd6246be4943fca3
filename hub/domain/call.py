"""A telephone call as its facts left it. They come repeated, late and in any order: all is ranked, nothing replaced."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

CALL_RANKS = {"": -1, "asked": 0, "unknown": 1, "placed": 2, "ringing": 3, "talking": 4,
              "cancelled": 5, "failed": 6, "busy": 7, "no_answer": 8, "ended": 9}
"""How much a status of a whole call says. ``asked``, ``unknown`` and ``placed`` are ours alone (a call from the card)."""

OVER = CALL_RANKS["cancelled"]
"""From this rank on a call is over."""

LEG_RANKS = {"": -1, "ringing": 0, "picked_up": 1, "cancelled": 2, "failed": 3, "busy": 4, "no_answer": 5, "ended": 6,
             "connected": 7}
"""How much a status of one leg says. ``picked_up`` may be a voicemail; only ``connected`` is a person who talks to the client."""

NOT_REACHED = LEG_RANKS["cancelled"]
"""From this rank on a leg is over; below ``connected``, without a talk."""

OUTCOME_RANKS = {"": 0, "missed": 1, "answered": 2}
"""A call that seemed missed may turn out to be answered, never the other way round."""

CLIENT = "client"
"""The leg to the client of a call from the card; other legs bear the id of one of ours."""


class Call(Struct, frozen=True):
    """One call. ``key`` and ``names`` are what its provider calls it; ``fixed_id`` is ours, of a call from the card.

    ``message`` is the entry of the timeline that an incoming call is; ``author`` who asked for one from the card, ``phone``
    their telephone and ``to`` the client's number. ``by`` is who talked, ``seconds`` how long the whole call lasted.
    """

    id: int
    direction: str
    at: datetime
    account: str
    key: str = ""
    message: int = 0
    person_id: UUID | None = None
    fixed_id: str = ""
    author: str = ""
    phone: str = ""
    to: str = ""
    names: tuple[str, ...] = ()
    status: str = ""
    legs: dict[str, str] = {}
    outcome: str = ""
    by: str = ""
    seconds: int = 0
    callback: bool = False
    recordings: tuple[str, ...] = ()
    code: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing of it goes on any more."""
        return CALL_RANKS[self.status] >= OVER

    @property
    def settled(self) -> bool:
        """Whether the hub itself has nothing more to do to place it."""
        return self.status != "asked"


def called(sid: str) -> str:
    """The name of a call by its provider's id."""
    return f"call/{sid}"

"""A message of ours, and what of a client's message lies with its provider: the part of the state that channels move."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from hub.domain.events import FileRef

OUT_RANKS = {"asked": 0, "unknown": 1, "sent": 2, "failed": 3, "delivered": 4, "read": 5}
"""How much a status of our message says: a lower one never replaces a higher one, in whatever order they come."""


class Outgoing(Struct, frozen=True, gc=False):
    """A message of ours. ``status`` is one of :data:`OUT_RANKS`; ``fixed_id`` is what it is sent under, however often tried."""

    id: int
    fixed_id: str
    at: datetime
    author: str
    way: str
    account: str
    to: str
    text: str = ""
    subject_line: str = ""
    html: str = ""
    files: tuple[FileRef, ...] = ()
    answers: str = ""
    person_id: UUID | None = None
    letter: int = 0
    status: str = "asked"
    names: tuple[str, ...] = ()
    code: str = ""
    again: int = 0
    automatic: bool = False

    @property
    def settled(self) -> bool:
        """Whether the hub itself has nothing more to do about it."""
        return self.status != "asked"


class Mailed(Struct, frozen=True):
    """A version of the proposal that a message carries; it counts as sent once that has left."""

    proposal: int
    without_presentation: bool


class Invitation(Struct, frozen=True):
    """A calendar entry that a message carries. ``uid`` is the meeting's for ever, ``sequence`` counts what was sent for it."""

    meeting: int
    uid: str
    sequence: int
    starts_at: datetime
    minutes: int
    place: str = ""
    cancelled: bool = False


class Fetch(Struct, frozen=True, gc=False):
    """Something of a client's message that lies with its provider. ``status``: ``asked``, ``fetched``, ``ended``."""

    id: int
    kind: str
    message: int
    account: str
    ref: str
    name: str = ""
    content_type: str = ""
    size: int = 0
    person_id: UUID | None = None
    status: str = "asked"

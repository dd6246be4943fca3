"""What is done on the board itself: tags, and a move that is taken back at once."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from hub.domain.event import Event, topic

__all__ = ["DueBack", "LeadTagged", "LeadUntagged", "MoveUndone"]


@topic("lead.tagged")
class LeadTagged(Event, frozen=True, kw_only=True):
    """The lead has a tag: a word of the department's own by which leads are found, never a person's data."""

    tag: str


@topic("lead.untagged")
class LeadUntagged(Event, frozen=True, kw_only=True):
    """The lead has this tag no more."""

    tag: str


class DueBack(Struct, frozen=True, gc=False):
    """A deadline as it was before the move: when due and since when, whether its time had passed and staff were reminded.
    ``met``: the move had counted it as done in time."""

    key: str
    due_at: datetime
    set_at: datetime
    warn_at: datetime | None = None
    rule: str = ""
    missed: bool = False
    warned: bool = False
    met: bool = False


@topic("lead.move_undone")
class MoveUndone(Event, frozen=True, kw_only=True):
    """A person took back the move that they had just made, with nothing done since (R0).

    The lead stands in ``stage`` again as it has ``since``; it had been in ``previous`` from ``moved_at`` until now. ``back`` are
    the deadlines that the move had met or dropped, ``gone`` those that it had set. ``disqualified`` is the criterion that leaving
    the refusal had lifted (R8).
    """

    stage: str
    previous: str
    moved_at: datetime
    since: datetime | None = None
    back: tuple[DueBack, ...] = ()
    gone: tuple[str, ...] = ()
    disqualified: str = ""

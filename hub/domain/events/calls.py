"""Telephone calls, in and out: what providers told of them, in our words, and what followed from it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from hub.domain.event import PERSONAL, Event, Personal, topic

__all__ = ["CallAnswered", "CallAsked", "CallBackAsked", "CallBegan", "CallFailed", "CallLegMoved", "CallMissed", "CallMoved",
           "CallPlaced", "CallRecorded", "CallUnknown"]


@topic("lead.call_began")
class CallBegan(Event, frozen=True, kw_only=True):
    """The client called. ``message`` is the entry of the timeline that the call is, ``named`` what its provider calls it."""

    call: int
    message: int
    account: str
    person_id: UUID | None = None
    named: Personal = ""


@topic("lead.call_asked")
class CallAsked(Event, frozen=True, kw_only=True):
    """A person asked to be connected with the client. The event's id is the fixed id of the call.

    ``phone`` is the person's own telephone, which rings first; ``to`` the client's number.
    """

    call: int
    account: str
    person_id: UUID | None = None
    to: Personal = ""
    phone: Personal = ""


@topic("lead.call_placed")
class CallPlaced(Event, frozen=True, kw_only=True):
    """The provider took it; ``names`` are what it is called there. ``by_hand``: a person says that it took place."""

    call: int
    by_hand: bool = False
    names: Annotated[tuple[str, ...], PERSONAL] = ()


@topic("lead.call_failed")
class CallFailed(Event, frozen=True, kw_only=True):
    """It was not placed. ``code`` is a sentence ``out_<code>``, ``why`` the provider's own words."""

    call: int
    code: str
    why: Personal = ""


@topic("lead.call_unknown")
class CallUnknown(Event, frozen=True, kw_only=True):
    """Nobody can say whether it was placed. It is never placed again by itself."""

    call: int
    code: str
    why: Personal = ""


@topic("lead.call_moved")
class CallMoved(Event, frozen=True, kw_only=True):
    """How far the whole call is (hub.domain.call.CALL_RANKS); ``seconds`` how long it lasted, once that is known."""

    call: int
    status: str
    seconds: int = 0


@topic("lead.call_leg_moved")
class CallLegMoved(Event, frozen=True, kw_only=True):
    """How far one leg is (hub.domain.call.LEG_RANKS). ``leg`` is one of ours by id, or ``client``."""

    call: int
    leg: str
    status: str


@topic("lead.call_answered")
class CallAnswered(Event, frozen=True, kw_only=True):
    """One of ours and the client talk. ``by`` is empty where the provider did not say who."""

    call: int
    by: str = ""


@topic("lead.call_missed")
class CallMissed(Event, frozen=True, kw_only=True):
    """The client called and talked to nobody, or did not pick up our call."""

    call: int


@topic("lead.call_back_asked")
class CallBackAsked(Event, frozen=True, kw_only=True):
    """The client pressed the key for a call back."""

    call: int


@topic("lead.call_recorded")
class CallRecorded(Event, frozen=True, kw_only=True):
    """There is a recording, or ``absent``: nothing was said. ``kind``: ``voicemail`` or ``talk``. The sound is fetched apart."""

    call: int
    kind: str
    seconds: int = 0
    absent: bool = False
    named: Personal = ""

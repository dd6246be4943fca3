"""A fact that a provider tells about something known: how our message fared, how a call went, what became readable."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from hub.domain.delivery import Later


class Fact(Struct, frozen=True, kw_only=True):
    """``about`` is a name of the thing: one of a delivery's ``names``, a name that the channel gave on sending, or
    ``out/<id>`` for the message of ours with this fixed id.

    ``kind`` says who takes it on the lead (:data:`hub.domain.lead.talk.HEARERS`); ``status`` is in our words: for
    ``message`` ``sent``, ``delivered``, ``read`` or ``failed``. Facts are ranked by what they say, never by when they
    come: repeated, late and reordered ones change nothing. ``code`` is a stable word for machines, ``why`` the
    provider's own words (they may quote an address), ``details`` what else it said, ``at`` when it says it happened.
    """

    about: str
    kind: str
    status: str = ""
    code: str = ""
    why: str = ""
    at: datetime | None = None
    details: tuple[tuple[str, str], ...] = ()
    later: tuple[Later, ...] = ()


def own_name(id: str) -> str:
    """The name of a message of ours by its fixed id (hex): known from the moment it is asked for."""
    return f"out/{id}"

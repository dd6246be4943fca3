"""What is left on a card of a person whose data was erased."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from hub.domain.event import Event, topic

__all__ = ["ErasureAsked", "PersonErased"]


@topic("lead.erasure_asked")
class ErasureAsked(Event, frozen=True, kw_only=True):
    """A person's data is about to be erased: nothing of theirs joins this card any more, and nobody writes to them."""

    person_id: UUID
    erasure: UUID


@topic("lead.person_erased")
class PersonErased(Event, frozen=True, kw_only=True):
    """A person's data was erased: everything personal of theirs reads ``[erased]`` from now on, in the past as well.

    ``texts``: so do the card's own texts, those that staff wrote. ``reason`` is for good and names nobody; ``rule`` is the
    retention rule that asked for it, empty where a person did. ``erasure`` is the stream that tells what was reached.
    """

    ERASES: ClassVar[bool] = True

    person_id: UUID
    erasure: UUID
    texts: bool
    reason: str
    rule: str = ""

"""What every event of the hub is: frozen, dated, attributed, and tied to the rules of its day."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from msgspec import Meta, Struct

PERSONAL_MARK = "personal"
PERSONAL = Meta(extra={PERSONAL_MARK: True})
"""Marks a field as personal data: stored encrypted under the key of the event's ``subject``."""

Personal = Annotated[str, PERSONAL]
"""A personal text. ``""`` when unknown, ``"[erased]"`` once the person's key is destroyed."""

ERASED = "[erased]"
"""What a personal text reads after its person was erased."""

HUB = "hub"
"""The actor of facts that nobody did: time passed, a rule moved a card."""


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One fact. ``TOPIC`` is its stable stored name and is never renamed.

    ``at`` is when the fact became true; ``recorded_at`` is set only where the hub learned of it
    later (a deadline that passed while the worker slept). ``actor`` is ``user:<id>``,
    ``channel:<name>`` or ``hub``. ``correlation_id`` is the delivery or request that started
    everything, ``causation_id`` the event that led to this one. ``process_version`` names the
    rules it was decided under (R0). ``subject`` names whose key encrypts the personal fields.
    """

    TOPIC: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1
    ERASES: ClassVar[bool] = False
    """Whether what earlier events of the stream say is to be read again: somebody was erased."""

    originator_id: UUID
    originator_version: int
    event_id: UUID
    actor: str
    at: datetime
    correlation_id: UUID
    process_version: int = 0
    causation_id: UUID | None = None
    recorded_at: datetime | None = None
    subject: UUID | None = None


E = TypeVar("E", bound=Event)

TOPICS: dict[str, type[Event]] = {}
"""Every event class by its topic; the codec reads it."""


def topic(name: str) -> Any:
    """Class decorator: gives an event its stored name and registers it."""

    def register(cls: type[E]) -> type[E]:
        if name in TOPICS:
            raise TypeError(f"topic {name!r} is taken by {TOPICS[name].__name__}")
        cls.TOPIC = name
        TOPICS[name] = cls
        return cls

    return register


def personal_fields(cls: type[Event]) -> tuple[str, ...]:
    """Names of the fields of ``cls`` that are personal data, in declaration order."""
    hints = get_type_hints(cls, include_extras=True)
    return tuple(name for name in cls.__struct_fields__ if _is_personal(hints[name]))


def _is_personal(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return any(isinstance(m, Meta) and (m.extra or {}).get(PERSONAL_MARK) for m in get_args(hint)[1:])
    return False

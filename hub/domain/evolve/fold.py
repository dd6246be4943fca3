"""The mechanism of the fold: a function for each kind of event, and small changes of frozen mappings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from msgspec.structs import replace

from hub.domain.event import Event
from hub.domain.merged import Brought
from hub.domain.state import LeadState

Fold = Callable[[LeadState, Any], LeadState]
FOLDS: dict[type[Event], Fold] = {}
K = TypeVar("K")
V = TypeVar("V")


def on(*kinds: type[Event]) -> Callable[[Fold], Fold]:
    """Registers how events of these kinds change the state."""
    def register(fold: Fold) -> Fold:
        for kind in kinds:
            FOLDS[kind] = fold
        return fold
    return register


def evolve(state: LeadState, event: Event) -> LeadState:
    """The state after ``event``. A kind that changes nothing only moves ``last_at``."""
    fold = FOLDS.get(type(event))
    if state.moved is not None and not (event.correlation_id == state.moved.act and event.TOPIC.startswith("lead.deadline_")):
        state = replace(state, moved=None)  # something has happened since
    if fold is not None:
        state = fold(state, event)
    at = event.recorded_at or event.at
    return replace(state, last_at=at if state.last_at is None or at > state.last_at else state.last_at)


def put(items: Mapping[K, V], key: K, value: V) -> dict[K, V]:
    """``items`` with one more or another value."""
    return {**items, key: value}


def without(items: Mapping[K, V], key: K) -> dict[K, V]:
    """``items`` less one key."""
    return {k: v for k, v in items.items() if k != key}


def bring(st: LeadState, other: UUID | None, **what: Any) -> LeadState:
    """Note what a merge brought from ``other`` (a person, the number of a meeting or request); nothing where none did."""
    if other is None:
        return st
    known = st.brought.get(other) or Brought()
    return replace(st, brought=put(st.brought, other, replace(known, **{k: (*getattr(known, k), v) for k, v in what.items()})))


def change(items: Mapping[K, V], key: K, **fields: Any) -> dict[K, V]:
    """``items`` with some fields of one of them changed; unknown keys change nothing."""
    if key not in items:
        return dict(items)
    changed: Any = items[key]
    return {**items, key: replace(changed, **fields)}

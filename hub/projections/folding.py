"""For projections that show a whole aggregate: its state after each event, folded once and kept at hand."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any
from uuid import UUID

from hub.domain.aggregate import Aggregate
from hub.domain.event import Event
from hub.store.base import EventStore

KEPT = 2_000
"""How many states are kept at hand; the rest is folded again from its stream when its next event comes."""


class Folded:
    """States by stream. A stream's past never changes, so that a rebuild folds to the same states."""

    def __init__(self, store: EventStore, kind: type[Aggregate[Any]]) -> None:
        self._store = store
        self._kind = kind
        self._states: OrderedDict[UUID, tuple[int, Any]] = OrderedDict()

    def after(self, event: Event) -> Any:
        """The state of the event's stream after the event."""
        version, state = self._states.get(event.originator_id, (0, self._kind.EMPTY))
        before = event.originator_version - 1
        if version > before:
            version, state = 0, self._kind.EMPTY
        if version < before:
            state = self._kind.fold(self._store.read(event.originator_id, version, before), state)
        state = self._kind.evolve(state, event)
        self._states[event.originator_id] = (event.originator_version, state)
        self._states.move_to_end(event.originator_id)
        if len(self._states) > KEPT:
            self._states.popitem(last=False)
        return state

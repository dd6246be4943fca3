"""For projections that show a whole aggregate: its state after each event, folded once and kept at hand."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Self

from hub.domain.aggregate import Aggregate
from hub.domain.event import Event
from hub.domain.lead import Lead
from hub.projections.base import Projection
from hub.store.base import Cursor, EventStore

KEPT = 2_000
"""How many states are kept at hand; the rest is folded again from its stream when its next event comes."""
KEPT_BEHIND = 12_000
"""So many while the past is read in the order of the log, in which as many leads are under way at once."""
BEHIND = 200
"""Events in one go that only a reader of the past gets."""


class OfLeads(Projection):
    """A projection that shows the states of leads. ``kept``: how many of them are kept at hand."""

    def __init__(self, store: EventStore, kept: int = KEPT) -> None:
        self.store = store
        self._states = Folded(store, Lead, kept)

    def wants(self, topic: str) -> bool:
        return topic.startswith("lead.")

    def fresh(self) -> Self:
        return type(self)(self.store, KEPT_BEHIND)

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        self.apply_all(cursor, [(position, event)])


class Folded:
    """States by stream. A stream's past never changes, so that a rebuild folds to the same states."""

    def __init__(self, store: EventStore, kind: type[Aggregate[Any]], kept: int = KEPT) -> None:
        self._store = store
        self._kind = kind
        self._kept = self._bound = kept
        self._states: OrderedDict[int, tuple[int, Any]] = OrderedDict()
        if store is not None:  # None where only names and tables of projections are asked for
            store.keys.watch(self.forget_all)

    def forget_all(self) -> None:
        """Fold everything anew from what can be read now: a person was erased."""
        self._states.clear()

    def expect(self, events: int) -> None:
        """So many events come in one go: of the past more is kept at hand, and given back once it has been read."""
        self._bound = max(self._kept, KEPT_BEHIND) if events >= BEHIND else self._kept
        while len(self._states) > self._bound:
            self._states.popitem(last=False)

    def after(self, event: Event) -> Any:
        """The state of the event's stream after the event."""
        stream: int = event.originator_id.int  # a UUID is compared and hashed in Python
        version, state = self._states.get(stream, (0, self._kind.EMPTY))
        before = event.originator_version - 1
        if version > before or event.ERASES:
            version, state = 0, self._kind.EMPTY
        if version < before:
            events = self._store.read(event.originator_id, version, before)
            if version and any(earlier.ERASES for earlier in events):
                state, events = self._kind.EMPTY, self._store.read(event.originator_id, 0, before)
            state = self._kind.fold(events, state)
        state = self._kind.evolve(state, event)
        self._states[stream] = (event.originator_version, state)
        self._states.move_to_end(stream)
        if len(self._states) > self._bound:
            self._states.popitem(last=False)
        return state

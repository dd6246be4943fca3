"""Reading and saving aggregates: a state at hand for each stream, brought up to date by the events after it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from hub.domain.aggregate import Aggregate
from hub.domain.delivery import Delivery
from hub.domain.event import TOPICS, Event
from hub.domain.fact import Fact
from hub.domain.form import FormState
from hub.domain.lead import COMMANDS
from hub.domain.partner import PartnerState, TemplateState
from hub.domain.process import ProcessFile
from hub.domain.staff import UserState
from hub.domain.webhook import WebhookState
from hub.store.base import EventStore
from hub.store.errors import Unreadable

KEPT = 5_000
RECENT = 0.1
"""Seconds within which every process knows of a newly published process."""
_PREPARING = Lock()
A = TypeVar("A", bound=Aggregate[Any])


def prepare_types() -> None:
    """Have msgspec work out every class that it will read, by one thread.

    It does so at a class's first use, and two threads at the same class at that moment crash the interpreter
    (msgspec 0.22: SIGSEGV). A server gets its first requests in many threads at once.
    """
    kinds = (ProcessFile, Delivery, Fact, UserState, FormState, PartnerState, TemplateState, WebhookState, *TOPICS.values(),
             *(command.arguments for command in COMMANDS.values()))
    with _PREPARING:
        for kind in kinds:
            msgspec.json.Decoder(kind)


class Streams:
    """States by stream, for all threads of a process. States are frozen: nobody can change what another reads.

    A state at hand may be old when another process wrote; :meth:`fresh` brings it up to date, and a save
    on an old one fails with Conflict and is forgotten.
    """

    def __init__(self, store: EventStore, saved: Callable[[list[Event], int], None]) -> None:
        """``saved`` is told of the events of each save and of the last one's log position."""
        prepare_types()
        self.store = store
        self._saved = saved
        self._states: OrderedDict[UUID, tuple[int, Any]] = OrderedDict()
        self._lock = Lock()
        self._age = 0
        store.keys.watch(self.forget_all)
        self._looked_at: dict[UUID, float] = {}

    def at_hand(self, kind: type[A], stream: UUID) -> tuple[int, Any]:
        """Version and state as last seen by this process; read where it was not seen yet."""
        self.store.keys.lookup()  # drops all of them where somebody was erased
        with self._lock:
            found = self._states.get(stream)
            if found is not None:
                self._states.move_to_end(stream)
        return found if found is not None and _is_of(kind, found[1]) else self.fresh(kind, stream)

    def fresh(self, kind: type[A], stream: UUID) -> tuple[int, Any]:
        """Version and state with every event that is stored now."""
        while True:
            with self._lock:
                age = self._age
                version, state = self._states.get(stream, (0, kind.EMPTY))
            if not _is_of(kind, state):
                version, state = 0, kind.EMPTY
            events = self.store.read(stream, after=version)
            if version and any(event.ERASES for event in events):
                state, events = kind.EMPTY, self.store.read(stream)
            if events:
                version, state = events[-1].originator_version, _folded(kind, events, state)
                self._keep(stream, version, state, age)
            if age == self._age:
                return version, state

    def recent(self, kind: type[A], stream: UUID) -> tuple[int, Any]:
        """Like :meth:`fresh`, but events that another process stored in the last :data:`RECENT` seconds may be missing: for what
        hardly ever changes and is asked at every command."""
        looked_at = self._looked_at.get(stream, -RECENT)
        now = time.monotonic()
        if now - looked_at >= RECENT:
            found = self.fresh(kind, stream)
            self._looked_at[stream] = now
            return found
        return self.at_hand(kind, stream)

    def save(self, aggregates: Iterable[Any]) -> tuple[list[Event], int]:
        """Store what the aggregates recorded, all or nothing; the events and the last one's log position."""
        changed = [a for a in aggregates if a.events]
        events = [event for a in changed for event in a.events]
        age = self._age
        try:
            positions = self.store.append(events)
        except Exception:
            self.forget(*(a.id for a in changed))
            raise
        for a in changed:
            self._keep(a.id, a.version, a.state, age)
        position = positions[-1] if positions else 0
        self._saved(events, position)
        return events, position

    def forget(self, *streams: UUID) -> None:
        """Drop what is at hand: read it again next time."""
        with self._lock:
            for stream in streams:
                self._states.pop(stream, None)

    def forget_all(self) -> None:
        """Drop everything at hand: a person was erased, and states hold what their events said before."""
        with self._lock:
            self._age += 1
            self._states.clear()

    def _keep(self, stream: UUID, version: int, state: Any, age: int) -> None:
        with self._lock:
            if age != self._age:  # it was made of what could be read before somebody was erased
                return
            if self._states.get(stream, (0, None))[0] <= version:
                self._states[stream] = (version, state)
                self._states.move_to_end(stream)
            if len(self._states) > KEPT:
                self._states.popitem(last=False)


def _folded(kind: type[Aggregate[Any]], events: list[Event], state: Any) -> Any:
    """The state after ``events``. What the hub stored always folds; what somebody altered past it may not."""
    try:
        return kind.fold(events, state)
    except Exception as error:
        last = events[-1]
        raise Unreadable(f"the events do not follow from each other ({type(error).__name__})", last.TOPIC, last.originator_id,
                         last.originator_version) from error


def _is_of(kind: type[Aggregate[Any]], state: Any) -> bool:
    """Whether a state is of this kind: an id that somebody sends may be that of another thing."""
    return type(state) is type(kind.EMPTY)

"""A lead's past: which events were known at a moment, which event set each value, what differs between two moments.

A moment is a version. An instant names the version that the hub had reached by then: what was recorded later, although it
had become true before (a deadline that passed while the worker slept), belongs to later moments. Versions are recorded in
the order of time, so that the past of an instant is a beginning of the history, whole and without gaps.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

from hub.domain.delivery import Address
from hub.domain.event import Event
from hub.domain.events import FileRef, Money
from hub.domain.evolve import evolve
from hub.domain.state import LeadState

WHOLE = (Address, FileRef, Money)
"""Values that are told as one: an address, a file, an amount."""
NOT_TOLD = frozenset({"last_at"})
"""What every event moves."""


def known_at(event: Event) -> datetime:
    """When the hub knew of the fact."""
    return event.recorded_at or event.at


def version_at(events: Sequence[Event], at: datetime) -> int:
    """The version that ``events``, a lead's whole history, had reached by ``at``; 0 before the first one."""
    return bisect_right(events, at, key=known_at)


# ── values by name ───────────────────────────────────────────────────────────────


@cache
def _defaults(kind: type[Struct]) -> tuple[tuple[str, Any], ...]:
    return tuple((f.name, f.default if f.default is not NODEFAULT else f.default_factory()
                  if f.default_factory is not NODEFAULT else None) for f in fields(kind))


def values(state: LeadState) -> dict[str, Any]:
    """Everything that is known in ``state``, by names such as ``stage``, ``dues.take.due_at`` or ``people.<id>.name``.

    What is as in a lead of which nothing is known is left out.
    """
    found: dict[str, Any] = {}
    for name, default in _defaults(LeadState):
        value = getattr(state, name)
        if value != default and name not in NOT_TOLD:
            found.update(_flat(name, value))
    return found


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Struct) and not isinstance(value, WHOLE):
        for field, default in _defaults(type(value)):
            inner = getattr(value, field)
            if field != "id" and (inner != default or default):  # a usual status is worth telling, an empty word is not
                yield from _flat(f"{name}.{field}", inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    elif isinstance(value, tuple) and value and isinstance(value[0], Struct) and not isinstance(value[0], WHOLE):
        for place, inner in enumerate(value, 1):
            yield from _flat(f"{name}.{getattr(inner, 'id', place)}", inner)
    else:
        yield name, value


class Change(NamedTuple):
    """A value that is another one than before. None stands for nothing known; ``event`` made it what it is."""

    key: str
    before: Any
    after: Any
    event: Event


def _changes(before: LeadState, after: LeadState, event: Event) -> Iterator[Change]:
    """What ``event`` changed. Parts of a state that it left alone are the same objects: they are not looked into."""
    for name, _ in _defaults(LeadState):
        a, b = getattr(before, name), getattr(after, name)
        if a is b or name in NOT_TOLD:
            continue
        old, new = dict(_flat(name, a)), dict(_flat(name, b))
        for key in dict.fromkeys((*old, *new)):
            if old.get(key) != new.get(key):
                yield Change(key, old.get(key), new.get(key), event)


def origins(events: Sequence[Event]) -> dict[str, Event]:
    """The event that set each of the :func:`values` that ``events`` lead to."""
    found: dict[str, Event] = {}
    state = LeadState()
    for event in events:
        after = evolve(state, event)
        for change in _changes(state, after, event):
            found[change.key] = event
        state = after
    return {key: found[key] for key in values(state) if key in found}


def difference(events: Sequence[Event], old: int, new: int) -> list[Change]:
    """What version ``new`` knows otherwise than the earlier ``old``, each with the event that changed it last.

    Values that changed and changed back are not told: the history has them.
    """
    state = LeadState()
    for event in events[:old]:
        state = evolve(state, event)
    before, touched = values(state), dict[str, Event]()
    for event in events[old:new]:
        later = evolve(state, event)
        touched.update((change.key, event) for change in _changes(state, later, event))
        state = later
    after = values(state)
    return [Change(key, before.get(key), after.get(key), touched[key]) for key in dict.fromkeys((*before, *after))
            if before.get(key) != after.get(key) and key in touched]

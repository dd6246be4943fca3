"""A sample of any event class with every field filled in, made from its types alone, and the file of the kept ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from msgspec import Struct

from hub.domain import events as lead_events
from hub.domain import publication
from hub.domain.event import TOPICS, Event

FILE = Path(__file__).with_name("events.jsonl")

MODULES = (lead_events.__name__, publication.__name__)
CLASSES: dict[str, type[Event]] = {name: cls for name, cls in sorted(TOPICS.items()) if cls.__module__.startswith(MODULES)}
"""The events of a lead and of the process by topic."""

AT = datetime(2026, 11, 16, 7, 30, tzinfo=UTC)

LEAVES: dict[Any, Callable[[str], Any]] = {
    str: lambda name: f"{name}: текст",
    int: lambda name: 1,
    bool: lambda name: True,
    UUID: lambda name: uuid5(NAMESPACE_URL, name),
    datetime: lambda name: AT,
    date: lambda name: AT.date(),
    Decimal: lambda name: Decimal("1500000.50"),
}


def value(hint: Any, name: str) -> Any:
    """A plausible value of a type."""
    if isinstance(hint, msgspec.inspect.Type):
        raise TypeError(hint)
    if hint in LEAVES:
        return LEAVES[hint](name)
    origin, args = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint(**{f.name: value(f.type, f"{name}.{f.name}") for f in msgspec.structs.fields(hint)})
    if origin is tuple:
        return tuple(value(a, f"{name}.{n}") for n, a in enumerate(args if args[-1] is not Ellipsis else args[:1]))
    if origin is dict:
        return {value(args[0], name): value(args[1], name)}
    if hasattr(hint, "__metadata__"):
        return value(hint.__origin__, name)
    if NoneType in args:
        return value(next(a for a in args if a is not NoneType), name)
    raise TypeError(f"no sample for {name}: {hint}; teach tests/golden/samples.py this type")


def sample(cls: type[Event], *, full: bool = True) -> Event:
    """An event with every field filled in, or with none but those that must be."""
    return cls(**{f.name: value(f.type, f.name) for f in msgspec.structs.fields(cls) if full or f.required})


def line(event: Event) -> dict[str, Any]:
    """An event as the file keeps it."""
    return {"topic": event.TOPIC, "v": event.VERSION, "event": json.loads(msgspec.json.encode(event))}


def kept() -> list[dict[str, Any]]:
    """The lines of the file."""
    return [json.loads(text) for text in FILE.read_text(encoding="utf-8").splitlines()] if FILE.exists() else []

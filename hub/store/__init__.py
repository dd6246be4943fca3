"""The event store: append-only events, keys kept apart, attached files."""

from hub.store.errors import (
    DAMAGED,
    Conflict,
    KeyLost,
    NotMigrated,
    Tampered,
    Unavailable,
    UnknownTopic,
    Unreadable,
    WrongSecret,
)

__all__ = [
    "DAMAGED", "Conflict", "KeyLost", "NotMigrated", "Tampered", "Unavailable", "UnknownTopic", "Unreadable", "WrongSecret",
]

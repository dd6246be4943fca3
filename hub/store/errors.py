"""What the store says when it cannot do what it was asked."""

from __future__ import annotations

import sqlite3
from uuid import UUID

from eventsourcing.persistence import MapperDeserialisationError, PersistenceError


class Conflict(Exception):
    """Someone stored another event at this version first. Read the stream again and decide again."""


class Unavailable(Exception):
    """The store cannot take or give anything now (locked, full disk, file gone). Nothing was
    acknowledged; the same call with the same event ids may be made again later."""


class NotMigrated(Exception):
    """The database has not the tables of this release: run ``hub migrate``."""


class WrongSecret(Exception):
    """The keys file was made under another HUB_SECRET_KEY."""


class Unreadable(MapperDeserialisationError):
    """A stored event that cannot be made into an event object; the message names topic and place. ``stream`` is where it is."""

    def __init__(self, why: str, topic: str, stream: UUID | str, version: int) -> None:
        self.stream = stream
        super().__init__(f"{why}: event {topic!r}, version {version} of stream {stream}")


class UnknownTopic(Unreadable):
    """No event class is registered under the stored topic: a newer program wrote it, or a module is not imported."""


class Tampered(Unreadable):
    """Sealed fields do not open at their place: the row was changed or moved."""


class KeyLost(Unreadable):
    """The key of sealed fields is missing although it was never destroyed: the keys file is not the one of this store."""


DAMAGED = (PersistenceError, sqlite3.DatabaseError, Unreadable)
"""What the store raises when a file is not what it should be, and trying again cannot help."""

"""What a projection is, and how far it can be."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, NamedTuple, Self

from hub.domain.event import Event
from hub.store.base import Cursor

Row = tuple[int, Event]
"""A log position and its event."""


class Projection:
    """One read model. Subclasses set the class variables and :meth:`apply`, and add their queries.

    ``apply`` writes only the projection's own tables and depends on nothing but them and the event, so
    that a rebuild gives the same rows. A change of ``tables`` or of ``apply`` needs the next ``version``:
    the projection is then rebuilt beside the old tables, which serve until it is done.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    tables: ClassVar[str]
    """Its tables and indexes, as SQL statements."""
    readable: ClassVar[bool] = True
    """Whether its tables hold texts of persons; after an erasure their files are written anew where the store needs that."""
    topics: ClassVar[frozenset[str]] = frozenset()
    """The events that it wants to see; empty means all."""

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        """Take one event into the tables."""
        raise NotImplementedError

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Take many events in, in order. To be overridden where only the last of several events of a stream needs writing;
        the tables must be the same as after :meth:`apply` of each."""
        for position, event in rows:
            self.apply(cursor, position, event)

    def fresh(self) -> Self:
        """One like this that keeps nothing of its own in memory: for a rebuild while this one goes on."""
        return copy.copy(self)

    @cached_property
    def table_names(self) -> tuple[str, ...]:
        """Names of its tables, in the order of their making."""
        return tuple(re.findall(r"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)", self.tables, re.IGNORECASE))

    def wants(self, topic: str) -> bool:
        """Whether events of ``topic`` are for it."""
        return not self.topics or topic in self.topics


class Status(NamedTuple):
    """How far a projection is. ``lag`` counts log positions; parked ones say why and at which position."""

    name: str
    version: int
    position: int
    lag: int
    parked_reason: str | None
    parked_at: int | None
    retries: int

"""The one mechanism of all aggregates: frozen state, events recorded against it, nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID, uuid5

from hub.domain.event import Event

S = TypeVar("S")
E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Actor:
    """Who acts: ``id`` is ``user:<uuid>``, ``channel:<name>`` or ``hub``; ``roles`` as in the process file."""

    id: str
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Stamp:
    """Who, when, why and under which rules: what a command gives to every event that it records."""

    actor: Actor
    at: datetime
    correlation_id: UUID
    process_version: int = 0
    causation_id: UUID | None = None


class Aggregate(Generic[S]):
    """One aggregate for the length of one command.

    Subclasses set ``EMPTY`` (the state of a stream without events) and ``evolve`` (a pure function
    that never raises on an event that was once stored), and add commands that call :meth:`record`.
    """

    EMPTY: ClassVar[Any]

    def __init__(self, id: UUID, stamp: Stamp, state: S | None = None, version: int = 0) -> None:
        self.id = id
        self.stamp = stamp
        self.state: S = self.EMPTY if state is None else state
        self.version = version
        self.events: list[Event] = []

    @staticmethod
    def evolve(state: Any, event: Any) -> Any:
        """The state after ``event``."""
        raise NotImplementedError

    @classmethod
    def fold(cls, events: Iterable[Event], state: S | None = None) -> S:
        """The state after ``events``, from the empty one or from ``state``."""
        now: Any = cls.EMPTY if state is None else state
        for event in events:
            now = cls.evolve(now, event)
        return now  # type: ignore[no-any-return]

    def record(self, event_class: type[E], /, *, subject: UUID | None = None, at: datetime | None = None,
               hub: bool = False, **fields: Any) -> E:
        """Record one event: evolve the state by it and keep it for saving.

        ``at`` is given where the fact became true earlier than it is recorded; ``hub`` marks a fact
        that follows from a rule rather than from a person's act.
        """
        stamp, version = self.stamp, self.version + 1
        when, recorded = stamp.at, None
        if at is not None and at < stamp.at:
            when, recorded = at, stamp.at
        event = event_class(
            originator_id=self.id, originator_version=version,
            event_id=uuid5(stamp.correlation_id, f"{self.id}:{version}"),
            actor="hub" if hub else stamp.actor.id, at=when, recorded_at=recorded,
            correlation_id=stamp.correlation_id,
            causation_id=self.events[-1].event_id if hub and self.events else stamp.causation_id,
            process_version=stamp.process_version, subject=subject, **fields,
        )
        self.state = self.evolve(self.state, event)
        self.version = version
        self.events.append(event)
        return event

"""Attempts that were refused: facts of their own streams, so that they never stand in the way of work."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from hub.domain.aggregate import Aggregate
from hub.domain.event import Event, topic


@topic("attempt.refused")
class AttemptRefused(Event, frozen=True, kw_only=True):
    """Somebody tried a command and was refused: which, on what, by which refusal and rule."""

    command: str
    target: UUID | None
    code: str
    rule: str = ""


class AttemptState(Struct, frozen=True):
    """Nothing follows from an attempt."""


class Attempt(Aggregate[AttemptState]):
    """One refused attempt."""

    EMPTY = AttemptState()

    @staticmethod
    def evolve(state: AttemptState, event: Event) -> AttemptState:
        return state

    def refused(self, command: str, target: UUID | None, code: str, rule: str) -> None:
        """Keep the attempt."""
        self.record(AttemptRefused, command=command, target=target, code=code, rule=rule)

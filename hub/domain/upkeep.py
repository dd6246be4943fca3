"""What people decided about read models that cannot take an event: to try it again, or to do without it."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from hub.domain.aggregate import Aggregate
from hub.domain.errors import Refused, sentences
from hub.domain.event import Event, topic

UPKEEP_STREAM = UUID("0b6f5c1e-7d3a-5c51-8a44-3f0f6d1f9e27")
"""The one stream of these decisions."""

sentences(
    skip_why=("Напишите, почему витрина данных обойдётся без этого события.", "Say why the read model does without this event."),
    not_parked=("Эта витрина данных не остановлена: повторять и пропускать нечего. Обновите страницу.",
                "This read model is not parked: there is nothing to retry or to skip. Reload the page."),
    no_such_read_model=("Такой витрины данных нет. Есть: {known}.", "There is no such read model. There are: {known}."),
)


@topic("upkeep.retried")
class ReadModelRetried(Event, frozen=True, kw_only=True):
    """A parked read model was told to try its event again."""

    name: str
    position: int


@topic("upkeep.skipped")
class ReadModelSkipped(Event, frozen=True, kw_only=True):
    """A read model does without the event at a log position, in every rebuild as well."""

    name: str
    position: int
    why: str


class UpkeepState(Struct, frozen=True):
    """Skipped log positions by read model."""

    skipped: dict[str, frozenset[int]] = {}


class Upkeep(Aggregate[UpkeepState]):
    """The stream of these decisions."""

    EMPTY = UpkeepState()

    @staticmethod
    def evolve(state: UpkeepState, event: Event) -> UpkeepState:
        if isinstance(event, ReadModelSkipped):
            known = state.skipped.get(event.name, frozenset())
            return replace(state, skipped={**state.skipped, event.name: known | {event.position}})
        return state

    def retry(self, name: str, position: int) -> None:
        """The event at ``position`` is tried again."""
        self.record(ReadModelRetried, name=name, position=position)

    def skip(self, name: str, position: int, why: str) -> None:
        """The event at ``position`` is left out if it cannot be applied; refused without a reason."""
        if not why.strip():
            raise Refused("skip_why", field="why")
        if position not in self.state.skipped.get(name, frozenset()):
            self.record(ReadModelSkipped, name=name, position=position, why=why.strip())

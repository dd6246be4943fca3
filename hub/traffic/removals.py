"""Copies that providers are asked to delete where a person was erased, as the sender sees them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from hub.application import THE_HUB, LeadHub
from hub.channels.base import REMOVAL, Outgoing
from hub.domain.privacy import Erasure, ErasureState


class Removals:
    """Asked for by an erasure. When the last one is answered, what the provider had called its copies is erased too."""

    def __init__(self, hub: LeadHub) -> None:
        self.hub = hub

    def load(self, stream: UUID, number: int) -> Outgoing | None:
        state: ErasureState = self.hub.streams.fresh(Erasure, stream)[1]
        removal = state.removals.get(number)
        if removal is None or removal.status != "asked" or state.begun_at is None:
            return None
        return Outgoing(UUID(removal.fixed_id), REMOVAL, removal.ref, asked_at=state.begun_at)

    def sent(self, stream: UUID, number: int, names: tuple[str, ...], at: datetime) -> None:
        self._tell(stream, lambda one: one.removed(number), at)

    def failed(self, stream: UUID, number: int, code: str, why: str, at: datetime) -> None:
        self._tell(stream, lambda one: one.removed(number, code), at)

    def unknown(self, stream: UUID, number: int, code: str, why: str, at: datetime) -> None:
        self.failed(stream, number, code, why, at)

    def _tell(self, stream: UUID, act: Callable[[Erasure], None], at: datetime) -> None:
        erasure = self.hub.change(Erasure, stream, act, actor=THE_HUB, at=at)
        if not erasure.state.pending:
            self.hub.store.keys.destroy(erasure.sealed_by)

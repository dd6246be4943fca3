"""Calls from the card as the sender sees them, and what a telephone line asks about us while it answers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from hub.application import LeadHub
from hub.channels.base import Outgoing
from hub.domain.event import ERASED
from hub.domain.fact import own_name
from hub.domain.phone import PhoneLine, PhonePlan, line_stream


class LeadCalls:
    """Calls that were asked for on leads: ``to`` is the telephone of ours that rings first, ``text`` the client's number."""

    def __init__(self, hub: LeadHub) -> None:
        self.hub = hub

    def load(self, stream: UUID, number: int) -> Outgoing | None:
        call = self.hub.lead(stream).calls.get(number)
        if call is None or call.settled or call.to == ERASED:
            return None
        return Outgoing(UUID(call.fixed_id), "call", call.phone, call.to, asked_at=call.at)

    def sent(self, stream: UUID, number: int, names: tuple[str, ...], at: datetime) -> None:
        self.hub.find_out(stream, lambda lead: lead.call_placed(number, names), at=at)

    def failed(self, stream: UUID, number: int, code: str, why: str, at: datetime) -> None:
        self.hub.find_out(stream, lambda lead: lead.call_failed(number, code, why), at=at)

    def unknown(self, stream: UUID, number: int, code: str, why: str, at: datetime) -> None:
        self.hub.find_out(stream, lambda lead: lead.call_unknown(number, code, why), at=at)


def plan_of(hub: LeadHub, account: str) -> PhonePlan:
    """How a line is answered: as the settings say, else by the hub's own words, with nobody who rings."""
    plan: PhonePlan = hub.streams.fresh(PhoneLine, line_stream(account))[1]
    return plan


def talks(hub: LeadHub, call: str) -> bool:
    """Whether one of ours has answered this call."""
    found = hub.call_named(call)
    return found is not None and found.outcome == "answered"


def client_of(hub: LeadHub, id: UUID) -> str:
    """The client's number of a call from a card; empty where there is none."""
    found = hub.call_named(own_name(id.hex))
    return found.to if found is not None and found.to != ERASED else ""

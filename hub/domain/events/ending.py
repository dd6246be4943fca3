"""How a lead sleeps, ends, returns and goes on after the contract: R28–R30."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from hub.domain.event import Event, Personal, topic
from hub.domain.events.deal import Money

__all__ = ["ChanceClosed", "ChanceRecorded", "ClientWroteAgain", "HandedOver", "InstalledWorkRecorded", "LeadLost",
           "LeadRefused", "LeadReopened", "LeadSlept", "LeadWoken", "LeadWon", "RequestOpenedByAccount"]


@topic("lead.slept")
class LeadSlept(Event, frozen=True, kw_only=True):
    """The project is postponed: the lead is open and asleep until a day (R28)."""

    until: date
    why: Personal = ""


@topic("lead.woken")
class LeadWoken(Event, frozen=True, kw_only=True):
    """The lead is awake again: its day came (R29), or a person or the client woke it."""

    why: Personal


@topic("lead.won")
class LeadWon(Event, frozen=True, kw_only=True):
    """The contract is signed (R28, R33)."""

    contract_number: str
    money: Money
    signed_on: date


@topic("lead.lost")
class LeadLost(Event, frozen=True, kw_only=True):
    """The deal is lost, with its reason and its closeness to the win (R28). Each loss stays."""

    loss: int
    reason: str
    closeness: str
    competitor: Personal = ""
    competitor_until: date | None = None
    debrief: Personal = ""
    return_on: date | None = None


@topic("lead.refused")
class LeadRefused(Event, frozen=True, kw_only=True):
    """We refused (R28): by a hard criterion or by the sheet, with the letter, or a word on why none."""

    criterion: str = ""
    total: int | None = None
    segment: str = ""
    letter: int = 0
    without_letter: Personal = ""


@topic("lead.reopened")
class LeadReopened(Event, frozen=True, kw_only=True):
    """An ended lead is worked again (R29)."""

    why: Personal


@topic("lead.handed_over")
class HandedOver(Event, frozen=True, kw_only=True):
    """An account manager has the deal with its whole history (R30)."""

    account_manager: str
    note: Personal = ""


@topic("lead.installed_work_recorded")
class InstalledWorkRecorded(Event, frozen=True, kw_only=True):
    """What works at the client's now (R30)."""

    text: Personal


@topic("lead.chance_recorded")
class ChanceRecorded(Event, frozen=True, kw_only=True):
    """A chance to sell more (R30). ``kind``: ``upsell`` or ``cross_sell``."""

    chance: int
    kind: str
    text: Personal
    money: Money | None = None


@topic("lead.chance_closed")
class ChanceClosed(Event, frozen=True, kw_only=True):
    """What came of a chance."""

    chance: int
    won: bool
    text: Personal = ""


@topic("lead.client_wrote_again")
class ClientWroteAgain(Event, frozen=True, kw_only=True):
    """A client whose lead is won sent a request: it is the account manager's (R29)."""

    message: int
    account_manager: str = ""


@topic("lead.request_opened_by_account")
class RequestOpenedByAccount(Event, frozen=True, kw_only=True):
    """The account manager opened a new lead for this client (R29)."""

    lead: UUID

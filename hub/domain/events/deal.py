"""Interview, proposal, presentation, follow-up: R17–R27, R33."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from msgspec import Struct

from hub.domain.event import PERSONAL, Event, Personal, topic
from hub.domain.events.intake import FileRef

__all__ = ["BenefitStated", "BudgetNamed", "DecisionDateAgreed", "HeadContributed", "HeadOpinionGiven", "Money",
           "NeedFound", "NeedMadeExplicit", "ProposalDrafted", "ProposalPresented", "ProposalPromised", "ProposalSent",
           "QuestionAnswered", "QuestionRecorded", "RequestClosed", "RequestOpened", "StallFound", "StallPlayed",
           "TrialDecided"]


class Money(Struct, frozen=True, gc=False):
    """An amount in units of its currency (ISO 4217), with a word on VAT (R33)."""

    amount: Decimal
    currency: str = "RUB"
    vat: str = ""


@topic("lead.budget_named")
class BudgetNamed(Event, frozen=True, kw_only=True):
    """The budget that the client expects (R33)."""

    money: Money
    note: Personal = ""


@topic("lead.question_recorded")
class QuestionRecorded(Event, frozen=True, kw_only=True):
    """A question for the client (R27). ``kind``: ``problem`` or ``developing``."""

    question: int
    kind: str
    text: Personal


@topic("lead.question_answered")
class QuestionAnswered(Event, frozen=True, kw_only=True):
    """What the client answered."""

    question: int
    answer: Personal


@topic("lead.need_found")
class NeedFound(Event, frozen=True, kw_only=True):
    """A need of the client, hidden or explicit, with a quote (R27)."""

    need: int
    text: Personal
    explicit: bool = False
    quote: Personal = ""


@topic("lead.need_made_explicit")
class NeedMadeExplicit(Event, frozen=True, kw_only=True):
    """The client said the need itself (R27)."""

    need: int
    quote: Personal


@topic("lead.benefit_stated")
class BenefitStated(Event, frozen=True, kw_only=True):
    """The measurable good that the client gets (R17)."""

    text: Personal
    kpi: Personal


@topic("lead.proposal_promised")
class ProposalPromised(Event, frozen=True, kw_only=True):
    """When the proposal will be ready and whether it will be presented (R17)."""

    ready_on: date
    presented: bool


@topic("lead.proposal_drafted")
class ProposalDrafted(Event, frozen=True, kw_only=True):
    """A version of the proposal: its amount and until when it holds (R18)."""

    proposal: int
    money: Money
    valid_until: date
    note: Personal = ""
    file: Annotated[FileRef | None, PERSONAL] = None
    needs_head: bool = False


@topic("lead.head_contributed")
class HeadContributed(Event, frozen=True, kw_only=True):
    """The head of sales took part in this version (R18)."""

    proposal: int
    text: Personal


@topic("lead.proposal_sent")
class ProposalSent(Event, frozen=True, kw_only=True):
    """The version went to the client (R19)."""

    proposal: int
    way: str
    to: Personal = ""


@topic("lead.proposal_presented")
class ProposalPresented(Event, frozen=True, kw_only=True):
    """The version was presented (R20)."""

    proposal: int
    meeting: int


@topic("lead.decision_date_agreed")
class DecisionDateAgreed(Event, frozen=True, kw_only=True):
    """When the client will decide (R20, R21)."""

    on: date


@topic("lead.request_opened")
class RequestOpened(Event, frozen=True, kw_only=True):
    """Something is missing for a decision (R23). ``merged_from`` is the card that it was asked on (R6)."""

    request: int
    kind: str
    owner: str
    text: Personal = ""
    merged_from: UUID | None = None


@topic("lead.request_closed")
class RequestClosed(Event, frozen=True, kw_only=True):
    """What came of it (R23). ``done`` is false where it was given up."""

    request: int
    done: bool
    text: Personal = ""


@topic("lead.head_opinion_given")
class HeadOpinionGiven(Event, frozen=True, kw_only=True):
    """Whether the head would spend resources on the test task (R24), with the free resources of that day."""

    request: int
    in_favour: bool
    text: Personal = ""
    resources: str = ""


@topic("lead.test_task_decided")
class TrialDecided(Event, frozen=True, kw_only=True):
    """The test task was accepted or declined (R24)."""

    request: int
    accepted: bool
    text: Personal = ""


@topic("lead.stall_found")
class StallFound(Event, frozen=True, kw_only=True):
    """Why there is no decision (R25), with what the client said."""

    stall: int
    reason: str
    why: Personal = ""
    until: date | None = None
    who: Personal = ""
    involved: bool | None = None
    decision_date: date | None = None
    debrief: Personal = ""
    closeness: str = ""
    competitor: Personal = ""
    competitor_until: date | None = None
    wish: Personal = ""


@topic("lead.stall_played")
class StallPlayed(Event, frozen=True, kw_only=True):
    """An action of the stall's play was done (R25)."""

    stall: int
    action: str
    result: Personal = ""

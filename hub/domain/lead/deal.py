"""The in-depth interview and the proposal: R17–R19, R27."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain import events as e
from hub.domain.errors import Refused
from hub.domain.guards import head_is_missing
from hub.domain.lead.base import command
from hub.domain.lead.meetings import Meetings
from hub.domain.process import STAGES
from hub.domain.state import Proposal


class Deal(Meetings):
    """Needs, benefit, promise, versions of the proposal."""

    @command("work")
    def ask_question(self, kind: str, text: str, answer: str = "") -> None:
        """A problem question or a developing one (R27)."""
        if kind not in ("problem", "developing"):
            raise Refused("no_such_question_kind", rule="R27", field="kind")
        number = len(self.state.questions) + 1
        self.record(e.QuestionRecorded, subject=self.id, question=number, kind=kind,
                    text=self._says(text, "say_text", rule="R27", field="text"))
        if answer.strip():
            self.record(e.QuestionAnswered, subject=self.id, question=number, answer=answer.strip())

    @command("work")
    def answer_question(self, question: int, answer: str) -> None:
        """What the client answered (R27)."""
        if question not in self.state.questions:
            raise Refused("no_such_question", rule="R27", field="question", given=question)
        self.record(e.QuestionAnswered, subject=self.id, question=question,
                    answer=self._says(answer, "say_text", rule="R27", field="answer"))

    @command("work")
    def find_need(self, text: str, explicit: bool = False, quote: str = "") -> None:
        """A need, hidden or explicit; an explicit one has the client's words (R27)."""
        text = self._says(text, "say_text", rule="R27", field="text")
        if explicit:
            quote = self._says(quote, "say_quote", rule="R27", field="quote")
        self.record(e.NeedFound, subject=self.id, need=len(self.state.needs) + 1, text=text, explicit=explicit,
                    quote=quote.strip())

    @command("work")
    def make_explicit(self, need: int, quote: str) -> None:
        """The client said the hidden need itself (R27)."""
        found = self.state.needs.get(need)
        if found is None:
            raise Refused("no_such_need", rule="R27", field="need", given=need)
        if found.explicit:
            raise Refused("already_explicit", rule="R27", field="need", given=need)
        self.record(e.NeedMadeExplicit, subject=self.id, need=need,
                    quote=self._says(quote, "say_quote", rule="R27", field="quote"))

    @command("work")
    def state_benefit(self, text: str, kpi: str) -> None:
        """The measurable good that the client gets: conversion, profit, another figure (R17)."""
        text = self._says(text, "say_benefit", rule="R17", field="text")
        self.record(e.BenefitStated, subject=self.id, text=text, kpi=self._says(kpi, "say_kpi", rule="R17", field="kpi"))

    @command("work")
    def promise_proposal(self, ready_on: date, presented: bool) -> None:
        """When the proposal will be ready and whether it will be presented (R17)."""
        self._must_be_taken()
        self._must_be_awake()
        if ready_on < self.process.date_of(self.stamp.at):
            raise Refused("date_has_passed", rule="R17", field="ready_on")
        self.record(e.ProposalPromised, ready_on=ready_on, presented=presented)
        self._due("promise", at=self.process.promised_by(ready_on, self.stamp.at))

    @command("work")
    def draft_proposal(self, amount: Decimal, valid_until: date, currency: str = "", vat: str = "", note: str = "",
                       file: e.FileRef | None = None) -> None:
        """A version of the proposal with its amount and its validity (R18, R33)."""
        self._must_be_taken()
        self._must_be_awake()
        if not self._is_late_enough():
            raise Refused("too_early_for_proposal", rule="R18", stage=self._stage_title(), first=self._title("interview"))
        if valid_until < self.process.date_of(self.stamp.at):
            raise Refused("date_has_passed", rule="R18", field="valid_until")
        score = self.state.score
        self.record(e.ProposalDrafted, subject=self.id, proposal=len(self.state.proposals) + 1,
                    money=self._money(amount, currency, vat), valid_until=valid_until, note=note.strip(), file=file,
                    needs_head=score is not None and score.total > self.process.file.proposal.head_above)
        self._met("promise")

    def _is_late_enough(self) -> bool:
        """From the interview on; a stage of the company's own counts by the stages that the lead has been in (R0, R18)."""
        s, late = self.state, {"interview", "proposal", "presentation", "follow_up"}
        return s.stage in late or (s.stage not in STAGES and not late.isdisjoint(s.visited))

    def _version(self, proposal: int) -> Proposal:
        found = self.state.proposals.get(proposal) if proposal else self.state.proposal
        if found is None:
            raise Refused("no_such_proposal", rule="R18", field="proposal", given=proposal or "")
        return found

    @command("decide")
    def contribute(self, text: str, proposal: int = 0) -> None:
        """The head's part in a version: without it a high-scored deal is neither presented nor sent (R18)."""
        self._only_head("R18")
        found = self._version(proposal)
        self.record(e.HeadContributed, subject=self.id, proposal=found.id,
                    text=self._says(text, "say_text", rule="R18", field="text"))

    @command("work")
    def send_proposal(self, way: str = "email", to: str = "", proposal: int = 0, without_presentation: bool = True,
                      account: str = "", subject: str = "", text: str = "") -> None:
        """The version goes to the client; without a presentation the card moves to follow-up (R19, R22).

        With the ``account`` of a mailbox it leaves by itself and counts as sent once it has left; without one it went already.
        """
        self._must_be_taken()
        self._must_be_awake()
        found = self._version(proposal)
        self._way(way)
        if "head_contributed" not in self.state.overrides and head_is_missing(found, self.state, self.process):
            raise Refused("guard_head_contributed", rule="R18", above=self.process.file.proposal.head_above,
                          head=self._head_title())
        if found.valid_until < self.process.date_of(self.stamp.at):
            raise Refused("proposal_expired", rule="R18", field="proposal", until=f"{found.valid_until:%d.%m.%Y}")
        to = to.strip() or self.state.address("email" if way == "email" else way)
        if way == "email":
            if not to:
                raise Refused("no_email", rule="R19", field="to")
            to = self._address("email", to, "to").value
        if self.state.stage == "interview":
            self._leave_interview()
        if account and way == "email":
            self._mail_proposal(found, without_presentation, account, to, subject=subject, text=text)
        else:
            self._proposal_went(found.id, way, to, without_presentation)

    def _mail_proposal(self, found: Proposal, without_presentation: bool, account: str, to: str, *, subject: str,
                       text: str) -> None:
        """Ask for a letter with the version's file. See :class:`hub.domain.lead.letters.Letters`."""
        raise NotImplementedError

    def _proposal_went(self, proposal: int, way: str, to: str, without_presentation: bool) -> None:
        self.record(e.ProposalSent, subject=self.id, proposal=proposal, way=way, to=to)
        if not self.state.open:
            return  # it ended while the letter was on its way
        self._due("ping")
        if self.state.next_step is None:
            self._drop("next_step", why="R22")
        if self.state.stage == "proposal" and without_presentation and self._leads_to("follow_up"):
            self._enter("follow_up", "R19")
        self._next_step_due()

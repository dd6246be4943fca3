"""How a lead sleeps, ends, returns, and what comes after the contract: R28–R30, R33."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hub.domain import events as e
from hub.domain.errors import Refused
from hub.domain.lead.base import command
from hub.domain.lead.follow_up import FollowUp


class Ending(FollowUp):
    """Won, lost, asleep, returned, handed over."""

    @command("work")
    def sleep(self, until: date, why: str) -> None:
        """The project is postponed: the lead is open and asleep until its date (R28)."""
        self._must_be_taken()
        self._must_be_awake()
        if until <= self.process.date_of(self.stamp.at):
            raise Refused("date_has_passed", rule="R28", field="until")
        self._sleep(until, self._says(why, "say_why", rule="R28", field="why"))

    @command("work")
    def wake(self, why: str) -> None:
        """Work on a sleeping lead before its date (R29)."""
        if self.state.asleep_until is None:
            raise Refused("not_asleep", rule="R29")
        self._wake(self._says(why, "say_why", rule="R29", field="why"))

    def _resume(self, past: datetime | None = None) -> None:
        """What stood still is due again, counted from now (or from ``past``, when that became true): R6, R28, R29."""
        s = self.state
        if not s.open:
            return
        if s.asleep_until is not None:
            self._due("wake", at=self._morning(s.asleep_until))
            return
        if not s.owner:
            self._due("take")
        if s.stage in ("new", "contact") and not (s.owner and self._can("screening")):
            self._due("contact", start=past, from_past=past)
        elif s.stage in ("new", "contact") and past is None:
            self._contact_captured()
        elif s.stage == "screening":
            self._screening_due(since=past or self.stamp.at)
        elif s.stage == "scoring" and s.score is None:
            self._due("scoring", start=past, from_past=past)
        elif s.stage == "refusal" and not self._refusal_letters():
            self._due("refusal_letter", start=past, from_past=past)
        self._decision_resumed(past)
        self._resume_promises(past)
        self._next_step_due(past)

    def _decision_resumed(self, past: datetime | None = None) -> None:
        """R21's days of a presentation do not begin anew: what is left of them, or nothing."""
        s = self.state
        if s.stage == "presentation" and s.presented_at is not None and s.stage_since and s.presented_at >= s.stage_since:
            left = self.process.due("decision", s.presented_at)
            self._due("decision", at=max(left, past or self.stamp.at), from_past=past)

    def _resume_promises(self, past: datetime | None) -> None:
        """Meetings to come, open requests, and the days that were named to us or by us, where they still lie ahead."""
        s = self.state
        for meeting in s.planned_meetings:
            self._outcome_due(meeting.id, past)
        for request in s.requests.values():
            if request.status == "open":
                self._due(f"request:{request.id}", start=past, from_past=past)
                kind = self.process.requests.get(request.kind)
                if kind is not None and kind.head_opinion and request.opinion is None:
                    self._due(f"head_opinion:{request.id}", start=past, from_past=past)
        kept = s.proposal is not None and s.promised_at is not None and s.proposal.at >= s.promised_at
        promised = s.promise[0] if s.promise is not None and not kept else None
        begin = past or self.stamp.at
        for key, day in (("promise", promised), ("decision_date", s.decision_date)):
            if day is not None and day >= self.process.date_of(begin):
                self._due(key, at=self.process.promised_by(day, begin), from_past=past)

    @command("work")
    def win(self, contract_number: str, amount: Decimal, signed_on: date, currency: str = "", vat: str = "") -> None:
        """The contract is signed (R28, R33)."""
        self._must_be_awake()
        self._ending("won")
        number = self._says(contract_number, "say_contract", rule="R33", field="contract_number")
        money = self._money(amount, currency, vat)
        if signed_on > self.process.date_of(self.stamp.at):
            raise Refused("date_ahead", rule="R28", field="signed_on")
        self._drop(why="R28")
        self.record(e.LeadWon, contract_number=number, money=money, signed_on=signed_on)
        self._due("hand_over")
        roles = [r.id for r in self.process.roles.values() if "account" in r.may and "decide" not in r.may]
        to = self.staff.of(*roles) or self.staff.heads
        if to:
            self.record(e.NoticeRaised, hub=True, to=to, kind="won")

    @command("work")
    def lose(self, reason: str, closeness: str, competitor: str = "", competitor_until: date | None = None,
             debrief: str = "", return_on: date | None = None) -> None:
        """The deal is lost: why, and how close we were (R28). A second choice returns near the competitor's end (R29)."""
        self._ending("lost")
        if not reason:
            raise Refused("say_loss_reason", rule="R28", field="reason")
        if not closeness:
            raise Refused("say_closeness", rule="R28", field="closeness")
        self._known(self.process.loss_reasons, reason, "no_such_loss_reason", "reason")
        scale = self._known(self.process.closeness, closeness, "no_such_closeness", "closeness")
        today = self.process.date_of(self.stamp.at)
        for field, day in (("return_on", return_on), ("competitor_until", competitor_until)):
            if day is not None and day <= today:
                raise Refused("date_has_passed", rule="R29", field=field)
        if return_on is None and scale.return_at is not None and competitor_until is not None:
            return_on = today + timedelta(days=max(1, round((competitor_until - today).days * scale.return_at)))
        self._drop(why="R28")
        self.record(e.LeadLost, subject=self.id, loss=len(self.state.losses) + 1, reason=reason, closeness=closeness,
                    competitor=competitor.strip(), competitor_until=competitor_until, debrief=debrief.strip(),
                    return_on=return_on)
        if return_on is not None:
            self._due("wake", at=self._morning(return_on))

    @command("work", ended=True)
    def reopen(self, why: str) -> None:
        """Work an ended lead again instead of a new one (R29)."""
        if self.state.ended not in ("lost", "refused"):
            raise Refused("not_reopenable", rule="R29")
        why = self._says(why, "say_why", rule="R29", field="why")
        self._drop("wake", why="R29")
        self.record(e.LeadReopened, subject=self.id, why=why)
        back = "scoring" if self.state.screened else "screening"
        if self.state.stage == "refusal" and self._can(back):
            self._enter(back, "R29")
        self._resume()

    @command("work", "account", ended=True)
    def hand_over(self, account_manager: str, note: str = "") -> None:
        """The signed contract goes to an account manager with the whole history (R30)."""
        if self.state.ended != "won":
            raise Refused("not_won", rule="R30")
        self._colleague(account_manager, "account_manager", "account")
        if account_manager == self.state.account_manager:
            raise Refused("same_owner", rule="R30", field="account_manager", who=self.staff.names[account_manager])
        self.record(e.HandedOver, subject=self.id, account_manager=account_manager, note=note.strip())
        self._met("hand_over")
        self.record(e.NoticeRaised, hub=True, to=(account_manager,), kind="given")

    @command("account", ended=True)
    def record_installed(self, text: str) -> None:
        """What works at the client's now (R30)."""
        self._won()
        self.record(e.InstalledWorkRecorded, subject=self.id, text=self._says(text, "say_text", rule="R30", field="text"))

    def _won(self) -> None:
        if self.state.ended != "won":
            raise Refused("not_won", rule="R30")

    @command("account", ended=True)
    def record_chance(self, kind: str, text: str, amount: Decimal | None = None, currency: str = "") -> None:
        """A chance to sell more: upsell or cross-sell (R30)."""
        self._won()
        if kind not in ("upsell", "cross_sell"):
            raise Refused("no_such_chance_kind", rule="R30", field="kind")
        self.record(e.ChanceRecorded, subject=self.id, chance=len(self.state.chances) + 1, kind=kind,
                    text=self._says(text, "say_text", rule="R30", field="text"),
                    money=self._money(amount, currency, "") if amount is not None else None)

    @command("account", ended=True)
    def close_chance(self, chance: int, won: bool, text: str = "") -> None:
        """What came of a chance (R30)."""
        found = self.state.chances.get(chance)
        if found is None:
            raise Refused("no_such_chance", rule="R30", field="chance", given=chance)
        if found.status != "open":
            raise Refused("chance_closed", rule="R30", field="chance", given=chance)
        self.record(e.ChanceClosed, subject=self.id, chance=chance, won=won, text=text.strip())

    def request_opened(self, lead: UUID) -> None:
        """A new lead was opened for this client by its account manager (R29)."""
        self._won()
        self.record(e.RequestOpenedByAccount, lead=lead)
        self._met("reply")

"""What is missing for a decision, why there is none, and what to do about it: R23–R25."""

from __future__ import annotations

from datetime import date, datetime

from hub.domain import events as e
from hub.domain.errors import Refused
from hub.domain.lead.base import command
from hub.domain.lead.deal import Deal
from hub.domain.state import ClientRequest


class FollowUp(Deal):
    """Requests, test tasks, stalls and their plays."""

    @command("work")
    def open_request(self, kind: str, text: str = "", owner: str = "", due_at: datetime | None = None) -> None:
        """Something is missing for a decision: who answers for it, by when (R23)."""
        self._must_be_taken()
        self._must_be_awake()
        rule = self._known(self.process.requests, kind, "no_such_request_kind", "kind")
        owner = owner or self.state.owner
        self._colleague(owner, "owner", "read")
        if due_at is not None and due_at <= self.stamp.at:
            raise Refused("time_has_passed", rule="R23", field="due_at")
        number = len(self.state.requests) + 1
        self.record(e.RequestOpened, subject=self.id, request=number, kind=kind, owner=owner, text=text.strip())
        self._due(f"request:{number}", at=due_at)
        if rule.head_opinion:
            self._due(f"head_opinion:{number}")
            if self.staff.heads:
                self.record(e.NoticeRaised, hub=True, to=self.staff.heads, kind="opinion", key=f"head_opinion:{number}")

    def _request(self, request: int) -> ClientRequest:
        found = self.state.requests.get(request)
        if found is None:
            raise Refused("no_such_request", rule="R23", field="request", given=request)
        if found.status != "open":
            raise Refused("request_closed", rule="R23", field="request", given=request)
        return found

    @command("work")
    def close_request(self, request: int, text: str, done: bool = True) -> None:
        """What came of a request (R23). A test task is first decided (R24)."""
        found = self._request(request)
        kind = self.process.requests.get(found.kind)
        if kind is not None and kind.head_opinion and found.accepted is None:
            raise Refused("decide_test_first", rule="R24", field="request", head=self._head_title())
        self.record(e.RequestClosed, subject=self.id, request=request, done=done,
                    text=self._says(text, "say_outcome", rule="R23", field="text"))
        self._met(f"request:{request}")
        self._drop_key(f"head_opinion:{request}", "R23")
        self._next_step_due()

    @command("decide")
    def give_opinion(self, request: int, in_favour: bool, text: str = "", resources: str = "") -> None:
        """The head's opinion on a test task, with the free resources of the day (R24)."""
        self._only_head("R24")
        self._request(request)
        self.record(e.HeadOpinionGiven, subject=self.id, request=request, in_favour=in_favour, text=text.strip(),
                    resources=self._says(resources, "say_resources", rule="R24", field="resources"))
        self._met(f"head_opinion:{request}")
        self._tell("opinion_given", f"request:{request}")

    @command("work")
    def decide_test(self, request: int, accepted: bool, text: str = "") -> None:
        """Accept or decline a test task: with a sheet and only after the head's opinion (R24)."""
        found = self._request(request)
        self._require("scored")
        if found.opinion is None:
            raise Refused("opinion_first", rule="R24", field="request", head=self._head_title())
        self.record(e.TrialDecided, subject=self.id, request=request, accepted=accepted, text=text.strip())
        if not accepted:
            self.close_request(request, text or "—", done=False)

    @command("work")
    def find_stall(self, reason: str, why: str = "", until: date | None = None, who: str = "", involved: bool | None = None,
                   decision_date: date | None = None, debrief: str = "", closeness: str = "", competitor: str = "",
                   competitor_until: date | None = None, wish: str = "") -> None:
        """Nothing is missing and still no deal: why (R25). A postponed project sleeps until its date (R28)."""
        self._must_be_taken()
        self._must_be_awake()
        stall = self._known(self.process.stalls, reason, "no_such_stall", "reason")
        said = {"why": why.strip(), "until": until, "who": who.strip(), "involved": involved, "debrief": debrief.strip(),
                "closeness": closeness, "wish": wish.strip()}
        for field in stall.asks:
            if field in said and said[field] in ("", None):
                raise Refused(f"stall_{field}", rule="R25", field=field)
        if "decision_date" in stall.asks and self.state.presented_at is not None and decision_date is None:
            raise Refused("stall_decision_date", rule="R25", field="decision_date")
        if closeness:
            self._known(self.process.closeness, closeness, "no_such_closeness", "closeness")
        today = self.process.date_of(self.stamp.at)
        for field, day in (("until", until), ("decision_date", decision_date)):
            if day is not None and day <= today:
                raise Refused("date_has_passed", rule="R25", field=field)
        self.record(e.StallFound, subject=self.id, stall=len(self.state.stalls) + 1, reason=reason, why=why.strip(), until=until,
                    who=who.strip(), involved=involved, decision_date=decision_date, debrief=debrief.strip(),
                    closeness=closeness, competitor=competitor.strip(), competitor_until=competitor_until, wish=wish.strip())
        if decision_date is not None:
            self.agree_decision_date(decision_date)
        if stall.sleep and until is not None:
            self._sleep(until, why.strip())

    def _sleep(self, until: date, why: str) -> None:
        self._drop(why="R28")
        self.record(e.LeadSlept, subject=self.id, until=until, why=why)
        self._due("wake", at=self._morning(until))

    def _morning(self, day: date) -> datetime:
        """When work on ``day`` begins; on a day off, when the next working day does."""
        return self.process.calendar.next_opening(self.process.opening(day))

    @command("work")
    def play_stall(self, stall: int, action: str, result: str = "") -> None:
        """An action of the stall's play was done (R25)."""
        found = self.state.stalls.get(stall)
        if found is None:
            raise Refused("no_such_stall_number", rule="R25", field="stall", given=stall)
        rule = self.process.stalls.get(found.reason)
        if rule is not None:
            self._known({p.id: p for p in rule.play}, action, "no_such_play", "action")
        self.record(e.StallPlayed, subject=self.id, stall=stall, action=action, result=result.strip())

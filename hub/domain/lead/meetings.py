"""Meetings and calls with a goal before and an outcome after, and the next step: R14, R20, R21, R26."""

from __future__ import annotations

from datetime import date, datetime

from hub.domain import events as e
from hub.domain.errors import Refused
from hub.domain.lead.base import command
from hub.domain.lead.screening import Screening
from hub.domain.state import Meeting

PURPOSES = ("call", "meeting", "interview", "presentation")
OUTCOMES = ("advance", "continuation", "closing", "refusal")
TALKS = ("phone", "meeting")
CONTACT_DUES = ("call_back", "reply", "ping", "return")


class Meetings(Screening):
    """The process is about advances: every meeting has a goal, and what came of it is kept."""

    @command("work")
    def plan_meeting(self, purpose: str, starts_at: datetime, goal: str, minutes: int = 60, online: bool = True,
                     place: str = "", ours: tuple[str, ...] = (), theirs: tuple[str, ...] = ()) -> None:
        """Plan a meeting or a call with its goal (R14, R26)."""
        self._must_be_taken()
        self._must_be_awake()
        if purpose not in PURPOSES:
            raise Refused("no_such_purpose", rule="R26", field="purpose", known=", ".join(PURPOSES))
        goal = self._says(goal, "say_goal", rule="R26", field="goal")
        if starts_at <= self.stamp.at:
            raise Refused("meeting_in_past", rule="R26", field="starts_at")
        if not 5 <= minutes <= 24 * 60:
            raise Refused("bad_minutes", rule="R26", field="minutes")
        number = len(self.state.meetings) + 1
        self.record(e.MeetingPlanned, subject=self.id, meeting=number, purpose=purpose, starts_at=starts_at, minutes=minutes,
                    goal=goal, online=online, place=place.strip(), ours=_names(ours), theirs=_names(theirs))
        self._outcome_due(number)
        if self.state.next_step is None:
            self._met("next_step")
        self._warn_headcount(number, ours, theirs)
        self._prepare()

    def _outcome_due(self, number: int, past: datetime | None = None) -> None:
        begin = max(self.state.meetings[number].ends_at, past or self.stamp.at)
        self._due(f"outcome:{number}", at=self.process.due("outcome", begin), from_past=past)

    def _warn_headcount(self, number: int, ours: tuple[str, ...], theirs: tuple[str, ...]) -> None:
        """One person fewer on our side; one of ours is always fine; unknown sides are not judged (R20)."""
        meeting = self.state.meetings[number]
        us, them = len(_names(ours)), len(_names(theirs))
        if us > 1 and them and us >= them and not meeting.headcount_warned:
            self.record(e.HeadcountWarned, hub=True, meeting=number, ours=us, theirs=them)

    def _planned(self, meeting: int) -> Meeting:
        found = self.state.meetings.get(meeting)
        if found is None:
            raise Refused("no_such_meeting", rule="R26", field="meeting", given=meeting)
        if found.status != "planned":
            raise Refused("meeting_over", rule="R26", field="meeting", given=meeting)
        return found

    @command("work")
    def explain_headcount(self, meeting: int, reason: str) -> None:
        """Say why there are as many of ours as of theirs (R20)."""
        if meeting not in self.state.meetings:
            raise Refused("no_such_meeting", rule="R20", field="meeting", given=meeting)
        self.record(e.HeadcountExplained, subject=self.id, meeting=meeting,
                    reason=self._says(reason, "say_why", rule="R20", field="reason"))

    @command("work")
    def move_meeting(self, meeting: int, starts_at: datetime, why: str = "", by_client: bool = False) -> None:
        """Give a meeting another time (R26)."""
        self._planned(meeting)
        self._must_be_awake()
        if starts_at <= self.stamp.at:
            raise Refused("meeting_in_past", rule="R26", field="starts_at")
        self.record(e.MeetingMoved, subject=self.id, meeting=meeting, starts_at=starts_at, why=why.strip(), by_client=by_client)
        self._drop_key(f"outcome:{meeting}", "R26")
        self._outcome_due(meeting)

    def _drop_key(self, key: str, why: str) -> None:
        if due := self.state.dues.get(key):
            self.record(e.DeadlineDropped, hub=True, key=key, due_at=due.due_at, why=why)

    @command("work")
    def cancel_meeting(self, meeting: int, why: str) -> None:
        """A meeting will not take place (R26)."""
        self._planned(meeting)
        self.record(e.MeetingCancelled, subject=self.id, meeting=meeting,
                    why=self._says(why, "say_why", rule="R26", field="why"))
        self._drop_key(f"outcome:{meeting}", "R26")
        self._next_step_due()

    @command("work")
    def hold_meeting(self, meeting: int, outcome: str, text: str = "", why: str = "", step: str = "",
                     step_due: datetime | None = None, ours: tuple[str, ...] = (), theirs: tuple[str, ...] = (),
                     feedback: str = "", decision_date: date | None = None) -> None:
        """What came of a meeting: an advance with its step and date, a continuation with its why, a closing, a refusal (R26)."""
        found = self._planned(meeting)
        self._must_be_awake()
        if found.starts_at > self.stamp.at:
            raise Refused("meeting_ahead", rule="R26", field="meeting")
        self._check_outcome(outcome, why, step, step_due)
        if decision_date is not None and decision_date < self.process.date_of(self.stamp.at):
            raise Refused("date_has_passed", rule="R20", field="decision_date")
        if found.purpose == "presentation":
            self._require("proposal_ready", "head_contributed")
        held_at = min(found.ends_at, self.stamp.at)
        self._enter_for(found, held_at)
        self.record(e.MeetingHeld, subject=self.id, at=held_at, meeting=meeting, outcome=outcome, text=text.strip(),
                    why=why.strip(), ours=_names(ours) or found.ours,
                    theirs=_names(theirs) or found.theirs, feedback=feedback.strip())
        self._met(f"outcome:{meeting}", *CONTACT_DUES)
        now = self.state.meetings[meeting]
        self._warn_headcount(meeting, now.ours, now.theirs)
        if found.purpose == "presentation":
            self._presented(meeting, held_at)
        if decision_date is not None:
            self.agree_decision_date(decision_date)
        self._after_outcome(step, step_due)

    def _enter_for(self, meeting: Meeting, held_at: datetime) -> None:
        """Holding the interview or the presentation is being in that stage (R17, R20)."""
        stage, at = self.state.stage, max(held_at, self.state.stage_since or held_at)
        if meeting.purpose == "interview" and stage == "preparation" and self._can("interview"):
            self._enter("interview", "R17", at=at)
        if meeting.purpose == "presentation":
            if stage == "interview":
                self._leave_interview()
            if self._can("presentation"):
                self._enter("presentation", "R25" if stage == "follow_up" else "R20", at=at)

    def _leave_interview(self) -> None:
        """The proposal is shown or sent straight from the interview: what R17 asks for must be there all the same."""
        leave = self.process.transitions.get(("interview", "proposal"))
        self._require(*(leave.requires if leave else ()))
        self._enter("proposal", "R17")

    def _presented(self, meeting: int, held_at: datetime) -> None:
        """The clocks of R21 and R22 start with the presentation, also where its outcome was written down later."""
        newest = self.state.proposal
        if newest is not None:
            self.record(e.ProposalPresented, at=held_at, proposal=newest.id, meeting=meeting)
        self._due("decision", start=held_at)
        self._due("ping", start=held_at)

    def _check_outcome(self, outcome: str, why: str, step: str, step_due: datetime | None) -> None:
        if outcome not in OUTCOMES:
            raise Refused("no_such_outcome", rule="R26", field="outcome", known=", ".join(OUTCOMES))
        if outcome == "continuation" and not why.strip():
            raise Refused("why_no_step", rule="R26", field="why")
        if outcome == "advance" and not (step.strip() and step_due):
            raise Refused("advance_needs_step", rule="R26", field="step")
        self._check_step(step, step_due, "step_due")

    def _check_step(self, step: str, due_at: datetime | None, field: str) -> None:
        """A step and its time come together, and the time lies ahead (R26)."""
        if step.strip() and due_at is None:
            raise Refused("say_when", rule="R26", field=field)
        if due_at is not None and not step.strip():
            raise Refused("say_step", rule="R26", field="step")
        if due_at is not None and due_at <= self.stamp.at:
            raise Refused("time_has_passed", rule="R26", field=field)

    def _after_outcome(self, step: str, step_due: datetime | None) -> None:
        if step.strip() and step_due is not None:
            self._plan_step(step.strip(), step_due)
        else:
            self._next_step_due()

    def _plan_step(self, step: str, due_at: datetime) -> None:
        if self.state.next_step is None:
            self._met("next_step")
        self.record(e.NextStepPlanned, subject=self.id, text=step, due_at=due_at)
        self._due("next_step", at=due_at)

    @command("work")
    def plan_step(self, step: str, due_at: datetime) -> None:
        """Say what happens next and by when (R26)."""
        self._must_be_taken()
        self._must_be_awake()
        self._check_step(step, due_at, "due_at")
        self._plan_step(step.strip(), due_at)

    @command("work")
    def finish_step(self, result: str = "", step: str = "", due_at: datetime | None = None) -> None:
        """The next step is done; what follows can be planned in the same breath (R26)."""
        if self.state.next_step is None:
            raise Refused("no_step", rule="R26")
        self._must_be_awake()
        self._check_step(step, due_at, "due_at")
        self.record(e.NextStepDone, subject=self.id, result=result.strip())
        self._met("next_step")
        self._after_outcome(step, due_at)

    @command("work", "account", ended=True)
    def log_contact(self, way: str, direction: str = "out", text: str = "", goal: str = "", outcome: str = "", why: str = "",
                    step: str = "", step_due: datetime | None = None) -> None:
        """A call or a message took place. An incoming call has R4's goal; an outcome is kept as of a meeting (R26)."""
        self._way(way)
        if direction not in ("in", "out"):
            raise Refused("no_such_direction", field="direction")
        planned = bool(outcome or step.strip() or step_due)
        if not self.state.ended or planned:
            self._must_be_open()
            self._must_be_taken()
        if planned:
            self._must_be_awake()
        if way == "phone" and direction == "out" and not goal.strip() and outcome:
            raise Refused("say_goal", rule="R26", field="goal")
        if planned:
            outcome = outcome or "advance"
            self._check_outcome(outcome, why, step, step_due)
        if way == "phone" and direction == "in" and not goal.strip():
            goal = "R4"
        self.record(e.ContactLogged, subject=self.id, way=way, direction=direction, goal=goal.strip(),
                    text=text.strip(), outcome=outcome, why=why.strip())
        if direction == "out" or way in TALKS:
            self._met(*CONTACT_DUES)
        self._after_outcome(step, step_due)

    @command("work")
    def agree_decision_date(self, on: date) -> None:
        """When the client will decide (R20). R21 does not wait for it: the follow-up does."""
        self._must_be_awake()
        if on < self.process.date_of(self.stamp.at):
            raise Refused("date_has_passed", rule="R20", field="on")
        self.record(e.DecisionDateAgreed, on=on)
        self._due("decision_date", at=self.process.promised_by(on, self.stamp.at))


def _names(people: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(p.strip() for p in people if p.strip())

"""Time passes: what becomes true by itself, dated when it became true (R2, R21, R28, R29, R34)."""

from __future__ import annotations

from datetime import datetime

from hub.domain import events as e
from hub.domain.lead.ending import Ending
from hub.domain.state import Due


class Clock(Ending):
    """Idempotent: given the same instant twice, the second time records nothing."""

    def pass_time(self) -> None:
        """Record every reminder, missed deadline, move and waking that became due by now, in the order of time."""
        while (found := self._first_due()) is not None:
            when, due = found
            if when < due.due_at:
                self._remind(due, when)
            elif due.kind == "wake":
                self._woken(due)
            else:
                self._missed(due)
        self._leave_removed_stage()

    def _leave_removed_stage(self) -> None:
        """The process in force has no such stage any more: back to the last stage of this lead that it has (R0)."""
        s = self.state
        if s.open and s.stage not in self.process.stages:
            self._enter(next((stage for stage in reversed(s.visited) if stage in self.process.stages), "new"), "R0")
            self._tell("moved")
            self._next_step_due()

    def _first_due(self) -> tuple[datetime, Due] | None:
        """The earliest instant up to now at which something happens, and to which deadline."""
        now = self.stamp.at
        instants = [(d.warn_at, d) for d in self.state.dues.values()
                    if d.warn_at is not None and not d.warned and not d.missed and d.warn_at <= now]
        instants += [(d.due_at, d) for d in self.state.dues.values() if not d.missed and d.due_at <= now]
        return min(instants, key=lambda i: i[0], default=None)

    def _remind(self, due: Due, when: datetime) -> None:
        """Near the deadline: an untaken lead goes to everyone and the head, anything else to its owner (R34)."""
        if due.kind == "take":
            self._offer_to_all(when)
        else:
            self.record(e.NoticeRaised, hub=True, at=when, to=self._who_answers(due.key), kind="near", key=due.key)

    def _offer_to_all(self, when: datetime) -> None:
        everyone = self.staff.of(*self.process.file.assignment.roles)
        to = tuple(dict.fromkeys((*self.state.offered_to, *everyone, *self.staff.heads)))
        self.record(e.LeadOffered, hub=True, at=when, to=to, why="near_deadline")

    def _missed(self, due: Due) -> None:
        self.record(e.DeadlineMissed, hub=True, at=due.due_at, key=due.key, due_at=due.due_at)
        if due.kind == "take" and due.warn_at is None:
            self._offer_to_all(due.due_at)  # the deadline is too short for a reminder, or counted in days
        rule = self.process.deadlines.get(due.kind)
        self._tell("late", due.key, head=rule is not None and rule.tell_head, at=due.due_at)
        if due.kind == "decision":
            self._no_decision(due)

    def _no_decision(self, due: Due) -> None:
        """Three days after the presentation without a decision: follow-up, whatever date was agreed (R21)."""
        self.record(e.DeadlineDropped, hub=True, at=due.due_at, key=due.key, due_at=due.due_at, why="R21")
        if self.state.stage == "presentation":
            self._enter("follow_up", "R21", at=due.due_at)
            self._tell("moved", at=due.due_at)

    def _woken(self, due: Due) -> None:
        """The return date came: the same lead, with its history, is worked again (R29)."""
        was_lost = self.state.ended == "lost"
        self.record(e.LeadWoken, hub=True, subject=self.id, at=due.due_at, why="R29")
        self.record(e.DeadlineMet, hub=True, at=due.due_at, key=due.key, due_at=due.due_at)
        if was_lost:
            self._enter("follow_up", "R29", at=due.due_at)
        self._due("return", start=due.due_at, from_past=due.due_at)
        self._resume(past=due.due_at)
        self._tell("woken", "return", at=due.due_at)

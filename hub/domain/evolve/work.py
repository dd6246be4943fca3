"""How work changes what is known."""

from __future__ import annotations

from msgspec.structs import replace

from hub.domain import events as e
from hub.domain import state as s
from hub.domain.event import HUB
from hub.domain.evolve.board import kept
from hub.domain.evolve.fold import bring, change, on, put, without
from hub.domain.moved import Moved
from hub.domain.state import LeadState


@on(e.LeadOffered)
def _(st: LeadState, ev: e.LeadOffered) -> LeadState:
    dues = change(st.dues, "take", warned=True) if ev.why == "near_deadline" else st.dues
    return replace(st, offered_to=ev.to, offered_why=ev.why, dues=dues)


@on(e.LeadTaken)
def _(st: LeadState, ev: e.LeadTaken) -> LeadState:
    return replace(st, owner=ev.owner, taken_at=st.taken_at or ev.at, offered_to=(), offered_why="")


@on(e.LeadReassigned)
def _(st: LeadState, ev: e.LeadReassigned) -> LeadState:
    return replace(st, owner=ev.owner, offered_to=(), offered_why="")


@on(e.StageEntered)
def _(st: LeadState, ev: e.StageEntered) -> LeadState:
    # Who leaves the refusal is not refused any more, whether the criterion was a mistake or the client changed.
    disqualified = "" if ev.previous == "refusal" else st.disqualified
    by_hand = not ev.why and ev.previous and ev.actor != HUB
    moved = Moved(ev.correlation_id, ev.actor, ev.at, st.stage, st.stage_since, st.disqualified, kept(st)) if by_hand else None
    return replace(st, stage=ev.stage, stage_since=ev.at, visited=(*st.visited, ev.stage), disqualified=disqualified, moved=moved)


@on(e.GuardOverridden)
def _(st: LeadState, ev: e.GuardOverridden) -> LeadState:
    return replace(st, overrides=st.overrides | {ev.guard})


@on(e.DeadlineSet)
def _(st: LeadState, ev: e.DeadlineSet) -> LeadState:
    return replace(st, dues=put(st.dues, ev.key, s.Due(ev.key, ev.due_at, ev.at, ev.warn_at, ev.rule)))


@on(e.DeadlineMet, e.DeadlineDropped)
def _(st: LeadState, ev: e.DeadlineMet | e.DeadlineDropped) -> LeadState:
    moved = st.moved
    if moved is not None and isinstance(ev, e.DeadlineMet):
        moved = replace(moved, met=(*moved.met, ev.key))
    return replace(st, dues=without(st.dues, ev.key), moved=moved)


@on(e.DeadlineMissed)
def _(st: LeadState, ev: e.DeadlineMissed) -> LeadState:
    return replace(st, dues=change(st.dues, ev.key, missed=True, warned=True), missed=(*st.missed, (ev.key, ev.due_at)))


@on(e.NoticeRaised)
def _(st: LeadState, ev: e.NoticeRaised) -> LeadState:
    return replace(st, dues=change(st.dues, ev.key, warned=True)) if ev.kind == "near" else st


@on(e.ContactAttempted)
def _(st: LeadState, ev: e.ContactAttempted) -> LeadState:
    return replace(st, attempts=st.attempts + 1)


@on(e.ContactLogged)
def _(st: LeadState, ev: e.ContactLogged) -> LeadState:
    reached = ev.direction == "in" or ev.way in ("phone", "meeting")  # a message that left has reached nobody yet
    return _count(replace(st, attempts=0 if reached else st.attempts), ev.outcome)


def _count(st: LeadState, outcome: str) -> LeadState:
    return replace(st, advances=st.advances + (outcome == "advance"),
                   continuations=st.continuations + (outcome == "continuation"))


@on(e.ChecklistItemAssigned)
def _(st: LeadState, ev: e.ChecklistItemAssigned) -> LeadState:
    key = f"{ev.checklist}.{ev.item}"
    return replace(st, checks=put(st.checks, key, replace(st.checks.get(key, s.Check()), owner=ev.owner)))


@on(e.ChecklistItemDone)
def _(st: LeadState, ev: e.ChecklistItemDone) -> LeadState:
    key = f"{ev.checklist}.{ev.item}"
    old = st.checks.get(key, s.Check())
    return replace(st, checks=put(st.checks, key, replace(old, done=True, note=ev.note or old.note)))


@on(e.ChecklistItemReopened)
def _(st: LeadState, ev: e.ChecklistItemReopened) -> LeadState:
    return replace(st, checks=change(st.checks, f"{ev.checklist}.{ev.item}", done=False))


@on(e.ScreeningFinished)
def _(st: LeadState, ev: e.ScreeningFinished) -> LeadState:
    return replace(st, screened=True, disqualified="")


@on(e.LeadDisqualified)
def _(st: LeadState, ev: e.LeadDisqualified) -> LeadState:
    return replace(st, disqualified=ev.criterion)


@on(e.LeadScored)
def _(st: LeadState, ev: e.LeadScored) -> LeadState:
    sheet = s.Sheet(ev.sheet, ev.at, ev.actor, ev.marks, ev.total, ev.segment, ev.process_version, ev.notes, ev.comment)
    return replace(st, sheets=(*st.sheets, sheet))


@on(e.PartnerReferred)
def _(st: LeadState, ev: e.PartnerReferred) -> LeadState:
    return replace(st, referrals=(*st.referrals, ev.partner))


@on(e.LetterAsked)
def _(st: LeadState, ev: e.LetterAsked) -> LeadState:
    letter = s.Letter(ev.letter, ev.kind, ev.way, ev.to, ev.subject_line, ev.body)
    return replace(st, letters=put(st.letters, ev.letter, letter))


@on(e.LetterSent)
def _(st: LeadState, ev: e.LetterSent) -> LeadState:
    return replace(st, letters=change(st.letters, ev.letter, status="sent"))


@on(e.LetterFailed)
def _(st: LeadState, ev: e.LetterFailed) -> LeadState:
    return replace(st, letters=change(st.letters, ev.letter, status="failed"))


@on(e.WorkingGroupFormed)
def _(st: LeadState, ev: e.WorkingGroupFormed) -> LeadState:
    return replace(st, group=ev.members)


@on(e.MeetingPlanned)
def _(st: LeadState, ev: e.MeetingPlanned) -> LeadState:
    meeting = s.Meeting(ev.meeting, ev.purpose, ev.starts_at, ev.minutes, ev.goal, ev.online, ev.place, ev.ours,
                        ev.theirs, planned_in=st.stage)
    return bring(replace(st, meetings=put(st.meetings, ev.meeting, meeting)), ev.merged_from, meetings=ev.meeting)


@on(e.MeetingMoved)
def _(st: LeadState, ev: e.MeetingMoved) -> LeadState:
    moves = st.meetings[ev.meeting].moves + 1 if ev.meeting in st.meetings else 0
    return replace(st, meetings=change(st.meetings, ev.meeting, starts_at=ev.starts_at, moves=moves))


@on(e.MeetingCancelled)
def _(st: LeadState, ev: e.MeetingCancelled) -> LeadState:
    return replace(st, meetings=change(st.meetings, ev.meeting, status="cancelled", why=ev.why))


@on(e.MeetingHeld)
def _(st: LeadState, ev: e.MeetingHeld) -> LeadState:
    meetings = change(st.meetings, ev.meeting, status="held", outcome=ev.outcome, text=ev.text, why=ev.why,
                       ours=ev.ours, theirs=ev.theirs, feedback=ev.feedback, held_at=ev.at)
    return _count(replace(st, meetings=meetings, attempts=0), ev.outcome)


@on(e.HeadcountWarned)
def _(st: LeadState, ev: e.HeadcountWarned) -> LeadState:
    return replace(st, meetings=change(st.meetings, ev.meeting, headcount_warned=True))


@on(e.HeadcountExplained)
def _(st: LeadState, ev: e.HeadcountExplained) -> LeadState:
    return replace(st, meetings=change(st.meetings, ev.meeting, headcount_reason=ev.reason))


@on(e.NextStepPlanned)
def _(st: LeadState, ev: e.NextStepPlanned) -> LeadState:
    return replace(st, next_step=s.NextStep(ev.text, ev.due_at))


@on(e.NextStepDone)
def _(st: LeadState, ev: e.NextStepDone) -> LeadState:
    return replace(st, next_step=None)

"""Who works a lead, by when, and what was said: R2–R5, R8–R16, R26, R32, R34."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from hub.domain.event import PERSONAL, Event, Personal, topic

__all__ = ["ChecklistItemAssigned", "ChecklistItemDone", "ChecklistItemReopened", "ContactAttempted", "ContactLogged",
           "DeadlineDropped", "DeadlineMet", "DeadlineMissed", "DeadlineSet", "GuardOverridden", "LeadDisqualified",
           "LeadOffered", "LeadReassigned", "LeadScored", "LeadTaken", "LetterAsked", "LetterFailed", "LetterSent",
           "MeetingCancelled", "MeetingHeld", "MeetingMoved", "MeetingPlanned", "HeadcountExplained", "HeadcountWarned",
           "NextStepDone", "NextStepPlanned", "NoteAdded", "NoticeRaised", "PartnerReferred", "ScreeningFinished",
           "StageEntered", "WorkingGroupFormed"]


@topic("lead.offered")
class LeadOffered(Event, frozen=True, kw_only=True):
    """Staff were asked to take the lead (R34). ``why``: ``turn``, ``anyone``, ``near_deadline``, ``owner_absent``, or
    ``client_of`` where an account manager knows the client."""

    to: tuple[str, ...]
    why: str


@topic("lead.taken")
class LeadTaken(Event, frozen=True, kw_only=True):
    """A person took the lead to work (R2); ``reason`` where somebody else gave it to them (R31)."""

    owner: str
    reason: Personal = ""


@topic("lead.reassigned")
class LeadReassigned(Event, frozen=True, kw_only=True):
    """Another person works the lead from now on (R31). ``why`` is a rule or an offer, ``reason`` a person's words."""

    owner: str
    previous: str = ""
    why: str = ""
    reason: Personal = ""


@topic("lead.stage_entered")
class StageEntered(Event, frozen=True, kw_only=True):
    """The lead moved. ``why`` is the rule's number where a rule moved it, ``reason`` a person's words."""

    stage: str
    previous: str = ""
    why: str = ""
    reason: Personal = ""


@topic("lead.guard_overridden")
class GuardOverridden(Event, frozen=True, kw_only=True):
    """The head of sales lifted one guard for this lead (R32)."""

    guard: str
    reason: Personal


@topic("lead.deadline_set")
class DeadlineSet(Event, frozen=True, kw_only=True):
    """Something is due. ``key`` is the deadline's id, with ``:n`` where there are several. What the
    rule meant then is recorded: a later process never moves it. ``warn_at`` is when staff are reminded."""

    key: str
    due_at: datetime
    warn_at: datetime | None = None
    rule: str = ""


@topic("lead.deadline_met")
class DeadlineMet(Event, frozen=True, kw_only=True):
    """It was done. ``late`` where it was done after its time."""

    key: str
    due_at: datetime
    late: bool = False


@topic("lead.deadline_missed")
class DeadlineMissed(Event, frozen=True, kw_only=True):
    """Its time passed before it was done; dated when it passed."""

    key: str
    due_at: datetime


@topic("lead.deadline_dropped")
class DeadlineDropped(Event, frozen=True, kw_only=True):
    """It no longer has to be done."""

    key: str
    due_at: datetime
    why: str = ""


@topic("lead.notice_raised")
class NoticeRaised(Event, frozen=True, kw_only=True):
    """Staff are told (R34, R2). ``kind``: ``near``, ``late``, ``woken``, ``moved``, ``written``."""

    to: tuple[str, ...]
    kind: str
    key: str = ""


@topic("lead.note_added")
class NoteAdded(Event, frozen=True, kw_only=True):
    """A note of staff on the lead."""

    text: Personal


@topic("lead.contact_attempted")
class ContactAttempted(Event, frozen=True, kw_only=True):
    """We tried and did not reach the person (R8: attempts are counted)."""

    way: str
    note: Personal = ""


@topic("lead.contact_logged")
class ContactLogged(Event, frozen=True, kw_only=True):
    """A call or a message took place. ``outcome`` as of a meeting (R26), empty for a plain message."""

    way: str
    direction: str
    goal: Personal = ""
    text: Personal = ""
    outcome: str = ""
    why: Personal = ""


@topic("lead.checklist_item_assigned")
class ChecklistItemAssigned(Event, frozen=True, kw_only=True):
    """Who answers for an item."""

    checklist: str
    item: str
    owner: str


@topic("lead.checklist_item_done")
class ChecklistItemDone(Event, frozen=True, kw_only=True):
    """An item is done, with a note."""

    checklist: str
    item: str
    note: Personal = ""


@topic("lead.checklist_item_reopened")
class ChecklistItemReopened(Event, frozen=True, kw_only=True):
    """An item turned out not to be done."""

    checklist: str
    item: str


@topic("lead.screening_finished")
class ScreeningFinished(Event, frozen=True, kw_only=True):
    """The first talk took place and no hard criterion was met (R4, R5, R8).

    ``progress`` is ``meeting``, ``messenger`` or ``none``.
    """

    progress: str
    note: Personal = ""


@topic("lead.disqualified")
class LeadDisqualified(Event, frozen=True, kw_only=True):
    """A hard criterion is met (R8)."""

    criterion: str
    note: Personal = ""


@topic("lead.scored")
class LeadScored(Event, frozen=True, kw_only=True):
    """A score sheet (R9–R11): a mark for each parameter, notes, the total and the segment of that day."""

    sheet: int
    marks: dict[str, int]
    total: int
    segment: str
    notes: Annotated[dict[str, str], PERSONAL] = {}
    comment: Personal = ""


@topic("lead.partner_referred")
class PartnerReferred(Event, frozen=True, kw_only=True):
    """The client was pointed to a partner agency (R13)."""

    partner: UUID
    partner_name: str
    letter: int = 0


@topic("lead.letter_asked")
class LetterAsked(Event, frozen=True, kw_only=True):
    """A letter was read and confirmed by a person and is to be sent. ``kind``: ``refusal``, ``proposal``, ``free``."""

    letter: int
    kind: str
    way: str
    to: Personal = ""
    subject_line: Personal = ""
    body: Personal = ""


@topic("lead.letter_sent")
class LetterSent(Event, frozen=True, kw_only=True):
    """A letter left."""

    letter: int


@topic("lead.letter_failed")
class LetterFailed(Event, frozen=True, kw_only=True):
    """A letter could not be sent."""

    letter: int
    why: Personal


@topic("lead.working_group_formed")
class WorkingGroupFormed(Event, frozen=True, kw_only=True):
    """Who prepares the interview (R16): pairs of (person of ours, part)."""

    members: tuple[tuple[str, str], ...]


@topic("lead.meeting_planned")
class MeetingPlanned(Event, frozen=True, kw_only=True):
    """A meeting or call with its goal (R26). ``purpose``: ``call``, ``meeting``, ``interview``, ``presentation``;
    ``merged_from`` is the card that it was planned on (R6)."""

    meeting: int
    purpose: str
    starts_at: datetime
    minutes: int
    goal: Personal
    online: bool = True
    place: Personal = ""
    ours: tuple[str, ...] = ()
    theirs: Annotated[tuple[str, ...], PERSONAL] = ()
    merged_from: UUID | None = None


@topic("lead.meeting_moved")
class MeetingMoved(Event, frozen=True, kw_only=True):
    """A meeting has another time. ``by_client`` where the client asked."""

    meeting: int
    starts_at: datetime
    why: Personal = ""
    by_client: bool = False


@topic("lead.meeting_cancelled")
class MeetingCancelled(Event, frozen=True, kw_only=True):
    """A meeting will not take place."""

    meeting: int
    why: Personal = ""


@topic("lead.meeting_held")
class MeetingHeld(Event, frozen=True, kw_only=True):
    """What came of a meeting (R26). ``outcome``: ``advance``, ``continuation``, ``closing``, ``refusal``."""

    meeting: int
    outcome: str
    text: Personal = ""
    why: Personal = ""
    ours: tuple[str, ...] = ()
    theirs: Annotated[tuple[str, ...], PERSONAL] = ()
    feedback: Personal = ""


@topic("lead.headcount_warned")
class HeadcountWarned(Event, frozen=True, kw_only=True):
    """As many of ours as of theirs, or more (R20): a warning, never a refusal."""

    meeting: int
    ours: int
    theirs: int


@topic("lead.headcount_explained")
class HeadcountExplained(Event, frozen=True, kw_only=True):
    """Why there were as many of ours (R20)."""

    meeting: int
    reason: Personal


@topic("lead.next_step_planned")
class NextStepPlanned(Event, frozen=True, kw_only=True):
    """What happens next, by when (R26: an advance is a step with its date)."""

    text: Personal
    due_at: datetime


@topic("lead.next_step_done")
class NextStepDone(Event, frozen=True, kw_only=True):
    """The step was done."""

    result: Personal = ""

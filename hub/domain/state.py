"""What is known of a lead at a moment: frozen, and made by :mod:`hub.domain.evolve` alone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from msgspec import Struct

from hub.domain.call import Call
from hub.domain.delivery import Address
from hub.domain.events import FileRef, Money
from hub.domain.merged import Brought
from hub.domain.moved import Moved
from hub.domain.outgoing import Fetch, Invitation, Mailed, Outgoing

NOBODY = UUID(int=0)


class Due(Struct, frozen=True, gc=False):
    """Something with a time limit. ``missed``: its time passed; ``warned``: staff were reminded."""

    key: str
    due_at: datetime
    set_at: datetime
    warn_at: datetime | None = None
    rule: str = ""
    missed: bool = False
    warned: bool = False

    @property
    def kind(self) -> str:
        """The deadline's id in the process, without its number."""
        return self.key.partition(":")[0]

    @property
    def number(self) -> int:
        """Which of several: the meeting or request it belongs to; 0 where there is one."""
        return int(self.key.partition(":")[2] or 0)


class Person(Struct, frozen=True, gc=False):
    """Somebody of the client's side."""

    id: UUID
    name: str = ""
    position: str = ""
    addresses: tuple[Address, ...] = ()
    timezone: str = ""
    place: str = ""
    call_at: datetime | None = None
    call_words: str = ""
    erased: bool = False

    def first(self, kind: str) -> str:
        """The first address of ``kind``, or an empty text."""
        return next((a.value for a in self.addresses if a.kind == kind), "")


class Message(Struct, frozen=True, gc=False):
    """An inbound message, for the card and for finding repeats."""

    id: int
    at: datetime
    channel: str
    person_id: UUID
    text: str = ""
    subject_line: str = ""
    source: str = ""
    key: str = ""
    revision: int = 0


class Check(Struct, frozen=True, gc=False):
    """How an item of a checklist stands."""

    done: bool = False
    owner: str = ""
    note: str = ""


class Sheet(Struct, frozen=True, gc=False):
    """One score sheet (R11)."""

    id: int
    at: datetime
    author: str
    marks: dict[str, int]
    total: int
    segment: str
    process_version: int
    notes: dict[str, str]
    comment: str = ""


class Letter(Struct, frozen=True, gc=False):
    """A letter of ours: asked, then sent or failed."""

    id: int
    kind: str
    way: str
    to: str
    subject_line: str
    body: str
    status: str = "asked"


class Meeting(Struct, frozen=True, gc=False):
    """A meeting or call. ``status``: ``planned``, ``held``, ``cancelled``."""

    id: int
    purpose: str
    starts_at: datetime
    minutes: int
    goal: str
    online: bool = True
    place: str = ""
    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    status: str = "planned"
    outcome: str = ""
    text: str = ""
    why: str = ""
    feedback: str = ""
    moves: int = 0
    headcount_warned: bool = False
    headcount_reason: str = ""
    planned_in: str = ""
    held_at: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        """When it ends as planned."""
        return self.starts_at + timedelta(minutes=self.minutes)


class Proposal(Struct, frozen=True, gc=False):
    """A version of the proposal (R18)."""

    id: int
    at: datetime
    money: Money
    valid_until: date
    note: str = ""
    file: FileRef | None = None
    needs_head: bool = False
    head_part: str = ""
    sent: tuple[tuple[datetime, str, str], ...] = ()
    presented_in: int = 0


class ClientRequest(Struct, frozen=True, gc=False):
    """Something that is missing for a decision (R23)."""

    id: int
    kind: str
    owner: str
    text: str = ""
    status: str = "open"
    result: str = ""
    opinion: bool | None = None
    opinion_text: str = ""
    resources: str = ""
    accepted: bool | None = None


class StallState(Struct, frozen=True, gc=False):
    """A stall with what was done about it (R25)."""

    id: int
    at: datetime
    reason: str
    why: str = ""
    until: date | None = None
    who: str = ""
    involved: bool | None = None
    decision_date: date | None = None
    debrief: str = ""
    closeness: str = ""
    competitor: str = ""
    competitor_until: date | None = None
    wish: str = ""
    played: tuple[tuple[str, str], ...] = ()


class Question(Struct, frozen=True, gc=False):
    """A question for the client (R27)."""

    id: int
    kind: str
    text: str
    answer: str = ""


class Need(Struct, frozen=True, gc=False):
    """A need of the client (R27)."""

    id: int
    text: str
    explicit: bool
    quote: str = ""


class Loss(Struct, frozen=True, gc=False):
    """One loss (R28); a lead may be lost more than once."""

    id: int
    at: datetime
    reason: str
    closeness: str
    competitor: str = ""
    competitor_until: date | None = None
    debrief: str = ""
    return_on: date | None = None
    stage: str = ""


class Win(Struct, frozen=True, gc=False):
    """The signed contract (R28, R33)."""

    at: datetime
    contract_number: str
    money: Money
    signed_on: date


class Refusal(Struct, frozen=True, gc=False):
    """Our refusal (R28)."""

    at: datetime
    criterion: str = ""
    total: int | None = None
    segment: str = ""
    letter: int = 0
    without_letter: str = ""


class Chance(Struct, frozen=True, gc=False):
    """A chance to sell more (R30)."""

    id: int
    kind: str
    text: str
    money: Money | None = None
    status: str = "open"
    result: str = ""


class NextStep(Struct, frozen=True, gc=False):
    """What happens next, by when."""

    text: str
    due_at: datetime


class LeadState(Struct, frozen=True, gc=False):
    """A lead as its events up to a moment left it."""

    channel: str = ""
    source: str = ""
    source_title: str = ""
    received_at: datetime | None = None
    by_hand: bool = False
    written: bool = False
    test: bool = False
    previous_lead: UUID | None = None
    title: str = ""
    about: str = ""
    stage: str = ""
    stage_since: datetime | None = None
    visited: tuple[str, ...] = ()
    moved: Moved | None = None
    tags: tuple[str, ...] = ()
    owner: str = ""
    taken_at: datetime | None = None
    offered_to: tuple[str, ...] = ()
    offered_why: str = ""
    main_person: UUID = NOBODY
    decision_maker: UUID | None = None
    dm_changed_at: datetime | None = None
    dm_involved: bool = True
    people: dict[UUID, Person] = {}
    company: str = ""
    inn: str = ""
    site: str = ""
    messages: tuple[Message, ...] = ()
    outgoing: dict[int, Outgoing] = {}
    fetches: dict[int, Fetch] = {}
    mailed: dict[int, Mailed] = {}
    calls: dict[int, Call] = {}
    invitations: dict[int, Invitation] = {}
    attribution: tuple[tuple[str, str], ...] = ()
    dues: dict[str, Due] = {}
    missed: tuple[tuple[str, datetime], ...] = ()
    checks: dict[str, Check] = {}
    attempts: int = 0
    screened: bool = False
    disqualified: str = ""
    sheets: tuple[Sheet, ...] = ()
    referrals: tuple[UUID, ...] = ()
    letters: dict[int, Letter] = {}
    group: tuple[tuple[str, str], ...] = ()
    meetings: dict[int, Meeting] = {}
    advances: int = 0
    continuations: int = 0
    next_step: NextStep | None = None
    budget: Money | None = None
    questions: dict[int, Question] = {}
    needs: dict[int, Need] = {}
    benefit: str = ""
    benefit_kpi: str = ""
    promise: tuple[date, bool] | None = None
    promised_at: datetime | None = None
    proposals: dict[int, Proposal] = {}
    decision_date: date | None = None
    presented_at: datetime | None = None
    requests: dict[int, ClientRequest] = {}
    stalls: dict[int, StallState] = {}
    overrides: frozenset[str] = frozenset()
    asleep_until: date | None = None
    ended: str = ""
    ended_at: datetime | None = None
    ended_from: str = ""
    losses: tuple[Loss, ...] = ()
    win: Win | None = None
    refusal: Refusal | None = None
    account_manager: str = ""
    installed: tuple[str, ...] = ()
    chances: dict[int, Chance] = {}
    opened_requests: tuple[UUID, ...] = ()
    merged_into: UUID | None = None
    absorbed: tuple[UUID, ...] = ()
    brought: dict[UUID, Brought] = {}
    apart: tuple[UUID, ...] = ()
    texts_erased: int = 0
    last_at: datetime | None = None
    last_inbound_at: datetime | None = None

    def own_subject(self, lead: UUID) -> UUID:
        """Whose key encrypts what staff write on the card ``lead``: the card's own, and another one after each erasure, so that
        what is written later is not lost."""
        return uuid5(lead, f"texts {self.texts_erased}") if self.texts_erased else lead

    @property
    def exists(self) -> bool:
        """Whether the stream holds a lead at all."""
        return self.received_at is not None

    @property
    def called(self) -> bool:
        """Whether it began with a call: a number and somebody on the line (R3)."""
        return self.channel == "phone" and not self.written

    @property
    def open(self) -> bool:
        """Whether it is worked: not ended and not merged away."""
        return self.exists and not self.ended and self.merged_into is None

    @property
    def score(self) -> Sheet | None:
        """The newest sheet, which counts (R11)."""
        return self.sheets[-1] if self.sheets else None

    @property
    def segment(self) -> str:
        """The newest segment, or an empty text before the first sheet."""
        return self.sheets[-1].segment if self.sheets else ""

    @property
    def person(self) -> Person:
        """The person that we talk to."""
        return self.people.get(self.main_person) or Person(self.main_person)

    @property
    def proposal(self) -> Proposal | None:
        """The newest version of the proposal."""
        return self.proposals[max(self.proposals)] if self.proposals else None

    @property
    def planned_meetings(self) -> list[Meeting]:
        """Meetings to come or without an outcome yet, by time."""
        return sorted((m for m in self.meetings.values() if m.status == "planned"), key=lambda m: m.starts_at)

    @property
    def next_due(self) -> Due | None:
        """What is due first; what is already late comes before what is ahead."""
        return min(self.dues.values(), key=lambda d: d.due_at, default=None)

    @property
    def name(self) -> str:
        """What to call the lead: its title, else the company, the person, the address, the channel."""
        person = self.person
        known = self.title or self.company or person.name or next((a.raw or a.value for a in person.addresses), "")
        return known or self.source_title or self.channel

    def address(self, kind: str) -> str:
        """An address of ``kind`` of the person we talk to, else of anybody of the client's."""
        return self.person.first(kind) or next((p.first(kind) for p in self.people.values() if p.first(kind)), "")

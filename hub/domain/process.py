"""The sales process as data (R0): what ``process.toml`` may say, read into frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from hub.domain.worktime import WorkCalendar

STAGES = ("new", "contact", "screening", "scoring", "refusal", "preparation", "interview", "proposal",
          "presentation", "follow_up")
"""Stages that rules refer to; a file may rename them and add others, not drop them."""

ENDINGS = ("won", "lost", "refused")
DEADLINES = ("take", "contact", "screening", "call_back", "reply", "scoring", "refusal_letter", "outcome", "decision",
             "ping", "request", "head_opinion", "return", "hand_over", "next_step")
"""Deadlines that rules set; a file changes their length and clock."""

ASKS = ("why", "until", "who", "involved", "decision_date", "debrief", "closeness", "competitor", "competitor_until", "wish")
GUARDS = ("taken", "phone_known", "timezone_known", "screened", "scored", "not_refused", "meeting_agreed", "benefit_stated",
          "proposal_promised", "proposal_ready", "head_contributed", "proposal_delivered", "decision_maker_changed")
"""Conditions that a transition may require; each is a function in ``guards.py``."""

PERMISSIONS = ("read", "intake", "work", "decide", "account", "admin", "partners", "audit")
PARTNERS_BY = ("price", "technologies")
"""By what partners fit a lead that failed on a parameter or a hard criterion (R13)."""


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Titled(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Anything with a stable ``id`` and a title in two languages."""

    id: str
    title: str
    title_en: str = ""

    def name(self, language: str = "ru") -> str:
        """The title in ``language``; Russian where no other was written."""
        return self.title_en if language == "en" and self.title_en else self.title


class CalendarPart(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Working hours (R7) as the file says them; the country's days off are added on publishing."""

    country: str = "RU"
    timezone: str = "Europe/Moscow"
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5)
    opens: str = "09:00"
    closes: str = "18:00"
    lunch: tuple[str, ...] = ()
    days_off: tuple[date, ...] = ()
    working_days: tuple[date, ...] = ()


class Assignment(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How new leads reach managers (R34)."""

    way: str = "round_robin"
    roles: tuple[str, ...] = ("manager",)
    reoffer_minutes_before: int = 5


class Role(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people of a role may do; ``segments`` limits whom they may work with."""

    may: tuple[str, ...]
    segments: tuple[str, ...] = ()


class Stage(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column of the board."""

    hint: str = ""
    hint_en: str = ""


class Transition(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An allowed move and the guards that it needs."""

    source: str = field(name="from")
    to: str
    requires: tuple[str, ...] = ()


class Ending(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way to end (R28), the stages it may be reached from and its guards."""

    sources: tuple[str, ...] = field(name="from")
    requires: tuple[str, ...] = ()


class Deadline(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long something may take, and on which clock (R7)."""

    minutes: int | None = None
    hours: int | None = None
    days: int | None = None
    working_days: int | None = None
    clock: str = "working"
    rule: str = ""
    tell_head: bool = False


class HardCriterion(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reason to refuse at once (R8). ``partners_by``: by what other agencies fit whom this refuses (R13), if by anything."""

    letter: bool = True
    attempts: int = 0
    partners_by: str = ""


class Parameter(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the 15, with the meaning of each mark (R9). ``partners_by``: by what other agencies fit where it is −1 (R13).
    ``counts``: whether its mark goes into the total; one that does not is marked all the same, and may count again later."""

    minus: str
    zero: str
    plus: str
    minus_en: str = ""
    zero_en: str = ""
    plus_en: str = ""
    partners_by: str = ""
    counts: bool = True

    def meaning(self, mark: int) -> str:
        """What ``mark`` (−1, 0, 1) means."""
        return (self.zero, self.plus, self.minus)[mark]


class Block(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Five parameters (R9). ``in_letter``: their −1s are reasons that a client may read in a refusal (R12)."""

    in_letter: bool = True
    parameters: tuple[Parameter, ...]


class Segment(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A band of totals, both bounds included (R10), and how it is worked (R12, R14, R15)."""

    low: int = field(name="from")
    high: int = field(name="to")
    advice: str = ""
    advice_en: str = ""
    checklist: str = ""
    refuse: bool = False
    worked_by: tuple[str, ...] = ()


class ProposalPart(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the head takes part in a proposal (R18), and how money is said (R33)."""

    head_above: int = 9
    currencies: tuple[str, ...] = ("RUB",)
    vat: tuple[str, ...] = ()


class ChecklistItem(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to do."""


class Checklist(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Things to do in a stage (R5, R15, R16, R20)."""

    stage: str
    items: tuple[ChecklistItem, ...]
    rule: str = ""


class RequestKind(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be missing for a decision (R23)."""

    head_opinion: bool = False


class Play(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One concrete action against a stall."""


class Stall(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why there is no decision, and what to do about it (R25)."""

    asks: tuple[str, ...] = ()
    sleep: bool = False
    play: tuple[Play, ...] = ()


class LossReason(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a deal was lost (R28)."""


class Closeness(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How close to the win (R28); ``return_at`` is the share of the competitor's time to return at (R29)."""

    return_at: float | None = None


class PriceSegment(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price band of partners (R13), up to an amount; the last band has no bound."""

    up_to: Decimal | None = None


class RetentionRule(Titled, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose data is erased so many ``months`` after the lead ended in one of these ways. ``qualified`` False: only of those who
    were never screened; True: only of those who were."""

    ended: tuple[str, ...]
    months: int
    qualified: bool | None = None


class PrivacyPart(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long data of persons is kept. ``runs``: the worker erases by these rules once a day; else people do."""

    runs: bool = False
    rules: tuple[RetentionRule, ...] = ()


class ProcessFile(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    name: str
    name_en: str = ""
    calendar: CalendarPart
    assignment: Assignment
    roles: tuple[Role, ...]
    stages: tuple[Stage, ...]
    transitions: tuple[Transition, ...]
    endings: tuple[Ending, ...]
    deadlines: tuple[Deadline, ...]
    hard_criteria: tuple[HardCriterion, ...]
    blocks: tuple[Block, ...]
    segments: tuple[Segment, ...]
    proposal: ProposalPart
    checklists: tuple[Checklist, ...]
    requests: tuple[RequestKind, ...]
    stalls: tuple[Stall, ...]
    loss_reasons: tuple[LossReason, ...]
    closeness: tuple[Closeness, ...]
    price_segments: tuple[PriceSegment, ...] = ()
    privacy: PrivacyPart = PrivacyPart()


def _by_id(items: tuple[Any, ...]) -> dict[str, Any]:
    return {item.id: item for item in items}


class Process:
    """One version of the process in force: the file, its number, and its working calendar.

    Everything is looked up by stable id. ``version`` 0 is an unpublished draft.
    """

    def __init__(self, file: ProcessFile, version: int = 0, days_off: tuple[date, ...] = (),
                 working_days: tuple[date, ...] = ()) -> None:
        self.file = file
        self.version = version
        part = file.calendar
        self.calendar = WorkCalendar(
            timezone=part.timezone, weekdays=part.weekdays, opens=time.fromisoformat(part.opens),
            closes=time.fromisoformat(part.closes),
            lunch=(time.fromisoformat(part.lunch[0]), time.fromisoformat(part.lunch[1])) if part.lunch else None,
            days_off=tuple(sorted({*days_off, *part.days_off} - {*part.working_days})),
            working_days=tuple(sorted({*working_days, *part.working_days} - {*part.days_off})),
        )

    @cached_property
    def stages(self) -> dict[str, Stage]:
        """Stages in the order of the board."""
        return _by_id(self.file.stages)

    @cached_property
    def roles(self) -> dict[str, Role]:
        """Roles by id."""
        return _by_id(self.file.roles)

    @cached_property
    def endings(self) -> dict[str, Ending]:
        """Ways to end by id (R28)."""
        return _by_id(self.file.endings)

    @cached_property
    def deadlines(self) -> dict[str, Deadline]:
        """Deadlines by id."""
        return _by_id(self.file.deadlines)

    @cached_property
    def hard_criteria(self) -> dict[str, HardCriterion]:
        """Hard criteria by id (R8)."""
        return _by_id(self.file.hard_criteria)

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The 15 parameters by id, in the order of the sheet (R9)."""
        return {p.id: p for block in self.file.blocks for p in block.parameters}

    @cached_property
    def segments(self) -> dict[str, Segment]:
        """Segments by id (R10)."""
        return _by_id(self.file.segments)

    @cached_property
    def checklists(self) -> dict[str, Checklist]:
        """Checklists by id."""
        return _by_id(self.file.checklists)

    @cached_property
    def requests(self) -> dict[str, RequestKind]:
        """Kinds of what may be missing (R23)."""
        return _by_id(self.file.requests)

    @cached_property
    def stalls(self) -> dict[str, Stall]:
        """Stall reasons by id (R25)."""
        return _by_id(self.file.stalls)

    @cached_property
    def loss_reasons(self) -> dict[str, LossReason]:
        """Loss reasons by id (R28)."""
        return _by_id(self.file.loss_reasons)

    @cached_property
    def closeness(self) -> dict[str, Closeness]:
        """The closeness scale by id (R28)."""
        return _by_id(self.file.closeness)

    @cached_property
    def price_segments(self) -> dict[str, PriceSegment]:
        """Partners' price bands by id (R13)."""
        return _by_id(self.file.price_segments)

    @cached_property
    def transitions(self) -> dict[tuple[str, str], Transition]:
        """Allowed moves by (from, to)."""
        return {(t.source, t.to): t for t in self.file.transitions}

    def targets(self, stage: str) -> list[str]:
        """Stages that can be reached from ``stage`` in one move, in the order of the file."""
        return [t.to for t in self.file.transitions if t.source == stage]

    def total_of(self, marks: Mapping[str, int]) -> int:
        """The sum of the marks that count (R9)."""
        return sum(marks[p.id] for p in self.parameters.values() if p.counts)

    def segment_of(self, total: int) -> Segment:
        """The segment of a total (R10); the file was checked to cover every total exactly once."""
        return next(s for s in self.file.segments if s.low <= total <= s.high)

    def permissions(self, roles: frozenset[str]) -> frozenset[str]:
        """What people with these roles may do."""
        return frozenset(p for r in roles if r in self.roles for p in self.roles[r].may)

    def opening(self, day: date) -> datetime:
        """When ``day`` opens on the company's clock, whether it is a working day or not."""
        return self._instant(day, self.calendar.opens)

    def promised_by(self, day: date, now: datetime) -> datetime:
        """When something promised for ``day`` is due: at closing time, or at the day's end where the doors are closed ``now``."""
        closing = self._instant(day, self.calendar.closes)
        return closing if closing > now else self._instant(day + timedelta(days=1), time())

    def date_of(self, at: datetime) -> date:
        """The company's date at an instant."""
        return at.astimezone(ZoneInfo(self.calendar.timezone)).date()

    def _instant(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, ZoneInfo(self.calendar.timezone)).astimezone(UTC)

    def warn(self, deadline: str, start: datetime) -> datetime | None:
        """When staff are reminded of a deadline of minutes (R34); none where it is as short as the reminder."""
        rule, before = self.deadlines[deadline], self.file.assignment.reoffer_minutes_before
        if rule.minutes is None or rule.minutes <= before:
            return None
        minutes = rule.minutes - before
        return start + timedelta(minutes=minutes) if rule.clock == "plain" else self.calendar.add(start, minutes)

    def due(self, deadline: str, start: datetime) -> datetime:
        """When ``deadline`` that starts at ``start`` runs out, on the clock that the file names (R7)."""
        rule = self.deadlines[deadline]
        if rule.working_days is not None:
            return self.calendar.end_of_working_day(start, rule.working_days)
        if rule.days is not None:
            return start + timedelta(days=rule.days)
        minutes = rule.minutes if rule.minutes is not None else (rule.hours or 0) * 60
        if rule.clock == "plain":
            return start + timedelta(minutes=minutes)
        return self.calendar.add(start, minutes)

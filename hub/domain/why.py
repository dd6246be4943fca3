"""Why a value is what it is: the rule behind the event that set it, by the process of that event's day (R0).

Every explanation is made anew from the event and the process version that it carries, so that it can be checked.
"""

from __future__ import annotations

import re
from datetime import datetime

from msgspec import Struct

from hub.domain import events as e
from hub.domain.event import Event
from hub.domain.guards import RULES
from hub.domain.process import Process


class ScoreWhy(Struct, frozen=True, kw_only=True):
    """How a sheet led to a way of working (R9, R10): marks, their sum, the bounds that it lies in, what follows.

    ``total`` and ``segment`` are those of the event; ``low`` and ``high`` bound the segment by the file of the day, both
    included, and are absent where that file has no such segment. ``worked_by`` and ``head_joins`` (R18) are the path.
    """

    marks: dict[str, int]
    total: int
    segment: str
    title: str
    low: int | None
    high: int | None
    refuse: bool
    advice: str
    checklist: str
    worked_by: list[str]
    head_joins: bool
    head_above: int


class DeadlineWhy(Struct, frozen=True, kw_only=True):
    """How a deadline came to its time (R7). ``counted``: by the file, so much on its clock from ``start``; else it was agreed."""

    deadline: str
    title: str
    counted: bool
    start: datetime
    due_at: datetime
    length: int | None
    unit: str
    clock: str
    timezone: str
    opens: str
    closes: str


class MoveWhy(Struct, frozen=True, kw_only=True):
    """Why a lead changed its stage: a rule, or a person; what the file of the day required for it."""

    source: str
    to: str
    by_rule: bool
    requires: list[str]


class Why(Struct, frozen=True, kw_only=True):
    """The rule behind an event: its number (R2), and what it worked with."""

    rule: str
    score: ScoreWhy | None = None
    deadline: DeadlineWhy | None = None
    move: MoveWhy | None = None


UNITS = ("minutes", "hours", "days", "working_days")


def why(event: Event, process: Process) -> Why:
    """Why ``event`` set what it set; ``process`` is that of its :attr:`~hub.domain.event.Event.process_version`."""
    match event:
        case e.LeadScored():
            return Why(rule="R10", score=_score(event, process))
        case e.DeadlineSet():
            return Why(rule=event.rule, deadline=_deadline(event, process))
        case e.StageEntered():
            return Why(rule=event.why or "R0", move=_move(event, process))
        case e.LeadReassigned() | e.DeadlineDropped() if re.fullmatch(r"R\d+", event.why):
            return Why(rule=event.why)
        case e.GuardOverridden():
            return Why(rule="R32")
    return Why(rule=rule_of(type(event)))


def rule_of(kind: type[Event]) -> str:
    """The rule that the description of an event names first; empty where it follows from none."""
    found = re.search(r"\bR\d+\b", kind.__doc__ or "")
    return found[0] if found else ""


def _score(event: e.LeadScored, process: Process) -> ScoreWhy:
    segment = process.segments.get(event.segment)
    above = process.file.proposal.head_above
    return ScoreWhy(
        marks=event.marks, total=event.total, segment=event.segment, title=segment.title if segment else event.segment,
        low=segment.low if segment else None, high=segment.high if segment else None,
        refuse=bool(segment and segment.refuse), advice=segment.advice if segment else "",
        checklist=segment.checklist if segment else "", worked_by=list(segment.worked_by) if segment else [],
        head_joins=event.total > above, head_above=above)


def _deadline(event: e.DeadlineSet, process: Process) -> DeadlineWhy:
    kind = event.key.partition(":")[0]
    rule, part = process.deadlines.get(kind), process.file.calendar
    counted = rule is not None and process.due(kind, event.at) == event.due_at
    length = next(((getattr(rule, unit), unit) for unit in UNITS if rule and getattr(rule, unit) is not None), (None, ""))
    working = rule is not None and (rule.clock == "working" and rule.days is None or rule.working_days is not None)
    return DeadlineWhy(
        deadline=kind, title=rule.title if rule else kind, counted=counted, start=event.at, due_at=event.due_at,
        length=length[0], unit=length[1], clock="working" if working else "plain", timezone=part.timezone, opens=part.opens,
        closes=part.closes)


def _move(event: e.StageEntered, process: Process) -> MoveWhy:
    move = process.transitions.get((event.previous, event.stage))
    return MoveWhy(source=event.previous, to=event.stage, by_rule=bool(event.why),
                   requires=[g for g in (move.requires if move else ()) if g in RULES])

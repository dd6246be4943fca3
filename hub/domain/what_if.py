"""What another version of the process would have decided about a lead whose history is known: nothing is recorded.

The facts stay (who said what and when, the marks that were given); the decisions are made again: the sum and its segment, the
deadlines that the file counts, whether each step would have been allowed. The history goes on as it was after a refusal,
so every refusal is told by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from hub.domain import events as e
from hub.domain.event import Event
from hub.domain.evolve import evolve
from hub.domain.guards import RULES, holds
from hub.domain.process import Process
from hub.domain.replay import known_at
from hub.domain.state import LeadState


class Score(Struct, frozen=True, kw_only=True):
    """A sheet under the other file. ``unmarked`` are parameters that nobody marked then: without them there is no sum, and
    ``total`` and ``segment`` are absent. ``dropped`` are marks of parameters that the file does not have."""

    sheet: int
    event: int
    was_total: int
    was_segment: str
    total: int | None
    segment: str | None
    refuse: bool
    was_refuse: bool
    head_joins: bool
    was_head_joins: bool
    unmarked: list[str]
    dropped: list[str]

    @property
    def differs(self) -> bool:
        """Whether the way of working would have been another one."""
        was = (self.was_total, self.was_segment, self.was_refuse, self.was_head_joins)
        return (self.total, self.segment, self.refuse, self.head_joins) != was


class DueThen(Struct, frozen=True, kw_only=True):
    """A deadline that the file counts. ``due_at`` is absent where the other file has none of this kind; ``done_at`` is when it
    was met, absent where it was not; ``late`` and ``was_late`` as of ``done_at``, or of the moment that is asked about."""

    key: str
    event: int
    start: datetime
    was_due_at: datetime
    due_at: datetime | None
    done_at: datetime | None
    was_late: bool
    late: bool

    @property
    def differs(self) -> bool:
        """Whether it would have been another time."""
        return self.due_at != self.was_due_at


class RefusedThen(Struct, frozen=True, kw_only=True):
    """A step that was made and would have been refused. ``what`` says why: ``stage``, ``move``, ``guard``, ``end``,
    ``attempts``, ``unknown``, ``sheet``; ``name`` is the guard or what the file does not know; ``rule`` the rule's number."""

    event: int
    type: str
    at: datetime
    actor: str
    what: str
    name: str
    rule: str


class WhatIf(Struct, frozen=True, kw_only=True):
    """What version ``process_version`` (0: a file that was never in force) would have decided up to ``version``."""

    version: int
    process_version: int
    scores: list[Score]
    deadlines: list[DueThen]
    refusals: list[RefusedThen]

    @property
    def differs(self) -> bool:
        """Whether anything would have been otherwise."""
        return bool(self.refusals) or any(s.differs for s in self.scores) or any(d.differs for d in self.deadlines)


def what_if(events: Sequence[Event], process: Process, of_day: Callable[[int], Process], now: datetime) -> WhatIf:
    """``process`` over the history ``events`` of a lead up to ``now``; ``of_day`` gives the process of an event's version."""
    state = LeadState()
    scores: list[Score] = []
    deadlines: list[DueThen] = []
    refusals: list[RefusedThen] = []
    for place, event in enumerate(events):
        version = event.process_version
        then = of_day(version) if version else None
        if isinstance(event, e.LeadScored):
            scores.append(_score(event, process, then))
        elif isinstance(event, e.DeadlineSet) and then is not None and (found := _deadline(event, events[place + 1:], process,
                                                                                          then, now)) is not None:
            deadlines.append(found)
        refusals += [RefusedThen(event=event.originator_version, type=event.TOPIC, at=known_at(event), actor=event.actor,
                                 what=what, name=name, rule=rule) for what, name, rule in _refused(event, state, process)]
        state = evolve(state, event)
    return WhatIf(version=events[-1].originator_version if events else 0, process_version=process.version, scores=scores,
                  deadlines=deadlines, refusals=refusals)


def _score(event: e.LeadScored, process: Process, then: Process | None) -> Score:
    unmarked = [p for p, rule in process.parameters.items() if rule.counts and p not in event.marks]
    total = None if unmarked else process.total_of(event.marks)
    segment = next((s for s in process.file.segments if total is not None and s.low <= total <= s.high), None)
    was = then.segments.get(event.segment) if then else None
    return Score(
        sheet=event.sheet, event=event.originator_version, was_total=event.total, was_segment=event.segment, total=total,
        segment=segment.id if segment else None, refuse=bool(segment and segment.refuse), was_refuse=bool(was and was.refuse),
        head_joins=total is not None and total > process.file.proposal.head_above,
        was_head_joins=bool(then and event.total > then.file.proposal.head_above), unmarked=unmarked,
        dropped=[p for p in event.marks if p not in process.parameters])


def _deadline(event: e.DeadlineSet, later: Sequence[Event], process: Process, then: Process, now: datetime) -> DueThen | None:
    """None for what was agreed with the client, or does not come from the file."""
    kind = event.key.partition(":")[0]
    if kind not in then.deadlines or then.due(kind, event.at) != event.due_at:
        return None
    due_at = process.due(kind, event.at) if kind in process.deadlines else None
    ends = (e.DeadlineMet, e.DeadlineDropped, e.DeadlineSet)
    end = next((x for x in later if isinstance(x, ends) and x.key == event.key), None)
    done_at = end.at if isinstance(end, e.DeadlineMet) else None
    until = end.at if end is not None else now
    return DueThen(key=event.key, event=event.originator_version, start=event.at, was_due_at=event.due_at, due_at=due_at,
                   done_at=done_at, was_late=until > event.due_at, late=due_at is not None and until > due_at)


Fault = tuple[str, str, str]


def _refused(event: Event, before: LeadState, p: Process) -> list[Fault]:
    """What ``p`` has against ``event`` on the state that it met."""
    match event:
        case e.StageEntered():
            return _move(event, before, p)
        case e.LeadScored():
            unmarked = [("sheet", name, "R9") for name in p.parameters if name not in event.marks]
            return unmarked + [("unknown", name, "R9") for name in event.marks if name not in p.parameters]
        case e.LeadDisqualified():
            rule = p.hard_criteria.get(event.criterion)
            if rule is None:
                return [("unknown", event.criterion, "R8")]
            return [("attempts", event.criterion, "R8")] if rule.attempts > before.attempts else []
        case e.LeadWon():
            return _end("won", before, p)
        case e.LeadLost():
            known = [("unknown", name, "R28") for name, items in ((event.reason, p.loss_reasons), (event.closeness, p.closeness))
                     if name not in items]
            return _end("lost", before, p) + known
        case e.LeadRefused() if not before.disqualified:
            return _end("refused", before, p)
        case e.ProposalSent() | e.ProposalPresented():
            return _guards(("head_contributed",), before, p)
        case e.RequestOpened():
            return [] if event.kind in p.requests else [("unknown", event.kind, "R23")]
        case e.StallFound():
            return [] if event.reason in p.stalls else [("unknown", event.reason, "R25")]
    return []


def _move(event: e.StageEntered, before: LeadState, p: Process) -> list[Fault]:
    if event.stage not in p.stages:
        return [("stage", event.stage, "R0")]
    if not event.previous or event.previous not in p.stages:
        return []
    move = p.transitions.get((event.previous, event.stage))
    if move is None:
        # A rule of the hub moves along lines of its own: into refusal, back, into follow-up when time has passed.
        return [] if event.why else [("move", f"{event.previous} → {event.stage}", "R0")]
    return [] if event.why and event.actor == "hub" else _guards(move.requires, before, p)


def _guards(guards: Sequence[str], before: LeadState, p: Process) -> list[Fault]:
    return [("guard", guard, RULES[guard]) for guard in guards if not holds(guard, before, p)]


def _end(how: str, before: LeadState, p: Process) -> list[Fault]:
    end = p.endings[how]
    place: list[Fault] = [] if before.stage in end.sources else [("end", how, "R28")]
    return place + _guards(end.requires, before, p)

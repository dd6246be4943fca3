"""What all commands of a lead share: who may, deadlines, moves, and how a command is declared."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, get_type_hints
from uuid import UUID

from msgspec import Struct, defstruct

from hub.domain import events as e
from hub.domain import refusals  # noqa: F401  registers the sentences
from hub.domain.aggregate import Aggregate, Stamp
from hub.domain.errors import NotAllowed, NotFound, Refused
from hub.domain.event import Event
from hub.domain.evolve import evolve
from hub.domain.guards import RULES, holds
from hub.domain.process import Process
from hub.domain.state import Due, LeadState


@dataclass(frozen=True)
class Staff:
    """Who is there, as the application knows it at the moment of the command (R34).

    ``at_work`` holds user ids by role, the one whose turn it is first. ``heads`` are told of what is
    late whether they are at work or not. ``names`` are all active people by id, ``roles`` what they are.
    """

    at_work: dict[str, tuple[str, ...]] = field(default_factory=dict)
    heads: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    roles: dict[str, frozenset[str]] = field(default_factory=dict)

    def of(self, *roles: str) -> tuple[str, ...]:
        """Users at work in any of ``roles``, whose turn it is first, nobody twice."""
        return tuple(dict.fromkeys(u for r in roles for u in self.at_work.get(r, ())))


@dataclass(frozen=True)
class CommandInfo:
    """A command by name: the permissions of which it needs one, its arguments as a Struct, its first line of documentation."""

    name: str
    permissions: tuple[str, ...]
    arguments: type[Struct]
    summary: str
    ended: bool


COMMANDS: dict[str, CommandInfo] = {}
"""Every command that a person can give, by name; the board, the forms and the API go through them."""

AGREED = {"promise": "R17", "decision_date": "R20", "wake": "R29"}
"""Deadlines that are agreed with the client rather than counted by the process file, and their rules."""

NEXT_ACTS = {"next_step", "scoring", "refusal_letter", "call_back", "ping", "return"}
"""Deadlines that say by themselves what is to be done next."""

F = TypeVar("F", bound=Callable[..., None])
E = TypeVar("E", bound=Event)


def command(*permissions: str, ended: bool = False) -> Callable[[F], F]:
    """Declares a method as a command. ``ended``: it may be given on a lead that has ended or is merged away."""
    def declare(method: F) -> F:
        hints = get_type_hints(method, include_extras=True)
        fields: list[Any] = []
        for p in list(inspect.signature(method).parameters.values())[1:]:
            fields.append((p.name, hints[p.name]) if p.default is p.empty else (p.name, hints[p.name], p.default))
        arguments = defstruct(method.__name__, fields, kw_only=True, forbid_unknown_fields=True, frozen=True)
        COMMANDS[method.__name__] = CommandInfo(method.__name__, permissions, arguments,
                                                (method.__doc__ or "").strip().splitlines()[0], ended)
        return method
    return declare


class LeadBase(Aggregate[LeadState]):
    """A lead for the length of one command."""

    EMPTY = LeadState()

    def __init__(self, id: UUID, stamp: Stamp, state: LeadState | None = None, version: int = 0, *,
                 process: Process | None = None, staff: Staff | Callable[[], Staff] | None = None) -> None:
        """``staff`` may be a way to ask who is there: most commands need not know."""
        super().__init__(id, stamp, state, version)
        self._process = process
        self._staff = staff or Staff()

    @staticmethod
    def evolve(state: LeadState, event: Any) -> LeadState:
        return evolve(state, event)

    @property
    def process(self) -> Process:
        """The process in force for this command."""
        if self._process is None:
            raise RuntimeError("a command needs the process in force")
        return self._process

    @property
    def staff(self) -> Staff:
        """Who is there."""
        if not isinstance(self._staff, Staff):
            self._staff = self._staff()
        return self._staff

    def record(self, event_class: type[E], /, *, subject: UUID | None = None, at: datetime | None = None,
               hub: bool = False, **fields: Any) -> E:
        """As every aggregate records. Once the card's own texts were erased, new ones are sealed under another key."""
        own = self.state.own_subject(self.id) if subject == self.id else subject
        return super().record(event_class, subject=own, at=at, hub=hub, **fields)

    # ── who may ──────────────────────────────────────────────────────────────────

    def do(self, name: str, arguments: Struct | None = None) -> None:
        """Give the command ``name``: time passes first, then roles and the lead's state are checked, then it is done."""
        info = COMMANDS[name]
        if not self.state.exists:
            raise NotFound("no_such_lead")
        self.authorise(*info.permissions)
        self.pass_time()
        if not info.ended:
            self._must_be_open()
        values = {f: getattr(arguments, f) for f in info.arguments.__struct_fields__} if arguments is not None else {}
        state, version, recorded = self.state, self.version, len(self.events)
        try:
            getattr(self, name)(**values)
        except Refused:
            # A refusal changes nothing, whatever the command had already recorded; time that passed has passed.
            self.state, self.version = state, version
            del self.events[recorded:]
            raise

    def pass_time(self) -> None:
        """Record what became true by now; see :class:`hub.domain.lead.clock.Clock`."""
        raise NotImplementedError

    def authorise(self, *permissions: str) -> None:
        """Refuse unless one of the actor's roles has one of ``permissions`` for this lead (R12: a trainee's segments,
        and what was given or offered to them)."""
        roles = [self.process.roles[r] for r in self.stamp.actor.roles if r in self.process.roles]
        allowed = [r for r in roles if set(permissions) & set(r.may)]
        if not allowed:
            raise NotAllowed("not_your_role", who=self._who_may(*permissions))
        mine = self.stamp.actor.id in (self.state.owner, *self.state.offered_to)
        if not mine and all(r.segments and self.state.segment not in r.segments for r in allowed):
            raise NotAllowed("not_your_segment", rule="R12", segments=", ".join(allowed[0].segments))

    def _must_be_open(self) -> None:
        if self.state.merged_into is not None:
            raise Refused("merged_away", rule="R6")
        if self.state.ended:
            raise Refused("already_ended", rule="R28", how=self.process.endings[self.state.ended].title)

    def _must_be_taken(self) -> None:
        if not self.state.owner:
            raise Refused("guard_taken", rule="R2")

    def _must_be_awake(self) -> None:
        if self.state.asleep_until is not None:
            raise Refused("asleep", rule="R28", until=f"{self.state.asleep_until:%d.%m.%Y}")

    def _says(self, text: str, code: str, *, rule: str = "", field: str = "") -> str:
        """``text`` without blanks around it; refused when nothing is left."""
        if not text.strip():
            raise Refused(code, rule=rule, field=field)
        return text.strip()

    def _known(self, what: dict[str, Any], id: str, code: str, field: str) -> Any:
        """One of the process's lists by id; refused with the titles to choose from."""
        if id not in what:
            raise Refused(code, field=field, given=id, known=", ".join(f"{i.title} ({i.id})" for i in what.values()))
        return what[id]

    def _colleague(self, id: str, field: str, permission: str) -> str:
        """Somebody of ours who is still here and may do what is given to them."""
        if id not in self.staff.names:
            raise Refused("no_such_person", field=field)
        if permission not in self.process.permissions(self.staff.roles.get(id, frozenset())):
            raise Refused("colleague_may_not", rule="R31", field=field, who=self.staff.names[id], roles=self._who_may(permission))
        return id

    def _who_may(self, *permissions: str) -> str:
        return ", ".join(r.title for r in self.process.roles.values() if set(permissions) & set(r.may))

    def _only_head(self, rule: str) -> None:
        """Some decisions are the head's, whatever else the file lets a role decide (R18, R24, R32)."""
        if "head" not in self.stamp.actor.roles:
            raise NotAllowed("only_head", rule=rule, head=self._head_title())

    def _head_title(self) -> str:
        return self.process.roles["head"].title

    def _title(self, stage: str) -> str:
        found = self.process.stages.get(stage)
        return found.title if found else stage

    def _stage_title(self) -> str:
        return self._title(self.state.stage)

    # ── deadlines ────────────────────────────────────────────────────────────────

    def _due(self, key: str, *, at: datetime | None = None, start: datetime | None = None,
             from_past: datetime | None = None) -> None:
        """Set a deadline: by the process from ``start`` (now when absent), or at a given instant."""
        kind = key.partition(":")[0]
        begin = start or self.stamp.at
        rule = self.process.deadlines[kind].rule if kind in self.process.deadlines else AGREED[kind]
        due_at = at if at is not None else self.process.due(kind, begin)
        warn_at = self.process.warn(kind, begin) if at is None else None
        self.record(e.DeadlineSet, hub=True, at=from_past, key=key, due_at=due_at, warn_at=warn_at, rule=rule)

    def _met(self, *keys: str) -> None:
        """What was due is done; late where its time had passed. Keys that are not due change nothing."""
        for key in keys:
            due = self.state.dues.get(key)
            if due is not None:
                self.record(e.DeadlineMet, hub=True, key=key, due_at=due.due_at,
                            late=due.missed or self.stamp.at > due.due_at)

    def _drop(self, *kinds: str, why: str = "") -> None:
        """What was due is not needed any more; all deadlines of these kinds, or all there are when none is named."""
        for due in self._dues(*kinds):
            self.record(e.DeadlineDropped, hub=True, key=due.key, due_at=due.due_at, why=why)

    def _dues(self, *kinds: str) -> list[Due]:
        return [d for d in self.state.dues.values() if not kinds or d.kind in kinds]

    def _next_step_due(self, past: datetime | None = None) -> None:
        """A card in work is never without a date: nothing is planned any more, so something must be (R26)."""
        s = self.state
        if not (s.open and s.owner) or s.asleep_until is not None or s.stage in ("new", "contact", "screening"):
            return
        if s.planned_meetings or NEXT_ACTS & s.dues.keys():
            return
        if s.next_step is not None and s.next_step.due_at > self.stamp.at:
            self._due("next_step", at=s.next_step.due_at, from_past=past)
        else:
            self._due("next_step", start=past, from_past=past)

    # ── moves ────────────────────────────────────────────────────────────────────

    def _require(self, *guards: str) -> None:
        for guard in guards:
            if not holds(guard, self.state, self.process):
                raise Refused(f"guard_{guard}", rule=RULES[guard], above=self.process.file.proposal.head_above,
                              head=self._head_title(), refusal=self._title("refusal"), interview=self._title("interview"))

    def _enter(self, stage: str, why: str, at: datetime | None = None) -> None:
        """Enter a stage as a consequence of a rule or a command; its own checks were made before."""
        if stage != self.state.stage:
            self.record(e.StageEntered, hub=True, at=at, stage=stage, previous=self.state.stage, why=why)

    def _can(self, to: str) -> bool:
        """Whether the process lets the lead go to ``to`` now."""
        move = self.process.transitions.get((self.state.stage, to))
        return move is not None and all(holds(g, self.state, self.process) for g in move.requires)

    def _leads_to(self, to: str) -> bool:
        """Whether the process has this move at all; what it needs was checked by the rule that moves."""
        return (self.state.stage, to) in self.process.transitions

    def _who_answers(self, key: str = "") -> tuple[str, ...]:
        """Who is told of a deadline: the owner (or those it is offered to), a request's own owner (R23), the account manager
        of a won deal whose client waits (R29). Where none of them is with the company any more, the head (R34)."""
        s = self.state
        kind, _, number = key.partition(":")
        people = [s.account_manager] if s.ended == "won" and kind == "reply" else [s.owner] if s.owner else [*s.offered_to]
        if kind == "request" and int(number) in s.requests:
            people.append(s.requests[int(number)].owner)
        here = [p for p in people if p in self.staff.names]
        return tuple(dict.fromkeys(here or self.staff.heads))

    def _tell(self, kind: str, key: str = "", *, head: bool = False, at: datetime | None = None) -> None:
        """Tell those who answer for it, and the head where wanted (R2, R34)."""
        to = tuple(dict.fromkeys((*self._who_answers(key), *(self.staff.heads if head else ()))))
        if to:
            self.record(e.NoticeRaised, hub=True, at=at, to=to, kind=kind, key=key)

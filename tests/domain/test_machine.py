"""Any commands in any order: what must hold of a lead whatever people do to it."""

from __future__ import annotations

import types
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Union, get_args, get_origin
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.domain import events as e
from hub.domain.event import Event
from hub.domain.lead import COMMANDS, Lead
from hub.domain.state import LeadState
from tests.domain.scenario import EMAIL, PHONE, ROLES, Scenario, call, lead, marks, process, website

P = process()
NAMES = st.sampled_from(["anna", "boris", "tim", "olga", "nobody"])
CHOICES: dict[str, st.SearchStrategy[Any]] = {
    "to": st.sampled_from(list(P.stages)), "way": st.sampled_from(["phone", "email", "telegram", "meeting", "pigeon"]),
    "criterion": st.sampled_from(list(P.hard_criteria)), "marks": st.integers(-15, 15).map(marks), "notes": st.just({}),
    "partners": st.just({}), "checklist": st.sampled_from(["screening", "preparation"]),
    "item": st.sampled_from(["pains", "group", "deck", "x"]), "owner": NAMES, "account_manager": NAMES,
    "progress": st.sampled_from(["none", "meeting", "messenger"]), "direction": st.sampled_from(["in", "out"]),
    "purpose": st.sampled_from(["call", "meeting", "interview", "presentation"]),
    "outcome": st.sampled_from(["", "advance", "continuation", "closing", "refusal"]),
    "closeness": st.sampled_from(["", *P.closeness]), "guard": st.sampled_from(["taken", "scored", "benefit_stated"]),
    "currency": st.just("RUB"), "vat": st.just(""), "inn": st.sampled_from(["", "7707083893", "1"]),
    "phone": st.sampled_from(["", "+7 912 345-67-89", "12"]), "email": st.sampled_from(["", "ivan@example.ru", "x"]),
    "telegram": st.just(""), "timezone": st.sampled_from(["", "Europe/Samara", "x"]),
    "value": st.sampled_from([PHONE.value, EMAIL.value]),
    "route": st.sampled_from([{"way": "email", "account": "email/main", "to": to} for to in (EMAIL.value, "x@example.ru")]),
    "account": st.sampled_from(["", "email/main"]),
    "addresses": st.sampled_from([(), ({"kind": "phone", "value": PHONE.value},), ({"kind": "email", "value": "x"},),
                                  ({"kind": "email", "value": "x@example.ru"}, {"kind": "phone", "value": PHONE.value})]),
    "action": st.sampled_from(["mvp", "who", "debrief"]), "minutes": st.sampled_from([30, 60]), "file": st.none(),
    "ours": st.sampled_from([(), ("а", "б")]), "theirs": st.sampled_from([(), ("в",)]), "members": st.just((("anna", "x"),)),
    "criteria_checked": st.sampled_from([True, True, False]), "text": st.sampled_from(["x", "x", " "]), "files": st.just(()),
}
KINDS = {"ask_question": ["problem", "developing"], "record_chance": ["upsell", "gift"], "open_request": list(P.requests),
         "ask_letter": ["refusal", "free"], "add_address": ["phone", "email"], "retire_address": ["phone", "email"]}
REASONS = {"find_stall": list(P.stalls), "lose": ["", *P.loss_reasons]}

FORWARD = ["take", "capture_contact", "finish_screening", "score", "plan_meeting", "hold_meeting", "move", "state_benefit",
           "promise_proposal", "draft_proposal", "contribute", "send_proposal", "find_stall", "lose", "win", "wake", "reopen"]
COMMAND = st.one_of(st.sampled_from(sorted(COMMANDS)), st.sampled_from(FORWARD))
STEP = st.sampled_from([timedelta(0), timedelta(minutes=4), timedelta(minutes=20), timedelta(hours=3), timedelta(days=1),
                        timedelta(days=4), timedelta(days=30)])
ROADS = ["", "taken_by", "preparing", "interviewing", "presented", "following_up"]
ALWAYS = {"wake", "hand_over", "reply"}


def bare(hint: Any) -> Any:
    """The type without ``| None``."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(a for a in get_args(hint) if a is not type(None))
    return hint


def argument(command: str, field: msgspec.structs.FieldInfo, now: datetime, state: LeadState) -> st.SearchStrategy[Any]:
    """Something that a form might send for a field."""
    kind = bare(field.type)
    if field.name == "kind" and command in KINDS:
        return st.sampled_from(KINDS[command])
    if field.name == "reason" and command in REASONS:
        return st.sampled_from(REASONS[command])
    if field.name in CHOICES:
        return CHOICES[field.name]
    if kind is UUID:
        return st.sampled_from([*state.people, UUID(int=9)])
    if kind is datetime:
        return st.sampled_from([timedelta(minutes=-5), timedelta(hours=1), timedelta(days=2)]).map(lambda length: now + length)
    if kind is date:
        return st.sampled_from([-1, 0, 1, 10]).map(lambda days: P.date_of(now) + timedelta(days=days))
    if kind is Decimal:
        return st.sampled_from([Decimal(1000), Decimal(0)])
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(0, 3)
    return st.sampled_from(["x", "x", ""])


class AnyWork(RuleBasedStateMachine):
    """One lead; a department that does what it likes."""

    s: Scenario

    @initialize(phone=st.booleans(), road=st.sampled_from(ROADS),
                total=st.sampled_from([-9, 3, 9]))
    def receive(self, phone: bool, road: str, total: int) -> None:
        """Somewhere on the road of the process."""
        if road in ("", "taken_by"):
            self.s = lead(call() if phone else website())
            if road:
                self.s.taken_by()
        else:
            self.s = getattr(lead(), road)(total)

    @rule(data=st.data(), command=COMMAND, who=st.sampled_from(["anna", "anna", "boris", "tim", "vera", "vera", "olga", "audra"]))
    def give(self, data: st.DataObject, command: str, who: str) -> None:
        """Refused or not: the scenario itself checks that a refusal records nothing and that the events fold to the state."""
        arguments = {f.name: data.draw(argument(command, f, self.s.now, self.s.state), label=f.name)
                     for f in msgspec.structs.fields(COMMANDS[command].arguments) if f.required or data.draw(st.booleans())}
        self.s.by(who).when(command, **arguments)
        refusal = self.s.refusal
        if refusal is not None:
            self.s.refused(refusal.code)

    @rule(step=STEP)
    def time_passes(self, step: timedelta) -> None:
        self.s.at_instant(self.s.now + step).passes()
        moments = [ev.at for ev in self.s.new]
        assert moments == sorted(moments)
        assert all(moment <= self.s.now for moment in moments)

    @rule()
    def client_writes(self) -> None:
        self.s.receives(website(PHONE))

    @rule()
    def owner_is_absent(self) -> None:
        self.s.happens(lambda lead: lead.offer_absent())

    @precondition(lambda self: self.s.state.open)
    @rule()
    def merged_and_split(self) -> None:
        self.s.happens(lambda lead: lead.merge_into(UUID(int=4), "x"))
        assert self.s.state.dues == {}
        self.s.by("anna").when("take").refused("merged_away")
        self.s.happens(lambda lead: lead.split_off("x"))

    @invariant()
    def the_events_fold_to_the_state_from_any_point(self) -> None:
        half = len(self.s.story) // 2
        middle = Lead.fold(self.s.story[:half])
        assert Lead.fold(self.s.story[half:], middle) == self.s.state

    @invariant()
    def deadlines_are_one_of_a_key_and_are_set_before_they_are_met(self) -> None:
        live: set[str] = set()
        for ev in self.s.story:
            live = deadlines_after(live, ev)
        assert live == set(self.s.state.dues)
        assert all(key == due.key for key, due in self.s.state.dues.items())

    @invariant()
    def what_has_ended_or_sleeps_or_was_merged_is_not_worked(self) -> None:
        state = self.s.state
        if state.ended:
            assert set(state.dues) <= ALWAYS
        if state.asleep_until is not None:
            assert set(state.dues) <= {"wake"}
            assert not state.ended
        if state.merged_into is not None:
            assert state.dues == {}

    @invariant()
    def a_lead_in_work_is_never_without_a_date(self) -> None:
        """R26: nobody falls through."""
        if self.s.state.open:
            assert self.s.state.dues, self.s.state.stage

    @invariant()
    def it_is_somewhere_in_the_process(self) -> None:
        state = self.s.state
        assert state.stage in P.stages
        assert state.ended in ("", *P.endings)
        assert all(-15 <= sheet.total <= 15 and sheet.segment in P.segments for sheet in state.sheets)
        assert state.owner in ("", *ROLES)
        assert [m.id for m in state.messages] == list(range(1, len(state.messages) + 1))


def deadlines_after(live: set[str], ev: Event) -> set[str]:
    """What is due after ``ev``; what is met, missed or dropped must have been due."""
    if isinstance(ev, e.DeadlineSet):
        return live | {ev.key}
    if isinstance(ev, (e.DeadlineMet, e.DeadlineDropped, e.DeadlineMissed)):
        assert ev.key in live, f"{type(ev).__name__} of {ev.key}, which was not due"
        return live if isinstance(ev, e.DeadlineMissed) else live - {ev.key}
    return live


AnyWork.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None,
                                     suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
TestAnyWork = AnyWork.TestCase

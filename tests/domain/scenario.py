"""Given, when, then: a lead, what was done to it, what came of it.

    lead(website()).taken_by("anna").when("score", marks=marks(3)).refused("guard_screened")

Commands go through the same door as everybody's (``Lead.do``). Before each of them the worker has let time
pass, so that what a command recorded is its own. After each step it is checked that the recorded events fold
to the state that the command saw, and after a refusal that nothing was recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Self, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

import msgspec

from hub.calendar import russian_days
from hub.domain import events as e
from hub.domain.aggregate import Actor, Stamp
from hub.domain.delivery import Address, Delivery
from hub.domain.errors import SENTENCES, Refused
from hub.domain.event import Event, personal_fields
from hub.domain.lead import COMMANDS, Lead, Sender, Staff
from hub.domain.process import Process
from hub.domain.process_check import read_process
from hub.domain.state import Due, LeadState

MOSCOW = ZoneInfo("Europe/Moscow")
MONDAY = date(2026, 11, 16)
"""The week of the scenarios, and the one after it, have no holidays."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TEXT = files("hub.domain").joinpath("process.toml").read_text(encoding="utf-8")

ROLES = {"anna": "manager", "boris": "manager", "vera": "head", "tim": "trainee", "olga": "account", "audra": "auditor",
         "adam": "administrator"}
STAFF = Staff(at_work={"manager": ("anna", "boris"), "trainee": ("tim",), "account": ("olga",), "head": ("vera",)},
              heads=("vera",), names={name: name.title() for name in ROLES},
              roles={name: frozenset({role}) for name, role in ROLES.items()})

E = TypeVar("E", bound=Event)


def at(text: str) -> datetime:
    """``fri 17:55`` of this week, ``next mon 09:10`` of the one after, or ``2026-12-31 12:00``: Moscow time."""
    day, _, clock = text.rpartition(" ")
    return datetime.fromisoformat(f"{on(day)} {clock}").replace(tzinfo=MOSCOW).astimezone(UTC)


def on(text: str) -> date:
    """The day alone: ``fri``, ``next mon``, ``2026-12-31``."""
    if text[0].isdigit():
        return date.fromisoformat(text)
    week = 7 if text.startswith("next ") else 0
    return MONDAY + timedelta(days=week + DAYS.index(text.removeprefix("next ")))


@cache
def process(version: int = 7) -> Process:
    """The process as it is delivered, with the Russian calendar."""
    return Process(read_process(TEXT), version, *russian_days([2026, 2027]))


def changed(*changes: tuple[str, str]) -> Process:
    """The process with pieces of its file replaced; each piece must be there exactly once."""
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, f"{text.count(old)} times in process.toml: {old}"
        text = text.replace(old, new)
    return Process(read_process(text), 8, *russian_days([2026, 2027]))


def person(name: str) -> UUID:
    """The id of somebody of the client's."""
    return uuid5(NAMESPACE_URL, name)


PHONE = Address("phone", "+79123456789", "8 912 345-67-89")
EMAIL = Address("email", "ivan@example.ru", "Ivan@example.ru")


def website(*addresses: Address, **fields: Any) -> Delivery:
    """A form of the site: a name, a text, an e-mail address where none is given."""
    return Delivery(channel="website", source="main", source_title="Сайт", name="Иван", text="Нужен интернет-магазин",
                    addresses=addresses or (EMAIL,), **fields)


def call(*addresses: Address, **fields: Any) -> Delivery:
    """A phone call."""
    return Delivery(channel="phone", source="line", source_title="Линия", addresses=addresses or (PHONE,), **fields)


def marks(total: int) -> dict[str, int]:
    """A sheet with this total."""
    sign = 1 if total > 0 else -1
    return {p: sign if n < abs(total) else 0 for n, p in enumerate(process().parameters)}


class Scenario:
    """One lead and its story. Methods of the story return the scenario, so that they read in a row."""

    def __init__(self, *, process: Process, staff: Staff, now: datetime) -> None:
        self.id = uuid5(NAMESPACE_URL, "lead")
        self.process, self.staff, self.now = process, staff, now
        self.actor = "anna"
        self.story: list[Event] = []
        self.new: list[Event] = []
        self.refusal: Refused | None = None
        self.steps = 0
        self._known = 0, LeadState()

    # ── how it goes on ───────────────────────────────────────────────────────────

    def at(self, text: str) -> Self:
        """Set the clock; nothing happens by itself yet."""
        return self.at_instant(at(text))

    def at_instant(self, now: datetime) -> Self:
        """The same by an instant."""
        assert now >= self.now, "time does not run backwards"
        self.now = now
        return self

    def later(self, **length: int) -> Self:
        """Move the clock on: ``minutes=5``, ``days=2``."""
        return self.at_instant(self.now + timedelta(**length))

    def by(self, who: str) -> Self:
        """Who gives the next commands."""
        self.actor = who
        return self

    def with_staff(self, **changes: Any) -> Self:
        """Other people are there now."""
        self.staff = replace(self.staff, **changes)
        return self

    def under(self, process: Process) -> Self:
        """Another process is in force now."""
        self.process = process
        return self

    def aggregate(self, actor: Actor | None = None) -> Lead:
        """The lead as stored, for one command of ``actor``."""
        self.steps += 1
        who = actor or Actor(self.actor, frozenset({ROLES[self.actor]}))
        stamp = Stamp(who, self.now, uuid5(self.id, f"step {self.steps}"), self.process.version)
        lead = Lead(self.id, stamp, process=self.process, staff=self.staff)
        lead.state, lead.version = self.state, len(self.story)
        return lead

    def _step(self, act: Callable[[Lead], None], actor: Actor | None = None) -> Self:
        assert self.refusal is None, f"a refusal was not looked at: {self.refusal}"
        lead = self.aggregate(actor)
        before = lead.state
        try:
            act(lead)
        except Refused as refusal:
            self.refusal = refusal
        if self.refusal is not None:
            assert lead.events == [], f"refused ({self.refusal.code}), and yet recorded: {kinds(lead.events)}"
            assert lead.state is before
            assert lead.version == len(self.story)
        unsealed = [ev.TOPIC for ev in lead.events
                    if ev.subject is None and any(getattr(ev, f) for f in personal_fields(type(ev)))]
        assert not unsealed, f"personal texts under nobody's key: {unsealed}"
        self.new = lead.events
        self.story += lead.events
        if lead.events:
            assert lead.state == Lead.fold(self.story)
        self._known = len(self.story), lead.state
        assert [ev.originator_version for ev in self.story] == list(range(1, len(self.story) + 1))
        return self

    def passes(self) -> Self:
        """The worker lets time pass, twice: the second time nothing may happen."""
        if self.state.exists:
            self._step(lambda lead: lead.pass_time(), HUB)
            first = self.new
            self._step(lambda lead: lead.pass_time(), HUB)
            assert self.new == [], f"time passed twice: {kinds(self.new)}"
            self.new = first
        return self

    def when(self, command: str, **arguments: Any) -> Self:
        """Give a command at this moment, time having passed until then."""
        self.passes()
        converted = msgspec.convert(arguments, COMMANDS[command].arguments)
        return self._step(lambda lead: lead.do(command, converted))

    def did(self, command: str, **arguments: Any) -> Self:
        """A command of the past, which was not refused."""
        self.when(command, **arguments)
        if self.refusal is not None:
            raise AssertionError(f"{command} was refused: {self.refusal}") from self.refusal
        return self

    def happens(self, act: Callable[[Lead], None], actor: Actor | None = None) -> Self:
        """What the application does without a command of a person."""
        self.passes()
        return self._step(act, actor or HUB)

    def receives(self, delivery: Delivery, who: str = "Иван", **more: Any) -> Self:
        """A delivery comes in."""
        sender = more.pop("sender", Sender(person(who)))
        self._step(lambda lead: lead.receive(delivery, sender, receipt_id=None, **more), Actor(f"channel:{delivery.channel}"))
        assert self.refusal is None
        return self

    # ── what came of it ──────────────────────────────────────────────────────────

    @property
    def state(self) -> LeadState:
        """The lead as its events left it."""
        known, state = self._known
        return state if known == len(self.story) else Lead.fold(self.story)

    def then(self, *expected: type[Event]) -> Self:
        """The last step recorded these, in this order, perhaps with others between."""
        self._not_refused()
        left = iter(self.new)
        missing = [kind.__name__ for kind in expected if not any(isinstance(ev, kind) for ev in left)]
        assert not missing, f"not recorded, or not in this order: {missing}; there were {kinds(self.new)}"
        return self

    def then_only(self, *expected: type[Event]) -> Self:
        """The last step recorded exactly these."""
        self._not_refused()
        assert kinds(self.new) == [kind.__name__ for kind in expected]
        return self

    def without(self, *unwanted: type[Event]) -> Self:
        """The last step recorded none of these."""
        self._not_refused()
        assert not [ev for ev in self.new if isinstance(ev, unwanted)], kinds(self.new)
        return self

    def _not_refused(self) -> None:
        assert self.refusal is None, f"refused: {self.refusal}"

    def refused(self, code: str, field: str | None = None) -> Self:
        """The last command was refused with this code, in two languages, and nothing was recorded."""
        assert self.refusal is not None, f"not refused; recorded {kinds(self.new)}"
        assert self.refusal.code == code, f"{self.refusal.code}: {self.refusal}"
        if field is not None:
            assert self.refusal.field == field
        for language in ("ru", "en"):
            sentence = self.refusal.say(language)
            assert sentence
            assert "{" not in sentence
        assert code in SENTENCES
        self.refusal = None
        return self

    def stage(self, stage: str) -> Self:
        """It is in this stage now."""
        assert self.state.stage == stage
        return self

    def due(self, key: str, when: str | None = None, rule: str | None = None) -> Self:
        """This is due, at this moment."""
        assert key in self.state.dues, f"{key} is not due; due are {sorted(self.state.dues)}"
        if when is not None:
            assert moscow(self.state.dues[key].due_at) == moscow(at(when))
        if rule is not None:
            assert self.state.dues[key].rule == rule
        return self

    def not_due(self, *keys: str) -> Self:
        """None of these is due."""
        assert not set(keys) & set(self.state.dues)
        return self

    def deadline(self, key: str) -> Due:
        """What is due by this key."""
        return self.state.dues[key]

    def one(self, kind: type[E]) -> E:
        """The only event of its kind of the last step."""
        found = [ev for ev in self.new if isinstance(ev, kind)]
        assert len(found) == 1, f"{len(found)} of {kind.__name__} in {kinds(self.new)}"
        return found[0]

    def all(self, kind: type[E]) -> list[E]:
        """All events of a kind in the whole story."""
        return [ev for ev in self.story if isinstance(ev, kind)]

    # ── givens: the road of the process ──────────────────────────────────────────

    def taken_by(self, who: str = "anna") -> Self:
        """Taken to work."""
        return self.by(who).did("take")

    def captured(self, **fields: Any) -> Self:
        """Phone and time zone are known: the screening begins (R3)."""
        return self.did("capture_contact", **{"phone": "+7 912 345-67-89", "timezone": "Asia/Yekaterinburg", **fields}) \
            .stage("screening")

    def screened(self, **fields: Any) -> Self:
        """The first talk took place (R4, R5, R8)."""
        return self.did("finish_screening", **{"criteria_checked": True, "progress": "none", **fields})

    def scored(self, total: int) -> Self:
        """A sheet with this total (R9)."""
        return self.did("score", marks=marks(total))

    def meeting(self, purpose: str = "meeting", hours: int = 2, **fields: Any) -> Self:
        """A meeting is planned, so many hours ahead (R14, R26)."""
        return self.did("plan_meeting", **{"purpose": purpose, "starts_at": self.now + timedelta(hours=hours),
                                           "goal": "Договориться о шаге", **fields})

    def held(self, meeting: int, **fields: Any) -> Self:
        """An hour after its beginning: what came of a meeting (R26)."""
        starts = self.state.meetings[meeting].starts_at
        return self.at_instant(max(self.now, starts + timedelta(hours=1))).did("hold_meeting", **{
            "meeting": meeting, "outcome": "continuation", "why": "ждут", **fields})

    def promised(self) -> Self:
        """What R17 asks for before the proposal."""
        self.did("state_benefit", text="Меньше ручной работы", kpi="конверсия +20 %")
        return self.did("promise_proposal", ready_on=self.process.date_of(self.now) + timedelta(days=7), presented=True)

    def drafted(self, **fields: Any) -> Self:
        """A version of the proposal (R18)."""
        until = self.process.date_of(self.now) + timedelta(days=60)
        return self.did("draft_proposal", **{"amount": Decimal(1_500_000), "valid_until": until, **fields})

    def preparing(self, total: int = 3) -> Self:
        """In «preparation» (R14)."""
        return self.taken_by().captured().screened().scored(total).meeting("interview").stage("preparation")

    def interviewing(self, total: int = 3) -> Self:
        """In «interview» (R17)."""
        return self.preparing(total).held(1).stage("interview")

    def proposing(self, total: int = 3) -> Self:
        """In «proposal», with a version and without the head's part (R18)."""
        return self.interviewing(total).promised().did("move", to="proposal").drafted()

    def presented(self, total: int = 3) -> Self:
        """Presented: a meeting of an hour is just over (R20)."""
        self.proposing(total).meeting("presentation")
        return self.held(max(self.state.meetings)).stage("presentation")

    def following_up(self, total: int = 3) -> Self:
        """Sent without a presentation: in «follow-up» (R19)."""
        return self.proposing(total).did("send_proposal").stage("follow_up")

    def lost(self, **fields: Any) -> Self:
        """Lost (R28)."""
        return self.did("lose", **{"reason": "price", "closeness": "considered", **fields})

    def won(self) -> Self:
        """Won (R28)."""
        return self.did("win", contract_number="12/26", amount=Decimal(1_500_000), signed_on=self.process.date_of(self.now))


HUB = Actor("hub")


def kinds(events: list[Event]) -> list[str]:
    """Their names, for sentences."""
    return [type(ev).__name__ for ev in events]


def moscow(instant: datetime) -> str:
    """As a person reads it: ``Fri 20.11 17:55``."""
    return f"{instant.astimezone(MOSCOW):%a %d.%m.%Y %H:%M:%S}"


def lead(delivery: Delivery | None = None, received: str = "mon 10:00", *, process: Process | None = None,
         staff: Staff = STAFF, **more: Any) -> Scenario:
    """A lead that came in by ``delivery`` (a website form where none is given)."""
    scenario = Scenario(process=process or globals()["process"](), staff=staff, now=at(received))
    return scenario.receives(delivery or website(), **more)


def files_of(*names: str) -> tuple[e.FileRef, ...]:
    """Stored files."""
    return tuple(e.FileRef("d" * 64, name, "application/pdf", 1024) for name in names)

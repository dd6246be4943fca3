"""Lives of made-up leads, each lived once through the hub's real commands on a store in memory.

A life is told in tokens (``‹n0›`` is its first person's name), so that :mod:`bench.stamping` can make many leads of it.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from types import SimpleNamespace
from typing import Any, cast
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

import msgspec

from bench import words
from hub.application import THE_HUB, LeadHub
from hub.calendar import russian_days
from hub.config import PACKAGED_PROCESS
from hub.demo.people import FORMS, LETTER, LETTER_SUBJECT, PARTNERS
from hub.demo.topics import TOPICS
from hub.domain.aggregate import Actor
from hub.domain.delivery import Address, Consent, Delivery
from hub.domain.errors import Refused
from hub.domain.event import Event
from hub.domain.form import Form, form_stream
from hub.domain.lead import Staff
from hub.domain.partner import Template, template_stream
from hub.domain.process import Process
from hub.domain.staff import UserState, user_stream
from hub.domain.state import LeadState
from hub.projections.directory import KINDS
from hub.store import Conflict
from hub.store.keys import blind

INDEX_KEY = b"the index key of lives in memory"
PEOPLE = (("admin", "Кирилл Соболев", "administrator"), ("head", "Валерия Громова", "head"),
          ("anna", "Анна Ковалёва", "manager"), ("dmitry", "Дмитрий Лапин", "manager"), ("elena", "Елена Шарова", "manager"),
          ("gleb", "Глеб Зимин", "manager"), ("inna", "Инна Потапова", "manager"), ("roman", "Роман Юдин", "manager"),
          ("trainee", "Тимур Ахметов", "trainee"), ("olga", "Ольга Миронова", "account"), ("pavel", "Павел Сёмин", "account"),
          ("auditor", "Ирина Белова", "auditor"))
"""Login, name and role."""
NAMES = {f"user:{user_stream(login)}": name for login, name, _ in PEOPLE}
ROLES = {f"user:{user_stream(login)}": role for login, _, role in PEOPLE}
FATES = {"spam": .33, "unreachable": .17, "unfit": .13, "sheet": .08, "early": .195, "deep": .055, "won": .04}
"""What becomes of a lead in the end, with its share."""
OPEN_AGES = {"new": (1, 240), "contact": (5, 2_900), "screening": (5, 5_800), "scoring": (30, 15_000), "refusal": (60, 9_000),
             "preparation": (240, 20_000), "interview": (1_400, 43_000), "proposal": (2_900, 64_000),
             "presentation": (5_800, 86_000), "follow_up": (7_200, 200_000), "asleep": (14_000, 260_000)}
"""How old open leads of a stage are, in minutes: from, to."""
CHANNELS = (("website", .47), ("email", .21), ("phone", .20), ("social", .12))
DAYS = (1.15, 1.1, 1.05, 1.0, .9, .3, .28)
"""How many requests come on a weekday, Monday first."""
HOURS = (.15, .1, .05, .05, .05, .1, .3, .6, 1.2, 2.2, 2.8, 2.9, 2.6, 2.3, 2.6, 2.7, 2.4, 2.0, 1.4, 1.1, 1.0, .8, .6, .35)
SUSPICIONS = ("honeypot", "links", "token_forged", "too_fast", "links too_fast")
LONG_AGO_AHEAD = datetime(9000, 1, 1, tzinfo=UTC)
Waits = Generator[datetime, None, None]


class _Cut(Exception):
    """The present is reached in the middle of an act."""


class MemoryStore:
    """What the hub asks of a store to decide, in lists. ``commits`` are the places where appends end in ``log``."""

    def __init__(self) -> None:
        self.streams: dict[UUID, list[Event]] = {}
        self.log: list[Event] = []
        self.commits: list[int] = []
        self.keys = SimpleNamespace(watch=lambda forget: None, lookup=lambda: None)  # nobody is erased in memory

    def append(self, events: Sequence[Event]) -> list[int]:
        """Add the events of one command."""
        for event in events:
            stream = self.streams.setdefault(event.originator_id, [])
            if event.originator_version != len(stream) + 1:
                raise Conflict("another event is stored at this version")
            stream.append(event)
            self.log.append(event)
        self.commits.append(len(self.log))
        return list(range(len(self.log) - len(events) + 1, len(self.log) + 1))

    def read(self, stream: UUID, after: int = 0, upto: int | None = None) -> list[Event]:
        """Events of a stream."""
        return self.streams.get(stream, [])[after:upto]

    def position(self, stream: UUID, version: int) -> int:
        """Where an event is in the log."""
        return self.log.index(self.streams[stream][version - 1]) + 1


class MemoryDirectory:
    """People, partners and forms as the hub asks for them; nobody changes after the company is settled."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.changes = 0

    def stamp(self) -> int:
        """Changes while the company settles."""
        return self.changes

    def turns(self) -> tuple[int, dict[str, int]]:
        """Nobody had a turn that the hub does not remember itself."""
        return self.changes, {}

    def all(self, kind: str, state: type[Any]) -> dict[UUID, Any]:
        """Everything of a kind."""
        return {id: KINDS[kind].fold(events) for id, events in self.store.streams.items()
                if events[0].TOPIC.partition(".")[0] == kind}


class _Hub(LeadHub):
    """The hub for a company in which nobody is ever away: who is there is the same at every hour, but for whose turn it is."""

    def staff(self, at: datetime, process: Process | None = None) -> Staff:
        turn = sorted(ROLES, key=lambda id: (self._turns.get(id, 0), id))
        at_work = {role: tuple(id for id in turn if ROLES[id] == role) for role in set(ROLES.values())}
        return Staff(at_work, at_work["head"], NAMES, {id: frozenset({role}) for id, role in ROLES.items()})


class Desk:
    """A department in memory: the hub, its people and the process, with the calendar of the years from ``first`` on."""

    def __init__(self, begins: datetime, years: range) -> None:
        self.store = MemoryStore()
        self.directory = MemoryDirectory(self.store)
        self.hub = _Hub(cast(Any, self.store), cast(Any, None), cast(Any, SimpleNamespace(directory=self.directory)), INDEX_KEY)
        self._settle(begins, years)
        self.company = len(self.store.log)
        self.process: Process = self.hub.process
        self.zone = ZoneInfo(self.process.file.calendar.timezone)

    def _settle(self, at: datetime, years: range) -> None:
        hub = self.hub
        hub.publish_process(PACKAGED_PROCESS.read_text(encoding="utf-8"), *russian_days(years), actor=THE_HUB, at=at)
        for login, name, role in PEOPLE:
            hub.add_user(login, name, (role,), actor=THE_HUB, at=at)
        head = Actor(_user("head"), frozenset({"head"}))
        for name, prices, technologies, site, contact, about in PARTNERS:
            hub.write_partner(uuid5(NAMESPACE_URL, site), actor=head, at=at, name=name, prices=prices, technologies=technologies,
                              site=f"https://{site}.example", contact=contact, about=about)
        for form, settings in FORMS.items():
            hub.change(Form, form_stream(form), lambda f, id=form, to=settings: f.make(id, to), actor=THE_HUB, at=at)  # type: ignore[misc]
        hub.change(Template, template_stream("refusal"), lambda t: t.write("refusal", LETTER_SUBJECT, LETTER), actor=head, at=at,
                   permissions=("admin", "partners"))
        self.directory.changes += 1

    def users(self) -> dict[UUID, UserState]:
        """Our people."""
        return self.hub.users()


def _user(login: str) -> str:
    return f"user:{user_stream(login)}"


@dataclass
class Case:
    """What one life left: events in the order of the log, where each command's end, and the tokens in it.

    ``open`` and ``closed`` count its leads; ``pending`` is the first instant at which time has something to say.
    """

    number: int
    events: list[Event]
    commits: list[int]
    tokens: dict[str, tuple[str, int]]
    contacts: dict[UUID, tuple[str, str]]
    open: int
    closed: int
    place: str
    pending: datetime | None

    @property
    def begins(self) -> datetime:
        """When its first event is stored."""
        return moment(self.events[0])

    @property
    def ends(self) -> datetime:
        """When its last one is."""
        return moment(self.events[-1])


def moment(event: Event) -> datetime:
    """When an event was stored."""
    return event.recorded_at or event.at


@dataclass
class Life:
    """One client and what the department does with the request, up to ``limit``, the present."""

    desk: Desk
    number: int
    rng: Random
    start: datetime
    limit: datetime = LONG_AGO_AHEAD
    fate: str = ""
    lead: UUID = UUID(int=0)
    leads: list[UUID] = field(default_factory=list)
    tokens: dict[str, tuple[str, int]] = field(default_factory=dict)
    contacts: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    deliveries: int = 0
    rounds: int = 0
    loops: int = 0
    persons: int = 1

    def __post_init__(self) -> None:
        self.now = self.start
        self.hub = self.desk.hub
        self.process = self.desk.process
        self.topic = self.rng.choice([*TOPICS.values()])
        self.zone = self.rng.choice(words.ZONES)
        self.position = self.rng.choice(words.POSITIONS)
        self.budget = round(math.exp(self.rng.gauss(7.2, .8))) * 1_000
        if not self.fate:
            self.fate = self.rng.choices([*FATES], [*FATES.values()])[0]
        self.total = self._total()
        self.channel = self._one(CHANNELS)
        self.tokens |= {"‹c›": ("company", 0), "‹k›": ("contract", 0), f"https://case{self.number}.example": ("site", 0),
                        self.inn: ("inn", 0)}
        self._person(0)

    # ── who ──────────────────────────────────────────────────────────────────────

    def _person(self, slot: int) -> None:
        for token, kind in ((f"‹n{slot}›", "name"), (f"‹f{slot}›", "first"), (self.phone(slot), "phone"),
                            (words.spoken(self.phone(slot)), "spoken"), (self.email(slot), "email"),
                            (f"case{self.number}p{slot}", "nick")):
            self.tokens[token] = (kind, slot)

    def phone(self, slot: int = 0) -> str:
        """A number that stands for the person's."""
        return f"+7900{self.number * 4 + slot:07d}"

    def email(self, slot: int = 0) -> str:
        """An address that stands for the person's."""
        return f"p{slot}@case{self.number}.example"

    @property
    def inn(self) -> str:
        """A taxpayer number that stands for the company's."""
        return words.inn(self.number)

    def _address(self, kind: str, slot: int = 0) -> Address:
        if kind == "phone":
            value, raw = self.phone(slot), words.spoken(self.phone(slot))
        elif kind == "email":
            value = raw = self.email(slot)
        else:
            value, raw = f"case{self.number}p{slot}", f"@case{self.number}p{slot}"
        return Address(kind, value, raw)

    # ── chance ───────────────────────────────────────────────────────────────────

    def chance(self, share: float) -> bool:
        """Whether it happens this time."""
        return self.rng.random() < share

    def _one(self, shares: Sequence[tuple[str, float]]) -> str:
        return self.rng.choices([name for name, _ in shares], [share for _, share in shares])[0]

    def _total(self) -> int:
        mean, spread = {"sheet": (-11.5, 1.2), "won": (5.5, 4.5), "deep": (3.5, 4.5)}.get(self.fate, (0, 4))
        total = round(self.rng.gauss(mean, spread))
        return min(-10, max(-15, total)) if self.fate == "sheet" else min(15, max(-9, total))

    def say(self, texts: Sequence[str]) -> str:
        """One of ``texts`` in this client's words."""
        text = self.rng.choice(texts)
        return (text.replace("{name}", "‹f0›").replace("{company}", "‹c›").replace("{task}", self.topic.task)
                .replace("{pain}", self.topic.pain))

    # ── moments ──────────────────────────────────────────────────────────────────

    def after(self, median: float, spread: float = .8) -> datetime:
        """Some working minutes from now: log-normal around ``median``."""
        return self.process.calendar.add(self.now, max(1, round(median * math.exp(self.rng.gauss(0, spread)))))

    def days(self, median: float, spread: float = .6) -> datetime:
        """The same in working days, at some hour of the day."""
        return self.after(median * 540, spread)

    def at_work(self, days: int) -> datetime:
        """A round hour of a working day about ``days`` days ahead."""
        day = (self.now + timedelta(days=days)).astimezone(self.desk.zone).date()
        while not self.process.calendar.is_working_day(day):
            day += timedelta(days=1)
        hour = datetime.combine(day, time(self.rng.randint(10, 16), self.rng.choice((0, 0, 30))), self.desk.zone).astimezone(UTC)
        return hour if hour > self.now else hour + timedelta(days=7)

    def date(self, days: int) -> date:
        """So many days from now."""
        return self.process.date_of(self.now) + timedelta(days=days)

    # ── acting ───────────────────────────────────────────────────────────────────

    @property
    def state(self) -> LeadState:
        """The lead as it is."""
        return self.hub.lead(self.lead)

    @property
    def me(self) -> str:
        """Who works the lead."""
        s = self.state
        return s.owner or next((u for u in s.offered_to if ROLES[u] == "manager"), _user("anna"))

    def _tick(self) -> datetime:
        self.now += timedelta(seconds=self.rng.randint(8, 70))
        if self.now > self.limit:
            raise _Cut
        return self.now

    def do(self, command: str, by: str = "", **arguments: Any) -> None:
        """A command of the owner, or of somebody else."""
        who = by or self.me
        self.hub.do(self.lead, command, arguments, actor=Actor(who, frozenset({ROLES[who]})), at=self._tick())

    def sometimes(self, share: float, command: str, **arguments: Any) -> None:
        """Not everybody writes everything down."""
        if self.chance(share):
            self.do(command, **arguments)

    def come(self, delivery: Delivery) -> None:
        """A delivery arrives now. A doubtful one that holds a request is released."""
        if self.now > self.limit:
            raise _Cut
        got = self.hub.receive(delivery, at=self.now)
        if got.quarantined and self.fate != "quarantine":
            self.now = self.after(40)
            manager = _user("inna")
            got = self.hub.release(got.receipt, actor=Actor(manager, frozenset({"manager"})), at=self._tick())
        if got.lead is not None and got.lead not in self.leads:
            self.lead = got.lead
            self.leads.append(got.lead)

    def delivery(self, text: str, channel: str, slot: int = 0) -> Delivery:
        """What the channel makes of a request."""
        self.deliveries += 1
        id = f"case-{self.number}-{self.deliveries}"
        common = {"delivery_id": id, "payload_digest": id, "text": text}
        name = f"‹n{slot}›"
        match channel:
            case "website":
                form = self.rng.choices(("main-site", "calculator", "mobile-landing"), (6, 3, 1))[0]
                kinds = [k for k, share in (("phone", .84), ("email", .72)) if self.chance(share)] or ["phone"]
                found = tuple(self._address(k, slot) for k in kinds)
                fields = (("name", name), ("message", text), ("page", f"https://studio-t.example/{form}"),
                          *((a.kind, a.raw) for a in found))
                consent = Consent("1", "0" * 64, True, f"203.0.113.{self.number % 250}", "https://studio-t.example/") \
                    if form != "mobile-landing" else None
                return Delivery(channel=channel, source=form, source_title=FORMS[form].name, name=name, addresses=found,
                                timezone=self.zone if self.chance(.7) else "", fields=fields, consent=consent,
                                attribution=(("utm_source", self.rng.choice(("yandex", "google", "vc", "telegram"))),
                                             ("utm_medium", self.rng.choice(("cpc", "organic", "post")))),
                                raw=msgspec.json.encode(dict(fields)).decode(), content_type="application/json",
                                suspicion=self.rng.choice(SUSPICIONS) if self.chance(.02) or self.fate == "quarantine" else "",
                                **cast(Any, common))
            case "email":
                body = f"{text}\n\n--\n‹n{slot}›\n{self.position}, ‹c›"
                found = (self._address("email", slot), *([self._address("phone", slot)] if self.chance(.5) else []))
                box = "hello@studio-t.example"
                return Delivery(channel=channel, source=box, source_title=box, name=name, subject_line=self.topic.task,
                                addresses=found, raw=body, **cast(Any, common))
            case "phone":
                return Delivery(channel=channel, source="office", source_title="Офис", addresses=(self._address("phone", slot),),
                                timezone=self.zone if self.chance(.4) else "",
                                fields=(("seconds", str(self.rng.randint(30, 900))),), **cast(Any, {**common, "text": ""}))
            case _:
                kind = self.rng.choices(("telegram", "vk", "whatsapp"), (6, 3, 1))[0]
                return Delivery(channel="social", source=kind, source_title=kind.title(), name=name,
                                addresses=(self._address(kind, slot),), **cast(Any, common))

    # ── the run ──────────────────────────────────────────────────────────────────

    def live(self) -> Case:
        """Tell the life up to the present, and keep what it left."""
        store = self.desk.store
        begin, commits = len(store.log), len(store.commits)
        try:
            for until in self._story():
                if until > self.limit:
                    break
                self._pass_to(until)
            self._pass_to(self.limit if self.limit is not LONG_AGO_AHEAD else self.now)
        except _Cut:
            self.now = self.limit
            self._pass_to(self.limit)
        states = [self.hub.lead(lead) for lead in self.leads]
        for address in {a for s in states for p in s.people.values() for a in p.addresses}:
            self.contacts[blind(INDEX_KEY, address.kind, address.value)] = (address.kind, address.value)
        last = self.state if self.leads else LeadState()
        dues = [due.due_at for s in states for due in s.dues.values() if not due.missed]
        return Case(self.number, store.log[begin:], [n - begin for n in store.commits[commits:]], self.tokens, self.contacts,
                    sum(s.open for s in states), sum(not s.open for s in states),
                    "asleep" if last.asleep_until else last.stage if last.open else last.ended, min(dues, default=None))

    def _pass_to(self, moment: datetime) -> None:
        """What the worker does: time passes for the leads, in the order of time."""
        while True:
            instants = [(i, lead) for lead in self.leads for d in self.hub.lead(lead).dues.values() if not d.missed
                        for i in ((d.warn_at if d.warn_at and not d.warned else d.due_at),)]
            first = min(instants, default=None, key=lambda i: i[0])
            if first is None or first[0] > moment:
                break
            self.now = max(self.now, min(first[0] + timedelta(seconds=self.rng.randint(1, 3)), self.limit))
            self.hub.pass_time(first[1], at=self.now)
        self.now = max(self.now, moment)

    def _story(self) -> Waits:
        yield self.start
        if self.fate == "quarantine":
            yield from self._doubtful()
            return
        yield from self._arrive()
        yield from self._worked()
        if self.state.ended == "lost" and self.state.stage != "new" and self.chance(.08):
            yield self.days(90, .5)
            self.fate, self.rounds = self.rng.choice(("deep", "won", "early")), 0
            self.total = self._total()
            self.come(self.delivery(self.say(words.AGAIN), self.channel))
            yield from self._worked()

    def _doubtful(self) -> Waits:
        """Not a lead: a person dismisses it, sooner or later."""
        text = self.say(words.SPAM)
        self.come(self.delivery(text, "website"))
        receipt = self.desk.store.log[-1].originator_id
        yield self.after(200, 1.2)
        self.hub.dismiss(receipt, "Реклама", actor=Actor(_user("admin"), frozenset({"administrator"})), at=self._tick())

    def _arrive(self) -> Waits:
        text = self.say(words.SPAM if self.fate == "spam" else words.ASKS)
        self.come(self.delivery(text, self.channel))
        if self.chance(.015):
            yield from self._second_card()

    def _second_card(self) -> Waits:
        """The same client by an address that nobody knows yet: a second card, merged into the first (R6)."""
        first, self.persons = self.lead, 2
        self._person(1)
        yield self.after(25)
        self.come(self.delivery(self.say(words.AGAIN), "email", 1))
        other, self.lead = self.lead, first
        yield self.after(30)
        who = self.me
        if other != first:
            self.hub.merge(first, other, "Тот же клиент", actor=Actor(who, frozenset({ROLES[who]})), at=self._tick())

    def _worked(self) -> Waits:
        """Stage by stage, as the state says, to an end."""
        for _ in range(60):
            s = self.state
            if not s.open:
                break
            if s.asleep_until is not None:
                yield from self._asleep()
            else:
                yield from getattr(self, f"_in_{s.stage}")()
        else:
            raise RuntimeError(f"life {self.number} ({self.fate}) does not end: it is in {self.state.stage}")
        if self.state.ended == "won":
            yield from self._after_contract()
        elif self.state.ended == "lost" and "wake" in self.state.dues:
            yield self.state.dues["wake"].due_at + timedelta(minutes=30)
            if self.state.open:
                self.fate = "deep"
                yield from self._worked()

    def _rest(self, until: datetime) -> Waits:
        """Wait; now and then something happens meanwhile."""
        if until - self.now > timedelta(hours=20):
            if self.chance(.16):
                yield from self._client_writes(until)
            if self.chance(.2):
                yield self.days(.3)
                self.do("note", text=self.say(words.NOTES))
            if self.chance(.03) and self.state.open and self.state.owner:
                to = self.rng.choice([u for u, role in ROLES.items() if role == "manager" and u != self.state.owner])
                self.do("reassign", _user("head"), owner=to, why="Выравниваем загрузку")
        yield max(until, self.now)

    def _client_writes(self, until: datetime) -> Waits:
        yield self.process.calendar.next_opening(self.now + (until - self.now) * self.rng.random() * .6)
        s = self.state
        if not s.open or s.asleep_until:
            return
        self.come(self.delivery(self.say(words.AGAIN), "email" if s.address("email") else self.channel))
        yield self.after(35, 1)
        if self.state.open and self.state.owner:
            self.do("log_contact", way="email", direction="out", text=self.say(words.TALKS))

    # ── stages ───────────────────────────────────────────────────────────────────

    def _in_new(self) -> Waits:
        yield self.after(6, 1)
        if not self.state.owner:
            self.do("take")

    def _in_contact(self) -> Waits:
        yield self.after(12, 1)
        if self.fate == "spam":
            self.do("disqualify", criterion="not_a_client", note="Продают своё")
        elif self.fate == "unreachable":
            yield from self._unreachable()
        elif self.state.stage == "contact":
            self.sometimes(.2, "log_attempt", note="Не берёт трубку")
            self.do("capture_contact", phone=words.spoken(self.phone()) if not self.state.address("phone") else "",
                    timezone=self.zone, call_words=self.rng.choice(("", "до обеда", "после 15", "в любое время")))

    def _unreachable(self) -> Waits:
        for n in range(3):
            yield self.days(.9 if n else .1)
            self.do("log_attempt", way=self.rng.choice(("phone", "telegram")), note="Не отвечает")
        if self.chance(.2):
            self.do("lose", reason="vanished", closeness="unknown")
        else:
            self.do("disqualify", criterion="unreachable", note="Три попытки без ответа")

    def _in_screening(self) -> Waits:
        yield self.after(14, 1)
        if self.state.stage != "screening":
            return
        if self.fate == "spam":
            self.do("disqualify", criterion="not_a_client", note="Продают своё")
        elif self.fate == "unreachable":
            yield from self._unreachable()
        elif self.fate == "unfit":
            self.do("disqualify", criterion=self.rng.choice(("outside_services", "budget_below_minimum", "budget_below_minimum",
                                                             "impossible_deadline", "on_principle")), note=self.topic.task)
        else:
            yield from self._screened()

    def _screened(self) -> Waits:
        while self.chance(.2):
            self.do("log_attempt", note="Занято")
            yield self.after(90)
        t = self.topic
        if self.state.stage != "screening":
            return
        for item, note in (("introductions", f"‹n0›, {self.position}"), ("client", "‹c›"), ("pains", t.pain),
                           ("help", t.experience)):
            self.sometimes(.25, "check_item", checklist="screening", item=item, note=note)
        if not self.state.company or self.chance(.3):
            self.do("name_company", name="‹c›", inn=self.inn, site=f"https://case{self.number}.example")
        self.sometimes(.4, "edit_person", person=str(self.state.main_person), name="‹n0›", position=self.position)
        if not self.state.address("email") and (self.fate in ("deep", "won", "sheet") or self.chance(.4)):
            self.do("add_address", kind="email", value=self.email())
        self.sometimes(.6, "name_lead", about=t.task)
        self.sometimes(.5, "name_budget", amount=Decimal(self.budget), vat=self.rng.choice(("с НДС", "без НДС")))
        self.sometimes(.4, "find_need", text=t.hidden)
        self.do("finish_screening", progress=self.rng.choice(("meeting", "messenger", "none")), criteria_checked=True,
                note=self.say(words.TALKS))

    def _in_scoring(self) -> Waits:
        yield self.after(80, 1)
        if self.state.score is None:
            self.do("score", marks=self.marks(), notes={"budget": f"{self.budget // 1000} тыс."}, comment=self.say(words.NOTES))
            if self.state.stage != "scoring":
                return
        if self.fate == "early" and (self.rounds or self.chance(.8)):
            yield from self._lose()
        elif self.fate == "early":
            self.rounds += 1
            self.do("plan_step", step=self.say(words.STEPS), due_at=self.at_work(self.rng.randint(1, 4)))
            yield from self._rest(self.days(3))
            if self.state.next_step is not None:
                self.do("finish_step", result=self.say(words.TALKS))
        else:
            self._plan("interview", self.rng.randint(1, 6))

    def marks(self) -> dict[str, int]:
        """Marks that sum up to the total, a few of them against its sign."""
        names = list(self.process.parameters)
        self.rng.shuffle(names)
        against = min(2, (len(names) - abs(self.total)) // 2)
        sign = 1 if self.total >= 0 else -1
        values = [sign] * (abs(self.total) + against) + [-sign] * against
        return dict(zip(names, values + [0] * (len(names) - len(values)), strict=True))

    def _in_refusal(self) -> Waits:
        yield self.after(150, 1)
        s = self.state
        if not s.letters:
            partners = [(id, p.name) for id, p in self.hub.partners().items()]
            chosen = self.rng.sample(partners, self.rng.randint(0, 2))
            self.do("ask_letter", way="email" if s.address("email") else "telegram", to="" if s.address("email") else "‹n0›",
                    subject="Ваша заявка", body=self.say(words.REFUSALS), partners={str(id): name for id, name in chosen})
            self.do("mark_letter", letter=1)
        yield self.after(20)
        if self.state.open:
            self.do("refuse")

    def _plan(self, purpose: str, days: int) -> None:
        theirs = ("‹n0›", "финансовый директор", "руководитель ИТ")[:self.rng.randint(1, 3)]
        self.do("plan_meeting", purpose=purpose, starts_at=self.at_work(days), goal=self.topic.goal, ours=(NAMES[self.me],),
                theirs=theirs)

    def _in_preparation(self) -> Waits:
        if not self.state.planned_meetings:
            self._plan("interview", 3)
        if not self.state.group and self.chance(.5):
            self.do("form_group", members=((self.state.owner, "менеджер"), (_user("trainee"), "аналитик")))
        for item in ("competitors", "metrics", "weak_spots", "problem_questions", "cases", "benefit", "deck", "rehearsal"):
            self.sometimes(.3, "check_item", checklist="preparation", item=item, note=self.topic.competitor)
        meeting = self.state.planned_meetings[0]
        if self.chance(.2):
            yield from self._rest(meeting.starts_at - timedelta(hours=2))
            if self.chance(.75):
                self.do("move_meeting", meeting=meeting.id, starts_at=self.at_work(4), why="Попросил клиент", by_client=True)
            else:
                self.do("cancel_meeting", meeting=meeting.id, why="Клиент заболел")
            return
        yield from self._held("interview")

    def _held(self, purpose: str, **more: Any) -> Waits:
        """The planned meeting takes place and its outcome is written down, mostly in time."""
        meeting = self.state.planned_meetings[0]
        yield from self._rest(meeting.ends_at)
        yield self.after(18, 1)
        planned = {m.id for m in self.state.planned_meetings}
        if meeting.id not in planned:
            return
        step: dict[str, Any] = {"outcome": "continuation", "why": self.say(words.TALKS)}
        if self.chance(.65):
            step = {"outcome": "advance", "step": self.say(words.STEPS), "step_due": self.at_work(self.rng.randint(2, 7))}
        self.do("hold_meeting", meeting=meeting.id, text=f"{self.topic.pain}. {self.say(words.TALKS)}", **step, **more)

    def _in_interview(self) -> Waits:
        t = self.topic
        for kind, text, answer in (("problem", t.problem, t.answer), ("developing", t.developing, t.worth)):
            self.sometimes(.5, "ask_question", kind=kind, text=text, answer=answer)
        yield from self._rest(self.days(1))
        if self.fate == "deep" and self.chance(.3):
            yield from self._lose()
            return
        self.do("state_benefit", text=t.benefit, kpi=t.kpi)
        self.do("promise_proposal", ready_on=self.date(self.rng.randint(3, 9)), presented=self.chance(.7))
        self.do("move", to="proposal")

    def _in_proposal(self) -> Waits:
        yield from self._rest(self.days(3.2))
        if self.state.stage != "proposal":
            return
        if self.fate == "deep" and self.chance(.15):
            yield from self._lose()
            return
        self.do("draft_proposal", amount=Decimal(round(self.budget * self.rng.uniform(.9, 1.6), -3)), valid_until=self.date(45),
                vat=self.rng.choice(("с НДС", "без НДС")), note="Две очереди")
        if self.state.proposal and self.state.proposal.needs_head:
            yield self.after(120)
            self.do("contribute", _user("head"), text="Поставила команду, пересчитала риски")
        if self.state.next_step is not None:
            self.do("finish_step", result="Собрали")
        if self.chance(.6):
            if not self.state.planned_meetings:
                self._plan("presentation", self.rng.randint(2, 6))
            yield from self._held("presentation", feedback=self.say(words.TALKS))
            for item in ("decision_date", "competitors", "criteria", "feedback"):
                self.sometimes(.3, "check_item", checklist="presentation", item=item, note=self.say(words.RIVALS))
        if self.state.stage == "proposal":
            if not self.state.address("email"):
                self.do("add_address", kind="email", value=self.email())
            self.do("send_proposal")

    def _in_presentation(self) -> Waits:
        yield from self._rest(self.days(1.8))
        if self.state.stage != "presentation":
            return
        if self.fate == "won" and self.chance(.35):
            yield from self._win()
        elif self.fate == "deep" and self.chance(.25):
            yield from self._lose()
        else:
            self.do("log_contact", way="phone", goal="Узнать о решении", text=self.say(words.TALKS))
            yield self.now + timedelta(days=3)

    def _in_follow_up(self) -> Waits:
        self.rounds += 1
        yield from self._rest(self.days(2.5))
        if self.state.stage != "follow_up" or not self.state.open or self.state.asleep_until:
            return
        if self.state.next_step is not None and self.chance(.8):
            self.do("finish_step", result=self.say(words.TALKS))
        if self.rounds > 1 and self.chance(.25 + .1 * self.rounds):
            yield from self._win() if self.fate == "won" else self._lose()
            return
        match self._one((("ping", .5), ("request", .2), ("stall", .12), ("sleep", .08), ("decider", .06), ("again", .04))):
            case "request":
                yield from self._request()
            case "stall":
                self._stall()
            case "sleep":
                self.do("sleep", until=self.date(self.rng.randint(20, 90)), why="Отложили запуск")
            case "decider" if self.loops < 2:
                self._another_decides()
            case "again":
                self.do("move", to="proposal", why="Пересчитать без второй очереди")
            case _:
                step = self.chance(.5)
                self.do("log_contact", way="phone", goal="Понять, чего не хватает", text=self.say(words.TALKS),
                        **({"outcome": "advance", "step": self.say(words.STEPS), "step_due": self.at_work(self.rng.randint(2, 6))}
                           if step else {"outcome": "continuation", "why": self.say(words.TALKS)}))

    def _another_decides(self) -> None:
        """Back to the interview with another decision maker (R25)."""
        self.loops += 1
        slot = self.persons = min(self.persons + 1, 4)
        self._person(slot - 1)
        self.do("change_decision_maker", name=f"‹n{slot - 1}›", position="генеральный директор", phone=self.phone(slot - 1),
                why="Решает не он")

    def _request(self) -> Waits:
        kind = self.rng.choice(("documents", "contract_template", "questions", "meeting", "test_task"))
        self.do("open_request", kind=kind, text=self.say(words.AGAIN))
        number = max(self.state.requests)
        yield from self._rest(self.days(1.2))
        asked = self.state.requests.get(number)  # gone where the lead came back meanwhile and began anew
        if not self.state.open or asked is None or asked.status != "open":
            return
        if kind == "test_task":
            favour = self.chance(.4)
            self.do("give_opinion", _user("head"), request=number, in_favour=favour, resources="Свободных нет до конца месяца")
            self.do("decide_test", request=number, accepted=favour, text="Решили вместе")
            if not favour:
                return
        self.do("close_request", request=number, text="Отправили", done=self.chance(.9))

    def _stall(self) -> None:
        reason = self.rng.choice(("waiting_decision", "no_time", "cannot_choose"))
        asked: dict[str, Any] = {"waiting_decision": {"who": "‹n0›", "involved": True},
                                 "no_time": {"decision_date": self.date(9)},
                                 "cannot_choose": {"debrief": self.say(words.DEBRIEFS), "wish": "Дешевле поддержку"}}[reason]
        self.do("find_stall", reason=reason, **asked)
        play = next(p.id for p in self.process.stalls[reason].play)
        self.sometimes(.6, "play_stall", stall=max(self.state.stalls), action=play, result=self.say(words.TALKS))

    def _asleep(self) -> Waits:
        wake = self.state.dues.get("wake")
        until = wake.due_at if wake else self.now + timedelta(days=1)
        yield until + timedelta(minutes=self.rng.randint(20, 400))

    # ── ends ─────────────────────────────────────────────────────────────────────

    def _lose(self) -> Waits:
        yield from self._rest(self.days(2))
        if not self.state.open or self.state.asleep_until or "lost" not in self._endings():
            return
        late = self.state.stage in ("presentation", "follow_up")
        reason = self._one((("price", .22), ("chose_others", .2 if late else .05), ("no_budget", .16), ("vanished", .16),
                            ("cancelled", .1), ("in_house", .06), ("no_decision_maker", .08), ("test_task", .02)))
        closeness = self._one((("second", .12), ("short_list", .3), ("considered", .38), ("never_close", .2)) if late else
                              (("considered", .3), ("never_close", .45), ("unknown", .25)))
        more: dict[str, Any] = {"debrief": self.say(words.DEBRIEFS)} if self.chance(.7) else {}
        if closeness == "second":
            more |= {"competitor": self.rng.choice(words.RIVALS), "competitor_until": self.date(self.rng.randint(60, 240))}
        self.do("lose", reason=reason, closeness=closeness, **more)

    def _endings(self) -> list[str]:
        return [e.id for e in self.process.endings.values() if self.state.stage in e.sources]

    def _win(self) -> Waits:
        yield from self._rest(self.days(2.5))
        if not self.state.open or self.state.asleep_until or "won" not in self._endings():
            return
        amount = self.state.proposal.money.amount if self.state.proposal else Decimal(self.budget)
        self.do("win", contract_number="‹k›", amount=amount, signed_on=self.date(0))

    def _after_contract(self) -> Waits:
        account = self.rng.choice([u for u, role in ROLES.items() if role == "account"])
        yield self.after(200, 1)
        self.do("hand_over", account, account_manager=account, note=self.say(words.NOTES))
        if self.chance(.5):
            yield self.days(15)
            self.do("record_installed", account, text=self.topic.experience)
        if self.chance(.3):
            self.do("record_chance", account, kind="upsell", text=self.topic.benefit, amount=Decimal(self.budget // 2))
            yield self.days(12)
            self.do("close_chance", account, chance=1, won=self.chance(.4), text=self.say(words.TALKS))
        if self.chance(.1):
            yield self.days(30)
            self.come(self.delivery(self.say(words.AGAIN), "email"))
            yield self.after(40)
            self.do("log_contact", account, way="email", direction="out", text=self.say(words.TALKS))


def arrival(rng: Random, monday: datetime) -> datetime:
    """A moment of the week that begins at ``monday`` (midnight of the company's clock): more by day, few at weekends."""
    day = rng.choices(range(7), DAYS)[0]
    hour = rng.choices(range(24), HOURS)[0]
    return monday + timedelta(days=day, hours=hour, seconds=rng.randrange(3600))


__all__ = ["NAMES", "OPEN_AGES", "PEOPLE", "ROLES", "Case", "Desk", "Life", "Refused", "arrival", "moment"]

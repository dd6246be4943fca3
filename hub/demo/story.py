"""One lead's story: who does what, in the words of its client's business. Generators wait; plain methods act at once."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hub.bootstrap import House
from hub.demo import arrivals
from hub.demo.clients import CLIENTS
from hub.demo.people import NAMES, actor, user_id
from hub.demo.simulator import Simulator, Waits
from hub.domain.aggregate import Actor
from hub.domain.delivery import Delivery
from hub.domain.partner import TemplateState
from hub.domain.staff import user_stream
from hub.domain.state import LeadState

LOGINS = {user_id(login): login for login in NAMES}
PREPARED = ("competitors", "metrics", "weak_spots", "problem_questions", "extracting_questions", "cases", "benefit", "hooks",
            "deck", "objections", "rehearsal")
NO_TEMPLATE = TemplateState("refusal", "", "")
UNSAID = tuple(f"— {reason}:" for reason in ("адекватность", "понимание digital", "доступ к лпр", "скорость ответов",
                                            "рентабельность", "отрасль", "ясность потребности"))
"""Reasons of a sheet that a person strikes out of the letter before confirming it (R12)."""
SOLD_INSIDE = ("processes", "analytics", "clear_proposal", "upward_deck")


def bare(text: str) -> str:
    """A quote without its quotation marks."""
    return text.strip("«»")


class Story:
    """A client and what the department does with the lead. ``lead`` is set by the first delivery."""

    def __init__(self, sim: Simulator, house: House, client: str, *, gives_phone: bool = True) -> None:
        self.sim = sim
        self.house = house
        self.hub = house.hub
        self.client = replace(CLIENTS[client], gives_phone=gives_phone)
        self.topic = self.client.topic
        self.random = random.Random(self.client.number)
        self.lead = UUID(int=0)

    # ── acting ───────────────────────────────────────────────────────────────────

    @property
    def state(self) -> LeadState:
        """The lead as it is."""
        return self.hub.lead(self.lead)

    @property
    def me(self) -> str:
        """Who works the lead: its owner (Anna stands in for an absent one), else the manager whose turn it is."""
        s = self.state
        owner = s.owner or next((u for u in s.offered_to if LOGINS[u] in ("anna", "dmitry")), user_id("anna"))
        away = self.hub.users()[user_stream(LOGINS[owner])].absent_on(self.date(0))
        return "anna" if away else LOGINS[owner]

    def do(self, command: str, by: str = "", **arguments: Any) -> None:
        """A command by the owner, or by somebody else."""
        self.hub.do(self.lead, command, arguments, actor=actor(by or self.me), at=self.sim.tick())

    def at_once(self, command: str, seconds: int = 1, **arguments: Any) -> None:
        """A command of the owner right after the one before."""
        self.sim.clock += timedelta(seconds=seconds)
        self.hub.do(self.lead, command, arguments, actor=actor(self.me), at=self.sim.clock)

    @staticmethod
    def actor(login: str) -> Actor:
        """A colleague, for what is not a command of the lead."""
        return actor(login)

    def come(self, delivery: Delivery) -> None:
        """The delivery arrives now; the first one begins the lead."""
        received = self.hub.receive(delivery, at=self.sim.clock)
        if received.lead is not None:
            self.lead = received.lead

    def arrive(self, channel: str, text: str = "", **more: Any) -> None:
        """The client's own delivery by a channel: ``website``, ``phone``, ``email``, ``telegram`` or ``vk``."""
        at = self.sim.clock
        match channel:
            case "website":
                self.come(arrivals.website(self.house, self.client, at, text=text, **more))
            case "phone":
                self.come(arrivals.phone(self.client, at, text))
            case "email":
                self.come(arrivals.email(self.client, at, text, **more))
            case _:
                self.come(arrivals.social(self.client, at, text, channel, **more))

    # ── moments ──────────────────────────────────────────────────────────────────

    def minutes(self, minutes: int) -> datetime:
        """So many working minutes from now."""
        return self.sim.process.calendar.add(self.sim.clock, minutes)

    def day(self, days: int, hour: str) -> datetime:
        """So many working days from now, at an hour; not before now."""
        return max(self.sim.after(days, hour), self.sim.clock)

    def date(self, days: int) -> date:
        """A date so many calendar days from now."""
        return self.sim.process.date_of(self.sim.clock) + timedelta(days=days)

    # ── the road: first contact to segment ───────────────────────────────────────

    def begin(self, at: datetime, channel: str, reaction: int = 7, **more: Any) -> Waits:
        """The request comes at ``at`` and is taken ``reaction`` working minutes later."""
        yield at
        self.arrive(channel, **more)
        yield self.minutes(reaction)
        self.do("take")

    def contact(self, words: str = "") -> Waits:
        """Contact capture, where the delivery left something to ask (R3)."""
        if self.state.stage == "contact":
            yield self.minutes(9)
            self.do("capture_contact", phone=self.client.phone, timezone=self.client.zone, call_words=words or "до обеда")

    def screen(self, progress: str = "meeting", wait: int = 9) -> Waits:
        """The first talk in its four parts; the company, the budget and a hidden need are known after it (R5)."""
        yield from self.contact()
        yield self.minutes(wait)
        c, t = self.client, self.topic
        for item, note in (("introductions", f"{c.name}, {c.position}"), ("client", c.company), ("pains", t.pain),
                           ("help", t.experience)):
            self.do("check_item", checklist="screening", item=item, note=note)
        self.do("name_company", name=c.company, inn=c.inn, site=f"https://{c.domain}")
        self.do("edit_person", person=str(self.state.main_person), name=c.name, position=c.position)
        if not self.state.address("email"):
            self.do("add_address", kind="email", value=c.email)
        self.do("name_lead", title="", about=t.task)
        self.do("name_budget", amount=Decimal(c.budget) * 1000, vat="без НДС" if c.number % 2 else "с НДС",
                note="Назвали сами" if c.number % 3 else "Вилка, нижняя граница")
        self.do("find_need", text=t.hidden)
        self.do("finish_screening", progress=progress, criteria_checked=True,
                note="Договорились о встрече" if progress == "meeting" else "Продолжим в Telegram")

    def score(self, total: int, comment: str = "", wait: int = 25) -> Waits:
        """A sheet with this total (R9)."""
        yield self.minutes(wait)
        marks = self.marks(total)
        notes = {"budget": f"{self.client.budget} тыс. ₽", "experience": self.topic.experience}
        self.do("score", marks=marks, notes=notes, comment=comment or ("Интересный проект" if total > 9 else ""))

    def marks(self, total: int) -> dict[str, int]:
        """Marks that sum up to ``total``, a few of them against its sign."""
        names = list(self.sim.process.parameters)
        self.random.shuffle(names)
        against = min(2, (len(names) - abs(total)) // 2)
        sign = 1 if total >= 0 else -1
        values = [sign] * (abs(total) + against) + [-sign] * against
        return dict(zip(names, values + [0] * (len(names) - len(values)), strict=True))

    def qualify(self, at: datetime, channel: str, total: int, **more: Any) -> Waits:
        """From the request to the sheet on one day."""
        yield from self.begin(at, channel, **more)
        yield from self.screen()
        yield from self.score(total)

    # ── meetings, interview ──────────────────────────────────────────────────────

    def plan(self, purpose: str, starts_at: datetime, goal: str = "", *, ours: tuple[str, ...] = (), theirs: int = 2,
             **more: Any) -> None:
        """Plan a meeting with its goal; by default one of ours meets two of theirs."""
        people = (self.client.name, f"{self.client.position} и коллега", "Финансовый директор", "Руководитель ИТ")[:theirs]
        self.do("plan_meeting", purpose=purpose, starts_at=starts_at, goal=goal or self.topic.goal, minutes=60,
                ours=ours or (NAMES[self.me],), theirs=people, **more)

    def prepare(self, items: int = len(PREPARED)) -> Waits:
        """The working group and so many items of the checklist, a few at a time (R16)."""
        self.do("form_group", members=((self.state.owner, "менеджер"), (user_id("trainee"), "аналитик"),
                                       (user_id("olga"), "маркетолог")))
        notes = {"competitors": f"Сравнили с тремя соседями по рынку и с «{bare(self.topic.competitor)}»",
                 "benefit": self.topic.benefit, "cases": self.topic.experience}
        for n, item in enumerate(PREPARED[:items], 1):
            self.do("check_item", checklist="preparation", item=item, note=notes.get(item, ""))
            if n % 4 == 0:
                yield self.minutes(self.random.randint(30, 70))

    def interview(self, ready_in: int = 5, presented: bool = True) -> Waits:
        """The planned interview takes place; what R17 asks for is agreed, and the proposal begins."""
        meeting = self.state.planned_meetings[0]
        yield meeting.ends_at + timedelta(minutes=12)
        t = self.topic
        self.do("ask_question", kind="problem", text=t.problem, answer=t.answer)
        self.do("ask_question", kind="developing", text=t.developing, answer=t.worth)
        self.do("make_explicit", need=1, quote=bare(t.quote))
        ready = self.day(ready_in, "18:00")
        self.do("hold_meeting", meeting=meeting.id, outcome="advance", text=f"{t.pain}. Договорились о КП.",
                step="Подготовить КП", step_due=ready)
        self.do("state_benefit", text=t.benefit, kpi=t.kpi)
        self.do("promise_proposal", ready_on=ready.date(), presented=presented)
        self.do("move", to="proposal")

    # ── proposal, presentation, follow-up ────────────────────────────────────────

    def draft(self, head: bool = True, off: int = 0) -> None:
        """A version of the proposal, ``off`` per cent cheaper; with a high total the head takes part in it (R18)."""
        amount = Decimal(self.client.amount * (100 - off) * 10)
        self.do("draft_proposal", amount=amount, valid_until=self.date(30), vat="с НДС" if self.client.number % 2 else "без НДС",
                note="Две очереди, первая за 10 недель" if not off else "Без второй очереди, поддержка отдельно")
        if self.state.proposal and self.state.proposal.needs_head and head:
            self.do("contribute", by="head", text="Поставила команду, пересчитала риски интеграции, добавила SLA")
        if self.state.next_step is not None:
            self.do("finish_step", result="КП собрано")

    def propose(self, days: int = 3, hour: str = "12:10", head: bool = True) -> Waits:
        """Some days later there is a version."""
        yield self.day(days, hour)
        self.draft(head)

    def present(self, outcome: str = "advance", decide_in: int = 7) -> Waits:
        """The planned presentation takes place (R20)."""
        meeting = self.state.planned_meetings[0]
        yield meeting.ends_at + timedelta(minutes=9)
        step: dict[str, Any] = {"why": "Ждут финансового директора из отпуска"}
        if outcome == "advance":
            step = {"step": "Созвониться после обсуждения у руководства", "step_due": self.day(3, "18:00")}
        self.do("hold_meeting", meeting=meeting.id, outcome=outcome, text="Показали КП и план работ, ответили на вопросы",
                feedback="Понравились сроки и команда, спорили о цене поддержки", decision_date=self.date(decide_in), **step)
        for item in ("equipment", "headcount", "decision_date", "competitors", "criteria", "feedback"):
            self.do("check_item", checklist="presentation", item=item,
                    note=f"Смотрят ещё: {self.topic.competitor}" if item == "competitors" else "")

    def ping(self, text: str = "Читают КП, вопросов пока нет", outcome: str = "continuation", days: int = 1, hour: str = "15:20",
             step_in: int = 4) -> Waits:
        """A call after the proposal (R22), with its outcome (R26)."""
        yield self.day(days, hour)
        if self.state.next_step is not None:
            self.do("finish_step", result="Созвонились")
        step: dict[str, Any] = {"step": "Получить ответ руководства", "step_due": self.day(step_in, "17:00")}
        if outcome == "continuation":
            step["why"] = "Руководитель ещё не смотрел"
        self.do("log_contact", way="phone", goal="Понять, чего не хватает для решения", text=text, outcome=outcome, **step)

    def onward(self, step: str, due_at: datetime, decide_in: int = 0) -> None:
        """The old step is over and a new one is planned; with ``decide_in`` days the client names a new decision date."""
        if self.state.next_step is not None:
            self.do("finish_step", result="Поговорили", step=step, due_at=due_at)
        else:
            self.do("plan_step", step=step, due_at=due_at)
        if decide_in:
            self.do("agree_decision_date", on=self.date(decide_in))

    def deal(self, at: datetime, channel: str, total: int, **more: Any) -> Waits:
        """From the request to a ready proposal, in some two weeks."""
        yield from self.qualify(at, channel, total, **more)
        self.plan("interview", self.day(2, "11:00"))
        yield from self.prepare()
        if total > 9:
            for item in SOLD_INSIDE:
                self.do("check_item", checklist="sell_inside", item=item)
        yield from self.interview()
        yield from self.propose()

    def shown(self, at: datetime, channel: str, total: int, **more: Any) -> Waits:
        """From the request to a presentation that took place, in some three weeks."""
        yield from self.deal(at, channel, total, **more)
        self.plan("presentation", self.day(2, "14:00"), "Договориться о дате решения", theirs=3,
                  ours=(NAMES[self.me], NAMES["head"]))
        yield from self.present()

    # ── ends ─────────────────────────────────────────────────────────────────────

    def win(self, account: str = "olga", days: int = 1, hour: str = "16:30", hand_over: bool = True) -> Waits:
        """The contract is signed and the deal handed over (R28, R30)."""
        yield self.day(days, hour)
        amount = self.state.proposal.money.amount if self.state.proposal else Decimal(self.client.amount * 1000)
        self.do("win", contract_number=f"{self.client.number:02d}/{self.sim.clock:%m-%y}", amount=amount, signed_on=self.date(0),
                vat="с НДС" if self.client.number % 2 else "без НДС")
        if hand_over:
            yield self.minutes(45)
            self.do("hand_over", account_manager=user_id(account), note="Любят созвоны по утрам, решения фиксируем письмом")

    def lose(self, reason: str, closeness: str, debrief: str, days: int = 2, **more: Any) -> Waits:
        """The deal is lost, some days later (R28)."""
        yield self.day(days, "13:40")
        self.do("lose", reason=reason, closeness=closeness, debrief=debrief, **more)

    def letter(self, partners: int = 2, wait: int = 40) -> Waits:
        """A refusal letter with the partners that fit (R12, R13), which then leaves."""
        yield self.minutes(wait)
        draft = self.hub.refusal_letter(self.lead, self.hub.template("refusal", NO_TEMPLATE), actor=actor(self.me))
        kept = [line for line in draft.body.splitlines() if not line.startswith(UNSAID)]
        self.do("ask_letter", to=draft.to or self.client.email, subject=draft.subject, body="\n".join(kept),
                partners={str(id): p.name for id, p in draft.partners[:partners]})
        yield self.minutes(2)
        self.do("mark_letter", letter=max(self.state.letters))

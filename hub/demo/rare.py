"""What happens now and then: cards that belong together, a wrong merge, a returning client, the quarantine, people away."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hub.bootstrap import House
from hub.channels.base import Request
from hub.channels.website import Website
from hub.demo import arrivals
from hub.demo.past import lost_late
from hub.demo.people import actor, later_changes, user_id
from hub.demo.simulator import Simulator, Waits
from hub.demo.story import Story
from hub.domain.delivery import Delivery
from hub.domain.errors import Refused
from hub.domain.form import HONEYPOT, Form, form_stream
from hub.domain.partner import Partner
from hub.domain.staff import User, user_stream

DOUBTFUL = (
    (9, "23:14", {"name": "Robert", "email": "promo@traffic.example",
                  "message": "Cheap traffic https://a.example https://b.example https://c.example https://d.example"}),
    (6, "14:02", {"name": "Кредит", "phone": "+7 900 000-70-02", "message": "Одобрим кредит бизнесу без справок", HONEYPOT: "1"}),
    (5, "12:37", {"name": "Пётр", "phone": "+7 900 000-70-03", "hub_token": "1700000000.x",
                  "message": "Нужен сайт для турбазы на Алтае с бронированием домиков, бюджет около миллиона"}),
    (2, "03:51", {"name": "Анастасия", "phone": "+7 900 000-70-01", "message": "Хочу узнать цену сайта", HONEYPOT: "да"}),
    (1, "11:29", {"name": "Валерий", "email": "v@zavod.example", "hub_token": "1700000000.y",
                  "message": "Прошу выслать прайс на разработку портала"}),
)
"""Submissions that a person should look at first: days ago, hour, fields. Links, the hidden field, a forged token."""


def stories(sim: Simulator, house: House) -> list[Waits]:
    """The rare stories."""
    def of(client: str, **more: bool) -> Story:
        return Story(sim, house, client, **more)

    return [
        two_cards(of("stalkon"), of("stalkon", gives_phone=False)), wrong_merge(of("buhta-hotel"), of("buhta-cafe")),
        two_channels(of("igla")), returning(of("kurier"), of("kurier")), reopened(of("arenda")),
        by_hand(of("kolos")), by_hand_and_contact_changed(of("perevoz")),
        quarantine(of("katun")), away(sim, house), directory(sim, house), form_test(of("kross")),
    ]


# ── cards that belong together (R6) ──────────────────────────────────────────────

def two_cards(call: Story, letter: Story) -> Waits:
    """One of them called, a colleague wrote: two cards about the same request, merged by a manager."""
    letter.client = replace(letter.client, name="Татьяна Быкова", position="менеджер по сбыту")
    yield from call.qualify(call.sim.on(5, "10:33"), "phone", 8)
    yield call.sim.on(4, "11:20")
    letter.arrive("email", files=(arrivals.BRIEF,))
    yield call.minutes(11)
    letter.do("take", by=call.me)
    yield call.minutes(6)
    call.hub.merge(call.lead, letter.lead, "Тот же завод, письмо после звонка", actor=actor(call.me), at=call.sim.tick())
    call.plan("interview", call.sim.ahead(820), theirs=3)


def wrong_merge(hotel: Story, cafe: Story) -> Waits:
    """Two clients with like names were merged by mistake and split again: nothing of either is lost."""
    yield from hotel.begin(hotel.sim.on(8, "05:40"), "website")
    yield from cafe.begin(hotel.minutes(30), "phone")
    yield hotel.minutes(5)
    hotel.hub.merge(hotel.lead, cafe.lead, "Одна «Бухта»", actor=actor(hotel.me), at=hotel.sim.tick())
    yield hotel.minutes(55)
    hotel.hub.unmerge(hotel.lead, cafe.lead, "Отель во Владивостоке, кафе в Калининграде", actor=actor("head"),
                      at=hotel.sim.tick())
    yield from cafe.screen("none")
    yield from cafe.score(-4)
    yield from hotel.screen()
    yield from hotel.score(5)
    hotel.plan("interview", hotel.sim.ahead(1600), theirs=2)
    yield from cafe.lose("cancelled", "never_close", "Передумали делать доставку", 3)


def two_channels(s: Story) -> Waits:
    """A form, then a message in Telegram with the same number: one card (R6)."""
    yield s.sim.ago(240)
    s.arrive("website")
    yield s.minutes(6)
    s.do("take")
    yield from s.screen("messenger")
    yield from s.score(3)
    s.do("plan_step", step="Прислать подборку магазинов тканей", due_at=s.sim.ahead(180))
    yield s.sim.ago(20)
    s.arrive("telegram", f"Это снова Маргарита из «Иглы», мой номер {s.client.phone}. А выкройки тоже можно продавать?")


def returning(first: Story, again: Story) -> Waits:
    """A client whose deal was lost writes again: a new lead that knows the old one (R29)."""
    yield from lost_late(first, 50, "website", 5, "no_decision_maker", "unknown", "До собственника так и не дошли")
    yield again.sim.ago(80)
    again.arrive("website", "Здравствуйте, мы общались осенью. Собственник сам попросил вернуться к вам, давайте созвонимся.")
    yield again.minutes(8)
    again.do("take")
    yield from again.contact("в любое время")


def reopened(s: Story) -> Waits:
    """A lost lead is worked again instead of a new one (R29)."""
    yield from s.qualify(s.sim.on(49, "15:08"), "phone", -3)
    yield from s.lose("cancelled", "considered", "Заморозили бюджет на сайты", 6)
    yield s.sim.on(7, "16:10")
    s.do("reopen", why="Позвонили сами: бюджет разморозили, база нужна к лету")
    s.do("score", marks=s.marks(2), comment="Второй заход")
    s.do("plan_step", step="Договориться о встрече", due_at=s.sim.ahead(60))


# ── by hand, people of the client's side (R1, R31) ───────────────────────────────

def by_hand(s: Story) -> Waits:
    """Met at a conference: a manager opened the card."""
    yield s.sim.on(3, "10:05")
    received = s.hub.open_by_hand(arrivals.by_hand(s.client), actor=actor("anna"), at=s.sim.clock)
    s.lead = received.lead or UUID(int=0)
    yield s.minutes(2)
    s.do("take", by="anna")
    yield from s.screen()
    yield from s.score(6)
    s.plan("meeting", s.sim.ahead(260), "Посмотреть производство и договориться об интервью", online=False, place="Цех на Лесной")


def by_hand_and_contact_changed(s: Story) -> Waits:
    """Recommended by a client; later another person of theirs is who we talk to (R31)."""
    yield s.sim.on(10, "12:18")
    s.lead = s.hub.open_by_hand(arrivals.by_hand(s.client), actor=actor("olga"), at=s.sim.clock).lead or UUID(int=0)
    yield s.minutes(12)
    s.do("take")
    yield from s.screen()
    yield from s.score(7)
    s.plan("interview", s.sim.on(7, "11:00"))
    yield from s.prepare()
    s.do("add_person", name="Азат Хуснуллин", position="руководитель диспетчерской", phone="+7 900 000-20-03",
         timezone="Europe/Moscow")
    new = next(id for id, p in s.state.people.items() if p.name == "Азат Хуснуллин")
    s.do("change_contact", person=str(new), why="Дина в отпуске, проект ведёт Азат")
    yield from s.interview(ready_in=9)
    s.do("finish_step", result="Собрали черновик", step="Согласовать черновик КП с Азатом", due_at=s.sim.ahead(200))


# ── what is not a lead ───────────────────────────────────────────────────────────

def quarantine(s: Story) -> Waits:
    """Doubtful submissions: one was released and became the lead of ``s``, one was dismissed, the others wait."""
    admin, anna = actor("admin"), actor("anna")
    receipts = {}
    for number, (days, hour, fields) in enumerate(DOUBTFUL):
        yield s.sim.on(days, hour)
        receipts[number] = s.hub.receive(_doubtful(s, number, fields), at=s.sim.clock).receipt
        if number == 1:
            yield s.sim.clock + timedelta(minutes=31)
            s.hub.dismiss(receipts[1], "Реклама кредитов", actor=admin, at=s.sim.tick())
        if number == 2:
            yield s.sim.clock + timedelta(minutes=17)
            s.lead = s.hub.release(receipts[2], actor=anna, at=s.sim.tick()).lead or s.lead
            s.do("take", by="anna")
            s.do("capture_contact", timezone="Asia/Barnaul", name=s.client.name, call_words="после 11 по Москве")
            yield s.sim.clock + timedelta(minutes=12)
            s.do("finish_screening", criteria_checked=True, progress="messenger", note="Настоящий: турбаза на Алтае, 24 домика")
            s.do("score", marks=s.marks(2), comment="Форма сочла роботом, а человек хороший")
            s.do("plan_step", step="Созвониться по видео, посмотреть базу", due_at=s.sim.ahead(380))


def _doubtful(s: Story, number: int, fields: dict[str, str]) -> Delivery:
    form = s.hub.form("main-site")
    assert form is not None
    request = Request("POST", "/f/main-site", {"content-type": "application/json", "user-agent": arrivals.BROWSER},
                      json.dumps(fields, ensure_ascii=False).encode(), f"198.51.100.{number + 7}", s.sim.clock)
    return Website(s.house.parts.form_key).accept(request, form, at=s.sim.clock).deliveries[0]


def form_test(s: Story) -> Waits:
    """The administrator sends a test through a form; somebody else's client is none of the trainee's (R12)."""
    yield s.sim.on(63, "11:00")
    admin = actor("admin")
    s.house.hub.change(Form, form_stream("calculator"), lambda f: f.note_test("demo"), actor=admin, at=s.sim.tick())
    yield s.sim.on(24, "12:30")
    other = s.hub.views.leads.rows("segment = 'B' AND ended = ''", limit=1)[0]
    with suppress(Refused):  # the refusal is what is shown: the attempt is recorded
        s.hub.do(UUID(other["id"]), "take", actor=actor("trainee"), at=s.sim.tick())


def directory(sim: Simulator, house: House) -> Waits:
    """The partner directory and the forms change (R13)."""
    yield sim.on(30, "12:00")
    paused = later_changes(house, sim.tick())
    yield sim.on(23, "10:40")
    house.hub.change(Partner, paused, lambda p: p.restore(), actor=actor("head"), at=sim.tick(), permissions=("partners",))


def away(sim: Simulator, house: House) -> Waits:
    """A manager is ill for two days and his leads are offered to the others (R34); an account manager's leave lies ahead."""
    def record(login: str, act: Callable[[User], None]) -> None:
        house.hub.change(User, user_stream(login), act, actor=actor("admin"), at=sim.tick())

    yield sim.on(12, "09:20")
    record("dmitry", lambda u: u.record_absence(sim.on(12, "09:00").date(), sim.on(11, "09:00").date(), "Больничный"))
    house.runner.catch_up()
    open_ = "owner = ? AND ended = '' AND merged_into IS NULL AND asleep_until IS NULL"
    for row in house.hub.views.leads.rows(open_, (user_id("dmitry"),)):
        house.hub.offer_absent(UUID(row["id"]), at=sim.tick())
    yield sim.on(12, "10:10")
    house.runner.catch_up()
    for row in house.hub.views.leads.rows(open_, (user_id("dmitry"),), limit=1):
        house.hub.do(UUID(row["id"]), "take", actor=actor("anna"), at=sim.tick())
    yield sim.on(8, "15:00")
    leave = sim.process.date_of(sim.end) + timedelta(days=6)
    record("pavel", lambda u: u.record_absence(leave, leave + timedelta(days=13), "Отпуск"))

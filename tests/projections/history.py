"""A history of a small department, made by the commands that people and the worker give: every table gets rows."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from msgspec.structs import replace

from hub.application import THE_HUB
from hub.domain.delivery import Address, File, Later
from hub.domain.event import Event
from hub.domain.events import FileRef
from hub.domain.fact import Fact
from hub.domain.form import Form, FormSettings, form_stream
from hub.domain.partner import Template, template_stream
from hub.domain.privacy import Count, Erasure, Noted, Removal
from hub.domain.staff import User, user_stream
from tests.house import MONDAY, Department, actor, after, form, phone, user

EMAIL = Address("email", "pyotr@example.ru")


@cache
def history() -> tuple[Event, ...]:
    """All events of the department's log, in order; the same objects in every test."""
    with tempfile.TemporaryDirectory() as folder, Department(Path(folder)) as house:
        house.begin()
        for tell in (settings, a_deal_won, lost_and_back, refused_with_a_letter, merged_and_split, left_lying, quarantined,
                     talked, sorted_out, advertised, erased):
            tell(house)
            house.runner.catch_up()
        return tuple(event for _, event in house.store.log(0, 100_000))


def advertised(house: Department) -> None:
    """Came by an advertisement, and wrote again from another one: the first counts."""
    for source in ("yandex", "vk"):
        marks = (("utm_source", source), ("utm_medium", "cpc"))
        house.receive(form(phone(77), id=f"ad {source}", attribution=marks), after(days=24))


def erased(house: Department) -> None:
    """Somebody's data was given out and erased; one provider still has to answer. The person was on no card of these."""
    by = {"actor": actor("adam"), "at": after(days=30)}
    person = uuid5(NAMESPACE_URL, "erased person")
    begun = {"people": (person,), "cards": (), "subjects": (person,), "reason": "Отзыв согласия"}
    removals = tuple(Removal("phone/main", "recording", f"RE{n}") for n in range(3))
    house.hub.change(Noted, uuid5(person, "archive"), lambda n: n.exported((person,), (), "Запрос клиента"), **by)
    for step in (lambda one: one.begin(begun, removals), lambda one: one.removed(1), lambda one: one.removed(2, "refused"),
                 lambda one: one.finish((Count("keys", 1),), ("backups",), ("sweep",))):
        house.hub.change(Erasure, uuid5(person, "erasure"), step, **by)


def settings(house: Department) -> None:
    """Forms, partners, templates, people."""
    by = {"actor": actor("adam"), "at": MONDAY}
    for name in ("main", "landing"):
        made = FormSettings(name=f"Форма {name}")
        house.hub.change(Form, form_stream(name), lambda f: f.make(name, made), **by)  # noqa: B023
    house.hub.change(Form, form_stream("landing"), lambda f: f.retire(), **by)
    prices = tuple(house.hub.process.price_segments)[:1]
    partner = house.hub.write_partner(None, name="Студия Б", prices=prices, **by)
    house.hub.write_partner(partner, name="Студия В", prices=prices, **by)
    house.hub.change(Template, template_stream("refusal"), lambda t: t.write("refusal", "Ответ", "Здравствуйте, {name}"), **by)
    shifts = dict.fromkeys(range(1, 8), "09:00-18:00")
    house.hub.change(User, user_stream("anna"), lambda u: u.set_shifts(shifts), actor=THE_HUB, at=MONDAY)
    house.absent("boris", after(days=20), after(days=25))


def a_deal_won(house: Department) -> None:
    """Through all of it: meeting, proposal, contract, handed over, a further request."""
    lead = house.screened_lead(phone(1))
    house.score(lead, 11)
    house.do(lead, "name_budget", amount="900000")
    house.do(lead, "plan_meeting", purpose="interview", starts_at=after(hours=3), goal="Понять задачу")
    house.do(lead, "hold_meeting", at=after(hours=4), meeting=1, outcome="advance", step="Прислать КП", step_due=after(days=2))
    house.do(lead, "state_benefit", at=after(hours=4), text="Меньше ручной работы", kpi="+20 %")
    house.do(lead, "promise_proposal", at=after(hours=4), ready_on=after(days=3).date(), presented=True)
    house.do(lead, "move", at=after(hours=5), to="proposal")
    house.do(lead, "draft_proposal", at=after(hours=5), amount="1500000", valid_until=after(days=40).date())
    house.do(lead, "contribute", "vera", after(days=1), text="Кейсы банка")
    house.do(lead, "plan_meeting", at=after(days=1), purpose="presentation", starts_at=after(days=2), goal="Показать КП")
    house.do(lead, "hold_meeting", at=after(days=2, hours=1), meeting=2, outcome="continuation", why="думают")
    house.hub.pass_time(lead, at=after(days=6))
    house.do(lead, "win", at=after(days=7), contract_number="1/26", amount="1500000", signed_on=after(days=7).date())
    house.do(lead, "hand_over", "vera", after(days=7), account_manager=user("olga"))
    house.receive(form(phone(1)), after(days=8))
    house.hub.open_request(lead, "Поддержка", actor=actor("olga"), at=after(days=9))
    house.do(lead, "record_chance", "olga", after(days=9), kind="upsell", text="Мобильное приложение", amount="400000")
    house.do(lead, "record_chance", "olga", after(days=9), kind="cross_sell", text="Реклама")
    house.do(lead, "close_chance", "olga", after(days=10), chance=1, won=True, text="Подписали")


def lost_and_back(house: Department) -> None:
    """Lost with a return date, woken on it, asleep, woken by the client; a second loss."""
    lead = house.screened_lead(phone(2))
    house.score(lead, 2)
    house.do(lead, "lose", at=after(days=1), reason="price", closeness="second", return_on=after(days=10).date())
    house.hub.pass_time(lead, at=after(days=11))
    house.do(lead, "sleep", at=after(days=11), until=after(days=60).date(), why="отложен")
    house.receive(form(phone(2)), after(days=12))
    house.do(lead, "lose", at=after(days=13), reason="price", closeness="considered")
    house.receive(form(phone(2)), after(days=14))


def refused_with_a_letter(house: Department) -> None:
    """R12, R13."""
    lead = house.screened_lead(phone(3))
    house.do(lead, "add_address", kind="email", value="no@example.ru")
    house.do(lead, "score", "anna", MONDAY, marks=dict.fromkeys(house.hub.process.parameters, -1))
    if house.hub.lead(lead).stage != "refusal":
        house.do(lead, "move", to="refusal")
    partner = next(iter(house.hub.partners()))
    house.do(lead, "ask_letter", "vera", body="К сожалению, нет", partners={str(partner): "Студия В"})
    house.do(lead, "mark_letter", "vera", letter=1)
    house.do(lead, "refuse", "vera")


def merged_and_split(house: Department) -> None:
    """R6."""
    a, b, c = (house.new_lead(form(phone(n))) for n in (10, 11, 12))
    house.do(a, "take")
    for other in (b, c):
        house.hub.merge(a, other, "один человек", actor=actor("anna"), at=after(minutes=20))
    house.receive(form(phone(11), EMAIL), after(minutes=25))
    house.hub.unmerge(a, b, "разные", actor=actor("anna"), at=after(minutes=30))


def left_lying(house: Department) -> None:
    """Untaken: reminded, late; another asleep and a third with an absent owner; a fourth has only come, a fifth is a test."""
    for n in (20, 21):
        house.hub.pass_time(house.new_lead(form(phone(n))), at=after(hours=2))
    house.do(house.screened_lead(phone(22)), "sleep", until=after(days=90).date(), why="отложен")
    house.hub.offer_absent(house.screened_lead(phone(23), who="boris"), at=after(days=21))
    house.new_lead(form(phone(24)), MONDAY + timedelta(days=21))
    house.new_lead(replace(form(phone(25)), test=True), MONDAY + timedelta(days=21))


def quarantined(house: Department) -> None:
    """One released, one dismissed, one waiting; and the same content twice."""
    sent = [replace(form(phone(30 + n), id=f"q{n}"), suspicion="links", files=(File("a", "text/plain", b"a"),)) for n in range(3)]
    receipts = [house.receive(delivery, after(days=21)).receipt for delivery in sent]
    house.hub.release(receipts[0], actor=actor("anna"), at=after(days=22))
    house.hub.dismiss(receipts[1], "реклама", actor=actor("anna"), at=after(days=22))
    for _ in range(2):
        house.receive(replace(form(phone(40), id=""), fingerprint="f"), after(days=22))


def talked(house: Department) -> None:
    """Messages of ours with every end, things to fetch, and what nobody could read."""
    chat = Address("telegram", "5", "id 5")
    later = tuple(Later("file", f"ref{n}", f"{n}.pdf") for n in range(3))
    lead = house.new_lead(replace(form(chat, phone(50), id="chat/1"), channel="social", source="telegram/main", names=("t/1",),
                                  later=later), after(days=23))
    house.do(lead, "take", at=after(days=23))
    for n in range(5):
        house.do(lead, "send_message", at=after(days=23), text=f"Ответ {n}",
                 route={"way": "telegram", "account": "telegram/main", "to": "5"})
    ends = (lambda one: one.message_sent(1, ("t/2",)), lambda one: one.message_failed(2, "provider", "нет"),
            lambda one: one.message_unknown(3, "cut"), lambda one: one.message_sent(4, ("t/3",)),
            lambda one: one.file_fetched(1, FileRef("0" * 64, "0.pdf", "application/pdf", 3)),
            lambda one: one.not_fetched(2, "gone"))
    for end in ends:
        house.hub.find_out(lead, end, at=after(days=23))
    house.hub.hear(Fact(about="t/3", kind="message", status="read"), channel="telegram", at=after(days=23))
    for n in range(3):
        house.hub.keep_unread("telegram", "telegram/main", "Бот", f"{{{n}", b"%d" % n, "unreadable", at=after(days=23))
    first, second, _ = (UUID(row["id"]) for row in _dead(house))
    house.hub.was_read(first, None, actor=actor("anna"), at=after(days=23))
    house.hub.dismiss(second, "проверка", actor=actor("anna"), at=after(days=23))


def sorted_out(house: Department) -> None:
    """Tagged, moved and moved back at once: what the move met is not met, and it made no stay."""
    lead, other = (house.screened_lead(phone(n)) for n in (60, 61))
    for tag in ("тендер", "срочно"):
        house.do(lead, "tag", "anna", MONDAY, tag=tag)
    house.do(lead, "untag", tag="срочно")
    house.do(other, "tag", tag="тендер")
    house.do(other, "sleep", until=after(days=90).date(), why="отложен")
    contact = house.new_lead(form(phone(62)), after(days=24))
    house.do(contact, "take", at=after(days=24))
    if house.hub.lead(contact).stage == "contact":
        house.do(contact, "capture_contact", at=after(days=24), timezone="Europe/Moscow")
    for _ in range(2):
        house.do(contact, "move", at=after(days=24, minutes=2), to="contact")
        house.do(contact, "undo_move", at=after(days=24, minutes=2, seconds=5))
    house.do(contact, "move", at=after(days=24, minutes=5), to="contact")


def _dead(house: Department) -> list[Any]:
    house.runner.catch_up()
    return house.views.channels.dead_letters()

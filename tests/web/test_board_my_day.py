"""My day, the search and the notices."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from hub.domain.delivery import Address
from hub.web.board import my, notices
from hub.web.frame import STATIC
from tests.web.conftest import sign_in
from tests.web.house import House
from tests.web.test_board import do, page, scored


@pytest.fixture
def manager(client: FlaskClient) -> FlaskClient:
    sign_in(client, "manager")
    return client


def section(html: str, id: str) -> str:
    """The text of a section of my day; empty where it is not shown."""
    found = re.search(rf'<section class="panel [^"]*" id="{id}".*?</section>', html, re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0])) if found else ""


def user(house: House, login: str) -> str:
    return f"user:{house.users[login]}"


def pass_time(house: House, *leads: UUID) -> None:
    for lead in leads:
        house.hub.pass_time(lead, at=house.clock())
    house.settle()


# ── my day ───────────────────────────────────────────────────────────────────────


def test_with_nothing_to_do_the_day_is_done(manager: FlaskClient) -> None:
    assert "На сегодня всё" in page(manager, "/my")


def test_an_offered_lead_can_be_taken_from_my_day_R34(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника")
    owner = house.hub.lead(lead).offered_to
    if user(house, "manager") not in owner:
        lead = house.receive("Вторая", "+79120000002")
    html = page(manager, "/my")
    assert "подошла очередь" in section(html, "offered")
    token = re.search(r'name="csrf-token" content="([^"]+)"', html)
    assert token
    answer = manager.post(f"/board/{lead}/take", data={"csrf_token": token[1], "back": "my"})
    assert (answer.status_code, answer.location) == (303, "/my")
    assert house.hub.lead(lead).owner == user(house, "manager")
    assert section(page(manager, "/my"), "offered") == ""


def test_what_is_late_comes_before_what_is_due_today(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника")
    scored(house, lead, 3)
    do(house, lead, "manager", "plan_step", step="Позвонить директору", due_at=house.clock() + timedelta(hours=2))
    assert "Позвонить директору" in section(page(manager, "/my"), "today")
    house.clock.advance(hours=3)
    html = page(manager, "/my")
    assert "Позвонить директору" in section(html, "late")
    assert section(html, "today") == ""


def test_a_meeting_is_shown_with_its_goal_and_then_asks_for_its_outcome_R26(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника")
    scored(house, lead, 3)
    do(house, lead, "manager", "plan_meeting", purpose="interview", starts_at=house.clock() + timedelta(hours=2), goal="Дата КП")
    html = page(manager, "/my")
    assert "Дата КП" in section(html, "meetings")
    assert "Записать итог" not in html
    house.clock.advance(hours=3, minutes=5)
    html = page(manager, "/my")
    assert section(html, "meetings") == ""
    assert "Записать итог встречи: глубинное интервью" in section(html, "today")


def test_tomorrows_meeting_is_shown_apart_and_does_not_make_the_day_busy(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника")
    scored(house, lead, 3)
    do(house, lead, "manager", "plan_meeting", purpose="interview", starts_at=house.clock() + timedelta(hours=24), goal="Дата КП")
    html = page(manager, "/my")
    assert "Дата КП" in section(html, "meetings_tomorrow")
    assert "На сегодня всё" in html


def test_a_request_is_its_owners_and_not_the_leads_owners_R23(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника")
    scored(house, lead, 3)
    do(house, lead, "manager", "open_request", kind="documents", text="Устав", owner=user(house, "second"))
    assert "Устав" not in page(manager, "/my")
    other = house.app.test_client()
    sign_in(other, "second")
    assert "Учредительные документы" in section(page(other, "/my"), "requests")


def test_a_returned_lead_asks_to_go_back_to_the_client_R29(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника")
    scored(house, lead, 3)
    do(house, lead, "manager", "sleep", until=(house.clock() + timedelta(days=7)).date(), why="весной")
    assert section(page(manager, "/my"), "returns") == ""
    assert "Дальше: вернуться" in page(manager, "/my")
    house.clock.advance(days=7)
    pass_time(house, lead)
    sign_in(manager, "manager")
    assert "Вернуться к клиенту" in section(page(manager, "/my"), "returns")


def test_an_item_of_a_checklist_is_its_owners_until_it_is_done_R16(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника")
    scored(house, lead, 3)
    do(house, lead, "manager", "assign_item", checklist="preparation", item="cases", owner=user(house, "manager"))
    assert "Релевантные кейсы" in section(page(manager, "/my"), "checks")
    do(house, lead, "manager", "check_item", checklist="preparation", item="cases")
    assert section(page(manager, "/my"), "checks") == ""


def test_the_head_is_asked_for_an_opinion_and_sees_what_is_late_R24(house: House, client: FlaskClient) -> None:
    lead, late = house.receive("Клиника"), house.receive("Поздняя", "+79120000002")
    scored(house, lead, 3)
    do(house, lead, "manager", "open_request", kind="test_task", text="Прототип")
    house.clock.advance(minutes=16)
    pass_time(house, late)
    sign_in(client, "head")
    html = page(client, "/my")
    assert "Мнение РОПа о тестовом" in section(html, "decide")
    assert "Поздняя" in section(html, "department")
    assert "никто не взял" in section(html, "department")


def test_a_high_scored_proposal_waits_for_the_heads_part_R18(house: House, client: FlaskClient) -> None:
    lead = house.receive("Клиника")
    scored(house, lead, 12)
    do(house, lead, "manager", "plan_meeting", purpose="interview", starts_at=house.clock() + timedelta(hours=1), goal="Польза")
    house.clock.advance(hours=2, minutes=30)
    do(house, lead, "manager", "hold_meeting", meeting=1, outcome="advance", step="КП",
       step_due=house.clock() + timedelta(days=1))
    do(house, lead, "manager", "draft_proposal", amount="100", valid_until=(house.clock() + timedelta(days=9)).date())
    sign_in(client, "head")
    assert "Принять участие в КП" in section(page(client, "/my"), "decide")
    do(house, lead, "head", "contribute", text="Этап сопровождения")
    assert "Принять участие в КП" not in page(client, "/my")


def test_the_account_manager_has_handed_over_clients_and_their_letters_R29_R30(house: House, client: FlaskClient) -> None:
    lead = house.receive("Клиника")
    scored(house, lead, 3)
    do(house, lead, "manager", "win", contract_number="1/26", amount="1000", signed_on=house.clock().date())
    do(house, lead, "manager", "hand_over", account_manager=user(house, "account"))
    sign_in(client, "account")
    assert "Клиенты после договора" in page(client, "/my")
    house.receive("Клиника", text="Ещё вопрос")
    assert "Ответить клиенту" in section(page(client, "/my"), "today")


def test_a_long_section_shows_its_first_lines_and_leads_to_all_of_them(
        house: House, manager: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(my, "MOST_LINES", 2)
    for number, step in enumerate(("Первое", "Второе", "Третье"), 1):
        lead = house.receive(f"Клиника {number}", f"+7912000000{number}")
        do(house, lead, "manager", "take")
        do(house, lead, "manager", "plan_step", step=step, due_at=house.clock() + timedelta(minutes=number))
    house.clock.advance(hours=1)
    short = page(manager, "/my")
    assert ("Первое" in section(short, "late"), "Третье" in section(short, "late")) == (True, False)
    more = re.search(r'href="(/my\?all=late)#late">ещё (\d+)', short)
    assert more
    whole = section(page(manager, more[1]), "late")
    assert "Третье" in whole
    assert "ещё" not in whole


# ── the search ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("words", ["+7 (912) 345-67-89", "8 912 345 67 89", "89123456789", "№ 1", "1", "L-1"])
def test_a_number_or_a_whole_phone_leads_straight_to_the_card(house: House, manager: FlaskClient, words: str) -> None:
    lead = house.receive("Клиника")
    answer = manager.get("/search", query_string={"q": words})
    assert (answer.status_code, answer.location) == (302, f"/leads/{lead}")


@pytest.mark.parametrize("words", ["меридиан", "МЕРИДИАН клиника", "klinika@example.ru", "запись к врачам", "фёдор", "федор",
                                   "912345"])
def test_words_find_leads_in_any_case_with_e_for_yo(house: House, manager: FlaskClient, words: str) -> None:
    address = (Address("phone", "+79123456789", ""), Address("email", "klinika@example.ru", ""))
    house.receive("Фёдор Ким", company="Клиника «Меридиан»", text="Запись к врачам", addresses=address)
    html = manager.get("/search", query_string={"q": words}).get_data(as_text=True)
    assert "Клиника «Меридиан»" in html


@pytest.mark.parametrize("words", ["%", "_", "' OR 1=1 --", "нетакого", "99999", "\\"])
def test_signs_of_sql_are_words_like_any_other(house: House, manager: FlaskClient, words: str) -> None:
    house.receive("Клиника")
    answer = manager.get("/search", query_string={"q": words})
    assert answer.status_code == 200
    assert "Ничего не нашлось" in answer.get_data(as_text=True)


def test_an_ended_lead_is_found_and_marked(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника")
    scored(house, lead, 3)
    do(house, lead, "manager", "lose", reason="price", closeness="second")
    html = manager.get("/search", query_string={"q": "клиника"}).get_data(as_text=True)
    assert re.search(r"Клиника</b>.*?Проигран", html, re.S)


# ── the notices ──────────────────────────────────────────────────────────────────


def test_notices_are_sentences_and_opening_them_marks_them_as_seen(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника")
    do(house, lead, "manager", "take")
    do(house, lead, "manager", "reassign", owner=user(house, "second"), why="отпуск")
    do(house, lead, "second", "reassign", owner=user(house, "manager"), why="вернулась")
    assert 'aria-hidden="true">1</span>' in page(manager, "/my") or 'class="n"' in page(manager, "/my")
    first = page(manager, "/notices")
    assert "Вам передали сделку." in first
    assert 'class="todo new"' in first
    again = page(manager, "/notices")
    assert "Вам передали сделку." in again
    assert 'class="todo new"' not in again
    assert house.hub.views.notices.count(user(house, "manager"), house.access.notices_seen(house.users["manager"])) == 0


def test_a_missed_deadline_names_what_was_due_R4(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника")
    do(house, lead, "manager", "take")
    house.clock.advance(hours=2)
    pass_time(house, lead)
    assert "Срок прошёл: «Провести первичный отсев»." in page(manager, "/notices")


def test_without_notices_the_page_says_what_will_be_there(house: House, client: FlaskClient) -> None:
    sign_in(client, "auditor")
    assert "Уведомлений ещё нет" in page(client, "/notices")


def test_every_icon_of_the_views_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))
    assert {*my.ICONS.values(), *(icon for icon, _tone in notices.ICONS.values())} <= sprite

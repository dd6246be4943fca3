"""The editor of the process (R0): draft, faults, difference, reason; and the first steps, and other people's sessions."""

from __future__ import annotations

import re

import pytest

from hub.application import THE_HUB
from hub.domain.publication import PROCESS_STREAM, Published, text_due
from tests.web.admin_pages import Browser, words
from tests.web.house import PROCESS, House
from tests.web.test_what_if import scored

TEXT = PROCESS.read_text(encoding="utf-8")


@pytest.fixture
def head(house: House) -> Browser:
    return Browser(house, "head")


def test_r0_a_changed_threshold_is_published_and_old_deals_replay_under_their_days_rules(house: House, head: Browser) -> None:
    old = scored(house, "+79123456701", 10)
    assert head.done("/settings/process", **{"from-A": "12"}) == "/settings/process/review"
    review = words(head.get("/settings/process/review"))
    assert "− from = 10" in review
    assert "+ from = 12" in review
    assert "+ to = 11" in review
    assert house.hub.process.version == 1
    assert head.done("/settings/process/publish", why="A даём слишком щедро") == "/process"
    event = house.store.read(PROCESS_STREAM)[-1]
    assert (event.number, event.source, event.why) == (2, "page", "A даём слишком щедро")  # type: ignore[attr-defined]
    assert event.actor == house.actor("head").id
    new = scored(house, "+79123456702", 10)
    assert (house.hub.lead(old).segment, house.hub.lead(new).segment) == ("A", "B")
    sheet = house.hub.lead(old).score
    assert sheet is not None
    assert house.hub.process_of_day(sheet.process_version).segment_of(sheet.total).id == "A"
    assert "A даём слишком щедро" in words(head.get("/settings/process/history"))
    assert "Черновика нет" in words(head.get("/settings/process/review"))


def test_r0_every_fault_is_said_in_russian_with_its_line_and_the_draft_is_kept(house: House, head: Browser) -> None:
    faulty = TEXT.replace('opens = "09:00"', 'opens = "9 утра"').replace('id = "take"', 'id = "grab"')
    head.done("/settings/process/text", text=faulty)
    page = words(head.get("/settings/process/text"))
    line = faulty[:faulty.index('opens = "9')].count("\n") + 1
    assert f"строка {line} : «9 утра» — не время: напишите так: 09:00" in page
    assert "нет срока «take»" in page
    assert "9 утра" in head.get("/settings/process/text")
    answer = head.post("/settings/process/publish", why="так")
    assert answer.status_code == 422
    assert "В файле есть ошибки" in words(answer.get_data(as_text=True))
    assert "не читается как TOML" in words(head.post("/settings/process/check", text='name = "x').get_data(as_text=True))
    assert "Ошибок нет" in words(head.post("/settings/process/check", text=TEXT).get_data(as_text=True))


def test_r0_drafts_are_each_persons_own_and_a_newer_version_is_not_overwritten_unseen(house: House, head: Browser) -> None:
    admin = Browser(house, "administrator")
    head.done("/settings/process", **{"from-A": "12"})
    admin.done("/settings/process", **{"from-A": "13"})
    admin.done("/settings/process/publish", why="раз")
    answer = head.post("/settings/process/publish", why="два")
    assert answer.status_code == 422
    assert "вступила в силу редакция 2" in words(answer.get_data(as_text=True))
    head.done("/settings/process/rebase")
    head.done("/settings/process/publish", why="два")
    assert house.hub.process.segments["A"].low == 12
    head.done("/settings/process/restore", version="1")
    head.done("/settings/process/publish", why="вернуть")
    assert house.hub.process.file.segments == house.hub.process_of_day(1).file.segments


def test_r0_publishing_wants_a_reason_a_difference_and_a_right(house: House, head: Browser) -> None:
    assert "публиковать нечего" in words(head.post("/settings/process/publish", why="так").get_data(as_text=True))
    head.done("/settings/process", **{"from-A": "12"})
    assert "Напишите, зачем" in words(head.post("/settings/process/publish", why=" ").get_data(as_text=True))
    head.done("/settings/process/discard")
    manager = Browser(house, "manager")
    assert manager.status("/settings/process") == 403
    assert manager.post("/settings/process/publish", why="так").status_code == 403
    nobody = TEXT.replace('may = ["read", "admin", "audit"]', 'may = ["read"]').replace(
        'may = ["read", "audit"]', 'may = ["read", "audit", "admin"]')
    house.hub.disable_user(house.users["auditor"], actor=THE_HUB, at=house.clock())
    head.done("/settings/process/text", text=nobody)
    assert "не останется администратора" in words(head.post("/settings/process/publish", why="так").get_data(as_text=True))


def test_r0_what_a_page_published_stays_until_the_servers_file_says_something_new(house: House, head: Browser) -> None:
    head.done("/settings/process", **{"from-A": "12"})
    head.done("/settings/process/publish", why="так")
    assert "from = 12" in house.hub.process_text_due(TEXT)
    newer = TEXT.replace("minutes = 15", "minutes = 16", 1)
    assert house.hub.process_text_due(newer) == newer
    assert house.hub.publish_process(house.hub.process_text_due(TEXT), (), (), actor=THE_HUB, at=house.clock())
    assert house.store.read(PROCESS_STREAM)[-1].source == "calendar"  # type: ignore[attr-defined]
    assert "from = 12" in house.hub.process_text_due(TEXT)
    assert text_due(Published(), TEXT) == TEXT


def test_usual_changes_keep_comments_and_everything_else(house: House, head: Browser) -> None:
    c = house.hub.process.file.calendar
    head.done("/settings/process", **{
        "length-decision": "3", "unit-decision": "days", "has-counts": "1",
        "counts": [p for p in house.hub.process.parameters if p != "responsiveness"], "opens": "10:00", "closes": c.closes,
        "weekdays": ["1", "2", "3", "4", "5"], "lunch_from": "13:00", "lunch_to": "14:00", "days_off": "2026-12-30\n2026-12-31",
        "title-new": "Новая", "hint-new": "Взять за 15 минут"})
    text = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", head.get("/settings/process/text"), re.S)
    assert text
    assert "days = 3                           # три календарных дня" in text[1]
    assert "# ─── Сегменты по сумме баллов, границы включительно (R10)" in text[1]
    assert len(text[1].splitlines()) == len(TEXT.splitlines()) + 1
    head.done("/settings/process/publish", why="так")
    process = house.hub.process
    assert process.stages["new"].title == "Новая"
    assert [p.id for p in process.parameters.values() if not p.counts] == ["responsiveness"]
    assert process.calendar.days_off[-1] >= process.file.calendar.days_off[-1]
    assert head.post("/settings/process", opens="10:00", closes="18:00", days_off="завтра").status_code == 422


# --- the first steps ---------------------------------------------------------------------------------------------------------


def test_an_empty_hub_leads_from_people_to_the_first_lead(house: House) -> None:
    admin = Browser(house, "administrator")
    page = words(admin.get("/"))
    assert "Первые шаги" in page
    assert "2. Создайте форму" in page
    assert "Создать форму" in page
    assert "Первые шаги" not in words(Browser(house, "manager").get("/"))
    house.make_form()
    assert "Отправить тест" in words(admin.get("/"))
    assert admin.done("/first-steps/test") == "/"
    page = words(admin.get("/"))
    assert "Тестовая карточка на месте" in page
    lead = re.search(r'href="(/leads/[0-9a-f-]{36})"', admin.get("/"))
    assert lead
    assert "Тестовая заявка" in words(admin.get(lead[1]))
    house.receive()
    assert "Первые шаги" not in words(admin.get("/"))


def test_the_first_steps_are_put_away_and_brought_back(house: House) -> None:
    admin = Browser(house, "administrator")
    admin.done("/first-steps/hide")
    assert "От пустого хаба" not in words(admin.get("/"))
    assert "Первые шаги" in words(admin.get("/settings"))
    admin.done("/first-steps/show")
    assert "От пустого хаба" in words(admin.get("/"))
    assert admin.post("/first-steps/test").status_code == 404


# --- other people's sessions -------------------------------------------------------------------------------------------------


def test_an_administrator_ends_a_colleagues_sessions_and_nobody_else_does(house: House) -> None:
    admin, manager, phone = Browser(house, "administrator"), Browser(house, "manager"), Browser(house, "manager")
    page = admin.get(f"/settings/users/{house.users['manager']}")
    keys = re.findall(r'name="key" value="([0-9a-f]+)"', page)
    assert len(keys) == 2
    admin.done(f"/settings/users/{house.users['manager']}/sessions/close", key=keys[0])
    assert sorted((manager.status("/my"), phone.status("/my"))) == [200, 302]
    admin.done(f"/settings/users/{house.users['manager']}/sessions/close")
    assert (manager.status("/my"), phone.status("/my")) == (302, 302)
    assert Browser(house, "head").post(f"/settings/users/{house.users['manager']}/sessions/close").status_code == 403

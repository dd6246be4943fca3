"""The search: the palette and the page, what they find, what they forgive, and for whom."""

from __future__ import annotations

import html
import re

import pytest

from hub.domain.delivery import Address
from hub.privacy import Eraser
from tests.web.admin_pages import Browser, words
from tests.web.house import House


@pytest.fixture
def manager(house: House) -> Browser:
    house.receive("Иван Петренко", "+79123456789", company="Клиника «Меридиан»", text="Нужен личный кабинет пациента")
    house.receive("Анна Гусева", "+79160001122", company="Ромашка", text="Нужен сайт, договор пришлём",
                  addresses=(Address("phone", "+79160001122", ""), Address("email", "guseva@example.ru", "")))
    return Browser(house, "manager")


def groups(page: str) -> dict[str, list[str]]:
    """Titles of the palette's groups with their options."""
    found = {}
    for part in page.split('role="group"')[1:]:
        title = re.search(r'<span class="h"[^>]*>(.*?)</span>', part)
        assert title
        found[title[1]] = [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", one)).split())
                           for one in re.findall(r'role="option".*?>(.*?)</a>', part, re.S)]
    return found


def ask(browser: Browser, q: str, lead: str = "") -> dict[str, list[str]]:
    answer = browser.client.get("/search/palette", query_string={"q": q, "lead": lead})
    assert answer.status_code == 200
    return groups(answer.get_data(as_text=True))


@pytest.mark.parametrize("q", ["меридиан", "Петренко", "vthblbfy", "meridian", "петр меридиан", "8 912 345-67-89", "+7(912)345",
                               "6789", "меридеан", "клиника кабинет"])
def test_a_lead_is_found_however_it_is_typed(manager: Browser, q: str) -> None:
    assert len([line for line in ask(manager, q)["Заявки"] if "Меридиан" in line]) == 1


def test_a_slip_is_said_and_what_was_meant_is_marked(manager: Browser) -> None:
    page = manager.get("/search/palette?q=ромажка")
    assert "Похожее: «ромашка»" in words(page)
    assert "<mark>Ромашка</mark>" in page
    assert "Показано похожее" in manager.get("/search?q=ромажка")


def test_people_are_found_by_name_and_phone_with_their_card(manager: Browser) -> None:
    for q in ("гусева", "uectdf", "1122"):
        assert any("Анна Гусева" in line and "№ 2" in line for line in ask(manager, q)["Люди"]), q
    assert "Люди" not in ask(manager, "ромашка")


def test_words_of_letters_and_notes_are_found_with_what_stands_around(house: House, manager: Browser) -> None:
    lead = house.hub.views.leads.by_number(2)
    assert lead is not None
    house.hub.do(lead, "take", actor=house.actor("manager"), at=house.clock())
    house.hub.do(lead, "note", {"text": "Директор просит смету до пятницы, <b>срочно</b>"}, actor=house.actor("manager"),
                 at=house.clock())
    found = ask(manager, "смета")
    assert "Заявки" not in found
    (line,) = found["Письма и заметки"]
    assert line.startswith("Директор просит смет у до пятницы, <b>срочно</b>")
    assert "Заметка, Ромашка" in line
    assert "<b>срочно" not in manager.get("/search/palette?q=смета")
    assert "<mark>смет</mark>у" in manager.get("/search?q=сметы")


def test_pages_are_commands_for_those_who_may_open_them(house: House, manager: Browser) -> None:
    assert "Карта процесса" in ask(manager, "карта")["Команды"]
    assert "Карта процесса" in ask(manager, "rfhnf")["Команды"]
    assert "Формы на сайтах" not in str(ask(manager, "формы"))
    assert "Формы на сайтах" in ask(Browser(house, "administrator"), "формы")["Команды"]
    assert ask(manager, "")["Команды"][0].startswith("Новый лид")
    assert "Новый лид" not in str(ask(Browser(house, "auditor"), ""))


def test_every_page_of_the_palette_is_there(house: House) -> None:
    from hub.web.search.commands import PAGES

    browser = Browser(house, "administrator")
    assert {page.url: browser.status(page.url) for page in PAGES if browser.status(page.url) != 200} == {}


def test_what_was_typed_becomes_a_new_card(manager: Browser) -> None:
    page = manager.get("/search/palette?q=Новая компания")
    assert "Новый лид «Новая компания»" in html.unescape(page)
    (url,) = re.findall(r'href="(/leads/new[^"]*)"', html.unescape(page))
    assert 'value="Новая компания"' in manager.get(url)
    (url,) = re.findall(r'href="(/leads/new[^"]*)"', html.unescape(manager.get("/search/palette?q=8 911 111-22-33")))
    assert "8 911 111-22-33" in manager.get(url)


def test_the_open_card_is_moved_from_the_palette(house: House, manager: Browser) -> None:
    lead = house.hub.views.leads.by_number(1)
    assert lead is not None
    house.hub.do(lead, "take", actor=house.actor("manager"), at=house.clock())
    house.settle()
    mine = ask(manager, "", str(lead))["Эта заявка"]
    assert mine
    for q in ("перевести", "gthtdtcnb"):
        assert any(line.startswith("Перевести:") for line in ask(manager, q, str(lead))["Эта заявка"]), q
    assert "Эта заявка" not in ask(Browser(house, "auditor"), "перевести", str(lead))
    assert "Эта заявка" not in ask(manager, "перевести", "nonsense")
    assert "Эта заявка" not in ask(manager, "перевести", "7a562345-5a59-5957-903a-fc2f0a5554a9")


def test_an_erased_person_is_not_found_and_no_word_of_theirs_stays(house: House, manager: Browser) -> None:
    lead = house.hub.views.leads.by_number(2)
    assert lead is not None
    person = house.hub.lead(lead).main_person
    assert ask(manager, "гусева")["Люди"]
    eraser = Eraser(house.hub, house.runner, house.app.extensions["hub"].accounts)
    eraser.erase(person, "просьба клиента", actor=house.actor("administrator"), at=house.clock())
    house.settle()
    for q in ("гусева", "гусив", "uectdf", "guseva", "1122", "+79160001122", "договор"):
        found = ask(manager, q)
        assert not {"Заявки", "Люди", "Письма и заметки"} & found.keys(), q
    with house.store.views.reading() as cursor:
        for table, column in (("lead_words", "word"), ("known_words", "word"), ("known_grams", "word"), ("text_words", "word"),
                              ("text_leads", "words"), ("leads", "words")):
            rows = cursor.execute(f"SELECT {column} AS said FROM {table}").fetchall()
            theirs = [row["said"] for row in rows if any(one in row["said"] for one in ("гусев", "guseva", "0001122", "договор"))]
            assert theirs == [], table


def test_without_words_the_page_says_what_can_be_found(manager: Browser) -> None:
    assert "Что найти?" in manager.get("/search")
    assert "Ничего не нашлось" in manager.get("/search?q=ыыыыы")
    assert "По этим словам ничего нет" in manager.get("/search/palette?q=ыыыыы")


def test_strangers_get_nothing(house: House) -> None:
    assert house.app.test_client().get("/search/palette?q=a", headers={"HX-Request": "true"}).status_code == 401

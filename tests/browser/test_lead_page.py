"""The lead card in a real browser: the composer and its drafts, one contact edited by two, what is done and what comes next."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from hub.demo.people import PASSWORD
from tests.browser.people import Person
from tests.browser.places import Product


@pytest.fixture
def anna(demo: Product, come: Callable[..., Person]) -> Person:
    return come(demo, "anna", PASSWORD)


def open_one(person: Person, stage: str) -> str:
    """Open the first card of a stage from the list, as people do; its address."""
    person.open(f"/leads?stage={stage}")
    with person.page.expect_navigation(wait_until="load"):
        person.page.locator("tbody tr th a").first.click()
    return person.page.url


def newest(page: Page) -> Locator:
    return page.locator(".timeline .e").first


def test_the_composer_keeps_drafts_and_sends_without_leaving_the_page(anna: Person) -> None:
    page = anna.page
    open_one(anna, "proposal")
    page.keyboard.press("1")
    note = page.get_by_label("Заметка по сделке")
    expect(note).to_be_focused()
    page.keyboard.type("Просили счёт до пятницы")
    page.locator("body").dispatch_event("keydown", {"key": "2", "code": "Digit2"})
    talk = page.get_by_label("О чём говорили")
    expect(talk).to_be_focused()
    talk.fill("Обсудили этапы")
    expect(page.locator("#c-call-step")).to_be_hidden()
    page.locator("#c-call-outcome").select_option("advance")
    expect(page.locator("#c-call-step")).to_be_visible()
    page.reload()
    expect(note).to_have_value("Просили счёт до пятницы")
    expect(talk).to_have_value("Обсудили этапы")
    page.evaluate("() => { window.here = true }")
    note.focus()
    page.keyboard.press("Control+Enter")
    expect(newest(page)).to_contain_text("Просили счёт до пятницы")
    expect(note).to_have_value("")
    assert page.evaluate("() => window.here"), "the page stayed"
    page.get_by_role("tab", name="Звонок").click()
    expect(page.locator("#c-call-step")).to_be_visible()
    page.get_by_role("button", name="Записать звонок").click()
    expect(page.locator("#c-call-goal-error, #c-call-step-error")).to_be_visible()
    expect(talk).to_have_value("Обсудили этапы")
    page.get_by_label("Цель").first.fill("Договориться о сроках")
    page.locator("#c-call-step").fill("Прислать план")
    page.locator("#compose-call [data-at]").last.click()
    talk.focus()
    page.keyboard.press("Control+Enter")
    expect(newest(page).or_(page.locator(".timeline .e").nth(1))).not_to_have_count(0)
    expect(page.locator(".timeline")).to_contain_text("Обсудили этапы")
    expect(page.locator(".lead-next-panel")).to_contain_text("Прислать план")
    page.reload()
    expect(page.get_by_label("О чём говорили")).to_have_value("")


def test_one_contact_edited_by_two_is_shown_side_by_side(demo: Product, anna: Person, come: Callable[..., Person]) -> None:
    head = come(demo, "head", PASSWORD)
    url = open_one(anna, "interview")
    head.open(url)
    for person in (anna, head):
        person.page.locator("[data-inline]").first.click()
        expect(person.page.locator(".person-form")).to_be_visible()
    head.page.get_by_label("Должность").fill("Совладелец")
    head.page.get_by_role("button", name="Сохранить").click()
    expect(head.page.locator(".people")).to_contain_text("Совладелец")
    anna.page.get_by_label("Должность").fill("Главный бухгалтер")
    anna.page.evaluate("document.dispatchEvent(new Event('refresh-live'))")
    expect(anna.page.get_by_label("Должность")).to_have_value("Главный бухгалтер")
    anna.page.get_by_role("button", name="Сохранить").click()
    clash = anna.page.get_by_role("alert", name="Разные правки")
    expect(clash.locator("label", has_text="Моё")).to_contain_text("Главный бухгалтер")
    expect(clash.locator("label", has_text="Валерия Громова")).to_contain_text("Совладелец")
    clash.locator("label", has_text="Моё").click()
    anna.page.get_by_role("button", name="Сохранить").click()
    expect(anna.page.locator(".person-form")).to_have_count(0)
    expect(anna.page.locator(".people")).to_contain_text("Главный бухгалтер")


def test_done_and_the_next_one_planned_by_keyboard_alone(anna: Person) -> None:
    page = anna.page
    open_one(anna, "preparation")
    window = page.locator("dialog#act")
    for done in (False, True):
        page.locator("body").dispatch_event("keydown", {"key": "п", "code": "KeyG"})
        expect(window.locator("form")).to_be_visible()
        if done:
            expect(window).to_contain_text("Сделано:")
            window.get_by_label("Что получилось").fill("Собрали")
        else:
            window.locator("[name=kind][value=step]").check()
        window.get_by_label("Что будет сделано, или цель разговора").fill("Собрать метрики" if not done else "Показать метрики")
        window.locator("[data-at]").first.press("Enter")
        page.keyboard.press("Control+Enter")
        expect(window).to_be_hidden()
    expect(page.locator(".lead-next-panel")).to_contain_text("Показать метрики")
    expect(page.locator(".timeline")).to_contain_text("Собрали")


def test_the_sheet_adds_itself_up_and_neighbours_are_a_key_away(anna: Person) -> None:
    page = anna.page
    url = open_one(anna, "follow_up")
    expect(page.locator("#around")).to_contain_text(re.compile(r"1 из \d+ в «"))
    page.keyboard.press("s")
    window = page.get_by_role("dialog", name="Лист оценки")
    expect(window.locator("form")).to_be_visible()
    names = list(dict.fromkeys(window.locator(".tri input").evaluate_all("all => all.map(i => i.name)")))
    assert len(names) == 15
    for name in names:
        window.locator(f'input[name="{name}"][value="1"]').check(force=True)
    expect(window.locator("[data-score-total]").first).to_have_text("+15")
    window.locator(f'input[name="{names[0]}"][value="1"]').press("ArrowLeft")
    expect(window.locator("[data-score-total]").first).to_have_text("+14")
    expect(window.locator("[data-score-segment]").first).to_have_text("сегмент A")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Клавиши")).to_contain_text("лист оценки")
    page.keyboard.press("Escape")
    for key in ("j", "k"):
        with page.expect_navigation(wait_until="load"):
            page.keyboard.press(key)
        expect(page.locator("#around")).to_contain_text("из")
    assert page.url == url

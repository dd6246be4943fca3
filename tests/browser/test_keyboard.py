"""The hub without a mouse: what the help of the keys promises."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from hub.demo.people import PASSWORD
from tests.browser.people import Person
from tests.browser.places import Product

FOCUSED = ":focus"


@pytest.fixture
def anna(demo: Product, come: Callable[..., Person]) -> Person:
    return come(demo, "anna", PASSWORD)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the focus is on what has this name."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("() => (document.activeElement.ariaLabel ?? document.activeElement.innerText ?? '').trim()") == name:
            return
    raise AssertionError(f"Tab does not come to {name!r}")


def test_the_first_tab_skips_to_the_content(anna: Person) -> None:
    page = anna.page
    anna.open("/leads")
    page.keyboard.press("Tab")
    expect(page.locator(FOCUSED)).to_have_text("К содержанию")
    expect(page.locator(FOCUSED)).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("key", ["Control+k", "/"])
def test_search_is_a_key_away_and_finds_a_phone(anna: Person, key: str) -> None:
    page = anna.page
    anna.open("/leads")
    page.keyboard.press(key)
    palette = page.get_by_role("dialog", name="Поиск и команды")
    expect(palette.get_by_role("combobox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    page.keyboard.press(key)
    page.keyboard.type("сайт")
    expect(palette.get_by_role("option", name="Показать все найденные")).to_be_visible()
    while not palette.get_by_role("option", name="Показать все найденные", selected=True).count():
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Поиск: «сайт»")
    expect(page.locator("[data-row]").first).to_be_visible()


def test_help_opens_by_its_key_and_escape_closes_it(anna: Person) -> None:
    page = anna.page
    anna.open("/")
    page.keyboard.press("?")
    help = page.get_by_role("dialog", name="Клавиши")
    expect(help).to_be_visible()
    page.keyboard.press("Escape")
    expect(help).to_be_hidden()


def test_rows_are_walked_by_j_and_k(anna: Person) -> None:
    page = anna.page
    anna.open("/leads")
    rows = page.locator("[data-row]")
    for key, row in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        expect(rows.nth(row)).to_have_class(re.compile(r"\bhere\b"))
        expect(rows.nth(row).locator("a").first).to_be_focused()


def test_keys_are_known_by_their_place_in_the_russian_layout(anna: Person) -> None:
    page = anna.page
    anna.open("/leads")
    page.locator("body").dispatch_event("keydown", {"key": "о", "code": "KeyJ"})
    expect(page.locator("[data-row]").first).to_have_class(re.compile(r"\bhere\b"))


def test_a_new_lead_is_a_key_away(anna: Person) -> None:
    anna.open("/")
    anna.page.keyboard.press("n")
    expect(anna.page.get_by_role("dialog", name="Новый лид").get_by_role("textbox", name="Телефон")).to_be_focused()
    anna.open("/my")
    anna.page.keyboard.press("n")
    expect(anna.page.get_by_role("heading", level=1)).to_have_text("Новый лид")


def test_a_lead_is_found_opened_and_taken_without_a_mouse(anna: Person) -> None:
    page = anna.page
    anna.open("/leads?stage=new")
    page.keyboard.press("j")
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")
    tab_to(page, "Взять в работу")
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")
    expect(page.locator(".facts")).to_contain_text("Ответственный Анна Ковалёва")
    tab_to(page, "Заметка")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Звонок")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Звонок")).to_be_visible()
    tab_to(page, "Человек")
    page.keyboard.press("Enter")
    window = page.get_by_role("dialog", name="Новый человек")
    expect(window).to_be_visible()
    expect(window.locator(FOCUSED)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    expect(page.locator(FOCUSED)).to_have_text("Человек")


def test_brackets_step_through_the_events_of_a_card_in_both_layouts(anna: Person) -> None:
    page = anna.page
    anna.open("/leads?stage=presentation")
    page.keyboard.press("j")
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")
    slider = page.get_by_role("slider", name="Событие карточки")
    count = int(str(slider.get_attribute("max")))
    body = page.locator("body")
    for press, at in ((lambda: page.keyboard.press("["), count - 1),
                      (lambda: body.dispatch_event("keydown", {"key": "х", "code": "BracketLeft"}), count - 2),
                      (lambda: body.dispatch_event("keydown", {"key": "ъ", "code": "BracketRight"}), count - 1)):
        with page.expect_navigation(wait_until="load"):
            press()
        expect(body).to_have_class("past")
        expect(slider).to_have_value(str(at))
        expect(page).to_have_url(re.compile(rf"[?]at={at}$"))
    with page.expect_navigation(wait_until="load"):
        slider.press("Home")
    expect(slider).to_have_value("1")
    page.get_by_role("link", name="Вернуться").click()
    expect(body).not_to_have_class("past")
    page.get_by_role("link", name="Почему: Люди").press("Enter")
    window = page.get_by_role("dialog", name="Почему так")
    expect(window).to_contain_text("№ ")
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()

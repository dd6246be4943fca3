"""The board by mouse, by keyboard and by thumb: dragging, its refusals and questions, undo, several at once."""

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


def card(page: Page, name: str, column: str = "") -> Locator:
    """A card by its lead's name; in one column where that is named."""
    return page.locator(f"#col-{column} .card" if column else "#columns .card").filter(has_text=name)


def count(page: Page, column: str) -> int:
    return int(page.locator(f"#col-{column} header .count").inner_text())


def lift(page: Page, name: str) -> None:
    """Take a card with the mouse. Steps: one jump of the pointer is no drag for the script."""
    page.wait_for_function("() => !!globalThis.Sortable")
    held = card(page, name)
    held.scroll_into_view_if_needed()
    box = held.bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 14)
    page.mouse.down()
    page.mouse.move(box["x"] + 46, box["y"] + 26, steps=4)
    expect(page.locator("#board")).to_have_attribute("data-dragging", "")


def drop(page: Page, place: Locator) -> None:
    box = place.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + min(30, box["height"] / 2)
    page.mouse.move(x, y, steps=10)
    page.mouse.move(x + 2, y + 2, steps=3)
    page.mouse.up()


def press(page: Page, code: str, key: str) -> None:
    """A key of the Russian layout, where the letter is another one."""
    focused = page.locator(":focus")
    (focused if focused.count() else page.locator("body")).dispatch_event("keydown", {"key": key, "code": code, "bubbles": True})


def test_a_card_is_dragged_and_the_move_is_taken_back_by_a_key_of_the_russian_layout(anna: Person) -> None:
    page, name = anna.page, "Глеб Янин"
    anna.open("/")
    before = count(page, "contact")
    lift(page, name)
    expect(page.locator("#col-contact")).to_have_class(re.compile(r"\bmay\b"))
    drop(page, page.locator("#col-contact ul"))
    expect(page.locator("#toasts")).to_contain_text("Переведено в «Контакт».")
    expect(card(page, name, "contact")).to_be_visible()
    expect(page.locator("#board")).not_to_have_attribute("data-dragging", "")
    assert count(page, "contact") == before + 1
    press(page, "KeyZ", "я")
    expect(page.locator("#toasts")).to_contain_text("Перевод отменён.")
    expect(card(page, name, "screening")).to_be_visible()
    assert count(page, "contact") == before


def test_a_refused_card_is_put_back_with_the_sentence(anna: Person) -> None:
    page, name = anna.page, "Роман Ефимов"
    anna.open("/")
    lift(page, name)
    drop(page, page.locator("#col-scoring ul"))
    expect(page.locator("#toasts")).to_contain_text("Сначала завершите первичный отсев")
    expect(card(page, name, "screening")).to_be_visible()
    expect(card(page, name, "scoring")).to_have_count(0)


def test_a_card_dropped_on_lost_is_asked_about_and_put_back_when_nothing_is_answered(anna: Person) -> None:
    page, name = anna.page, "Ветклиника «Лапа»"
    anna.open("/")
    place, window = page.locator("#drops [data-ask=lose]"), page.locator("#ask")
    lift(page, name)
    drop(page, place)
    expect(window.get_by_role("heading")).to_have_text(f"Сделка проиграна: {name}")
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    expect(card(page, name, "scoring")).not_to_have_class(re.compile("waits"))

    lift(page, name)
    drop(page, place)
    window.locator("[name=reason]").first.check()
    window.get_by_role("button", name="Закрыть как проигранную").click()
    expect(window.locator(".body")).to_contain_text(re.compile("близк"))  # refused in place: how close it was is not said
    window.locator("[name=closeness]").last.check()
    window.get_by_role("button", name="Закрыть как проигранную").click()
    expect(window).to_be_hidden()
    expect(card(page, name)).to_have_count(0)


def test_a_card_dropped_among_the_sleeping_ones_goes_back_on_cancel(anna: Person) -> None:
    page, name = anna.page, "Пётр Ворошилов"
    anna.open("/")
    lift(page, name)
    drop(page, page.locator("#drops [data-ask=sleep]"))
    window = page.locator("#ask")
    expect(window.locator("[name=until]")).to_be_visible()
    window.get_by_role("button", name="Отмена").click()
    expect(card(page, name, "scoring")).to_be_visible()


def test_several_are_picked_looked_at_and_tagged_by_keys_of_the_russian_layout_alone(anna: Person) -> None:
    page = anna.page
    anna.open("/?stage=preparation")
    for code, key in (("KeyJ", "о"), ("KeyX", "ч"), ("KeyJ", "о"), ("KeyX", "ч")):
        press(page, code, key)
    expect(page.locator("#bulk")).to_contain_text("Отмечено: 2")
    page.locator("#bulk").get_by_role("button", name="Метка…").focus()
    page.keyboard.press("Enter")
    window = page.locator("#ask")
    expect(window.locator("[name=tag]")).to_be_focused()
    page.keyboard.type("выставка")
    page.keyboard.press("Enter")
    expect(window.locator("tbody tr")).to_have_count(2)
    expect(window.locator("tbody")).to_contain_text("появится метка «выставка»")
    sure = window.get_by_role("button", name=re.compile("2 из 2"))
    sure.focus()
    page.keyboard.press("Enter")
    expect(window.locator("tbody")).to_contain_text("Готово")
    page.keyboard.press("Escape")
    expect(page.locator("#bulk")).to_be_hidden()
    expect(page.locator("#columns .card .tag").filter(has_text="выставка")).to_have_count(2)


def test_everything_that_drag_does_the_menu_does_from_the_keyboard(anna: Person) -> None:
    page, name = anna.page, "Глеб Янин"
    anna.open("/?stage=screening")
    card(page, name).get_by_role("link", name=name).focus()
    press(page, "KeyM", "ь")
    menu = card(page, name).locator(".menu-list")
    expect(menu).to_be_visible()
    for text in ("Перевести в «Контакт»", "Отложить…", "Проиграна…", "Отказать…"):
        expect(menu.get_by_text(text)).to_be_visible()
    menu.get_by_text("Отказать…").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#ask [name=criterion]").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#ask")).to_be_hidden()


def test_on_a_phone_a_card_is_moved_by_its_menu(demo: Product, come: Callable[..., Person]) -> None:
    anna = come(demo, "anna", PASSWORD, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page, name = anna.page, "«НовоСтройИнвест»"
    anna.open("/?stage=follow_up")
    one = card(page, name)
    one.locator("summary").tap()
    one.get_by_role("button", name="Перевести в «Подготовка КП»").tap()
    expect(page.locator("#toasts")).to_contain_text("Переведено в «Подготовка КП».")
    page.get_by_role("button", name=re.compile("Отменить")).tap()
    expect(page.locator("#toasts")).to_contain_text("Перевод отменён.")
    expect(card(page, name)).to_be_visible()


def test_coming_back_to_the_list_marks_the_lead_that_was_open_and_keeps_the_place(anna: Person) -> None:
    page = anna.page
    page.set_viewport_size({"width": 1200, "height": 500})
    anna.open("/leads?sort=name")
    row = page.locator("tr[data-row]").nth(15)
    row.scroll_into_view_if_needed()
    at = page.evaluate("() => scrollY")
    assert at > 0
    row.locator("th a").first.click()
    expect(page.locator("main.lead, .lead-head").first).to_be_visible()
    page.go_back()
    expect(page.locator("tr[data-row]").nth(15)).to_have_class(re.compile(r"\blast\b"))
    page.wait_for_function(f"() => Math.abs(scrollY - {at}) < 40")

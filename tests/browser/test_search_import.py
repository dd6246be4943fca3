"""The palette by keyboard alone in the Russian layout, and a file brought in, stopped by nobody, and taken back."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from hub.demo.people import PASSWORD
from tests.browser.looks import LOOKS, look, too_wide, violations
from tests.browser.people import Person
from tests.browser.places import Product

CSV = "ФИО;Телефон;Запрос\r\nПётр Загрузкин;8 911 111-22-33;Нужен сайт\r\nНикто;нет;\r\n"


def test_the_palette_works_by_keyboard_in_the_russian_layout(demo: Product, come: Callable[..., Person]) -> None:
    page = come(demo, "anna", PASSWORD).page
    page.goto("/")
    # As a Russian keyboard sends it: the key is named by its place, its letter is Russian.
    page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'л', code: 'KeyK', ctrlKey: true, bubbles: true}))")
    field = page.get_by_role("combobox")
    expect(field).to_be_focused()
    expect(page.get_by_role("option", name="Новый лид")).to_be_visible()
    field.press_sequentially("rfhnf ghjwtccf")  # «карта процесса» in the other layout
    expect(page.get_by_role("option", name="Карта процесса")).to_be_visible()
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    page.keyboard.press("/")
    field.fill("№ 1")
    expect(page.locator("#palette [role=option]").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/leads/*-*")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("group", name="Эта заявка")).to_be_visible()


def test_the_palette_can_be_used_by_everybody(demo: Product, come: Callable[..., Person]) -> None:
    page = come(demo, "head", PASSWORD).page
    for name in LOOKS:
        look(page, name)
        page.goto("/")
        page.keyboard.press("Control+k")
        page.get_by_role("combobox").fill("сайт")
        expect(page.get_by_role("group", name="Заявки")).to_be_visible()
        assert violations(page) == [], name
        assert not too_wide(page)


def test_a_file_is_brought_in_and_taken_back(demo: Product, come: Callable[..., Person]) -> None:
    page = come(demo, "head", PASSWORD).page
    page.goto("/import")
    page.get_by_label("Файл CSV или XLSX").set_input_files(
        {"name": "база.csv", "mimeType": "text/csv", "buffer": CSV.encode("cp1251")})
    page.get_by_role("button", name="Дальше: столбцы").click()
    expect(page.get_by_role("cell", name="пропустим")).to_be_visible()
    expect(page.get_by_role("combobox", name="Телефон")).to_have_value("phone")
    for name in LOOKS:
        look(page, name)
        assert violations(page) == [], name
        assert not too_wide(page)
    page.get_by_role("button", name="Загрузить 2 строки").click()
    expect(page.get_by_text("Готово")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Отменить загрузку").click()
    page.get_by_role("button", name="Отменить загрузку").click()
    expect(page.get_by_text("Заявок закрыто")).to_be_visible(timeout=30_000)

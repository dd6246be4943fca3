"""An administrator's first run: from the one-time password to the first lead on the board, as the hub itself leads."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.people import Person
from tests.browser.places import Product, Site
from tests.browser.test_walk_win import new_form, new_person, visit


def test_the_first_steps_lead_an_administrator_to_the_first_lead(
        product: Product, site: Site, person: Callable[..., Person], visitor: Callable[..., Page]) -> None:
    product.start()
    admin = person("admin", product.first_password(), first=True)
    page = admin.page
    heading = page.get_by_role("heading", level=1)
    now = page.locator("[aria-current=step]")
    expect(heading).to_have_text("Первые шаги")
    expect(now).to_contain_text("Добавьте людей")
    new_person(admin, "maria", "Мария Котова", "Менеджер продаж")

    admin.open("/")
    expect(now).to_contain_text("Создайте форму")
    now.get_by_role("link", name="Создать форму").click()
    expect(heading).to_have_text("Новая форма")
    snippet = new_form(admin, site)

    admin.open("/")
    expect(now).to_contain_text("Отправьте тестовую заявку")
    now.get_by_role("button", name="Отправить тест").click()
    expect(page.get_by_role("main")).to_contain_text("Тестовая карточка на месте")
    expect(now).to_contain_text("Примите первую заявку")
    page.get_by_role("main").get_by_role("link", name=re.compile("Тестовая заявка")).click()
    expect(heading).to_contain_text("Тестовая заявка")

    site.pages["/landing"] = snippet
    visit(visitor(), site, product)
    admin.open("/")
    expect(heading).to_have_text("Доска")
    expect(page.locator("#columns .card").get_by_role("heading", name="Ольга Смирнова")).to_be_visible()

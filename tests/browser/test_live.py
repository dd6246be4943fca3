"""What happens elsewhere is on the screen at once: two people, several tabs, one of them listening (R1, R2)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from uuid import uuid4

from playwright.sync_api import Page, expect

from hub.demo.people import PASSWORD
from tests.browser.people import Person
from tests.browser.places import Product
from tests.serving import ask


def request_from(product: Product, name: str) -> None:
    """Somebody fills the site's form in."""
    fields = {"name": name, "phone": f"+7 912 {uuid4().int % 10**7:07}", "message": "Нужен интернет-магазин"}
    port = int(product.url.rpartition(":")[2])
    answer = ask(port, "POST", "/api/v1/forms/main-site/submissions", json.dumps(fields).encode(),
                 {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex})
    assert answer.status == 202, answer


def listens(page: Page) -> list[str]:
    """Streams that a page's browser opens, from now on."""
    opened: list[str] = []
    page.context.on("request", lambda request: opened.append(request.url) if request.resource_type == "eventsource" else None)
    return opened


def test_a_new_request_shows_rings_and_is_counted_in_every_tab_over_one_connection(
        demo: Product, come: Callable[..., Person]) -> None:
    anna, dmitry = come(demo, "anna", PASSWORD), come(demo, "dmitry", PASSWORD)
    streams = listens(anna.page)
    anna.open("/")
    second = anna.page.context.new_page()
    second.goto("/my")
    board = anna.page.context.new_page()
    board.goto("/")
    dmitry.open("/")
    anna.page.bring_to_front()
    anna.page.get_by_role("button", name="Звук уведомлений").first.click()
    expect(anna.page.locator("#toasts")).to_contain_text("Звук включён")

    request_from(demo, "Живая Заявка")
    for page in (anna.page, dmitry.page):
        expect(page.locator("main").get_by_text("Живая Заявка").first).to_be_visible()
    expect(anna.page.locator("html")).to_have_attribute("data-sounded", re.compile("new|offered"))
    board.bring_to_front()
    expect(board.locator("main").get_by_text("Живая Заявка").first).to_be_visible()
    assert len(streams) == 1, streams

    # The tab that listened is closed: another one takes its place, and nothing is missed.
    with board.context.expect_event("request", lambda request: request.resource_type == "eventsource"):
        anna.page.close()
    request_from(demo, "Вторая Заявка")
    expect(board.locator("main").get_by_text("Вторая Заявка").first).to_be_visible()


def test_a_note_of_a_colleague_comes_to_the_card_and_what_one_writes_there_stays(
        demo: Product, come: Callable[..., Person]) -> None:
    anna, dmitry = come(demo, "anna", PASSWORD), come(demo, "dmitry", PASSWORD)
    for one in (anna, dmitry):
        one.card(1)
    mine = anna.page.locator('textarea[name="text"]').first
    mine.fill("недописанное")
    anna.page.locator("h1").click()  # whoever types is not disturbed at all
    theirs = dmitry.page.locator('textarea[name="text"]').first
    theirs.fill("Клиент просил перезвонить в среду")
    theirs.press("Control+Enter")
    expect(anna.page.get_by_text("Клиент просил перезвонить в среду")).to_be_visible()
    expect(mine).to_have_value("недописанное")

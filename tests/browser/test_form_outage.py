"""The hub dies while a visitor sends the form of a site: nothing is lost, nothing comes twice."""

from __future__ import annotations

import signal
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.people import Person
from tests.browser.places import Product, Site, furnish


def pass_time_until(page: Page, state: str) -> None:
    """Let the page's own clock run, half a second at a time, until the form says ``state``."""
    for _ in range(400):
        if page.locator("form").get_attribute("data-hub-state") == state:
            return
        page.clock.run_for(500)
    raise AssertionError(f"the form never came to {state!r}")


def test_a_request_that_the_hub_died_under_arrives_once_when_it_is_back_R1(
        product: Product, site: Site, person: Callable[..., Person], page: Page) -> None:
    furnish(product, site, adam="administrator")
    product.start()
    adam = person("adam")
    adam.open("/settings/forms/main")
    site.pages["/landing"] = adam.page.locator("#snippet-script").inner_text()

    page.clock.install()
    with page.expect_response(lambda answer: answer.url.endswith("/token")):
        page.goto(f"{site.url}/landing")
    product.advance(seconds=30)
    page.get_by_label("Имя").fill("Ольга Смирнова")
    page.get_by_label("Телефон").fill("8 912 345-67-89")
    product.signal(signal.SIGSTOP)  # the request is on its way and is not answered
    with page.expect_request(lambda request: request.method == "POST"):
        page.get_by_role("button", name="Отправить").click()
    product.kill()
    pass_time_until(page, "kept")
    expect(page.get_by_role("status")).to_contain_text("Заявка сохранена")
    expect(page.get_by_role("status")).to_contain_text("8 800 555-35-35")

    product.start()
    page.goto(f"{site.url}/landing")
    pass_time_until(page, "sent")
    page.goto(f"{site.url}/landing")
    expect(page.get_by_label("Телефон")).to_be_visible()
    assert product.topics(1).count("message_received") == 1
    state = product.state(1)
    assert [p["name"] for p in state["people"].values()] == ["Ольга Смирнова"]
    adam.open("/leads")
    expect(adam.page.locator("tbody tr")).to_have_count(1)

"""What we do not take: a refusal with its letter and partners, spam refused at once, and the quarantine."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Person
from tests.browser.places import Product, Site, furnish, in_order

MINUS = {"*": -1, "adequacy": 0}
"""−14: a starter (R10)."""

STORY = [
    "received", "taken", "screening_finished", "scored", "stage_entered", "letter_asked", "partner_referred",
    "letter_sent", "refused",
]


@pytest.fixture
def served(product: Product, site: Site, person: Callable[..., Person]) -> Product:
    """A department at work, its form on the site as the settings page gives it."""
    furnish(product, site, adam="administrator", vera="head", maria="manager", stepan="trainee")
    product.start()
    adam = person("adam")
    adam.open("/settings/forms/main")
    site.pages["/landing"] = adam.page.locator("#snippet-script").inner_text()
    return product


def ask(page: Page, site: Site, product: Product, name: str, phone: str, text: str, trap: str = "") -> None:
    """A visitor, or a program that fills in what people do not see, sends the form."""
    with page.expect_response(lambda answer: answer.url.endswith("/token")):
        page.goto(f"{site.url}/landing")
    product.advance(seconds=30)
    page.get_by_label("Имя").fill(name)
    page.get_by_label("Телефон").fill(phone)
    page.get_by_label("Что нужно сделать").fill(text)
    if trap:
        page.locator("[name=hub_topic]").evaluate("(field, text) => { field.value = text }", trap)
    page.get_by_role("button", name="Отправить").click()
    expect(page.get_by_role("status")).to_contain_text("заявка отправлена")


def make_partner(vera: Person) -> None:
    """The head adds an agency through the page."""
    page = vera.page
    page.get_by_role("navigation", name="Разделы").first.get_by_role("link", name="Партнёры").click()
    page.get_by_role("link", name="Добавить партнёра").first.click()
    page.get_by_label("Название", exact=True).fill("Бюро «Малое»")
    page.get_by_label("Контакт").fill("hello@small.example")
    vera.fill(page.locator("main"), prices=["low"])
    page.get_by_role("button", name="Добавить", exact=True).click()
    expect(page.get_by_role("heading", name="Бюро «Малое»")).to_be_visible()


def test_a_starter_is_refused_by_a_trainee_with_a_letter_and_a_partner_R12_R13(
        served: Product, site: Site, person: Callable[..., Person], visitor: Callable[..., Page]) -> None:
    make_partner(person("vera"))
    ask(visitor(), site, served, "Павел Носов", "8 912 000-11-22", "Визитка за 30 тысяч завтра")
    maria = person("maria")
    maria.card(1)
    maria.at_once("Взять в работу")
    maria.do("capture_contact", timezone="Asia/Yekaterinburg")
    maria.do("finish_screening", criteria_checked=True)
    maria.score(MINUS, "−14", "C")

    stepan = person("stepan")
    stepan.card(1)
    stepan.stage("Отказ и партнёры")
    page = stepan.page
    stepan.press(page.locator(".lead-next-panel").get_by_role("link", name="Написать отказ"))
    expect(page.get_by_label("Бюро «Малое»")).to_be_checked()
    letter = page.get_by_label("Текст", exact=True)
    assert "Бюро «Малое»" in letter.input_value()
    assert "hello@small.example" in letter.input_value()
    page.get_by_label("Куда").fill("pavel@example.ru")
    stepan.press(page.get_by_role("button", name="Письмо готово"))
    stepan.told(page.locator("main"), "Прочитайте письмо и отметьте это", "read")
    page.get_by_label("Письмо прочитано и уходит от моего имени").check()
    stepan.press(page.get_by_role("button", name="Письмо готово"))
    stepan.at_once("Отметить отправленным")
    stepan.do("refuse")
    expect(page.locator(".lead-title")).to_contain_text("Отказали")
    print(served.events(1))
    in_order(STORY, served.topics(1))
    state = served.state(1)
    assert (state["ended"], state["letters"]["1"]["status"], len(state["referrals"])) == ("refused", "sent", 1)


def test_spam_is_refused_at_once_without_a_letter_R8(
        served: Product, site: Site, person: Callable[..., Person], visitor: Callable[..., Page]) -> None:
    ask(visitor(), site, served, "Продвижение", "8 912 000-33-44", "Выведем ваш сайт в топ")
    maria = person("maria")
    maria.card(1)
    maria.at_once("Взять в работу")
    maria.do("disqualify", criterion="not_a_client", note="Реклама")
    expect(maria.page.locator(".lead-title")).to_contain_text("Отказали")
    state = served.state(1)
    assert (state["ended"], state["refusal"]["criterion"], state["letters"]) == ("refused", "not_a_client", {})
    assert state["losses"] == []


def test_of_two_suspicious_requests_one_becomes_a_lead_and_one_is_dismissed_R1(
        served: Product, site: Site, person: Callable[..., Person], visitor: Callable[..., Page]) -> None:
    ask(visitor(), site, served, "Нина Орехова", "8 912 000-55-66", "Нужен магазин", trap="автозаполнение")
    ask(visitor(), site, served, "Casino", "8 912 000-77-88", "Best casino", trap="buy")
    maria = person("maria")
    page = maria.page
    maria.press(page.get_by_role("navigation", name="Разделы").first.get_by_role("link", name="Карантин"))
    maria.press(page.get_by_role("link", name="Нина Орехова"))
    maria.press(page.get_by_role("button", name="Сделать заявкой"))
    assert served.state(1)["people"]
    maria.open("/quarantine")
    maria.press(page.get_by_role("link", name="Casino"))
    page.get_by_role("button", name="Это не заявка").click()
    window = page.locator("dialog#dismiss")
    window.get_by_label("Почему").fill("реклама казино")
    maria.press(window.get_by_role("button", name="Это не заявка"))
    maria.open("/quarantine")
    expect(page.get_by_role("heading", name="Карантин пуст")).to_be_visible()
    maria.open("/quarantine?state=dismissed")
    expect(page.get_by_role("main")).to_contain_text("реклама казино")
    maria.open("/")
    expect(page.locator("#columns .card h3")).to_have_text(["Нина Орехова"])

"""A request of a site without scripts is worked to an explained loss, sleeps, and comes back on its day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Page, expect

from tests.browser.people import Person
from tests.browser.places import Product, Site, furnish, in_order

MIDDLE = {"*": 0, "budget": 1, "timing": 1, "clarity": 1}

STORY = [
    "received", "taken", "screening_finished", "scored", "meeting_planned", "meeting_held", "benefit_stated",
    "proposal_promised", "proposal_drafted", "proposal_sent", "stage_entered", "stall_found", "lost", "woken",
]


def ask_plainly(page: Page, site: Site) -> None:
    """A visitor whose browser runs no scripts sends the form and reads the thanks."""
    page.goto(f"{site.url}/landing?utm_source=vk")
    page.get_by_label("Имя").fill("Игорь Ветров")
    page.get_by_label("Телефон").fill("8 495 123-45-67")
    page.get_by_label("Почта").fill("igor@example.ru")
    page.get_by_label("Что нужно сделать").fill("Переделать каталог")
    with page.expect_response(lambda answer: answer.request.method == "POST") as posted:
        page.get_by_role("button", name="Отправить").click()
    assert posted.value.status == 303
    expect(page.get_by_role("heading", level=1)).to_have_text("Заявка отправлена")
    assert page.url.endswith("/f/main/thanks")


def test_a_plain_request_is_walked_to_an_explained_loss_and_wakes_on_its_day_R19_R28_R29(
        product: Product, site: Site, person: Callable[..., Person], visitor: Callable[..., Page]) -> None:
    furnish(product, site, adam="administrator", maria="manager")
    product.start()
    admin = person("adam")
    admin.open("/settings/forms/main")
    site.pages["/landing"] = admin.page.locator("#snippet-html").inner_text()
    assert "<script" not in site.pages["/landing"]
    ask_plainly(visitor(java_script_enabled=False), site)

    maria = person("maria")
    maria.card(1)
    maria.at_once("Взять в работу")
    maria.do("capture_contact", timezone="Europe/Moscow")
    maria.do("finish_screening", criteria_checked=True, progress="meeting", note="Есть задача")
    maria.score(MIDDLE, "+3", "B")
    to_a_sent_proposal(maria, product)
    lost_as_second(maria, product)

    # R29: asleep until the day; then it is back among the open ones with something to do
    product.advance(days=81)
    maria.come_back()
    maria.card(1)
    maria.sees("Вернуться к клиенту", within=".lead-next-panel")
    print(product.events(1))
    in_order(STORY, product.topics(1))
    assert product.state(1)["ended"] in ("", None)


def to_a_sent_proposal(maria: Person, product: Product) -> None:
    """R17, R19: no presentation was agreed, the proposal goes by e-mail and the card to follow-up."""
    maria.do("plan_meeting", purpose="interview", starts_at=product.at(hours=1), goal="Понять, что с каталогом")
    product.advance(hours=2)
    maria.page.reload()
    maria.do("hold_meeting", outcome="advance", text="Поняли", step="Отправить КП", step_due=product.at(days=1))
    maria.do("state_benefit", text="Каталог ведёт один человек", kpi="минус 40 часов в месяц")
    maria.do("promise_proposal", ready_on=product.day(1), presented=False)
    maria.move("Подготовка КП")
    maria.refused("draft_proposal", "Заполните поле «Сумма»", "amount", valid_until=product.day(30))
    maria.do("draft_proposal", amount="1320000", valid_until=product.day(30))
    maria.do("send_proposal", way="email", without_presentation=True)
    maria.stage("Дожим")


def lost_as_second(maria: Person, product: Product) -> None:
    """R25, R28, R29: they chose others; without closeness the deal is not closed; the return stands at 80 %."""
    until, back = product.day(100), product.day(80)
    maria.do("find_stall", reason="chose_others", debrief="Дороже на треть", competitor="Веб-цех", closeness="second")
    window = maria.ask("lose")
    maria.fill(window, reason="chose_others", competitor="Веб-цех", competitor_until=until)
    window.locator(".actions button").first.click()
    assert window.locator("[name=closeness]").first.evaluate("e => e.matches(':invalid') && e.validationMessage !== ''")
    maria.fill(window, closeness="never_close", competitor_until=product.day(0))
    window.locator(".actions button").first.click()
    maria.told(window, "Эта дата уже прошла", "competitor_until")
    maria.fill(window, closeness="second", competitor_until=until, debrief="Дороже на треть")
    expect(window.locator("[data-return-shown]")).to_contain_text(f"{back.day} ")
    maria.press(window.locator(".actions button").first)
    expect(maria.page.locator(".flashes")).to_contain_text(f"Вернёмся {back.day} ")
    assert maria.product.state(1)["losses"][0]["return_on"] == (product.now().date() + timedelta(days=80)).isoformat()

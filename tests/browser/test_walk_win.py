"""A hub's first days: from the one-time password on the terminal to a signed contract and what comes after it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Person
from tests.browser.places import Product, Site, in_order

PLUS = {"*": 1, "budget": 0, "brief": 0}
"""A sheet of thirteen: the head takes part in the proposal (R18)."""

STORY = [
    "received", "timezone_learned", "offered", "taken", "call_time_agreed", "checklist_item_done", "screening_finished",
    "scored", "meeting_planned", "working_group_formed", "meeting_held", "benefit_stated", "proposal_promised",
    "proposal_drafted", "head_contributed", "meeting_planned", "headcount_warned", "headcount_explained",
    "meeting_held", "proposal_presented", "decision_date_agreed", "deadline_missed", "stage_entered", "request_opened",
    "request_closed", "stall_found", "stall_played", "won", "handed_over", "chance_recorded",
]


def new_person(admin: Person, login: str, name: str, role: str) -> str:
    """Add somebody through the pages; their one-time password, shown once."""
    page = admin.page
    page.get_by_role("navigation", name="Разделы").first.get_by_role("link", name="Настройки").click()
    page.get_by_role("main").get_by_role("link", name="Люди", exact=True).click()
    page.get_by_role("link", name="Добавить человека").click()
    page.get_by_label("Имя и фамилия").fill(name)
    page.get_by_label("Логин").fill(login)
    page.get_by_label(role, exact=True).check()
    page.get_by_role("button", name="Создать и показать пароль").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Одноразовый пароль")
    return page.locator("#one-time-password").inner_text().strip()


def new_form(admin: Person, site: Site) -> str:
    """Make a website form; the snippet with our script, as the page gives it."""
    page = admin.page
    admin.open("/settings")
    page.get_by_role("link", name="Создать форму").click()
    page.get_by_label("Название", exact=True).fill("Сайт, шапка")
    page.get_by_label("Адрес", exact=True).fill("main-site")
    page.get_by_label("Сайты", exact=True).fill(site.url)
    page.get_by_label("Текст согласия").fill("Согласен на обработку персональных данных")
    page.get_by_label("Телефон на крайний случай").fill("8 800 555-35-35")
    page.get_by_role("button", name="Создать форму").click()
    return page.locator("#snippet-script").inner_text()


def visit(page: Page, site: Site, product: Product) -> None:
    """A visitor comes from an advertisement, reads for half a minute and asks."""
    with page.expect_response(lambda answer: answer.url.endswith("/token")):
        page.goto(f"{site.url}/landing?utm_source=yandex&utm_campaign=autumn")
    product.advance(seconds=30)
    page.get_by_label("Имя").fill("Ольга Смирнова")
    page.get_by_label("Телефон").fill("8 912 345-67-89")
    page.get_by_label("Почта").fill("olga@example.ru")
    page.get_by_label("Что нужно сделать").fill("Нужен магазин, который видит остатки на складе")
    page.get_by_label("Согласен").check()
    page.get_by_role("button", name="Отправить").click()
    expect(page.get_by_role("status")).to_contain_text("заявка отправлена")


@pytest.fixture
def head(product: Product, person: Callable[..., Person]) -> Person:
    """The first person, who is administrator and head of sales at once."""
    product.start()
    return person("admin", product.first_password(), first=True)


def test_a_request_from_a_site_is_walked_to_a_signed_contract_and_handed_over_R1_R30(
        product: Product, site: Site, head: Person, person: Callable[..., Person], visitor: Callable[..., Page]) -> None:
    manager_password = new_person(head, "maria", "Мария Котова", "Менеджер продаж")
    account_password = new_person(head, "anna", "Анна Белова", "Аккаунт-менеджер")
    site.pages["/landing"] = new_form(head, site)
    visit(visitor(), site, product)

    # R1, R2: the card is on the board by itself, and its clock runs
    manager = person("maria", manager_password, first=True)
    card = manager.page.locator("#columns .card")
    expect(card.get_by_role("heading")).to_have_text("Ольга Смирнова")
    expect(card.locator("[data-due]")).to_have_text(re.compile(r"^1[34]:\d\d$"))
    card.get_by_role("button", name="Взять").click()
    expect(manager.page.locator("#columns .card").get_by_role("button", name="Взять")).to_have_count(0)
    manager.page.locator("#columns .card h3 a").click()
    expect(manager.page.get_by_text("autumn", exact=True).first).to_be_attached()
    expect(manager.page.locator("dt", has_text="Когда, первый визит").locator("+ dd")).to_have_text(re.compile(r", \d\d:\d\d$"))

    contact_and_screening(manager)
    preparation(manager)
    interview(manager, product)
    proposal(manager, head)
    presentation(manager, product)
    follow_up(manager, product)
    contract(manager, head, person("anna", account_password, first=True), product)

    print(product.events(1))
    in_order(STORY, product.topics(1))
    state = product.state(1)
    assert (state["ended"], state["sheets"][-1]["segment"], state["win"]["contract_number"]) == ("won", "A", "Д-17")
    assert (state["losses"], len(state["chances"])) == ([], 1)


def contact_and_screening(manager: Person) -> None:
    """R3, R5, R8, R9."""
    manager.do("capture_contact", timezone="Asia/Yekaterinburg", call_words="после обеда")
    manager.stage("Первичный отсев")
    for item in ("Знакомство", "О клиенте и бизнесе", "Боли, проблемы и задачи", "Как поможем и что уже делали"):
        manager.tick(item)
    manager.refused("finish_screening", "стоп-критерии", note="Есть задача и срок")
    manager.do("finish_screening", criteria_checked=True, progress="meeting", note="Есть задача и срок")
    manager.stage("Скоринг")
    manager.score(PLUS, "+13", "A")


def preparation(manager: Person) -> None:
    """R14, R16, R26: a goal before the meeting, and time that lies ahead."""
    day_before = manager.product.at(days=-1)
    manager.refused("plan_meeting", "уже прошло", "starts_at", purpose="interview", starts_at=day_before,
                    goal="Понять, где теряются заказы")
    manager.do("plan_meeting", purpose="interview", starts_at=manager.product.at(hours=1), minutes=60,
               goal="Понять, где теряются заказы", theirs="Ольга Смирнова\nИгорь Ветров")
    manager.stage("Подготовка к интервью")
    manager.do("form_group", member=["Мария Котова", "Администратор"], part=["менеджер", "аналитик"])
    manager.tick("Аналитика конкурентов")
    manager.tick("Собрали аналитику")
    manager.refused("hold_meeting", "ещё не началась", outcome="closing")


def interview(manager: Person, product: Product) -> None:
    """R17, R26: an advance has a step and a date; benefit and promise open the way to the proposal."""
    product.advance(hours=2)
    manager.page.reload()
    manager.refused("hold_meeting", "шаг", "step", outcome="advance", text="Обсудили задачу")
    manager.do("hold_meeting", outcome="advance", text="Обсудили задачу", step="Подготовить предложение",
               step_due=product.at(hours=20))
    manager.stage("Глубинное интервью")
    manager.refused("move?to=proposal", "Сначала сформулируйте измеримую пользу")
    manager.do("state_benefit", text="Меньше потерянных заказов", kpi="с 8 % до 1 %")
    manager.do("promise_proposal", ready_on=product.day(2), presented=True)
    manager.move("Подготовка КП")


def proposal(manager: Person, head: Person) -> None:
    """R18: above nine the head takes part, and until then the sentence stands where the proposal is sent."""
    manager.do("draft_proposal", amount="3 200 000,50", vat="с НДС", valid_until=manager.product.day(30), note="Первая")
    manager.refused("send_proposal", "Балл выше 9: в подготовке этой версии КП участвует", way="email")
    head.card(1)
    head.do("contribute", text="Разбить на два этапа")
    manager.page.reload()


def presentation(manager: Person, product: Product) -> None:
    """R20: as many of ours as of theirs is a warning that asks for a reason."""
    manager.do("plan_meeting", purpose="presentation", starts_at=product.at(hours=1), goal="Показать КП и назвать дату решения",
               ours=["Мария Котова", "Администратор"], theirs="Ольга Смирнова\nИгорь Ветров")
    expect(manager.page.locator(".flashes")).to_contain_text("нас не меньше, чем клиентов")
    manager.do("explain_headcount", reason="Аналитик отвечает на вопросы о складе")
    manager.move("Презентация КП")
    manager.tick("Проверили оборудование")
    product.advance(hours=3)
    manager.page.reload()
    manager.do("hold_meeting", outcome="advance", text="Показали", feedback="Понравился второй этап", step="Узнать решение",
               step_due=product.at(days=2), decision_date=product.day(2))


def follow_up(manager: Person, product: Product) -> None:
    """R21: after 72 hours the card is in follow-up by itself; R23, R25: what is missing, and why they do not decide."""
    product.advance(days=3, hours=1)
    manager.come_back()
    manager.card(1)
    manager.sees("Дожим", within=".stages [aria-current=step]")
    manager.do("open_request", kind="contract_template", text="Прислать договор с этапами")
    manager.do("close_request", text="Прислали, юрист согласен", done=True)
    manager.do("find_stall", reason="waiting_decision", who="Игорь Ветров, директор", involved="yes")
    manager.do("play_stall", action="who", result="Директор вернётся в понедельник")


def contract(manager: Person, head: Person, account: Person, product: Product) -> None:
    """R28, R30."""
    manager.do("win", contract_number="Д-17", amount="3200000,5", vat="с НДС", signed_on=product.day(0))
    head.come_back()
    head.card(1)
    head.do("hand_over", account_manager="Анна Белова", note="Любят звонки утром")
    account.card(1)
    account.do("record_chance", kind="upsell", text="Мобильное приложение", amount="900000")
    expect(account.page.get_by_text("Мобильное приложение").first).to_be_visible()

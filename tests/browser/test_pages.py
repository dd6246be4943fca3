"""Every page of the demo's department: it opens for those who may read it, is refused to others, and can be used by everybody."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, Page, expect

from hub.demo.people import PASSWORD
from tests.browser.looks import LOOKS, look, too_wide, violations
from tests.browser.people import Person
from tests.browser.places import Product

PEOPLE = ("admin", "head", "anna", "trainee", "olga", "auditor")
ID = re.compile(r"/[0-9a-f]{8}-[0-9a-f-]{27}|/\d+|/(main-site|calculator|mobile-landing)\b")
EVERYWHERE = ("/", "/my", "/leads", "/meetings", "/process", "/process/leads?what=left&stage=new", "/reports",
              "/reports/speed", "/partners", "/partners/new", "/quarantine", "/settings", "/settings/users",
              "/settings/users/new", "/settings/forms", "/settings/forms/new", "/settings/templates", "/settings/process",
              "/settings/process/text", "/settings/process/review", "/settings/process/history", "/what-if", "/account",
              "/password", "/notices", "/search?q=сайт", "/leads/new", "/import", "/exports/leads", "/jobs", "/audit",
              "/audit/trail", "/audit/log")
"""Pages that everybody may try, whether a link leads there or not."""
LINKS = "all => all.map(a => a.getAttribute('href'))"
STAGES = ("new", "contact", "screening", "scoring", "refusal", "preparation", "interview", "proposal", "presentation",
          "follow_up")


def kind(url: str) -> str:
    """Addresses that differ in an id or a filter alone are of one kind."""
    return ID.sub("/*", urlsplit(url).path)


def links(page: Page) -> Iterator[str]:
    """Where a page leads within the hub. Commands of the card and files are not pages."""
    for url in page.locator("a[href^='/']").evaluate_all(LINKS):
        if not re.search(r"/(do|files|live|static)/|\.json$|\.(ics|csv|bpmn)\b", url):
            yield url.partition("#")[0]


@pytest.mark.parametrize("login", PEOPLE)
def test_every_page_opens_or_is_properly_refused(login: str, demo: Product, come: Callable[..., Person]) -> None:
    """By the role's own links to one page of each kind, and to all that there are; the person's watch sees to faults."""
    person = come(demo, login, PASSWORD)
    page, seen, wanted = person.page, set[str](), [(url, False) for url in EVERYWHERE]
    while wanted:
        url, linked = wanted.pop(0)
        if not url or kind(url) in seen:
            continue
        seen.add(kind(url))
        try:
            answer = page.goto(url)
        except Error as error:
            if not linked or "Download is starting" not in str(error):
                raise
            continue  # a link to a file, not to a page
        assert answer is not None
        assert answer.status in ((200,) if linked else (200, 403)), f"{url}: {answer.status}"
        expect(page.get_by_role("heading", level=1), url).to_have_count(1)
        if answer.status == 403:
            expect(page.get_by_role("main").get_by_role("link").first).to_be_visible()
        else:
            wanted += [(found, True) for found in links(page)]
    assert len(seen) > len(EVERYWHERE), "no link led to a card"


def cards(person: Person) -> list[str]:
    """A card in each stage, and an ended one of each kind."""
    found = []
    for stage in STAGES:
        person.open(f"/leads?stage={stage}")
        found += person.page.locator("tbody tr th a").evaluate_all(LINKS)[:1]
    for show in ("won", "lost", "refused"):
        person.open(f"/leads?show={show}")
        found += person.page.locator("tbody tr th a").evaluate_all(LINKS)[:1]
    return list(dict.fromkeys(found))


def judge(page: Page, urls: list[str]) -> None:
    """Tell all that is wrong with these pages in any look."""
    wrong = []
    for url in urls:
        page.goto(url)
        for name in LOOKS:
            look(page, name)
            wrong += [f"{url} {name}: {one}" for one in violations(page)]
            if name == "phone" and too_wide(page):
                wrong.append(f"{url} {name}: scrolls sideways")
    assert not wrong, "\n".join(wrong)


def test_pages_before_sign_in_can_be_used_by_everybody(demo: Product, visitor: Callable[..., Page]) -> None:
    page = visitor(base_url=demo.url)
    judge(page, ["/sign-in", "/f/main-site/thanks"])


def test_pages_of_the_work_can_be_used_by_everybody(demo: Product, come: Callable[..., Person]) -> None:
    person = come(demo, "head", PASSWORD)
    pages = ["/", "/my", "/leads", "/meetings", "/process", "/notices", "/search?q=сайт", "/leads/new", "/partners", "/account",
             "/password", "/reports", "/reports/speed", "/reports/funnel", "/reports/losses", "/reports/leads?figure=requests"]
    judge(person.page, pages)


def test_cards_can_be_used_by_everybody(demo: Product, come: Callable[..., Person]) -> None:
    person = come(demo, "head", PASSWORD)
    found = cards(person)
    assert len(found) >= 10
    person.open("/leads?q=Вымпел")
    person.open(person.page.locator("tbody tr th a").evaluate_all(LINKS)[0])
    found += [urlsplit(person.page.url).path, *person.page.locator(".doubles a.btn").evaluate_all(LINKS)]
    assert "merge" in found[-1]
    judge(person.page, found)


def test_settings_can_be_used_by_everybody(demo: Product, come: Callable[..., Person]) -> None:
    person = come(demo, "admin", PASSWORD)
    page = person.page
    pages = ["/settings", "/settings/users", "/settings/users/new", "/settings/forms", "/settings/forms/new",
             "/settings/forms/main-site", "/settings/forms/main-site/edit", "/settings/templates",
             "/settings/templates/acknowledgement.en", "/quarantine", "/partners/new", "/audit", "/audit/trail", "/audit/log"]
    for index in ("/settings/users", "/quarantine", "/partners"):
        person.open(index)
        pages += page.locator("main :is(tbody th a, .panel a.btn)").evaluate_all(LINKS)[:1]
    person.open("/settings/privacy?q=L-1")
    pages += ["/settings/privacy?q=L-1", "/settings/privacy/retention"]
    pages += page.locator("main ul.list a").evaluate_all(LINKS)[:1]
    judge(page, pages)


def test_windows_of_a_card_can_be_used_by_everybody(demo: Product, come: Callable[..., Person]) -> None:
    """Every command that a card in follow-up and one in scoring offer, as its window."""
    person = come(demo, "head", PASSWORD)
    page, wrong, seen = person.page, [], set[str]()
    look(page, "light")
    for stage in ("follow_up", "scoring"):
        person.open(f"/leads?stage={stage}")
        person.open(page.locator("tbody tr th a").evaluate_all(LINKS)[0])
        for url in page.locator("main a[data-act]").evaluate_all(LINKS):
            if kind(url) not in seen:
                seen.add(kind(url))
                page.goto(url)
                wrong += [f"{url}: {one}" for one in violations(page)]
    assert len(seen) > 20
    assert not wrong, "\n".join(wrong)


def test_a_page_whose_session_ended_keeps_what_is_on_it_until_somebody_signs_in_again(demo: Product,
                                                                                      come: Callable[..., Person]) -> None:
    person = come(demo, "dmitry", PASSWORD)
    page = person.page
    asked: list[int] = []
    page.on("response", lambda answer: asked.append(answer.status) if "/board/part" in answer.url else None)
    look = "document.dispatchEvent(new Event('refresh-live'))"
    person.open("/leads/new")
    page.get_by_label("Как зовут").fill("Черновик")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<div data-live=/board/part>')")
    page.context.clear_cookies()
    page.evaluate(look)
    expect(page.get_by_text("Вход закончился")).to_be_visible()
    page.evaluate(look)
    assert asked == [401], "it asks no more"
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Войти").click()
    there = opened.value
    there.get_by_label("Логин").fill("dmitry")
    there.get_by_label("Пароль").fill(PASSWORD)
    there.keyboard.press("Enter")
    expect(there.get_by_role("heading", level=1)).to_have_text("Доска")
    there.close()
    with page.expect_response("**/board/part"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert asked == [401, 200]
    expect(page.get_by_label("Как зовут")).to_have_value("Черновик")
    assert page.locator("main input[name=csrf_token]").first.input_value() == page.locator(
        "meta[name=csrf-token]").get_attribute("content")


def test_pages_of_the_past_can_be_used_by_everybody(demo: Product, come: Callable[..., Person]) -> None:
    person = come(demo, "auditor", PASSWORD)
    person.open("/leads?stage=presentation")
    card = person.page.locator("tbody tr th a").evaluate_all(LINKS)[0]
    judge(person.page, [f"{card}?at=20", f"{card}/difference?old=10", f"{card}/why?at=30", f"{card}/what-if?at=30",
                        f"{card}/print?at=20", f"{card}?at=99999", "/?at=2026-11-10T12:00", "/leads?at=2026-11-10T12:00",
                        "/process?at=2026-11-10"])

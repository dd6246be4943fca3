"""The quarantine: a person decides, nothing is deleted, and pressing twice makes one lead (R1)."""

from __future__ import annotations

from uuid import UUID

import pytest

from hub.channels.base import Request
from hub.channels.website import Website
from hub.domain import events as e
from hub.domain.index import Receipt
from tests.web.admin_pages import Browser, error_at, words
from tests.web.house import House

EVIL = "<script>alert('x')</script>"


@pytest.fixture
def manager(house: House) -> Browser:
    house.make_form()
    return Browser(house, "manager")


def broken(house: House, body: str = '{"name": "Анна", "phone": "8 912 345-67-80", "message": "Нужен сайт для кл') -> UUID:
    """A cut-off body that came through the website channel; its receipt."""
    form = house.hub.form("main")
    assert form is not None
    sent = Request("POST", "/f/main", {"content-type": "application/json"}, body.encode(), "203.0.113.7", house.clock())
    delivery = Website(b"k" * 32).accept(sent, form, at=house.clock()).deliveries[0]
    taken = house.hub.receive(delivery, at=house.clock())
    assert taken.quarantined
    house.settle()
    return taken.receipt


def with_file(house: House, name: str = "тз.docx") -> UUID:
    form = house.hub.form("main")
    assert form is not None
    body = ("--b\r\nContent-Disposition: form-data; name=\"phone\"\r\n\r\n8 912 345-67-80\r\n--b\r\n"
            "Content-Disposition: form-data; "
            f"name=\"hub_topic\"\r\n\r\nбот\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n"
            "Content-Type: text/html\r\n\r\n<b>abc</b>\r\n--b--\r\n").encode()
    sent = Request("POST", "/f/main", {"content-type": "multipart/form-data; boundary=b"}, body, "203.0.113.7", house.clock())
    delivery = Website(b"k" * 32).accept(sent, form, at=house.clock()).deliveries[0]
    assert [f.data for f in delivery.files] == [b"<b>abc</b>"]
    return house.hub.receive(delivery, at=house.clock()).receipt


def test_the_list_says_who_why_and_from_where(house: House, manager: Browser) -> None:
    broken(house)

    shown = words(manager.get("/quarantine"))

    for expected in ("8 912 345-67-80", "JSON испорчен", "Сайт, шапка", "23 ноября, 11:20", "Нужен сайт для кл", "Ждут 1"):
        assert expected in shown, expected


def test_its_page_shows_what_was_understood_and_every_word_that_came(house: House, manager: Browser) -> None:
    receipt = broken(house)

    shown = words(manager.get(f"/quarantine/{receipt}"))

    assert "Почему здесь: JSON испорчен." in shown
    assert "+7 912 345-67-80" in shown
    assert '{"name": "Анна", "phone": "8 912 345-67-80", "message": "Нужен сайт для кл' in shown


def test_a_released_delivery_is_a_lead_with_the_words_of_its_sender(house: House, manager: Browser) -> None:
    receipt = broken(house)

    link = manager.done(f"/quarantine/{receipt}/release")

    lead = house.hub.lead(UUID(link.removeprefix("/leads/")))
    assert "Нужен сайт для кл" in lead.messages[0].text
    assert [a.value for a in lead.person.addresses] == ["+79123456780"]
    assert f"/quarantine/{receipt}" not in manager.get("/quarantine")
    assert f"/quarantine/{receipt}" in manager.get("/quarantine?state=made")


def test_released_twice_it_is_still_one_lead_and_both_are_led_to_it(house: House, manager: Browser) -> None:
    """R1: pressed again, or by a colleague at the same time, nothing is made twice."""
    receipt = broken(house)
    colleague = Browser(house, "second")

    first = manager.done(f"/quarantine/{receipt}/release")
    again = manager.done(f"/quarantine/{receipt}/release")
    other = colleague.done(f"/quarantine/{receipt}/release")

    assert first == again == other
    assert house.hub.views.leads.count("1 = 1") == 1
    assert [event.TOPIC for event in house.store.read(receipt)] == ["receipt.quarantined", "receipt.released"]


def test_a_dismissed_delivery_stays_with_its_reason(house: House, manager: Browser) -> None:
    receipt = broken(house)

    manager.done(f"/quarantine/{receipt}/dismiss", why="реклама")

    assert "Карантин пуст" in words(manager.get("/quarantine"))
    assert "реклама" in words(manager.get("/quarantine?state=dismissed"))
    assert "Нужен сайт для кл" in words(manager.get(f"/quarantine/{receipt}"))


def test_without_a_reason_nothing_is_dismissed(house: House, manager: Browser) -> None:
    receipt = broken(house)

    answer = manager.post(f"/quarantine/{receipt}/dismiss", why="  ")

    assert answer.status_code == 422
    assert "почему это не заявка" in error_at(answer.get_data(as_text=True), "why")
    assert house.hub.quarantined(receipt).status == "quarantined"


def test_a_dismissed_delivery_is_not_released_any_more(house: House, manager: Browser) -> None:
    receipt = broken(house)
    manager.done(f"/quarantine/{receipt}/dismiss", why="реклама")

    answer = manager.post(f"/quarantine/{receipt}/release")

    assert answer.status_code == 422
    assert "уже нет в карантине" in words(answer.get_data(as_text=True))
    assert house.hub.views.leads.count("1 = 1") == 0


def test_what_a_stranger_wrote_is_shown_as_text(house: House, manager: Browser) -> None:
    receipt = broken(house, '{"name": "' + EVIL + '", "phone": "8 912 345-67-80", "' + EVIL + '": ')

    for path in ("/quarantine", f"/quarantine/{receipt}", f"/quarantine/{receipt}?all=1"):
        page = manager.get(path)
        assert "<script>alert" not in page, path
        assert "&lt;script&gt;alert" in page, path


def test_a_long_body_is_cut_until_all_of_it_is_asked_for(house: House, manager: Browser) -> None:
    receipt = broken(house, '{"message": "' + "слово " * 20_000 + "конец")

    short, whole = manager.get(f"/quarantine/{receipt}"), manager.get(f"/quarantine/{receipt}?all=1")

    assert "Показать всё" in short
    assert len(short) < 40_000
    assert "конец" in whole
    assert "Показать всё" not in whole


@pytest.mark.parametrize("name", ["тз.docx", "../../etc/passwd", "a;b=c.html"])
def test_a_file_is_a_download_and_never_a_page(house: House, manager: Browser, name: str) -> None:
    receipt = with_file(house, name)

    answer = manager.client.get(f"/quarantine/{receipt}/files/0")

    assert answer.data == b"<b>abc</b>"
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "/" not in answer.headers["Content-Disposition"].replace("UTF-8''", "")
    assert manager.status(f"/quarantine/{receipt}/files/1") == 404


def test_the_files_come_along_to_the_lead(house: House, manager: Browser) -> None:
    receipt = with_file(house)

    link = manager.done(f"/quarantine/{receipt}/release")

    messages = [m for m in house.store.read(UUID(link.removeprefix("/leads/"))) if isinstance(m, e.MessageReceived)]
    assert [f.name for m in messages for f in m.files] == ["тз.docx"]


def test_an_erased_person_is_named_nowhere(house: House, manager: Browser) -> None:
    receipt = with_file(house)
    house.keys.destroy(receipt)
    house.hub.streams.forget(receipt)

    page = manager.get(f"/quarantine/{receipt}")

    assert "Данные этого человека стёрты" in page
    assert "345-67-80" not in page
    assert manager.status("/quarantine") == 200
    assert manager.status(f"/quarantine/{receipt}/files/0") == 404


def test_an_accepted_delivery_is_no_matter_of_the_quarantine(house: House, manager: Browser) -> None:
    lead = house.receive()
    row = house.hub.views.receipts.of_lead(lead)[0]

    assert manager.status(f"/quarantine/{UUID(row['id'])}") == 404
    assert manager.status("/quarantine/00000000-0000-4000-8000-000000000000") == 404
    assert manager.status("/quarantine?state=other") == 404


@pytest.mark.parametrize("login", ["trainee", "auditor"])
def test_who_takes_in_no_requests_sees_no_quarantine(house: House, manager: Browser, login: str) -> None:
    receipt = broken(house)
    browser = Browser(house, login)

    assert [browser.status(p) for p in ("/quarantine", f"/quarantine/{receipt}", f"/quarantine/{receipt}/files/0")] == [403] * 3
    assert browser.post(f"/quarantine/{receipt}/release").status_code == 403
    assert house.hub.streams.fresh(Receipt, receipt)[1].status == "quarantined"


def test_the_administrator_works_the_quarantine_too(house: House, manager: Browser) -> None:
    receipt = broken(house)

    Browser(house, "administrator").done(f"/quarantine/{receipt}/release")

    assert house.hub.views.leads.count("1 = 1") == 1

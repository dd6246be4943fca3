"""The pages of website forms: settings, snippets, and a test that goes the whole way of a request (R1)."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from hub.application import THE_HUB
from hub.domain.form import Form, form_stream
from tests.web.admin_pages import Browser, error_at, words
from tests.web.house import House

SETTINGS: dict[str, Any] = {
    "name": "Сайт, подвал", "origins": "https://shop.example\r\nhttps://www.shop.example\r\n", "aliases": "Ваш город = region",
    "thank_you_urls": "https://shop.example/thanks", "thank_you": "Спасибо", "phone_shown": "8 800 555-35-35",
    "consent_text": "Согласен", "min_fill_seconds": "3", "max_age_hours": "72", "rate_per_minute": "10",
    "rate_cap_per_minute": "60", "silence_days": "7",
}


@pytest.fixture
def admin(house: House) -> Browser:
    return Browser(house, "administrator")


def test_a_form_is_made_and_its_page_gives_the_code_with_the_exact_addresses(admin: Browser) -> None:
    assert admin.done("/settings/forms/new", id="footer", **SETTINGS) == "/settings/forms/footer"

    page = html.unescape(admin.get("/settings/forms/footer"))
    for expected in ('<form action="http://localhost/f/footer"', 'data-hub-form="footer"', 'src="http://localhost/static/hub-form.js"',
                     ">http://localhost/f/footer</pre>", ">http://localhost/api/v1/forms/footer/submissions</pre>",
                     "Idempotency-Key: [_random]", 'name="consent_version" value="1"'):
        assert expected in page, expected


def test_the_settings_come_back_as_they_were_typed(admin: Browser) -> None:
    admin.done("/settings/forms/new", id="footer", **SETTINGS)

    page = admin.get("/settings/forms/footer/edit")
    assert "https://shop.example\nhttps://www.shop.example</textarea>" in page
    assert "Ваш город = region</textarea>" in page
    assert 'value="8 800 555-35-35"' in page


@pytest.mark.parametrize(("field", "value", "told"), [
    ("id", "Мой сайт", "не подходит"), ("name", " ", "нет названия"),
    ("origins", "https://shop.example/contacts", "не адрес сайта"),
    ("aliases", "Ваш город = city_hall", "не одно из наших полей"), ("aliases", "Ваш город", "не с чем связать"),
    ("thank_you_urls", "javascript:alert(1)", "не годится"), ("phone_shown", "звоните", "не похож на номер"),
    ("min_fill_seconds", "три", "целое число"), ("silence_days", "-1", "допустимо от 0 до 365")])
def test_a_wrong_setting_is_told_at_its_field_and_the_rest_is_kept(house: House, admin: Browser, field: str, value: str,
                                                                  told: str) -> None:
    answer = admin.post("/settings/forms/new", **{"id": "footer", **SETTINGS, field: value})

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert told in error_at(page, field)
    assert "Согласен</textarea>" in page
    assert html.escape(value.strip()) in page
    assert house.hub.form("footer") is None


def test_an_address_is_taken_once(house: House, admin: Browser) -> None:
    house.make_form("footer")

    answer = admin.post("/settings/forms/new", id="footer", **SETTINGS)

    assert answer.status_code == 409
    assert "уже есть" in error_at(answer.get_data(as_text=True), "id")


def test_a_changed_consent_is_a_new_version(house: House, admin: Browser) -> None:
    admin.done("/settings/forms/new", id="footer", **SETTINGS)
    admin.done("/settings/forms/footer/edit", **{**SETTINGS, "consent_text": "Согласен на обработку"})

    assert "версия 2" in words(admin.get("/settings/forms/footer"))
    state = house.hub.form("footer")
    assert state is not None
    assert state.consent_texts == ("Согласен", "Согласен на обработку")


def test_a_test_goes_the_whole_way_and_ends_as_a_test_lead(house: House, admin: Browser) -> None:
    """R1: the same channel and the same intake as a visitor's request."""
    house.make_form()

    shown = admin.get(admin.done("/settings/forms/main/test"))

    link = re.search(r'href="/leads/([0-9a-f-]{36})"', shown)
    assert link
    assert "Тест дошёл" in words(shown)
    lead = house.hub.lead(UUID(link[1]))
    assert lead.test
    assert lead.source_title == "Сайт, шапка"
    assert house.hub.views.receipts.last_of("website") == {}


def test_each_test_makes_a_card_of_its_own(house: House, admin: Browser) -> None:
    house.make_form()

    first, second = (admin.done("/settings/forms/main/test") for _ in range(2))

    assert first != second
    assert house.hub.views.leads.count("test = 1") == 2


def test_a_retired_form_takes_no_test_and_says_so(house: House, admin: Browser) -> None:
    house.make_form()
    admin.done("/settings/forms/main/retire")

    answer = admin.post("/settings/forms/main/test")

    assert answer.status_code == 422
    assert "сначала верните её в работу" in words(answer.get_data(as_text=True))
    assert house.hub.views.leads.count("test = 1") == 0
    assert house.hub.views.receipts.waiting() == 0


def test_a_foreign_receipt_is_not_shown_as_a_test(house: House, admin: Browser) -> None:
    house.make_form("other")
    house.make_form()
    link = admin.done("/settings/forms/main/test")

    for path in (link.replace("/main", "/other"), "/settings/forms/main?test=nonsense",
                 "/settings/forms/main?test=00000000-0000-4000-8000-000000000000"):
        assert "Тест дошёл" not in admin.get(path), path


def test_a_form_leaves_its_site_and_comes_back(house: House, admin: Browser) -> None:
    house.make_form()

    admin.done("/settings/forms/main/retire")
    assert "снята с сайта" in words(admin.get("/settings/forms"))
    assert admin.post("/settings/forms/main/edit", **SETTINGS).status_code == 422

    admin.done("/settings/forms/main/restore")
    assert admin.post("/settings/forms/main/restore").status_code == 422
    assert "не проверена" in words(admin.get("/settings/forms"))


def test_a_silent_form_is_pointed_out_until_it_is_heard_again(house: House, admin: Browser) -> None:
    house.make_form(silence_days=1)
    house.clock.at += timedelta(hours=11)
    assert "замолчала" not in words(admin.get("/settings/forms"))[:200]

    for _ in range(4):
        house.clock.at += timedelta(hours=11)
        admin.get("/settings")
    assert "замолчала" in words(admin.get("/settings/forms/main"))
    assert "молчат: 1" in words(admin.get("/settings"))

    house.receive()
    assert "замолчала" not in words(admin.get("/settings/forms/main"))


def test_names_of_forms_are_shown_as_text(house: House, admin: Browser) -> None:
    evil = '"><script>alert(1)</script>'
    house.make_form(name=evil, consent_text=evil, thank_you=evil)

    for path in ("/settings/forms", "/settings/forms/main", "/settings/forms/main/edit"):
        assert "<script>alert" not in admin.get(path), path


@pytest.mark.parametrize("login", ["head", "manager", "auditor"])
def test_forms_are_the_administrators_alone(house: House, login: str) -> None:
    house.make_form()
    browser = Browser(house, login)

    assert [browser.status(p) for p in ("/settings/forms", "/settings/forms/main", "/settings/forms/new")] == [403] * 3
    assert [browser.post(f"/settings/forms/main/{act}").status_code for act in ("test", "retire", "edit")] == [403] * 3


def test_an_unknown_form_is_not_found(admin: Browser) -> None:
    assert [admin.status(f"/settings/forms/{p}") for p in ("none", "none/edit")] == [404, 404]
    assert admin.post("/settings/forms/none/test").status_code == 404


def test_the_last_test_is_told(house: House, admin: Browser) -> None:
    house.make_form()
    house.hub.change(Form, form_stream("main"), lambda f: f.note_test("r"), actor=THE_HUB, at=house.clock())

    assert "Последний тест 23 ноября, 11:20" in words(admin.get("/settings/forms/main"))

"""The website channel: the contract, the identity of a delivery, where it came from."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from hub.channels.base import Accepted, Request
from hub.channels.website import cors_headers, thank_you
from hub.channels.website_snippets import snippets
from hub.domain.form import FormState, consent_sha256
from tests.channels.contract import ChannelContract
from tests.channels.website_requests import (
    FORM,
    NOW,
    PERSON,
    SITE,
    URLENCODED,
    accept,
    one,
    posted,
    request,
    urlencoded,
)


class TestContract(ChannelContract):
    module = "website"

    def accept(self, request: Request) -> Accepted:
        return accept(request)

    def genuine(self) -> Request:
        return request(json.dumps(PERSON).encode(), origin=SITE, idempotency_key='"8f2c-1"')

    def repeat(self) -> Request:
        return sent_at(self.genuine(), NOW + timedelta(seconds=5))

    def another(self) -> Request:
        return request(json.dumps(PERSON).encode(), origin=SITE, idempotency_key='"8f2c-2"')

    def forged(self) -> list[Request]:
        body = json.dumps(PERSON).encode()
        return [
            request(body, origin=bad)
            for bad in ("https://evil.ru", "http://agency.ru", "https://agency.ru.evil.ru", "https://agency.ru:8443")
        ]

    def unparsable(self) -> list[tuple[Request, str]]:
        return [
            (request('{"name": "Иван", "phone": "89001234567'.encode()), "89001234567"),
            (request(b"<lead><phone>89001234567</phone></lead>", "application/xml"), "<phone>89001234567"),
            (request(b'{"a":' * 20_000 + b"1" + b"}" * 20_000), '{"a":{"a":'),
            (request(b"\x98\x98 89001234567", "text/plain"), "89001234567"),
            (request(b"garbage 89001234567", "multipart/form-data; boundary=x"), "89001234567"),
        ]


def sent_at(sent: Request, at: datetime) -> Request:
    return Request(sent.method, sent.path, sent.headers, sent.body, sent.remote_addr, at)


# --- Tilda and Contact Form 7 ---


def test_tilda_connection_test_is_answered_ok_and_makes_nothing() -> None:
    assert accept(request(b"test=test", URLENCODED)) == Accepted((), {"body": "ok"})


def test_a_tilda_submission() -> None:
    body = urlencoded(
        {
            "Name": "Иван",
            "Phone": "+7 (900) 123-45-67",
            "tranid": "1234567:7654321",
            "formid": "form123456789",
            "utm_source": "yandex",
            "COOKIES": "_ym_uid=1700000000123456789; yclid=987654321987654321; _ga=GA1",
        }
    )
    delivery, again = one(request(body, URLENCODED)), one(request(body, URLENCODED))
    assert delivery.delivery_id == again.delivery_id
    assert delivery.delivery_id.startswith("tilda:form123456789:1234567:7654321/")
    assert dict(delivery.attribution) == {
        "utm_source": "yandex",
        "ym_client_id": "1700000000123456789",
        "yclid": "987654321987654321",
    }
    assert delivery.suspicion == ""


def test_a_contact_form_7_submission() -> None:
    fields = {
        "_wpcf7": "5",
        "_wpcf7_locale": "ru_RU",
        "your-name": "Иван",
        "your-email": "ivan@mail.ru",
        "services": ["SEO", "Сайт"],
        "acceptance-1": "1",
        "your-message": "Здравствуйте",
    }
    delivery = posted(fields, idempotency_key="48151623")
    assert (delivery.delivery_id, delivery.text) == ("48151623", "Здравствуйте")
    assert ("_wpcf7_locale", "ru_RU") in delivery.fields
    assert ("services", "SEO, Сайт") in delivery.fields
    assert delivery.consent is not None
    assert delivery.consent.given


# --- identity ---


@pytest.mark.parametrize(
    ("header", "id"), [('"abc-1"', "abc-1"), ("abc-1", "abc-1"), (' "a\\"b" ', 'a"b'), ("x" * 255, "x" * 255)]
)
def test_the_idempotency_key_is_the_delivery_id(header: str, id: str) -> None:
    delivery = posted(PERSON, idempotency_key=header)
    assert (delivery.delivery_id, delivery.fingerprint) == (id, "")


def test_a_key_that_is_too_long_is_kept_as_its_hash() -> None:
    long = posted(PERSON, idempotency_key="x" * 256).delivery_id
    assert long.startswith("sha256:")
    assert long != posted(PERSON, idempotency_key="x" * 257).delivery_id


@pytest.mark.parametrize("header", ["", '""', "[_random]", "{{id}}", "%ID%", "undefined", "null"])
def test_a_key_that_the_site_did_not_fill_in_is_no_key(header: str) -> None:
    """Otherwise every visitor of that site would be the same delivery."""
    delivery = posted(PERSON, idempotency_key=header)
    assert delivery.delivery_id == ""
    assert delivery.fingerprint


def test_a_submission_id_frozen_in_a_page_does_not_lose_the_second_visitor() -> None:
    first, again, other = (
        posted({"submission_id": "1", "phone": phone}) for phone in ("89001234567", "89001234567", "89007654321")
    )
    assert first.delivery_id == again.delivery_id != other.delivery_id


def test_without_an_id_the_fingerprint_marks_the_same_content() -> None:
    first, again, other, elsewhere = (
        posted({"phone": "8 (900) 123-45-67", "message": "Нужен  САЙТ"}),
        posted({"Телефон": "+79001234567", "текст": "нужен сайт", "page": "/x"}),
        posted({"phone": "8 (900) 123-45-67", "message": "Другое"}),
        one(request(json.dumps({"phone": "89001234567", "message": "нужен сайт"}).encode()), structs.replace(FORM, id="other")),
    )
    assert first.fingerprint == again.fingerprint
    assert len({first.fingerprint, other.fingerprint, elsewhere.fingerprint}) == 3


# --- attribution and consent ---


def test_attribution_is_kept_as_text_first_and_last_touch() -> None:
    delivery = posted(
        {
            **PERSON,
            "page": "https://agency.ru/?utm_source=vk",
            "referrer": "https://ya.ru/",
            "utm_source": "yandex",
            "first_utm_source": "vk",
            "first_at": "2026-02-01T10:00:00Z",
            "yclid": 12345678901234567890,
            "gclid": "Cj0",
            "_ym_uid": "1700000000123456789",
            "_openstat": "b3Blbg",
            "timezone": "Asia/Omsk",
        },
        user_agent="Mozilla/5.0",
    )
    assert dict(delivery.attribution) == {
        "page": "https://agency.ru/?utm_source=vk",
        "referrer": "https://ya.ru/",
        "utm_source": "yandex",
        "first_utm_source": "vk",
        "first_at": "2026-02-01T10:00:00Z",
        "yclid": "12345678901234567890",
        "gclid": "Cj0",
        "ym_client_id": "1700000000123456789",
        "openstat": "b3Blbg",
        "user_agent": "Mozilla/5.0",
    }
    assert delivery.timezone == "Asia/Omsk"


def test_a_plain_form_is_attributed_by_its_page() -> None:
    delivery = posted(PERSON, referer="https://agency.ru/p?utm_source=direct&utm_campaign=%D0%9B%D0%B5%D1%82%D0%BE&yclid=77&x=1")
    assert dict(delivery.attribution) == {
        "page": "https://agency.ru/p?utm_source=direct&utm_campaign=%D0%9B%D0%B5%D1%82%D0%BE&yclid=77&x=1",
        "utm_source": "direct",
        "utm_campaign": "Лето",
        "yclid": "77",
    }


@pytest.mark.parametrize(
    ("fields", "given", "version", "text"),
    [
        ({"consent": "yes", "consent_version": "2"}, True, "2", "Согласен на обработку"),
        ({"consent": True, "consent_version": 1}, True, "1", "Старый текст"),
        ({"consent_version": "2"}, False, "2", "Согласен на обработку"),
        ({"consent": "false", "consent_version": "2"}, False, "2", "Согласен на обработку"),
        ({"согласие": "Не согласен"}, False, "", ""),
        ({"Согласие": "да"}, True, "", ""),
        ({"consent": "on", "consent_version": "99"}, True, "99", ""),
    ],
)
def test_consent_is_recorded_with_the_text_that_was_shown(fields: dict[str, Any], given: bool, version: str, text: str) -> None:
    consent = posted({**PERSON, **fields, "page": "https://agency.ru/"}).consent
    assert consent is not None
    assert (consent.given, consent.version, consent.text_sha256) == (given, version, consent_sha256(text))
    assert (consent.ip, consent.page) == ("203.0.113.7", "https://agency.ru/")


def test_a_form_that_says_nothing_about_consent() -> None:
    delivery = posted(PERSON)
    assert (delivery.consent, delivery.suspicion) == (None, "")


# --- what the web layer answers with ---


def test_cors_names_the_exact_origin_or_none() -> None:
    headers = cors_headers(FORM, SITE)
    assert headers["Access-Control-Allow-Origin"] == SITE
    assert "Idempotency-Key" in headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in headers
    for stranger in ("https://evil.ru", "", "null", "*"):
        assert cors_headers(FORM, stranger) == {"Vary": "Origin"}


def test_a_visitor_is_sent_only_to_a_listed_page() -> None:
    assert thank_you(FORM, "https://agency.ru/promo") == "https://agency.ru/promo"
    assert thank_you(FORM, "https://evil.ru/") == thank_you(FORM) == "https://agency.ru/thanks"
    assert thank_you(FormState(id="bare"), "https://evil.ru/") == ""
    assert accept(request(urlencoded({**PERSON, "redirect": "https://agency.ru/promo"}), URLENCODED)).answer == {
        "thank_you": "https://agency.ru/promo"
    }


def test_the_snippets_hold_the_form_and_nothing_unescaped() -> None:
    form = structs.replace(FORM, consent_text='<b>"Согласен"</b>', phone_shown='8 800 "555"', thank_you="Спасибо & до связи")
    both = snippets(form, "https://hub.agency.ru/")
    for snippet in both.values():
        assert 'action="https://hub.agency.ru/f/main"' in snippet
        assert 'accept-charset="utf-8"' in snippet
        assert 'name="hub_topic" tabindex="-1" autocomplete="off"' in snippet
        assert "&lt;b&gt;&quot;Согласен&quot;&lt;/b&gt;" in snippet
        assert '<input type="checkbox" name="consent" value="yes">' in snippet
        assert 'name="consent_version" value="2"' in snippet
    assert "<script" not in both["html"]
    assert "data-hub-form" not in both["html"]
    assert 'data-hub-form="main"' in both["script"]
    assert 'data-phone="8 800 &quot;555&quot;"' in both["script"]
    assert '<script src="https://hub.agency.ru/static/hub-form.js" defer></script>' in both["script"]
    assert "consent" not in snippets(structs.replace(FORM, consent_text=""), "https://hub.agency.ru")["html"]

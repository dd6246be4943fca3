"""The website channel: every kind of body, and the fields in it."""

from __future__ import annotations

import json

import pytest

from hub.channels.base import Request
from tests.channels.website_requests import (
    PERSON,
    URLENCODED,
    check_person,
    multipart,
    one,
    posted,
    request,
    urlencoded,
)

# --- bodies ---


@pytest.mark.parametrize(
    "sent",
    [
        request(json.dumps(PERSON).encode()),
        request(json.dumps(PERSON, ensure_ascii=False).encode(), "application/json; charset=utf-8"),
        request(b"\xef\xbb\xbf" + json.dumps(PERSON).encode(), "application/vnd.api+json"),
        request(json.dumps(PERSON, ensure_ascii=False).encode("cp1251"), "application/json; charset=windows-1251"),
        request(json.dumps(PERSON).encode(), "text/plain;charset=UTF-8"),
        request(json.dumps(PERSON).encode(), URLENCODED),
        request(urlencoded(PERSON), URLENCODED),
        request(urlencoded(PERSON, "cp1251"), URLENCODED),
        request(urlencoded(PERSON, "cp1251"), URLENCODED + "; charset=utf-8"),
        request(urlencoded({**PERSON, "_charset_": "windows-1251"}, "cp1251"), URLENCODED),
        request("name=иван петров&phone=8 (900) 123-45-67&email=Ivan@Mail.ru&message=Нужен сайт".encode("cp1251"), URLENCODED),
        request(urlencoded(PERSON, "koi8-r"), URLENCODED + "; charset=koi8-r"),
        request(multipart(*((f'name="{n}"', v.encode()) for n, v in PERSON.items())), "multipart/form-data; boundary=xYz"),
        request(
            multipart(*((f'name="{n}"', v.encode("cp1251")) for n, v in PERSON.items())), 'multipart/form-data; boundary="xYz"'
        ),
        request(multipart(*((f'name="{n}"', v.encode()) for n, v in PERSON.items())), "multipart/form-data"),
    ],
    ids=[
        "json",
        "utf8",
        "bom",
        "cp1251",
        "text",
        "mislabelled",
        "urlencoded",
        "urlencoded-1251",
        "urlencoded-1251-said-utf8",
        "charset-field",
        "raw-1251",
        "koi8",
        "multipart",
        "multipart-1251",
        "no-boundary",
    ],
)
def test_the_same_person_from_every_kind_of_body(sent: Request) -> None:
    check_person(one(sent))


@pytest.mark.parametrize(
    "names",
    [
        {"Name": "name", "Phone": "phone", "Email": "email", "Textarea": "text"},
        {"your-name": "name", "your-tel": "phone", "your-email": "email", "your-message": "text"},
        {"ИМЯ": "name", "Телефон": "phone", "Почта": "email", "Сообщение": "text"},
        {"Ваше имя*": "name", "Номер телефона": "phone", "Электронная почта": "email", "Ваш вопрос №1": "text"},
        {"ФИО": "name", "tel-619": "phone", "e-mail": "email", "comment": "text"},
        {"fields[name]": "name", "fields[phone]": "phone", "fields[email]": "email", "fields[message]": "text"},
    ],
)
def test_fields_are_known_by_their_names_in_both_languages(names: dict[str, str]) -> None:
    values = {"name": "иван петров", "phone": "89001234567", "email": "ivan@mail.ru", "text": "Нужен сайт"}
    check_person(posted({theirs: values[ours] for theirs, ours in names.items()}))


def test_the_rest_of_a_form_is_understood_too() -> None:
    delivery = posted(
        {
            "Фамилия": "Иванова",
            "Имя": "Анна",
            "Компания": "ООО «Ромашка»",
            "бюджет": "300 000 ₽",
            "город": "Томск",
            "Удобное время звонка": "после 18",
            "Тема": "Сайт",
            "phone": 89001234567,
        }
    )
    assert (delivery.name, delivery.company, delivery.budget, delivery.region) == (
        "Анна Иванова",
        "ООО «Ромашка»",
        "300 000 ₽",
        "Томск",
    )
    assert (delivery.convenient_time, delivery.subject_line, delivery.timezone) == ("после 18", "Сайт", "Asia/Tomsk")
    assert [a.value for a in delivery.addresses] == ["+79001234567"]


def test_every_field_is_kept_word_for_word_and_in_order() -> None:
    body = (
        '{"phone": "8 900 123-45-67", "Размер ноги": " 42 ", "услуги": ["SEO", "сайт"], "n": 1.10, "big": 12345678901234567890, '
        '"data": {"x": {"y": null}}, "список": [{"q": "Срок?", "a": true}], "_wpcf7": "5"}'
    )
    delivery = one(request(body.encode()))
    assert delivery.fields == (
        ("phone", "8 900 123-45-67"),
        ("Размер ноги", " 42 "),
        ("услуги", "SEO, сайт"),
        ("n", "1.10"),
        ("big", "12345678901234567890"),
        ("data.x.y", ""),
        ("список.1.q", "Срок?"),
        ("список.1.a", "true"),
        ("_wpcf7", "5"),
    )
    assert delivery.text == ""
    assert delivery.suspicion == ""
    assert delivery.raw == body


def test_a_number_in_the_text_is_a_way_to_reach_the_person() -> None:
    """R3: a number in the text of a delivery is taken from it."""
    delivery = posted({"name": "Иван", "message": "Позвоните 8 900 123 45 67 или пишите ivan@mail.ru. Бюджет 300 000 руб"})
    assert [(a.kind, a.value) for a in delivery.addresses] == [("phone", "+79001234567"), ("email", "ivan@mail.ru")]


def test_a_form_whose_names_mean_nothing_is_still_searched() -> None:
    assert [a.value for a in posted({"field_18": "8 900 123 45 67"}).addresses] == ["+79001234567"]


def test_one_field_for_phone_or_email() -> None:
    assert [a.value for a in posted({"Контакт": "ivan@mail.ru"}).addresses] == ["ivan@mail.ru"]
    assert [a.value for a in posted({"Контакт": "89001234567"}).addresses] == ["+79001234567"]


def test_a_phone_that_no_rule_understands_is_kept_as_written() -> None:
    delivery = posted({"name": "Иван", "phone": "123-45-67, спросить Ивана"})
    assert delivery.addresses == ()
    assert ("phone", "123-45-67, спросить Ивана") in delivery.fields
    assert delivery.suspicion == ""


def test_files_come_with_the_fields() -> None:
    body = multipart(
        ('name="phone"', b"89001234567"),
        ('name="brief"; filename="C:\\\\docs\\\\ТЗ.pdf"\r\nContent-Type: application/pdf', b"%PDF\r\n\x00\xff"),
        ('name="empty"; filename=""\r\nContent-Type: application/octet-stream', b""),
    )
    delivery = one(request(body, "multipart/form-data; boundary=xYz"))
    (file,) = delivery.files
    assert (file.name, file.content_type, file.data) == ("ТЗ.pdf", "application/pdf", b"%PDF\r\n\x00\xff")
    assert delivery.suspicion == ""
    assert json.loads(delivery.raw)["fields"] == [["phone", "89001234567"]]


def test_a_multipart_repeat_with_another_boundary_is_the_same_payload() -> None:
    parts = [('name="phone"', b"89001234567"), ('name="f"; filename="a.txt"', b"x")]
    first, again, other = (
        one(request(multipart(*p, boundary=b), f"multipart/form-data; boundary={b}"))
        for p, b in ((parts, "aaa"), (parts, "bbb"), ([*parts[:1], ('name="f"; filename="a.txt"', b"y")], "aaa"))
    )
    assert first.payload_digest == again.payload_digest != other.payload_digest

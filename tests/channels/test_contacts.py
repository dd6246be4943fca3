"""Phones, e-mails, names and time zones as people write them."""

from __future__ import annotations

import pytest

from hub.domain.contact import email, emails_in, person_name, phone, phones_in, timezone_of

MOBILE = "+79001234567"

SPELLINGS = [
    "+79001234567",
    "89001234567",
    "9001234567",
    "79001234567",
    "8 (900) 123-45-67",
    "+7 (900) 123-45-67",
    "7 900 1234567",
    "8.900.123.45.67",
    "8/900/1234567",
    "8 900 123 45 67",
    "8‑900‑123–45—67",
    "＋７９００１２３４５６７",
    "８９００１２３４５６７",
    "+8 900 123-45-67",
    "+7 (890) 012-34-567",
    "+7 8 900 123 45 67",
    "8 10 7 900 123 45 67",
    "00 7 900 123-45-67",
    "тел. 8 900 123-45-67",
    "tel:+79001234567",
    "Телефон: 89001234567, Иван",
    "89001234567 (Анна, после 18)",
    "\u202a+7 900 123‑45‑67\u202c",
    "8\u00a0900\u00a0123\u00a045\u00a067",
]


@pytest.mark.parametrize("written", SPELLINGS)
def test_every_spelling_of_a_russian_number_is_one_number(written: str) -> None:
    """R6: the same person is the same E.164 number; what was written is kept."""
    found = phone(written)
    assert found is not None
    assert (found.kind, found.value, found.raw, found.extension) == ("phone", MOBILE, written.strip(), "")


@pytest.mark.parametrize(
    "written",
    [
        "+7(495)1234567 доб. 12",
        "8 495 123-45-67, доб 12",
        "8(495)1234567 (вн. 12)",
        "8 495 1234567#12",
        "+7 495 123 45 67 x12",
        "+74951234567 добавочный 12",
        "8 (495) 123-45-67 внутр. № 12",
        "+7 495 123-45-67 ext. 12",
        "тел. 8 495 123-45-67 доб.12",
    ],
)
def test_an_extension_is_kept_apart(written: str) -> None:
    found = phone(written)
    assert found is not None
    assert (found.value, found.extension) == ("+74951234567", "12")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("8-800-555-35-35", "+78005553535"),
        ("(4832) 123-456", "+74832123456"),
        ("+375 29 123-45-67", "+375291234567"),
        ("375 29 123 45 67", "+375291234567"),
        ("+7 701 123 45 67", "+77011234567"),
        ("+49 30 901820", "+4930901820"),
    ],
)
def test_city_and_foreign_numbers(written: str, value: str) -> None:
    found = phone(written)
    assert found is not None
    assert found.value == value


@pytest.mark.parametrize(
    "written", ["", "нет", "123-45-67", "8 900 123 45 6", "8 900 123-45-67; 8 495 123-45-67", "1" * 500, "\x00", "+"]
)
def test_what_is_not_one_number_is_none(written: str) -> None:
    assert phone(written) is None


def test_numbers_in_free_text() -> None:
    text = "Добрый день! Позвоните 8 (900) 123-45-67, офис +7 495 123-45-67 доб. 5 или снова 89001234567."
    assert [(a.value, a.extension) for a in phones_in(text)] == [(MOBILE, ""), ("+74951234567", "5")]


@pytest.mark.parametrize(
    "text",
    [
        "Бюджет 8 900 000 00 00 руб",
        "от 300 000 до 1 500 000 рублей",
        "ИНН 7707083893, ОГРН 1027700132195",
        "ИНН 9707083893",
        "р/с 40702810900000012345, БИК 044525225",
        "карта 4276 3800 1234 5678",
        "встреча 12.05.2026 10:30",
        "https://site.ru/?id=89001234567",
        "почта 89001234567@mail.ru",
        "реквизиты: 7707083893",
        "заказ № 89001234567",
        "сумма: 89001234567",
        "8 900 123-45-67 ₽",
    ],
)
def test_prices_and_other_numbers_are_not_phones(text: str) -> None:
    assert phones_in(text) == ()


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("Ivan@Mail.RU", "ivan@mail.ru"),
        (" <a.b+c@x.co.uk> ", "a.b+c@x.co.uk"),
        ("mailto:a@b.ru", "a@b.ru"),
        ("ivan @ mail.ru", "ivan@mail.ru"),
        ("иван@почта.рф", "иван@почта.рф"),
        ("a@xn--80a1acny.xn--p1ai", "a@почта.рф"),
        ("ivan@mail.ru.", "ivan@mail.ru"),
        ("ｉvan@mail.ru", "ivan@mail.ru"),
    ],
)
def test_an_email_in_one_spelling(written: str, value: str) -> None:
    found = email(written)
    assert found is not None
    assert (found.kind, found.value) == ("email", value)


@pytest.mark.parametrize("written", ["", "нет", "a@b", "@x.ru", "a@1.2.3.4", "a@b.ru c@d.ru", "a..b@x.ru", "a" * 500 + "@x.ru"])
def test_what_is_not_one_email_is_none(written: str) -> None:
    assert email(written) is None


def test_emails_in_free_text() -> None:
    assert [a.value for a in emails_in("Пишите: A@b.ru, (c@d.com) или a@B.ru.")] == ["a@b.ru", "c@d.com"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ИВАНОВ   ИВАН", "Иванов Иван"),
        (" анна петрова-водкина ", "Анна Петрова-Водкина"),
        ("ООО РОМАШКА", "ООО Ромашка"),
        ("Жан де Ла Тур", "Жан де Ла Тур"),
        ("Иван\n\x00Петров\u202e", "Иван Петров"),
        ("", ""),
        ("ivan@x.ru", "ivan@x.ru"),
        ("я" * 900, "Я" + "я" * 199),
    ],
)
def test_a_name_is_fit_to_be_read(written: str, read: str) -> None:
    assert person_name(written) == read


@pytest.mark.parametrize(
    ("region", "zone"),
    [
        ("Калининградская область", "Europe/Kaliningrad"),
        ("г. Москва", "Europe/Moscow"),
        ("СПб", "Europe/Moscow"),
        ("Орёл", "Europe/Moscow"),
        ("Республика Крым", "Europe/Simferopol"),
        ("Саратов", "Europe/Saratov"),
        ("Самара", "Europe/Samara"),
        ("Удмуртия", "Europe/Samara"),
        ("Пермский край", "Asia/Yekaterinburg"),
        ("ХМАО — Югра", "Asia/Yekaterinburg"),
        ("Ямало-Ненецкий АО", "Asia/Yekaterinburg"),
        ("Ненецкий автономный округ", "Europe/Moscow"),
        ("Омск", "Asia/Omsk"),
        ("Томск", "Asia/Tomsk"),
        ("Кузбасс", "Asia/Novokuznetsk"),
        ("Республика Алтай", "Asia/Barnaul"),
        ("Красноярск", "Asia/Krasnoyarsk"),
        ("Краснодарский край", "Europe/Moscow"),
        ("Улан-Удэ", "Asia/Irkutsk"),
        ("Забайкальский край", "Asia/Chita"),
        ("Республика Саха (Якутия)", "Asia/Yakutsk"),
        ("Южно-Сахалинск", "Asia/Sakhalin"),
        ("Комсомольск-на-Амуре", "Asia/Vladivostok"),
        ("Петропавловск-Камчатский", "Asia/Kamchatka"),
        ("Чукотка", "Asia/Anadyr"),
        ("Нижний Новгород", "Europe/Moscow"),
        ("Новосибирск", "Asia/Novosibirsk"),
        ("Владикавказ", "Europe/Moscow"),
        ("Москва и Новосибирск", ""),
        ("вся Россия", ""),
        ("", ""),
    ],
)
def test_the_zone_of_a_region(region: str, zone: str) -> None:
    assert timezone_of(region=region) == zone


def test_the_most_exact_source_of_a_zone_wins() -> None:
    assert timezone_of(browser="Asia/Omsk", region="Москва", phone="+74951234567") == "Asia/Omsk"
    assert timezone_of(browser="UTC", region="Томск") == "Asia/Tomsk"
    assert timezone_of(browser="../../etc/passwd", region="") == ""
    assert timezone_of(phone="+73832123456") == "Asia/Novosibirsk"


def test_a_mobile_number_says_nothing_about_the_zone() -> None:
    assert timezone_of(phone=MOBILE) == ""
    assert timezone_of(phone="нет") == ""


def test_a_word_before_it_makes_ten_digits_a_phone() -> None:
    assert phones_in("реквизиты 4951234567") == ()
    assert [a.value for a in phones_in("ИНН 7707083893, тел. 4951234567")] == ["+74951234567"]


def test_marks_piled_on_a_letter_do_not_cover_the_card() -> None:
    assert len(person_name("Иван и" + "\u0300\u0316" * 5_000)) < 12
    assert person_name("Андрей Ёлкин") == person_name("Андрей Ёлкин") == "Андрей Ёлкин"

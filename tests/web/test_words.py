"""How times, sums, phones and people are written, and how date inputs are read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import g
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hub.domain.errors import Refused
from hub.web import words
from hub.web.frame import STATIC
from tests.web.house import MONDAY, House

GAP = "\N{NO-BREAK SPACE}"


@pytest.fixture(autouse=True)
def page(house: House) -> Iterator[None]:
    """Words are written on a page: there is a request, in Russian."""
    with house.app.test_request_context("/", headers={"Accept-Language": "ru"}):
        yield


def plain(text: str) -> str:
    return text.replace(GAP, " ")


@pytest.mark.parametrize(("at", "zone", "said"), [
    (MONDAY, None, "23 ноября, 11:20"),
    (MONDAY.isoformat(), None, "23 ноября, 11:20"),
    (MONDAY, "Asia/Vladivostok", "23 ноября, 18:20"),
    (datetime(2027, 1, 5, 22, 30, tzinfo=UTC), None, "6 января 2027, 01:30"),
    (datetime(2026, 12, 31, 21, 0, tzinfo=UTC), None, "1 января 2027, 00:00"),
    (None, None, ""), ("", None, ""),
])
def test_a_moment_is_written_in_the_companys_zone(at: datetime | str | None, zone: str | None, said: str) -> None:
    assert plain(words.moment(at, zone)) == said


def test_a_day_and_a_time() -> None:
    assert plain(words.day(date(2026, 5, 1))) == "1 мая"
    assert plain(words.day("2025-05-01")) == "1 мая 2025"
    assert plain(words.day(datetime(2026, 11, 22, 22, tzinfo=UTC))) == "23 ноября"
    assert words.clock(MONDAY) == "11:20"
    assert words.clock(MONDAY, "Asia/Yekaterinburg") == "13:20"
    assert (words.day(None), words.clock(None)) == ("", "")


@pytest.mark.parametrize(("length", "said"), [
    (timedelta(days=2, hours=20, minutes=59), "2 д 20 ч"), (timedelta(days=2), "2 д"),
    (timedelta(hours=3, minutes=5), "3 ч 5 мин"), (timedelta(minutes=20), "20 мин"), (90, "1 мин"),
    (timedelta(seconds=59), "меньше минуты"), (timedelta(0), "меньше минуты"),
    (timedelta(minutes=-20), "20 мин"), (timedelta(days=1, minutes=5), "1 д"), (None, ""),
])
def test_a_span_says_its_two_largest_units(length: timedelta | int | None, said: str) -> None:
    assert plain(words.span(length)) == said


@pytest.mark.parametrize(("value", "short", "said"), [
    (1250000, False, "1 250 000 ₽"), (Decimal("1250000.00"), False, "1 250 000 ₽"), ("1 250 000", False, "1 250 000 ₽"),
    (Decimal("99.5"), False, "99,50 ₽"), (3_200_000, True, "3,2 млн ₽"), (3_000_000, True, "3 млн ₽"),
    (950_000, True, "950 000 ₽"), (2_500_000_000, True, "2,5 млрд ₽"), (-1_500_000, True, "-1,5 млн ₽"),
    (0, False, "0 ₽"), (None, False, ""), ("", True, ""),
    ("до миллиона", False, "до миллиона"), ("NaN", False, "NaN"),
])
def test_money(value: object, short: bool, said: str) -> None:
    assert plain(words.money(value, short)) == said


def test_money_never_breaks_at_the_end_of_a_line() -> None:
    assert " " not in words.money(1250000)
    assert " " not in words.money(3_200_000, short=True)


@pytest.mark.parametrize(("value", "said"), [
    ("+79123456789", "+7 912 345-67-89"), ("+375291234567", "+375291234567"), ("[erased]", "[erased]"), ("", ""), (None, ""),
])
def test_a_phone(value: str | None, said: str) -> None:
    assert plain(words.phone(value)) == said


@pytest.mark.parametrize(("number", "word"), [(0, "заявок"), (1, "заявка"), (2, "заявки"), (5, "заявок"), (11, "заявок"),
                                              (12, "заявок"), (21, "заявка"), (22, "заявки"), (25, "заявок"),
                                              (111, "заявок"), (101, "заявка")])
def test_a_number_has_its_form_of_the_word(number: int, word: str) -> None:
    assert plain(words.plural(number, "заявка", "заявки", "заявок")) == f"{number} {word}"


def test_two_forms_are_enough_in_english() -> None:
    assert [words.plural_word(n, "lead", "leads") for n in (0, 1, 2, 21)] == ["leads", "lead", "leads", "leads"]


def test_a_person_is_known_by_name(house: House) -> None:
    stream = house.users["manager"]
    assert words.person(f"user:{stream}") == words.person(stream) == words.person(str(stream)) == "Мария Котова"
    assert words.person("hub") == "Хаб"
    assert words.person("channel:website") == "Сайт"
    assert words.person("user:00000000-0000-4000-8000-000000000000") == "Бывший сотрудник"
    assert (words.person(""), words.person(None), words.person("user:x")) == ("", "", "user:x")


def test_channels_have_icons_of_the_sprite() -> None:
    sprite = (STATIC / "icons.svg").read_text()
    for channel in ("phone", "social", "email", "website", "", "new one"):
        assert f'id="{words.channel_icon(channel)}"' in sprite


def test_erased_data_is_said_in_words() -> None:
    assert words.personal("[erased]") == "данные удалены"
    assert (words.personal("Иван"), words.personal(None)) == ("Иван", "")


def test_english_words(house: House) -> None:
    g.language = "en"
    assert plain(words.moment(MONDAY)) == "23 November, 11:20"
    assert plain(words.span(timedelta(days=1, hours=2))) == "1 d 2 h"
    assert plain(words.money(3_200_000, short=True)) == "3.2 m ₽"
    assert words.channel("email") == "E-mail"


# ── date inputs ──


def test_a_date_input_is_company_time() -> None:
    assert words.instant("2026-11-23T11:20") == MONDAY
    assert words.instant("  ") is None


@pytest.mark.parametrize("text", ["завтра", "2026-13-01T10:00", "2026-11-23T11:20+05:00", "9999-12-31T23:59", "0001-01-01T00:00"])
def test_what_is_no_time_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(Refused) as refused:
        words.instant(text, "starts_at")
    assert refused.value.field == "starts_at"
    assert "2026-11-23T11:20" in refused.value.say("ru")


def test_a_time_that_the_change_of_clocks_skipped_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "company_zone", lambda: words.ZoneInfo("Europe/Berlin"))
    with pytest.raises(Refused, match="clocks"):
        words.instant("2026-03-29T02:30")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)).map(lambda at: at.replace(second=0, microsecond=0)))
def test_what_an_input_shows_is_read_back_as_the_same_instant(at: datetime) -> None:
    instant = at.replace(tzinfo=UTC)
    shown = words.local(instant)
    assert shown is not None
    assume(shown.fold == 0)
    assume(not shown.utcoffset().total_seconds() % 60)  # type: ignore[union-attr]
    assert words.instant(f"{shown:%Y-%m-%dT%H:%M}") == instant


def test_filters_are_there_for_templates(house: House) -> None:
    text = house.app.jinja_env.from_string("{{ at|moment }} {{ 5|plural('лид', 'лида', 'лидов') }} {{ '+79123456789'|phone }}")
    assert plain(text.render(at=MONDAY)) == "23 ноября, 11:20 5 лидов +7 912 345-67-89"

"""The English of the screens: nothing is left untranslated, and pages are in the language of who looks."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from hub.domain.spoken import spoken
from tests.web.conftest import sign_in
from tests.web.house import House
from tools import translations

RUSSIAN = re.compile("[А-Яа-яЁё]")
PAGES = ("/", "/my", "/leads", "/meetings", "/process", "/reports", "/reports/funnel", "/partners", "/settings",
         "/settings/users", "/account", "/notices", "/search?q=smith", "/audit", "/audit/trail", "/channels", "/import",
         "/nothing-here")


def test_everything_that_is_said_has_its_english_with_the_same_places() -> None:
    """``python -m tools.translations`` names what is missing, and where it is written."""
    assert translations.faults(translations.brought_up()) == []


def test_the_catalogue_is_what_the_code_says_and_is_compiled() -> None:
    assert translations.written(translations.brought_up()) == translations.PO.read_bytes()
    assert translations.compiled(translations.kept()) == translations.MO.read_bytes()


def test_nothing_is_counted_by_ngettext() -> None:
    """It knows two forms of the source language, and Russian has three: «осталось 2 секунд»."""
    asked = [path for folder in ("hub", "templates") for path in (translations.ROOT / folder).rglob("*.*")
             if path.suffix in (".py", ".html") and re.search(r"\bn(?:p)?gettext\(", path.read_text(encoding="utf-8"))]
    assert asked == []


def words_of(page: str) -> list[str]:
    """What a person reads, and what is read out to them."""
    plain = re.sub(r"<script.*?</script>|<svg.*?</svg>|<!--.*?-->", "", page, flags=re.S)
    return re.findall(r'>([^<>]+)<|(?:aria-label|title|placeholder|alt)="([^"]+)"', plain)


@pytest.mark.parametrize("login", ["administrator", "head", "auditor"])
def test_pages_in_english_hold_no_russian_but_what_people_wrote(house: House, client: FlaskClient, login: str) -> None:
    house.make_form(name="Main")
    house.receive("John Smith", text="A shop", source_title="Site")
    sign_in(client, login)
    client.set_cookie("hub_language", "en")
    process = house.hub.process
    written = {user.name for user in house.hub.users().values()} | {"Русский"}
    written |= {text for item in _texts(spoken(process, "en").file) for text in item.split("\n")}
    initials = re.compile(r"[А-ЯЁ]{2}")
    for url in PAGES:
        page = client.get(url).get_data(as_text=True)
        if "<html" not in page:
            continue
        assert '<html lang="en"' in page, url
        found = [text.strip() for pair in words_of(page) for text in pair if RUSSIAN.search(text)]
        left = [text for text in found if not initials.fullmatch(text) and not any(w and w in text for w in written)]
        assert left == [], url


def _texts(value: object) -> list[str]:
    """All texts of a process file that has no English for them."""
    if isinstance(value, str):
        return [value] if RUSSIAN.search(value) else []
    if isinstance(value, tuple):
        return [text for one in value for text in _texts(one)]
    return [text for name in getattr(value, "__struct_fields__", ()) for text in _texts(getattr(value, name))]


def test_the_process_speaks_the_language_of_the_page_and_decides_the_same(house: House) -> None:
    process = house.hub.process
    english = spoken(process, "en")
    assert english.stages["screening"].title == process.stages["screening"].title_en
    assert english.deadlines["take"].title == process.deadlines["take"].title_en
    assert (english.version, english.calendar, list(english.stages)) == (process.version, process.calendar, list(process.stages))
    assert english.due("take", house.clock()) == process.due("take", house.clock())
    assert spoken(process, "ru") is process

"""Pages of personal data: finding, giving out, erasing in two steps, the report, the rules; and what auditors read."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from uuid import UUID

import pytest

from hub.domain.delivery import Consent
from hub.domain.form import Form, FormSettings, consent_sha256, form_stream
from hub.domain.privacy import DataRead
from tests.web.admin_pages import Browser
from tests.web.house import House, ready_house

PAGE = "/settings/privacy"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return ready_house(tmp_path)


@pytest.fixture
def admin(house: House) -> Browser:
    return Browser(house, "administrator")


def person(house: House, lead: UUID) -> UUID:
    return house.hub.lead(lead).main_person


def test_a_person_is_found_by_phone_name_and_card(house: House, admin: Browser) -> None:
    lead = house.receive()
    house.settle()
    who = house.hub.lead(lead).person
    row = house.hub.views.leads.one(lead)
    for words in (who.name, who.first("phone"), f"L-{row['number']}", str(who.id)):
        assert f"/settings/privacy/people/{who.id}" in admin.get(f"{PAGE}?q={words.replace('+', '%2B')}"), words
    assert "Никого не нашли" in admin.get(f"{PAGE}?q=никто")


def test_erasing_takes_two_steps_and_ends_in_a_report(house: House, admin: Browser) -> None:
    lead = house.receive()
    house.settle()
    who = house.hub.lead(lead).person
    url = f"{PAGE}/people/{who.id}"
    assert "Что удалится" in admin.get(url)
    second = admin.post(f"{url}/erase", asked="1", shared="1", reason="отзыв согласия")
    assert (second.status_code, second.mimetype) == (200, "text/html")
    page = second.get_data(as_text=True)
    assert "Удалить данные навсегда?" in page
    assert house.hub.lead(lead).person.name == who.name, "the first step erases nothing"
    seal = re.search(r'name="seal" value="(\w+)"', page)
    assert seal is not None
    link = admin.done(f"{url}/erase", asked="1", shared="1", reason="отзыв согласия", seal=seal[1])
    report = admin.get(link)
    assert "Что осталось людям" in report
    assert "отзыв согласия" in report
    assert who.name not in report
    assert who.name not in admin.get(f"/leads/{lead}")
    assert "Личные данные человека удалены" in admin.get(f"/leads/{lead}")
    assert admin.client.get(url).headers["Location"].endswith(link)
    assert "отзыв согласия" in admin.get(PAGE)


def test_refusals_stand_at_their_field(house: House, admin: Browser) -> None:
    lead = house.receive()
    house.settle()
    who = house.hub.lead(lead).person
    url = f"{PAGE}/people/{who.id}"
    empty = admin.post(f"{url}/erase", asked="1", reason=" ")
    assert "Напишите, почему" in empty.get_data(as_text=True)
    named = admin.post(f"{url}/erase", asked="1", reason=f"просил {who.name}")
    assert "остаётся навсегда" in named.get_data(as_text=True)
    old = admin.post(f"{url}/erase", asked="1", shared="1", reason="так", seal="0" * 32)
    assert old.status_code == 409
    assert "Посмотрите, что будет удалено теперь" in old.get_data(as_text=True)
    assert "по какому запросу" in admin.post(f"{url}/export", reason="").get_data(as_text=True)
    assert house.hub.lead(lead).person.name == who.name
    assert admin.status(f"{PAGE}/people/{UUID(int=7)}") == 404
    assert admin.status(f"{PAGE}/erasures/{UUID(int=7)}") == 404
    assert admin.status(f"{PAGE}/people/{house.users['manager']}") == 422


def test_the_archive_is_a_download(house: House, admin: Browser) -> None:
    lead = house.receive()
    house.settle()
    answer = admin.post(f"{PAGE}/people/{person(house, lead)}/export", reason="запрос от 12.11")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert {"index.html", "data.json"} <= set(archive.namelist())
    assert "запрос от 12.11" in admin.get(PAGE)


@pytest.mark.parametrize("login", ["head", "manager", "auditor"])
def test_nobody_else_opens_these_pages(house: House, login: str) -> None:
    lead = house.receive()
    house.settle()
    browser, url = Browser(house, login), f"{PAGE}/people/{person(house, lead)}"
    assert [browser.status(page) for page in (PAGE, url, f"{PAGE}/retention")] == [403] * 3
    for tail in ("/erase", "/export"):
        assert browser.post(url + tail, reason="так").status_code == 403
    assert browser.post(f"{PAGE}/retention").status_code == 403
    assert house.hub.lead(lead).person.name


def test_a_drawn_card_of_the_board_is_drawn_anew(house: House, admin: Browser) -> None:
    """The board keeps cards as they were drawn; an erased name is in none of them."""
    lead = house.receive()
    house.settle()
    name = house.hub.lead(lead).name
    manager = Browser(house, "manager")
    assert name in manager.get("/")
    house.app.extensions["board cards"].update({("kept",): name})
    url = f"{PAGE}/people/{person(house, lead)}/erase"
    seal = re.search(r'name="seal" value="(\w+)"', admin.post(url, asked="1", shared="1", reason="так").get_data(as_text=True))
    assert seal is not None
    admin.done(url, asked="1", shared="1", reason="так", seal=seal[1])
    assert ("kept",) not in house.app.extensions["board cards"]
    assert name not in manager.get("/")


def test_the_consent_is_shown_with_its_text(house: House, admin: Browser) -> None:
    text = "Согласен на обработку данных"
    house.hub.change(Form, form_stream("brief"), lambda f: f.make("brief", FormSettings(name="Сайт", consent_text=text)),
                     actor=house.actor("administrator"), at=house.clock())
    lead = house.receive(consent=Consent("1", consent_sha256(text), True))
    house.settle()
    page = Browser(house, "manager").get(f"/leads/{lead}")
    assert "Согласие на обработку данных дано" in page
    assert text in page


def reads(house: House) -> list[DataRead]:
    return [event for _, event in house.store.log(0, 100_000) if isinstance(event, DataRead)]


def test_what_an_auditor_reads_is_recorded_and_what_a_manager_reads_is_not(house: House) -> None:
    lead = house.receive()
    house.settle()
    Browser(house, "manager").get(f"/leads/{lead}")
    assert reads(house) == []
    auditor = Browser(house, "auditor")
    for _ in range(3):
        auditor.get(f"/leads/{lead}")
    (read,) = reads(house)
    assert (read.lead, read.what, read.actor) == (lead, "card", f"user:{house.users['auditor']}")
    house.clock.advance(minutes=11)
    auditor.get(f"/leads/{lead}")
    assert len(reads(house)) == 2


def test_the_rules_are_shown_before_they_run(house: House, admin: Browser) -> None:
    page = admin.get(f"{PAGE}/retention")
    assert "Правила выключены" in page
    assert "удалять пока некого" in page
    assert "Не прошли скрининг" in admin.get(PAGE)

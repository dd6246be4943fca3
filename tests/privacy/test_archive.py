"""Subject access: everything about a person in one archive, nothing about anybody else, and a record that it was given out."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from hub.domain.delivery import Consent, File
from hub.domain.errors import NotAllowed, Refused
from hub.domain.form import Form, FormSettings, consent_sha256, form_stream
from hub.domain.privacy import DataExported
from hub.privacy.archive import Archivist
from tests.house import MONDAY, Department, actor, after, form, phone
from tests.privacy.clinic import EMAIL, NAME, PHONE, Clinic, delivery, furnish

CONSENT = "Согласен на обработку моих данных Студией Т."


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with Department(tmp_path) as house:
        yield Clinic(house.begin())


def given(clinic: Clinic, person: UUID, reason: str = "запрос от 12.11") -> dict[str, bytes]:
    """The archive's files."""
    clinic.house.runner.catch_up()
    data = Archivist(clinic.house.hub).give(person, reason, actor=actor("adam"), at=after(days=1))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_everything_is_in_it_for_people_and_for_programs(clinic: Clinic) -> None:
    house = clinic.house
    house.hub.change(Form, form_stream("main"), lambda f: f.make("main", FormSettings(name="Сайт", consent_text=CONSENT)),
                     actor=actor("adam"), at=MONDAY)
    lead = furnish(clinic)
    consent = Consent("1", consent_sha256(CONSENT), True, "203.0.113.7", "https://studio-t.example/brief")
    house.receive(replace(delivery("Ещё раз"), consent=consent), after(minutes=30))
    files = given(clinic, clinic.person(lead))
    page = files["index.html"].decode()
    for said in (NAME, EMAIL, PHONE, "оранжерея-канарейки", "заметка-канарейка", "цель-канарейка", CONSENT, "203.0.113.7",
                 "Вы написали нам", "16.11.2026 10:30"):
        assert said in page
    data = json.loads(files["data.json"])
    assert data["names"] == [NAME]
    assert {a["value"] for a in data["addresses"]} == {PHONE, EMAIL}
    assert data["consents"][0]["text"] == CONSENT
    assert "оранжерея-канарейки" in {d["raw"].removeprefix("Нужна ") for d in data["deliveries"]}
    assert files["files/001-тз.txt"] == "оранжерея-канарейки".encode() * 50


def test_nothing_of_others_on_the_same_card_is_in_it(clinic: Clinic) -> None:
    house = clinic.house
    card = house.new_lead(form(phone(7), text="Тайна Ивана"))
    house.do(card, "take")
    house.do(card, "add_person", name=NAME, email=EMAIL)
    house.do(card, "note", text="О складе Ивана")
    person = next(p.id for p in house.hub.lead(card).people.values() if p.name == NAME)
    whole = b"".join(given(clinic, person).values()).decode()
    assert NAME in whole
    assert not any(secret in whole for secret in ("Тайна Ивана", "О складе", phone(7).value))


def test_who_gave_it_out_and_why_is_recorded(clinic: Clinic) -> None:
    lead = clinic.house.new_lead(delivery())
    given(clinic, clinic.person(lead))
    event = clinic.house.store.log(0, 10_000)[-1][1]
    assert isinstance(event, DataExported)
    assert (event.actor, event.reason, event.leads) == (actor("adam").id, "запрос от 12.11", (lead,))


def test_who_may_and_what_is_refused(clinic: Clinic) -> None:
    lead = clinic.house.new_lead(delivery())
    clinic.house.runner.catch_up()
    archivist = Archivist(clinic.house.hub)
    with pytest.raises(NotAllowed):
        archivist.give(clinic.person(lead), "так", actor=actor("vera"), at=MONDAY)
    with pytest.raises(Refused) as refused:
        given(clinic, clinic.person(lead), " ")
    assert refused.value.code == "say_why_exported"
    clinic.erase(clinic.person(lead))
    with pytest.raises(Refused) as refused:
        given(clinic, clinic.house.hub.lead(lead).main_person)
    assert refused.value.code == "client_erased"


def test_a_strangers_markup_and_file_names_do_no_harm(clinic: Clinic) -> None:
    lead = clinic.house.new_lead(replace(delivery("<script>alert(1)</script>"), files=(File("../../etc/x.txt", "a/b", b"1"),)))
    files = given(clinic, clinic.person(lead))
    assert "<script>" not in files["index.html"].decode()
    assert "files/001-x.txt" in files

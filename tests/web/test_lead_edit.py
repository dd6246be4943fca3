"""Two people edit one thing: what goes together is stored, the rest stands side by side, nothing is overwritten unseen (R31)."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from hub.domain import events as e
from hub.web.lead.conflict import three_ways
from tests.web.house import House
from tests.web.test_lead_walks import MIDDLE, Desk, errors

PHONE = "reach:phone:+79123456789"


@pytest.fixture
def taken(house: House) -> tuple[UUID, Desk, Desk]:
    """A lead in work, its manager and another one."""
    lead, desk = house.receive(), Desk(house, "manager")
    desk.do(lead, "take")
    desk.do(lead, "add_address", kind="email", value="ivan@example.ru")
    return lead, desk, Desk(house, "second")


def hidden(page: str, name: str) -> str:
    found = re.search(rf'type="hidden" name="{re.escape(name)}" value="([^"]*)"', page)
    assert found, name
    return found[1]


@pytest.mark.parametrize(("base", "theirs", "mine", "merged", "both"), [
    ("a", "a", "b", "b", []), ("a", "b", "a", "b", []), ("a", "b", "b", "b", []), ("a", "b", "c", "c", ["x"]),
    ("", "b", "", "b", []), ("a", "", "c", "c", ["x"]), ("a", "a", "", "", []),
])
def test_three_ways(base: str, theirs: str, mine: str, merged: str, both: list[str]) -> None:
    assert three_ways({"x": base}, {"x": theirs}, {"x": mine}) == ({"x": merged}, both)


def test_what_two_people_changed_of_different_things_goes_together(house: House, taken: tuple[UUID, Desk, Desk]) -> None:
    lead, desk, other = taken
    version = str(house.hub.version(lead))
    other.do(lead, "name_company", name="Ромашка", version=version)
    desk.post(f"/leads/{lead}/do/name_company", name="", inn="", site="romashka.example", version=version)
    state = desk.state(lead)
    assert (state.company, state.site) == ("Ромашка", "romashka.example")
    assert "коллега изменил: Название" in desk.get(f"/leads/{lead}")


def test_something_else_that_happened_is_no_conflict(house: House, taken: tuple[UUID, Desk, Desk]) -> None:
    lead, desk, other = taken
    version = str(house.hub.version(lead))
    other.do(lead, "note", text="Позвонил секретарь")
    desk.post(f"/leads/{lead}/do/name_company", name="Ромашка", version=version)
    assert desk.state(lead).company == "Ромашка"


def test_mine_and_theirs_stand_side_by_side_and_one_is_chosen(house: House, taken: tuple[UUID, Desk, Desk]) -> None:
    lead, desk, other = taken
    version = str(house.hub.version(lead))
    other.do(lead, "name_company", name="Ромашка", version=version)
    page = desk.refused(lead, "name_company", 409, name="Василёк", site="vasilek.example", version=version)
    assert (hidden(page, "mine-name"), hidden(page, "theirs-name")) == ("Василёк", "Ромашка")
    assert "Пётр Лисин" in page
    assert 'id="do-name"' not in page, "what is chosen is not asked once more"
    assert 'value="vasilek.example"' in page
    assert desk.state(lead).company == "Ромашка"
    chosen = {"pick-name": "theirs", "mine-name": "Василёк", "theirs-name": "Ромашка"}
    desk.post(f"/leads/{lead}/do/name_company", 303, version=hidden(page, "version"), site="vasilek.example", **chosen)
    assert (desk.state(lead).company, desk.state(lead).site) == ("Ромашка", "vasilek.example")
    desk.post(f"/leads/{lead}/do/name_company", 303, version=str(house.hub.version(lead)), **{**chosen, "pick-name": "mine"})
    assert desk.state(lead).company == "Василёк"


def test_two_sheets_meet_parameter_by_parameter_R11(house: House, taken: tuple[UUID, Desk, Desk]) -> None:
    lead, desk, other = taken
    desk.do(lead, "finish_screening", criteria_checked="1", progress="none")
    desk.do(lead, "score", **MIDDLE)
    version = str(house.hub.version(lead))
    other.do(lead, "score", **{**MIDDLE, "mark-timing": "-1", "mark-brief": "1"}, version=version)
    page = desk.refused(lead, "score", 409, **{**MIDDLE, "mark-timing": "1", "mark-industry": "1"}, version=version)
    assert re.findall(r'name="pick-([\w-]+)" value="mine"', page) == ["mark-timing"]
    assert not re.search(r'name="mark-timing"', page)
    marks = {**MIDDLE, "mark-industry": "1", "mark-brief": "1"}
    del marks["mark-timing"]
    desk.post(f"/leads/{lead}/do/score", 303, version=hidden(page, "version"), **marks,
              **{"pick-mark-timing": "mine", "mine-mark-timing": "1", "theirs-mark-timing": "-1"})
    sheet = desk.state(lead).score
    assert sheet is not None
    assert (sheet.marks["timing"], sheet.marks["brief"], sheet.marks["industry"]) == (1, 1, 1)


def test_a_person_is_edited_in_place_with_all_their_contacts(house: House, taken: tuple[UUID, Desk, Desk]) -> None:
    lead, desk, _other = taken
    who = desk.state(lead).main_person
    url = f"/leads/{lead}/people/{who}"
    part = desk.client.get(url, headers={"HX-Request": "true"}).get_data(as_text=True)
    assert part.lstrip().startswith("<form")
    assert f'name="{PHONE}"' in part
    desk.post(url, 303, name="Иван Петренко", position="Директор", timezone="Asia/Omsk", **{
        PHONE: "8 (912) 345-67-89", "reach:email:ivan@example.ru": "petrenko@example.ru", "new-kind": ["telegram", "phone"],
        "new-value": ["@petrenko", ""]}, version=str(house.hub.version(lead)))
    person = desk.state(lead).person
    assert (person.position, person.timezone) == ("Директор", "Asia/Omsk")
    assert [(a.kind, a.value) for a in person.addresses] == [
        ("phone", "+79123456789"), ("email", "petrenko@example.ru"), ("telegram", "petrenko")]
    events = house.hub.history(lead)
    assert [ev.value for ev in events if isinstance(ev, e.AddressRetired)] == ["ivan@example.ru"], "the same phone is no change"
    assert "контакты исправили" in desk.get(f"/leads/{lead}?all=1")
    bad = desk.post(url, 422, **{PHONE: "12"}, name="Иван Петренко").get_data(as_text=True)
    assert "не похоже на телефон" in errors(bad)[0]
    assert len(desk.state(lead).person.addresses) == 3
    Desk(house, "auditor").get(url, 403)


def test_one_phone_corrected_by_two_people_is_chosen_between(house: House, taken: tuple[UUID, Desk, Desk]) -> None:
    lead, desk, other = taken
    url = f"/leads/{lead}/people/{desk.state(lead).main_person}"
    version = str(house.hub.version(lead))
    other.post(url, 303, **{PHONE: "+7 912 000-00-01"}, version=version)
    page = desk.post(url, 409, **{PHONE: "+7 912 000-00-02"}, position="Владелец", version=version).get_data(as_text=True)
    assert hidden(page, f"theirs-{PHONE}") == "+79120000001"
    assert "Пётр Лисин" in page
    assert desk.state(lead).person.position == "", "nothing of a form is stored before all of it can be"
    desk.post(url, 303, position="Владелец", version=hidden(page, "version"), **{
        f"pick-{PHONE}": "mine", f"mine-{PHONE}": "+7 912 000-00-02", f"theirs-{PHONE}": "+79120000001"})
    person = desk.state(lead).person
    assert person.position == "Владелец"
    assert person.first("phone") == "+79120000002"
    assert [a.kind for a in person.addresses].count("phone") == 1


def test_a_contact_that_a_colleague_added_stays(house: House, taken: tuple[UUID, Desk, Desk]) -> None:
    lead, desk, other = taken
    url = f"/leads/{lead}/people/{desk.state(lead).main_person}"
    version = str(house.hub.version(lead))
    other.do(lead, "add_address", kind="vk", value="ivan_p")
    desk.post(url, 303, **{PHONE: "", "reach:email:ivan@example.ru": "ivan@example.ru"}, version=version)
    assert [(a.kind, a.value) for a in desk.state(lead).person.addresses] == [("email", "ivan@example.ru"), ("vk", "ivan_p")]

"""Probable duplicates (R6): which open leads look like one request, why, and which do not; on both stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from hub.domain.delivery import Address, Delivery
from tests.house import Department, actor, after, form

pytestmark = pytest.mark.usefixtures("both_stores")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as house:
        yield house.begin()


def asks(*values: str, name: str = "Иван", company: str = "") -> Delivery:
    """Somebody by phones (``+7…``), e-mails or nicknames."""
    kinds = {"+": "phone", "@": "telegram"}
    found = tuple(Address(kinds.get(v[0], "email"), v.lstrip("@"), v) for v in values)
    return replace(form(*found), name=name, company=company)


def alike(house: Department, lead: UUID) -> list[tuple[UUID, tuple[str, ...]]]:
    house.runner.catch_up()
    return [(UUID(row["id"]), why) for row, why in house.views.leads.alike(lead, house.hub.lead(lead), 5)]


@pytest.mark.parametrize(("one", "other", "why"), [
    (asks("+79120000001", name="Анна Белова", company="ООО «Северный Ветер»"),
     asks("@anna", name="Белова  Анна", company="Северный ветер"), ("name",)),
    (asks("+74951234501"), asks("+74951234577", name="Пётр"), ("phone",)),
    (asks("ivan@zavod.example"), asks("Petr@ZAVOD.example".lower(), name="Пётр"), ("domain",)),
    (asks("+74951234501", "ivan@zavod.example"), asks("+74951234577", "petr@zavod.example"), ("phone", "domain")),
])
def test_two_open_leads_look_alike_and_it_is_said_why(house: Department, one: Delivery, other: Delivery,
                                                      why: tuple[str, ...]) -> None:
    a, b = house.new_lead(one), house.new_lead(other)
    assert a != b
    assert alike(house, a) == [(b, why)]
    assert alike(house, b) == [(a, why)]


def test_the_same_contact_on_two_cards_is_the_first_of_all_reasons(house: Department) -> None:
    far, near, here = (house.new_lead(asks(v)) for v in ("+74951234501", "+74955550000", "+74951234577"))
    house.do(here, "take")
    house.do(near, "take")
    house.do(near, "add_address", kind="phone", value="+7 495 123-45-77")
    assert alike(house, here) == [(near, ("address",)), (far, ("phone",))]


@pytest.mark.parametrize(("one", "other"), [
    (asks("ivan@gmail.com"), asks("petr@gmail.com")),
    (asks("+74951234501"), asks("+74951235501")),
    (asks("+79120000001", name="Анна Белова"), asks("@anna", name="Анна Белова")),
    (asks("+79120000001", name="", company="Ветер"), asks("@anna", name="", company="Ветер")),
])
def test_what_many_people_share_is_no_reason(house: Department, one: Delivery, other: Delivery) -> None:
    a, _ = house.new_lead(one), house.new_lead(other)
    assert alike(house, a) == []


def test_an_ended_a_merged_and_a_told_apart_lead_is_not_proposed(house: Department) -> None:
    a, b, c, d = (house.new_lead(asks(f"+7495123450{n}")) for n in range(4))
    house.do(b, "take")
    house.do(b, "disqualify", criterion=next(iter(house.hub.process.hard_criteria)))
    if house.hub.lead(b).open:
        house.do(b, "ask_letter", way="other", body="Нет")
        house.do(b, "mark_letter", letter=1)
        house.do(b, "refuse")
    assert {lead for lead, _ in alike(house, a)} == {c, d}
    house.hub.tell_apart(c, a, "разные отделы", actor=actor("anna"), at=after(minutes=1))
    assert alike(house, a) == [(d, ("phone",))]
    assert [lead for lead, _ in alike(house, c)] == [d]
    house.hub.merge(a, d, "", actor=actor("anna"), at=after(minutes=2))
    assert alike(house, a) == []
    house.hub.unmerge(a, d, "разные", actor=actor("anna"), at=after(minutes=3))
    assert alike(house, a) == [(d, ("phone",))]

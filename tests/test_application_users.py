"""Accounts through the application object: nobody can take away the last administrator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from hub.application import THE_HUB
from hub.domain.aggregate import Actor
from hub.domain.errors import NotAllowed, Refused
from tests.web.house import House, open_house


@pytest.fixture
def office(tmp_path: Path) -> Iterator[House]:
    """One administrator and one manager."""
    house = open_house(tmp_path)
    for login, roles in (("anna", ("administrator",)), ("boris", ("manager",))):
        house.users[login] = house.hub.add_user(login, login.title(), roles, actor=THE_HUB, at=house.clock())
    house.settle()
    yield house
    house.close()


def roles_of(house: House, login: str) -> tuple[str, ...]:
    house.settle()
    return house.hub.users()[house.users[login]].roles


def edit(house: House, login: str, name: str, *roles: str, user: UUID | None = None) -> None:
    house.hub.edit_user(user or house.users[login], name, roles, actor=THE_HUB, at=house.clock())


def test_the_last_administrator_cannot_be_disabled(office: House) -> None:
    with pytest.raises(Refused) as refused:
        office.hub.disable_user(office.users["anna"], actor=THE_HUB, at=office.clock())

    assert refused.value.code == "last_administrator"
    office.settle()
    assert not office.hub.users()[office.users["anna"]].disabled


def test_the_last_administrator_keeps_the_role_and_nothing_else_of_the_edit_happens(office: House) -> None:
    with pytest.raises(Refused) as refused:
        edit(office, "anna", "Анна Новая", "manager")

    assert (refused.value.code, refused.value.field) == ("last_administrator", "roles")
    assert roles_of(office, "anna") == ("administrator",)
    assert office.hub.users()[office.users["anna"]].name == "Anna"


def test_once_another_administrates_the_first_may_leave_even_before_the_read_models_know(office: House) -> None:
    edit(office, "boris", "Борис", "manager", "administrator")

    office.hub.disable_user(office.users["anna"], actor=THE_HUB, at=office.clock())

    with pytest.raises(Refused, match="last administrator"):
        edit(office, "boris", "Борис", "manager")


def test_a_disabled_administrator_does_not_count(office: House) -> None:
    edit(office, "boris", "Борис", "administrator")
    office.hub.disable_user(office.users["boris"], actor=THE_HUB, at=office.clock())

    with pytest.raises(Refused, match="last administrator"):
        office.hub.disable_user(office.users["anna"], actor=THE_HUB, at=office.clock())


def test_others_are_edited_and_disabled_freely(office: House) -> None:
    edit(office, "boris", "Борис Громов", "trainee", "head")
    office.hub.disable_user(office.users["boris"], actor=THE_HUB, at=office.clock())

    assert roles_of(office, "boris") == ("head", "trainee")
    state = office.hub.users()[office.users["boris"]]
    assert (state.name, state.disabled) == ("Борис Громов", True)


def test_a_wrong_role_leaves_the_name_as_it_was(office: House) -> None:
    with pytest.raises(Refused) as refused:
        edit(office, "boris", "Борис Громов", "king")

    assert refused.value.code == "no_such_role"
    office.settle()
    assert office.hub.users()[office.users["boris"]].name == "Boris"


def test_only_an_administrator_may(office: House) -> None:
    head = Actor(f"user:{office.users['boris']}", frozenset({"head"}))

    with pytest.raises(NotAllowed):
        office.hub.disable_user(office.users["anna"], actor=head, at=office.clock())
    with pytest.raises(NotAllowed):
        office.hub.edit_user(office.users["boris"], "Борис", ("administrator",), actor=head, at=office.clock())

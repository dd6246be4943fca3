"""The API's door to an erasure: the same two steps, the same refusals, for administrators' tokens alone."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from hub.domain.event import ERASED
from tests.web.api_house import Program
from tests.web.api_house import person as program
from tests.web.house import House, ready_house


@pytest.fixture
def house(tmp_path: Path) -> House:
    return ready_house(tmp_path)


@pytest.fixture
def admin(house: House) -> Program:
    return program(house, "administrator", "admin", "read")


def test_erasing_takes_the_code_of_what_was_shown(house: House, admin: Program) -> None:
    lead = house.receive()
    house.settle()
    (found,) = admin.get("/persons?q=Петренко").json["items"]
    assert found["cards"] == [{"lead": str(lead), "number": 1}]
    reach = admin.post(f"/persons/{found['id']}/reach", {}).json
    assert [(card["texts"], card["others"]) for card in reach["cards"]] == [(True, [])]
    wrong = admin.post(f"/persons/{found['id']}/erase", {"reason": "отзыв согласия", "code": "0"})
    assert (wrong.status_code, wrong.json["code"]) == (409, "reach_changed")
    report = admin.post(f"/persons/{found['id']}/erase", {"reason": "отзыв согласия", "code": reach["code"]}).json
    assert (report["finished"], report["again"], report["pending"]) == (True, [], 0)
    assert {"backups", "staff"} <= set(report["left"])
    assert house.hub.lead(lead).person.name == ERASED
    assert admin.get(f"/erasures/{report['id']}").json == report
    assert admin.get("/persons?q=Петренко").json["items"] == []


def test_refusals(house: House, admin: Program) -> None:
    lead = house.receive()
    house.settle()
    person = house.hub.lead(lead).main_person
    manager = program(house, "manager", "read", "work")
    assert manager.get("/persons?q=Иван").status_code == 403
    assert manager.post(f"/persons/{person}/erase", {"reason": "так", "code": "0"}).status_code == 403
    assert admin.post(f"/persons/{UUID(int=7)}/reach", {}).json["code"] == "no_such_client"
    assert admin.get(f"/erasures/{UUID(int=7)}").status_code == 404
    named = admin.post(f"/persons/{person}/erase", {"reason": "Иван Петренко просил", "code": "0"})
    assert named.json["code"] == "reason_names_person"

"""The search, exports of leads and long works by the API."""

from __future__ import annotations

from threading import Event as Flag

from hub.jobs import JobRunner
from tests.web.api_house import person
from tests.web.house import House


def test_the_search_finds_what_the_page_finds(house: House) -> None:
    house.receive("Иван Петренко", company="Клиника «Меридиан»", text="Нужен личный кабинет")
    anna = person(house, "manager")
    for words in ("меридиан", "vthblbfy", "8 912 345-67-89"):
        found = anna.ask("GET", f"/search?q={words}").get_json()
        assert [row["number"] for row in found["leads"]] == [1], words
    assert anna.ask("GET", "/search?q=меридеан").get_json()["meant"] == "меридиан"
    house.hub.do(house.hub.views.leads.by_number(1), "take", actor=house.actor("manager"), at=house.clock())  # type: ignore[arg-type]
    house.hub.do(house.hub.views.leads.by_number(1), "note", {"text": "Ждёт смету"},  # type: ignore[arg-type]
                 actor=house.actor("manager"), at=house.clock())
    (text,) = anna.ask("GET", "/search?q=сметы").get_json()["texts"]
    assert text["text"] == "Ждёт смету"
    assert anna.ask("GET", "/search").status_code == 400


def test_leads_are_exported_by_a_long_work_that_is_its_askers_alone(house: House) -> None:
    house.receive("Иван", company="Меридиан")
    anna = person(house, "manager")
    asked = anna.ask("POST", "/exports/leads", {"columns": ["company"], "q": "меридиан"})
    assert asked.status_code == 202
    job = asked.get_json()["id"]
    assert (asked.get_json()["state"], asked.get_json()["served"]) == ("waiting", False)
    assert JobRunner(house.hub.jobs, house.clock).turn(Flag())
    told = anna.ask("GET", f"/jobs/{job}").get_json()
    assert (told["state"], told["done"], told["total"]) == ("done", 1, 1)
    answer = anna.ask("GET", f"/jobs/{job}/files/{told['files'][0]}")
    assert answer.get_data().decode("utf-8-sig").split() == ["Компания", "Меридиан"]
    assert anna.ask("GET", f"/jobs/{job}/files/other").status_code == 404
    assert person(house, "second").ask("GET", f"/jobs/{job}").status_code == 404
    assert anna.ask("POST", f"/jobs/{job}/cancel").status_code == 422
    assert anna.ask("POST", f"/jobs/{job}/resume").status_code == 422
    wrong: list[dict[str, object]] = [{"columns": []}, {"columns": ["nonsense"]}, {"q": "нет такого"}, {"show": "x"}]
    for body in wrong:
        assert anna.ask("POST", "/exports/leads", body).status_code in (400, 422), body

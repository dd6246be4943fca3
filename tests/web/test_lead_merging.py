"""One client with several cards on the page (R6, R29): the banner, both side by side, what goes over, a client who returns."""

from __future__ import annotations

import json

from hub.domain.delivery import Address
from tests.web.api_house import person
from tests.web.house import House
from tests.web.test_lead_walks import Desk, errors

ANNA = {"name": "Анна Белова", "company": "ООО «Северный Ветер»"}


def test_a_probable_duplicate_is_proposed_compared_and_merged_from_the_page(house: House) -> None:
    first = house.receive(phone="+79120000001", **ANNA)
    second = house.receive(phone="+74955550101", **ANNA)
    desk = Desk(house, "manager")
    desk.do(first, "take")
    page = desk.get(f"/leads/{second}")
    assert "Похоже, об этом есть ещё карточка" in page
    assert "те же имя и компания" in page
    assert f"/leads/{first}/merge?other={second}" in page  # the one that somebody works stays
    page = desk.get(f"/leads/{first}/merge?other={second}")
    for said in ("Останется: здесь пойдёт работа", "Анна Белова", "Контакты: +7\u00a0495\u00a0555-01-01", "Это разные заявки"):
        assert said in page
    desk.post(f"/leads/{first}/merge", other=str(second), why="Один человек")
    assert desk.state(first).address("phone") == "+79120000001"
    assert "+74955550101" in {a.value for p in desk.state(first).people.values() for a in p.addresses}
    assert "Похоже, об этом" not in desk.get(f"/leads/{first}")
    assert f'href="/leads/{first}">Открыть живую карточку' in desk.get(f"/leads/{second}")


def test_what_is_not_a_duplicate_is_not_proposed_again(house: House) -> None:
    first, second = house.receive(phone="+79120000001", **ANNA), house.receive(phone="+74955550101", **ANNA)
    desk = Desk(house, "manager")
    desk.post(f"/leads/{first}/apart", other=str(second), why="Тёзки")
    for lead, other in ((first, second), (second, first)):
        page = desk.get(f"/leads/{lead}")
        assert "Похоже, об этом" not in page
        assert "Это не дубль карточки" in page
        assert desk.state(lead).apart == (other,)
    answer = desk.post(f"/leads/{first}/apart", 422, other=str(second))
    assert "уже отмечены как разные" in errors(answer.get_data(as_text=True))[0]
    answer = desk.post(f"/leads/{first}/apart", 422, other="777")
    assert "Второй карточки нет" in errors(answer.get_data(as_text=True))[0]


def test_a_card_merged_twice_leads_to_the_one_that_lives(house: House) -> None:
    a, b, c = (house.receive(phone=f"+7912000000{n}") for n in range(3))
    desk = Desk(house, "manager")
    desk.post(f"/leads/{b}/merge", other=str(a))
    desk.post(f"/leads/{c}/merge", other=str(b))
    assert f'href="/leads/{c}">Открыть живую карточку' in desk.get(f"/leads/{a}")


def test_a_returning_client_s_new_card_shows_how_the_old_one_ended_R29(house: House) -> None:
    lead, desk = house.receive(), Desk(house, "manager")
    desk.do(lead, "take")
    desk.do(lead, "disqualify", criterion="budget_below_minimum")
    desk.do(lead, "ask_letter", kind="refusal", subject="Ответ", body="К сожалению, нет", way="other", to="")
    desk.do(lead, "mark_letter", letter="1", sent="1")
    desk.do(lead, "refuse")
    assert desk.state(lead).ended == "refused"
    again = house.receive()
    assert again != lead
    page = desk.get(f"/leads/{again}")
    number = house.hub.views.leads.one(lead)["number"]
    assert "Клиент возвращается" in page
    assert f'href="/leads/{lead}">L-{number}' in page
    assert "бюджет" in page.lower()


def test_who_may_only_read_is_offered_nothing(house: House) -> None:
    first, _ = house.receive(phone="+79120000001", **ANNA), house.receive(phone="+74955550101", **ANNA)
    assert "Похоже, об этом" not in Desk(house, "auditor").get(f"/leads/{first}")


def test_an_entry_says_by_what_it_was_tied(house: House) -> None:
    chat = Address("vk", "77", "id77")
    lead = house.receive(addresses=(Address("phone", "+79123456789"), chat))
    house.receive(addresses=(chat,), channel="social", text="Это снова я")
    desk = Desk(house, "manager")
    page = desk.get(f"/leads/{lead}")
    assert len(desk.state(lead).messages) == 2
    assert "Узнали по" in page


def test_programs_see_duplicates_and_tell_them_apart(house: House) -> None:
    program = person(house, "manager")
    first, second = house.receive(phone="+79120000001", **ANNA), house.receive(phone="+74955550101", **ANNA)

    def alike() -> list[tuple[str, list[str]]]:
        answer = json.loads(program.get(f"/leads/{first}/duplicates").data)
        return [(item["lead"]["id"], item["reasons"]) for item in answer["items"]]
    assert alike() == [(str(second), ["name"])]
    done = json.loads(program.post(f"/leads/{first}/tell_apart", {"other": str(second), "why": "тёзки"}).data)
    assert done["recorded"][-1]["type"] == "lead.told_apart"
    assert alike() == []

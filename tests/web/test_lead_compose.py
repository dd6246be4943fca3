"""The composer of the card: what one writes down most is given in its tabs, refused in place, and leaves the page where it is."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from hub.domain import events as e
from tests.web.house import House
from tests.web.test_lead_walks import MIDDLE, Desk, errors, to_scoring

HX = {"HX-Request": "true"}


def send(desk: Desk, lead: UUID, tab: str, **values: Any) -> TestResponse:
    """Send a tab as the script of the card does."""
    return desk.client.post(f"/leads/{lead}/compose/{tab}", data={"csrf_token": desk.token, **values}, headers=HX)


def newest(house: House, lead: UUID, kind: type[Any]) -> Any:
    return next(ev for ev in reversed(house.hub.history(lead)) if isinstance(ev, kind))


def offered(page: str) -> list[str]:
    """The tabs of a page."""
    return re.findall(r'role="tab" id="tab-(\w+)"', page)


@pytest.fixture
def worked(house: House) -> tuple[UUID, Desk]:
    """A lead in work after screening and scoring."""
    lead, desk = house.receive(), Desk(house, "manager")
    to_scoring(desk, lead, MIDDLE)
    return lead, desk


def test_every_tab_stores_what_it_is_about_and_the_page_stays(house: House, worked: tuple[UUID, Desk]) -> None:
    lead, desk = worked
    cases: tuple[tuple[str, dict[str, str], type[Any], dict[str, Any]], ...] = (
        ("note", {"text": "Любит утро"}, e.NoteAdded, {"text": "Любит утро"}),
        ("call", {"direction": "in", "text": "Спросил цену"}, e.ContactLogged, {"way": "phone", "direction": "in"}),
        ("message", {"way": "whatsapp", "direction": "out", "text": "Напомнили"}, e.ContactLogged, {"way": "whatsapp"}),
        ("letter", {"to": "a@example.ru", "subject": "Привет", "body": "Добрый день"}, e.LetterAsked, {"to": "a@example.ru"}),
        ("meeting", {"purpose": "call", "starts_at": desk.at(days=1), "goal": "Назвать дату"}, e.MeetingPlanned,
         {"purpose": "call", "goal": "Назвать дату"}),
    )
    for tab, values, kind, said in cases:
        answer = send(desk, lead, tab, **values)
        assert answer.status_code == 204, errors(answer.get_data(as_text=True))
        told = json.loads(answer.headers["HX-Trigger"])
        assert told["composed"] == {"tab": tab}
        assert "refresh-live" in told
        assert told["toast"]["text"]
        stored = newest(house, lead, kind)
        assert {name: getattr(stored, name) for name in said} == said
    assert offered(desk.get(f"/leads/{lead}")) == [tab for tab, *_rest in cases]


def test_a_call_that_nobody_answered_is_an_attempt_with_what_was_typed(house: House, worked: tuple[UUID, Desk]) -> None:
    lead, desk = worked
    assert send(desk, lead, "call", direction="out", text="Занято", missed="1").status_code == 204
    assert newest(house, lead, e.ContactAttempted).note == "Занято"
    assert desk.state(lead).attempts == 1


def test_a_refusal_stands_in_its_tab_with_what_was_typed(house: House, worked: tuple[UUID, Desk]) -> None:
    lead, desk = worked
    version = house.hub.version(lead)
    answer = send(desk, lead, "call", direction="out", text="Долго говорили", outcome="continuation", goal="Узнать")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert page.lstrip().startswith("<form")
    assert 'id="c-call-why-error"' in page
    assert "Долго говорили" in page
    assert house.hub.version(lead) == version
    whole = desk.post(f"/leads/{lead}/compose/meeting", 422, purpose="meeting", goal="", starts_at="").get_data(as_text=True)
    assert len(errors(whole)) == 1, "without the script the card comes back with the tab"
    assert re.search(r'id="tab-meeting"[^>]*aria-selected="true"', whole)


def test_the_way_of_a_message_is_the_one_that_the_person_uses(house: House) -> None:
    lead, desk = house.receive(), Desk(house, "manager")
    desk.do(lead, "take")
    desk.do(lead, "add_address", kind="whatsapp", value="79123456789")
    assert re.search(r'value="whatsapp" selected', desk.get(f"/leads/{lead}"))
    desk.do(lead, "add_address", kind="telegram", value="@petrenko")
    page = desk.get(f"/leads/{lead}")
    assert re.search(r'value="telegram" selected', page)
    assert 'href="tg://resolve?domain=petrenko"' in page
    assert 'href="tel:+79123456789"' in page
    assert 'href="https://wa.me/79123456789"' in page


def test_a_card_offers_only_what_may_be_written_on_it(house: House, worked: tuple[UUID, Desk]) -> None:
    lead, desk = worked
    assert offered(Desk(house, "auditor").get(f"/leads/{lead}")) == []
    auditor = Desk(house, "auditor")
    assert "Это может сделать" in send(auditor, lead, "call", direction="out").get_data(as_text=True)
    desk.do(lead, "lose", reason="price", closeness="considered")
    assert offered(desk.get(f"/leads/{lead}")) == ["note"]
    ended = send(desk, lead, "call", direction="out", text="Поздно")
    assert ended.status_code == 422
    assert "Проигран" in ended.get_data(as_text=True)
    assert send(desk, lead, "pigeon", text="Гули").status_code == 404


def test_done_and_the_next_one_are_stored_together_or_not_at_all_R26(house: House, worked: tuple[UUID, Desk]) -> None:
    lead, desk = worked
    desk.do(lead, "plan_step", step="Прислать смету", due_at=desk.at(hours=4))
    assert "Готово, что дальше?" in desk.get(f"/leads/{lead}")
    window = desk.get(f"/leads/{lead}/next")
    assert "Прислать смету" in window
    assert re.search(r'data-at="2026-11-24T10:00">завтра', window), "the next working morning is a press away"
    refused = desk.post(f"/leads/{lead}/next", 422, kind="call", what="Обсудить смету", at="2020-01-01T10:00", result="Отправили")
    assert len(errors(refused.get_data(as_text=True))) == 1
    assert 'id="n-at-error"' in refused.get_data(as_text=True)
    assert desk.state(lead).next_step is not None, "where the second is refused the first is not stored"
    desk.post(f"/leads/{lead}/next", kind="call", what="Обсудить смету", at=desk.at(days=1), result="Отправили")
    state = desk.state(lead)
    assert newest(house, lead, e.NextStepDone).result == "Отправили"
    assert state.next_step is None
    assert [(m.purpose, m.goal, m.minutes) for m in state.planned_meetings] == [("call", "Обсудить смету", 30)]
    desk.post(f"/leads/{lead}/next", kind="step", what="Ждём юристов", at=desk.at(days=2))
    planned = desk.state(lead).next_step
    assert planned is not None
    assert planned.text == "Ждём юристов"


def test_a_tick_of_a_checklist_leaves_the_page_where_it_is(house: House) -> None:
    lead, desk = house.receive(), Desk(house, "manager")
    desk.do(lead, "take")
    answer = desk.client.post(f"/leads/{lead}/do/check_item?checklist=screening&item=client&done=1",
                              data={"csrf_token": desk.token, "stay": "1"}, headers=HX)
    assert answer.status_code == 204
    assert "refresh-live" in json.loads(answer.headers["HX-Trigger"])
    assert desk.state(lead).checks["screening.client"].done
    page = desk.get(f"/leads/{lead}")
    assert re.search(r'<progress max="\d+" value="1"', page)
    window = desk.get(f"/leads/{lead}/do/assign_item?checklist=screening&item=pains")
    assert window.count("<select") == 1, "what the link names is not asked again"

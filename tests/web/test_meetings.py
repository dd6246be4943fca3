"""The calendar of meetings: goals before, outcomes after, sides, and .ics files (R20, R26)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import sign_in
from tests.web.house import House


def plan(house: House, login: str = "manager", *, ahead: timedelta = timedelta(hours=2), lead: UUID | None = None,
         **more: Any) -> UUID:
    """A lead of ``login`` with a meeting."""
    if lead is None:
        lead = house.receive()
        house.hub.do(lead, "take", {}, actor=house.actor(login), at=house.clock())
    meeting = {"purpose": "meeting", "starts_at": house.clock() + ahead, "goal": "Договориться об интервью", **more}
    house.hub.do(lead, "plan_meeting", meeting, actor=house.actor(login), at=house.clock())
    house.settle()
    return lead


def page(client: FlaskClient, path: str = "/meetings") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_meeting_stands_in_its_week_with_its_goal_sides_and_the_clients_time(house: House, client: FlaskClient) -> None:
    plan(house, ours=(house.actor("manager").id,), theirs=("Иван Петренко",))
    sign_in(client, "manager")
    shown = page(client)
    for text in ("13:20–14:20", "у клиента 15:20", "Договориться об интервью", "Мы: Мария Котова", "Клиент: Иван Петренко",
                 "Перенести"):
        assert text in shown
    assert "Договориться об интервью" not in page(client, "/meetings?on=2026-11-30")
    assert "Договориться об интервью" in page(client, "/meetings?view=day&on=2026-11-23")


def test_everybody_begins_with_their_own_and_can_see_all(house: House, client: FlaskClient) -> None:
    plan(house, "second")
    sign_in(client, "manager")
    assert "Договориться об интервью" not in page(client)
    assert "Договориться об интервью" in page(client, "/meetings?who=all")
    assert "Договориться об интервью" in page(client, f"/meetings?who={house.users['second']}")


def test_an_auditor_sees_the_calendar_of_all(house: House, client: FlaskClient) -> None:
    plan(house)
    sign_in(client, "auditor")
    assert "Договориться об интервью" in page(client)


def test_R26_a_meeting_that_is_over_asks_for_its_outcome_until_it_is_there(house: House, client: FlaskClient) -> None:
    lead = plan(house)
    house.clock.advance(days=9)
    sign_in(client, "manager")
    shown = page(client)
    assert "Прошли без итога" in shown
    assert f"/leads/{lead}/do/hold_meeting?meeting=1" in shown
    house.hub.do(lead, "hold_meeting", {"meeting": 1, "outcome": "continuation", "why": "Просил подумать"},
                 actor=house.actor("manager"), at=house.clock())
    house.settle()
    assert "Прошли без итога" not in page(client)
    held = page(client, "/meetings?on=2026-11-23")
    assert "Отсрочка" in held
    assert "прогрессов 0, отсрочек 1" in page(client)


def test_R20_as_many_of_ours_as_of_theirs_is_said_until_it_is_explained(house: House, client: FlaskClient) -> None:
    two = (house.actor("manager").id, house.actor("second").id)
    lead = plan(house, ours=two, theirs=("Иван", "Пётр"))
    sign_in(client, "manager")
    assert "Нас не меньше, чем клиентов" in page(client)
    house.hub.do(lead, "explain_headcount", {"meeting": 1, "reason": "Нужен аналитик"},
                 actor=house.actor("manager"), at=house.clock())
    house.settle()
    assert "Нас не меньше, чем клиентов" not in page(client)


def test_a_moved_and_a_cancelled_meeting_are_where_they_are_now(house: House, client: FlaskClient) -> None:
    lead = plan(house)
    actor = house.actor("manager")
    house.hub.do(lead, "move_meeting", {"meeting": 1, "starts_at": house.clock() + timedelta(days=7)}, actor=actor,
                 at=house.clock())
    house.settle()
    sign_in(client, "manager")
    assert "Договориться об интервью" not in page(client)
    assert "Договориться об интервью" in page(client, "/meetings?on=2026-12-01")
    house.hub.do(lead, "cancel_meeting", {"meeting": 1, "why": "Заболел"}, actor=actor, at=house.clock())
    house.settle()
    assert "отменена" in page(client, "/meetings?on=2026-12-01")


def test_a_meeting_of_a_card_that_was_merged_away_stands_once(house: House, client: FlaskClient) -> None:
    one = plan(house)
    other = house.receive("Пётр", "+79120000077")
    house.hub.do(other, "take", {}, actor=house.actor("manager"), at=house.clock())
    house.hub.merge(one, other, "Один клиент", actor=house.actor("head"), at=house.clock())
    house.settle()
    sign_in(client, "head")
    assert page(client, "/meetings?who=all").count("<p class=\"goal\">") == 1


@pytest.mark.parametrize("asked", ["on=2026-13-45", "on=0001-01-01", "on=x", "view=year", "who=nobody", "who=%00",
                                   "on=9999-12-31"])
def test_an_address_that_makes_no_sense_shows_this_week(house: House, client: FlaskClient, asked: str) -> None:
    sign_in(client, "manager")
    assert "Встречи" in page(client, f"/meetings?{asked}")


def unfolded(text: str) -> list[str]:
    """The lines of a calendar file."""
    return text.replace("\r\n ", "").split("\r\n")


def test_the_week_and_one_meeting_are_calendar_files(house: House, client: FlaskClient) -> None:
    lead = plan(house, minutes=30, place="https://meet.example/x;y")
    sign_in(client, "manager")
    for path in ("/meetings.ics?since=2026-11-23&days=7", f"/leads/{lead}/meetings/1.ics"):
        answer = client.get(path)
        assert answer.mimetype == "text/calendar"
        lines = unfolded(answer.get_data(as_text=True))
        assert {"METHOD:PUBLISH", "DTSTART:20261123T102000Z", "DTEND:20261123T105000Z", f"UID:{lead.hex}-1@lead-hub",
                "SEQUENCE:0", "STATUS:CONFIRMED", "LOCATION:https://meet.example/x\\;y"} <= set(lines)
        assert any("Договориться об интервью" in line for line in lines)
    house.hub.do(lead, "move_meeting", {"meeting": 1, "starts_at": house.clock() + timedelta(days=1)},
                 actor=house.actor("manager"), at=house.clock())
    house.settle()
    assert "SEQUENCE:1" in unfolded(client.get(f"/leads/{lead}/meetings/1.ics").get_data(as_text=True))
    assert client.get(f"/leads/{lead}/meetings/2.ics").status_code == 404


def test_the_questions_of_the_calendar_go_by_an_index(house: House) -> None:
    lead = plan(house)
    meetings, now = house.hub.views.leads.meetings, house.clock()
    assert [UUID(r["lead"]) for r in meetings.between(now, now + timedelta(days=7), house.actor("manager").id)] == [lead]
    assert meetings.without_outcome(now) == []
    assert [UUID(r["lead"]) for r in meetings.without_outcome(now + timedelta(days=30))] == [lead]
    asked: list[str] = []
    with house.store.views.reading() as c:
        connection = c.connection  # type: ignore[attr-defined]
        connection.set_trace_callback(asked.append)
    try:
        for who in ("", "user:x"):
            meetings.between(now, now, who)
            meetings.without_outcome(now, who)
    finally:
        connection.set_trace_callback(None)
    questions = {sql for sql in asked if sql.startswith("SELECT")}
    assert len(questions) == 4
    with house.store.views.reading() as c:
        for sql in questions:
            steps = [row["detail"] for row in c.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]
            assert [step for step in steps if "TEMP B-TREE" in step or "SCAN" in step] == [], (sql, steps)

"""R23–R25: what is missing for a decision, the test task, and why there is none."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain import events as e
from tests.domain.scenario import Scenario, at, changed, lead, on, person, process


def test_r23_each_request_has_an_owner_a_due_date_and_an_outcome() -> None:
    assert list(process().requests) == ["documents", "contract_template", "questions", "meeting", "test_task"]
    s = lead().following_up().when("open_request", kind="documents", text="Устав", owner="boris")
    s.then(e.RequestOpened, e.DeadlineSet)
    s.due("request:1", "wed 18:00", "R23")
    s.did("open_request", kind="questions", due_at=at("fri 12:00")).due("request:2", "fri 12:00")
    assert [r.owner for r in s.state.requests.values()] == ["boris", "anna"]
    s.when("close_request", request=1, text=" ").refused("say_outcome", "text")
    s.when("close_request", request=1, text="Выслали").then(e.RequestClosed, e.DeadlineMet).not_due("request:1").due("request:2")
    s.when("close_request", request=1, text="x").refused("request_closed", "request")
    s.did("close_request", request=2, text="Не нужно", done=False)
    assert [r.status for r in s.state.requests.values()] == ["done", "given_up"]


def test_r23_refusals() -> None:
    s = lead().following_up().when("open_request", kind="money").refused("no_such_request_kind", "kind")
    s.when("open_request", kind="documents", owner="nobody").refused("no_such_person", "owner")
    s.when("open_request", kind="documents", due_at=at("mon 10:00")).refused("time_has_passed", "due_at")
    s.when("close_request", request=3, text="x").refused("no_such_request", "request")
    lead().when("open_request", kind="documents").refused("guard_taken")


def test_r23_a_request_that_is_late_is_told() -> None:
    s = lead().following_up().did("open_request", kind="documents").at("thu 09:00").passes()
    assert ("request:1", at("wed 18:00")) in s.state.missed
    assert "request:1" in [n.key for n in s.all(e.NoticeRaised) if n.kind == "late"]


def asked_for_a_test() -> Scenario:
    """A test task is wanted, the head was asked (R24)."""
    return lead().following_up().did("open_request", kind="test_task", text="Макет")


def test_r24_a_test_task_asks_for_the_heads_opinion() -> None:
    s = asked_for_a_test().due("head_opinion:1", "tue 18:00", "R24").due("request:1")
    assert [n.to for n in s.all(e.NoticeRaised) if n.kind == "opinion"] == [("vera",)]
    s.when("decide_test", request=1, accepted=True).refused("opinion_first", "request")
    s.when("close_request", request=1, text="сделали").refused("decide_test_first", "request")
    s.when("give_opinion", request=1, in_favour=True, resources="x").refused("not_your_role")
    s.by("vera").when("give_opinion", request=1, in_favour=True).refused("say_resources", "resources")
    s.when("give_opinion", request=2, in_favour=True, resources="x").refused("no_such_request", "request")
    s.when("give_opinion", request=1, in_favour=True, resources="Дизайнер свободен").then(e.HeadOpinionGiven, e.DeadlineMet)
    s.not_due("head_opinion:1").by("anna").when("decide_test", request=1, accepted=True).then_only(e.TrialDecided)
    s.did("close_request", request=1, text="сделали")


def test_r24_a_declined_test_task_is_closed() -> None:
    s = asked_for_a_test().by("vera").did("give_opinion", request=1, in_favour=False, resources="Все заняты").by("anna")
    s.when("decide_test", request=1, accepted=False, text="Нет людей").then(e.TrialDecided, e.RequestClosed, e.DeadlineMet)
    assert (s.state.requests[1].status, s.state.requests[1].accepted) == ("given_up", False)
    s.when("decide_test", request=1, accepted=True).refused("request_closed", "request")


def test_r24_without_a_sheet_no_decision() -> None:
    """R24: a test task goes back to scoring."""
    unscored = changed(("requires = [\"scored\", \"not_refused\", \"meeting_agreed\"]", 'requires = ["meeting_agreed"]'))
    s = lead(process=unscored).taken_by().captured().screened().meeting("interview").stage("preparation")
    s.did("open_request", kind="test_task").by("vera").did("give_opinion", request=1, in_favour=True, resources="x").by("anna")
    s.when("decide_test", request=1, accepted=True).refused("guard_scored")
    s.scored(2).did("decide_test", request=1, accepted=True)


def test_r24_the_heads_opinion_is_late_after_a_working_day() -> None:
    s = asked_for_a_test().at("wed 10:00").passes()
    assert ("head_opinion:1", at("tue 18:00")) in s.state.missed


GOOD: dict[str, dict[str, Any]] = {
    "postponed": {"why": "бюджет", "until": on("2026-12-14")},
    "waiting_decision": {"who": "директор", "involved": False},
    "no_time": {"decision_date": on("next fri")},
    "chose_others": {"debrief": "дороже", "closeness": "second", "competitor": "А", "competitor_until": on("2027-03-01")},
    "cannot_choose": {"debrief": "мало кейсов", "wish": "показать похожий проект"},
}


@pytest.mark.parametrize("reason", GOOD)
def test_r25_each_stall_reason_has_its_questions_and_its_play(reason: str) -> None:
    s = lead().following_up().when("find_stall", reason=reason, **GOOD[reason]).then(e.StallFound)
    assert s.state.stalls[1].reason == reason
    if s.state.asleep_until is None:
        play = process().stalls[reason].play[0].id
        s.when("play_stall", stall=1, action=play, result="сделано").then_only(e.StallPlayed)
        assert s.state.stalls[1].played == ((play, "сделано"),)


@pytest.mark.parametrize(("reason", "left"), [(r, f) for r, fields in GOOD.items() for f in fields
                                              if f not in ("competitor", "competitor_until", "decision_date")])
def test_r25_what_a_stall_asks_must_be_answered(reason: str, left: str) -> None:
    fields = {k: v for k, v in GOOD[reason].items() if k != left}
    lead().following_up().when("find_stall", reason=reason, **fields).refused(f"stall_{left}", left)


def test_r25_no_time_and_presented_asks_for_the_exact_decision_date() -> None:
    s = lead().presented().when("find_stall", reason="no_time").refused("stall_decision_date", "decision_date")
    s.did("find_stall", reason="no_time", decision_date=on("next fri")).due("decision_date", "next fri 18:00")
    lead().following_up().did("find_stall", reason="no_time")


def test_r25_refusals() -> None:
    s = lead().following_up().when("find_stall", reason="weather").refused("no_such_stall", "reason")
    s.when("find_stall", reason="chose_others", debrief="x", closeness="near").refused("no_such_closeness", "closeness")
    s.when("find_stall", reason="postponed", why="x", until=on("mon")).refused("date_has_passed", "until")
    s.when("find_stall", reason="no_time", decision_date=on("mon")).refused("date_has_passed", "decision_date")
    s.when("play_stall", stall=1, action="mvp").refused("no_such_stall_number", "stall")
    s.did("find_stall", **{"reason": "cannot_choose", **GOOD["cannot_choose"]})
    s.when("play_stall", stall=1, action="mvp").refused("no_such_play", "action")
    lead().when("find_stall", reason="no_time").refused("guard_taken")


def test_r25_a_postponed_project_sleeps_until_its_date() -> None:
    """R25, R28."""
    s = lead().following_up().did("find_stall", reason="postponed", why="бюджет", until=on("2026-12-14"))
    s.then(e.StallFound, e.LeadSlept)
    assert set(s.state.dues) == {"wake"}
    s.due("wake", "2026-12-14 09:00", "R29")


def test_r25_a_new_decision_maker_leads_back_to_the_interview() -> None:
    s = lead().following_up().did("find_stall", reason="waiting_decision", who="директор", involved=False)
    s.when("move", to="interview").refused("guard_decision_maker_changed")
    s.when("change_decision_maker", name="Пётр", why="решает он").refused("decision_maker_contacts", "phone")
    s.when("change_decision_maker", phone="+79123456780").refused("say_name", "name")
    s.when("change_decision_maker", name="Пётр", phone="12").refused("bad_phone", "phone")
    s.when("change_decision_maker", name="Пётр", position="Директор", phone="+79123456780", why="решает он")
    s.then(e.PersonAdded, e.AddressAdded, e.DecisionMakerChanged, e.StageEntered).stage("interview")
    assert s.state.decision_maker is not None
    assert s.state.people[s.state.decision_maker].name == "Пётр"


def test_r25_the_new_round_needs_a_new_promise() -> None:
    """R25, R17: what was promised to another decision maker does not count."""
    s = lead().following_up().later(minutes=1)
    s.did("change_decision_maker", name="Пётр", phone="+79123456780").stage("interview")
    s.when("move", to="proposal").refused("guard_proposal_promised")
    s.later(minutes=1).promised().did("move", to="proposal").stage("proposal")


def test_r25_a_decision_maker_who_took_part_leads_nowhere() -> None:
    lead().following_up().did("change_decision_maker", person=person("Иван"), involved=True).stage("follow_up")


def test_r25_somebody_known_without_contacts_gives_them_first() -> None:
    s = lead().following_up().did("add_person", name="Пётр")
    petr = next(p.id for p in s.state.people.values() if p.name == "Пётр")
    s.when("change_decision_maker", person=petr).refused("decision_maker_contacts", "phone")
    s.did("change_decision_maker", person=petr, email="petr@example.ru").stage("interview")
    assert s.state.people[petr].first("email") == "petr@example.ru"
    s.when("change_decision_maker", person=petr, why="x").refused("same_decision_maker", "person")
    s.when("change_decision_maker", person=person("никто")).refused("no_such_contact", "person")


def test_r25_outside_the_follow_up_the_card_stays() -> None:
    lead().presented().did("change_decision_maker", name="Пётр", phone="+79123456780").stage("presentation").due("decision")

"""The card always says what is next and by when: one main button for every state (R26)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from hub.domain.lead import COMMANDS
from hub.domain.process import STAGES, Process
from hub.domain.state import Due, LeadState, Letter, Meeting, NextStep, Proposal, Sheet
from hub.web.lead.next import next_action
from tests.web.house import MONDAY, House
from tests.web.test_lead_walks import MIDDLE, MINUS, Desk, to_scoring

PAGES = {"refusal", "survivor"}


@pytest.fixture
def process(house: House) -> Process:
    return house.hub.process


def state(stage: str, **more: object) -> LeadState:
    return replace(LeadState(received_at=MONDAY, owner="user:1", stage=stage, stage_since=MONDAY), **more)


def sheet(total: int, segment: str) -> Sheet:
    return Sheet(1, MONDAY, "user:1", {}, total, segment, 1, {})


@pytest.mark.parametrize("stage", [*STAGES, "a_stage_of_our_own"])
@pytest.mark.parametrize("head", [True, False])
def test_every_stage_has_a_next_act(process: Process, stage: str, head: bool) -> None:
    act = next_action(state(stage), process, MONDAY, head=head)
    assert act.label
    assert act.why
    assert act.command in {*COMMANDS, *PAGES}


def test_what_is_next_follows_the_state(process: Process) -> None:
    def command(s: LeadState, head: bool = False) -> str:
        return next_action(s, process, MONDAY, head=head).command

    meeting = Meeting(1, "interview", MONDAY + timedelta(days=1), 60, "Цель")
    assert command(state("new", owner="")) == "take"
    assert command(state("contact")) == "capture_contact"
    assert command(state("screening")) == "finish_screening"
    assert command(state("scoring", screened=True)) == "score"
    assert command(state("scoring", screened=True, sheets=(sheet(0, "B"),))) == "plan_meeting"
    assert command(state("scoring", screened=True, sheets=(sheet(-12, "C"),))) == "move"
    assert command(state("refusal")) == "refusal"
    assert command(state("refusal", letters={1: Letter(1, "refusal", "email", "", "", "")})) == "mark_letter"
    assert command(state("refusal", letters={1: Letter(1, "refusal", "email", "", "", "", "sent")})) == "refuse"
    assert command(state("preparation")) == "plan_meeting"
    assert command(state("preparation", meetings={1: meeting})) == "form_group"
    assert command(state("interview")) == "state_benefit"
    assert command(state("interview", benefit="а", benefit_kpi="б")) == "promise_proposal"
    assert command(state("proposal")) == "draft_proposal"
    needs_head = Proposal(1, MONDAY, None, MONDAY.date(), needs_head=True)  # type: ignore[arg-type]
    assert command(state("proposal", proposals={1: needs_head}), head=True) == "contribute"
    assert command(state("proposal", proposals={1: needs_head})) == "plan_step"
    assert command(state("presentation")) == "plan_meeting"
    assert command(state("presentation", presented_at=MONDAY)) == "agree_decision_date"
    assert command(state("follow_up")) == "find_stall"
    assert command(state("follow_up", next_step=NextStep("Позвонить", MONDAY))) == "finish_step"
    assert command(state("follow_up", asleep_until=MONDAY.date())) == "wake"
    assert command(state("follow_up", ended="lost")) == "reopen"
    assert command(state("follow_up", ended="won")) == "hand_over"
    assert command(state("follow_up", ended="won", account_manager="user:2")) == "record_installed"
    assert command(state("new", merged_into=state("new").main_person)) == "survivor"


def test_a_client_who_waits_comes_before_the_stage(process: Process) -> None:
    late = Due("reply", MONDAY - timedelta(hours=1), MONDAY - timedelta(hours=2))
    assert next_action(state("scoring", dues={"reply": late}), process, MONDAY).command == "log_contact"
    begun = Meeting(1, "interview", MONDAY - timedelta(hours=1), 60, "Цель")
    ahead = Due("outcome:1", MONDAY + timedelta(hours=1), MONDAY)
    act = next_action(state("preparation", meetings={1: begun}, dues={"outcome:1": ahead}), process, MONDAY)
    assert (act.command, act.given) == ("hold_meeting", {"meeting": "1"})


def test_the_panel_shows_the_act_and_its_time_and_the_button_works_at_once(house: House) -> None:
    lead, desk = house.receive(), Desk(house, "manager")
    part = desk.get(f"/leads/{lead}/live/aside")
    assert "Взять в работу" in part
    assert "data-due" in part
    assert f'action="/leads/{lead}/do/take"' in part
    desk.post(f"/leads/{lead}/do/take")
    assert "Отсев проведён" in desk.get(f"/leads/{lead}/live/aside")
    assert "Мария Котова" in desk.get(f"/leads/{lead}/live/head")
    assert "<html" not in desk.get(f"/leads/{lead}/live/story")
    desk.get(f"/leads/{lead}/live/everything", 404)


def test_who_may_not_press_the_button_is_told_who_will(house: House) -> None:
    lead = house.receive()
    part = Desk(house, "auditor").get(f"/leads/{lead}/live/aside")
    assert "/do/" not in part
    assert "Это сделает тот, кто ведёт сделку" in part


def test_asleep_and_refused_cards_say_what_is_next(house: House) -> None:
    desk, head = Desk(house, "manager"), Desk(house, "head")
    asleep, refusing = house.receive(), house.receive(phone="+79123450000")
    to_scoring(desk, asleep, MIDDLE)
    desk.do(asleep, "sleep", until=desk.day(30), why="Бюджет в январе")
    page = desk.get(f"/leads/{asleep}")
    assert "Отложена до" in page
    assert "Разбудить раньше" in page
    assert "вернуться к сделке" in page
    to_scoring(desk, refusing, MINUS)
    page = head.get(f"/leads/{refusing}")
    assert f'href="/leads/{refusing}/refusal"' in page
    assert "Написать отказ" in page

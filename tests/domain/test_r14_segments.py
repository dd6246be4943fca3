"""R14–R16: what follows from the segment, and preparing the interview."""

from __future__ import annotations

import pytest

from hub.domain import events as e
from tests.domain.scenario import at, lead, process


def test_r14_a_meeting_leads_from_scoring_to_the_preparation() -> None:
    s = lead().taken_by().captured().screened().scored(3).stage("scoring").due("next_step", "tue 18:00", "R26")
    s.meeting("meeting").then(e.MeetingPlanned, e.DeadlineMet, e.StageEntered).stage("preparation").not_due("next_step")


def test_r14_a_meeting_that_was_agreed_in_the_screening_leads_on_as_soon_as_the_sheet_is_there() -> None:
    """R14, R4: goal 1 of the screening is the meeting, so it is often agreed before the sheet."""
    s = lead().taken_by().captured().meeting("interview", hours=50).screened().stage("scoring")
    s.scored(3).then(e.LeadScored, e.StageEntered).stage("preparation").not_due("next_step", "scoring")


def test_r14_a_call_is_no_meeting() -> None:
    s = lead().taken_by().captured().screened().scored(3).meeting("call").stage("scoring")
    s.when("move", to="preparation").refused("guard_meeting_agreed")


def test_r14_without_a_sheet_there_is_no_preparation() -> None:
    lead().taken_by().captured().screened().meeting().stage("scoring").when("move", to="preparation").refused("guard_scored")


def test_r14_online_or_offline() -> None:
    s = lead().taken_by().captured().screened().scored(0).meeting("meeting", online=False, place="Ленина, 1")
    assert (s.state.meetings[1].online, s.state.meetings[1].place) == (False, "Ленина, 1")


@pytest.mark.parametrize(("total", "checklist"), [(12, "sell_inside"), (3, ""), (-12, "")])
def test_r15_segment_a_has_its_checklist(total: int, checklist: str) -> None:
    assert process().segment_of(total).checklist == checklist


def test_r15_the_contact_is_equipped_to_sell_us_inside() -> None:
    s = lead().preparing(12)
    items = [i.id for i in process().checklists["sell_inside"].items]
    assert items == ["processes", "analytics", "clear_proposal", "upward_deck"]
    s.when("check_item", checklist="sell_inside", item="upward_deck").then_only(e.ChecklistItemDone)


def test_r16_the_checklist_of_the_preparation_has_owners() -> None:
    items = process().checklists["preparation"].items
    assert [i.id for i in items].index("objections") < [i.id for i in items].index("rehearsal")
    s = lead().preparing().when("assign_item", checklist="preparation", item="competitors", owner="boris")
    s.then_only(e.ChecklistItemAssigned)
    s.when("check_item", checklist="preparation", item="competitors", note="три сильных").then_only(e.ChecklistItemDone)
    check = s.state.checks["preparation.competitors"]
    assert (check.done, check.owner, check.note) == (True, "boris", "три сильных")
    s.when("assign_item", checklist="preparation", item="competitors", owner="vera").then_only(e.ChecklistItemAssigned)
    assert s.state.checks["preparation.competitors"].done
    s.when("assign_item", checklist="preparation", item="metrics", owner="nobody").refused("no_such_person", "owner")
    s.when("assign_item", checklist="preparation", item="metrics", owner=" ").refused("no_such_person", "owner")
    s.when("assign_item", checklist="preparation", item="magic", owner="boris").refused("no_such_item")


def test_r16_the_working_group_is_formed_and_ticks_its_item() -> None:
    s = lead().preparing().when("form_group", members=[("anna", "менеджер"), ("olga", "аналитик"), (" ", "x")])
    s.then_only(e.WorkingGroupFormed, e.ChecklistItemDone)
    assert s.state.group == (("anna", "менеджер"), ("olga", "аналитик"))
    s.when("form_group", members=[("anna", "менеджер"), ("olga", "аналитик")]).then_only()
    s.when("form_group", members=[(" ", "аналитик")]).refused("empty_group", "members")


def test_r16_the_preparation_goes_on_to_the_interview_with_a_meeting_agreed() -> None:
    s = lead().preparing().did("cancel_meeting", meeting=1, why="заболел").due("next_step")
    s.when("move", to="interview").refused("guard_meeting_agreed")
    s.meeting("interview").did("move", to="interview").stage("interview")
    assert s.state.stage_since == at("mon 10:00")

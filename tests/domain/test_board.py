"""What is done on the board: a move taken back at once leaves no trace but its two events (R0); tags."""

from __future__ import annotations

import pytest

from hub.domain import events as e
from hub.domain.state import LeadState
from tests.domain.scenario import Scenario, call, lead, website


def standing(state: LeadState) -> tuple[object, ...]:
    """Where a lead stands, and what is due."""
    return state.stage, state.stage_since, state.visited, state.disqualified, state.dues


def in_screening() -> Scenario:
    return lead().taken_by().captured()


def test_r0_a_move_that_is_undone_leaves_everything_as_it_stood() -> None:
    for s in (in_screening().screened().scored(3).meeting().did("move", to="interview").promised(),
              lead().taken_by().captured().screened().scored(-12)):
        to = "proposal" if s.state.stage == "interview" else "scoring"
        before = standing(s.state)
        s.later(minutes=2).did("move", to=to)
        assert standing(s.state) != before
        s.later(seconds=9).when("undo_move").then_only(e.MoveUndone)
        assert standing(s.state) == before
        assert s.one(e.MoveUndone).actor == s.actor


def test_r0_what_the_move_met_is_due_again_and_named_so() -> None:
    s = lead(website()).taken_by().stage("contact").due("contact")
    s.did("add_address", kind="phone", value="+7 912 345-67-89")
    s.by("vera").did("override", guard="timezone_known", reason="скажет сам").by("anna")
    s.did("move", to="screening").not_due("contact").due("screening")
    s.later(seconds=5).when("undo_move").then_only(e.MoveUndone).stage("contact").due("contact").not_due("screening")
    undone = s.one(e.MoveUndone)
    assert [(due.key, due.met) for due in undone.back] == [("contact", True)]
    assert undone.gone == ("screening",)


def test_r0_a_deadline_that_was_missed_before_the_move_is_not_missed_twice() -> None:
    s = in_screening().later(days=1).passes()
    missed = len(s.all(e.DeadlineMissed))
    assert missed
    s.did("move", to="contact").later(seconds=5).did("undo_move").later(days=1).passes()
    assert len([ev for ev in s.all(e.DeadlineMissed) if ev.key == "screening"]) == 1


@pytest.mark.parametrize(("what", "arguments"), [("note", {"text": "звонил"}), ("tag", {"tag": "тендер"})])
def test_r0_nothing_may_have_happened_since(what: str, arguments: dict[str, str]) -> None:
    s = in_screening().did("move", to="contact").did(what, **arguments)
    s.when("undo_move").refused("nothing_to_undo")


def test_r0_a_message_of_the_client_in_between_stands_in_the_way_as_well() -> None:
    s = in_screening().did("move", to="contact").receives(website())
    s.when("undo_move").refused("nothing_to_undo")


def test_r0_it_is_undone_once_by_who_moved_and_at_once() -> None:
    s = in_screening().did("move", to="contact")
    s.by("vera").when("undo_move").refused("undo_not_yours")
    s.by("anna").later(seconds=16).when("undo_move").refused("undo_too_late")
    again = in_screening().did("move", to="contact").did("undo_move")
    again.when("undo_move").refused("nothing_to_undo")


def test_r0_what_a_rule_moved_is_not_undone() -> None:
    s = lead(call()).by("anna").when("take").then(e.StageEntered).stage("screening")
    s.when("undo_move").refused("nothing_to_undo")


def test_a_tag_is_kept_in_one_spelling_and_stands_once() -> None:
    s = lead().taken_by().when("tag", tag="  #Тендер   2026 ").then_only(e.LeadTagged)
    assert s.state.tags == ("тендер 2026",)
    s.when("tag", tag="тендер 2026").refused("already_tagged", "tag")
    s.when("untag", tag="ТЕНДЕР 2026").then_only(e.LeadUntagged)
    assert s.state.tags == ()
    s.when("untag", tag="тендер 2026").refused("not_tagged", "tag")


@pytest.mark.parametrize(("tag", "code"), [("", "say_tag"), (" # ", "say_tag"), ("а" * 41, "tag_too_long"),
                                           ("+7 912 345-67-89", "tag_is_contact"), ("ivan@example.ru", "tag_is_contact")])
def test_a_tag_holds_no_address_and_is_short(tag: str, code: str) -> None:
    lead().taken_by().when("tag", tag=tag).refused(code, "tag")


def test_a_lead_has_twenty_tags_at_most_also_an_ended_one() -> None:
    s = lead().taken_by()
    for n in range(20):
        s.did("tag", tag=f"м{n}")
    s.when("tag", tag="ещё").refused("too_many_tags", "tag")
    ended = in_screening().did("lose", reason="price", closeness="second")
    ended.when("tag", tag="вернуть").then_only(e.LeadTagged)

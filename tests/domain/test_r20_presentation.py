"""R20–R22, R26: the presentation and its clocks; meetings, outcomes, next steps."""

from __future__ import annotations

import pytest

from hub.domain import events as e
from tests.domain.scenario import at, lead, moscow, on, process


def test_r20_the_checklist_of_the_presentation() -> None:
    items = [i.id for i in process().checklists["presentation"].items]
    assert {"equipment", "decision_date", "competitors", "criteria", "feedback", "new_needs"} <= set(items)


@pytest.mark.parametrize(("ours", "theirs", "warned"), [
    (2, 2, True), (3, 2, True), (2, 3, False), (1, 1, False), (1, 5, False), (2, 0, False), (0, 2, False), (3, 4, False),
])
def test_r20_one_person_fewer_on_our_side(ours: int, theirs: int, warned: bool) -> None:
    """R20: a warning, never a refusal; one of ours is always fine; unknown sides are not judged."""
    s = lead().proposing()
    s.meeting("presentation", ours=[f"наш {n}" for n in range(ours)], theirs=[f"их {n}" for n in range(theirs)])
    assert bool(s.all(e.HeadcountWarned)) is warned


def test_r20_the_warning_asks_for_a_reason() -> None:
    s = lead().proposing().meeting("presentation", ours=["а", "б"], theirs=["в"])
    assert s.state.meetings[2].headcount_warned
    s.when("explain_headcount", meeting=2, reason=" ").refused("say_why", "reason")
    s.when("explain_headcount", meeting=7, reason="x").refused("no_such_meeting", "meeting")
    s.when("explain_headcount", meeting=2, reason="двое заболели").then_only(e.HeadcountExplained)
    assert s.state.meetings[2].headcount_reason == "двое заболели"


def test_r20_who_really_came_is_checked_too() -> None:
    s = lead().proposing().meeting("presentation").later(hours=3)
    s.did("hold_meeting", meeting=2, outcome="closing", ours=["а", "б"], theirs=["в", " "]).then(e.MeetingHeld, e.HeadcountWarned)
    assert s.state.meetings[2].theirs == ("в",)


def test_r20_a_decision_date_and_feedback_are_kept() -> None:
    s = lead().proposing().meeting("presentation").later(hours=3)
    s.when("hold_meeting", meeting=2, outcome="closing", decision_date=on("2026-11-01"))
    s.refused("date_has_passed", "decision_date")
    s.when("hold_meeting", meeting=2, outcome="closing", feedback="Нравится", decision_date=on("next wed"))
    s.then(e.StageEntered, e.MeetingHeld, e.ProposalPresented, e.DeadlineSet, e.DecisionDateAgreed)
    s.due("decision_date", "next wed 18:00", "R20")
    assert (s.state.decision_date, s.state.meetings[2].feedback) == (on("next wed"), "Нравится")
    s.when("agree_decision_date", on=on("2026-11-01")).refused("date_has_passed", "on")
    s.did("agree_decision_date", on=on("next fri")).due("decision_date", "next fri 18:00")


def test_r21_72_hours_after_the_presentation_the_card_moves_by_itself() -> None:
    """R21: three calendar days, Sunday included, dated when it became true."""
    s = lead(received="thu 10:00").presented()
    held = s.state.presented_at
    assert held is not None
    decision = s.deadline("decision")
    assert (decision.due_at - held).total_seconds() == 72 * 3600
    assert decision.rule == "R21"
    s.at("next tue 09:00").passes().then(e.DeadlineMissed, e.DeadlineDropped, e.StageEntered).stage("follow_up")
    moved = [ev for ev in s.new if isinstance(ev, e.StageEntered)][0]
    assert (moved.at, moved.recorded_at, moved.actor, moved.why) == (decision.due_at, s.now, "hub", "R21")
    assert s.state.stage_since == decision.due_at
    assert [n.to for n in s.all(e.NoticeRaised) if n.kind == "moved"] == [("anna",)]


def test_r21_a_minute_before_nothing_moves() -> None:
    lead(received="mon 10:00").presented().later(hours=71, minutes=59).passes().stage("presentation").due("decision") \
        .later(minutes=1).passes().stage("follow_up").not_due("decision")


def test_r21_a_later_decision_date_does_not_wait() -> None:
    """R21: the agreed date is then the follow-up's."""
    s = lead(received="mon 10:00").presented().did("agree_decision_date", on=on("next fri"))
    s.later(hours=72).passes().stage("follow_up").due("decision_date", "next fri 18:00")


def test_r21_the_clock_starts_with_the_presentation_and_not_with_the_note_about_it() -> None:
    """R21, R22: the outcome is written down two days later; the meeting was on Monday."""
    s = lead().proposing().meeting("presentation", hours=2).at("wed 10:00")
    s.did("hold_meeting", meeting=2, outcome="closing")
    start, end = s.state.meetings[2].starts_at, s.state.meetings[2].ends_at
    assert s.state.presented_at == end
    assert s.one(e.MeetingHeld).recorded_at == s.now
    assert start < end
    assert (s.deadline("decision").due_at - end).days == 3
    s.due("ping", "wed 18:00")


def test_r21_a_decision_ends_the_waiting() -> None:
    s = lead().presented().won()
    s.not_due("decision", "ping", "decision_date")
    lead().presented().did("move", to="follow_up").not_due("decision").due("ping")
    lead().presented().did("move", to="proposal").not_due("decision")


def test_r21_a_second_presentation_from_the_follow_up() -> None:
    """R25, R21: they had no time; it is presented after all, and waits three days again."""
    s = lead().following_up().meeting("presentation").later(hours=3)
    s.did("hold_meeting", meeting=2, outcome="closing").stage("presentation").due("decision")
    s.later(hours=72).passes().stage("follow_up")


@pytest.mark.parametrize(("sent", "due"), [("mon 17:00", "wed 18:00"), ("thu 17:59", "next mon 18:00"),
                                           ("fri 10:00", "next tue 18:00"), ("sat 10:00", "next tue 18:00")])
def test_r22_the_first_contact_is_due_at_the_end_of_the_second_working_day(sent: str, due: str) -> None:
    s = lead(received="mon 09:00").proposing().at(sent).did("send_proposal").due("ping", due, "R22")
    s.did("log_contact", way="telegram", text="Получили?").not_due("ping").due("next_step")


def test_r22_in_whichever_stage_the_card_is_then() -> None:
    """R22, R21: presented on Thursday, the card moves on Sunday, and the contact is due on Monday all the same."""
    s = lead(received="thu 10:00").presented().due("ping", "next mon 18:00").stage("presentation")
    s.at("next mon 09:00").passes().stage("follow_up").due("ping", "next mon 18:00")
    s.at("next tue 09:00").passes()
    assert ("ping", at("next mon 18:00")) in s.state.missed


def test_r22_an_incoming_message_is_no_contact_of_ours_and_an_incoming_call_is() -> None:
    s = lead().following_up().did("log_contact", way="email", direction="in", text="Думаем").due("ping")
    s.did("log_contact", way="phone", direction="in").not_due("ping")


def test_r26_every_meeting_has_a_goal_and_lies_ahead() -> None:
    s = lead().preparing()
    plan = {"purpose": "meeting", "starts_at": at("fri 12:00"), "goal": "Шаг"}
    for change, code, field in (({"goal": " "}, "say_goal", "goal"),
                                ({"starts_at": at("mon 10:00")}, "meeting_in_past", "starts_at"),
                                ({"purpose": "party"}, "no_such_purpose", "purpose"), ({"minutes": 4}, "bad_minutes", "minutes"),
                                ({"minutes": 1441}, "bad_minutes", "minutes")):
        s.when("plan_meeting", **{**plan, **change}).refused(code, field)
    s.when("plan_meeting", **plan).then(e.MeetingPlanned, e.DeadlineSet).due("outcome:2", "fri 14:00", "R26")
    lead().when("plan_meeting", **plan).refused("guard_taken")


def test_r26_every_meeting_has_an_outcome_and_late_is_late() -> None:
    s = lead().preparing()
    s.when("hold_meeting", meeting=1, outcome="advance").refused("meeting_ahead")
    s.at("mon 14:00").passes()
    assert [moscow(d) for k, d in s.state.missed if k == "outcome:1"] == [moscow(at("mon 14:00"))]
    hold = {"meeting": 1, "outcome": "closing"}
    for change, code, field in (({"outcome": "fun"}, "no_such_outcome", "outcome"),
                                ({"outcome": "continuation"}, "why_no_step", "why"),
                                ({"outcome": "advance"}, "advance_needs_step", "step"),
                                ({"outcome": "advance", "step": "КП"}, "advance_needs_step", "step"),
                                ({"step": "КП"}, "say_when", "step_due"), ({"step_due": at("fri 12:00")}, "say_step", "step"),
                                ({"step": "КП", "step_due": at("mon 10:00")}, "time_has_passed", "step_due"),
                                ({"meeting": 4}, "no_such_meeting", "meeting")):
        s.when("hold_meeting", **{**hold, **change}).refused(code, field)
    s.did("hold_meeting", **hold).not_due("outcome:1").when("hold_meeting", **hold).refused("meeting_over")


def test_r26_advances_and_continuations_are_counted() -> None:
    s = lead().preparing().held(1).meeting().held(2, outcome="advance", step="КП", step_due=at("fri 12:00"))
    s.did("log_contact", way="phone", goal="Шаг", outcome="continuation", why="отпуск")
    s.did("log_contact", way="email", step="Выслать договор", step_due=at("fri 15:00"))
    assert (s.state.advances, s.state.continuations) == (2, 2)


def test_r26_a_meeting_is_moved_and_cancelled() -> None:
    s = lead().preparing().when("move_meeting", meeting=1, starts_at=at("mon 10:00")).refused("meeting_in_past")
    s.when("move_meeting", meeting=1, starts_at=at("fri 12:00"), by_client=True)
    s.then(e.MeetingMoved, e.DeadlineDropped, e.DeadlineSet)
    s.due("outcome:1", "fri 14:00")
    assert s.state.meetings[1].moves == 1
    s.when("cancel_meeting", meeting=1, why=" ").refused("say_why", "why")
    s.did("cancel_meeting", meeting=1, why="передумали").not_due("outcome:1").due("next_step", "tue 18:00")
    s.when("move_meeting", meeting=1, starts_at=at("fri 12:00")).refused("meeting_over")


def test_r26_a_planned_call_keeps_the_agreed_step() -> None:
    s = lead().interviewing().did("plan_step", step="Выслать бриф", due_at=at("fri 12:00")).meeting("call", hours=30)
    s.due("next_step", "fri 12:00")


def test_r26_the_next_step() -> None:
    s = lead().interviewing().due("next_step").when("finish_step").refused("no_step")
    s.when("plan_step", step=" ", due_at=at("fri 12:00")).refused("say_step", "step")
    s.when("plan_step", step="Бриф", due_at=at("mon 10:00")).refused("time_has_passed", "due_at")
    s.when("plan_step", step="Бриф", due_at=at("fri 12:00")).then(e.DeadlineMet, e.NextStepPlanned, e.DeadlineSet)
    s.when("plan_step", step="Бриф", due_at=at("fri 15:00")).without(e.DeadlineMet).due("next_step", "fri 15:00")
    s.when("finish_step", step="Смета").refused("say_when", "due_at")
    s.when("finish_step", result="готово", step="Смета", due_at=at("next mon 12:00"))
    s.then(e.NextStepDone, e.DeadlineMet, e.NextStepPlanned).due("next_step", "next mon 12:00")
    s.when("finish_step").then(e.NextStepDone).due("next_step", "tue 18:00")
    assert s.state.next_step is None


def test_r26_calls_have_goals_too() -> None:
    """R26: an outgoing call sets its goal; an incoming one has R4's."""
    s = lead().interviewing().when("log_contact", way="phone", outcome="closing").refused("say_goal", "goal")
    s.did("log_contact", way="phone", direction="in", outcome="closing")
    assert s.one(e.ContactLogged).goal == "R4"
    s.when("log_contact", way="pigeon").refused("no_such_way", "way")
    s.when("log_contact", way="phone", direction="up").refused("no_such_direction", "direction")
    s.when("log_contact", way="email", outcome="continuation").refused("why_no_step", "why")
    lead().when("log_contact", way="phone").refused("guard_taken")


def test_r26_a_card_in_work_is_never_without_a_date() -> None:
    s = lead().interviewing().did("plan_step", step="Бриф", due_at=at("fri 12:00")).did("finish_step").due("next_step")
    s.did("log_contact", way="phone").due("next_step")

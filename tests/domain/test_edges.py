"""Edges of R2, R21–R23, R29, R34: exactly on the deadline, people who left or came back, holidays, what stood still."""

from __future__ import annotations

from datetime import timedelta

from hub.domain import events as e
from tests.domain.scenario import STAFF, at, lead, moscow, process, website


def test_r29_the_days_of_a_presentation_go_on_after_a_sleep() -> None:
    """R21, R28: a card that slept in the presentation does not stay there for good."""
    s = lead().presented()
    s.did("sleep", until=process().date_of(s.now) + timedelta(days=1), why="совет").passes()
    s.did("wake", why="позвонили раньше")
    assert s.state.presented_at is not None
    assert moscow(s.deadline("decision").due_at) == moscow(s.state.presented_at + timedelta(hours=72))
    s.did("sleep", until=process().date_of(s.now) + timedelta(days=14), why="совет").later(days=20).passes()
    s.stage("follow_up").due("return")
    assert [ev.at for ev in s.new] == sorted(ev.at for ev in s.new)


def test_r2_exactly_at_the_deadline_is_late_everywhere_alike() -> None:
    """R2: what was recorded as missed is met late, not in time."""
    s = lead().at("mon 10:15").passes().then(e.DeadlineMissed)
    s.taken_by()
    assert s.one(e.DeadlineMet).late


def test_r34_who_gets_leads_must_be_able_to_work_them() -> None:
    """R30, R31: an owner who may do nothing would hold the lead fast."""
    s = lead().taken_by()
    for stranger in ("audra", "adam", "olga"):
        s.when("reassign", owner=stranger, why="x").refused("colleague_may_not", "owner")
    s.when("reassign", owner="nobody", why="x").refused("no_such_person", "owner")
    won = lead().following_up().won()
    won.when("hand_over", account_manager="boris").refused("colleague_may_not", "account_manager")
    won.did("hand_over", account_manager="olga")


def test_r34_an_offer_of_an_absent_owners_lead_ends_when_the_owner_is_back() -> None:
    away = {"manager": ("boris",), "head": ("vera",)}
    s = lead().taken_by().with_staff(at_work=away).happens(lambda lead: lead.offer_absent())
    back = s.with_staff(at_work=STAFF.at_work).by("boris").when("take").refused("taken_by_other")
    back.with_staff(at_work=away).did("take")
    assert back.state.owner == "boris"


def test_r34_what_somebody_worked_who_left_is_told_to_the_head_and_may_be_taken() -> None:
    s = lead().preparing()
    left = {name: title for name, title in STAFF.names.items() if name != "anna"}
    s.with_staff(names=left, at_work={"manager": ("boris",)}).at("next fri 12:00").passes()
    assert {ev.to for ev in s.new if isinstance(ev, e.NoticeRaised)} == {("vera",)}
    s.by("boris").did("take")
    assert s.state.owner == "boris"
    assert s.one(e.LeadReassigned).why == "owner_absent"


def test_r23_the_owner_of_a_request_is_told_that_it_is_late() -> None:
    s = lead().following_up().did("open_request", kind="documents", owner="boris").later(days=5).passes()
    late = [ev for ev in s.new if isinstance(ev, e.NoticeRaised) and ev.key == "request:1"]
    assert late[-1].to == ("anna", "boris")


def test_r29_a_late_answer_to_a_client_of_ours_is_the_account_managers() -> None:
    """And the head is told of everything that is late (R34)."""
    s = lead().following_up().won().did("hand_over", account_manager="olga").receives(website())
    s.later(days=2).passes()
    assert [ev.to for ev in s.new if isinstance(ev, e.NoticeRaised) and ev.kind == "late"] == [("olga", "vera")]


def test_r22_contact_is_due_after_the_january_holidays() -> None:
    """R22: 30 December 2026 is the last working day; the second one after it is 12 January."""
    s = lead(received="2026-12-29 10:00").proposing().at("2026-12-30 12:00").did("send_proposal")
    s.due("ping", "2027-01-12 18:00", "R22")


def test_r21_three_days_run_through_the_january_holidays() -> None:
    """R21: calendar days, not working ones."""
    s = lead(received="2026-12-29 10:00").proposing().meeting("presentation")
    s.held(max(s.state.meetings))
    assert s.state.presented_at is not None
    assert s.deadline("decision").due_at == s.state.presented_at + timedelta(hours=72)
    s.at_instant(s.deadline("decision").due_at).passes().stage("follow_up").due("ping")
    assert s.one(e.StageEntered).at < at("2027-01-11 09:00")

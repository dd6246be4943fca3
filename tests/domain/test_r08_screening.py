"""R8–R13: hard criteria, the sheet, segments, and the refusal with its letter and partners."""

from __future__ import annotations

from uuid import UUID

import pytest

from hub.domain import events as e
from tests.domain.scenario import PHONE, Scenario, call, changed, lead, marks, on, process, website

PARTNER = UUID(int=9)


def refusing() -> Scenario:
    """In «refusal»: a C sheet, worked by the trainee (R12)."""
    return lead(website(PHONE, timezone="Europe/Moscow")).taken_by().screened().scored(-12).stage("refusal").by("tim") \
        .did("add_address", kind="email", value="ivan@example.ru")


@pytest.mark.parametrize("criterion", ["outside_services", "budget_below_minimum", "impossible_deadline", "on_principle"])
def test_r8_a_hard_criterion_disqualifies_at_once_and_a_letter_is_due(criterion: str) -> None:
    s = lead().taken_by().captured().when("disqualify", criterion=criterion, note="по телефону")
    s.then(e.LeadDisqualified, e.DeadlineMet, e.StageEntered, e.DeadlineSet).stage("refusal")
    s.due("refusal_letter", "tue 18:00", "R12").not_due("screening", "contact")
    assert s.state.disqualified == criterion


def test_r8_spam_is_closed_at_once_without_a_letter_and_without_closeness() -> None:
    """R8, R28."""
    s = lead().taken_by().when("disqualify", criterion="not_a_client").then(e.LeadDisqualified, e.LeadRefused)
    assert s.state.ended == "refused"
    assert s.state.dues == {}
    assert s.state.refusal is not None
    assert (s.state.refusal.criterion, s.state.refusal.letter) == ("not_a_client", 0)
    assert s.state.refusal.without_letter


def test_r8_unreachable_only_after_the_agreed_attempts() -> None:
    s = lead().taken_by().when("disqualify", criterion="unreachable").refused("too_few_attempts", "criterion")
    s.did("log_attempt").did("log_attempt", way="telegram")
    s.when("disqualify", criterion="unreachable").refused("too_few_attempts")
    s.did("log_attempt", note="занято").when("disqualify", criterion="unreachable").then(e.LeadRefused)


def test_r8_a_message_that_was_sent_is_no_talk_and_a_talk_begins_the_count_anew() -> None:
    s = lead().taken_by().did("log_attempt").did("log_contact", way="email", text="Не дозвонились")
    assert s.state.attempts == 1
    s.did("log_contact", way="phone", direction="in")
    assert s.state.attempts == 0
    s.did("log_attempt").receives(website())
    assert s.state.attempts == 0


def test_r8_the_number_of_attempts_is_the_files() -> None:
    s = lead(process=changed(("attempts = 3", "attempts = 1"))).taken_by().did("log_attempt")
    s.when("disqualify", criterion="unreachable").then(e.LeadRefused)


def test_r8_refusals() -> None:
    s = lead().when("disqualify", criterion="on_principle").refused("guard_taken")
    s.taken_by().when("disqualify", criterion="astrology").refused("no_such_criterion", "criterion")
    s.when("log_attempt", way="pigeon").refused("no_such_way", "way")
    s.when("finish_screening", criteria_checked=True).refused("not_screening")
    s.captured().when("finish_screening").refused("criteria_first", "criteria_checked")


def test_r8_a_disqualification_by_mistake_is_taken_back_by_leaving_the_refusal() -> None:
    s = lead().taken_by().captured().did("disqualify", criterion="outside_services")
    s.when("move", to="scoring").refused("guard_screened")
    s.when("move", to="screening", why="не так поняли").then(e.StageEntered).not_due("refusal_letter").due("screening")
    assert s.state.disqualified == ""
    s.screened().scored(0).meeting().stage("preparation")


def test_r8_a_disqualified_lead_is_not_rescued_by_a_good_sheet() -> None:
    s = lead().taken_by().captured().screened().did("disqualify", criterion="on_principle")
    s.scored(12).stage("refusal").due("refusal_letter")


def test_r9_a_sheet_has_fifteen_marks_in_three_blocks() -> None:
    assert [len(b.parameters) for b in process().file.blocks] == [5, 5, 5]
    s = lead().taken_by().captured().screened().due("scoring", "mon 14:00", "R9")
    s.when("score", marks=marks(3), notes={"budget": "2 млн", "digital": " "}, comment="хорошо").then(e.LeadScored, e.DeadlineMet)
    sheet = s.one(e.LeadScored)
    assert (sheet.total, sheet.segment, sheet.notes, sheet.comment) == (3, "B", {"budget": "2 млн"}, "хорошо")
    assert list(sheet.marks) == list(process().parameters)
    s.not_due("scoring")


@pytest.mark.parametrize(("given", "code"), [
    ({k: v for k, v in marks(0).items() if k != "budget"}, "sheet_incomplete"), ({}, "sheet_incomplete"),
    ({**marks(0), "budget": 2}, "bad_mark"), ({**marks(0), "charm": 1}, "no_such_parameter"),
])
def test_r9_refusals_of_a_sheet(given: dict[str, int], code: str) -> None:
    lead().taken_by().captured().screened().when("score", marks=given).refused(code, "marks")


def test_r9_the_refusal_of_an_incomplete_sheet_names_what_is_left() -> None:
    s = lead().taken_by().captured().screened().when("score", marks={k: 0 for k in marks(0) if k not in ("budget", "industry")})
    assert s.refusal is not None
    assert "Бюджет, Отрасль" in s.refusal.say("ru")
    s.refused("sheet_incomplete")


def test_r9_scoring_comes_after_the_screening() -> None:
    s = lead().when("score", marks=marks(0)).refused("guard_taken")
    s.taken_by().captured().when("score", marks=marks(0)).refused("guard_screened")
    s.when("move", to="scoring").refused("guard_screened")


@pytest.mark.parametrize(("total", "segment"), [(-15, "C"), (-11, "C"), (-10, "C"), (-9, "B"), (0, "B"), (9, "B"), (10, "A"),
                                                (11, "A"), (15, "A")])
def test_r10_segments_with_exact_bounds(total: int, segment: str) -> None:
    s = lead().taken_by().captured().screened().scored(total)
    assert s.state.score is not None
    assert (s.state.score.total, s.state.segment) == (total, segment)
    s.stage("refusal" if segment == "C" else "scoring")


def test_r11_every_sheet_is_kept_and_the_newest_counts() -> None:
    """R11, R31: the segment changes with time; each sheet keeps its author, time, total and segment."""
    s = lead().taken_by().captured().screened().scored(3).by("boris").later(hours=1).scored(11).later(days=1).scored(-3)
    assert [(x.id, x.author, x.total, x.segment) for x in s.state.sheets] == \
        [(1, "anna", 3, "B"), (2, "boris", 11, "A"), (3, "boris", -3, "B")]
    assert len({x.at for x in s.state.sheets}) == 3
    assert s.state.segment == "B"


def test_r11_a_better_sheet_leads_back_from_the_refusal() -> None:
    s = refusing().scored(0).then(e.LeadScored, e.DeadlineDropped, e.StageEntered).stage("scoring").not_due("refusal_letter")
    s.due("next_step")


def test_r12_segment_c_is_refused_and_passed_on_to_a_trainee() -> None:
    s = lead().taken_by().captured().screened().scored(-10).then(e.LeadScored, e.StageEntered, e.LeadReassigned, e.NoticeRaised)
    s.stage("refusal").due("refusal_letter", "tue 18:00", "R12")
    assert s.state.owner == "tim"
    assert (s.one(e.LeadReassigned).why, s.one(e.NoticeRaised).to) == ("R12", ("tim",))


def test_r12_without_a_trainee_at_work_the_manager_keeps_it() -> None:
    s = lead().with_staff(at_work={"manager": ("anna",)}).taken_by().captured().screened().scored(-12).without(e.LeadReassigned)
    assert s.state.owner == "anna"


def test_r12_a_trainee_works_segment_c_and_what_is_given_to_them_and_nothing_else() -> None:
    s = lead().taken_by().captured().by("tim").when("name_lead", title="x").refused("not_your_segment")
    s.by("anna").did("reassign", owner="tim", why="пусть попробует").by("tim").did("name_lead", title="Магазин")
    s.by("anna").did("reassign", owner="boris", why="сложно").by("tim").when("note", text="x").refused("not_your_segment")
    s.by("boris").screened().scored(-11).did("reassign", owner="boris", why="сам").by("tim").did("note", text="C веду и я")


def test_r12_a_trainee_may_take_what_is_offered_to_them() -> None:
    """R12, R34: offered is given."""
    both = changed(('roles = ["manager"]  ', 'roles = ["manager", "trainee"]  '))
    s = lead(process=both).with_staff(at_work={"trainee": ("tim",)})
    s.by("tim").when("take").refused("not_your_segment")
    s.at("mon 10:11").when("take").then(e.LeadTaken)


def test_r12_the_letter_says_why_and_names_partners() -> None:
    """R12, R13: the letter is read and confirmed by a person; each referral is recorded."""
    s = refusing().when("ask_letter", body="К сожалению, бюджет", partners={str(PARTNER): "Студия Ч"})
    s.then(e.LetterAsked, e.PartnerReferred, e.DeadlineMet).not_due("refusal_letter").due("next_step")
    asked, referral = s.one(e.LetterAsked), s.one(e.PartnerReferred)
    assert (asked.to, asked.kind, referral.partner, referral.letter) == ("ivan@example.ru", "refusal", PARTNER, 1)
    assert s.state.referrals == (PARTNER,)
    s.did("mark_letter", letter=1).when("mark_letter", letter=1).refused("letter_already_sent")
    s.when("refuse").then(e.LeadRefused)
    assert s.state.refusal is not None
    assert (s.state.refusal.letter, s.state.refusal.total, s.state.refusal.segment) == (1, -12, "C")
    assert s.state.dues == {}


def test_r12_a_letter_that_failed_is_due_again_and_closes_nothing() -> None:
    s = refusing().did("ask_letter", body="Нет").when("mark_letter", letter=1, sent=False).refused("say_why")
    s.when("mark_letter", letter=1, sent=False, why="550").then(e.LetterFailed).due("refusal_letter").not_due("next_step")
    s.when("refuse").refused("refusal_letter_first")
    s.did("ask_letter", body="Нет", way="phone").did("refuse")


@pytest.mark.parametrize(("fields", "code"), [
    ({"body": " "}, "say_text"), ({"body": "x", "to": "ivan"}, "bad_email"), ({"body": "x", "way": "pigeon"}, "no_such_way"),
    ({"body": "x", "kind": "love"}, "no_such_letter"), ({"body": "x", "partners": {"Студия Ч": "x"}}, "unknown_partner"),
])
def test_r12_refusals_of_a_letter(fields: dict[str, object], code: str) -> None:
    refusing().when("ask_letter", **fields).refused(code)


def test_r12_more_refusals_of_a_letter() -> None:
    s = refusing().when("mark_letter", letter=3).refused("no_such_letter")
    s.when("refuse").refused("refusal_letter_first", "without_letter")
    s.did("retire_address", kind="email", value="ivan@example.ru", why="нет такого")
    s.when("ask_letter", body="x").refused("no_email", "to")
    lead().taken_by().when("ask_letter", body="x").refused("not_refusing")
    lead().taken_by().did("ask_letter", body="Добрый день", kind="free").stage("contact")
    lead().taken_by().when("refuse", without_letter="x").refused("no_such_ending")


def test_r12_a_word_on_why_there_is_no_letter_is_enough() -> None:
    s = refusing().did("refuse", without_letter="сказали по телефону")
    assert s.state.refusal is not None
    assert s.state.refusal.without_letter == "сказали по телефону"


def test_r12_segment_c_does_not_go_on() -> None:
    s = refusing().by("anna").did("move", to="scoring").meeting().stage("scoring")
    s.when("move", to="preparation").refused("guard_not_refused")


def test_r12_the_letter_is_late_after_its_working_day() -> None:
    s = refusing().at("wed 09:00").passes()
    assert ("refusal_letter", s.deadline("refusal_letter").due_at) in s.state.missed
    s.due("refusal_letter", "tue 18:00")


def test_r13_a_partner_can_be_named_without_a_letter() -> None:
    s = refusing().when("refer", partner=PARTNER, partner_name=" ").refused("say_name", "partner")
    s.when("refer", partner=PARTNER, partner_name="Студия Ч").then_only(e.PartnerReferred)


def test_r13_price_segments_of_partners_are_the_files() -> None:
    assert list(process().price_segments) == ["low", "middle", "high"]


def test_r8_a_call_that_is_spam_meets_the_first_contact() -> None:
    s = lead(call()).taken_by().when("disqualify", criterion="not_a_client").then(e.LeadRefused)
    assert not [m for m in s.all(e.DeadlineMet) if m.late]
    s.when("disqualify", criterion="not_a_client").refused("already_ended")
    assert s.process.date_of(s.now) == on("mon")

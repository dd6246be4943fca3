"""R17–R19, R27: the interview, what it must bring, and the proposal."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.domain import events as e
from tests.domain.scenario import at, files_of, lead, on


def test_r17_holding_the_interview_is_being_in_it() -> None:
    s = lead().preparing().at("mon 13:00").when("hold_meeting", meeting=1, outcome="advance", step="КП", step_due=at("fri 12:00"))
    s.then(e.StageEntered, e.MeetingHeld, e.DeadlineMet, e.NextStepPlanned, e.DeadlineSet).stage("interview")
    s.due("next_step", "fri 12:00")


def test_r17_it_is_not_left_for_the_proposal_without_a_benefit_and_a_date() -> None:
    s = lead().interviewing().when("move", to="proposal").refused("guard_benefit_stated")
    s.when("state_benefit", text=" ", kpi="x").refused("say_benefit", "text")
    s.when("state_benefit", text="Выше конверсия", kpi=" ").refused("say_kpi", "kpi")
    s.did("state_benefit", text="Выше конверсия", kpi="+20 %").when("move", to="proposal").refused("guard_proposal_promised")
    s.when("promise_proposal", ready_on=on("fri"), presented=True).then(e.ProposalPromised).due("promise", "fri 18:00", "R17")
    s.when("move", to="proposal").then(e.StageEntered).stage("proposal")
    assert s.state.promise == (on("fri"), True)


def test_r17_a_promise_lies_ahead_and_today_is_early_enough() -> None:
    s = lead().interviewing().at("tue 10:00").when("promise_proposal", ready_on=on("mon"), presented=True)
    s.refused("date_has_passed", "ready_on")
    s.did("promise_proposal", ready_on=on("tue"), presented=False).due("promise", "tue 18:00")
    s.at("tue 19:00").did("promise_proposal", ready_on=on("tue"), presented=False).due("promise", "wed 00:00")


def test_r17_a_promise_that_was_not_kept_is_late() -> None:
    s = lead().interviewing().did("promise_proposal", ready_on=on("wed"), presented=True).at("thu 09:00").passes()
    assert ("promise", at("wed 18:00")) in s.state.missed
    s.drafted()
    assert [m.late for m in s.all(e.DeadlineMet) if m.key == "promise"] == [True]


@pytest.mark.parametrize("how", ["send", "present"])
def test_r17_no_way_round_it_by_sending_or_presenting_from_the_interview(how: str) -> None:
    s = lead().interviewing().drafted()
    if how == "send":
        s.when("send_proposal").refused("guard_benefit_stated")
        s.promised().when("send_proposal").then(e.StageEntered, e.ProposalSent, e.StageEntered).stage("follow_up")
    else:
        s.meeting("presentation").later(hours=3)
        s.when("hold_meeting", meeting=2, outcome="closing").refused("guard_benefit_stated")
        s.promised().when("hold_meeting", meeting=2, outcome="closing").then(e.MeetingHeld, e.ProposalPresented)
        s.stage("presentation").due("decision")


def test_r18_a_proposal_has_versions_an_amount_and_a_validity_date() -> None:
    """R18, R33."""
    s = lead().interviewing().promised().did("move", to="proposal")
    s.when("draft_proposal", amount=Decimal("1500000.555"), valid_until=on("2026-12-31"), vat="с НДС", note="v1",
           file=files_of("kp.pdf")[0]).then(e.ProposalDrafted, e.DeadlineMet).not_due("promise")
    first = s.one(e.ProposalDrafted)
    assert (first.proposal, first.money.amount, first.money.currency, first.money.vat) == \
        (1, Decimal("1500000.56"), "RUB", "с НДС")
    s.did("draft_proposal", amount=Decimal(900_000), valid_until=on("2026-12-31"), currency="EUR")
    assert [p.id for p in s.state.proposals.values()] == [1, 2]
    assert s.state.proposal is not None
    assert s.state.proposal.id == 2


@pytest.mark.parametrize(("fields", "code", "field"), [
    ({"amount": Decimal(0)}, "bad_amount", "amount"), ({"amount": Decimal("0.004")}, "bad_amount", "amount"),
    ({"amount": Decimal("NaN")}, "bad_amount", "amount"), ({"amount": Decimal(10) ** 13}, "bad_amount", "amount"),
    ({"currency": "XXX"}, "bad_currency", "currency"), ({"vat": "пополам"}, "bad_vat", "vat"),
    ({"valid_until": on("2026-11-01")}, "date_has_passed", "valid_until"),
])
def test_r18_refusals_of_a_version(fields: dict[str, object], code: str, field: str) -> None:
    """R18, R33."""
    good = {"amount": Decimal(1), "valid_until": on("2026-12-31")}
    lead().interviewing().when("draft_proposal", **{**good, **fields}).refused(code, field)


def test_r18_there_is_no_proposal_before_the_interview() -> None:
    s = lead().preparing().when("draft_proposal", amount=Decimal(1), valid_until=on("2026-12-31"))
    s.refused("too_early_for_proposal")
    s.when("send_proposal").refused("no_such_proposal")
    s.by("vera").when("contribute", text="x").refused("no_such_proposal")
    s.by("anna").held(1).promised().did("move", to="proposal").meeting("presentation")
    s.when("move", to="presentation").refused("guard_proposal_ready")


@pytest.mark.parametrize(("total", "needed"), [(9, False), (10, True), (15, True), (-9, False)])
def test_r18_above_nine_the_head_takes_part(total: int, needed: bool) -> None:
    s = lead().proposing(total)
    assert s.state.proposal is not None
    assert s.state.proposal.needs_head is needed
    s.when("send_proposal")
    if needed:
        assert s.refusal is not None
        assert "9" in s.refusal.say("ru")
        s.refused("guard_head_contributed").by("vera").did("contribute", text="Сроки и состав команды").by("anna")
        s.when("send_proposal")
    s.then(e.ProposalSent)


def test_r18_neither_presented_without_the_head() -> None:
    s = lead().proposing(12).meeting("presentation").when("move", to="presentation").refused("guard_head_contributed")
    s.later(hours=3).when("hold_meeting", meeting=2, outcome="closing").refused("guard_head_contributed")
    s.by("vera").did("contribute", text="Сам веду").when("hold_meeting", meeting=2, outcome="closing").then(e.ProposalPresented)


def test_r18_the_heads_part_is_in_this_version_not_in_another() -> None:
    s = lead().proposing(12).by("vera").did("contribute", text="Часть", proposal=1).by("anna").drafted()
    s.when("send_proposal").refused("guard_head_contributed")
    s.when("send_proposal", proposal=1).then(e.ProposalSent)
    assert s.one(e.ProposalSent).proposal == 1
    t = lead().proposing(12).drafted().by("vera").did("contribute", text="Часть", proposal=2).by("anna")
    t.when("send_proposal", proposal=1).refused("guard_head_contributed")


def test_r18_a_total_that_rises_later_needs_the_head_too() -> None:
    """R18, R11: the newest sheet counts."""
    lead().proposing(3).scored(12).when("send_proposal").refused("guard_head_contributed")


def test_r18_only_the_head_contributes() -> None:
    s = lead().proposing(12).when("contribute", text="x").refused("not_your_role")
    s.by("vera").when("contribute", text=" ").refused("say_text", "text")
    s.when("contribute", text="x", proposal=5).refused("no_such_proposal", "proposal")


def test_r18_an_expired_version_is_not_sent() -> None:
    s = lead().proposing().did("draft_proposal", amount=Decimal(1), valid_until=on("fri"))
    s.at("next mon 10:00").when("send_proposal").refused("proposal_expired", "proposal")


def test_r19_sent_without_a_presentation_the_card_moves_to_follow_up() -> None:
    """R19, R22."""
    s = lead(received="mon 10:00").proposing().when("send_proposal").then(e.ProposalSent, e.DeadlineSet, e.StageEntered)
    s.stage("follow_up").due("ping", "wed 18:00", "R22")
    assert s.one(e.ProposalSent).to == "ivan@example.ru"


def test_r19_sent_before_a_presentation_the_card_stays() -> None:
    lead().proposing().meeting("presentation").did("send_proposal", without_presentation=False).stage("proposal").due("ping")


def test_r19_refusals_of_sending() -> None:
    s = lead().proposing().when("send_proposal", way="pigeon").refused("no_such_way")
    s.when("send_proposal", to="ivan").refused("bad_email", "to")
    s.did("retire_address", kind="email", value="ivan@example.ru", why="нет").when("send_proposal").refused("no_email", "to")
    s.did("send_proposal", way="telegram").stage("follow_up")


def test_r19_follow_up_needs_a_proposal_that_was_delivered() -> None:
    lead().proposing().when("move", to="follow_up").refused("guard_proposal_delivered")


def test_r27_questions_are_problem_questions_and_developing_ones() -> None:
    s = lead().interviewing().when("ask_question", kind="problem", text="Что мешает расти?").then_only(e.QuestionRecorded)
    s.when("ask_question", kind="developing", text="Во что это обходится?", answer="Миллион в месяц")
    s.then_only(e.QuestionRecorded, e.QuestionAnswered)
    s.did("answer_question", question=1, answer="Ручной ввод")
    assert [(q.kind, q.answer) for q in s.state.questions.values()] == \
        [("problem", "Ручной ввод"), ("developing", "Миллион в месяц")]
    s.when("ask_question", kind="rhetorical", text="x").refused("no_such_question_kind", "kind")
    s.when("ask_question", kind="problem", text=" ").refused("say_text", "text")
    s.when("answer_question", question=9, answer="x").refused("no_such_question", "question")
    s.when("answer_question", question=1, answer=" ").refused("say_text", "answer")


def test_r27_hidden_needs_become_explicit_in_the_clients_words() -> None:
    s = lead().interviewing().did("find_need", text="Теряют заявки").when("make_explicit", need=1, quote=" ").refused("say_quote")
    s.when("make_explicit", need=1, quote="Нам нужно не терять заявки").then_only(e.NeedMadeExplicit)
    assert s.state.needs[1].explicit
    s.when("make_explicit", need=1, quote="x").refused("already_explicit", "need")
    s.when("make_explicit", need=2, quote="x").refused("no_such_need", "need")
    s.when("find_need", text="Рост", explicit=True).refused("say_quote", "quote")
    s.when("find_need", text="Рост", explicit=True, quote="Хотим расти").then_only(e.NeedFound)
    s.when("find_need", text=" ").refused("say_text", "text")

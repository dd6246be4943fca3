"""R28–R30: won, lost, refused; asleep and back again; after the contract."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest

from hub.domain import events as e
from hub.domain.lead import COMMANDS, Sender
from tests.domain.scenario import PHONE, Scenario, at, call, changed, lead, marks, on, person, website


def test_r28_a_loss_has_a_reason_and_a_closeness() -> None:
    s = lead().following_up().when("lose", reason="", closeness="second").refused("say_loss_reason", "reason")
    s.when("lose", reason="price", closeness="").refused("say_closeness", "closeness")
    s.when("lose", reason="karma", closeness="second").refused("no_such_loss_reason", "reason")
    s.when("lose", reason="price", closeness="near").refused("no_such_closeness", "closeness")
    s.when("lose", reason="price", closeness="second", return_on=on("mon")).refused("date_has_passed", "return_on")
    s.when("lose", reason="price", closeness="second", competitor_until=on("mon")).refused("date_has_passed", "competitor_until")
    s.when("lose", reason="price", closeness="considered", competitor="А", debrief="дорого").then(e.DeadlineDropped, e.LeadLost)
    loss = s.state.losses[0]
    assert (loss.reason, loss.closeness, loss.competitor, loss.debrief, loss.stage) == \
        ("price", "considered", "А", "дорого", "follow_up")
    assert (s.state.ended, s.state.dues) == ("lost", {})


def test_r28_a_lead_that_nobody_took_is_not_lost() -> None:
    lead().when("lose", reason="price", closeness="unknown").refused("no_such_ending")


def test_r28_one_lead_can_be_lost_more_than_once_and_each_loss_stays() -> None:
    s = lead().following_up().lost().did("reopen", why="позвонили").lost(reason="vanished", closeness="unknown")
    assert [(x.id, x.reason) for x in s.state.losses] == [(1, "price"), (2, "vanished")]


def test_r28_refused_by_us_needs_no_closeness() -> None:
    s = lead().taken_by().captured().did("disqualify", criterion="on_principle").did("refuse", without_letter="сказали")
    assert s.state.ended == "refused"
    assert s.state.losses == ()


def test_r28_a_postponed_project_is_open_and_asleep() -> None:
    s = lead().interviewing().when("sleep", until=on("mon"), why="x").refused("date_has_passed", "until")
    s.when("sleep", until=on("next mon"), why=" ").refused("say_why", "why")
    s.when("sleep", until=on("next mon"), why="ждут бюджет").then(e.DeadlineDropped, e.LeadSlept, e.DeadlineSet)
    assert s.state.open
    assert set(s.state.dues) == {"wake"}
    s.due("wake", "next mon 09:00")
    s.when("sleep", until=on("next tue"), why="x").refused("asleep")


ASLEEP: dict[str, dict[str, object]] = {
    "move": {"to": "proposal"}, "score": {"marks": marks(0)}, "disqualify": {"criterion": "on_principle"},
    "plan_meeting": {"purpose": "call", "starts_at": at("fri 12:00"), "goal": "x"},
    "hold_meeting": {"meeting": 2, "outcome": "closing"}, "move_meeting": {"meeting": 2, "starts_at": at("fri 12:00")},
    "plan_step": {"step": "x", "due_at": at("fri 12:00")},
    "draft_proposal": {"amount": 1, "valid_until": on("next fri")}, "send_proposal": {},
    "promise_proposal": {"ready_on": on("next fri"), "presented": True}, "agree_decision_date": {"on": on("next fri")},
    "open_request": {"kind": "documents"}, "find_stall": {"reason": "no_time"},
    "win": {"contract_number": "1", "amount": 1, "signed_on": on("mon")},
    "log_contact": {"way": "email", "outcome": "continuation", "why": "x"},
}


@pytest.mark.parametrize("command", ASLEEP)
def test_r28_what_sleeps_is_not_worked(command: str) -> None:
    s = lead().interviewing().drafted().meeting().did("sleep", until=on("next mon"), why="x")
    s.when(command, **ASLEEP[command]).refused("asleep")


def test_r28_asleep_it_can_be_noted_called_lost_and_reassigned() -> None:
    s = lead().interviewing().did("sleep", until=on("next mon"), why="x")
    s.did("note", text="звонил").did("log_contact", way="phone").did("reassign", owner="boris", why="отпуск")
    assert set(s.state.dues) == {"wake"}
    s.lost()
    assert s.state.asleep_until is None
    assert s.state.dues == {}


def test_r29_it_wakes_at_its_date_with_its_history() -> None:
    """R29: dated the morning of that day, and the return is due within a working day."""
    s = lead().interviewing().did("sleep", until=on("next mon"), why="x").at("next mon 12:00").passes()
    s.then(e.LeadWoken, e.DeadlineMet, e.DeadlineSet, e.NoticeRaised).stage("interview").due("return", "next tue 18:00", "R29")
    woken = s.one(e.LeadWoken)
    assert (woken.at, woken.recorded_at, woken.actor) == (at("next mon 09:00"), s.now, "hub")
    assert s.state.asleep_until is None
    s.did("log_contact", way="phone").not_due("return").due("next_step")


def test_r29_a_date_on_a_day_off_wakes_on_the_next_working_day() -> None:
    lead().interviewing().did("sleep", until=on("next sat"), why="x").due("wake", "2026-11-30 09:00")


def test_r29_what_was_promised_before_the_sleep_is_due_again() -> None:
    s = lead().interviewing().did("plan_step", step="Бриф", due_at=at("next fri 12:00")).did("open_request", kind="documents")
    s.did("sleep", until=on("next mon"), why="x").at("next mon 09:00").passes().due("request:1", "next wed 18:00").due("return")
    s.did("log_contact", way="phone").due("next_step", "next fri 12:00")


@pytest.mark.parametrize("stage", ["contact", "screening", "scoring", "refusal"])
def test_r29_a_lead_that_slept_early_takes_up_the_clock_of_its_stage(stage: str) -> None:
    s = lead().taken_by()
    if stage != "contact":
        s.captured()
    if stage == "scoring":
        s.screened()
    if stage == "refusal":
        s.did("disqualify", criterion="on_principle")
    s.stage(stage).did("sleep", until=on("next mon"), why="x").at("wed 10:00").did("wake", why="позвонили").stage(stage)
    s.due({"contact": "contact", "screening": "screening", "scoring": "scoring", "refusal": "refusal_letter"}[stage])
    assert not s.passes().state.missed


def test_r29_waking_before_the_date() -> None:
    s = lead().interviewing().when("wake", why="x").refused("not_asleep")
    s.did("sleep", until=on("next mon"), why="x").when("wake", why=" ").refused("say_why", "why")
    s.when("wake", why="позвонили раньше").then(e.LeadWoken, e.DeadlineDropped, e.DeadlineSet).not_due("wake").due("next_step")


def test_r29_the_client_wakes_it_by_writing() -> None:
    s = lead().interviewing().did("sleep", until=on("next mon"), why="x").receives(website())
    s.then(e.MessageReceived, e.LeadWoken, e.NoticeRaised).due("reply").not_due("wake")
    assert s.state.asleep_until is None


def test_r29_a_second_choice_returns_at_80_percent_of_the_competitors_time() -> None:
    today = on("mon")
    s = lead().following_up().lost(closeness="second", competitor_until=today + timedelta(days=100))
    assert s.state.losses[0].return_on == today + timedelta(days=80)
    s.due("wake", f"{today + timedelta(days=80)} 09:00", "R29")
    half = changed(("return_at = 0.8", "return_at = 0.5"))
    t = lead(process=half).following_up().lost(closeness="second", competitor_until=today + timedelta(days=100))
    assert t.state.losses[0].return_on == today + timedelta(days=50)
    early = lead().following_up().lost(closeness="second", competitor_until=today + timedelta(days=1))
    assert early.state.losses[0].return_on == today + timedelta(days=1)
    own = lead().following_up().lost(closeness="second", competitor_until=on("2027-06-01"), return_on=on("2027-02-01"))
    assert own.state.losses[0].return_on == on("2027-02-01")
    assert lead().following_up().lost(competitor_until=on("2027-06-01")).state.losses[0].return_on is None


def test_r29_the_return_date_wakes_the_same_lead_in_the_follow_up() -> None:
    s = lead().interviewing().lost(return_on=on("next mon")).at("next mon 10:00").passes()
    s.then(e.LeadWoken, e.DeadlineMet, e.StageEntered, e.DeadlineSet, e.NoticeRaised)
    s.stage("follow_up").due("return", "next tue 18:00")
    assert s.state.open
    assert len(s.state.losses) == 1
    assert s.one(e.NoticeRaised).to == ("anna",)
    late = lead().interviewing().lost(return_on=on("next mon")).at("2026-12-15 10:00").passes()
    assert ("return", at("next tue 18:00")) in late.state.missed


def test_r29_a_manager_reopens_instead_of_a_new_lead() -> None:
    s = lead().following_up().when("reopen", why="x").refused("not_reopenable")
    s.lost(return_on=on("next mon")).when("reopen", why=" ").refused("say_why", "why")
    s.when("reopen", why="передумали").then(e.DeadlineDropped, e.LeadReopened, e.DeadlineSet).stage("follow_up")
    s.due("next_step", "tue 18:00").not_due("wake").at("next mon 10:00").passes()
    assert s.state.open


def test_r29_a_signed_contract_is_not_reopened() -> None:
    lead().presented().won().when("reopen", why="x").refused("not_reopenable")


def test_r29_a_refused_lead_reopens_where_it_can_be_judged_anew() -> None:
    s = lead().taken_by().captured().screened().scored(-12).by("tim").did("refuse", without_letter="x").by("anna")
    s.did("reopen", why="вырос бюджет").stage("scoring").due("next_step")
    unscreened = lead().taken_by().captured().did("disqualify", criterion="on_principle").did("refuse", without_letter="x")
    unscreened.later(days=2).did("reopen", why="ошибка").stage("screening").due("screening", "wed 10:30")
    spam = lead().taken_by().did("disqualify", criterion="not_a_client").did("reopen", why="не спам")
    spam.stage("contact").due("contact", "mon 10:30")
    assert spam.state.disqualified == ""


def test_r29_a_request_after_an_end_is_a_new_lead_linked_to_the_old_one() -> None:
    assert lead(previous_lead=UUID(int=3)).state.previous_lead == UUID(int=3)


def test_r29_a_message_that_joins_a_lost_lead_is_due_to_be_answered() -> None:
    s = lead().following_up().lost().receives(website()).then(e.MessageReceived, e.DeadlineSet, e.NoticeRaised).due("reply")
    assert s.state.ended == "lost"
    s.did("log_contact", way="phone").not_due("reply")
    assert s.state.dues == {}


def test_r29_on_a_won_lead_it_is_the_account_managers() -> None:
    s = lead().following_up().won().receives(website()).then(e.ClientWroteAgain, e.DeadlineSet).due("reply")
    assert s.one(e.NoticeRaised).to == ("vera",)
    s.did("hand_over", account_manager="olga").receives(call(PHONE)).then(e.ClientWroteAgain)
    assert s.one(e.ClientWroteAgain).account_manager == "olga"
    assert s.one(e.NoticeRaised).to == ("olga",)
    s.happens(lambda lead: lead.request_opened(UUID(int=8))).then_only(e.RequestOpenedByAccount, e.DeadlineMet).not_due("reply")
    assert s.state.opened_requests == (UUID(int=8),)
    lead().happens(lambda lead: lead.request_opened(UUID(int=8))).refused("not_won")


def test_r30_a_signed_contract_hands_the_deal_over() -> None:
    """R28, R30, R33."""
    s = lead().presented()
    good = {"contract_number": "12/26", "amount": Decimal(1_500_000), "signed_on": on("mon")}
    for change, code, field in (({"contract_number": " "}, "say_contract", "contract_number"),
                                ({"amount": Decimal(-1)}, "bad_amount", "amount"),
                                ({"currency": "XXX"}, "bad_currency", "currency"),
                                ({"vat": "x"}, "bad_vat", "vat"), ({"signed_on": on("tue")}, "date_ahead", "signed_on")):
        s.when("win", **{**good, **change}).refused(code, field)
    s.when("win", **good, vat="с НДС").then(e.DeadlineDropped, e.LeadWon, e.DeadlineSet, e.NoticeRaised)
    assert set(s.state.dues) == {"hand_over"}
    s.due("hand_over", "tue 18:00", "R30")
    assert (s.one(e.NoticeRaised).to, s.one(e.NoticeRaised).kind) == (("olga",), "won")
    s.when("hand_over", account_manager="nobody").refused("no_such_person", "account_manager")
    s.when("hand_over", account_manager="olga", note="Любят звонки").then_only(e.HandedOver, e.DeadlineMet, e.NoticeRaised)
    s.when("hand_over", account_manager="olga").refused("same_owner", "account_manager")
    assert s.state.account_manager == "olga"
    assert s.state.visited[-1] == "presentation"


def test_r30_only_what_was_scored_is_won_and_only_what_was_won_is_handed_over() -> None:
    contract = {"contract_number": "1", "amount": Decimal(1), "signed_on": on("mon")}
    s = lead().taken_by().captured().when("win", **contract).refused("no_such_ending")
    s.screened().when("win", **contract).refused("guard_scored")
    s.when("hand_over", account_manager="olga").refused("not_won")


def test_r30_the_account_manager_sees_installed_work_and_records_chances() -> None:
    s = lead().presented().won().did("hand_over", account_manager="olga").by("olga")
    s.when("record_installed", text=" ").refused("say_text", "text")
    s.when("record_installed", text="Сайт 1.0").then_only(e.InstalledWorkRecorded)
    s.when("record_chance", kind="gift", text="x").refused("no_such_chance_kind", "kind")
    s.when("record_chance", kind="upsell", text=" ").refused("say_text", "text")
    s.when("record_chance", kind="upsell", text="x", amount=Decimal(0)).refused("bad_amount", "amount")
    s.did("record_chance", kind="upsell", text="Поддержка", amount=Decimal(90_000))
    s.did("record_chance", kind="cross_sell", text="SEO")
    s.when("close_chance", chance=3, won=True).refused("no_such_chance", "chance")
    s.did("close_chance", chance=1, won=True).when("close_chance", chance=1, won=False).refused("chance_closed", "chance")
    assert [(c.kind, c.status) for c in s.state.chances.values()] == [("upsell", "won"), ("cross_sell", "open")]
    assert s.state.installed == ("Сайт 1.0",)


def test_r30_after_the_contract_only() -> None:
    s = lead().presented().by("olga").when("record_installed", text="x").refused("not_won")
    s.when("record_chance", kind="upsell", text="x").refused("not_won")
    s.when("close_chance", chance=1, won=True).refused("no_such_chance")


def test_r30_late_to_hand_over() -> None:
    s = lead().presented().won().at("wed 09:00").passes()
    assert ("hand_over", at("tue 18:00")) in s.state.missed


def plausible(command: str) -> dict[str, object]:
    """Arguments that a form would send, the fields that must be there filled in."""
    fill = {"str": "x", "datetime": at("next fri 12:00"), "date": on("next fri"), "Decimal": Decimal(1), "bool": True, "int": 1,
            "UUID": person("Иван")}
    found: dict[str, object] = {}
    for field in msgspec.structs.fields(COMMANDS[command].arguments):
        if field.required:
            name = getattr(field.type, "__name__", "")
            found[field.name] = fill.get(name, {} if name == "dict" else ())
    if "route" in found:
        found["route"] = {"way": "email", "account": "email/main", "to": "ivan@example.ru"}
    return found


def ended(how: str) -> Scenario:
    s = lead().presented()
    if how == "merged":
        return s.happens(lambda lead: lead.merge_into(UUID(int=4), "x")).by("vera")
    if how == "refused":
        return s.did("disqualify", criterion="not_a_client").by("vera")
    return (s.won() if how == "won" else s.lost()).by("vera")


@pytest.mark.parametrize("how", ["won", "lost", "refused", "merged"])
def test_r28_nothing_is_done_to_an_ended_or_merged_lead_but_what_belongs_there(how: str) -> None:
    """R28, R6: every command that is not declared for an ended lead is refused on it."""
    s = ended(how)
    closed = [name for name, info in COMMANDS.items() if not info.ended]
    assert len(closed) > 30
    for name in closed:
        s.when(name, **plausible(name)).refused("merged_away" if how == "merged" else "already_ended")
    s.when("log_contact", way="phone", step="x", step_due=at("next fri 12:00"))
    s.refused("merged_away" if how == "merged" else "already_ended")
    s.did("note", text="для памяти")


def test_r29_an_account_manager_who_knows_the_client_is_told_with_somebody_who_may_take() -> None:
    """R29, R34: a new request of a client of ours."""
    s = lead(sender=Sender(person("Иван"), account_manager="olga"))
    offered = s.one(e.LeadOffered)
    assert (offered.to, offered.why) == (("olga", "anna"), "client_of")
    s.by("anna").did("take")

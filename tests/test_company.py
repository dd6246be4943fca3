"""Through the real door: people who leave or may not, two cards at once, clients who come back, a process that changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.application import THE_HUB
from hub.config import PACKAGED_PROCESS
from hub.domain import events as e
from hub.domain.attempt import AttemptRefused
from hub.domain.delivery import Address, Delivery
from hub.domain.errors import NotAllowed
from hub.domain.staff import User, user_stream
from hub.worker import Worker
from tests.house import MONDAY, Department, actor, after, days, form, phone, user

TEXT = PACKAGED_PROCESS.read_text(encoding="utf-8")
STAGE = '[[stages]]\nid = "follow_up"'
PILOT = TEXT.replace(STAGE, f'[[stages]]\nid = "pilot"\ntitle = "Пилот"\n{STAGE}').replace(
    '[[transitions]]\nfrom = "scoring"\nto = "refusal"',
    '[[transitions]]\nfrom = "scoring"\nto = "pilot"\n[[transitions]]\nfrom = "pilot"\nto = "scoring"\n'
    '[[transitions]]\nfrom = "scoring"\nto = "refusal"')


pytestmark = pytest.mark.usefixtures("both_stores")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as house:
        yield house.begin()


def turn(house: Department, minutes: float) -> None:
    """A worker that has just started does a round."""
    house.runner.catch_up()
    Worker(house.hub, house.runner, lambda: MONDAY, lambda at: False).turn(after(minutes=minutes))
    house.runner.catch_up()


def give(house: Department, name: str, act: object) -> None:
    """A change of somebody of ours."""
    house.hub.change(User, user_stream(name), act, actor=THE_HUB, at=MONDAY)  # type: ignore[arg-type]
    house.runner.catch_up()


# ── people (R34) ─────────────────────────────────────────────────────────────────


def test_r34_leads_of_somebody_who_was_disabled_are_offered_to_those_at_work(house: Department) -> None:
    lead = house.screened_lead()
    give(house, "anna", User.disable)
    turn(house, 5)
    state = house.hub.lead(lead)
    assert (state.offered_to, state.offered_why) == ((user("boris"),), "owner_absent")
    house.do(lead, "take", "boris", after(minutes=6))
    assert house.hub.lead(lead).owner == user("boris")


def test_r34_leads_of_somebody_who_works_leads_no_more_are_offered_too(house: Department) -> None:
    lead = house.screened_lead()
    give(house, "anna", lambda u: u.change_roles(("auditor",), house.hub.process))
    turn(house, 5)
    assert house.hub.lead(lead).offered_to == (user("boris"),)


def test_r34_whoever_comes_back_has_the_next_turn_and_then_it_goes_round(house: Department) -> None:
    house.absent("anna", MONDAY, MONDAY)
    house.runner.catch_up()
    assert {house.hub.lead(house.new_lead()).offered_to for _ in range(3)} == {(user("boris"),)}
    give(house, "anna", lambda u: u.withdraw_absence(MONDAY.date()))
    turns = [house.hub.lead(house.new_lead()).offered_to[0] for _ in range(4)]
    assert turns == [user("anna"), user("boris"), user("anna"), user("boris")]


def test_r34_with_nobody_at_work_a_lead_is_the_heads(house: Department) -> None:
    for name in ("anna", "boris"):
        house.absent(name, MONDAY, MONDAY)
    house.runner.catch_up()
    assert house.hub.lead(house.new_lead()).offered_to == (user("vera"),)


def test_r30_a_manager_who_may_not_account_is_no_account_manager_by_this_door_either(house: Department) -> None:
    lead = house.screened_lead()
    house.score(lead, 3)
    house.do(lead, "win", contract_number="1", amount="100", signed_on="2026-11-16")
    with pytest.raises(Exception, match="may not do this"):
        house.do(lead, "hand_over", "vera", account_manager=user("audra"))
    house.do(lead, "hand_over", "vera", account_manager=user("olga"))


# ── two cards (R6) ───────────────────────────────────────────────────────────────


def test_r6_what_was_missed_before_a_merge_is_recorded_although_no_worker_ran(house: Department) -> None:
    survivor, other = house.new_lead(), house.new_lead()
    house.hub.merge(survivor, other, "один человек", actor=actor("anna"), at=after(hours=1))
    for lead in (survivor, other):
        assert house.topics(lead).count("lead.deadline_missed") == 2


def test_r12_a_trainee_takes_nobodys_lead_by_merging_it(house: Department) -> None:
    mine, theirs = house.new_lead(), house.screened_lead(who="boris")
    house.do(mine, "reassign", "anna", owner=user("tim"), why="учится")
    stored = house.hub.version(theirs)
    with pytest.raises(NotAllowed) as refusal:
        house.hub.merge(mine, theirs, "x", actor=actor("tim"), at=MONDAY)
    assert refusal.value.code == "not_your_segment"
    assert house.hub.version(theirs) == stored


def test_r32_a_card_that_somebody_may_not_open_by_hand_is_kept_as_an_attempt(house: Department) -> None:
    with pytest.raises(NotAllowed):
        house.hub.open_by_hand(form(phone(1)), actor=actor("audra"), at=MONDAY)
    attempts = [event for _, event in house.store.log(0, 10_000) if isinstance(event, AttemptRefused)]
    assert [(a.actor, a.command, a.code) for a in attempts] == [(user("audra"), "open_by_hand", "not_your_role")]


# ── who is it (R6, R29) ──────────────────────────────────────────────────────────


def test_r6_another_name_on_a_known_phone_stays_with_its_message(house: Department) -> None:
    """Two people share the office's phone: the second one's name is not lost."""
    shared = Address("phone", "+74951234567", "8 495 123-45-67")
    lead = house.new_lead(form(shared))
    second = Delivery(channel="phone", source="by_hand", name="Пётр", company="Ромашка", addresses=(shared,))
    assert house.hub.open_by_hand(second, actor=actor("anna"), at=after(minutes=1)).lead == lead
    assert house.message(lead, 2).fields == (("name", "Пётр"),)
    assert house.hub.lead(lead).person.name == "Иван"


def test_r29_a_client_of_ours_who_comes_back_after_a_lost_request_is_told_to_their_account_manager(house: Department) -> None:
    address = phone(77)
    won = house.screened_lead(address)
    house.score(won, 3)
    house.do(won, "win", contract_number="1", amount="100", signed_on="2026-11-16")
    house.do(won, "hand_over", "vera", account_manager=user("olga"))
    house.runner.catch_up()
    second = house.hub.open_request(won, "ещё сайт", actor=actor("olga"), at=after(minutes=5)).lead
    house.do(second, "take", "boris", after(minutes=6))
    house.do(second, "lose", "boris", after(minutes=7), reason="price", closeness="considered")
    third = house.new_lead(form(address), after(minutes=9))
    state = house.hub.lead(third)
    assert state.previous_lead == second
    assert state.offered_why == "client_of"
    assert user("olga") in state.offered_to


def test_r29_an_account_manager_who_left_is_not_waited_for(house: Department) -> None:
    address = phone(78)
    won = house.screened_lead(address)
    house.score(won, 3)
    house.do(won, "win", contract_number="1", amount="100", signed_on="2026-11-16")
    house.do(won, "hand_over", "vera", account_manager=user("olga"))
    give(house, "olga", User.disable)
    assert house.new_lead(form(address), after(minutes=9)) == won
    told = [event for event in house.hub.history(won) if isinstance(event, e.NoticeRaised) and event.kind == "written"]
    assert told[-1].to == (user("vera"),)


# ── the process changes (R0) ─────────────────────────────────────────────────────


def test_r0_the_worker_brings_leads_out_of_a_stage_that_was_removed(tmp_path: Path) -> None:
    with Department(tmp_path) as house:
        house.begin(process=PILOT)
        lead, elsewhere = house.screened_lead(), house.screened_lead()
        house.do(lead, "move", to="pilot")
        house.hub.publish_process(TEXT, *days(), actor=THE_HUB, at=after(minutes=1))
        turn(house, 2)
        state = house.hub.lead(lead)
        assert state.stage == "scoring"
        last = [event for event in house.hub.history(lead) if isinstance(event, e.StageEntered)][-1]
        assert (last.why, last.process_version, last.actor) == ("R0", 2, "hub")
        stored = house.store.count()
        turn(house, 3)
        assert house.store.count() == stored, "once"
        assert house.hub.lead(elsewhere).stage == "scoring"

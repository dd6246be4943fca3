"""R6: one person, one open card; two cards are merged, a wrong merge is split, and nothing of either is lost."""

from __future__ import annotations

from uuid import UUID

from hub.domain import events as e
from hub.domain.lead import Sender
from hub.domain.state import LeadState
from tests.domain.scenario import EMAIL, PHONE, Scenario, call, lead, on, person, website

OTHER = UUID(int=77)


def test_r6_a_second_delivery_joins_the_timeline_and_is_due_to_be_answered() -> None:
    s = lead().taken_by().receives(call(PHONE), sender=Sender(person("Иван"), tied_by="phone"))
    s.then(e.AddressAdded, e.MessageReceived, e.DeadlineSet, e.NoticeRaised)
    s.without(e.LeadReceived).due("reply", "mon 11:00", "R6")
    assert s.one(e.MessageReceived).tied_by == "phone"
    assert s.one(e.NoticeRaised).to == ("anna",)
    assert [m.channel for m in s.state.messages] == ["website", "phone"]
    assert s.state.channel == "website"
    s.did("log_contact", way="phone").not_due("reply")


def test_r6_what_is_known_already_is_not_recorded_again() -> None:
    s = lead(website(EMAIL)).receives(website(EMAIL))
    s.without(e.AddressAdded, e.PersonAdded, e.PersonNamed).then(e.MessageReceived)


def test_r6_an_untaken_lead_that_is_written_to_again_tells_those_it_is_offered_to() -> None:
    s = lead().receives(website()).without(e.DeadlineSet)
    assert s.one(e.NoticeRaised).to == ("anna",)


def test_r6_a_colleague_of_the_client_is_another_person_of_the_same_card() -> None:
    s = lead().receives(website(PHONE), who="Пётр").then(e.PersonAdded, e.AddressAdded)
    assert s.state.main_person == person("Иван")
    assert len(s.state.people) == 2
    assert s.state.address("phone") == PHONE.value


def absorb(survivor: Scenario, other: LeadState, id: UUID = OTHER, why: str = "один клиент") -> Scenario:
    return survivor.happens(lambda lead: lead.absorb(id, other, why))


def test_r6_two_cards_are_merged_and_the_clocks_of_the_second_stop() -> None:
    survivor, other = lead().taken_by(), lead(call())
    absorb(survivor, other.state).then_only(e.LeadAbsorbed)
    assert survivor.state.absorbed == (OTHER,)
    other.happens(lambda lead: lead.merge_into(survivor.id, "один клиент")).then(e.LeadMergedInto, e.DeadlineDropped)
    assert other.state.dues == {}
    assert not other.state.open
    assert len(other.state.messages) == 1
    other.at("next mon 10:00").passes().then_only()
    other.when("take").refused("merged_away")
    other.did("note", text="писал ещё раз")


def test_r6_a_message_that_still_reaches_the_merged_card_is_kept_and_starts_no_clock() -> None:
    other = lead().taken_by().happens(lambda lead: lead.merge_into(OTHER, "")).receives(website())
    assert len(other.state.messages) == 2
    assert other.state.dues == {}


def test_r6_refusals_of_a_merge() -> None:
    survivor, other = lead(), lead(call())
    absorb(survivor, other.state, survivor.id).refused("merge_with_itself")
    absorb(survivor, LeadState()).refused("merge_unknown")
    merged = lead(call()).happens(lambda lead: lead.merge_into(OTHER, ""))
    absorb(survivor, merged.state).refused("already_merged")
    absorb(merged, other.state).refused("already_merged")
    lost = lead().taken_by().lost()
    absorb(survivor, lost.state).refused("merge_ended")
    absorb(lost, other.state).refused("already_ended")


def test_r6_a_wrong_merge_is_split_and_the_clocks_start_anew() -> None:
    survivor, other = lead(), lead(call())
    absorb(survivor, other.state)
    other.happens(lambda lead: lead.merge_into(survivor.id, "")).at("tue 12:00")
    survivor.happens(lambda lead: lead.release(UUID(int=5), "ошибка")).refused("not_merged_here")
    survivor.happens(lambda lead: lead.release(OTHER, " ")).refused("say_why")
    survivor.happens(lambda lead: lead.release(OTHER, "разные люди")).then_only(e.LeadReleased)
    assert survivor.state.absorbed == ()
    other.happens(lambda lead: lead.split_off("разные люди")).then(e.LeadSplitOff, e.DeadlineSet)
    other.due("take", "tue 12:15").due("contact", "tue 12:30")
    other.happens(lambda lead: lead.split_off("ещё раз")).refused("not_merged")


def test_r6_a_split_card_takes_up_what_stood_still() -> None:
    """R6: its meeting, its open request and its step are due again; what stood still was nobody's fault."""
    other = lead().proposing().meeting("meeting", hours=50).did("open_request", kind="documents")
    kept = other.deadline("outcome:2").due_at
    other.happens(lambda lead: lead.merge_into(OTHER, "")).later(hours=24)
    other.happens(lambda lead: lead.split_off("ошибка"))
    assert other.deadline("outcome:2").due_at == kept
    other.due("request:1")
    assert not other.state.missed


def test_r6_a_card_that_slept_goes_on_sleeping_after_a_wrong_merge() -> None:
    other = lead().preparing().did("sleep", until=on("2026-12-07"), why="после отпуска")
    other.happens(lambda lead: lead.merge_into(OTHER, "")).happens(lambda lead: lead.split_off("ошибка"))
    other.due("wake", "2026-12-07 09:00")
    assert set(other.state.dues) == {"wake"}

"""R6: one person, one open card; two cards are merged, a wrong merge is split, and nothing of either is lost."""

from __future__ import annotations

from uuid import UUID

from hub.domain import events as e
from hub.domain.lead import Lead, Sender
from hub.domain.state import LeadState, Person
from tests.domain.scenario import EMAIL, PHONE, STAFF, Scenario, at, call, lead, on, person, process, website

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
    absorb(survivor, other.state).then(e.LeadAbsorbed, e.AddressAdded)
    assert survivor.state.absorbed == (OTHER,)
    assert survivor.state.address("phone") == PHONE.value
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
    released(survivor, "ошибка", UUID(int=5)).refused("not_merged_here")
    released(survivor, " ").refused("say_why")
    released(survivor).then_only(e.LeadReleased)
    assert survivor.state.absorbed == ()
    other.happens(lambda lead: lead.split_off("разные люди")).then(e.LeadSplitOff, e.DeadlineSet)
    other.due("take", "tue 12:15").due("contact", "tue 12:30")
    other.happens(lambda lead: lead.split_off("ещё раз")).refused("not_merged")


def released(survivor: Scenario, why: str = "разные люди", other: UUID = OTHER) -> Scenario:
    """The wrong merge is split on the side of the survivor."""
    def act(lead: Lead) -> None:
        lead.release(other, why)
    return survivor.happens(act)


def stranger() -> Scenario:
    """Another person's card with a meeting ahead and an open request."""
    other = Scenario(process=process(), staff=STAFF, now=at("mon 10:00"))
    other.receives(call(), sender=Sender(person("Пётр"))).taken_by()
    other.did("plan_meeting", purpose="call", starts_at=at("tue 12:00"), goal="Обсудить смету")
    return other.did("open_request", kind="documents", text="Прислать устав", due_at=at("wed 12:00"))


def test_r6_the_work_of_the_merged_card_goes_on_in_the_other_and_goes_back_with_it() -> None:
    survivor, other = lead().taken_by(), stranger()
    absorb(survivor, other.state).then(e.LeadAbsorbed, e.PersonAdded, e.AddressAdded, e.MeetingPlanned, e.RequestOpened)
    assert survivor.one(e.MeetingPlanned).merged_from == OTHER
    assert survivor.state.people[person("Пётр")].first("phone") == PHONE.value
    assert [m.starts_at for m in survivor.state.planned_meetings] == [at("tue 12:00")]
    survivor.due("request:1", "wed 12:00", "R23").due("outcome:1", "tue 14:00", "R26")
    released(survivor).then(e.LeadReleased, e.PersonLeft, e.MeetingCancelled, e.RequestClosed)
    assert set(survivor.state.people) == {person("Иван")}
    assert survivor.state.planned_meetings == []
    assert survivor.state.requests[1].status == "given_up"
    survivor.not_due("request:1").not_due("outcome:1")


def test_r6_what_the_person_told_meanwhile_goes_back_with_them() -> None:
    survivor, other = lead().taken_by(), stranger()
    absorb(survivor, other.state)
    other.happens(lambda lead: lead.merge_into(survivor.id, ""))
    survivor.did("add_address", kind="email", value="pyotr@example.ru", person=person("Пётр"))
    back: list[Person] = []

    def act(lead: Lead) -> None:
        back.extend(lead.release(OTHER, "разные люди"))
    survivor.happens(act)
    other.happens(lambda lead: lead.split_off("разные люди", tuple(back)))
    assert other.state.people[person("Пётр")].first("email") == "pyotr@example.ru"
    assert "pyotr@example.ru" not in {a.value for p in survivor.state.people.values() for a in p.addresses}


def test_r6_an_untaken_card_gets_the_one_who_works_the_merged_one_and_the_answer_that_is_owed() -> None:
    survivor, other = lead(), stranger().receives(call(), sender=Sender(person("Пётр"), tied_by="phone"))
    owed = other.deadline("reply").due_at
    absorb(survivor, other.state)
    assert survivor.state.owner == "anna"
    assert survivor.deadline("reply").due_at == owed
    survivor.not_due("take")


def test_r6_cards_that_only_look_alike_are_told_apart_for_good() -> None:
    one, other = lead(), stranger()
    one.happens(lambda lead: lead.tell_apart(OTHER, other.state, "тёзки")).then_only(e.LeadsToldApart)
    assert one.state.apart == (OTHER,)
    one.happens(lambda lead: lead.tell_apart(OTHER, other.state, "")).refused("apart_already")
    one.happens(lambda lead: lead.tell_apart(lead.id, other.state, "")).refused("apart_from_itself")
    one.happens(lambda lead: lead.tell_apart(UUID(int=3), LeadState(), "")).refused("merge_unknown")
    merged = lead(call()).happens(lambda lead: lead.merge_into(OTHER, ""))
    merged.happens(lambda lead: lead.tell_apart(UUID(int=3), other.state, "")).refused("apart_merged")
    absorb(one, other.state).then(e.LeadAbsorbed)  # who told them apart may change their mind


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


def test_r6_r34_an_answer_that_is_late_is_told_to_the_head_as_well() -> None:
    s = lead().taken_by().receives(call(PHONE), sender=Sender(person("Иван"), tied_by="phone")).later(minutes=61).passes()
    late = [told for told in s.new if isinstance(told, e.NoticeRaised) and (told.kind, told.key) == ("late", "reply")]
    assert [set(told.to) for told in late] == [{"anna", "vera"}]

"""R1–R4, R7: how a request arrives, who takes it by when, and contact capture."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from hub.domain import events as e
from hub.domain.delivery import Consent
from tests.domain.scenario import EMAIL, PHONE, at, call, changed, lead, moscow, person, website


@pytest.mark.parametrize("channel", ["phone", "social", "email", "website"])
def test_r1_a_delivery_of_any_channel_becomes_a_card_by_itself(channel: str) -> None:
    s = lead(replace(website(), channel=channel)).then(e.LeadReceived, e.StageEntered, e.MessageReceived)
    s.stage("new")
    assert (s.state.channel, s.state.messages[0].channel, s.state.person.name) == (channel, channel, "Иван")
    assert s.state.messages[0].text == s.one(e.MessageReceived).text


def test_r1_a_manager_opens_a_card_by_hand() -> None:
    assert lead(by_hand=True).one(e.LeadReceived).by_hand


def test_r1_what_was_sent_is_kept_word_for_word() -> None:
    s = lead(website(fields=(("Ваш цвет", "синий"),), attribution=(("utm_source", "ya"),), company="ООО «Ромашка»",
                     consent=Consent("2", "ab" * 32, True, "10.0.0.1", "/form")))
    assert s.one(e.MessageReceived).fields == (("Ваш цвет", "синий"),)
    assert s.one(e.ConsentGiven).version == "2"
    assert s.state.company == "ООО «Ромашка»"
    assert s.state.attribution == (("utm_source", "ya"),)


def test_r2_a_lead_is_due_to_be_taken_in_15_minutes_and_is_taken_in_time() -> None:
    s = lead().due("take", "mon 10:15", "R2").at("mon 10:14").by("anna").when("take").then(e.LeadTaken, e.DeadlineMet)
    assert not s.all(e.DeadlineMet)[0].late
    s.not_due("take")
    assert (s.state.owner, s.state.taken_at) == ("anna", at("mon 10:14"))


def test_r2_late_is_recorded_when_it_became_true_and_the_head_is_told() -> None:
    s = lead().at("mon 11:00").passes().then(e.DeadlineMissed, e.NoticeRaised)
    missed = s.all(e.DeadlineMissed)[0]
    assert (missed.key, missed.at, missed.recorded_at, missed.actor) == ("take", at("mon 10:15"), at("mon 11:00"), "hub")
    late = [n for n in s.all(e.NoticeRaised) if n.kind == "late" and n.key == "take"]
    assert "vera" in late[0].to
    s.by("anna").when("take")
    assert [m.late for m in s.all(e.DeadlineMet) if m.key == "take"] == [True]
    assert ("take", at("mon 10:15")) in s.state.missed


def test_r2_exactly_at_its_time_a_deadline_is_missed_once() -> None:
    s = lead().at("mon 10:15").passes()
    assert len(s.all(e.DeadlineMissed)) == 1
    s.at("mon 10:16").passes()
    assert len(s.all(e.DeadlineMissed)) == 1


def test_r2_a_taken_lead_is_taken() -> None:
    s = lead().taken_by("anna").when("take").refused("already_yours")
    s.by("boris").when("take").refused("taken_by_other")


def test_r2_work_begins_with_taking() -> None:
    s = lead().when("capture_contact", phone="+79123456789").refused("guard_taken")
    s.when("log_attempt").refused("guard_taken")
    s.when("move", to="contact").refused("guard_taken")


@pytest.mark.parametrize(("received", "take", "contact"), [
    ("fri 17:55", "next mon 09:10", "next mon 09:25"),
    ("mon 03:00", "mon 09:15", "mon 09:30"),
    ("sat 12:00", "next mon 09:15", "next mon 09:30"),
    ("fri 17:30", "fri 17:45", "fri 18:00"),
    ("2026-11-03 17:55", "2026-11-05 09:10", "2026-11-05 09:25"),  # 4 November is a public holiday
])
def test_r7_minutes_run_on_the_working_calendar(received: str, take: str, contact: str) -> None:
    """R7, R2, R4: Friday 17:55 is due on Monday 09:10."""
    lead(received=received).due("take", take, "R2").due("contact", contact, "R4")


def test_r7_the_file_can_put_a_deadline_on_the_plain_clock() -> None:
    plain = changed(('minutes = 15\nclock = "working"\nrule = "R2"', 'minutes = 15\nclock = "plain"\nrule = "R2"'))
    lead(received="fri 17:55", process=plain).due("take", "fri 18:10").due("contact", "next mon 09:25")


def test_r7_days_off_and_working_days_of_ones_own_win_over_the_countrys() -> None:
    worked = changed(("working_days = []  ", 'working_days = ["2026-11-04"]  '))
    lead(received="2026-11-03 17:55", process=worked).due("take", "2026-11-04 09:10")
    off = changed(("days_off = []  ", 'days_off = ["2026-11-17"]  '))
    lead(received="mon 17:55", process=off).due("take", "wed 09:10")


def test_r7_the_file_can_change_the_hours() -> None:
    lunch = changed(("lunch = []  ", 'lunch = ["13:00", "14:00"]  '))
    lead(received="mon 12:50", process=lunch).due("take", "mon 14:05")


def test_r3_a_call_goes_straight_to_screening_which_is_the_first_contact() -> None:
    """R3, R4."""
    s = lead(call()).at("mon 10:05").by("anna").when("take").then(e.LeadTaken, e.StageEntered).stage("screening")
    s.due("contact", "mon 10:30").due("screening", "mon 10:30", "R4")
    s.at("mon 10:20").when("finish_screening", criteria_checked=True).then(e.ScreeningFinished, e.DeadlineMet, e.DeadlineMet)
    s.not_due("contact", "screening")


def test_r3_a_call_with_a_hidden_number_starts_with_contact_capture() -> None:
    s = lead(call(EMAIL)).taken_by().stage("contact").captured()
    s.due("contact", "mon 10:30")  # for a call the first contact is the screening itself (R4)


def test_r3_other_channels_start_with_contact_capture() -> None:
    s = lead().taken_by().stage("contact").when("capture_contact", phone="8 912 345-67-89").stage("contact")
    s.due("contact", "mon 10:30")
    s.at("mon 10:20").when("capture_contact", timezone="Asia/Yekaterinburg")
    s.then(e.TimezoneLearned, e.DeadlineMet, e.StageEntered)
    s.stage("screening").not_due("contact")
    assert s.state.person.first("phone") == "+79123456789"
    assert s.state.person.timezone == "Asia/Yekaterinburg"


def test_r3_what_the_delivery_told_is_not_asked_again() -> None:
    """R3: phone and time zone of the form are taken from it; the call is due when the first contact is."""
    s = lead(website(PHONE, timezone="Europe/Moscow", convenient_time="после обеда"))
    assert s.state.person.call_words == "после обеда"
    s.at("mon 10:05").taken_by().stage("screening").not_due("contact").due("screening", "mon 10:30")


def test_r3_a_second_delivery_may_tell_the_rest() -> None:
    s = lead().taken_by().stage("contact").receives(website(PHONE, timezone="Europe/Moscow"))
    s.then(e.AddressAdded, e.TimezoneLearned, e.MessageReceived, e.StageEntered).stage("screening")


@pytest.mark.parametrize(("command", "fields"), [
    ("add_address", {"kind": "phone", "value": "+79123456789"}),
    ("add_person", {"name": "Пётр", "phone": "+79123456780"}),
])
def test_r3_a_phone_that_becomes_known_by_any_command_ends_the_capture(command: str, fields: dict[str, str]) -> None:
    lead(website(timezone="Europe/Moscow")).taken_by().stage("contact").when(command, **fields).stage("screening")


def test_r3_a_time_zone_that_is_corrected_ends_the_capture() -> None:
    s = lead(website(PHONE)).taken_by().stage("contact")
    s.when("edit_person", person=person("Иван"), timezone="Europe/Samara").stage("screening")


@pytest.mark.parametrize(("fields", "code", "field"), [
    ({}, "nothing_captured", "phone"),
    ({"phone": "12"}, "bad_phone", "phone"),
    ({"timezone": "Mars/Base"}, "bad_timezone", "timezone"),
    ({"name": "Пётр", "timezone": "Mars/Base"}, "bad_timezone", "timezone"),
    ({"phone": "+79123456789", "call_at": at("mon 09:00")}, "time_has_passed", "call_at"),
    ({"person": person("никто"), "name": "А"}, "no_such_contact", "person"),
])
def test_r3_refusals_of_contact_capture(fields: dict[str, object], code: str, field: str) -> None:
    lead().taken_by().when("capture_contact", **fields).refused(code, field)


@pytest.mark.parametrize(("fields", "code"), [
    ({"kind": "email", "value": "ivan"}, "bad_email"), ({"kind": "telegram", "value": " "}, "bad_address"),
    ({"kind": "pigeon", "value": "x"}, "no_such_address_kind"),
])
def test_r3_refusals_of_an_address(fields: dict[str, str], code: str) -> None:
    lead().taken_by().when("add_address", **fields).refused(code)


def test_r3_an_address_that_serves_no_more_is_retired() -> None:
    s = lead(website(PHONE)).taken_by().when("retire_address", kind="phone", value="+7000", why="x").refused("no_such_address")
    s.when("retire_address", kind="phone", value=PHONE.value, why=" ").refused("say_why")
    s.when("retire_address", kind="phone", value=PHONE.value, why="не его").then_only(e.AddressRetired)
    assert s.state.address("phone") == ""
    s.did("capture_contact", timezone="Europe/Moscow").stage("contact")
    s.when("move", to="screening").refused("guard_phone_known")


def test_r3_without_the_time_zone_there_is_no_screening() -> None:
    lead(website(PHONE)).taken_by().when("move", to="screening").refused("guard_timezone_known")


def test_r4_first_contact_is_due_in_30_minutes_and_late_is_told() -> None:
    s = lead().due("contact", "mon 10:30", "R4").taken_by().at("mon 10:31").passes()
    assert [(m.key, m.at) for m in s.all(e.DeadlineMissed)] == [("contact", at("mon 10:30"))]
    assert "vera" in [n for n in s.all(e.NoticeRaised) if n.kind == "late"][-1].to
    s.captured()
    assert [m.late for m in s.all(e.DeadlineMet) if m.key == "contact"] == [True]


def test_r4_the_screening_is_due_at_the_agreed_time() -> None:
    s = lead().taken_by().captured(call_at=at("tue 15:00")).due("screening", "tue 15:00", "R4")
    s.when("capture_contact", call_at=at("wed 12:00")).due("screening", "wed 12:00")


def test_r4_without_an_agreed_time_the_screening_is_due_at_once() -> None:
    s = lead().taken_by().at("mon 12:00").captured().due("screening", "mon 12:00")
    lead().taken_by().at("mon 20:00").captured().due("screening", "tue 09:00")
    assert s.state.dues["screening"].rule == "R4"


def test_r4_the_time_agreed_with_another_person_moves_no_screening() -> None:
    s = lead().taken_by().captured(call_at=at("tue 15:00")).did("add_person", name="Пётр", phone="+79123456780")
    other = next(p for p in s.state.people.values() if p.name == "Пётр")
    s.when("capture_contact", person=other.id, call_at=at("wed 10:00")).due("screening", "tue 15:00")


def test_r4_after_the_screening_an_agreed_call_is_due_as_a_call_back() -> None:
    s = lead().taken_by().captured().screened().when("capture_contact", call_at=at("tue 15:00"))
    s.then(e.CallTimeAgreed, e.DeadlineSet).due("call_back", "tue 15:00", "R3")
    s.at("tue 15:00").did("log_contact", way="phone").not_due("call_back")


def test_r4_a_form_that_names_a_convenient_time_does_not_undo_the_agreed_one() -> None:
    s = lead().taken_by().captured(call_at=at("tue 15:00")).receives(website(convenient_time="вечером"))
    assert s.state.person.call_at == at("tue 15:00")
    assert s.state.person.call_words == "вечером"


def test_r4_both_goals_of_the_screening_are_kept() -> None:
    """R4: a meeting, or at least a talk that goes on in a messenger."""
    s = lead().taken_by().captured()
    s.when("finish_screening", criteria_checked=True, progress="coffee").refused("no_such_progress", "progress")
    s.when("finish_screening", criteria_checked=True, progress="messenger", note="tg").then(e.ScreeningFinished)
    assert s.one(e.ScreeningFinished).progress == "messenger"


def test_r5_the_four_parts_of_the_talk_are_a_checklist_with_notes() -> None:
    s = lead().taken_by().captured()
    parts = [i.id for i in s.process.checklists["screening"].items]
    assert parts == ["introductions", "client", "pains", "help"]
    for part in parts:
        s.when("check_item", checklist="screening", item=part, note=f"о {part}").then_only(e.ChecklistItemDone)
    assert s.state.checks["screening.pains"].note == "о pains"
    s.when("check_item", checklist="screening", item="pains").then_only()
    s.when("check_item", checklist="screening", item="pains", done=False).then_only(e.ChecklistItemReopened)
    assert s.state.checks["screening.pains"].done is False
    s.when("check_item", checklist="screening", item="weather").refused("no_such_item", "item")
    s.when("check_item", checklist="zodiac", item="x").refused("no_such_checklist", "checklist")


def test_r2_facts_that_became_true_are_recorded_in_the_order_of_time() -> None:
    s = lead().later(days=3).passes()
    times = [ev.at for ev in s.new]
    assert times == sorted(times)
    assert all(ev.recorded_at == s.now for ev in s.new)
    assert s.now - s.new[0].at > timedelta(days=2), moscow(s.new[0].at)

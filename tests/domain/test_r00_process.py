"""R0: the process is data, each version is recorded with its content, and every decision carries its version."""

from __future__ import annotations

from datetime import date
from uuid import uuid5

import pytest

from hub.domain import events as e
from hub.domain.aggregate import Actor, Stamp
from hub.domain.process import DEADLINES, GUARDS
from hub.domain.process_check import BadProcess, read_process
from hub.domain.publication import PROCESS_STREAM, ProcessPublished, Publication, process_of
from tests.domain.scenario import TEXT, at, changed, lead, marks, moscow, process, website


def publication(step: str = "1") -> Publication:
    return Publication(PROCESS_STREAM, Stamp(Actor("hub"), at("mon 09:00"), uuid5(PROCESS_STREAM, step)))


def test_r0_a_version_in_force_is_an_event_with_its_whole_content() -> None:
    stream = publication()
    assert stream.publish(TEXT, (date(2026, 11, 4),), (date(2026, 12, 26),))
    event = stream.events[0]
    assert isinstance(event, ProcessPublished)
    assert (event.number, event.text) == (1, TEXT)
    old = process_of(event)
    assert (old.version, old.file) == (1, process().file)
    assert not old.calendar.is_working_day(date(2026, 11, 4))
    assert old.calendar.is_working_day(date(2026, 12, 26))


def test_r0_the_same_content_is_published_once_and_other_days_off_are_other_content() -> None:
    stream = publication()
    assert stream.publish(TEXT, (), ())
    assert not stream.publish(TEXT, (), ())
    assert stream.publish(TEXT, (date(2026, 11, 4),), ())
    assert stream.publish(TEXT, (), (date(2026, 11, 4),))
    assert [ev.number for ev in stream.events if isinstance(ev, ProcessPublished)] == [1, 2, 3]


def test_r0_a_version_of_the_past_is_read_even_where_todays_check_would_refuse_it() -> None:
    old = TEXT.replace("from = 10", "from = 11")
    with pytest.raises(BadProcess):
        read_process(old)
    event = ProcessPublished(originator_id=PROCESS_STREAM, originator_version=1, event_id=uuid5(PROCESS_STREAM, "old"),
                             actor="hub", at=at("mon 09:00"), correlation_id=PROCESS_STREAM, number=1, text=old, digest="")
    assert process_of(event).segments["A"].low == 11


def test_r0_a_faulty_file_is_not_published() -> None:
    stream = publication()
    with pytest.raises(BadProcess, match=r"line \d+"):
        stream.publish(TEXT.replace('id = "take"', 'id = "grab"'), (), ())
    assert stream.events == []


def test_r0_every_decision_carries_the_version_it_was_taken_under() -> None:
    s = lead().taken_by().captured().screened().scored(3)
    assert {ev.process_version for ev in s.story} == {7}
    assert s.state.score is not None
    assert s.state.score.process_version == 7


def test_r0_a_new_version_changes_no_deadline_that_was_given_and_no_sheet() -> None:
    """R0: an old deal replays under the rules of its day."""
    shorter = changed(("minutes = 15\nclock = \"working\"\nrule = \"R2\"", "minutes = 5\nclock = \"working\"\nrule = \"R2\""),
                      ("from = 10\nto = 15", "from = 12\nto = 15"), ("from = -9\nto = 9", "from = -9\nto = 11"))
    s = lead().under(shorter)
    s.due("take", "mon 10:15")
    s.under(process()).taken_by().captured().screened().scored(10)
    s.under(shorter).passes()
    assert s.state.segment == "A"
    s.when("score", marks=marks(10)).then(e.LeadScored)
    assert [(sheet.segment, sheet.process_version) for sheet in s.state.sheets] == [("A", 7), ("B", 8)]


def test_r0_a_transition_that_the_file_does_not_name_is_refused_with_those_that_it_does() -> None:
    s = lead().taken_by().captured().when("move", to="proposal")
    assert s.refusal is not None
    assert "«Скоринг»" in s.refusal.say("ru")
    s.refused("no_such_move", "to").stage("screening")
    s.when("move", to="moon").refused("no_such_stage", "to")


def test_r0_a_person_moves_a_card_with_a_reason_and_back() -> None:
    s = lead().taken_by().captured().when("move", to="contact", why="не тот номер").then(e.StageEntered)
    assert s.one(e.StageEntered).reason == "не тот номер"
    assert s.one(e.StageEntered).actor == "anna"
    s.stage("contact").when("move", to="screening").then(e.StageEntered).due("screening")


def test_r0_a_stage_of_ones_own_is_a_line_of_the_file() -> None:
    own = changed(('[[stages]]\nid = "follow_up"', '[[stages]]\nid = "pilot"\ntitle = "Пилот"\n[[stages]]\nid = "follow_up"'),
                  ('[[transitions]]\nfrom = "presentation"\nto = "proposal"',
                   '[[transitions]]\nfrom = "presentation"\nto = "pilot"\n'
                   '[[transitions]]\nfrom = "pilot"\nto = "follow_up"\n'
                   '[[transitions]]\nfrom = "presentation"\nto = "proposal"'))
    lead(process=own).presented().when("move", to="pilot").then(e.StageEntered).stage("pilot").not_due("decision").due("ping")


def test_r0_the_delivered_file_names_every_deadline_that_rules_set_and_only_known_guards() -> None:
    assert set(DEADLINES) <= set(process().deadlines)
    assert {g for t in process().file.transitions for g in t.requires} <= set(GUARDS)
    assert read_process(TEXT).name == "Входящие заявки"


def test_r0_titles_are_read_in_both_languages_and_russian_where_no_other_is_written() -> None:
    stage = process().stages["follow_up"]
    assert (stage.name("ru"), stage.name("en")) == ("Дожим", "Follow-up")
    assert process().stalls["postponed"].play[0].name("en") == "Выяснить причины и сроки"
    parameter = process().parameters["budget"]
    assert [parameter.meaning(m) for m in (-1, 0, 1)] == [parameter.minus, parameter.zero, parameter.plus]


@pytest.mark.parametrize(("day", "now", "due"), [("fri", "mon 10:00", "fri 18:00"), ("mon", "mon 10:00", "mon 18:00"),
                                                 ("mon", "mon 19:00", "tue 00:00")])
def test_r0_a_promise_for_a_day_is_due_when_that_day_closes_or_ends(day: str, now: str, due: str) -> None:
    assert moscow(process().promised_by(process().date_of(at(f"{day} 12:00")), at(now))) == moscow(at(due))


def test_r0_test_leads_are_marked() -> None:
    assert lead(website(test=True)).state.test

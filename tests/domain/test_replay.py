"""A lead's past: moments, the event behind each value, differences, and what another process would have decided (R0)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from hub.domain import events as e
from hub.domain.event import Event
from hub.domain.lead import Lead
from hub.domain.process import Process, Segment
from hub.domain.publication import ProcessPublished, process_of
from hub.domain.replay import difference, known_at, origins, values, version_at
from hub.domain.what_if import what_if
from hub.domain.why import rule_of, why
from tests.projections.history import history


def leads() -> Iterator[list[Event]]:
    found: dict[Any, list[Event]] = {}
    for event in history():
        if event.TOPIC.startswith("lead."):
            found.setdefault(event.originator_id, []).append(event)
    return iter(found.values())


def the_process() -> Process:
    return process_of(next(event for event in history() if isinstance(event, ProcessPublished)))


def deal() -> list[Event]:
    """The one with the most to tell."""
    return max(leads(), key=len)


def changed(**parts: Any) -> Process:
    """Today's process, other than that of the history's day."""
    old = the_process()
    return Process(replace(old.file, **parts), 2, old.calendar.days_off, old.calendar.working_days)


def test_an_instant_names_a_beginning_of_the_history() -> None:
    """Also where an event says what had become true before: it was not known then."""
    late = 0
    for events in leads():
        assert [known_at(event) for event in events] == sorted(map(known_at, events))
        for number, event in enumerate(events, 1):
            assert version_at(events, known_at(event)) >= number
            assert version_at(events, known_at(event) - timedelta(microseconds=1)) < number
            late += event.recorded_at is not None and version_at(events, event.at) < number
        assert version_at(events, known_at(events[0]) - timedelta(days=1)) == 0
    assert late, "the history holds nothing that was recorded later"


def test_each_value_has_the_event_that_made_it_what_it_is() -> None:
    """Without that event the value is another one; with the ones after it, it stays."""
    for events in leads():
        behind = origins(events)
        now = values(Lead.fold(events))
        assert behind.keys() == now.keys()
        for key, event in behind.items():
            number = event.originator_version
            assert values(Lead.fold(events[:number])).get(key) == now[key]
            assert values(Lead.fold(events[:number - 1])).get(key) != now[key]


def test_a_difference_is_what_the_two_states_do_not_share() -> None:
    for events in leads():
        for old in range(1, len(events), 5):
            for new in range(old, len(events) + 1, 7):
                before, after = values(Lead.fold(events[:old])), values(Lead.fold(events[:new]))
                found = {change.key: change for change in difference(events, old, new)}
                assert found.keys() == {key for key in {*before, *after} if before.get(key) != after.get(key)}
                for key, change in found.items():
                    assert (change.before, change.after) == (before.get(key), after.get(key))
                    assert old < change.event.originator_version <= new


def test_the_rule_of_a_score_is_told_from_the_sheet_to_the_path() -> None:
    """R9–R12, R18: marks, sum, bounds, what follows."""
    scored = next(event for event in deal() if isinstance(event, e.LeadScored))
    found = why(scored, the_process()).score
    assert found is not None
    assert sum(found.marks.values()) == found.total == 11
    assert (found.segment, found.low, found.high, found.refuse, found.head_joins) == ("A", 10, 15, False, True)
    gone = why(scored, changed(segments=(Segment(id="X", title="Все", low=-15, high=15),))).score
    assert gone is not None
    assert (gone.segment, gone.low) == ("A", None)


def test_the_rule_of_a_deadline_says_whether_the_file_counted_it() -> None:
    """R7: fifteen working minutes; a date that was agreed is nobody's count."""
    process = the_process()
    dues = [event for events in leads() for event in events if isinstance(event, e.DeadlineSet)]
    take = why(next(due for due in dues if due.key == "take"), process)
    assert take.deadline is not None
    assert (take.rule, take.deadline.length, take.deadline.unit, take.deadline.clock) == ("R2", 15, "minutes", "working")
    for due in dues:
        found = why(due, process).deadline
        assert found is not None
        assert not found.counted or process.due(found.deadline, found.start) == due.due_at
    assert not all(why(due, process).deadline.counted for due in dues if why(due, process).deadline)  # type: ignore[union-attr]


def test_every_event_with_a_rule_in_its_description_names_it() -> None:
    assert rule_of(e.MeetingHeld) == "R26"
    assert rule_of(e.NoteAdded) == ""


def test_its_own_process_finds_nothing_to_decide_otherwise() -> None:
    """Every lead of the history against the file that it was worked under: the check of the checker."""
    process = the_process()
    for events in leads():
        found = what_if(events, process, lambda _: process, known_at(events[-1]))
        assert not found.differs, found
        assert all(due.late == due.was_late for due in found.deadlines)


def test_other_bounds_lead_another_way() -> None:
    """R10, R12, R18."""
    old = the_process().file
    segments = tuple(replace(s, low=12) if s.id == "A" else replace(s, high=11) if s.id == "B" else s for s in old.segments)
    found = what_if(deal(), changed(segments=segments, proposal=replace(old.proposal, head_above=11)), lambda _: the_process(),
                    known_at(deal()[-1]))
    (score,) = found.scores
    assert (score.was_total, score.was_segment, score.total, score.segment) == (11, "A", 11, "B")
    assert (score.was_head_joins, score.head_joins, score.differs) == (True, False, True)


def test_marks_that_nobody_gave_leave_no_sum() -> None:
    """R9: a sheet with a parameter that was not asked then is no sheet."""
    old = the_process().file
    first = old.blocks[0]
    more = replace(first, parameters=(*first.parameters[1:], replace(first.parameters[0], id="new_one", title="Новый")))
    found = what_if(deal(), changed(blocks=(more, *old.blocks[1:])), lambda _: the_process(), known_at(deal()[-1]))
    (score,) = found.scores
    assert (score.total, score.segment, score.unmarked, score.dropped) == (None, None, ["new_one"], [first.parameters[0].id])
    assert ("sheet", "new_one") in {(r.what, r.name) for r in found.refusals}


@pytest.mark.parametrize(("without", "what"), [("transition", "move"), ("guard", "guard"), ("stage", "stage"), ("end", "end")])
def test_steps_that_the_file_does_not_allow_are_told_with_their_rule(without: str, what: str) -> None:
    old = the_process().file
    by_hand = next(ev for ev in deal() if isinstance(ev, e.StageEntered) and ev.actor != "hub")
    this = (by_hand.previous, by_hand.stage)
    moves = tuple(t for t in old.transitions if (t.source, t.to) != this)
    strict = tuple(replace(t, requires=("decision_maker_changed",)) if (t.source, t.to) == this else t for t in old.transitions)
    parts: dict[str, dict[str, Any]] = {
        "transition": {"transitions": moves}, "guard": {"transitions": strict},
        "stage": {"stages": tuple(s for s in old.stages if s.id != by_hand.stage)},
        "end": {"endings": tuple(replace(x, sources=("new",)) if x.id == "won" else x for x in old.endings)}}
    found = what_if(deal(), changed(**parts[without]), lambda _: the_process(), known_at(deal()[-1]))
    refused = next(r for r in found.refusals if r.what == what)
    assert refused.rule
    assert without == "end" or refused.event == by_hand.originator_version

"""Every event class: a topic of its own, frozen, folded from nothing without a fault, its personal fields decided, and kept."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from hub.domain.event import TOPICS, Event, personal_fields
from hub.domain.evolve import evolve
from hub.domain.evolve.fold import FOLDS
from hub.domain.lead import Lead
from hub.domain.state import LeadState
from hub.store.codec import UPCASTERS
from tests.domain.scenario import Scenario, lead
from tests.golden.samples import CLASSES, kept, sample

LEAD_EVENTS = {topic: cls for topic, cls in CLASSES.items() if topic.startswith("lead.")}
BASE = set(Event.__struct_fields__)

PERSONAL = {
    "lead.guard_overridden": "reason",
    "lead.reassigned": "reason",
    "lead.stage_entered": "reason",
    "lead.taken": "reason",
    "lead.absorbed": "why",
    "lead.address_added": "value raw extension",
    "lead.address_retired": "value why",
    "lead.benefit_stated": "text kpi",
    "lead.budget_named": "note",
    "lead.call_time_agreed": "words",
    "lead.chance_closed": "text",
    "lead.chance_recorded": "text",
    "lead.checklist_item_done": "note",
    "lead.company_named": "name inn site",
    "lead.consent_given": "ip page",
    "lead.contact_attempted": "note",
    "lead.contact_changed": "why",
    "lead.contact_logged": "goal text why",
    "lead.decision_maker_changed": "why",
    "lead.disqualified": "note",
    "lead.handed_over": "note",
    "lead.head_contributed": "text",
    "lead.head_opinion_given": "text",
    "lead.headcount_explained": "reason",
    "lead.installed_work_recorded": "text",
    "lead.letter_asked": "to subject_line body",
    "lead.letter_failed": "why",
    "lead.lost": "competitor debrief",
    "lead.meeting_cancelled": "why",
    "lead.meeting_held": "text why theirs feedback",
    "lead.meeting_moved": "why",
    "lead.meeting_planned": "goal place theirs",
    "lead.merged_into": "why",
    "lead.message_received": "attribution subject_line text fields files named",
    "lead.message_asked": "to answers subject_line text html files",
    "lead.message_sent": "names",
    "lead.message_failed": "why",
    "lead.call_began": "named",
    "lead.call_asked": "to phone",
    "lead.call_placed": "names",
    "lead.call_failed": "why",
    "lead.call_unknown": "why",
    "lead.call_recorded": "named",
    "lead.message_unknown": "why",
    "lead.invitation_mailed": "place",
    "lead.message_edited": "text",
    "lead.fetch_asked": "ref name content_type",
    "lead.file_fetched": "files",
    "lead.need_found": "text quote",
    "lead.need_made_explicit": "quote",
    "lead.next_step_done": "result",
    "lead.next_step_planned": "text",
    "lead.note_added": "text",
    "lead.person_added": "name position",
    "lead.person_named": "name position",
    "lead.place_learned": "place",
    "lead.proposal_drafted": "note file",
    "lead.proposal_sent": "to",
    "lead.question_answered": "answer",
    "lead.question_recorded": "text",
    "lead.refused": "without_letter",
    "lead.released": "why",
    "lead.reopened": "why",
    "lead.request_closed": "text",
    "lead.request_opened": "text",
    "lead.scored": "notes comment",
    "lead.screening_finished": "note",
    "lead.slept": "why",
    "lead.split_off": "why",
    "lead.told_apart": "why",
    "lead.stall_found": "why who debrief competitor wish",
    "lead.stall_played": "result",
    "lead.test_task_decided": "text",
    "lead.titled": "title about",
    "lead.woken": "why",
}
"""Fields that are encrypted under a person's key, by event."""

OPEN_EVERYWHERE = {
    "channel", "source", "source_title", "kind", "way", "direction", "outcome", "purpose", "progress", "origin", "key", "rule",
    "checklist", "item", "criterion", "segment", "marks", "closeness", "stage", "guard", "action", "tied_by",
    "suspicion", "account", "status", "code",  # codes and names of the process and of our own channels
    "owner", "to", "ours", "members", "account_manager",  # people of ours
    "version", "text_sha256", "timezone", "partner_name", "contract_number",  # about a text, a place, a company of ours, a paper
}
"""Text fields that name nobody of the client's."""

OPEN = {
    ("lead.offered", "why"), ("lead.deadline_dropped", "why"),  # codes
    ("lead.stage_entered", "why"), ("lead.stage_entered", "previous"),  # a rule
    ("lead.call_leg_moved", "leg"), ("lead.call_answered", "by"),  # a colleague, or the word "client"
    ("lead.reassigned", "why"), ("lead.reassigned", "previous"),  # about our own people
    ("lead.head_opinion_given", "resources"),  # our own people's time
    ("lead.lost", "reason"), ("lead.stall_found", "reason"),  # codes of the process
    ("lead.person_erased", "reason"), ("lead.person_erased", "rule"),  # refused where it quotes the person
    ("lead.tagged", "tag"), ("lead.untagged", "tag"),  # the department's own words, refused where they are an address
    ("lead.move_undone", "previous"), ("lead.move_undone", "disqualified"),  # codes of the process
    ("lead.move_undone", "gone"),  # deadlines
}
"""The same for single events."""


def text_fields(cls: type[Event]) -> set[str]:
    """Fields that may hold a text, however deep."""
    return {f.name for f in msgspec.structs.fields(cls) if f.name not in BASE and
            ("str" in str(f.type) or "FileRef" in str(f.type))}


@pytest.mark.parametrize("topic", LEAD_EVENTS)
def test_every_text_field_of_an_event_is_decided_to_be_personal_or_not(topic: str) -> None:
    cls = LEAD_EVENTS[topic]
    declared = set(personal_fields(cls))
    assert declared == set(PERSONAL.get(topic, "").split()), f"{topic}: decide in this test which fields are personal"
    undecided = {f for f in text_fields(cls) - declared if f not in OPEN_EVERYWHERE and (topic, f) not in OPEN}
    assert undecided == set(), f"{topic}: may these texts name somebody of the client's? Mark them Personal, or list them here"
    # an address here, a colleague in others
    ours_elsewhere = {("lead.letter_asked", "to"), ("lead.proposal_sent", "to"), ("lead.message_asked", "to"),
                      ("lead.call_asked", "to")}
    assert not declared & {f for f in OPEN_EVERYWHERE if (topic, f) not in ours_elsewhere}


def test_what_is_decided_exists() -> None:
    assert {t for t in PERSONAL if t not in LEAD_EVENTS} == set()
    assert {(t, f) for t, f in OPEN if f not in text_fields(LEAD_EVENTS[t])} == set()
    assert OPEN_EVERYWHERE - {f for cls in LEAD_EVENTS.values() for f in text_fields(cls)} == set()


@pytest.mark.parametrize("topic", CLASSES)
def test_an_event_is_frozen_and_registered_under_its_own_topic(topic: str) -> None:
    cls = CLASSES[topic]
    assert TOPICS[topic] is cls
    assert topic == cls.TOPIC
    assert cls.__struct_config__.frozen
    assert cls.__doc__
    with pytest.raises(AttributeError):
        sample(cls).actor = "somebody else"  # type: ignore[misc]


def test_there_are_events_and_no_class_without_a_topic() -> None:
    def below(cls: type[Event]) -> set[type[Event]]:
        return {s for c in cls.__subclasses__() for s in ({c} | below(c)) if s.__module__.startswith("hub.domain.events")}
    assert len(LEAD_EVENTS) >= 70
    assert {cls.__name__ for cls in below(Event)} == {cls.__name__ for cls in LEAD_EVENTS.values()}


@pytest.mark.parametrize("topic", LEAD_EVENTS)
@pytest.mark.parametrize("full", [True, False])
def test_no_event_is_too_much_for_the_fold(topic: str, full: bool) -> None:
    """An event that was once stored never makes a lead unreadable: neither from nothing nor after all others."""
    event = sample(LEAD_EVENTS[topic], full=full)
    assert evolve(LeadState(), event).last_at == (event.recorded_at or event.at)
    full_state = Lead.fold(sample(cls) for cls in LEAD_EVENTS.values())
    after = evolve(full_state, event)
    for name in ("name", "person", "score", "segment", "proposal", "planned_meetings", "next_due", "open"):
        getattr(after, name)


def test_every_kind_of_event_changes_what_is_known_or_is_known_not_to() -> None:
    silent = {topic for topic, cls in LEAD_EVENTS.items() if cls not in FOLDS}
    assert silent == {"lead.consent_given", "lead.note_added", "lead.client_wrote_again"}


# ── golden ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("topic", CLASSES)
def test_an_event_class_has_its_golden_line(topic: str) -> None:
    cls = CLASSES[topic]
    assert (topic, cls.VERSION) in {(g["topic"], g["v"]) for g in kept()}, (
        f"{cls.__name__} has no line in tests/golden/events.jsonl for version {cls.VERSION}: "
        "run python -m tests.golden.write and commit the line; it stands for what will be stored from now on")


@pytest.mark.parametrize("golden", kept(), ids=lambda g: f"{g['topic']}-{g['v']}")
def test_what_was_stored_once_is_still_read_to_equal_values(golden: dict[str, Any]) -> None:
    cls = TOPICS.get(golden["topic"])
    assert cls is not None, f"{golden['topic']} is stored out there: a topic is never dropped or renamed"
    fields, version = golden["event"], golden["v"]
    while version < cls.VERSION:
        fields, version = UPCASTERS[golden["topic"], version](fields), version + 1
    event = msgspec.json.decode(json.dumps(fields), type=cls)
    assert json.loads(msgspec.json.encode(event)) == fields, f"{golden['topic']} is read to other values than were stored"
    if golden["topic"] in LEAD_EVENTS:
        evolve(LeadState(), event)


def test_each_golden_line_is_there_once() -> None:
    keys = [(g["topic"], g["v"]) for g in kept()]
    assert sorted(set(keys)) == sorted(keys)


# ── from whole stories ───────────────────────────────────────────────────────────────


def stories() -> list[Scenario]:
    return [lead().presented().lost(competitor="А"), lead().following_up().won(),
            lead().taken_by().captured().did("disqualify", criterion="on_principle", note="x")]


def test_a_story_is_stored_and_read_to_the_same_state() -> None:
    for s in stories():
        read = [msgspec.json.decode(msgspec.json.encode(ev), type=type(ev)) for ev in s.story]
        assert read == s.story
        assert Lead.fold(read) == s.state


def test_every_event_says_who_when_why_and_under_which_rules() -> None:
    for s in stories():
        ids = {ev.event_id for ev in s.story}
        assert len(ids) == len(s.story)
        for ev in s.story:
            assert ev.originator_id == s.id
            assert ev.actor == "hub" or ev.actor.startswith("channel:") or ev.actor in ("anna", "boris")
            assert ev.at.utcoffset() is not None
            assert ev.causation_id is None or ev.causation_id in ids
            assert ev.process_version == 7
            assert ev.recorded_at is None or ev.recorded_at > ev.at

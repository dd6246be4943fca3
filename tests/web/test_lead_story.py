"""The timeline: every event of the domain has a sentence, with what was before and after; the hub's book-keeping is folded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID, uuid4

import pytest
from msgspec import Struct

from hub.domain import events as e
from hub.domain.event import TOPICS, Event
from hub.domain.state import LeadState
from hub.web.lead.story import GROUPS, TELLERS, Entry, Teller, shown, story, tell
from hub.web.lead.view import REGISTERED
from tests.web.house import House
from tests.web.test_lead_walks import MIDDLE, Desk, to_scoring

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OF_LEADS = sorted(topic for topic in TOPICS if topic.startswith("lead."))


@pytest.fixture
def teller(house: House) -> Iterator[Teller]:
    """Told in a request, as on the page."""
    with house.app.test_request_context():
        yield Teller(house.hub.process, {f"user:{id}": u.name for id, u in house.hub.users().items()})


def value_of(hint: Any) -> Any:
    """A value of a field's type, as little as there can be."""
    if get_origin(hint) is not None and get_origin(hint) not in (tuple, dict):
        return value_of(get_args(hint)[0])
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        return (value_of(inner[0]),) if inner[-1] is Ellipsis else tuple(value_of(i) for i in inner)
    if get_origin(hint) is dict:
        return {value_of(get_args(hint)[0]): value_of(get_args(hint)[1])}
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint(**{n: value_of(h) for n, h in get_type_hints(hint).items() if n in hint.__struct_fields__})
    return {str: "слово", int: 1, bool: True, UUID: uuid4(), datetime: AT, date: AT.date(), Decimal: Decimal(7), float: 1.0}[hint]


def made(kind: type[Event]) -> Event:
    """An event of a kind with every field filled."""
    hints = get_type_hints(kind)
    own = {n: value_of(hints[n]) for n in kind.__struct_fields__ if n not in Event.__struct_fields__}
    return kind(originator_id=uuid4(), originator_version=3, event_id=uuid4(), actor="hub", at=AT, correlation_id=uuid4(), **own)


@pytest.mark.parametrize("topic", OF_LEADS)
def test_every_event_of_a_lead_has_a_russian_sentence(teller: Teller, topic: str) -> None:
    assert REGISTERED
    kind = TOPICS[topic]
    assert kind in TELLERS, f"{topic} has no sentence: add one to hub/web/lead/tell_*.py"
    entry = tell(made(kind), LeadState(), teller)
    assert re.search("[А-Яа-я]{3}", entry.title)
    assert topic not in entry.title
    assert entry.group in ("", *GROUPS)
    assert entry.number == 3
    assert all(label for label, _before, _after in entry.changes)


def test_an_event_of_a_later_version_does_not_break_the_timeline(teller: Teller) -> None:
    class Unheard(Event, frozen=True, kw_only=True):
        TOPIC = "lead.unheard_of"

    entry = tell(made(Unheard), LeadState(), teller)
    assert entry.title == "lead.unheard_of"
    assert entry.noise


def test_changes_say_what_was_before_and_what_is_after(house: House) -> None:
    lead, desk = house.receive(), Desk(house, "manager")
    to_scoring(desk, lead, MIDDLE)
    desk.do(lead, "score", **{**MIDDLE, "mark-timing": "-1"})
    desk.do(lead, "reassign", owner=f"user:{house.users['second']}", why="Заболела")
    with house.app.test_request_context():
        told, state = entries(house, lead)
    scored = next(x for x in told if x.title == "Оценили заново, лист 2")
    assert scored.changes == (("Сроки", "0", "−1"), ("Итог", "+1", "0"), ("Сегмент", "B", "B"))
    given = next(x for x in told if x.title == "Сделку передали")
    assert given.changes == (("Ответственный", "Мария Котова", "Пётр Лисин"),)
    assert given.text == "Заболела"
    assert given.who == "Мария Котова"
    assert state == house.hub.lead(lead), "the timeline folds to the lead as it is"


def entries(house: House, lead: UUID) -> tuple[list[Entry], LeadState]:
    return story(
        house.hub.history(lead), Teller(house.hub.process, {f"user:{id}": u.name for id, u in house.hub.users().items()})
    )


def test_robot_noise_is_folded_and_unfolded_by_its_filter(house: House) -> None:
    lead = house.receive()
    with house.app.test_request_context():
        told, _state = entries(house, lead)
        folds, older = shown(told)
    assert older == 0
    assert sum(len(f.entries) for f in folds) == len(told), "nothing is lost by folding"
    folded = [f for f in folds if f.folded]
    assert folded
    assert all(x.noise for f in folded for x in f.entries)
    assert not any(f.folded for f in shown(told, "system")[0])
    assert any(isinstance(x, e.DeadlineSet) for x in house.hub.history(lead))
    assert len(shown(told, limit=2)[0]) <= 2
    assert shown(told, limit=2)[1] == len(told) - 2
    page = Desk(house, "manager").get(f"/leads/{lead}")
    assert '<details class="sys">' in page
    assert "Заявка с сайта" in page


def test_the_filters_of_the_timeline_live_in_the_address(house: House) -> None:
    lead, desk = house.receive(), Desk(house, "manager")
    desk.do(lead, "take")
    desk.do(lead, "note", text="Любит утренние звонки")
    talk = desk.get(f"/leads/{lead}?show=talk")
    assert "Любит утренние звонки" in talk
    assert "Стадия изменилась" not in talk
    decided = desk.get(f"/leads/{lead}?show=decision")
    assert "Любит утренние звонки" not in decided
    assert "Стадия изменилась" in decided
    assert "Заявку взяли в работу" in decided
    assert "show=decision" in re.findall(r'data-live="([^"]+story[^"]*)"', decided)[0], "the live part keeps the filter"
    due = desk.get(f"/leads/{lead}?show=due")
    assert "Назначен срок" in due
    assert "Стадия изменилась" not in due
    assert "Любит утренние звонки" in desk.get(f"/leads/{lead}?show=nonsense")


def test_the_card_reads_its_events_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    lead, desk = house.receive(), Desk(house, "manager")
    to_scoring(desk, lead, MIDDLE)
    read, times = house.store.read, []

    def counting(stream: UUID, *args: Any, **more: Any) -> Any:
        times.append(stream)
        return read(stream, *args, **more)

    monkeypatch.setattr(house.store, "read", counting)
    desk.get(f"/leads/{lead}")
    assert times.count(lead) == 1

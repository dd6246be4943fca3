"""The read model of moments against the leads' own events: at every instant of the history, on both stores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from hub.domain.event import Event
from hub.domain.lead import Lead
from hub.domain.replay import known_at, version_at
from hub.domain.state import LeadState
from hub.projections.lead_queries import ASLEEP, ENDED_SHOWS, Wanted
from hub.projections.leads import iso
from hub.projections.moments import SHORTEST, SORTS, class_of, facts_of
from tests.house import Department, user
from tests.projections.history import history

pytestmark = pytest.mark.usefixtures("both_stores")
A_MOMENT = timedelta(microseconds=1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as house:
        house.store.append(history())
        house.runner.catch_up()
        yield house


def leads() -> dict[UUID, list[Event]]:
    found: dict[UUID, list[Event]] = {}
    for event in history():
        if event.TOPIC.startswith("lead."):
            found.setdefault(event.originator_id, []).append(event)
    return found


def then(at: datetime) -> dict[str, LeadState]:
    """Every lead that there was, folded from what was known."""
    return {lead.hex: Lead.fold(events[:n]) for lead, events in leads().items() if (n := version_at(events, at))}


def instants() -> list[datetime]:
    """Each instant at which something happened, and the one just before it."""
    happened = sorted({known_at(event) for events in leads().values() for event in events})
    return [at - part for at in happened[::4] for part in (timedelta(), A_MOMENT)] + [happened[-1] + timedelta(days=400)]


def test_columns_numbers_and_ends_are_those_of_the_events(house: Department) -> None:
    moments = house.views.moments
    for at in instants():
        states = {lead: facts_of(state) for lead, state in then(at).items()}
        seen = {lead: facts for lead, facts in states.items() if facts.is_open}
        counts = moments.counts(at, Wanted(me=user("anna"), day_ends=iso(at + timedelta(hours=8)) or ""))
        assert counts.places == Counter(facts.place for facts in seen.values())
        assert counts.shows["mine"] == sum(facts.owner == user("anna") for facts in seen.values())
        awake = [facts for facts in seen.values() if facts.place != ASLEEP]
        assert counts.shows["no_step"] == sum(bool(facts.owner) and not facts.planned for facts in awake)
        assert counts.shows["today"] == sum(facts.due_sort < (iso(at + timedelta(hours=8)) or "") for facts in awake)
        assert moments.late(at) == sum(facts.due_sort < (iso(at) or "") for facts in awake)
        for place, first in moments.columns(at, Wanted(), 3).items():
            there = sorted((facts.due_sort, facts.received_at, lead) for lead, facts in seen.items() if facts.place == place)
            assert first == [lead for _, _, lead in there[:3]]
        ended = Counter(facts.ended for facts in states.values() if not facts.is_open and facts.ended)
        assert moments.endings(at, Wanted()) == {how: ended[how] for how in ENDED_SHOWS}


def test_every_order_lists_the_same_leads_page_by_page(house: Department) -> None:
    moments = house.views.moments
    for at in instants()[::9]:
        there = {lead for lead, state in then(at).items() if state.open}
        for sort in SORTS:
            for way in ("", "-"):
                pages = [lead for n in range(0, 20, 3) for lead in moments.listed(at, Wanted(), way + sort, 3, n)]
                assert len(pages) == len(set(pages))
                assert set(pages) == there


def test_filters_narrow_the_past_as_the_present(house: Department) -> None:
    """At the last instant the two read models answer alike."""
    at = max(known_at(event) for events in leads().values() for event in events)
    now, past = house.views.leads, house.views.moments
    for wanted in (Wanted(), Wanted(show="mine", me=user("anna")), Wanted(owner="none"), Wanted(segment="B"),
                   Wanted(channel="social"), Wanted(stage="scoring"), Wanted(show="asleep"), Wanted(words="иван"),
                   Wanted(words="нет такого слова"), Wanted(show="lost"), Wanted(show="refused")):
        expected = sorted(row["id"] for row in now.listed(wanted, "number", 100)[0])
        assert sorted(past.listed(at, wanted, "number", 100, 0)) == expected, wanted
        if wanted.show not in ENDED_SHOWS:
            assert past.counts(at, wanted).places == now.counts(wanted).places


def test_a_period_is_found_by_its_class_whatever_its_length() -> None:
    """A class is never shorter than the periods in it: else a moment at their end would be missed."""
    for seconds in (0, 1, 899, 900, 901, 3600, 3601, 86400, 10**7, 10**9):
        length = timedelta(seconds=seconds)
        assert length <= SHORTEST * 4 ** class_of(length)

"""What the read models answer, against the rows and the events that the answers are made of; on both stores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import pytest

from hub.domain.delivery import Address
from hub.domain.event import Event
from hub.domain.lead import Lead
from hub.projections.folding import BEHIND, Folded
from hub.projections.lead_queries import ENDED_SHOWS, OPEN_SHOWS, Wanted
from hub.projections.leads import iso
from tests.house import MONDAY, Department, after, form, phone, user
from tests.projections.history import history

pytestmark = pytest.mark.usefixtures("both_stores")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as house:
        yield house


def table(house: Department, sql: str) -> list[Any]:
    with house.store.views.reading() as cursor:
        return list(cursor.execute(sql).fetchall())


def in_a_stage(events: Sequence[Event]) -> str:
    """The stage of a lead after ``events``; an empty text where it ended, sleeps or was merged away."""
    state = Lead.fold(events)
    return state.stage if state.open and state.asleep_until is None else ""


def test_stays_give_the_numbers_of_a_time_and_of_any_past_moment(house: Department) -> None:
    house.store.append(history())
    house.runner.catch_up()
    intervals = house.views.intervals
    stays = [row for row in table(house, "SELECT * FROM stage_intervals") if row["left_at"]]
    for since in (after(days=-1), MONDAY, after(hours=5), after(days=1), after(days=7, hours=1), after(days=300)):
        recent = [row for row in stays if row["left_at"] >= (iso(since) or "")]
        lengths: dict[str, list[int]] = {}
        for row in recent:
            lengths.setdefault(row["stage"], []).append(row["seconds"])
        assert intervals.medians(since) == {stage: median(seconds) for stage, seconds in lengths.items()}
        assert intervals.flows(since) == Counter((row["stage"], row["left_to"]) for row in recent)
    leads: dict[UUID, list[Event]] = {}
    for event in history():
        if event.TOPIC.startswith("lead."):
            leads.setdefault(event.originator_id, []).append(event)
    for moment in (after(days=-1), MONDAY, after(hours=3), after(days=1), after(days=6), after(days=11), after(days=12, hours=1),
                   after(days=400)):
        then = {lead.hex: stage for lead, events in leads.items()
                if (stage := in_a_stage([event for event in events if event.at <= moment]))}
        assert intervals.at(moment) == then
        assert intervals.numbers_at(moment) == Counter(then.values())


def test_the_numbers_of_the_list_are_those_of_its_rows(house: Department) -> None:
    house.store.append(history())
    house.runner.catch_up()
    leads, anna = house.views.leads, user("anna")
    for show, owner, stage, words in product((*OPEN_SHOWS, *ENDED_SHOWS), ("", anna, "none"), ("", "follow_up"), ("", "сайт")):
        wanted = Wanted(show=show, owner=owner, stage=stage, words=words, me=anna, day_ends=iso(after(days=30)) or "")
        rows, _more = leads.listed(wanted, "number", 500)
        assert leads.how_many(wanted) == len(rows)
        assert (leads.endings(wanted) | leads.counts(wanted).shows)[show] == len(rows)
    assert sum(leads.endings(Wanted()).values()) == len([row for row in house.leads() if row["ended"]])


def test_a_search_finds_words_by_their_beginning_and_phones_by_both_ends(house: Department) -> None:
    house.begin()
    email = Address("email", "p.lebedev@example.ru", "")
    lead = house.new_lead(form(phone(4567), email, company="Пётр Лебедев", text="Интернет-магазин для ООО «Ромашка»"))
    other = house.new_lead(form(phone(9999), company="Анна Гусева", text="Нужен каталог"))
    house.runner.catch_up()

    def found(words: str) -> list[UUID]:
        return [UUID(row["id"]) for row in house.views.leads.found(words)]

    digits = phone(4567).value
    for words in ("петр", "ПЁТР леб", "интернет-магазин", "магазин", "ромаш", "ооо ромашка", "p.lebedev@example.ru", "lebedev",
                  digits, digits[2:], f"8{digits[2:]}", digits[-4:], f"{digits[-7:-4]}-{digits[-4:-2]}-{digits[-2:]}"):
        assert found(words) == [lead], words
    assert set(found(digits[:8])) == {lead, other}
    for words in ("машка", "оо", "петр каталог", "4568", "-", "%", "петр гусева"):
        assert found(words) == [], words
    assert house.views.leads.exact(digits) == lead
    with house.store.views.writing() as cursor:
        for name in ("leads", "lead_words"):
            cursor.execute(f"UPDATE {name} SET number = 99999 WHERE number = 1")
            cursor.execute(f"UPDATE {name} SET number = 4567 WHERE number = 2")
    assert house.views.leads.exact("4567") == other
    assert house.views.leads.exact("99999") == lead
    with house.store.views.writing() as cursor:
        cursor.execute("UPDATE lead_words SET word = '-999991234797+' WHERE number = 4567 AND word LIKE '-%'")
    assert house.views.leads.exact("99999") is None
    assert found("99999") == [lead, other]


def test_leads_with_an_address_in_common_know_of_each_other(house: Department) -> None:
    house.begin()
    address = Address("email", "office@example.ru", "")
    first = house.new_lead(form(phone(1), address))
    house.do(first, "take")
    second = house.new_lead(form(phone(2)))
    house.do(second, "take")
    house.do(second, "add_address", kind="email", value="office@example.ru")
    third = house.new_lead(form(phone(3)))
    house.runner.catch_up()
    leads = house.views.leads

    def related(lead: UUID, *addresses: Address, previous: UUID | None = None) -> list[UUID]:
        return [UUID(row["id"]) for row in leads.related(lead, addresses, previous, 8)]

    assert related(first, phone(1), address) == [second]
    assert related(second, phone(2), address) == [first]
    assert related(third, phone(3)) == []
    assert related(third) == []
    assert related(third, previous=first) == [first]
    assert related(third, Address("vk", "office@example.ru", "")) == []


def test_far_behind_more_states_are_kept_and_given_back(house: Department) -> None:
    """Three leads in turn with room for two: each event but the first is a miss, unless it comes in a long go."""
    house.begin()
    for number in (1, 2, 3):
        lead = house.new_lead(form(phone(number)))
        house.do(lead, "take")
    streams: dict[UUID, list[Event]] = {}
    for _, event in house.store.log(0, 10_000):
        if event.TOPIC.startswith("lead."):
            streams.setdefault(event.originator_id, []).append(event)
    rounds = [list(events) for events in zip(*streams.values(), strict=False)][:4]

    class Counting:
        reads = 0
        keys = house.store.keys

        def read(self, *arguments: Any) -> Any:
            self.reads += 1
            return house.store.read(*arguments)

    def misses(*goes: int) -> int:
        store = Counting()
        states = Folded(store, Lead, kept=2)  # type: ignore[arg-type]
        for events, go in zip(rounds, goes, strict=True):
            states.expect(go)
            for event in events:
                assert states.after(event) == Lead.fold(e for e in streams[event.originator_id]
                                                        if e.originator_version <= event.originator_version)
        return store.reads

    assert misses(1, 1, 1, 1) == 9
    assert misses(*[BEHIND] * 4) == 0
    assert misses(BEHIND, BEHIND, 1, 1) == 6


def test_a_source_was_last_heard_of_when_its_newest_delivery_came(house: Department) -> None:
    house.begin()
    for number, at in enumerate((MONDAY, after(hours=2), after(hours=1)), 1):
        house.receive(form(phone(number)), at)
        house.runner.catch_up()
    source = table(house, "SELECT source FROM receipts")[0]["source"]
    assert house.views.receipts.last_of("website") == {source: (MONDAY + timedelta(hours=2), 3)}
    assert house.views.receipts.last_of("email") == {}

"""The worker: what nobody does becomes a fact, dated when it became true, once (R2, R7, R21, R29, R34)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from hub.application import THE_HUB
from hub.domain.event import Event
from hub.projections import Runner
from hub.projections.views import Views
from hub.store import Unavailable
from hub.worker import SLOW_EVERY, Worker
from tests.house import MONDAY, Department, after, days, form, phone, user

pytestmark = pytest.mark.usefixtures("both_stores")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as house:
        yield house.begin()


def publish(house: Department, at: datetime) -> bool:
    """The calendar of the year of ``at`` and the next comes in force, as bootstrap does it."""
    from hub.calendar import russian_days
    from hub.config import PACKAGED_PROCESS

    holidays = days() if at.year == MONDAY.year else russian_days([at.year, at.year + 1])
    return house.hub.publish_process(PACKAGED_PROCESS.read_text(encoding="utf-8"), *holidays, actor=THE_HUB, at=at)


def worker(house: Department, clock: Any = None) -> Worker:
    return Worker(house.hub, house.runner, clock or (lambda: MONDAY), lambda at: publish(house, at))


def turn(house: Department, at: datetime) -> list[Event]:
    """One round of a worker that has just started; what it recorded."""
    house.runner.catch_up()
    before = house.store.head()
    worker(house).turn(at)
    house.runner.catch_up()
    return [event for _, event in house.store.log(before, 10_000)]


def told(events: list[Event], topic: str) -> list[tuple[datetime, datetime | None]]:
    """When these became true, and when the hub learned of it where that was later."""
    return [(event.at, event.recorded_at) for event in events if topic == event.TOPIC]


def test_nothing_is_due_and_nothing_is_recorded(house: Department) -> None:
    house.new_lead()
    assert turn(house, after(minutes=9)) == []


def test_near_its_deadline_an_untaken_lead_goes_to_everyone_and_the_head(house: Department) -> None:
    """R34: five working minutes before R2's fifteen are over."""
    lead = house.new_lead()
    [offer] = turn(house, after(minutes=10))
    assert offer.TOPIC == "lead.offered"
    assert {user("anna"), user("boris"), user("vera")} == set(house.hub.lead(lead).offered_to)


def test_facts_are_dated_when_they_became_true_however_late_the_worker_is(house: Department) -> None:
    """R2, R4: the worker slept for a day."""
    house.new_lead()
    recorded = turn(house, after(days=1))
    late = after(days=1)
    assert told(recorded, "lead.offered") == [(after(minutes=10), late)]
    assert told(recorded, "lead.deadline_missed") == [(after(minutes=15), late), (after(minutes=30), late)]
    assert [event.at for event in recorded] == sorted(event.at for event in recorded), "in the order of time"
    assert {event.actor for event in recorded} == {"hub"}


def test_restarts_record_nothing_twice(house: Department, tmp_path: Path) -> None:
    house.new_lead()
    assert turn(house, after(days=1)) != []
    for _ in range(3):
        with Department(tmp_path) as restarted:
            assert turn(restarted, after(days=1)) == []


def test_a_worker_whose_read_models_are_behind_records_nothing_twice(house: Department) -> None:
    """The table of deadlines still shows what was recorded a moment ago."""
    house.new_lead()
    house.runner.catch_up()
    asleep = worker(house)
    asleep.turn(after(days=1))
    stored = house.store.count()
    assert asleep.turn(after(days=1)) == 1, "the read model has not heard of it"
    assert house.store.count() == stored


def test_a_loss_with_a_return_date_wakes_in_the_morning_of_that_day(house: Department) -> None:
    """R29: the same lead, with its history; the fact is dated nine in the morning though the worker came at noon."""
    lead = house.screened_lead()
    day = after(days=14)
    house.do(lead, "lose", reason="price", closeness="second", return_on=day.date())
    assert turn(house, day - timedelta(hours=2)) == []
    recorded = turn(house, day + timedelta(hours=2))
    assert told(recorded, "lead.woken") == [(day - timedelta(hours=1), day + timedelta(hours=2))]
    assert house.hub.lead(lead).open
    assert house.hub.lead(lead).losses, "the loss stays"


def test_leads_of_an_absent_owner_are_offered_once_to_those_at_work(house: Department) -> None:
    """R34."""
    leads = [house.screened_lead(who="anna") for _ in range(3)]
    others = house.screened_lead(who="boris")
    house.absent("anna", after(days=1), after(days=1))
    offers = [event for event in turn(house, after(days=1)) if event.TOPIC == "lead.offered"]
    assert {event.originator_id for event in offers} == set(leads)
    assert all(set(house.hub.lead(lead).offered_to) == {user("boris")} for lead in leads)
    assert house.hub.lead(others).offered_why != "owner_absent"
    assert [event for event in turn(house, after(days=1, minutes=2)) if event.TOPIC == "lead.offered"] == []


def test_more_than_a_page_of_leads_of_an_absent_owner_are_offered(house: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    """R34: nothing is forgotten because it is on the second page."""
    monkeypatch.setattr("hub.projections.leads.Leads.rows.__defaults__", ("1", (), "number", 2, 0))
    leads = [house.screened_lead(who="anna") for _ in range(5)]
    house.absent("anna", after(days=1), after(days=1))
    offers = [event for event in turn(house, after(days=1)) if event.TOPIC == "lead.offered"]
    assert {event.originator_id for event in offers} == set(leads)


def test_slow_work_is_done_every_minute_and_not_every_round(house: Department) -> None:
    """R34: an absence that was entered now is noticed within a minute."""
    lead = house.screened_lead(who="anna")
    busy = worker(house)
    house.runner.catch_up()
    busy.turn(MONDAY)
    house.absent("anna", MONDAY, MONDAY)
    house.runner.catch_up()
    busy.turn(MONDAY + SLOW_EVERY / 2)
    assert house.hub.lead(lead).offered_why != "owner_absent"
    busy.turn(MONDAY + SLOW_EVERY)
    assert house.hub.lead(lead).offered_why == "owner_absent"


def test_a_new_year_brings_its_calendar_in_force_without_a_restart(house: Department) -> None:
    """R7: and only once a year; the running worker publishes, the next lead counts by the new days."""
    running = worker(house)
    running.turn(MONDAY)
    assert house.hub.process.version == 1
    running.turn(MONDAY.replace(year=2027, month=1, day=11))
    running.turn(MONDAY.replace(year=2027, month=1, day=12))
    assert house.hub.process.version == 2


def test_a_lead_that_fails_does_not_stop_the_others(house: Department, caplog: pytest.LogCaptureFixture) -> None:
    """Its newest event was changed in the database by somebody: it cannot be read, and the log says so."""
    first, broken, last = (house.new_lead(form(phone(n)), after(seconds=n)) for n in range(3))
    house.runner.catch_up()
    with house.store.writing() as cursor:
        cursor.execute("UPDATE stored_events SET state = '{}' WHERE originator_id = ?", (broken.hex,))
    house.hub.streams.forget(broken)
    with caplog.at_level(logging.ERROR, logger="hub.worker"):
        worker(house).turn(after(minutes=10, seconds=5))
    assert [record.message.partition(",")[0] for record in caplog.records] == [f"time does not pass for lead {broken}"]
    for lead in (first, last):
        assert house.hub.lead(lead).offered_why == "near_deadline"


def write_until_full(house: Department, lead: UUID) -> None:
    """Until not even the smallest note has room."""
    def write(length: int) -> None:
        for _ in range(500):
            house.do(lead, "note", text="n" * length)

    for length in (400, 1):
        with pytest.raises(Unavailable):
            write(length)


@pytest.mark.parametrize("database_url", [""])  # SQLite's way to be full
def test_a_full_disk_stops_the_round_and_not_the_worker(house: Department, caplog: pytest.LogCaptureFixture) -> None:
    lead = house.new_lead()
    house.runner.catch_up()
    database = house.store.tables.datastore.writer.get_connection()
    house.store.tables.datastore.writer.put_connection(database)
    plain = database._sqlite_conn
    plain.execute(f"PRAGMA max_page_count = {plain.execute('PRAGMA page_count').fetchone()[0]}")
    crowded = worker(house)
    write_until_full(house, lead)
    with pytest.raises(Unavailable):
        crowded.turn(after(minutes=10))
    assert caplog.records == [], "a full disk is nobody's bug"
    plain.execute("PRAGMA max_page_count = 1000000")
    crowded.turn(after(minutes=10))
    assert house.hub.lead(lead).offered_why == "near_deadline"


def test_the_loop_runs_until_it_is_told_to_stop(house: Department, tmp_path: Path) -> None:
    """For real, with its thread for the read models: what is late is recorded, and the board shows it."""
    lead = house.new_lead()
    stop, seen = Flag(), Flag()

    class Watched(Worker):
        def turn(self, now: datetime) -> int:
            done = super().turn(now)
            with Department(tmp_path) as reader:
                if any(row["due_missed"] for row in reader.views.leads.rows()):
                    seen.set()
            return done

    running = Watched(house.hub, house.runner, lambda: after(hours=1), lambda at: False)
    loop = Thread(target=running.run, args=(stop,))
    loop.start()
    try:
        assert seen.wait(30)
    finally:
        stop.set()
        loop.join(30)
    assert not loop.is_alive()
    assert house.topics(lead).count("lead.deadline_missed") == 2


def test_a_fault_does_not_end_the_loop(house: Department, caplog: pytest.LogCaptureFixture) -> None:
    """The first rounds fail; the worker says so and goes on."""
    stop = Flag()
    failures: Iterator[Exception] = iter([Unavailable("locked"), RuntimeError("a bug")])

    class Moody(Worker):
        def turn(self, now: datetime) -> int:
            for failure in failures:
                raise failure
            stop.set()
            return 0

    Moody(house.hub, Runner(house.store, Views(house.store).all), lambda: MONDAY, lambda at: False).run(stop)
    messages = [record.message for record in caplog.records if record.name == "hub.worker"]
    assert messages == ["the store is unavailable, trying again: locked", "a turn of the worker failed; the next one goes on"]


@pytest.mark.parametrize("database_url", [""])  # the store does not matter
def test_where_one_part_ends_by_itself_all_of_it_does(house: Department, caplog: pytest.LogCaptureFixture,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever started the worker starts it again; a worker without its read models would go on for ever unnoticed."""
    monkeypatch.setattr(house.runner, "run", lambda stop: None)
    stop = Flag()
    worker(house).run(stop)
    assert stop.is_set()
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        "projections ended by itself; the worker ends, to be begun anew whole"]

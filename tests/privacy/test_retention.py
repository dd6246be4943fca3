"""Retention rules: read from the process file, shown before they run, run by the worker only where the file says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from hub.application import THE_HUB
from hub.bootstrap import DURABLE
from hub.config import PACKAGED_PROCESS
from hub.domain.event import ERASED
from hub.domain.privacy import ErasureBegun
from hub.domain.process_check import BadProcess, read_process
from hub.privacy.retention import Retention, months_before
from hub.worker import Worker
from tests.house import Department, after, days, form, phone
from tests.privacy.clinic import Clinic, delivery, held_by

TEXT = PACKAGED_PROCESS.read_text(encoding="utf-8")
ON = TEXT.replace("runs = false", "runs = true")
LATER = after(days=400)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with Department(tmp_path) as house:
        yield Clinic(house.begin())


AN_HOUR_LATER = after(hours=1)


def lost(clinic: Clinic, *, at: datetime = AN_HOUR_LATER, screened: bool = False, number: int = 1) -> UUID:
    """A card that was lost at a moment, screened or not."""
    house = clinic.house
    lead = house.new_lead(form(phone(number)), at)
    house.do(lead, "take", at=at)
    if screened:
        house.do(lead, "capture_contact", at=at, timezone="Asia/Omsk")
        house.do(lead, "finish_screening", at=at, criteria_checked=True)
    house.do(lead, "lose", at=at, reason=next(iter(house.hub.process.loss_reasons)), closeness="unknown")
    house.runner.catch_up()
    return lead


def due(clinic: Clinic, at: datetime = LATER) -> list[UUID]:
    return [lead for one in Retention(clinic.eraser).due(at) for lead in one.leads]


def test_whose_time_has_come(clinic: Clinic) -> None:
    old = lost(clinic)
    lost(clinic, number=2, screened=True)
    lost(clinic, number=3, at=after(days=100))
    clinic.house.new_lead(form(phone(4)))
    assert due(clinic, after(days=300)) == []
    assert due(clinic) == [old]


def test_who_has_a_younger_or_an_open_card_stays(clinic: Clinic) -> None:
    lost(clinic)
    clinic.house.new_lead(form(phone(1)), after(days=390))
    clinic.house.runner.catch_up()
    assert due(clinic) == []


def test_looking_changes_nothing_and_running_erases_with_the_rule_as_reason(clinic: Clinic) -> None:
    lead, other = lost(clinic), lost(clinic, number=2)
    head = clinic.house.store.head()
    assert len(due(clinic)) == 2
    assert clinic.house.store.head() == head

    done = Retention(clinic.eraser).run(LATER)

    assert [clinic.house.hub.lead(one).person.name for one in (lead, other)] == [ERASED, ERASED]
    begun = [clinic.house.store.read(erasure)[0] for erasure in done]
    assert [(b.rule, b.reason, b.actor) for b in begun if isinstance(b, ErasureBegun)] == [
        ("never_qualified", "Не прошли скрининг, год после закрытия", "hub")] * 2
    finished = [clinic.eraser.state(erasure).finished for erasure in done]
    assert [f.again for f in finished if f is not None] == [(), ()]
    assert due(clinic) == []


@pytest.mark.usefixtures("both_stores")
def test_nothing_is_left_after_a_run_of_several(clinic: Clinic) -> None:
    house = clinic.house
    lead = house.new_lead(delivery())
    house.do(lead, "take")
    house.do(lead, "lose", reason=next(iter(house.hub.process.loss_reasons)), closeness="unknown")
    lost(clinic, number=2)
    Retention(clinic.eraser).run(LATER)
    assert held_by(house) == {}


@pytest.mark.parametrize(("text", "erased"), [(TEXT, 0), (ON, 1)])
def test_the_worker_runs_them_once_a_day_and_only_where_the_file_says_so(clinic: Clinic, text: str, erased: int) -> None:
    house = clinic.house
    for statements in DURABLE:
        house.store.make_tables(statements)
    lost(clinic)
    house.hub.publish_process(text, *days(), actor=THE_HUB, at=after(days=2))
    worker = Worker(house.hub, house.runner, lambda: LATER, lambda now: None)
    worker.turn(LATER)
    house.runner.catch_up()
    assert len(house.views.persons.erasures()) == erased
    lost(clinic, number=2)
    worker.turn(LATER.replace(minute=59))
    house.runner.catch_up()
    assert len(house.views.persons.erasures()) == erased, "the next run is tomorrow's"


@pytest.mark.parametrize(("was", "written", "sentence"), [
    ("months = 12", "months = 0", "data may be kept 1 to 600 months, not 0"),
    ('ended = ["lost", "refused"]', 'ended = ["gone"]', "'gone' is no ending; there are won, lost, refused"),
    ('ended = ["lost", "refused"]', "ended = []", "names no ending; write some of won, lost, refused"),
    ('ended = ["lost", "refused"]', 'ended = ["won"]', 'a won lead was qualified; leave "won" out'),
    ('id = "never_qualified"', 'id = "не так"', "must be Latin letters"),
    ("months = 12", "years = 1", "unknown field `years`"),
])
def test_a_wrong_rule_is_named_with_its_line(was: str, written: str, sentence: str) -> None:
    with pytest.raises(BadProcess) as bad:
        read_process(TEXT.replace(was, written))
    (fault, *_) = bad.value.faults
    assert sentence in fault.sentence
    line = TEXT.replace(was, written).splitlines()[fault.line - 1]
    assert written.partition(" = ")[0] in line


def test_switched_on_without_rules_is_a_fault() -> None:
    with pytest.raises(BadProcess, match="erases by rules, and there are none"):
        read_process(ON[:ON.index("[[privacy.rules]]")])
def test_months_are_those_of_the_calendar() -> None:
    at = datetime(2028, 2, 29, 10, tzinfo=UTC)
    assert months_before(at, 12) == datetime(2027, 2, 28, 10, tzinfo=UTC)
    assert months_before(at, 2) == datetime(2027, 12, 29, 10, tzinfo=UTC)

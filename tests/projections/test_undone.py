"""A move that was taken back at once: no stay, no flow, no deadline met."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.house import Department, after, form, phone


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as house:
        house.begin()
        yield house


def numbers(house: Department) -> dict[str, Any]:
    """What reports count, and what the worker waits for."""
    house.runner.catch_up()
    views = house.views
    with house.store.views.reading() as c:
        due = [tuple(row) for row in c.execute("SELECT lead, key, next_at, due_at FROM deadlines ORDER BY lead, key")]
        stays = [tuple(row) for row in c.execute("SELECT * FROM stage_intervals ORDER BY lead, version")]
    return {"flows": {k: n for k, n in views.intervals.flows(after(days=-1)).items() if n}, "stays": stays, "due": due,
            "met": sum(kind.met for kind in views.punctuality.by("kind", date(2026, 1, 1), date(2027, 1, 1)))}


def test_a_move_taken_back_is_in_no_number(house: Department) -> None:
    lead = house.new_lead(form(phone(1)))
    house.do(lead, "take")
    house.do(lead, "override", "vera", guard="timezone_known", reason="скажет сам")
    before = numbers(house)
    house.do(lead, "move", to="screening", at=after(minutes=2))
    moved = numbers(house)
    assert moved["met"] == before["met"] + 1
    assert moved["flows"] != before["flows"]
    house.do(lead, "undo_move", at=after(minutes=2, seconds=5))
    assert numbers(house) == before


def test_it_is_in_none_when_all_of_it_is_read_at_once(house: Department) -> None:
    lead = house.new_lead(form(phone(1)))
    house.do(lead, "take")
    house.do(lead, "capture_contact", timezone="Europe/Moscow")
    before = numbers(house)
    for _ in range(2):
        house.do(lead, "move", to="contact", at=after(minutes=2))
        house.do(lead, "undo_move", at=after(minutes=2, seconds=5))
    assert numbers(house) == before

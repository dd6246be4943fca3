"""Every read model that is switched on: however the log reaches it, its rows are the same.

A new projection in ``Views`` is tested here by itself; where its tables stay empty, tell more in ``history.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast
from uuid import UUID

import pytest

from hub.domain.event import Event
from hub.projections import Projection, Runner
from hub.projections.views import Views
from hub.store.base import EventStore
from tests.house import Department
from tests.projections.history import history
from tests.stores.projection_contract import ProjectionContract, dump, in_place

NAMES = [projection.name for projection in Views(cast(EventStore, None)).all]

pytestmark = pytest.mark.usefixtures("both_stores")


class ViewContract(ProjectionContract):
    """One of the views, over the department's history."""

    name: ClassVar[str]
    store: EventStore
    @pytest.fixture
    def stored(self, tmp_path: Path, database_url: str) -> Iterator[EventStore]:
        with in_place(tmp_path, database_url) as self.store:
            yield self.store

    def projection(self) -> Projection:
        return next(p for p in Views(self.store).all if p.name == self.name)

    def history(self) -> Sequence[Event]:
        return history()


for _name in NAMES:
    globals()[f"Test{_name.title()}"] = type(f"Test{_name.title()}", (ViewContract,), {"name": _name, "__module__": __name__})


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as house:
        yield house


def rows(house: Department) -> dict[str, Any]:
    return {projection.name: dump(house.store, projection) for projection in house.views.all}


def test_restarts_in_the_middle_change_nothing(house: Department, tmp_path: Path) -> None:
    """Batches of seven, each by another process's runner with nothing at hand, against one go and against a rebuild of each."""
    events = history()
    for start in range(0, len(events), 7):
        house.store.append(events[start:start + 7])
        with Department(tmp_path) as later:
            later.runner.catch_up()
    stepwise = rows(house)
    assert all(status.lag == 0 and status.parked_reason is None for status in house.runner.status())
    for name in NAMES:
        assert house.runner.rebuild(name) == len(events)
        assert rows(house) == stepwise
    Runner(house.store, house.views.all, batch=3).rebuild("leads")
    assert rows(house) == stepwise


def test_the_history_tells_every_ending_and_every_stay(house: Department) -> None:
    """The history that the contract runs on is rich: what it does not tell is not tested."""
    house.store.append(history())
    board = house.leads()
    assert {row["ended"] for row in board} == {"", "won", "lost", "refused"}
    assert any(row["merged_into"] for row in board)
    assert any(row["asleep_until"] for row in board)
    assert any(row["previous_lead"] for row in board)
    with house.store.views.reading() as cursor:
        left = {row["left_to"] for row in cursor.execute("SELECT DISTINCT left_to FROM stage_intervals")}
        assert {"won", "lost", "refused", "slept", "merged_into", ""} <= left
        statuses = {row["status"] for row in cursor.execute("SELECT DISTINCT status FROM receipts")}
    assert statuses == {"accepted", "quarantined", "released", "dismissed"}


def test_the_board_shows_what_the_leads_are(house: Department) -> None:
    """Every row against the lead's own state, folded from its events alone."""
    house.store.append(history())
    for row in house.leads():
        state = house.hub.lead(UUID(row["id"]), version=row["version"])
        shown = (row["stage"], row["owner"], row["ended"], row["segment"])
        assert shown == (state.stage, state.owner, state.ended, state.segment)
        assert row["version"] == house.hub.version(UUID(row["id"]))


def test_what_is_due_is_what_the_leads_say(house: Department) -> None:
    """The worker sees every deadline that has something to say yet, and none of those that have not."""
    house.store.append(history())
    expected = set()
    for row in house.leads():
        for key, due in house.hub.lead(UUID(row["id"])).dues.items():
            if not due.missed:
                expected.add((row["id"], key))
    with house.store.views.reading() as cursor:
        found = {(row["lead"], row["key"]) for row in cursor.execute("SELECT lead, key FROM deadlines")}
    assert found == expected


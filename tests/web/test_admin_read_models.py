"""The page of read models: what stopped one is shown, retried or skipped with a reason, and made anew on request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from hub.domain.event import Event
from hub.domain.upkeep import UPKEEP_STREAM, ReadModelRetried, ReadModelSkipped
from hub.projections.base import Row
from hub.projections.notices import Notices
from hub.store.base import Cursor
from tests.web.admin_pages import Browser
from tests.web.house import House

PAGE = "/settings/read-models"


@pytest.fixture
def parked(house: House, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The notices cannot take a lead's first offer, until the patch is undone."""
    house.settle()

    def fails(self: Notices, cursor: Cursor, rows: Sequence[Row]) -> None:
        raise ValueError("no")

    monkeypatch.setattr(Notices, "apply_all", fails)
    monkeypatch.setattr(house.runner, "_pause", lambda seconds: None)
    house.receive()
    (status,) = [s for s in house.runner.status() if s.parked_at is not None]
    assert status.name == "notices"
    return status.parked_at


def decisions(house: House) -> list[Event]:
    return house.store.read(UPKEEP_STREAM)


def test_all_in_order_is_said(house: House) -> None:
    client = Browser(house, "administrator")
    page = client.get(PAGE)
    assert page.count("В порядке") == len(house.runner.projections)
    assert "Повторить" not in page
    assert 'http-equiv="refresh"' not in page


def test_a_parked_one_says_where_and_why_and_intake_goes_on(house: House, parked: int) -> None:
    client = Browser(house, "administrator")
    page = client.get(PAGE)
    assert f"Остановлена на событии {parked}" in page
    assert "ValueError at test_admin_read_models.py" in page
    assert "остановлены: 1" in client.get("/settings")
    assert house.receive("Ольга", "+79990001122")


def test_retry_is_recorded_and_goes_on_once_the_program_is_mended(house: House, parked: int,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    client = Browser(house, "administrator")
    client.post(f"{PAGE}/notices/retry")
    house.settle()
    assert [s.parked_at for s in house.runner.status() if s.name == "notices"] == [parked], "it cannot take the event yet"
    monkeypatch.undo()
    client.post(f"{PAGE}/notices/retry")
    house.settle()
    assert [s.parked_at for s in house.runner.status() if s.name == "notices"] == [None]
    assert [(type(e), e.name, e.position) for e in decisions(house)] == [(ReadModelRetried, "notices", parked)] * 2  # type: ignore[attr-defined]
    assert {e.actor for e in decisions(house)} == {house.actor("administrator").id}


def test_skipping_wants_a_reason_and_is_recorded_with_it(house: House, parked: int) -> None:
    client = Browser(house, "administrator")
    refused = client.post(f"{PAGE}/notices/skip", why="  ")
    assert refused.status_code == 422
    assert "Напишите, почему витрина данных обойдётся без этого события." in refused.text
    assert client.post(f"{PAGE}/notices/skip", why="одно уведомление").status_code == 303
    house.settle()
    assert [s.lag for s in house.runner.status() if s.name == "notices"] == [0]
    [decision] = decisions(house)
    assert isinstance(decision, ReadModelSkipped)
    assert (decision.position, decision.why) == (parked, "одно уведомление")
    assert "пропущено событий: 1" in client.get(PAGE)
    refused = client.post(f"{PAGE}/notices/skip", why="ещё раз")
    assert "повторять и пропускать нечего" in refused.text


def test_a_rebuild_is_asked_for_shown_and_done(house: House) -> None:
    client = Browser(house, "administrator")
    house.receive()
    assert client.post(f"{PAGE}/leads/rebuild").status_code == 303
    page = client.get(PAGE)
    assert "Сборка начнётся через секунду" in page
    assert 'http-equiv="refresh"' in page
    assert house.runner.rebuild_asked() == ["leads"]
    assert "Сборка" not in client.get(PAGE)
    assert house.hub.views.leads.count() == 1
    assert client.post(f"{PAGE}/nothing/rebuild").status_code == 404


@pytest.mark.parametrize("login", ["head", "manager", "trainee", "account", "auditor"])
def test_it_is_the_administrators(house: House, login: str) -> None:
    client = Browser(house, login)
    assert client.status(PAGE) == 403

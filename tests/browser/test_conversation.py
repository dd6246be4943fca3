"""R6: one person over three channels is one card, and each answer goes out by the channel that it was asked in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.conversation import CLIENT, FarEnds, far_ends, talk
from tests.browser.people import Person
from tests.browser.places import Product, Site, furnish


@pytest.fixture
def ends() -> Iterator[FarEnds]:
    with far_ends() as ends:
        yield ends


def test_vk_a_letter_and_telegram_are_one_talk_on_one_card(tmp_path: Path, ends: FarEnds, site: Site,
                                                           come: Callable[..., Person]) -> None:
    with Product(tmp_path / "hub", HUB_CHANNELS_FILE=str(ends.settings(tmp_path))) as product:
        furnish(product, site, anna="manager")
        product.start()
        manager = come(product, "anna")
        talk(product, manager, ends)
        state = product.state(1)
        assert [m["channel"] for m in state["messages"]] == ["social", "social", "email", "social"]
        assert [(m["way"], m["status"]) for m in state["outgoing"].values()] == [
            ("vk", "sent"), ("email", "sent"), ("telegram", "sent")]
        assert {a["kind"] for p in state["people"].values() for a in p["addresses"]} == {"vk", "phone", "email", "telegram"}
        assert ends.smtp.came[0].to == (CLIENT,)
        for tied in ("ответ в той же переписке", "телефон", "вконтакте"):
            manager.sees(tied, within=".timeline")
        assert "Traceback" not in product.said(), product.said()

"""R0: another company's file under the same pages, and leads of the day before it came in force."""

from __future__ import annotations

import re
from uuid import UUID

from hub.application import THE_HUB
from tests.web.house import PROCESS, House, days
from tests.web.test_lead_walks import Desk

TEXT = PROCESS.read_text(encoding="utf-8")


def without(text: str, start: str, end: str = "") -> str:
    """``text`` less everything from ``start`` to ``end``."""
    begin = text.index(start)
    return text[:begin] + (text[text.index(end, begin + 1):] if end else "")


def spare() -> str:
    """The file with all that may be left out left out, and an id of each kind renamed."""
    text = without(TEXT, "[[price_segments]]")
    text = without(text, '[[checklists]]\nid = "sell_inside"', "# ─── Чего не хватает").replace('checklist = "sell_inside"\n', "")
    text = without(text, '[[requests]]\nid = "test_task"', "# ─── Почему не решают")
    text = without(text, '[[hard_criteria]]\nid = "unreachable"', "# ─── Скоринг")
    text = re.sub(r"return_at = 0.8.*\n", "", text).replace('vat = ["с НДС", "без НДС"]', "vat = []")
    text = text.replace('id = "industry"', 'id = "branch"')
    text = text.replace('id = "C"', 'id = "Z"').replace('segments = ["C"]', 'segments = ["Z"]')
    return text.replace('currencies = ["RUB", "USD", "EUR", "KZT", "BYN"]', 'currencies = ["KZT"]')


def leads(house: House) -> list[UUID]:
    """One that was refused by its sheet, one that was lost, one in work."""
    made = []
    for number, total in enumerate((-15, 3, 12)):
        lead = house.receive(phone=f"+7912000000{number}")
        give = lambda command, who="head", lead=lead, **more: house.hub.do(  # noqa: E731
            lead, command, more, actor=house.actor(who), at=house.clock())
        give("take")
        give("finish_screening", criteria_checked=True)
        give("score", marks={p: (1 if total > 0 else -1) * (n < abs(total)) for n, p in enumerate(house.hub.process.parameters)})
        if total == 3:
            give("lose", reason="price", closeness="second")
        made.append(lead)
    house.settle()
    return made


PAGES = ("/", "/leads", "/my", "/process", "/leads/new")
FORMS = ("score", "check_item", "lose", "win", "disqualify", "draft_proposal", "open_request", "find_stall", "move")


def test_r0_every_page_follows_a_file_that_leaves_out_what_may_be_left_out(house: House) -> None:
    """Under the new file, leads of the old one; and the other way round."""
    old = leads(house)
    house.hub.publish_process(spare(), *days(), actor=THE_HUB, at=house.clock())
    desk = Desk(house, "head")
    assert "Z" in desk.get("/process")
    new = [house.receive(phone="+79129999999")]
    for text in (spare(), TEXT):
        house.hub.publish_process(text, *days(), actor=THE_HUB, at=house.clock())
        for path in PAGES:
            assert desk.client.get(path).status_code < 400, path
        for lead in (*old, *new):
            desk.get(f"/leads/{lead}")
            for command in FORMS:
                assert desk.client.get(f"/leads/{lead}/do/{command}").status_code < 500, command

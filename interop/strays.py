"""Deals that did not keep the process, in a department that bench.generate made: ``python -m interop.strays FILE``.

For an hour the company works under a looser process file; then today's is in force again. FILE gets, as JSON, which stages
each of these deals left out: what a conformance check must find by itself.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from bench.generate import UNTIL
from hub.application import THE_HUB
from hub.bootstrap import House, open_house
from hub.config import PACKAGED_PROCESS, load
from hub.domain.aggregate import Actor
from hub.domain.delivery import Address, Delivery
from hub.domain.staff import user_stream

EACH = 3
"""Deals of each kind."""
LOOSER = "".join(f'[[transitions]]\nfrom = "{a}"\nto = "{b}"\n\n' for a, b in (
    ("contact", "scoring"), ("screening", "preparation"), ("preparation", "proposal")))
ANNA = Actor(f"user:{user_stream('anna')}", frozenset({"manager"}))


def main(file: str) -> int:
    """Make the deals and say what is missing in each."""
    with closing(open_house(load(os.environ))) as house:
        text = PACKAGED_PROCESS.read_text(encoding="utf-8")
        loose = text.replace("[[transitions]]", f"{LOOSER}[[transitions]]", 1)
        loose = loose.replace('from = ["scoring", "preparation", "interview", "proposal", "presentation", "follow_up"]\n'
                              'requires = ["scored"]', 'from = ["screening", "scoring", "preparation", "interview", "proposal", '
                              '"presentation", "follow_up"]', 1)
        house.runner.catch_up()
        publish(house, loose, timedelta())
        found = {}
        for n in range(EACH):
            for kind, missing in ((no_screening, ["Первичный отсев"]), (no_scoring, ["Скоринг"]),
                                  (no_interview, ["Глубинное интервью"]), (won_at_once, ["Скоринг"])):
                found[kind(house, timedelta(minutes=10 * n + 5))] = missing
        publish(house, text, timedelta(hours=1))
        house.runner.catch_up()
        named = {f"L-{house.hub.views.leads.one(lead)['number']}": missing for lead, missing in found.items()}
    Path(file).write_text(json.dumps(named, ensure_ascii=False, indent=1), encoding="utf-8")
    print(f"  {len(named)} deals did not keep the process.")
    return 0


def publish(house: House, text: str, later: timedelta) -> None:
    """Put a process in force with the days off of the one before."""
    calendar = house.hub.process.calendar
    house.hub.publish_process(text, calendar.days_off, calendar.working_days, actor=THE_HUB, at=UNTIL + later)
    house.hub.streams.forget_all()


class Deal:
    """One of these deals, worked by Anna."""

    def __init__(self, house: House, later: timedelta) -> None:
        self.house, self.at = house, UNTIL + later
        address = Address("email", f"{uuid4().hex}@stray.example", "")
        delivery = Delivery(channel="website", source="main", source_title="Сайт", name="Прохожий", text="Сайт", raw="Сайт",
                            addresses=(address,), delivery_id=uuid4().hex, payload_digest=uuid4().hex)
        lead = house.hub.receive(delivery, at=self.at).lead
        assert lead is not None
        self.lead: UUID = lead
        self.do("take")

    def do(self, command: str, **arguments: Any) -> None:
        """A command, a second later."""
        self.at += timedelta(seconds=1)
        self.house.hub.do(self.lead, command, arguments, actor=ANNA, at=self.at)

    def screening(self) -> None:
        """Contact taken: the card goes to the screening by itself."""
        self.do("capture_contact", phone=f"+7 903 {self.lead.int % 10**7:07}", timezone="Europe/Moscow")

    def lose(self) -> UUID:
        """Lost."""
        self.do("lose", reason="price", closeness="unknown")
        return self.lead


def no_screening(house: House, later: timedelta) -> UUID:
    """From the contact to the scoring."""
    deal = Deal(house, later)
    deal.do("move", to="scoring")
    return deal.lose()


def no_scoring(house: House, later: timedelta) -> UUID:
    """From the screening to the preparation."""
    deal = Deal(house, later + timedelta(minutes=1))
    deal.screening()
    deal.do("move", to="preparation")
    return deal.lose()


def no_interview(house: House, later: timedelta) -> UUID:
    """From the preparation to the proposal."""
    deal = Deal(house, later + timedelta(minutes=2))
    deal.screening()
    deal.do("finish_screening", criteria_checked=True, progress="meeting")
    deal.do("score", marks=dict.fromkeys(house.hub.process.parameters, 0))
    deal.do("plan_meeting", purpose="interview", starts_at=deal.at + timedelta(days=1), goal="Интервью")
    deal.do("move", to="proposal")
    return deal.lose()


def won_at_once(house: House, later: timedelta) -> UUID:
    """A contract straight from the screening."""
    deal = Deal(house, later + timedelta(minutes=3))
    deal.screening()
    deal.do("win", contract_number="б/н", amount="100000", signed_on=deal.at.date())
    return deal.lead


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

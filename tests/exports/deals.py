"""A small department whose deals went every way that the rules allow, and one that went a way which today's process does not."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from hub.application import THE_HUB
from hub.config import PACKAGED_PROCESS
from hub.domain.staff import User, user_stream
from tests.house import Department, actor, after, days, form, phone, user

NAME, QUOTE = "Аристарх Канарейкин", "цель-канарейка"
FRACTION = 123_457
"""Microseconds that must come back."""
SHORTCUT = '[[transitions]]\nfrom = "contact"\nto = "scoring"\n\n[[transitions]]\nfrom = "new"\nto = "contact"'


def furnish(house: Department) -> dict[str, UUID]:
    """The deals by what became of them."""
    text = PACKAGED_PROCESS.read_text(encoding="utf-8")
    old = text.replace('[[transitions]]\nfrom = "new"\nto = "contact"', SHORTCUT, 1)
    house.hub.publish_process(old, *days(), actor=THE_HUB, at=after(hours=-1))
    deals = {"skipped": skipped(house)}
    house.hub.publish_process(text, *days(), actor=THE_HUB, at=after(minutes=-5))
    house.hub.change(User, user_stream("boris"), lambda u: u.change_roles(("head",), house.hub.process), actor=THE_HUB,
                     at=after(hours=3))
    deals |= {"won": won(house), "lost": lost(house), "refused": refused(house), "spam": spam(house), "back": back(house),
              "reopened": reopened(house), "undone": undone(house), "open": house.new_lead(), "slept": slept(house)}
    deals["merged"], deals["survivor"] = merged(house, 8)
    deals["split"], other = merged(house, 10)
    house.hub.unmerge(other, deals["split"], "Разные заявки", actor=actor("anna"), at=after(hours=2))
    house.do(deals["split"], "lose", reason="price", closeness="second", at=after(hours=3))
    house.runner.catch_up()
    return deals


def skipped(house: Department) -> UUID:
    """Of the time when a card could go to the scoring without a screening."""
    at = after(minutes=-50)
    lead = house.new_lead(at=at)
    house.do(lead, "take", at=at)
    house.do(lead, "move", to="scoring", at=at)
    house.do(lead, "lose", reason="price", closeness="second", at=at + timedelta(minutes=20))
    return lead


def meeting(house: Department, lead: UUID, purpose: str, hours: float) -> None:
    """Planned and held a day later."""
    house.do(lead, "plan_meeting", purpose=purpose, starts_at=after(hours=hours), goal=QUOTE, ours=(user("anna"), NAME),
             at=after(hours=hours - 20))


def held(house: Department, lead: UUID, number: int, hours: float) -> None:
    """What came of it, written down an hour and a half later."""
    house.do(lead, "note", text="Позвонили из машины", at=after(hours=hours + 1.2))
    house.do(lead, "hold_meeting", meeting=number, outcome="closing", text=QUOTE,
             at=after(hours=hours + 1.5, microseconds=FRACTION))


def won(house: Department) -> UUID:
    """All the way: interview, proposal, presentation, three days, follow-up, a contract."""
    lead = house.screened_lead(phone(7_000_001))
    house.score(lead)
    meeting(house, lead, "interview", 24)
    held(house, lead, 1, 24)
    house.do(lead, "state_benefit", text="Больше заявок", kpi="+20 %", at=after(hours=26))
    house.do(lead, "promise_proposal", ready_on=after(days=3).date(), presented=True, at=after(hours=26))
    house.do(lead, "move", to="proposal", at=after(hours=26))
    house.do(lead, "draft_proposal", amount="1500000.50", currency="RUB", valid_until=after(days=60).date(), at=after(hours=27))
    meeting(house, lead, "presentation", 48)
    held(house, lead, 2, 48)
    house.do(lead, "win", contract_number="17", amount="1400000", signed_on=after(days=9).date(), at=after(days=10))
    return lead


def lost(house: Department) -> UUID:
    """In the preparation."""
    lead = house.screened_lead(phone(7_000_002))
    house.score(lead)
    meeting(house, lead, "interview", 24)
    house.do(lead, "lose", reason="price", closeness="second", at=after(hours=5))
    return lead


def refused(house: Department) -> UUID:
    """By the sheet, with a word on why there is no letter."""
    lead = house.screened_lead(phone(7_000_003))
    house.do(lead, "score", marks=dict.fromkeys(house.hub.process.parameters, -1))
    house.do(lead, "refuse", who="vera", without_letter="Сказали по телефону", at=after(hours=1))
    return lead


def spam(house: Department) -> UUID:
    """By a hard criterion, from the contact stage."""
    lead = house.new_lead()
    house.do(lead, "take")
    house.do(lead, "disqualify", criterion="not_a_client")
    return lead


def back(house: Department) -> UUID:
    """Lost until its day, then in follow-up, then lost for good (R29)."""
    lead = house.screened_lead(phone(7_000_004))
    house.do(lead, "lose", reason="price", closeness="second", return_on=after(days=2).date(), at=after(hours=1))
    house.do(lead, "lose", reason="vanished", closeness="never_close", at=after(days=4))
    return lead


def reopened(house: Department) -> UUID:
    """Lost in the scoring, reopened there, and won."""
    lead = house.screened_lead(phone(7_000_005))
    house.do(lead, "lose", reason="price", closeness="second", at=after(hours=1))
    house.do(lead, "reopen", why="Передумали", at=after(hours=2))
    house.score(lead, at=after(hours=3))
    house.do(lead, "win", contract_number="18", amount="100", signed_on=after().date(), at=after(hours=4))
    return lead


def undone(house: Department) -> UUID:
    """A move that was taken back at once."""
    lead = house.new_lead(form(phone(7_000_006)))
    house.do(lead, "take")
    house.do(lead, "capture_contact", phone="+7 912 345-67-90", timezone="Asia/Omsk")
    house.do(lead, "move", to="contact", at=after(hours=1))
    house.do(lead, "undo_move", at=after(hours=1, seconds=5))
    house.do(lead, "lose", reason="price", closeness="second", at=after(hours=2))
    return lead


def slept(house: Department) -> UUID:
    """Asleep, woken, lost."""
    lead = house.screened_lead(phone(7_000_007))
    house.do(lead, "sleep", until=after(days=30).date(), why="Отпуск", at=after(hours=1))
    house.do(lead, "wake", why="Вернулись раньше", at=after(hours=2))
    house.do(lead, "lose", reason="price", closeness="second", at=after(hours=3))
    return lead


def merged(house: Department, number: int) -> tuple[UUID, UUID]:
    """One card goes on in another one."""
    one, other = (house.screened_lead(phone(7_000_000 + n)) for n in (number, number + 1))
    house.runner.catch_up()
    house.hub.merge(other, one, "Одна заявка", actor=actor("anna"), at=after(hours=1))
    return one, other

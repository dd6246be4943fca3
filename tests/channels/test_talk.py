"""What every channel stands on: facts in any order, threads, and who answers for what came before its time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from hub.domain.delivery import Address, Delivery
from hub.domain.fact import Fact, own_name
from tests.house import Department, actor, after, form, phone

CHAT = Address("telegram", "5", "id 5")
ROUTE = {"way": "telegram", "account": "telegram/main", "to": "5"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as house:
        yield house.begin()


def wrote(*addresses: Address, id: str = "1", **fields: object) -> Delivery:
    """A message of a client in a channel."""
    return replace(form(*(addresses or (CHAT,)), id=id), channel="social", source="telegram/main", names=(f"t/{id}",), **fields)


def asked(house: Department) -> UUID:
    """A card on which a manager has asked for an answer."""
    lead = house.new_lead(wrote())
    house.do(lead, "take")
    house.do(lead, "send_message", route=ROUTE, text="Здравствуйте")
    return lead


def said(house: Department, status: str, about: str = "x/1", **fields: str) -> None:
    house.hub.hear(Fact(about=about, kind="message", status=status, **fields), channel="telegram", at=after(minutes=1))


def status(house: Department, lead: UUID) -> str:
    return house.hub.lead(lead).outgoing[1].status


# ── facts ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("order", list(permutations(["sent", "delivered", "read", "failed"]))[::3])
def test_facts_lead_to_the_same_whatever_their_order_and_however_often(house: Department, order: tuple[str, ...]) -> None:
    lead = asked(house)
    house.hub.find_out(lead, lambda one: one.message_sent(1, ("x/1",)), at=after(minutes=1))
    for one in (*order, *order):
        said(house, one)
    assert status(house, lead) == "read"
    version = house.hub.version(lead)
    said(house, "delivered")
    assert house.hub.version(lead) == version


def test_a_bounce_after_it_left_is_failed_and_staff_are_told(house: Department) -> None:
    lead = asked(house)
    house.hub.find_out(lead, lambda one: one.message_sent(1, ("x/1",)), at=after(minutes=1))
    said(house, "failed", code="provider", why="550 no such user")
    assert status(house, lead) == "failed"
    assert house.topics(lead)[-2:] == ["lead.message_failed", "lead.notice_raised"]


def test_a_fact_that_comes_before_its_message_waits_for_it(house: Department) -> None:
    """The provider's callback beats our own commit."""
    lead = asked(house)
    for _ in range(3):
        said(house, "delivered")
    assert status(house, lead) == "asked"
    house.hub.find_out(lead, lambda one: one.message_sent(1, ("x/1",)), at=after(minutes=1))
    assert status(house, lead) == "delivered"


def test_a_fact_by_the_fixed_id_settles_what_a_crash_left_open(house: Department) -> None:
    lead = asked(house)
    house.hub.find_out(lead, lambda one: one.message_unknown(1, "crashed"), at=after(minutes=1))
    assert "reply" not in house.hub.lead(lead).dues
    said(house, "delivered", own_name(house.hub.lead(lead).outgoing[1].fixed_id))
    assert status(house, lead) == "delivered"


def test_facts_about_what_we_never_had_fill_nothing_up(house: Department) -> None:
    head = house.store.head()
    for n in range(60):
        said(house, "failed", "nobody's", why=str(n))
    assert house.store.head() == head + 20


def test_a_fact_of_a_kind_that_nobody_knows_changes_nothing(house: Department) -> None:
    lead = asked(house)
    version = house.hub.version(lead)
    house.hub.hear(Fact(about="t/1", kind="weather"), channel="telegram", at=after(minutes=1))
    assert house.hub.version(lead) == version


# ── threads ──────────────────────────────────────────────────────────────────────────


def test_an_answer_in_a_thread_finds_its_card_from_an_address_that_nobody_knew(house: Department) -> None:
    """R6: a colleague of the client answers our letter; the person is new, the card is not."""
    lead = asked(house)
    letter = own_name(house.hub.lead(lead).outgoing[1].fixed_id)
    taken = house.receive(wrote(Address("email", "other@example.ru"), id="2", threads=("unknown", letter)))
    assert (taken.lead, taken.began) == (lead, False)
    message = house.message(lead, 2)
    assert message.tied_by == "thread"
    assert message.person_id != house.message(lead).person_id
    assert len(house.hub.lead(lead).people) == 2


def test_a_thread_wins_over_an_address_that_finds_another_open_card(house: Department) -> None:
    lead, other = asked(house), house.new_lead(wrote(phone(7), id="7"))
    taken = house.receive(wrote(phone(7), id="8", threads=("t/1",)))
    assert taken.lead == lead
    assert house.receive(wrote(phone(7), id="9")).lead == other  # the address goes on finding its own


def test_a_thread_of_an_ended_card_begins_a_new_one_that_names_it(house: Department) -> None:
    lead = asked(house)
    house.do(lead, "disqualify", criterion="not_a_client", note="спам")
    taken = house.receive(wrote(Address("email", "other@example.ru"), id="2", threads=("t/1",)))
    assert taken.began
    assert taken.lead is not None
    assert house.hub.lead(taken.lead).previous_lead == lead


def test_a_letter_to_two_mailboxes_is_one_delivery(house: Department) -> None:
    one = replace(wrote(), source="email/sales", anywhere=True)
    first, second = house.receive(one), house.receive(replace(one, source="email/info"))
    assert (second.receipt, second.duplicate) == (first.receipt, True)


def test_an_automatic_answer_joins_its_card_and_asks_for_nothing(house: Department) -> None:
    lead = asked(house)
    letter = own_name(house.hub.lead(lead).outgoing[1].fixed_id)
    robot = Address("email", "robot@example.ru")
    taken = house.receive(wrote(robot, id="2", threads=(letter,), automatic=True, text="В отпуске"))
    assert taken.lead == lead
    assert "reply" not in house.hub.lead(lead).dues
    assert house.topics(lead)[-1] == "lead.message_received"


def test_an_automatic_answer_opens_no_card(house: Department) -> None:
    taken = house.receive(wrote(Address("email", "robot@example.ru"), id="2", automatic=True, text="В отпуске"))
    assert (taken.lead, taken.quarantined) == (None, True)
    released = house.hub.release(taken.receipt, actor=actor("anna"), at=after(minutes=1))
    assert released.began  # a person knows better


def test_a_large_body_lies_in_a_file_under_its_senders_key(house: Department) -> None:
    taken = house.receive(replace(wrote(), raw="я" * 400_000))
    state = house.hub.quarantined(taken.receipt)
    assert len(state.raw) < 500
    assert state.subject is not None
    assert house.hub.raw_of(state, state.subject) == "я" * 400_000
    forged = house.hub.quarantined(house.receive(replace(wrote(id="2"), raw="\0kept apart: {}")).receipt)
    assert house.hub.raw_of(forged, taken.receipt) == "\0kept apart: {}"


def test_a_large_body_in_the_quarantine_lies_in_a_file_and_is_read_back_when_it_is_released(house: Department) -> None:
    big = "я" * 400_000
    nameless = replace(wrote(), addresses=(), name="", text="", suspicion="automatic", raw=big)
    taken = house.receive(nameless)
    state = house.hub.quarantined(taken.receipt)
    assert len(state.raw) < 500
    assert house.hub.raw_of(state, taken.receipt) == big
    released = house.hub.release(taken.receipt, actor=actor("anna"), at=after(minutes=1))
    assert released.lead is not None
    assert house.message(released.lead).text == big[:20_000]


# ── asking ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("route", "code"), [
    ({**ROUTE, "to": "6"}, "not_their_address"), ({**ROUTE, "account": ""}, "say_account"),
    ({**ROUTE, "way": "pigeon"}, "no_such_way")])
def test_a_message_goes_to_the_clients_people_and_nowhere_else(house: Department, route: dict[str, str], code: str) -> None:
    lead = asked(house)
    with pytest.raises(Exception) as refusal:
        house.do(lead, "send_message", route=route, text="x")
    assert getattr(refusal.value, "code", "") == code
    assert len(house.hub.lead(lead).outgoing) == 1


def test_a_message_that_left_is_not_sent_again(house: Department) -> None:
    lead = asked(house)
    house.hub.find_out(lead, lambda one: one.message_sent(1, ()), at=after(minutes=1))
    for command in ("send_again", "mark_message"):
        with pytest.raises(Exception, match=r"left or is leaving|known already"):
            house.do(lead, command, message=1)

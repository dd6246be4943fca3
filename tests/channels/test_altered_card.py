"""A card that was altered past the hub stops nobody else's letters: intake, acknowledgements, answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from hub.domain.delivery import Address, Delivery
from hub.domain.fact import Fact
from hub.domain.index import FactWaits
from hub.traffic.acknowledge import Acknowledger
from tests.channels.house import ChannelHouse
from tests.channels.smtp_server import MailServer, mail_server
from tests.channels.test_email_out import ACCOUNT, CLIENT, mailbox


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, server: MailServer) -> Iterator[ChannelHouse]:
    house = ChannelHouse(tmp_path, mailbox(server, acknowledge=["letters"]))
    acknowledger(house).turn(house.clock())
    yield house
    house.close()


def acknowledger(house: ChannelHouse) -> Acknowledger:
    return Acknowledger(house.hub, house.accounts)


def came(house: ChannelHouse, to: str = CLIENT, **more: object) -> UUID:
    name = f"<{uuid4()}@firm.example>"
    base = Delivery(channel="email", source=ACCOUNT, delivery_id=uuid4().hex, payload_digest="x", name="Иван", text="Нужен сайт",
                    addresses=(Address("email", to, to),), names=(name,))
    lead = house.hub.receive(replace(base, **more), at=house.clock()).lead
    assert lead is not None
    return lead


def altered(house: ChannelHouse, lead: UUID) -> None:
    """Somebody spoils its second event in the database; a new process reads it."""
    with house.hub.store.writing() as cursor:
        cursor.execute("UPDATE stored_events SET state = ? WHERE originator_id = ? AND originator_version = 2",
                       (b"{", lead.hex if "Sqlite" in type(house.hub.store).__name__ else lead))
    house.hub.streams.forget_all()


def test_letters_of_others_leave_and_the_client_gets_a_new_card(house: ChannelHouse, server: MailServer) -> None:
    spoiled = came(house)
    assert acknowledger(house).turn(house.clock()) == 1  # waits to be sent
    altered(house, spoiled)
    other = came(house, "other@firm.example")
    again = came(house)
    assert len({spoiled, other, again}) == 3
    assert house.hub.lead(again).previous_lead == spoiled
    assert acknowledger(house).turn(house.clock()) == 1  # the other one's; whether this client had one cannot be read
    assert acknowledger(house).turn(house.clock()) == 0
    house.send(ACCOUNT)
    assert [letter.to for letter in server.came] == [("other@firm.example",)]


def test_a_fact_about_it_waits_and_is_not_lost(house: ChannelHouse) -> None:
    lead = came(house, names=("<first@firm.example>",))
    altered(house, lead)
    fact = Fact(about="<first@firm.example>", kind="read")
    assert house.hub.hear(fact, channel="email", at=house.clock()) is None
    assert [row.topic for row in house.hub.store.tail(0, 10_000)].count(FactWaits.TOPIC) == 1

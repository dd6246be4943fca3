"""The automatic acknowledgement: only where it is switched on, once for a person a day, and never in a loop (RFC 3834)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from hub.domain.delivery import Address, Delivery
from hub.traffic.acknowledge import MOST_AN_HOUR, Acknowledger
from tests.channels.house import ChannelHouse
from tests.channels.smtp_server import MailServer, mail_server
from tests.channels.test_email_out import ACCOUNT, CLIENT, mailbox


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, server: MailServer) -> Iterator[ChannelHouse]:
    house = ChannelHouse(tmp_path, mailbox(server, acknowledge=["letters", "form:main"]))
    acknowledger(house).turn(house.clock())  # from now on
    yield house
    house.close()


def acknowledger(house: ChannelHouse) -> Acknowledger:
    return Acknowledger(house.hub, house.accounts)


def letter(to: str = CLIENT, **more: object) -> Delivery:
    base = Delivery(channel="email", source=ACCOUNT, delivery_id=uuid4().hex, payload_digest="x", name="Иван", text="Нужен сайт",
                    addresses=(Address("email", to, to),), names=("<question@firm.example>",))
    return replace(base, **more)


def came(house: ChannelHouse, delivery: Delivery) -> UUID | None:
    return house.hub.receive(delivery, at=house.clock()).lead


def test_a_letter_and_a_form_are_acknowledged_once_and_the_deadlines_run_on(house: ChannelHouse, server: MailServer) -> None:
    lead = came(house, letter())
    assert lead is not None
    came(house, letter(text="И ещё", names=("<more@firm.example>",)))
    form = Delivery(channel="website", source="main", delivery_id="f", payload_digest="x", text="Сайт",
                    addresses=(Address("email", "form@firm.example", ""),))
    came(house, form)
    assert acknowledger(house).turn(house.clock()) == 2
    assert acknowledger(house).turn(house.clock()) == 0
    house.send(ACCOUNT)
    first, second = server.came
    assert (first.sender, first.to) == ("<>", (CLIENT,))
    assert first.letter["Auto-Submitted"] == "auto-replied"
    assert first.letter["In-Reply-To"] == "<more@firm.example>"
    assert second.to == ("form@firm.example",)
    state = house.hub.lead(lead)
    assert state.outgoing[1].status == "sent"
    assert {"take", "contact"} & set(state.dues)
    assert not state.owner


@pytest.mark.parametrize("delivery", [
    letter("no-reply@firm.example"), letter("mailer-daemon@firm.example"), letter("shop.noreply@firm.example"),
    letter("sales@studio.example"), letter(source="email/other"), letter(channel="website", source="another"),
    letter(test=True), letter(channel="social", source="telegram/main")])
def test_what_must_not_be_answered_is_not(house: ChannelHouse, delivery: Delivery) -> None:
    came(house, delivery)
    assert acknowledger(house).turn(house.clock()) == 0


def test_what_a_program_wrote_is_not_answered(house: ChannelHouse) -> None:
    assert came(house, letter(automatic=True)) is None
    assert acknowledger(house).turn(house.clock()) == 0


def test_what_is_old_or_came_before_it_was_switched_on_is_not_answered(house: ChannelHouse) -> None:
    came(house, letter())
    house.clock.advance(hours=2)
    assert acknowledger(house).turn(house.clock()) == 0


def test_the_same_person_is_answered_once_a_day_whatever_the_card(house: ChannelHouse) -> None:
    def again() -> int:
        lead = came(house, letter(names=(f"<{uuid4().hex}@firm.example>",)))
        assert lead is not None
        asked = acknowledger(house).turn(house.clock())
        house.do(lead, "take")
        house.do(lead, "disqualify", criterion="not_a_client", note="спам")
        return asked
    assert [again(), again(), again()] == [1, 0, 0]
    house.clock.advance(days=1, minutes=1)
    assert again() == 1


def test_strangers_cannot_have_us_write_to_the_whole_world(house: ChannelHouse) -> None:
    one = acknowledger(house)
    for n in range(MOST_AN_HOUR + 5):
        came(house, letter(f"c{n}@firm.example", names=(f"<{n}@firm.example>",)))
    assert sum(one.turn(house.clock()) for _ in range(4)) == MOST_AN_HOUR


def test_switched_off_it_says_nothing(tmp_path: Path, server: MailServer) -> None:
    house = ChannelHouse(tmp_path, mailbox(server))
    came(house, letter())
    assert acknowledger(house).turn(house.clock() + timedelta(seconds=1)) == 0
    house.close()


def test_who_writes_without_a_russian_word_is_answered_in_english(house: ChannelHouse) -> None:
    for n, (text, subject) in enumerate((("Hello, we need a shop", "We have received your request"),
                                         ("Нужен shop на Django", "Мы получили ваше обращение"),
                                         ("+7 912 345-67-89", "Мы получили ваше обращение"))):
        lead = came(house, letter(f"client{n}@firm{n}.example", text=text, name="", names=(f"<{n}@firm.example>",)))
        assert lead is not None
        assert acknowledger(house).turn(house.clock()) == 1
        assert house.hub.lead(lead).outgoing[1].subject_line == subject

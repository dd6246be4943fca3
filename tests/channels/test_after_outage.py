"""The hub was away for half an hour, and every webhook was lost: the providers' own lists bring all of it, each once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from hub.channels.base import Channel
from tests.channels.dovecot import running
from tests.channels.house import ChannelHouse
from tests.channels.telegram_server import TelegramServer
from tests.channels.test_email_in import letter, mailbox
from tests.channels.test_telegram import bot
from tests.channels.test_vk import community
from tests.channels.twilio_requests import account
from tests.channels.twilio_server import TwilioServer
from tests.channels.vk_server import VkServer

DOWN = timedelta(minutes=30)
MOST_LOOKS = 5
"""Looks after which all must be there: the slowest is one a minute, so that it is well within ten minutes."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ChannelHouse]:
    house = ChannelHouse(tmp_path)
    yield house
    house.close()


def comes_back(house: ChannelHouse, channel: Callable[[], Channel], happens: Callable[[], None], expected: set[str]) -> None:
    """The account works, is away while things happen, and takes them in by its next looks."""
    house.use(channel())
    account = house.accounts.pollers()[0].account
    for _ in range(2):
        house.poll(account)
    assert house.leads() == []
    happens()
    house.clock.advance(seconds=DOWN.total_seconds())
    house.accounts.close()
    house.use(channel())  # nothing in memory is left
    for _ in range(MOST_LOOKS):
        house.poll(account)
    found = [m.text or m.key for row in house.leads() for m in house.hub.lead(UUID(row["id"])).messages]
    assert sorted(found) == sorted(expected)
    head = house.head()
    house.accounts.close()
    house.use(channel())
    for _ in range(MOST_LOOKS):
        house.poll(account)
    assert house.head() == head
    house.accounts.close()


def test_telephone(house: ChannelHouse) -> None:
    with TwilioServer(house.clock) as server:
        expected = {f"SMS {n}" for n in range(7)}

        def happens() -> None:
            for n in range(7):
                house.clock.advance(minutes=1)
                expected.add(f"call/{server.add_call(**{'from': f'+7912000000{n}'})['sid']}")
                server.add_message(body=f"SMS {n}", **{"from": f"+7913000000{n}"})
        comes_back(house, lambda: account(server, house.clock), happens, expected)


@pytest.mark.parametrize("mode", ["poll", "callback"])
def test_vk(house: ChannelHouse, mode: str) -> None:
    """VK has forgotten its events as well: only its lists of conversations are left."""
    with VkServer() as server:
        def happens() -> None:
            for n in range(7):
                server.writes(peer=5 + n, text=f"{n}", told=n % 2 == 0)
            server.forgets()
        comes_back(house, lambda: community(server, mode), happens, {f"{n}" for n in range(7)})


def test_telegram(house: ChannelHouse) -> None:
    with TelegramServer() as server:
        def happens() -> None:
            for n in range(120):  # more than one answer of getUpdates holds
                server.writes(chat=5 + n, text=f"{n}")
        comes_back(house, lambda: bot(server, "poll"), happens, {f"{n}" for n in range(120)})
        assert json.loads(house.states.position("telegram/main"))["offset"] > 1000


def test_folders(house: ChannelHouse) -> None:
    user = f"u{uuid4().hex[:12]}"
    with running() as dovecot:
        def happens() -> None:
            dovecot.put(user, *(letter(n) for n in range(4)))
            dovecot.put(user, *(letter(n) for n in range(4, 7)), folder="Заявки")
        dovecot.put(user)
        with dovecot.client(user) as client:
            client.create_folder("Заявки")
        comes_back(house, lambda: mailbox(dovecot.port, user, folders=("INBOX", "Заявки")), happens,
                   {f"Нужен сайт {n}" for n in range(7)})

"""Two processes with the same accounts: one works, and the other takes over once the first has died."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest

from hub.accounts import Accounts
from hub.channels.base import Batch
from hub.traffic import supervisor
from hub.traffic.supervisor import Supervisor
from tests.channels.house import ChannelHouse
from tests.channels.telegram_server import TelegramServer
from tests.channels.test_telegram import ACCOUNT, bot

WAIT = 30.0


class Hanging:
    """A poll that does not come back until it is let go; ``polls`` counts them."""

    def __init__(self) -> None:
        self.begun, self.let_go = Flag(), Flag()
        self.polls = 0

    def __call__(self, position: str) -> Batch:
        self.polls += 1
        self.begun.set()
        self.let_go.wait(WAIT)
        return Batch(position=position)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChannelHouse]:
    for name, seconds in (("LEASE", 0.6), ("HEARTBEAT", 0.05), ("LOOK", 0.02)):
        monkeypatch.setattr(supervisor, name, seconds)
    house = ChannelHouse(tmp_path)
    yield house
    house.close()


class Process:
    """The supervisor of one process, with its own connection to Telegram."""

    def __init__(self, house: ChannelHouse, server: TelegramServer) -> None:
        self.poll = Hanging()
        channel = bot(server, "poll")
        channel.poll = self.poll  # type: ignore[method-assign]
        self.supervisor = Supervisor(house.hub, Accounts({ACCOUNT: channel}), house.clock)
        self.refused = 0
        holds = self.supervisor._holds

        def counted(name: str) -> bool:
            held = holds(name)
            self.refused += not held and name == f"in:{ACCOUNT}"
            return held
        self.supervisor._holds = counted  # type: ignore[method-assign]
        self.stop = Flag()
        self.thread = Thread(target=self.supervisor.run, args=(self.stop,), daemon=True)
        self.thread.start()

    def dies(self) -> None:
        """As by kill -9: it renews nothing any more, and gives nothing back."""
        self.supervisor._held = _Nothing()

    def end(self) -> None:
        self.stop.set()
        self.poll.let_go.set()
        self.thread.join(WAIT)


class _Nothing(dict[str, float]):
    """A dead process holds nothing, whatever it is told."""

    def __setitem__(self, key: str, value: float) -> None:
        pass


def reached(what: Any) -> None:
    for _ in range(3000):
        if what():
            return
        Flag().wait(0.01)
    raise AssertionError("it did not come to that")


def test_a_poll_that_hangs_keeps_its_lease_and_who_dies_is_followed_by_the_other(house: ChannelHouse) -> None:
    with TelegramServer() as server:
        first = Process(house, server)
        assert first.poll.begun.wait(WAIT)
        second = Process(house, server)
        try:
            reached(lambda: second.refused > 100)  # three leases long: without the heartbeat it would have got it
            assert (first.poll.polls, second.poll.polls) == (1, 0)
            first.dies()
            assert second.poll.begun.wait(WAIT)
            first.poll.let_go.set()  # what was cut off comes back and finds that it is not its turn any more
            before = first.refused
            reached(lambda: first.refused > before + 20)
            assert (first.poll.polls, second.poll.polls) == (1, 1)
        finally:
            first.end()
            second.end()

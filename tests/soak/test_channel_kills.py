"""The hub is killed again and again while clients write over Telegram and VK and managers answer: nothing is lost or doubled.

``SOAK_CHANNEL_KILLS=300 make soak`` kills more often.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import UUID, uuid4

import pytest

from hub.bootstrap import House, publish_process
from hub.domain import events as e
from hub.domain.aggregate import Actor
from hub.domain.errors import Refused
from hub.store import Conflict, Unavailable
from hub.traffic.state import States
from tests.channels.telegram_server import TOKEN as TELEGRAM_TOKEN
from tests.channels.telegram_server import TelegramServer
from tests.channels.vk_server import CODE, GROUP, VkServer
from tests.channels.vk_server import TOKEN as VK_TOKEN
from tests.serving import Serving, opened, until

pytestmark = pytest.mark.soak

KILLS = int(os.environ.get("SOAK_CHANNEL_KILLS", "100"))
SECRET = "the-secret-of-soak_1"
FILE = """
[telegram.main]
token = "{telegram_token}"
secrets = ["{secret}"]
mode = "poll"
api = "{telegram}"

[vk.main]
group = {group}
token = "{vk_token}"
secrets = ["{secret}"]
confirmation = "{code}"
mode = "poll"
api = "{vk}"
"""
PEOPLE = 40
"""Clients of each channel."""


class Clients:
    """Clients who write over both channels; what they write also comes by the webhooks, repeated and out of order."""

    def __init__(self, telegram: TelegramServer, vk: VkServer, port: int) -> None:
        self._telegram, self._vk, self._port = telegram, vk, port
        self._chance = random.Random(1)
        self.sent: list[str] = []
        self.repeats = self.forged = self.unanswered = 0

    def go_on(self, over: threading.Event) -> None:
        """Write until it is over."""
        recent: list[tuple[str, Any]] = []
        while not over.wait(self._chance.uniform(0.02, 0.12)):
            text = f"in-{len(self.sent)}"
            self.sent.append(text)
            if self._chance.random() < 0.5:
                recent.append(("telegram", self._telegram.writes(1000 + self._chance.randrange(PEOPLE), text)))
            else:
                told = self._chance.random() > 0.1
                event = self._vk.writes(1000 + self._chance.randrange(PEOPLE), text, told=told)
                if told:
                    recent.append(("vk", event))
            recent = recent[-8:]
            for kind, item in self._chance.sample(recent, min(2, len(recent))):
                self._call(kind, item, SECRET)
                self.repeats += 1
            if self._chance.random() < 0.1 and recent:
                self._call(*recent[-1], "a-forged-secret_1")
                self.forged += 1

    def _call(self, kind: str, item: dict[str, Any], secret: str) -> None:
        headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret}
        body = json.dumps(item if kind == "telegram" else {**item, "secret": secret}).encode()
        try:
            with urlopen(Request(f"http://127.0.0.1:{self._port}/hooks/{kind}/main", body, headers), timeout=3):
                pass
        except OSError:
            self.unanswered += 1


class Managers:
    """They take every card and answer it several times."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._actor = Actor(f"user:{uuid4()}", frozenset({"manager", "head"}))
        self._position = 0
        self._reach: dict[UUID, tuple[str, str]] = {}
        self._taken: set[UUID] = set()
        self._chance = random.Random(2)
        self.asked: dict[str, tuple[UUID, str]] = {}

    def go_on(self, over: threading.Event) -> None:
        """Answer until it is over."""
        while not over.wait(0.1):
            self._look()
            for lead, (kind, to) in self._chance.sample(sorted(self._reach.items()), min(2, len(self._reach))):
                self._answer(lead, kind, to)

    def _look(self) -> None:
        while rows := self._house.store.log(self._position, 500):
            self._position = rows[-1][0]
            for _, event in rows:
                if isinstance(event, e.AddressAdded) and (event.value.isdigit() or event.value.startswith("id")):
                    self._reach[event.originator_id] = event.kind, event.value

    def _answer(self, lead: UUID, kind: str, to: str) -> None:
        text = f"out-{len(self.asked)}"
        try:
            if lead not in self._taken:
                self._house.hub.do(lead, "take", {}, actor=self._actor, at=datetime.now(UTC))
                self._taken.add(lead)
            route = {"way": kind, "account": f"{kind}/main", "to": to}
            self._house.hub.do(lead, "send_message", {"route": route, "text": text}, actor=self._actor, at=datetime.now(UTC))
        except (Refused, Conflict, Unavailable):
            return
        self.asked[text] = lead, kind


@contextmanager
def at_work(*workers: Any) -> Iterator[None]:
    """These go on in threads while the block runs."""
    over = threading.Event()
    threads = [threading.Thread(target=worker.go_on, args=(over,)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def stored(house: House) -> tuple[Counter[str], dict[str, str]]:
    """How often each text of a client is stored, and what is known of each message of ours, by its text."""
    came: Counter[str] = Counter()
    leads = set()
    position = 0
    while rows := house.store.log(position, 2_000):
        position = rows[-1][0]
        for _, event in rows:
            if isinstance(event, e.MessageReceived):
                came[event.text] += 1
                leads.add(event.originator_id)
    return came, {m.text: m.status for lead in leads for m in house.hub.lead(lead).outgoing.values()}


def freed(house: House) -> None:
    """The dead process's leases have run out: the test does not wait for them."""
    with house.store.views.writing() as cursor:
        cursor.execute("DELETE FROM leases")


def test_kill_9_while_clients_and_managers_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(3)
    with ExitStack() as stack:
        telegram, vk = stack.enter_context(TelegramServer()), stack.enter_context(VkServer())
        accounts = tmp_path / "channels.toml"
        accounts.write_text(FILE.format(telegram_token=TELEGRAM_TOKEN, vk_token=VK_TOKEN, secret=SECRET, group=GROUP, code=CODE,
                                        telegram=telegram.url, vk=vk.url), encoding="utf-8")
        house = stack.enter_context(closing(opened(tmp_path)))
        publish_process(house, datetime.now(UTC))
        server = stack.enter_context(Serving(tmp_path, HUB_CHANNELS_FILE=str(accounts)))
        clients, managers = Clients(telegram, vk, server.port), Managers(house)
        positions = States(house.store)
        server.start()
        until(lambda: bool(positions.position("vk/main")), why="the account has begun")
        server.kill()
        freed(house)
        with at_work(clients, managers):
            for _ in range(KILLS):
                server.start()
                time.sleep(chance.uniform(0, 1.5))
                server.kill()
                freed(house)
        server.start()
        until(lambda: set(clients.sent) <= set(stored(house)[0]), 120, "everything is taken in")
        until(lambda: "asked" not in stored(house)[1].values(), 300, "everything is sent")
        came, out = stored(house)
        server.kill()
    had = Counter(m["text"] for m in (*telegram.sent, *vk.sent))
    lost, twice = set(clients.sent) - set(came), [text for text, n in came.items() if n > 1]
    out_twice = [text for text, n in had.items() if n > 1]
    out_lost = [text for text in managers.asked if out.get(text) == "sent" and not had[text]]
    states = Counter((kind, out.get(text, "nothing")) for text, (_, kind) in managers.asked.items())
    with capsys.disabled():
        print(f"\nkills {KILLS}; in: written {len(clients.sent)}, by webhook as well {clients.repeats} (unanswered "
              f"{clients.unanswered}, forged {clients.forged}), stored {came.total()}, lost {len(lost)}, twice {len(twice)}\n"
              f"out: asked {len(managers.asked)}, {dict(states)}, lost {len(out_lost)}, twice {len(out_twice)}")
    assert (sorted(lost), twice) == ([], [])
    assert (out_lost, out_twice) == ([], [])
    assert {status for (kind, status) in states if kind == "vk"} == {"sent"}  # VK knows repeats by their random_id
    assert {status for (kind, status) in states if kind == "telegram"} <= {"sent", "unknown"}

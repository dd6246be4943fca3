"""The hub is killed again and again while clients write over every channel and managers answer: nothing is lost or doubled.

``SOAK_CHANNEL_KILLS=300 make soak`` kills more often; each store has so many.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.bootstrap import House
from hub.domain import events as e
from hub.domain.aggregate import Actor
from hub.domain.errors import Refused
from hub.store import Conflict, Unavailable
from hub.traffic.state import States
from tests.channels.dovecot import PASSWORD
from tests.channels.dovecot import running as dovecot_running
from tests.channels.smtp_server import MailServer, mail_server
from tests.channels.telegram_server import TOKEN as TELEGRAM_TOKEN
from tests.channels.telegram_server import TelegramServer
from tests.channels.twilio_server import ACCOUNT, NUMBER, TwilioServer
from tests.channels.twilio_server import TOKEN as TWILIO_TOKEN
from tests.channels.vk_server import CODE, GROUP, VkServer
from tests.channels.vk_server import TOKEN as VK_TOKEN
from tests.serving import make_form, opened, until
from tests.soak.doors import SECRET, Door, EmailDoor, PhoneDoor, TelegramDoor, VkDoor, WebsiteDoor
from tests.soak.forked import Forked

pytestmark = [pytest.mark.soak, pytest.mark.usefixtures("both_stores")]

KILLS = int(os.environ.get("SOAK_CHANNEL_KILLS", "100"))
"""Of each store."""
USER = "soak"
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

[twilio.main]
account_sid = "{twilio_account}"
tokens = ["{twilio_token}"]
number = "{number}"
api = "{twilio}"

[email.main]
address = "info@studio.example"
user = "{user}"
password = "{password}"
imap = "127.0.0.1"
imap_port = {imap}
imap_security = "none"

[email.out]
address = "sales@studio.example"
smtp = "127.0.0.1"
smtp_port = {smtp}
smtp_security = "none"
"""
ROUTES = {"telegram": ("telegram", "telegram/main"), "vk": ("vk", "vk/main"), "phone": ("sms", "twilio/main"),
          "email": ("email", "email/out")}
"""How an address of each kind is answered: the way, and the account."""


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
        while not over.wait(0.5):
            self._look()
            for lead, (kind, to) in self._chance.sample(sorted(self._reach.items()), min(2, len(self._reach))):
                self._answer(lead, kind, to)

    def _look(self) -> None:
        while rows := self._house.store.log(self._position, 500):
            self._position = rows[-1][0]
            for _, event in rows:
                if isinstance(event, e.AddressAdded) and (event.kind != "telegram" or event.value.isdigit()):
                    self._reach[event.originator_id] = event.kind, event.value

    def _answer(self, lead: UUID, kind: str, to: str) -> None:
        text = f"out-{len(self.asked)}"
        try:
            if lead not in self._taken:
                self._house.hub.do(lead, "take", {}, actor=self._actor, at=datetime.now(UTC))
                self._taken.add(lead)
            way, account = ROUTES[kind]
            asked = {"route": {"way": way, "account": account, "to": to}, "text": text,
                     **({"subject": "Сайт"} if way == "email" else {})}
            self._house.hub.do(lead, "send_message", asked, actor=self._actor, at=datetime.now(UTC))
        except (Refused, Conflict, Unavailable):
            return
        self.asked[text] = lead, kind


@contextmanager
def at_work(*workers: Any) -> Iterator[None]:
    """These go on in threads while the block runs."""
    over = threading.Event()
    with ThreadPoolExecutor(len(workers)) as pool:
        going = [pool.submit(worker.go_on, over) for worker in workers]
        try:
            yield
        finally:
            over.set()
        for one in going:
            one.result()  # who stopped early must be known


def stored(house: House) -> tuple[Counter[str], dict[str, str]]:
    """How often each entry of a client is stored, and what is known of each message of ours, by its text."""
    came: Counter[str] = Counter()
    leads = set()
    position = 0
    while rows := house.store.log(position, 2_000):
        position = rows[-1][0]
        for _, event in rows:
            if isinstance(event, e.MessageReceived):
                came[event.text or event.named] += 1
                leads.add(event.originator_id)
    return came, {m.text: m.status for lead in leads for m in house.hub.lead(lead).outgoing.values()}


def freed(house: House) -> None:
    """The dead process's leases have run out: the test does not wait for them."""
    with house.store.views.writing() as cursor:
        cursor.execute("DELETE FROM leases")


def arrived(telegram: TelegramServer, vk: VkServer, twilio: TwilioServer, mail: MailServer) -> Counter[str]:
    """How often each answer of ours has reached its client."""
    letters = [re.findall(r"out-\d+", came.letter.get_body(("plain",)).get_content())[0]  # type: ignore[union-attr]
               for came in mail.came]
    sms = [m["body"] for m in twilio.messages if m["direction"] == "outbound-api"]
    return Counter([*(m["text"] for m in (*telegram.sent, *vk.sent)), *sms, *letters])


def test_kill_9_while_clients_and_managers_write(tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(3)
    with ExitStack() as stack:
        telegram, vk = stack.enter_context(TelegramServer()), stack.enter_context(VkServer())
        twilio, dovecot = stack.enter_context(TwilioServer()), stack.enter_context(dovecot_running())
        twilio.page = 200
        mail = stack.enter_context(mail_server())
        dovecot.put(USER)
        accounts = tmp_path / "channels.toml"
        accounts.write_text(FILE.format(
            telegram_token=TELEGRAM_TOKEN, vk_token=VK_TOKEN, secret=SECRET, group=GROUP, code=CODE, telegram=telegram.url,
            vk=vk.url, twilio_account=ACCOUNT, twilio_token=TWILIO_TOKEN, number=NUMBER, twilio=twilio.url, user=USER,
            password=PASSWORD, imap=dovecot.port, smtp=mail.port), encoding="utf-8")
        make_form(tmp_path)
        house = stack.enter_context(closing(opened(tmp_path)))
        server = stack.enter_context(Forked(tmp_path, HUB_CHANNELS_FILE=str(accounts)))
        server.settings["HUB_PUBLIC_URL"] = f"http://localhost:{server.port}"
        site = WebsiteDoor(server.port)
        doors: list[Door] = [site, PhoneDoor(server.port, twilio), VkDoor(server.port, vk), TelegramDoor(server.port, telegram),
                             EmailDoor(server.port, dovecot, USER)]
        managers, positions = Managers(house), States(house.store)
        server.start()
        until(lambda: all(positions.position(account) for account in ("vk/main", "twilio/main")), why="the accounts have begun")
        server.kill()
        freed(house)
        with at_work(*doors, managers):
            for _ in range(KILLS):
                server.start()
                time.sleep(chance.uniform(0, 1.5))
                server.kill()
                freed(house)
        server.start()
        site.finish()
        sent = {text for door in doors for text in door.sent}
        until(lambda: sent <= set(stored(house)[0]), 300, "everything is taken in")
        until(lambda: "asked" not in stored(house)[1].values(), 600, "everything is sent")
        came, out = stored(house)
        server.kill()
        had = arrived(telegram, vk, twilio, mail)
    lines, wrong = [], []
    for door in doors:
        lost, twice = [t for t in door.sent if not came[t]], [t for t in door.sent if came[t] > 1]
        wrong += lost + twice
        lines.append(f"| {door.name} | {len(door.sent)} | {door.did['brought']} | {door.did['repeated']} | "
                     f"{door.did['out of order']} | {door.did['forged'] if door.forgeable else '—'} | {door.did['cut']} | "
                     f"{door.did['nobody there']} | {len(lost)} | {len(twice)} |")
        assert door.did["forged and taken"] == 0
    states = Counter((kind, out.get(text, "nothing")) for text, (_, kind) in managers.asked.items())
    out_twice = [text for text, n in had.items() if n > 1]
    out_lost = [text for text in managers.asked if out.get(text) == "sent" and not had[text]]
    with capsys.disabled():
        print(f"\n{'PostgreSQL' if database_url else 'SQLite'}, kills {KILLS}\n"
              "| channel | written | brought | of these repeated | out of order | forged, refused | cut | nobody there | lost | "
              "twice |")
        print("\n".join(lines))
        print(f"out: asked {len(managers.asked)}, {dict(states)}, lost {len(out_lost)}, twice {len(out_twice)}", flush=True)
    assert wrong == []
    assert set(came) == sent  # nothing that was forged
    assert (out_lost, out_twice) == ([], [])
    assert {status for (kind, status) in states if kind == "vk"} == {"sent"}  # VK knows repeats by their random_id
    assert {status for (kind, status) in states if kind != "vk"} <= {"sent", "unknown"}

"""A whole hub with channel accounts: its webhooks, and the senders, pollers and fetchers that the worker runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from hub.accounts import Accounts
from hub.application import LeadHub
from hub.channels.base import Channel, Request
from hub.store import Unavailable
from hub.traffic.inbound import read_again
from hub.traffic.outbox import Sender
from hub.traffic.polling import Fetcher, Poller
from hub.traffic.state import States
from hub.web.health import Readiness
from tests.web.house import Clock, House, ready_house


class ChannelHouse:
    """One opening of a folder. ``restart`` is what a new process would be: nothing in memory is left."""

    def __init__(self, folder: Path, *channels: Channel) -> None:
        self.house: House = ready_house(folder)
        self.use(*channels)

    def use(self, *channels: Channel) -> None:
        """These accounts are set up, and no others; senders and pollers start anew."""
        self.accounts = Accounts({channel.account: channel for channel in channels})
        app = self.house.app
        app.extensions["hub"] = replace(app.extensions["hub"], accounts=self.accounts)
        app.extensions["readiness"] = Readiness(app.extensions["hub"], 0.0)
        self.states = States(self.hub.store)
        self.restart()

    @contextmanager
    def full_after(self, deliveries: int) -> Iterator[None]:
        """The disk has room for so many deliveries more; the poll that brings another one fails."""
        receive, left = self.hub.receive, [deliveries]

        def failing(*args: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Unavailable("full")
            return receive(*args, **more)
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(self.hub, "receive", failing)
            with pytest.raises(Unavailable):
                yield

    def restart(self) -> None:
        """Senders and pollers as a new process has them."""
        self.sender = Sender(self.hub, self.states, self.clock)
        self.poller = Poller(self.hub, self.states, self.clock)
        self.fetcher = Fetcher(self.hub, self.clock)

    @property
    def hub(self) -> LeadHub:
        return self.house.hub

    @property
    def clock(self) -> Clock:
        return self.house.clock

    # ── in ───────────────────────────────────────────────────────────────────────

    def call(self, request: Request, account: str = "") -> TestResponse:
        """The provider calls the webhook with this request; to the first account where none is named."""
        path = f"/hooks/{account or next(iter(self.accounts))}" + (f"/{request.tail}" if request.tail else "")
        return self.house.app.test_client().open(path, method=request.method, data=request.body, query_string=request.query,
                                                 headers=dict(request.headers))

    @contextmanager
    def listening(self) -> Iterator[str]:
        """The hub over real HTTP; its address."""
        server = make_server("127.0.0.1", 0, self.house.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def poll(self, account: str) -> bool:
        """One batch of an account."""
        return self.poller.turn(self.accounts[account])

    # ── out ──────────────────────────────────────────────────────────────────────

    def send(self, account: str) -> int:
        """What the sending thread of an account does once."""
        self.house.settle()
        done = self.sender.turn(self.accounts[account])
        self.house.settle()
        return done

    def fetch(self, account: str) -> int:
        """What is to be fetched, once."""
        self.house.settle()
        done = self.fetcher.turn(self.accounts[account])
        self.house.settle()
        return done

    def do(self, lead: UUID, command: str, login: str = "manager", **arguments: Any) -> None:
        """Somebody of ours gives a command."""
        self.hub.do(lead, command, arguments, actor=self.house.actor(login), at=self.clock())

    # ── what is there ────────────────────────────────────────────────────────────

    def head(self) -> int:
        """How much is stored."""
        return self.hub.store.head()

    def leads(self) -> list[Any]:
        """Rows of all cards, in order of arrival."""
        self.house.settle()
        return self.hub.views.leads.rows("1 = 1", order="number")

    def came(self) -> int:
        """Deliveries of all accounts."""
        self.house.settle()
        return sum(t.n for (_, what), t in self.hub.views.channels.traffic().items() if what == "came")

    def dead_letters(self) -> list[UUID]:
        """Dead letters that wait, the newest first."""
        self.house.settle()
        return [UUID(row["id"]) for row in self.hub.views.channels.dead_letters()]

    def read_again(self, letter: UUID) -> UUID | None:
        """A person has a dead letter read again."""
        return read_again(self.hub, self.accounts, letter, actor=self.house.actor("manager"), at=self.clock())

    def topics(self, lead: UUID) -> list[str]:
        """Everything of a lead that talks, by topic."""
        kinds = ("lead.message_", "lead.file_", "lead.fetch_")
        return [event.TOPIC for event in self.hub.history(lead) if event.TOPIC.startswith(kinds)]

    def close(self) -> None:
        self.accounts.close()
        self.house.close()

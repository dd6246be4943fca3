"""Runs all channel accounts: a thread for each that polls and one that sends and fetches. One that is broken rests, longer
each time, says why in the table of states, and stops nobody else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from threading import Event as Flag
from threading import Thread
from time import monotonic
from uuid import uuid4

from hub.accounts import Accounts
from hub.application import LeadHub
from hub.channels.base import Channel, Trouble
from hub.store import Unavailable
from hub.traffic.inbound import where
from hub.traffic.outbox import Sender
from hub.traffic.polling import Fetcher, Poller
from hub.traffic.state import States

log = logging.getLogger(__name__)

LEASE = 8.0
"""Seconds after which another process takes an account over from one that died."""
HEARTBEAT = 2.0
"""Seconds between two renewals, by a thread of its own: a request to a provider may take longer than the lease."""
LOOK = 1.0
"""Seconds between two looks at the outbox where no event wakes it."""
STOPS_WITHIN = 5.0
"""Seconds that threads get to end; what they are at is safe to be cut."""


class Supervisor:
    """All accounts of one process. Several processes share them by leases."""

    def __init__(self, hub: LeadHub, accounts: Accounts, clock: Callable[[], datetime]) -> None:
        self.hub = hub
        self.accounts = accounts
        self.clock = clock
        self.states = States(hub.store)
        self.sender = Sender(hub, self.states, clock, accounts.public_url)
        self.poller = Poller(hub, self.states, clock)
        self.fetcher = Fetcher(hub, clock)
        self.me = uuid4().hex
        self._held: dict[str, float] = {}

    def run(self, stop: Flag) -> None:
        """Work until ``stop`` is set."""
        if not self.accounts:
            stop.wait()
            return
        loops = [partial(self._loop, channel, "in", self._poll) for channel in self.accounts.pollers()]
        loops += [partial(self._loop, channel, "out", self._send) for channel in self.accounts.values()]
        threads = [Thread(target=loop, args=(stop,), daemon=True, name=f"channel {loop.args[0].account}") for loop in loops]
        threads.append(Thread(target=self._renew, args=(stop,), daemon=True, name="channel leases"))
        for thread in threads:
            thread.start()
        stop.wait()
        for thread in threads:
            thread.join(STOPS_WITHIN)
        self.accounts.close()

    def _loop(self, channel: Channel, direction: str, turn: Callable[[Channel, Flag], None], stop: Flag) -> None:
        name = f"{direction}:{channel.account}"
        while not stop.is_set():
            try:
                if not self._holds(name):
                    stop.wait(LOOK)
                    continue
                turn(channel, stop)
            except Unavailable as error:
                log.warning("%s rests, the store is unavailable: %s", name, error)
                stop.wait(LOOK)
            except Exception as error:
                stop.wait(self._failed(channel, direction, error))
        try:
            self.hub.store.leases.free(name, self.me)
        except Unavailable:
            log.warning("%s: the lease was not given back", name)

    def _holds(self, name: str) -> bool:
        """Whether the lease is ours, taken now or renewed a moment ago."""
        now = monotonic()
        if now < self._held.get(name, now):
            return True
        self._held.pop(name, None)
        if not self.hub.store.leases.hold(name, self.me, LEASE):
            return False
        self._held[name] = now + LEASE
        return True

    def _renew(self, stop: Flag) -> None:
        """Go on holding what is ours; what could not be renewed in time is not ours any more."""
        while not stop.wait(HEARTBEAT):
            names, until = list(self._held), monotonic() + LEASE
            try:
                kept = self.hub.store.leases.hold_all(names, self.me, LEASE) if names else frozenset()
            except Unavailable as error:
                log.warning("the leases of the channels were not renewed: %s", error)
                continue
            for name in names:
                if name in kept:
                    self._held[name] = until
                else:
                    self._held.pop(name, None)

    def _failed(self, channel: Channel, direction: str, error: Exception) -> float:
        """Note it; for how long the account rests."""
        why, seconds = (error.why, error.seconds) if isinstance(error, Trouble) else (where(error), 0.0)
        log.warning("%s (%s) does not work: %s", channel.account, direction, why)
        try:
            return self.states.failed(channel.account, direction, self.clock(), why, seconds)
        except Unavailable:
            return LOOK

    def _poll(self, channel: Channel, stop: Flag) -> None:
        if not self.poller.turn(channel) and not stop.is_set():
            channel.rest(stop, channel.pause)

    def _send(self, channel: Channel, stop: Flag) -> None:
        head = self.hub.store.head()
        name = f"out:{channel.account}"
        done = self.sender.turn(channel, lambda: not stop.is_set() and self._holds(name))
        if channel.ways and (done or self.states.of(channel.account, "out").failing_since is not None):
            self.states.worked(channel.account, "out", self.clock(), moved=done > 0)
        self.fetcher.turn(channel)
        if not done:
            self.hub.store.wait_for_append(head, LOOK)
            stop.wait(0.05)  # the read models are a moment behind the log


def failing_accounts(states: States, accounts: Accounts) -> dict[str, str]:
    """Accounts that do not work now, and why: for /readyz. They never make the hub itself unready."""
    failing = (c for c in states.all() if c.failing_since is not None and c.account in accounts)
    return {f"{c.account} ({c.direction})": c.reason for c in failing}

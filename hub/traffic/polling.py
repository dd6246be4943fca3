"""Asking providers what is new: every item is stored before the position moves, and the position before anything is marked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from hub.application import LeadHub
from hub.channels.base import Channel, NotThere, Trouble
from hub.domain import events as e
from hub.domain.delivery import Later
from hub.store.base import EventStore
from hub.traffic.inbound import take_fetched, where
from hub.traffic.state import FIRST_PAUSE, LONGEST_PAUSE, States

log = logging.getLogger(__name__)

FETCH_TRIES = 20
"""How often a file is tried before it is said that it cannot be had: with growing pauses for about an hour."""


class Poller:
    """Polls any account; one thread for each calls :meth:`turn` while it holds the account's lease."""

    def __init__(self, hub: LeadHub, states: States, clock: Callable[[], datetime]) -> None:
        self.hub = hub
        self.states = states
        self.clock = clock

    def turn(self, channel: Channel) -> bool:
        """Take in one batch; whether to ask again at once. :raises Trouble: the channel does not work now."""
        before = self.states.position(channel.account)
        batch = channel.poll(before)
        for item in batch.items:
            take_fetched(self.hub, channel, item)
        if batch.position != before:
            self.states.move(channel.account, batch.position, self.clock())
        try:
            batch.done()
        except Trouble:
            raise
        except Exception as error:  # it is stored: what is not marked is seen again and known
            log.warning("%s: what was taken in could not be marked: %s", channel.account, where(error))
        self.states.worked(channel.account, "in", self.clock(), moved=bool(batch.items))
        return batch.more


class Fetcher:
    """Fetches what deliveries left with their providers."""

    def __init__(self, hub: LeadHub, clock: Callable[[], datetime]) -> None:
        self.hub = hub
        self.clock = clock
        self.tries = FetchTries(hub.store)

    def turn(self, channel: Channel) -> int:
        """Try everything of an account that is due, each once; how many are done with."""
        done = 0
        for row in self.hub.views.outbox.to_fetch(channel.account):
            done += self._one(channel, UUID(row["lead"]), row["number"])
        return done

    def _one(self, channel: Channel, lead: UUID, number: int) -> bool:
        id, now = f"{lead.hex}/{number}", self.clock()
        tries, next_at = self.tries.get(id)
        if next_at is not None and next_at > now:
            return False
        fetch = self.hub.lead(lead).fetches.get(number)
        if fetch is None or fetch.status != "asked":
            return True
        try:
            found = channel.fetch(Later(fetch.kind, fetch.ref, fetch.name, fetch.content_type, fetch.size))
        except NotThere as gone:
            code = gone.code
            self.hub.find_out(lead, lambda one: one.not_fetched(number, code), at=now)
        except Exception as error:
            why = error.why if isinstance(error, Trouble) else where(error)
            log.warning("%s: something could not be fetched: %s", channel.account, why)
            if tries + 1 < FETCH_TRIES:
                self.tries.later(id, now + timedelta(seconds=min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** tries)), why)
                return False
            self.hub.find_out(lead, lambda one: one.not_fetched(number, "tried_long"), at=now)
        else:
            if found.file is None:
                self.hub.find_out(lead, lambda one: one.person_fetched(number, found.name, found.timezone, found.place), at=now)
            else:
                file, owner = found.file, fetch.person_id or lead
                ref = e.FileRef(self.hub.files.put(file.data, owner), file.name[:200], file.content_type[:100], len(file.data))
                self.hub.find_out(lead, lambda one: one.file_fetched(number, ref), at=now)
        self.tries.forget(id)
        return True


class FetchTries:
    """When something is to be tried again."""

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def get(self, id: str) -> tuple[int, datetime | None]:
        """How often it was tried, and when it is due again."""
        with self.store.reading() as cursor:
            cursor.execute("SELECT tries, next_at FROM fetch_tries WHERE id = ?", (id,))
            row = cursor.fetchone()
        return (row["tries"], datetime.fromisoformat(row["next_at"])) if row is not None else (0, None)

    def later(self, id: str, next_at: datetime, reason: str) -> None:
        """Not before ``next_at``."""
        with self.store.writing() as cursor:
            cursor.execute("INSERT INTO fetch_tries VALUES (?, 1, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                           "tries = fetch_tries.tries + 1, next_at = excluded.next_at, reason = excluded.reason",
                           (id, next_at.isoformat(), reason[:300]))

    def forget(self, id: str) -> None:
        """It is done with."""
        with self.store.writing() as cursor:
            cursor.execute("DELETE FROM fetch_tries WHERE id = ?", (id,))

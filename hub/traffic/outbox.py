"""Sending what was asked for: never twice, never lost (R31).

Before a request goes out, a claim is committed; after it, what came of it is a fact on the lead. Who finds a claim of a
sender that died asks the provider; where that cannot be asked, the message is said to be unknown and a person
decides. Where the provider recognises repeats by the fixed id, it is simply sent again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from hub.application import LeadHub
from hub.channels.base import Channel, Failed, Outgoing, Result, Retry, Sent, Trouble, Unknown
from hub.domain.delivery import File
from hub.domain.event import ERASED
from hub.store import Unreadable
from hub.store.base import EventStore
from hub.traffic.inbound import where
from hub.traffic.removals import Removals
from hub.traffic.staff import StaffMessages
from hub.traffic.state import FIRST_PAUSE, LONGEST_PAUSE, States
from hub.traffic.telephony import LeadCalls

log = logging.getLogger(__name__)

TRIED_FOR = timedelta(hours=24)
"""After this time without success a message fails."""


class FileGone(Exception):
    """A file of a message cannot be read any more."""


class Source(Protocol):
    """Whose messages they are: reads one, and records what became of it. Recording is idempotent."""

    def load(self, stream: UUID, number: int) -> Outgoing | None:
        """The message; None where nothing is left to do about it. Raises :class:`FileGone`."""

    def sent(self, stream: UUID, number: int, names: tuple[str, ...], at: datetime) -> None:
        """It left."""

    def failed(self, stream: UUID, number: int, code: str, why: str, at: datetime) -> None:
        """It will not."""

    def unknown(self, stream: UUID, number: int, code: str, why: str, at: datetime) -> None:
        """Nobody can say."""


class LeadMessages:
    """Messages to clients, asked for on leads."""

    def __init__(self, hub: LeadHub) -> None:
        self.hub = hub

    def load(self, stream: UUID, number: int) -> Outgoing | None:
        lead = self.hub.lead(stream)
        message = lead.outgoing.get(number)
        if message is None or message.settled or message.to == ERASED:
            return None  # somebody is being erased: what was asked for is about to be ended
        files = []
        for ref in message.files:
            data = self.hub.files.get(ref.digest, lead.own_subject(stream))
            if data is None:
                raise FileGone
            files.append(File(ref.name, ref.content_type, data))
        first = message
        while first.again:
            first = lead.outgoing[first.again]
        return Outgoing(UUID(message.fixed_id), message.way, message.to, message.text, message.subject_line, message.html,
                        tuple(files), message.answers, message.at, UUID(first.fixed_id), message.automatic,
                        lead.invitations.get(first.id))

    def sent(self, stream: UUID, number: int, names: tuple[str, ...], at: datetime) -> None:
        self.hub.find_out(stream, lambda lead: lead.message_sent(number, names), at=at)

    def failed(self, stream: UUID, number: int, code: str, why: str, at: datetime) -> None:
        self.hub.find_out(stream, lambda lead: lead.message_failed(number, code, why), at=at)

    def unknown(self, stream: UUID, number: int, code: str, why: str, at: datetime) -> None:
        self.hub.find_out(stream, lambda lead: lead.message_unknown(number, code, why), at=at)


@dataclass(frozen=True)
class Try:
    """How far a message has come. ``state``: ``claimed`` (a request may be out), ``waiting`` (for ``next_at``)."""

    state: str
    part: int
    names: tuple[str, ...]
    tries: int
    first_at: datetime
    next_at: datetime | None


class Tries:
    """The durable claims."""

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def get(self, id: str) -> Try | None:
        """What is known of a message that was tried; None where it never was."""
        with self.store.reading() as cursor:
            cursor.execute("SELECT * FROM outbox_tries WHERE id = ?", (id,))
            row = cursor.fetchone()
        if row is None:
            return None
        return Try(row["state"], row["part"], tuple(json.loads(row["names"])), row["tries"],
                   datetime.fromisoformat(row["first_at"]), datetime.fromisoformat(row["next_at"]) if row["next_at"] else None)

    def claim(self, id: str, account: str, part: int, names: tuple[str, ...], at: datetime) -> bool:
        """Say that a request is about to go out; False where another sender has just said so."""
        with self.store.writing() as cursor:
            cursor.execute(
                "INSERT INTO outbox_tries VALUES (?, ?, 'claimed', ?, ?, 1, ?, NULL, '') ON CONFLICT (id) DO UPDATE SET "
                "state = 'claimed', part = excluded.part, names = excluded.names, tries = outbox_tries.tries + 1 "
                "WHERE outbox_tries.state = 'waiting'", (id, account, part, json.dumps(names), at.isoformat()))
            return bool(cursor.rowcount > 0)

    def release(self, id: str, part: int, names: tuple[str, ...], next_at: datetime | None = None, reason: str = "") -> None:
        """The request is answered: go on with ``part``, not before ``next_at``."""
        with self.store.writing() as cursor:
            cursor.execute("UPDATE outbox_tries SET state = 'waiting', part = ?, names = ?, next_at = ?, reason = ? WHERE id = ?",
                           (part, json.dumps(names), next_at.isoformat() if next_at else None, reason[:300], id))

    def forget(self, id: str) -> None:
        """It is settled."""
        with self.store.writing() as cursor:
            cursor.execute("DELETE FROM outbox_tries WHERE id = ?", (id,))


class Sender:
    """Sends for all accounts; one thread for each account calls :meth:`turn` while it holds the account's lease."""

    def __init__(self, hub: LeadHub, states: States, clock: Callable[[], datetime],
                 public_url: str = "") -> None:
        self.hub = hub
        self.states = states
        self.clock = clock
        self.tries = Tries(hub.store)
        self.sources: Mapping[str, Source] = {"lead": LeadMessages(hub), "call": LeadCalls(hub),
                                                 "staff": StaffMessages(hub, public_url), "removal": Removals(hub)}
        self._answers: dict[str, Result] = {}
        self._unreadable: set[str] = set()

    def turn(self, channel: Channel, go_on: Callable[[], bool] = lambda: True) -> int:
        """Send what this account has to send now; how many messages were settled. ``go_on`` renews the lease.

        :raises Trouble: the account as a whole does not work; nothing of this turn is lost.
        """
        settled, held_up = 0, set()
        for row in self.hub.views.outbox.of(channel.account):
            if row["stream"] in held_up:
                continue
            if not go_on():
                break
            try:
                done = self._one(channel, row)
            except Unreadable as error:  # altered past the hub: it waits, and the messages of others go on
                if row["stream"] not in self._unreadable:
                    self._unreadable.add(row["stream"])
                    log.error("what %s asks for is not sent: %s", row["stream"], error)
                done = False
            if done:
                settled += 1
            elif row["source"] != "removal":  # deleting knows no order
                held_up.add(row["stream"])  # what was asked for later does not overtake it
        return settled

    def _one(self, channel: Channel, row: Any) -> bool:
        """One message as far as it goes; whether nothing is left to do about it."""
        id, stream, number, source = row["id"], UUID(row["stream"]), row["number"], self.sources[row["source"]]
        known = self.tries.get(id)
        if known is not None and known.state == "waiting" and known.next_at is not None and known.next_at > self.clock():
            return False
        try:
            message = source.load(stream, number)
        except FileGone:
            source.failed(stream, number, "file_gone", "", self.clock())
            message = None
        if message is None:
            self.tries.forget(id)
            return True
        begun, names = (known.part, known.names) if known else (0, ())
        claimed = known is not None and known.state == "claimed"
        for part in range(begun, channel.parts(message)):
            result = self._tried(channel, message, part, names, claimed=claimed)
            claimed = False
            if result is None:
                return False
            if isinstance(result, Sent):
                names = (*names, *result.names)
                self.tries.release(id, part + 1, names)
                self._answers.pop(id, None)
            elif isinstance(result, Retry):
                return self._later(id, known, part, names, result, source, stream, number)
            else:
                code, why = (result.code, result.why) if isinstance(result, Failed) else ("", result.why)
                if isinstance(result, Failed):
                    source.failed(stream, number, code, why, self.clock())
                else:
                    source.unknown(stream, number, "crashed" if why == CRASHED else "cut", "" if why == CRASHED else why,
                                   self.clock())
                self._forget(id)
                return True
        source.sent(stream, number, names, self.clock())
        self._forget(id)
        return True

    def _tried(self, channel: Channel, message: Outgoing, part: int, names: tuple[str, ...], *, claimed: bool) -> Result | None:
        """What came of one part; None where another sender is at it."""
        id = message.id.hex
        if claimed:
            answer = self._answers.get(id) or channel.was_sent(message, part)
            if answer is None and not channel.repeatable:
                return Unknown(CRASHED)
            if answer is not None and not isinstance(answer, Retry):
                return answer
            self.tries.release(id, part, names)
        if not self.tries.claim(id, channel.account, part, names, self.clock()):
            return None
        try:
            result = channel.send(message, part)
        except Trouble as trouble:
            self.tries.release(id, part, names, reason=trouble.why)
            raise
        except Exception as error:
            log.error("%s: sending broke off: %s", channel.account, where(error))
            result = Unknown(type(error).__name__)
        if isinstance(result, Unknown) and channel.repeatable:
            result = Retry(result.why)
        # Should the store be away now, the next turn still knows what the provider said.
        self._answers[id] = result
        return result

    def _later(self, id: str, known: Try | None, part: int, names: tuple[str, ...], retry: Retry, source: Source, stream: UUID,
               number: int) -> bool:
        now = self.clock()
        if known is not None and now - known.first_at > TRIED_FOR:
            source.failed(stream, number, "tried_long", retry.why, now)
            self._forget(id)
            return True
        pause = max(retry.seconds, min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(known.tries if known else 0, 10)))
        self.tries.release(id, part, names, now + timedelta(seconds=pause), retry.why)
        self._answers.pop(id, None)
        if retry.whole:
            raise Trouble(retry.why, pause)
        return False

    def _forget(self, id: str) -> None:
        self.tries.forget(id)
        self._answers.pop(id, None)


CRASHED = "\0crashed"
"""Stands for a sender that died between claim and mark."""

"""What makes intake exactly once and ties a person's deliveries together: receipts, contacts, contents (R1, R6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.domain.aggregate import Aggregate
from hub.domain.errors import Refused, sentences
from hub.domain.event import ERASED, Event, Personal, topic
from hub.domain.fact import Fact

RECEIPTS = UUID("2b0a1f0e-5f0a-5c8e-8b52-7f3f1d6f4a10")

sentences(
    not_in_quarantine=("Этого обращения уже нет в карантине. Обновите страницу.",
                       "This delivery is not in the quarantine any more. Reload the page."),
    say_why_dismissed=("Напишите, почему это не заявка.", "Write why this is not a request."),
    same_key_other_payload=("С этим ключом уже пришло другое обращение. Пришлите новое обращение с новым ключом.",
                            "Another request came with this key. Send a new request with a new key."),
)


def receipt_stream(channel: str, source: str, delivery_id: str) -> UUID:
    """The stream of one delivery: the same delivery, however often repeated, is the same stream."""
    return uuid5(RECEIPTS, f"{channel}\n{source}\n{delivery_id}")


@topic("receipt.accepted")
class DeliveryAccepted(Event, frozen=True, kw_only=True):
    """A delivery was stored as an entry of a lead. ``raw`` is its body, word for word."""

    channel: str
    source: str
    digest: str
    lead: UUID
    began: bool
    test: bool = False
    raw: Personal = ""


@topic("receipt.quarantined")
class DeliveryQuarantined(Event, frozen=True, kw_only=True):
    """A person should look first. ``delivery`` is what was understood of it, as JSON; ``raw`` the body."""

    channel: str
    source: str
    source_title: str = ""
    digest: str
    reason: str
    delivery: Personal = ""
    files: Personal = ""
    raw: Personal = ""


@topic("receipt.released")
class DeliveryReleased(Event, frozen=True, kw_only=True):
    """A person made a lead of a quarantined delivery."""

    lead: UUID


@topic("receipt.dismissed")
class DeliveryDismissed(Event, frozen=True, kw_only=True):
    """A person found that it is no request. It is kept all the same."""

    why: Personal


@topic("receipt.unread")
class DeliveryUnread(Event, frozen=True, kw_only=True):
    """A genuine delivery that nobody could read: a dead letter. ``raw`` is the whole request, to be read again later.

    ``channel`` is the kind of channel and ``source`` its account; ``reason`` is the code of a sentence ``unread_<code>``.
    """

    channel: str
    source: str
    source_title: str = ""
    reason: str
    raw: Personal = ""


@topic("receipt.reread")
class DeliveryReread(Event, frozen=True, kw_only=True):
    """A dead letter was read after all. ``lead`` is the card that it led to, where it led to one."""

    lead: UUID | None = None


class ReceiptState(Struct, frozen=True):
    """``status``: empty, ``accepted``, ``quarantined``, ``released``, ``dismissed``, ``unread``, ``reread``."""

    status: str = ""
    channel: str = ""
    source: str = ""
    source_title: str = ""
    digest: str = ""
    lead: UUID | None = None
    reason: str = ""
    delivery: str = ""
    files: str = ""
    raw: str = ""
    why: str = ""
    at: datetime | None = None
    subject: UUID | None = None


class Receipt(Aggregate[ReceiptState]):
    """One delivery. Its stream's first event is what a repeat finds."""

    EMPTY = ReceiptState()

    @staticmethod
    def evolve(state: ReceiptState, event: Event) -> ReceiptState:
        match event:
            case DeliveryAccepted():
                return ReceiptState("accepted", event.channel, event.source, digest=event.digest, lead=event.lead, at=event.at,
                                    raw=event.raw, subject=event.subject)
            case DeliveryQuarantined():
                return ReceiptState("quarantined", event.channel, event.source, event.source_title, event.digest, None,
                                    event.reason, event.delivery, event.files, event.raw, "", event.at, event.subject)
            case DeliveryUnread():
                return ReceiptState("unread", event.channel, event.source, event.source_title, reason=event.reason, at=event.at,
                                    raw=event.raw, subject=event.subject)
            case DeliveryReread():
                return _moved(state, "reread", lead=event.lead)
            case DeliveryReleased():
                return _moved(state, "released", lead=event.lead)
            case DeliveryDismissed():
                return _moved(state, "dismissed", why=event.why)
        return state

    def _must_wait(self, *statuses: str) -> None:
        if self.state.status not in statuses:
            raise Refused("not_in_quarantine")

    def release(self, lead: UUID) -> None:
        """A person makes a lead of it."""
        self._must_wait("quarantined")
        self.record(DeliveryReleased, lead=lead)

    def reread(self, lead: UUID | None) -> None:
        """A dead letter was read after all."""
        self._must_wait("unread")
        self.record(DeliveryReread, lead=lead)

    def dismiss(self, why: str) -> None:
        """A person says that it is no request, and why."""
        self._must_wait("quarantined", "unread")
        if not why.strip():
            raise Refused("say_why_dismissed", field="why")
        self.record(DeliveryDismissed, subject=self.id, why=why.strip())


def _moved(state: ReceiptState, status: str, lead: UUID | None = None, why: str = "") -> ReceiptState:
    return ReceiptState(status, state.channel, state.source, state.source_title, state.digest, lead, state.reason, state.delivery,
                        state.files, state.raw, why, state.at, state.subject)


@topic("contact.tied")
class ContactTied(Event, frozen=True, kw_only=True):
    """An address belongs to a person, whose newest card is ``lead``. The stream's id is a keyed digest of the address."""

    kind: str
    person_id: UUID
    lead: UUID


@topic("contact.fact_waits")
class FactWaits(Event, frozen=True, kw_only=True):
    """A fact came before the thing that it speaks of; it is taken when the name is tied to a card. ``fact`` is JSON."""

    fact: Personal


@topic("contact.severed")
class ContactSevered(Event, frozen=True, kw_only=True):
    """The person was erased: this entry leads nowhere any more and is never tied again. Who comes with the same address is
    found by an entry of another id."""


WAITING = 20
"""Facts that wait for one thing at most: a provider that goes on about something that we never had fills nothing up."""


class ContactState(Struct, frozen=True):
    """Whose address it is and where their work goes on. A name of a message is tied like an address (kind ``thread``);
    ``waiting`` are facts about it that came first. ``severed``: the person was erased."""

    person_id: UUID | None = None
    lead: UUID | None = None
    waiting: tuple[Fact, ...] = ()
    severed: bool = False


class Contact(Aggregate[ContactState]):
    """An address of somebody, found by its keyed digest (R6)."""

    EMPTY = ContactState()

    @staticmethod
    def evolve(state: ContactState, event: Event) -> ContactState:
        match event:
            case ContactTied():
                return ContactState(event.person_id, event.lead)
            case ContactSevered():
                return ContactState(severed=True)
            case FactWaits() if event.fact not in ("", ERASED):
                return replace(state, waiting=(*state.waiting, msgspec.json.decode(event.fact, type=Fact)))
        return state

    def wait(self, fact: Fact) -> None:
        """Keep a fact until what it speaks of is known. The same one twice is kept once."""
        if fact not in self.state.waiting and len(self.state.waiting) < WAITING:
            self.record(FactWaits, subject=self.id, fact=msgspec.json.encode(fact).decode())

    def sever(self) -> None:
        """The person was erased. Idempotent."""
        if not self.state.severed:
            self.record(ContactSevered)

    def tie(self, kind: str, person_id: UUID, lead: UUID) -> None:
        """Tie the address to a person and a card; nothing is recorded when it already is."""
        if (self.state.person_id, self.state.lead) != (person_id, lead):
            self.record(ContactTied, kind=kind, person_id=person_id, lead=lead)


@dataclass(frozen=True)
class Held:
    """What is known of one address at one version of its contact: a tie made on it conflicts with a tie made meanwhile."""

    id: UUID
    kind: str
    version: int
    contact: ContactState
    after_erasure: bool = False
    """Whether somebody had it before who was erased."""

    @property
    def person(self) -> UUID:
        """Whose it is, where that is known."""
        return cast(UUID, self.contact.person_id)


@topic("content.seen")
class ContentSeen(Event, frozen=True, kw_only=True):
    """Content without an id of its own arrived; the stream's id is its keyed fingerprint."""

    receipt: UUID


class ContentState(Struct, frozen=True):
    """When the same content last came."""

    last_at: datetime | None = None


class Content(Aggregate[ContentState]):
    """The same content again within a window is a possible duplicate: marked, never dropped."""

    EMPTY = ContentState()

    @staticmethod
    def evolve(state: ContentState, event: Event) -> ContentState:
        return ContentState(event.at) if isinstance(event, ContentSeen) else state

    def see(self, receipt: UUID, window: timedelta) -> bool:
        """Note the content; whether it came before within ``window``."""
        last = self.state.last_at
        self.record(ContentSeen, receipt=receipt)
        return last is not None and self.stamp.at - last <= window

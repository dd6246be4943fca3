"""Exactly-once intake (R1, R6): receipt, contacts and lead are saved in one transaction, or none of them."""

from __future__ import annotations

import dataclasses
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID, uuid4, uuid5

import msgspec
from msgspec.structs import replace

from hub.domain import events as e
from hub.domain.aggregate import Actor, Stamp
from hub.domain.delivery import Address, Delivery
from hub.domain.errors import Conflict as Changed
from hub.domain.event import Event
from hub.domain.fact import own_name
from hub.domain.index import (
    Contact,
    Content,
    ContentState,
    DeliveryAccepted,
    DeliveryQuarantined,
    Held,
    Receipt,
    ReceiptState,
    receipt_stream,
)
from hub.domain.lead import Lead, Sender
from hub.domain.process import Process
from hub.domain.state import LeadState
from hub.projections.views import Views
from hub.store import Conflict, Unreadable
from hub.store.base import EventStore
from hub.store.files import FileStore
from hub.store.keys import blind
from hub.streams import Streams

log = logging.getLogger(__name__)

RETRIES = 50
DUPLICATE_WINDOW = timedelta(minutes=10)
"""Within this time the same content without an id of its own is marked as a possible duplicate."""

THREAD = "thread"
"""The kind of contact that a message's name is: found like an address, and shown to nobody."""

RAW_IN_EVENT = 300_000
"""Characters of a body that its event carries; a longer one lies in a file, which the event names after this mark."""
KEPT_APART = "\0kept apart: "

ORDER = ("phone", "email", "telegram", "whatsapp", "vk")


@dataclass(frozen=True)
class Whose:
    """Whose a delivery is, and exactly what that was decided on.

    Saving on these versions, and never on newer ones, is what makes two deliveries of one person at once meet
    in one card: the later one conflicts and decides again.
    """

    sender: Sender
    lead: UUID
    version: int
    state: LeadState
    previous: UUID | None
    to_tie: tuple[Held, ...]


@dataclass(frozen=True)
class Received:
    """What became of a delivery: its receipt, its lead (none while it waits in the quarantine), whether it came before."""

    receipt: UUID
    lead: UUID | None
    began: bool
    duplicate: bool
    quarantined: bool
    position: int


class Intake:
    """Deliveries in. :class:`hub.application.LeadHub` adds everything else."""

    def __init__(self, store: EventStore, files: FileStore, views: Views, index_key: bytes) -> None:
        self.store = store
        self.files = files
        self.views = views
        self.streams = Streams(store, self._note_turns)
        self._index_key = index_key
        self._turns: dict[str, int] = {}

    def _note_turns(self, events: list[Event], position: int) -> None:
        """Who has just had a turn, before the read models know it: a burst of leads goes round as well (R34)."""
        for event in events:
            if isinstance(event, e.LeadTaken):
                self._turns[event.owner] = position
            elif isinstance(event, e.LeadOffered) and event.why == "turn":
                self._turns[event.to[0]] = position

    @property
    def process(self) -> Process:
        """The process in force."""
        raise NotImplementedError

    def process_of_day(self, number: int) -> Process:
        """The process of a version."""
        raise NotImplementedError

    def staff(self, at: datetime, process: Process | None = None) -> Any:
        """Who is there."""
        raise NotImplementedError

    def allow(self, command: str, target: UUID | None, *permissions: str, actor: Actor, at: datetime) -> None:
        raise NotImplementedError

    def receive(self, delivery: Delivery, *, at: datetime) -> Received:
        """Take in one delivery, exactly once. On return it is stored; only then may the channel acknowledge.

        The same ``delivery_id`` again answers as the first time and adds nothing; with another content it is
        refused as ``same_key_other_payload``.
        """
        actor = Actor(f"channel:{delivery.channel}")
        source = "" if delivery.anywhere else delivery.source
        receipt = receipt_stream(delivery.channel, source, delivery.delivery_id) if delivery.delivery_id else uuid4()
        return self._take_in(delivery, receipt, Stamp(actor, at, uuid4(), self.process.version))

    def open_by_hand(self, delivery: Delivery, *, actor: Actor, at: datetime, receipt: UUID | None = None) -> Received:
        """A manager opens a card for somebody who called or wrote past the channels (R1)."""
        receipt = receipt or uuid4()
        self.allow("open_by_hand", receipt, "intake", actor=actor, at=at)
        return self._take_in(delivery, receipt, Stamp(actor, at, uuid4(), self.process.version), by_hand=True)

    def _take_in(self, delivery: Delivery, receipt_id: UUID, stamp: Stamp, *, by_hand: bool = False) -> Received:
        for _ in range(RETRIES):
            version, known = self.streams.fresh(Receipt, receipt_id)
            if known.status:
                return self._as_before(receipt_id, known, delivery)
            receipt = Receipt(receipt_id, stamp, known, version)
            try:
                if delivery.automatic and not self._whose(delivery, receipt_id).state.open:
                    delivery = replace(delivery, suspicion=delivery.suspicion or "automatic")
                if delivery.suspicion and not by_hand:
                    return self._quarantine(delivery, receipt)
                if delivery.edits and (edited := self._edit(delivery, receipt)) is not None:
                    return edited
                return self._accept(delivery, receipt, by_hand=by_hand)
            except Conflict:
                continue
        raise Changed("conflict")

    def _digest(self, delivery: Delivery) -> str:
        return blind(self._index_key, "payload", delivery.payload_digest).hex if delivery.payload_digest else ""

    def _as_before(self, receipt: UUID, known: ReceiptState, delivery: Delivery) -> Received:
        digest = self._digest(delivery)
        if digest and known.digest and digest != known.digest:
            raise Changed("same_key_other_payload")
        return Received(receipt, known.lead, False, True, known.status == "quarantined", self.store.position(receipt, 1))

    def _quarantine(self, delivery: Delivery, receipt: Receipt) -> Received:
        files = self._store_files(delivery, receipt.id)
        receipt.record(DeliveryQuarantined, subject=receipt.id, channel=delivery.channel, source=delivery.source,
                       source_title=delivery.source_title, digest=self._digest(delivery), reason=delivery.suspicion,
                       delivery=msgspec.json.encode(replace(delivery, files=(), raw="")).decode(),
                       files=msgspec.json.encode(files).decode(), raw=self._kept_raw(delivery.raw, receipt.id))
        _, position = self.streams.save([receipt])
        return Received(receipt.id, None, False, False, True, position)

    def _accept(self, delivery: Delivery, receipt: Receipt, *, by_hand: bool = False,
                released: bool = False) -> Received:
        stamp = receipt.stamp
        whose = self._whose(delivery, receipt.id)
        sender, lead_id = whose.sender, whose.lead
        files = self._store_files(delivery, sender.person_id)
        process = self.process_of_day(stamp.process_version)
        lead = Lead(lead_id, self._not_before(stamp, whose.state), whose.state, whose.version, process=process,
                    staff=partial(self.staff, stamp.at, process))
        began = not whose.state.exists
        content = self._content(delivery, stamp)
        seen = content.see(receipt.id, DUPLICATE_WINDOW) if content is not None else False
        lead.receive(delivery, sender, receipt_id=receipt.id, files=files, previous_lead=whose.previous, by_hand=by_hand,
                     possible_duplicate=seen)
        if released:
            receipt.release(lead_id)
        else:
            receipt.record(DeliveryAccepted, subject=sender.person_id, channel=delivery.channel, source=delivery.source,
                           digest=self._digest(delivery), lead=lead_id, began=began, test=delivery.test,
                           raw=self._kept_raw(delivery.raw, sender.person_id))
        ties = [self._tied(held, sender.person_id, lead_id, stamp) for held in whose.to_tie]
        ties += self._name(lead, delivery.names, sender.person_id)
        _, position = self.streams.save([receipt, lead, *ties, *([content] if content is not None else [])])
        return Received(receipt.id, lead_id, began, False, False, position)

    def _edit(self, delivery: Delivery, receipt: Receipt) -> Received | None:
        """A change of a message that we have; None where we have not, and it is a message by itself."""
        held = self._named(delivery.edits)
        if held.contact.lead is None:
            return None
        try:
            lead = self._lead_now(held.contact.lead, receipt.stamp)
        except Unreadable:
            return None  # its card was altered past the hub: what the client wrote comes in as a message by itself
        if not lead.edited(delivery.edits, delivery.text, delivery.revision):
            return None
        receipt.record(DeliveryAccepted, subject=held.person, channel=delivery.channel, source=delivery.source,
                       digest=self._digest(delivery), lead=lead.id, began=False, test=delivery.test,
                       raw=self._kept_raw(delivery.raw, held.person))
        _, position = self.streams.save([receipt, lead])
        return Received(receipt.id, lead.id, False, False, False, position)

    def _lead_now(self, id: UUID, stamp: Stamp) -> Lead:
        """A lead as it is now, with the time that has passed for it."""
        version, state = self.streams.fresh(Lead, id)
        process = self.process_of_day(stamp.process_version)
        staff = partial(self.staff, stamp.at, process)
        lead = Lead(id, self._not_before(stamp, state), state, version, process=process, staff=staff)
        lead.pass_time()
        return lead

    def _content(self, delivery: Delivery, stamp: Stamp) -> Content | None:
        """Only a delivery without an id of its own is compared by content."""
        if delivery.delivery_id or not delivery.fingerprint:
            return None
        id = blind(self._index_key, "content", delivery.fingerprint)
        version, state = self.streams.fresh(Content, id)
        found: ContentState = state
        return Content(id, stamp, found, version)

    def _store_files(self, delivery: Delivery, subject: UUID) -> tuple[e.FileRef, ...]:
        return tuple(e.FileRef(self.files.put(f.data, subject), f.name, f.content_type, len(f.data)) for f in delivery.files)

    def _kept_raw(self, raw: str, subject: UUID) -> str:
        """What an event keeps of a body: itself, or where a large one lies."""
        if len(raw) <= RAW_IN_EVENT:
            return raw
        data = raw.encode()
        ref = e.FileRef(self.files.put(data, subject), "raw", "text/plain", len(data))
        return KEPT_APART + msgspec.json.encode(ref).decode()

    # ── whose is it (R6, R29) ────────────────────────────────────────────────────

    def _whose(self, delivery: Delivery, receipt: UUID) -> Whose:
        """The sender, the lead that it belongs to (a new one where none is open), and the ended one before it."""
        found: list[tuple[Held, UUID, int, LeadState]] = []
        free: list[Held] = []
        for address in sorted(_unique(delivery.addresses), key=lambda a: ORDER.index(a.kind) if a.kind in ORDER else 9):
            held = self._held(address)
            known = self._readable(held)
            found += known
            if not known or not known[0][3].open:
                free.append(held)  # an address that finds another open card goes on finding it
        threads = [known for held in map(self._named, delivery.threads) for known in self._readable(held)]
        lost = next((held for held in free if held.contact.lead is not None and not found), None)
        person = found[0][0].person if found else lost.person if lost is not None else uuid5(receipt, "person")
        for wanted in ("", "won") if not delivery.apart else ():
            for held, lead, version, state in (*threads, *found):
                if state.ended == wanted:
                    whose = person if held.kind == THREAD else held.person
                    return Whose(Sender(whose, held.kind), lead, version, state, None, tuple(free))
        new = uuid5(receipt, "lead")
        if threads or found:
            held, lead, _, state = (*threads, *found)[0]
            sender = Sender(person, held.kind, account_manager=self._account_manager(state))
            return Whose(sender, new, 0, Lead.EMPTY, None if state.open else lead, tuple(free))
        return Whose(Sender(person), new, 0, Lead.EMPTY, lost.contact.lead if lost is not None else None, tuple(free))

    def _readable(self, held: Held) -> list[tuple[Held, UUID, int, LeadState]]:
        """Where the work of an address goes on; nowhere where that card was altered past the hub and cannot be read: what comes
        in begins another one, which names it."""
        if held.contact.lead is None:
            return []
        try:
            return [(held, *self._where_work_goes_on(held.contact.lead))]
        except Unreadable as error:
            log.error("intake goes on past a card that cannot be read: %s", error)
            return []

    def file_stream(self, digest: str) -> UUID:
        """The stream of the imports of a file. Keyed: what a short file holds is not to be guessed from it."""
        return blind(self._index_key, "import", digest)

    def began(self, receipt: UUID) -> bool | None:
        """Whether a delivery began a card (True) or joined one (False); None where it has not come, or waits for somebody."""
        first = next(iter(self.store.read(receipt, 0, 1)), None)
        return first.began if isinstance(first, DeliveryAccepted) else None

    def card_of(self, addresses: tuple[Address, ...]) -> UUID | None:
        """The open card that one of ``addresses`` finds, else the last one that it found; None where nobody is known by them."""
        last = None
        for address in _unique(addresses):
            held = self._held(address)
            if held.contact.lead is not None:
                last, _, state = self._where_work_goes_on(held.contact.lead)
                if state.open:
                    return last
        return last

    def _account_manager(self, state: LeadState) -> str:
        """Who knows the client from a contract before this lead, however many leads lie between (R29)."""
        with suppress(Unreadable):  # nobody's, where a card on the way was altered past the hub
            while not state.account_manager and state.previous_lead is not None:
                state = self.streams.fresh(Lead, state.previous_lead)[1]
        return state.account_manager

    def _where_work_goes_on(self, lead: UUID) -> tuple[UUID, int, LeadState]:
        version, state = self.streams.fresh(Lead, lead)
        while state.merged_into is not None:
            lead = state.merged_into
            version, state = self.streams.fresh(Lead, lead)
        return lead, version, state

    def _not_before(self, stamp: Stamp, state: LeadState) -> Stamp:
        """A delivery that waited for another's turn is not dated before what the card already knows."""
        return stamp if state.last_at is None or state.last_at <= stamp.at else dataclasses.replace(stamp, at=state.last_at)

    def _contact_id(self, address: Address, turn: int = 0) -> UUID:
        """The id of an address's entry; of another one for each person who had it before and was erased (``turn``)."""
        return blind(self._index_key, address.kind, f"{address.value}\0{turn}" if turn else address.value)

    def _held(self, address: Address) -> Held:
        severed = False
        for turn in count():
            id = self._contact_id(address, turn)
            try:
                version, state = self.streams.fresh(Contact, id)
            except Unreadable as error:
                log.error("intake goes on past an entry of an address that cannot be read: %s", error)
                continue
            if not state.severed:
                return Held(id, address.kind, version, state, severed)
            severed = True
        raise AssertionError

    def _named(self, name: str) -> Held:
        """What is known of a message by its name."""
        return self._held(Address(THREAD, name))

    def _name(self, lead: Lead, names: tuple[str, ...], person: UUID) -> list[Contact]:
        """Ties of names to a lead; facts that came before their thing are taken now, in the same transaction.

        A name that leads to a card already goes on leading there.
        """
        ties = []
        for held in map(self._named, dict.fromkeys(names)):
            if held.contact.lead is None:
                ties.append(self._tied(held, person, lead.id, lead.stamp))
                for fact in held.contact.waiting:
                    lead.hear(fact)
        return ties

    def _tied(self, held: Held, person: UUID, lead: UUID, stamp: Stamp) -> Contact:
        contact = Contact(held.id, stamp, held.contact, held.version)
        contact.tie(held.kind, held.contact.person_id or person, lead)
        return contact

    def _tie(self, address: Address, person: UUID, lead: UUID, stamp: Stamp) -> Contact:
        return self._tied(self._held(address), person, lead, stamp)

    def _ties(self, lead: Lead) -> list[Contact]:
        """Addresses that a command added find this lead from now on, unless they find another open one."""
        ties = []
        for event in list(lead.events):
            if isinstance(event, e.MessageAsked):
                ties += self._name(lead, (own_name(event.event_id.hex),), event.person_id or lead.id)
            if isinstance(event, e.MessageSent):
                ties += self._name(lead, event.names, lead.state.outgoing[event.message].person_id or lead.id)
            if isinstance(event, e.AddressAdded):
                held = self._held(Address(event.kind, event.value))
                known = self._readable(held)
                if not known or not known[0][3].open:
                    ties.append(self._tied(held, event.person_id, lead.id, lead.stamp))
        return distinct(ties)


def _unique(addresses: tuple[Address, ...]) -> list[Address]:
    return list({(a.kind, a.value): a for a in addresses}.values())


def distinct(contacts: list[Contact]) -> list[Contact]:
    """Each once: two people of one lead may share an address."""
    return list({contact.id: contact for contact in contacts}.values())

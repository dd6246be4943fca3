"""Facts about things that are known, and what waits for a person (the quarantine, dead letters): the rest of what comes in
(R1, R6)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import msgspec
from msgspec.structs import replace

from hub.domain import events as e
from hub.domain.aggregate import Actor, Stamp
from hub.domain.call import Call
from hub.domain.delivery import Delivery, File
from hub.domain.errors import Conflict as Changed
from hub.domain.errors import Refused
from hub.domain.event import ERASED
from hub.domain.fact import Fact, own_name
from hub.domain.index import Contact, DeliveryUnread, Held, Receipt, ReceiptState, receipt_stream
from hub.domain.lead import Lead
from hub.intake import KEPT_APART, RETRIES, Intake, Received, distinct
from hub.store import Conflict, Unreadable
from hub.store.keys import blind

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unread:
    """A dead letter: the kind and account of its channel, and the request, word for word."""

    kind: str
    account: str
    raw: str


class Hearing(Intake):
    """What providers tell beside deliveries. :class:`hub.company.Company` goes on from here."""

    def hear(self, fact: Fact, *, channel: str, at: datetime) -> UUID | None:
        """Take a fact, exactly once whatever its order; the card that it is about, None while nobody knows what it speaks of."""
        stamp = Stamp(Actor(f"channel:{channel}"), at, uuid4(), self.process.version)
        for _ in range(RETRIES):
            held = self._named(fact.about)
            try:
                if held.contact.lead is None and held.after_erasure:
                    return None  # it speaks of something of a person who was erased: nothing more of that is kept
                lead = self._lead_of(held, stamp)
                if lead is None:
                    contact = Contact(held.id, stamp, held.contact, held.version)
                    contact.wait(fact)
                    self.streams.save([contact])
                    return None
                lead.hear(fact)
                self.streams.save([lead, *self._ties(lead)])
                return lead.id
            except Conflict:
                continue
        raise Changed("conflict")

    def _lead_of(self, held: Held, stamp: Stamp) -> Lead | None:
        """The card that something is tied to; None where there is none, or where it was altered past the hub and cannot be read:
        what is told of it is kept all the same."""
        if held.contact.lead is None:
            return None
        try:
            return self._lead_now(held.contact.lead, stamp)
        except Unreadable as error:
            log.error("a fact waits for a card that cannot be read: %s", error)
            return None

    def _ties(self, lead: Lead) -> list[Contact]:
        """Calls from the card are found by their names as messages are."""
        ties = super()._ties(lead)
        for event in list(lead.events):
            if isinstance(event, (e.CallAsked, e.CallPlaced)):
                names = (own_name(event.event_id.hex),) if isinstance(event, e.CallAsked) else event.names
                ties += self._name(lead, names, lead.state.calls[event.call].person_id or lead.id)
        return distinct(ties)

    def call_named(self, name: str) -> Call | None:
        """The call of this name (``call/<id>``, ``out/<fixed id>``); None where there is none."""
        lead = self._named(name).contact.lead
        if lead is None:
            return None
        calls = self.streams.fresh(Lead, lead)[1].calls.values()
        return next((c for c in calls if name in (c.key, *c.names, own_name(c.fixed_id))), None)

    def first_at(self, receipt: UUID) -> datetime | None:
        """When a delivery first came; None where it never did."""
        state: ReceiptState = self.streams.fresh(Receipt, receipt)[1]
        return state.at

    # ── the quarantine ───────────────────────────────────────────────────────────

    def quarantined(self, receipt: UUID) -> ReceiptState:
        """A delivery with everything that is known of it."""
        state: ReceiptState = self.streams.fresh(Receipt, receipt)[1]
        if not state.status:
            raise Refused("not_in_quarantine")
        return state

    def release(self, receipt_id: UUID, *, actor: Actor, at: datetime) -> Received:
        """A person makes a lead of a quarantined delivery; its clocks start now, the text is what came."""
        self.allow("release", receipt_id, "intake", "admin", actor=actor, at=at)
        for _ in range(RETRIES):
            version, known = self.streams.fresh(Receipt, receipt_id)
            if known.status != "quarantined":
                raise Refused("not_in_quarantine")
            delivery = msgspec.json.decode(known.delivery, type=Delivery)
            delivery = replace(delivery, files=self._kept_files(known, receipt_id))
            if not (delivery.text or delivery.addresses or delivery.name):
                delivery = replace(delivery, text=self.raw_of(known, receipt_id)[:20_000])
            receipt = Receipt(receipt_id, Stamp(actor, at, uuid4(), self.process.version), known, version)
            try:
                return self._accept(delivery, receipt, released=True)
            except Conflict:
                continue
        raise Changed("conflict")

    def dismiss(self, receipt_id: UUID, why: str, *, actor: Actor, at: datetime) -> None:
        """A person says that a quarantined delivery is no request; it is kept."""
        self.allow("dismiss", receipt_id, "intake", "admin", actor=actor, at=at)
        stamp = Stamp(actor, at, uuid4(), self.process.version)
        for _ in range(RETRIES):
            version, known = self.streams.fresh(Receipt, receipt_id)
            receipt = Receipt(receipt_id, stamp, known, version)
            receipt.dismiss(why)
            try:
                self.streams.save([receipt])
                return
            except Conflict:
                continue
        raise Changed("conflict")

    def _kept_files(self, known: ReceiptState, receipt: UUID) -> tuple[File, ...]:
        """Files of a quarantined delivery, which lie under the receipt's key until a person is known."""
        refs = msgspec.json.decode(known.files or "[]", type=tuple[e.FileRef, ...])
        found = [(ref, self.files.get(ref.digest, receipt)) for ref in refs]
        return tuple(File(ref.name, ref.content_type, data) for ref, data in found if data is not None)

    # ── dead letters ─────────────────────────────────────────────────────────────

    def keep_unread(self, kind: str, account: str, title: str, raw: str, content: bytes, reason: str, *,
                    at: datetime) -> Received:
        """Keep a genuine request that nobody could read, whole. The same ``content`` again is the same dead letter."""
        receipt_id = receipt_stream(f"unread:{kind}", account, blind(self._index_key, "unread", content.decode("latin-1")).hex)
        stamp = Stamp(Actor(f"channel:{kind}"), at, uuid4(), self.process.version)
        for _ in range(RETRIES):
            version, known = self.streams.fresh(Receipt, receipt_id)
            if known.status:
                return Received(receipt_id, known.lead, False, True, True, self.store.position(receipt_id, 1))
            receipt = Receipt(receipt_id, stamp, known, version)
            receipt.record(DeliveryUnread, subject=receipt_id, channel=kind, source=account, source_title=title, reason=reason,
                           raw=self._kept_raw(raw, receipt_id))
            try:
                _, position = self.streams.save([receipt])
                return Received(receipt_id, None, False, False, True, position)
            except Conflict:
                continue
        raise Changed("conflict")

    def unread(self, receipt: UUID) -> Unread:
        """A dead letter as it came. Refused where it is none, or was dealt with, or its person was erased."""
        state: ReceiptState = self.streams.fresh(Receipt, receipt)[1]
        if state.status != "unread" or state.raw == ERASED:
            raise Refused("not_in_quarantine")
        return Unread(state.channel, state.source, self.raw_of(state, receipt))

    def raw_of(self, state: ReceiptState, receipt: UUID) -> str:
        """The whole body of a delivery or a dead letter, wherever it is kept; ``receipt`` is whose key its file has."""
        if not state.raw.startswith(KEPT_APART):
            return state.raw
        try:
            ref = msgspec.json.decode(state.raw.removeprefix(KEPT_APART), type=e.FileRef)
            data = self.files.get(ref.digest, receipt)
        except (msgspec.DecodeError, ValueError):  # somebody wrote what looks like our mark
            return state.raw
        return data.decode() if data is not None else ERASED

    def was_read(self, receipt_id: UUID, lead: UUID | None, *, actor: Actor, at: datetime) -> None:
        """A dead letter was read after all, and what it held is stored. Idempotent."""
        stamp = Stamp(actor, at, uuid4(), self.process.version)
        for _ in range(RETRIES):
            version, known = self.streams.fresh(Receipt, receipt_id)
            if known.status == "reread":
                return
            receipt = Receipt(receipt_id, stamp, known, version)
            receipt.reread(lead)
            try:
                self.streams.save([receipt])
                return
            except Conflict:
                continue
        raise Changed("conflict")

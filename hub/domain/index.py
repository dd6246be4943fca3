"""What makes intake exactly once and ties a person's deliveries together: receipts, contacts, contents (R1, R6)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from msgspec import Struct

from hub.domain.aggregate import Aggregate
from hub.domain.errors import Refused, sentences
from hub.domain.event import Event, Personal, topic

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


class ReceiptState(Struct, frozen=True):
    """``status``: empty, ``accepted``, ``quarantined``, ``released``, ``dismissed``."""

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
            case DeliveryReleased():
                return _moved(state, "released", lead=event.lead)
            case DeliveryDismissed():
                return _moved(state, "dismissed", why=event.why)
        return state

    def _must_wait(self) -> None:
        if self.state.status != "quarantined":
            raise Refused("not_in_quarantine")

    def release(self, lead: UUID) -> None:
        """A person makes a lead of it."""
        self._must_wait()
        self.record(DeliveryReleased, lead=lead)

    def dismiss(self, why: str) -> None:
        """A person says that it is no request, and why."""
        self._must_wait()
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


class ContactState(Struct, frozen=True):
    """Whose address it is and where their work goes on."""

    person_id: UUID | None = None
    lead: UUID | None = None


class Contact(Aggregate[ContactState]):
    """An address of somebody, found by its keyed digest (R6)."""

    EMPTY = ContactState()

    @staticmethod
    def evolve(state: ContactState, event: Event) -> ContactState:
        return ContactState(event.person_id, event.lead) if isinstance(event, ContactTied) else state

    def tie(self, kind: str, person_id: UUID, lead: UUID) -> None:
        """Tie the address to a person and a card; nothing is recorded when it already is."""
        if (self.state.person_id, self.state.lead) != (person_id, lead):
            self.record(ContactTied, kind=kind, person_id=person_id, lead=lead)


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

"""How a request arrived and who the people behind it are (R1, R3, R6, R31)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Struct

from hub.domain.event import PERSONAL, Event, Personal, topic

__all__ = ["AddressAdded", "AddressRetired", "CallTimeAgreed", "CompanyNamed", "ConsentGiven", "ContactChanged",
           "DecisionMakerChanged", "FileRef", "LeadAbsorbed", "LeadMergedInto", "LeadReceived", "LeadReleased",
           "LeadSplitOff", "LeadTitled", "LeadsToldApart", "MessageReceived", "PersonAdded", "PersonLeft", "PersonNamed",
           "PlaceLearned", "TimezoneLearned"]


class FileRef(Struct, frozen=True, gc=False):
    """A stored file: its keyed digest, the sender's name for it, its type and size in bytes."""

    digest: str
    name: str
    content_type: str
    size: int


@topic("lead.received")
class LeadReceived(Event, frozen=True, kw_only=True):
    """A lead began (R1). ``by_hand`` where a manager opened it; ``previous_lead`` is the ended one of the same person (R29);
    ``written`` where it came by telephone and is no call (R3)."""

    channel: str
    source: str = ""
    source_title: str = ""
    person_id: UUID
    receipt_id: UUID | None = None
    previous_lead: UUID | None = None
    by_hand: bool = False
    test: bool = False
    written: bool = False


@topic("lead.message_received")
class MessageReceived(Event, frozen=True, kw_only=True):
    """The client wrote, called or sent a form. ``tied_by`` says by which kind of address it found this card (R6).
    ``named`` is what the message is called in its channel, empty where it has no name there; ``automatic`` where a program
    answered for them. ``revision`` is above 0 where it had been changed before it came; ``written`` of an
    SMS or WhatsApp message: the telephone, and no call."""

    message: int
    channel: str
    source: str = ""
    source_title: str = ""
    person_id: UUID
    receipt_id: UUID | None = None
    tied_by: str = ""
    possible_duplicate: bool = False
    suspicion: str = ""
    attribution: Annotated[tuple[tuple[str, str], ...], PERSONAL] = ()
    subject_line: Personal = ""
    text: Personal = ""
    fields: Annotated[tuple[tuple[str, str], ...], PERSONAL] = ()
    files: Annotated[tuple[FileRef, ...], PERSONAL] = ()
    named: Personal = ""
    automatic: bool = False
    revision: int = 0
    written: bool = False


@topic("lead.titled")
class LeadTitled(Event, frozen=True, kw_only=True):
    """What the card is called and what it is about."""

    title: Personal = ""
    about: Personal = ""


@topic("lead.person_added")
class PersonAdded(Event, frozen=True, kw_only=True):
    """A person of the client's side is known. ``position`` is what they are there; ``merged_from`` is the card that brought
    them here (R6)."""

    person_id: UUID
    name: Personal = ""
    position: Personal = ""
    merged_from: UUID | None = None


@topic("lead.person_named")
class PersonNamed(Event, frozen=True, kw_only=True):
    """A person's name or position was learned or corrected."""

    person_id: UUID
    name: Personal = ""
    position: Personal = ""


@topic("lead.address_added")
class AddressAdded(Event, frozen=True, kw_only=True):
    """A way to reach a person. ``origin`` is ``delivery``, ``text`` (found in free text) or ``manager``."""

    person_id: UUID
    kind: str
    value: Personal
    raw: Personal = ""
    extension: Personal = ""
    origin: str = "delivery"


@topic("lead.address_retired")
class AddressRetired(Event, frozen=True, kw_only=True):
    """A way to reach a person no longer serves."""

    person_id: UUID
    kind: str
    value: Personal
    why: Personal = ""


@topic("lead.timezone_learned")
class TimezoneLearned(Event, frozen=True, kw_only=True):
    """The person's time zone, IANA (R3). ``origin`` says from what."""

    person_id: UUID
    timezone: str
    origin: str = "manager"


@topic("lead.place_learned")
class PlaceLearned(Event, frozen=True, kw_only=True):
    """The city that the person's own page at a social network names."""

    person_id: UUID
    place: Personal
    origin: str = "delivery"


@topic("lead.call_time_agreed")
class CallTimeAgreed(Event, frozen=True, kw_only=True):
    """When it suits the person to be called (R3): an instant, or words, or both."""

    person_id: UUID
    call_at: datetime | None = None
    words: Personal = ""


@topic("lead.consent_given")
class ConsentGiven(Event, frozen=True, kw_only=True):
    """What the person ticked, or did not: the text's version and digest, address and page."""

    person_id: UUID
    given: bool
    version: str
    text_sha256: str
    ip: Personal = ""
    page: Personal = ""


@topic("lead.company_named")
class CompanyNamed(Event, frozen=True, kw_only=True):
    """The client's company, with its ИНН where known (R33). A sole trader's name is personal."""

    name: Personal = ""
    inn: Personal = ""
    site: Personal = ""


@topic("lead.decision_maker_changed")
class DecisionMakerChanged(Event, frozen=True, kw_only=True):
    """Who decides on the client's side (ЛПР). ``involved``: took part in earlier stages (R25)."""

    person_id: UUID
    previous: UUID | None = None
    involved: bool = True
    why: Personal = ""


@topic("lead.contact_changed")
class ContactChanged(Event, frozen=True, kw_only=True):
    """We talk to another person of the client's side (R31)."""

    person_id: UUID
    previous: UUID | None = None
    why: Personal = ""


@topic("lead.absorbed")
class LeadAbsorbed(Event, frozen=True, kw_only=True):
    """Another card about the same request was merged into this one (R6)."""

    other: UUID
    why: Personal = ""


@topic("lead.merged_into")
class LeadMergedInto(Event, frozen=True, kw_only=True):
    """This card was merged into another, where the work goes on (R6)."""

    survivor: UUID
    why: Personal = ""


@topic("lead.released")
class LeadReleased(Event, frozen=True, kw_only=True):
    """A wrong merge was split: the other card stands alone again (R6)."""

    other: UUID
    why: Personal = ""


@topic("lead.person_left")
class PersonLeft(Event, frozen=True, kw_only=True):
    """A person whom a merge had brought here went back with their own card ``other`` (R6)."""

    person_id: UUID
    other: UUID


@topic("lead.told_apart")
class LeadsToldApart(Event, frozen=True, kw_only=True):
    """Somebody looked: this card and ``other`` are not the same request, though they look alike (R6)."""

    other: UUID
    why: Personal = ""


@topic("lead.split_off")
class LeadSplitOff(Event, frozen=True, kw_only=True):
    """This card stands alone again after a wrong merge (R6)."""

    survivor: UUID
    why: Personal = ""

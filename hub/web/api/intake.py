"""New leads: a card opened by hand, a client's next request, what waits in the quarantine."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from hub.application import Received
from hub.domain import contact
from hub.domain.delivery import Address, Delivery
from hub.domain.errors import NotFound, Refused
from hub.domain.index import ReceiptState
from hub.web.admin.quarantine import TABS, WHO, understood
from hub.web.api import answers
from hub.web.api.base import endpoint
from hub.web.api.leads import Limit
from hub.web.desk import me, now, settle, the_hub

TAG = "Intake"


class Taken(Struct, frozen=True):
    """What became of it: ``began`` a new lead or was added to an open one; ``duplicate``: it came before."""

    receipt: UUID
    lead: UUID
    began: bool
    duplicate: bool


def _taken(got: Received) -> Taken:
    settle(got.position)
    if got.lead is None:
        raise NotFound("no_such_lead")
    return Taken(got.receipt, got.lead, got.began, got.duplicate)


class NewLead(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who called or wrote, and what about. A phone, an e-mail or a name is needed."""

    channel: Literal["phone", "social", "email", "website"]
    name: str = ""
    phone: str = ""
    email: str = ""
    company: str = ""
    text: str = ""
    timezone: Annotated[str, Meta(description="An IANA zone, such as Asia/Yekaterinburg.")] = ""


@endpoint("POST", "/leads", tag=TAG, body=NewLead, gives=Taken, scopes=("intake",), keyed=True, status=201)
def open_lead(body: NewLead) -> Taken:
    """Open a card by hand (R1). Who is known already lands on their open card."""
    return _taken(the_hub().open_by_hand(_delivery(body), actor=me().actor, at=now(), receipt=answers.correlation()))


def _delivery(new: NewLead) -> Delivery:
    addresses: list[Address] = []
    for kind, given, read in (("phone", new.phone, contact.phone), ("email", new.email, contact.email)):
        if given.strip():
            found = read(given.strip())
            if found is None:
                raise Refused(f"bad_{kind}", rule="R3", field=kind, given=given[:60])
            addresses.append(found)
    if not addresses and not new.name.strip():
        raise Refused("say_who", rule="R1", field="phone")
    if new.timezone and not contact.is_zone(new.timezone):
        raise Refused("bad_timezone", rule="R3", field="timezone", given=new.timezone[:60])
    return Delivery(channel=new.channel, source="by_hand", source_title="вручную", name=new.name.strip(), text=new.text.strip(),
                    company=new.company.strip(), addresses=tuple(addresses), timezone=new.timezone)


class NextRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the client wants now."""

    text: str


@endpoint("POST", "/leads/<uuid:lead>/next-request", tag=TAG, body=NextRequest, gives=Taken, scopes=("account", "intake"),
          keyed=True, status=201)
def open_next_request(lead: UUID, body: NextRequest) -> Taken:
    """Open a new lead for a client whose deal is won (R29)."""
    return _taken(the_hub().open_request(lead, body.text, actor=me().actor, at=now(), request=answers.correlation()))


# ── the quarantine ───────────────────────────────────────────────────────────────


class QuarantineQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which deliveries, the newest first."""

    state: Literal["waiting", "made", "dismissed"] = "waiting"
    limit: Limit = 100


class Quarantined(Struct, frozen=True, kw_only=True):
    """A delivery at which a person looks first. ``reasons`` are codes; ``understood`` is what could be read of it."""

    receipt: UUID
    status: str
    channel: str
    source: str
    source_title: str
    at: datetime | None
    reasons: list[str]
    lead: UUID | None
    why: str
    understood: Delivery
    raw: str


class QuarantineList(Struct, frozen=True):
    """Deliveries, and how many wait in all."""

    items: list[Quarantined]
    waiting: int


def _quarantined(receipt: UUID, state: ReceiptState) -> Quarantined:
    return Quarantined(receipt=receipt, status=state.status, channel=state.channel, source=state.source,
                       source_title=state.source_title, at=state.at, reasons=state.reason.split(), lead=state.lead, why=state.why,
                       understood=understood(state), raw=state.raw)


def _state(receipt: UUID) -> ReceiptState:
    try:
        state = the_hub().quarantined(receipt)
    except Refused:
        raise NotFound("not_in_quarantine") from None
    if state.status == "accepted":
        raise NotFound("not_in_quarantine")
    return state


@endpoint("GET", "/quarantine", tag=TAG, query=QuarantineQuery, gives=QuarantineList, scopes=WHO)
def list_quarantine(query: QuarantineQuery) -> QuarantineList:
    """What waits for a person, or what became of it."""
    receipts = the_hub().views.receipts
    rows: list[Any] = receipts.quarantine(TABS[query.state], query.limit)
    found = [(UUID(row["id"]), the_hub().quarantined(UUID(row["id"]))) for row in rows]
    return QuarantineList([_quarantined(id, state) for id, state in found], receipts.waiting())


@endpoint("GET", "/quarantine/<uuid:receipt>", tag=TAG, gives=Quarantined, scopes=WHO)
def get_quarantined(receipt: UUID) -> Quarantined:
    """One delivery with everything that came."""
    return _quarantined(receipt, _state(receipt))


@endpoint("POST", "/quarantine/<uuid:receipt>/release", tag=TAG, gives=Taken, scopes=WHO, keyed=True)
def release(receipt: UUID) -> Taken:
    """Make a lead of it. Done before: the same answer, as a duplicate."""
    hub = the_hub()
    hub.allow("release", receipt, *WHO, actor=me().actor, at=now())
    state = _state(receipt)
    if state.status == "released" and state.lead is not None:
        return Taken(receipt, state.lead, False, True)
    return _taken(hub.release(receipt, actor=me().actor, at=now()))


class Dismissal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it is no request."""

    why: str


@endpoint("POST", "/quarantine/<uuid:receipt>/dismiss", tag=TAG, body=Dismissal, scopes=WHO, keyed=True, status=204)
def dismiss(receipt: UUID, body: Dismissal) -> None:
    """Say that it is no request; it is kept all the same."""
    the_hub().allow("dismiss", receipt, *WHO, actor=me().actor, at=now())
    _state(receipt)
    the_hub().dismiss(receipt, body.why, actor=me().actor, at=now())
    settle()

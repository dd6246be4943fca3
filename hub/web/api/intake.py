"""New leads: a card opened by hand, a client's next request, what waits in the quarantine."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Response
from msgspec import Meta, Struct
from msgspec.structs import asdict

from hub.application import Received
from hub.domain.delivery import Delivery
from hub.domain.errors import NotFound, Refused
from hub.domain.events import FileRef
from hub.domain.index import ReceiptState
from hub.traffic.inbound import read_again
from hub.web import files
from hub.web.admin.quarantine import TABS, WHO, understood
from hub.web.api import answers
from hub.web.api.base import A_FILE, endpoint
from hub.web.api.leads import Cursor, Limit, cursor_of, read_cursor
from hub.web.by_hand import delivery_by_hand
from hub.web.desk import me, now, parts, settle, the_hub

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
    came = delivery_by_hand(**asdict(body))
    return _taken(the_hub().open_by_hand(came, actor=me().actor, at=now(), receipt=answers.correlation()))


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

    state: Annotated[Literal["waiting", "unread", "made", "dismissed"],
                     Meta(description="`unread`: dead letters of the channels.")] = "waiting"
    limit: Limit = 100
    cursor: Cursor = ""


class Quarantined(Struct, frozen=True, kw_only=True):
    """A delivery at which a person looks first. ``reasons`` are codes; ``understood`` is what could be read of it;
    ``raw`` is what came, word for word (in lists its first 4,000 characters)."""

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
    files: list[FileRef]


class QuarantineList(Struct, frozen=True):
    """A page, and how many wait in all; ``next`` is the cursor of the page after it, null on the last one."""

    items: list[Quarantined]
    waiting: int
    unread: int
    next: str | None


IN_LIST = 4_000
"""Characters of what came word for word in a list; one delivery is given whole."""


def _quarantined(receipt: UUID, state: ReceiptState, longest: int | None = None) -> Quarantined:
    return Quarantined(receipt=receipt, status=state.status, channel=state.channel, source=state.source,
                       source_title=state.source_title, at=state.at, reasons=state.reason.split(), lead=state.lead, why=state.why,
                       understood=understood(state), files=list(files.refs_of(state)),
                       raw=the_hub().raw_of(state, receipt)[:longest])


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
    receipts, letters = the_hub().views.receipts, the_hub().views.channels
    before = read_cursor(query.cursor, tuple[str, str]) if query.cursor else None
    if before is not None and "\x00" in before[0] + before[1]:
        raise Refused("bad_cursor", field="cursor")
    rows: list[Any] = (letters.dead_letters("unread", query.limit + 1, before) if query.state == "unread"
                       else receipts.quarantine(TABS[query.state], query.limit + 1, before))
    page = rows[:query.limit]
    after = cursor_of(page[-1]["at"], page[-1]["id"]) if len(rows) > query.limit else None
    found = [(UUID(row["id"]), the_hub().quarantined(UUID(row["id"]))) for row in page]
    return QuarantineList([_quarantined(id, state, IN_LIST) for id, state in found], receipts.waiting(), letters.unread(), after)


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


@endpoint("GET", "/quarantine/<uuid:receipt>/files/<int:number>", tag=TAG, gives_file=A_FILE, scopes=WHO)
def download_quarantined_file(receipt: UUID, number: int) -> Response:
    """A file of a delivery by its place in `files`, from 0."""
    return files.of_receipt(receipt, _state(receipt), number)


class ReadAgain(Struct, frozen=True):
    """The lead that the delivery led to, where it led to one."""

    lead: UUID | None


@endpoint("POST", "/quarantine/<uuid:receipt>/read-again", tag=TAG, gives=ReadAgain, scopes=WHO)
def read_again_quarantined(receipt: UUID) -> ReadAgain:
    """Have a dead letter read by its channel as it is now; a second time adds nothing."""
    the_hub().allow("read_again", receipt, *WHO, actor=me().actor, at=now())
    state = _state(receipt)
    if state.status == "reread":
        return ReadAgain(state.lead)
    lead = read_again(the_hub(), parts().accounts, receipt, actor=me().actor, at=now())
    settle()
    return ReadAgain(lead)


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

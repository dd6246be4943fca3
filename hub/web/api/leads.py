"""Leads: the list with its filters, one lead, its past, its events."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from hub.domain.errors import Refused
from hub.domain.event import Event
from hub.domain.lead.board import LONGEST_TAG
from hub.domain.state import LeadState
from hub.projections.lead_queries import Wanted
from hub.projections.lead_tags import tags_in
from hub.projections.lead_tasks import iso
from hub.web.api.base import Answered, endpoint
from hub.web.api.schema import LARGEST, Instant
from hub.web.board.filter import WORDS, day_end
from hub.web.board.past import rows_at
from hub.web.desk import me, now, the_hub

TAG = "Leads"
MOST_ALIKE = 20
Limit = Annotated[int, Meta(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[str, Meta(max_length=300, description="`next` of the page before.")]
Place = Annotated[int, Meta(ge=0, le=2**53)]
Sort = Literal["number", "-number", "due", "-due", "received", "-received", "updated", "-updated"]
SORTS = {"number": "number", "due": "due_sort", "received": "received_at", "updated": "position"}
SHOWN = Literal["everything", "all", "mine", "no_step", "today", "deferrals", "asleep", "won", "lost", "refused"]


At = Annotated[int, Meta(ge=1, le=LARGEST)] | Instant
"""A moment of a lead: a version or an instant."""


def not_ahead(at: datetime) -> None:
    """Refuse an instant that has not come yet."""
    if at > now():
        raise Refused("at_is_ahead", field="at", now=f"{now().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")


class LeadsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which leads, in which order."""

    show: Annotated[SHOWN, Meta(description="`all` open ones, or `everything` with ended and merged ones.")] = "all"
    owner: Annotated[str, Meta(description="`user:<id>`, or `none`.")] = ""
    segment: Annotated[str, Meta(description="A segment of the process, or `none`.")] = ""
    channel: Annotated[str, Meta(description="`website`, `phone`, `email`, `social`.")] = ""
    stage: Annotated[str, Meta(description="A stage of the process.")] = ""
    q: Annotated[str, Meta(max_length=WORDS, description="Words that name, company, person, address or request hold.")] = ""
    tag: Annotated[str, Meta(max_length=LONGEST_TAG, description="A tag, in small letters.")] = ""
    number: Annotated[int, Meta(ge=1, le=LARGEST, description="The one lead with this number.")] | None = None
    sort: Annotated[Sort, Meta(description="A minus turns it round. `updated` suits programs that follow changes.")] = "-number"
    limit: Limit = 50
    cursor: Cursor = ""
    at: Annotated[Instant | None, Meta(description="The list as it was. `q` and `tag` look in what is known today.")] = None


class DueRow(Struct, frozen=True):
    """What is due first; ``missed``: its time passed."""

    key: str
    at: datetime
    missed: bool


class LeadRow(Struct, frozen=True, kw_only=True):
    """A lead as lists show it. ``version`` is the number of its newest event; ``position`` that event's place in the log."""

    id: UUID
    number: int
    version: int
    position: int
    name: str
    about: str
    company: str
    person: str
    phones: list[str]
    addresses: list[str]
    timezone: str
    channel: str
    source: str
    source_title: str
    received_at: datetime
    stage: str
    stage_since: datetime | None
    owner: str
    offered_to: list[str]
    account_manager: str
    segment: str
    total: int | None
    open: bool
    ended: str
    ended_at: datetime | None
    asleep_until: str | None
    merged_into: UUID | None
    due: DueRow | None
    next_step: str
    meeting_at: datetime | None
    continuations: int
    advances: int
    tags: list[str]
    test: bool


class LeadPage(Struct, frozen=True):
    """A page; ``next`` is the cursor of the page after it, null on the last one."""

    items: list[LeadRow]
    next: str | None


class LeadQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which moment of a lead."""

    at: Annotated[At | None,
                  Meta(description="As it was: at a version, or at an instant such as 2026-11-20T14:30:00Z.")] = None


class Lead(Struct, frozen=True):
    """A lead with everything that is known of it. ``version`` is the newest version where ``as_of`` is null."""

    id: UUID
    version: int
    as_of: str | None
    name: str
    open: bool
    state: LeadState


class EventsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events."""

    limit: Limit = 100
    cursor: Cursor = ""
    at: Annotated[At | None, Meta(description="Only those that were known at a version or an instant.")] = None


class PublicEvent(Struct, frozen=True):
    """A fact. ``type`` and what is in ``data`` are told in docs/events.md; ``recorded_at`` where it was recorded later."""

    id: UUID
    version: int
    type: str
    at: datetime
    recorded_at: datetime | None
    actor: str
    correlation_id: UUID
    causation_id: UUID | None
    process_version: int
    data: dict[str, Any]


class EventPage(Struct, frozen=True):
    """A page; ``next`` is the cursor of the page after it, null on the last one."""

    items: list[PublicEvent]
    next: str | None


def cursor_of(*values: Any) -> str:
    """An opaque place to go on from."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def read_cursor(text: str, kind: Any) -> Any:
    """What :func:`cursor_of` made, as ``kind``; refused where it made none of this kind."""
    try:
        return msgspec.json.decode(base64.b64decode(text + "=" * (-len(text) % 4), "-_", validate=True), type=kind)
    except (binascii.Error, ValueError):
        raise Refused("bad_cursor", field="cursor") from None


def one_of(name: str, given: str, known: Collection[str]) -> str:
    """``given`` if it is empty or known; refused with what there is."""
    if given and given not in known:
        raise Refused("no_such_choice", field=name, name=name, given=given, known=", ".join(known))
    return given


@endpoint("GET", "/leads", tag=TAG, query=LeadsQuery, gives=LeadPage)
def list_leads(query: LeadsQuery) -> LeadPage:
    """The leads of the board and of the list.

    Pages are stable while leads come in: a page begins after the last lead of the page before it.
    """
    if query.at is not None:
        return _listed_at(query, query.at)
    where, values = _condition(query)
    column, way = SORTS[query.sort.lstrip("-")], "DESC" if query.sort.startswith("-") else "ASC"
    if query.cursor:
        counted = column in ("number", "position")
        sort, place, number = read_cursor(query.cursor, tuple[str, Place, Place] if counted else tuple[str, str, Place])
        if sort != query.sort or "\x00" in str(place):
            raise Refused("bad_cursor", field="cursor")
        where = f"{where} AND ({column}, number) {'<' if way == 'DESC' else '>'} (?, ?)"
        values += [place, number]
    rows = the_hub().views.leads.rows(where, values, f"{column} {way}, number {way}", query.limit + 1)
    page = rows[:query.limit]
    after = cursor_of(query.sort, page[-1][column], page[-1]["number"]) if len(rows) > query.limit else None
    return LeadPage([row_of(row) for row in page], after)


PAST_SORTS = {"number": "received_at", "due": "due_sort", "received": "received_at", "updated": "since"}


def _listed_at(query: LeadsQuery, at: datetime) -> LeadPage:
    """The list as it was at ``at``. A lead counts as updated then when something that lists show had changed last."""
    not_ahead(at)
    hub, wanted = the_hub(), _wanted(query, at)
    column, way = PAST_SORTS[query.sort.lstrip("-")], "DESC" if query.sort.startswith("-") else "ASC"
    place = None
    if query.cursor:
        sort, then, value, lead = read_cursor(query.cursor, tuple[str, str, str, str])
        if (sort, then) != (query.sort, iso(at)) or "\x00" in value + lead:
            raise Refused("bad_cursor", field="cursor")
        place = (value, lead)
    only = None
    if query.number is not None:
        named = hub.views.leads.by_number(query.number)
        only = named.hex if named is not None else ""
    found = hub.views.moments.after(at, wanted, column, way, place, query.limit + 1, everything=query.show == "everything",
                                    only=only)
    leads = [lead for lead, _ in found[:query.limit]]
    after = cursor_of(query.sort, iso(at), found[query.limit - 1][1], leads[-1]) if len(found) > query.limit else None
    return LeadPage([row_of(row) for row in rows_at(leads, at)], after)


def _condition(query: LeadsQuery) -> tuple[str, list[Any]]:
    wanted = _wanted(query, now())
    conditions, values = wanted.common()
    if query.show != "everything":
        shown, shown_values = wanted.shown()
        conditions, values = [*shown, *conditions], [*shown_values, *values]
    if query.number is not None:
        conditions, values = [*conditions, "number = ?"], [*values, query.number]
    return " AND ".join(conditions) or "number > 0", values


def _wanted(query: LeadsQuery, at: datetime) -> Wanted:
    hub = the_hub()
    process = hub.process
    owners = ("none", *(f"user:{id}" for id in hub.users()))
    return Wanted(
        show="all" if query.show == "everything" else query.show, owner=one_of("owner", query.owner, owners),
        segment=one_of("segment", query.segment, ("none", *process.segments)),
        channel=one_of("channel", query.channel, ("website", "phone", "email", "social")),
        stage=one_of("stage", query.stage, tuple(process.stages)), words=query.q.strip(), tag=query.tag, me=me().id,
        day_ends=iso(day_end(process, at)))


AS_IT_IS = ("number", "version", "position", "name", "about", "company", "person", "timezone", "channel", "source",
            "source_title", "stage", "owner", "account_manager", "segment", "total", "ended", "asleep_until", "next_step",
            "continuations", "advances")
"""Columns of the read model that the API gives under the same name."""


def row_of(row: Any) -> LeadRow:
    """A row of the read model as the API gives it."""
    due = DueRow(row["due_key"], _when(row["due_at"]), bool(row["due_missed"])) if row["due_at"] else None
    told: dict[str, Any] = {name: row[name] for name in AS_IT_IS}
    told |= {name: _when(row[name]) if row[name] else None for name in ("stage_since", "ended_at", "meeting_at")}
    return LeadRow(
        id=UUID(row["id"]), phones=row["phones"].split(),
        addresses=row["emails"].split(), tags=tags_in(row),
        offered_to=row["offered_to"].split(), received_at=_when(row["received_at"]),
        open=bool(row["is_open"]), test=bool(row["test"]), due=due,
        merged_into=UUID(row["merged_into"]) if row["merged_into"] else None, **told)


def _when(text: str) -> datetime:
    return datetime.fromisoformat(text)


@endpoint("GET", "/leads/<uuid:lead>", tag=TAG, query=LeadQuery, gives=Lead)
def get_lead(lead: UUID, query: LeadQuery) -> Answered:
    """One lead, as it is or as it was `at` a version or an instant.

    The header ETag holds its version, for If-Match of the commands.
    """
    hub, at = the_hub(), query.at
    version = at if isinstance(at, int) else None
    if isinstance(at, datetime):
        not_ahead(at)
    state = hub.lead(lead, version=version, at=at if isinstance(at, datetime) else None)
    said = None if at is None else str(at) if isinstance(at, int) else at.isoformat()
    newest = hub.version(lead)
    return Answered(Lead(lead, newest, said, state.name, state.open, state), newest if at is None else None)


@endpoint("GET", "/leads/<uuid:lead>/events", tag=TAG, query=EventsQuery, gives=EventPage)
def list_events(lead: UUID, query: EventsQuery) -> EventPage:
    """The events of a lead in order, the whole history of what happened to it."""
    after = read_cursor(query.cursor, tuple[Place])[0] if query.cursor else 0
    hub, at = the_hub(), query.at
    hub.lead(lead)
    newest = hub.version(lead)
    if at is not None:
        if isinstance(at, datetime):
            not_ahead(at)
        newest = len(hub.past(lead, version=at) if isinstance(at, int) else hub.past(lead, at=at))
    events = hub.store.read(lead, after, min(after + query.limit, newest))
    more = bool(events) and newest > events[-1].originator_version
    return EventPage([public(event) for event in events], cursor_of(events[-1].originator_version) if more else None)


class Alike(Struct, frozen=True):
    """A lead that looks like the one asked for. ``reasons``, the strongest first: `address`, `inn`, `name`, `phone`, `domain`."""

    lead: LeadRow
    reasons: list[str]


class Duplicates(Struct, frozen=True):
    """Probable duplicates, the likeliest first; without those that were told apart."""

    items: list[Alike]


@endpoint("GET", "/leads/<uuid:lead>/duplicates", tag=TAG, gives=Duplicates)
def list_duplicates(lead: UUID) -> Duplicates:
    """Open leads that look like the same request (R6): the same contact, taxpayer number, name and company, a phone that
    differs in its last digits, the mail domain of one company."""
    state = the_hub().lead(lead)
    return Duplicates([Alike(row_of(row), list(why)) for row, why in the_hub().views.leads.alike(lead, state, MOST_ALIKE)])


COMMON = frozenset(Event.__struct_fields__)


def public(event: Event) -> PublicEvent:
    """An event as the API gives it; for whoever reads the lead, so with its personal fields."""
    data = {k: v for k, v in msgspec.to_builtins(event, str_keys=True).items() if k not in COMMON}
    return PublicEvent(event.event_id, event.originator_version, event.TOPIC, event.at, event.recorded_at, event.actor,
                       event.correlation_id, event.causation_id, event.process_version, data)

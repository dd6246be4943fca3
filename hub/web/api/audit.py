"""The audit trail for programs: who did what and when, and what was refused to whom."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import replace

from hub.domain.errors import NotFound, Refused
from hub.projections.trail import Place, Wanted
from hub.web.api.base import endpoint
from hub.web.api.leads import Cursor, Limit, cursor_of, one_of, read_cursor
from hub.web.api.schema import Instant
from hub.web.audit import WHO
from hub.web.audit.trail import note
from hub.web.audit.trail_filter import LARGEST_PLACE
from hub.web.audit.trail_kinds import GROUPS, OTHER, topics_of
from hub.web.audit.trail_lines import Storyteller, TrailLine
from hub.web.desk import the_hub

TAG = "Audit"


class TrailQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events."""

    who: Annotated[str, Meta(max_length=200, description="An actor as events have it: `user:<id>`, `hub`,"
                             " `channel:<name>`.")] = ""
    what: Annotated[str, Meta(max_length=100, description="A type of event, such as `user.roles_changed`, or a group: "
                              + ", ".join(f"`{id}`" for id in (*GROUPS, OTHER)) + ".")] = ""
    since: Annotated[Instant | None, Meta(description="Stored at this instant or later.")] = None
    until: Annotated[Instant | None, Meta(description="Stored before this instant.")] = None
    lead: Annotated[UUID | None, Meta(description="Events of this lead, and others that are about it.")] = None
    limit: Limit = 50
    cursor: Cursor = ""


class TrailChange(Struct, frozen=True):
    """A value that the event set, as a person reads it; ``before`` null where there was none or it is not told."""

    name: str
    before: str | None
    after: str | None


class TrailItem(Struct, frozen=True, kw_only=True):
    """An event, or a refused attempt, in words.

    ``at``: when the hub stored it; ``happened_at``: when it was so, where that was earlier. ``number``: of the lead that it is of
    or about. ``version``: its number in its stream. ``leaf``: its number in the tree of the log, null until it is hashed.
    ``readable`` false: the stored event was changed past the hub and cannot be read.
    """

    position: int
    at: datetime
    happened_at: datetime | None
    actor: str
    who: str
    type: str
    group: str
    sentence: str
    text: str
    changes: list[TrailChange]
    lead: UUID | None
    number: int | None
    stream: str
    version: int
    leaf: int | None
    readable: bool


class TrailPage(Struct, frozen=True):
    """The newest first; ``next`` is the cursor of the page after it, null on the last one."""

    items: list[TrailItem]
    next: str | None


@endpoint("GET", "/audit/trail", tag=TAG, query=TrailQuery, gives=TrailPage, scopes=WHO)
def get_trail(query: TrailQuery) -> TrailPage:
    """Everything that was done and everything that was refused. An auditor's look at it is recorded."""
    hub = the_hub()
    if query.since is not None and query.until is not None and query.since >= query.until:
        raise Refused("trail_turned", field="since")
    there = hub.views.trail.names()[1]
    one_of("what", query.what, (*GROUPS, OTHER, *there))
    wanted = Wanted(who=query.who, since=query.since, until=query.until)
    if query.what:
        wanted = replace(wanted, topics=topics_of(query.what, there) or ("none",))
    if query.lead is not None:
        if hub.views.leads.one(query.lead) is None:
            raise NotFound("no_such_lead")
        wanted = replace(wanted, lead=query.lead)
    before = Place(*read_cursor(query.cursor, tuple[int, int])) if query.cursor else None
    if before is not None and max(map(abs, before)) >= LARGEST_PLACE:
        raise Refused("bad_cursor", field="cursor")
    places = hub.views.trail.places(wanted, query.limit + 1, before=before)
    page = places[:query.limit]
    lines = Storyteller(hub).lines(page)
    note(lines)
    return TrailPage([_item(line) for line in lines], cursor_of(*page[-1]) if len(places) > query.limit else None)


def _item(line: TrailLine) -> TrailItem:
    told: dict[str, Any] = {name: getattr(line, name) for name in ("at", "actor", "who", "group", "text", "lead", "number",
                                                                  "version", "leaf", "readable")}
    return TrailItem(position=line.place.position, happened_at=line.happened, type=line.topic, sentence=line.what,
                     changes=[TrailChange(*change) for change in line.changes], stream=str(line.stream), **told)

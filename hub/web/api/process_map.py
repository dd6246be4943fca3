"""The map of the process in numbers, and what is behind each of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from hub.domain.errors import NotAllowed, Refused
from hub.projections.flows import Behind
from hub.web.api.base import endpoint
from hub.web.api.figures import ID
from hub.web.api.leads import Cursor, Limit, cursor_of, not_ahead, read_cursor
from hub.web.api.schema import Instant
from hub.web.desk import me, now, the_hub
from hub.web.past import Moment
from hub.web.process.asked import NONE, USUAL, Asked
from hub.web.process.numbers import count
from hub.web.reports.filter import sees_all

TAG = "Reports"


class MapQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Over which days of the company's calendar, both included, and of which leads. ``owner`` and ``segment`` are those that a
    lead had when it left a stage or its deadline ended; ``channel`` and ``source`` those by which it first came. `none` asks for
    leads without one."""

    since: Annotated[date | None, Meta(description="30 days up to `until` when absent.")] = None
    until: Annotated[date | None, Meta(description="Today when absent.")] = None
    at: Annotated[Instant | None, Meta(description="The numbers as they were; nothing after it counts.")] = None
    owner: Annotated[ID, Meta(description="`user:<id>`, or `none`. Some may name only themselves.")] = ""
    segment: Annotated[ID, Meta(description="A segment's id, or `none`.")] = ""
    channel: ID = ""
    source: Annotated[str, Meta(max_length=200)] = ""

    def asked(self) -> Asked:
        """As the page is asked. Refused for a time that is turned or has not come, and for another person's figures."""
        hub = the_hub()
        if self.at is not None:
            not_ahead(self.at)
        if self.owner not in ("", NONE, me().id) and not sees_all():
            raise NotAllowed("own_figures_only", field="owner")
        process = hub.process if self.at is None else hub.process_at(self.at)
        today = process.date_of(self.at or now())
        last = min(self.until or today, today)
        first = self.since or last - timedelta(days=USUAL - 1)
        if first > last:
            raise Refused("time_turned", field="since")
        return Asked(process, first, last, Moment(at=self.at) if self.at is not None else None, self.owner, self.segment,
                     self.channel, self.source)


class BehindQuery(MapQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which number."""

    what: Annotated[Literal["open", "left", "came", "met", "missed"], Meta(
        description="`open`: leads in `stage` at the moment (or `asleep`). `left`: stays in `stage` that ended, into `into`. "
                    "`came`: new leads (`into` is `new`), or returns to `stage` (`into` is how they had ended, or `back`). "
                    "`met`, `missed`: deadlines that ended in `stage`.")]
    stage: ID = ""
    into: ID = ""
    cursor: Cursor = ""
    limit: Limit = 50


class MapStage(Struct, frozen=True, kw_only=True):
    """A stage. ``came`` and ``left`` are stays that began and that ended in the time, repeated ones too; lengths in seconds, of
    those that ended: the middle one, and what nine of ten do not pass. ``met`` and ``missed``: deadlines that ended while a lead
    was in it."""

    stage: str
    title: str
    open: int
    came: int
    left: int
    median_seconds: float | None
    nine_of_ten_seconds: float | None
    met: int
    missed: int


class MapMove(Struct, frozen=True, kw_only=True):
    """How many went from a stage to another, or to `won`, `lost`, `refused`, `slept`, `merged_into`; ``share`` of all that left
    the stage. A lead that goes twice counts twice."""

    source: str
    to: str
    count: int
    share: float


class MapEnd(Struct, frozen=True, kw_only=True):
    """An end: how many came to it, their share of all won, lost and refused ones, and how many returned from it."""

    end: str
    title: str
    count: int
    share: float | None
    returned: int


class MapDoor(Struct, frozen=True, kw_only=True):
    """New leads of a channel."""

    channel: str
    count: int
    share: float


class ProcessNumbers(Struct, frozen=True, kw_only=True):
    """The map at ``as_of``, over the days from ``since`` to ``until``."""

    as_of: datetime
    since: date
    until: date
    process_version: int
    stages: list[MapStage]
    moves: list[MapMove]
    ends: list[MapEnd]
    doors: list[MapDoor]
    asleep: int


class Thing(Struct, frozen=True, kw_only=True):
    """What was counted: a stay that ended, a lead that came or is open, a deadline that ended (``deadline`` names it)."""

    lead: UUID
    at: datetime
    stage: str
    into: str
    seconds: int | None
    deadline: str


class ThingPage(Struct, frozen=True, kw_only=True):
    """The newest first. ``total`` things of ``leads`` different leads; ``next`` is the cursor of the page after it."""

    total: int
    leads: int
    items: list[Thing]
    next: str | None


@endpoint("GET", "/reports/process", tag=TAG, query=MapQuery, gives=ProcessNumbers)
def get_process_numbers(query: MapQuery) -> ProcessNumbers:
    """The process map: leads by stage, stays, deadlines kept, moves, ends, arrivals and returns; of any past moment as well."""
    asked = query.asked()
    found = count(asked)
    return ProcessNumbers(
        as_of=query.at or now(), since=asked.first, until=asked.last, process_version=asked.process.version, asleep=found.asleep,
        stages=[MapStage(stage=s.id, title=s.title, open=s.now, came=s.came, left=s.left,
                         median_seconds=s.stays.median if s.stays else None,
                         nine_of_ten_seconds=s.stays.most if s.stays else None, met=s.kept.met,
                         missed=s.kept.missed) for s in found.stages],
        moves=[MapMove(source=m.source, to=m.to, count=m.count, share=m.share) for m in found.moves],
        ends=[MapEnd(end=e.id, title=e.title, count=e.count, share=e.share, returned=e.returned) for e in found.ends],
        doors=[MapDoor(channel=d.channel, count=d.count, share=d.share) for d in found.doors])


@endpoint("GET", "/reports/process/behind", tag=TAG, query=BehindQuery, gives=ThingPage)
def get_behind_process_number(query: BehindQuery) -> ThingPage:
    """What is behind a number of the map."""
    asked, flows = query.asked(), the_hub().views.flows
    slice = asked.slice
    if query.what == "open":
        slice = replace(slice, until=query.at)
    into = "" if query.what == "came" and query.into == "new" else query.into or None
    behind = Behind(query.what, query.stage or None, into)
    after = read_cursor(query.cursor, tuple[str, str, int]) if query.cursor else None
    rows = flows.behind(behind, slice, query.limit + 1, after)
    total, leads = flows.count(behind, slice)
    shown = rows[:query.limit]
    return ThingPage(
        total=total, leads=leads,
        items=[Thing(lead=UUID(row.lead), at=datetime.fromisoformat(row.at), stage=row.stage,
                     into=row.to if query.what == "left" else "", seconds=row.seconds if query.what == "left" else None,
                     deadline=row.what) for row in shown],
        next=cursor_of(shown[-1].at, shown[-1].lead, shown[-1].version) if len(rows) > query.limit else None)

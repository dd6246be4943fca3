"""What a person has to do and was told, and the department's numbers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from hub.projections.lead_queries import ASLEEP, ENDED_SHOWS, Wanted
from hub.projections.lead_tasks import FAR, HEAD, iso
from hub.web.api.base import endpoint
from hub.web.api.leads import Limit, Place, cursor_of, read_cursor
from hub.web.api.schema import LARGEST, Instant
from hub.web.board.filter import day_end
from hub.web.desk import may, me, now, the_access, the_hub

TAG = "My day"
FLOWS_OVER = timedelta(days=30)
"""How far back the numbers look unless told."""

# ── my day ───────────────────────────────────────────────────────────────────────


class Task(Struct, frozen=True, kw_only=True):
    """Something to do. ``kind`` is a deadline of the process, or `meeting`, `check`, `offer`, `head_part`; ``detail`` names it
    closer; ``due_at`` is null where it has no time; ``for_head``: whoever is head of sales does it."""

    lead: UUID
    number: int
    name: str
    stage: str
    kind: str
    detail: str
    text: str
    due_at: datetime | None
    since: datetime | None
    for_head: bool


class Tasks(Struct, frozen=True):
    """The most urgent first."""

    items: list[Task]


class TasksQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tasks."""

    before: Annotated[Instant | None, Meta(description="Only what is due before this instant.")] = None
    limit: Limit = 100


@endpoint("GET", "/my/tasks", tag=TAG, query=TasksQuery, gives=Tasks, personal=True)
def list_tasks(query: TasksQuery) -> Tasks:
    """What the token's person has to do, and what waits for the head where they are one."""
    people = [me().id, *([HEAD] if may("decide") else [])]
    rows = the_hub().views.leads.tasks.of(people, before=query.before, limit=query.limit)
    return Tasks([Task(lead=UUID(row["id"]), number=row["number"], name=row["name"], stage=row["stage"], kind=row["kind"],
                       detail=row["detail"], text=row["text"], due_at=_instant(row["at"]), since=_instant(row["since"]),
                       for_head=row["who"] == HEAD) for row in rows])


def _instant(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text and text != FAR else None


class Notice(Struct, frozen=True, kw_only=True):
    """Something that the person was told. ``key`` names the deadline, or why an offer was made."""

    position: int
    lead: UUID
    number: int | None
    name: str | None
    kind: str
    key: str
    at: datetime
    new: bool


class Notices(Struct, frozen=True):
    """The newest first; ``next`` is the cursor for newer ones, to be asked for later."""

    items: list[Notice]
    next: str


class NoticesQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which notices."""

    cursor: Annotated[str, Meta(max_length=300, description="`next` of an earlier answer: only what came after it.")] = ""
    limit: Limit = 50


@endpoint("GET", "/my/notices", tag=TAG, query=NoticesQuery, gives=Notices, personal=True)
def list_notices(query: NoticesQuery) -> Notices:
    """What the token's person was told. Looking here marks nothing as seen."""
    after = read_cursor(query.cursor, tuple[Place])[0] if query.cursor else 0
    seen = the_access().notices_seen(me().stream)
    rows = the_hub().views.notices.of(me().id, after, query.limit)
    newest = rows[0]["position"] if rows else after
    return Notices([Notice(position=row["position"], lead=UUID(row["lead"]), number=row["number"], name=row["name"],
                           kind=row["kind"], key=row["key"], at=datetime.fromisoformat(row["at"]), new=row["position"] > seen)
                    for row in rows], cursor_of(newest))


class Seen(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Up to which notice."""

    position: Annotated[int, Meta(ge=0, le=LARGEST)]


@endpoint("POST", "/my/notices/seen", tag=TAG, body=Seen, personal=True, status=204)
def see_notices(body: Seen) -> None:
    """Mark notices as seen up to the `position` of one of them."""
    the_access().see_notices(me().stream, min(body.position, the_hub().store.head()))


# ── numbers ──────────────────────────────────────────────────────────────────────


class NumbersQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Over which time."""

    since: Annotated[Instant | None, Meta(description="Medians and flows count from here; 30 days back when absent.")] = None


class StageNumbers(Struct, frozen=True):
    """A stage: open leads in it now, and the median stay in seconds of stays that ended in the time."""

    stage: str
    title: str
    open: int
    median_seconds: float | None


class Flow(Struct, frozen=True):
    """How many went from a stage to another, or to `won`, `lost`, `refused`, `slept`, `merged_into`."""

    source: str
    to: str
    count: int


class Numbers(Struct, frozen=True, kw_only=True):
    """The department now. ``shows`` are open leads by the filters of the board, ``ended`` all ended ones by how they ended."""

    as_of: datetime
    since: datetime
    stages: list[StageNumbers]
    asleep: int
    late: int
    shows: dict[str, int]
    ended: dict[str, int]
    flows: list[Flow]


@endpoint("GET", "/reports/numbers", tag="Reports", query=NumbersQuery, gives=Numbers)
def get_numbers(query: NumbersQuery) -> Numbers:
    """Open leads by stage, medians of stays, flows, what is late, how leads ended."""
    hub, at = the_hub(), now()
    since = query.since or at - FLOWS_OVER
    views, process = hub.views, hub.process
    counts = views.leads.counts(Wanted(me=me().id, day_ends=iso(day_end(process, at))))
    medians = views.intervals.medians(since)
    return Numbers(
        as_of=at, since=since, late=views.leads.late_count(iso(at)), asleep=counts.places.get(ASLEEP, 0), shows=counts.shows,
        stages=[StageNumbers(s.id, s.title, counts.places.get(s.id, 0), medians.get(s.id)) for s in process.stages.values()],
        ended={how: views.leads.how_many(Wanted(show=how)) for how in ENDED_SHOWS},
        flows=[Flow(a, b, n) for (a, b), n in sorted(views.intervals.flows(since).items())])

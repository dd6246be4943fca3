"""What a person has to do and was told, and how they are told beside the browser."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from hub.projections.lead_tasks import FAR, HEAD
from hub.web.api.base import endpoint
from hub.web.api.leads import Limit, Place, cursor_of, read_cursor
from hub.web.api.schema import LARGEST, Instant
from hub.web.desk import may, me, the_access, the_hub

TAG = "My day"

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

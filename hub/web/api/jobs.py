"""The search, leads as a table, and how long works do, for other programs."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import Annotated, Literal
from uuid import UUID

from flask import Response, send_file
from msgspec import Meta, Struct

from hub.domain.errors import NotFound
from hub.jobs import Job
from hub.projections.lead_queries import ENDED_SHOWS, OPEN_SHOWS, Wanted
from hub.projections.searching import search as search_in
from hub.sheets import exporting
from hub.web import jobs as pages
from hub.web.api.base import endpoint
from hub.web.api.leads import LeadRow, row_of
from hub.web.board.filter import WORDS, read_filter
from hub.web.desk import me, now, parts, the_hub
from hub.web.search.finding import written
from hub.web.sheets.exports import KEPT

LEADS, WORKS = "Leads", "Long works"
Show = Literal["all", "mine", "no_step", "today", "deferrals", "asleep", "won", "lost", "refused"]
assert set(Show.__args__) == {*OPEN_SHOWS, *ENDED_SHOWS}  # type: ignore[attr-defined]


class SearchQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to look for."""

    q: Annotated[str, Meta(min_length=1, max_length=WORDS, description="A number, words, a phone in any spelling.")]
    limit: Annotated[int, Meta(ge=1, le=50)] = 20


class WrittenIn(Struct, frozen=True):
    """A letter, message or note in which the words stand, with what is around them."""

    lead: UUID
    at: datetime
    text: str


class Hits(Struct, frozen=True):
    """What was found. ``meant``: the words that were taken instead of those that nobody has, "" where none were."""

    leads: list[LeadRow]
    texts: list[WrittenIn]
    meant: str
    more: bool


@endpoint("GET", "/search", tag=LEADS, query=SearchQuery, gives=Hits)
def search(query: SearchQuery) -> Hits:
    """Leads by number, words and phones, and what was written; the other keyboard layout and slips are forgiven."""
    hub = the_hub()
    found = search_in(hub.views.leads, hub.views.texts, query.q, query.limit, query.limit)
    texts = [(lead, one) for lead in found.texts if (one := written(hub, lead, query.q)) is not None]
    return Hits([row_of(row) for row in found.leads], [WrittenIn(lead, one.at, one.piece.striptags()) for lead, one in texts],
                found.meant, found.more)


class ExportLeads(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which leads, as the list filters them, and what of each."""

    columns: Annotated[tuple[str, ...], Meta(min_length=1, max_length=50)] = exporting.USUAL
    format: Literal["csv", "xlsx"] = "csv"
    language: Literal["ru", "en"] = "ru"
    show: Show = "all"
    owner: Annotated[str, Meta(max_length=100)] = ""
    segment: Annotated[str, Meta(max_length=20)] = ""
    channel: Annotated[str, Meta(max_length=20)] = ""
    stage: Annotated[str, Meta(max_length=50)] = ""
    tag: Annotated[str, Meta(max_length=40)] = ""
    q: Annotated[str, Meta(max_length=WORDS)] = ""


class LongWork(Struct, frozen=True):
    """A long work. ``state``: filling, draft, waiting, running, done, failed, cancelled; ``served`` is false where no worker is
    there to go on with it; ``said``: what it said last; ``files`` are fetched by name."""

    id: UUID
    kind: str
    state: str
    done: int
    total: int | None
    asked_at: datetime
    finished_at: datetime | None
    served: bool
    said: str
    files: list[str]


def _told(job: Job) -> LongWork:
    shown = pages.shown(job)
    return LongWork(job.id, job.kind, job.state, job.done, job.total, job.asked, job.finished, shown.served, shown.words,
                    [file.name for file in job.results])


@endpoint("POST", "/exports/leads", tag=LEADS, body=ExportLeads, gives=LongWork, status=202)
def export_leads(body: ExportLeads) -> LongWork:
    """Make a table of leads; is recorded. The long work is asked after, and its file fetched when it is done."""
    hub, at = the_hub(), now()
    wanted: Wanted = read_filter({name: getattr(body, name) for name in KEPT}, hub, me().id, at).wanted
    job = exporting.start(hub, wanted, body.columns, body.format, site=parts().public_url.rstrip("/"), language=body.language,
                          actor=me().actor, at=at)
    return _told(hub.jobs.one(job))


@endpoint("GET", "/jobs/<uuid:job>", tag=WORKS, gives=LongWork)
def get_job(job: UUID) -> LongWork:
    """How far a long work is."""
    return _told(pages.found(job))


@endpoint("POST", "/jobs/<uuid:job>/cancel", tag=WORKS, gives=LongWork)
def cancel_job(job: UUID) -> LongWork:
    """Stop a long work; what it has done stays."""
    the_hub().jobs.cancel(pages.found(job).id, now())
    return _told(pages.found(job))


@endpoint("POST", "/jobs/<uuid:job>/resume", tag=WORKS, gives=LongWork)
def resume_job(job: UUID) -> LongWork:
    """Go on with one that was stopped or failed, where its kind can."""
    pages.allow(pages.found(job))
    the_hub().jobs.resume(job)
    return _told(pages.found(job))


@endpoint("GET", "/jobs/<uuid:job>/files/<name>", tag=WORKS, gives_file="*/*")
def get_job_file(job: UUID, name: str) -> Response:
    """A file that a long work made."""
    there = pages.found(job)
    pages.allow(there)
    known = next((file for file in there.results if file.name == name), None)
    if known is None:
        raise NotFound("no_such_result")
    data = BytesIO(the_hub().jobs.read(there, name))
    made: Response = send_file(data, known.media_type, as_attachment=True, download_name=name)
    return made

"""The department's numbers, each with what it counts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from hub.domain.errors import Refused
from hub.projections.lead_queries import ASLEEP, ENDED_SHOWS, Wanted
from hub.projections.lead_tasks import iso
from hub.projections.punctuality import Met
from hub.web.api.base import endpoint
from hub.web.api.leads import not_ahead
from hub.web.api.schema import Instant
from hub.web.board.filter import day_end
from hub.web.desk import me, now, the_hub

TAG = "Reports"
OVER = timedelta(days=30)
"""How far back the numbers look unless told."""


class NumbersQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Over which time."""

    since: Annotated[Instant | None, Meta(description="Medians and flows count from here; 30 days back when absent.")] = None
    at: Annotated[Instant | None, Meta(description="The numbers as they were; medians and flows count up to here.")] = None


class StageNumbers(Struct, frozen=True):
    """A stage: open leads in it at ``as_of``, and the median stay in seconds of stays that ended in the time."""

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
    """The department at ``as_of``. ``shows`` are open leads by the filters of the board, ``ended`` all ended ones by how they
    ended."""

    as_of: datetime
    since: datetime
    stages: list[StageNumbers]
    asleep: int
    late: int
    shows: dict[str, int]
    ended: dict[str, int]
    flows: list[Flow]


@endpoint("GET", "/reports/numbers", tag=TAG, query=NumbersQuery, gives=Numbers)
def get_numbers(query: NumbersQuery) -> Numbers:
    """Open leads by stage, medians of stays, flows, what is late, how leads ended; of any past moment as well."""
    hub, at = the_hub(), query.at or now()
    since = query.since or at - OVER
    if query.at is not None:
        not_ahead(query.at)
    if since > at:
        raise Refused("time_turned", field="since")
    views, process = hub.views, hub.process if query.at is None else hub.process_at(at)
    wanted = Wanted(me=me().id, day_ends=iso(day_end(process, at)))
    medians, flows = views.intervals.medians(since, query.at), views.intervals.flows(since, query.at)
    if query.at is None:
        counts, late = views.leads.counts(wanted), views.leads.late_count(iso(at))
        ended = {how: views.leads.how_many(Wanted(show=how)) for how in ENDED_SHOWS}
    else:
        counts, late, ended = views.moments.counts(at, wanted), views.moments.late(at), views.moments.endings(at, Wanted())
    return Numbers(
        as_of=at, since=since, late=late, asleep=counts.places.get(ASLEEP, 0), shows=counts.shows, ended=ended,
        stages=[StageNumbers(s.id, s.title, counts.places.get(s.id, 0), medians.get(s.id)) for s in process.stages.values()],
        flows=[Flow(a, b, n) for (a, b), n in sorted(flows.items())])


class PunctualityQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Over which days (UTC), both included."""

    since: Annotated[date | None, Meta(description="30 days back when absent.")] = None
    until: Annotated[date | None, Meta(description="Today when absent.")] = None


class Share(Struct, frozen=True, kw_only=True):
    """``share`` is met / (met + missed). ``by`` is a deadline of the process, `user:<id>` (empty: nobody had taken the lead), or
    a channel."""

    by: str
    title: str
    met: int
    missed: int
    share: float


class Punctual(Struct, frozen=True, kw_only=True):
    """Deadlines that ended in the time. A deadline counts once, on the day on which it ended: as met where it was done by its
    time, as missed where its time passed first, whether or not it was done later. Dropped ones, those of test leads and returns
    that time itself brings do not count. The person is who owned the lead then; the channel is the lead's first."""

    since: date
    until: date
    met: int
    missed: int
    share: float | None
    deadlines: list[Share]
    people: list[Share]
    channels: list[Share]


@endpoint("GET", "/reports/deadlines", tag=TAG, query=PunctualityQuery, gives=Punctual)
def get_punctuality(query: PunctualityQuery) -> Punctual:
    """The share of deadlines that were met, by deadline, person and channel."""
    until = query.until or now().date()
    since = query.since or until - OVER
    if since > until:
        raise Refused("time_turned", field="since")
    hub, found = the_hub(), the_hub().views.punctuality
    kinds = found.by("kind", since, until)
    met, missed = sum(k.met for k in kinds), sum(k.missed for k in kinds)
    names = {f"user:{id}": user.name for id, user in hub.users().items()}
    titles = {id: deadline.title for id, deadline in hub.process.deadlines.items()}
    return Punctual(since=since, until=until, met=met, missed=missed, share=met / (met + missed) if kinds else None,
                    deadlines=_shares(kinds, titles), people=_shares(found.by("owner", since, until), names),
                    channels=_shares(found.by("channel", since, until), {}))


def _shares(rows: list[Met], titles: dict[str, str]) -> list[Share]:
    return [Share(by=row.by, title=titles.get(row.by, row.by), met=row.met, missed=row.missed,
                  share=row.met / (row.met + row.missed)) for row in rows]

"""The figures of the reports, each with its filters, and the leads behind each of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import replace

from hub.domain.errors import NotAllowed, Refused, sentences
from hub.projections.reports_cohorts import Rated, Speed, Step
from hub.projections.reports_days import Ended, Kept, Talks, Won
from hub.projections.reports_lists import FIGURES, Figure
from hub.projections.reports_now import Load
from hub.projections.reports_over import NONE, Spread
from hub.web.api.base import endpoint
from hub.web.api.leads import Limit, one_of
from hub.web.api.schema import LARGEST
from hub.web.board.filter import CHANNELS
from hub.web.desk import me, now, the_hub
from hub.web.reports import figures, today
from hub.web.reports.filter import USUAL, Chosen, checked, sees_all

sentences(own_figures_only=("Вам видны только ваши показатели. Уберите owner или назовите себя.",
                            "You may see your own figures only. Leave out owner, or name yourself."))

TAG = "Reports"
ID = Annotated[str, Meta(max_length=80)]


class PeriodQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Over which days of the company's calendar, both included, and of which leads. A person who may not see everybody's
    figures gets their own."""

    since: Annotated[date | None, Meta(description="90 days up to `until` when absent.")] = None
    until: Annotated[date | None, Meta(description="Today when absent. At most a year from `since`.")] = None
    owner: Annotated[ID, Meta(description="`user:<id>`, or `none` for leads that nobody took.")] = ""
    segment: Annotated[ID, Meta(description="A segment's id, or `none` for leads without a sheet.")] = ""
    channel: ID = ""


class FigureQuery(PeriodQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of the figure; what is left out asks for all of it."""

    kind: Annotated[ID, Meta(description="Of `kept`, `missed`: a deadline of the process; of `scored`, `rescored` the "
                                            "first segment; of `chances_…` the kind of chance.")] = ""
    step: Annotated[ID, Meta(description="Of `reached`, `were`, `dropped`: a stage, or `won`.")] = ""
    how: Annotated[Literal["", "lost", "refused", "asleep", "open"], Meta(description="Of `dropped`: what became of them.")] = ""
    stage: Annotated[ID, Meta(description="Of `stayed`, `talks`.")] = ""
    reason: Annotated[ID, Meta(description="Of `lost`; of `refused` a hard criterion, `none` for the sheet.")] = ""
    closeness: Annotated[ID, Meta(description="Of `lost`.")] = ""
    back: Annotated[bool, Meta(description="Of `lost`, `refused`: only those that are worked again since.")] = False
    currency: Annotated[ID, Meta(description="Of `won`.")] = ""
    outcome: Annotated[Literal["", "advance", "continuation", "closing", "refusal"], Meta(description="Of `talks`.")] = ""
    limit: Limit = 50
    page: Annotated[int, Meta(ge=1, le=LARGEST // 200)] = 1


def chosen(query: PeriodQuery) -> Chosen:
    """The filter of a query, refused where it makes no sense or asks for the figures of others."""
    hub = the_hub()
    process = hub.process
    until = query.until or process.date_of(now())
    since = query.since or until - timedelta(days=USUAL - 1)
    if (wrong := checked(since, until)) is not None:
        raise wrong
    own = not sees_all()
    if own and query.owner not in ("", me().id):
        raise NotAllowed("own_figures_only", field="owner")
    if query.owner:
        one_of("owner", query.owner, {NONE, *(f"user:{id}" for id in hub.users())})
    if query.segment:
        one_of("segment", query.segment, {NONE, *process.segments})
    if query.channel:
        one_of("channel", query.channel, set(CHANNELS))
    return Chosen(process, since, until, me().id if own else query.owner, query.segment, query.channel, own)


class SpeedReport(Struct, frozen=True, kw_only=True):
    """How soon leads that came in the time were taken (R2): by who took them first, by channel, by week (its Monday). Leads that
    ended untaken are left out. ``deadlines`` are those that ended in the time, by whoever owned the lead then, by channel and by
    deadline; dropped ones, those of tests and returns that time itself brings do not count."""

    since: date
    until: date
    total: list[Speed]
    people: list[Speed]
    channels: list[Speed]
    weeks: list[Speed]
    deadlines: list[Kept]
    deadlines_by_person: list[Kept]
    deadlines_by_channel: list[Kept]
    deadlines_by_week: list[Kept]


@endpoint("GET", "/reports/speed", tag=TAG, query=PeriodQuery, gives=SpeedReport)
def get_speed(query: PeriodQuery) -> SpeedReport:
    """Speed to lead, and the share of deadlines that were met."""
    c, views = chosen(query), the_hub().views
    found, kept = views.reports.speeds(c.over, c.process.calendar), views.report_turns.kept(c.over)
    return SpeedReport(since=c.since, until=c.until, total=found[""], people=found["taker"], channels=found["channel"],
                       weeks=found["week"], deadlines=kept["kind"], deadlines_by_person=kept["owner"],
                       deadlines_by_channel=kept["channel"], deadlines_by_week=views.report_turns.kept_weeks(c.over, c.zone))


class FunnelReport(Struct, frozen=True, kw_only=True):
    """How far the leads got that came in the time, each once by the furthest stage that it was in; lost ones stay in the base.
    ``segments`` are what their first and their newest sheet say. ``stays`` are stays in stages that ended in the time, by stage,
    in seconds of the clock."""

    since: date
    until: date
    steps: list[Step]
    segments: list[Rated]
    stays: dict[str, Spread]


@endpoint("GET", "/reports/funnel", tag=TAG, query=PeriodQuery, gives=FunnelReport)
def get_funnel(query: PeriodQuery) -> FunnelReport:
    """The funnel with its real drop-off, and time in stages."""
    c, views = chosen(query), the_hub().views
    return FunnelReport(since=c.since, until=c.until, steps=views.reports.funnel(c.over, figures.steps(c.process)),
                        segments=views.reports.segments(c.over), stays=views.report_turns.stays(c.over))


class LossReport(Struct, frozen=True, kw_only=True):
    """Losses by reason and closeness, and refusals by criterion (empty: by the sheet), as they were recorded in the time. A lead
    that was lost twice counts twice."""

    since: date
    until: date
    lost: list[Ended]
    refused: list[Ended]


@endpoint("GET", "/reports/losses", tag=TAG, query=PeriodQuery, gives=LossReport)
def get_losses(query: PeriodQuery) -> LossReport:
    """Loss reasons and closeness to the win (R28)."""
    c, turns = chosen(query), the_hub().views.report_turns
    return LossReport(since=c.since, until=c.until, lost=turns.ends("lost", c.over), refused=turns.ends("refused", c.over))


class Contracts(Struct, frozen=True, kw_only=True):
    """Contracts of a person or month in one currency: how many, their sum, and the average one."""

    by: str
    currency: str
    count: int
    value: Decimal
    average: Decimal


class MoneyReport(Struct, frozen=True, kw_only=True):
    """Contracts that were recorded in the time, by currency: all, by who owned the lead then, by month (its first day)."""

    since: date
    until: date
    total: list[Contracts]
    people: list[Contracts]
    months: list[Contracts]


@endpoint("GET", "/reports/contracts", tag=TAG, query=PeriodQuery, gives=MoneyReport)
def get_contracts(query: PeriodQuery) -> MoneyReport:
    """Won value and the average contract (R33)."""
    c = chosen(query)
    found = the_hub().views.report_turns.won(c.over, c.zone)
    return MoneyReport(since=c.since, until=c.until, total=_contracts(found[""]), people=_contracts(found["owner"]),
                       months=_contracts(found["month"]))


def _contracts(rows: list[Won]) -> list[Contracts]:
    return [Contracts(by=w.by, currency=w.currency, count=w.n, value=Decimal(w.value) / 100, average=w.cheque) for w in rows]


class SourceFigures(Struct, frozen=True, kw_only=True):
    """Requests of a source, how many qualified (the newest sheet says a segment that is worked, and we did not refuse; or won),
    how many were won, and for how much by currency. The marks are those of the first message that has any."""

    channel: str
    source: str
    source_title: str
    utm_source: str
    utm_medium: str
    utm_campaign: str
    requests: int
    qualified: int
    won: int
    value: dict[str, Decimal]


class SourceReport(Struct, frozen=True, kw_only=True):
    """Leads that came in the time by where they came from, the most requests first."""

    since: date
    until: date
    items: list[SourceFigures]


@endpoint("GET", "/reports/sources", tag=TAG, query=PeriodQuery, gives=SourceReport)
def get_sources(query: PeriodQuery) -> SourceReport:
    """From the source, with its UTM marks, to the win."""
    c = chosen(query)
    found = the_hub().views.reports.sources(c.over, figures.worked(c.process))
    return SourceReport(since=c.since, until=c.until, items=[
        SourceFigures(channel=s.channel, source=s.source, source_title=s.source_title, utm_source=s.utm_source,
                      utm_medium=s.utm_medium, utm_campaign=s.utm_campaign, requests=s.requests, qualified=s.qualified, won=s.won,
                      value={currency: Decimal(value) / 100 for currency, value in s.value.items()}) for s in found])


class TalkReport(Struct, frozen=True, kw_only=True):
    """Outcomes of meetings and talks that were recorded in the time: all, by who owned the lead, by the stage that it was in."""

    since: date
    until: date
    total: list[Talks]
    people: list[Talks]
    stages: list[Talks]


@endpoint("GET", "/reports/talks", tag=TAG, query=PeriodQuery, gives=TalkReport)
def get_talks(query: PeriodQuery) -> TalkReport:
    """The balance of advances and continuations (R26)."""
    c = chosen(query)
    found = the_hub().views.report_turns.talks(c.over)
    return TalkReport(since=c.since, until=c.until, total=found[""], people=found["owner"], stages=found["stage"])


class TodayReport(Struct, frozen=True, kw_only=True):
    """Now: what everybody has (an empty person: what nobody took), how many leads wake by themselves within 30 days (R29), and
    chances to sell more that are open (R30). The leads are at `/reports/figures/late` and `/reports/figures/returns`, what waits
    for the head at `/my/tasks`."""

    as_of: datetime
    people: list[Load]
    returns: int
    chances: int
    chances_value: dict[str, Decimal]


@endpoint("GET", "/reports/today", tag=TAG, gives=TodayReport)
def get_today() -> TodayReport:
    """Load of people, returns to come, chances after a win."""
    c, reports = chosen(PeriodQuery()), the_hub().views.reports
    loads = today.loads_of(c)
    open_ones = reports.chances("open", c.owner)
    value: dict[str, Decimal] = {}
    for row in open_ones:
        if row["amount"]:
            value[row["currency"]] = value.get(row["currency"], Decimal()) + Decimal(int(row["amount"])) / 100
    coming = reports.returns_count(now(), now() + today.COMING, c.owner)
    return TodayReport(as_of=now(), people=list(loads.values()), returns=coming, chances=sum(int(row["n"]) for row in open_ones),
                       chances_value=value)


class FigureLead(Struct, frozen=True, kw_only=True):
    """A lead that a figure counts, ``times`` so often; ``at``: when last."""

    id: UUID
    number: int
    at: datetime
    times: int


class FigureLeads(Struct, frozen=True, kw_only=True):
    """A page of them, the newest first; ``leads`` and ``counted`` are of all pages."""

    leads: int
    counted: int
    items: list[FigureLead]


@endpoint("GET", "/reports/figures/<name>", tag=TAG, query=FigureQuery, gives=FigureLeads)
def list_figure(name: str, query: FigureQuery) -> FigureLeads:
    """Exactly the leads that a figure counts. Figures: `taken`, `in_time`, `not_in_time`, `untaken`; `kept`, `missed`; `reached`,
    `were`, `dropped`, `stayed`, `scored`, `rescored`; `lost`, `refused`, `won`, `chances_won`, `chances_lost`;
    `requests`, `qualified`, `sold`; `talks`; `late` now; `returns` within 30 days unless told."""
    if name == "returns" and query.since is None and query.until is None:
        today_is = the_hub().process.date_of(now())
        query = replace(query, since=today_is, until=today_is + today.COMING)
    c = chosen(query)
    _must_be("name", name, FIGURES)
    if name in ("reached", "were") or (name == "dropped" and query.step):
        _must_be("step", query.step, [*figures.steps(c.process), "won"])
    if name == "stayed":
        _must_be("stage", query.stage, list(c.process.stages))
    figure = Figure(name=name, kind=query.kind, step=query.step, how=query.how, stage=query.stage, reason=query.reason,
                    closeness=query.closeness, back=query.back, currency=query.currency, outcome=query.outcome)
    over = today.until_now(c) if name == "late" else c.over
    found = the_hub().views.reports.listed(figure, over, figures.steps(c.process), figures.worked(c.process), query.limit,
                                           (query.page - 1) * query.limit)
    return FigureLeads(leads=found.leads, counted=found.counted, items=[
        FigureLead(id=UUID(row["id"]), number=row["number"], at=datetime.fromisoformat(row["at"]), times=int(row["n"]))
        for row in found.rows])


def _must_be(name: str, given: str, known: Sequence[str]) -> None:
    if given not in known:
        raise Refused("no_such_choice", field=name, name=name, given=given, known=", ".join(known))

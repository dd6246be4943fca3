"""The process in force, drawn from its file, with its map and all versions that were in force (R0)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext as _

from hub.domain.process import Process
from hub.domain.publication import PROCESS_STREAM, ProcessPublished, process_of
from hub.projections.lead_queries import ASLEEP, Wanted
from hub.web.desk import now, signed_in, the_hub
from hub.web.past import asked, bar_at, enter, iso_text, read_moment
from hub.web.process.map import draw
from hub.web.process.words import ASKS, PERMISSIONS, WAYS, WEEKDAYS, clock_words, diff, guard_words, length

bp = Blueprint("process", __name__)

OVER = timedelta(days=30)
DAYS_SHOWN = 12
MONTHS_AHEAD = timedelta(days=370)


@bp.get("/process")
@signed_in
def page() -> str:
    """The version in force, the one that ``version`` names, or with ``at`` the one of that moment with the numbers of then."""
    hub = the_hub()
    moment = read_moment(request.args["at"]) if asked(request.args) else None
    at = moment.at if moment is not None else None
    versions = [v for v in published() if at is None or v.at <= at] or published()[:1]
    number = request.args.get("version", "") if moment is None else ""
    chosen = _version(versions, number) if number else versions[-1]
    process = hub.process if chosen is versions[-1] and at is None else process_of(chosen)
    current = chosen is versions[-1]
    context: dict[str, Any] = {"then": ""}
    if moment is not None and at is not None:
        enter()
        context = {"bar": bar_at(moment, "/process", {}), "then": f"&at={iso_text(at)}"}
    if current:
        since = (at or now()) - OVER
        intervals = hub.views.intervals
        places = hub.views.leads.counts(Wanted()).places if at is None else hub.views.moments.counts(at, Wanted()).places
        medians, flows = intervals.medians(since, at), intervals.flows(since, at)
        context |= {"map": draw(process, places, medians, flows), "places": places, "medians": medians, "flows": flows,
                    "asleep": places.get(ASLEEP, 0), "ended": _ended(process, flows)}
    return render_template(
        "process/page.html", process=process, file=process.file, versions=versions[::-1], chosen=chosen, current=current,
        transitions=_transitions(process), endings=[(e, guard_words(e.requires)) for e in process.file.endings],
        deadlines=[(d, length(d), clock_words(d)) for d in process.file.deadlines], asks=ASKS, weekdays=WEEKDAYS,
        permissions=PERMISSIONS, way=WAYS.get(process.file.assignment.way, process.file.assignment.way),
        **_days(process), **context)


@bp.get("/process/diff")
@signed_in
def compare() -> str:
    """What changed from version ``old`` to version ``new``."""
    versions = published()
    newest = versions[-1].number
    new = _version(versions, request.args.get("new", str(newest)))
    old = _version(versions, request.args.get("old", str(max(1, new.number - 1))))
    return render_template("process/diff.html", versions=versions, old=old, new=new, changes=diff(old, new))


def published() -> list[ProcessPublished]:
    """All versions that were in force, in order."""
    return [e for e in the_hub().store.read(PROCESS_STREAM) if isinstance(e, ProcessPublished)]


def _version(versions: list[ProcessPublished], number: str) -> ProcessPublished:
    found = next((v for v in versions if str(v.number) == number), None)
    if found is None:
        abort(404)
    return found


def _transitions(process: Process) -> dict[str, list[tuple[str, str, list[tuple[str, str]]]]]:
    """Moves by stage: (to, title, conditions)."""
    moves: dict[str, list[tuple[str, str, list[tuple[str, str]]]]] = {}
    for t in process.file.transitions:
        moves.setdefault(t.source, []).append((t.to, process.stages[t.to].title, guard_words(t.requires)))
    return moves


def _ended(process: Process, flows: dict[tuple[str, str], int]) -> dict[str, tuple[str, int]]:
    """Ways out of the process with how many took them in the last 30 days."""
    titles = {**{e.id: e.title for e in process.file.endings}, "slept": _("Отложены")}
    return {id: (title, sum(n for (_stage, to), n in flows.items() if to == id)) for id, title in titles.items()}


def _days(process: Process) -> dict[str, list[date]]:
    """The next days off that are not a usual weekend, and the next weekend days that are worked."""
    today = process.date_of(now())
    part = process.calendar
    off = [d for d in part.days_off if today <= d <= today + MONTHS_AHEAD and d.isoweekday() in part.weekdays]
    worked = [d for d in part.working_days if today <= d <= today + MONTHS_AHEAD]
    return {"days_off": off[:DAYS_SHOWN], "working_days": worked[:DAYS_SHOWN]}

"""The process in force, drawn from its file, with its map and all versions that were in force (R0)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, abort, make_response, render_template, request
from werkzeug.wrappers import Response

from hub.domain.process import Process
from hub.domain.publication import PROCESS_STREAM, ProcessPublished, process_of
from hub.web.desk import may, now, signed_in, the_hub
from hub.web.frame import the_process
from hub.web.past import bar_at, enter, iso_text
from hub.web.process import leads, tables
from hub.web.process.asked import Asked, choices, read, spans
from hub.web.process.map import draw
from hub.web.process.numbers import count, place_title
from hub.web.process.words import ASKS, PERMISSIONS, WAYS, WEEKDAYS, clock_words, diff, guard_words, length

bp = Blueprint("process", __name__)
bp.register_blueprint(leads.bp)

DAYS_SHOWN = 12
MONTHS_AHEAD = timedelta(days=370)


@bp.get("/process")
@signed_in
def page() -> str:
    """The version in force, the one that ``version`` names, or with ``at`` the one of that moment with the numbers of then."""
    asked = read(request.args)
    moment, at = asked.moment, asked.at
    versions = [v for v in published() if at is None or v.at <= at] or published()[:1]
    number = request.args.get("version", "") if moment is None else ""
    chosen = _version(versions, number) if number else versions[-1]
    process = the_process() if chosen is versions[-1] and at is None else process_of(chosen)
    current = chosen is versions[-1]
    context: dict[str, Any] = _map(asked) if current else {}
    if moment is not None and at is not None:
        enter()
        context |= {"bar": bar_at(moment, "/process", asked.kept), "then": f"&at={iso_text(at)}"}
    return render_template(
        "process/page.html", process=process, file=process.file, versions=versions[::-1], chosen=chosen, current=current,
        editable=may("decide", "admin"),
        transitions=_transitions(process), endings=[(e, guard_words(e.requires)) for e in process.file.endings],
        deadlines=[(d, length(d), clock_words(d)) for d in process.file.deadlines], asks=ASKS, weekdays=WEEKDAYS,
        permissions=PERMISSIONS, way=WAYS.get(process.file.assignment.way, process.file.assignment.way),
        **_days(process), **context)


@bp.get("/process/part")
@signed_in
def part() -> str:
    """The map and its tables, for their refresh."""
    asked = read(request.args)
    if asked.moment is not None:
        enter()
    return render_template("process/_numbers.html", process=asked.process, **_map(asked))


def _map(asked: Asked) -> dict[str, Any]:
    """What the map and its tables show."""
    numbers = count(asked)
    return {"asked": asked, "numbers": numbers, "map": draw(asked.process, numbers), "spans": spans(asked, "/process"),
            "choices": choices(asked), "place": lambda id: place_title(asked, id), "link": leads.link,
            "time": leads.time_words(asked), "narrowed": leads.narrowed(asked), "columns": tables.STAGES,
            "polyline": tables.polyline}


@bp.get("/process/stages.csv")
@signed_in
def stages_csv() -> Response:
    """The table of stages as a file."""
    asked = read(request.args)
    return _file(tables.stages_csv(count(asked)), "stages", asked)


@bp.get("/process/moves.csv")
@signed_in
def moves_csv() -> Response:
    """The table of moves, ends, arrivals and returns as a file."""
    asked = read(request.args)
    return _file(tables.moves_csv(count(asked)), "moves", asked)


def _file(content: bytes, name: str, asked: Asked) -> Response:
    response = make_response(content)
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{asked.first}-{asked.last}.csv"'
    return response


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


def _days(process: Process) -> dict[str, list[date]]:
    """The next days off that are not a usual weekend, and the next weekend days that are worked."""
    today = process.date_of(now())
    part = process.calendar
    off = [d for d in part.days_off if today <= d <= today + MONTHS_AHEAD and d.isoweekday() in part.weekdays]
    worked = [d for d in part.working_days if today <= d <= today + MONTHS_AHEAD]
    return {"days_off": off[:DAYS_SHOWN], "working_days": worked[:DAYS_SHOWN]}

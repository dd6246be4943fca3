"""«Что если»: the draft of the process over all past leads, before it comes into force (R0, R10)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from hub.domain.clockwork import instant
from hub.domain.errors import Refused
from hub.projections.scored import Sheet
from hub.sheets import csvs
from hub.trying import LACKING, Landed, Trial
from hub.web.admin.base import done, lead_url
from hub.web.admin.process import KEEP, Desk, change_usual, desk, readable
from hub.web.desk import may, needs, now, the_hub
from hub.web.frame import language
from hub.web.process.page import published
from hub.web.process.trial_form import fields_of

bp = Blueprint("what_if", __name__, url_prefix="/what-if")

WHO = (*KEEP, "audit")
PERIODS = {"all": (_l("за всё время"), None), "365": (_l("за год"), 365), "90": (_l("за 90 дней"), 90),
           "30": (_l("за 30 дней"), 30)}
ENDS = {"won": _l("выиграны"), "lost": _l("проиграны"), "refused": _l("отказали"), "": _l("в работе")}
PAGE = 50
SHOWN = 200
"""Deadlines that changed, on their page."""


def _asked() -> tuple[Desk, str, str]:
    """What is tried: one's own draft, or the version that ``version`` names; its text and its name."""
    current = desk()
    number = request.values.get("version", "")
    if not number:
        return current, current.text, ""
    found = next((v for v in published() if str(v.number) == number), None)
    if found is None:
        abort(404)
    return current, found.text, number


def _period() -> str:
    period = request.values.get("period", "all")
    return period if period in PERIODS else "all"


def _trial(text: str) -> Trial:
    days = PERIODS[_period()][1]
    return Trial(the_hub(), text, since=now() - timedelta(days=days) if days else None, now=now())


def kept(**more: Any) -> dict[str, Any]:
    """Parameters that links of the page keep."""
    given = {"version": request.values.get("version") or None, "period": _period() if _period() != "all" else None}
    return {**given, **more}


@bp.get("")
@needs(*WHO)
def index() -> str:
    """The draft, and what it would have decided."""
    return _page({})


def _page(errors: dict[str, str]) -> str:
    current, text, number = _asked()
    file = readable(text)
    faults = current.faults if not number else []
    found: dict[str, Any] = {}
    if file is not None and not faults:
        trial = _trial(text)
        landed = trial.landed()
        found = {"landed": landed, "matrix": _matrix(trial, landed), "timed": trial.deadlines(), "trial": trial,
                 "refused_winners": [c for c in landed.cells if c.was != c.now and c.won and _refuses(trial, c.now)]}
    may_edit = may(*KEEP) and not number
    return render_template(
        "what_if/page.html", desk=current, errors=errors, faults=faults, number=number, period=_period(), file=file,
        periods=[(url_for(".index", **kept(period=p)), title, None, p == _period()) for p, (title, _days) in PERIODS.items()],
        versions=published()[::-1], may_edit=may_edit, kept=kept, ends=ENDS, lacking=LACKING,
        **(fields_of(file) if file is not None and may_edit else {}), **found)


def _refuses(trial: Trial, segment: str) -> bool:
    found = trial.draft.segments.get(segment)
    return found is not None and found.refuse


def _matrix(trial: Trial, landed: Landed) -> dict[str, Any]:
    """Rows: segments as they were, columns: as they would be; with the empty one where a sheet cannot be summed."""
    cells = {(c.was, c.now): c for c in landed.cells}
    columns = [s.id for s in trial.draft.file.segments]
    rows = [*columns, *sorted({c.was for c in landed.cells} - set(columns))]
    if any(c.now == LACKING for c in landed.cells):
        columns = [*columns, LACKING]
    return {"rows": rows, "columns": columns, "cells": cells}


@bp.post("")
@needs(*KEEP)
def change() -> Response:
    """Change the draft and look again."""
    try:
        change_usual(desk())
    except Refused as refused:
        return make_response(_page({refused.field: refused.say(language())}), 422)
    return done(url_for(".index", **kept()))


@bp.get("/leads")
@needs(*WHO)
def leads() -> str:
    """The leads of one cell: from segment ``was`` to segment ``now``, those that ended as ``ended`` where it is given."""
    _current, text, number = _asked()
    if readable(text) is None or (not number and desk().faults):
        abort(404)
    trial, was, then = _trial(text), request.args.get("was", ""), request.args.get("now", "")
    ended = request.args.get("ended")
    before = (request.args.get("before_at", "9999"), request.args.get("before", ""))
    sheets = trial.sheets(was, then, ended=ended if ended in ENDS else None, before=before, limit=PAGE + 1)
    more = sheets[PAGE - 1] if len(sheets) > PAGE else None
    cell = next((c for c in trial.landed().cells if (c.was, c.now) == (was, then)), None)
    return render_template("what_if/leads.html", was=was, then=then, cell=cell, ended=ended, ends=ENDS, kept=kept,
                           rows=_rows(sheets[:PAGE]), more=more, lacking=LACKING, lead_url=_lead_url)


def _rows(sheets: list[Sheet]) -> list[tuple[Sheet, Any]]:
    """Sheets with the rows of their leads; what the list does not have is left out."""
    found = _known([sheet.lead for sheet in sheets])
    return [(sheet, found[sheet.lead]) for sheet in sheets if sheet.lead in found]


def _lead_url(id: str) -> str:
    return lead_url(UUID(id))


def _known(ids: list[str]) -> dict[str, Any]:
    """Rows of the list by the lead's id."""
    found: dict[str, Any] = {}
    for some in (ids[n:n + 500] for n in range(0, len(ids), 500)):
        rows = the_hub().views.leads.rows(f"id IN ({', '.join('?' * len(some))})", some, "number")
        found.update((row["id"], row) for row in rows)
    return found


@bp.get("/deadlines/<kind>")
@needs(*WHO)
def deadline(kind: str) -> str:
    """The newest deadlines of a kind that would have been missed and were not (``late=1``), or the other way round."""
    _current, text, number = _asked()
    if readable(text) is None or (not number and desk().faults):
        abort(404)
    trial, late = _trial(text), request.args.get("late", "1") == "1"
    if kind not in trial.kinds:
        abort(404)
    found = []
    for one in trial.outcomes(kind):
        if one.late != one.was_late and one.late == late:
            found.append(one)
            if len(found) == SHOWN:
                break
    known = _known(sorted({one.lead for one in found}))
    rows = [(known[one.lead], instant(one.start), instant(one.was_due), instant(one.due), instant(one.until), one.met)
            for one in found if one.lead in known]
    return render_template("what_if/deadline.html", rule=trial.draft.deadlines[kind], rows=rows, late=late, kept=kept, kind=kind,
                           full=len(found) == SHOWN, lead_url=_lead_url)


@bp.get("/leads.csv")
@needs(*WHO)
def table() -> Response:
    """All leads that would land in another segment, for a spreadsheet."""
    _current, text, number = _asked()
    if readable(text) is None or (not number and desk().faults):
        abort(404)
    lines = list(_lines(_trial(text)))
    return Response("".join(lines), mimetype="text/csv",
                    headers={"Content-Disposition": 'attachment; filename="what-if.csv"'})


def _lines(trial: Trial) -> Iterator[str]:
    yield csvs.MARK + csvs.text([[_("№"), _("Оценка"), _("Был сегмент"), _("Был балл"), _("Стал бы сегмент"), _("Стал бы балл"),
                 _("Чем кончилась"), _("Сумма"), _("Валюта"), _("Ссылка")]])
    batch: list[tuple[str, Sheet]] = []
    for pair in trial.moved():
        batch.append(pair)
        if len(batch) == 500:
            yield from _written(batch)
            batch = []
    yield from _written(batch)


def _written(batch: list[tuple[str, Sheet]]) -> Iterator[str]:
    landed = {sheet.lead: segment for segment, sheet in batch}
    for sheet, row in _rows([sheet for _segment, sheet in batch]):
        total = "" if landed[sheet.lead] == LACKING else str(sheet.total)
        yield csvs.text([[row["number"], datetime.fromisoformat(sheet.scored_at).date(), sheet.segment, sheet.was_total,
                     landed[sheet.lead], total, str(ENDS[sheet.ended]), sheet.worth if sheet.currency else "", sheet.currency,
                     url_for("lead.card", lead=UUID(sheet.lead), _external=True)]])

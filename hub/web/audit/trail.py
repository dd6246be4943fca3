"""The audit trail as a page: everything that was done and everything that was refused, by whom and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.errors import Refused
from hub.projections.trail import Place
from hub.web import words
from hub.web.admin.base import refused_page
from hub.web.audit import WHO
from hub.web.audit import trail_filter as filters
from hub.web.audit.trail_files import FORMATS, TRAIL
from hub.web.audit.trail_kinds import choices
from hub.web.audit.trail_lines import Storyteller, TrailLine
from hub.web.desk import me, needs, now, the_hub
from hub.web.lead import reads

bp = Blueprint("trail", __name__, url_prefix="/audit/trail")

PAGE = "audit/trail.html"
LISTED = 50
"""Lines on a page."""


@dataclass(frozen=True)
class Shown:
    """A page of lines, the newest first, and the places where the newer and the older pages begin."""

    lines: list[TrailLine]
    newer: str
    older: str


@bp.get("")
@needs(*WHO)
def index() -> str | Response:
    """A page of the trail. An auditor's look at it is recorded, with the leads that were on it."""
    given = filters.typed(request.args)
    try:
        asked = filters.read(the_hub(), given)
        shown = _shown(asked, request.args.get("before", ""), request.args.get("after", ""))
    except Refused as refused:
        return refused_page(PAGE, refused, at_top=not refused.field, **_page(given), asked=None, shown=None)
    note(shown.lines)
    return make_response(render_template(PAGE, **_page(given), asked=asked, shown=shown, errors={}))


@bp.post("/export")
@needs(*WHO)
def export() -> Response:
    """Have a file made of what the filters leave; its page tells how far it is. Who took it away is recorded."""
    given = filters.typed(request.form)
    format = request.form.get("format", "csv")
    try:
        filters.read(the_hub(), given)
        job = the_hub().jobs.start(TRAIL, {"format": format if format in FORMATS else "csv", "filters": given}, actor=me().actor,
                                   at=now(), name=_("Журнал аудита"))
    except Refused as refused:
        return refused_page(PAGE, refused, at_top=not refused.field, **_page(given), asked=None, shown=None)
    return redirect(url_for("jobs.page", job=job), 303)


def note(lines: list[TrailLine]) -> None:
    """Record an auditor's look at these lines."""
    leads = tuple(sorted({line.lead for line in lines if line.lead is not None and line.number is not None}))
    if leads:
        reads.note(None, "trail", leads)


def _page(given: dict[str, str]) -> dict[str, Any]:
    """What the form offers."""
    actors, topics = the_hub().views.trail.names()
    people = sorted(((id, words.person(id)) for id in actors if id.startswith("user:")), key=lambda one: one[1].casefold())
    others = sorted(((id, words.person(id)) for id in actors if not id.startswith("user:")), key=lambda one: one[1].casefold())
    return {"given": given, "people": people, "others": others, "kinds": choices(topics)}


def _shown(asked: filters.Asked, before: str, after: str) -> Shown:
    trail, teller = the_hub().views.trail, Storyteller(the_hub())
    newer_than, older_than = filters.place(after), filters.place(before)
    if newer_than is not None:
        places = trail.places(asked.wanted, LISTED + 1, after=newer_than)
        more_newer, more_older = len(places) > LISTED, True
        places = places[:LISTED][::-1]
    else:
        places = trail.places(asked.wanted, LISTED + 1, before=older_than)
        more_newer, more_older = older_than is not None, len(places) > LISTED
        places = places[:LISTED]
    return Shown(teller.lines(places), _link(asked, "after", places[0]) if more_newer and places else "",
                 _link(asked, "before", places[-1]) if more_older and places else "")


def _link(asked: filters.Asked, way: str, place: Place) -> str:
    return f"{url_for('trail.index')}?{asked.query(**{way: filters.written(place)})}"

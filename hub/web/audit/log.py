"""The log of leads and the process as files for tools of process mining: XES, OCEL, BPMN."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from hub.domain.errors import Refused
from hub.exports import bpmn
from hub.exports.giving import FORMATS, KIND, PART, PLAIN, WHO, parameters, recorded
from hub.exports.reading import Scope, process_of
from hub.web.admin.base import refused_page
from hub.web.audit.trail_filter import lead_of, moment
from hub.web.desk import me, needs, now, settle, signed_in, the_hub
from hub.web.frame import language
from hub.web.jobs import shown

bp = Blueprint("log", __name__)

PAGE = "audit/log.html"
LISTED = 10
"""Exports of one's own on the page."""


@bp.get("/audit/log")
@needs(*WHO)
def index() -> str:
    """What can be taken away, and what was."""
    return render_template(PAGE, **_page())


def _page() -> dict[str, Any]:
    return {"done": [shown(job) for job in the_hub().jobs.of(me().id, KIND, LISTED)], "given": request.form, "errors": {},
            "plain": PLAIN, "part": PART}


@bp.post("/audit/log")
@needs(*WHO)
def export() -> AnyResponse:
    """Have the log made; its page tells how far it is. Who took it away is recorded."""
    hub, given = the_hub(), request.form
    format = given.get("format", next(iter(FORMATS)))
    try:
        lead = given.get("lead", "").strip()
        scope = Scope(at=now(), since=moment(given.get("since", ""), "since", end=False),
                      until=moment(given.get("until", ""), "until", end=True), leads=(lead_of(hub, lead),) if lead else (),
                      personal=bool(given.get("personal")), steps=bool(given.get("steps")), language=language())
        count = recorded(hub, format, scope, me().actor, now())
    except Refused as refused:
        return refused_page(PAGE, refused, at_top=not refused.field, **_page())
    settle()
    job = hub.jobs.start(KIND, parameters(format, scope, count), actor=me().actor, at=now(),
                         name=_("%(format)s, заявок: %(number)s", format=format.upper(), number=count))
    return redirect(url_for("jobs.page", job=job), 303)


@bp.get("/process/process.bpmn")
@signed_in
def process() -> Response:
    """The process in force as BPMN 2.0, or its ``version``."""
    asked = request.args.get("version", "0")
    if not re.fullmatch(r"[0-9]{1,9}", asked):
        abort(404)
    return bpmn_file(int(asked))


def bpmn_file(version: int) -> Response:
    """A version of the process (0: the one in force) to download, in the language of the page."""
    process = process_of(the_hub(), version)
    answer = make_response(bpmn.write(process, language()))
    answer.headers["Content-Type"] = bpmn.MEDIA_TYPE
    answer.headers["Content-Disposition"] = f'attachment; filename="process-{process.version}.bpmn"'
    return answer

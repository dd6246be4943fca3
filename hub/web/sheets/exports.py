"""Taking leads away as a table: of the filter that the list shows, with chosen columns."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.domain.errors import Refused
from hub.sheets import exporting
from hub.sheets.exporting import COLUMNS, FORMATS, USUAL, WHO
from hub.web.board.filter import SHOWS, read_filter
from hub.web.desk import me, needs, now, parts, the_hub
from hub.web.errors import status_of
from hub.web.frame import language

bp = Blueprint("sheets_out", __name__, url_prefix="/exports/leads")

KEPT = ("show", "owner", "segment", "channel", "stage", "tag", "q")


@bp.get("")
@needs(*WHO)
def ask() -> Response:
    """Which columns and which kind of file."""
    return _page(USUAL, "xlsx")


def _page(columns: tuple[str, ...], format: str, refused: Refused | None = None) -> Response:
    hub = the_hub()
    filter = read_filter(request.values, hub, me().id, now())
    titles = {name: heading[0 if language() == "ru" else 1] for name, (heading, _) in COLUMNS.items()}
    page = render_template("sheets/export.html", filter=filter, count=hub.views.leads.how_many(filter.wanted), titles=titles,
                           columns=columns, format=format, shows=SHOWS, back=filter.url("/leads"),
                           kept=[(key, value) for key in KEPT if (value := request.values.get(key, ""))],
                           error=refused.say(language()) if refused else "")
    return make_response(page, status_of(refused) if refused else 200)


@bp.post("")
@needs(*WHO)
def make() -> Response:
    """Record it and begin; the file comes on the page of the work."""
    hub, chosen, format = the_hub(), tuple(request.form.getlist("column")), request.form.get("format", "")
    filter = read_filter(request.values, hub, me().id, now())
    try:
        job = exporting.start(hub, filter.wanted, chosen, format, site=parts().public_url.rstrip("/"), language=language(),
                              actor=me().actor, at=now())
    except Refused as refused:
        return _page(chosen, format if format in FORMATS else "xlsx", refused)
    return redirect(url_for("jobs.page", job=job), 303)

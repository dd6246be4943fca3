"""The search: a number or a phone leads straight to its card, words to a list."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from hub.web.board.cards import lead_url
from hub.web.board.filter import WORDS
from hub.web.desk import signed_in, the_hub

bp = Blueprint("search", __name__)

MOST = 50


@bp.get("/search")
@signed_in
def search() -> str | Response:
    """What was found for ``q``."""
    words = request.args.get("q", "").strip()[:WORDS]
    hub = the_hub()
    if words and (lead := hub.views.leads.exact(words)) is not None:
        return redirect(lead_url(lead))
    rows = hub.views.leads.found(words, MOST + 1) if words else []
    return render_template("board/search.html", words=words, rows=[(row, lead_url(row["id"])) for row in rows[:MOST]],
                           more=len(rows) > MOST, process=hub.process)

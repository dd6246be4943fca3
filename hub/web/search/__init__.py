"""The search: the palette that Ctrl-K opens, and the page with everything that was found."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from hub.domain.errors import NotFound
from hub.projections.searching import Found
from hub.projections.searching import search as search_in
from hub.web.board.cards import lead_url
from hub.web.board.filter import WORDS
from hub.web.desk import signed_in, the_hub
from hub.web.frame import the_process
from hub.web.search.commands import commands_for, pages_for
from hub.web.search.finding import Written, marked, people_in, written

bp = Blueprint("search", __name__)

MOST, TEXTS = 50, 10
IN_PALETTE, TEXTS_IN_PALETTE = 6, 3
ABOUT = 110
"""Characters of what a lead is about, in the palette."""
LINES = 6
"""Commands of each kind in the palette."""


def _words() -> str:
    return request.args.get("q", "").strip()[:WORDS]


def _found(words: str, limit: int, texts: int) -> tuple[Found, list[Written]]:
    hub = the_hub()
    found = search_in(hub.views.leads, hub.views.texts, words, limit, texts)
    return found, [one for lead in found.texts if (one := written(hub, lead, words)) is not None]


@bp.get("/search")
@signed_in
def page() -> str | Response:
    """What was found for ``q``; a number or a whole phone leads straight to its card."""
    words = _words()
    if words and (lead := the_hub().views.leads.exact(words)) is not None:
        return redirect(lead_url(lead))
    if not words:
        return render_template("search/page.html", words="")
    found, texts = _found(words, MOST, TEXTS)
    return render_template("search/page.html", words=words, rows=[(row, lead_url(row["id"])) for row in found.leads],
                           people=people_in(found), texts=texts, more=found.more, meant=found.meant, process=the_process())


@bp.get("/search/palette")
@signed_in
def palette() -> str:
    """The list of the palette for ``q``; ``lead`` is the card that is open behind it, whose moves are commands."""
    words = _words()
    lead = _open_card(request.args.get("lead", ""))
    if not words:
        return render_template("search/_palette.html", words="", commands=commands_for("", lead)[:LINES],
                               pages=pages_for("")[:LINES])
    found, texts = _found(words, IN_PALETTE, TEXTS_IN_PALETTE)
    leads = [(row, lead_url(row["id"]), marked(row["name"], words, found.meant), marked(row["about"][:ABOUT], words, found.meant))
             for row in found.leads]
    return render_template("search/_palette.html", words=words, leads=leads, people=people_in(found), texts=texts,
                           meant=found.meant, commands=commands_for(words, lead)[:LINES],
                           pages=pages_for(words)[:LINES], process=the_process())


def _open_card(text: str) -> UUID | None:
    try:
        lead = UUID(text)
        the_hub().version(lead)
        return lead if the_hub().views.leads.one(lead) is not None else None
    except (ValueError, NotFound):
        return None

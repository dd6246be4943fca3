"""The board: who must do what now, column by column. The list, my day and the notices hang on its blueprint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.errors import Refused
from hub.domain.process import Process
from hub.projections.lead_queries import ASLEEP
from hub.projections.lead_tasks import iso
from hub.web import past
from hub.web.admin import first_steps
from hub.web.board import ask, bulk, listing, meetings, my, notices, quick, saved
from hub.web.board import past as past_board
from hub.web.board.answers import acted
from hub.web.board.cards import ASKS, Card, Looker, card_of, drawn
from hub.web.board.filter import IN_COLUMN, WIDEST, Filter, chips, choices, is_ended
from hub.web.board.looking import chosen_filter, looker
from hub.web.desk import do, may, now, signed_in, the_hub
from hub.web.errors import status_of
from hub.web.frame import language, the_process
from hub.web.lead.blueprint import by_htmx
from hub.web.process import page as process_page

bp = Blueprint("board", __name__)
bp.register_blueprint(my.bp)
bp.register_blueprint(meetings.bp)
bp.register_blueprint(notices.bp)
bp.register_blueprint(listing.bp)
bp.register_blueprint(ask.bp)
bp.register_blueprint(bulk.bp)
bp.register_blueprint(quick.bp)
bp.register_blueprint(saved.bp)
bp.register_blueprint(process_page.bp)

HOTTEST = 4
HOT_FOR = timedelta(hours=24)
"""What was missed longer ago than this burns no more: it gives its place to what can still be saved."""
MEDIAN_OVER = timedelta(days=30)
MEDIAN_KEPT = timedelta(minutes=1)
"""Medians change slowly: they are counted anew at most this often in each process."""
NOT_WITH_SLEEPING = ("no_step", "today", "deferrals")


@dataclass(frozen=True)
class Column:
    """A stage of the process, or the sleeping leads."""

    id: str
    title: str
    hint: str
    count: int
    median: timedelta | None
    cards: list[Card]
    more: int
    more_url: str
    more_part: str


# ── the board ────────────────────────────────────────────────────────────────────


@bp.get("/")
@signed_in
def board() -> str | Response:
    """The board, filtered by the address; with ``at`` as it was. An address that says nothing leads to one's own first view."""
    if past.asked(request.args):
        return past_board.board()
    steps = first_steps.page() if not request.query_string else None
    if steps is not None:
        return steps
    first = saved.first_url() if not request.query_string else None
    if first is not None:
        return redirect(first)
    return render_template("board/board.html", **_board())


@bp.get("/board/part")
@signed_in
def part() -> str:
    """What changes on the board, for its refresh."""
    return render_template("board/_board.html", **_board())


def _board(error: str = "") -> dict[str, Any]:
    hub, chosen = the_hub(), chosen_filter()
    if is_ended(chosen.wanted.show):
        chosen = replace(chosen, wanted=replace(chosen.wanted, show="all"))
    process, leads, who = the_process(), hub.views.leads, looker()
    counts = leads.counts(chosen.wanted)
    medians = _medians()
    places = [(s.id, s.title, s.hint) for s in process.stages.values() if chosen.wanted.stage in ("", s.id)]
    if chosen.wanted.show == "asleep":
        places = []
    if chosen.wanted.show not in NOT_WITH_SLEEPING:
        places.append((ASLEEP, _("Отложены"), _("Проект отложен, вернёмся в назначенный день")))
    columns = [
        Column(id, title, hint, n, timedelta(seconds=medians[id]) if id in medians else None,
               [card_of(row, process, who, now()) for row in rows], n - len(rows),
               *_more_urls(chosen, id))
        for id, title, hint in places
        for n in (counts.places.get(id, 0),)
        for rows in (leads.column(id, chosen.wanted, chosen.wide.get(id, IN_COLUMN)) if n else [],)]
    return {"columns": columns, "chosen": chosen, "chips": chips(chosen, counts, "/"), "choices": choices(chosen, hub),
            "hottest": _hottest(process, who), "part_url": chosen.url("/board/part", wide=chosen.wide_text),
            "list_url": chosen.url("/leads"), "query": chosen.url("", wide=chosen.wide_text).removeprefix("?"), "error": error,
            "may_open": may("intake"), "works": who.works, "may_pick": may("work", "intake", "account"), "drawn": drawn,
            "asks": ASKS, **saved.shown(chosen, "board"), **quick.form_values()}


def _more_urls(chosen: Filter, place: str) -> tuple[str, str]:
    """Where «ещё N» leads: the board with more of this column, its part for the script; at the end the list."""
    if chosen.wide.get(place, IN_COLUMN) >= WIDEST:
        return chosen.url("/leads", show="asleep") if place == ASLEEP else chosen.url("/leads", stage=place), ""
    wide = chosen.wider(place, IN_COLUMN)
    return chosen.url("/", wide=wide), chosen.url("/board/part", wide=wide)


def _hottest(process: Process, who: Looker) -> list[Card]:
    """What burns most: for those who decide and those who only look everybody's, else one's own and what nobody has taken."""
    owners = (who.id, "") if who.works and not may("decide") else ()
    rows = the_hub().views.leads.hottest(iso(now() - HOT_FOR), HOTTEST, owners)
    return [card_of(row, process, who, now()) for row in rows]


def _medians() -> dict[str, float]:
    """Median stay in each stage in seconds, of the last 30 days."""
    kept: tuple[datetime, dict[str, float]] | None = current_app.extensions.get("board medians")
    if kept is None or not timedelta() <= now() - kept[0] < MEDIAN_KEPT:
        kept = (now(), the_hub().views.intervals.medians(now() - MEDIAN_OVER))
        current_app.extensions["board medians"] = kept
    return kept[1]


@bp.post("/board/<uuid:lead>/take")
@signed_in
def take(lead: UUID) -> Response:
    """Take a lead from the board (R2)."""
    return _command(lead, "take", {}, _("Заявка у вас в работе."))


@bp.post("/board/<uuid:lead>/move")
@signed_in
def move(lead: UUID) -> Response:
    """Move a lead to another stage from the board (R0)."""
    to = request.form.get("to", "")
    stage = the_process().stages.get(to)
    return _command(lead, "move", {"to": to}, _("Переведено в «%(stage)s».", stage=stage.title if stage else to), undo=True)


def _command(lead: UUID, name: str, arguments: dict[str, Any], done: str, *, undo: bool = False) -> Response:
    """Give the command; the board comes back with what changed, or with the refusal above it."""
    live = by_htmx()
    try:
        do(lead, name, arguments)
    except Refused as refused:
        sentence = refused.say(language())
        if request.form.get("back") == "my" and not live:
            flash(sentence, "bad")
            return redirect("/my", 303)
        if not live:
            return make_response(render_template("board/board.html", **_board(sentence)), status_of(refused))
        return acted(make_response(render_template("board/_board.html", **_board()), status_of(refused)), sentence, "bad")
    if live:
        page = make_response(render_template("board/_board.html", **_board()))
        return acted(page, done, "ok", undo=[str(lead)] if undo else [])
    flash(done, "ok")
    return redirect("/my" if request.form.get("back") == "my" else chosen_filter().url("/"), 303)

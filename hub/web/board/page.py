"""The board, the list of leads, my day, the search and the notices: who must do what now."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.errors import Refused
from hub.domain.process import Process
from hub.projections.lead_queries import ASLEEP
from hub.projections.lead_tasks import iso
from hub.web import past
from hub.web.board import my, notices, search
from hub.web.board import past as past_board
from hub.web.board.cards import Card, Looker, card_of, drawn, lead_url
from hub.web.board.filter import Filter, chips, choices, is_ended, read_filter
from hub.web.desk import do, may, me, now, signed_in, the_hub
from hub.web.errors import status_of
from hub.web.frame import language
from hub.web.process import page as process_page

bp = Blueprint("board", __name__)
bp.register_blueprint(my.bp)
bp.register_blueprint(search.bp)
bp.register_blueprint(notices.bp)
bp.register_blueprint(process_page.bp)

IN_COLUMN = 25
"""The most cards of a column; the rest is in the list."""
HOTTEST = 4
HOT_FOR = timedelta(hours=24)
"""What was missed longer ago than this burns no more: it gives its place to what can still be saved."""
IN_LIST = 50
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


def looker() -> Looker:
    """Who looks at the page."""
    roles = [role for role in the_hub().process.roles.values() if role.id in me().roles and "work" in role.may]
    only = frozenset(s for role in roles for s in role.segments) if all(role.segments for role in roles) else frozenset()
    return Looker(me().id, may("work"), {f"user:{id}": u.name for id, u in the_hub().users().items()}, only)


# ── the board ────────────────────────────────────────────────────────────────────


@bp.get("/")
@signed_in
def board() -> str:
    """The board, filtered by the address; with ``at`` as it was."""
    if past.asked(request.args):
        return past_board.board()
    return render_template("board/board.html", **_board())


@bp.get("/board/part")
@signed_in
def part() -> str:
    """What changes on the board, for its refresh."""
    return render_template("board/_board.html", **_board())


def _chosen() -> Filter:
    """The filter of the address; of a command the one of the page that it was given on."""
    said = dict(parse_qsl(request.form.get("filter", ""))) if request.method == "POST" else request.args
    return read_filter(said, the_hub(), me().id, now())


def _board(error: str = "") -> dict[str, Any]:
    hub, chosen = the_hub(), _chosen()
    if is_ended(chosen.wanted.show):
        chosen = Filter(replace(chosen.wanted, show="all"))
    process, leads, who = hub.process, hub.views.leads, looker()
    counts = leads.counts(chosen.wanted)
    medians = _medians()
    places = [(s.id, s.title, s.hint) for s in process.stages.values() if chosen.wanted.stage in ("", s.id)]
    if chosen.wanted.show == "asleep":
        places = []
    if chosen.wanted.show not in NOT_WITH_SLEEPING:
        places.append((ASLEEP, _("Отложены"), _("Проект отложен, вернёмся в назначенный день")))
    columns = [
        Column(id, title, hint, n, timedelta(seconds=medians[id]) if id in medians else None,
               [card_of(row, process, who, now()) for row in rows], n - len(rows), _more_url(chosen, id))
        for id, title, hint in places
        for n in (counts.places.get(id, 0),)
        for rows in (leads.column(id, chosen.wanted, IN_COLUMN) if n else [],)]
    return {"columns": columns, "chosen": chosen, "chips": chips(chosen, counts, "/"), "choices": choices(chosen, hub),
            "hottest": _hottest(process, who), "part_url": chosen.url("/board/part"), "list_url": chosen.url("/leads"),
            "query": chosen.url("").removeprefix("?"), "error": error, "may_open": may("intake"), "drawn": drawn}


def _more_url(chosen: Filter, place: str) -> str:
    return chosen.url("/leads", show="asleep") if place == ASLEEP else chosen.url("/leads", stage=place)


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
    stage = the_hub().process.stages.get(to)
    return _command(lead, "move", {"to": to}, _("Переведено в «%(stage)s».", stage=stage.title if stage else to))


def _command(lead: UUID, name: str, arguments: dict[str, Any], done: str) -> Response:
    """Give the command; the board comes back with what changed, or with the refusal above it."""
    live = bool(request.headers.get("HX-Request"))
    try:
        do(lead, name, arguments)
    except Refused as refused:
        sentence = refused.say(language())
        if request.form.get("back") == "my" and not live:
            flash(sentence, "bad")
            return redirect("/my", 303)
        if not live:
            return make_response(render_template("board/board.html", **_board(sentence)), status_of(refused))
        return _with_toast(make_response(render_template("board/_board.html", **_board()), status_of(refused)), sentence, "bad")
    if live:
        return _with_toast(make_response(render_template("board/_board.html", **_board())), done, "ok")
    flash(done, "ok")
    return redirect("/my" if request.form.get("back") == "my" else _chosen().url("/"), 303)


def _with_toast(response: Response, text: str, state: str) -> Response:
    response.headers["HX-Trigger"] = json.dumps({"toast": {"text": text, "state": state}})  # ASCII, as htmx wants it
    return response


# ── the list ─────────────────────────────────────────────────────────────────────


@bp.get("/leads")
@signed_in
def index() -> str:
    """All leads as a table, the ended ones too; sorted by the address; with ``at`` as they were."""
    if past.asked(request.args):
        then = past_board.listed()
        return render_template("board/list.html", **then, sorts=_sorts(then["chosen"], names=False), lead_url=lead_url)
    hub, chosen = the_hub(), _chosen()
    process, leads, who = hub.process, hub.views.leads, looker()
    counts, ended = leads.counts(chosen.wanted), leads.endings(chosen.wanted)
    total = {**counts.shows, **ended}[chosen.wanted.show]
    pages = max(1, -(-total // IN_LIST))
    page = min(chosen.page, pages)
    rows = leads.listed(chosen.wanted, chosen.order, IN_LIST, (page - 1) * IN_LIST)
    return render_template(
        "board/list.html", rows=[(row, card_of(row, process, who, now())) for row in rows], chosen=chosen,
        chips=chips(chosen, counts, "/leads", ended), choices=choices(chosen, hub), total=total, page=page,
        pages=pages, page_url=chosen.url("/leads", page="{page}").replace("%7Bpage%7D", "{page}"), sorts=_sorts(chosen),
        board_url=chosen.url("/"), stages=process.stages, process=process, lead_url=lead_url, may_open=may("intake"))


def _sorts(chosen: Filter, names: bool = True) -> list[tuple[str, str, str, str]]:
    """Headings of the table: (key, title, url, arrow); of the past it is not sorted by ``names``."""
    ended = is_ended(chosen.wanted.show)
    heads = [("number", "№"), ("name" if names else "", _("Заявка")), ("stage", _("Стадия")), ("score", _("Оценка")),
             ("ended", _("Закрыта")) if ended else ("due", _("Срок")), ("", _("Почему") if ended else _("Дальше")),
             ("owner", _("Ответственный")), ("channel", _("Источник")), ("received", _("Пришла"))]
    bare = chosen.order.lstrip("-")
    out = []
    for key, title in heads:
        descending = chosen.order == key or (bare != key and key in ("received", "score", "ended", "number"))
        arrow = "" if bare != key else "arrow-down" if chosen.order.startswith("-") else "arrow-up"
        out.append((key, title, chosen.url("/leads", sort=f"-{key}" if descending else key) if key else "", arrow))
    return out

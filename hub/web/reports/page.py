"""The pages of the report: today, the figures of a time, the leads behind each, and every table as a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, abort, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from hub.projections.reports_lists import Figure
from hub.projections.reports_over import Over
from hub.sheets import csvs
from hub.web import words
from hub.web.board.cards import card_of, lead_url
from hub.web.board.looking import looker
from hub.web.desk import needs, now, signed_in, the_hub
from hub.web.frame import language
from hub.web.reports import figures, filter, funnel, losses, money, sources, speed, talks, today
from hub.web.reports.filter import Chosen
from hub.web.reports.tables import Cell, Column, Page, csv_of

bp = Blueprint("reports", __name__)

IN_LIST = 50
"""Leads on a page."""
IN_FILE = 5_000
"""Leads in a file at most."""
PARTS: Mapping[str, tuple[Any, Callable[[Chosen], Page]]] = {
    "speed": (_l("Скорость"), speed.speed), "deadlines": (_l("Сроки"), speed.deadlines), "funnel": (_l("Воронка"), funnel.funnel),
    "losses": (_l("Потери"), losses.losses), "money": (_l("Договоры"), money.money),
    "sources": (_l("Источники"), sources.sources), "talks": (_l("Прогресс"), talks.talks),
}
"""Parts of the report by the last word of their address."""


def tabs(chosen: Chosen, part: str) -> list[tuple[str, str, bool]]:
    """The parts of the report, over the same time and leads."""
    return [("/reports", str(_("Сегодня")), part == "today"),
            *((chosen.url(f"/reports/{id}"), str(title), part == id) for id, (title, _made) in PARTS.items())]


# ── today ────────────────────────────────────────────────────────────────────────


@bp.get("/reports")
@needs("read")
def index() -> Response:
    """What is late and why, what waits for a decision, who carries what, what comes next."""
    return make_response(_today())


@bp.get("/reports/part")
@needs("read")
def part_of_today() -> str:
    """What the page of today is refreshed with."""
    return _today("reports/_today.html")


def _today(template: str = "reports/today.html", **refused: Any) -> str:
    chosen = filter.read({})
    return render_template(template, **{"tabs": tabs(chosen, "today"), "chosen": chosen, **today.today(chosen), **refused})


@bp.get("/reports/load.csv")
@needs("read")
def load_file() -> Response:
    """Load of people as a file."""
    chosen = filter.read({})
    return _file(csv_of(*today.load_table(chosen)), f"load-{chosen.until}")


@bp.post("/reports/decide")
@signed_in
def decide() -> Response:
    """Decide on an exception where it is shown; a refusal comes back beside what was typed."""
    return today.decide(lambda key, sentence: _today(refused={key: sentence}, typed=request.form))


# ── the figures of a time ────────────────────────────────────────────────────────


@bp.get("/reports/<any(speed, deadlines, funnel, losses, money, sources, talks):part>")
@needs("read")
def of_time(part: str) -> str:
    """A part of the figures of a time."""
    chosen = filter.read(request.args)
    path, (title, made) = f"/reports/{part}", PARTS[part]
    return render_template(
        "reports/period.html", part=part, title=str(title), tabs=tabs(chosen, part), chosen=chosen, page=made(chosen),
        spans=filter.spans(chosen, path), choices=filter.choices(chosen), path=path,
        wrong=chosen.wrong.say(language()) if chosen.wrong else "")


@bp.get("/reports/<any(speed, deadlines, funnel, losses, money, sources, talks):part>/<table>.csv")
@needs("read")
def table_file(part: str, table: str) -> Response:
    """A table of the figures as a file."""
    chosen = filter.read(request.args)
    block = next((b for b in PARTS[part][1](chosen).blocks if b.id == table), None)
    if block is None:
        abort(404)
    rows = [*block.rows, *([block.total] if block.total else [])]
    return _file(csv_of(block.columns, rows), f"{table}-{chosen.since}-{chosen.until}")


def _file(data: bytes, name: str) -> Response:
    response = make_response(data)
    response.headers["Content-Type"] = csvs.MEDIA_TYPE
    response.headers["Content-Disposition"] = f'attachment; filename="{re.sub("[^A-Za-z0-9_-]", "-", name)}.csv"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


# ── the leads behind a figure ────────────────────────────────────────────────────


@bp.get("/reports/leads")
@needs("read")
def leads() -> str:
    """Exactly the leads that a figure counts."""
    chosen, figure, over = _figure()
    asked = request.args.get("page", "1")
    page = max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    found = the_hub().views.reports.listed(figure, over, figures.steps(chosen.process), figures.worked(chosen.process), IN_LIST,
                                           (page - 1) * IN_LIST)
    who = looker()
    kept = {k: v for k, v in request.args.items() if k not in ("page", *filter.KEYS)}
    return render_template(
        "reports/leads.html", figure=figure, title=str(figures.TITLES[figure.name]), about=figures.about(figure, chosen.process),
        chosen=chosen, rows=[(row, card_of(row, chosen.process, who, now())) for row in found.rows], found=found, page=page,
        pages=max(1, -(-found.leads // IN_LIST)), page_url=chosen.url("/reports/leads", **kept) + "&page={page}",
        file_url=chosen.url("/reports/leads.csv", **kept), back=chosen.url(_home(figure)), person=figures.person_of(chosen),
        process=chosen.process, timeless=figure.name in ("late", "returns"))


@bp.get("/reports/leads.csv")
@needs("read")
def leads_file() -> Response:
    """The same leads as a file."""
    chosen, figure, over = _figure()
    process = chosen.process
    found = the_hub().views.reports.listed(figure, over, figures.steps(process), figures.worked(process), IN_FILE)
    titles = ("№", _("Заявка"), _("Стадия"), _("Итог"), _("Сегмент"), _("Ответственный"), _("Канал"), _("Пришла"),
              _("Адрес"))
    columns = [Column(title, False) for title in titles]
    rows = []
    for row in found.rows:
        stage = process.stages[row["stage"]].title if row["stage"] in process.stages else row["stage"]
        end = process.endings[row["ended"]].title if row["ended"] in process.endings else row["ended"]
        texts = [row["number"], row["name"], stage, end, row["segment"], words.person(row["owner"]),
                 words.channel(row["channel"]), words.local(row["received_at"]).strftime("%Y-%m-%d %H:%M"), lead_url(row["id"])]  # type: ignore[union-attr]
        rows.append([Cell("", text) for text in texts])
    return _file(csv_of(columns, rows), f"{figure.name}-{chosen.since}-{chosen.until}")


def _figure() -> tuple[Chosen, Figure, Over]:
    chosen = filter.read(request.args)
    figure = figures.read(request.args, chosen.process)
    if figure is None:
        abort(404)
    return chosen, figure, today.until_now(chosen) if figure.name == "late" else chosen.over


HOMES = {
    "speed": ("taken", "in_time", "not_in_time", "untaken"), "deadlines": ("kept", "missed"),
    "funnel": ("reached", "were", "dropped", "stayed", "scored", "rescored"), "losses": ("lost", "refused"),
    "money": ("won", "chances_won", "chances_lost"), "sources": ("requests", "qualified", "sold"), "talks": ("talks",),
}
"""The figures of each part of the report; the others are of today."""


def _home(figure: Figure) -> str:
    """The part of the report that a figure is on."""
    return next((f"/reports/{part}" for part, names in HOMES.items() if figure.name in names), "/reports")

"""Bringing a file in: uploaded, its columns told, looked through, then a long work; and taken back as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from hub.domain import contact
from hub.domain.errors import NotFound, Refused, sentences
from hub.domain.importing import LONGEST_TITLE
from hub.jobs import Job
from hub.sheets import importing, remembered, undoing
from hub.sheets.importing import FILE, KIND, KNOWN, WHO, Options, Row, looked_through, state_of, stream_of
from hub.sheets.mapping import TARGETS, Source, checked, guessed
from hub.sheets.reading import MAX_FILE, MAX_ROWS, Sheet, read
from hub.web import jobs as job_pages
from hub.web.admin.base import refused_page
from hub.web.board.filter import CHANNELS
from hub.web.desk import me, needs, now, the_hub
from hub.web.errors import status_of
from hub.web.frame import language

bp = Blueprint("imports", __name__, url_prefix="/import")

SHOWN, LISTED = 15, 20
"""Rows of the file that are looked through on the page; imports in the list."""
SAMPLES = 3

TITLES = {"name": _l("Имя"), "phone": _l("Телефон"), "email": _l("Почта"), "company": _l("Компания"), "text": _l("Запрос"),
          "timezone": _l("Часовой пояс"), "budget": _l("Бюджет"), "region": _l("Город или регион"), "telegram": _l("Telegram"),
          "field": _l("Сохранить рядом с запросом"), "skip": _l("Не загружать")}
WAYS = {"add": _l("добавить строку в их карточку"), "skip": _l("пропустить"), "new": _l("завести отдельную карточку")}

sentences(title_is_contact=("Название похоже на телефон или почту. Оно видно всем и не стирается: назовите источник иначе.",
                            "The name reads as a phone or an e-mail. Everybody sees it and it cannot be erased: choose another."))

job_pages.PANELS[KIND] = "sheets/_imported.html"
job_pages.PANELS[undoing.KIND] = "sheets/_undone.html"


@dataclass(frozen=True)
class Column:
    """A column of the file: its heading, what stands in it, what it is taken for."""

    heading: str
    samples: tuple[str, ...]
    target: str


@bp.app_template_filter("row_fault")
def row_fault(code: str) -> str:
    """Why rows are left out, in words without what stood in them."""
    return importing.fault_said(code, {"given": "…"}, language())


@bp.get("")
@needs(*WHO)
def index() -> str:
    """Choose a file; what was imported lately."""
    return render_template("sheets/import.html", errors={}, **_index())


def _index() -> dict[str, Any]:
    jobs = the_hub().jobs.of(kind=KIND, limit=LISTED)
    names = {f"user:{id}": user.name for id, user in the_hub().users().items()}
    return {"jobs": [(job, names.get(job.actor.id, ""), undone(job)) for job in jobs if job.state != "draft"],
            "most": MAX_FILE // 1_000_000, "rows": MAX_ROWS}


def undone(job: Job) -> bool:
    """Whether what a job imported was taken back."""
    if "stream" not in job.facts:
        return False
    state = state_of(the_hub(), UUID(job.facts["stream"]))
    return state.turn > job.facts["turn"] or state.status == "undone"


@bp.post("")
@needs(*WHO)
def upload() -> Response:
    """Keep the file as a draft and go to its columns. The file lies sealed until it is imported or the draft is old."""
    hub, given = the_hub(), request.files.get("file")
    data, name = (given.read(MAX_FILE + 1), given.filename or "") if given is not None else (b"", "")
    try:
        sheet = read(data)
    except Refused as refused:
        return refused_page("sheets/import.html", refused, **_index())
    rows = [cells for _number, cells in sheet.rows]
    columns = remembered.recall(hub.store, sheet.header) or guessed(sheet.header, rows)
    options = Options(columns, Source("website", _("Импорт %(day)s", day=f"{now():%d.%m.%Y}")))
    job = hub.jobs.start(KIND, options.told(), actor=me().actor, at=now(), name=name, draft=True,
                         files={FILE: ("application/octet-stream", data)})
    return redirect(url_for(".columns", job=job), 303)


def _draft(job: UUID) -> tuple[Job, bytes, Sheet]:
    found = the_hub().jobs.one(job)
    if found.kind != KIND or found.actor.id != me().id:
        raise NotFound("no_such_job")
    data = the_hub().jobs.read(found, FILE)
    return found, data, read(data)


@bp.get("/<uuid:job>")
@needs(*WHO)
def columns(job: UUID) -> str | Response:
    """What the columns are, and what would become of the first rows."""
    found, data, sheet = _draft(job)
    if found.state != "draft":
        return redirect(url_for("jobs.page", job=job), 303)
    assert found.inside is not None
    return _page(job, found, data, sheet, Options.of(found.inside.parameters))


def _page(job: UUID, found: Job, data: bytes, sheet: Sheet, options: Options, errors: dict[str, str] | None = None) -> str:
    hub, before = the_hub(), state_of(the_hub(), stream_of(the_hub(), data))
    shown = [Column(heading, _samples(sheet, n), options.columns[n]) for n, heading in enumerate(sheet.header)]
    rows: list[Row] = list(looked_through(hub, sheet, options, sheet.rows[:SHOWN]))
    cards = {row.card: hub.views.leads.one(row.card) for row in rows if row.card is not None}
    return render_template("sheets/columns.html", job=job, name=found.name, sheet=sheet, columns=shown, rows=rows,
                           numbers={card: line["number"] for card, line in cards.items() if line is not None}, options=options,
                           targets=[(t, TITLES[t]) for t in TARGETS], channels=CHANNELS, ways=WAYS, errors=errors or {},
                           language=language(), in_already=before.status == "finished", longest=LONGEST_TITLE)


def _samples(sheet: Sheet, n: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cells[n][:60] for _, cells in sheet.rows[:50] if cells[n]))[:SAMPLES]


@bp.post("/<uuid:job>")
@needs(*WHO)
def begin(job: UUID) -> Response:
    """Look again with what was told, or import (``do`` = ``import``)."""
    found, data, sheet = _draft(job)
    hub, form = the_hub(), request.form
    options = _options(sheet, form.getlist("column"))
    try:
        columns = checked(options.columns, {t: str(title) for t, title in TITLES.items()})
        if contact.phone(options.source.title) or contact.email(options.source.title):
            raise Refused("title_is_contact", field="title")
        if form.get("do") != "import":
            return make_response(_page(job, found, data, sheet, options))
        remembered.remember(hub.store, sheet.header, columns)
        hub.jobs.release(job, Options(columns, options.source, options.known).told())
    except Refused as refused:
        errors = {refused.field: refused.say(language())}
        return make_response(_page(job, found, data, sheet, options, errors), status_of(refused))
    return redirect(url_for("jobs.page", job=job), 303)


def _options(sheet: Sheet, given: Sequence[str]) -> Options:
    form = request.form
    columns = tuple((*given, *["skip"] * len(sheet.header))[:len(sheet.header)])
    known, channel = form.get("known", ""), form.get("channel", "")
    title = " ".join(form.get("title", "").split())[:LONGEST_TITLE] or _("Импорт %(day)s", day=f"{now():%d.%m.%Y}")
    return Options(tuple(c if c in TARGETS else "skip" for c in columns),
                   Source(channel if channel in CHANNELS else "website", str(title), "clocks" not in form),
                   known if known in KNOWN else "add")


@bp.post("/<uuid:job>/drop")
@needs(*WHO)
def drop(job: UUID) -> Response:
    """Do not import this file after all."""
    _draft(job)
    the_hub().jobs.cancel(job, now())
    flash(_("Файл не загружен."), "ok")
    return redirect(url_for(".index"), 303)


@bp.get("/<uuid:job>/undo")
@needs(*WHO)
def ask_undo(job: UUID) -> str:
    """What taking an import back will do."""
    found = _imported(job)
    undoing.parameters(found)
    return render_template("sheets/undo.html", job=found, undone=undone(found))


@bp.post("/<uuid:job>/undo")
@needs(*WHO)
def undo(job: UUID) -> Response:
    """Take an import back, as a long work."""
    found = _imported(job)
    if undone(found):
        raise Refused("import_undone_already")
    work = the_hub().jobs.start(undoing.KIND, undoing.parameters(found), actor=me().actor, at=now(), name=found.name)
    return redirect(url_for("jobs.page", job=work), 303)


def _imported(job: UUID) -> Job:
    """An import of anybody's: whoever may import may take one back."""
    found = the_hub().jobs.one(job)
    if found.kind != KIND:
        raise NotFound("no_such_job")
    return found

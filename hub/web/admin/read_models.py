"""Read models: how far each is, what stopped one, and making it anew. For administrators."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.errors import Refused
from hub.projections import Status
from hub.projections import rebuild as rebuilds
from hub.projections.rebuild import Progress
from hub.web.admin.base import done, refused_page
from hub.web.desk import me, needs, now, parts, the_hub

bp = Blueprint("read_models", __name__, url_prefix="/settings/read-models")
PAGE = "admin/read_models.html"


@dataclass(frozen=True)
class Line:
    """A read model with its rebuild, where one was asked for, runs or failed, and how many events it does without."""

    title: str
    status: Status
    rebuild: Progress | None
    skipped: int


def titles() -> dict[str, str]:
    """What people call the read models; one that is not here goes by its name."""
    return {"leads": _("Доска, список и дела"), "deadlines": _("Сроки"), "intervals": _("Время на стадиях"),
            "directory": _("Люди, формы, партнёры"), "receipts": _("Обращения и карантин"), "notices": _("Уведомления"),
            "outbox": _("Исходящие сообщения"), "channels": _("Каналы"),
            "punctuality": _("Соблюдение сроков"), "scored": _("Оценки для «что если»"),
            "due_spans": _("Сроки для «что если»"), "reports": _("Отчёты: заявки"),
            "report_turns": _("Отчёты: итоги и разговоры")}


def listed() -> list[Line]:
    """Every read model that is switched on."""
    hub, runner, named = the_hub(), parts().runner, titles()
    running = {progress.name: progress for progress in rebuilds.progresses(runner.views)}
    return [Line(named.get(s.name, s.name), s, running.get(s.name), len(hub.skipped_by(s.name))) for s in runner.status()]


def _known(name: str) -> str:
    if name not in parts().runner.projections:
        abort(404)
    return name


@bp.get("")
@needs("admin")
def index() -> str:
    """How far each is. The page looks again by itself while a rebuild is under way."""
    lines = listed()
    busy = any(line.rebuild and line.rebuild.state != "failed" for line in lines)
    return render_template(PAGE, lines=lines, busy=busy, errors={}, failed="")


@bp.post("/<name>/retry")
@needs("admin")
def retry(name: str) -> Response:
    """Try the event again that stopped it."""
    return _release(_known(name), skip=False)


@bp.post("/<name>/skip")
@needs("admin")
def skip(name: str) -> Response:
    """Go on without the event that stopped it."""
    return _release(_known(name), skip=True)


def _release(name: str, *, skip: bool) -> Response:
    try:
        the_hub().release_read_model(parts().runner, name, skip=skip, why=request.form.get("why", ""), actor=me().actor, at=now())
    except Refused as refused:
        return refused_page(PAGE, refused, at_top=not refused.field, lines=listed(), busy=False, failed=name)
    return done(url_for("admin.read_models.index"))


@bp.post("/<name>/rebuild")
@needs("admin")
def rebuild(name: str) -> Response:
    """Ask the worker to make it anew beside the one that serves."""
    rebuilds.ask(parts().runner.views, _known(name), the_hub().store.head())
    return done(url_for("admin.read_models.index"))

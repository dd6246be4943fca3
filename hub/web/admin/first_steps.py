"""The first steps of an empty hub, from its administrator to its first lead: told from facts, nothing is ticked off by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from flask import Blueprint, abort, flash, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.web.admin.base import done, lead_url
from hub.web.admin.forms import send_test
from hub.web.admin.process import the_drafts
from hub.web.desk import may, me, needs, now, parts, the_hub

bp = Blueprint("first_steps", __name__, url_prefix="/first-steps")


@dataclass(frozen=True)
class Step:
    """A step. ``state``: done | now | next; ``sends``: its button sends the test; an ``optional`` one holds nothing up."""

    state: str
    title: str
    about: str
    url: str
    action: str
    optional: bool = False
    sends: bool = False


def begun() -> bool:
    """Whether a real lead has come: then the first steps are over."""
    return bool(the_hub().views.leads.rows("test = 0", (), "number", 1))


def steps() -> list[Step]:
    """What is done and what is next in an empty hub; nothing once the first real lead came."""
    if begun():
        return []
    hub, here = the_hub(), parts()
    people = sum(not u.disabled for u in hub.users().values()) > 1
    form = next((f for f in hub.forms().values() if not f.retired), None)
    tested = any(f.tested_at and not f.retired for f in hub.forms().values())
    channels = any(True for _account in here.accounts.values())
    paste = url_for("admin.forms.one", form=form.id) if form else url_for("admin.forms.new")
    wanted = [
        (people, Step("", _("Добавьте людей"), _("Новые заявки по очереди достаются менеджерам, которые на работе."),
                      url_for("admin.users.new"), _("Добавить человека"))),
        (form is not None, Step("", _("Создайте форму"), _("Получите код, который вставляют на сайт."),
                                url_for("admin.forms.new"), _("Создать форму"))),
        (tested, Step("", _("Отправьте тестовую заявку"),
                      _("Она пройдёт весь путь через форму «%(name)s» и станет тестовой карточкой на доске.", name=form.name)
                      if form else _("Она пройдёт весь путь через форму и станет тестовой карточкой на доске."),
                      url_for("admin.first_steps.test"), _("Отправить тест"), sends=form is not None)),
        (channels, Step("", _("Подключите телефон, почту и соцсети"),
                        _("Звонки, письма и сообщения тоже станут карточками. Можно и позже."),
                        url_for("admin.channels.index"), _("Каналы"), optional=True)),
        (False, Step("", _("Примите первую заявку"),
                     _("Вставьте код формы на сайт. Карточка появится на доске, и пойдёт срок «взять в работу»."), paste,
                     _("Код для сайта"))),
    ]
    first = next(i for i, (is_done, step) in enumerate(wanted) if not is_done and not step.optional)
    return [replace(step, state="done" if is_done else "now" if i == first else "next")
            for i, (is_done, step) in enumerate(wanted)]


def page() -> str | None:
    """The checklist in the place of the board, for an administrator of an empty hub who has not put it away."""
    if not may("admin") or the_drafts().steps_hidden(me().stream):
        return None
    found = steps()
    return _page(found) if found else None


def _page(found: list[Step]) -> str:
    tests = the_hub().views.leads.rows("test = 1", (), "number DESC", 1)
    return render_template("admin/first_steps.html", steps=found, done=sum(step.state == "done" for step in found),
                           test_lead=tests[0] if tests else None,
                           test_url=lead_url(UUID(tests[0]["id"])) if tests else "")


@bp.post("/test")
@needs("admin")
def test() -> Response:
    """Send a real request through the first form that is in use; it ends as a test lead."""
    form = next((f for f in the_hub().forms().values() if not f.retired), None)
    if form is None:
        abort(404)
    send_test(form)
    flash(_("Тестовая заявка прошла через форму и стала карточкой."), "ok")
    return done("/")


@bp.post("/hide")
@needs("admin")
def hide() -> Response:
    """Put the checklist away for oneself; the settings keep it."""
    the_drafts().hide_steps(me().stream, now())
    flash(_("Первые шаги убраны с доски. Они остались в настройках."), "ok")
    return done("/")


@bp.post("/show")
@needs("admin")
def show() -> Response:
    """Have it on the board again."""
    the_drafts().show_steps(me().stream)
    return done("/")

"""The wording of the letters that the hub proposes (R12): edit, look at it filled in, go back to the first wording."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from hub.domain.errors import Refused
from hub.domain.partner import PLACES, Template, TemplateState, template_stream
from hub.web.admin.base import done, refused_page
from hub.web.desk import me, needs, now, the_hub
from hub.web.letters import default_template

bp = Blueprint("letters", __name__, url_prefix="/settings/templates")

PAGE = "admin/templates.html"
KEEP = ("admin", "decide")
LETTER = "refusal"

MEANINGS = {"name": _l("имя клиента"), "reasons": _l("почему отказываем: по строке на причину из оценки"),
            "partners": _l("выбранные партнёры: по строке на агентство"), "company": _l("компания клиента"),
            "manager": _l("кто отправляет письмо"), "agency": _l("название вашей компании"),
            "when": _l("когда и где встреча: только в приглашении")}
"""What stands at each of :data:`PLACES`, for the editor."""

SAMPLE = {"name": "Иван", "company": "ООО «Северный Ветер»", "agency": "Агентство",
          "reasons": "— бюджет: меньше минимальной стоимости работ\n— сроки: нужно раньше, чем мы освободимся",
          "partners": "— Студия «Первая»: https://first.example.ru (hello@first.example.ru)\n— Бюро «Вектор»: https://vector.example.ru"}
"""An invented client for the preview."""


def _page(typed: TemplateState) -> dict[str, Any]:
    default = default_template(LETTER)
    subject, body = typed.fill(**SAMPLE, manager=me().name)
    current = the_hub().template(LETTER, default)
    return {"typed": typed, "places": [(p, MEANINGS[p]) for p in PLACES], "default": default,
            "changed": (current.subject_line, current.body) != (default.subject_line, default.body),
            "preview": {"subject": subject, "body": body}}


@bp.get("")
@needs(*KEEP)
def index() -> str:
    """The refusal letter as it is worded now."""
    return render_template(PAGE, errors={}, previewed=False, **_page(the_hub().template(LETTER, default_template(LETTER))))


@bp.post("")
@needs(*KEEP)
def write() -> Response:
    """``act``: ``save`` the wording, ``preview`` it without saving, or ``reset`` to the first one."""
    default = default_template(LETTER)
    act = request.form.get("act", "save")
    typed = default if act == "reset" else TemplateState(
        LETTER, request.form.get("subject_line", ""), request.form.get("body", "").replace("\r\n", "\n"))
    if act == "preview":
        return make_response(render_template(PAGE, errors={}, previewed=True, **_page(typed)))
    try:
        the_hub().change(Template, template_stream(LETTER), lambda t: t.write(LETTER, typed.subject_line, typed.body),
                         actor=me().actor, at=now(), permissions=KEEP)
    except Refused as refused:
        return refused_page(PAGE, refused, previewed=True, **_page(typed))
    flash(_("Вернули исходный текст письма.") if act == "reset" else _("Текст письма сохранён."), "ok")
    return done(url_for(".index"))

"""The wording of the letters that the hub proposes or sends by itself (R12, R19, R26): edit, look at one filled in, go back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from hub.domain.errors import NotFound, Refused, sentences
from hub.domain.partner import EVERYWHERE, PLACES_OF, Template, TemplateState, template_stream
from hub.web.admin.base import done, refused_page
from hub.web.desk import me, needs, now, the_hub
from hub.web.letters import LETTERS, default_template

bp = Blueprint("letters", __name__, url_prefix="/settings/templates")

PAGE = "admin/templates.html"
KEEP = ("admin", "decide")
FIRST = LETTERS[0]

sentences(no_such_wording=("Такого письма нет. Есть: {known}.", "There is no such letter. There are: {known}."))

TITLES = {"refusal": _l("Письмо с отказом"), "proposal": _l("Письмо с КП"), "invitation": _l("Приглашение на встречу"),
          "acknowledgement": _l("Ответ «получили»"), "acknowledgement.en": _l("Ответ «получили», по-английски")}
"""What each letter is called, as a tab and as the title of its page."""

ABOUT = {"refusal": _l("Менеджер увидит готовое письмо и сможет его поправить перед отправкой."),
         "proposal": _l("Уходит с файлом КП. Менеджер увидит готовое письмо и сможет его поправить перед отправкой."),
         "invitation": _l("Уходит с приглашением для календаря: о новой встрече, о переносе и об отмене."),
         "acknowledgement": _l("Уходит само, раз в день одному человеку, если это включено у почтового ящика. "
                               "Так отвечаем тем, кто написал по-русски."),
         "acknowledgement.en": _l("То же для тех, кто написал без единого русского слова.")}

MEANINGS = {"name": _l("имя клиента"), "reasons": _l("почему отказываем: по строке на причину из оценки"),
            "partners": _l("выбранные партнёры: по строке на агентство"), "company": _l("компания клиента"),
            "manager": _l("кто отправляет письмо"), "agency": _l("название вашей компании"),
            "when": _l("когда и где встреча, или что она отменена")}
"""What stands at each place, for the editor."""

SAMPLE = {"name": "Иван", "company": "ООО «Северный Ветер»", "agency": "Агентство",
          "reasons": "— бюджет: меньше минимальной стоимости работ\n— сроки: нужно раньше, чем мы освободимся",
          "partners": "— Студия «Первая»: https://first.example.ru (hello@first.example.ru)\n— Бюро «Вектор»: https://vector.example.ru",
          "when": "Ждём вас на встрече: 24 ноября, 12:00 (UTC+03:00), 60 минут. Онлайн"}
"""An invented client for the preview."""


def _page(name: str, typed: TemplateState) -> dict[str, Any]:
    default = default_template(name)
    places = PLACES_OF.get(name, EVERYWHERE)
    values = {**SAMPLE, "manager": me().name}
    subject, body = typed.fill(**{place: values[place] for place in places})
    current = the_hub().template(name, default)
    return {"name": name, "title": TITLES[name], "about": ABOUT[name],
            "letters": [(url_for(".letter", name=each), TITLES[each], each == name) for each in LETTERS],
            "typed": typed, "places": [(p, MEANINGS[p]) for p in places], "default": default,
            "changed": (current.subject_line, current.body) != (default.subject_line, default.body),
            "preview": {"subject": subject, "body": body}}


@bp.get("")
@needs(*KEEP)
def index() -> str:
    """The first letter."""
    return letter(FIRST)


@bp.get("/<name>")
@needs(*KEEP)
def letter(name: str) -> str:
    """A letter as it is worded now."""
    if name not in LETTERS:
        raise NotFound("no_such_wording", known=", ".join(str(title) for title in TITLES.values()))
    return render_template(PAGE, errors={}, previewed=False, **_page(name, the_hub().template(name, default_template(name))))


@bp.post("")
@needs(*KEEP)
def write_first() -> Response:
    """As :func:`write`, for the first letter."""
    return write(FIRST)


@bp.post("/<name>")
@needs(*KEEP)
def write(name: str) -> Response:
    """``act``: ``save`` the wording, ``preview`` it without saving, or ``reset`` to the first one."""
    if name not in LETTERS:
        raise NotFound("no_such_wording", known=", ".join(str(title) for title in TITLES.values()))
    default = default_template(name)
    act = request.form.get("act", "save")
    typed = default if act == "reset" else TemplateState(
        name, request.form.get("subject_line", ""), request.form.get("body", "").replace("\r\n", "\n"))
    if act == "preview":
        return make_response(render_template(PAGE, errors={}, previewed=True, **_page(name, typed)))
    try:
        the_hub().change(Template, template_stream(name), lambda t: t.write(name, typed.subject_line, typed.body),
                         actor=me().actor, at=now(), permissions=KEEP)
    except Refused as refused:
        return refused_page(PAGE, refused, previewed=True, **_page(name, typed))
    flash(_("Вернули исходный текст письма.") if act == "reset" else _("Текст письма сохранён."), "ok")
    return done(url_for(".index") if name == FIRST else url_for(".letter", name=name))

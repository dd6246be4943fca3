"""The settings: an index of what the signed-in person may open, and the first steps of an empty hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _

from hub.web.admin import forms, letters, partners, quarantine, users
from hub.web.desk import may, signed_in, the_hub
from hub.web.words import plural

bp = Blueprint("admin", __name__)
for part in (users, forms, partners, letters, quarantine):
    bp.register_blueprint(part.bp)


@dataclass(frozen=True)
class Entry:
    """A line of the index. ``warn`` says what there waits for somebody."""

    url: str
    icon: str
    title: str
    about: str
    state: str = ""
    warn: str = ""


@dataclass(frozen=True)
class Step:
    """A first step. ``state``: done | now | next."""

    state: str
    title: str
    about: str
    url: str
    action: str


@bp.get("/settings")
@signed_in
def settings() -> str:
    """What may be set up, by whom it is asked."""
    groups = [(title, [entry for entry in entries if entry is not None]) for title, entries in
              ((_("Отдел"), [_people(), _process()]), (_("Заявки"), [_forms(), _quarantine()]),
               (_("Письма и партнёры"), [_partners(), _templates()]), (_("Моё"), [_account()]))]
    return render_template("admin/settings.html", groups=[g for g in groups if g[1]], steps=_steps() if may("admin") else [])


def _people() -> Entry | None:
    if not may(*users.WORK):
        return None
    active = [u for u in the_hub().users().values() if not u.disabled]
    about = (_("Учётные записи, роли, смены и отсутствия") if may("admin")
             else _("Смены и отсутствия: кому достаются новые заявки"))
    return Entry(url_for("admin.users.index"), "users", _("Люди"), about,
                 plural(len(active), _("человек"), _("человека"), _("человек")))


def _process() -> Entry:
    process = the_hub().process
    return Entry("/process", "route", _("Процесс продаж"),
                 _("Стадии, сроки и условия переходов, как они записаны в файле процесса"),
                 _("редакция %(number)s", number=process.version))


def _forms() -> Entry | None:
    if not may("admin"):
        return None
    found = forms.listed()
    quiet = sum(line.state == "silent" for line in found)
    used = sum(not line.form.retired for line in found)
    return Entry(url_for("admin.forms.index"), "code-xml", _("Формы на сайтах"),
                 _("Код для сайта, согласие, защита от спама, тест"), plural(used, _("форма"), _("формы"), _("форм")),
                 _("молчат: %(number)s", number=quiet) if quiet else "")


def _quarantine() -> Entry | None:
    if not may(*quarantine.WHO):
        return None
    waiting = the_hub().views.receipts.waiting()
    return Entry(url_for("admin.quarantine.index"), "shield-alert", _("Карантин"),
                 _("Обращения, на которые сначала смотрит человек"), "" if waiting else _("пусто"),
                 _("ждут: %(number)s", number=waiting) if waiting else "")


def _partners() -> Entry:
    offered = sum(not p.retired for p in the_hub().partners().values())
    return Entry(url_for("admin.partners.index"), "handshake", _("Партнёры"),
                 _("Агентства, которые мы предлагаем, когда отказываем"),
                 plural(offered, _("агентство"), _("агентства"), _("агентств")))


def _templates() -> Entry | None:
    if not may(*letters.KEEP):
        return None
    return Entry(url_for("admin.letters.index"), "mail", _("Письмо с отказом"),
                 _("Текст письма и места, которые хаб заполнит сам"))


def _account() -> Entry:
    return Entry(url_for("access.account"), "user", _("Мой аккаунт"), _("Пароль, язык и открытые сеансы"))


def _steps() -> list[Step]:
    """What is done and what is next in an empty hub; nothing once the first real lead came."""
    hub = the_hub()
    if hub.views.leads.count("test = 0"):
        return []
    people = sum(not u.disabled for u in hub.users().values()) > 1
    form = next((f for f in hub.forms().values() if not f.retired), None)
    tested = any(f.tested_at and not f.retired for f in hub.forms().values())
    paste = url_for("admin.forms.one", form=form.id) if form else url_for("admin.forms.new")
    wanted: list[tuple[bool, Any]] = [
        (people, (_("Добавьте людей"), _("Новые заявки по очереди достаются менеджерам, которые на работе."),
                  url_for("admin.users.new"), _("Добавить человека"))),
        (form is not None, (_("Создайте форму"), _("Получите код, который вставляют на сайт."), url_for("admin.forms.new"),
                            _("Создать форму"))),
        (tested, (_("Отправьте тест"), _("Заявка пройдёт весь путь и станет тестовой карточкой."), paste, _("Открыть форму"))),
        (False, (_("Дождитесь первой заявки"),
                 _("Вставьте код на сайт. Карточка появится на доске, и пойдёт срок «взять в работу»."),
                 paste, _("Код для сайта"))),
    ]
    first = next(i for i, (is_done, _words) in enumerate(wanted) if not is_done)
    return [Step("done" if is_done else "now" if i == first else "next", *words) for i, (is_done, words) in enumerate(wanted)]


__all__ = ["bp"]

"""The settings: an index of what the signed-in person may open, and the first steps of an empty hub."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _

from hub.sheets import importing
from hub.web.admin import (
    channels,
    first_steps,
    forms,
    letters,
    notices,
    partners,
    phone,
    privacy,
    process,
    quarantine,
    read_models,
    tokens,
    users,
    webhooks,
)
from hub.web.desk import may, me, now, signed_in, the_hub, the_tokens
from hub.web.frame import the_process
from hub.web.words import plural

bp = Blueprint("admin", __name__)
for part in (privacy, users, forms, partners, letters, quarantine, channels, phone, notices, tokens, webhooks, read_models,
             process, first_steps):
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


@bp.get("/settings")
@signed_in
def settings() -> str:
    """What may be set up, by whom it is asked."""
    groups = [(title, [entry for entry in entries if entry is not None]) for title, entries in
              ((_("Отдел"), [_people(), _process(), _notices()]),
               (_("Заявки"), [_forms(), _channels(), _phone(), _quarantine(), _import()]),
               (_("Письма и партнёры"), [_partners(), _templates()]), (_("Другие программы"), [_webhooks()]),
               (_("Хаб"), [_privacy(), _read_models()]), (_("Моё"), [_account(), _tokens()]))]
    return render_template("admin/settings.html", groups=[g for g in groups if g[1]],
                           steps=first_steps.steps() if may("admin") else [])


def _people() -> Entry | None:
    if not may(*users.WORK):
        return None
    active = [u for u in the_hub().users().values() if not u.disabled]
    about = (_("Учётные записи, роли, смены и отсутствия") if may("admin")
             else _("Смены и отсутствия: кому достаются новые заявки"))
    return Entry(url_for("admin.users.index"), "users", _("Люди"), about,
                 plural(len(active), _("сотрудник"), _("сотрудника"), _("сотрудников")))


def _notices() -> Entry | None:
    if not may(*notices.WHO):
        return None
    failing = sum(line.state.failed is not None for line in notices.lines())
    return Entry(url_for("admin.notices.index"), "bell", _("Уведомления сотрудников"),
                 _("Кто как узнаёт о заявках без браузера и до кого не дошло"), "",
                 _("не доходит: %(number)s", number=failing) if failing else "")


def _process() -> Entry:
    process_now = the_process()
    keeps = may(*process.KEEP)
    return Entry(url_for("admin.process.index") if keeps else "/process", "route", _("Процесс продаж"),
                 _("Границы сегментов, сроки, календарь, стадии: черновик, проверка, публикация") if keeps
                 else _("Стадии, сроки и условия переходов, как они записаны в файле процесса"),
                 _("редакция %(number)s", number=process_now.version),
                 _("есть черновик") if keeps and process.the_drafts().of(me().stream) else "")


def _forms() -> Entry | None:
    if not may("admin"):
        return None
    found = forms.listed()
    quiet = sum(line.state == "silent" for line in found)
    used = sum(not line.form.retired for line in found)
    return Entry(url_for("admin.forms.index"), "code-xml", _("Формы на сайтах"),
                 _("Код для сайта, согласие, защита от спама, тест"), plural(used, _("форма"), _("формы"), _("форм")),
                 _("молчат: %(number)s", number=quiet) if quiet else "")


def _channels() -> Entry | None:
    if not may(*channels.WHO):
        return None
    found = channels.lines()
    failing = sum(line.failing for line in found)
    return Entry(url_for("admin.channels.index"), "message-circle", _("Каналы"),
                 _("Телефон, соцсети и почта: что работает, что пришло и ушло"),
                 plural(len(found), _("канал"), _("канала"), _("каналов")),
                 _("не работают: %(number)s", number=failing) if failing else "")


def _phone() -> Entry | None:
    lines = phone.lines() if may(*phone.WHO) else []
    if not lines:
        return None
    silent = sum(not line.plan.members for line in lines)
    return Entry(url_for("admin.phone.index"), "phone", _("Телефон"), _("Кому звонит линия, что слышит клиент, проверка"),
                 plural(len(lines), _("линия"), _("линии"), _("линий")),
                 _("некому звонить: %(number)s", number=silent) if silent else "")


def _quarantine() -> Entry | None:
    if not may(*quarantine.WHO):
        return None
    waiting = the_hub().views.receipts.waiting() + the_hub().views.channels.unread()
    return Entry(url_for("admin.quarantine.index"), "shield-alert", _("Карантин"),
                 _("Обращения, на которые сначала смотрит человек"), "" if waiting else _("пусто"),
                 _("ждут: %(number)s", number=waiting) if waiting else "")


def _import() -> Entry | None:
    if not may(*importing.WHO):
        return None
    return Entry(url_for("imports.index"), "upload", _("Загрузка заявок из файла"),
                 _("CSV или Excel: столбцы, проверка, отмена целиком"))


def _partners() -> Entry:
    offered = sum(not p.retired for p in the_hub().partners().values())
    return Entry(url_for("admin.partners.index"), "handshake", _("Партнёры"),
                 _("Агентства, которые мы предлагаем, когда отказываем"),
                 plural(offered, _("агентство"), _("агентства"), _("агентств")))


def _templates() -> Entry | None:
    if not may(*letters.KEEP):
        return None
    return Entry(url_for("admin.letters.index"), "mail", _("Тексты писем"),
                 _("Текст письма и места, которые хаб заполнит сам"))


def _webhooks() -> Entry | None:
    if not may("admin"):
        return None
    listed = webhooks.listed()
    troubled = sum(line.does.dead > 0 or line.mood not in ("active", "person") for line in listed)
    return Entry(url_for("admin.webhooks.index"), "send", _("Вебхуки"), _("События заявок для других программ"),
                 plural(len(listed), _("подписка"), _("подписки"), _("подписок")) if listed else "",
                 _("требуют внимания: %(number)s", number=troubled) if troubled else "")


def _read_models() -> Entry | None:
    if not may("admin"):
        return None
    lines = read_models.listed()
    parked = sum(line.status.parked_at is not None for line in lines)
    return Entry(url_for("admin.read_models.index"), "gauge", _("Витрины данных"),
                 _("Из чего собраны страницы: отставание, сборка заново"), "" if parked else _("в порядке"),
                 _("остановлены: %(number)s", number=parked) if parked else "")


def _privacy() -> Entry | None:
    if not may(*privacy.WHO):
        return None
    waiting = len(the_hub().views.persons.unfinished())
    return Entry(url_for("admin.privacy.index"), "shield-check", _("Личные данные клиентов"),
                 _("Найти всё о человеке, выдать ему, удалить; сроки хранения"), "",
                 _("удаляются: %(number)s", number=waiting) if waiting else "")


def _account() -> Entry:
    return Entry(url_for("access.account"), "user", _("Мой аккаунт"), _("Пароль, язык и открытые сеансы"))


def _tokens() -> Entry:
    living = [t for t in the_tokens().listed(now(), None if may("admin") else me().stream) if t.state == "living"]
    return Entry(url_for("admin.tokens.index"), "key-round", _("Токены API"), _("Чем другие программы входят в хаб"),
                 plural(len(living), _("токен"), _("токена"), _("токенов")) if living else "")


__all__ = ["bp"]

"""What the palette can do beside finding: open a page, open a new card, move the card that is open."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from hub.domain import contact
from hub.projections.lead_words import folded, words_in
from hub.projections.spelling import other_spellings
from hub.web.desk import may
from hub.web.lead.form import GROUPS
from hub.web.lead.view import Card, do_url

LONGEST_NAME = 80


@dataclass(frozen=True)
class Command:
    """A line of the palette that leads somewhere. ``lacking``: what is missing for it now."""

    title: str
    url: str
    icon: str
    key: str = ""
    lacking: str = ""


@dataclass(frozen=True)
class Page:
    """A page that the palette knows. ``also``: other words that people call it by; ``needs``: any of these permissions."""

    url: str
    icon: str
    title: LazyString
    also: LazyString | str = ""
    needs: tuple[str, ...] = ()


PAGES = (
    Page("/", "square-kanban", _l("Доска"), _l("воронка канбан")),
    Page("/my", "list-todo", _l("Мои дела"), _l("сегодня задачи сроки")),
    Page("/leads", "inbox", _l("Заявки"), _l("список лиды")),
    Page("/leads?show=won", "trophy", _l("Договоры"), _l("выигранные продажи")),
    Page("/leads?show=asleep", "moon-star", _l("Отложенные заявки"), _l("спят разбудить")),
    Page("/process", "route", _l("Карта процесса"), _l("стадии воронка")),
    Page("/partners", "handshake", _l("Партнёры"), _l("агентства")),
    Page("/notices", "bell", _l("Уведомления"), _l("новости")),
    Page("/quarantine", "shield-alert", _l("Карантин"), _l("спам подозрительные"), ("intake", "admin")),
    Page("/import", "upload", _l("Загрузить заявки из файла"), _l("импорт excel csv xlsx"), ("admin", "decide")),
    Page("/exports/leads", "download", _l("Выгрузить заявки в файл"), _l("экспорт excel csv xlsx")),
    Page("/jobs", "hourglass", _l("Долгие работы"), _l("загрузки выгрузки расчёты")),
    Page("/audit", "shield-check", _l("Аудит"), _l("журнал событий проверка"), ("admin", "audit")),
    Page("/settings", "settings", _l("Настройки"), ""),
    Page("/settings/users", "users", _l("Люди и роли"), _l("сотрудники смены отпуск"), ("admin", "decide")),
    Page("/settings/forms", "code-xml", _l("Формы на сайтах"), _l("код сайт"), ("admin",)),
    Page("/channels", "message-circle", _l("Каналы"), _l("почта телефон соцсети telegram вконтакте"), ("admin",)),
    Page("/settings/privacy", "shield-check", _l("Личные данные клиентов"), _l("удалить стереть архив 152-фз"), ("admin",)),
    Page("/settings/webhooks", "link", _l("Веб-хуки"), _l("интеграция программы"), ("admin",)),
    Page("/settings/tokens", "key-round", _l("Ключи API"), _l("токены интеграция программы")),
    Page("/account", "user", _l("Мой аккаунт"), _l("пароль сеансы язык тема")),
)


def _fits(words: str, *texts: str) -> bool:
    """Whether each of ``words``, as typed or in the other layout, begins a word of ``texts``."""
    there = words_in(" ".join(texts))
    return all(any(word.startswith(one) for word in there for spelling in (typed, *other_spellings(typed))
                   for one in words_in(spelling)[:1]) for typed in folded(words).split())


def pages_for(words: str) -> list[Command]:
    """Pages that ``words`` name and the reader may open, and a new card with what was typed in it."""
    found = [Command(str(page.title), page.url, page.icon) for page in PAGES
             if (not page.needs or may(*page.needs)) and _fits(words, str(page.title), str(page.also))]
    if may("intake"):
        if not words or _fits(words, _("Новый лид"), _("заявка карточка создать")):
            found.insert(0, Command(_("Новый лид"), "/leads/new", "plus", "N"))
        else:
            phone = contact.phone(words)
            given = {"phone": words} if phone is not None else {"name": words[:LONGEST_NAME]}
            title = _("Новый лид «%(words)s»", words=words[:LONGEST_NAME])
            found.append(Command(title, f"/leads/new?{urlencode(given)}", "plus"))
    return found


def commands_for(words: str, lead: UUID | None) -> list[Command]:
    """What ``words`` name of what the reader may do with the card that is open: moves, endings, forms."""
    if lead is None:
        return []
    card = Card(lead)
    found: list[tuple[Command, str]] = []
    if card.act_allowed and card.s.open:
        found.append((Command(str(card.act.label), card.act_url, "zap"), _("главное дальше")))
    found += [(Command(_("Перевести: %(stage)s", stage=to.title), to.url, "arrow-right", lacking="; ".join(to.lacking)),
               _("стадия двинуть")) for to in card.targets]
    found += [(Command(end.title, end.url, "flag", lacking="; ".join(end.lacking)), _("закончить закрыть итог"))
              for end in card.ends]
    for group, forms in card.menu:
        found += [(Command(str(form.title), do_url(lead, form.command), form.icon), str(GROUPS.get(group, ""))) for form in forms]
    return [command for command, also in found if _fits(words, command.title, also)]

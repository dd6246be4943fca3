"""What events that are not of leads say: the fields that they set, by the names that people know, with what was there before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from msgspec import Struct

from hub.application import LeadHub
from hub.domain import access as a
from hub.domain.attempt import AttemptRefused
from hub.domain.errors import SENTENCES
from hub.domain.event import ERASED, Event
from hub.domain.privacy import Count, DataRead
from hub.domain.publication import ProcessPublished
from hub.domain.telling import Telling
from hub.domain.token import Token
from hub.privacy.words import AGAIN, LEFT, REACHED
from hub.privacy.words import said as reported
from hub.projections.directory import KINDS as AGGREGATES
from hub.store import Unreadable
from hub.web import words
from hub.web.admin.base import role_titles
from hub.web.audit.trail_kinds import kind_title
from hub.web.frame import language
from hub.web.lead import words as w
from hub.web.lead.form import FORMS
from hub.web.lead.story import Change, Teller, changed

LONGEST = 300
"""Characters of a value that a line shows; the whole is in the event."""

NAMES: w.Words = {
    "login": _l("Логин"), "name": _l("Название"), "roles": _l("Роли"), "temporary": _l("Временный пароль"),
    "shifts": _l("Смены"), "absence": _l("Отсутствие"), "since": _l("С"), "until": _l("По"), "why": _l("Почему"),
    "scopes": _l("Права"), "holder": _l("Чей"), "expires_at": _l("Действует до"), "url": _l("Адрес"), "topics": _l("События"),
    "personal": _l("С личными данными"), "old_until": _l("Прежний секрет до"), "position": _l("Место в журнале"),
    "form": _l("Форма"), "origins": _l("Сайты"), "aliases": _l("Имена полей"), "thank_you": _l("Текст «спасибо»"),
    "thank_you_urls": _l("Страницы «спасибо»"), "phone_shown": _l("Телефон на форме"), "consent_text": _l("Текст согласия"),
    "min_fill_seconds": _l("Быстрее стольких секунд — робот"), "max_age_hours": _l("Форма открыта не дольше часов"),
    "rate_per_minute": _l("Заявок в минуту"), "rate_cap_per_minute": _l("Заявок в минуту до отказа"),
    "silence_days": _l("Дней тишины до тревоги"), "prices": _l("Цены"), "technologies": _l("Технологии"), "site": _l("Сайт"),
    "contact": _l("Контакт"), "about": _l("О партнёре"), "subject_line": _l("Тема письма"), "body": _l("Текст письма"),
    "account": _l("Канал"), "channel": _l("Канал"), "source_title": _l("Источник"), "reason": _l("Причина"),
    "number": _l("Редакция"), "vkey": _l("Открытый ключ"), "findings": _l("Находок"), "first": _l("Первая"),
    "format": _l("Файл"), "rows": _l("Строк"), "filters": _l("Отбор"), "upto": _l("До события"), "rule": _l("Правило"),
    "people": _l("Людей"), "leads": _l("Карточек"), "cards": _l("Карточек"), "reached": _l("Удалено"),
    "left": _l("Осталось людям"), "again": _l("Хаб повторит"), "kind": _l("Что"), "code": _l("Код"), "way": _l("Как"),
    "telegram": _l("В Telegram"),
    "email": _l("Почта"), "quiet_from": _l("Тихо с"), "quiet_until": _l("Тихо до"), "language": _l("Язык"),
    "count": _l("Сколько"), "ip": _l("Откуда"), "began": _l("Новых карточек"), "test": _l("Проверка формы"), "source": _l("Файл"),
    "title": _l("Название"), "added": _l("Дополнено карточек"), "skipped": _l("Пропущено строк"),
    "who": _l("Кто"), "what": _l("Что"), "lead": _l("Заявка"),
    "withdrawn": _l("Закрыто карточек"), "columns": _l("Столбцы"), "chosen": _l("Отбор"), "quiet": _l("Без сроков"),
}
"""Fields that are told. What is not here (bodies of deliveries, digests, ids, whole process files) stays in the event."""
CODES: Mapping[str, w.Words] = {
    "kind": {**w.ADDRESSES, "thread": _l("имя сообщения"), "recording": _l("запись разговора"), "message": _l("сообщение"),
             "call": _l("звонок")},
    "channel": w.CHANNELS,
    "first": {"changed": _l("событие изменено"), "moved": _l("порядок изменён"), "deleted": _l("событие удалено"),
              "inserted": _l("событие вставлено"), "cut": _l("конец журнала отрезан"), "versions": _l("пропуск в потоке"),
              "tile": _l("дерево повреждено"), "note": _l("контрольная точка не наша"), "root": _l("не сходится с подписанным"),
              "ahead": _l("журнал откатили"), "missing": _l("контрольная точка пропала"), "key": _l("ключ не тот"),
              "stamp": _l("метка времени не та"), "unreadable": _l("журнал не читается")},
    "way": {**w.WAYS, "email": _l("почта"), "telegram": _l("Telegram")},
    "why": {"person": _l("по решению человека"), "gone": _l("получатель больше не ждёт событий"),
            "failing": _l("события долго не доходят")},
}
"""Fields that hold ids, with the words for them; other texts in them stay as they are."""
REPORTED = {"left": LEFT, "again": AGAIN}
COUNTED = frozenset({"people", "leads", "cards"})
SUBJECT = {"user": _l("Сотрудник"), "form": _l("Форма"), "partner": _l("Партнёр"), "template": _l("Шаблон"),
           "webhook": _l("Вебхук"), "token": _l("Токен"), "telling": _l("Сотрудник")}
WHY_OUT: w.Words = {"wrong": _l("логин или пароль не подошли"), "waits": _l("слишком много неудач подряд"),
                    "own": _l("не подошёл нынешний пароль при его смене")}
OUT: w.Words = {"this": _l("этот сеанс"), "other": _l("другой свой сеанс"), "all": _l("все свои сеансы")}
READ: w.Words = {"card": _l("карточка"), "file": _l("файл"), "person": _l("данные человека"), "history": _l("история"),
                 "trail": _l("журнал аудита"), "export": _l("выгрузка")}
THINGS: w.Words = {
    "user": _l("Изменить сотрудника"), "form": _l("Изменить форму сайта"), "partner": _l("Изменить партнёра"),
    "template": _l("Изменить шаблон письма"), "webhook": _l("Изменить вебхук"), "token": _l("Выдать или отозвать токен"),
    "auditlog": _l("Действие с доказательством журнала"), "telling": _l("Настроить уведомления"),
    "phoneline": _l("Изменить приём звонков"),
    "publication": _l("Опубликовать процесс"), "upkeep": _l("Запустить показ данных"), "erasure": _l("Удалить личные данные"),
    "noted": _l("Выдать данные человека"), "merge": _l("Объединить карточки"), "unmerge": _l("Разделить карточки"),
    "tell_apart": _l("Признать карточки разными"), "open_request": _l("Открыть новую заявку клиента"),
    "open_by_hand": _l("Открыть карточку вручную"), "release": _l("Выпустить из карантина"),
    "dismiss": _l("Признать не заявкой"), "webhook.test": _l("Проверить вебхук"), "audit.verify": _l("Проверить журнал"),
    "audit.checkpoint": _l("Подписать контрольную точку"), "audit.export_lead": _l("Выгрузить историю с доказательством"),
    "trail.export": _l("Выгрузить журнал аудита"),
}
"""Commands that have no form on a card, by what refused attempts call them."""


@dataclass(frozen=True)
class Said:
    """What an event says. ``who``: whose doing it was, where the event knows better than its actor."""

    title: str
    text: str = ""
    changes: tuple[Change, ...] = ()
    who: str = ""
    tone: str = ""


class Fields:
    """Tells events by their fields, in the words of one process and of the colleagues' names."""

    def __init__(self, hub: LeadHub, teller: Teller) -> None:
        self.hub = hub
        self.teller = teller

    def tell(self, event: Event) -> Said:
        """What an event says."""
        match event:
            case AttemptRefused():
                return Said(_("Отказано: %(what)s", what=command_title(event.command)), refusal(event.code),
                            changed((_("Правило"), None, event.rule)), tone="warn")
            case a.SignInFailed():
                return self._failed(event)
            case a.SignedIn():
                return Said(kind_title(event.TOPIC), changes=changed((_("Откуда"), None, self._said("ip", event.ip))))
            case a.SignedOut():
                return Said(kind_title(event.TOPIC), changes=changed((_("Что закрыто"), None, w.said(OUT, event.what))))
            case DataRead():
                cards = ", ".join(self.teller.card(lead) for lead in event.leads)
                return Said(kind_title(event.TOPIC), changes=changed((_("Что"), None, w.said(READ, event.what)),
                                                                     (_("Карточки"), None, _short(cards))))
            case ProcessPublished():
                return Said(_("Опубликована редакция процесса № %(number)s", number=event.number),
                            changes=self._changes(event, ("source", "why")))
        about = self._about(event)
        changes = tuple(change for change in self._changes(event) if change[1:] not in {known[1:] for known in about})
        return Said(kind_title(event.TOPIC), changes=(*about, *changes),
                    tone="bad" if event.TOPIC in ("audit.check_failed", "privacy.removal_failed") else "")

    def _failed(self, event: a.SignInFailed) -> Said:
        known = self.teller.names.get(f"user:{event.user}", "") if event.user else _("такого логина нет")
        times = str(event.times) if event.times > 1 else ""
        return Said(kind_title(event.TOPIC), changes=changed(
            (_("Логин"), None, known), (_("Почему"), None, w.said(WHY_OUT, event.why)), (_("Сколько раз"), None, times),
            (_("Откуда"), None, self._said("ip", event.ip))), who=_("неизвестный"), tone="warn")

    # ── fields ───────────────────────────────────────────────────────────────────

    def _about(self, event: Event) -> tuple[Change, ...]:
        """What the event is about, by its name."""
        family = event.TOPIC.partition(".")[0]
        name = self._name(family, event.originator_id)
        return changed((str(SUBJECT[family]), None, name)) if family in SUBJECT else ()

    def _name(self, family: str, stream: UUID) -> str:
        if family == "user":
            return self.teller.names.get(f"user:{stream}", "")
        if family == "token":
            return str(self.hub.streams.fresh(Token, stream)[1].name)
        if family == "telling":
            user = f"user:{self.hub.streams.fresh(Telling, stream)[1].user}"
            return self.teller.names.get(user, "")
        if family in AGGREGATES:
            return str(getattr(self.hub.streams.fresh(AGGREGATES[family], stream)[1], "name", ""))
        return ""

    def _changes(self, event: Event, only: tuple[str, ...] = ()) -> tuple[Change, ...]:
        """The fields of an event that differ from what was there before."""
        before = self._before(event)
        told: list[Change] = []
        for name, value in _values(event).items():
            if name not in NAMES or (only and name not in only):
                continue
            old = getattr(before, name, None) if before is not None else None
            was, now = self._said(name, old), self._said(name, value)
            if now != was and (now or was):
                told.append((str(NAMES[name]), was or None, now or "—"))
        return tuple(told)

    def _before(self, event: Event) -> Any:
        """The state of a small thing before its event; None where there was none, or it cannot be read."""
        kind = AGGREGATES.get(event.TOPIC.partition(".")[0])
        if kind is None or event.originator_version == 1:
            return None
        try:
            return kind.fold(self.hub.store.read(event.originator_id, 0, event.originator_version - 1))
        except Unreadable:
            return None

    def _said(self, name: str, value: Any) -> str:
        """A value as people read it; "" where there is nothing to say."""
        if value is None or value in ("", (), {}, False):
            return ""
        if name in COUNTED and not isinstance(value, int):
            return str(len(value))
        if name == "roles":
            return str(role_titles(tuple(value)))
        if name in CODES and isinstance(value, str):
            return str(w.said(CODES[name], value))
        if name in REPORTED and not isinstance(value, int):
            return _short("; ".join(reported(REPORTED[name], code, language()) for code in value))
        match value:
            case True:
                return str(_("да"))
            case datetime():
                return words.moment(value)
            case date():
                return words.day(value)
            case str():
                return self.teller.names.get(value, words.personal(value) if value == ERASED else _short(value))
            case UUID():
                return ""
            case Count():
                return f"{reported(REACHED, value.what, language())}: {value.n}"
            case Struct():
                return self._parts({str(NAMES.get(k, k)): v for k, v in _values(value).items()})
            case Mapping():
                return self._parts({str(NAMES.get(str(k), k)): v for k, v in value.items()})
            case tuple() | list() | frozenset():
                return _short(", ".join(filter(None, (self._said("", item) for item in value))))
        return str(value)

    def _parts(self, values: Mapping[str, Any]) -> str:
        return _short("; ".join(f"{name}: {said}" for name, value in values.items() if (said := self._said("", value))))


def _values(thing: Any) -> dict[str, Any]:
    """The fields of an event that are its own, those of its settings among them."""
    own = {info.name: getattr(thing, info.name) for info in msgspec.structs.fields(thing)
           if info.name not in Event.__struct_fields__ or not isinstance(thing, Event)}
    settings = own.pop("settings", None)
    return own | (_values(settings) if settings is not None else {})


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()}…"


def command_title(command: str) -> str:
    """A command in words; as it is called where nobody named it."""
    if command in FORMS:
        return str(FORMS[command].title)
    return w.said(THINGS, command)


class _Blank(dict[str, str]):
    """The sentence was said with words that were not kept."""

    def __missing__(self, key: str) -> str:
        return "…"


def refusal(code: str) -> str:
    """The sentence of a refusal. What filled its places was not kept: it may have been personal."""
    found = SENTENCES.get(code)
    if found is None:
        return code
    said: Callable[[Mapping[str, str]], str] = (found.ru if language() == "ru" else found.en).format_map
    return said(_Blank())

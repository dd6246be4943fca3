"""Every value of a lead by the name that people know it by, and as they read it: for differences and for «Почему?»."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hub.domain.delivery import Address
from hub.domain.events import FileRef, Money
from hub.domain.process import Process
from hub.domain.state import LeadState
from hub.web import words
from hub.web.lead import words as w
from hub.web.lead.story import Teller

GROUPS: w.Words = {
    "lead": _l("Заявка"), "next": _l("Сроки и следующий шаг"), "score": _l("Скоринг"), "people": _l("Люди"),
    "checks": _l("Чек-листы"), "meetings": _l("Встречи"), "needs": _l("Потребности"), "proposals": _l("КП"),
    "stalls": _l("Что мешает решению"), "letters": _l("Письма"), "talk": _l("Сообщения и звонки"), "ends": _l("Итоги"),
}
"""Parts of the card, in its order."""

FIELDS: Mapping[str, tuple[str, Any]] = {
    "stage": ("lead", _l("Стадия")), "stage_since": ("lead", _l("В стадии с")), "owner": ("lead", _l("Ответственный")),
    "taken_at": ("lead", _l("Взята в работу")), "channel": ("lead", _l("Канал")), "source_title": ("lead", _l("Источник")),
    "received_at": ("lead", _l("Пришла")), "title": ("lead", _l("Название")), "about": ("lead", _l("Суть")),
    "tags": ("lead", _l("Метки")),
    "company": ("lead", _l("Компания")), "inn": ("lead", _l("ИНН")), "site": ("lead", _l("Сайт")),
    "budget": ("lead", _l("Бюджет")), "offered_to": ("lead", _l("Предложена")), "offered_why": ("lead", _l("Почему предложена")),
    "by_hand": ("lead", _l("Открыта вручную")), "test": ("lead", _l("Проверка формы")),
    "previous_lead": ("lead", _l("Прошлая заявка")), "attribution": ("lead", _l("Откуда пришёл клиент")),
    "written": ("lead", _l("Клиент писал сам")), "apart": ("lead", _l("Признаны разными")),
    "merged_into": ("lead", _l("Присоединена к")), "absorbed": ("lead", _l("Присоединённые карточки")),
    "overrides": ("lead", _l("РОП снял условия")), "asleep_until": ("lead", _l("Отложена до")),
    "account_manager": ("lead", _l("Аккаунт-менеджер")), "opened_requests": ("lead", _l("Новые заявки клиента")),
    "attempts": ("next", _l("Попытки связаться")), "last_inbound_at": ("next", _l("Клиент обращался")),
    "missed": ("next", _l("Прошедшие сроки")), "next_step.text": ("next", _l("Следующий шаг")),
    "next_step.due_at": ("next", _l("Следующий шаг: до")), "screened": ("score", _l("Отсев проведён")),
    "disqualified": ("score", _l("Стоп-критерий")), "main_person": ("people", _l("С кем говорим")),
    "decision_maker": ("people", _l("ЛПР")), "dm_changed_at": ("people", _l("ЛПР назван")),
    "dm_involved": ("people", _l("ЛПР участвовал раньше")), "group": ("checks", _l("Рабочая группа")),
    "advances": ("meetings", _l("Прогрессов")), "continuations": ("meetings", _l("Отсрочек")),
    "benefit": ("needs", _l("Польза")), "benefit_kpi": ("needs", _l("Показатель пользы")),
    "promise": ("proposals", _l("КП обещано")), "promised_at": ("proposals", _l("КП обещали")),
    "decision_date": ("proposals", _l("Решение клиента")), "presented_at": ("proposals", _l("КП показано")),
    "referrals": ("letters", _l("Предложенные партнёры")), "ended": ("ends", _l("Чем закончилась")),
    "ended_at": ("ends", _l("Закрыта")), "ended_from": ("ends", _l("Закрыта из стадии")),
    "installed": ("ends", _l("Что внедрили")),
}
ITEMS: Mapping[str, tuple[str, Any]] = {
    "people": ("people", ""), "dues": ("next", ""), "checks": ("checks", ""), "sheets": ("score", _l("Лист оценки")),
    "meetings": ("meetings", _l("Встреча")), "questions": ("needs", _l("Вопрос")), "needs": ("needs", _l("Потребность")),
    "proposals": ("proposals", _l("КП")), "requests": ("stalls", _l("Просьба")), "stalls": ("stalls", _l("Причина")),
    "letters": ("letters", _l("Письмо")), "messages": ("talk", _l("Сообщение клиента")),
    "outgoing": ("talk", _l("Сообщение наше")), "calls": ("talk", _l("Звонок")), "losses": ("ends", _l("Проигрыш")),
    "chances": ("ends", _l("Возможность")), "win": ("ends", _l("Договор")), "refusal": ("ends", _l("Отказ")),
}
PARTS: w.Words = {
    "accepted": _l("принято"), "addresses": _l("контакты"), "answer": _l("ответ"), "at": _l("когда"), "author": _l("кто"),
    "body": _l("текст"), "call_at": _l("звонок"), "call_words": _l("когда удобно"), "channel": _l("канал"),
    "closeness": _l("близость к победе"), "comment": _l("комментарий"), "competitor": _l("конкурент"),
    "competitor_until": _l("срок у конкурента"), "contract_number": _l("номер"), "criterion": _l("стоп-критерий"),
    "debrief": _l("разбор"), "decision_date": _l("дата решения"), "done": _l("сделано"), "due_at": _l("срок"),
    "explicit": _l("явная"), "feedback": _l("отклик"), "file": _l("файл"), "files": _l("файлы"), "goal": _l("цель"),
    "head_part": _l("часть РОПа"), "headcount_reason": _l("почему нас не меньше"), "headcount_warned": _l("нас не меньше"),
    "held_at": _l("состоялась"), "involved": _l("участвовал раньше"), "kind": _l("вид"), "letter": _l("письмо №"),
    "marks": _l("оценка"), "minutes": _l("минут"), "missed": _l("срок прошёл"), "money": _l("сумма"), "moves": _l("переносов"),
    "name": _l("имя"), "needs_head": _l("нужен РОП"), "note": _l("заметка"), "notes": _l("заметка"), "online": _l("онлайн"),
    "opinion": _l("мнение РОПа: за"), "opinion_text": _l("мнение РОПа"), "ours": _l("от нас"), "outcome": _l("итог"),
    "owner": _l("ответственный"), "person_id": _l("от кого"), "place": _l("место"), "planned_in": _l("назначена в стадии"),
    "played": _l("что сделали"), "position": _l("должность"), "presented_in": _l("показано на встрече №"),
    "purpose": _l("вид"), "quote": _l("цитата"), "reason": _l("причина"), "resources": _l("свободные ресурсы"),
    "result": _l("что вышло"), "return_on": _l("вернёмся"), "segment": _l("сегмент"), "sent": _l("отправлено"),
    "signed_on": _l("подписан"), "stage": _l("из стадии"), "starts_at": _l("начало"), "status": _l("статус"),
    "subject_line": _l("тема"), "text": _l("текст"), "theirs": _l("от клиента"), "timezone": _l("часовой пояс"), "to": _l("кому"),
    "total": _l("сумма"), "until": _l("до"), "valid_until": _l("действует до"), "way": _l("как"), "who": _l("чьё решение"),
    "why": _l("почему"), "wish": _l("что сделать, чтобы выбрали нас"), "without_letter": _l("без письма"),
    "by": _l("кто звонил"), "direction": _l("направление"), "phone": _l("телефон"), "seconds": _l("секунд"),
}
BOOK_KEEPING = ("moved", "visited", "source", "texts_erased", "fetches.", "mailed.", "invitations.", "brought.")
"""What the card does not show. The API tells it as well."""
BOOK_KEEPING_PARTS = frozenset({"set_at", "warn_at", "rule", "warned", "key", "process_version", "id", "event", "source",
                                "person_id", "html", "account", "names", "answers", "automatic", "again", "code",
                                "erased", "revision", "fixed_id", "message", "legs", "callback", "recordings"})


def shown(key: str) -> bool:
    """Whether the card shows a value of this name."""
    family, _dot, rest = key.partition(".")
    if key in FIELDS or key in BOOK_KEEPING or key.startswith(BOOK_KEEPING):
        return key in FIELDS
    return family in ITEMS and rest.rpartition(".")[2] not in BOOK_KEEPING_PARTS


def group_of(key: str) -> str:
    """The part of the card that a value stands in."""
    found = FIELDS.get(key) or ITEMS.get(key.partition(".")[0])
    return found[0] if found else "lead"


@dataclass(frozen=True)
class Reader:
    """Reads values as the people of the department do, by the state and the process that they belong to."""

    state: LeadState
    process: Process
    teller: Teller

    def label(self, key: str) -> str:
        """What a value is called: «Стадия», «Встреча №2: цель»."""
        if key in FIELDS:
            return str(FIELDS[key][1])
        family, _dot, rest = key.partition(".")
        item, _dot, part = rest.rpartition(".")
        if family in ("win", "refusal"):
            return f"{ITEMS[family][1]}: {w.said(PARTS, rest)}"
        match family:
            case "people":
                known = self.state.people.get(UUID(item)) if item else None
                title = words.personal(known.name) if known and known.name else str(_("Контакт"))
            case "dues":
                title = w.due_title(item, self.process)
                return title if part == "due_at" else f"{title}: {w.said(PARTS, part)}"
            case "checks":
                checklist, _dot, name = item.partition(".")
                title = ": ".join(w.check_title(checklist, name, self.process))
            case "sheets" if ".marks" in rest or ".notes" in rest:
                number, _dot, kind = item.partition(".")
                mark = w.titled(self.process.parameters, part)
                return f"{ITEMS[family][1]} №{number}: {mark}" + (f" ({w.said(PARTS, kind)})" if kind == "notes" else "")
            case _ if family in ITEMS:
                title = f"{ITEMS[family][1]} №{item}"
            case _:
                return key
        return f"{title}: {w.said(PARTS, part)}"

    def said(self, key: str, value: Any) -> str:
        """A value in words; an empty text where nothing was known."""
        if value is None or value == "":
            return ""
        family, part = key.partition(".")[0], key.rpartition(".")[2]
        if ".marks." in key:
            return f"{value:+d}".replace("-", "−") if value else "0"
        if isinstance(value, str) and value:
            return self._text(family, part, value)
        return self._plain(key, value)

    def _plain(self, key: str, value: Any) -> str:
        match value:
            case bool():
                return str(_("да") if value else _("нет"))
            case int():
                return str(value).replace("-", "−")
            case Money():
                return self.teller.money(value)
            case FileRef():
                return words.personal(value.name)
            case Address():
                return words.phone(value.value) if value.kind == "phone" else words.personal(value.value)
            case datetime():
                return self.teller.moment(value)
            case date():
                return self.teller.day(value)
            case UUID():
                known = self.state.people.get(value)
                return (words.personal(known.name) or str(_("имя неизвестно"))) if known else self._lead(key, value)
            case tuple() | frozenset() | list():
                inner = sorted(value) if isinstance(value, frozenset) else value
                return self._several(key, inner)
        return words.personal(str(value))

    def _lead(self, key: str, value: UUID) -> str:
        return str(value)[:8] if key == "referrals" else self.teller.card(value)

    def _several(self, key: str, inner: Any) -> str:
        if key == "missed":
            return "; ".join(f"{w.due_title(due, self.process)}, {self.teller.moment(at)}" for due, at in inner)
        if key == "promise":
            return f"{self.teller.day(inner[0])}, {_('с презентацией') if inner[1] else _('без презентации')}"
        if key == "attribution":
            return "; ".join(f"{w.attribution_title(k)}: {w.attribution_said(k, v)}" for k, v in inner)
        return "; ".join(filter(None, (
            ", ".join(filter(None, (self.said(key, x) for x in one))) if isinstance(one, tuple) else self.said(key, one)
            for one in inner)))

    def _text(self, family: str, part: str, value: str) -> str:
        p = self.process
        if value.startswith("user:") or value == "hub":
            return self.teller.who(value)
        lists: dict[tuple[str, str], Mapping[str, Any]] = {
            ("stage", "stage"): p.stages, ("ended_from", "ended_from"): p.stages, ("meetings", "planned_in"): p.stages,
            ("losses", "stage"): p.stages, ("disqualified", "disqualified"): p.hard_criteria,
            ("refusal", "criterion"): p.hard_criteria, ("losses", "reason"): p.loss_reasons, ("stalls", "reason"): p.stalls,
            ("losses", "closeness"): p.closeness, ("stalls", "closeness"): p.closeness, ("requests", "kind"): p.requests,
        }
        if (family, part) in lists:
            return w.titled(lists[family, part], value)
        said: dict[tuple[str, str], w.Words] = {
            ("channel", "channel"): w.CHANNELS, ("messages", "channel"): w.CHANNELS, ("ended", "ended"): w.ENDINGS,
            ("meetings", "purpose"): w.PURPOSES, ("meetings", "outcome"): w.OUTCOMES, ("meetings", "status"): w.MEETING_STATUS,
            ("letters", "kind"): w.LETTERS, ("letters", "status"): w.LETTER_STATUS, ("letters", "way"): w.WAYS,
            ("outgoing", "way"): w.WAYS, ("requests", "status"): w.REQUEST_STATUS, ("questions", "kind"): w.QUESTIONS,
            ("chances", "kind"): w.CHANCES, ("chances", "status"): w.CHANCE_STATUS, ("offered_why", "offered_why"): w.OFFERS,
            ("overrides", "overrides"): w.GUARDS,
        }
        if (family, part) in said:
            return w.said(said[family, part], value)
        return w.cities(value) if part == "timezone" else words.personal(value)

"""The process in words: lengths, clocks, permissions, questions, and what changed between two versions."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hub.domain.guards import RULES
from hub.domain.process import Deadline
from hub.domain.publication import ProcessPublished
from hub.web.words import plural

GUARDS = {
    "taken": _l("заявку взяли в работу"), "phone_known": _l("известен телефон"), "timezone_known": _l("известен часовой пояс"),
    "screened": _l("разговор отсева проведён, стоп-критерии проверены"), "scored": _l("заполнен лист оценки"),
    "not_refused": _l("сегмент не предназначен для отказа"), "meeting_agreed": _l("назначена следующая встреча с целью"),
    "benefit_stated": _l("сформулирована измеримая польза клиента"),
    "proposal_promised": _l("названа дата готовности КП и будет ли презентация"), "proposal_ready": _l("есть версия КП"),
    "head_contributed": _l("РОП участвовал в этой версии КП, если балл выше порога"),
    "proposal_delivered": _l("КП отправлено или показано"),
    "decision_maker_changed": _l("названо новое лицо, принимающее решение"),
}
PERMISSIONS = {
    "read": _l("видит всё"), "intake": _l("заводит карточки"), "work": _l("ведёт сделки"), "decide": _l("принимает решения РОПа"),
    "account": _l("ведёт клиента после договора"), "admin": _l("управляет людьми, формами и настройками"),
    "partners": _l("ведёт список партнёров"),
    "audit": _l("проверяет журнал"),
}
ASKS = {
    "why": _l("почему"), "until": _l("до какого дня"), "who": _l("чьё решение ждут"), "involved": _l("участвовал ли раньше"),
    "decision_date": _l("дата решения"), "debrief": _l("дебрифинг"), "closeness": _l("близость к победе"),
    "competitor": _l("кого выбрали"), "competitor_until": _l("срок у конкурента"), "wish": _l("что сделать, чтобы выбрали нас"),
}
WEEKDAYS = (_l("пн"), _l("вт"), _l("ср"), _l("чт"), _l("пт"), _l("сб"), _l("вс"))
WAYS = {"round_robin": _l("по очереди среди тех, кто на работе"), "first_come": _l("кто первый взял")}


def guard_words(guards: tuple[str, ...]) -> list[tuple[str, str]]:
    """Conditions in words, each with its rule."""
    return [(str(GUARDS.get(g, g)), RULES.get(g, "")) for g in guards]


def length(deadline: Deadline) -> str:
    """How long something may take: «15 минут», «конец 2-го рабочего дня»."""
    if deadline.working_days is not None:
        n = deadline.working_days
        return str(_("до конца %(n)s-го рабочего дня", n=n) if n else _("до конца рабочего дня"))
    if deadline.days is not None:
        return plural(deadline.days, _("день"), _("дня"), _("дней"))
    if deadline.hours is not None:
        return plural(deadline.hours, _("час"), _("часа"), _("часов"))
    minutes = deadline.minutes or 0
    if minutes == 0:
        return str(_("сразу"))
    if minutes % 60 == 0:
        return plural(minutes // 60, _("час"), _("часа"), _("часов"))
    return plural(minutes, _("минута"), _("минуты"), _("минут"))


def clock_words(deadline: Deadline) -> str:
    """Which clock a deadline runs on (R7)."""
    working = deadline.clock == "working" or deadline.working_days is not None
    return str(_("рабочее время") if working else _("обычные часы"))


@dataclass(frozen=True)
class Change:
    """A line of a diff: ``kind`` is ``was``, ``is``, ``same`` or ``gap``."""

    kind: str
    text: str


def diff(old: ProcessPublished, new: ProcessPublished, around: int = 2) -> list[Change]:
    """What the newer version says otherwise: lines of the file, then days of the calendar."""
    return diff_of(_lines(old), _lines(new), around)


def diff_of(old: list[str], new: list[str], around: int) -> list[Change]:
    """What differs between two lists of lines, with ``around`` lines beside each difference."""
    changes = []
    for line in list(difflib.unified_diff(old, new, lineterm="", n=around))[2:]:
        kind = {"-": "was", "+": "is", "@": "gap"}.get(line[:1], "same")
        changes.append(Change(kind, "" if kind == "gap" else line[1:]))
    return changes


def _lines(event: ProcessPublished) -> list[str]:
    days = [_("выходной %(day)s", day=f"{d:%d.%m.%Y}") for d in event.days_off]
    days += [_("рабочий день %(day)s", day=f"{d:%d.%m.%Y}") for d in event.working_days]
    return [*event.text.splitlines(), *days]

"""Forms of screening, scoring, meetings and steps: R4–R11, R16, R20, R26."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from hub.web.lead import letters as mail
from hub.web.lead import words as w
from hub.web.lead.form import Field, form
from hub.web.lead.forms import (
    NO_STEP,
    OURS,
    OWNER,
    STEP,
    STEP_DUE,
    THEIRS,
    WHY,
    colleagues,
    first,
    items,
    meetings,
    titles,
    words_of,
)

# ── screening and scoring ────────────────────────────────────────────────────────
form(
    "finish_screening",
    _l("Отсев проведён"),
    _l("Записать и перейти к скорингу"),
    "screening",
    "circle-check",
    (
        Field("criteria_checked", _l("Стоп-критерии проверены, ни один не сработал"), "tick"),
        Field("progress", _l("О чём договорились"), "cards", words_of(w.PROGRESS), default="none", required=True),
        Field("note", _l("Заметка"), "textarea"),
    ),
    when=lambda s: s.stage == "screening",
)
form(
    "disqualify",
    _l("Сработал стоп-критерий"),
    _l("Отказать"),
    "screening",
    "ban",
    (
        Field("criterion", _l("Какой"), "cards", titles("hard_criteria"), required=True),
        Field("note", _l("Заметка"), "textarea", rows=2),
    ),
    when=lambda s: not s.disqualified,
    danger=True,
)
form(
    "score",
    _l("Лист оценки"),
    _l("Записать оценку"),
    "screening",
    "gauge",
    (
        Field("marks", _l("Параметры"), "sheet", initial=lambda c: c.state.score.marks if c.state.score else {}),
        Field("notes", _l("Заметки к параметрам"), "notes", initial=lambda c: c.state.score.notes if c.state.score else {}),
        Field("comment", _l("Общий комментарий"), "textarea", rows=2),
    ),
    when=lambda s: s.screened,
    guarded=True,
)
form(
    "check_item",
    _l("Пункт чек-листа"),
    _l("Записать"),
    "screening",
    "list-checks",
    (
        Field("checklist", _l("Чек-лист"), "select", titles("checklists"), required=True, settled=True),
        Field("item", _l("Пункт"), "select", items, required=True, settled=True),
        Field("done", _l("Готово"), "tick", default=True),
        Field("note", _l("Что сделали"), "textarea", rows=2),
        Field("owner", _l("Кто отвечает"), "select", colleagues, empty=_l("не менять")),
    ),
)
form(
    "assign_item",
    _l("Ответственный за пункт"),
    _l("Назначить"),
    "screening",
    "user-check",
    (
        Field("checklist", _l("Чек-лист"), "select", titles("checklists"), required=True, settled=True),
        Field("item", _l("Пункт"), "select", items, required=True, settled=True),
        OWNER,
    ),
)
form(
    "form_group",
    _l("Рабочая группа"),
    _l("Собрать"),
    "screening",
    "users",
    (Field("members", _l("Кто готовит интервью"), "members", initial=lambda c: c.state.group),),
)

# ── meetings and steps ───────────────────────────────────────────────────────────
MEETING = Field("meeting", _l("Встреча"), "select", meetings, first(meetings), required=True, settled=True)
form(
    "plan_meeting",
    _l("Назначить встречу или звонок"),
    _l("Назначить"),
    "meeting",
    "calendar-days",
    (
        Field("purpose", _l("Что это"), "cards", words_of(w.PURPOSES), default="meeting", required=True),
        Field("starts_at", _l("Начало"), "datetime", required=True, help=_l("По времени компании.")),
        Field("minutes", _l("Сколько минут"), "int", default=60, attrs={"min": "5", "max": "1440"}),
        Field("goal", _l("Цель"), "textarea", required=True, rows=2, help=_l("К чему мы хотим прийти к концу встречи.")),
        Field("online", _l("Онлайн"), "tick", default=True),
        Field("place", _l("Ссылка или адрес")),
        Field("ours", OURS.label, "staff", colleagues, lambda c: (c.actor.id,), OURS.help),
        Field("theirs", THEIRS.label, "lines", None, lambda c: c.state.person.name, THEIRS.help, rows=2),
    ),
)
form(
    "hold_meeting",
    _l("Итог встречи"),
    _l("Записать итог"),
    "meeting",
    "check",
    (
        MEETING,
        Field("outcome", _l("Итог"), "cards", words_of(w.OUTCOMES, w.OUTCOME_HELP), required=True),
        STEP,
        STEP_DUE,
        NO_STEP,
        Field("text", _l("Как прошло"), "textarea"),
        Field("feedback", _l("Обратная связь клиента"), "textarea", rows=2),
        Field("decision_date", _l("Дата решения клиента"), "date"),
        OURS,
        THEIRS,
    ),
    when=lambda s: bool(s.planned_meetings),
)
form(
    "move_meeting",
    _l("Перенести встречу"),
    _l("Перенести"),
    "meeting",
    "calendar-clock",
    (
        MEETING,
        Field("starts_at", _l("Новое время"), "datetime", required=True),
        Field("by_client", _l("Попросил клиент"), "tick"),
        Field("why", _l("Почему"), "textarea", rows=2),
    ),
    when=lambda s: bool(s.planned_meetings),
)
form(
    "cancel_meeting",
    _l("Отменить встречу"),
    _l("Отменить встречу"),
    "meeting",
    "circle-x",
    (MEETING, WHY),
    when=lambda s: bool(s.planned_meetings),
    danger=True,
)
form(
    "invite",
    _l("Приглашение на встречу"),
    _l("Отправить приглашение"),
    "meeting",
    "mail",
    (
        Field("meeting", _l("Встреча"), "select", mail.to_invite, first(mail.to_invite), required=True, settled=True),
        Field("route", _l("Куда"), "route", mail.by_mail, first(mail.by_mail), required=True),
        Field("subject", _l("Тема"), initial=mail.subject_of("invitation"), attrs={"maxlength": "200"}),
        Field("text", _l("Текст"), "textarea", initial=mail.text_of("invitation"), required=True, rows=9),
    ),
    when=lambda s: bool(s.planned_meetings or s.invitations),
    intro=_l("Клиент получит письмо с записью для календаря. После переноса или отмены отправьте его ещё раз: запись обновится."),
    preview=mail.invitation,
)
form(
    "explain_headcount",
    _l("Почему нас столько"),
    _l("Объяснить"),
    "meeting",
    "users",
    (
        Field(
            "meeting",
            _l("Встреча"),
            "select",
            lambda c: [(str(m.id), f"№{m.id} {w.said(w.PURPOSES, m.purpose)}") for m in c.state.meetings.values()],
            required=True,
            settled=True,
        ),
        Field("reason", _l("Почему"), "textarea", required=True, rows=2),
    ),
    when=lambda s: any(m.headcount_warned and not m.headcount_reason for m in s.meetings.values()),
)
form(
    "plan_step",
    _l("Следующий шаг"),
    _l("Назначить"),
    "meeting",
    "flag",
    (Field("step", _l("Что будет сделано"), required=True), Field("due_at", _l("Когда"), "datetime", required=True)),
)
form(
    "finish_step",
    _l("Шаг сделан"),
    _l("Записать"),
    "meeting",
    "check",
    (
        Field("result", _l("Что получилось"), "textarea", rows=2),
        Field("step", _l("Что дальше")),
        Field("due_at", _l("Когда"), "datetime"),
    ),
    when=lambda s: s.next_step is not None,
)
form(
    "agree_decision_date",
    _l("Дата решения клиента"),
    _l("Записать"),
    "meeting",
    "calendar-days",
    (Field("on", _l("Когда клиент решит"), "date", required=True),),
)

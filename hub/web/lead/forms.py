"""Forms of the first half of the process: intake, people, screening, scoring, meetings. See :mod:`hub.web.lead.forms_deal`."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hub.domain.guards import holds
from hub.domain.state import LeadState
from hub.web import words
from hub.web.lead import words as w
from hub.web.lead.form import Ctx, Field, Option, Options, form


def words_of(table: w.Words, help: w.Words | None = None) -> Options:
    """Options from a table of words."""
    return lambda ctx: [(id, str(said), str(help[id]) if help and id in help else "") for id, said in table.items()]


def colleagues(ctx: Ctx) -> list[Option]:
    """Colleagues who may be chosen."""
    return [(id, name) for id, name in sorted(ctx.names.items(), key=lambda i: i[1])]


def able(permission: str) -> Options:
    """Colleagues whose roles let them do what is given to them (R31): the hub refuses the others."""
    return lambda ctx: [(id, name) for id, name in colleagues(ctx)
                        if permission in ctx.process.permissions(ctx.roles.get(id, frozenset()))]


def people(ctx: Ctx) -> list[Option]:
    """People of the client's side."""
    return [(str(p.id), ", ".join(x for x in (p.name or _("без имени"), p.position) if x)) for p in ctx.state.people.values()]


def main_person(ctx: Ctx) -> str:
    """The person that we talk to."""
    return str(ctx.state.main_person)


def titles(name: str) -> Options:
    """Options from one of the process's lists."""
    return lambda ctx: [(id, item.title) for id, item in getattr(ctx.process, name).items()]


def zones(ctx: Ctx) -> list[Option]:
    """Time zones by their cities; a zone that is not in the list stays choosable."""
    known = [(id, str(said)) for id, said in w.CITIES.items()]
    own = {p.timezone for p in ctx.state.people.values() if p.timezone} - set(w.CITIES)
    return known + [(z, z) for z in sorted(own)]


def meetings(ctx: Ctx) -> list[Option]:
    """Planned meetings."""
    return [
        (str(m.id), f"№{m.id} {w.said(w.PURPOSES, m.purpose)}, {words.moment(m.starts_at)}") for m in ctx.state.planned_meetings
    ]


def first(options: Options) -> Any:
    """The first option as the value to begin with."""
    return lambda ctx: next((o[0] for o in options(ctx)), None)


def moves(ctx: Ctx) -> list[Option]:
    """Where the lead may go from its stage, with what is missing said beforehand."""
    found = []
    for to in ctx.process.targets(ctx.state.stage):
        need = ctx.process.transitions[(ctx.state.stage, to)].requires
        lacking = [w.said(w.GUARDS, g) for g in need if not holds(g, ctx.state, ctx.process)]
        found.append(
            (
                to,
                ctx.process.stages[to].title,
                _("сначала: %(what)s", what=", ".join(lacking)) if lacking else ctx.process.stages[to].hint,
            )
        )
    return found


def items(ctx: Ctx) -> list[Option]:
    """Items of all checklists, by their titles."""
    return [(i.id, f"{c.title}: {i.title}") for c in ctx.process.checklists.values() for i in c.items]


def has_people(s: LeadState) -> bool:
    return bool(s.people)


WHY = Field("why", _l("Почему"), "textarea", required=True, rows=2)
PERSON = Field("person", _l("Человек"), "select", people, main_person, settled=True)
TIMEZONE = Field(
    "timezone",
    _l("Часовой пояс клиента"),
    "select",
    zones,
    empty=_l("пока неизвестен"),
    initial=lambda c: c.state.person.timezone,
)
OWNER = Field("owner", _l("Ответственный"), "select", able("work"), required=True, empty=_l("выберите"))
MOVES_ON = ("outcome", ("advance", "closing"))
STANDS = ("outcome", ("continuation", "refusal"))
STEP = Field("step", _l("Следующий шаг"), help=_l("Что сделаем мы или клиент, чтобы сделка двинулась."), shown=lambda c: MOVES_ON)
STEP_DUE = Field("step_due", _l("Когда"), "datetime", shown=lambda c: MOVES_ON)
NO_STEP = Field(
    "why",
    _l("Почему нет шага"),
    "textarea",
    rows=2,
    help=_l("Отсрочкам сопротивляются: что мешает двигаться?"),
    shown=lambda c: STANDS,
)
OURS = Field(
    "ours", _l("От нас"), "staff", colleagues, help=_l("Нас — на одного меньше, чем клиентов. Один наш — всегда хорошо.")
)
THEIRS = Field("theirs", _l("От клиента"), "lines", help=_l("По одному человеку в строке."), rows=2)

# ── the card ─────────────────────────────────────────────────────────────────────
form("take", _l("Взять в работу"), _l("Взять в работу"), "lead", "check", when=lambda s: not s.owner or bool(s.offered_to))
form("reassign", _l("Передать другому"), _l("Передать"), "lead", "users", (OWNER, WHY))
form(
    "name_lead",
    _l("Назвать карточку"),
    _l("Сохранить"),
    "lead",
    "pencil",
    (
        Field("title", _l("Название"), initial=lambda c: c.state.title, attrs={"maxlength": "200"}),
        Field("about", _l("Суть заявки"), "textarea", initial=lambda c: c.state.about),
    ),
    guarded=True,
)
form(
    "override",
    _l("Снять условие"),
    _l("Снять условие"),
    "lead",
    "key-round",
    (
        Field(
            "guard", _l("Какое условие больше не требуется"), "select", words_of(w.GUARDS), required=True, empty=_l("выберите")
        ),
        Field("reason", _l("Почему"), "textarea", required=True, rows=2),
    ),
    intro=_l("Только для этой сделки. Решение останется в истории."),
)
form(
    "move",
    _l("Перевести в другую стадию"),
    _l("Перевести"),
    "lead",
    "route",
    (Field("to", _l("Куда"), "cards", moves, required=True), Field("why", _l("Почему"), "textarea", rows=2)),
)

# ── talk ─────────────────────────────────────────────────────────────────────────
form(
    "note",
    _l("Заметка"),
    _l("Записать"),
    "talk",
    "message-square-text",
    (Field("text", _l("Заметка"), "textarea", required=True),),
)
form(
    "log_contact",
    _l("Разговор или сообщение"),
    _l("Записать"),
    "talk",
    "phone",
    (
        Field("way", _l("Как"), "select", words_of(w.WAYS), default="phone", required=True),
        Field("direction", _l("Кто начал"), "radio", words_of(w.DIRECTIONS), default="out", required=True),
        Field("goal", _l("Цель"), help=_l("Зачем звонили. У исходящего звонка с итогом она обязательна.")),
        Field("text", _l("О чём говорили"), "textarea"),
        Field(
            "outcome",
            _l("Итог"),
            "cards",
            words_of({"": _l("Без итога"), **w.OUTCOMES}, {"": _l("просто сообщение"), **w.OUTCOME_HELP}),
            default="",
        ),
        NO_STEP,
        STEP,
        STEP_DUE,
    ),
)
form(
    "log_attempt",
    _l("Не дозвонились"),
    _l("Записать попытку"),
    "talk",
    "phone-missed",
    (
        Field("way", _l("Как пытались"), "select", words_of(w.WAYS), default="phone", required=True),
        Field("note", _l("Заметка"), "textarea", rows=2),
    ),
)

# ── people ───────────────────────────────────────────────────────────────────────
form(
    "capture_contact",
    _l("Контакты клиента"),
    _l("Записать"),
    "people",
    "phone",
    (
        Field("phone", _l("Телефон"), "tel", help=_l("Любая запись: 8 912…, +7 (912)…, с добавочным.")),
        TIMEZONE,
        Field("call_at", _l("Когда позвонить"), "datetime", help=_l("По времени компании.")),
        Field("call_words", _l("Удобное время словами"), help=_l("Например: с 12 до 15, кроме среды.")),
        Field("name", _l("Как зовут"), initial=lambda c: c.state.person.name),
        PERSON,
    ),
)
form(
    "add_person",
    _l("Новый человек"),
    _l("Добавить"),
    "people",
    "user-plus",
    (
        Field("name", _l("Имя"), required=True),
        Field("position", _l("Должность")),
        Field("phone", _l("Телефон"), "tel"),
        Field("email", _l("Почта"), "email"),
        Field("telegram", _l("Telegram"), help=_l("Имя вида @name.")),
        Field("timezone", _l("Часовой пояс"), "select", zones, empty=_l("пока неизвестен")),
    ),
)
form(
    "edit_person",
    _l("Исправить данные человека"),
    _l("Сохранить"),
    "people",
    "pencil",
    (
        PERSON,
        Field("name", _l("Имя")),
        Field("position", _l("Должность")),
        Field("timezone", _l("Часовой пояс"), "select", zones, empty=_l("не менять")),
        Field("addresses", _l("Контакты"), "reaches"),
    ),
    when=has_people,
    guarded=True,
)
form(
    "add_address",
    _l("Добавить контакт"),
    _l("Добавить"),
    "people",
    "plus",
    (
        PERSON,
        Field("kind", _l("Что это"), "select", words_of(w.ADDRESSES), required=True, default="phone"),
        Field("value", _l("Номер, адрес или имя"), required=True),
    ),
)
form(
    "retire_address",
    _l("Контакт больше не действует"),
    _l("Убрать"),
    "people",
    "phone-missed",
    (
        PERSON,
        Field("kind", _l("Что это"), "select", words_of(w.ADDRESSES), required=True, default="phone", settled=True),
        Field("value", _l("Номер, адрес или имя"), required=True),
        WHY,
    ),
    when=lambda s: any(p.addresses for p in s.people.values()),
)
form(
    "change_decision_maker",
    _l("Кто принимает решение"),
    _l("Отметить ЛПР"),
    "people",
    "crown",
    (
        Field("person", _l("Кто"), "select", people, empty=_l("другой человек: впишите ниже"), settled=True),
        Field("name", _l("Имя нового человека")),
        Field("position", _l("Должность")),
        Field("phone", _l("Телефон"), "tel"),
        Field("email", _l("Почта"), "email"),
        Field("involved", _l("Участвовал в прошлых этапах"), "tick"),
        Field("why", _l("Почему"), "textarea", rows=2),
    ),
)
form(
    "change_contact",
    _l("Общаемся с другим человеком"),
    _l("Сменить контакт"),
    "people",
    "user-check",
    (Field("person", _l("С кем теперь"), "select", people, required=True, empty=_l("выберите"), settled=True), WHY),
    when=lambda s: len(s.people) > 1,
)
form(
    "name_company",
    _l("Компания клиента"),
    _l("Сохранить"),
    "people",
    "building-2",
    (
        Field("name", _l("Название"), initial=lambda c: c.state.company),
        Field("inn", _l("ИНН"), initial=lambda c: c.state.inn),
        Field("site", _l("Сайт"), initial=lambda c: c.state.site),
    ),
    guarded=True,
)

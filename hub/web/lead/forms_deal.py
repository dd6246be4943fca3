"""Forms of the second half of the process: needs, proposals, requests, stalls, letters, ends, what follows a contract."""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import lazy_gettext as _l

from hub.web.lead import letters as mail
from hub.web.lead import words as w
from hub.web.lead.form import Ctx, Field, Option, form
from hub.web.lead.forms import colleagues, first, titles, words_of
from hub.web.lead.story import amount


def currencies(ctx: Ctx) -> list[Option]:
    """Currencies of the process."""
    return [(c, c) for c in ctx.process.file.proposal.currencies]


def vats(ctx: Ctx) -> list[Option]:
    """What may be said about VAT."""
    return [(v, v) for v in ctx.process.file.proposal.vat]


def questions(ctx: Ctx) -> list[Option]:
    return [(str(q.id), f"№{q.id} {q.text}"[:90]) for q in ctx.state.questions.values()]


def hidden_needs(ctx: Ctx) -> list[Option]:
    return [(str(n.id), f"№{n.id} {n.text}"[:90]) for n in ctx.state.needs.values() if not n.explicit]


def versions(ctx: Ctx) -> list[Option]:
    """Versions of the proposal, the newest first."""
    return [(str(p.id), f"№{p.id}, {amount(p.money)}") for p in reversed(ctx.state.proposals.values())]


def open_requests(ctx: Ctx) -> list[Option]:
    return [
        (str(r.id), f"№{r.id} {w.titled(ctx.process.requests, r.kind)}")
        for r in ctx.state.requests.values()
        if r.status == "open"
    ]


def tests(ctx: Ctx) -> list[Option]:
    """Open requests that the head has a say in."""
    kinds = ctx.process.requests
    return [o for o in open_requests(ctx) if (k := kinds.get(ctx.state.requests[int(o[0])].kind)) is not None and k.head_opinion]


def stalls(ctx: Ctx) -> list[Option]:
    return [(str(x.id), f"№{x.id} {w.titled(ctx.process.stalls, x.reason)}") for x in reversed(ctx.state.stalls.values())]


def asked(name: str) -> Callable[[Ctx], tuple[str, tuple[str, ...]]]:
    """The stall reasons that ask for a field (R25)."""
    return lambda ctx: ("reason", tuple(id for id, stall in ctx.process.stalls.items() if name in stall.asks))


def plays(ctx: Ctx) -> list[Option]:
    """Actions of the plays of the stalls that were found."""
    found = {x.reason for x in ctx.state.stalls.values()}
    return [(p.id, p.title) for id, stall in ctx.process.stalls.items() if id in found for p in stall.play]


AMOUNT = Field("amount", _l("Сумма"), "money", required=True, attrs={"inputmode": "decimal"})
CURRENCY = Field("currency", _l("Валюта"), "select", currencies, default="RUB", required=True)
VAT = Field("vat", _l("НДС"), "select", vats, empty=_l("не указан"))
REQUEST = Field("request", _l("Просьба"), "select", open_requests, first(open_requests), required=True, settled=True)
TEST = Field("request", _l("Тестовое задание"), "select", tests, first(tests), required=True, settled=True)
WAY = Field("way", _l("Как"), "select", words_of(w.WAYS), default="email", required=True)

# ── needs ────────────────────────────────────────────────────────────────────────
form(
    "name_budget",
    _l("Бюджет клиента"),
    _l("Записать"),
    "deal",
    "banknote",
    (AMOUNT, CURRENCY, VAT, Field("note", _l("Заметка"), "textarea", rows=2)),
)
form(
    "ask_question",
    _l("Вопрос клиенту"),
    _l("Записать"),
    "deal",
    "circle-question-mark",
    (
        Field("kind", _l("Какой"), "radio", words_of(w.QUESTIONS), default="problem", required=True),
        Field("text", _l("Вопрос"), "textarea", required=True, rows=2),
        Field("answer", _l("Ответ клиента"), "textarea", rows=2, help=_l("Можно записать потом.")),
    ),
)
form(
    "answer_question",
    _l("Ответ на вопрос"),
    _l("Записать"),
    "deal",
    "quote",
    (
        Field("question", _l("Вопрос"), "select", questions, first(questions), required=True, settled=True),
        Field("answer", _l("Ответ клиента"), "textarea", required=True),
    ),
    when=lambda s: bool(s.questions),
)
form(
    "find_need",
    _l("Потребность клиента"),
    _l("Записать"),
    "deal",
    "lightbulb",
    (
        Field("text", _l("Потребность"), "textarea", required=True, rows=2),
        Field("explicit", _l("Явная: клиент сказал это сам"), "tick"),
        Field("quote", _l("Слова клиента"), "textarea", rows=2, help=_l("Для явной потребности обязательно.")),
    ),
)
form(
    "make_explicit",
    _l("Потребность стала явной"),
    _l("Записать"),
    "deal",
    "lightbulb",
    (
        Field("need", _l("Потребность"), "select", hidden_needs, first(hidden_needs), required=True, settled=True),
        Field("quote", _l("Слова клиента"), "textarea", required=True, rows=2),
    ),
    when=lambda s: any(not n.explicit for n in s.needs.values()),
)
form(
    "state_benefit",
    _l("Польза для клиента"),
    _l("Записать"),
    "deal",
    "sparkles",
    (
        Field(
            "text",
            _l("Что получит клиент"),
            "textarea",
            required=True,
            initial=lambda c: c.state.benefit,
            help=_l("Польза, а не услуга."),
        ),
        Field(
            "kpi",
            _l("Показатель"),
            required=True,
            initial=lambda c: c.state.benefit_kpi,
            help=_l("Например: конверсия 1,4 → 2,3 %, минус 40 часов ручного ввода в месяц."),
        ),
    ),
)

# ── the proposal ─────────────────────────────────────────────────────────────────
form(
    "promise_proposal",
    _l("Когда будет КП"),
    _l("Записать"),
    "deal",
    "calendar-clock",
    (
        Field("ready_on", _l("КП будет готово"), "date", required=True),
        Field("presented", _l("Покажем на презентации"), "tick", default=True),
    ),
)
form(
    "draft_proposal",
    _l("Версия КП"),
    _l("Добавить"),
    "deal",
    "file-text",
    (
        AMOUNT,
        CURRENCY,
        VAT,
        Field("valid_until", _l("Действует до"), "date", required=True),
        Field("file", _l("Файл"), "upload", help=_l("До 10 МБ.")),
        Field("note", _l("Что изменилось"), "textarea", rows=2),
    ),
)
form(
    "contribute",
    _l("Часть РОПа в КП"),
    _l("Внести"),
    "deal",
    "crown",
    (
        Field("proposal", _l("Версия"), "select", versions, first(versions), required=True, settled=True),
        Field("text", _l("Что внёс РОП"), "textarea", required=True),
    ),
    when=lambda s: bool(s.proposals),
)
form(
    "send_proposal",
    _l("Отправить КП"),
    _l("Отметить отправленным"),
    "deal",
    "send",
    (
        Field("proposal", _l("Версия"), "select", versions, first(versions), required=True, settled=True),
        WAY,
        Field("to", _l("Куда"), initial=lambda c: c.state.address("email"), help=_l("Пусто — известный адрес клиента.")),
        Field("without_presentation", _l("Презентации не будет: перейти к дожиму"), "tick", default=True),
        mail.MAILBOX,
        Field("subject", _l("Тема письма"), initial=mail.subject_of("proposal"), attrs={"maxlength": "200"}),
        Field("text", _l("Текст письма"), "textarea", initial=mail.text_of("proposal"), rows=9,
              help=_l("Файл этой версии будет приложен.")),
    ),
    when=lambda s: bool(s.proposals),
    preview=mail.proposal,
)

# ── follow-up ────────────────────────────────────────────────────────────────────
form(
    "open_request",
    _l("Чего не хватает для решения"),
    _l("Записать просьбу"),
    "follow",
    "clipboard-list",
    (
        Field("kind", _l("Что нужно клиенту"), "cards", titles("requests"), required=True),
        Field("text", _l("Подробности"), "textarea", rows=2),
        Field("owner", _l("Кто отвечает"), "select", colleagues, lambda c: c.state.owner, empty=_l("ответственный за сделку")),
        Field("due_at", _l("К какому сроку"), "datetime", help=_l("Пусто — по правилам процесса.")),
    ),
)
form(
    "close_request",
    _l("Закрыть просьбу"),
    _l("Закрыть"),
    "follow",
    "circle-check",
    (
        REQUEST,
        Field("text", _l("Что получилось"), "textarea", required=True, rows=2),
        Field("done", _l("Сделано"), "tick", default=True),
    ),
    when=lambda s: any(r.status == "open" for r in s.requests.values()),
)
form(
    "give_opinion",
    _l("Мнение РОПа о тестовом"),
    _l("Дать мнение"),
    "follow",
    "crown",
    (
        TEST,
        Field("in_favour", _l("Стоит тратить ресурсы"), "tick"),
        Field("resources", _l("Свободные ресурсы сейчас"), "textarea", required=True, rows=2),
        Field("text", _l("Пояснение"), "textarea", rows=2),
    ),
    when=lambda s: any(r.status == "open" for r in s.requests.values()),
)
form(
    "decide_test",
    _l("Берём ли тестовое"),
    _l("Записать решение"),
    "follow",
    "flask-conical",
    (TEST, Field("accepted", _l("Берём"), "tick"), Field("text", _l("Почему"), "textarea", rows=2)),
    when=lambda s: any(r.status == "open" and r.opinion is not None for r in s.requests.values()),
)
form(
    "find_stall",
    _l("Почему не решают"),
    _l("Записать причину"),
    "follow",
    "hourglass",
    (
        Field("reason", _l("Причина"), "cards", titles("stalls"), required=True),
        Field("why", _l("Что сказал клиент"), "textarea", rows=2),
        Field("until", _l("До какого дня отложен"), "date", help=_l("Сделка уснёт до этого дня."), shown=asked("until")),
        Field("who", _l("Чьего решения ждут"), shown=asked("who")),
        Field("involved", _l("Участвовал ли в прошлых этапах"), "known", shown=asked("involved")),
        Field("decision_date", _l("Точная дата решения"), "date", shown=asked("decision_date")),
        Field(
            "debrief", _l("Разбор: слабые стороны КП и агентства, настоящая причина"), "textarea", rows=2, shown=asked("debrief")
        ),
        Field(
            "closeness",
            _l("Насколько близки были"),
            "select",
            titles("closeness"),
            empty=_l("не выяснили"),
            shown=asked("closeness"),
        ),
        Field("competitor", _l("Конкурент"), shown=asked("competitor")),
        Field("competitor_until", _l("Срок проекта у конкурента"), "date", shown=asked("competitor_until")),
        Field("wish", _l("Что сделать, чтобы выбрали нас"), "textarea", rows=2, shown=asked("wish")),
    ),
    intro=_l("Ничего не просят, а решения нет. Заполните то, что относится к причине."),
)
form(
    "play_stall",
    _l("Приём против отсрочки"),
    _l("Записать"),
    "follow",
    "target",
    (
        Field("stall", _l("Причина"), "select", stalls, first(stalls), required=True, settled=True),
        Field("action", _l("Что сделали"), "cards", plays, required=True, settled=True),
        Field("result", _l("Что получилось"), "textarea", rows=2),
    ),
    when=lambda s: bool(s.stalls),
)

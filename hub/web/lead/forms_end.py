"""Forms of letters, partners, sleep, ends, and what follows a contract: R12, R13, R28–R30."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from hub.web.lead import letters as mail
from hub.web.lead import words as w
from hub.web.lead.form import Ctx, Field, Option, form
from hub.web.lead.forms import WHY, able, first, titles, words_of
from hub.web.lead.forms_deal import CURRENCY, WAY, currencies, vats


def partners(ctx: Ctx) -> list[Option]:
    """Partners who are offered."""
    return [(str(id), p.name, p.site) for id, p in ctx.hub.partners().items() if not p.retired]


def letters(ctx: Ctx) -> list[Option]:
    return [
        (str(n), f"№{n} {w.said(w.LETTERS, x.kind)}: {x.subject_line or x.to}")
        for n, x in ctx.state.letters.items()
        if x.status != "sent"
    ]


def open_chances(ctx: Ctx) -> list[Option]:
    return [(str(x.id), f"№{x.id} {x.text}"[:90]) for x in ctx.state.chances.values() if x.status == "open"]


# ── letters and partners ─────────────────────────────────────────────────────────
form(
    "ask_letter",
    _l("Письмо клиенту"),
    _l("Прочитано, к отправке"),
    "talk",
    "mail",
    (
        Field(
            "kind",
            _l("Какое"),
            "select",
            words_of({"free": _l("Обычное письмо"), "refusal": w.LETTERS["refusal"]}),
            default="free",
            required=True,
        ),
        WAY,
        Field("to", _l("Куда"), initial=lambda c: c.state.address("email")),
        Field("subject", _l("Тема")),
        Field("body", _l("Текст"), "textarea", required=True, rows=8),
        Field("partners", _l("Партнёры в письме"), "partners", partners),
        mail.MAILBOX,
    ),
    preview=mail.letter,
)
form(
    "mark_letter",
    _l("Письмо ушло"),
    _l("Записать"),
    "talk",
    "send",
    (
        Field("letter", _l("Письмо"), "select", letters, first(letters), required=True, settled=True),
        Field("sent", _l("Отправлено"), "tick", default=True),
        Field("why", _l("Почему не ушло"), "textarea", rows=2, help=_l("Если снять отметку.")),
    ),
    when=lambda s: any(x.status != "sent" for x in s.letters.values()),
)
form(
    "refer",
    _l("Предложили партнёра"),
    _l("Записать"),
    "talk",
    "handshake",
    (
        Field("partner", _l("Партнёр"), "select", partners, required=True, empty=_l("выберите")),
        Field("partner_name", _l("Название"), "partner_name"),
    ),
)

# ── ends ─────────────────────────────────────────────────────────────────────────
form(
    "sleep",
    _l("Отложить сделку"),
    _l("Отложить"),
    "end",
    "moon-star",
    (Field("until", _l("До какого дня"), "date", required=True), WHY),
    when=lambda s: s.asleep_until is None,
)
form("wake", _l("Разбудить сделку"), _l("Разбудить"), "end", "sun", (WHY,), when=lambda s: s.asleep_until is not None)
form(
    "win",
    _l("Договор подписан"),
    _l("Записать договор"),
    "end",
    "trophy",
    (
        Field("contract_number", _l("Номер договора"), required=True),
        Field(
            "amount",
            _l("Сумма"),
            "money",
            None,
            lambda c: c.state.proposal.money.amount if c.state.proposal else None,
            required=True,
            attrs={"inputmode": "decimal"},
        ),
        Field(
            "currency",
            _l("Валюта"),
            "select",
            currencies,
            lambda c: c.state.proposal.money.currency if c.state.proposal else "RUB",
            required=True,
        ),
        Field(
            "vat",
            _l("НДС"),
            "select",
            vats,
            lambda c: c.state.proposal.money.vat if c.state.proposal else "",
            empty=_l("не указан"),
        ),
        Field("signed_on", _l("Подписан"), "date", None, lambda c: c.process.date_of(c.at), required=True),
    ),
)
form(
    "lose",
    _l("Сделка проиграна"),
    _l("Закрыть как проигранную"),
    "end",
    "thumbs-down",
    (
        Field("reason", _l("Причина"), "cards", titles("loss_reasons"), required=True),
        Field("closeness", _l("Насколько близки были к победе"), "cards", titles("closeness"), required=True),
        Field("competitor", _l("Кого выбрали")),
        Field("competitor_until", _l("Срок проекта у конкурента"), "date"),
        Field("return_on", _l("Когда вернуться"), "date"),
        Field("debrief", _l("Разбор"), "textarea", help=_l("Слабые стороны КП и агентства, настоящая причина.")),
    ),
    danger=True,
)
form(
    "refuse",
    _l("Закрыть: отказали"),
    _l("Закрыть как отказ"),
    "end",
    "ban",
    (Field("without_letter", _l("Почему без письма"), "textarea", rows=2, help=_l("Если письма отказа не было.")),),
    when=lambda s: s.stage == "refusal",
    danger=True,
)
form("reopen", _l("Вернуть в работу"), _l("Вернуть"), "end", "rotate-ccw", (WHY,), when=lambda s: s.ended in ("lost", "refused"))

# ── after the contract ───────────────────────────────────────────────────────────
form(
    "hand_over",
    _l("Передать аккаунт-менеджеру"),
    _l("Передать"),
    "after",
    "handshake",
    (
        Field("account_manager", _l("Кому"), "select", able("account"), required=True, empty=_l("выберите")),
        Field("note", _l("Что важно знать"), "textarea"),
    ),
    when=lambda s: s.ended == "won",
)
form(
    "record_installed",
    _l("Что работает у клиента"),
    _l("Записать"),
    "after",
    "wrench",
    (Field("text", _l("Что внедрили"), "textarea", required=True),),
    when=lambda s: s.ended == "won",
)
form(
    "record_chance",
    _l("Возможность продать ещё"),
    _l("Записать"),
    "after",
    "zap",
    (
        Field("kind", _l("Какая"), "radio", words_of(w.CHANCES), default="upsell", required=True),
        Field("text", _l("Что предложить"), "textarea", required=True, rows=2),
        Field("amount", _l("Сумма"), "money", attrs={"inputmode": "decimal"}),
        CURRENCY,
    ),
    when=lambda s: s.ended == "won",
)
form(
    "close_chance",
    _l("Что вышло с возможностью"),
    _l("Закрыть"),
    "after",
    "circle-check",
    (
        Field("chance", _l("Возможность"), "select", open_chances, first(open_chances), required=True, settled=True),
        Field("won", _l("Продали"), "tick"),
        Field("text", _l("Заметка"), "textarea", rows=2),
    ),
    when=lambda s: any(x.status == "open" for x in s.chances.values()),
)

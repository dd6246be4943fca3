"""Sentences for the deal: needs, proposals, requests, stalls, ends and what follows a contract."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _

from hub.domain import events as e
from hub.domain.state import LeadState
from hub.web import words
from hub.web.lead import words as w
from hub.web.lead.story import Change, Line, Teller, changed, tells


@tells(e.BudgetNamed)
def _budget(ev: e.BudgetNamed, before: LeadState, t: Teller) -> Line:
    was = t.money(before.budget) if before.budget else ""
    return Line(_("Клиент назвал бюджет"), "banknote", text=ev.note, changes=changed((_("Бюджет"), was, t.money(ev.money))))


@tells(e.QuestionRecorded)
def _question(ev: e.QuestionRecorded, before: LeadState, t: Teller) -> Line:
    kind = w.said(w.QUESTIONS, ev.kind)
    return Line(_("%(kind)s вопрос №%(number)s", kind=kind, number=ev.question), "circle-question-mark", text=ev.text)


@tells(e.QuestionAnswered)
def _answer(ev: e.QuestionAnswered, before: LeadState, t: Teller) -> Line:
    found = before.questions.get(ev.question)
    return Line(
        _("Ответ на вопрос №%(number)s", number=ev.question),
        "quote",
        text=ev.answer,
        changes=changed((_("Вопрос"), None, found.text if found else "")),
    )


@tells(e.NeedFound)
def _need(ev: e.NeedFound, before: LeadState, t: Teller) -> Line:
    title = (
        _("Явная потребность №%(number)s", number=ev.need)
        if ev.explicit
        else _("Скрытая потребность №%(number)s", number=ev.need)
    )
    return Line(title, "lightbulb", text=ev.text, changes=changed((_("Слова клиента"), None, ev.quote)))


@tells(e.NeedMadeExplicit)
def _explicit(ev: e.NeedMadeExplicit, before: LeadState, t: Teller) -> Line:
    found = before.needs.get(ev.need)
    return Line(
        _("Потребность №%(number)s стала явной", number=ev.need),
        "lightbulb",
        "ok",
        changes=changed((_("Потребность"), None, found.text if found else ""), (_("Слова клиента"), None, ev.quote)),
    )


@tells(e.BenefitStated)
def _benefit(ev: e.BenefitStated, before: LeadState, t: Teller) -> Line:
    return Line(
        _("Польза для клиента"),
        "sparkles",
        "ok",
        changes=changed((_("Польза"), before.benefit, ev.text), (_("Показатель"), before.benefit_kpi, ev.kpi)),
    )


@tells(e.ProposalPromised)
def _promised(ev: e.ProposalPromised, before: LeadState, t: Teller) -> Line:
    was = t.day(before.promise[0]) if before.promise else ""
    return Line(
        _("Обещали КП"),
        "calendar-clock",
        "info",
        changes=changed(
            (_("Готово"), was, t.day(ev.ready_on)),
            (_("Презентация"), None, _("будет") if ev.presented else _("не будет, отправим")),
        ),
    )


@tells(e.ProposalDrafted)
def _drafted(ev: e.ProposalDrafted, before: LeadState, t: Teller) -> Line:
    old = before.proposal
    return Line(
        _("КП, версия %(number)s", number=ev.proposal),
        "file-text",
        "info",
        ev.note,
        changed(
            (_("Сумма"), t.money(old.money) if old else "", t.money(ev.money)),
            (_("Действует до"), None, t.day(ev.valid_until)),
            (_("Файл"), None, ev.file.name if ev.file else ""),
            (_("РОП"), None, _("должен участвовать") if ev.needs_head else ""),
        ),
    )


@tells(e.HeadContributed)
def _head(ev: e.HeadContributed, before: LeadState, t: Teller) -> Line:
    return Line(_("РОП внёс свою часть в КП, версия %(number)s", number=ev.proposal), "crown", "ok", ev.text)


@tells(e.ProposalSent, "talk")
def _sent(ev: e.ProposalSent, before: LeadState, t: Teller) -> Line:
    return Line(
        _("КП отправлено, версия %(number)s", number=ev.proposal),
        "send",
        "ok",
        changes=changed((_("Как"), None, w.said(w.WAYS, ev.way)), (_("Куда"), None, ev.to)),
    )


@tells(e.ProposalPresented, "meeting")
def _presented(ev: e.ProposalPresented, before: LeadState, t: Teller) -> Line:
    return Line(_("КП показали, версия %(number)s", number=ev.proposal), "presentation", "ok")


@tells(e.DecisionDateAgreed)
def _decision(ev: e.DecisionDateAgreed, before: LeadState, t: Teller) -> Line:
    was = t.day(before.decision_date) if before.decision_date else ""
    return Line(_("Договорились о дате решения"), "calendar-days", "info", changes=changed((_("Решение"), was, t.day(ev.on))))


@tells(e.RequestOpened)
def _request(ev: e.RequestOpened, before: LeadState, t: Teller) -> Line:
    return Line(
        _("Не хватает для решения: %(what)s", what=w.titled(t.process.requests, ev.kind)),
        "clipboard-list",
        "warn",
        ev.text,
        changed((_("Кто отвечает"), None, t.people((ev.owner,))),
                (_("С карточки"), None, t.card(ev.merged_from) if ev.merged_from else "")),
    )


def _request_title(number: int, before: LeadState, t: Teller) -> str:
    found = before.requests.get(number)
    return w.titled(t.process.requests, found.kind) if found else _("просьба №%(number)s", number=number)


@tells(e.RequestClosed)
def _closed(ev: e.RequestClosed, before: LeadState, t: Teller) -> Line:
    what = _request_title(ev.request, before, t)
    title = _("Сделали: %(what)s", what=what) if ev.done else _("Не будем делать: %(what)s", what=what)
    text = _("карточки разделены") if ev.text == "R6" else ev.text
    return Line(title, "circle-check" if ev.done else "circle-x", "ok" if ev.done else "", text)


@tells(e.HeadOpinionGiven)
def _opinion(ev: e.HeadOpinionGiven, before: LeadState, t: Teller) -> Line:
    title = _("РОП за тестовое задание") if ev.in_favour else _("РОП против тестового задания")
    return Line(title, "crown", "ok" if ev.in_favour else "warn", ev.text, changed((_("Свободные ресурсы"), None, ev.resources)))


@tells(e.TrialDecided)
def _trial(ev: e.TrialDecided, before: LeadState, t: Teller) -> Line:
    title = _("Тестовое задание берём") if ev.accepted else _("От тестового задания отказались")
    return Line(title, "flask-conical", "ok" if ev.accepted else "warn", ev.text)


@tells(e.StallFound)
def _stall(ev: e.StallFound, before: LeadState, t: Teller) -> Line:
    involved = "" if ev.involved is None else _("участвовал") if ev.involved else _("не участвовал")
    return Line(
        _("Решения нет: %(why)s", why=w.titled(t.process.stalls, ev.reason)),
        "hourglass",
        "warn",
        ev.why,
        changed(
            (_("До какого дня"), None, t.day(ev.until) if ev.until else ""),
            (_("Чьё решение"), None, ev.who),
            (_("Прошлые этапы"), None, involved),
            (_("Дата решения"), None, t.day(ev.decision_date) if ev.decision_date else ""),
            (_("Разбор"), None, ev.debrief),
            (_("Близость"), None, w.titled(t.process.closeness, ev.closeness) if ev.closeness else ""),
            (_("Конкурент"), None, ev.competitor),
            (_("Срок у конкурента"), None, t.day(ev.competitor_until) if ev.competitor_until else ""),
            (_("Что сделать, чтобы выбрали нас"), None, ev.wish),
        ),
    )


@tells(e.StallPlayed)
def _played(ev: e.StallPlayed, before: LeadState, t: Teller) -> Line:
    found = before.stalls.get(ev.stall)
    rule = t.process.stalls.get(found.reason) if found else None
    return Line(
        _("Приём: %(what)s", what=w.titled({p.id: p for p in rule.play} if rule else {}, ev.action)), "target", "info", ev.result
    )


@tells(e.LeadSlept, "stage")
def _slept(ev: e.LeadSlept, before: LeadState, t: Teller) -> Line:
    return Line(_("Сделка отложена"), "moon-star", "", ev.why, changed((_("Вернёмся"), None, t.day(ev.until))))


WAKERS = {"the client wrote"}


@tells(e.LeadWoken, "stage")
def _woken(ev: e.LeadWoken, before: LeadState, t: Teller) -> Line:
    why = _("клиент написал") if ev.why in WAKERS else _("наступила дата возврата") if ev.why == "R29" else w.why(ev.why)
    return Line(_("Сделка снова в работе"), "sun", "info", why)


@tells(e.LeadWon, "stage")
def _won(ev: e.LeadWon, before: LeadState, t: Teller) -> Line:
    return Line(
        _("Договор подписан"),
        "trophy",
        "ok",
        changes=changed(
            (_("Договор"), None, ev.contract_number),
            (_("Сумма"), None, t.money(ev.money)),
            (_("Подписан"), None, t.day(ev.signed_on)),
        ),
    )


@tells(e.LeadLost, "stage")
def _lost(ev: e.LeadLost, before: LeadState, t: Teller) -> Line:
    return Line(
        _("Сделка проиграна"),
        "thumbs-down",
        "bad",
        ev.debrief,
        changed(
            (_("Причина"), None, w.titled(t.process.loss_reasons, ev.reason)),
            (_("Близость к победе"), None, w.titled(t.process.closeness, ev.closeness)),
            (_("Конкурент"), None, ev.competitor),
            (_("Срок у конкурента"), None, t.day(ev.competitor_until) if ev.competitor_until else ""),
            (_("Вернёмся"), None, t.day(ev.return_on) if ev.return_on else ""),
        ),
    )


@tells(e.LeadRefused, "stage")
def _refused(ev: e.LeadRefused, before: LeadState, t: Teller) -> Line:
    lines: list[Change] = []
    if ev.criterion:
        lines.append((_("Стоп-критерий"), None, w.titled(t.process.hard_criteria, ev.criterion)))
    if ev.total is not None:
        lines.append((_("Оценка"), None, f"{ev.total:+d}".replace("-", "−") + f", {ev.segment}"))
    if ev.letter:
        lines.append((_("Письмо"), None, f"№{ev.letter}"))
    return Line(_("Мы отказали"), "ban", "bad", ev.without_letter, tuple(lines))


@tells(e.LeadReopened, "stage")
def _reopened(ev: e.LeadReopened, before: LeadState, t: Teller) -> Line:
    was = w.said(w.ENDINGS, before.ended) if before.ended else ""
    return Line(_("Сделку вернули в работу"), "rotate-ccw", "info", ev.why, changed((_("Итог"), was, _("в работе"))))


@tells(e.HandedOver, "stage")
def _handed(ev: e.HandedOver, before: LeadState, t: Teller) -> Line:
    was = t.people((before.account_manager,)) if before.account_manager else ""
    return Line(
        _("Клиента передали аккаунт-менеджеру"),
        "handshake",
        "ok",
        ev.note,
        changed((_("Аккаунт-менеджер"), was, t.people((ev.account_manager,)))),
    )


@tells(e.InstalledWorkRecorded)
def _installed(ev: e.InstalledWorkRecorded, before: LeadState, t: Teller) -> Line:
    return Line(_("Что работает у клиента"), "wrench", text=ev.text)


@tells(e.ChanceRecorded)
def _chance(ev: e.ChanceRecorded, before: LeadState, t: Teller) -> Line:
    title = _("%(kind)s, возможность №%(number)s", kind=w.said(w.CHANCES, ev.kind), number=ev.chance)
    return Line(title, "zap", "info", ev.text, changed((_("Сумма"), None, t.money(ev.money) if ev.money else "")))


@tells(e.ChanceClosed)
def _chance_closed(ev: e.ChanceClosed, before: LeadState, t: Teller) -> Line:
    title = (
        _("Возможность №%(number)s: продали", number=ev.chance)
        if ev.won
        else _("Возможность №%(number)s: не вышло", number=ev.chance)
    )
    return Line(title, "zap", "ok" if ev.won else "", ev.text)


@tells(e.ClientWroteAgain, "talk")
def _again(ev: e.ClientWroteAgain, before: LeadState, t: Teller) -> Line:
    to = t.people((ev.account_manager,)) if ev.account_manager else ""
    return Line(_("Клиент снова обратился после договора"), "bell", "warn", changes=changed((_("Ответит"), None, to)))


@tells(e.RequestOpenedByAccount, "stage")
def _new_request(ev: e.RequestOpenedByAccount, before: LeadState, t: Teller) -> Line:
    after = words.span(ev.at - before.ended_at) if before.ended_at and ev.at - before.ended_at >= timedelta(days=1) else ""
    return Line(
        _("Открыли новую заявку клиента: %(card)s", card=t.card(ev.lead)),
        "plus",
        "ok",
        changes=changed((_("Прошло с договора"), None, after)),
    )

"""Sentences for work on a lead: stages, deadlines, talks, checklists, scores, letters, meetings."""

from __future__ import annotations

from flask_babel import gettext as _

from hub.domain import events as e
from hub.domain.state import LeadState
from hub.web import words
from hub.web.lead import words as w
from hub.web.lead.story import Change, Line, Teller, changed, tells


@tells(e.StageEntered, "stage")
def _stage(ev: e.StageEntered, before: LeadState, t: Teller) -> Line:
    title = _("Стадия изменилась") if ev.previous else _("Карточка на доске")
    lines = changed((_("Стадия"), t.stage(ev.previous), t.stage(ev.stage)), (_("Почему"), None, w.why(ev.why)))
    return Line(title, "route", "info", changes=lines, noise=not ev.previous)


@tells(e.GuardOverridden, "stage")
def _override(ev: e.GuardOverridden, before: LeadState, t: Teller) -> Line:
    return Line(
        _("РОП снял условие"),
        "key-round",
        "warn",
        ev.reason,
        changed((_("Больше не требуется"), None, w.said(w.GUARDS, ev.guard))),
    )


@tells(e.DeadlineSet, "system", noise=True)
def _due_set(ev: e.DeadlineSet, before: LeadState, t: Teller) -> Line:
    old = before.dues.get(ev.key)
    return Line(
        _("Назначен срок: %(what)s", what=w.due_title(ev.key, t.process)),
        "timer",
        changes=changed((_("Срок"), t.moment(old.due_at) if old else "", t.moment(ev.due_at))),
    )


@tells(e.DeadlineMet, "system", noise=True)
def _due_met(ev: e.DeadlineMet, before: LeadState, t: Teller) -> Line:
    what = w.due_title(ev.key, t.process)
    title = _("Сделано позже срока: %(what)s", what=what) if ev.late else _("Сделано в срок: %(what)s", what=what)
    return Line(
        title,
        "timer" if ev.late else "check",
        "warn" if ev.late else "ok",
        changes=changed((_("Срок был"), None, t.moment(ev.due_at))),
    )


@tells(e.DeadlineMissed, "system")
def _due_missed(ev: e.DeadlineMissed, before: LeadState, t: Teller) -> Line:
    return Line(
        _("Срок прошёл: %(what)s", what=w.due_title(ev.key, t.process)),
        "triangle-alert",
        "bad",
        changes=changed((_("Срок был"), None, t.moment(ev.due_at))),
    )


@tells(e.DeadlineDropped, "system", noise=True)
def _due_dropped(ev: e.DeadlineDropped, before: LeadState, t: Teller) -> Line:
    return Line(
        _("Срок снят: %(what)s", what=w.due_title(ev.key, t.process)),
        "timer",
        changes=changed((_("Срок был"), None, t.moment(ev.due_at)), (_("Почему"), None, w.why(ev.why))),
    )


@tells(e.NoticeRaised, "system", noise=True)
def _notice(ev: e.NoticeRaised, before: LeadState, t: Teller) -> Line:
    about = w.due_title(ev.key, t.process) if ev.key else ""
    return Line(
        w.said(w.NOTICES, ev.kind), "bell", changes=changed((_("Кому"), None, t.people(ev.to)), (_("О чём"), None, about))
    )


@tells(e.NoteAdded, "talk")
def _note(ev: e.NoteAdded, before: LeadState, t: Teller) -> Line:
    return Line(_("Заметка"), "message-square-text", text=ev.text)


@tells(e.ContactAttempted, "talk")
def _attempt(ev: e.ContactAttempted, before: LeadState, t: Teller) -> Line:
    title = _("Попытка %(number)s, не ответили: %(way)s", number=before.attempts + 1, way=w.said(w.WAYS, ev.way).lower())
    return Line(title, "phone-missed", "warn", ev.note)


@tells(e.ContactLogged, "talk")
def _contact(ev: e.ContactLogged, before: LeadState, t: Teller) -> Line:
    way = w.said(w.WAYS, ev.way)
    title = _("%(way)s, входящий контакт", way=way) if ev.direction == "in" else _("%(way)s, исходящий контакт", way=way)
    goal = _("понять, можем ли взяться, и договориться о встрече") if ev.goal == "R4" else ev.goal
    return Line(
        title,
        w.WAY_ICONS.get(ev.way, "message-circle"),
        w.OUTCOME_TONES.get(ev.outcome, "info"),
        ev.text,
        changed(
            (_("Цель"), None, goal),
            (_("Итог"), None, w.said(w.OUTCOMES, ev.outcome) if ev.outcome else ""),
            (_("Почему нет шага"), None, ev.why),
        ),
    )


def _item(checklist: str, item: str, t: Teller) -> tuple[str, str]:
    return w.check_title(checklist, item, t.process)


@tells(e.ChecklistItemAssigned)
def _assigned(ev: e.ChecklistItemAssigned, before: LeadState, t: Teller) -> Line:
    titles = _item(ev.checklist, ev.item, t)
    old = before.checks.get(f"{ev.checklist}.{ev.item}")
    return Line(
        _("Назначен ответственный: %(item)s", item=titles[1]),
        "user-check",
        changes=changed((titles[0], t.people((old.owner,)) if old and old.owner else "", t.people((ev.owner,)))),
    )


@tells(e.ChecklistItemDone)
def _done(ev: e.ChecklistItemDone, before: LeadState, t: Teller) -> Line:
    titles = _item(ev.checklist, ev.item, t)
    return Line(_("Готово: %(item)s", item=titles[1]), "list-checks", "ok", ev.note, changed((_("Чек-лист"), None, titles[0])))


@tells(e.ChecklistItemReopened)
def _reopened(ev: e.ChecklistItemReopened, before: LeadState, t: Teller) -> Line:
    titles = _item(ev.checklist, ev.item, t)
    return Line(
        _("Ещё не готово: %(item)s", item=titles[1]), "list-todo", "warn", changes=changed((_("Чек-лист"), None, titles[0]))
    )


@tells(e.ScreeningFinished, "score")
def _screened(ev: e.ScreeningFinished, before: LeadState, t: Teller) -> Line:
    return Line(
        _("Первичный отсев пройден, стоп-критериев нет"),
        "circle-check",
        "ok",
        ev.note,
        changed((_("Договорённость"), None, w.said(w.PROGRESS, ev.progress))),
    )


@tells(e.LeadDisqualified, "score")
def _disqualified(ev: e.LeadDisqualified, before: LeadState, t: Teller) -> Line:
    return Line(
        _("Сработал стоп-критерий"),
        "ban",
        "bad",
        ev.note,
        changed((_("Критерий"), None, w.titled(t.process.hard_criteria, ev.criterion))),
    )


def signed(number: int) -> str:
    """A mark or a total with its sign."""
    return f"+{number}" if number > 0 else str(number).replace("-", "−")


@tells(e.LeadScored, "score")
def _scored(ev: e.LeadScored, before: LeadState, t: Teller) -> Line:
    old = before.score
    lines: list[Change] = []
    if old is not None:
        lines += [
            (w.titled(t.process.parameters, p), signed(old.marks.get(p, 0)), signed(m))
            for p, m in ev.marks.items()
            if old.marks.get(p, 0) != m
        ]
    lines.append((_("Итог"), signed(old.total) if old else None, signed(ev.total)))
    lines.append((_("Сегмент"), old.segment if old else None, ev.segment))
    lines += [(w.titled(t.process.parameters, p), None, note) for p, note in ev.notes.items()]
    title = _("Оценили заново, лист %(number)s", number=ev.sheet) if old else _("Заполнили лист оценки")
    return Line(title, "gauge", "info", ev.comment, tuple(lines))


@tells(e.PartnerReferred, "talk")
def _referred(ev: e.PartnerReferred, before: LeadState, t: Teller) -> Line:
    return Line(
        _("Предложили партнёра: %(name)s", name=ev.partner_name),
        "handshake",
        changes=changed((_("Как"), None, _("в письме №%(number)s", number=ev.letter) if ev.letter else _("без письма"))),
    )


@tells(e.LetterAsked, "talk")
def _letter(ev: e.LetterAsked, before: LeadState, t: Teller) -> Line:
    title = _("%(what)s №%(number)s: прочитано, к отправке", what=w.said(w.LETTERS, ev.kind), number=ev.letter)
    return Line(
        title,
        "mail",
        "info",
        ev.body,
        changed(
            (_("Куда"), None, f"{w.said(w.WAYS, ev.way)}: {ev.to}" if ev.to else w.said(w.WAYS, ev.way)),
            (_("Тема"), None, ev.subject_line),
        ),
    )


@tells(e.LetterSent, "talk")
def _letter_sent(ev: e.LetterSent, before: LeadState, t: Teller) -> Line:
    return Line(_("Письмо №%(number)s отправлено", number=ev.letter), "send", "ok")


@tells(e.LetterFailed, "talk")
def _letter_failed(ev: e.LetterFailed, before: LeadState, t: Teller) -> Line:
    return Line(_("Письмо №%(number)s не ушло", number=ev.letter), "circle-x", "bad", ev.why)


@tells(e.WorkingGroupFormed)
def _group(ev: e.WorkingGroupFormed, before: LeadState, t: Teller) -> Line:
    return Line(
        _("Собрали рабочую группу"),
        "users",
        "ok",
        changes=tuple((part or _("участник"), None, t.people((who,))) for who, part in ev.members),
    )


@tells(e.MeetingPlanned, "meeting")
def _planned(ev: e.MeetingPlanned, before: LeadState, t: Teller) -> Line:
    title = _("Назначили: %(what)s", what=w.said(w.PURPOSES, ev.purpose).lower())
    return Line(
        title,
        w.PURPOSE_ICONS.get(ev.purpose, "calendar-days"),
        "info",
        changes=changed(
            (_("Когда"), None, _("%(at)s, %(minutes)s мин", at=t.moment(ev.starts_at), minutes=ev.minutes)),
            (_("Цель"), None, ev.goal),
            (_("Где"), None, ev.place or (_("онлайн") if ev.online else _("лично"))),
            (_("От нас"), None, t.people(ev.ours)),
            (_("От клиента"), None, ", ".join(ev.theirs)),
            (_("С карточки"), None, t.card(ev.merged_from) if ev.merged_from else ""),
        ),
    )


@tells(e.MeetingMoved, "meeting")
def _moved(ev: e.MeetingMoved, before: LeadState, t: Teller) -> Line:
    old = before.meetings.get(ev.meeting)
    title = (
        _("Клиент перенёс встречу №%(number)s", number=ev.meeting)
        if ev.by_client
        else _("Перенесли встречу №%(number)s", number=ev.meeting)
    )
    return Line(
        title,
        "calendar-clock",
        "warn",
        ev.why,
        changed((_("Когда"), t.moment(old.starts_at) if old else "", t.moment(ev.starts_at))),
    )


@tells(e.MeetingCancelled, "meeting")
def _cancelled(ev: e.MeetingCancelled, before: LeadState, t: Teller) -> Line:
    return Line(_("Отменили встречу №%(number)s", number=ev.meeting), "circle-x", "warn",
                _("карточки разделены") if ev.why == "R6" else ev.why)


@tells(e.MeetingHeld, "meeting")
def _held(ev: e.MeetingHeld, before: LeadState, t: Teller) -> Line:
    old = before.meetings.get(ev.meeting)
    what = w.said(w.PURPOSES, old.purpose) if old else _("Встреча")
    outcome = w.said(w.OUTCOMES, ev.outcome).lower()
    return Line(
        _("%(what)s №%(number)s, итог: %(outcome)s", what=what, number=ev.meeting, outcome=outcome),
        w.PURPOSE_ICONS.get(old.purpose if old else "", "calendar-days"),
        w.OUTCOME_TONES.get(ev.outcome, ""),
        ev.text,
        changed(
            (_("Почему нет шага"), None, ev.why),
            (_("От нас"), None, t.people(ev.ours)),
            (_("От клиента"), None, ", ".join(ev.theirs)),
            (_("Обратная связь"), None, ev.feedback),
        ),
    )


@tells(e.HeadcountWarned, "meeting")
def _headcount(ev: e.HeadcountWarned, before: LeadState, t: Teller) -> Line:
    ours = words.plural(ev.ours, _("наш"), _("наших"), _("наших"))
    return Line(
        _("На встрече №%(number)s нас не меньше, чем клиентов", number=ev.meeting),
        "users",
        "warn",
        changes=changed((_("Сколько"), None, _("%(ours)s, от клиента: %(theirs)s", ours=ours, theirs=ev.theirs))),
    )


@tells(e.HeadcountExplained, "meeting")
def _headcount_why(ev: e.HeadcountExplained, before: LeadState, t: Teller) -> Line:
    return Line(_("Почему нас столько на встрече №%(number)s", number=ev.meeting), "users", text=ev.reason)


@tells(e.NextStepPlanned, "meeting")
def _step(ev: e.NextStepPlanned, before: LeadState, t: Teller) -> Line:
    old = before.next_step
    return Line(
        _("Следующий шаг"),
        "flag",
        "info",
        changes=changed(
            (_("Шаг"), old.text if old else "", ev.text), (_("Срок"), t.moment(old.due_at) if old else "", t.moment(ev.due_at))
        ),
    )


@tells(e.NextStepDone, "meeting")
def _step_done(ev: e.NextStepDone, before: LeadState, t: Teller) -> Line:
    what = before.next_step.text if before.next_step else ""
    due = before.next_step.due_at if before.next_step else ev.at
    late = words.span(ev.at - due) if ev.at > due else ""
    return Line(_("Шаг сделан"), "flag", "ok", ev.result, changed((_("Шаг"), None, what), (_("Опоздали на"), None, late)))

"""What to do next with a lead: one act for every state, so that a card never leaves its manager guessing (R26)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import gettext as _

from hub.domain.guards import holds
from hub.domain.process import Process
from hub.domain.state import Due, LeadState, Meeting

Given = Mapping[str, str]


@dataclass(frozen=True)
class Act:
    """One act: its ``command`` with what is known already, the words on its button, and why it is next.

    ``command`` may also be a page of the card: ``refusal`` (the letter), ``survivor`` (the card where work goes on);
    empty where there is nothing to press.
    """

    command: str
    label: str
    why: str
    given: Given = field(default_factory=dict)
    icon: str = "arrow-right"
    danger: bool = False


def next_action(s: LeadState, p: Process, at: datetime, *, head: bool = False) -> Act:
    """The one act that is next. ``head``: the reader may decide as the head of sales."""
    if s.merged_into is not None:
        return Act("survivor", _("Открыть карточку"), _("Карточка объединена с другой, работа идёт там."), icon="git-merge")
    if s.ended:
        return _ended(s)
    if s.asleep_until is not None:
        return Act(
            "wake", _("Разбудить раньше"), _("Сделка отложена и проснётся сама. До этого дня делать ничего не нужно."), icon="sun"
        )
    if not s.owner:
        return Act("take", _("Взять в работу"), _("Заявку ещё никто не взял."), icon="check")
    first = s.next_due
    return (_answer(first, s, p, at, head) if first else None) or STAGES.get(s.stage, _other)(s, p, at, head)


def _ended(s: LeadState) -> Act:
    if s.ended == "won":
        if "reply" in s.dues:
            return Act(
                "log_contact",
                _("Записать ответ"),
                _("Клиент снова написал: ответьте ему или откройте новую заявку."),
                icon="phone",
            )
        if not s.account_manager:
            return Act(
                "hand_over",
                _("Передать аккаунт-менеджеру"),
                _("Договор подписан, клиента ждёт аккаунт-менеджер."),
                icon="handshake",
            )
        if not s.installed:
            return Act(
                "record_installed",
                _("Записать, что внедрили"),
                _("Опишите, что работает у клиента: от этого идут допродажи."),
                icon="wrench",
            )
        return Act("record_chance", _("Записать возможность"), _("Что ещё может быть нужно этому клиенту?"), icon="zap")
    if s.ended == "refused":
        asked = next((n for n, x in s.letters.items() if x.status == "asked"), None)
        if asked is not None:
            return Act(
                "mark_letter",
                _("Отметить отправленным"),
                _("Письмо отказа прочитано, но ещё не отмечено отправленным."),
                {"letter": str(asked), "sent": "1"},
                "send",
            )
        return Act(
            "reopen",
            _("Вернуть в работу"),
            _("Мы отказали. Если у клиента что-то изменилось, верните сделку."),
            icon="rotate-ccw",
        )
    why = (
        _("Сделка проиграна. В назначенный день она вернётся в работу сама.")
        if "wake" in s.dues
        else _("Сделка проиграна. Если клиент передумал, верните её в работу.")
    )
    return Act("reopen", _("Вернуть в работу"), why, icon="rotate-ccw")


def _answer(due: Due, s: LeadState, p: Process, at: datetime, head: bool) -> Act | None:
    """What a deadline asks for by itself, whatever the stage; None where the stage says it better."""
    match due.kind:
        case "reply":
            return Act(
                "log_contact",
                _("Записать ответ"),
                _("Клиент написал и ждёт ответа."),
                {"way": "phone", "direction": "out"},
                "phone",
            )
        case "call_back":
            return Act("log_contact", _("Записать звонок"), _("Договорились созвониться в это время."), {"way": "phone"}, "phone")
        case "ping":
            return Act(
                "log_contact",
                _("Записать контакт"),
                _("КП у клиента: свяжитесь и узнайте впечатление."),
                {"way": "phone"},
                "phone",
            )
        case "return":
            return Act(
                "log_contact", _("Записать контакт"), _("Пришёл день, когда мы обещали вернуться."), {"way": "phone"}, "phone"
            )
        case "outcome":
            return _outcome(s.meetings.get(due.number), at)
        case "request":
            return _request(due.number, s, p, head)
        case "head_opinion" if head:
            return Act(
                "give_opinion",
                _("Дать мнение"),
                _("Клиент просит тестовое. Решаем после мнения РОПа."),
                {"request": str(due.number)},
                "crown",
            )
        case "next_step" if s.next_step is not None:
            return Act("finish_step", _("Шаг сделан"), s.next_step.text, icon="check")
    return None


def _outcome(meeting: Meeting | None, at: datetime) -> Act | None:
    if meeting is None or meeting.starts_at > at:
        return None
    return Act(
        "hold_meeting", _("Записать итог"), _("Встреча началась или прошла: что она дала?"), {"meeting": str(meeting.id)}, "check"
    )


def _request(number: int, s: LeadState, p: Process, head: bool) -> Act | None:
    found = s.requests.get(number)
    if found is None or found.status != "open":
        return None
    kind = p.requests.get(found.kind)
    title = kind.title if kind else found.kind
    given = {"request": str(number)}
    if kind is not None and kind.head_opinion and found.accepted is None:
        if found.opinion is not None:
            return Act(
                "decide_test", _("Решить о тестовом"), _("Мнение РОПа есть: берём тестовое или нет?"), given, "flask-conical"
            )
        if head:
            return Act("give_opinion", _("Дать мнение"), _("Клиент просит тестовое. Решаем после мнения РОПа."), given, "crown")
        return None
    return Act("close_request", _("Закрыть просьбу"), _("Клиент ждёт: %(what)s.", what=title.lower()), given, "clipboard-list")


def _planned(s: LeadState, purpose: str, at: datetime) -> Act | None:
    """A planned meeting of a kind: wait for it, or write down what it gave."""
    for meeting in s.planned_meetings:
        if meeting.purpose == purpose:
            return _outcome(meeting, at) or Act(
                "move_meeting",
                _("Перенести"),
                _("Встреча назначена, готовьтесь к ней."),
                {"meeting": str(meeting.id)},
                "calendar-clock",
            )
    return None


def _new(s: LeadState, p: Process, at: datetime, head: bool) -> Act:
    return Act("move", _("Перейти к контакту"), _("Заявка у вас: начните с контакта."), {"to": "contact"})


def _contact(s: LeadState, p: Process, at: datetime, head: bool) -> Act:
    lacking = [
        words for guard, words in (("phone_known", _("телефон")), ("timezone_known", _("часовой пояс"))) if not holds(guard, s, p)
    ]
    why = (
        _("Узнайте: %(what)s и когда удобно говорить.", what=", ".join(lacking))
        if lacking
        else _("Телефон и часовой пояс известны: договоритесь о времени звонка.")
    )
    return Act("capture_contact", _("Записать контакты"), why, icon="phone")


def _screening(s: LeadState, p: Process, at: datetime, head: bool) -> Act:
    if s.screened:
        return Act("move", _("Перейти к скорингу"), _("Отсев проведён, можно оценивать."), {"to": "scoring"})
    why = _("Позвоните: знакомство, бизнес и задачи, стоп-критерии, договорённость о встрече.")
    return Act("finish_screening", _("Отсев проведён"), why, icon="check")


def _scoring(s: LeadState, p: Process, at: datetime, head: bool) -> Act:
    if s.score is None:
        return Act("score", _("Заполнить оценку"), _("15 параметров: по ним станет ясно, как вести сделку."), icon="gauge")
    if not holds("not_refused", s, p):
        return Act("move", _("Перейти к отказу"), _("Оценка означает отказ: письмо и партнёры."), {"to": "refusal"}, "ban")
    if not holds("meeting_agreed", s, p):
        return Act(
            "plan_meeting",
            _("Назначить встречу"),
            _("Оценка есть: договоритесь о следующей встрече."),
            {"purpose": "interview"},
            "calendar-days",
        )
    return Act("move", _("Начать подготовку"), _("Оценка и встреча есть."), {"to": "preparation"})


def _refusal(s: LeadState, p: Process, at: datetime, head: bool) -> Act:
    letters = {n: x for n, x in s.letters.items() if x.kind == "refusal" and x.status != "failed"}
    if not letters:
        return Act("refusal", _("Написать отказ"), _("Письмо с причиной и партнёрами, затем сделку можно закрыть."), icon="mail")
    asked = [n for n, x in letters.items() if x.status == "asked"]
    if asked:
        return Act(
            "mark_letter",
            _("Отметить отправленным"),
            _("Письмо прочитано и записано. Отправьте его и отметьте это здесь."),
            {"letter": str(asked[-1]), "sent": "1"},
            "send",
        )
    return Act("refuse", _("Закрыть: отказали"), _("Письмо ушло, сделку можно закрыть."), icon="ban")


def _preparation(s: LeadState, p: Process, at: datetime, head: bool) -> Act:
    if not holds("meeting_agreed", s, p):
        return Act(
            "plan_meeting",
            _("Назначить интервью"),
            _("Без даты интервью подготовка не кончится."),
            {"purpose": "interview"},
            "calendar-days",
        )
    for meeting in s.planned_meetings:
        if act := _outcome(meeting, at):
            return act
    if not s.group:
        return Act(
            "form_group", _("Собрать рабочую группу"), _("Аналитик, маркетолог, при сложном проекте тимлид."), icon="users"
        )
    for checklist in p.checklists.values():
        if checklist.stage != "preparation" or (checklist.id != "preparation" and checklist.id != _segment_list(s, p)):
            continue
        for item in checklist.items:
            check = s.checks.get(f"{checklist.id}.{item.id}")
            if check is None or not check.done:
                return Act(
                    "check_item",
                    _("Отметить готовность"),
                    _("Дальше по чек-листу: %(item)s.", item=item.title.lower()),
                    {"checklist": checklist.id, "item": item.id, "done": "1"},
                    "list-checks",
                )
    return Act("move", _("Начать интервью"), _("Всё готово к интервью."), {"to": "interview"}, "users")


def _segment_list(s: LeadState, p: Process) -> str:
    segment = p.segments.get(s.segment)
    return segment.checklist if segment else ""


def _interview(s: LeadState, p: Process, at: datetime, head: bool) -> Act:
    if act := _started(s, at):
        return act
    if not holds("benefit_stated", s, p):
        return Act("state_benefit", _("Сформулировать пользу"), _("Что клиент получит в измеримых величинах."), icon="sparkles")
    if not holds("proposal_promised", s, p):
        return Act(
            "promise_proposal", _("Назвать дату КП"), _("Когда будет КП и будет ли его презентация."), icon="calendar-clock"
        )
    return Act("move", _("Готовить КП"), _("Польза и дата КП названы."), {"to": "proposal"}, "file-text")


def _started(s: LeadState, at: datetime) -> Act | None:
    return next((act for m in s.planned_meetings if (act := _outcome(m, at))), None)


def _proposal(s: LeadState, p: Process, at: datetime, head: bool) -> Act:
    if act := _started(s, at):
        return act
    if s.proposal is None:
        return Act("draft_proposal", _("Добавить КП"), _("Версия КП с суммой и сроком действия."), icon="file-text")
    if not holds("head_contributed", s, p):
        if head:
            return Act("contribute", _("Внести часть РОПа"), _("Балл высокий: КП готовится вместе с вами."), icon="crown")
        return Act(
            "plan_step",
            _("Договориться с РОПом"),
            _("Балл высокий: без вклада РОПа КП не показать и не отправить."),
            icon="crown",
        )
    if s.promise is not None and not s.promise[1]:
        return Act("send_proposal", _("Отправить КП"), _("Договорились без презентации."), icon="send")
    return _planned(s, "presentation", at) or Act(
        "plan_meeting",
        _("Назначить презентацию"),
        _("КП готово: договоритесь, когда его показать."),
        {"purpose": "presentation"},
        "presentation",
    )


def _presentation(s: LeadState, p: Process, at: datetime, head: bool) -> Act:
    if act := _planned(s, "presentation", at):
        return act
    if s.presented_at is None or (s.stage_since and s.presented_at < s.stage_since):
        return Act(
            "plan_meeting", _("Назначить презентацию"), _("КП ещё не показали."), {"purpose": "presentation"}, "presentation"
        )
    if s.decision_date is None:
        return Act(
            "agree_decision_date", _("Назвать дату решения"), _("КП показали: узнайте, когда клиент решит."), icon="calendar-days"
        )
    return Act(
        "win", _("Договор подписан"), _("Ждём решения клиента. Без него карточка в срок сама уйдёт в дожим."), icon="trophy"
    )


def _follow_up(s: LeadState, p: Process, at: datetime, head: bool) -> Act:
    if act := _started(s, at):
        return act
    for number, request in s.requests.items():
        if request.status == "open" and (act := _request(number, s, p, head)):
            return act
    fresh = [x for x in s.stalls.values() if not x.played and x.reason in p.stalls]
    if fresh:
        return Act(
            "play_stall",
            _("Отработать причину"),
            _("Решения нет: %(why)s.", why=p.stalls[fresh[-1].reason].title.lower()),
            {"stall": str(fresh[-1].id)},
            "target",
        )
    if s.planned_meetings:
        meeting = s.planned_meetings[0]
        return Act(
            "move_meeting",
            _("Перенести"),
            _("Встреча назначена, готовьтесь к ней."),
            {"meeting": str(meeting.id)},
            "calendar-clock",
        )
    if s.next_step is not None:
        return Act("finish_step", _("Шаг сделан"), s.next_step.text, icon="check")
    if not s.stalls:
        return Act("find_stall", _("Почему не решают"), _("Всё есть, а решения нет: найдите причину."), icon="hourglass")
    return Act("plan_step", _("Назначить шаг"), _("Что двинет сделку дальше и когда?"), icon="flag")


def _other(s: LeadState, p: Process, at: datetime, head: bool) -> Act:
    """A stage of the company's own: nothing is known of it but where it leads."""
    targets = p.targets(s.stage)
    if s.next_step is not None or not targets:
        return Act("plan_step", _("Назначить шаг"), _("Что двинет сделку дальше и когда?"), icon="flag")
    stage = p.stages[targets[0]]
    return Act(
        "move",
        _("Перейти: %(stage)s", stage=stage.title),
        p.stages[s.stage].hint if s.stage in p.stages else "",
        {"to": stage.id},
    )


STAGES = {
    "new": _new,
    "contact": _contact,
    "screening": _screening,
    "scoring": _scoring,
    "refusal": _refusal,
    "preparation": _preparation,
    "interview": _interview,
    "proposal": _proposal,
    "presentation": _presentation,
    "follow_up": _follow_up,
}
"""What is next in each stage of the process."""

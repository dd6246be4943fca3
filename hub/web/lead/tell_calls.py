"""Sentences for calls."""

from __future__ import annotations

from flask_babel import gettext as _

from hub.domain import events as e
from hub.domain.call import CLIENT
from hub.domain.state import LeadState
from hub.web import words
from hub.web.lead import words as w
from hub.web.lead.story import Line, Teller, changed, tells
from hub.web.lead.tell_intake import name_of
from hub.web.lead.tell_talk import sentence_of


def _length(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}" if seconds else ""


def _phone() -> str:
    return w.said(w.CHANNELS, "phone").lower()


@tells(e.CallBegan, "system", noise=True)
def _began(ev: e.CallBegan, before: LeadState, t: Teller) -> Line:
    return Line(_("Звонок №%(number)s идёт", number=ev.call), "phone", "info", who=_phone())


@tells(e.CallAsked, "talk")
def _asked(ev: e.CallAsked, before: LeadState, t: Teller) -> Line:
    whom = name_of(ev.person_id, before) if ev.person_id else ""
    facts = changed((_("Кому"), None, ", ".join(filter(None, (whom, words.phone(ev.to))))))
    return Line(_("Звоним клиенту, №%(number)s", number=ev.call), "phone", "info", changes=facts)


@tells(e.CallPlaced, "talk")
def _placed(ev: e.CallPlaced, before: LeadState, t: Teller) -> Line:
    if ev.by_hand:
        return Line(_("Звонок №%(number)s состоялся: отметил сотрудник", number=ev.call), "check", "ok")
    return Line(_("Звонок №%(number)s начат", number=ev.call), "phone", noise=True)


@tells(e.CallFailed, "talk")
def _failed(ev: e.CallFailed, before: LeadState, t: Teller) -> Line:
    facts = changed((_("Ответ канала"), None, ev.why))
    return Line(_("Звонок №%(number)s не начался", number=ev.call), "circle-x", "bad", sentence_of(f"out_{ev.code}"), facts)


@tells(e.CallUnknown, "talk")
def _unknown(ev: e.CallUnknown, before: LeadState, t: Teller) -> Line:
    facts = changed((_("Ответ канала"), None, ev.why))
    return Line(_("Неизвестно, состоялся ли звонок №%(number)s", number=ev.call), "triangle-alert", "warn",
                _("Сам хаб его не повторит: отметьте, был ли разговор, или позвоните ещё раз."), facts)


@tells(e.CallMoved, "system", noise=True)
def _moved(ev: e.CallMoved, before: LeadState, t: Teller) -> Line:
    facts = changed((_("Длился"), None, _length(ev.seconds)))
    return Line(_("Звонок №%(number)s: %(status)s", number=ev.call, status=w.said(w.CALLS, ev.status)), "phone", changes=facts,
                who=_phone())


@tells(e.CallLegMoved, "system", noise=True)
def _leg(ev: e.CallLegMoved, before: LeadState, t: Teller) -> Line:
    whose = _("клиент") if ev.leg == CLIENT else t.who(ev.leg)
    title = _("Звонок №%(number)s, %(who)s: %(status)s", number=ev.call, who=whose, status=w.said(w.LEGS, ev.status))
    return Line(title, "phone", who=_phone())


@tells(e.CallAnswered, "talk")
def _answered(ev: e.CallAnswered, before: LeadState, t: Teller) -> Line:
    title = (_("Поговорили по телефону, звонок №%(number)s: %(who)s", number=ev.call, who=t.who(ev.by)) if ev.by
             else _("Поговорили по телефону, звонок №%(number)s", number=ev.call))
    return Line(title, "phone", "ok", who=_phone())


@tells(e.CallMissed, "talk")
def _missed(ev: e.CallMissed, before: LeadState, t: Teller) -> Line:
    call = before.calls.get(ev.call)
    if call is not None and call.direction == "out":
        return Line(_("Разговора не вышло, звонок №%(number)s", number=ev.call), "phone-missed", "warn", who=_phone())
    return Line(_("Пропущенный звонок №%(number)s: перезвоните", number=ev.call), "phone-missed", "bad", who=_phone())


@tells(e.CallBackAsked, "talk")
def _back(ev: e.CallBackAsked, before: LeadState, t: Teller) -> Line:
    return Line(_("Клиент попросил перезвонить, звонок №%(number)s", number=ev.call), "phone", "warn", who=_phone())


@tells(e.CallRecorded, "talk")
def _recorded(ev: e.CallRecorded, before: LeadState, t: Teller) -> Line:
    voicemail = ev.kind == "voicemail"
    if ev.absent:
        return Line(_("Клиент ничего не сказал автоответчику") if voicemail else _("Записи разговора нет"), "phone-missed",
                    who=_phone())
    title = _("Голосовое сообщение клиента") if voicemail else _("Есть запись разговора")
    return Line(title, "phone", "info", changes=changed((_("Длится"), None, _length(ev.seconds))), who=_phone())

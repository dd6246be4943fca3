"""Sentences for messages of ours and for what of a client's message came later."""

from __future__ import annotations

from flask_babel import gettext as _

from hub.domain import events as e
from hub.domain.errors import SENTENCES
from hub.domain.state import LeadState
from hub.web.frame import language
from hub.web.lead import words as w
from hub.web.lead.story import Line, Teller, changed, tells
from hub.web.lead.tell_intake import name_of

ICONS = {"email": "mail", "sms": "message-square-text"}


def sentence_of(code: str) -> str:
    """A code in the reader's language; a code that nobody worded as it is."""
    known = SENTENCES.get(code)
    return code.partition("_")[2] if known is None else known.en if language() == "en" else known.ru


@tells(e.MessageAsked, "talk")
def _asked(ev: e.MessageAsked, before: LeadState, t: Teller) -> Line:
    number, way = ev.message, w.said(w.WAYS, ev.way)
    title = (_("Написали клиенту ещё раз, №%(number)s: %(way)s", number=number, way=way) if ev.again
             else _("Написали клиенту, №%(number)s: %(way)s", number=number, way=way))
    whom = name_of(ev.person_id, before) if ev.person_id else ""
    facts = changed((_("Кому"), None, ", ".join(filter(None, (whom, ev.to)))), (_("Тема"), None, ev.subject_line),
                    (_("Файлы"), None, ", ".join(f.name for f in ev.files)))
    return Line(title, ICONS.get(ev.way, "send"), "info", ev.text, facts)


@tells(e.MessageSent, "talk")
def _sent(ev: e.MessageSent, before: LeadState, t: Teller) -> Line:
    title = (_("Сообщение №%(number)s дошло: отметил сотрудник", number=ev.message) if ev.by_hand
             else _("Сообщение №%(number)s отправлено", number=ev.message))
    return Line(title, "check", "ok", noise=not ev.by_hand)


@tells(e.MessageReached, "talk", noise=True)
def _reached(ev: e.MessageReached, before: LeadState, t: Teller) -> Line:
    if ev.status == "read":
        return Line(_("Сообщение №%(number)s прочитано", number=ev.message), "eye", "ok")
    return Line(_("Сообщение №%(number)s доставлено", number=ev.message), "circle-check", "ok")


@tells(e.MessageFailed, "talk")
def _failed(ev: e.MessageFailed, before: LeadState, t: Teller) -> Line:
    facts = changed((_("Ответ канала"), None, ev.why))
    return Line(_("Сообщение №%(number)s не дошло", number=ev.message), "circle-x", "bad", sentence_of(f"out_{ev.code}"), facts)


@tells(e.MessageUnknown, "talk")
def _unknown(ev: e.MessageUnknown, before: LeadState, t: Teller) -> Line:
    facts = changed((_("Ответ канала"), None, ev.why))
    return Line(_("Неизвестно, дошло ли сообщение №%(number)s", number=ev.message), "triangle-alert", "warn",
                sentence_of(f"out_{ev.code}"), facts)


@tells(e.MessageEdited, "talk")
def _edited(ev: e.MessageEdited, before: LeadState, t: Teller) -> Line:
    old = next((m.text for m in before.messages if m.id == ev.message), "")
    return Line(_("Клиент изменил сообщение"), "pencil", "info", ev.text, changed((_("Было"), None, old)))


@tells(e.FetchAsked, "system", noise=True)
def _fetch(ev: e.FetchAsked, before: LeadState, t: Teller) -> Line:
    return Line(_("Забираем из канала: %(what)s", what=ev.name or w.said(w.FETCHED, ev.kind)), "paperclip")


@tells(e.FileFetched, "talk")
def _file(ev: e.FileFetched, before: LeadState, t: Teller) -> Line:
    return Line(_("Файл клиента"), "paperclip", "info", changes=changed((_("Файлы"), None, ", ".join(f.name for f in ev.files))))


@tells(e.FetchEnded, "system")
def _ended(ev: e.FetchEnded, before: LeadState, t: Teller) -> Line:
    fetch = before.fetches.get(ev.fetch)
    what = (fetch.name or w.said(w.FETCHED, fetch.kind)) if fetch else ""
    if not ev.code:
        return Line(_("Узнали из канала: %(what)s", what=what), "user", noise=True)
    return Line(_("Не удалось забрать: %(what)s", what=what), "triangle-alert", "warn", sentence_of(f"fetch_{ev.code}"))

"""The composer of the card: a note, a call, a message, a letter or a meeting, written down where one reads the story."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from hub.domain.errors import NotFound, Refused
from hub.domain.state import Message, Person
from hub.web.desk import do as give
from hub.web.desk import needs
from hub.web.errors import status_of
from hub.web.lead import letters as mail
from hub.web.lead import words as w
from hub.web.lead.blueprint import answered, bp
from hub.web.lead.form import FORMS, Ctx, Drawn, Field, Form, Sent, Text, arguments, draw
from hub.web.lead.forms import NO_STEP, OURS, STEP, STEP_DUE, THEIRS, colleagues, words_of
from hub.web.lead.forms_talk import routes, usual
from hub.web.lead.view import Card, sentence

Values = dict[str, Any]


def used_way(ctx: Ctx) -> str:
    """The way that the person we talk to uses: that of their last message, else of the first address to write to."""
    person, last = ctx.state.person, next(iter(reversed(ctx.state.messages)), None)
    if last is not None and last.person_id == person.id and (way := _way_of(last, person)):
        return way
    return next((kind for kind in ("telegram", "whatsapp", "vk", "email") if person.first(kind)), "telegram")


def _way_of(message: Message, person: Person) -> str:
    if message.channel == "social":
        return next((kind for kind in ("telegram", "vk", "whatsapp") if person.first(kind)), "")
    return "email" if message.channel == "email" else ""


def _call_goal(ctx: Ctx) -> str:
    """The goal that was set before: of the planned call, else of the next step (R26)."""
    call = next((m for m in ctx.state.planned_meetings if m.purpose == "call"), None)
    return call.goal if call is not None else ctx.state.next_step.text if ctx.state.next_step is not None else ""


TEXT = Field("text", _l("Текст"), "textarea", rows=3)
OUTCOME = Field("outcome", _l("Итог"), "select", words_of(w.OUTCOMES), empty=_l("без итога"))
SIDES: w.Words = {"out": _l("мы"), "in": _l("клиент")}
WRITTEN: w.Words = {way: w.WAYS[way] for way in ("telegram", "whatsapp", "vk", "sms", "email", "other")}


@dataclass(frozen=True)
class Tab:
    """A tab of the composer: its questions, those that are folded away (``more``), and the command that its answers are."""

    id: str
    title: Text
    icon: str
    form: Form
    more: tuple[str, ...] = ()
    given: Callable[[Values], Values] = lambda values: values
    main: str = "text"
    """The question that the tab is about."""

    @property
    def command(self) -> str:
        return self.form.command


def _tab(id: str, title: Text, icon: str, command: str, button: Text, fields: tuple[Field, ...], *, more: tuple[str, ...] = (),
         given: Callable[[Values], Values] = lambda values: values, main: str = "text",
         preview: Callable[[Mapping[str, Any], Ctx], Any] | None = None) -> Tab:
    return Tab(id, title, icon, Form(command, title, button, "talk", icon, fields, preview=preview), more, given, main)


NOTE = _tab("note", _l("Заметка"), "message-square-text", "note", _l("Записать"), (
    Field("text", _l("Заметка по сделке"), "textarea", rows=2, attrs={"placeholder": _l("Заметка по сделке")}),))
CALL = _tab("call", _l("Звонок"), "phone", "log_contact", _l("Записать звонок"), (
    Field("direction", _l("Кто позвонил"), "radio", words_of(SIDES), default="out", required=True),
    Field("text", _l("О чём говорили"), "textarea", rows=2),
    Field("goal", _l("Цель"), initial=_call_goal, help=_l("Зачем звонили. У исходящего звонка с итогом она обязательна.")),
    OUTCOME, NO_STEP, STEP, STEP_DUE), given=lambda v: {**v, "way": "phone"})
SENT = _tab("message", _l("Сообщение"), "message-circle", "send_message", _l("Отправить"), (
    Field("route", _l("Куда"), "route", routes, usual, required=True),
    Field("text", _l("Сообщение клиенту"), "textarea", rows=3),
    Field("subject", _l("Тема"), initial=mail.answered_subject, help=_l("Только для письма."), attrs={"maxlength": "200"}),
    Field("files", _l("Файлы"), "uploads")), more=("subject", "files"))
LOGGED = _tab("message", _l("Сообщение"), "message-circle", "log_contact", _l("Записать"), (
    Field("way", _l("Как"), "select", words_of(WRITTEN), used_way, required=True),
    Field("direction", _l("Кто написал"), "radio", words_of(SIDES), default="out", required=True),
    Field("text", _l("О чём переписывались"), "textarea", rows=2)))
LETTER = _tab("letter", _l("Письмо"), "mail", "ask_letter", _l("Прочитано, к отправке"), (
    Field("to", _l("Куда"), initial=lambda c: c.state.address("email")),
    Field("subject", _l("Тема"), attrs={"maxlength": "200"}),
    Field("body", _l("Текст письма"), "textarea", rows=5, required=True),
    mail.MAILBOX), more=("account",), given=lambda v: {**v, "kind": "free", "way": "email"}, main="body", preview=mail.letter)
MEETING = _tab("meeting", _l("Встреча"), "calendar-days", "plan_meeting", _l("Назначить"), (
    Field("purpose", _l("Что это"), "select", words_of(w.PURPOSES), default="meeting", required=True),
    Field("starts_at", _l("Начало"), "datetime", required=True),
    Field("goal", _l("Цель"), "textarea", required=True, rows=2, help=_l("К чему мы хотим прийти к концу встречи.")),
    Field("minutes", _l("Сколько минут"), "int", default=60, attrs={"min": "5", "max": "1440"}),
    Field("online", _l("Онлайн"), "tick", default=True),
    Field("place", _l("Ссылка или адрес")),
    Field("ours", OURS.label, "staff", colleagues, lambda c: (c.actor.id,), OURS.help),
    Field("theirs", THEIRS.label, "lines", None, lambda c: c.state.person.name, THEIRS.help, rows=2),
), more=("minutes", "online", "place", "ours", "theirs"), main="goal")


@dataclass(frozen=True)
class Panel:
    """A tab as it is drawn."""

    tab: Tab
    fields: list[Drawn]
    more: list[Drawn]
    top: str = ""
    preview: Any = None


def tabs(card: Card) -> list[Tab]:
    """What the reader may write down on the card as it is."""
    message = SENT if card.can_write else LOGGED
    return [tab for tab in (NOTE, CALL, message, LETTER, MEETING) if _offered(card, tab)]


def _offered(card: Card, tab: Tab) -> bool:
    if not card.s.open and tab in (CALL, LOGGED, LETTER, MEETING):
        return card.s.ended == "won" and tab in (CALL, LOGGED) and card.offers(FORMS["log_contact"])
    return card.s.merged_into is None and card.offers(FORMS[tab.command])


def panel(card: Card, tab: Tab, sent: Sent | None = None, refused: Refused | None = None, preview: Any = None) -> Panel:
    """A tab with what is known, or with what was typed and why it was refused."""
    errors = {refused.field: sentence(refused)} if refused else {}
    drawn = draw(tab.form, card.ctx, {}, sent, errors)
    names = {d.field.name for d in drawn}
    top = sentence(refused) if refused is not None and refused.field not in names else ""
    folded = [d for d in drawn if d.field.name in tab.more]
    return Panel(tab, [d for d in drawn if d not in folded], folded, top, preview)


def composer(card: Card, chosen: str = "", made: Panel | None = None) -> dict[str, Any]:
    """What the template draws: every panel, one of them open."""
    panels = [made if made is not None and made.tab.id == tab.id else panel(card, tab) for tab in tabs(card)]
    ids = [p.tab.id for p in panels]
    return {"panels": panels, "chosen": chosen if chosen in ids else ids[0] if ids else ""}


def written(lead: UUID, id: str) -> Response | tuple[Card, Panel, int]:
    """Give the command of a tab. What was refused, or has to be read first, comes back as the panel and its status."""
    card = Card(lead)
    tab = next((tab for tab in tabs(card) if tab.id == id), None)
    if tab is None:
        raise _not_offered(card, id)
    sent = Sent(request.form.copy(), request.files)
    missed = tab.id == "call" and sent.one("missed") == "1"
    try:
        if missed:
            give(lead, "log_attempt", {"way": "phone", "note": sent.one("text")})
        else:
            values = tab.given(arguments(tab.form, sent, card.ctx))
            look = tab.form.preview(values, card.ctx) if tab.form.preview else None
            if look is not None and sent.one("seen") != look.seen:
                return card, panel(card, tab, sent, preview=look), 200
            give(lead, tab.command, values)
    except Refused as refused:
        return Card(lead), panel(Card(lead), tab, sent, refused), status_of(refused)
    said = _("Попытка записана.") if missed else DONE[tab.id if tab is not LOGGED else "logged"]
    return answered(lead, str(said), "composed", {"tab": tab.id})


def _not_offered(card: Card, id: str) -> Refused:
    """Why a tab is not there: the card ended meanwhile, the role may not, or there is no such tab."""
    found = next((one for one in (NOTE, CALL, LOGGED, LETTER, MEETING) if one.id == id), None)
    if found is None:
        return NotFound("no_such_command", name=id[:60])
    if card.s.merged_into is not None:
        return Refused("merged_away", rule="R6")
    return card.refusal_of(found.command) or Refused("already_ended", rule="R28", how=w.said(w.ENDINGS, card.s.ended))


DONE: Mapping[str, Text] = {
    "note": _l("Заметка записана."), "call": _l("Звонок записан."),
    "message": _l("Сообщение уходит. Как оно дошло, будет в ленте."),
    "logged": _l("Сообщение записано."), "letter": _l("Письмо записано. Как оно дошло, будет в ленте."),
    "meeting": _l("Встреча назначена."),
}


@bp.get("/leads/<uuid:lead>/compose/<tab>")
@needs("read")
def compose_panel(lead: UUID, tab: str) -> Response:
    """A tab of the composer as it begins: after its answers were stored."""
    card = Card(lead)
    found = next((one for one in tabs(card) if one.id == tab), None)
    if found is None:
        raise NotFound("no_such_command", name=tab[:60])
    drawn = panel(card, found)
    return make_response(render_template("lead/_compose_panel.html", panel=drawn, card=card, s=card.s, p=card.process))

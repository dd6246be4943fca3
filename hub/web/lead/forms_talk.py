"""Forms of writing to the client: through which channel, what, and what to do about a message that did not leave."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hub.domain.state import LeadState
from hub.web import words
from hub.web.desk import parts
from hub.web.lead import words as w
from hub.web.lead.form import Ctx, Field, Option, Options, form
from hub.web.lead.forms_calls import call_instead
from hub.web.lead.letters import answered_subject
from hub.web.lead.next import Act


def routes(ctx: Ctx) -> list[Option]:
    """Every way in which one of our accounts reaches somebody of the client's, the person that we talk to first."""
    main = ctx.state.main_person
    people = sorted(ctx.state.people.values(), key=lambda p: p.id != main)
    found = []
    for channel in parts().accounts.senders():
        for way in channel.ways:
            for person in people:
                for address in person.addresses:
                    if channel.reaches(way, address):
                        to = words.phone(address.value) if address.kind == "phone" else address.raw or address.value
                        who = ", ".join(filter(None, (person.name, to)))
                        title = w.said(w.WAYS, way) if channel.place.title in ("", channel.title) else channel.place.title
                        found.append((f"{way} {channel.account} {address.value}", f"{title}: {who}"))
    return found


def usual(ctx: Ctx) -> str:
    """The way in which the client wrote last, where we can answer by it; else the first there is."""
    found = [str(option[0]) for option in routes(ctx)]
    for message in reversed(ctx.state.messages):
        person = ctx.state.people.get(message.person_id)
        theirs = {a.value for a in person.addresses} if person else set()
        for route in found:
            _way, account, to = route.split(" ", 2)
            if account == message.source and to in theirs:
                return route
    return found[0] if found else ""


def _failed(s: LeadState) -> bool:
    return any(m.status in ("failed", "unknown") for m in s.outgoing.values())


def _unknown(s: LeadState) -> bool:
    return any(m.status == "unknown" for m in s.outgoing.values())


def _messages(*statuses: str) -> Options:
    def options(ctx: Ctx) -> list[Option]:
        return [(str(m.id), f"№{m.id}, {words.moment(m.at)}: {m.text[:60]}") for m in reversed(ctx.state.outgoing.values())
                if m.status in statuses]
    return options


def answer_instead(act: Act, ctx: Ctx) -> Act:
    """Where the client waits for an answer and a channel of ours reaches them, the next act is to write it."""
    if act.command == "log_contact" and "reply" in ctx.state.dues and act.given.get("direction", "out") == "out" and routes(ctx):
        return Act("send_message", _("Ответить"), act.why, icon="send")
    return call_instead(act, ctx)


form(
    "send_message",
    _l("Сообщение клиенту"),
    _l("Отправить"),
    "talk",
    "send",
    (
        Field("route", _l("Куда"), "route", routes, usual, required=True),
        Field("subject", _l("Тема"), initial=answered_subject, help=_l("Только для письма."), attrs={"maxlength": "200"}),
        Field("text", _l("Текст"), "textarea", rows=5),
        Field("files", _l("Файлы"), "uploads"),
    ),
    intro=_l("Сообщение уйдёт сразу. Как оно дошло, будет видно в ленте."),
)
form(
    "send_again",
    _l("Отправить ещё раз"),
    _l("Отправить ещё раз"),
    "talk",
    "rotate-ccw",
    (Field("message", _l("Сообщение"), "select", _messages("failed", "unknown"), required=True),),
    when=_failed,
    intro=_l("Если неизвестно, дошло ли сообщение, клиент может получить его дважды."),
)
form(
    "mark_message",
    _l("Дошло ли сообщение"),
    _l("Отметить"),
    "talk",
    "check",
    (
        Field("message", _l("Сообщение"), "select", _messages("unknown"), required=True),
        Field("sent", _l("Клиент его получил"), "tick", default=True),
    ),
    when=_unknown,
)

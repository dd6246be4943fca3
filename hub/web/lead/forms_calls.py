"""Forms of calling the client from the card, and of a call that nobody knows about."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hub.domain.state import LeadState
from hub.traffic.telephony import plan_of
from hub.web import words
from hub.web.desk import parts
from hub.web.lead.form import Ctx, Field, Option, form
from hub.web.lead.next import Act


def routes(ctx: Ctx) -> list[Option]:
    """Every number of the client's, through every line of ours, the person that we talk to first."""
    people = sorted(ctx.state.people.values(), key=lambda p: p.id != ctx.state.main_person)
    lines = [channel for channel in parts().accounts.values() if channel.calls]
    return [(f"call {line.account} {a.value}", ", ".join(filter(None, (p.name, words.phone(a.value), line.place.title))))
            for line in lines for p in people for a in p.addresses if a.kind == "phone"]


def own_phone(ctx: Ctx) -> str:
    """The telephone of who asks: the one of their last call from a card of this client, else as a line of ours knows it."""
    last = next((c.phone for c in reversed(ctx.state.calls.values()) if c.author == ctx.actor.id), "")
    if last:
        return last
    login = next((user.login for id, user in ctx.hub.users().items() if f"user:{id}" == ctx.actor.id), "")
    lines = (plan_of(ctx.hub, channel.account) for channel in parts().accounts.values() if channel.calls)
    return next(filter(None, (line.number_of(login) for line in lines)), "")


def call_instead(act: Act, ctx: Ctx) -> Act:
    """Where the client is to be called back and a line of ours reaches them, the next act is to call."""
    if act.command == "log_contact" and "call_back" in ctx.state.dues and routes(ctx):
        last = next((c for c in reversed(ctx.state.calls.values()) if c.direction == "in"), None)
        missed = last is not None and last.outcome == "missed"
        why = _("Клиент звонил и ни с кем не поговорил.") if missed else act.why
        return Act("call_client", _("Позвонить"), why, icon="phone")
    return act


def _unknown(s: LeadState) -> bool:
    return any(c.status == "unknown" for c in s.calls.values())


def _calls(ctx: Ctx) -> list[Option]:
    return [(str(c.id), f"№{c.id}, {words.moment(c.at)}: {words.phone(c.to)}") for c in ctx.state.calls.values()
            if c.status == "unknown"]


form(
    "call_client",
    _l("Позвонить клиенту"),
    _l("Позвонить"),
    "talk",
    "phone",
    (
        Field("route", _l("Куда"), "route", routes, lambda c: next((o[0] for o in routes(c)), ""), required=True),
        Field("phone", _l("Ваш телефон"), "tel", initial=own_phone, required=True,
              help=_l("Сначала зазвонит он. Возьмите трубку и нажмите 1: хаб наберёт клиента.")),
    ),
)
form(
    "mark_call",
    _l("Состоялся ли звонок"),
    _l("Отметить"),
    "talk",
    "phone-missed",
    (
        Field("call", _l("Звонок"), "select", _calls, required=True),
        Field("took_place", _l("Разговор состоялся"), "tick", default=True),
    ),
    when=_unknown,
)

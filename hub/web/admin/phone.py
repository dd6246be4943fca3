"""Telephone lines: who rings, in which order, what a caller hears, and a call to oneself to hear it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from msgspec.structs import asdict
from werkzeug.wrappers import Response

from hub.channels.base import Channel, Trouble
from hub.domain import contact
from hub.domain.errors import Refused, sentences
from hub.domain.phone import SECONDS, TEXTS, PhoneLine, PhonePlan, line_stream, members_in
from hub.traffic.telephony import plan_of
from hub.web import words
from hub.web.admin.base import done, refused_page, whole
from hub.web.desk import me, needs, now, parts, the_hub

bp = Blueprint("phone", __name__, url_prefix="/settings/phone")

PAGE = "admin/phone.html"
WHO = ("admin", "decide")
TICKS = ("fair", "always", "record", "ask_key")

sentences(
    phone_say_number=("Напишите номер, на который позвонить.", "Write the number to call."),
    phone_test_failed=("Позвонить не вышло. {why}", "The call was not placed. {why}"),
)


@dataclass(frozen=True)
class Line:
    """A line of ours and how it is answered."""

    channel: Channel
    plan: PhonePlan


def lines() -> list[Line]:
    """All lines that are set up."""
    return [Line(channel, plan_of(the_hub(), channel.account)) for channel in parts().accounts.values() if channel.calls]


def _line(name: str) -> Line:
    found = next((line for line in lines() if line.channel.account == name), None)
    if found is None:
        abort(404)
    return found


def _page(line: Line, **typed: Any) -> dict[str, Any]:
    shown = {**asdict(line.plan), "members": "\n".join(f"{m.login} {words.phone(m.number)}" for m in line.plan.members)}
    here = {user.login: user.name for user in the_hub().users().values() if not user.disabled}
    mine = next((user.login for id, user in the_hub().users().items() if id == me().stream), "")
    return {"line": line, "lines": lines(), "typed": {**shown, **typed}, "people": sorted(here.items()), "seconds": SECONDS,
            "mine": words.phone(line.plan.number_of(mine)) if line.plan.number_of(mine) else ""}


@bp.get("")
@needs(*WHO)
def index() -> str:
    """The first line; without lines, how to set one up."""
    found = lines()
    return render_template(PAGE, errors={}, **(_page(found[0]) if found else {"line": None, "lines": []}))


@bp.get("/<path:account>")
@needs(*WHO)
def one(account: str) -> str:
    """A line."""
    return render_template(PAGE, errors={}, **_page(_line(account)))


@bp.post("/<path:account>")
@needs(*WHO)
def write(account: str) -> Response:
    """``act``: ``save`` the plan, or ``call`` a number and say what callers hear."""
    line = _line(account)
    return _call_me(line) if request.form.get("act") == "call" else _save(line)


def _save(line: Line) -> Response:
    account = line.channel.account
    texts = {name: request.form.get(name, "").replace("\r\n", "\n") for name in TEXTS}
    ticks = {name: request.form.get(name) == "1" for name in TICKS}
    way, members = request.form.get("way", ""), request.form.get("members", "")
    chosen: dict[str, Any] = {**texts, **ticks}
    try:
        write_plan(line, PhonePlan(members=members_in(members), way=way, seconds=whole("seconds"), **chosen))
    except Refused as refused:
        typed = {**chosen, "way": way, "members": members, "seconds": request.form.get("seconds", "")}
        return refused_page(PAGE, refused, **_page(line, **typed))
    flash(_("Сохранили. Следующий звонок пойдёт так."), "ok")
    return done(url_for(".one", account=account))


def write_plan(line: Line, plan: PhonePlan) -> None:
    """Answer the line by ``plan`` from the next call on."""
    account, logins = line.channel.account, {user.login for user in the_hub().users().values() if not user.disabled}
    the_hub().change(PhoneLine, line_stream(account), lambda found: found.write(account, plan, logins), actor=me().actor,
                     at=now(), permissions=WHO)


def ring(line: Line, given: str) -> None:
    """Call a number, in any spelling, and say what callers of the line hear."""
    number = contact.phone(given)
    if number is None:
        raise Refused("phone_say_number", field="number")
    try:
        line.channel.call_me(number.value, line.plan)
    except Trouble as trouble:
        raise Refused("phone_test_failed", field="number", why=trouble.why) from trouble


def _call_me(line: Line) -> Response:
    given = request.form.get("number", "")
    try:
        the_hub().allow("phone.test", line_stream(line.channel.account), *WHO, actor=me().actor, at=now())
        ring(line, given)
    except Refused as refused:
        return refused_page(PAGE, refused, **{**_page(line), "mine": given})
    flash(_("Звоним вам: послушайте, что услышит клиент."), "ok")
    return done(url_for(".one", account=line.channel.account))

"""Tokens of the API: the administrator gives them to programs and people; everybody keeps those of their own."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from hub.domain.errors import NotFound, Refused
from hub.domain.token import LONGEST_NAME, SCOPES
from hub.web.admin.base import day, done, refused_page
from hub.web.desk import may, me, now, settle, signed_in, the_hub, the_tokens
from hub.web.frame import the_process

bp = Blueprint("tokens", __name__, url_prefix="/settings/tokens")

PAGE = "admin/tokens.html"
MEANINGS = {
    "read": _l("читать заявки, процесс, партнёров и числа"), "intake": _l("заводить заявки и разбирать карантин"),
    "work": _l("вести заявки"), "decide": _l("решать за руководителя отдела"), "account": _l("вести клиентов после договора"),
    "admin": _l("настраивать людей, формы и письма"), "partners": _l("вести список партнёров"),
    "audit": _l("читать журнал аудита"),
}
"""What each of :data:`SCOPES` lets a token do, within the roles that it acts with."""
assert set(MEANINGS) == set(SCOPES)


def _page(**more: Any) -> dict[str, Any]:
    everyone = may("admin")
    process, users = the_process(), the_hub().users()
    names = {f"user:{id}": user.name for id, user in users.items()}
    active = sorted(((str(id), u.name) for id, u in users.items() if not u.disabled), key=lambda pair: pair[1].casefold())
    mine = the_process().permissions(me().actor.roles)
    scopes = [(scope, scope, str(MEANINGS[scope])) for scope in SCOPES if everyone or scope in mine]
    return {"tokens": the_tokens().listed(now(), None if everyone else me().stream), "names": names, "everyone": everyone,
            "people": [("", _("никто: программа сама по себе")), *active] if everyone else [], "scopes": scopes,
            "roles": [(role.id, role.title) for role in process.roles.values()], "role_titles": process.roles,
            "longest": LONGEST_NAME,
            "typed": {"name": "", "scopes": ("read",), "roles": (), "holder": str(me().stream), "until": ""}, **more}


@bp.get("")
@signed_in
def index() -> Response:
    """All tokens for the administrator, one's own for others; and the form for a new one."""
    return make_response(render_template(PAGE, errors={}, **_page()))


@bp.post("")
@signed_in
def issue() -> Response:
    """A new token. Its secret is in this answer and nowhere else."""
    name, wanted, until = (request.form.get(field, "") for field in ("name", "holder", "until"))
    scopes, roles = tuple(request.form.getlist("scopes")), tuple(request.form.getlist("roles"))
    try:
        token, secret = the_tokens().issue(name, scopes, holder=_holder(wanted) if may("admin") else me().stream, roles=roles,
                                           expires_at=_end_of(until), actor=me().actor, at=now())
    except Refused as refused:
        typed = {"name": name, "scopes": scopes, "roles": roles, "holder": wanted, "until": until}
        return refused_page(PAGE, refused, **_page(typed=typed))
    settle()
    return make_response(render_template("admin/token.html", secret=secret, token=the_tokens().state(token)))


def _holder(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Refused("no_such_user", field="holder") from None


def _end_of(text: str) -> datetime | None:
    """The end of the day in the field ``until``, by the company's clock; None where it is empty."""
    return datetime.combine(day("until"), time.max, ZoneInfo(the_process().calendar.timezone)) if text.strip() else None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("no_such_token") from None


@bp.post("/<key>/revoke")
@signed_in
def revoke(key: str) -> Response:
    """End a token at once."""
    try:
        the_tokens().revoke(_id(key), actor=me().actor, at=now())
    except Refused as refused:
        return refused_page(PAGE, refused, at_top=True, **_page())
    flash(_("Токен отозван и больше ничего не открывает."), "ok")
    return done(url_for(".index"))

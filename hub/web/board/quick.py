"""A lead in ten seconds: who called, their number, what they want. The whole form is a link away."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.errors import NotFound, Refused
from hub.web.board.answers import acted
from hub.web.by_hand import delivery_by_hand
from hub.web.desk import me, needs, now, settle, the_hub
from hub.web.errors import status_of
from hub.web.frame import language
from hub.web.lead.blueprint import by_htmx, go
from hub.web.lead.words import CHANNELS

bp = Blueprint("quick", __name__)

FIELDS = ("channel", "name", "phone", "text")


def form_values() -> dict[str, Any]:
    """What the window of a new lead takes."""
    return {"quick": {"values": {"channel": "phone"}, "errors": {}, "receipt": str(uuid4()), "channels": list(CHANNELS.items())}}


@bp.post("/leads/quick")
@needs("intake")
def add() -> Response:
    """Open a card with what is known; ``stay`` keeps the window for the next one. The receipt makes a second press harmless."""
    values = {name: request.form.get(name, "").strip() for name in FIELDS}
    text = request.form.get("receipt", "")
    receipt = UUID(text) if re.fullmatch(r"[0-9a-f-]{36}", text) else uuid4()
    try:
        if values["channel"] not in CHANNELS:
            raise Refused("no_such_channel", rule="R1", field="channel")
        delivery = delivery_by_hand(**values, email="", company="", timezone="")
        got = the_hub().open_by_hand(delivery, actor=me().actor, at=now(), receipt=receipt)
    except Refused as refused:
        return _form(values, {refused.field: refused.say(language())}, receipt, status_of(refused))
    settle(got.position)
    if got.lead is None:
        raise NotFound("no_such_lead")
    said = _("Карточка открыта.") if got.began else _("У этого клиента уже есть карточка: обращение добавлено в неё.")
    if request.form.get("then") == "stay":
        if by_htmx():
            return acted(_form({"channel": values["channel"]}, {}, uuid4(), 200), said, "ok")
        flash(said, "ok")
        return redirect("/leads/new", 303)
    flash(said, "ok" if got.began else "warn")
    return go(f"/leads/{got.lead}")


def _form(values: dict[str, str], errors: dict[str, str], receipt: UUID, status: int) -> Response:
    """The form with what was typed: alone for the window, else a page."""
    quick = {"values": values, "errors": errors, "receipt": str(receipt), "channels": list(CHANNELS.items())}
    return make_response(render_template("board/_quick.html" if by_htmx() else "board/quick.html", quick=quick), status)

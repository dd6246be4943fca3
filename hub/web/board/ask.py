"""Questions of the board: what is dropped on «lost», «refused», «postponed» or «won» is asked about before anything happens.

The forms are those of the card; here they stand in a window above the board and lead back to it.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from hub.domain.errors import NotFound, Refused
from hub.web.board.answers import acted
from hub.web.board.cards import ASKS
from hub.web.desk import do, needs
from hub.web.errors import status_of
from hub.web.frame import language
from hub.web.lead.blueprint import by_htmx
from hub.web.lead.form import FORMS, Form, Sent, arguments, draw
from hub.web.lead.view import Card, lead_url, sentence

bp = Blueprint("ask", __name__)

BY_STAGE = {"refuse": ("refusal", "disqualify")}
"""The stage in which the command is the one that was asked for, and the command before that stage (R8, R12)."""


def form_for(what: str, card: Card) -> Form:
    """The form of what was asked for, by where the lead stands. A refusal begins with its criterion; from the refusal on it
    closes the lead."""
    if what not in ASKS:
        raise NotFound("no_such_command", name=what[:60])
    stage, before = BY_STAGE.get(what, ("", ""))
    return FORMS[before if before and card.s.stage != stage else what]


@bp.get("/board/<uuid:lead>/ask/<what>")
@needs("read")
def ask(lead: UUID, what: str) -> Response:
    """The questions."""
    card = Card(lead)
    made = form_for(what, card)
    refused = card.refusal_of(made.command)
    if refused is not None:
        raise refused
    return _page(made, what, card)


@bp.post("/board/<uuid:lead>/ask/<what>")
@needs("read")
def answered(lead: UUID, what: str) -> Response:
    """Do it with what was answered; a refusal comes back in the form."""
    card = Card(lead)
    made, sent = form_for(what, card), Sent(request.form, request.files)
    try:
        do(lead, made.command, arguments(made, sent, card.ctx))
    except Refused as refused:
        card = Card(lead)
        if card.refusal_of(made.command) is not None:
            raise
        return _page(made, what, card, sent, refused)
    text = f"{made.title}."
    if by_htmx():
        return acted(Response("", 204), text, "ok", done=True)
    flash(text, "ok")
    return redirect("/?show=all" if request.form.get("back") == "board" else lead_url(lead), 303)


def _page(made: Form, what: str, card: Card, sent: Sent | None = None, refused: Refused | None = None) -> Response:
    names = {f.name for f in made.fields}
    top = sentence(refused) if refused is not None and refused.field not in names else ""
    fields = draw(made, card.ctx, {}, sent, {refused.field: sentence(refused)} if refused else {})
    template = "board/_ask.html" if by_htmx() else "board/ask.html"
    page = render_template(template, form=made, what=what, fields=fields, top=top, card=card, s=card.s, p=card.process,
                           language=language())
    return make_response(page, status_of(refused) if refused else 200)

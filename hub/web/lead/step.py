"""«Готово и запланировать следующее»: the step that is done and what comes after it, in one window and one breath (R26)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from hub.domain.errors import Refused
from hub.web import words
from hub.web.desk import me, needs, now, settle, the_hub
from hub.web.errors import status_of
from hub.web.lead import words as w
from hub.web.lead.blueprint import answered, bp, by_htmx
from hub.web.lead.form import Ctx, Field, Form, Sent, arguments, draw
from hub.web.lead.forms import words_of
from hub.web.lead.view import Card, sentence

KINDS: w.Words = {"step": _l("Шаг"), "call": _l("Звонок"), "meeting": _l("Встреча")}
KIND_HELP: w.Words = {"step": _l("что сделаем мы или клиент"), "call": _l("попадёт в календарь, с целью"),
                      "meeting": _l("попадёт в календарь, с целью")}
MINUTES = {"call": 30, "meeting": 60}

RESULT = Field("result", _l("Что получилось"), "textarea", rows=2)
FOLLOWS = (
    Field("kind", _l("Что дальше"), "cards", words_of(KINDS, KIND_HELP), default="step", required=True),
    Field("what", _l("Что будет сделано, или цель разговора"), required=True),
    Field("at", _l("Когда"), "datetime", required=True),
)


def form_of(ctx: Ctx) -> Form:
    """What is asked: the result only where there is a step to be done."""
    if ctx.state.next_step is None:
        return Form("plan_step", _l("Запланировать следующее"), _l("Запланировать"), "meeting", "flag", FOLLOWS)
    return Form("finish_step", _l("Готово и запланировать следующее"), _l("Готово, запланировать"), "meeting", "check",
                (RESULT, *FOLLOWS))


def commands(values: dict[str, Any], ctx: Ctx) -> list[tuple[str, dict[str, Any]]]:
    """The commands that the answers are."""
    done, kind = ctx.state.next_step is not None, values["kind"]
    if kind == "step":
        step = {"step": values["what"], "due_at": values["at"]}
        return [("finish_step", {"result": values.get("result", ""), **step})] if done else [("plan_step", step)]
    with_whom = (ctx.state.person.name,) if ctx.state.person.name else ()
    meeting = {"purpose": kind, "starts_at": values["at"], "goal": values["what"], "minutes": MINUTES.get(kind, 60),
               "ours": (ctx.actor.id,), "theirs": with_whom}
    finished = [("finish_step", {"result": values.get("result", "")})] if done else []
    return [*finished, ("plan_meeting", meeting)]


NAMES = {"step": "what", "goal": "what", "due_at": "at", "starts_at": "at", "purpose": "kind"}
"""Which question of the window an argument of its commands came from."""


@bp.get("/leads/<uuid:lead>/next")
@needs("read")
def next_step(lead: UUID) -> Response:
    """The window."""
    card = Card(lead)
    if (refused := card.refusal_of("plan_step")) is not None:
        raise refused
    return _drawn(card, None, None)


@bp.post("/leads/<uuid:lead>/next")
@needs("read")
def stepped(lead: UUID) -> Response:
    """Store both, or neither."""
    card = Card(lead)
    sent = Sent(request.form.copy(), request.files)
    try:
        given = commands(arguments(form_of(card.ctx), sent, card.ctx), card.ctx)
        done = the_hub().do_in_turn(lead, given, actor=me().actor, at=now())
    except Refused as refused:
        card = Card(lead)
        if card.refusal_of("plan_step") is not None:
            raise
        return _drawn(card, sent, refused)
    settle(done.position)
    return answered(lead, str(_("Записано. Дальше: %(at)s.", at=words.moment(words.instant(sent.one("at"))))), "act-done")


def _drawn(card: Card, sent: Sent | None, refused: Refused | None) -> Response:
    made = form_of(card.ctx)
    errors = {NAMES.get(refused.field, refused.field): sentence(refused)} if refused else {}
    top = sentence(refused) if refused is not None and not errors.keys() & {f.name for f in made.fields} else ""
    page = render_template(
        "lead/_next_form.html" if by_htmx() else "lead/next_form.html", form=made, top=top, card=card, s=card.s, p=card.process,
        fields=draw(made, card.ctx, request.args if sent is None else {}, sent, errors))
    return make_response(page, status_of(refused) if refused else 200)

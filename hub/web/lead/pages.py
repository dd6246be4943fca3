"""Pages of the card beyond its commands: the refusal letter, a new lead by hand, a client's next request."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.delivery import Delivery
from hub.domain.errors import NotFound, Refused, sentences
from hub.web.by_hand import delivery_by_hand
from hub.web.desk import do as give
from hub.web.desk import me, needs, now, settle, the_hub
from hub.web.errors import status_of
from hub.web.lead import words as w
from hub.web.lead.blueprint import bp, go
from hub.web.lead.letters import mailbox, mailboxes
from hub.web.lead.view import Card, lead_url, sentence
from hub.web.letters import default_template

sentences(
    confirm_letter=(
        "Прочитайте письмо и отметьте это: от вашего имени ничего не уходит непрочитанным.",
        "Read the letter and tick it: nothing leaves in your name unread.",
    ),
    no_such_channel=("Выберите, откуда обращение.", "Choose where the request came from."),
)


def _answer(template: str, refused: Refused | None, **context: Any) -> Response:
    errors = {refused.field: sentence(refused)} if refused else {}
    return make_response(render_template(template, errors=errors, **context), status_of(refused) if refused else 200)


# ── the refusal letter (R12, R13) ────────────────────────────────────────────────


@bp.get("/leads/<uuid:lead>/refusal")
@needs("read")
def refusal(lead: UUID) -> Response:
    """The letter as the template, the sheet and the partners make it, to be read and changed."""
    card = Card(lead)
    if (refused := card.refusal_of("ask_letter")) is not None:
        raise refused
    return _letter(card, _chosen() if "chosen" in request.args else None)


def _chosen() -> tuple[UUID, ...]:
    found = []
    for text in request.values.getlist("partner"):
        try:
            found.append(UUID(text))
        except ValueError:
            raise Refused("no_such_partner", rule="R13", field="partners", given=text[:60]) from None
    return tuple(found)


def _letter(card: Card, chosen: tuple[UUID, ...] | None, refused: Refused | None = None) -> Response:
    hub = the_hub()
    draft = hub.refusal_letter(
        card.id, default_template("refusal"), actor=me().actor, partners=chosen, agency=card.process.file.name
    )
    ticked = {str(id) for id, _p in draft.partners}
    partners = [(str(id), p, str(id) in ticked) for id, p in hub.partners().items() if not p.retired]
    typed = {k: request.form.get(k, "") for k in ("to", "subject", "body", "way", "account")} if refused else {}
    values = {"to": draft.to, "subject": draft.subject, "body": draft.body, "way": "email", "account": mailbox(card.ctx), **typed}
    return _answer("lead/refusal.html", refused, card=card, s=card.s, p=card.process, values=values, partners=partners,
                   mailboxes=mailboxes(card.ctx))


@bp.post("/leads/<uuid:lead>/refusal")
@needs("read")
def refusal_asked(lead: UUID) -> Response:
    """A person read the letter and confirms it."""
    chosen: tuple[UUID, ...] = ()
    try:
        chosen = _chosen()
        if request.form.get("read") != "1":
            raise Refused("confirm_letter", rule="R12", field="read")
        known = the_hub().partners()
        named = {str(id): known[id].name for id in chosen if id in known}
        values = {k: request.form.get(k, "") for k in ("to", "subject", "body", "account")}
        give(lead, "ask_letter", {**values, "way": request.form.get("way", "email"), "kind": "refusal", "partners": named})
    except Refused as refused:
        card = Card(lead)
        if card.refusal_of("ask_letter") is not None:
            raise
        return _letter(card, chosen, refused)
    leaves = values["account"] and request.form.get("way", "email") == "email"
    flash(_("Письмо отправляется. Как оно дошло, будет видно в ленте.") if leaves
          else _("Письмо записано как запрошенное. Отправьте его и отметьте отправленным."), "ok")
    return go(lead_url(lead))


# ── a new lead ───────────────────────────────────────────────────────────────────

FIELDS = ("channel", "name", "phone", "email", "company", "text", "timezone")


@bp.get("/leads/new")
@needs("intake")
def new() -> Response:
    """The form for a card opened by hand (R1)."""
    given = {k: v.strip()[:200] for k, v in request.args.items() if k in ("name", "phone")}  # from the search's palette
    return _answer("lead/new.html", None, values={"channel": "phone", **given}, receipt=str(uuid4()), channels=w.CHANNELS)


@bp.post("/leads/new")
@needs("intake")
def opened() -> Response:
    """Open the card; who is known already lands on their open one. The same form sent twice opens one card."""
    values = {k: request.form.get(k, "").strip() for k in FIELDS}
    text = request.form.get("receipt", "")
    receipt = UUID(text) if re.fullmatch(r"[0-9a-f-]{36}", text) else uuid4()
    try:
        got = the_hub().open_by_hand(_delivery(values), actor=me().actor, at=now(), receipt=receipt)
    except Refused as refused:
        return _answer("lead/new.html", refused, values=values, receipt=str(receipt), channels=w.CHANNELS)
    settle(got.position)
    if got.lead is None:
        raise NotFound("no_such_lead")
    if got.duplicate:
        flash(_("Эта карточка уже открыта."), "ok")
    elif got.began:
        flash(_("Карточка открыта."), "ok")
    else:
        flash(_("У этого клиента уже есть карточка: обращение добавлено в неё."), "warn")
    return go(lead_url(got.lead))


def _delivery(values: dict[str, str]) -> Delivery:
    if values["channel"] not in w.CHANNELS:
        raise Refused("no_such_channel", rule="R1", field="channel")
    return delivery_by_hand(**values)


@bp.route("/leads/<uuid:lead>/request", methods=["GET", "POST"])
@needs("account", "intake")
def next_request(lead: UUID) -> Response:
    """A new lead for a client whose deal is won (R29)."""
    refused = None
    if request.method == "POST":
        try:
            opened = the_hub().open_request(lead, request.form.get("text", ""), actor=me().actor, at=now(), request=_pressed())
            settle(opened.position)
            flash(_("Новая заявка клиента открыта."), "ok")
            return redirect(lead_url(opened.lead or lead), 303)
        except Refused as no:
            refused = no
    card = Card(lead)
    return _answer(
        "lead/request.html", refused, card=card, s=card.s, text=request.form.get("text", ""), pressed=_pressed(),
        back=url_for("lead.card", lead=lead),
    )


def _pressed() -> UUID:
    """The id of one filling-in of the form: a second press of its button carries the same one."""
    try:
        return UUID(request.form.get("pressed", ""))
    except ValueError:
        return uuid4()

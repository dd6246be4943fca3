"""The lead card, where managers live: the page, its live parts, and every command as a form (R2–R34)."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.application import Done
from hub.domain import events as e
from hub.domain.errors import Conflict, NotFound, Refused
from hub.domain.lead import COMMANDS
from hub.privacy.consents import text_of
from hub.web import files, past, words
from hub.web.desk import do as give
from hub.web.desk import needs, the_hub
from hub.web.errors import status_of
from hub.web.lead import past_pages, reads
from hub.web.lead import words as w
from hub.web.lead.blueprint import bp, by_htmx, go
from hub.web.lead.form import FORMS, MEMBERS, Form, Sent, arguments, draw
from hub.web.lead.letters import Preview
from hub.web.lead.links import reach, size, whatsapp
from hub.web.lead.past import present_bar
from hub.web.lead.story import GROUPS, amount
from hub.web.lead.view import Card, do_url, lead_url, sentence

LARGEST_NUMBER = 10**9
"""Above every number of a lead, and well within what a database holds."""

FILTERS = (
    ("", "Всё"),
    ("talk", "Общение"),
    ("meeting", "Встречи"),
    ("stage", "Стадии"),
    ("score", "Оценка"),
    ("system", "Системные"),
)
assert {id for id, _title in FILTERS} == {"", *GROUPS}


@bp.app_template_filter("lead_mark")
def mark_of(parameter: str, marks: dict[str, int]) -> int:
    """The mark of a parameter on a sheet."""
    return marks[parameter]


@bp.context_processor
def helpers() -> dict[str, Any]:
    """What templates of the card call."""
    return {
        "lead_words": w,
        "do_url": do_url,
        "reach": reach,
        "amount": amount,
        "whatsapp": whatsapp,
        "file_size": size,
        "consent_text": lambda sha256: text_of(the_hub(), sha256),
        "lead_titled": w.titled,
        "lead_said": w.said,
        "attribution_title": w.attribution_title,
        "attribution_said": w.attribution_said,
        "MEMBERS": MEMBERS,
        "linked_ids": lambda s: {x.hex for x in (*s.absorbed, s.merged_into) if x},
        "partner_options": lambda found: [(id, p.name, p.site) for id, p, _on in found],
        "way_options": lambda: list(w.WAYS.items()),
    }


# ── the card ─────────────────────────────────────────────────────────────────────


@bp.get("/leads/<int:number>")
@needs("read")
def by_number(number: int) -> Response:
    """A card by its number, as people say it."""
    lead = the_hub().views.leads.by_number(number) if number < LARGEST_NUMBER else None
    if lead is None:
        raise NotFound("no_such_lead")
    return redirect(lead_url(lead, at=request.args.get("at")))


def live_url(lead: UUID, **kept: Any) -> str:
    """Where the timeline refreshes from."""
    return url_for("lead.live", lead=lead, part="story", **kept)


def _story(card: Card, at: str | None = None) -> dict[str, Any]:
    show = request.args.get("show", "")
    group = show if show in GROUPS else ""
    everything = request.args.get("all") == "1"
    folds, older = card.folds(group, everything)
    kept = {k: v for k, v in (("show", group), ("all", "1" if everything else ""), ("at", at)) if v}
    chips = [
        (lead_url(card.id, show=id or None, at=at, _anchor="story"), str(_(title)), card.counts[id] or None, id == group)
        for id, title in FILTERS
    ]
    return {
        "folds": folds,
        "older": older,
        "chips": chips,
        "older_url": lead_url(card.id, **{**kept, "all": "1", "_anchor": "story"}),
        "live_story": live_url(card.id, **kept),
    }


@bp.get("/leads/<uuid:lead>")
@needs("read")
def card(lead: UUID) -> str | Response:
    """The card; with ``at`` as it was at a version or a time."""
    reads.note(lead, "card")
    if past.asked(request.args):
        return past_pages.page(lead, _story)
    card = Card(lead)
    return render_template("lead/card.html", card=card, s=card.s, p=card.process, bar=present_bar(card), **_story(card))


@bp.get("/leads/<uuid:lead>/live/<any(head, next, story):part>")
@needs("read")
def live(lead: UUID, part: str) -> str:
    """A part of the card that refreshes by itself."""
    card = Card(lead)
    return render_template(f"lead/_{part}.html", card=card, s=card.s, p=card.process, **(_story(card) if part == "story" else {}))


@bp.get("/leads/<uuid:lead>/files/<digest>")
@needs("read")
def file(lead: UUID, digest: str) -> Response:
    """A file of the lead, to be saved: never shown as a page of ours."""
    reads.note(lead, "file")
    return files.of_lead(lead, digest)


# ── commands ─────────────────────────────────────────────────────────────────────


@bp.get("/leads/<uuid:lead>/do/<command>")
@needs("read")
def do(lead: UUID, command: str) -> Response:
    """The form of a command; for a role that may not give it, the sentence that says who may."""
    made, card = _form(command), Card(lead)
    refused = card.refusal_of(command)
    if refused is not None:
        raise refused
    return _page(made, card, request.args)


@bp.post("/leads/<uuid:lead>/do/<command>")
@needs("read")
def done(lead: UUID, command: str) -> Response:
    """Give a command; a refusal comes back in the form, at the field that it is about."""
    made = _form(command)
    texts = request.form.copy()
    for name in request.args:
        if name not in texts:
            texts.setlist(name, request.args.getlist(name))
    sent = Sent(texts, request.files)
    try:
        card = Card(lead)
        version = sent.one("version")
        expected = int(version) if made.guarded and re.fullmatch("[0-9]{1,9}", version) else None
        values = arguments(made, sent, card.ctx)
        look = made.preview(values, card.ctx) if made.preview else None
        if look is not None and sent.one("seen") != look.seen:
            return _page(made, card, {}, sent, preview=look)
        report(give(lead, command, values, expected), made)
    except Refused as refused:
        card = Card(lead)
        if card.refusal_of(command) is not None:
            raise
        return _page(made, card, {}, sent, refused)
    return go(lead_url(lead))


def _form(command: str) -> Form:
    if command not in COMMANDS:
        raise NotFound("no_such_command", name=command[:60])
    return FORMS[command]


def _page(made: Form, card: Card, given: Any, sent: Sent | None = None, refused: Refused | None = None,
          preview: Preview | None = None) -> Response:
    errors = {refused.field: sentence(refused)} if refused else {}
    names = {f.name for f in made.fields}
    top = "" if refused is None or refused.field in names else sentence(refused)
    fields = draw(made, card.ctx, given, sent, errors)
    template = "lead/_form.html" if by_htmx() else "lead/do.html"
    page = render_template(
        template, form=made, fields=fields, top=top, card=card, s=card.s, p=card.process, conflict=isinstance(refused, Conflict),
        preview=preview,
    )
    return make_response(page, status_of(refused) if refused else 200)


def report(done: Done, made: Form) -> None:
    """Tell the person what their command did beyond the obvious."""
    process, text = the_hub().process, str(made.title)
    for ev in done.events:
        match ev:
            case e.StageEntered():
                text += _(". Стадия: %(stage)s", stage=w.titled(process.stages, ev.stage))
            case e.LeadScored():
                text += _(". Сумма %(total)s, сегмент %(segment)s", total=f"{ev.total:+d}".replace("-", "−"), segment=ev.segment)
            case e.LeadLost() if ev.return_on is not None:
                text += _(". Вернёмся %(day)s", day=words.day(ev.return_on))
            case e.HeadcountWarned():
                flash(_("На встрече нас не меньше, чем клиентов: объясните почему."), "warn")
    flash(text + ".", "ok")


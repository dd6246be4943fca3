"""The lead card, where managers live: the page, its live parts, and every command as a form (R2–R34)."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from hub.application import Done
from hub.domain import events as e
from hub.domain.errors import Conflict, NotFound, Refused
from hub.domain.lead import COMMANDS
from hub.privacy.consents import text_of
from hub.web import files, past, words
from hub.web.desk import do as give
from hub.web.desk import me, needs, the_hub
from hub.web.errors import status_of
from hub.web.frame import the_process
from hub.web.lead import deal, past_pages, reads
from hub.web.lead import words as w
from hub.web.lead.around import similar
from hub.web.lead.attachments import attachments, by_event
from hub.web.lead.blueprint import answered, bp, by_htmx, go
from hub.web.lead.compose import Panel, composer, written
from hub.web.lead.conflict import Clash, chosen, compare
from hub.web.lead.form import FORMS, MEMBERS, Form, Sent, arguments, draw
from hub.web.lead.letters import Preview
from hub.web.lead.links import reach, size, telegram, whatsapp
from hub.web.lead.past import present_bar
from hub.web.lead.quick import quick_times
from hub.web.lead.story import FILTERS as STORIES
from hub.web.lead.story import amount
from hub.web.lead.view import Card, do_url, lead_url, sentence

LARGEST_NUMBER = 10**9
"""Above every number of a lead, and well within what a database holds."""

FILTERS = (
    ("", _l("Всё")),
    ("talk", _l("Общение")),
    ("meeting", _l("Встречи")),
    ("decision", _l("Решения")),
    ("due", _l("Сроки")),
    ("file", _l("Файлы")),
    ("system", _l("Системные")),
)
assert {id for id, _title in FILTERS} == {"", *STORIES}


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
        "telegram": telegram,
        "attachments": attachments,
        "versions": deal.versions,
        "referrals": deal.referrals,
        "hand_over": deal.hand_over,
        "play_act": deal.play_act,
        "request_due": deal.request_due,
        "similar": similar,
        "quick_times": quick_times,
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
    group = show if show in STORIES else ""
    everything = request.args.get("all") == "1"
    folds, older = card.folds(group, everything)
    kept = {k: v for k, v in (("show", group), ("all", "1" if everything else ""), ("at", at)) if v}
    chips = [
        (lead_url(card.id, show=id or None, at=at, _anchor="story"), str(title), card.counts[id] or None, id == group)
        for id, title in FILTERS
        if not id or card.counts[id]
    ]
    return {
        "folds": folds,
        "older": older,
        "chips": chips,
        "older_url": lead_url(card.id, **{**kept, "all": "1", "_anchor": "story"}),
        "live_story": live_url(card.id, **kept),
        "files_of": by_event(card),
    }


@bp.get("/leads/<uuid:lead>")
@needs("read")
def card(lead: UUID) -> str | Response:
    """The card; with ``at`` as it was at a version or a time."""
    reads.note(lead, "card")
    if past.asked(request.args):
        return past_pages.page(lead, _story)
    return _whole(Card(lead), request.args.get("tab", ""))


def _whole(card: Card, tab: str, made: Panel | None = None) -> str:
    return render_template("lead/card.html", card=card, s=card.s, p=card.process, bar=present_bar(card), me=me(),
                           **composer(card, tab, made), **_story(card))


@bp.post("/leads/<uuid:lead>/compose/<tab>")
@needs("read")
def compose(lead: UUID, tab: str) -> Response:
    """Write down what a tab of the composer holds; what was refused stands in the tab again."""
    answer = written(lead, tab)
    if isinstance(answer, Response):
        return answer
    card, made, status = answer
    if not by_htmx():
        return make_response(_whole(card, tab, made), status)
    return make_response(render_template("lead/_compose_panel.html", panel=made, card=card, s=card.s, p=card.process), status)


@bp.get("/leads/<uuid:lead>/live/<any(head, aside, story):part>")
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


@bp.get("/leads/<uuid:lead>/files/<digest>/look")
@needs("read")
def look(lead: UUID, digest: str) -> Response:
    """A picture or a PDF of the lead, to be looked at; any other file is saved."""
    reads.note(lead, "file")
    return files.shown(lead, digest)


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
    chosen(texts)
    sent = Sent(texts, request.files)
    try:
        card = Card(lead)
        version = sent.one("version")
        expected = int(version) if made.guarded and re.fullmatch("[0-9]{1,9}", version) else None
        values = arguments(made, sent, card.ctx)
        look = made.preview(values, card.ctx) if made.preview else None
        if look is not None and sent.one("seen") != look.seen:
            return _page(made, card, {}, sent, preview=look)
        said = report(_give(made, sent, values, expected, card), made)
    except Clashed as clashed:
        return _page(made, Card(lead), {}, sent, Conflict("conflict"), clashes=clashed.clashes)
    except Refused as refused:
        card = Card(lead)
        if card.refusal_of(command) is not None:
            raise
        return _page(made, card, {}, sent, refused)
    if sent.one("stay") == "1" and by_htmx():
        return answered(lead, said)
    flash(said, "ok")
    return go(lead_url(lead))


class Clashed(Exception):
    """A colleague answered the same questions in another way meanwhile."""

    def __init__(self, clashes: list[Clash]) -> None:
        self.clashes = clashes


def _give(made: Form, sent: Sent, values: dict[str, Any], expected: int | None, card: Card) -> Done:
    """Give the command. Where the card moved on since it was drawn, what was changed by others stays and what goes together is
    stored; the rest raises :class:`Clashed`."""
    try:
        return give(card.id, made.command, values, expected)
    except Conflict:
        newer = Card(card.id)
        found = compare(made, sent, newer.ctx, newer.events, expected) if expected and expected <= newer.version else None
        if found is None:
            raise
        if found.clashes:
            raise Clashed(found.clashes) from None
        for name, value in found.merged.items():
            sent.texts[name] = value
        done = give(newer.id, made.command, arguments(made, sent, newer.ctx), newer.version)
        if found.took:
            flash(_("Пока вы писали, коллега изменил: %(what)s. Сохранено и то, и другое.", what=", ".join(found.took)), "warn")
        return done


def _form(command: str) -> Form:
    if command not in COMMANDS:
        raise NotFound("no_such_command", name=command[:60])
    return FORMS[command]


def _page(made: Form, card: Card, given: Any, sent: Sent | None = None, refused: Refused | None = None,
          preview: Preview | None = None, clashes: list[Clash] | None = None) -> Response:
    errors = {refused.field: sentence(refused)} if refused else {}
    names = {f.name for f in made.fields}
    top = "" if refused is None or refused.field in names else sentence(refused)
    fields = draw(made, card.ctx, given, sent, errors)
    template = "lead/_form.html" if by_htmx() else "lead/do.html"
    page = render_template(
        template, form=made, fields=fields, top=top, card=card, s=card.s, p=card.process, conflict=isinstance(refused, Conflict),
        preview=preview, clashes=clashes or [], asked={clash.name for clash in clashes or ()},
    )
    return make_response(page, status_of(refused) if refused else 200)


def report(done: Done, made: Form) -> str:
    """What a command did beyond the obvious, in words."""
    process, text = the_process(), str(made.title)
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
    return text + "."


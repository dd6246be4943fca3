"""Pages of the past of a lead: the card at a moment, a difference, «Почему?», what if, and the whole history on paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.errors import NotFound, Refused, sentences
from hub.domain.evolve import evolve
from hub.domain.process import Process
from hub.domain.process_check import BadProcess, read_process
from hub.domain.replay import difference as differ
from hub.domain.replay import known_at
from hub.domain.state import LeadState
from hub.domain.what_if import WhatIf
from hub.domain.what_if import what_if as decide
from hub.web import words
from hub.web.desk import needs, now, the_hub
from hub.web.errors import status_of
from hub.web.frame import in_words, the_process
from hub.web.lead import words as w
from hub.web.lead.blueprint import bp, by_htmx
from hub.web.lead.past import Bar, PastCard, bar_of, dues_said, present_bar
from hub.web.lead.past_why import Source, Sources, sections
from hub.web.lead.past_words import GROUPS, Reader, group_of, shown
from hub.web.lead.view import Card, sentence
from hub.web.past import Moment, asked, enter, read_moment
from hub.web.process.page import published

sentences(
    no_such_process=("Редакции процесса № {given} не было. Выберите из списка редакций.",
                     "There was no version {given} of the process. Choose one of the list."),
    file_is_no_process=("Файл не подходит как процесс: {why}. Исправьте его и отправьте снова.",
                        "The file is no process: {why}. Mend it and send it again."),
)

LARGEST_FILE = 400_000
"""Characters of a process file that is tried."""


@bp.app_template_filter("exact")
def exact(at: datetime) -> str:
    """An instant to the second with its offset, as an audit needs it: ``20.11.2026 10:05:03 +0300``."""
    there = words.local(at) or at
    return f"{there:%d.%m.%Y %H:%M:%S} {there:%z}"


def _moment(name: str = "at") -> Moment | None:
    return read_moment(request.args[name], versions=True) if asked({"at": request.args.get(name, "")}) else None


def _card(lead: UUID) -> Card:
    """The card of ``at``, or of now."""
    moment = _moment()
    return PastCard(lead, moment) if moment is not None else Card(lead)


def _bar(card: Card) -> Bar:
    return card.bar if isinstance(card, PastCard) else present_bar(card)


def _wrong(lead: UUID, refused: Refused) -> Response:
    """Which moment was meant cannot be said: why, and the two moments that there are for certain."""
    if refused.code == "no_such_lead":
        raise refused
    events = the_hub().history(lead)
    page = render_template("lead/past_wrong.html", sentence=sentence(refused), bar=bar_of(lead, events, 1, now(), past=True),
                           began=known_at(events[0]))
    return make_response(page, status_of(refused))


def page(lead: UUID, story: Callable[[Card, str | None], dict[str, Any]]) -> str | Response:
    """The card as it was; ``story`` gives its timeline."""
    try:
        card = PastCard(lead, read_moment(request.args["at"], versions=True))
    except Refused as refused:
        return _wrong(lead, refused)
    enter()
    return render_template("lead/past.html", card=card, s=card.s, p=card.process, bar=card.bar, dues=dues_said(card),
                           here=card.version, **story(card, request.args["at"].strip()))


# ── a difference ─────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Changed:
    """A value at two moments."""

    label: str
    before: str
    after: str
    source: Source


@bp.get("/leads/<uuid:lead>/difference")
@needs("read")
def difference(lead: UUID) -> str | Response:
    """What differs between two moments (``old``, the one before ``new``; ``new``, now), field by field."""
    try:
        events = the_hub().history(lead)
        there = {name: _version(lead, name) for name in ("old", "new")}
    except Refused as refused:
        return _wrong(lead, refused)
    new = there["new"] or len(events)
    old = there["old"] or max(1, new - 1)
    old, new = sorted((old, new))
    card = PastCard(lead, Moment(version=new))
    before: LeadState = LeadState()
    for event in events[:old]:
        before = evolve(before, event)
    readers = (Reader(before, card.process, card.teller), Reader(card.s, card.process, card.teller))
    sources = Sources(card.events, card.teller)
    found: dict[str, list[Changed]] = {}
    for change in differ(events, old, new):
        if shown(change.key):
            names = readers[1] if change.after is not None else readers[0]
            found.setdefault(group_of(change.key), []).append(Changed(
                names.label(change.key), readers[0].said(change.key, change.before), readers[1].said(change.key, change.after),
                sources.of(change.event)))
    groups = [(str(title), found[id]) for id, title in GROUPS.items() if id in found]
    bar = bar_of(lead, events, new, card.at, past=new < len(events))
    return render_template("lead/difference.html", card=card, s=card.s, bar=bar, old=old, new=new,
                           old_at=known_at(events[old - 1]), new_at=known_at(events[new - 1]), count=len(events), groups=groups)


def _version(lead: UUID, name: str) -> int:
    moment = _moment(name)
    return 0 if moment is None else len(the_hub().past(lead, version=moment.version, at=moment.at))


# ── why ──────────────────────────────────────────────────────────────────────────


@bp.get("/leads/<uuid:lead>/why")
@needs("read")
def why(lead: UUID) -> str | Response:
    """The event and the rule behind every value; ``group`` narrows to a part of the card, which a window shows."""
    try:
        card = _card(lead)
    except Refused as refused:
        return _wrong(lead, refused)
    group = request.args.get("group", "")
    parts = sections(card, group if group in GROUPS else "")
    if isinstance(card, PastCard):
        enter()
    return render_template("lead/_why.html" if by_htmx() else "lead/why.html", card=card, s=card.s, bar=_bar(card),
                           sections=parts, group=group, parts=[(f"#why-{x.id}", x.title, None, False) for x in parts])


# ── what if ──────────────────────────────────────────────────────────────────────


@bp.route("/leads/<uuid:lead>/what-if", methods=["GET", "POST"])
@needs("read")
def what_if(lead: UUID) -> str | Response:
    """What today's process file, the one of another version, or one that is sent for trial would have decided."""
    try:
        card = _card(lead)
        chosen, named = _chosen()
    except Refused as refused:
        if refused.field == "file":
            return _tried(_card(lead), the_process(), "", sentence(refused))
        return _wrong(lead, refused)
    return _tried(card, chosen, named)


def _chosen() -> tuple[Process, str]:
    """The process to try, and the name of its file where one was sent."""
    sent = request.files.get("file")
    if request.method == "POST" and sent is not None and sent.filename:
        text = sent.stream.read(LARGEST_FILE + 1).decode("utf-8", "replace")
        try:
            return Process(read_process(text)), sent.filename[:100]
        except BadProcess as bad:
            raise Refused("file_is_no_process", field="file", why=str(bad)) from None
    number = request.values.get("process", "")
    if not number.strip():
        return the_process(), ""
    if not number.isascii() or not number.isdigit() or len(number) > 9 or not int(number):
        raise NotFound("no_such_process", field="process", given=number[:20])
    try:
        return in_words(the_hub().process_of_day(int(number))), ""
    except NotFound:
        raise NotFound("no_such_process", field="process", given=number) from None


def _tried(card: Card, process: Process, named: str, error: str = "") -> Response:
    if isinstance(card, PastCard):
        enter()
    found = decide(card.events, process, the_hub().process_of_day, card.at)
    versions = [(v.number, v.at) for v in reversed(published())]
    page = render_template("lead/what_if.html", card=card, s=card.s, p=process, bar=_bar(card), found=found, named=named,
                           error=error, versions=versions, refusals=_refusals(found, process, card))
    return make_response(page, 422 if error else 200)


def _refusals(found: WhatIf, process: Process, card: Card) -> list[tuple[Any, str, str]]:
    """Steps that would have been refused: the step, what it was, and why not."""
    titles = {entry.number: entry.title for entry in card.entries}
    said = {
        "stage": lambda n: _("в этом файле нет стадии «%(name)s»", name=w.titled(card.process.stages, n)),
        "move": lambda n: _("в этом файле нет перехода %(name)s",
                            name=" → ".join(w.titled(card.process.stages, x) for x in n.split(" → "))),
        "guard": lambda n: _("не выполнено условие: %(name)s", name=w.said(w.GUARDS, n)),
        "end": lambda n: _("из этой стадии сделку так не закрывают: %(name)s", name=w.said(w.ENDINGS, n)),
        "attempts": lambda n: _("мало попыток для критерия «%(name)s»", name=w.titled(process.hard_criteria, n)),
        "unknown": lambda n: _("этот файл не знает «%(name)s»", name=n),
        "sheet": lambda n: _("в листе нет параметра «%(name)s»", name=w.titled(process.parameters, n)),
    }
    return [(r, titles.get(r.event, r.type), str(said[r.what](r.name))) for r in found.refusals]


# ── paper ────────────────────────────────────────────────────────────────────────


@bp.get("/leads/<uuid:lead>/print")
@needs("read")
def printed(lead: UUID) -> str | Response:
    """The whole history of a lead up to ``at``, for paper: every event, nothing folded."""
    try:
        card = _card(lead)
    except Refused as refused:
        return _wrong(lead, refused)
    if isinstance(card, PastCard):
        enter()
    rows = list(zip(card.events, card.entries, strict=True))
    return render_template("lead/print.html", card=card, s=card.s, p=card.process, bar=_bar(card), rows=rows, printed_at=now(),
                           sections=sections(card))

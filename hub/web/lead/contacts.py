"""A person of the client's, edited in their place on the card; where a colleague was quicker, both answers stand side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from hub.domain.errors import Conflict, NotFound, Refused
from hub.domain.event import Event
from hub.domain.evolve import evolve
from hub.domain.lead import Lead
from hub.domain.state import LeadState, Person
from hub.web import words
from hub.web.desk import do as give
from hub.web.desk import needs
from hub.web.errors import status_of
from hub.web.lead import words as w
from hub.web.lead.blueprint import answered, bp, by_htmx
from hub.web.lead.conflict import Clash, chosen, three_ways
from hub.web.lead.forms import zones
from hub.web.lead.view import Card, lead_url, sentence

TITLES: w.Words = {"name": _l("Имя"), "position": _l("Должность"), "timezone": _l("Часовой пояс")}
REACH = "reach:"
"""Begins the input of an address: ``reach:phone:+79123456789`` holds what it is to be from now on, or nothing."""
NEW = 2
"""Empty rows for further addresses."""


@dataclass(frozen=True)
class Row:
    """A way to reach the person: its input, its kind in words, and what stands in it."""

    name: str
    title: str
    value: str
    kind: str


def answers(base: Person, person: Person) -> dict[str, str]:
    """What the questions that were asked of ``base`` are answered with by ``person`` as it is: an address that is gone by the one
    of its kind that came instead."""
    held = [(a.kind, a.value) for a in person.addresses]
    come = [one for one in held if one not in {(a.kind, a.value) for a in base.addresses}]
    found = {"name": person.name, "position": person.position, "timezone": person.timezone}
    for address in base.addresses:
        own = (address.kind, address.value)
        instead = next((one for one in come if one[0] == address.kind), None)
        if own not in held and instead is not None:
            come.remove(instead)
        now = own if own in held else instead
        found[f"{REACH}{address.kind}:{address.value}"] = now[1] if now else ""
    return found


def corrected(person: Person, theirs: Mapping[str, str], wanted: Mapping[str, str]) -> list[tuple[str, str]]:
    """All ways to reach the person from now on: theirs, with what ``wanted`` changes of them."""
    found = [(a.kind, a.value) for a in person.addresses]
    for name, value in wanted.items():
        if name.startswith(REACH) and value != theirs.get(name, ""):
            kind = name.removeprefix(REACH).partition(":")[0]
            old = (kind, theirs.get(name, ""))
            at = found.index(old) if old in found else len(found)
            found[at:at + 1] = [(kind, value)] if value else []
    return found


def _person(card: Card, id: UUID) -> Person:
    if id not in card.s.people:
        raise NotFound("no_such_contact")
    return card.s.people[id]


@bp.get("/leads/<uuid:lead>/people/<uuid:person>")
@needs("read")
def person(lead: UUID, person: UUID) -> Response:
    """The form in the person's place; for a role that may not edit, the sentence that says who may."""
    card = Card(lead)
    if (refused := card.refusal_of("edit_person")) is not None:
        raise refused
    who = _person(card, person)
    return _drawn(card, who, answers(who, who), card.version)


@bp.post("/leads/<uuid:lead>/people/<uuid:person>")
@needs("read")
def person_edited(lead: UUID, person: UUID) -> Response:
    """Store it. What a colleague changed meanwhile stays; what both changed is asked."""
    texts = request.form.copy()
    chosen(texts)
    card = Card(lead)
    seen = _seen(texts, card.version)
    now = _person(card, person)
    base = Lead.fold(card.events[:seen]).people.get(person, now)
    theirs = answers(base, now)
    mine = {name: texts.get(name, "").strip() for name in theirs if name in texts}
    wanted, both = three_ways(answers(base, base), theirs, {n: _spelled(n, v) for n, v in mine.items()})
    both = [name for name in both if texts.get(f"theirs-{name}") != theirs[name] or f"pick-{name}" not in texts]
    try:
        if both:
            raise Conflict("conflict")
        reaches = [{"kind": k, "value": v} for k, v in (*corrected(now, theirs, wanted), *_further(texts))]
        facts = {name: wanted[name] for name in TITLES if name in wanted}
        give(lead, "edit_person", {"person": str(person), **facts, "addresses": reaches}, card.version)
    except Refused as refused:
        card = Card(lead)
        if card.refusal_of("edit_person") is not None:
            raise
        clashes = [_clash(card, base, person, name, mine[name], seen) for name in both]
        return _drawn(card, now, {**theirs, **wanted}, seen, refused, clashes, texts)
    if not by_htmx():
        flash(_("Контакты сохранены."), "ok")
        return redirect(lead_url(lead), 303)
    return answered(lead, _("Контакты сохранены."), "edited", {"person": str(person)})


def _seen(texts: MultiDict[str, str], newest: int) -> int:
    text = texts.get("version", "")
    return min(int(text), newest) if text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) else newest


def _spelled(name: str, value: str) -> str:
    """A number as it is stored where it is written in another way: the same phone is no change."""
    if not name.startswith(f"{REACH}phone:") or not value:
        return value
    old = name.rpartition(":")[2]
    digits = "".join(c for c in value if c.isdigit())
    return old if digits[-10:] == old[-10:] and len(digits) in (10, 11) else value


def _further(texts: MultiDict[str, str]) -> Iterable[tuple[str, str]]:
    pairs = zip(texts.getlist("new-kind"), texts.getlist("new-value"), strict=False)
    return [(kind, value.strip()) for kind, value in pairs if value.strip()]


def _clash(card: Card, base: Person, person: UUID, name: str, mine: str, seen: int) -> Clash:
    theirs = answers(base, card.s.people[person]).get(name, "")
    event = _changed(card.events, base, person, name, seen)
    kind = name.removeprefix(REACH).partition(":")[0] if name.startswith(REACH) else ""
    label = w.said(w.ADDRESSES, kind) if kind else w.said(TITLES, name)
    return Clash(name, label, mine, theirs, _said(name, mine), _said(name, theirs),
                 card.names.get(event.actor, "") if event else "", event.at if event else None)


def _said(name: str, value: str) -> str:
    if name == "timezone":
        return w.cities(value)
    return words.phone(value) if name.startswith(f"{REACH}phone:") else value


def _changed(events: list[Event], base: Person, person: UUID, name: str, seen: int) -> Event | None:
    state: LeadState = Lead.fold(events[:seen])
    before, found = answers(base, base).get(name, ""), None
    for event in events[seen:]:
        state = evolve(state, event)
        now = answers(base, state.people[person]).get(name, "") if person in state.people else before
        if now != before:
            before, found = now, event
    return found


def _drawn(card: Card, who: Person, values: Mapping[str, str], seen: int, refused: Refused | None = None,
           clashes: list[Clash] | None = None, texts: MultiDict[str, str] | None = None) -> Response:
    """The form. It goes on from the version ``seen`` at first: its questions are those of that moment."""
    asked = {clash.name for clash in clashes or ()}
    rows = [Row(name, w.said(w.ADDRESSES, kind), words.phone(value) if kind == "phone" else value, kind)
            for name, value in values.items() if name.startswith(REACH) and name not in asked
            for kind in (name.removeprefix(REACH).partition(":")[0],)]
    new: list[tuple[str, str]] = list(_further(texts)) if texts is not None else []
    context: dict[str, Any] = {
        "card": card, "s": card.s, "p": card.process, "who": who, "seen": seen, "values": values, "rows": rows, "asked": asked,
        "clashes": clashes or [], "new": [*new, *[("phone", "")] * NEW][:max(NEW, len(new))], "zones": zones(card.ctx),
        "kinds": list(w.ADDRESSES.items()), "error": sentence(refused) if refused else "",
    }
    page = render_template("lead/_person.html" if by_htmx() else "lead/person.html", **context)
    return make_response(page, status_of(refused) if refused else 200)

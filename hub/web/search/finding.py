"""What a search's page shows beside leads: people, and where in a letter the words stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from markupsafe import Markup, escape

from hub.application import LeadHub
from hub.domain import events as e
from hub.domain.event import ERASED, Event
from hub.projections.lead_words import folded, phone_beginnings, words_in
from hub.projections.searching import Found
from hub.projections.spelling import other_spellings
from hub.projections.texts import texts_of, wanted
from hub.web.board.cards import lead_url

AROUND = 70
"""Characters of a letter that are shown on each side of what was found."""
MOST_PEOPLE = 5

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Client:
    """A person of the client's side whom the words name."""

    name: Markup
    company: str
    phone: str
    number: int
    url: str


@dataclass(frozen=True)
class Written:
    """A letter, message or note in which the words stand. ``piece`` is what is around them, with marks."""

    what: str
    at: datetime
    piece: Markup
    row: Any
    url: str


def beginnings(words: str, meant: str = "") -> tuple[str, ...]:
    """What a word that is marked begins with: as typed, as it may have been meant, and without the ending of its case."""
    typed = folded(f"{words} {meant}").split()
    every = [*typed, *(other for word in typed for other in other_spellings(word))]
    return tuple({one for text in every for one in (*words_in(text), *wanted(text)) if len(one) > 1})


def marked(text: str, words: str, meant: str = "") -> Markup:
    """``text`` with the words that were looked for marked."""
    begun, parts, last = beginnings(words, meant), [], 0
    for found in _WORD.finditer(text):
        word = folded(found[0])
        begins = max((len(one) for one in begun if word.startswith(one)), default=0)
        if begins:
            end = found.start() + begins
            parts += [escape(text[last:found.start()]), Markup("<mark>%s</mark>") % text[found.start():end]]
            last = end
    return Markup("").join([*parts, escape(text[last:])])


def people_in(found: Found) -> list[Client]:
    """Those people of the leads that were found whom the words name, by name or by phone; each once."""
    begun, ends = beginnings(found.words, found.meant), [one.lstrip("+-") for one in phone_beginnings(found.words)]
    people: dict[tuple[str, str], Client] = {}
    for row in found.leads:
        phone = next(iter(row["phones"].split()), "")
        named = any(folded(word).startswith(one) for word in words_in(row["person"]) for one in begun)
        rung = bool(phone) and any(end in phone or end[::-1] in phone for end in ends)
        if row["person"] and (named or rung):
            name = marked(row["person"], found.words, found.meant)
            people.setdefault((row["person"], phone), Client(name, row["company"], phone, row["number"], lead_url(row["id"])))
    return list(people.values())[:MOST_PEOPLE]


def written(hub: LeadHub, lead: UUID, words: str) -> Written | None:
    """The newest place of a lead's texts where most of the words stand; None where none does any more."""
    row = hub.views.leads.one(lead)
    begun = beginnings(words)
    best: tuple[int, Event, str] | None = None
    for event in reversed(hub.history(lead)) if row is not None else ():
        for text in texts_of(event):
            count = len({one for one in begun for word in words_in(text) if word.startswith(one)}) if text != ERASED else 0
            if count and (best is None or count > best[0]):
                best = count, event, text
    if best is None:
        return None
    _count, event, text = best
    return Written(_what(event), event.at, marked(_piece(text, begun), words), row, lead_url(row["id"]))


def _piece(text: str, begun: tuple[str, ...]) -> str:
    text = " ".join(text.split())
    at = next((found.start() for found in _WORD.finditer(text) if folded(found[0]).startswith(begun)), 0)
    start, end = max(0, at - AROUND), at + AROUND
    start = text.find(" ", start, at) + 1 if start else 0
    return f"{'…' if start else ''}{text[start:end].rstrip()}{'…' if end < len(text) else ''}"


def _what(event: Event) -> str:
    match event:
        case e.MessageReceived() | e.MessageEdited() | e.FileFetched():
            return str(_("Клиент писал"))
        case e.MessageAsked() | e.LetterAsked():
            return str(_("Мы писали"))
        case e.NoteAdded():
            return str(_("Заметка"))
        case _:
            return str(_("Разговор"))

"""What lies around a card: the one before and after it in the list that one came from, and requests like this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from flask import render_template, request

from hub.domain.errors import NotFound
from hub.projections.lead_similar import similar as look_up
from hub.web import words
from hub.web.board.filter import SHOWS, Filter, is_ended, read_filter
from hub.web.desk import me, needs, now, the_hub
from hub.web.frame import the_process
from hub.web.lead import words as w
from hub.web.lead.blueprint import bp
from hub.web.lead.view import Card, lead_url

LISTS = ("/", "/leads")
COUNTED = 100
"""Within so many leads of a list the card's place is said."""
SIMILAR = 4


@dataclass(frozen=True)
class Around:
    """The neighbours of a card in a list, its place there (0: too far down, or there no more), and how many there are."""

    title: str
    back: str
    previous: str
    next: str
    place: int
    total: int


@bp.get("/leads/<uuid:lead>/around")
@needs("read")
def around(lead: UUID) -> str:
    """The neighbours in the list whose address is ``from``; nothing where that is no list."""
    found = _around(lead, request.args.get("from", ""))
    return render_template("lead/_around.html", around=found)


def _around(lead: UUID, address: str) -> Around | None:
    parts = urlsplit(address)
    if parts.netloc or parts.path not in LISTS:
        return None
    row = the_hub().views.leads.one(lead)
    if row is None:
        raise NotFound("no_such_lead")
    chosen = read_filter(dict(parse_qsl(parts.query)), the_hub(), me().id, now())
    if parts.path == "/" and is_ended(chosen.wanted.show):
        return None
    leads, order = the_hub().views.leads, chosen.order if parts.path == "/leads" else "due"
    before, _more = leads.listed(chosen.wanted, order, 1, row["number"], back=True)
    after, _more = leads.listed(chosen.wanted, order, 1, row["number"])
    top, _more = leads.listed(chosen.wanted, order, COUNTED)
    numbers = [one["number"] for one in top]
    return Around(_title(chosen), address, _url(before), _url(after),
                  numbers.index(row["number"]) + 1 if row["number"] in numbers else 0, leads.how_many(chosen.wanted))


def _url(rows: list[Any]) -> str:
    return lead_url(UUID(rows[0]["id"])) if rows else ""


def _title(chosen: Filter) -> str:
    """What the list is called: its chip, and what else narrows it."""
    process, wanted = the_process(), chosen.wanted
    owner, segment = (value if value != "none" else "" for value in (wanted.owner, wanted.segment))
    further = [words.person(owner), segment, wanted.tag,
               w.titled(process.stages, wanted.stage) if wanted.stage else "",
               w.said(w.CHANNELS, wanted.channel) if wanted.channel else "", f"«{wanted.words}»" if wanted.words else ""]
    return ", ".join([str(SHOWS[wanted.show]), *filter(None, further)])


def similar(card: Card) -> list[Any]:
    """Rows of other requests about the same thing, whose end tells something; not those that are tied to this one."""
    if not card.s.about or card.number is None:
        return []
    tied = {UUID(row["id"]) for row in card.others} | {*card.s.absorbed, card.s.merged_into}
    with card.hub.store.views.reading() as cursor:
        found = look_up(cursor, card.number, card.s.about, SIMILAR + len(tied))
    return [row for row in found if UUID(row["id"]) not in tied and not row["merged_into"]][:SIMILAR]

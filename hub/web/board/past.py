"""The board and the list as of any moment: numbers from the read model of moments, what the cards say from the leads' events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import render_template, request
from flask_babel import gettext as _

from hub.domain.lead import Lead
from hub.domain.process import Process
from hub.projections.lead_queries import ASLEEP, Wanted
from hub.projections.leads import columns
from hub.projections.moments import SORTS
from hub.web import words
from hub.web.board.cards import Card, Deadline, Looker, card_of
from hub.web.board.columns import COLUMNS
from hub.web.board.filter import KEYS, Filter, chips, choices, is_ended, read_filter
from hub.web.desk import me, now, the_hub
from hub.web.frame import in_words
from hub.web.past import Moment, bar_at, enter, iso_text, read_moment

IN_COLUMN = 15
"""Cards of a column: each is read from its lead's events."""
IN_LIST = 50
MEDIAN_OVER = timedelta(days=30)


@dataclass(frozen=True)
class Still(Deadline):
    """A deadline of the past: its time stands still, said in words."""

    still: str = ""


@dataclass(frozen=True)
class PastFilter(Filter):
    """A filter that stays at its moment."""

    at: str = ""

    def url(self, path: str, **changes: str | int) -> str:
        """The address with this filter at this moment."""
        url = super().url(path, **changes)
        return f"{url}{'&' if '?' in url else '?'}{urlencode({'at': self.at})}"


@dataclass(frozen=True)
class PastColumn:
    """A stage of that day."""

    id: str
    title: str
    hint: str
    count: int
    median: timedelta | None
    cards: list[Card]
    more: int
    more_url: str


def rows_at(leads: Sequence[str], at: datetime) -> list[dict[str, Any]]:
    """Leads (by their ids as read models have them) as rows of the board's table, as they were at ``at``."""
    hub = the_hub()
    numbers = hub.views.moments.numbers(leads)
    found = []
    for lead in leads:
        events = hub.past(UUID(lead), at=at)
        found.append({"id": lead, "number": numbers.get(lead, 0), "version": len(events), "position": 0,
                      **columns(Lead.fold(events))})
    return found


def _looker() -> Looker:
    return Looker(me().id, False, {f"user:{id}": u.name for id, u in the_hub().users().items()})


def card_at(row: dict[str, Any], process: Process, at: datetime) -> Card:
    """A card of the past: no button, no running clock, and its page at the same moment."""
    card = card_of(row, process, _looker(), at)
    due = card.deadline
    if due is not None and due.state != "pause":
        left = words.span(due.due_at - at)
        said = _("просрочено на %(time)s", time=left) if due.due_at < at else _("оставалось %(time)s", time=left)
        due = Still(due.title, due.due_at, due.state, due.started_at, str(said))
    return replace(card, deadline=due, url=f"{card.url}?{urlencode({'at': iso_text(at)})}")


def _asked() -> tuple[Moment, datetime, PastFilter, Process]:
    moment = read_moment(request.args["at"])
    at = moment.at or now()
    enter()
    read = read_filter(request.args, the_hub(), me().id, at)
    sort = read.sort if read.sort.lstrip("-") in SORTS else ""
    return moment, at, PastFilter(read.wanted, sort, read.page, at=iso_text(at)), in_words(the_hub().process_at(at))


def _kept(chosen: PastFilter) -> dict[str, str]:
    w = chosen.wanted
    values = {"show": w.show if w.show != "all" else "", "owner": w.owner, "segment": w.segment, "channel": w.channel,
              "stage": w.stage, "tag": w.tag, "q": w.words}
    return {k: values[k] for k in KEYS if values[k]}


def _words_note(wanted: Wanted) -> str:
    return str(_("Слова и метки ищутся в том, что известно сегодня.")) if wanted.words or wanted.tag else ""


def board() -> str:
    """The board as it was."""
    moment, at, chosen, process = _asked()
    if is_ended(chosen.wanted.show):
        chosen = replace(chosen, wanted=replace(chosen.wanted, show="all"))
    views = the_hub().views
    counts, first = views.moments.counts(at, chosen.wanted), views.moments.columns(at, chosen.wanted, IN_COLUMN)
    medians = views.intervals.medians(at - MEDIAN_OVER, at)
    rows = {row["id"]: row for row in rows_at([lead for leads in first.values() for lead in leads], at)}
    places = [(s.id, s.title, s.hint) for s in process.stages.values() if chosen.wanted.stage in ("", s.id)]
    places.append((ASLEEP, _("Отложены"), _("Проект отложен, вернёмся в назначенный день")))
    shown = [
        PastColumn(id, title, hint, n, timedelta(seconds=medians[id]) if id in medians else None,
                   [card_at(rows[lead], process, at) for lead in first.get(id, ())], n - len(first.get(id, ())),
                   chosen.url("/leads", show="asleep") if id == ASLEEP else chosen.url("/leads", stage=id))
        for id, title, hint in places if (n := counts.places.get(id, 0)) or id != ASLEEP]
    bar = bar_at(moment, "/", _kept(chosen), _words_note(chosen.wanted))
    return render_template("board/past.html", columns=shown, chosen=chosen, chips=chips(chosen, counts, "/"),
                           choices=choices(chosen, the_hub()), list_url=chosen.url("/leads"), bar=bar, process=process)


def listed() -> dict[str, Any]:
    """What the list's page draws of a moment."""
    moment, at, chosen, process = _asked()
    moments = the_hub().views.moments
    counts, ended = moments.counts(at, chosen.wanted), moments.endings(at, chosen.wanted)
    total = {**counts.shows, **ended}[chosen.wanted.show]
    pages = max(1, -(-total // IN_LIST))
    page = min(chosen.page, pages)
    rows = rows_at(moments.listed(at, chosen.wanted, chosen.order, IN_LIST, (page - 1) * IN_LIST), at)
    kept = {**_kept(chosen), **({"sort": chosen.sort} if chosen.sort else {})}
    bar = bar_at(moment, "/leads", kept, _words_note(chosen.wanted))
    return {"rows": [(row, card_at(row, process, at)) for row in rows], "chosen": chosen, "process": process,
            "chips": chips(chosen, counts, "/leads", ended), "choices": choices(chosen, the_hub()), "total": total, "page": page,
            "pages": pages, "page_url": chosen.url("/leads", page="{page}").replace("%7Bpage%7D", "{page}"),
            "board_url": chosen.url("/"), "stages": process.stages, "may_open": False, "bar": bar, "shown": COLUMNS,
            "dense": False, "may_pick": False}

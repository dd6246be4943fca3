"""The leads behind a number of the map: a row for each thing that was counted, the newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hub.domain.errors import Refused, sentences
from hub.projections.flows import BACK, Behind, Passed, Slice
from hub.projections.lead_queries import ASLEEP
from hub.web.board.cards import Card, Looker, card_of
from hub.web.board.past import card_at, rows_at
from hub.web.desk import me, now, signed_in, the_hub
from hub.web.past import PastBar, bar_at, enter
from hub.web.process.asked import Asked, choices, read
from hub.web.process.numbers import ENDS, place_title
from hub.web.words import day

bp = Blueprint("process_leads", __name__)

SHOWN = 50
KINDS = ("open", "left", "came", "met", "missed")
NEW = "new"
"""Stands for an empty place in an address: a lead that came for the first time."""
AFTER = re.compile(r"([0-9T:.+-]{10,40})_([0-9a-f]{32})_([0-9]{1,9})")
HEADS = {"open": _l("Пришла"), "left": _l("Вышла из стадии"), "came": _l("Вошла в стадию"), "met": _l("Когда"),
         "missed": _l("Когда")}

sentences(
    map_number_unknown=("Такого числа на карте нет. Откройте карту и выберите число на ней.",
                        "The map has no such number. Open the map and choose a number on it."),
)


@dataclass(frozen=True)
class Chosen:
    """A number of the map, as an address names it."""

    asked: Asked
    behind: Behind

    @property
    def slice(self) -> Slice:
        """As the read models are asked; what is open is asked at a moment."""
        slice = self.asked.slice
        return replace(slice, until=self.asked.at) if self.behind.kind == "open" else slice


def link(asked: Asked, what: str, stage: str = "", to: str = "", **more: str) -> str:
    """The address of the leads behind a number; ``more`` are filters of that number alone."""
    return asked.url("/process/leads", what=what, stage=stage, into=to, **more)


def chosen() -> Chosen:
    """What the address names. Refused where there is no such number."""
    asked = read(request.args)
    what, stage, to = (request.args.get(name, "") for name in ("what", "stage", "into"))
    if what not in KINDS or len(stage) > 80 or len(to) > 80:
        raise Refused("map_number_unknown")
    return Chosen(asked, Behind(what, stage or None, "" if to == NEW and what == "came" else to or None))


@bp.get("/process/leads")
@signed_in
def page() -> str:
    """The leads behind a number, page by page."""
    hub, one = the_hub(), chosen()
    asked = one.asked
    rows = hub.views.flows.behind(one.behind, one.slice, SHOWN + 1, _after(request.args.get("after", "")))
    total, leads = hub.views.flows.count(one.behind, one.slice)
    shown = rows[:SHOWN]
    context: dict[str, Any] = {"bar": None}
    keep = {name: request.args[name] for name in ("what", "stage", "into") if request.args.get(name)}
    if asked.moment is not None:
        enter()
        context = {"bar": _bar(one, keep)}
    cards = cards_of(shown, asked)
    more = asked.url("/process/leads", **keep, after=_place(shown[-1])) if len(rows) > SHOWN else ""
    return render_template(
        "process/leads.html", title=title(one), time=time_words(asked), total=total, leads=leads, more=more,
        rows=[(row, *cards[row.lead]) for row in shown if row.lead in cards], map_url=asked.url("/process"),
        first=asked.url("/process/leads", **keep) if request.args.get("after") else "",
        place=lambda id: place_title(asked, id), deadline=lambda key: deadline_title(key, asked), narrowed=narrowed(asked),
        what=one.behind.kind, when=HEADS[one.behind.kind], list_url=_list(one), **context)


def cards_of(rows: list[Passed], asked: Asked) -> dict[str, tuple[Any, Card]]:
    """Leads by id, as they are or as they were at the moment: their rows and cards."""
    ids = list(dict.fromkeys(row.lead for row in rows))
    if asked.at is not None:
        return {row["id"]: (row, card_at(row, asked.process, asked.at)) for row in rows_at(ids, asked.at)}
    if not ids:
        return {}
    looker = Looker(me().id, False, {f"user:{id}": user.name for id, user in the_hub().users().items()})
    found = the_hub().views.leads.rows(f"id IN ({', '.join('?' * len(ids))})", ids, "number", SHOWN)
    return {row["id"]: (row, card_of(row, asked.process, looker, now())) for row in found}


def _bar(one: Chosen, keep: dict[str, str]) -> PastBar:
    assert one.asked.moment is not None
    return bar_at(one.asked.moment, "/process/leads", {**one.asked.kept, **keep})


def _after(text: str) -> tuple[str, str, int] | None:
    found = AFTER.fullmatch(text.replace(" ", "+"))
    return (found[1], UUID(found[2]).hex, int(found[3])) if found else None


def _place(row: Passed) -> str:
    return f"{row.at}_{row.lead}_{row.version}"


def _list(one: Chosen) -> str:
    """The list with its commands, where it shows the same leads: what is open now, without a filter that it does not have."""
    asked, behind = one.asked, one.behind
    if behind.kind != "open" or asked.source or asked.channel == "none" or behind.stage is None:
        return ""
    more = {"show": "asleep"} if behind.stage == ASLEEP else {"stage": behind.stage}
    return asked.url("/leads", **{**more, "from": "", "to": ""})


def title(one: Chosen) -> str:
    """What the number counts."""
    asked, behind = one.asked, one.behind
    stage = place_title(asked, behind.stage) if behind.stage else ""
    to = place_title(asked, behind.to) if behind.to else ""
    return str({"open": _open_title, "left": _left_title, "came": _came_title}.get(behind.kind, _due_title)(one, stage, to))


def _open_title(one: Chosen, stage: str, to: str) -> str:
    if not stage:
        return str(_("Открытые заявки"))
    if one.behind.stage == ASLEEP:
        return str(_("Отложенные заявки"))
    return str(_("Сейчас в стадии «%(stage)s»", stage=stage) if one.asked.at is None else
               _("Были в стадии «%(stage)s»", stage=stage))


def _left_title(one: Chosen, stage: str, to: str) -> str:
    ended = one.behind.to in ENDS
    if stage and to:
        return str(_("%(end)s на стадии «%(stage)s»", end=to, stage=stage) if ended else
                   _("Из «%(stage)s» в «%(to)s»", stage=stage, to=to))
    if stage:
        return str(_("Вышли из стадии «%(stage)s»", stage=stage))
    return str(to if ended else _("Перешли в «%(to)s»", to=to) if to else _("Все переходы"))


def _came_title(one: Chosen, stage: str, to: str) -> str:
    if one.behind.to == "":
        return str(_("Новые заявки"))
    if one.behind.to == BACK:
        return str(_("Вернулись в «%(stage)s»", stage=stage) if stage else _("Вернулись в работу"))
    return str(_("Вернулись: %(end)s", end=to) if to else _("Новые и вернувшиеся"))


def _due_title(one: Chosen, stage: str, to: str) -> str:
    if one.behind.kind == "met":
        return str(_("Выполненные сроки на стадии «%(stage)s»", stage=stage) if stage else _("Выполненные сроки"))
    return str(_("Пропущенные сроки на стадии «%(stage)s»", stage=stage) if stage else _("Пропущенные сроки"))


def narrowed(asked: Asked) -> list[tuple[str, str]]:
    """The chosen filters in words: (label, value)."""
    return [(label, next((title for id, title in options if id == value), value))
            for _name, label, value, options in choices(asked) if value]


def time_words(asked: Asked) -> str:
    """The time in words: «1–30 ноября» is written with both days."""
    return str(_("%(first)s — %(last)s", first=day(asked.first), last=day(asked.last)))


def deadline_title(key: str, asked: Asked) -> str:
    """What a deadline is called."""
    kind = key.partition(":")[0]
    found = asked.process.deadlines.get(kind)
    return found.title if found is not None else kind



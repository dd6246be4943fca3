"""All leads as a table: sorted, read page by page, with the columns that each person chose."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from hub.web import past
from hub.web.board import past as past_board
from hub.web.board import quick, saved
from hub.web.board.cards import card_of, lead_url
from hub.web.board.columns import TITLES
from hub.web.board.filter import Filter, chips, choices, is_ended
from hub.web.board.looking import chosen_filter, looker
from hub.web.desk import may, me, now, signed_in, the_hub
from hub.web.frame import the_process

bp = Blueprint("listing", __name__)

IN_LIST = 50
LOOSE = {"number", "received", "score", "ended", "money", "deferrals"}
"""What a first press on the heading sorts from its greatest value."""


@bp.get("/leads")
@signed_in
def index() -> str:
    """All leads, the ended ones too; with ``at`` as they were."""
    if past.asked(request.args):
        then = past_board.listed()
        return render_template("board/list.html", **then, sorts=_sorts(then["chosen"], then["shown"], names=False),
                               lead_url=lead_url)
    return render_template("board/list.html", **_listed())


@bp.get("/leads/part")
@signed_in
def part() -> str:
    """What changes in the list, for its refresh."""
    return render_template("board/_list.html", **_listed())


def _listed() -> dict[str, Any]:
    hub, chosen = the_hub(), chosen_filter()
    process, leads, who, look = the_process(), hub.views.leads, looker(), saved.the_views().look(me().stream)
    counts, ended = leads.counts(chosen.wanted), leads.endings(chosen.wanted)
    back = bool(chosen.before)
    rows, more = leads.listed(chosen.wanted, chosen.order, IN_LIST, chosen.before or chosen.after, back=back)
    before = rows[0]["number"] if rows and (more if back else chosen.after) else 0
    after = rows[-1]["number"] if rows and (back or more) else 0
    here: dict[str, str | int] = {"after": chosen.after, "before": chosen.before}
    return {
        "rows": [(row, card_of(row, process, who, now())) for row in rows], "chosen": chosen, "process": process,
        "chips": chips(chosen, counts, "/leads", ended), "choices": choices(chosen, hub),
        "total": {**counts.shows, **ended}[chosen.wanted.show], "first_url": chosen.url("/leads") if chosen.after or back else "",
        "before_url": chosen.url("/leads", before=before) if before else "",
        "after_url": chosen.url("/leads", after=after) if after else "", "part_url": chosen.url("/leads/part", **here),
        "sorts": _sorts(chosen, look.columns), "shown": look.columns, "dense": look.dense, "columns": TITLES,
        "board_url": chosen.url("/"), "stages": process.stages, "lead_url": lead_url, "may_open": may("intake"),
        "may_pick": may("work", "intake", "account"), "works": who.works, "query": chosen.url("/leads").partition("?")[2],
        "export_url": chosen.url("/leads").replace("/leads", "/exports/leads", 1), **saved.shown(chosen, "list"),
        **quick.form_values()}


def _sorts(chosen: Filter, shown: tuple[str, ...], names: bool = True) -> list[tuple[str, str, str, str, str]]:
    """Headings of the table: (column, title, url, arrow, aria-sort); of the past it is not sorted by ``names``."""
    ended = is_ended(chosen.wanted.show)
    heads = {"number": ("number", _("№")), "stage": ("stage", _("Стадия")), "score": ("score", _("Оценка")),
             "due": ("ended", _("Закрыта")) if ended else ("due", _("Срок")), "next": ("", _("Почему") if ended else _("Дальше")),
             "tags": ("", _("Метки")), "owner": ("owner", _("Ответственный")), "channel": ("channel", _("Источник")),
             "company": ("", _("Компания")), "money": ("", _("Сумма") if ended else _("Бюджет")),
             "deferrals": ("deferrals", _("Отсрочки")), "received": ("received", _("Пришла"))}
    bare, found = chosen.order.lstrip("-"), []
    for column in ("number", "name", *(name for name in shown if name != "number")):
        if column == "number" and column not in shown:
            continue
        key, title = ("name" if names else "", _("Заявка")) if column == "name" else heads[column]
        falling = chosen.order.startswith("-")
        wanted = f"-{key}" if (chosen.order == key or (bare != key and key in LOOSE)) else key
        arrow = "" if bare != key else "arrow-down" if falling else "arrow-up"
        state = "" if bare != key else "descending" if falling else "ascending"
        found.append((column, title, chosen.url("/leads", sort=wanted) if key else "", arrow, state))
    return found

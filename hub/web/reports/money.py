"""Contracts, the average one, and what was sold after them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _

from hub.projections.reports_days import Won
from hub.web.desk import the_hub
from hub.web.lead.words import CHANCE_STATUS, CHANCES, said
from hub.web.reports import say
from hub.web.reports.figures import url
from hub.web.reports.filter import Chosen
from hub.web.reports.tables import Bar, Block, Cell, Column, Columns, Page, Tile, number


def money(chosen: Chosen) -> Page:
    """Contracts, the average one, and what was sold after them (R30, R33)."""
    views = the_hub().views
    found = views.report_turns.won(chosen.over, chosen.zone)
    since, until = chosen.over.time
    chances = [(status, row) for status in ("won", "lost") for row in views.reports.chances(status, chosen.owner, since, until)]
    totals = found[""]
    tiles = (Tile(_("Договоров"), str(sum(w.n for w in totals)), _("за период"), url(chosen, "won")),
             *(Tile(_("Сумма"), say.money(w.value, w.currency, short=True).text, w.currency,
                    url(chosen, "won", currency=w.currency)) for w in totals[:2]),
             *(Tile(_("Средний чек"), say.money(w.value // w.n, w.currency, short=True).text, w.currency)
               for w in totals[:1]))
    how = _("Договоры, записанные выигранными за период, по сумме договора, каждая валюта отдельно. Средний чек — сумма, "
            "делённая на число договоров. Человек — кто вёл заявку в тот день.")
    by_month = [w for w in found["month"] if w.currency == (totals[0].currency if totals else "")]
    highest = max((w.value for w in by_month), default=0) or 1
    over_time = Columns(tuple((say.month(w.by), 100 * w.value / highest, say.money(w.value, w.currency).text) for w in by_month),
                        say.money(highest, by_month[0].currency, short=True).text) if len(by_month) > 1 else None
    columns = (Column(_("Договоров")), Column(_("Сумма")), Column(_("Средний чек")), Column(_("Валюта"), False))
    most = max((w.value for w in found["owner"]), default=0) or 1
    people = sorted(found["owner"], key=lambda w: -w.value)
    bars = tuple(Bar(say.person(w.by), say.money(w.value, w.currency, short=True).text,
                     (("a", 100 * w.value / most, w.currency),)) for w in people)
    blocks = (
        Block("won-people", _("Договоры по людям"), how, (Column(_("Ответственный"), False), *columns),
              tuple(_won_row(say.person(w.by), w, chosen, owner=w.by) for w in people),
              _won_row(_("Всего"), totals[0], chosen) if len(totals) == 1 else (), bars=bars, icon="trophy", layout="half",
              empty=_("За период договоров не было.")),
        Block("won-months", _("Договоры по месяцам"), _("То же по месяцу, в котором договор записан."),
              (Column(_("Месяц"), False), *columns),
              tuple(_won_row(say.month(w.by), w, chosen, month=w.by) for w in found["month"]),
              over_time=over_time, icon="calendar-days", layout="half", empty=_("За период договоров не было.")),
        Block("chances", _("Продажи после договора"),
              _("Допродажи и кросс-продажи, закрытые за период: проданные и нет. Человек — аккаунт-менеджер клиента или тот, кто "
                "вёл заявку."),
              (Column(_("Что"), False), Column(_("Чем кончилось"), False), Column(_("Сколько")), Column(_("Сумма")),
               Column(_("Валюта"), False)),
              tuple(_chance_row(status, row, chosen) for status, row in chances),
              icon="sparkles", empty=_("За период продаж после договора не закрывали.")),
    )
    return Page(tiles, blocks)


def _chance_row(status: str, row: Any, chosen: Chosen) -> tuple[Cell, ...]:
    kind, end = said(CHANCES, row["kind"]), said(CHANCE_STATUS, status)
    return (Cell(kind, kind), Cell(end, end), number(int(row["n"]), url(chosen, f"chances_{status}", kind=row["kind"])),
            say.money(int(row["amount"] or 0), row["currency"]), Cell(row["currency"], row["currency"]))


def _won_row(name: str, w: Won, chosen: Chosen, owner: str | None = None, month: str = "") -> tuple[Cell, ...]:
    of = {"currency": w.currency} | ({"owner": owner} if owner is not None else {})
    if month:
        part = next(p for p in chosen.over.months(chosen.zone) if p.id == month)
        last = datetime.fromisoformat(part.until) - timedelta(microseconds=1)
        of |= {"from": chosen.process.date_of(datetime.fromisoformat(part.since)).isoformat(),
               "to": chosen.process.date_of(last).isoformat()}
    return (Cell(name, name), number(w.n, url(chosen, "won", **of)), say.money(w.value, w.currency),
            say.money(w.value // w.n, w.currency), Cell(w.currency, w.currency))

"""Where requests come from and what comes of them."""

from __future__ import annotations

from flask_babel import gettext as _

from hub.projections.reports_cohorts import SOURCE, Source
from hub.web import words
from hub.web.desk import the_hub
from hub.web.reports import figures, say
from hub.web.reports.figures import url
from hub.web.reports.filter import Chosen
from hub.web.reports.tables import Bar, Block, Cell, Column, Page, Tile, number

MOST_SOURCES = 200
"""Lines of the table; its file has them all."""


def sources(chosen: Chosen) -> Page:
    """Where requests come from and what comes of them."""
    found = the_hub().views.reports.sources(chosen.over, figures.worked(chosen.process))
    requests, won = sum(s.requests for s in found), sum(s.won for s in found)
    tiles = (Tile(_("Заявок"), str(requests), _("пришли за период"), url(chosen, "requests")),
             Tile(_("Прошли оценку"), say.share(sum(s.qualified for s in found), requests).text,
                  _("сегменты %(ids)s", ids=", ".join(figures.worked(chosen.process))), url(chosen, "qualified")),
             Tile(_("Договоров"), str(won), _("из заявок периода"), url(chosen, "sold")),
             Tile(_("Источников"), str(len(found)), _("с метками UTM")))
    how = _("Заявки, которые пришли за период, по каналу, источнику и меткам UTM первого обращения. Прошла оценку — по "
            "последнему листу сегмент, с которым работаем (%(ids)s), и мы не отказали, либо уже договор. Договор и сумма — "
            "что есть к этому часу.",
            ids=", ".join(figures.worked(chosen.process)))
    columns = (Column(_("Канал"), False), Column(_("Источник"), False), Column("utm_source", False),
               Column("utm_medium", False), Column("utm_campaign", False), Column(_("Заявок")), Column(_("Прошли оценку")),
               Column(_("Договоров")), Column(_("В договор"), unit="%"), Column(_("Сумма договоров")))
    notes = (_("Показаны первые %(n)s строк, в файле все %(all)s.", n=MOST_SOURCES, all=len(found)),)
    most = max((s.requests for s in found), default=1)
    bars = tuple(Bar(_source_name(s), _("%(n)s, договоров %(won)s", n=s.requests, won=s.won),
                     (("a", 100 * s.won / most, _("договор")), ("b", 100 * (s.qualified - s.won) / most, _("прошли оценку")),
                      ("c", 100 * (s.requests - s.qualified) / most, _("остальные"))))
                 for s in found[:12])
    return Page(tiles, (Block("sources", _("Источник и договор"), how, columns,
                              tuple(_source_row(s, chosen) for s in found), bars=bars, icon="megaphone",
                              notes=notes if len(found) > MOST_SOURCES else (), shown=MOST_SOURCES,
                              legend=(("a", _("договор")), ("b", _("прошли оценку")), ("c", _("остальные"))),
                              empty=_("За период заявок не было.")),))


def _source_name(s: Source) -> str:
    return " · ".join(filter(None, (s.source_title or words.channel(s.channel), s.utm_source, s.utm_medium, s.utm_campaign)))


def _source_url(chosen: Chosen, name: str, s: Source) -> str:
    return url(chosen, name, **{f"s_{key}": getattr(s, key) for key in SOURCE})


def _source_row(s: Source, chosen: Chosen) -> tuple[Cell, ...]:
    sums = [say.money(value, currency) for currency, value in s.value.items()]
    texts = [words.channel(s.channel), s.source_title or s.source, s.utm_source, s.utm_medium, s.utm_campaign]
    return (*(Cell(text, text) for text in texts), number(s.requests, _source_url(chosen, "requests", s)),
            number(s.qualified, _source_url(chosen, "qualified", s)), number(s.won, _source_url(chosen, "sold", s)),
            say.share(s.won, s.requests), Cell(", ".join(c.text for c in sums) or say.NOTHING,
                                               sums[0].value if len(sums) == 1 else ", ".join(c.text for c in sums)))

"""How far the leads of a time got, and how long leads stand in stages."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from hub.projections.reports_cohorts import DROPPED, Rated, Step
from hub.projections.reports_over import Spread
from hub.web.desk import the_hub
from hub.web.reports import figures, say
from hub.web.reports.figures import url
from hub.web.reports.filter import Chosen
from hub.web.reports.tables import Bar, Block, Cell, Column, Page, Tile, number


def funnel(chosen: Chosen) -> Page:
    """How far the leads of the time got, and how long leads stand in stages."""
    views, process = the_hub().views, chosen.process
    found = views.reports.funnel(chosen.over, figures.steps(process))
    stays = views.report_turns.stays(chosen.over)
    came, won = found[0].reached, found[-1].reached
    left = {how: sum(step.dropped[how] for step in found) for how in DROPPED}
    tiles = (Tile(_("Заявок"), str(came), _("пришли за период"), url(chosen, "reached", step=found[0].id)),
             Tile(_("Договоров"), str(won), _("из них уже есть договор"), url(chosen, "reached", step="won")),
             Tile(_("Конверсия"), say.share(won, came).text, _("в договор, из всех пришедших"),
                  url(chosen, "reached", step="won")),
             Tile(_("Ещё в работе"), str(left["open"]), _("и отложено %(n)s: итог впереди", n=left["asleep"]),
                  url(chosen, "dropped", how="open")))
    return Page(tiles, (_funnel_block(found, chosen), _stays_block(stays, chosen),
                        _segments_block(views.reports.segments(chosen.over), chosen)))


def _funnel_block(found: Sequence[Step], chosen: Chosen) -> Block:
    process, came = chosen.process, found[0].reached or 1

    def name(step: Step) -> str:
        return process.stages[step.id].title if step.id in process.stages else _("Договор")

    def line(place: int, step: Step) -> tuple[Cell, ...]:
        before = found[place - 1].reached if place else step.reached
        gone = [number(step.dropped[how], url(chosen, "dropped", step=step.id, how=how)) for how in DROPPED]
        return (Cell(name(step), name(step)), number(step.reached, url(chosen, "reached", step=step.id)),
                say.share(step.reached, found[0].reached), say.share(step.reached, before),
                number(step.were, url(chosen, "were", step=step.id)), *gone)
    bars = tuple(Bar(name(step), f"{step.reached} · {say.share(step.reached, found[0].reached).text}",
                     (("a", 100 * (step.reached - sum(step.dropped.values())) / came, _("прошли дальше")),
                      *((tone, 100 * step.dropped[how] / came, str(figures.LEFT[how])) for how, tone in PARTS)))
                 for step in found)
    how = _("Каждая заявка периода считается один раз, по самой дальней стадии, где она была: возвраты назад не "
            "прибавляют. Проигранные и отказы остаются в основании. «Дошли» — были в стадии или прошли дальше неё (стадию можно "
            "и пропустить: сколько в ней действительно были, сказано рядом). Четыре последних столбца — кто остановился "
            "здесь и что с ним.")
    columns = (Column(_("Стадия"), False), Column(_("Дошли")), Column(_("От всех"), unit="%"), Column(_("От прошлой"), unit="%"),
               Column(_("Были в ней")), *(Column(_("Здесь: %(what)s", what=figures.LEFT[how])) for how in DROPPED))
    legend = (("a", _("прошли дальше")), *((tone, str(figures.LEFT[how])) for how, tone in PARTS))
    return Block("funnel", _("Воронка"), how, columns, tuple(line(n, step) for n, step in enumerate(found)), bars=bars,
                 legend=legend, icon="filter", empty=_("За период заявок не было.") if not found[0].reached else "")


PARTS = (("open", "b"), ("asleep", "c"), ("refused", "d"), ("lost", "e"))
"""How parts of a bar are shaded, in their order."""


def _stays_block(stays: dict[str, Spread], chosen: Chosen) -> Block:
    process = chosen.process
    known = [id for id in process.stages if id in stays]
    shown = [(id, stays[id]) for id in [*known, *(id for id in stays if id not in process.stages)]]

    def name(id: str) -> str:
        return process.stages[id].title if id in process.stages else id
    bars = say.middles([(name(id), s) for id, s in shown])
    rows = tuple((Cell(name(id), name(id)), number(s.n, url(chosen, "stayed", stage=id)), *say.lengths(s)) for id, s in shown)
    how = _("Пребывания в стадии, которые закончились за период: от входа до следующей стадии, итога или сна, по обычным часам. "
            "Вторая попытка — второе пребывание. Человек и сегмент — какими были тогда.")
    columns = (Column(_("Стадия"), False), Column(_("Пребываний")), Column(_("Медиана"), unit=_("минут")),
               Column("p90", unit=_("минут")))
    return Block("stays", _("Время в стадиях"), how, columns, rows, bars=bars, icon="hourglass", layout="beside",
                 legend=say.to_nine(), empty=_("За период никто не вышел ни из одной стадии."))


def _segments_block(rated: Sequence[Rated], chosen: Chosen) -> Block:
    process, most = chosen.process, max((r.n for r in rated), default=1)
    ids = list(dict.fromkeys([*process.segments, *(id for r in rated for id in (r.first, r.now))]))
    numbers = {(r.first, r.now): r.n for r in rated}

    def cell(first: str, now: str) -> Cell:
        n = numbers.get((first, now), 0)
        return number(n, url(chosen, "scored", kind=first, segment=now), level=-(-5 * n // most)) if n else Cell("", 0)

    def line(first: str) -> tuple[Cell, ...]:
        mine = [r for r in rated if r.first == first]
        title = _("Сначала %(id)s", id=first)
        return (Cell(title, title), *(cell(first, now) for now in ids), number(sum(r.n for r in mine), url(chosen, "scored",
                kind=first)), number(sum(r.again for r in mine), url(chosen, "rescored", kind=first)))
    how = _("Оценённые заявки периода: какой сегмент дал первый лист и какой сейчас (R11, R31). Чем темнее клетка, тем больше "
            "заявок. «Пересмотрены» — листов больше одного.")
    columns = (Column(_("Первый лист"), False), *(Column(_("Сейчас %(id)s", id=id)) for id in ids), Column(_("Всего")),
               Column(_("Пересмотрены")))
    return Block("segments", _("Сегмент: сначала и сейчас"), how, columns, tuple(line(id) for id in ids if any(
        r.first == id for r in rated)), matrix=True, icon="gauge", empty=_("За период никого не оценили."))

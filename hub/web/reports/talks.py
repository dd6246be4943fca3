"""Advances and continuations: what meetings and talks came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask_babel import gettext as _

from hub.projections.reports_days import OUTCOMES as COUNTS
from hub.projections.reports_days import Talks
from hub.web.desk import the_hub
from hub.web.lead.words import OUTCOMES, said
from hub.web.reports import say
from hub.web.reports.figures import url
from hub.web.reports.filter import Chosen
from hub.web.reports.tables import Bar, Block, Cell, Column, Page, Tile, number


def talks(chosen: Chosen) -> Page:
    """Advances and continuations (R26)."""
    found = the_hub().views.report_turns.talks(chosen.over)
    total = found[""][0] if found[""] else Talks(by="")
    tiles = (Tile(_("Прогрессов"), str(total.advances), _("шаг с датой"), url(chosen, "talks", outcome="advance")),
             Tile(_("Отсрочек"), str(total.continuations), _("поговорили, шага нет"),
                  url(chosen, "talks", outcome="continuation")),
             Tile(_("Доля прогрессов"), say.share(total.advances, total.advances + total.continuations).text,
                  _("от прогрессов и отсрочек")))
    how = _("Итоги встреч и разговоров, записанные за период (R26). Прогресс — есть шаг, который двигает сделку, и его дата; "
            "отсрочка — разговор без шага. Доля — прогрессы от прогрессов и отсрочек. Человек — кто вёл заявку.")
    process = chosen.process

    def stage(id: str) -> str:
        return process.stages[id].title if id in process.stages else id
    stages = sorted(found["stage"], key=lambda t: list(process.stages).index(t.by) if t.by in process.stages else 99)
    return Page(tiles, (_talks_block("talks-people", _("Прогрессы и отсрочки по людям"), how, found["owner"], chosen, "owner",
                                     say.person),
                        _talks_block("talks-stages", _("Прогрессы и отсрочки по стадиям"), _("То же по стадии, где была заявка."),
                                     stages, chosen, "stage", stage)))


def _talks_block(id: str, title: str, how: str, rows: Sequence[Talks], chosen: Chosen, key: str,
                 name: Callable[[str], str]) -> Block:
    def line(t: Talks) -> tuple[Cell, ...]:
        counts = [number(getattr(t, COUNTS[o]), url(chosen, "talks", outcome=o, **{key: t.by})) for o in COUNTS]
        return Cell(name(t.by), name(t.by)), *counts, say.share(t.advances, t.advances + t.continuations)
    bars = tuple(Bar(name(t.by), say.times(t.advances, t.advances + t.continuations),
                     (("a", 100 * t.advances / (t.advances + t.continuations), said(OUTCOMES, "advance")),
                      ("c", 100 * t.continuations / (t.advances + t.continuations), said(OUTCOMES, "continuation"))))
                 for t in rows if t.advances + t.continuations)
    first = _("Ответственный") if key == "owner" else _("Стадия")
    return Block(id, title, how, (Column(first, False), *(Column(said(OUTCOMES, o)) for o in COUNTS),
                                  Column(_("Доля"), unit="%")), tuple(line(t) for t in rows), bars=bars,
                 legend=(("a", said(OUTCOMES, "advance")), ("c", said(OUTCOMES, "continuation"))), icon="list-checks",
                 layout="half",
                 empty=_("За период итогов не записано."))

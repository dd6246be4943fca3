"""Why deals are lost and how close they were, and whom we refuse."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from hub.projections.reports_days import Ended
from hub.web.desk import the_hub
from hub.web.reports import figures, say
from hub.web.reports.figures import url
from hub.web.reports.filter import Chosen
from hub.web.reports.tables import Bar, Block, Cell, Column, Page, Tile, number


def losses(chosen: Chosen) -> Page:
    """Why we lose and how close we were (R28), and whom we refuse (R8, R12)."""
    turns = the_hub().views.report_turns
    lost, refused = turns.ends("lost", chosen.over), turns.ends("refused", chosen.over)
    n, back = sum(e.n for e in lost), sum(e.back for e in lost)
    near = sum(e.n for e in lost if e.closeness in list(chosen.process.closeness)[:2])
    first_two = [c.title.lower() for c in list(chosen.process.closeness.values())[:2]]
    tiles = (Tile(_("Проиграно"), str(n), _("за период"), url(chosen, "lost")),
             Tile(_("Были рядом"), say.share(near, n).text, ", ".join(first_two)),
             Tile(_("Вернулись в работу"), str(back), _("из проигранных за период"), url(chosen, "lost", back="1")),
             Tile(_("Отказали мы"), str(sum(e.n for e in refused)), _("за период"), url(chosen, "refused")))
    return Page(tiles, (_matrix(lost, chosen), _refusals(refused, chosen)))


def _matrix(lost: Sequence[Ended], chosen: Chosen) -> Block:
    process = chosen.process
    reasons = _in_order({e.reason for e in lost}, process.loss_reasons)
    scale = list(dict.fromkeys([*process.closeness, *sorted(e.closeness for e in lost)]))
    numbers = {(e.reason, e.closeness): e.n for e in lost}
    most = max(numbers.values(), default=1)

    def sums(reason: str = "", closeness: str = "") -> int:
        return sum(e.n for e in lost if reason in ("", e.reason) and closeness in ("", e.closeness))

    def cell(reason: str, closeness: str) -> Cell:
        n = numbers.get((reason, closeness), 0)
        return number(n, url(chosen, "lost", reason=reason, closeness=closeness), level=-(-5 * n // most)) if n else Cell("", 0)
    rows = tuple((Cell(figures.reason(r, "lost", process), figures.reason(r, "lost", process)), *(cell(r, c) for c in scale),
                  number(sums(r), url(chosen, "lost", reason=r)), number(sum(e.back for e in lost if e.reason == r),
                                                                         url(chosen, "lost", reason=r, back="1")))
                 for r in sorted(reasons, key=lambda r: -sums(r)))
    total = (Cell(_("Всего"), _("Всего")), *(number(sums(closeness=c), url(chosen, "lost", closeness=c)) for c in scale),
             number(sums(), url(chosen, "lost")), number(sum(e.back for e in lost), url(chosen, "lost", back="1")))
    titles = [process.closeness[c].title if c in process.closeness else c for c in scale]
    how = _("Проигрыши, записанные за период: причина и насколько близко были к договору. Заявка, проигранная дважды, "
            "считается дважды: каждый проигрыш остаётся. «Вернулись» — потом снова в работе (R29). Чем темнее клетка, тем "
            "больше проигрышей.")
    columns = (Column(_("Причина"), False), *(Column(t) for t in titles), Column(_("Всего")), Column(_("Вернулись")))
    return Block("losses", _("Причины и близость к договору"), how, columns, rows, total, matrix=True,
                 icon="thumbs-down", empty=_("За период ничего не проиграли."))


def _in_order(found: set[str], known: object) -> list[str]:
    order = list(known) if isinstance(known, dict) else []
    return [*(id for id in order if id in found), *sorted(found - set(order))]


def _refusals(refused: Sequence[Ended], chosen: Chosen) -> Block:
    process, most = chosen.process, max((e.n for e in refused), default=1)
    shown = sorted(refused, key=lambda e: -e.n)

    def name(e: Ended) -> str:
        return figures.reason(e.reason, "refused", process)

    def link(e: Ended, **more: str) -> str:
        return url(chosen, "refused", reason=e.reason or "none", **more)
    return Block(
        "refusals", _("Отказали мы"), _("Отказы, записанные за период: по стоп-критерию (R8) или по листу оценки (R12)."),
        (Column(_("Почему"), False), Column(_("Отказов")), Column(_("Вернулись"))),
        tuple((Cell(name(e), name(e)), number(e.n, link(e)), number(e.back, link(e, back="1"))) for e in shown),
        bars=tuple(Bar(name(e), str(e.n), (("a", 100 * e.n / most, _("отказов")),)) for e in shown), icon="ban", layout="beside",
        empty=_("За период никому не отказывали."))

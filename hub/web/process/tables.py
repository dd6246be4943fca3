"""The tables of the map: what their columns mean, and the same rows as files."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hub.web.process.numbers import Numbers, place_title
from hub.web.reports.tables import Cell, Column, csv_of

STAGES = (
    ("now", _l("Сейчас"), _l("Открытые заявки, которые стоят в стадии в этот момент. Отложенные считаются отдельно.")),
    ("came", _l("Вошло"), _l("Сколько раз за период заявки вошли в стадию: новые, перешедшие из другой стадии и вернувшиеся.")),
    ("left", _l("Вышло"), _l("Сколько раз за период заявки вышли из стадии: в другую стадию, завершились или отложены. "
                             "Кто прошёл стадию дважды, посчитан дважды.")),
    ("median", _l("Медиана"), _l("Половина заявок, вышедших за период, пробыла в стадии не дольше. Часы идут и ночью, "
                                 "и в выходные. Считается точно, по каждому пребыванию.")),
    ("most", _l("9 из 10"), _l("Девять из десяти заявок, вышедших за период, пробыли в стадии не дольше.")),
    ("kept", _l("В срок"), _l("Сроки, которые закончились за период, пока заявка стояла в стадии: доля выполненных вовремя. "
                              "Пропущенный срок считается пропущенным, даже если дело сделали потом.")),
    ("line", _l("По дням"), _l("Сколько заявок вышло из стадии, по равным частям периода.")),
)
"""Columns of the table of stages: (id, title, how it is computed)."""

LINE_W, LINE_H = 84, 20


def polyline(line: Sequence[int]) -> str:
    """Points of a line over time, in a box of ``LINE_W`` by ``LINE_H``."""
    most = max(line, default=0) or 1
    step = LINE_W / max(1, len(line) - 1)
    return " ".join(f"{n * step:.1f},{LINE_H - 2 - (LINE_H - 4) * value / most:.1f}" for n, value in enumerate(line))


def stages_csv(numbers: Numbers) -> bytes:
    """The table of stages; lengths in hours, shares in per cent."""
    units = ("", "", "", _("часов"), _("часов"), "%")
    columns = (Column(_("Стадия"), number=False),
               *(Column(str(title), unit=unit) for (_id, title, _how), unit in zip(STAGES[:-1], units, strict=True)),
               Column(_("Сроков в срок")), Column(_("Сроков пропущено")))
    rows = [[_text(s.title), _number(s.now), _number(s.came), _number(s.left), _hours(s.stays.median if s.stays else None),
             _hours(s.stays.most if s.stays else None), _percent(s.kept.share), _number(s.kept.met), _number(s.kept.missed)]
            for s in numbers.stages]
    return csv_of(columns, rows)


def moves_csv(numbers: Numbers) -> bytes:
    """Moves with their shares; then arrivals by channel and returns by how the leads had ended."""
    asked = numbers.asked
    columns = (Column(_("Откуда"), number=False), Column(_("Куда"), number=False), Column(_("Заявок")),
               Column(_("Доля"), unit="%"))
    rows = [[_text(place_title(asked, m.source)), _text(place_title(asked, m.to)), _number(m.count), _percent(m.share)]
            for m in numbers.moves]
    rows += [[_text(d.title), _text(_("новые заявки")), _number(d.count), _percent(d.share)] for d in numbers.doors]
    rows += [[_text(e.title), _text(_("вернулись в работу")), _number(e.returned), _text("")] for e in numbers.ends if e.returned]
    return csv_of(columns, rows)


def _text(value: str) -> Cell:
    return Cell(value, value)


def _number(value: int) -> Cell:
    return Cell(str(value), value)


def _hours(seconds: float | None) -> Cell:
    return Cell("", "" if seconds is None else Decimal(f"{seconds / 3600:.2f}"))


def _percent(share: float | None) -> Cell:
    return Cell("", "" if share is None else Decimal(f"{share * 100:.1f}"))

"""How figures are written, and what people, channels and deadlines are called in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from babel.numbers import format_decimal
from flask_babel import gettext as _

from hub.projections.reports_over import Spread
from hub.web import words
from hub.web.frame import language
from hub.web.reports.tables import Bar, Cell

NOTHING = "—"
"""Stands where there is nothing to compute from."""
GAP = "\N{NO-BREAK SPACE}"


def share(part: int, whole: int, url: str = "", tone: str = "") -> Cell:
    """``84 %``; in the file the bare number of percent."""
    if not whole:
        return Cell(NOTHING, "")
    percent = round(100 * part / whole)
    return Cell(f"{percent}{GAP}%", percent, url, tone)


def duration(seconds: int | None) -> Cell:
    """A length in words; in the file in minutes."""
    if seconds is None:
        return Cell(NOTHING, "")
    return Cell(words.span(seconds) if seconds >= 60 else _("< 1 мин"), round(Decimal(seconds) / 60, 1))


def lengths(spread: Spread) -> tuple[Cell, Cell]:
    """The median and p90."""
    return duration(spread.median), duration(spread.p90)


def middles(lines: Sequence[tuple[str, Spread]]) -> tuple[Bar, ...]:
    """Lines of a chart: the median, and what is left to p90."""
    longest = max((s.p90 or 0 for _name, s in lines), default=0) or 1
    return tuple(Bar(name, duration(s.median).text, (("a", 100 * (s.median or 0) / longest, _("медиана")),
                                                     ("c", 100 * ((s.p90 or 0) - (s.median or 0)) / longest, "p90")))
                 for name, s in lines if s.n)


def to_nine() -> tuple[tuple[str, str], ...]:
    """What the parts of :func:`middles` are."""
    return ("a", _("медиана")), ("c", _("до p90"))


def money(hundredths: int, currency: str, url: str = "", *, short: bool = False) -> Cell:
    """A sum in its currency; in the file in whole units."""
    units = Decimal(hundredths) / 100
    if currency in ("RUB", ""):
        return Cell(words.money(round(units), short=short), round(units), url)
    return Cell(f"{format_decimal(round(units), '#,##0', locale=language())}{GAP}{currency}", round(units), url)


def person(id: str) -> str:
    """Somebody of ours, or nobody."""
    return words.person(id) if id else str(_("никто не взял"))


def week(monday: str) -> str:
    """A week by its Monday."""
    return str(_("неделя с %(day)s", day=words.day(date.fromisoformat(monday))))


def month(first: str) -> str:
    """``11.2026``."""
    return f"{date.fromisoformat(first):%m.%Y}"


def times(met: int, judged: int) -> str:
    """``84 % (21 из 25)``."""
    return str(_("%(share)s (%(part)s из %(whole)s)", share=share(met, judged).text, part=met, whole=judged))

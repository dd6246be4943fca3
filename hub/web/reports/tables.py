"""A table of a report: on the page, in a file and with the leads behind each number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hub.sheets import csvs
from hub.web.frame import language


@dataclass(frozen=True)
class Cell:
    """``text`` on the page, ``value`` (a number or a text) in the file; ``url`` leads to the leads that it counts. ``tone``:
    ``ok``, ``warn``, ``bad`` of deadlines and results; ``level`` 0–5 shades a matrix."""

    text: str
    value: Any = ""
    url: str = ""
    tone: str = ""
    level: int = 0


@dataclass(frozen=True)
class Column:
    """A heading; ``number`` columns stand to the right. ``unit`` is said in the file, where the cell cannot."""

    title: str
    number: bool = True
    unit: str = ""


@dataclass(frozen=True)
class Bar:
    """A line of a chart: its parts as shares of the longest line (0–100) with what they are; ``text`` stands behind it."""

    label: str
    text: str
    parts: tuple[tuple[str, float, str], ...]


@dataclass(frozen=True)
class Columns:
    """A chart over time: for each time its name, a height (0–100), and what it says. ``top`` is what 100 stands for, ``line`` a
    height that is aimed at, if any."""

    bars: tuple[tuple[str, float, str], ...]
    top: str
    line: float | None = None
    line_text: str = ""


@dataclass(frozen=True)
class Block:
    """A figure with its table. ``how`` says how it is computed; ``empty`` what to say where there is nothing; ``shown`` is how
    many rows are on the page, the file has all. ``layout``: ``half`` of the page's width, or chart and table ``beside`` each
    other."""

    id: str
    title: str
    how: str
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    total: tuple[Cell, ...] = ()
    bars: tuple[Bar, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()
    over_time: Columns | None = None
    empty: str = ""
    icon: str = "chart-column"
    matrix: bool = False
    layout: str = ""
    notes: tuple[str, ...] = ()
    shown: int = 500

    @property
    def linked(self) -> bool:
        """Whether anything in the table can be opened; a wide one without is scrolled by keyboard itself."""
        return any(cell.url for row in self.rows for cell in row)


@dataclass(frozen=True)
class Tile:
    """A figure at the top of a page."""

    label: str
    text: str
    about: str = ""
    url: str = ""


@dataclass(frozen=True)
class Page:
    """A part of the report."""

    tiles: tuple[Tile, ...]
    blocks: tuple[Block, ...]


def number(value: int, url: str = "", tone: str = "", level: int = 0) -> Cell:
    """A count; nothing to open behind none."""
    return Cell(str(value), value, url if value else "", tone, level)


def csv_of(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> bytes:
    """A table as a file; see :mod:`hub.sheets.csvs`."""
    header = [f"{column.title}, {column.unit}" if column.unit else column.title for column in columns]
    return csvs.write(header, [[_said(cell.value) for cell in row] for row in rows])


def _said(value: Any) -> str | int:
    """Fractions with the comma that the spreadsheet of a Russian reader takes for a number."""
    if isinstance(value, Decimal):
        return str(value).replace(".", ",") if language() == "ru" else str(value)
    return value if isinstance(value, int) else str(value)

"""CSV files that Russian Excel opens with a double click, and in which nothing is a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

MEDIA_TYPE = "text/csv; charset=utf-8"
MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Begins a file: without it Excel takes the letters for others."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that begins with one of these is guarded: a spreadsheet would calculate it."""
HARMLESS = re.compile(r"[+-]?[\d\s().,-]+")
"""Phones and numbers are not: digits cannot call a function."""


def guarded(value: Any, *, strict: bool = False) -> Any:
    """A text that no spreadsheet takes for a formula: with an apostrophe before it, which is not shown as its value.

    ``strict``: phones and numbers as well, in a table that nobody brings in again.
    """
    if isinstance(value, str) and (value.startswith(FORMULA) or value.lstrip(" ").startswith(FORMULA)) \
            and (strict or not HARMLESS.fullmatch(value)):
        return f"'{value}"
    return value


def text(lines: Iterable[Iterable[Any]], *, strict: bool = False) -> str:
    """Lines of a table, cells parted by semicolons; :data:`MARK` goes before the first. ``strict``: see :func:`guarded`."""
    target = io.StringIO(newline="")
    table = csv.writer(target, delimiter=";", lineterminator="\r\n")
    table.writerows([guarded(value, strict=strict) for value in line] for line in lines)
    return target.getvalue()


def write(header: Iterable[str], lines: Iterable[Iterable[str | int]]) -> bytes:
    """The whole table."""
    return f"{MARK}{text([header, *lines])}".encode()

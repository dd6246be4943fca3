"""CSV files that Russian Excel opens with a double click, and in which nothing is a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

MEDIA_TYPE = "text/csv; charset=utf-8"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that begins with one of these is guarded: a spreadsheet would calculate it."""
HARMLESS = re.compile(r"[+-]?[\d\s().,-]+")
"""Phones and numbers are not: digits cannot call a function."""


def guarded(value: str | int) -> str | int:
    """A text that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(FORMULA) and not HARMLESS.fullmatch(value):
        return f"'{value}"
    return value


def write(header: Iterable[str], lines: Iterable[Iterable[str | int]]) -> bytes:
    """The table with a byte order mark, cells parted by semicolons."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=";", lineterminator="\r\n")
    writer.writerow([guarded(name) for name in header])
    for line in lines:
        writer.writerow([guarded(value) for value in line])
    return b"\xef\xbb\xbf" + target.getvalue().encode()

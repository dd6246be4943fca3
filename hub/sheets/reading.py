"""A stranger's table: whatever its encoding and delimiter are, its heading and rows as texts."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hub.domain.errors import Refused, sentences
from hub.sheets import workbook

MAX_FILE = 10_000_000
"""Bytes of a file."""
MAX_ROWS = 100_000
MAX_COLUMNS = 100
LONGEST = 10_000
"""Characters of a cell that are taken."""
DELIMITERS = ";,\t|"
LOOKED_AT = 30
"""Lines by which the delimiter is told."""
OLD_EXCEL = b"\xd0\xcf\x11\xe0"

sentences(
    no_file=("Выберите файл CSV или XLSX.", "Choose a CSV or XLSX file."),
    sheet_too_large=("Файл больше {most} МБ. Разделите его на части.", "The file is larger than {most} MB. Divide it."),
    sheet_empty=("В файле нет строк с данными. Проверьте, что это нужный файл и что таблица на первом листе.",
                 "The file has no rows. See that it is the right one, and that the table is on the first sheet."),
    sheet_too_long=("В файле больше {most} строк. Разделите его на части.", "The file has more than {most} rows. Divide it."),
    sheet_too_wide=("В файле больше {most} столбцов. Удалите лишние.", "The file has more than {most} columns. Delete some."),
    sheet_old=("Это старый формат Excel (.xls) или файл под паролем. Сохраните его как .xlsx без пароля или как CSV.",
               "This is Excel's old format (.xls), or a file with a password. Save it as .xlsx without one, or as CSV."),
    sheet_encoding=("Не понять кодировку файла. Сохраните его как «CSV UTF-8».",
                    "The encoding of the file is not clear. Save it as “CSV UTF-8”."),
)


@dataclass(frozen=True)
class Sheet:
    """A table that was read whole. ``rows`` are (number as a spreadsheet shows it, cells), as wide as the ``header``; lines
    without anything are left out. ``told`` says how it was read: the encoding and delimiter, or ``xlsx``."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    told: str


def read(data: bytes) -> Sheet:
    """A table out of a file's bytes. Refused with a sentence where it is none, or larger than the hub takes."""
    if not data:
        raise Refused("no_file", field="file")
    if len(data) > MAX_FILE:
        raise Refused("sheet_too_large", field="file", most=MAX_FILE // 1_000_000)
    if data.startswith(OLD_EXCEL):
        raise Refused("sheet_old", field="file")
    if workbook.looks_like(data):
        return _sheet(workbook.rows(data, MAX_COLUMNS + 1), "xlsx")
    text, encoding = decoded(data)
    delimiter = delimiter_of(text)
    first, _, rest = text.partition("\n")
    lines = rest if first.lower().startswith("sep=") else text
    skipped = 1 if first.lower().startswith("sep=") else 0
    return _sheet(_csv_rows(lines, delimiter), f"{encoding} {'tab' if delimiter == chr(9) else delimiter}", skipped)


def decoded(data: bytes) -> tuple[str, str]:
    """Text and the name of its encoding: by its mark, else UTF-8 where it is that, else the Russian Windows one."""
    for mark, name in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return _as(data, name), name
    if b"\0" in data:
        raise Refused("sheet_encoding", field="file")
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _as(data, "cp1251"), "cp1251"


def _as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Refused("sheet_encoding", field="file") from error


def delimiter_of(text: str) -> str:
    """What parts the cells: as the first line of Excel says it, else what parts most lines into equally many cells."""
    first, _, _ = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        return first[4]
    best, found = 0, ";"
    for delimiter in DELIMITERS:
        widths = [len(row) for _, row in zip(range(LOOKED_AT), _csv_rows(text, delimiter), strict=False) if any(row)]
        if widths and widths[0] > 1:
            alike = sum(width == widths[0] for width in widths)
            if alike * 100 + widths[0] > best:
                best, found = alike * 100 + widths[0], delimiter
    return found


def _csv_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_FILE)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as error:
        raise Refused("sheet_broken", field="file") from error


def _sheet(lines: Iterable[Sequence[str]], told: str, before: int = 0) -> Sheet:
    header: tuple[str, ...] = ()
    rows: list[tuple[int, tuple[str, ...]]] = []
    for number, line in enumerate(lines, before + 1):
        cells = [" ".join(cell.split(" ")).strip()[:LONGEST] for cell in line]
        if not any(cells):
            continue
        if not header:
            while cells and not cells[-1]:
                cells.pop()
            if len(cells) > MAX_COLUMNS:
                raise Refused("sheet_too_wide", field="file", most=MAX_COLUMNS)
            header = tuple(cells)
            continue
        if len(rows) >= MAX_ROWS:
            raise Refused("sheet_too_long", field="file", most=MAX_ROWS)
        rows.append((number, tuple((*cells, *[""] * len(header))[:len(header)])))
    if not rows:
        raise Refused("sheet_empty", field="file")
    return Sheet(header, tuple(rows), told)

"""XLSX files: read within limits that hold whatever the file says of itself, written without a formula in them."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Any
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils.exceptions import InvalidFileException

from hub.domain.errors import Refused, sentences

MAX_UNPACKED = 200_000_000
"""Bytes of all parts of a workbook together, counted while they are unpacked."""
MAX_PARTS = 2_000
CHUNK = 1 << 16
LONGEST_CELL = 32_767
"""Characters that a cell of Excel holds."""
DECLARES = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)

sentences(
    sheet_bomb=("Файл разворачивается больше чем в {most} МБ. Оставьте в нём только нужный лист и строки.",
                "The file unpacks to more than {most} MB. Keep only the sheet and the rows that are wanted."),
    sheet_broken=("Файл повреждён или это не таблица XLSX. Откройте его в Excel и сохраните заново или сохраните как CSV.",
                  "The file is damaged or no XLSX table. Open it in Excel and save it anew, or save it as CSV."),
    sheet_locked=("Файл закрыт паролем. Снимите пароль в Excel и сохраните ещё раз.",
                  "The file is protected by a password. Remove it in Excel and save the file again."),
)


def looks_like(data: bytes) -> bool:
    """Whether these are bytes of a zip, which a workbook is."""
    return data.startswith(b"PK\x03\x04")


def check(data: bytes) -> None:
    """Refuse what unpacks to too much, or declares entities, before a parser sees it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            left = MAX_UNPACKED
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise Refused("sheet_bomb", field="file", most=MAX_UNPACKED // 1_000_000)
            for part in parts:
                if part.flag_bits & 1:
                    raise Refused("sheet_locked", field="file")
                with archive.open(part) as file:
                    end = b""
                    while chunk := file.read(CHUNK):
                        left -= len(chunk)
                        if left < 0:
                            raise Refused("sheet_bomb", field="file", most=MAX_UNPACKED // 1_000_000)
                        if DECLARES.search(end + chunk):
                            raise Refused("sheet_broken", field="file")
                        end = chunk[-16:]
    except (BadZipFile, NotImplementedError, OSError, EOFError, ValueError) as error:
        raise Refused("sheet_broken", field="file") from error


def rows(data: bytes, most_columns: int) -> Iterator[list[str]]:
    """The rows of the first sheet as texts, empty ones included, so that their numbers are those that Excel shows."""
    check(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that we do not read anyway
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            try:
                sheet = book.worksheets[0]
                sheet.reset_dimensions()
                for row in sheet.iter_rows(max_col=most_columns, values_only=True):
                    yield [text_of(value) for value in row]
            finally:
                book.close()
    except (BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, IndexError, OSError, AttributeError, EOFError,
            SyntaxError) as error:
        raise Refused("sheet_broken", field="file") from error


def text_of(value: Any) -> str:
    """A cell as a person reads it. A number that is whole has no fraction: phones are numbers in many a table."""
    match value:
        case None:
            return ""
        case bool():
            return "да" if value else "нет"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime():
            return value.isoformat(" ", "minutes")
        case date() | time():
            return value.isoformat()
    return str(value).strip()


def write(title: str, header: Iterable[str], lines: Iterable[Iterable[str | int]]) -> bytes:
    """A workbook of one sheet. Texts are texts whatever they begin with: nothing in it is a formula."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", title)[:31] or "1")
    sheet.freeze_panes = "A2"

    def cell(value: str | int, *, bold: bool = False) -> Any:
        if isinstance(value, int):
            return value
        made = WriteOnlyCell(sheet, value=None)
        made._value, made.data_type = ILLEGAL_CHARACTERS_RE.sub("", value)[:LONGEST_CELL], "s"
        if bold:
            made.font = Font(bold=True)
        return made

    sheet.append([cell(name, bold=True) for name in header])
    for line in lines:
        sheet.append([cell(value) for value in line])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()

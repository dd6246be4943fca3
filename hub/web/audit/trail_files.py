"""The audit trail as files to take away: CSV for a spreadsheet, JSON Lines for programs; the work behind the page's button."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from flask import Flask
from flask_babel import gettext as _

from hub.jobs import Kind, Work
from hub.projections.trail import FIRST, Place, Wanted
from hub.sheets import csvs
from hub.web import frame, words
from hub.web.audit.trail_filter import described, read
from hub.web.audit.trail_kinds import group_title, kind_title
from hub.web.audit.trail_lines import Storyteller, TrailLine
from hub.web.desk import Parts, the_hub
from hub.web.sessions import Access
from hub.web.tokens import Tokens

FORMATS = {"csv": csvs.MEDIA_TYPE, "jsonl": "application/x-ndjson"}
TRAIL = "audit-trail"
"""The kind of long work, and what its files are called."""
BATCH = 500
"""Lines that are told in one go."""
PART = 100_000
"""Lines of a file; a longer trail comes in several. A spreadsheet opens about a million."""
COUNTED = 50_000_000


def headings() -> list[str]:
    """The first line of the table."""
    return [_("Когда"), _("Произошло"), _("Кто"), _("Что"), _("Подробности"), _("Раздел"), _("Вид события"), _("Заявка"),
            _("Событие заявки"), _("Номер в журнале"), _("Лист дерева"), _("Поток"), _("Версия"), _("Код события")]


def csv_text(lines: Iterable[TrailLine], *, begin: bool) -> bytes:
    """Lines of a table as a Russian Excel opens it: UTF-8 with its mark, semicolons. ``begin``: mark and headings first."""
    told = [[
        _stamp(line.at), _stamp(line.happened), line.who, line.what, details(line), group_title(line.group),
        kind_title(line.topic), f"L-{line.number}" if line.number is not None else "", str(line.version) if line.own else "",
        str(line.place.position), "" if line.leaf is None else str(line.leaf), str(line.stream), str(line.version),
        line.topic] for line in lines]
    return ((csvs.MARK if begin else "") + csvs.text([headings(), *told] if begin else told, strict=True)).encode()


def jsonl_text(lines: Iterable[TrailLine]) -> bytes:
    """One JSON object a line; see docs/audit.md for its fields."""
    return b"".join(msgspec.json.encode(plain(line)) + b"\n" for line in lines)


def plain(line: TrailLine) -> dict[str, Any]:
    """A line for programs."""
    return {"position": line.place.position, "at": line.at, "happened_at": line.happened, "actor": line.actor, "who": line.who,
            "type": line.topic, "group": line.group, "sentence": line.what, "text": line.text,
            "changes": [{"name": name, "before": was, "after": now} for name, was, now in line.changes],
            "lead": line.lead, "number": line.number, "stream": str(line.stream), "version": line.version, "leaf": line.leaf,
            "readable": line.readable}


def details(line: TrailLine) -> str:
    """What changed and what was written, in one cell."""
    said = [f"{name}: {was} → {now}" if was else f"{name}: {now}" for name, was, now in line.changes]
    return "; ".join([*said, *([line.text] if line.text else [])])


def _stamp(at: datetime | None) -> str:
    there = words.local(at)
    return f"{there:%d.%m.%Y %H:%M:%S}" if there is not None else ""


def pages(teller: Storyteller, wanted: Wanted, after: Place, last: Place) -> Iterator[list[TrailLine]]:
    """The trail in its own order from ``after`` to ``last``, some lines at a time."""
    while places := teller.hub.views.trail.places(wanted, BATCH, after=after):
        within = [place for place in places if place <= last]
        if within:
            yield teller.lines(within)
        if len(within) < BATCH:
            return
        after = within[-1]


def end_of(wanted: Wanted) -> Place | None:
    """The newest place that is wanted now; None where there is nothing."""
    return next(iter(the_hub().views.trail.places(wanted, 1)), None)


def write_trail(wanted: Wanted, format: str, write: Callable[[bytes], object], tell: Callable[[int, int], object]) -> int:
    """Write everything that is wanted now, the oldest first; how many lines. ``tell`` is told how far it is."""
    last, rows, teller = end_of(wanted), 0, Storyteller(the_hub())
    write(csv_text((), begin=True) if format == "csv" else b"")
    total = teller.hub.views.trail.count(wanted, COUNTED)
    for lines in pages(teller, wanted, Place(FIRST, 0), last) if last is not None else ():
        write(csv_text(lines, begin=False) if format == "csv" else jsonl_text(lines))
        rows += len(lines)
        tell(rows, total)
    return rows


def telling(parts: Parts) -> Flask:
    """What sentences need around them outside of a request: languages, the hub, its people."""
    app = Flask("hub.web")
    frame.set_up(app)
    app.extensions.update(hub=parts, access=Access(parts.hub.store, parts.session_key),
                          tokens=Tokens(parts.hub, parts.session_key))
    return app


def kind(parts: Parts) -> Kind:
    """The long work that makes the files."""
    def run(work: Work) -> None:
        with telling(parts).app_context():
            _run(work)
    return Kind(TRAIL, ("Выгрузка журнала аудита", "Export of the audit trail"), run,
                permissions=("admin", "audit"), resumable=True)


def _run(work: Work) -> None:
    """Files of :data:`PART` lines each; a next try begins with the file that was not finished."""
    hub, format = the_hub(), str(work.parameters["format"])
    given = {name: str(value) for name, value in work.parameters["filters"].items()}
    wanted = read(hub, given).wanted
    known = work.cursor or {"after": [FIRST, 0], "last": end_of(wanted), "rows": 0,
                            "total": hub.views.trail.count(wanted, COUNTED)}
    last, rows = Place(*known["last"]) if known["last"] else None, int(known["rows"])
    file = _Part(work, format, rows // PART)
    if last is not None:
        for lines in pages(Storyteller(hub), wanted, Place(*known["after"]), last):
            file.add(lines)
            rows += len(lines)
            work.progress(rows, known["total"])
            if file.rows >= PART:
                file.close()
                work.save({**known, "after": lines[-1].place, "rows": rows})
                file = _Part(work, format, file.number + 1)
    if file.rows or not rows:
        file.close()
    who = words.person(given.get("who"))
    hub.audit_record(work.actor)(lambda log: log.trail_exported(format, rows, described(given, who)), work.clock())
    work.progress(rows, rows)
    work.tell(rows=rows)


class _Part:
    """One file that is being written."""

    def __init__(self, work: Work, format: str, number: int) -> None:
        self.number = number
        self.rows = 0
        self._work, self._format = work, format
        self._out = io.BytesIO(csv_text((), begin=True) if format == "csv" else b"")
        self._out.seek(0, io.SEEK_END)

    def add(self, lines: Sequence[TrailLine]) -> None:
        self._out.write(csv_text(lines, begin=False) if self._format == "csv" else jsonl_text(lines))
        self.rows += len(lines)

    def close(self) -> None:
        """Keep it with the job; the first one has no number in its name."""
        name = f"{TRAIL}{f'-{self.number + 1}' if self.number else ''}.{self._format}"
        self._work.add_file(name, FORMATS[self._format], self._out.getvalue())

"""Rows of a file become leads through the one intake, each exactly once however often the work is begun (R1)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from hub.application import THE_HUB, LeadHub
from hub.domain.aggregate import Actor
from hub.domain.delivery import Delivery
from hub.domain.errors import SENTENCES, Refused, sentences
from hub.domain.importing import Import, ImportState
from hub.domain.index import receipt_stream
from hub.jobs import Kind, Work
from hub.jobs.work import Cancelled, Stopped
from hub.sheets import csvs
from hub.sheets.mapping import SOURCE, Source, delivery
from hub.sheets.reading import Sheet, read

WHO = ("decide", "admin")
"""Who may bring files in; one of them."""
KIND = "import"
FILE = "file"
"""What the work calls the file that it was given."""
SKIPPED = "пропущенные-строки.csv"
SAVED_EVERY = 100
"""Rows between two durable cursors; rows after the last one are met again and known."""
KNOWN = ("add", "skip", "new")
"""What becomes of a row whose client has a card: it joins it, is left out, or begins a card of its own."""
KEPT = timedelta(days=30)

sentences(
    importing=("Загружаем строки", "Importing rows"),
)


@dataclass(frozen=True)
class Options:
    """How a file is imported: what its columns are, where its rows come from, and :data:`KNOWN`."""

    columns: tuple[str, ...]
    source: Source
    known: str = "add"

    def told(self) -> dict[str, Any]:
        """As parameters of the work."""
        return {"columns": self.columns, "channel": self.source.channel, "title": self.source.title, "quiet": self.source.quiet,
                "known": self.known}

    @staticmethod
    def of(given: dict[str, Any]) -> Options:
        """Out of the parameters of the work."""
        return Options(tuple(given["columns"]), Source(given["channel"], given["title"], given["quiet"]), given["known"])


@dataclass(frozen=True)
class Row:
    """A row as it would come in: ``fault`` is a code of a sentence with its parameters, "" where there is none."""

    number: int
    cells: tuple[str, ...]
    delivery: Delivery | None
    fault: str = ""
    params: tuple[tuple[str, str], ...] = ()
    card: UUID | None = None

    def say(self, language: str) -> str:
        """The fault in words."""
        return fault_said(self.fault, dict(self.params), language)


def fault_said(code: str, params: dict[str, str], language: str) -> str:
    """Why a row is left out, "" for no code."""
    words = SENTENCES.get(code)
    return "" if words is None else (words.ru if language == "ru" else words.en).format(**params)


def stream_of(hub: LeadHub, data: bytes) -> UUID:
    """The stream of a file's imports."""
    return hub.file_stream(hashlib.sha256(data).hexdigest())


def state_of(hub: LeadHub, stream: UUID) -> ImportState:
    """How a file's imports stand."""
    found: ImportState = hub.streams.fresh(Import, stream)[1]
    return found


def looked_through(hub: LeadHub, sheet: Sheet, options: Options, rows: Sequence[tuple[int, tuple[str, ...]]]) -> Iterator[Row]:
    """Rows as they would come in now; nothing is stored."""
    for number, cells in rows:
        try:
            came = delivery(sheet.header, cells, options.columns, options.source)
        except Refused as refused:
            yield Row(number, cells, None, refused.code, tuple((k, str(v)) for k, v in refused.params.items()))
            continue
        card = hub.card_of(came.addresses)
        if card is not None and options.known == "skip":
            yield Row(number, cells, came, "row_known", card=card)
        else:
            yield Row(number, cells, came, card=card)


def row_id(stream: UUID, turn: int, number: int) -> str:
    """The name of a row's delivery: the same row of the same file is the same delivery, until the import was undone."""
    return f"{stream.hex}:{turn}:{number}"


def receipt_of(channel: str, stream: UUID, turn: int, number: int) -> UUID:
    """The receipt of a row."""
    return receipt_stream(channel, SOURCE, row_id(stream, turn, number))


def asker(work: Work) -> Actor:
    """Who gives the commands of a work: the person who asked, or the hub where somebody at its terminal did."""
    return THE_HUB if work.actor.id == THE_HUB.id else work.actor


def kind(hub: LeadHub) -> Kind:
    """The long work that imports a file."""
    title = ("Загрузка заявок из файла", "Import of leads from a file")
    return Kind(KIND, title, lambda work: _run(hub, work), WHO, resumable=True, kept=KEPT)


def _run(hub: LeadHub, work: Work) -> None:
    data = work.read(FILE)
    sheet, options, stream = read(data), Options.of(work.parameters), stream_of(hub, data)
    begun = _begin(hub, work, stream, options, len(sheet.rows))
    cursor: dict[str, Any] = work.cursor if work.cursor and work.cursor["turn"] == begun.turn else {
        "after": 0, "counts": {}, "skipped": []}
    last, counts, skipped = cursor["after"], Counter(cursor["counts"]), [tuple(one) for one in cursor["skipped"]]

    def here() -> dict[str, Any]:
        work.tell(**_facts(stream, begun.turn, sheet.rows[-1][0], counts, skipped))
        return {"turn": begun.turn, "after": last, "counts": dict(counts), "skipped": skipped}

    try:
        for place, row in enumerate(sheet.rows[last:], last + 1):
            fault = _take(hub, work, sheet, options, stream, begun.turn, row, counts)
            if fault is not None:
                skipped.append((row[0], *fault))
            last = place
            if place % SAVED_EVERY == 0:
                work.save(here(), place)
            work.progress(place, len(sheet.rows), "importing")
    except (Cancelled, Stopped):
        work.note(here())
        raise
    if skipped:
        work.add_file(SKIPPED, "text/csv; charset=utf-8", _report(sheet, skipped))
    here()
    hub.change(Import, stream, lambda one: one.finish(counts["began"], counts["added"], counts["skipped"]), actor=asker(work),
               at=work.clock(), permissions=WHO)


def _begin(hub: LeadHub, work: Work, stream: UUID, options: Options, rows: int) -> ImportState:
    if work.cursor is None or state_of(hub, stream).status != "begun":
        hub.change(Import, stream, lambda one: one.begin(options.source.title, options.source.channel, rows, options.known,
                                                         quiet=options.source.quiet),
                   actor=asker(work), at=work.clock(), permissions=WHO)
    return state_of(hub, stream)


def _take(hub: LeadHub, work: Work, sheet: Sheet, options: Options, stream: UUID, turn: int, row: tuple[int, tuple[str, ...]],
          counts: Counter[str]) -> tuple[str, dict[str, str]] | None:
    """One row; why it was left out, or None."""
    try:
        came = delivery(sheet.header, row[1], options.columns, options.source)
        before = hub.began(receipt_of(came.channel, stream, turn, row[0]))
        if before is None and options.known == "skip" and hub.card_of(came.addresses) is not None:
            raise Refused("row_known")
        came = replace(came, delivery_id=row_id(stream, turn, row[0]), apart=options.known == "new")
        taken = hub.receive(came, at=work.clock())
    except Refused as refused:
        counts["skipped"] += 1
        return refused.code, {key: str(value) for key, value in refused.params.items()}
    counts["began" if taken.began or before else "added"] += 1
    return None


def _facts(stream: UUID, turn: int, last_row: int, counts: Counter[str], skipped: Sequence[Any]) -> dict[str, Any]:
    reasons = Counter(code for _, code, _ in skipped)
    return {"stream": stream.hex, "turn": turn, "began": counts["began"], "added": counts["added"], "skipped": counts["skipped"],
            "reasons": dict(reasons), "last_row": last_row}


def _report(sheet: Sheet, skipped: Sequence[Any]) -> bytes:
    """The rows that were left out, as they were, with why."""
    rows = dict(sheet.rows)
    return csvs.write(("Строка", "Почему пропущена", *sheet.header),
                      ((number, fault_said(code, params, "ru"), *rows[number]) for number, code, params in skipped))

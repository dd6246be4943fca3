"""Logs given away: recorded before the first byte leaves, streamed to whoever asked, or made in parts by a long work."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from hub.application import LeadHub
from hub.domain.aggregate import Actor
from hub.domain.errors import NotFound, Refused, sentences
from hub.exports import ocel, xes
from hub.exports.reading import Reader, Scope, Trace
from hub.jobs import Kind, Work

WHO = ("admin", "audit")
"""Who may take logs away; one of them."""
KIND = "log_export"
PART = 5_000
"""Leads in one file of a long work: a part is in memory, compressed."""
PLAIN = 300
"""Up to so many leads are not worth compressing."""

sentences(
    no_leads_to_export=("Под этот отбор не подходит ни одна заявка. Измените даты или номера.",
                        "No lead is in this selection. Change the dates or the numbers."),
    export_time_turned=("Начало не раньше конца. Поменяйте даты местами.",
                        "The beginning is not before the end. Turn the dates round."),
    no_such_format=("Есть два вида журнала: xes и ocel.", "There are two kinds of log: xes and ocel."),
)


class Format(NamedTuple):
    """A kind of log: how it is written, what its files are called and what they are."""

    write: Callable[[Reader, Iterable[Trace], int], Iterator[bytes]]
    suffix: str
    media_type: str


FORMATS = {"xes": Format(lambda reader, traces, _: xes.write(reader, traces), "xes", xes.MEDIA_TYPE),
           "ocel": Format(ocel.write, "json", ocel.MEDIA_TYPE)}


def recorded(hub: LeadHub, format: str, scope: Scope, actor: Actor, at: datetime) -> int:
    """Record that ``actor`` takes this log away, and how many leads it has. Administrators and auditors only; refused where there
    is nothing to take."""
    hub.allow("log.export", None, *WHO, actor=actor, at=at)
    if format not in FORMATS:
        raise Refused("no_such_format", field="format")
    if scope.since is not None and scope.until is not None and scope.since >= scope.until:
        raise Refused("export_time_turned", field="since")
    reader = Reader(hub, scope)
    count = reader.count()
    if not count:
        raise NotFound("no_leads_to_export")
    hub.audit_record(actor)(lambda log: log.log_exported(format, count, scope.personal, scope.since, scope.until, scope.leads),
                            at)
    return count


def pieces(hub: LeadHub, format: str, scope: Scope, tell: Callable[[int], None] = lambda done: None) -> Iterator[bytes]:
    """The whole log, piece by piece; ``tell`` hears how many leads are done."""
    reader = Reader(hub, scope)
    return FORMATS[format].write(reader, _counted(reader.traces(), tell), 0)


def _counted(traces: Iterator[Trace], tell: Callable[[int], None]) -> Iterator[Trace]:
    for done, trace in enumerate(traces, 1):
        yield trace
        tell(done)


# ── as a long work ───────────────────────────────────────────────────────────────


def parameters(format: str, scope: Scope, count: int) -> dict[str, Any]:
    """What a long work is given."""
    return {"format": format, "count": count, "at": scope.at.isoformat(), "personal": scope.personal, "steps": scope.steps,
            "language": scope.language, "version": scope.version, "leads": [str(lead) for lead in scope.leads],
            "since": scope.since and scope.since.isoformat(), "until": scope.until and scope.until.isoformat()}


def _scope(given: dict[str, Any]) -> Scope:
    return Scope(at=datetime.fromisoformat(given["at"]), personal=given["personal"], steps=given["steps"],
                 language=given["language"], version=given["version"], leads=tuple(UUID(lead) for lead in given["leads"]),
                 since=datetime.fromisoformat(given["since"]) if given["since"] else None,
                 until=datetime.fromisoformat(given["until"]) if given["until"] else None)


def kind(hub: LeadHub) -> Kind:
    """The long work that makes a log: a file for every :data:`PART` leads, each a whole log of its leads."""
    def run(work: Work) -> None:
        given = work.parameters
        reader, format, total = Reader(hub, _scope(given)), FORMATS[given["format"]], given["count"]
        after, done = work.cursor or (0, 0)
        while done < total:
            traces = _Part(reader, work, after, done, total)
            parts = format.write(reader, traces, after)
            data = b"".join(parts) if total <= PLAIN else _packed(parts)
            if traces.done == done:
                break  # leads went meanwhile: nothing is left
            name = f"leads-{traces.first}-{traces.last}.{format.suffix}" if total > PART else f"leads.{format.suffix}"
            if total <= PLAIN:
                work.add_file(name, format.media_type, data)
            else:
                work.add_file(f"{name}.gz", "application/gzip", data)
            after, done = traces.last, traces.done
            work.save((after, done), done)
        work.tell(leads=done)

    return Kind(KIND, ("Выгрузка журнала заявок", "Export of the log of leads"), run, WHO, resumable=True)


class _Part:
    """The leads of one file. ``first`` and ``last`` are the numbers of those that were read, ``done`` counts them over all
    files."""

    def __init__(self, reader: Reader, work: Work, after: int, done: int, total: int) -> None:
        self.reader, self.work, self.first, self.last, self.done, self.total = reader, work, 0, after, done, total

    def __iter__(self) -> Iterator[Trace]:
        for trace in self.reader.traces(self.last, PART):
            yield trace
            self.first, self.last, self.done = self.first or trace.number, trace.number, self.done + 1
            self.work.progress(self.done, self.total)


def _packed(parts: Iterable[bytes]) -> bytes:
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        packed.writelines(parts)
    return file.getvalue()

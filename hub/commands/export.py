"""``hub export …``: the log of leads and the process for other people's tools."""

from __future__ import annotations

import argparse
import gzip
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from hub.application import THE_HUB
from hub.bootstrap import House, clock
from hub.commands.base import Stop, add, group, opened
from hub.commands.leads import lead_id
from hub.commands.sheets import add_export
from hub.exports import bpmn
from hub.exports.giving import pieces, recorded
from hub.exports.reading import Scope, process_of
from hub.transfer.durable import private, put_in_place, to_disk

TOLD_EVERY = 0.5


def register(commands: Any) -> None:
    """Add the commands."""
    export = group(commands, "export", "leads as a table; the log and the process for tools of process mining")
    for name, help in (("xes", "write leads as traces: XES (IEEE 1849)"),
                       ("ocel", "write leads, people, meetings and proposals as objects with their events: OCEL 2.0 JSON")):
        log = add(export, name, export_log, help)
        log.set_defaults(format=name)
        log.add_argument("--from", dest="since", metavar="DAY", help="leads that came in from this day or time on")
        log.add_argument("--to", dest="until", metavar="DAY", help="and up to the end of this day, or before this time")
        log.add_argument("--lead", action="append", default=[], metavar="LEAD", help="its number or UUID; may be repeated")
        log.add_argument("--steps", action="store_true", help="only what the BPMN of the process has tasks for")
        log.add_argument("--personal", action="store_true", help="with clients' data and colleagues' names; is recorded")
        _common(log)
    drawn = add(export, "bpmn", export_bpmn, "write the process with its drawing: BPMN 2.0")
    _common(drawn)
    add_export(export)


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--version", type=int, default=0, metavar="N", help="in the words of this version of the process;"
                         " the one in force when absent")
    command.add_argument("--language", choices=("ru", "en"), default="ru", help="of activities and tasks")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="FILE",
                         help="is not replaced; compressed where it ends with .gz")


def export_log(arguments: argparse.Namespace) -> int:
    """Write the log of leads."""
    _free(arguments.output)
    with opened() as house:
        now = clock()
        scope = Scope(at=now, since=_moment(arguments.since, house), until=_moment(arguments.until, house, end=True),
                      leads=tuple(lead_id(house, text) for text in arguments.lead), personal=arguments.personal,
                      steps=arguments.steps, language=arguments.language, version=arguments.version)
        count = recorded(house.hub, arguments.format, scope, THE_HUB, now)
        _write(arguments.output, pieces(house.hub, arguments.format, scope, _teller(count)))
        print(f"{count:,} leads are in {arguments.output} ({arguments.output.stat().st_size:,} bytes), "
              f"{'with personal data' if arguments.personal else 'without personal data'}; taking them away is recorded.")
    return 0


def export_bpmn(arguments: argparse.Namespace) -> int:
    """Write the process."""
    _free(arguments.output)
    with opened() as house:
        process = process_of(house.hub, arguments.version)
        _write(arguments.output, [bpmn.write(process, arguments.language)])
        print(f"Version {process.version} of the process is in {arguments.output}.")
    return 0


def _free(path: Path) -> None:
    if path.exists():
        raise Stop(f"there is a file {path} already: give another name.")
    if not path.absolute().parent.is_dir():
        raise Stop(f"there is no folder {path.absolute().parent}: make it, or give another one.")


def _moment(text: str | None, house: House, *, end: bool = False) -> datetime | None:
    """A day or a time of the company; the ``end`` of a day is the beginning of the next."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Stop(f"{text!r} is neither a day such as 2026-11-20 nor a time such as 2026-11-20T14:30.") from error
    if end and len(text) <= len("2026-11-20"):
        moment += timedelta(days=1)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(house.hub.process.file.calendar.timezone))


def _write(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file for this user only, which is there under its name once it is whole."""
    part = path.with_name(f".{path.name}.part")
    try:
        with open(part, "wb", opener=private) as file:
            _put(file, parts, compress=path.suffix == ".gz")
            to_disk(file)
        put_in_place(part, path)
    finally:
        part.unlink(missing_ok=True)


def _put(file: IO[bytes], parts: Iterable[bytes], *, compress: bool) -> None:
    if not compress:
        file.writelines(parts)
        return
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        packed.writelines(parts)


def _teller(total: int) -> Callable[[int], None]:
    """Words about how far it is, on a terminal only."""
    last = 0.0

    def tell(done: int) -> None:
        nonlocal last
        if sys.stderr.isatty() and (done >= total or time.monotonic() - last > TOLD_EVERY):
            last = time.monotonic()
            print(f"\r{done:,} of {total:,} leads", end="\n" if done >= total else "", file=sys.stderr, flush=True)

    return tell

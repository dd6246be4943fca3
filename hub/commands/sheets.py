"""``hub import`` and ``hub export leads``: leads in and out as tables, by the same long works as the pages."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from threading import Event as Flag
from typing import Any
from uuid import UUID

from hub.application import THE_HUB
from hub.bootstrap import House, clock
from hub.commands.base import Stop, add, opened
from hub.domain.errors import SENTENCES
from hub.jobs import Job, JobRunner
from hub.projections.lead_queries import ENDED_SHOWS, OPEN_SHOWS, Wanted
from hub.projections.lead_tasks import iso
from hub.sheets import exporting, importing, mapping, remembered
from hub.sheets.importing import FILE, KNOWN, Options, looked_through
from hub.sheets.mapping import TARGETS, Source
from hub.sheets.reading import Sheet, read

CHANNELS = tuple(exporting.CHANNELS)
TOLD_EVERY = 0.5
LOOKED_AT = 10


def register(commands: Any) -> None:
    """Add ``hub import``."""
    bring = add(commands, "import", bring_in, "bring leads in from a CSV or XLSX file; stopped, it goes on when begun again")
    bring.add_argument("file", type=Path, metavar="FILE")
    bring.add_argument("--columns", metavar="A,B,…", help=f"what each column is, of {', '.join(TARGETS)}; guessed when absent")
    bring.add_argument("--title", default="", help="the source on the cards, such as «Выставка»")
    bring.add_argument("--channel", choices=CHANNELS, default="website", help="which channel the leads count for")
    bring.add_argument("--known", choices=KNOWN, default="add", help="what becomes of rows of clients who have a card")
    bring.add_argument("--clocks", action="store_true", help="start the deadlines and offer the leads, as for new ones")
    bring.add_argument("--look", action="store_true", help="only say what would become of the first rows")


def add_export(export: Any) -> None:
    """Add ``hub export leads``."""
    take = add(export, "leads", take_out, "write the leads of the list as a table: CSV or XLSX by the name of the file")
    take.add_argument("--show", choices=(*OPEN_SHOWS, *ENDED_SHOWS), default="all",
                      help="as the chips of the list; all: open ones")
    take.add_argument("--words", default="", help="only those that the search finds")
    take.add_argument("--columns", metavar="A,B,…", default=",".join(exporting.USUAL), help=f"of {', '.join(exporting.COLUMNS)}")
    take.add_argument("--language", choices=("ru", "en"), default="ru", help="of the headings")
    take.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="is not replaced")


def bring_in(arguments: argparse.Namespace) -> int:
    """Import a file."""
    try:
        data = arguments.file.read_bytes()
    except OSError as error:
        raise Stop(f"{arguments.file} cannot be read: {error.strerror}.") from error
    with opened() as house:
        sheet = read(data)
        options = _options(house, arguments, sheet)
        if arguments.look:
            return _look(house, sheet, options)
        remembered.remember(house.store, sheet.header, options.columns)
        job = house.hub.jobs.start(importing.KIND, options.told(), actor=THE_HUB, at=clock(), name=arguments.file.name,
                                   files={FILE: ("application/octet-stream", data)})
        done = _done(house, job)
        facts = done.facts
        print(f"{facts['began']:,} new leads, {facts['added']:,} rows added to cards, {facts['skipped']:,} left out.")
        for code, count in facts["reasons"].items():
            print(f"  {count:,}: {importing.fault_said(code, {'given': '…'}, 'en')}")
        for file in done.results:
            path = arguments.file.with_name(f"{arguments.file.stem}-{file.name}")
            path.write_bytes(house.hub.jobs.read(done, file.name))
            print(f"The rows that were left out, with why, are in {path}.")
    return 0


def _options(house: House, arguments: argparse.Namespace, sheet: Sheet) -> Options:
    columns: tuple[str, ...] | None = None
    if arguments.columns:
        columns = tuple(name.strip() for name in arguments.columns.split(","))
        if len(columns) != len(sheet.header) or not set(columns) <= set(TARGETS):
            raise Stop(f"the file has {len(sheet.header)} columns ({', '.join(sheet.header)}): name one of {', '.join(TARGETS)} "
                       "for each.")
    columns = columns or remembered.recall(house.store, sheet.header) or mapping.guessed(sheet.header, [c for _, c in sheet.rows])
    title = arguments.title or f"Импорт {clock():%d.%m.%Y}"
    return Options(mapping.checked(columns, {}), Source(arguments.channel, title, not arguments.clocks), arguments.known)


def _look(house: House, sheet: Sheet, options: Options) -> int:
    for heading, column in zip(sheet.header, options.columns, strict=True):
        print(f"{heading}: {column}")
    for row in looked_through(house.hub, sheet, options, sheet.rows[:LOOKED_AT]):
        print(f"row {row.number}: {row.say('en') or ('joins a card' if row.card and options.known == 'add' else 'a new lead')}")
    print(f"{len(sheet.rows):,} rows in all; nothing was imported.")
    return 0


def take_out(arguments: argparse.Namespace) -> int:
    """Export the list."""
    path: Path = arguments.output
    if path.exists():
        raise Stop(f"there is a file {path} already: give another name.")
    with opened() as house:
        now = clock()
        wanted = Wanted(show=arguments.show, words=arguments.words, day_ends=iso(now))
        job = exporting.start(house.hub, wanted, arguments.columns.split(","), path.suffix.lstrip("."),
                              site=house.settings.public_url.rstrip("/"), language=arguments.language, actor=THE_HUB, at=now)
        done = _done(house, job)
        path.touch(mode=0o600)
        path.write_bytes(house.hub.jobs.read(done, done.results[0].name))
        print(f"{done.facts['leads']:,} leads are in {path}; taking them away is recorded.")
    return 0


def _done(house: House, job: UUID) -> Job:
    """The job at its end: worked on here, unless a worker of the hub is quicker."""
    runner, never = JobRunner(house.hub.jobs, clock), Flag()
    while (found := house.hub.jobs.one(job)).open:
        if not runner.turn(never):
            time.sleep(TOLD_EVERY)
    if found.state != "done":
        code, params = found.said
        raise Stop(SENTENCES[code].en.format(**params) if code in SENTENCES else "it was stopped; begin it again to go on.")
    if sys.stderr.isatty():
        print(f"{found.done:,} of {found.total or found.done:,} rows", file=sys.stderr)
    return found

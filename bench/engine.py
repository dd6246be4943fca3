"""Commands and deliveries against a raw INSERT, read models, reading."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from uuid import UUID, uuid4

from bench.measure import Grown, Raw, RawPostgres, Report, Times, raw_of, side_by_side
from hub.domain import events as e
from hub.domain.aggregate import Stamp
from hub.domain.lead import Lead
from hub.projections import Runner
from hub.projections.views import Views
from tests import databases
from tests.house import MONDAY, Department, actor, form, phone

SIZES = (1, 20, 60, 500)
"""Events of a lead before the first of its appends."""
COMMANDS = 120
DELIVERIES = 200
LEADS = 1_000
NOTE = "Клиент просит перезвонить завтра утром"


def last_rows(house: Department, after: int) -> list[tuple[str, bytes]]:
    """Topic and bytes of what was stored after a position."""
    return [(row.topic, bytes(row.state)) for row in house.store.tail(after, 1_000)]


def grown(house: Department, size: int, count: int) -> list[UUID]:
    """Leads with this many events, or with as few as a lead can have."""
    leads = [house.new_lead() for _ in range(count)]
    for lead in leads:
        while house.hub.version(lead) < size:
            house.do(lead, "note", text=NOTE)
    return leads


def begun(house: Department, count: int) -> list[UUID]:
    """Leads of a single event, which the store alone makes: whatever comes in begins with nine or ten."""
    leads = [Lead(uuid4(), now()) for _ in range(count)]
    for lead in leads:
        person = uuid4()
        house.keys.create(person)  # a commit of its own, which is not what is measured
        lead.record(e.LeadReceived, channel="website", source="main", source_title="Сайт", person_id=person)
        house.hub.streams.save([lead])
    return [lead.id for lead in leads]


def appends(house: Department, raw: Raw | RawPostgres, report: Report, store: str) -> None:
    """A note on leads of different ages: the append alone, and the whole command."""
    report.section(f"{store}: one event on a lead, against a raw INSERT and COMMIT of the same row",
                   "events of the lead", "raw", "append", "/ raw", "command", "/ raw", "command, lead not at hand", "/ raw")
    for size in SIZES:
        leads = begun(house, COMMANDS + 1) if size == 1 else grown(house, size, 4 if size > 100 else 24)
        turns = {name: cycle(leads) for name in ("append", "command", "cold")}

        def append() -> None:
            """State at hand, one event decided on it, encoded, stored, folded: what the engine adds to the INSERT."""
            lead = next(turns["append"])  # noqa: B023
            version, state = house.hub.streams.at_hand(Lead, lead)
            found = Lead(lead, now(), state, version)
            found.record(e.NoteAdded, subject=state.main_person, text=NOTE)
            house.hub.streams.save([found])

        def command(*, forget: bool = False) -> None:
            lead = next(turns["cold" if forget else "command"])  # noqa: B023
            if forget:
                house.hub.streams.forget(lead)
            house.do(lead, "note", text=NOTE)

        before = house.store.head()
        append()
        [row] = last_rows(house, before)
        acts: dict[str, Callable[[], object]] = {"raw": Grown(raw, len(leads), size, row).insert, "append": append}
        if size > 1:  # nobody can work on a lead that has only begun
            acts |= {"command": command, "cold": lambda: command(forget=True)}
        times = side_by_side(COMMANDS, **acts)
        base = times["raw"].median
        cells = [cell for name in ("append", "command", "cold") for cell in (
            (times[name], f"{times[name].median / base:.2f}") if name in times else ("", ""))]
        report.row(size, times["raw"], *cells)


def now() -> Stamp:
    """Somebody writes now."""
    return Stamp(actor("anna"), MONDAY, uuid4(), 1)


def deliveries(house: Department, raw: Raw | RawPostgres, keys: Raw | RawPostgres, report: Report, store: str) -> None:
    """A delivery of somebody new (its key is committed first) and of somebody known."""
    report.section(f"{store}: a delivery (``hub.receive``), against a raw INSERT and COMMIT of the same rows",
                   "delivery", "rows", "bytes", "raw", "hub", "hub / raw")
    numbers = iter(range(10_000_000))
    for name, count in (("of somebody new", DELIVERIES), ("of somebody with an open card", DELIVERIES)):
        known = name.startswith("of somebody with")
        for n in range(50):
            house.receive(form(phone(8_000_000 + n)))
        turn = cycle(range(50))

        def receive() -> None:
            house.receive(form(phone(8_000_000 + next(turn) if known else 7_000_000 + next(numbers))))  # noqa: B023

        before = house.store.head()
        receive()
        rows = last_rows(house, before)

        def insert() -> None:
            if not known:  # noqa: B023
                keys.insert([("key", b"k" * 60)])  # the key of a new person is a commit of its own, by design
            raw.insert(rows)  # noqa: B023

        times = side_by_side(count, raw=insert, hub=receive)
        report.row(name + ("" if known else " (raw: two commits as well)"), len(rows), sum(len(state) for _, state in rows),
                   times["raw"], times["hub"], f"{times['hub'].median / times['raw'].median:.2f}")


def read_models(house: Department, report: Report, store: str) -> None:
    """How soon and how fast they follow."""
    house.runner.catch_up()
    lead, stop = house.new_lead(), Flag()
    loop = Thread(target=house.runner.run, args=(stop,))
    loop.start()
    seconds = []
    try:
        for n in range(400):
            done = house.do(lead, "note", text=f"{n}")
            begin = time.perf_counter()
            house.runner.wait(done.position, 10)
            seconds.append(time.perf_counter() - begin)
            time.sleep(0.002)
    finally:
        stop.set()
        loop.join()
    seen = Times(tuple(seconds))
    report.section(f"{store}: read models", "what", "figure")
    report.row("from the commit until every read model shows it",
               f"p50 {seen.median * 1e3:.1f} ms, p99 {seen.at(.99) * 1e3:.1f} ms")
    while house.views.leads.count("1 = 1") < LEADS:
        for n in range(100):
            house.receive(form(phone(2_000_000 + house.store.head() * 100 + n)))
        house.runner.catch_up()
    head = house.store.head()
    for projection in Views(house.store).all:
        report.row(f"rebuild of {projection.name}, {head} events", rate(head, lambda p=projection: house.runner.rebuild(p.name)))  # type: ignore[misc]
    with house.store.views.writing() as cursor:
        for projection in Views(house.store).all:
            for table in projection.table_names:
                cursor.execute(f"DELETE FROM {table}")
        cursor.execute("UPDATE projection_positions SET position = 0")
    report.row(f"all of them at once, following from the first event, {head} events",
               rate(head, Runner(house.store, Views(house.store).all).catch_up))


def rate(events: int, act: Callable[[], object]) -> str:
    """Events in a second."""
    begin = time.perf_counter()
    act()
    return f"{events / (time.perf_counter() - begin):,.0f} events/s"


def reading(house: Department, report: Report, store: str) -> None:
    """What pages ask."""
    leads = [UUID(row["id"]) for row in house.views.leads.rows("1 = 1", limit=LEADS)]
    turn, cold = cycle(leads), cycle(leads)

    def card(turn: cycle[UUID], *, forget: bool) -> None:
        lead = next(turn)
        if forget:
            house.hub.streams.forget(lead)
        house.hub.lead(lead)
        house.hub.history(lead)

    times = side_by_side(
        60, board=lambda: house.views.leads.rows(limit=LEADS), search=lambda: house.views.leads.found("912 200"),
        lead=lambda: house.hub.lead(next(turn)), card=lambda: card(cold, forget=True))
    report.section(f"{store}: reading, {len(leads)} leads", "what", "time", "p99")
    names = {"board": f"the board: {len(leads)} rows", "search": "a search", "lead": "a lead's state, at hand",
             "card": "a card: state and whole history, not at hand"}
    for name, found in times.items():
        report.row(names[name], found, f"{found.at(.99) * 1e3:.2f} ms")


def run(folder: Path, report: Report, url: str = "") -> None:
    """Everything that needs no server of ours, on SQLite or in the PostgreSQL database of ``url``."""
    folder.mkdir()
    store = "PostgreSQL" if url else "SQLite"
    if url:
        databases.put(folder, url)
    raw, keys = raw_of(folder, url, "raw"), raw_of(folder, url, "raw-keys")
    with Department(folder) as house:
        house.begin()
        appends(house, raw, report, store)
        deliveries(house, raw, keys, report, store)
        read_models(house, report, store)
        reading(house, report, store)
    raw.close()
    keys.close()


def spread(values: list[float]) -> str:
    """Median, lowest and highest of a few runs."""
    return f"{statistics.median(values):,.0f} ({min(values):,.0f}–{max(values):,.0f})"

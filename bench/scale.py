"""How reading and writing grow with the log: the same questions to departments of 10,000 to 4,000,000 events, on both stores."""

from __future__ import annotations

import gc
import multiprocessing
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count, cycle
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient

from bench.generate import PASSWORD, UNTIL, History, fill, index_key, let_in
from bench.lives import ROLES
from bench.measure import Report, Times
from hub.bootstrap import House, migrate, open_house
from hub.config import Settings, load
from hub.domain.aggregate import Actor
from hub.domain.delivery import Address, Delivery
from hub.projections.lead_queries import Wanted
from hub.projections.lead_tasks import iso
from hub.web import create_app
from tests.postgres import Cluster, binaries, database

SMALL = (260, 2_600)
"""Leads of the departments that are always measured: 10,000 and 100,000 events."""
LARGE = (26_000, 110_000)
"""Those of ``--scale``: a million and four millions."""
OPEN = 11
"""One lead of so many is open."""
MOST, LEAST, SECONDS = 200, 20, 0.7
"""An act is repeated so many times at most, at least, and for so long."""
TAIL = 500
AIM_MS = 50
SPAWN = multiprocessing.get_context("spawn")


@dataclass
class Size:
    """What was found for one department. ``acts`` are times by the name of what was done."""

    leads: int
    events: int = 0
    facts: dict[str, str] = field(default_factory=dict)
    acts: dict[str, Times] = field(default_factory=dict)


def wanted(arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[int, ...]:
    """Which sizes to measure: the small ones, all with ``--scale``, or all up to BENCH_LEADS leads and that one."""
    if most := int(environ.get("BENCH_LEADS", "0")):
        return (*(n for n in (*SMALL, *LARGE) if n < most), most)
    return (*SMALL, *LARGE) if "--scale" in arguments else SMALL


def run(folder: Path, report: Report, sizes: Sequence[int]) -> None:
    """The tables of SQLite, and those of PostgreSQL where it is installed. A department that lies in ``folder`` is used again."""
    tell("SQLite", [measured(folder / str(leads), leads, "") for leads in sizes], report)
    with postgresql() as server:
        if server is None:
            report.say("\nPostgreSQL is not installed here: it was not measured.")
            return
        found = []
        for leads in sizes:
            with database(server) as url:
                found.append(measured(folder / f"postgresql-{leads}", leads, url))
    tell("PostgreSQL", found, report)


@contextmanager
def postgresql() -> Iterator[str | None]:
    """A server that waits for the disk like one of production: HUB_TEST_POSTGRES_URL's, else one started here."""
    programs = binaries()
    if given := os.environ.get("HUB_TEST_POSTGRES_URL"):
        yield given
    elif programs is None:
        yield None
    else:
        cluster = Cluster(programs, durable=True)
        try:
            cluster.start()
            yield cluster.url
        finally:
            cluster.remove()


def measured(folder: Path, leads: int, url: str) -> Size:
    """Make, follow and ask one department; every step in a process of its own, so that its memory is seen."""
    folder.mkdir(parents=True, exist_ok=True)
    size = Size(leads)
    for step in (make, follow, ask):
        with SPAWN.Pool(1) as pool:
            found: Size = pool.apply(step, (folder, leads, url))
        size.events = found.events
        size.facts |= found.facts
        size.acts |= found.acts
    return size


def tell(store: str, sizes: Sequence[Size], report: Report) -> None:
    """The tables of a store."""
    heads = [f"{s.events:,}" for s in sizes]
    report.section(f"{store}: how it grows with the events of the log, one lead in eleven open; p50 / p99 in ms", "what", *heads,
                   f"p50 at {heads[-1]} / at {heads[0]}", f"p99 ≤ {AIM_MS} ms")
    for name in sizes[0].acts:
        times = [s.acts[name] for s in sizes]
        report.row(name, *(f"{t.median * 1e3:.2f} / {t.at(.99) * 1e3:.2f}" for t in times),
                   f"{times[-1].median / times[0].median:.1f}", "yes" if times[-1].at(.99) * 1e3 <= AIM_MS else "**no**")
    report.section(f"{store}: sizes and rates", "what", *heads)
    for name in sizes[0].facts:
        report.row(name, *(s.facts[name] for s in sizes))


# ── the three steps ──────────────────────────────────────────────────────────────


def _settings(folder: Path, url: str) -> Settings:
    return load({"HUB_DATA_DIR": str(folder), **({"HUB_DATABASE_URL": url} if url else {})})


def make(folder: Path, leads: int, url: str) -> Size:
    """Append the history."""
    size = Size(leads)
    migrate(_settings(folder, url))
    with closing(open_house(_settings(folder, url))) as house:
        history = History(leads, max(OPEN, leads // OPEN), key=index_key(house))
        begin = time.perf_counter()
        added = fill(history, house, say=False)
        if added:
            size.facts["appended in bulk, events/s (made, sealed, stored)"] = f"{added / (time.perf_counter() - begin):,.0f}"
        else:
            size.facts["appended in bulk, events/s (made, sealed, stored)"] = "kept"
        let_in(house, UNTIL)
        size.events = house.store.count()
    size.facts["leads, of which open"] = f"{leads:,}, {history.open:,}"
    return size


def follow(folder: Path, leads: int, url: str) -> Size:
    """Make every read model from the log."""
    size = Size(leads)
    with closing(open_house(_settings(folder, url))) as house:
        size.events = house.store.count()
        behind = sum(status.lag for status in house.runner.status()) // max(1, len(house.runner.status()))
        begin = time.perf_counter()
        house.runner.catch_up()
        rate = f"{behind / (time.perf_counter() - begin):,.0f}" if behind else "kept"
        size.facts["all read models from nothing, events/s"] = rate
        size.facts["resident memory after that"] = f"{_resident():.0f} MiB"
    if not url:
        size.facts["files of the folder"] = ", ".join(f"{p.name} {p.stat().st_size / 2**20:,.0f} MiB"
                                                      for p in sorted(folder.glob("*.db")))
    return size


def ask(folder: Path, leads: int, url: str) -> Size:
    """Everything that people and pages ask, one after the other."""
    size = Size(leads)
    gc.collect()
    gc.freeze()  # as the server does before its processes are forked
    with closing(open_house(_settings(folder, url))) as house:
        size.events = house.store.count()
        house.runner.catch_up()
        app = create_app(replace(house.parts, clock=lambda: UNTIL + timedelta(minutes=5)))
        questions = Questions(house, app.test_client(), app.test_client())
        for name, act in questions.all():
            size.acts[name] = _timed(act)
        size.facts["resident memory after the questions"] = f"{_resident():.0f} MiB"
    return size


def _timed(act: Callable[[], object]) -> Times:
    """Times of an act; the first time is not counted: a page's template is compiled then."""
    act()
    gc.collect()
    seconds: list[float] = []
    until = time.perf_counter() + SECONDS
    while len(seconds) < MOST and (len(seconds) < LEAST or time.perf_counter() < until):
        begin = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - begin)
    return Times(tuple(seconds))


def _resident() -> float:
    """Memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


# ── what is asked ────────────────────────────────────────────────────────────────


class Questions:
    """The acts over one department: pages as a manager and as the head see them, and the queries under them."""

    def __init__(self, house: House, manager: FlaskClient, head: FlaskClient) -> None:
        self.house, self.hub, self.leads = house, house.hub, house.hub.views.leads
        self.manager, self.head = manager, head
        _sign_in(manager, "anna")
        _sign_in(head, "head")
        self.me = next(user for user, role in ROLES.items() if role == "manager")
        self.actor = Actor(self.me, frozenset({"manager"}))
        rng = Random(5)
        self.open = [UUID(row["id"]) for row in self.leads.rows("is_open = 1", limit=2_000)]
        rng.shuffle(self.open)
        numbers = house.hub.views.leads.count("number > 0")
        some = [rng.randint(1, numbers * 9 // 10) for _ in range(400)]
        self.any = [lead for n in some if (lead := self.leads.by_number(n)) is not None]
        self.long = sorted(self.open, key=lambda lead: abs(self.hub.version(lead) - 60))[:40]
        rows = [row for lead in self.any if (row := self.leads.one(lead)) is not None]
        self.surnames = [row["person"].split()[-1] for row in rows if row["person"]]
        self.phones = [row["phones"].split()[0] for row in rows if row["phones"]]

    def all(self) -> list[tuple[str, Callable[[], object]]]:
        """Names and acts."""
        return [*self._writing(), *self._pages(), *self._queries()]

    def _writing(self) -> list[tuple[str, Callable[[], object]]]:
        long, warm, numbers = cycle(self.long), self.long[0], count(1)
        known = cycle(self.phones)

        def note(lead: UUID, *, forget: bool) -> None:
            if forget:
                self.hub.streams.forget(lead)
            self.hub.do(lead, "note", {"text": "Клиент просит перезвонить завтра утром"}, actor=self.actor, at=self._now())

        def receive(phone: str) -> None:
            n = next(numbers)
            self.hub.receive(Delivery(
                channel="website", source="main-site", source_title="Сайт", delivery_id=f"scale-{os.getpid()}-{n}",
                payload_digest=str(n), name="Иван Петренко", text="Нужен сайт", addresses=(Address("phone", phone, phone),)),
                at=self._now())

        head = self.house.store.head()
        return [
            ("command on a lead of about 60 events", lambda: note(warm, forget=False)),
            ("the same, lead not at hand", lambda: note(next(long), forget=True)),
            ("delivery of somebody new", lambda: receive(f"+7943{os.getpid() % 1000:03d}{next(numbers):04d}")),
            ("delivery of somebody known", lambda: receive(next(known))),
            (f"tail of the log, {TAIL} events decoded", lambda: self.house.store.log(head - TAIL, TAIL)),
            (f"middle of the log, {TAIL} events decoded", lambda: self.house.store.log(head // 2, TAIL)),
        ]

    def _pages(self) -> list[tuple[str, Callable[[], object]]]:
        self.house.runner.catch_up()
        open_, any_ = cycle(self.open), cycle(self.any)
        surnames, phones = cycle(self.surnames), cycle(self.phones)

        def get(client: FlaskClient, path: str) -> None:
            answer = client.get(path)
            assert answer.status_code in (200, 302), (path, answer.status)

        def cold(lead: UUID) -> None:
            self.hub.streams.forget(lead)
            get(self.manager, f"/leads/{lead}")

        def ends(phone: str) -> str:
            """As people write it: bare digits would be a lead's number."""
            return f"{phone[-7:-4]}-{phone[-4:-2]}-{phone[-2:]}"

        mine = "/leads?show=mine&segment=B&sort=-score"
        of_90 = f"?from={(UNTIL - timedelta(days=89)).date()}&to={UNTIL.date()}"
        return [
            ("page: board of a manager", lambda: get(self.manager, "/?show=mine")),
            ("page: board of everybody", lambda: get(self.head, "/")),
            ("page: board, words in the filter", lambda: get(self.head, "/?q=портал")),
            ("page: list, filtered and sorted", lambda: get(self.manager, mine)),
            ("page: list, sorted by name", lambda: get(self.head, "/leads?sort=name")),
            ("page: list, page 40", lambda: get(self.head, "/leads?sort=received&page=40")),
            ("page: list of lost leads", lambda: get(self.head, "/leads?show=lost")),
            ("page: lost leads by name", lambda: get(self.head, "/leads?show=lost&sort=name")),
            ("page: lost leads of a channel with words", lambda: get(self.head, "/leads?show=lost&channel=email&q=портал")),
            ("page: card of an open lead", lambda: cold(next(open_))),
            ("page: card of any lead", lambda: cold(next(any_))),
            ("page: search by surname", lambda: get(self.manager, f"/search?q={next(surnames)}")),
            ("page: search by words that many have", lambda: get(self.manager, "/search?q=личный+кабинет")),
            ("page: search by words that nobody has", lambda: get(self.manager, "/search?q=гиппопотам")),
            ("page: search by a whole phone", lambda: get(self.manager, f"/search?q={next(phones).replace('+', '%2B')}")),
            ("page: search by the end of a phone", lambda: get(self.manager, f"/search?q={ends(next(phones))}")),
            ("page: my day of a manager", lambda: get(self.manager, "/my")),
            ("page: my day of the head", lambda: get(self.head, "/my")),
            ("page: notices", lambda: get(self.manager, "/notices")),
            ("page: process with its numbers", lambda: get(self.head, "/process")),
            ("page: reports, today", lambda: get(self.head, "/reports")),
            ("page: reports, speed of 90 days", lambda: get(self.head, f"/reports/speed{of_90}")),
            ("page: reports, deadlines of 90 days", lambda: get(self.head, f"/reports/deadlines{of_90}")),
            ("page: reports, funnel of 90 days", lambda: get(self.head, f"/reports/funnel{of_90}")),
            ("page: reports, sources of 90 days", lambda: get(self.head, f"/reports/sources{of_90}")),
            ("page: quarantine", lambda: get(self.head, "/quarantine")),
        ]

    def _queries(self) -> list[tuple[str, Callable[[], object]]]:
        any_, past = cycle(self.any), Random(7)
        intervals, since = self.hub.views.intervals, UNTIL - timedelta(days=30)
        everything = Wanted(me=self.me, day_ends=iso(UNTIL + timedelta(hours=13)))
        surnames, phones = cycle(self.surnames), cycle(self.phones)
        received = {lead: self.hub.lead(lead).received_at or UNTIL for lead in self.any}

        def then(lead: UUID) -> None:
            first = received[lead]
            self.hub.lead(lead, at=first + max(timedelta(), UNTIL - first) * past.random())

        return [
            ("state of a lead at an instant", lambda: then(next(any_))),
            ("query: numbers of chips and columns", lambda: self.leads.counts(everything)),
            ("query: a column", lambda: self.leads.column("follow_up", everything, 25)),
            ("query: what burns", lambda: self.leads.hottest(iso(UNTIL - timedelta(days=1)), 4)),
            ("query: search by surname", lambda: self.leads.found(next(surnames))),
            ("query: a whole phone", lambda: self.leads.exact(next(phones))),
            ("query: tasks of a person", lambda: self.leads.tasks.of([self.me], before=UNTIL + timedelta(days=2))),
            ("query: median stays of 30 days", lambda: intervals.medians(since)),
            ("query: median stays of 5 years", lambda: intervals.medians(UNTIL - timedelta(days=1826))),
            ("query: flows of 5 years", lambda: intervals.flows(UNTIL - timedelta(days=1826))),
            ("query: deliveries by form", lambda: self.hub.views.receipts.last_of("website")),
            ("query: due deadlines", lambda: self.hub.views.deadlines.due(UNTIL)),
        ]

    @staticmethod
    def _now() -> Any:
        return UNTIL + timedelta(minutes=5)


def _sign_in(client: FlaskClient, login: str) -> None:
    page = client.get("/sign-in").get_data(as_text=True)
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token, "the sign-in page has no CSRF token"
    answer = client.post("/sign-in", data={"login": login, "password": PASSWORD, "csrf_token": token[1]})
    assert answer.status_code == 303, answer.get_data(as_text=True)

"""What the stays and deadlines of a lead are counted by: its channel, source, owner and segment; and deadlines by stage.

Part of the tables of :class:`hub.projections.intervals.Intervals`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Self

from hub.domain import events as e
from hub.domain.event import Event
from hub.domain.state import Due
from hub.projections.leads import iso
from hub.store.base import Cursor

TABLES = """
    CREATE TABLE stage_leads (lead TEXT PRIMARY KEY, test INTEGER NOT NULL, channel TEXT NOT NULL, source TEXT NOT NULL,
                              owner TEXT NOT NULL, segment TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX stage_leads_source ON stage_leads (source, lead);
    CREATE TABLE stage_sources (source TEXT PRIMARY KEY, title TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE stage_deadlines (lead TEXT NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL, stage TEXT NOT NULL,
                                  deadline TEXT NOT NULL, met INTEGER NOT NULL, owner TEXT NOT NULL, segment TEXT NOT NULL,
                                  channel TEXT NOT NULL, source TEXT NOT NULL, PRIMARY KEY (lead, version)) WITHOUT ROWID;
    CREATE INDEX stage_deadlines_at ON stage_deadlines (at, lead, version, stage, met, owner, segment, channel, source, deadline);
    CREATE TABLE stage_deadline_days (day TEXT NOT NULL, stage TEXT NOT NULL, met INTEGER NOT NULL, n INTEGER NOT NULL,
                                      PRIMARY KEY (day, stage, met)) WITHOUT ROWID;
"""


@dataclass
class Traits:
    """A row of ``stage_leads``."""

    lead: str
    test: int = 0
    channel: str = ""
    source: str = ""
    owner: str = ""
    segment: str = ""

    def learn(self, event: Event) -> bool:
        """Take in who the lead is and who works it; whether ``event`` says only that."""
        match event:
            case e.LeadReceived():
                self.test, self.channel, self.source = int(event.test), event.channel, event.source
            case e.LeadTaken() | e.LeadReassigned():
                self.owner = event.owner
            case e.LeadScored():
                self.segment = event.segment
            case _:
                return False
        return True

    def frozen(self) -> Self:
        """As it is now, whatever is learnt later."""
        return replace(self)

    def row(self) -> tuple[str | int, ...]:
        """As the table has it."""
        return self.lead, self.test, self.channel, self.source, self.owner, self.segment


LEARNT = (e.LeadReceived, e.LeadTaken, e.LeadReassigned, e.LeadScored)
ENDS_OF_DEADLINES = (e.DeadlineMet, e.DeadlineMissed)


def read(cursor: Cursor, leads: Collection[str]) -> dict[str, Traits]:
    """What is known of ``leads``; nothing of one that is new."""
    found = {lead: Traits(lead) for lead in leads}
    every = sorted(leads)
    for some in (every[n:n + 500] for n in range(0, len(every), 500)):
        cursor.execute("SELECT lead, test, channel, source, owner, segment FROM stage_leads "
                       f"WHERE lead IN ({', '.join('?' * len(some))})", some)
        found.update((row["lead"], Traits(*tuple(row))) for row in cursor.fetchall())
    return found


def write(cursor: Cursor, rows: Collection[tuple[str | int, ...]]) -> None:
    """Keep what is known."""
    cursor.executemany("INSERT INTO stage_leads VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (lead) DO UPDATE SET test = excluded.test, "
                       "channel = excluded.channel, source = excluded.source, owner = excluded.owner, "
                       "segment = excluded.segment", rows)


def write_sources(cursor: Cursor, events: Iterable[Event]) -> None:
    """Keep by which sources leads come, each as it was called last."""
    titles = {event.source: event.source_title for event in events if isinstance(event, e.LeadReceived) and event.source}
    cursor.executemany("INSERT INTO stage_sources VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET title = excluded.title",
                       sorted(titles.items()))


class DeadlineEnds:
    """Deadlines that ended, of one batch. Each counts once, in the stage in which the lead was then (none: it slept or had
    ended): as met where it was done by its time, as missed where its time passed first. Those of test leads and returns that
    time itself brings do not count, as in :class:`hub.projections.punctuality.Punctuality`."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._rows: list[tuple[str, int, str, str, str, int, str, str, str, str]] = []
        self._days: Counter[tuple[str, str, int]] = Counter()

    def add(self, event: Event, stage: str, by: Traits) -> None:
        """One that was met or missed, where ``event`` says so."""
        match event:
            case e.DeadlineMet(late=False) | e.DeadlineMissed():
                at, met = iso(event.at) or "", int(isinstance(event, e.DeadlineMet))
                if not by.test and Due(event.key, event.due_at, event.due_at).kind != "wake":
                    self._rows.append((by.lead, event.originator_version, at, stage, event.key, met, by.owner, by.segment,
                                       by.channel, by.source))
                    self._days[at[:10], stage, met] += 1

    def take_back(self, event: e.MoveUndone, by: Traits) -> None:
        """What a move had met is open again."""
        self.write()
        at = iso(event.moved_at) or ""
        for due in event.back:
            if due.met and not by.test:
                self._cursor.execute("SELECT version, stage FROM stage_deadlines WHERE lead = ? AND at = ? AND deadline = ? "
                                     "AND met = 1", (by.lead, at, due.key))
                for row in self._cursor.fetchall():
                    self._cursor.execute("DELETE FROM stage_deadlines WHERE lead = ? AND version = ?", (by.lead, row["version"]))
                    self._days[at[:10], row["stage"], 1] -= 1

    def write(self) -> None:
        """Keep them."""
        self._cursor.executemany("INSERT INTO stage_deadlines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                                 "ON CONFLICT (lead, version) DO NOTHING", self._rows)
        self._cursor.executemany(
            "INSERT INTO stage_deadline_days VALUES (?, ?, ?, ?) ON CONFLICT (day, stage, met) DO UPDATE SET "
            "n = stage_deadline_days.n + excluded.n", [(*key, n) for key, n in sorted(self._days.items())])
        self._rows.clear()
        self._days.clear()

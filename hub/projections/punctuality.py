"""How many deadlines were met in time, by day, deadline, person and channel: for the share that is met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from hub.domain import events as e
from hub.domain.event import Event
from hub.domain.state import Due
from hub.projections.base import Projection, Row
from hub.projections.leads import iso
from hub.store.base import Cursor, EventStore

NOBODYS = ("", "", 0)
"""Channel, owner and mark of a test: of a lead whose beginning is skipped."""


class Met(NamedTuple):
    """Deadlines of one kind, person (empty: nobody had taken the lead) or channel that ended in a time."""

    by: str
    met: int
    missed: int


class Punctuality(Projection):
    """A deadline counts once, on the day (UTC) on which it ended: as met where it was done by its time, as missed where its
    time passed first, whether or not it was done later. Dropped ones, those of test leads and returns that time itself brings
    do not count.

    The person is who owned the lead then; the channel is the lead's first. What a move met counts no more once it is taken back.
    """

    name = "punctuality"
    version = 2
    readable = False
    tables = """
        CREATE TABLE deadline_days (day TEXT NOT NULL, kind TEXT NOT NULL, owner TEXT NOT NULL, channel TEXT NOT NULL,
                                    met INTEGER NOT NULL, missed INTEGER NOT NULL,
                                    PRIMARY KEY (day, kind, owner, channel)) WITHOUT ROWID;
        CREATE TABLE deadline_leads (lead TEXT PRIMARY KEY, channel TEXT NOT NULL, owner TEXT NOT NULL,
                                     test INTEGER NOT NULL) WITHOUT ROWID;
    """
    topics = frozenset(k.TOPIC for k in (e.LeadReceived, e.LeadTaken, e.LeadReassigned, e.DeadlineMet, e.DeadlineMissed,
                                         e.MoveUndone))

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        self.apply_all(cursor, [(position, event)])

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Leads that are named are read once, and each changed number written once."""
        known = self._known(cursor, sorted({event.originator_id.hex for _, event in rows}))
        numbers: Counter[tuple[str, str, str, str, bool]] = Counter()
        for _, event in rows:
            lead = event.originator_id.hex
            match event:
                case e.LeadReceived():
                    known[lead] = (event.channel, "", int(event.test))
                case e.LeadTaken() | e.LeadReassigned():
                    channel, _owner, test = known.get(lead, NOBODYS)
                    known[lead] = (channel, event.owner, test)
                case e.DeadlineMet(late=False) | e.DeadlineMissed():
                    channel, owner, test = known.get(lead, NOBODYS)
                    kind = Due(event.key, event.due_at, event.due_at).kind
                    if not test and kind != "wake":
                        numbers[(iso(event.at) or "")[:10], kind, owner, channel, isinstance(event, e.DeadlineMet)] += 1
                case e.MoveUndone():
                    channel, owner, test = known.get(lead, NOBODYS)
                    for due in event.back:
                        if due.met and not test:
                            kind = Due(due.key, due.due_at, due.set_at).kind
                            numbers[(iso(event.moved_at) or "")[:10], kind, owner, channel, True] -= 1
        cursor.executemany("INSERT INTO deadline_leads VALUES (?, ?, ?, ?) ON CONFLICT (lead) DO UPDATE SET "
                           "owner = excluded.owner", [(lead, *found) for lead, found in known.items()])
        cursor.executemany(
            "INSERT INTO deadline_days VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (day, kind, owner, channel) DO UPDATE SET "
            "met = deadline_days.met + excluded.met, missed = deadline_days.missed + excluded.missed",
            [(*key, n if met else 0, 0 if met else n) for (*key, met), n in sorted(numbers.items())])

    def _known(self, cursor: Cursor, leads: Sequence[str]) -> dict[str, tuple[str, str, int]]:
        found: dict[str, tuple[str, str, int]] = {}
        for some in (leads[n:n + 500] for n in range(0, len(leads), 500)):
            cursor.execute(f"SELECT * FROM deadline_leads WHERE lead IN ({', '.join('?' * len(some))})", some)
            found.update((row["lead"], (row["channel"], row["owner"], row["test"])) for row in cursor.fetchall())
        return found

    def by(self, what: str, since: date, until: date) -> list[Met]:
        """Deadlines that ended from ``since`` to ``until``, both included, by ``kind``, ``owner`` or ``channel``."""
        if what not in ("kind", "owner", "channel"):
            raise ValueError(what)
        with self.store.views.reading() as c:
            c.execute(f"SELECT {what} AS name, SUM(met) AS met, SUM(missed) AS missed FROM deadline_days "
                      f"WHERE day >= ? AND day <= ? GROUP BY {what} ORDER BY {what}", (since.isoformat(), until.isoformat()))
            return [_met(row) for row in c.fetchall()]


def _met(row: Any) -> Met:
    return Met(row["name"], int(row["met"]), int(row["missed"]))

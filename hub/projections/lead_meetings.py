"""Meetings and calls of all leads by their time (R26, R20): what the calendar is made of. Texts stay in the log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hub.domain.state import LeadState
from hub.projections.lead_tasks import iso
from hub.store.base import Cursor, EventStore

TABLE = """
    CREATE TABLE lead_meetings (
        lead TEXT NOT NULL, meeting INTEGER NOT NULL, who TEXT NOT NULL, purpose TEXT NOT NULL, starts_at TEXT NOT NULL,
        ends_at TEXT NOT NULL, status TEXT NOT NULL, outcome TEXT NOT NULL, warned INTEGER NOT NULL,
        PRIMARY KEY (lead, meeting)) WITHOUT ROWID;
    CREATE INDEX lead_meetings_by_time ON lead_meetings (starts_at, lead, meeting);
    CREATE INDEX lead_meetings_by_person ON lead_meetings (who, starts_at, lead, meeting);
    CREATE INDEX lead_meetings_planned_of ON lead_meetings (who, ends_at, lead, meeting) WHERE status = 'planned';
    CREATE INDEX lead_meetings_planned ON lead_meetings (ends_at, lead, meeting) WHERE status = 'planned';
"""
COLUMNS = ("lead", "meeting", "who", "purpose", "starts_at", "ends_at", "status", "outcome", "warned")
WITH_LEADS = ("SELECT m.*, l.number, l.name, l.person, l.timezone, l.segment, l.total, l.stage, l.ended "
              "FROM lead_meetings m JOIN leads l ON l.id = m.lead")
WRITE = f"INSERT INTO lead_meetings ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


def meetings_of(s: LeadState) -> list[str]:
    """A line for each meeting: its columns after the lead. A card that was merged away has none: they went over with it."""
    if s.merged_into is not None:
        return []
    return [" ".join((str(m.id), s.owner or "-", m.purpose, iso(m.starts_at), iso(m.ends_at), m.status, m.outcome or "-",
                      str(int(m.headcount_warned and not m.headcount_reason))))
            for m in sorted(s.meetings.values(), key=lambda m: m.id)]


def write(cursor: Cursor, old: Iterable[Any], new: Iterable[Any]) -> None:
    """Put the meetings of leads in the place of those that were; nothing is written where nothing changed."""
    before = {row["id"]: row["meetings"] for row in old}
    changed = [row for row in new if row["meetings"] != before.get(row["id"], "")]
    cursor.executemany("DELETE FROM lead_meetings WHERE lead = ?", [(row["id"],) for row in changed if before.get(row["id"])])
    cursor.executemany(WRITE, [_row(row["id"], line) for row in changed for line in row["meetings"].split("\n") if line])


def _row(lead: str, line: str) -> tuple[Any, ...]:
    number, who, purpose, starts_at, ends_at, status, outcome, warned = line.split(" ")
    return (lead, int(number), "" if who == "-" else who, purpose, starts_at, ends_at, status, "" if outcome == "-" else outcome,
            int(warned))


class LeadMeetings:
    """Questions to the table; it is written by the projection of leads."""

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def between(self, since: datetime, until: datetime, who: str = "", limit: int = 400) -> list[Any]:
        """Meetings that begin in [since, until), the earliest first, with their leads; of one person where ``who`` is given."""
        only, values = (" AND m.who = ?", [who]) if who else ("", [])
        with self.store.views.reading() as c:
            c.execute(f"{WITH_LEADS} WHERE m.starts_at >= ? AND m.starts_at < ?{only} ORDER BY m.starts_at, m.lead, m.meeting "
                      "LIMIT ?", (iso(since), iso(until), *values, limit))
            return list(c.fetchall())

    def without_outcome(self, now: datetime, who: str = "", limit: int = 50) -> list[Any]:
        """Meetings of open leads that are over and whose outcome nobody wrote down (R26), the oldest first."""
        only, values = (" AND m.who = ?", [who]) if who else ("", [])
        with self.store.views.reading() as c:
            c.execute(f"{WITH_LEADS} WHERE m.status = 'planned' AND m.ends_at <= ? AND l.is_open = 1{only} "
                      "ORDER BY m.ends_at, m.lead, m.meeting LIMIT ?", (iso(now), *values, limit))
            return list(c.fetchall())

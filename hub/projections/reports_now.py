"""What the head of sales looks at today: load of people, returns to come, chances to sell more, contracts nobody looks after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from hub.projections.leads import FAR, iso
from hub.projections.reports_cohorts import COUNTED
from hub.store.base import EventStore


class Load(Struct, frozen=True, kw_only=True):
    """What somebody has: open leads (``asleep`` apart), how many of them are ``late`` or due ``today``, and things to do
    (``tasks``) that are due by the end of the day, ``tasks_late`` of them already."""

    person: str
    open: int = 0
    asleep: int = 0
    late: int = 0
    today: int = 0
    tasks: int = 0
    tasks_late: int = 0


class Now:
    """Questions to ``leads``, ``lead_tasks``, ``report_leads`` and ``report_chances``."""

    store: EventStore

    def loads(self, people: Sequence[str], now: datetime, day_ends: datetime) -> dict[str, Load]:
        """What each of ``people`` has, and (under an empty text) what nobody has taken."""
        late, today = iso(now), iso(day_ends)
        found: dict[str, Load] = {}
        with self.store.views.reading() as c:
            c.execute("SELECT owner, COUNT(*) FILTER (WHERE place <> 'asleep') AS open, "
                      "COUNT(*) FILTER (WHERE place = 'asleep') AS asleep, "
                      "COUNT(*) FILTER (WHERE place <> 'asleep' AND due_sort < ?) AS late, "
                      "COUNT(*) FILTER (WHERE place <> 'asleep' AND due_sort >= ? AND due_sort < ?) AS today "
                      "FROM leads WHERE is_open = 1 GROUP BY owner", (late, late, today))
            rows = {row["owner"]: row for row in c.fetchall()}
            for person in dict.fromkeys([*people, *rows]):
                tasks = c.execute("SELECT COUNT(*) AS n, COUNT(*) FILTER (WHERE at < ?) AS late FROM lead_tasks "
                                  "WHERE who = ? AND at < ? AND kind <> 'offer'", (late, person, today)).fetchone()
                row = rows.get(person)
                has = {name: int(row[name]) for name in ("open", "asleep", "late", "today")} if row is not None else {}
                found[person] = Load(person=person, tasks=int(tasks["n"]), tasks_late=int(tasks["late"]), **has)
        return found

    def returns(self, since: datetime, until: datetime, owner: str, limit: int) -> list[Any]:
        """Leads that wake by themselves from ``since`` and before ``until``, the first one first (R29)."""
        of, values = (" AND f.owner = ?", [owner]) if owner else ("", [])
        return self._rows("SELECT f.returns_at, f.ended AS was, l.* FROM report_leads f JOIN leads l ON l.id = f.lead "
                           f"WHERE f.returns_at >= ? AND f.returns_at < ? AND f.{COUNTED}{of} "
                           "ORDER BY f.returns_at, l.number LIMIT ?", [iso(since), iso(until), *values, limit])

    def returns_count(self, since: datetime, until: datetime, owner: str) -> int:
        """How many those are."""
        of, values = (" AND owner = ?", [owner]) if owner else ("", [])
        rows = self._rows("SELECT COUNT(*) AS n FROM report_leads "
                           f"WHERE returns_at >= ? AND returns_at < ? AND {COUNTED}{of}", [iso(since), iso(until), *values])
        return int(rows[0]["n"])

    def chances(self, status: str, person: str = "", since: str = "", until: str = FAR) -> list[Any]:
        """Chances to sell more by ``kind`` and ``currency``: ``n`` and ``amount`` (R30). Open ones by when they were seen, others
        by when they were closed; of the ``person`` who looks after the client or won it, where given."""
        of, values = whose_chance(person)
        time = "c.at" if status == "open" else "c.closed_at"
        return self._rows("SELECT c.kind, c.currency, COUNT(*) AS n, SUM(c.amount) AS amount FROM report_chances c "
                           f"JOIN report_leads f ON f.lead = c.lead WHERE c.status = ? AND {time} >= ? AND {time} < ? "
                           f"AND f.{COUNTED}{of} GROUP BY c.kind, c.currency ORDER BY c.kind, c.currency",
                           [status, since, until, *values])

    def open_chances(self, person: str, limit: int) -> list[Any]:
        """Chances that wait, the newest first, with the client's lead (R30)."""
        of, values = whose_chance(person)
        return self._rows("SELECT c.at AS seen_at, c.kind, c.amount AS worth, c.currency, l.* FROM report_chances c "
                           "JOIN report_leads f ON f.lead = c.lead JOIN leads l ON l.id = c.lead "
                           f"WHERE c.status = 'open' AND f.{COUNTED}{of} ORDER BY c.at DESC, l.number LIMIT ?", [*values, limit])

    def handing(self, owner: str, limit: int) -> list[Any]:
        """Won leads that no account manager looks after, the oldest first (R30)."""
        of, values = (" AND f.owner = ?", [owner]) if owner else ("", [])
        return self._rows("SELECT l.* FROM report_leads f JOIN leads l ON l.id = f.lead WHERE f.ended = 'won' "
                          f"AND f.account_manager = '' AND f.{COUNTED}{of} ORDER BY f.ended_at, l.number LIMIT ?",
                          [*values, limit])

    def _rows(self, statement: str, values: Sequence[Any]) -> list[Any]:
        with self.store.views.reading() as c:
            c.execute(statement, tuple(values))
            return list(c.fetchall())


def whose_chance(person: str) -> tuple[str, list[str]]:
    """The condition on chances of a person: who looks after the client, or owned the lead."""
    return (" AND (f.account_manager = ? OR f.owner = ?)", [person, person]) if person else ("", [])

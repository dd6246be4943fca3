"""Every deadline that was set, with its beginning and its end: to try other lengths and another calendar on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from hub.domain import events as e
from hub.domain.event import Event
from hub.domain.state import Due
from hub.projections.base import Projection, Row
from hub.projections.leads import iso
from hub.store.base import Cursor, EventStore

GONE = (e.DeadlineMet, e.DeadlineDropped)


class Span(NamedTuple):
    """A deadline from ``start``. ``until`` is when it was met, dropped or set anew, empty while it runs; ``met`` whether it was
    done. Times are sortable UTC text; ``lead`` is the stream's id in hex."""

    lead: str
    start: str
    due_at: str
    until: str
    met: int
    process_version: int


class DueSpans(Projection):
    """A row for each time that a deadline was set on a lead that is no test, by the event that set it."""

    name = "due_spans"
    version = 1
    readable = False
    tables = """
        CREATE TABLE deadline_spans (
            lead TEXT NOT NULL, version INTEGER NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, start TEXT NOT NULL,
            due_at TEXT NOT NULL, until TEXT NOT NULL, met INTEGER NOT NULL, process_version INTEGER NOT NULL,
            PRIMARY KEY (lead, version)) WITHOUT ROWID;
        CREATE INDEX deadline_spans_by_kind ON deadline_spans (kind, start, lead, due_at, until, met, process_version);
        CREATE INDEX deadline_spans_running ON deadline_spans (lead, key, version) WHERE until = '';
        CREATE TABLE deadline_tests (lead TEXT PRIMARY KEY) WITHOUT ROWID;
    """
    topics = frozenset(k.TOPIC for k in (e.LeadReceived, e.DeadlineSet, *GONE))

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        self.apply_all(cursor, [(position, event)])

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """What runs is read once, and each span written once."""
        leads = sorted({event.originator_id.hex for _, event in rows})
        cursor.executemany("INSERT INTO deadline_tests VALUES (?) ON CONFLICT (lead) DO NOTHING",
                           [(ev.originator_id.hex,) for _, ev in rows if isinstance(ev, e.LeadReceived) and ev.test])
        tests, running = self._known(cursor, leads)
        changed: dict[tuple[str, int], list[Any]] = {}
        for _, event in rows:
            lead = event.originator_id.hex
            if lead in tests or isinstance(event, e.LeadReceived):
                continue
            assert isinstance(event, (e.DeadlineSet, *GONE))
            at = iso(event.at) or ""
            if (before := running.pop((lead, event.key), None)) is not None:
                before[6:8] = at, int(isinstance(event, e.DeadlineMet))
                changed[lead, before[1]] = before
            if isinstance(event, e.DeadlineSet):
                kind = Due(event.key, event.due_at, event.due_at).kind
                new = [lead, event.originator_version, event.key, kind, at, iso(event.due_at) or "", "", 0, event.process_version]
                running[lead, event.key] = changed[lead, event.originator_version] = new
        cursor.executemany("INSERT INTO deadline_spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (lead, version) DO UPDATE "
                           "SET until = excluded.until, met = excluded.met", [tuple(row) for row in changed.values()])

    def _known(self, cursor: Cursor, leads: Sequence[str]) -> tuple[set[str], dict[tuple[str, str], list[Any]]]:
        """Which of ``leads`` are tests, and the deadlines of the others that run."""
        tests: set[str] = set()
        running: dict[tuple[str, str], list[Any]] = {}
        for some in (leads[n:n + 500] for n in range(0, len(leads), 500)):
            among = f"lead IN ({', '.join('?' * len(some))})"
            cursor.execute(f"SELECT lead FROM deadline_tests WHERE {among}", some)
            tests.update(row["lead"] for row in cursor.fetchall())
            cursor.execute(f"SELECT * FROM deadline_spans WHERE {among} AND until = '' ORDER BY lead, version", some)
            running.update(((row["lead"], row["key"]), list(row)) for row in cursor.fetchall())
        return tests, running

    # ── questions ────────────────────────────────────────────────────────────────

    def spans(self, kind: str, since: str = "", before: str = "9999", limit: int = 100_000) -> Iterator[Span]:
        """Deadlines of a kind that began since an instant and before another one, the newest first."""
        with self.store.views.reading() as c:
            c.execute("SELECT lead, start, due_at, until, met, process_version FROM deadline_spans WHERE kind = ? AND start >= ? "
                      "AND start < ? ORDER BY start DESC, lead DESC LIMIT ?", (kind, since, before, limit))
            yield from (Span(*tuple(row)) for row in c.fetchall())

    def first(self) -> str:
        """When the oldest deadline began; empty where there is none."""
        with self.store.views.reading() as c:
            c.execute("SELECT MIN(start) AS first FROM deadline_spans")
            return c.fetchone()["first"] or ""

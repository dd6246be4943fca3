"""Where every event of the log is found by who, what, when and which lead: the audit trail, a row of numbers for each event.

What an event says is in the log alone: a page reads the few events that it shows, by their positions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct

from hub.domain.event import TOPICS, Event
from hub.projections.base import Projection, Row
from hub.store.base import Cursor, EventStore, Notification

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FIRST, LAST = -(1 << 62), 1 << 62
"""Before and after every instant."""


class Place(NamedTuple):
    """Where an event stands in the trail: when the hub stored it (microseconds since 1970), and its log position."""

    at: int
    position: int


class Wanted(Struct, frozen=True):
    """What of the trail is asked for. ``who``: the actor as events have it; ``topics``: which kinds of events, all where empty;
    from ``since`` on, before ``until``; ``lead``: the events of a lead, and others that are about it."""

    who: str = ""
    topics: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    lead: UUID | None = None


class Trail(Projection):
    """In the order in which the hub learned of things; within a moment, in the order of the log.

    Actors and topics have numbers of their own, given in the order in which they first come: a row is small, and so are the
    indexes, of which there is one for every way of asking.
    """

    name = "trail"
    version = 1
    readable = False
    tables = """
        CREATE TABLE trail (at INTEGER NOT NULL, position INTEGER NOT NULL, who INTEGER NOT NULL, what INTEGER NOT NULL,
                            lead TEXT NOT NULL, PRIMARY KEY (at, position)) WITHOUT ROWID;
        CREATE INDEX trail_what ON trail (what, at, position);
        CREATE INDEX trail_who ON trail (who, at, position);
        CREATE INDEX trail_who_what ON trail (who, what, at, position);
        CREATE INDEX trail_lead ON trail (lead, at, position) WHERE lead <> '';
        CREATE TABLE trail_names (name TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
    """

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        self.apply_all(cursor, [(position, event)])

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """One look at the names for all of them, one write."""
        ids = _ids(cursor, list(dict.fromkeys(name for _, event in rows for name in (event.actor, event.TOPIC))))
        cursor.executemany("INSERT INTO trail VALUES (?, ?, ?, ?, ?)",
                           [(micros(event.recorded_at or event.at), position, ids[event.actor], ids[event.TOPIC], _lead(event))
                            for position, event in rows])

    # ── questions ────────────────────────────────────────────────────────────────

    def places(self, wanted: Wanted, limit: int, *, before: Place | None = None, after: Place | None = None) -> list[Place]:
        """Up to ``limit`` places of ``wanted``: the newest first, those older than ``before``; with ``after`` the oldest first,
        those newer than it."""
        with self.store.views.reading() as cursor:
            sql, values = self._question(cursor, wanted, limit, before, after)
            return [Place(row["at"], row["position"]) for row in cursor.execute(sql, values).fetchall()] if sql else []

    def count(self, wanted: Wanted, most: int) -> int:
        """How many events there are, counted up to ``most``."""
        with self.store.views.reading() as cursor:
            sql, values = self._question(cursor, wanted, most, None, None)
            return int(cursor.execute(f"SELECT COUNT(*) AS n FROM ({sql}) found", values).fetchone()["n"]) if sql else 0

    def _question(self, cursor: Cursor, wanted: Wanted, limit: int, before: Place | None,
                  after: Place | None) -> tuple[str, list[Any]]:
        """One statement: for every kind of event its first ``limit`` rows straight from an index, then the first of those."""
        names = _numbers(cursor, [name for name in (wanted.who, *wanted.topics) if name])
        if wanted.who and wanted.who not in names:
            return "", []
        kinds = [names[topic] for topic in wanted.topics if topic in names]
        if wanted.topics and not kinds:
            return "", []
        # The bounds of the time follow the place, so that an index is entered there and not at its end.
        since = max(micros(wanted.since) if wanted.since else FIRST, after.at if after is not None else FIRST)
        until = min(micros(wanted.until) if wanted.until else LAST, before.at + 1 if before is not None else LAST)
        conditions, values = [], list[Any]()
        for bound, way, none in ((since, ">=", FIRST), (until, "<", LAST)):
            if bound != none:
                conditions.append(f"at {way} ?")
                values.append(bound)
        for place, way in ((before, "<"), (after, ">")):
            if place is not None:
                conditions.append(f"(at, position) {way} (?, ?)")
                values += place
        order = "ORDER BY at ASC, position ASC" if after is not None else "ORDER BY at DESC, position DESC"
        end = f"{order} LIMIT {int(limit)}"
        if wanted.lead is not None:
            # A lead has few events: its index, and of what that finds the rest; a plus keeps the other indexes out of it.
            conditions = ["lead = ?", "lead <> ''", *conditions]
            values = [wanted.lead.hex, *values]
            if wanted.who:
                conditions.append(f"+who = {names[wanted.who]}")
            if kinds:
                conditions.append(f"+what IN ({', '.join(map(str, kinds))})")
            return _asked(conditions, end), values
        if wanted.who:
            conditions.insert(0, f"who = {names[wanted.who]}")
        if not kinds:
            return _asked(conditions, end), values
        each = [f"SELECT * FROM ({_asked([f'what = {kind}', *conditions], end)}) k{kind}" for kind in kinds]
        return f"{' UNION ALL '.join(each)} {end}", values * len(kinds)

    def names(self) -> tuple[list[str], list[str]]:
        """The actors and the topics that there are."""
        with self.store.views.reading() as cursor:
            found = [row["name"] for row in cursor.execute("SELECT name FROM trail_names ORDER BY name").fetchall()]
        return [name for name in found if name not in TOPICS], [name for name in found if name in TOPICS]

    def rows(self, positions: Collection[int]) -> dict[int, Notification]:
        """The stored rows at log positions; one that was taken out of the log is missing."""
        found: dict[int, Notification] = {}
        with self.store.reading() as cursor:
            for first, number in _runs(sorted(positions)):
                found.update((row.id, row) for row in self.store.rows(cursor, first - 1, number) if row.id in positions)
        return found


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def instant(at: int) -> datetime:
    """What :func:`micros` counted."""
    return EPOCH + at * MICROSECOND


def _asked(conditions: Sequence[str], end: str) -> str:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT at, position FROM trail{where} {end}"


def _lead(event: Event) -> str:
    """The lead that an event is of or about."""
    if event.TOPIC.startswith("lead."):
        return event.originator_id.hex
    found = getattr(event, "lead", None) or getattr(event, "target", None)
    return found.hex if isinstance(found, UUID) else ""


def _runs(positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbours together: the first position of each run and how many it has."""
    begin = 0
    for n in range(1, len(positions) + 1):
        if n == len(positions) or positions[n] != positions[n - 1] + 1:
            yield positions[begin], n - begin
            begin = n


def _ids(cursor: Cursor, names: list[str]) -> dict[str, int]:
    """Numbers of names; a new name gets the next one."""
    found = _numbers(cursor, names)
    new = [name for name in names if name not in found]
    if new:
        cursor.execute("SELECT COALESCE(MAX(id), 0) AS id FROM trail_names")
        first = cursor.fetchone()["id"] + 1
        added = dict(zip(new, range(first, first + len(new)), strict=True))
        cursor.executemany("INSERT INTO trail_names VALUES (?, ?)", list(added.items()))
        found |= added
    return found


def _numbers(cursor: Cursor, names: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in (names[n:n + 500] for n in range(0, len(names), 500)):
        cursor.execute(f"SELECT name, id FROM trail_names WHERE name IN ({', '.join('?' * len(some))})", some)
        found.update((row["name"], row["id"]) for row in cursor.fetchall())
    return found

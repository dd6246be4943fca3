"""How long leads were where: one row for each stay in a stage, for medians, flows and any past date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import log
from typing import Any

from hub.domain import events as e
from hub.domain.event import Event
from hub.projections.base import Projection, Row
from hub.projections.leads import FAR, iso
from hub.store.base import Cursor, EventStore

STEP = log(1.25)
"""Stays are counted in buckets, each a quarter longer than the one before: a median is looked for in one of them only."""

ENDINGS = (e.LeadWon, e.LeadLost, e.LeadRefused, e.LeadSlept, e.LeadMergedInto)
RETURNS = (e.LeadWoken, e.LeadReopened, e.LeadSplitOff)


class Intervals(Projection):
    """A stay begins with a stage or a waking and ends with the next stage, an end, a sleep or a merge.

    ``stage_days`` counts the stays that ended on a day (UTC) by stage, by where the lead went and by how long it had stayed.
    """

    name = "intervals"
    version = 2
    readable = False
    tables = """
        CREATE TABLE stage_intervals (lead TEXT NOT NULL, version INTEGER NOT NULL, stage TEXT NOT NULL, entered_at TEXT NOT NULL,
                                      previous TEXT NOT NULL, left_at TEXT, left_to TEXT NOT NULL, seconds INTEGER,
                                      bucket INTEGER, PRIMARY KEY (lead, version)) WITHOUT ROWID;
        CREATE INDEX stage_intervals_left ON stage_intervals (left_at, stage, left_to, entered_at, lead, bucket);
        CREATE INDEX stage_intervals_long ON stage_intervals (stage, bucket, left_at, seconds);
        CREATE TABLE stage_days (day TEXT NOT NULL, stage TEXT NOT NULL, left_to TEXT NOT NULL, bucket INTEGER NOT NULL,
                                 n INTEGER NOT NULL, PRIMARY KEY (day, stage, left_to, bucket)) WITHOUT ROWID;
    """
    topics = frozenset(k.TOPIC for k in (e.StageEntered, *ENDINGS, *RETURNS))

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        self.apply_all(cursor, [(position, event)])

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """The last stay of each lead is read once, and each changed stay written once."""
        last = self._last(cursor, sorted({event.originator_id.hex for _, event in rows}))
        changed: dict[tuple[str, int], _Stay] = {}
        days: Counter[tuple[str, str, str, int]] = Counter()
        for _, event in rows:
            lead, at = event.originator_id.hex, iso(event.at) or ""
            stay = last.get(lead)
            begins = None
            if isinstance(event, e.StageEntered):
                begins = _Stay(lead, event.originator_version, event.stage, at, event.previous)
            elif isinstance(event, RETURNS) and stay is not None and stay.left_at is not None:
                begins = _Stay(lead, event.originator_version, stay.stage, at, stay.left_to)
            if stay is not None and stay.left_at is None and not isinstance(event, RETURNS):
                stay.leave(at, begins.stage if begins else event.TOPIC.partition(".")[2])
                changed[lead, stay.version] = stay
                days[at[:10], stay.stage, stay.left_to, stay.bucket or 0] += 1
            if begins is not None:
                last[lead] = changed[lead, begins.version] = begins
        cursor.executemany("INSERT INTO stage_intervals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (lead, version) DO UPDATE "
                           "SET left_at = excluded.left_at, left_to = excluded.left_to, seconds = excluded.seconds, "
                           "bucket = excluded.bucket", [stay.row() for stay in changed.values()])
        cursor.executemany("INSERT INTO stage_days VALUES (?, ?, ?, ?, ?) ON CONFLICT (day, stage, left_to, bucket) "
                           "DO UPDATE SET n = stage_days.n + excluded.n", [(*key, n) for key, n in sorted(days.items())])

    def _last(self, cursor: Cursor, leads: Sequence[str]) -> dict[str, _Stay]:
        found: dict[str, _Stay] = {}
        for some in (leads[n:n + 500] for n in range(0, len(leads), 500)):
            cursor.execute("SELECT s.lead, s.version, s.stage, s.entered_at, s.previous, s.left_at, s.left_to FROM "
                           "(SELECT lead, MAX(version) AS version FROM stage_intervals "
                           f"WHERE lead IN ({', '.join('?' * len(some))}) GROUP BY lead) newest "
                           "JOIN stage_intervals s ON s.lead = newest.lead AND s.version = newest.version", some)
            found.update((row["lead"], _Stay(*tuple(row))) for row in cursor.fetchall())
        return found

    # ── the numbers of a time ────────────────────────────────────────────────────

    def medians(self, since: datetime, until: datetime | None = None) -> dict[str, float]:
        """Median stay in seconds by stage, of stays that ended since ``since`` and before ``until``."""
        time = (iso(since) or "", iso(until) or FAR)
        lengths: dict[str, Counter[int]] = {}
        with self.store.views.reading() as c:
            for row in self._days(c, time, "stage, bucket"):
                lengths.setdefault(row["stage"], Counter())[row["bucket"]] += int(row["n"])
            return {stage: self._median(c, stage, time, buckets) for stage, buckets in lengths.items()}

    def _median(self, c: Cursor, stage: str, time: tuple[str, str], buckets: Counter[int]) -> float:
        """The middle one of an odd number of stays, the mean of the middle two of an even one."""
        n = buckets.total()
        middle = [self._at(c, stage, time, buckets, place) for place in sorted({(n - 1) // 2, n // 2})]
        return sum(middle) / len(middle)

    def _at(self, c: Cursor, stage: str, time: tuple[str, str], buckets: Counter[int], place: int) -> int:
        """The length of the stay at ``place`` of all in the order of their lengths."""
        for bucket in sorted(buckets):
            if place < buckets[bucket]:
                break
            place -= buckets[bucket]
        c.execute("SELECT seconds FROM stage_intervals WHERE stage = ? AND bucket = ? AND left_at >= ? AND left_at < ? "
                  "ORDER BY seconds LIMIT 1 OFFSET ?", (stage, bucket, *time, place))
        return int(c.fetchone()["seconds"])

    def flows(self, since: datetime, until: datetime | None = None) -> dict[tuple[str, str], int]:
        """How many went from where to where since ``since`` and before ``until``; ends are ``won``, ``lost``, ``refused``,
        ``slept``."""
        with self.store.views.reading() as c:
            found: Counter[tuple[str, str]] = Counter()
            for row in self._days(c, (iso(since) or "", iso(until) or FAR), "stage, left_to"):
                found[row["stage"], row["left_to"]] += int(row["n"])
        return dict(found)

    def _days(self, c: Cursor, time: tuple[str, str], columns: str) -> list[Any]:
        """Numbers of the stays that ended in ``time``: of whole days as they are counted, of its first and its last day by
        their stays."""
        begin, end = time
        following = (datetime.fromisoformat(begin) + timedelta(days=1)).date().isoformat()
        stays = f"SELECT {columns}, COUNT(*) AS n FROM stage_intervals WHERE left_at >= ? AND left_at < ? GROUP BY {columns} "
        days = f"SELECT {columns}, SUM(n) AS n FROM stage_days WHERE day >= ? AND day < ? GROUP BY {columns}"
        c.execute(f"{stays} UNION ALL {days} UNION ALL {stays}",
                  (begin, min(following, end), following, end[:10], max(following, end[:10]), end))
        return list(c.fetchall())

    # ── any past date ────────────────────────────────────────────────────────────

    def at(self, moment: datetime) -> dict[str, str]:
        """The stage of each lead that was in one at ``moment``, by the lead's id; asleep and ended ones were in none."""
        with self.store.views.reading() as c:
            return {row["lead"]: row["stage"] for row in self._then(c, moment, "lead, stage", "")}

    def numbers_at(self, moment: datetime) -> dict[str, int]:
        """How many leads were in each stage at ``moment``."""
        found: Counter[str] = Counter()
        with self.store.views.reading() as c:
            for row in self._then(c, moment, "stage, COUNT(*) AS n", " GROUP BY stage"):
                found[row["stage"]] += row["n"]
        return dict(found)

    def _then(self, c: Cursor, moment: datetime, columns: str, group: str) -> list[Any]:
        at = iso(moment)
        c.execute(f"SELECT {columns} FROM stage_intervals WHERE left_at IS NULL AND entered_at <= ?{group} "
                  f"UNION ALL SELECT {columns} FROM stage_intervals WHERE left_at > ? AND entered_at <= ?{group}", (at, at, at))
        return list(c.fetchall())

    def of(self, lead: str, moment: datetime | None = None) -> list[Any]:
        """The stays of one lead, in order; those that had begun by ``moment``, and their ends that had come by then."""
        at = iso(moment) or FAR
        with self.store.views.reading() as c:
            c.execute("SELECT lead, version, stage, entered_at, previous, CASE WHEN left_at <= ? THEN left_at END AS left_at, "
                      "left_to, seconds FROM stage_intervals WHERE lead = ? AND entered_at <= ? ORDER BY version", (at, lead, at))
            return list(c.fetchall())


class _Stay:
    """A row of ``stage_intervals``."""

    def __init__(self, lead: str, version: int, stage: str, entered_at: str, previous: str, left_at: str | None = None,
                 left_to: str = "") -> None:
        self.lead, self.version, self.stage, self.entered_at, self.previous = lead, version, stage, entered_at, previous
        self.left_at, self.left_to = left_at, left_to
        self.seconds: int | None = None
        self.bucket: int | None = None

    def leave(self, at: str, to: str) -> None:
        self.left_at, self.left_to = at, to
        self.seconds = seconds_between(self.entered_at, at)
        self.bucket = bucket_of(self.seconds)

    def row(self) -> tuple[Any, ...]:
        return (self.lead, self.version, self.stage, self.entered_at, self.previous, self.left_at, self.left_to, self.seconds,
                self.bucket)


def seconds_between(a: str, b: str) -> int:
    """Whole seconds of a stay; a clock that was set back makes none of less than nothing."""
    return max(0, round((datetime.fromisoformat(b) - datetime.fromisoformat(a)).total_seconds()))


def bucket_of(seconds: int) -> int:
    """Which lengths are counted together."""
    return int(log(seconds) / STEP) if seconds > 1 else 0

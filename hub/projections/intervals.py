"""How long leads were where: one row for each stay in a stage, for medians, flows and any past date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from math import log
from typing import Any

from hub.domain import events as e
from hub.domain.event import Event
from hub.projections import stage_leads
from hub.projections.base import Projection, Row
from hub.projections.leads import FAR, iso
from hub.projections.stage_leads import ENDS_OF_DEADLINES, LEARNT, DeadlineEnds, Traits
from hub.store.base import Cursor, EventStore

STEP = log(1.25)
"""Stays are counted in buckets, each a quarter longer than the one before: a median is looked for in one of them only."""

ENDINGS = (e.LeadWon, e.LeadLost, e.LeadRefused, e.LeadSlept, e.LeadMergedInto)
RETURNS = (e.LeadWoken, e.LeadReopened, e.LeadSplitOff)
OUTSIDE = ("", *sorted(kind.TOPIC.partition(".")[2] for kind in ENDINGS))
"""Where a lead comes from that was in no stage: it is new (an empty text), or returns from one of the endings."""


class Intervals(Projection):
    """A stay begins with a stage or a waking and ends with the next stage, an end, a sleep or a merge. A move that was taken
    back at once made no stay and ended none.

    A stay carries the lead's channel and source, and its owner and segment as they were when it ended (of one that lasts: as they
    are). Those of test leads are kept for their cards and counted nowhere.

    ``stage_days`` counts the stays that ended on a day (UTC) by stage, by where the lead went and by how long it had stayed. The
    questions with filters are in :mod:`hub.projections.flows`.
    """

    name = "intervals"
    version = 5
    readable = False
    tables = """
        CREATE TABLE stage_intervals (lead TEXT NOT NULL, version INTEGER NOT NULL, stage TEXT NOT NULL, entered_at TEXT NOT NULL,
                                      previous TEXT NOT NULL, left_at TEXT, left_to TEXT NOT NULL, seconds INTEGER,
                                      bucket INTEGER, test INTEGER NOT NULL, owner TEXT NOT NULL, segment TEXT NOT NULL,
                                      channel TEXT NOT NULL, source TEXT NOT NULL, PRIMARY KEY (lead, version)) WITHOUT ROWID;
        CREATE INDEX stage_intervals_left ON stage_intervals (left_at, lead, version, stage, left_to, test, bucket, entered_at,
                                                              owner, segment, channel, source, seconds);
        CREATE INDEX stage_intervals_long ON stage_intervals (stage, bucket, left_at, seconds, test);
        CREATE INDEX stage_intervals_came ON stage_intervals (entered_at, lead, version, previous, stage, test, owner, segment,
                                                              channel, source) WHERE previous IN ({OUTSIDE});
        CREATE TABLE stage_days (day TEXT NOT NULL, stage TEXT NOT NULL, left_to TEXT NOT NULL, bucket INTEGER NOT NULL,
                                 n INTEGER NOT NULL, PRIMARY KEY (day, stage, left_to, bucket)) WITHOUT ROWID;
    """.replace("{OUTSIDE}", ", ".join(f"'{place}'" for place in OUTSIDE)) + stage_leads.TABLES
    topics = frozenset(k.TOPIC for k in (e.StageEntered, e.MoveUndone, *ENDINGS, *RETURNS, *LEARNT, *ENDS_OF_DEADLINES))

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        self.apply_all(cursor, [(position, event)])

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """The last stay of each lead is read once, and each changed stay written once."""
        last = self._last(cursor, sorted({event.originator_id.hex for _, event in rows}))
        traits = stage_leads.read(cursor, {event.originator_id.hex for _, event in rows})
        known = {of.row() for of in traits.values()}
        ends = DeadlineEnds(cursor)
        before = self._before(cursor, last, {event.originator_id.hex for _, event in rows if isinstance(event, e.MoveUndone)})
        changed: dict[tuple[str, int], _Stay] = {}
        days: Counter[tuple[str, str, str, int]] = Counter()
        for _, event in rows:
            lead, at = event.originator_id.hex, iso(event.at) or ""
            stay, of = last.get(lead), traits[event.originator_id.hex]
            if isinstance(event, ENDS_OF_DEADLINES):
                ends.add(event, stay.stage if stay is not None and stay.left_at is None else "", of)
                continue
            if of.learn(event):
                if stay is not None and stay.left_at is None:
                    stay.of = of
                    changed[lead, stay.version] = stay
                continue
            if isinstance(event, e.MoveUndone):
                ends.take_back(event, of)
                if stay is not None and lead in before:
                    changed.pop((lead, stay.version), None)
                    cursor.execute("DELETE FROM stage_intervals WHERE lead = ? AND version = ?", (lead, stay.version))
                    stay = last[lead] = before[lead]
                    if not of.test:
                        days[stay.day()] -= 1
                    stay.go_on()
                    stay.of = of
                    changed[lead, stay.version] = stay
                continue
            begins = None
            if isinstance(event, e.StageEntered):
                begins = _Stay(lead, event.originator_version, event.stage, at, event.previous)
            elif isinstance(event, RETURNS) and stay is not None and stay.left_at is not None:
                begins = _Stay(lead, event.originator_version, stay.stage, at, stay.left_to)
            if stay is not None and stay.left_at is None and not isinstance(event, RETURNS):
                stay.leave(at, begins.stage if begins else event.TOPIC.partition(".")[2])
                stay.of = of.frozen()
                changed[lead, stay.version] = stay
                if not of.test:
                    days[stay.day()] += 1
            if begins is not None:
                begins.of = of
                if stay is not None:
                    before[lead] = stay
                last[lead] = changed[lead, begins.version] = begins
        cursor.executemany("INSERT INTO stage_intervals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (lead, "
                           "version) DO UPDATE SET left_at = excluded.left_at, left_to = excluded.left_to, "
                           "seconds = excluded.seconds, bucket = excluded.bucket, test = excluded.test, owner = excluded.owner, "
                           "segment = excluded.segment, channel = excluded.channel, source = excluded.source",
                           [stay.row() for stay in changed.values()])
        cursor.executemany("INSERT INTO stage_days VALUES (?, ?, ?, ?, ?) ON CONFLICT (day, stage, left_to, bucket) "
                           "DO UPDATE SET n = stage_days.n + excluded.n", [(*key, n) for key, n in sorted(days.items())])
        stage_leads.write(cursor, [row for of in traits.values() if (row := of.row()) not in known])
        stage_leads.write_sources(cursor, (event for _, event in rows))
        ends.write()

    def _last(self, cursor: Cursor, leads: Sequence[str]) -> dict[str, _Stay]:
        found: dict[str, _Stay] = {}
        for some in (leads[n:n + 500] for n in range(0, len(leads), 500)):
            cursor.execute("SELECT s.lead, s.version, s.stage, s.entered_at, s.previous, s.left_at, s.left_to FROM "
                           "(SELECT lead, MAX(version) AS version FROM stage_intervals "
                           f"WHERE lead IN ({', '.join('?' * len(some))}) GROUP BY lead) newest "
                           "JOIN stage_intervals s ON s.lead = newest.lead AND s.version = newest.version", some)
            found.update((row["lead"], _Stay(*tuple(row))) for row in cursor.fetchall())
        return found

    def _before(self, cursor: Cursor, last: Mapping[str, _Stay], leads: Collection[str]) -> dict[str, _Stay]:
        """The stay before the last one, of the ``leads`` whose last move is taken back."""
        found: dict[str, _Stay] = {}
        for lead in sorted(last.keys() & set(leads)):
            cursor.execute("SELECT lead, version, stage, entered_at, previous, left_at, left_to FROM stage_intervals "
                           "WHERE lead = ? AND version < ? ORDER BY version DESC LIMIT 1", (lead, last[lead].version))
            found.update((lead, _Stay(*tuple(row))) for row in cursor.fetchall())
        return found

    # ── the numbers of a time ────────────────────────────────────────────────────

    def medians(self, since: datetime, until: datetime | None = None) -> dict[str, float]:
        """Median stay in seconds by stage, of stays that ended since ``since`` and before ``until``."""
        time = (iso(since) or "", iso(until) or FAR)
        lengths: dict[str, Counter[int]] = {}
        with self.store.views.reading() as c:
            for row in self._days(c, time, "stage, bucket"):
                lengths.setdefault(row["stage"], Counter())[row["bucket"]] += int(row["n"])
            return {stage: self._median(c, stage, time, buckets) for stage, buckets in lengths.items() if buckets.total()}

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
                  "AND test = 0 ORDER BY seconds LIMIT 1 OFFSET ?", (stage, bucket, *time, place))
        return int(c.fetchone()["seconds"])

    def flows(self, since: datetime, until: datetime | None = None) -> dict[tuple[str, str], int]:
        """How many went from where to where since ``since`` and before ``until``; ends are ``won``, ``lost``, ``refused``,
        ``slept``."""
        with self.store.views.reading() as c:
            found: Counter[tuple[str, str]] = Counter()
            for row in self._days(c, (iso(since) or "", iso(until) or FAR), "stage, left_to"):
                found[row["stage"], row["left_to"]] += int(row["n"])
        return dict(+found)

    def _days(self, c: Cursor, time: tuple[str, str], columns: str) -> list[Any]:
        """Numbers of the stays that ended in ``time``: of whole days as they are counted, of its first and its last day by
        their stays."""
        begin, end = time
        following = (datetime.fromisoformat(begin) + timedelta(days=1)).date().isoformat()
        stays = (f"SELECT {columns}, COUNT(*) AS n FROM stage_intervals WHERE left_at >= ? AND left_at < ? AND test = 0 "
                 f"GROUP BY {columns} ")
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
        self.of = Traits(lead)

    def leave(self, at: str, to: str) -> None:
        self.left_at, self.left_to = at, to
        self.seconds = seconds_between(self.entered_at, at)
        self.bucket = bucket_of(self.seconds)

    def day(self) -> tuple[str, str, str, int]:
        """Where a stay that has ended is counted."""
        left_at = self.left_at or self.entered_at
        return left_at[:10], self.stage, self.left_to, bucket_of(seconds_between(self.entered_at, left_at))

    def go_on(self) -> None:
        """It has not ended after all."""
        self.left_at, self.left_to, self.seconds, self.bucket = None, "", None, None

    def row(self) -> tuple[Any, ...]:
        return (self.lead, self.version, self.stage, self.entered_at, self.previous, self.left_at, self.left_to, self.seconds,
                self.bucket, self.of.test, self.of.owner, self.of.segment, self.of.channel, self.of.source)


def seconds_between(a: str, b: str) -> int:
    """Whole seconds of a stay; a clock that was set back makes none of less than nothing."""
    return max(0, round((datetime.fromisoformat(b) - datetime.fromisoformat(a)).total_seconds()))


def bucket_of(seconds: int) -> int:
    """Which lengths are counted together."""
    return int(log(seconds) / STEP) if seconds > 1 else 0

"""Questions to the stays and deadlines of leads over any time, of all leads or of some: flows, medians, shares, who is behind.

Every number and the leads behind it are asked by the same condition, so that a list holds exactly what was counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hub.projections.intervals import OUTSIDE
from hub.projections.leads import FAR, iso
from hub.projections.moments import periods_at
from hub.store.base import Cursor, EventStore

BACK = "back"
"""Stands for all ends that a lead may return from."""
NEXT_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Slice:
    """Over which time, and of which leads. ``since`` counts, ``until`` does not (None: up to now).

    ``owner`` and ``segment`` take ``none`` for leads without one. They are those that the lead had when the counted thing
    happened: when the stay ended, when the deadline ended. ``channel`` and ``source`` are those by which the lead first came.
    """

    since: datetime
    until: datetime | None = None
    owner: str = ""
    segment: str = ""
    channel: str = ""
    source: str = ""

    @property
    def time(self) -> tuple[str, str]:
        """Both ends as sortable text."""
        return iso(self.since) or "", iso(self.until) or FAR

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """Columns that must have a value, with the value."""
        asked = (("owner", self.owner), ("segment", self.segment), ("channel", self.channel), ("source", self.source))
        return [(column, "" if value == "none" else value) for column, value in asked if value]

    def where(self, column: str, more: Sequence[tuple[str, str | int]] = ()) -> tuple[str, list[Any]]:
        """Rows whose ``column`` lies in the time and whose other columns have what is ``chosen`` and ``more``: SQL and values."""
        pairs = [*self.chosen, *more]
        return " AND ".join([f"{column} >= ?", f"{column} < ?", *(f"{name} = ?" for name, _ in pairs)]), [
            *self.time, *(value for _, value in pairs)]


class Stays(NamedTuple):
    """Stays in a stage that ended: how many, the middle one's length, and that which nine of ten do not pass, in seconds."""

    n: int
    median: float
    most: float


class Left(NamedTuple):
    """Stays that ended. ``moves``: how many, by stage and where the lead went: a stage, or ``won``, ``lost``, ``refused``,
    ``slept``, ``merged_into``; a lead that passes twice counts twice. ``stays``: their lengths by stage, exact. ``by_day``: how
    many, by stage and day (UTC)."""

    moves: dict[tuple[str, str], int]
    stays: dict[str, Stays]
    by_day: dict[tuple[str, str], int]


class Kept(NamedTuple):
    """Deadlines that ended: met by their time, and missed."""

    met: int
    missed: int

    @property
    def share(self) -> float | None:
        """Of all that ended, those that were met; None of none."""
        return self.met / (self.met + self.missed) if self.met + self.missed else None


class Passed(NamedTuple):
    """A thing behind a number: the lead's id, the version that began the stay or ended the deadline, when it happened, in which
    stage, where to, and how long the stay was in seconds. ``what`` is the deadline that ended."""

    lead: str
    version: int
    at: str
    stage: str
    to: str
    seconds: int | None
    what: str = ""


@dataclass(frozen=True)
class Behind:
    """Which number is asked for. ``kind``: ``left`` (stays in ``stage`` that ended, ``to`` somewhere), ``came`` (arrivals and
    returns into ``stage``, from ``to``: empty for new leads, else how they had ended, or ``back`` for whatever end), ``met`` and
    ``missed`` (deadlines that ended in ``stage``), ``open`` (leads in ``stage`` at the end of the time). An absent ``stage`` or
    ``to`` is any."""

    kind: str
    stage: str | None = None
    to: str | None = None

    def question(self, slice: Slice) -> tuple[str, list[Any]]:
        """``FROM … WHERE …`` with its values; all of them give the columns of :class:`Passed`."""
        match self.kind:
            case "left":
                where, values = slice.where("left_at", [("test", 0), *_beside(stage=self.stage, left_to=self.to)])
                return ("(SELECT lead, version, left_at AS at, stage, left_to AS goes_to, seconds, '' AS what "
                        f"FROM stage_intervals WHERE {where}) found"), values
            case "came":
                before = _named(previous=self.to) if self.to != BACK else []
                where, values = slice.where("entered_at", [("test", 0), *_named(stage=self.stage), *before])
                where += " AND previous <> ''" if self.to == BACK else ""
                return (f"(SELECT lead, version, entered_at AS at, stage, previous AS goes_to, 0 AS seconds, '' AS what "
                        f"FROM stage_intervals WHERE {RETURNED} AND {where}) found"), values
            case "met" | "missed":
                where, values = slice.where("at", [("met", int(self.kind == "met")), *_named(stage=self.stage)])
                return (f"(SELECT lead, version, at, stage, '' AS goes_to, 0 AS seconds, deadline AS what FROM stage_deadlines "
                        f"WHERE {where}) found"), values
            case "open":
                then, values = _open(slice, self.stage)
                return (f"(SELECT lead, 0 AS version, received_at AS at, stage, '' AS goes_to, 0 AS seconds, '' AS what "
                        f"FROM ({then}) standing) found"), values
        raise ValueError(self.kind)


RETURNED = f"previous IN ({', '.join(repr(place) for place in OUTSIDE)})"


class Flows:
    """Answers from the tables of :class:`hub.projections.intervals.Intervals`, and of :class:`hub.projections.moments.Moments`
    for what was open. A time without filters is read from numbers of whole days; test leads never count but in :meth:`open`,
    which shows what the board shows."""

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def open(self, slice: Slice) -> dict[str, int]:
        """How many leads were open at the end of the time by stage, now where it has none; ``asleep`` for those that slept."""
        then, values = _open(slice, None)
        with self.store.views.reading() as c:
            c.execute(f"SELECT place, COUNT(*) AS n FROM ({then}) found GROUP BY place", values)
            return {row["place"]: int(row["n"]) for row in c.fetchall()}

    def left(self, slice: Slice) -> Left:
        """The stays that ended. With filters they are read one by one; without, from numbers of whole days, and of the buckets
        of lengths only those in which a middle or a ninth tenth lies."""
        with self.store.views.reading() as c:
            if slice.chosen:
                return _read(c, slice)
            moves: Counter[tuple[str, str]] = Counter()
            by_day: Counter[tuple[str, str]] = Counter()
            buckets: dict[str, Counter[int]] = {}
            for row in _stays(c, slice, "stage, left_to"):
                moves[row["stage"], row["left_to"]] += int(row["n"])
            for row in _stays(c, slice, "stage, day"):
                by_day[row["stage"], row["day"]] += int(row["n"])
            for row in _stays(c, slice, "stage, bucket"):
                buckets.setdefault(row["stage"], Counter())[row["bucket"]] += int(row["n"])
            stays = {stage: _measured(c, slice, stage, +found) for stage, found in buckets.items() if +found}
        return Left(dict(+moves), stays, dict(+by_day))

    def came(self, slice: Slice) -> dict[tuple[str, str, str], int]:
        """Leads that came from outside, by where from (empty: new; else how they had ended before), stage and channel."""
        where, values = slice.where("entered_at", [("test", 0)])
        with self.store.views.reading() as c:
            c.execute(f"SELECT previous, stage, channel, COUNT(*) AS n FROM stage_intervals WHERE {RETURNED} AND {where} "
                      "GROUP BY previous, stage, channel", values)
            return {(row["previous"], row["stage"], row["channel"]): int(row["n"]) for row in c.fetchall()}

    def kept(self, slice: Slice) -> dict[str, Kept]:
        """Deadlines that ended, by the stage in which the lead was then; an empty stage for leads that slept or had ended."""
        found: dict[str, list[int]] = {}
        with self.store.views.reading() as c:
            for row in _deadlines(c, slice):
                found.setdefault(row["stage"], [0, 0])[0 if row["met"] else 1] += int(row["n"])
        return {stage: Kept(*both) for stage, both in found.items() if any(both)}

    def sources(self) -> dict[str, str]:
        """Sources by which leads came, with their titles."""
        with self.store.views.reading() as c:
            c.execute("SELECT source, title FROM stage_sources ORDER BY title, source LIMIT 200")
            return {row["source"]: row["title"] or row["source"] for row in c.fetchall()}

    # ── the leads behind a number ────────────────────────────────────────────────

    def count(self, behind: Behind, slice: Slice) -> tuple[int, int]:
        """How many things are behind a number, and how many different leads."""
        question, values = behind.question(slice)
        with self.store.views.reading() as c:
            c.execute(f"SELECT COUNT(*) AS n, COUNT(DISTINCT lead) AS leads FROM {question}", values)
            row = c.fetchone()
        return int(row["n"]), int(row["leads"])

    def behind(self, behind: Behind, slice: Slice, limit: int, after: tuple[str, str, int] | None = None) -> list[Passed]:
        """What is behind a number, the newest first; ``after`` the place (time, lead, version) of the last one that was read."""
        question, values = behind.question(slice)
        where = " WHERE (at, lead, version) < (?, ?, ?)" if after is not None else ""
        with self.store.views.reading() as c:
            c.execute(f"SELECT lead, version, at, stage, goes_to, seconds, what FROM {question}{where} "
                      "ORDER BY at DESC, lead DESC, version DESC LIMIT ?", (*values, *(after or ()), limit))
            return [Passed(*tuple(row)) for row in c.fetchall()]


def _named(**columns: str | None) -> list[tuple[str, str | int]]:
    return [(name, value) for name, value in columns.items() if value is not None]


def _beside(**columns: str | None) -> list[tuple[str, str | int]]:
    """As :func:`_named`, for columns by which no index is to be entered: the time is the way in."""
    return [(f"{name} || ''", value) for name, value in columns.items() if value is not None]


def _open(slice: Slice, place: str | None) -> tuple[str, list[Any]]:
    """Leads that were open at the end of the time (now, where it has none), in ``place`` only: a question with its values."""
    pairs = [*slice.chosen, *_named(place=place)]
    values = [value for _, value in pairs]
    if slice.until is None:
        where = " AND ".join(["is_open = 1", *(f"{column} = ?" for column, _ in pairs)])
        return f"SELECT id AS lead, place, stage, received_at FROM leads WHERE {where}", values
    conditions = ["EXISTS (SELECT 1 FROM stage_leads s WHERE s.lead = lead_moments.lead AND s.source = ?)" if column == "source"
                  else f"{column} = ?" for column, _ in pairs]
    return periods_at(slice.until, conditions, values, among=(1,), columns="lead, place, stage, received_at")


def _stays(c: Cursor, slice: Slice, columns: str) -> list[Any]:
    """Numbers of stays that ended, by ``columns``."""
    where, values = slice.where("left_at", [("test", 0)])
    names = columns.replace("day", "SUBSTR(left_at, 1, 10) AS day")
    stays = f"SELECT {names}, COUNT(*) AS n FROM stage_intervals WHERE {where} GROUP BY {columns}"
    return _of_days(c, slice, stays, values, f"SELECT {columns}, SUM(n) AS n FROM stage_days WHERE day >= ? AND day < ? "
                                             f"GROUP BY {columns}")


def _deadlines(c: Cursor, slice: Slice) -> list[Any]:
    """Numbers of deadlines that ended, by stage and whether they were met."""
    where, values = slice.where("at")
    ends = f"SELECT stage, met, COUNT(*) AS n FROM stage_deadlines WHERE {where} GROUP BY stage, met"
    if slice.chosen:
        c.execute(ends, values)
        return list(c.fetchall())
    return _of_days(c, slice, ends, values, "SELECT stage, met, SUM(n) AS n FROM stage_deadline_days "
                                            "WHERE day >= ? AND day < ? GROUP BY stage, met")


def _of_days(c: Cursor, slice: Slice, things: str, values: list[Any], days: str) -> list[Any]:
    """Whole ``days`` as they are counted, and ``things`` of the first and the last one."""
    (begin, end), more = slice.time, values[2:]
    following = (datetime.fromisoformat(begin) + NEXT_DAY).date().isoformat()
    c.execute(f"{things} UNION ALL {days} UNION ALL {things}",
              (begin, min(following, end), *more, following, end[:10], max(following, end[:10]), end, *more))
    return list(c.fetchall())


def _read(c: Cursor, slice: Slice) -> Left:
    """Each stay that ended: for slices with filters, which no number of a day knows."""
    where, values = slice.where("left_at", [("test", 0)])
    c.execute(f"SELECT stage, left_to, SUBSTR(left_at, 1, 10) AS day, seconds FROM stage_intervals WHERE {where}", values)
    moves: Counter[tuple[str, str]] = Counter()
    by_day: Counter[tuple[str, str]] = Counter()
    lengths: dict[str, list[int]] = {}
    for stage, to, day, seconds in map(tuple, c.fetchall()):
        moves[stage, to] += 1
        by_day[stage, day] += 1
        lengths.setdefault(stage, []).append(seconds)
    for found in lengths.values():
        found.sort()
    return Left(dict(moves), {stage: _of(len(found), found.__getitem__) for stage, found in lengths.items()}, dict(by_day))


def _of(n: int, at: Callable[[int], int]) -> Stays:
    """The middle and the ninth tenth of ``n`` stays, of which ``at`` gives the length at a place in their order."""
    middle = [at(place) for place in sorted({(n - 1) // 2, n // 2})]
    return Stays(n, sum(middle) / len(middle), at(max(0, -(-9 * n // 10) - 1)))


def _measured(c: Cursor, slice: Slice, stage: str, buckets: Mapping[int, int]) -> Stays:
    """The middle and the ninth tenth of the stays in ``stage``, of which ``buckets`` says how many are about how long."""
    return _of(sum(buckets.values()), lambda place: _length(c, slice, stage, buckets, place))


def _length(c: Cursor, slice: Slice, stage: str, buckets: Mapping[int, int], place: int) -> int:
    """The length of the stay at ``place`` of all in the order of their lengths."""
    for bucket in sorted(buckets):
        if place < buckets[bucket]:
            break
        place -= buckets[bucket]
    where, values = slice.where("left_at", [("stage", stage), ("bucket", bucket), ("test", 0)])
    c.execute(f"SELECT seconds FROM stage_intervals WHERE {where} ORDER BY seconds LIMIT 1 OFFSET ?", (*values, place))
    return int(c.fetchone()["seconds"])

"""Figures of what happened in a time: deadlines that ended, stays that ended, losses, wins, outcomes of talks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from hub.projections.reports_over import Over, Spread, middle, ninetieth, parts_of
from hub.store.base import Cursor, EventStore


class Kept(Struct, frozen=True):
    """Deadlines that ended in a time: met in theirs, and all."""

    by: str
    met: int
    judged: int


class Ended(Struct, frozen=True, kw_only=True):
    """Losses or refusals of one reason and closeness; ``back`` of them are worked again since."""

    reason: str
    closeness: str
    n: int
    back: int


class Won(Struct, frozen=True, kw_only=True):
    """Contracts by person or month, in one currency; ``value`` in hundredths."""

    by: str
    currency: str
    n: int
    value: int

    @property
    def cheque(self) -> Decimal:
        """The average contract, in units of the currency."""
        return (Decimal(self.value) / self.n / 100).quantize(Decimal("0.01"))


class Talks(Struct, frozen=True, kw_only=True):
    """Outcomes of meetings and talks of a person or in a stage (R26)."""

    by: str
    advances: int = 0
    continuations: int = 0
    closings: int = 0
    refusals: int = 0


OUTCOMES = {"advance": "advances", "continuation": "continuations", "closing": "closings", "refusal": "refusals"}


class Days:
    """Questions to the tables of turns, and to the stays and deadlines by stage (:mod:`hub.projections.stage_leads`)."""

    store: EventStore

    # ── deadlines ────────────────────────────────────────────────────────────────

    def kept(self, over: Over) -> dict[str, list[Kept]]:
        """The share of deadlines that were met, by ``owner``, ``channel``, ``kind``, and of all (an empty text).

        The person and the segment are those that the lead had then."""
        where, values = over.where("at")
        sums: dict[str, dict[str, list[int]]] = {group: defaultdict(lambda: [0, 0]) for group in ("owner", "channel", "kind", "")}
        for row in self._asked("SELECT owner, channel, deadline, SUM(met) AS met, COUNT(*) AS n FROM stage_deadlines "
                               f"WHERE {where} GROUP BY owner, channel, deadline", values):
            by = {"owner": row["owner"], "channel": row["channel"], "kind": row["deadline"].partition(":")[0], "": ""}
            for group, parts in sums.items():
                both = parts[by[group]]
                both[0] += int(row["met"])
                both[1] += int(row["n"])
        return {group: [Kept(by, met, n) for by, (met, n) in sorted(parts.items())] for group, parts in sums.items()}

    def kept_weeks(self, over: Over, zone: str) -> list[Kept]:
        """The same by week in a zone, named by its Monday; weeks in which none ended are left out."""
        only, values = over.only()
        week = f"SELECT COALESCE(SUM(met), 0) AS met, COUNT(*) AS n FROM stage_deadlines WHERE at >= ? AND at < ?{only}"
        found = []
        with self.store.views.reading() as c:
            for part in over.weeks(zone):
                row = c.execute(week, (part.since, part.until, *values)).fetchone()
                if row["n"]:
                    found.append(Kept(part.id, int(row["met"]), int(row["n"])))
        return found

    # ── stays in stages ──────────────────────────────────────────────────────────

    def stays(self, over: Over) -> dict[str, Spread]:
        """How long leads stayed in each stage, of stays that ended then; the person and the segment are those of that time."""
        come = _stays(over)
        lengths: dict[str, Counter[int]] = defaultdict(Counter)
        with self.store.views.reading() as c:
            c.execute(f"SELECT stage, bucket, COUNT(*) AS n {come[0]} GROUP BY stage, bucket", come[1])
            for row in c.fetchall():
                lengths[row["stage"]][row["bucket"]] = int(row["n"])
            return {stage: _spread_of(c, come, stage, buckets) for stage, buckets in lengths.items()}

    # ── ends ─────────────────────────────────────────────────────────────────────

    def ends(self, how: str, over: Over) -> list[Ended]:
        """``lost`` or ``refused`` then, each time that it happened; a refusal has its criterion as the reason."""
        where, values = over.where("at")
        return [Ended(reason=row["reason"], closeness=row["closeness"], n=int(row["n"]), back=int(row["back"]))
                for row in self._asked("SELECT reason, closeness, COUNT(*) AS n, SUM(back) AS back FROM report_ends "
                                       f"WHERE how = ? AND {where} GROUP BY reason, closeness ORDER BY reason, closeness",
                                       [how, *values])]

    def won(self, over: Over, zone: str) -> dict[str, list[Won]]:
        """Contracts of the time by ``owner``, by ``month`` in a zone (its first day), and all (an empty text), by currency."""
        where, values = over.where("at")
        sums: dict[str, dict[tuple[str, str], list[int]]] = {g: defaultdict(lambda: [0, 0]) for g in ("owner", "month", "")}
        rows = self._asked(f"SELECT at, owner, currency, amount FROM report_ends WHERE how = 'won' AND {where}", values)
        for row, month in zip(rows, parts_of(over.months(zone), [row["at"] for row in rows]), strict=True):
            for group, by in (("owner", row["owner"]), ("month", month), ("", "")):
                both = sums[group][by, row["currency"]]
                both[0] += 1
                both[1] += row["amount"] or 0
        return {group: [Won(by=by, currency=currency, n=n, value=value) for (by, currency), (n, value) in sorted(parts.items())]
                for group, parts in sums.items()}

    # ── talks (R26) ──────────────────────────────────────────────────────────────

    def talks(self, over: Over) -> dict[str, list[Talks]]:
        """Outcomes by ``owner``, by ``stage``, and all (an empty text)."""
        where, values = over.where("at")
        sums: dict[str, dict[str, Counter[str]]] = {group: defaultdict(Counter) for group in ("owner", "stage", "")}
        for row in self._asked("SELECT owner, stage, outcome, COUNT(*) AS n FROM report_talks "
                               f"WHERE {where} GROUP BY owner, stage, outcome", values):
            for group, parts in sums.items():
                parts[row[group] if group else ""][OUTCOMES[row["outcome"]]] += int(row["n"])
        return {group: [Talks(by=by, **counts) for by, counts in sorted(parts.items())] for group, parts in sums.items()}

    def _asked(self, statement: str, values: Sequence[Any]) -> list[Any]:
        with self.store.views.reading() as c:
            c.execute(statement, tuple(values))
            return list(c.fetchall())


Stays = tuple[str, list[Any]]


def _stays(over: Over) -> Stays:
    """The stays that ended in a time."""
    where, values = over.where("left_at")
    return f"FROM stage_intervals WHERE test = 0 AND {where}", values


def _spread_of(c: Cursor, stays: Stays, stage: str, buckets: Counter[int]) -> Spread:
    """The spread of a stage's stays: places of their order are looked for in the one bucket of lengths that holds each."""
    n = buckets.total()
    a, b = (_at(c, stays, stage, buckets, place) for place in middle(n))
    return Spread(n, round((a + b) / 2), _at(c, stays, stage, buckets, ninetieth(n)))


def _at(c: Cursor, stays: Stays, stage: str, buckets: Counter[int], place: int) -> int:
    for bucket in sorted(buckets):
        if place < buckets[bucket]:
            break
        place -= buckets[bucket]
    c.execute(f"SELECT seconds {stays[0]} AND stage = ? AND bucket = ? ORDER BY seconds LIMIT 1 OFFSET ?",
              (*stays[1], stage, bucket, place))
    return int(c.fetchone()["seconds"])

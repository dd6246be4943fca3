"""Figures of the leads that came in a time: how soon they were taken, how far they got, where they came from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import Struct

from hub.domain.worktime import WorkCalendar
from hub.projections.reports_over import Over, Spread, Worked, parts_of, spread
from hub.store.base import EventStore

COUNTED = "counted = 1"
DROPPED = ("lost", "refused", "asleep", "open")
"""What became of a lead that got no further; ``open``: it stands there now."""


class Speed(Struct, frozen=True, kw_only=True):
    """How soon leads were taken. ``working`` in seconds of the department's hours (R7), ``plain`` of the clock; ``in_time`` of
    ``judged``: within R2's time. ``untaken``: nobody took them, ``late`` of them past R2's time."""

    by: str
    working: Spread
    plain: Spread
    in_time: int
    judged: int
    untaken: int = 0
    late: int = 0


class Step(Struct, frozen=True, kw_only=True):
    """A step of the funnel: a stage, or ``won``. ``reached`` got there or further, each lead once; ``were`` of them were in it
    indeed; ``dropped`` says what became of those that got no further, by :data:`DROPPED`."""

    id: str
    reached: int
    were: int
    dropped: dict[str, int]


class Rated(Struct, frozen=True):
    """Leads by the segment of their first sheet and of their newest; ``again`` of them have more than one."""

    first: str
    now: str
    n: int
    again: int


class Source(Struct, frozen=True, kw_only=True):
    """Where requests came from, and what came of them. ``value`` in hundredths by currency."""

    channel: str
    source: str
    source_title: str
    utm_source: str
    utm_medium: str
    utm_campaign: str
    requests: int = 0
    qualified: int = 0
    won: int = 0
    value: dict[str, int] = {}


SOURCE = ("channel", "source", "source_title", "utm_source", "utm_medium", "utm_campaign")
TAKINGS = "(taken_at IS NOT NULL OR ended = '')"
"""Leads that were taken, or that are open and wait to be."""


class Cohorts:
    """Questions to ``report_leads``."""

    store: EventStore

    # ── speed to lead (R2) ───────────────────────────────────────────────────────

    def speeds(self, over: Over, calendar: WorkCalendar) -> dict[str, list[Speed]]:
        """Of the leads that came then and were taken, or wait: by ``taker``, ``channel``, ``week`` (its Monday), and of all (an
        empty text)."""
        where, values = over.where("received_at", "taker")
        rows = self._asked("SELECT taker, channel, received_at, taken_at, took, in_time FROM report_leads "
                           f"WHERE {COUNTED} AND {where} AND {TAKINGS}", values)
        last = max((row["taken_at"] or "" for row in rows), default="")
        worked = Worked(calendar, over.since, max(over.until, datetime.fromisoformat(last)) if last else over.until)
        weeks = parts_of(over.weeks(calendar.timezone), [row["received_at"] for row in rows])
        groups: dict[str, dict[str, _Takings]] = {group: defaultdict(_Takings) for group in ("taker", "channel", "week", "")}
        for row, week in zip(rows, weeks, strict=True):
            taken_at, took, in_time = row["taken_at"], row["took"], row["in_time"]
            working = worked.between(row["received_at"], taken_at, took) if taken_at is not None else 0
            for group, by in (("taker", row["taker"]), ("channel", row["channel"]), ("week", week), ("", "")):
                part = groups[group][by]
                if taken_at is not None:
                    part.working.append(working)
                    part.plain.append(took)
                else:
                    part.untaken += 1
                    part.late += in_time == 0
                if in_time is not None:
                    part.judged += 1
                    part.in_time += in_time
        return {group: [part.speed(by) for by, part in sorted(found.items())] for group, found in groups.items()}

    # ── the funnel ───────────────────────────────────────────────────────────────

    def funnel(self, over: Over, stages: Sequence[str]) -> list[Step]:
        """How far the leads got that came then; ``stages`` in order, and the win behind them."""
        groups, reached, were = self.depths(over, stages), [0] * (len(stages) + 1), [0] * (len(stages) + 1)
        dropped: list[Counter[str]] = [Counter() for _ in reached]
        for path, ended, asleep, depth, n in groups:
            for step in range(depth + 1):
                reached[step] += n
                were[step] += n if step == len(stages) or stages[step] in path.split() else 0
            if ended != "won":
                dropped[depth][ended or ("asleep" if asleep else "open")] += n
        return [Step(id=id, reached=reached[n], were=were[n], dropped={how: dropped[n][how] for how in DROPPED})
                for n, id in enumerate([*stages, "won"])]

    def depths(self, over: Over, stages: Sequence[str]) -> list[tuple[str, str, int, int, int]]:
        """Groups of the leads that came then: stages that they entered, how they ended, whether they sleep, the step that they
        got to, how many they are."""
        where, values = over.where("received_at")
        places = {stage: n for n, stage in enumerate(stages)}
        found = []
        for row in self._asked("SELECT path, ended, asleep, COUNT(*) AS n FROM report_leads "
                               f"WHERE {COUNTED} AND {where} GROUP BY path, ended, asleep", values):
            depth = max((places[stage] for stage in row["path"].split() if stage in places), default=0)
            depth = len(stages) if row["ended"] == "won" else depth
            found.append((row["path"], row["ended"], int(row["asleep"]), depth, int(row["n"])))
        return found

    def segments(self, over: Over) -> list[Rated]:
        """Which segment the first sheet gave the leads that came then, and which one the newest (R11, R31)."""
        where, values = over.where("received_at")
        return [Rated(first=row["first_segment"], now=row["segment"], n=int(row["n"]), again=int(row["again"]))
                for row in self._asked("SELECT first_segment, segment, COUNT(*) AS n, "
                                       "SUM(CASE WHEN sheets > 1 THEN 1 ELSE 0 END) AS again FROM report_leads "
                                       f"WHERE {COUNTED} AND {where} AND sheets > 0 GROUP BY first_segment, segment "
                                       "ORDER BY first_segment, segment", values)]

    # ── where they came from ─────────────────────────────────────────────────────

    def sources(self, over: Over, worked: Collection[str]) -> list[Source]:
        """What came of the leads of each source, the most requests first. Qualified: the newest sheet says one of the segments
        that are ``worked`` and we did not refuse, or it was won."""
        where, values = over.where("received_at")
        names = ", ".join(SOURCE)
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        for row in self._asked(
                f"SELECT {names}, segment, ended, currency, COUNT(*) AS n, SUM(amount) AS amount FROM report_leads "
                f"WHERE {COUNTED} AND {where} GROUP BY {names}, segment, ended, currency", values):
            key, n = tuple(row[name] for name in SOURCE), int(row["n"])
            sums = found.setdefault(key, {"requests": 0, "qualified": 0, "won": 0, "value": {}})
            won = row["ended"] == "won"
            sums["requests"] += n
            sums["qualified"] += n if won or (row["segment"] in worked and row["ended"] != "refused") else 0
            if won:
                sums["won"] += n
                sums["value"][row["currency"]] = sums["value"].get(row["currency"], 0) + int(row["amount"] or 0)
        made = [Source(**{**dict(zip(SOURCE, key, strict=True)), **sums}) for key, sums in found.items()]
        return sorted(made, key=lambda s: (-s.requests, s.channel, s.source_title, s.utm_source, s.utm_medium, s.utm_campaign))

    def _asked(self, statement: str, values: Sequence[Any]) -> list[Any]:
        with self.store.views.reading() as c:
            c.execute(statement, tuple(values))
            return list(c.fetchall())


@dataclass
class _Takings:
    """What is known of the leads of a group."""

    working: list[int] = field(default_factory=list)
    plain: list[int] = field(default_factory=list)
    in_time: int = 0
    judged: int = 0
    untaken: int = 0
    late: int = 0

    def speed(self, by: str) -> Speed:
        """All of it as one figure."""
        return Speed(by=by, working=spread(self.working), plain=spread(self.plain), in_time=self.in_time, judged=self.judged,
                     untaken=self.untaken, late=self.late)

"""The leads behind a figure: exactly those that it counts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct

from hub.projections.leads import iso
from hub.projections.reports_cohorts import COUNTED, DROPPED, SOURCE, TAKINGS, Cohorts
from hub.projections.reports_now import whose_chance
from hub.projections.reports_over import Over
from hub.store.base import Cursor

FIGURES = ("taken", "in_time", "not_in_time", "untaken", "kept", "missed", "reached", "were", "dropped", "stayed", "lost",
           "refused", "scored", "rescored", "won", "chances_won", "chances_lost", "requests", "qualified", "sold",
           "talks", "late", "returns")
"""What can be opened; see :class:`Figure`."""


class Figure(Struct, frozen=True, kw_only=True):
    """One number of a report.

    ``taken``, ``in_time``, ``not_in_time``, ``untaken``: speed to lead. ``kept``, ``missed``: deadlines of a ``kind``.
    ``reached``, ``were``, ``dropped``: a ``step`` of the funnel and ``how`` leads left it. ``stayed``: in a ``stage``.
    ``scored``: with the segment ``kind`` on their first sheet; ``rescored``: with more than one. ``lost``: for a ``reason`` at a
    ``closeness``; ``refused``: by a criterion as the ``reason`` (``none``: by the sheet); ``back`` of them. ``won``: in a
    ``currency``. ``chances_won``, ``chances_lost``: closed ones of a ``kind``. ``requests``, ``qualified``, ``sold``: of a
    ``source`` (its six names). ``talks``: with an ``outcome``, in a ``stage``. ``late``: open leads past their
    time now; ``returns``: what wakes in the time. What is empty asks for all.
    """

    name: str
    kind: str = ""
    step: str = ""
    how: str = ""
    stage: str = ""
    reason: str = ""
    closeness: str = ""
    back: bool = False
    currency: str = ""
    outcome: str = ""
    source: tuple[str, ...] = ()


class Asked(Struct, frozen=True):
    """A figure's leads as SQL: ``lead``, ``at`` (by which they are sorted, the newest first) and ``n`` (how often it counts)."""

    sql: str
    values: list[Any]


class Listed(Struct, frozen=True):
    """A page of a figure's leads: the rows of the board with ``at`` and ``n``, how many leads there are, and the sum of ``n``."""

    rows: list[Any]
    leads: int
    counted: int


class Lists(Cohorts):
    """Figures of ``report_leads`` and of the turns, opened."""

    def listed(self, figure: Figure, over: Over, stages: Sequence[str], worked: Collection[str], limit: int,
               offset: int = 0) -> Listed:
        """The leads of ``figure`` over ``over``; ``stages`` are the funnel's, ``worked`` the segments that qualify."""
        asked = self._asked_for(figure, over, stages, worked)
        with self.store.views.reading() as c:
            rows = _page(c, asked, limit, offset)
            if rows or not offset:
                return Listed(rows, int(rows[0]["leads"]) if rows else 0, int(rows[0]["counted"]) if rows else 0)
            c.execute(f"SELECT COUNT(*) AS leads, COALESCE(SUM(n), 0) AS n FROM ({asked.sql}) found", asked.values)
            total = c.fetchone()
        return Listed([], int(total["leads"]), int(total["n"]))

    def _asked_for(self, figure: Figure, over: Over, stages: Sequence[str], worked: Collection[str]) -> Asked:
        match figure.name:
            case "taken" | "in_time" | "not_in_time" | "untaken":
                return _of_speed(figure, over)
            case "kept" | "missed":
                return _of_deadlines(figure, over)
            case "reached" | "were" | "dropped":
                return self._of_funnel(figure, over, stages)
            case "stayed":
                where, values = over.where("left_at")
                return Asked("SELECT lead, MAX(left_at) AS at, COUNT(*) AS n FROM stage_intervals "
                             f"WHERE test = 0 AND {where} AND stage = ? GROUP BY lead", [*values, figure.stage])
            case "lost" | "refused" | "won":
                more = "back = 1" if figure.back else ""
                return _turns("report_ends", over, {"how": figure.name, "reason": figure.reason, "closeness": figure.closeness,
                                                    "currency": figure.currency}, more)
            case "talks":
                return _turns("report_talks", over, {"outcome": figure.outcome, "stage": figure.stage})
            case "late":
                own, values = over.only()
                return Asked("SELECT id AS lead, due_sort AS at, 1 AS n FROM leads WHERE is_open = 1 AND place <> 'asleep' "
                             f"AND due_sort < ?{own}", [iso(over.until), *values])
            case "returns":
                where, values = over.where("returns_at")
                return Asked(f"SELECT lead, returns_at AS at, 1 AS n FROM report_leads WHERE {COUNTED} AND {where}", values)
            case "chances_won" | "chances_lost":
                return _of_chances(figure, over)
            case "scored" | "rescored":
                where, values = over.where("received_at")
                first, kind = (" AND first_segment = ?", [figure.kind]) if figure.kind else ("", [])
                sheets = "sheets > 1" if figure.name == "rescored" else "sheets > 0"
                return Asked("SELECT lead, received_at AS at, 1 AS n FROM report_leads "
                             f"WHERE {COUNTED} AND {where} AND {sheets}{first}", [*values, *kind])
        return _of_source(figure, over, worked)

    def _of_funnel(self, figure: Figure, over: Over, stages: Sequence[str]) -> Asked:
        """By the groups of :meth:`depths`: those that got to the step, that were in it, or that left at it (at any one where none
        is named)."""
        where, values = over.where("received_at")
        groups = [(path, ended, asleep) for path, ended, asleep, depth, _ in self.depths(over, stages)
                  if _belongs(figure, stages, path, ended or DROPPED[2 if asleep else 3], depth)]
        any_of = " OR ".join(["(path = ? AND ended = ? AND asleep = ?)"] * len(groups)) or "1 = 0"
        return Asked(f"SELECT lead, received_at AS at, 1 AS n FROM report_leads WHERE {COUNTED} AND {where} AND ({any_of})",
                     [*values, *(value for group in groups for value in group)])


def _belongs(figure: Figure, stages: Sequence[str], path: str, end: str, depth: int) -> bool:
    """Whether leads with this path, end and depth are of a figure of the funnel."""
    won = figure.step == "won"
    if figure.name == "were":
        return end == "won" if won else figure.step in path.split()
    step = len(stages) if won else list(stages).index(figure.step) if figure.step else depth
    if figure.name == "reached":
        return depth >= step
    return depth == step and end != "won" and figure.how in ("", end)


def _of_speed(figure: Figure, over: Over) -> Asked:
    where, values = over.where("received_at", "taker")
    more = {"taken": "taken_at IS NOT NULL", "in_time": f"in_time = 1 AND {TAKINGS}", "not_in_time": f"in_time = 0 AND {TAKINGS}",
            "untaken": "taken_at IS NULL AND ended = ''"}[figure.name]
    return Asked(f"SELECT lead, received_at AS at, 1 AS n FROM report_leads WHERE {COUNTED} AND {where} AND {more}", values)


def _of_deadlines(figure: Figure, over: Over) -> Asked:
    where, values = over.where("at")
    if figure.kind:
        where += " AND (deadline = ? OR (deadline >= ? AND deadline < ?))"
        values += [figure.kind, f"{figure.kind}:", f"{figure.kind};"]
    return Asked(f"SELECT lead, MAX(at) AS at, COUNT(*) AS n FROM stage_deadlines WHERE {where} AND met = ? GROUP BY lead",
                 [*values, int(figure.name == "kept")])


def _of_chances(figure: Figure, over: Over) -> Asked:
    of, whose = whose_chance(over.owner)
    kind, kinds = (" AND c.kind = ?", [figure.kind]) if figure.kind else ("", [])
    return Asked("SELECT c.lead, MAX(c.closed_at) AS at, COUNT(*) AS n FROM report_chances c JOIN report_leads f "
                 f"ON f.lead = c.lead WHERE c.status = ? AND c.closed_at >= ? AND c.closed_at < ? AND f.{COUNTED}{of}{kind} "
                 "GROUP BY c.lead", [figure.name.partition("_")[2], *over.time, *whose, *kinds])


def _of_source(figure: Figure, over: Over, worked: Collection[str]) -> Asked:
    where, values = over.where("received_at")
    if figure.source:
        where += "".join(f" AND {name} = ?" for name in SOURCE)
        values += figure.source
    if figure.name == "sold":
        where += " AND ended = 'won'"
    elif figure.name == "qualified":
        where += f" AND (ended = 'won' OR (ended <> 'refused' AND segment IN ({', '.join('?' * len(worked)) or 'NULL'})))"
        values += worked
    return Asked(f"SELECT lead, received_at AS at, 1 AS n FROM report_leads WHERE {COUNTED} AND {where}", values)


def _turns(table: str, over: Over, wanted: dict[str, str], more: str = "") -> Asked:
    """Leads with such turns, each once, by its last one."""
    where, values = over.where("at")
    for column, value in wanted.items():
        if value:
            where += f" AND {column} = ?"
            values.append("" if value == "none" else value)
    return Asked(f"SELECT lead, MAX(at) AS at, COUNT(*) AS n FROM {table} WHERE {where}{f' AND {more}' if more else ''} "
                 "GROUP BY lead", values)


def _page(c: Cursor, asked: Asked, limit: int, offset: int) -> list[Any]:
    c.execute("SELECT found.at, found.n, found.leads, found.counted, l.* FROM (SELECT lead, at, n, COUNT(*) OVER () AS leads, "
              f"SUM(n) OVER () AS counted FROM ({asked.sql}) every ORDER BY at DESC, lead LIMIT ? OFFSET ?) found "
              "JOIN leads l ON l.id = found.lead ORDER BY found.at DESC, found.lead", (*asked.values, limit, offset))
    return list(c.fetchall())

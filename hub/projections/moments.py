"""The board and the list at any past moment: for each lead the periods in which nothing that they sort and filter by changed.

No name, address or word of a client is kept here: who was behind a lead then is read from its events, and reads as erased
where the person was erased since.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hub.domain.replay import known_at
from hub.domain.state import LeadState
from hub.projections import lead_tags, lead_words
from hub.projections.base import Row
from hub.projections.folding import OfLeads
from hub.projections.lead_queries import ASLEEP, ENDED_SHOWS, Counts, Wanted, counted
from hub.projections.leads import FAR, is_planned, iso
from hub.store.base import Cursor

SHORTEST = timedelta(minutes=15)
LONGEST = 12
"""Periods are classed by their length: the first class is up to :data:`SHORTEST`, each next one four times as long."""
LASTING = -1
"""The class of periods that have not ended."""
SORTS = {
    "due": "due_sort {way}, received_at, lead",
    "number": "received_at {way}, lead {way}", "received": "received_at {way}, lead {way}",
    "stage": "place {way}, due_sort, lead", "score": "total IS NULL, total {way}, received_at, lead",
    "ended": "ended_at {way}, lead", "owner": "owner {way}, due_sort, lead", "channel": "channel {way}, due_sort, lead",
    "deferrals": "continuations {way}, due_sort, lead",
}
"""What a past list may be sorted by: all that today's may, but names."""


class Facts(NamedTuple):
    """What the board and the list of a moment need to know of a lead."""

    place: str
    stage: str
    owner: str
    segment: str
    channel: str
    total: int | None
    is_open: int
    ended: str
    ended_at: str
    due_sort: str
    planned: int
    continuations: int
    received_at: str


def facts_of(s: LeadState) -> Facts:
    """The facts of a state."""
    due, score = s.next_due, s.score
    return Facts(
        place=ASLEEP if s.asleep_until is not None else s.stage, stage=s.stage, owner=s.owner, segment=s.segment,
        channel=s.channel, total=score.total if score else None, is_open=int(s.open), ended=s.ended,
        ended_at=iso(s.ended_at) or "", due_sort=iso(due.due_at) or FAR if due else FAR, planned=int(is_planned(s)),
        continuations=s.continuations, received_at=iso(s.received_at) or "")


class Moments(OfLeads):
    """A row a period: ``since`` is when the hub knew, ``until`` when something changed (``9999`` while nothing has)."""

    name = "moments"
    version = 1
    tables = """
        CREATE TABLE lead_moments (lead TEXT NOT NULL, since TEXT NOT NULL, until TEXT NOT NULL, length INTEGER NOT NULL,
            place TEXT NOT NULL, stage TEXT NOT NULL, owner TEXT NOT NULL, segment TEXT NOT NULL, channel TEXT NOT NULL,
            total INTEGER, is_open INTEGER NOT NULL, ended TEXT NOT NULL, ended_at TEXT NOT NULL, due_sort TEXT NOT NULL,
            planned INTEGER NOT NULL, continuations INTEGER NOT NULL, received_at TEXT NOT NULL,
            PRIMARY KEY (lead, since)) WITHOUT ROWID;
        CREATE INDEX lead_moments_then ON lead_moments (is_open, length, since, until, ended, place, owner, segment, channel,
            stage, due_sort, planned, continuations, ended_at);
    """

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """The last period of each lead is read once, and each changed period written once. What several events of one
        instant say is one period."""
        self._states.expect(len(rows))
        last = self._last(cursor, sorted({event.originator_id.hex for _, event in rows}))
        changed: dict[tuple[str, str], _Period] = {}
        for _, event in rows:
            lead, facts, at = event.originator_id.hex, facts_of(self._states.after(event)), iso(known_at(event)) or ""
            period = last.get(lead)
            if period is not None and period.facts == facts:
                continue
            if period is None or period.since != at:
                if period is not None:
                    period.until = at
                    changed[lead, period.since] = period
                period = last[lead] = _Period(lead, at, facts)
            period.facts = facts
            changed[lead, at] = period
        cursor.executemany(WRITE, [period.row() for period in changed.values()])

    def _last(self, cursor: Cursor, leads: Sequence[str]) -> dict[str, _Period]:
        found: dict[str, _Period] = {}
        names = ", ".join(f"m.{name}" for name in Facts._fields)
        for some in (leads[n:n + 500] for n in range(0, len(leads), 500)):
            cursor.execute(f"SELECT m.lead, m.since, {names} FROM (SELECT lead, MAX(since) AS since FROM lead_moments "
                           f"WHERE lead IN ({', '.join('?' * len(some))}) GROUP BY lead) newest JOIN lead_moments m "
                           "ON m.lead = newest.lead AND m.since = newest.since", some)
            found.update((row["lead"], _Period(row["lead"], row["since"], Facts(*tuple(row)[2:]))) for row in cursor.fetchall())
        return found

    # ── any past moment ──────────────────────────────────────────────────────────

    def counts(self, moment: datetime, wanted: Wanted) -> Counts:
        """Numbers of all chips and columns at ``moment``, as :meth:`LeadQueries.counts` gives those of now."""
        then, values = periods_at(moment, *self._common(wanted, (1,)), among=(1,))
        with self.store.views.reading() as c:
            return counted(c, wanted, f"({then}) then_known", values)

    def late(self, moment: datetime) -> int:
        """How many open leads had a missed deadline, asleep ones left out."""
        then, values = periods_at(moment, ["place <> 'asleep'", "due_sort < ?"], [iso(moment)], among=(1,))
        with self.store.views.reading() as c:
            c.execute(f"SELECT COUNT(*) AS n FROM ({then}) then_known", values)
            return int(c.fetchone()["n"])

    def columns(self, moment: datetime, wanted: Wanted, limit: int) -> dict[str, list[str]]:
        """The first leads of each column, what was due first on top; all columns in one pass."""
        conditions, values = self._where(wanted)
        then, values = periods_at(moment, conditions, values, among=(1,))
        with self.store.views.reading() as c:
            c.execute("SELECT lead, place FROM (SELECT lead, place, ROW_NUMBER() OVER (PARTITION BY place ORDER BY due_sort, "
                      f"received_at, lead) AS nth FROM ({then}) then_known) ranked WHERE nth <= ? ORDER BY place, nth",
                      (*values, limit))
            found: dict[str, list[str]] = {}
            for row in c.fetchall():
                found.setdefault(row["place"], []).append(row["lead"])
        return found

    def endings(self, moment: datetime, wanted: Wanted) -> dict[str, int]:
        """How many had ended in each way by ``moment``, whatever ``wanted`` shows."""
        then, values = periods_at(moment, *self._common(wanted, (0,)), among=(0,), columns="ended")
        with self.store.views.reading() as c:
            c.execute(f"SELECT ended, COUNT(*) AS n FROM ({then}) then_known WHERE ended <> '' GROUP BY ended", values)
            found = {row["ended"]: int(row["n"]) for row in c.fetchall()}
        return {show: found.get(show, 0) for show in ENDED_SHOWS}

    def listed(self, moment: datetime, wanted: Wanted, sort: str, limit: int, offset: int) -> list[str]:
        """A page of the list of then. ``sort`` is a key of :data:`SORTS`, with a minus for the other way round."""
        order = SORTS[sort.lstrip("-")].format(way="DESC" if sort.startswith("-") else "ASC")
        columns = ", ".join(sorted({"lead", *re.findall(r"\b[a-z_]{4,}\b", order)}))
        among = (0,) if wanted.show in ENDED_SHOWS else (1,)
        then, values = periods_at(moment, *self._where(wanted), among=among, columns=columns)
        with self.store.views.reading() as c:
            c.execute(f"SELECT lead FROM ({then}) then_known ORDER BY {order} LIMIT ? OFFSET ?", (*values, limit, offset))
            return [row["lead"] for row in c.fetchall()]

    def after(self, moment: datetime, wanted: Wanted, column: str, way: str, place: tuple[str, str] | None, limit: int, *,
              everything: bool = False, only: str | None = None) -> list[tuple[str, str]]:
        """Leads of then from ``place`` (a value of ``column`` and a lead) on, for lists that are read page by page.

        ``everything``: ended and merged ones too, whatever ``wanted`` shows; ``only`` one lead. ``column`` and ``way`` are ours,
        never a user's words.
        """
        conditions, values = self._common(wanted, lead_words.BOTH) if everything else self._where(wanted)
        if only is not None:
            conditions, values = [*conditions, "lead = ?"], [*values, only]
        if place is not None:
            conditions, values = [*conditions, f"({column}, lead) {'<' if way == 'DESC' else '>'} (?, ?)"], [*values, *place]
        among = (0, 1) if everything else (0,) if wanted.show in ENDED_SHOWS else (1,)
        then, values = periods_at(moment, conditions, values, among=among)
        with self.store.views.reading() as c:
            c.execute(f"SELECT lead, {column} AS place FROM ({then}) then_known ORDER BY {column} {way}, lead {way} LIMIT ?",
                      (*values, limit))
            return [(row["lead"], row["place"]) for row in c.fetchall()]

    def numbers(self, leads: Collection[str]) -> dict[str, int]:
        """Leads' numbers, as people say them; a number never changes."""
        if not leads:
            return {}
        with self.store.views.reading() as c:
            c.execute(f"SELECT id, number FROM leads WHERE id IN ({', '.join('?' * len(leads))})", tuple(leads))
            return {row["id"]: row["number"] for row in c.fetchall()}

    def _common(self, wanted: Wanted, among: Collection[int]) -> tuple[list[str], list[Any]]:
        """Conditions of everything but ``show``. Words and tags are looked for in what is known today: the past has no index."""
        conditions, values = replace(wanted, words="", tag="").common(among)
        if wanted.words:
            asked, found = lead_words.matching(wanted.words, lead_words.BOTH) or lead_words.NOTHING
            conditions, values = [*conditions, f"lead IN (SELECT id FROM leads WHERE number IN ({asked}))"], [*values, *found]
        if wanted.tag:
            asked, found = lead_tags.having(wanted.tag, lead_words.BOTH)
            conditions, values = [*conditions, f"lead IN (SELECT id FROM leads WHERE number IN ({asked}))"], [*values, *found]
        return conditions, values

    def _where(self, wanted: Wanted) -> tuple[list[str], list[Any]]:
        common, shown = self._common(wanted, lead_words.BOTH), wanted.shown()
        return [*shown[0], *common[0]], [*shown[1], *common[1]]


def periods_at(moment: datetime, conditions: Sequence[str], values: Sequence[Any], among: Sequence[int],
               columns: str = "*") -> tuple[str, list[Any]]:
    """The periods that ``moment`` lies in, as a question. A period of a class cannot have begun earlier than the class is long:
    an index gives the few that can hold the moment, whether it is of last week or of years ago."""
    at = iso(moment)
    parts: list[str] = []
    found: list[Any] = []
    where = "".join(f" AND {condition}" for condition in conditions)
    for is_open in among:
        for length, begin in ((LASTING, ""), *_classes(moment)):
            parts.append(f"SELECT {columns} FROM lead_moments WHERE is_open = {is_open} AND length = {length} AND since > ? "
                         f"AND since <= ? AND until > ?{where}")
            found += [begin, at, at, *values]
    return " UNION ALL ".join(parts), found


def _classes(moment: datetime) -> Iterator[tuple[int, str]]:
    """Classes of lengths, with the earliest beginning that a period of the class may have at ``moment``."""
    for length in range(LONGEST + 1):
        try:
            yield length, iso(moment - SHORTEST * 4**length - timedelta(microseconds=1)) or ""
        except OverflowError:
            yield length, ""


def class_of(length: timedelta) -> int:
    """The class of a period that has ended."""
    return next((n for n in range(LONGEST) if length <= SHORTEST * 4**n), LONGEST)


class _Period:
    """A row of ``lead_moments``."""

    def __init__(self, lead: str, since: str, facts: Facts) -> None:
        self.lead, self.since, self.facts = lead, since, facts
        self.until = FAR

    def row(self) -> tuple[Any, ...]:
        ended = self.until != FAR
        length = class_of(datetime.fromisoformat(self.until) - datetime.fromisoformat(self.since)) if ended else LASTING
        return (self.lead, self.since, self.until, length, *self.facts)


COLUMNS = ("lead", "since", "until", "length", *Facts._fields)
WRITE = (f"INSERT INTO lead_moments ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) ON CONFLICT (lead, since) "
         "DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[2:]))

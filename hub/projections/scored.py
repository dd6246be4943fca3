"""The newest score sheet of every lead, small enough that another process is tried on all of them at once (R9–R11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from hub.domain import events as e
from hub.domain.event import Event
from hub.projections.base import Projection, Row
from hub.projections.leads import iso
from hub.store.base import Cursor, EventStore

SIGNS = {-1: "-", 0: "0", 1: "+"}
BUDGET, PROPOSAL, CONTRACT = 1, 2, 3
"""Where the worth of a lead comes from; what comes later in the sale counts more."""
ENDS: dict[type[Event], str] = {e.LeadWon: "won", e.LeadLost: "lost", e.LeadRefused: "refused", e.LeadWoken: "",
                                e.LeadReopened: ""}
SCORED = "scored_at <> '' AND test = 0 AND merged = 0"
"""Rows that count: a sheet of a real lead that is a card of its own."""
NAMES = ("test", "merged", "scored_at", "process_version", "marks", "total", "segment", "ended", "worth_of", "worth", "currency")


class Weighed(NamedTuple):
    """What a version's sheets need to be weighed anew: the 1-based places in ``marks`` of the parameters whose marks leave the
    total (``less``) or come into it (``more``)."""

    process_version: int
    less: tuple[int, ...] = ()
    more: tuple[int, ...] = ()

    @property
    def total(self) -> str:
        """The new total, as SQL."""
        def part(sign: str, place: int) -> str:
            mark = f"substr(marks, {place:d}, 1)"
            return f" {sign} (CASE {mark} WHEN '+' THEN 1 WHEN '-' THEN -1 ELSE 0 END)"
        return "(total" + "".join(part("-", n) for n in self.less) + "".join(part("+", n) for n in self.more) + ")"


class Group(NamedTuple):
    """Leads that are alike: their version, the segment of their day, both totals, how they ended, and what they are worth in
    whole units of a currency (empty: nobody named an amount)."""

    process_version: int
    segment: str
    was_total: int
    total: int
    ended: str
    currency: str
    leads: int
    worth: int


class Sheet(NamedTuple):
    """One lead, as in :class:`Group`; ``lead`` is its stream's id in hex."""

    lead: str
    scored_at: str
    process_version: int
    segment: str
    was_total: int
    total: int
    ended: str
    currency: str
    worth: int


class Band(NamedTuple):
    """New totals from ``low`` to ``high``; ``segment``: only sheets that had this one."""

    low: int
    high: int
    segment: str = ""


class Scored(Projection):
    """A row a lead; one without a sheet yet has no ``scored_at``. ``marks`` are signs in the alphabetical order of the
    parameters of ``process_version``. ``worth`` is the contract's, else the newest proposal's, else the budget's amount."""

    name = "scored"
    version = 1
    readable = False
    tables = """
        CREATE TABLE scored_leads (
            lead TEXT PRIMARY KEY, test INTEGER NOT NULL, merged INTEGER NOT NULL, scored_at TEXT NOT NULL,
            process_version INTEGER NOT NULL, marks TEXT NOT NULL, total INTEGER NOT NULL, segment TEXT NOT NULL,
            ended TEXT NOT NULL, worth_of INTEGER NOT NULL, worth BIGINT NOT NULL, currency TEXT NOT NULL) WITHOUT ROWID;
        CREATE INDEX scored_leads_by_version ON scored_leads (process_version, scored_at, lead, segment, total, ended, currency,
            worth, marks) WHERE scored_at <> '' AND test = 0 AND merged = 0;
    """
    topics = frozenset(k.TOPIC for k in (e.LeadReceived, e.LeadMergedInto, e.LeadSplitOff, e.LeadScored, e.BudgetNamed,
                                         e.ProposalDrafted, e.LeadWon, e.LeadLost, e.LeadRefused, e.LeadWoken, e.LeadReopened))

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        self.apply_all(cursor, [(position, event)])

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Leads that are named are read once, and each changed one written once."""
        known = self._known(cursor, sorted({event.originator_id.hex for _, event in rows}))
        for _, event in rows:
            lead = event.originator_id.hex
            row = known.setdefault(lead, {**dict.fromkeys(NAMES, 0), "scored_at": "", "marks": "", "segment": "", "ended": "",
                                          "currency": ""})
            _tell(row, event)
        cursor.executemany(
            f"INSERT INTO scored_leads (lead, {', '.join(NAMES)}) VALUES (?{', ?' * len(NAMES)}) ON CONFLICT (lead) "
            "DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in NAMES),
            [(lead, *(row[name] for name in NAMES)) for lead, row in known.items()])

    def _known(self, cursor: Cursor, leads: Sequence[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for some in (leads[n:n + 500] for n in range(0, len(leads), 500)):
            cursor.execute(f"SELECT * FROM scored_leads WHERE lead IN ({', '.join('?' * len(some))})", some)
            found.update((row["lead"], {name: row[name] for name in NAMES}) for row in cursor.fetchall())
        return found

    # ── questions ────────────────────────────────────────────────────────────────

    def versions(self) -> list[int]:
        """Versions of the process that a sheet was made under."""
        with self.store.views.reading() as c:
            c.execute(f"SELECT DISTINCT process_version FROM scored_leads WHERE {SCORED} ORDER BY process_version")
            return [row["process_version"] for row in c.fetchall()]

    def groups(self, weighed: Iterable[Weighed], since: str = "") -> list[Group]:
        """All sheets made since an instant (as sortable text), weighed anew and counted."""
        found = []
        with self.store.views.reading() as c:
            for one in weighed:
                c.execute(f"SELECT segment, was_total, total, ended, currency, COUNT(*) AS n, SUM(worth) AS worth FROM (SELECT "
                          f"segment, total AS was_total, {one.total} AS total, ended, currency, worth FROM scored_leads WHERE "
                          f"{SCORED} AND process_version = ? AND scored_at >= ?) sheets "
                          "GROUP BY segment, was_total, total, ended, currency", (one.process_version, since))
                found += [Group(one.process_version, row["segment"], row["was_total"], row["total"], row["ended"],
                                row["currency"], int(row["n"]), int(row["worth"])) for row in c.fetchall()]
        return found

    def sheets(self, weighed: Iterable[Weighed], bands: Sequence[Band], *, ended: str | None = None, since: str = "",
               before: tuple[str, str] = ("9999", ""), limit: int = 50) -> list[Sheet]:
        """Sheets whose new total lies in one of ``bands``, the newest first.

        ``before``: ``scored_at`` and ``lead`` of the last one that was seen.
        """
        found: list[Sheet] = []
        inside = " OR ".join("(total >= ? AND total <= ? AND (? = '' OR segment = ?))" for _ in bands)
        values = [value for band in bands for value in (band.low, band.high, band.segment, band.segment)]
        with self.store.views.reading() as c:
            for one in weighed if bands else ():
                c.execute(f"SELECT * FROM (SELECT lead, scored_at, process_version, segment, total AS was_total, {one.total} AS "
                          f"total, ended, currency, worth FROM scored_leads WHERE {SCORED} AND process_version = ? AND "
                          f"scored_at >= ? AND scored_at <= ?{' AND ended = ?' if ended is not None else ''}) sheets WHERE "
                          f"({inside}) AND (scored_at < ? OR lead < ?) ORDER BY scored_at DESC, lead DESC LIMIT ?",
                          (one.process_version, since, before[0], *(() if ended is None else (ended,)), *values, *before, limit))
                found += [Sheet(*(row[name] for name in Sheet._fields)) for row in c.fetchall()]
        return sorted(found, key=lambda sheet: (sheet.scored_at, sheet.lead), reverse=True)[:limit]


def _tell(row: dict[str, Any], event: Event) -> None:
    match event:
        case e.LeadReceived():
            row["test"] = int(event.test)
        case e.LeadMergedInto() | e.LeadSplitOff():
            row["merged"] = int(isinstance(event, e.LeadMergedInto))
        case e.LeadScored():
            row.update(scored_at=iso(event.at) or "", process_version=event.process_version, marks=signs(event.marks),
                       total=event.total, segment=event.segment)
        case e.BudgetNamed():
            _worth(row, BUDGET, event.money)
        case e.ProposalDrafted():
            _worth(row, PROPOSAL, event.money)
        case _:
            row["ended"] = ENDS[type(event)]
            if isinstance(event, e.LeadWon):
                _worth(row, CONTRACT, event.money)


def signs(marks: Mapping[str, int]) -> str:
    """Marks as text, in the alphabetical order of the parameters."""
    return "".join(SIGNS[marks[name]] for name in sorted(marks))


def _worth(row: dict[str, Any], of: int, money: Any) -> None:
    if of >= row["worth_of"]:
        row.update(worth_of=of, worth=int(Decimal(money.amount)), currency=money.currency)

"""What happened on leads and counts by the day of it: their ends, and the outcomes of talks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from hub.domain import events as e
from hub.domain.event import Event
from hub.projections.base import Projection, Row
from hub.projections.leads import iso
from hub.projections.reports import hundredths
from hub.projections.reports_days import Days
from hub.store.base import Cursor, EventStore


@dataclass
class Card:
    """What is known of a lead. ``ended``: the version of the end that it has; 0 where it has none."""

    lead: str
    channel: str = ""
    owner: str = ""
    segment: str = ""
    stage: str = ""
    ended: int = 0
    test: int = 0


COLUMNS = tuple(field.name for field in fields(Card))
WRITE = (f"INSERT INTO report_cards ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) ON CONFLICT (lead) DO UPDATE "
         "SET " + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:]))
TABLES = ("report_ends", "report_talks")


class ReportTurns(Days, Projection):
    """A row for each end and each outcome, by the event that says it.

    The channel is the lead's first, the person is who owned it then, the segment is the newest one: it is what people ask by.
    Nothing is kept of tests.
    """

    name = "report_turns"
    version = 1
    readable = False
    tables = """
        CREATE TABLE report_cards (lead TEXT PRIMARY KEY, channel TEXT NOT NULL, owner TEXT NOT NULL, segment TEXT NOT NULL,
                                   stage TEXT NOT NULL, ended INTEGER NOT NULL, test INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE report_ends (lead TEXT NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL, owner TEXT NOT NULL,
                                  channel TEXT NOT NULL, segment TEXT NOT NULL, stage TEXT NOT NULL, how TEXT NOT NULL,
                                  reason TEXT NOT NULL, closeness TEXT NOT NULL, amount INTEGER, currency TEXT NOT NULL,
                                  back INTEGER NOT NULL, PRIMARY KEY (lead, version)) WITHOUT ROWID;
        CREATE INDEX report_ends_at ON report_ends (how, at, owner, channel, segment, reason, closeness, stage, back, currency,
                                                    amount, lead);
        CREATE TABLE report_talks (lead TEXT NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL, owner TEXT NOT NULL,
                                   channel TEXT NOT NULL, segment TEXT NOT NULL, stage TEXT NOT NULL, outcome TEXT NOT NULL,
                                   PRIMARY KEY (lead, version)) WITHOUT ROWID;
        CREATE INDEX report_talks_at ON report_talks (at, owner, channel, segment, stage, outcome, lead);
    """
    topics = frozenset(k.TOPIC for k in (
        e.LeadReceived, e.LeadTaken, e.LeadReassigned, e.LeadScored, e.StageEntered, e.MoveUndone, e.LeadWon, e.LeadLost,
        e.LeadRefused, e.LeadWoken, e.LeadReopened, e.MeetingHeld, e.ContactLogged))

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        self.apply_all(cursor, [(position, event)])

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Leads that are named are read once and written once; a new segment is told to the rows that are there."""
        cards = self._cards(cursor, sorted({event.originator_id.hex for _, event in rows}))
        segments = {lead: card.segment for lead, card in cards.items()}
        added: dict[str, dict[tuple[str, int], tuple[Any, ...]]] = {table: {} for table in TABLES}
        back: list[tuple[str, int]] = []
        for _, event in rows:
            card = cards.setdefault(event.originator_id.hex, Card(event.originator_id.hex))
            _follow(card, event, back)
            row = _turn(card, event)
            if row is not None and not card.test:
                added[row[0]][card.lead, event.originator_version] = (iso(event.at), card.owner, card.channel, *row[1])
        for table, turns in added.items():
            for (lead, version), (at, owner, channel, *rest) in turns.items():
                values = (lead, version, at, owner, channel, cards[lead].segment, *rest)
                cursor.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))}) "
                               "ON CONFLICT (lead, version) DO NOTHING", values)
        cursor.executemany("UPDATE report_ends SET back = 1 WHERE lead = ? AND version = ?", back)
        changed = [(card.segment, lead) for lead, card in cards.items() if segments.get(lead, card.segment) != card.segment]
        for table in TABLES:
            cursor.executemany(f"UPDATE {table} SET segment = ? WHERE lead = ?", changed)
        cursor.executemany(WRITE, [astuple(card) for card in cards.values()])

    def _cards(self, cursor: Cursor, leads: Sequence[str]) -> dict[str, Card]:
        found: dict[str, Card] = {}
        for some in (leads[n:n + 500] for n in range(0, len(leads), 500)):
            cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM report_cards WHERE lead IN ({', '.join('?' * len(some))})", some)
            found.update((row["lead"], Card(*tuple(row))) for row in cursor.fetchall())
        return found


def _follow(card: Card, event: Event, back: list[tuple[str, int]]) -> None:
    """What an event changes of what is known; ``back`` takes the end that a return undoes."""
    match event:
        case e.LeadReceived():
            card.channel, card.test = event.channel, int(event.test)
        case e.LeadTaken() | e.LeadReassigned():
            card.owner = event.owner
        case e.LeadScored():
            card.segment = event.segment
        case e.StageEntered() | e.MoveUndone():
            card.stage = event.stage
        case e.LeadWon() | e.LeadLost() | e.LeadRefused():
            card.ended = event.originator_version
        case e.LeadWoken() | e.LeadReopened():
            if card.ended:
                back.append((card.lead, card.ended))
            card.ended = 0


def _turn(card: Card, event: Event) -> tuple[str, tuple[Any, ...]] | None:
    """The table that an event belongs to, with what stands behind the segment there."""
    match event:
        case e.LeadWon():
            return "report_ends", (card.stage, "won", "", "", hundredths(event.money), event.money.currency, 0)
        case e.LeadLost():
            return "report_ends", (card.stage, "lost", event.reason, event.closeness, None, "", 0)
        case e.LeadRefused():
            return "report_ends", (card.stage, "refused", event.criterion, "", None, "", 0)
        case e.MeetingHeld() | e.ContactLogged():
            return ("report_talks", (card.stage, event.outcome)) if event.outcome else None
    return None

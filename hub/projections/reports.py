"""What each lead came to: one row for each, for the department's figures, and the chances to sell more after a win."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from hub.domain import events as e
from hub.domain.event import Event
from hub.domain.events import Money
from hub.projections.base import Projection, Row
from hub.projections.intervals import seconds_between
from hub.projections.leads import iso
from hub.projections.reports_lists import Lists
from hub.projections.reports_now import Now
from hub.store.base import Cursor, EventStore

MARKS = ("utm_source", "utm_medium", "utm_campaign")
"""Of the marks of a visit, those that name where an advertisement stood."""
MARK = 120
"""The longest mark that is kept; a longer one is cut."""


@dataclass
class Fact:
    """A row of ``report_leads``. Instants are sortable text; ``amount`` is in hundredths of its currency.

    ``counted`` leads are those of the figures: no tests, and none that was merged into another (R6). ``taker`` took it
    first, ``took`` seconds of the clock after it came; ``in_time`` says whether within R2's time (None: never judged).
    ``path``: the stages that it entered, in order, each as often as it did. ``marked``: whether a message said where the
    visit came from. ``returns_at``: when it wakes by itself (R29). ``ended``, ``reason``, ``closeness``, ``criterion`` and
    ``amount`` are of the end that it has now.
    """

    lead: str
    received_at: str = ""
    channel: str = ""
    source: str = ""
    source_title: str = ""
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    marked: int = 0
    test: int = 0
    merged: int = 0
    counted: int = 1
    taker: str = ""
    taken_at: str | None = None
    took: int | None = None
    in_time: int | None = None
    owner: str = ""
    account_manager: str = ""
    segment: str = ""
    first_segment: str = ""
    sheets: int = 0
    path: str = ""
    asleep: int = 0
    returns_at: str | None = None
    ended: str = ""
    ended_at: str | None = None
    reason: str = ""
    closeness: str = ""
    criterion: str = ""
    amount: int | None = None
    currency: str = ""

    def end(self, how: str, at: str | None, **more: Any) -> None:
        """It has ended so; what was known of an earlier end goes."""
        self.ended, self.ended_at, self.asleep = how, at, 0
        self.reason = self.closeness = self.criterion = self.currency = ""
        self.amount = None
        for name, value in more.items():
            setattr(self, name, value)

    def mark(self, attribution: tuple[tuple[str, str], ...]) -> None:
        """Where the visit came from: the first message that says it counts."""
        if attribution and not self.marked:
            said = dict(attribution)
            self.marked = 1
            self.utm_source, self.utm_medium, self.utm_campaign = (said.get(name, "").strip()[:MARK] for name in MARKS)


COLUMNS = tuple(field.name for field in fields(Fact))
WRITE = (f"INSERT INTO report_leads ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) "
         "ON CONFLICT (lead) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:]))
FACTS = frozenset(k.TOPIC for k in (
    e.LeadReceived, e.MessageReceived, e.PersonErased, e.LeadMergedInto, e.LeadSplitOff, e.LeadTaken, e.LeadReassigned,
    e.StageEntered, e.MoveUndone, e.LeadScored, e.DeadlineSet, e.DeadlineMet, e.DeadlineMissed, e.DeadlineDropped, e.LeadSlept,
    e.LeadWoken, e.LeadReopened, e.LeadWon, e.LeadLost, e.LeadRefused, e.HandedOver))


class Reports(Lists, Now, Projection):
    """Facts of leads as they are now, and of when they came."""

    name = "reports"
    version = 2
    tables = """
        CREATE TABLE report_leads (
            lead TEXT PRIMARY KEY, received_at TEXT NOT NULL, channel TEXT NOT NULL, source TEXT NOT NULL,
            source_title TEXT NOT NULL, utm_source TEXT NOT NULL, utm_medium TEXT NOT NULL, utm_campaign TEXT NOT NULL,
            marked INTEGER NOT NULL, test INTEGER NOT NULL, merged INTEGER NOT NULL, counted INTEGER NOT NULL,
            taker TEXT NOT NULL, taken_at TEXT, took INTEGER, in_time INTEGER, owner TEXT NOT NULL,
            account_manager TEXT NOT NULL, segment TEXT NOT NULL, first_segment TEXT NOT NULL, sheets INTEGER NOT NULL,
            path TEXT NOT NULL, asleep INTEGER NOT NULL, returns_at TEXT, ended TEXT NOT NULL, ended_at TEXT,
            reason TEXT NOT NULL, closeness TEXT NOT NULL, criterion TEXT NOT NULL, amount INTEGER, currency TEXT NOT NULL);
        CREATE INDEX report_leads_received ON report_leads (received_at, owner, segment, channel, path, ended, asleep, lead)
            WHERE counted = 1;
        CREATE INDEX report_leads_taken ON report_leads (received_at, taker, channel, segment, taken_at, took, in_time, ended,
                                                         lead) WHERE counted = 1;
        CREATE INDEX report_leads_returns ON report_leads (returns_at, owner, ended, lead) WHERE returns_at IS NOT NULL;
        CREATE INDEX report_leads_handing ON report_leads (ended_at, owner, counted, lead)
            WHERE ended = 'won' AND account_manager = '';
        CREATE TABLE report_chances (lead TEXT NOT NULL, chance INTEGER NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL,
                                     status TEXT NOT NULL, closed_at TEXT, amount INTEGER, currency TEXT NOT NULL,
                                     PRIMARY KEY (lead, chance)) WITHOUT ROWID;
        CREATE INDEX report_chances_open ON report_chances (status, at, lead);
    """
    topics = FACTS | {e.ChanceRecorded.TOPIC, e.ChanceClosed.TOPIC}

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        self.apply_all(cursor, [(position, event)])

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Leads that are named are read once and written once."""
        known = self._known(cursor, sorted({event.originator_id.hex for _, event in rows if event.TOPIC in FACTS}))
        for _, event in rows:
            match event:
                case e.ChanceRecorded():
                    cursor.execute(
                        "INSERT INTO report_chances VALUES (?, ?, ?, ?, 'open', NULL, ?, ?) "
                        "ON CONFLICT (lead, chance) DO NOTHING",
                        (event.originator_id.hex, event.chance, iso(event.at), event.kind, hundredths(event.money),
                         event.money.currency if event.money else ""))
                case e.ChanceClosed():
                    cursor.execute("UPDATE report_chances SET status = ?, closed_at = ? WHERE lead = ? AND chance = ?",
                                   ("won" if event.won else "lost", iso(event.at), event.originator_id.hex, event.chance))
                case _:
                    lead = event.originator_id.hex
                    self._learn(known.setdefault(lead, Fact(lead)), event)
        cursor.executemany(WRITE, [astuple(fact) for fact in known.values()])

    def _known(self, cursor: Cursor, leads: Sequence[str]) -> dict[str, Fact]:
        found: dict[str, Fact] = {}
        for some in (leads[n:n + 500] for n in range(0, len(leads), 500)):
            cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM report_leads WHERE lead IN ({', '.join('?' * len(some))})", some)
            found.update((row["lead"], Fact(*tuple(row))) for row in cursor.fetchall())
        return found

    def _learn(self, f: Fact, event: Event) -> None:
        """What an event adds to what is known of its lead."""
        at = iso(event.at)
        match event:
            case e.LeadReceived():
                f.received_at, f.channel, f.source, f.source_title = at or "", event.channel, event.source, event.source_title
                f.test = int(event.test)
            case e.MessageReceived(automatic=False):
                f.mark(event.attribution)
            case e.PersonErased():
                self._forget_marks(f, event)
            case e.LeadMergedInto() | e.LeadSplitOff():
                f.merged = int(isinstance(event, e.LeadMergedInto))
            case e.LeadTaken():
                f.owner = event.owner
                if f.taken_at is None:
                    f.taker, f.taken_at = event.owner, at
                    f.took = seconds_between(f.received_at, at or "") if f.received_at else None
            case e.LeadReassigned():
                f.owner = event.owner
            case e.StageEntered():
                f.path = f"{f.path} {event.stage}".strip()
            case e.MoveUndone():
                f.path = f.path.rpartition(" ")[0]
            case e.LeadScored():
                f.segment, f.sheets = event.segment, f.sheets + 1
                f.first_segment = f.first_segment or event.segment
            case e.DeadlineSet() | e.DeadlineMet() | e.DeadlineMissed() | e.DeadlineDropped():
                _time_passes(f, event)
            case e.HandedOver():
                f.account_manager = event.account_manager
            case _:
                _end(f, event, at)
        f.counted = int(not f.test and not f.merged)

    def _forget_marks(self, f: Fact, event: Event) -> None:
        """A person was erased: what is left of the marks is what the messages say that can still be read."""
        f.marked, f.utm_source, f.utm_medium, f.utm_campaign = 0, "", "", ""
        for earlier in self.store.read(event.originator_id, 0, event.originator_version):
            if isinstance(earlier, e.MessageReceived) and not earlier.automatic:
                f.mark(earlier.attribution)


def _time_passes(f: Fact, event: e.DeadlineSet | e.DeadlineMet | e.DeadlineMissed | e.DeadlineDropped) -> None:
    if event.key == "wake":
        f.returns_at = iso(event.due_at) if isinstance(event, e.DeadlineSet) else None
    elif event.key == "take" and f.in_time is None and isinstance(event, e.DeadlineMet | e.DeadlineMissed):
        f.in_time = int(isinstance(event, e.DeadlineMet) and not event.late)


def _end(f: Fact, event: Event, at: str | None) -> None:
    match event:
        case e.LeadSlept():
            f.asleep = 1
        case e.LeadWoken() | e.LeadReopened():
            f.end("", None)
        case e.LeadWon():
            f.end("won", at, amount=hundredths(event.money), currency=event.money.currency)
        case e.LeadLost():
            f.end("lost", at, reason=event.reason, closeness=event.closeness)
        case e.LeadRefused():
            f.end("refused", at, criterion=event.criterion)


def hundredths(money: Money | None) -> int | None:
    """A sum in hundredths of its currency: whole numbers add up alike on every store."""
    return round(money.amount * 100) if money is not None else None

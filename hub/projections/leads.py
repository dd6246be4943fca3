"""The board and the list: one row a lead, with what is due first and everything that filters need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

from hub.domain.lead import Lead
from hub.domain.state import LeadState
from hub.projections import lead_meetings, lead_tags, lead_twins, lead_words
from hub.projections.base import Row
from hub.projections.folding import KEPT, OfLeads
from hub.projections.lead_queries import ASLEEP, OPEN, LeadQueries
from hub.projections.lead_tasks import TABLE as TASKS_TABLE
from hub.projections.lead_tasks import LeadTasks
from hub.store.base import Cursor, EventStore

__all__ = ["OPEN", "Leads", "columns", "iso"]

FAR = "9999"
"""Sorts after every instant: leads with nothing due."""
ACTS = frozenset({"take", "contact", "screening", "call_back", "reply", "scoring", "refusal_letter", "ping", "return", "outcome"})
"""Deadlines that say by themselves what is to be done next; others only say by when something must be."""


def iso(at: datetime | None) -> str | None:
    """An instant as sortable UTC text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds") if at else None


class Leads(LeadQueries, OfLeads):
    """Rows of the board; the number of a lead is its place in the order of arrival."""

    name = "leads"
    version = 6
    tables = """
        CREATE TABLE leads (
            id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, version INTEGER NOT NULL, position INTEGER NOT NULL,
            name TEXT NOT NULL, about TEXT NOT NULL, company TEXT NOT NULL, person TEXT NOT NULL, phones TEXT NOT NULL,
            emails TEXT NOT NULL, timezone TEXT NOT NULL, channel TEXT NOT NULL, source TEXT NOT NULL, source_title TEXT NOT NULL,
            received_at TEXT NOT NULL, stage TEXT NOT NULL, stage_since TEXT, owner TEXT NOT NULL, account_manager TEXT NOT NULL,
            offered_to TEXT NOT NULL, segment TEXT NOT NULL, total INTEGER, ended TEXT NOT NULL, ended_at TEXT, asleep_until TEXT,
            merged_into TEXT, due_key TEXT, due_at TEXT, due_set_at TEXT, due_missed INTEGER NOT NULL, next_step TEXT NOT NULL,
            meeting_at TEXT, meeting_purpose TEXT NOT NULL, continuations INTEGER NOT NULL, advances INTEGER NOT NULL,
            budget TEXT NOT NULL, amount TEXT NOT NULL, loss_reason TEXT NOT NULL, closeness TEXT NOT NULL,
            previous_lead TEXT, test INTEGER NOT NULL, is_open INTEGER NOT NULL, place TEXT NOT NULL, due_sort TEXT NOT NULL,
            planned INTEGER NOT NULL, meeting_goal TEXT NOT NULL, words TEXT NOT NULL,
            twins TEXT NOT NULL, tags TEXT NOT NULL, meetings TEXT NOT NULL);
        CREATE INDEX leads_by_place ON leads (place, due_sort, number) WHERE is_open = 1;
        CREATE INDEX leads_by_due ON leads (due_sort, number, place, is_open) WHERE is_open = 1;
        CREATE INDEX leads_by_owner ON leads (owner, due_sort, number) WHERE is_open = 1;
        CREATE INDEX leads_of_owner ON leads (owner, place, segment, channel, stage, planned, due_sort, continuations, number,
                                              is_open) WHERE is_open = 1;
        CREATE INDEX leads_open ON leads (place, owner, segment, channel, stage, planned, due_sort, continuations, total,
                                          received_at, number, name, is_open) WHERE is_open = 1;
        CREATE INDEX leads_ended ON leads (ended, ended_at, number, owner, segment, channel, stage, received_at, total,
                                           continuations, name, is_open) WHERE is_open = 0;
        CREATE INDEX leads_by_account ON leads (account_manager, ended_at) WHERE account_manager <> '';
        CREATE INDEX leads_by_previous ON leads (previous_lead) WHERE previous_lead IS NOT NULL;
        CREATE TABLE lead_endings (ended TEXT NOT NULL, owner TEXT NOT NULL, segment TEXT NOT NULL, channel TEXT NOT NULL,
                                   stage TEXT NOT NULL, n INTEGER NOT NULL,
                                   PRIMARY KEY (ended, owner, segment, channel, stage)) WITHOUT ROWID;
    """ + lead_words.TABLE + lead_tags.TABLE + lead_twins.TABLE + lead_meetings.TABLE + TASKS_TABLE

    def __init__(self, store: EventStore, kept: int = KEPT) -> None:
        super().__init__(store, kept)
        self.tasks = LeadTasks(store)
        self.meetings = lead_meetings.LeadMeetings(store)

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Only the last state of each lead is written."""
        self._states.expect(len(rows))
        last: dict[str, tuple[int, int, LeadState]] = {}
        for position, event in rows:
            last[event.originator_id.hex] = (position, event.originator_version, self._states.after(event))
        old = self._written(cursor, last)
        following = self._following(cursor) if len(old) < len(last) else count()
        new = [{"id": id, "number": old[id]["number"] if id in old else next(following), "version": version, "position": position,
                **columns(state)} for id, (position, version, state) in last.items()]
        cursor.executemany(WRITE, [tuple(row.values()) for row in new])
        lead_words.write(cursor, map(lead_words.shown, old.values()), map(lead_words.shown, new))
        lead_tags.write(cursor, old.values(), new)
        lead_meetings.write(cursor, old.values(), new)
        lead_twins.write(cursor, old.values(), new)
        _count_endings(cursor, old.values(), new)
        self.tasks.write(cursor, {id: state for id, (_, _, state) in last.items()})

    def _written(self, cursor: Cursor, leads: Collection[str]) -> dict[str, Any]:
        """What the index of words and the counts were made of, of the leads that are there."""
        ids = list(leads)
        found: dict[str, Any] = {}
        for some in (ids[n:n + 500] for n in range(0, len(ids), 500)):
            cursor.execute("SELECT id, number, is_open, words, tags, twins, meetings, ended, owner, segment, channel, stage "
                           f"FROM leads WHERE id IN ({', '.join('?' * len(some))})", some)
            found.update((row["id"], row) for row in cursor.fetchall())
        return found

    def _following(self, cursor: Cursor) -> Iterator[int]:
        """Numbers for new leads."""
        cursor.execute("SELECT COALESCE(MAX(number), 0) AS number FROM leads")
        return count(cursor.fetchone()["number"] + 1)


def _count_endings(cursor: Cursor, old: Iterable[Any], new: Iterable[Any]) -> None:
    """How many leads ended in which way, by what the list is filtered by."""
    changes: Counter[tuple[str, ...]] = Counter()
    for rows, by in ((new, 1), (old, -1)):
        for row in rows:
            if row["ended"] and not row["is_open"]:
                changes[tuple(row[name] for name in ENDING)] += by
    cursor.executemany(COUNT_ENDING, [(*key, n) for key, n in changes.items() if n])
    if any(n < 0 for n in changes.values()):
        cursor.execute("DELETE FROM lead_endings WHERE n = 0")


def columns(s: LeadState) -> dict[str, Any]:
    """What the board shows of a state."""
    due, score, person = s.next_due, s.score, s.person
    meetings = s.planned_meetings
    phones = " ".join(a.value for p in s.people.values() for a in p.addresses if a.kind == "phone")
    emails = " ".join(a.value for p in s.people.values() for a in p.addresses if a.kind != "phone")
    money = s.win.money if s.win else s.proposal.money if s.proposal else None
    loss = s.losses[-1] if s.losses and s.ended == "lost" else None
    return {
        "name": s.name, "about": s.about, "company": s.company, "person": person.name, "phones": phones, "emails": emails,
        "timezone": person.timezone or next((p.timezone for p in s.people.values() if p.timezone), ""),
        "channel": s.channel, "source": s.source, "source_title": s.source_title, "received_at": iso(s.received_at) or "",
        "stage": s.stage, "stage_since": iso(s.stage_since), "owner": s.owner, "account_manager": s.account_manager,
        "offered_to": " ".join(s.offered_to), "segment": s.segment, "total": score.total if score else None,
        "ended": s.ended, "ended_at": iso(s.ended_at), "asleep_until": s.asleep_until.isoformat() if s.asleep_until else None,
        "merged_into": s.merged_into.hex if s.merged_into else None,
        "due_key": due.key if due else None, "due_at": iso(due.due_at) if due else None,
        "due_set_at": iso(due.set_at) if due else None, "due_missed": int(bool(due and due.missed)),
        "next_step": s.next_step.text if s.next_step else "",
        "meeting_at": iso(meetings[0].starts_at) if meetings else None,
        "meeting_purpose": meetings[0].purpose if meetings else "",
        "continuations": s.continuations, "advances": s.advances,
        "budget": f"{s.budget.amount} {s.budget.currency}" if s.budget else "",
        "amount": f"{money.amount} {money.currency}" if money else "",
        "loss_reason": loss.reason if loss else "", "closeness": loss.closeness if loss else "",
        "previous_lead": s.previous_lead.hex if s.previous_lead else None, "test": int(s.test),
        "is_open": int(s.open), "place": ASLEEP if s.asleep_until is not None else s.stage,
        "due_sort": iso(due.due_at) if due else FAR, "planned": int(is_planned(s)),
        "meeting_goal": meetings[0].goal if meetings else "", "words": "\n".join(lead_words.words_of(s)),
        "twins": "\n".join(lead_twins.keys_of(s)), "tags": "\n".join(s.tags),
        "meetings": "\n".join(lead_meetings.meetings_of(s)),
    }


def is_planned(s: LeadState) -> bool:
    """Whether something says what is to be done next (R26)."""
    return s.next_step is not None or bool(s.planned_meetings) or any(due.kind in ACTS for due in s.dues.values())


ENDING = ("ended", "owner", "segment", "channel", "stage")
COUNT_ENDING = ("INSERT INTO lead_endings VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (ended, owner, segment, channel, stage) "
                "DO UPDATE SET n = lead_endings.n + excluded.n")
COLUMNS = ("id", "number", "version", "position", *columns(Lead.EMPTY))
WRITE = (f"INSERT INTO leads ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) ON CONFLICT (id) DO UPDATE SET "
         + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[2:]))

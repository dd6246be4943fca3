"""The board and the list: one row a lead, with what is due first and everything that filters need."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hub.domain.event import Event
from hub.domain.lead import Lead
from hub.domain.state import LeadState
from hub.projections.base import Projection
from hub.projections.folding import Folded
from hub.projections.lead_queries import ASLEEP, OPEN, LeadQueries, folded
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


class Leads(LeadQueries, Projection):
    """Rows of the board; the number of a lead is its place in the order of arrival."""

    name = "leads"
    version = 2
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
            planned INTEGER NOT NULL, meeting_goal TEXT NOT NULL, search TEXT NOT NULL);
        CREATE INDEX leads_by_place ON leads (is_open, place, due_sort, number);
        CREATE INDEX leads_by_due ON leads (is_open, due_sort, number);
        CREATE INDEX leads_counted ON leads (is_open, place, owner, segment, channel, stage, planned, due_sort, continuations);
        CREATE INDEX leads_by_owner ON leads (owner, is_open, due_sort);
        CREATE INDEX leads_by_account ON leads (account_manager, ended, ended_at);
        CREATE INDEX leads_by_end ON leads (ended, ended_at);
    """ + TASKS_TABLE

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self.tasks = LeadTasks(store)
        self._states = Folded(store, Lead)

    def wants(self, topic: str) -> bool:
        return topic.startswith("lead.")

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        state: LeadState = self._states.after(event)
        id = event.originator_id.hex
        cursor.execute("SELECT number FROM leads WHERE id = ?", (id,))
        row = cursor.fetchone()
        if row is None:
            cursor.execute("SELECT COALESCE(MAX(number), 0) + 1 AS number FROM leads")
            row = cursor.fetchone()
        values = {"id": id, "number": row["number"], "version": event.originator_version, "position": position, **columns(state)}
        names = ", ".join(values)
        cursor.execute(f"INSERT OR REPLACE INTO leads ({names}) VALUES ({', '.join('?' * len(values))})", tuple(values.values()))
        self.tasks.write(cursor, id, state)


def columns(s: LeadState) -> dict[str, Any]:
    """What the board shows of a state."""
    due, score, person = s.next_due, s.score, s.person
    meetings = s.planned_meetings
    phones = " ".join(a.value for p in s.people.values() for a in p.addresses if a.kind == "phone")
    emails = " ".join(a.value for p in s.people.values() for a in p.addresses if a.kind != "phone")
    money = s.win.money if s.win else s.proposal.money if s.proposal else None
    loss = s.losses[-1] if s.losses and s.ended == "lost" else None
    words = " ".join((s.name, s.title, s.company, s.inn, s.about, emails, *(p.name for p in s.people.values())))
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
        "due_sort": iso(due.due_at) if due else FAR, "planned": int(_is_planned(s)),
        "meeting_goal": meetings[0].goal if meetings else "", "search": folded(words),
    }


def _is_planned(s: LeadState) -> bool:
    """Whether something says what is to be done next (R26)."""
    return s.next_step is not None or bool(s.planned_meetings) or any(due.kind in ACTS for due in s.dues.values())

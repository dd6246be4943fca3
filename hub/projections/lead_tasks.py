"""What is to be done on a lead, one row for each thing and person: what «my day» is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hub.domain.state import Due, LeadState
from hub.store.base import Cursor, EventStore

FAR = "9999"
"""Sorts after every instant: things without a time."""
HEAD = "head"
"""Stands for whoever is head of sales."""

TABLE = """
    CREATE TABLE lead_tasks (
        lead TEXT NOT NULL, key TEXT NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL, text TEXT NOT NULL,
        at TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (lead, key)) WITHOUT ROWID;
    CREATE INDEX lead_tasks_by_person ON lead_tasks (who, at);
"""


class Task(NamedTuple):
    """``kind`` is the deadline's id, or ``meeting``, ``check``, ``offer``, ``head_part``; ``detail`` the id that names it closer
    (request, purpose, checklist item, why offered); ``at`` when it is due; ``since`` when there is something to do about it."""

    key: str
    who: str
    kind: str
    detail: str
    text: str
    at: str
    since: str


def iso(at: datetime | None) -> str:
    """An instant as sortable UTC text; what has no time sorts last."""
    return at.astimezone(UTC).isoformat(timespec="microseconds") if at else FAR


def tasks_of(s: LeadState) -> list[Task]:
    """Everything that somebody has to do about a lead in ``s``."""
    if s.merged_into is not None:
        return []
    tasks = [_of_due(due, s) for due in s.dues.values()]
    if s.open and s.asleep_until is None:
        tasks += [Task(f"meeting:{m.id}", s.owner, "meeting", m.purpose, m.goal, iso(m.starts_at), iso(m.ends_at))
                  for m in s.planned_meetings]
        tasks += [Task(f"check:{key}", check.owner, "check", key, "", FAR, "")
                  for key, check in s.checks.items() if check.owner and not check.done]
        tasks += [Task(f"offer:{user}", user, "offer", s.offered_why, "", iso(_at(s, "take")), "")
                  for user in s.offered_to if user != s.owner]
        if s.proposal is not None and s.proposal.needs_head and not s.proposal.head_part:
            version = s.proposal
            tasks.append(Task(f"head_part:{version.id}", HEAD, "head_part", "", "", iso(_at(s, "promise")), iso(version.at)))
    return tasks


def _at(s: LeadState, key: str) -> datetime | None:
    due = s.dues.get(key)
    return due.due_at if due else None


def _of_due(due: Due, s: LeadState) -> Task:
    who, detail, text, since = s.owner, "", "", due.set_at
    if due.kind == "request" and (request := s.requests.get(due.number)) is not None:
        who, detail, text = request.owner, request.kind, request.text
    elif due.kind == "head_opinion":
        request = s.requests.get(due.number)
        who, text = HEAD, request.text if request else ""
    elif due.kind == "outcome" and (meeting := s.meetings.get(due.number)) is not None:
        detail, text, since = meeting.purpose, meeting.goal, meeting.ends_at
    elif due.kind == "next_step" and s.next_step is not None:
        text = s.next_step.text
    elif due.kind == "reply" and s.ended == "won":
        who = s.account_manager or HEAD
    return Task(due.key, who, due.kind, detail, text, iso(due.due_at), iso(since))


class LeadTasks:
    """The table and its questions; written by the projection of leads."""

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def write(self, cursor: Cursor, states: Mapping[str, LeadState]) -> None:
        """Put what is to be done on leads (by id) in the place of what was."""
        cursor.executemany("DELETE FROM lead_tasks WHERE lead = ?", [(lead,) for lead in states])
        rows = [(lead, *task) for lead, state in states.items() for task in tasks_of(state)]
        cursor.executemany("INSERT INTO lead_tasks (lead, key, who, kind, detail, text, at, since) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def of(self, people: Sequence[str], before: datetime | None = None, after: datetime | None = None, kind: str = "",
           limit: int = 300) -> list[Any]:
        """What ``people`` have to do, the earliest first, with the lead it is about; only what is due in [after, before)."""
        where = [f"t.who IN ({', '.join('?' * len(people))})"]
        values: list[Any] = list(people)
        for condition, value in (("t.at < ?", iso(before) if before else ""), ("t.at >= ?", iso(after) if after else ""),
                                 ("t.kind = ?", kind)):
            if value:
                where.append(condition)
                values.append(value)
        with self.store.views.reading() as c:
            c.execute("SELECT t.key, t.who, t.kind, t.detail, t.text, t.at, t.since, l.id, l.number, l.name, l.stage, l.segment, "
                      "l.total, l.owner, l.person, l.timezone, l.test, l.ended, l.channel FROM lead_tasks t "
                      f"JOIN leads l ON l.id = t.lead WHERE {' AND '.join(where)} ORDER BY t.at, l.number LIMIT ?",
                      (*values, limit))
            return list(c.fetchall())

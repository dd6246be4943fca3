"""Retention rules of the process file: whose time has come, and erasing them, each as an erasure of its own with its rule."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub.application import THE_HUB
from hub.domain.errors import Refused
from hub.domain.process import RetentionRule
from hub.domain.state import LeadState
from hub.privacy.erasing import Eraser
from hub.projections.leads import iso

AT_ONCE = 500
"""People whom one run erases at most; the next day goes on."""


def months_before(at: datetime, months: int) -> datetime:
    """The same day and hour so many calendar months earlier; the month's last day where it has no such day."""
    year, month = divmod(at.year * 12 + at.month - 1 - months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Due:
    """A person whose time has come, by which rule and with which cards."""

    person: UUID
    rule: RetentionRule
    leads: tuple[UUID, ...]


class Retention:
    """Looks and runs. A person is due when each of their cards is due by a rule: whoever has a younger or an open card stays."""

    def __init__(self, eraser: Eraser) -> None:
        self.eraser = eraser
        self.hub = eraser.hub

    def due(self, at: datetime, limit: int = AT_ONCE) -> list[Due]:
        """Whose time has come at ``at``. Nothing is changed."""
        found: dict[UUID, Due] = {}
        rules = self.hub.process.file.privacy.rules
        for rule in rules:
            for lead in self._leads(rule, at):
                for person in self.hub.views.persons.people_of(lead):
                    if person not in found and self.hub.views.persons.erased(person) is None:
                        leads = self.hub.views.persons.leads_of([person])
                        if all(self._is_due(self.hub.lead(id), rules, at) for id in leads):
                            found[person] = Due(person, rule, tuple(sorted(leads)))
                if len(found) >= limit:
                    return list(found.values())[:limit]
        return list(found.values())

    def run(self, at: datetime) -> list[UUID]:
        """Erase everybody who is due; the erasures."""
        done = []
        for due in self.due(at):
            try:
                done.append(self.eraser.erase(due.person, due.rule.title, also=(), rule=due.rule.id, clean=False, actor=THE_HUB,
                                              at=at))
            except Refused as refused:
                if refused.code != "client_erased":  # with a card of another person of this run
                    raise
        self.eraser.runner.catch_up()
        self.eraser.go_on(at)
        return done

    def _leads(self, rule: RetentionRule, at: datetime) -> Iterator[UUID]:
        before = iso(months_before(at, rule.months))
        ended = ", ".join("?" * len(rule.ended))
        after = 0
        while rows := self.hub.views.leads.rows(f"ended IN ({ended}) AND ended_at < ? AND number > ?",
                                                (*rule.ended, before, after), "number"):
            after = rows[-1]["number"]
            for row in rows:
                if self._fits(self.hub.lead(UUID(row["id"])), rule, at):
                    yield UUID(row["id"])

    def _is_due(self, state: LeadState, rules: tuple[RetentionRule, ...], at: datetime) -> bool:
        return state.merged_into is not None or any(self._fits(state, rule, at) for rule in rules)

    def _fits(self, state: LeadState, rule: RetentionRule, at: datetime) -> bool:
        return (state.ended in rule.ended and state.ended_at is not None and state.ended_at < months_before(at, rule.months)
                and (rule.qualified is None or rule.qualified == (state.screened or bool(state.sheets))))

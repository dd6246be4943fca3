"""A draft of the process file over all past leads: who would have landed elsewhere, which deadlines would have been met (R0).

Read models answer (:mod:`hub.projections.scored`, :mod:`hub.projections.due_spans`); nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from msgspec import Struct

from hub.application import LeadHub
from hub.calendar import knows, russian_days
from hub.domain.process import Process, Segment
from hub.domain.process_check import read_process
from hub.domain.trial import Outcome, Timer, Tried, bounds_differ, counted, deadlines_that_differ, places, sums
from hub.projections.scored import Band, Group, Sheet, Weighed

MOST = 200_000
"""Deadlines of one kind that are counted anew: the newest ones of the time that is asked about."""
LACKING = ""
"""Stands for the segment of a sheet that the draft cannot sum."""


class Cell(Struct, frozen=True, kw_only=True):
    """Leads that go from segment ``was`` to segment ``now`` (empty: the draft cannot sum their sheets).

    ``won``, ``lost`` and ``refused`` are how they ended, the rest is open; ``worth`` is in whole units by currency,
    ``won_worth`` that of the won ones.
    """

    was: str
    now: str
    count: int
    won: int
    lost: int
    refused: int
    worth: dict[str, int]
    won_worth: dict[str, int]

    @property
    def open(self) -> int:
        """Leads that have not ended."""
        return self.count - self.won - self.lost - self.refused


class Landed(Struct, frozen=True, kw_only=True):
    """All sheets under the draft. ``head_more``: leads whose proposal would have needed the head and did not (R18); ``head_less``
    the other way round."""

    count: int
    changed: int
    cells: list[Cell]
    head_more: int
    head_less: int


class Counted(Struct, frozen=True, kw_only=True):
    """A kind of deadline under the draft: how many kept their time in both, lost it, gained it, or missed both times.

    ``since``: the beginning of the oldest one that was counted, where there were more than :data:`MOST`.
    """

    kind: str
    kept: int
    lost: int
    gained: int
    missed: int
    since: datetime | None

    @property
    def count(self) -> int:
        """All of them."""
        return self.kept + self.lost + self.gained + self.missed


class Trial:
    """``text`` tried on what happened since ``since`` (None: on everything). Raises BadProcess on a faulty text."""

    def __init__(self, hub: LeadHub, text: str, *, since: datetime | None, now: datetime) -> None:
        self.hub, self.now, self.text = hub, now, text
        self.since = since.astimezone(UTC).isoformat(timespec="microseconds") if since else ""
        oldest = hub.views.due_spans.first()
        self.first = max(datetime.fromisoformat(oldest).date() if oldest else now.date(), since.date() if since else date.min)
        self.today = hub.process
        self.draft = trial_process(text, self.first, now)

    @cached_property
    def bounds_differ(self) -> bool:
        """Whether the draft sums or sorts sheets otherwise than the process in force."""
        return bounds_differ(self.today, self.draft)

    @cached_property
    def kinds(self) -> list[str]:
        """Deadlines whose time may be another one than under the process in force."""
        return deadlines_that_differ(self.today, self.draft, max(self.first, self.now.date() - timedelta(days=366)))

    # ── sheets ───────────────────────────────────────────────────────────────────

    @cached_property
    def _weighed(self) -> tuple[list[Weighed], list[Weighed]]:
        """How the sheets of each version are weighed anew: those that can be summed, those that cannot."""
        good: list[Weighed] = []
        lacking: list[Weighed] = []
        for version in self.hub.views.scored.versions():
            then = self.hub.process_of_day(version)
            less, more, missing = sums(then, self.draft)
            names = list(then.parameters)
            (lacking if missing else good).append(Weighed(version, places(names, less), places(names, more)))
        return good, lacking

    def segment(self, total: int) -> Segment:
        """The draft's segment of a total (R10)."""
        return self.draft.segment_of(total)

    @cached_property
    def _groups(self) -> list[tuple[str, Group]]:
        good, lacking = self._weighed
        scored = self.hub.views.scored
        segments = {total: self.segment(total).id for total in range(-15, 16)}
        return [*((segments[group.total], group) for group in scored.groups(good, self.since)),
                *((LACKING, group) for group in scored.groups(lacking, self.since))]

    def landed(self) -> Landed:
        """Where all sheets land."""
        cells: dict[tuple[str, str], list[Group]] = {}
        head = {True: 0, False: 0}
        for now, group in self._groups:
            cells.setdefault((group.segment, now), []).append(group)
            was = group.was_total > self.hub.process_of_day(group.process_version).file.proposal.head_above
            joins = group.total > self.draft.file.proposal.head_above
            if was != joins and now != LACKING:
                head[joins] += group.leads
        made = [_cell(was, now, groups) for (was, now), groups in sorted(cells.items())]
        return Landed(count=sum(c.count for c in made), changed=sum(c.count for c in made if c.was != c.now), cells=made,
                      head_more=head[True], head_less=head[False])

    def sheets(self, was: str, now: str, *, ended: str | None = None, before: tuple[str, str] = ("9999", ""),
               limit: int = 50) -> list[Sheet]:
        """Leads of one cell, the newest sheet first."""
        scored = self.hub.views.scored
        if now == LACKING:
            return scored.sheets(self._weighed[1], [Band(-15, 15, was)], ended=ended, since=self.since, before=before,
                                 limit=limit)
        bands = [Band(s.low, s.high, was) for s in self.draft.file.segments if s.id == now]
        return scored.sheets(self._weighed[0], bands, ended=ended, since=self.since, before=before, limit=limit)

    def moved(self, limit: int = 500) -> Iterator[tuple[str, Sheet]]:
        """All leads that land in another segment, with it: cell by cell, the newest sheet first."""
        for cell in self.landed().cells:
            before = ("9999", "")
            while cell.was != cell.now and (found := self.sheets(cell.was, cell.now, before=before, limit=limit)):
                yield from ((cell.now, sheet) for sheet in found)
                before = found[-1].scored_at, found[-1].lead

    # ── deadlines ────────────────────────────────────────────────────────────────

    @cached_property
    def _timer(self) -> Timer:
        return Timer(self.draft, self.hub.process_of_day, self.first, self.now)

    def outcomes(self, kind: str, limit: int = MOST) -> Iterable[Outcome]:
        """Deadlines of a kind as they were and as they would have been, the newest first."""
        return self._timer.outcomes(kind, self.hub.views.due_spans.spans(kind, self.since, limit=limit))

    def deadlines(self) -> list[Counted]:
        """How every kind that differs would have fared."""
        return [self._counted(kind) for kind in self.kinds]

    def _counted(self, kind: str) -> Counted:
        spans = list(self.hub.views.due_spans.spans(kind, self.since, limit=MOST))
        found: Tried = counted(kind, self._timer.outcomes(kind, spans))
        cut = datetime.fromisoformat(spans[-1].start) if len(spans) == MOST else None
        return Counted(kind=kind, kept=found.kept, lost=found.lost, gained=found.gained, missed=found.missed, since=cut)


def trial_process(text: str, first: date, now: datetime) -> Process:
    """``text`` as a process with the days off of its country from ``first`` on. Raises BadProcess on a faulty one."""
    file = read_process(text, knows)
    return Process(file, 0, *russian_days(range(first.year, now.year + 3), file.calendar.country))


def _cell(was: str, now: str, groups: list[Group]) -> Cell:
    worth: dict[str, int] = {}
    won: dict[str, int] = {}
    for group in groups:
        if group.currency:
            worth[group.currency] = worth.get(group.currency, 0) + group.worth
            if group.ended == "won":
                won[group.currency] = won.get(group.currency, 0) + group.worth

    def ended(how: str) -> int:
        return sum(group.leads for group in groups if group.ended == how)
    return Cell(was=was, now=now, count=sum(group.leads for group in groups), won=ended("won"), lost=ended("lost"),
                refused=ended("refused"), worth=worth, won_worth=won)

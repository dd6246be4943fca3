"""The numbers of the map: one reading for the drawing, the tables, the file and the API."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta

from flask_babel import gettext as _

from hub.projections.flows import Kept, Stays
from hub.projections.intervals import OUTSIDE
from hub.projections.lead_queries import ASLEEP
from hub.web import words
from hub.web.desk import the_hub
from hub.web.process.asked import Asked

POINTS = 30
"""The most points of a line over time."""
GOOD, FAIR = 0.9, 0.7
"""Shares of deadlines met from which a stage does well, and from which it still does."""
FEW = 5
"""Fewer deadlines say nothing about a stage: it gets no colour."""
CLOSED = ("won", "lost", "refused")
ENDS = (*CLOSED, "slept", "merged_into")


@dataclass(frozen=True)
class Stage:
    """A stage of the process with its numbers. ``now``: open leads in it; ``came`` and ``left``: stays that began from outside or
    from another stage, and stays that ended; ``line``: how many left, over the time in equal parts."""

    id: str
    title: str
    now: int
    came: int
    left: int
    stays: Stays | None
    kept: Kept
    line: tuple[int, ...]

    @property
    def tone(self) -> str:
        """How well its deadlines are kept."""
        share = self.kept.share
        if share is None or self.kept.met + self.kept.missed < FEW:
            return ""
        return "ok" if share >= GOOD else "warn" if share >= FAIR else "bad"


@dataclass(frozen=True)
class Move:
    """How many went from a stage to another or to an end; ``share`` is their part of all that left the stage."""

    source: str
    to: str
    count: int
    share: float


@dataclass(frozen=True)
class End:
    """An end of the process: how many came to it, their part of all that were closed (None: it closes nothing), and how many
    returned from it."""

    id: str
    title: str
    count: int
    share: float | None
    returned: int


@dataclass(frozen=True)
class Door:
    """A channel by which new leads came."""

    channel: str
    title: str
    count: int
    share: float


@dataclass(frozen=True)
class Numbers:
    """All of them. ``returns`` are returns by the stage that they came to."""

    asked: Asked
    stages: tuple[Stage, ...]
    moves: tuple[Move, ...]
    ends: tuple[End, ...]
    doors: tuple[Door, ...]
    returns: dict[str, int]
    asleep: int

    @property
    def open(self) -> int:
        """Open leads, sleeping ones too."""
        return sum(stage.now for stage in self.stages) + self.asleep

    def move(self, source: str, to: str) -> Move:
        """One of the moves, with nothing in it where nobody went there."""
        return next((m for m in self.moves if (m.source, m.to) == (source, to)), Move(source, to, 0, 0.0))


def count(asked: Asked) -> Numbers:
    """Ask the read models."""
    flows, slice = the_hub().views.flows, asked.slice
    places, came, kept = flows.open(replace(slice, until=asked.at)), flows.came(slice), flows.kept(slice)
    moves, stays, by_day = flows.left(slice)
    lines = _lines(by_day, asked)
    process = asked.process
    left: Counter[str] = Counter()
    entered: Counter[str] = Counter()
    for (source, to), n in moves.items():
        left[source] += n
        entered[to] += n
    for (_before, stage, _channel), n in came.items():
        entered[stage] += n
    stages = tuple(Stage(s.id, s.title, places.get(s.id, 0), entered[s.id], left[s.id], stays.get(s.id),
                         kept.get(s.id, Kept(0, 0)), lines.get(s.id, ())) for s in process.stages.values())
    order = {id: n for n, id in enumerate((*process.stages, *ENDS))}
    found = tuple(Move(source, to, n, n / left[source]) for (source, to), n in sorted(
        moves.items(), key=lambda m: (order.get(m[0][0], len(order)), -m[1], order.get(m[0][1], len(order)))))
    new: Counter[str] = Counter()
    returned: Counter[str] = Counter()
    returns: Counter[str] = Counter()
    for (before, stage, channel), n in came.items():
        if before == OUTSIDE[0]:
            new[channel] += n
        else:
            returned[before] += n
            returns[stage] += n
    closed = sum(entered[end] for end in CLOSED)
    ends = tuple(End(id, end_title(asked, id), entered[id], entered[id] / closed if closed and id in CLOSED else None,
                     returned[id])
                 for id in ENDS if id in CLOSED or entered[id] or returned[id] or id == "slept")
    doors = tuple(Door(channel, words.channel(channel), n, n / new.total()) for channel, n in new.most_common())
    return Numbers(asked, stages, found, ends, doors, dict(returns), places.get(ASLEEP, 0))


def end_title(asked: Asked, end: str) -> str:
    """What an end is called."""
    ending = asked.process.endings.get(end)
    return ending.title if ending is not None else {
        "slept": _("Отложена"), "merged_into": _("Слита с другой"), "won": _("Договор"), "lost": _("Проиграна"),
        "refused": _("Отказ")}.get(end, end)


def place_title(asked: Asked, place: str) -> str:
    """What a stage or an end is called; one that the process no longer has, by its id."""
    stage = asked.process.stages.get(place)
    return stage.title if stage is not None else end_title(asked, place)


def _lines(by_day: dict[tuple[str, str], int], asked: Asked) -> dict[str, tuple[int, ...]]:
    """Numbers of days (UTC) in at most :data:`POINTS` equal parts of the time."""
    points = min(asked.days, POINTS)
    lines: dict[str, list[int]] = {}
    for (stage, day), n in by_day.items():
        since = (date.fromisoformat(day) - asked.first) // timedelta(days=1)
        lines.setdefault(stage, [0] * points)[max(0, min(points - 1, since * points // asked.days))] += n
    return {stage: tuple(line) for stage, line in lines.items()}

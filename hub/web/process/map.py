"""The map of the process: where boxes stand and how lines run between them. Numbers and titles are put in by the template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hub.domain.process import Process

BOX_W, BOX_H, GAP_X = 112, 92, 34
LEFT = 6
LEVEL = 24
"""Height of one level of arcs."""
CORNER = 8
LINE = 13
"""The most characters of a line of a box's title."""
END_LINE = 17
ENDS = ("won", "lost", "refused", "slept")
TONES = {"won": "ok", "lost": "bad", "refused": "bad", "slept": ""}


@dataclass(frozen=True)
class Box:
    """A stage on the map."""

    id: str
    title: tuple[str, ...]
    x: float
    y: float
    middle: float
    now: int
    median: float | None
    ends: list[tuple[str, int, str, float]]


@dataclass(frozen=True)
class Edge:
    """A transition. ``kind``: ``next`` (to the neighbour), ``skip`` (forward past others), ``back``."""

    source: str
    to: str
    kind: str
    path: str
    arrow: str
    x: float
    y: float
    count: int
    width: float


@dataclass(frozen=True)
class Map:
    """Everything to draw, in a view box of ``width`` by ``height``."""

    width: float
    height: float
    boxes: list[Box]
    edges: list[Edge]
    ends_y: float


def draw(process: Process, now: Mapping[str, int], medians: Mapping[str, float], flows: Mapping[tuple[str, str], int]) -> Map:
    """The map of ``process`` with its numbers: leads now, median stays in seconds, moves of the last 30 days."""
    order = {stage: n for n, stage in enumerate(process.stages)}
    moves = [(t.source, t.to) for t in process.file.transitions]
    above = _levels([m for m in moves if order[m[1]] - order[m[0]] > 1], order)
    below = _levels([m for m in moves if order[m[1]] < order[m[0]]], order)
    top = 20 + LEVEL * (max(above.values(), default=-1) + 1)
    bottom = top + BOX_H + LEVEL * (max(below.values(), default=-1) + 1) + 26
    slots = _slots([*((m, "top") for m in above), *((m, "bottom") for m in below)], order)
    most = max((flows.get(m, 0) for m in moves), default=0)
    edges = []
    for move in moves:
        count = flows.get(move, 0)
        width = 1.2 + (2.8 * count / most if most else 0)
        a, b = order[move[0]], order[move[1]]
        if b == a + 1:
            x, y = _x(a) + BOX_W, top + BOX_H / 2
            arrow = _arrow(_x(b), y, "right")
            edges.append(Edge(*move, "next", f"M{x} {y}H{_x(b) - 7}", arrow, x + GAP_X / 2 - 2, y - 7, count, width))
        elif move in above:
            edges.append(_arc(move, "skip", slots, top, top - LEVEL * (above[move] + 1) + 4, count, width))
        else:
            edges.append(_arc(move, "back", slots, top + BOX_H, top + BOX_H + LEVEL * (below[move] + 1) - 4, count, width))
    boxes = [_box(s.id, s.title, _x(n), top, bottom, now, medians, flows) for n, s in enumerate(process.stages.values())]
    lines = max((len(b.ends) for b in boxes), default=0)
    return Map(_x(len(order)) - GAP_X + LEFT, bottom + END_LINE * max(1, lines) + 4, boxes, edges, bottom - 8)


def _x(n: int) -> float:
    return LEFT + n * (BOX_W + GAP_X)


def _levels(moves: list[tuple[str, str]], order: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """Arcs that overlap lie on different levels, short ones nearest to the boxes."""
    taken: list[list[tuple[int, int]]] = []
    levels = {}
    for move in sorted(moves, key=lambda m: (abs(order[m[0]] - order[m[1]]), order[m[0]])):
        low, high = sorted((order[move[0]], order[move[1]]))
        level = next((n for n, spans in enumerate(taken) if all(high <= a or low >= b for a, b in spans)), len(taken))
        if level == len(taken):
            taken.append([])
        taken[level].append((low, high))
        levels[move] = level
    return levels


def _slots(moves: Iterable[tuple[tuple[str, str], str]], order: Mapping[str, int]) -> dict[tuple[tuple[str, str], str], float]:
    """Where on a box's edge each arc begins and ends, so that no two share a place: by (move, end)."""
    at: dict[tuple[str, str], list[tuple[tuple[str, str], str, int]]] = {}
    for move, side in moves:
        at.setdefault((move[0], side), []).append((move, "from", order[move[1]]))
        at.setdefault((move[1], side), []).append((move, "to", order[move[0]]))
    places = {}
    for (stage, _side), ends in at.items():
        here = order[stage]
        # ends that lead to the left stand on the left; the farther, the nearer to the middle
        ends.sort(key=lambda e: (e[2] > here, e[2] if e[2] < here else -e[2]), reverse=False)
        for n, (move, end, _other) in enumerate(ends):
            places[(move, end)] = _x(here) + BOX_W * (n + 1) / (len(ends) + 1)
    return places


def _arc(move: tuple[str, str], kind: str, slots: Mapping[tuple[tuple[str, str], str], float], edge: float, level: float,
         count: int, width: float) -> Edge:
    a, b = slots[(move, "from")], slots[(move, "to")]
    side = 1 if b > a else -1
    down = 1 if level > edge else -1
    path = (f"M{a:.1f} {edge}V{level - down * CORNER}Q{a:.1f} {level} {a + side * CORNER:.1f} {level}"
            f"H{b - side * CORNER:.1f}Q{b:.1f} {level} {b:.1f} {level - down * CORNER}V{edge + down * 7}")
    return Edge(*move, kind, path, _arrow(b, edge, "up" if down > 0 else "down"), (a + b) / 2, level + 4, count, width)


def _arrow(x: float, y: float, way: str) -> str:
    """A small triangle whose tip is at (x, y)."""
    return {"right": f"M{x} {y}l-8 -4v8z", "up": f"M{x:.1f} {y}l-4 8h8z", "down": f"M{x:.1f} {y}l-4 -8h8z"}[way]


def _box(id: str, title: str, x: float, top: float, bottom: float, now: Mapping[str, int], medians: Mapping[str, float],
         flows: Mapping[tuple[str, str], int]) -> Box:
    found = [(end, flows[(id, end)]) for end in ENDS if flows.get((id, end))]
    ends = [(end, n, TONES[end], bottom + END_LINE * (i + 1) - 6) for i, (end, n) in enumerate(found)]
    return Box(id, _wrapped(title), x, top, x + BOX_W / 2, now.get(id, 0), medians.get(id), ends)


def _wrapped(title: str) -> tuple[str, ...]:
    """At most two lines; what does not fit is cut with a mark (the whole title stands in the table)."""
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > LINE:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > 2:
        lines = [lines[0], f"{lines[1]}…"]
    return tuple(line if len(line) <= LINE + 2 else f"{line[:LINE + 1]}…" for line in lines)

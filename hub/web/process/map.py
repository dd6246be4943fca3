"""The map of the process: where boxes stand and how lines run between them. Words and links are put in by the template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.domain.process import Process
from hub.web.process.numbers import Door, End, Numbers, Stage

BOX_W, BOX_H, GAP_X = 102, 122, 32
LEFT, RIGHT = 100, 120
"""Room for the channels before the first stage, and for the ends after the last one."""
LEVEL = 28
"""Height of one level of arcs: a number that can be touched fits between two."""
CORNER = 8
LINE = 12
"""The most characters of a line of a box's title."""
ROW = 19
"""Height of a line of words beside and below the boxes."""
SIDE = 42
"""Height of a channel or an end with its second line."""
TRACK = 82
THIN, THICK = 1.2, 3.8
"""The width of a line that nobody went, and what the busiest one has more."""
MOST_RETURNS = 3
"""Returns that are drawn, the commonest; all of them stand in the table."""
OUT = "ended"
"""Where returns come from, as a place on the map."""
HIT = 24
"""What can be clicked is at least so high and wide."""

Step = tuple[str, str]


@dataclass(frozen=True)
class Box:
    """A stage on the map. ``outs``: ends of leads in it, below: (end, how many, y)."""

    stage: Stage
    title: tuple[str, ...]
    x: float
    y: float
    filled: float
    outs: tuple[tuple[str, int, float], ...]


@dataclass(frozen=True)
class Edge:
    """A transition. ``kind``: ``next`` (to the neighbour), ``jump`` (forward past others), ``back``, ``return``."""

    source: str
    to: str
    kind: str
    path: str
    arrow: str
    x: float
    y: float
    count: int
    width: float

    @property
    def room(self) -> float:
        """Half of what its number takes, which is also what can be clicked."""
        return max(HIT, 8 * len(str(self.count)) + 4) / 2


@dataclass(frozen=True)
class Side:
    """A channel or an end beside the boxes, with the curve to or from them."""

    of: Door | End
    y: float
    path: str
    width: float


@dataclass(frozen=True)
class Map:
    """Everything to draw, in a view box of ``width`` by ``height``."""

    width: float
    height: float
    boxes: list[Box]
    edges: list[Edge]
    doors: list[Side]
    ends: list[Side]
    right: float
    below: float


def draw(process: Process, numbers: Numbers) -> Map:
    """The map of ``process`` with its numbers."""
    order = {stage: n for n, stage in enumerate((*process.stages, OUT))}
    moves = [(t.source, t.to) for t in process.file.transitions]
    commonest = sorted(numbers.returns, key=lambda s: -numbers.returns[s])[:MOST_RETURNS]
    returns = [(OUT, stage) for stage in commonest if stage in process.stages]
    shown = [end for end in numbers.ends if end.id != "merged_into"]
    counts = {**{m: numbers.move(*m).count for m in moves}, **{m: numbers.returns[m[1]] for m in returns}}
    above = _levels([m for m in moves if order[m[1]] - order[m[0]] > 1], order)
    below = _levels([m for m in (*moves, *returns) if order[m[1]] < order[m[0]]], order)
    sides = max(len(numbers.doors), len(shown))
    top = max(14 + LEVEL * (max(above.values(), default=-1) + 1), sides * SIDE / 2 - BOX_H / 2)
    bottom = top + BOX_H + LEVEL * (max(below.values(), default=-1) + 1) + 30
    slots = _slots([*((m, "top") for m in above), *((m, "bottom") for m in below)], order)
    most = max(counts.values(), default=0) or 1
    edges = []
    for move, count in counts.items():
        width = THIN + THICK * count / most
        a, b = order[move[0]], order[move[1]]
        if b == a + 1:
            y = top + BOX_H / 2
            edges.append(Edge(*move, "next", f"M{_x(a) + BOX_W} {y:g}H{_x(b) - 7}", _arrow(_x(b), y, "right"),
                              _x(b) - GAP_X / 2 - 2, y - 9, count, width))
        elif move in above:
            edges.append(_arc(move, "jump", slots, top, top - LEVEL * (above[move] + 1) + 8, count, width))
        else:
            kind = "return" if move[0] == OUT else "back"
            edges.append(_arc(move, kind, slots, top + BOX_H, top + BOX_H + LEVEL * (below[move] + 1) - 8, count, width))
    boxes = [_box(stage, _x(n), top, bottom, numbers, last=n == len(numbers.stages) - 1)
             for n, stage in enumerate(numbers.stages)]
    right = _x(len(process.stages)) - GAP_X
    lines = max((len(box.outs) for box in boxes), default=0)
    middle = top + BOX_H / 2
    ends = _sides(shown, middle, right + 2, right + GAP_X - 8,
                  [numbers.move(boxes[-1].stage.id, end.id).count for end in shown], most)
    doors = _sides(numbers.doors, middle, LEFT - 6, LEFT - 30, [door.count for door in numbers.doors], most)
    height = max(bottom + ROW * lines, middle + sides * SIDE / 2) + 8
    return Map(right + RIGHT, height, boxes, edges, doors, ends, right + GAP_X - 4, bottom)


def _x(n: int) -> float:
    return LEFT + n * (BOX_W + GAP_X)


def _levels(moves: Sequence[Step], order: Mapping[str, int]) -> dict[Step, int]:
    """Arcs that overlap lie on different levels, short ones nearest to the boxes."""
    taken: list[list[tuple[int, int]]] = []
    levels = {}
    for move in sorted(moves, key=lambda m: (abs(order[m[0]] - order[m[1]]), order[m[0]])):
        low, high = sorted((order[move[0]], order[move[1]]))
        first = 1 if move[0] == OUT else 0  # what returns starts below the words of the ends
        level = next((n for n, spans in enumerate(taken) if n >= first and all(high <= a or low >= b for a, b in spans)),
                     max(first, len(taken)))
        while level >= len(taken):
            taken.append([])
        taken[level].append((low, high))
        levels[move] = level
    return levels


def _slots(moves: Iterable[tuple[Step, str]], order: Mapping[str, int]) -> dict[tuple[Step, str], float]:
    """Where on a box's edge each arc begins and ends, so that no two share a place: by (move, end). Below, the left corner is
    kept free for the ways out."""
    at: dict[tuple[str, str], list[tuple[Step, str, int]]] = {}
    for move, side in moves:
        at.setdefault((move[0], side), []).append((move, "from", order[move[1]]))
        at.setdefault((move[1], side), []).append((move, "to", order[move[0]]))
    places = {}
    for (stage, side), ends in at.items():
        here = order[stage]
        free = 22 if side == "bottom" else 0
        # ends that lead to the left stand on the left; the farther, the nearer to the middle
        ends.sort(key=lambda e: (e[2] > here, e[2] if e[2] < here else -e[2]))
        for n, (move, end, _other) in enumerate(ends):
            places[(move, end)] = _x(here) + free + (BOX_W - free) * (n + 1) / (len(ends) + 1)
    return places


def _arc(move: Step, kind: str, slots: Mapping[tuple[Step, str], float], edge: float, level: float, count: int,
         width: float) -> Edge:
    a, b = slots[(move, "from")], slots[(move, "to")]
    side = 1 if b > a else -1
    down = 1 if level > edge else -1
    start = edge + LEVEL if kind == "return" else edge
    path = (f"M{a:.1f} {start:g}V{level - down * CORNER:g}Q{a:.1f} {level:g} {a + side * CORNER:.1f} {level:g}"
            f"H{b - side * CORNER:.1f}Q{b:.1f} {level:g} {b:.1f} {level - down * CORNER:g}V{edge + down * 7:g}")
    return Edge(*move, kind, path, _arrow(b, edge, "up" if down > 0 else "down"), (a + b) / 2, level + 4, count, width)


def _arrow(x: float, y: float, way: str) -> str:
    """A small triangle whose tip is at (x, y)."""
    return {"right": f"M{x:g} {y:g}l-8 -4v8z", "up": f"M{x:.1f} {y:g}l-4 8h8z", "down": f"M{x:.1f} {y:g}l-4 -8h8z"}[way]


def _sides(of: Sequence[Door] | Sequence[End], middle: float, inner: float, outer: float, counts: Sequence[int],
           most: int) -> list[Side]:
    """A column of words beside the boxes, with curves from ``outer`` to ``inner`` of those that somebody went."""
    first = middle - SIDE * len(of) / 2 + SIDE / 2
    sides = []
    for n, count in enumerate(counts):
        y = first + SIDE * n
        half = (inner + outer) / 2
        path = f"M{outer:g} {y - 4:g}C{half:g} {y - 4:g} {half:g} {middle:g} {inner:g} {middle:g}" if count else ""
        sides.append(Side(of[n], y, path, THIN + THICK * min(1, count / most)))
    return sides


def _box(stage: Stage, x: float, top: float, bottom: float, numbers: Numbers, *, last: bool) -> Box:
    share = stage.kept.share
    outs = [] if last else [(end.id, n) for end in numbers.ends if (n := numbers.move(stage.id, end.id).count)]
    return Box(stage, wrapped(stage.title), x, top, TRACK * share if share is not None else 0,
               tuple((end, n, bottom + ROW * (i + 1) - 6) for i, (end, n) in enumerate(outs)))


def wrapped(title: str) -> tuple[str, ...]:
    """At most two lines; what does not fit is cut with a mark (the whole title stands in the table)."""
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > LINE:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > 2:
        lines = [lines[0], f"{lines[1]}…"]
    return tuple(line if len(line) <= LINE + 1 else f"{line[:LINE]}…" for line in lines)

"""Where the nodes of the process's BPMN stand and how its flows run.

Stages stand in a row, with skips above and ways back below them; endings stand at the foot.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.exports.bpmn import Flow, Graph

TASK_W, TASK_H, GATE, EVENT = 110.0, 80.0, 50.0, 36.0
LEFT, PITCH, GAP = 150.0, 250.0, 30.0
LEVEL = 24.0
"""Between two lines that run side by side."""
COLUMN = 420.0
"""Between two endings."""
DOCK = 6.0
"""Between two lines at one side of a gateway."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A shape; ``y`` grows downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> Point:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass
class Drawing:
    """Boxes by node, ways by flow."""

    boxes: dict[str, Box] = field(default_factory=dict)
    ways: dict[str, list[Point]] = field(default_factory=dict)


def draw(graph: Graph) -> Drawing:
    """Places for everything in ``graph``."""
    return _Layout(graph).drawing


class _Layout:
    def __init__(self, graph: Graph) -> None:
        self.graph, self.drawing = graph, Drawing()
        self.order = {stage: n for n, stage in enumerate(graph.stages)}
        self._docked: dict[tuple[str, str], list[float]] = {}
        moves = [(flow, *ends) for flow in graph.flows.values() if (ends := self._stages_of(flow)) is not None]
        above = _levels((flow.id, a, b) for flow, a, b in moves if b - a > 1)
        below = _levels((flow.id, a, b) for flow, a, b in moves if b <= a)
        self.top = 60 + LEVEL * (1 + max(above.values(), default=-1))
        self.lanes = self.top + TASK_H + LEVEL * (2 + max(below.values(), default=-1))
        self._boxes()
        for flow, a, b in moves:
            if b == a + 1:
                self._straight(flow)
            elif flow.id in above:
                self._by(flow, self.top - LEVEL * (above[flow.id] + 1), "top", "top")
            else:
                self._by(flow, self.top + TASK_H + LEVEL * (below[flow.id] + 1), "bottom", "bottom")
        self._the_rest()

    def _stages_of(self, flow: Flow) -> tuple[int, int] | None:
        """Places of the stages that a move leads from and to; None for other flows."""
        source, to = flow.source.removeprefix("choice_"), flow.to.removeprefix("task_")
        if flow.source.startswith("choice_") and source in self.order and to in self.order:
            return self.order[source], self.order[to]
        return None

    def _boxes(self) -> None:
        boxes, middle = self.drawing.boxes, self.top + TASK_H / 2
        boxes["start"] = Box(LEFT - 90, middle - EVENT / 2, EVENT, EVENT)
        for stage, n in self.order.items():
            x = LEFT + n * PITCH
            boxes[f"task_{stage}"] = Box(x, self.top, TASK_W, TASK_H)
            boxes[f"choice_{stage}"] = Box(x + TASK_W + GAP, middle - GATE / 2, GATE, GATE)
        endings = self.graph.endings[::-1]  # the merged first, beside the gateway of every stage
        self.foot = self.lanes + LEVEL * (len(endings) + 4)
        self.under = self.foot + TASK_H + 60
        boxes["any"] = Box(LEFT + (TASK_W - GATE) / 2, self.foot + (TASK_H - GATE) / 2, GATE, GATE)
        boxes["returned"] = Box(LEFT, self.under - (TASK_H - GATE) / 2, TASK_W, TASK_H)
        boxes["back"] = Box(LEFT - 90, self.under, GATE, GATE)
        for n, ending in enumerate(endings, 1):
            x = LEFT + n * COLUMN
            boxes[f"task_{ending}"] = Box(x, self.foot, TASK_W, TASK_H)
            over = f"choice_{ending}" in self.graph.nodes
            if over:
                boxes[f"choice_{ending}"] = Box(x + (TASK_W - GATE) / 2, self.under, GATE, GATE)
            right = x + TASK_W + GAP if over else x + (TASK_W - EVENT) / 2
            boxes[f"end_{ending}"] = Box(right, self.under + (GATE - EVENT) / 2, EVENT, EVENT)

    def _the_rest(self) -> None:
        """Flows beside the moves between stages, each kind on a line of its own."""
        lane = {to: self.lanes + LEVEL * n for n, to in enumerate(
            ("any", *(f"task_{ending}" for ending in self.graph.endings), "task_refusal", "back"))}
        for flow in self.graph.flows.values():
            if flow.id in self.drawing.ways:
                continue
            if flow.source == "any" and flow.to == "task_refused":
                self._into_the_side(flow, self.under - LEVEL)
            elif flow.source == "any" and flow.to == "task_refusal":
                self._by(flow, lane["task_refusal"], "top", "bottom")
            elif flow.to == "returned":
                self._by(flow, self.under + GATE + 2 * LEVEL, "bottom", "bottom")
            elif flow.source == "back":
                self._by(flow, lane["back"], "top", "bottom")
            elif flow.source.startswith("choice_") and flow.to in lane:
                self._by(flow, lane[flow.to], "bottom", "top")
            else:
                self._straight(flow)

    # ── ways ─────────────────────────────────────────────────────────────────────

    def _straight(self, flow: Flow) -> None:
        """From side to side, in the direction in which the other box lies."""
        a, b = self.drawing.boxes[flow.source], self.drawing.boxes[flow.to]
        (ax, ay), (bx, by) = a.middle, b.middle
        if abs(bx - ax) >= abs(by - ay):
            right = bx > ax
            way = [(a.x + a.width if right else a.x, ay), (b.x if right else b.x + b.width, by)]
        else:
            way = [(ax, a.y + a.height), (bx, b.y)]
        self.drawing.ways[flow.id] = way

    def _by(self, flow: Flow, level: float, leave: str, enter: str) -> None:
        """Up or down to a level, along it, and to the other box."""
        a, b = self._dock(flow.source, leave, level), self._dock(flow.to, enter, level)
        self.drawing.ways[flow.id] = [a, (a[0], level), (b[0], level), b]

    def _into_the_side(self, flow: Flow, level: float) -> None:
        """Below the boxes between, into the left side of the other one."""
        a, b = self._dock(flow.source, "bottom", level), self.drawing.boxes[flow.to]
        side = b.x - GAP
        self.drawing.ways[flow.id] = [a, (a[0], level), (side, level), (side, b.middle[1]), (b.x, b.middle[1])]

    def _dock(self, node: str, side: str, level: float) -> Point:
        """A place at a side of a box, from its middle outwards; lines of one level come together in one place."""
        box, levels = self.drawing.boxes[node], self._docked.setdefault((node, side), [])
        if level not in levels:
            levels.append(level)
        n = levels.index(level)
        steep = self.graph.nodes[node].kind == "exclusiveGateway"
        step = DOCK if steep else 2 * DOCK
        away = (n + 1) // 2 * step * (1 if n % 2 else -1)
        away = max(-box.width / 2 + 4, min(box.width / 2 - 4, away))
        inwards = abs(away) if steep else 0.0
        return box.middle[0] + away, box.y + inwards if side == "top" else box.y + box.height - inwards


def _levels(arcs: Iterable[tuple[str, int, int]]) -> dict[str, int]:
    """Arcs (id, from, to) that overlap lie on different levels, short ones nearest to the boxes."""
    taken: list[list[tuple[int, int]]] = []
    levels = {}
    for id, a, b in sorted(arcs, key=lambda arc: (abs(arc[1] - arc[2]), arc[1])):
        low, high = min(a, b), max(a, b)
        level = next((n for n, spans in enumerate(taken) if all(high < x or low > y for x, y in spans)), len(taken))
        if level == len(taken):
            taken.append([])
        taken[level].append((low, high))
        levels[id] = level
    return levels

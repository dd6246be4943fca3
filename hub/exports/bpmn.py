"""BPMN 2.0 of a version of the process: stages and endings are tasks, named as in the exported logs; moves are flows.

Besides the file's moves it draws those that the rules make by themselves, so that every deal that kept the rules fits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from hub.domain.process import Process
from hub.exports import bpmn_layout
from hub.exports.activities import Names

MEDIA_TYPE = "application/bpmn+xml"
FIRST = "new"
"""Where every lead begins (R1)."""
OWN_MOVES = (("interview", "proposal", "R17"), ("presentation", "follow_up", "R21"))
"""Moves of rules, whether or not the file has them: work begun before the card was moved, and three days that have passed."""
AWAKE_IN = "follow_up"
"""Where a lost lead wakes on its day (R29)."""
WORDS = {
    "start": ("Заявка", "Request"), "any": ("На любой стадии", "At any stage"),
    "closed": ("Закрыта насовсем?", "Closed for good?"), "back": ("Куда вернулась?", "Back to where?"),
    "what": ("Что дальше?", "What next?"),
}


@dataclass
class Node:
    """``kind``: ``startEvent``, ``userTask``, ``task``, ``exclusiveGateway`` or ``endEvent``."""

    id: str
    kind: str
    name: str
    about: str = ""


@dataclass
class Flow:
    """``guards`` must hold for it; ``rule`` is the rule that moves by itself."""

    source: str
    to: str
    guards: tuple[str, ...] = ()
    rule: str = ""

    @property
    def id(self) -> str:
        """Made of both ends: there is one flow between two nodes."""
        return f"flow_{self.source}__{self.to}"


@dataclass
class Graph:
    """What is drawn. ``stages`` are the process's stages in their order, ``endings`` its endings with ``merged`` last."""

    stages: list[str]
    endings: list[str]
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)

    def add(self, id: str, kind: str, name: str, about: str = "") -> None:
        """A node."""
        self.nodes[id] = Node(id, kind, name, about)

    def connect(self, source: str, to: str, guards: tuple[str, ...] = (), rule: str = "") -> None:
        """A flow, unless there is one already."""
        flow = Flow(source, to, guards, rule)
        self.flows.setdefault(flow.id, flow)


def graph(process: Process, language: str = "ru") -> Graph:
    """The process as nodes and flows."""
    names, english = Names(process, language), language == "en"
    words = {key: pair[english] for key, pair in WORDS.items()}
    made = Graph([ident(s) for s in process.stages], [*(ident(end) for end in process.endings), "merged"])
    made.add("start", "startEvent", words["start"])
    made.connect("start", task(FIRST))
    for id, stage in process.stages.items():
        made.add(task(id), "userTask", names.stages[id], (english and stage.hint_en) or stage.hint)
        made.add(choice(id), "exclusiveGateway", words["what"])
        made.connect(task(id), choice(id))
    for move in process.file.transitions:
        made.connect(choice(move.source), task(move.to), move.requires)
    for source, to, rule in OWN_MOVES:
        made.connect(choice(source), task(to), rule=rule)
    _endings(made, process, names, words)
    return made


def _endings(made: Graph, process: Process, names: Names, words: dict[str, str]) -> None:
    made.add("any", "exclusiveGateway", words["any"])
    made.add("returned", "task", names.returned)
    made.add("back", "exclusiveGateway", words["back"])
    made.connect("returned", "back")
    for id in process.stages:
        made.connect(choice(id), "any")
        made.connect("back", choice(id), rule="R29")
    made.connect("back", task(AWAKE_IN), rule="R29")
    for id, name in (*names.endings.items(), ("merged", names.merged)):
        made.add(task(id), "task", name)
        made.add(f"end_{ident(id)}", "endEvent", name)
        if id == "won":
            made.connect(task(id), f"end_{ident(id)}")
            continue
        made.add(choice(id), "exclusiveGateway", words["closed"])
        made.connect(task(id), choice(id))
        made.connect(choice(id), f"end_{ident(id)}")
        made.connect(choice(id), "returned", rule="R29" if id != "merged" else "R6")
    for ending in process.file.endings:
        for stage in ending.sources:
            made.connect(choice(stage), task(ending.id), ending.requires)
    made.connect("any", task("refusal"), rule="R8")
    made.connect("any", task("refused"), rule="R8")
    made.connect("any", task("merged"), rule="R6")


def ident(id: str) -> str:
    """An id of the process file as XML wants ids."""
    return re.sub(r"[^\w.-]", "_", id)


def task(id: str) -> str:
    """The id of the task of a stage or an ending."""
    return f"task_{ident(id)}"


def choice(id: str) -> str:
    """The id of the gateway behind it."""
    return f"choice_{ident(id)}"


def write(process: Process, language: str = "ru") -> bytes:
    """The document, with its drawing."""
    made = graph(process, language)
    drawn = bpmn_layout.draw(made)
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n'
             '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
             'xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" '
             'xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
             'id="definitions" targetNamespace="urn:lead-hub:process">\n',
             f'<bpmn:process id="process" name={quoteattr(_title(process, language))} isExecutable="false">\n']
    parts += [_node(node, made) for node in made.nodes.values()]
    parts += [_flow(flow) for flow in made.flows.values()]
    parts.append('</bpmn:process>\n<bpmndi:BPMNDiagram id="diagram"><bpmndi:BPMNPlane id="plane" bpmnElement="process">\n')
    for id, box in drawn.boxes.items():
        marker = ' isMarkerVisible="true"' if made.nodes[id].kind == "exclusiveGateway" else ""
        parts.append(f'<bpmndi:BPMNShape id="shape_{id}" bpmnElement="{id}"{marker}>{_bounds(box)}</bpmndi:BPMNShape>\n')
    for id, way in drawn.ways.items():
        points = "".join(f'<di:waypoint x="{x:g}" y="{y:g}"/>' for x, y in way)
        parts.append(f'<bpmndi:BPMNEdge id="edge_{id}" bpmnElement="{id}">{points}</bpmndi:BPMNEdge>\n')
    parts.append("</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>\n</bpmn:definitions>\n")
    return "".join(parts).encode()


def _title(process: Process, language: str) -> str:
    name = process.file.name_en if language == "en" and process.file.name_en else process.file.name
    return f"{name} · v{process.version}" if process.version else name


def _bounds(box: bpmn_layout.Box) -> str:
    return f'<dc:Bounds x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}"/>'


def _node(node: Node, made: Graph) -> str:
    about = f"<bpmn:documentation>{escape(node.about)}</bpmn:documentation>" if node.about else ""
    flows = "".join(f"<bpmn:incoming>{f.id}</bpmn:incoming>" for f in made.flows.values() if f.to == node.id)
    flows += "".join(f"<bpmn:outgoing>{f.id}</bpmn:outgoing>" for f in made.flows.values() if f.source == node.id)
    return f"<bpmn:{node.kind} id=\"{node.id}\" name={quoteattr(node.name)}>{about}{flows}</bpmn:{node.kind}>\n"


def _flow(flow: Flow) -> str:
    name = f' name="{flow.rule}"' if flow.rule else ""
    needs = (f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{escape(" and ".join(flow.guards))}'
             "</bpmn:conditionExpression>" if flow.guards else "")
    ends = f'sourceRef="{flow.source}" targetRef="{flow.to}"'
    return f'<bpmn:sequenceFlow id="{flow.id}" {ends}{name}>{needs}</bpmn:sequenceFlow>\n'

"""The process as BPMN: whole, drawn, and a net in which every deal that kept the rules fits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hub.config import PACKAGED_PROCESS
from hub.domain.process import Process
from hub.domain.process_check import read_process
from hub.exports import bpmn, bpmn_layout
from hub.exports.activities import Names
from hub.exports.reading import Reader, Scope
from tests.exports.deals import furnish
from tests.house import Department, after

NAMES = {"m": "http://www.omg.org/spec/BPMN/20100524/MODEL", "d": "http://www.omg.org/spec/BPMN/20100524/DI",
         "c": "http://www.omg.org/spec/DD/20100524/DC", "i": "http://www.omg.org/spec/DD/20100524/DI"}
TEXT = PACKAGED_PROCESS.read_text(encoding="utf-8")
OWN_STAGE = TEXT.replace('[[stages]]\nid = "presentation"', '[[stages]]\nid = "legal"\ntitle = "Встреча назначена"\n'
                         '[[stages]]\nid = "presentation"', 1).replace(
    '[[transitions]]\nfrom = "presentation"\nto = "proposal"', '[[transitions]]\nfrom = "proposal"\nto = "legal"\n\n'
    '[[transitions]]\nfrom = "legal"\nto = "presentation"\n\n[[transitions]]\nfrom = "presentation"\nto = "proposal"', 1)


def process(text: str = TEXT) -> Process:
    return Process(read_process(text))


class Net:
    """The document as another program sees it: only exclusive choices, so a deal is in one place at a time."""

    def __init__(self, document: bytes) -> None:
        self.root = ElementTree.fromstring(document)
        self.process = self.root.find("m:process", NAMES)
        assert self.process is not None
        self.nodes = {str(n.get("id")): n for n in self.process if not n.tag.endswith("sequenceFlow")}
        self.flows = {str(f.get("id")): f for f in self.process.iterfind("m:sequenceFlow", NAMES)}
        self.follow: dict[str, list[str]] = {}
        for flow in self.flows.values():
            self.follow.setdefault(str(flow.get("sourceRef")), []).append(str(flow.get("targetRef")))

    def tasks(self) -> list[str]:
        return [str(node.get("name")) for node in self.nodes.values() if node.tag.endswith(("}task", "}userTask"))]

    def _ahead(self, places: set[str]) -> Iterator[str]:
        """The tasks and ends that can come next, through any choices."""
        seen, left = set(places), [*places]
        while left:
            for after_it in self.follow.get(left.pop(), ()):
                if after_it not in seen and self.nodes[after_it].tag.endswith("Gateway"):
                    seen.add(after_it)
                    left.append(after_it)
                elif not self.nodes[after_it].tag.endswith("Gateway"):
                    yield after_it

    def runs(self, steps: list[str], *, ended: bool) -> int | None:
        """None where the steps are a way through (to an end where ``ended``), else how many of them are."""
        places = {"start"}
        for n, step in enumerate(steps):
            places = {node for node in self._ahead(places) if self.nodes[node].get("name") == step
                      and not node.startswith("end_")}
            if not places:
                return n
        return None if not ended or any(node.startswith("end_") for node in self._ahead(places)) else len(steps)


@pytest.mark.parametrize("text", [TEXT, OWN_STAGE], ids=["packaged", "own stage"])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_document_is_whole_and_everything_in_it_is_drawn(text: str, language: str) -> None:
    net = Net(bpmn.write(process(text), language))
    assert sorted(net.tasks()) == sorted(Names(process(text), language).steps)
    ids = [element.get("id") for element in net.root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for flow in net.flows.values():
        assert {flow.get("sourceRef"), flow.get("targetRef")} <= set(net.nodes)
    for id, node in net.nodes.items():
        incoming = {part.text for part in node.iterfind("m:incoming", NAMES)}
        assert incoming == {f for f, flow in net.flows.items() if flow.get("targetRef") == id}
        outgoing = {part.text for part in node.iterfind("m:outgoing", NAMES)}
        assert outgoing == {f for f, flow in net.flows.items() if flow.get("sourceRef") == id}
        assert incoming or id == "start"
        assert outgoing or id.startswith("end_")
        if len(outgoing) > 1:
            assert node.tag.endswith("exclusiveGateway"), "who has a choice is a gateway"
    assert {s.get("bpmnElement") for s in net.root.iter(f"{{{NAMES['d']}}}BPMNShape")} == set(net.nodes)
    assert {s.get("bpmnElement") for s in net.root.iter(f"{{{NAMES['d']}}}BPMNEdge")} == set(net.flows)


@pytest.mark.parametrize("text", [TEXT, OWN_STAGE], ids=["packaged", "own stage"])
def test_boxes_stand_apart_and_lines_run_from_box_to_box_at_right_angles(text: str) -> None:
    graph = bpmn.graph(process(text))
    drawn = bpmn_layout.draw(graph)
    boxes = list(drawn.boxes.items())
    for n, (one, a) in enumerate(boxes):
        assert a.x >= 0, one
        assert a.y >= 0, one
        for other, b in boxes[n + 1:]:
            apart = a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
            assert apart, (one, other)
    for id, way in drawn.ways.items():
        flow = graph.flows[id]
        for (x, y), box in ((way[0], drawn.boxes[flow.source]), (way[-1], drawn.boxes[flow.to])):
            assert box.x <= x <= box.x + box.width, id
            assert box.y <= y <= box.y + box.height, id
        for (ax, ay), (bx, by) in zip(way, way[1:], strict=False):
            assert abs(ax - bx) < .01 or abs(ay - by) < .01, (id, way)


def test_guards_are_conditions_and_moves_of_rules_bear_their_numbers() -> None:
    net = Net(bpmn.write(process()))
    needs = {id: "".join(flow.itertext()).strip() for id, flow in net.flows.items()}
    assert needs["flow_choice_scoring__task_preparation"] == "scored and not_refused and meeting_agreed"
    assert needs["flow_choice_interview__task_preparation"] == ""
    assert net.flows["flow_any__task_refusal"].get("name") == "R8"


def test_deals_that_kept_the_rules_run_through_and_the_one_that_did_not_stops_where_it_skipped(tmp_path: Path) -> None:
    with Department(tmp_path).begin() as house:
        deals = furnish(house)
        reader = Reader(house.hub, Scope(at=after(days=40), steps=True))
        net = Net(bpmn.write(house.hub.process))
        for trace in reader.traces():
            steps = [told.activity.name for told in trace.events]
            ended = bool(trace.state.ended or trace.state.merged_into)
            stopped = net.runs(steps, ended=ended)
            if trace.lead == deals["skipped"]:
                assert stopped is not None
                assert steps[stopped - 1:stopped + 1] == ["Контакт", "Скоринг"], "the screening is missing"
            else:
                assert stopped is None, (trace.name, steps, stopped)


@pytest.mark.parametrize("steps", [
    ["Новый", "Скоринг"], ["Контакт"], ["Новый", "Договор"], ["Новый", "Контакт", "Проигран", "Проигран"],
    ["Новый", "Контакт", "Первичный отсев", "Скоринг", "Договор", "Дожим"], ["Новый", "Отказали", "Дожим"]])
def test_what_the_process_does_not_allow_does_not_run_through(steps: list[str]) -> None:
    assert Net(bpmn.write(process())).runs(steps, ended=False) is not None

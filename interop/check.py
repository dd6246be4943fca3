"""The exports read by pm4py and SpiffWorkflow, in their own environment: ``python interop/check.py FOLDER``.

Prints what it found as the table of docs/exports.md; ends with 1 where something is not as it must be.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pm4py
from lxml import etree
from pm4py.algo.conformance.alignments.petri_net import algorithm
from pm4py.objects.petri_net.utils import align_utils as utils
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnValidator

warnings.filterwarnings("ignore")
CASE, NAME, TIME = "case:concept:name", "concept:name", "time:timestamp"
LINES: list[tuple[str, str]] = []
FAULTS: list[str] = []


def tell(what: str, found: str, *, good: bool = True) -> None:
    """A line of the table."""
    LINES.append((what, found))
    if not good:
        FAULTS.append(f"{what}: {found}")


def log(folder: Path) -> pd.DataFrame:
    """The whole log: how it loads, its order, its fractions, a map of it."""
    began = time.monotonic()
    found = pm4py.read_xes(str(folder / "leads.xes"))
    took = time.monotonic() - began
    tell("XES: leads, events, kinds of activities",
         f"{found[CASE].nunique():,}, {len(found):,}, {found[NAME].nunique()} (read in {took:.1f} s)", good=len(found) > 0)
    in_order = bool(found.groupby(CASE)["event_number"].apply(lambda n: list(n) == list(range(1, len(n) + 1))).all())
    tell("XES: events of a lead in the recorded order, time never going back",
         str(in_order and bool(found.groupby(CASE)[TIME].apply(lambda t: t.is_monotonic_increasing).all())), good=in_order)
    fractions = int((found[TIME].dt.microsecond % 1000 > 0).sum())
    tell("XES: times with microseconds kept", f"{fractions:,}", good=fractions > 0)
    return found


def discovered(steps: pd.DataFrame) -> None:
    """Maps that are discovered from the log."""
    dfg, starts, ends = pm4py.discover_dfg(steps)
    tell("Directly-follows map of the steps: edges, starts, ends", f"{len(dfg)}, {len(starts)}, {len(ends)}",
         good=len(starts) == 1)
    net, first, last = pm4py.discover_petri_net_inductive(steps, noise_threshold=.2)
    fit = pm4py.fitness_token_based_replay(steps, net, first, last)["average_trace_fitness"]
    tell("Inductive miner (noise 0.2): places, transitions, fitness of the log",
         f"{len(net.places)}, {len(net.transitions)}, {fit:.3f}", good=fit > .8)


def objects(folder: Path, events: int) -> None:
    """The object-centric log."""
    began = time.monotonic()
    found = pm4py.read_ocel2_json(str(folder / "leads.json"))
    took = time.monotonic() - began
    kinds = Counter(found.objects["ocel:type"])
    tell("OCEL 2.0: events, objects, relations", f"{len(found.events):,}, {len(found.objects):,}, {len(found.relations):,} "
         f"(read in {took:.1f} s)", good=len(found.events) == events)
    tell("OCEL 2.0: objects by type", ", ".join(f"{kind} {n:,}" for kind, n in sorted(kinds.items())), good=len(kinds) == 5)
    tell("OCEL 2.0: relations between objects, changes of attributes", f"{len(found.o2o):,}, {len(found.object_changes):,}",
         good=len(found.o2o) > 0)
    by_lead = found.events.assign(lead=found.events["ocel:eid"].str.split("/").str[0])
    in_order = bool(by_lead.groupby("lead")["event_number"].apply(lambda n: n.is_monotonic_increasing).all())
    tell("OCEL 2.0: events of a lead in the recorded order after sorting by time", str(in_order), good=in_order)
    flat = pm4py.ocel_flattening(found, "lead")
    tell("OCEL 2.0 flattened on leads: cases", f"{flat[CASE].nunique():,}", good=flat[CASE].nunique() == kinds["lead"])
    map_of_objects = pm4py.discover_ocdfg(found)
    tell("Object-centric map: activities", str(len(map_of_objects["activities"])), good=len(map_of_objects["activities"]) > 20)


def conformance(folder: Path, steps: pd.DataFrame) -> None:
    """Deals that are over, against the process."""
    document = etree.parse(str(folder / "process.bpmn"))
    BpmnValidator().validate(document, "process.bpmn")
    tell("BPMN: valid by the OMG's schemas (SpiffWorkflow's copy)", "True")
    drawing = pm4py.read_bpmn(str(folder / "process.bpmn"))
    net, first, last = pm4py.convert_to_petri_net(drawing)
    sound = pm4py.check_soundness(net, first, last)
    sound = sound[0] if isinstance(sound, tuple) else sound
    labels = {t.label for t in net.transitions if t.label}
    tell("BPMN: nodes, flows; as a Petri net: places, transitions, of them tasks; sound",
         f"{len(drawing.get_nodes())}, {len(drawing.get_flows())}; {len(net.places)}, {len(net.transitions)}, {len(labels)}; "
         f"{bool(sound)}",
         good=bool(sound) and set(steps[NAME]) <= labels)
    strays = json.loads((folder / "strays.json").read_text(encoding="utf-8"))
    over = steps[(steps["case:ended"].fillna("") != "") | steps["case:merged"]]
    kept, strayed = over[~over[CASE].isin(strays)], over[over[CASE].isin(strays)]
    judged(kept, net, first, last)
    for lead in order_of(strayed):
        aligned = explained(strayed[strayed[CASE] == lead], net, first, last)
        missing = [model for seen, model in aligned["alignment"] if seen == ">>" and model is not None]
        extra = [seen for seen, model in aligned["alignment"] if model == ">>"]
        if (missing, extra) != (strays[lead], []):
            FAULTS.append(f"{lead}: missing {missing}, beyond the process {extra}; expected missing {strays[lead]}")
    found = Counter(tuple(missing) for missing in strays.values())
    tell("Deals that did not keep it: missing steps named by alignments",
         "; ".join(f"{n} × «{', '.join(missing)}»" for missing, n in sorted(found.items())))
    replayed = pm4py.conformance_diagnostics_token_based_replay(strayed, net, first, last)
    fits = sum(bool(one["trace_is_fit"]) for one in replayed)
    best = max(one["fitness"] for one in pm4py.conformance_diagnostics_alignments(strayed, net, first, last))
    tell("Deals that did not keep it, of them fit by token replay; fitness of the best by alignments",
         f"{len(replayed)}, {fits}; {best:.3f}", good=fits == 0 and best < 1.0)


def explained(steps: pd.DataFrame, net: Any, first: Any, last: Any) -> dict[str, Any]:
    """The cheapest explanation of a deal. What the log has did happen, for the log is proven: to doubt one of its events costs
    as much as ten steps that are missing."""
    trace = pm4py.convert_to_event_log(steps)[0]
    costs = {"trace_cost_function": [10 * utils.STD_MODEL_LOG_MOVE_COST] * len(trace)}
    found: dict[str, Any] = algorithm.apply(trace, net, first, last, parameters=costs)
    return found


def judged(kept: pd.DataFrame, net: Any, first: Any, last: Any) -> None:
    """Those that kept the process fit it."""
    began = time.monotonic()
    replayed = pm4py.conformance_diagnostics_token_based_replay(kept, net, first, last)
    worst = min(one["trace_fitness"] for one in replayed)
    tell("Deals that are over and kept the process, ways that they took",
         f"{kept[CASE].nunique():,}, {len(pm4py.get_variants(kept)):,}", good=kept[CASE].nunique() > 100)
    tell("Token replay: fitness of the worst of them", f"{worst:.3f} ({time.monotonic() - began:.1f} s)", good=worst == 1.0)
    began = time.monotonic()
    aligned = pm4py.conformance_diagnostics_alignments(kept, net, first, last)
    worst = min(one["fitness"] for one in aligned)
    moves = sum(1 for one in aligned for seen, model in one["alignment"] if ">>" in (seen, model) and model is not None)
    tell("Alignments: fitness of the worst of them", f"{worst:.3f} ({time.monotonic() - began:.1f} s)",
         good=worst == 1.0 and not moves)
    for lead, one in zip(order_of(kept), aligned, strict=True):
        if one["fitness"] != 1.0:
            FAULTS.append(f"{lead} does not fit: {one['alignment']}")


def order_of(steps: pd.DataFrame) -> list[str]:
    """Leads in the order in which pm4py judges them: that of their first events in the log."""
    return list(dict.fromkeys(steps[CASE]))


def main(folder: Path) -> int:
    """Everything."""
    whole = log(folder)
    steps = pm4py.read_xes(str(folder / "steps.xes"))
    tell("Steps (--steps): events; the same as those marked in the whole log", f"{len(steps):,}; "
         f"{list(steps['identity:id']) == list(whole[whole['step']]['identity:id'])}",
         good=list(steps["identity:id"]) == list(whole[whole["step"]]["identity:id"]))
    discovered(steps)
    objects(folder, len(whole))
    conformance(folder, steps)
    print(f"\nRead by pm4py {pm4py.__version__} on Python {sys.version.split()[0]}\n\n| what | found |\n|---|---|")
    for what, found in LINES:
        print(f"| {what} | {found} |")
    for fault in FAULTS:
        print(f"NOT AS IT MUST BE: {fault}", file=sys.stderr)
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

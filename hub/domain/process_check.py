"""Reading and checking ``process.toml``: every fault is named with its line (R0)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec

from hub.domain.errors import Sentence
from hub.domain.process import ASKS, DEADLINES, ENDINGS, GUARDS, PARTNERS_BY, PERMISSIONS, STAGES, ProcessFile
from hub.domain.process_faults import not_toml, said, wrong_type
from hub.domain.worktime import MOST_DAYS, MOST_MINUTES

Found = tuple[str, Sentence]
"""The path of what is wrong, such as ``stages[2].title``, and what is wrong with it."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the file: the 1-based ``line`` (0 where none can be named) and a sentence."""

    line: int
    said: Sentence

    @property
    def sentence(self) -> str:
        """In English."""
        return self.said.en

    def say(self, language: str) -> str:
        """In ``language``: ``ru`` or ``en``."""
        return self.said.ru if language == "ru" else self.said.en

    def __str__(self) -> str:
        return f"line {self.line}: {self.sentence}" if self.line else self.sentence


class BadProcess(Exception):
    """The process file is not valid; ``faults`` says where and why, all of them at once."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(f) for f in faults))


def read_process(text: str, knows: Callable[[str], bool] = lambda country: True) -> ProcessFile:
    """The file as values, or :class:`BadProcess` with every fault and its line.

    ``knows``: whether the public holidays of a country (ISO code) are known.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        found = re.search(r"\(at line (\d+)", str(e))
        line = int(found.group(1)) if found else text.count("\n") + 1
        raise BadProcess([Fault(line, not_toml(re.sub(r" ?[(]at .*", "", str(e))))]) from e
    lines = lines_of(text)
    try:
        file = msgspec.convert(data, ProcessFile)
    except msgspec.ValidationError as e:
        message, _, path = str(e).partition(" - at `$")
        place = path.rstrip("`").lstrip(".")
        if unknown := re.search("unknown field `(.+)`", message):
            place = f"{place}.{unknown.group(1)}".lstrip(".")
        raise BadProcess([Fault(_line(lines, place), wrong_type(message))]) from e
    faults = [Fault(_line(lines, path), words) for path, words in _faults(file)]
    if not knows(file.calendar.country):
        faults.append(Fault(_line(lines, "calendar.country"), said("country", name=file.calendar.country)))
    if faults:
        raise BadProcess(sorted(faults, key=lambda f: f.line))
    return file


def reread_process(text: str) -> ProcessFile:
    """A version that was once in force, as values. What is checked today does not judge it again: old decisions must
    stay readable under the rules of their day."""
    return msgspec.convert(tomllib.loads(text), ProcessFile)


def lines_of(text: str) -> dict[str, int]:
    """Line of every table and key by its path, such as ``stages[2].title``."""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    for number, line in enumerate(text.splitlines(), 1):
        if table := re.match(r"\s*\[\[\s*([\w.]+)\s*\]\]", line):
            prefix = _array_path(table.group(1), counts)
            found[prefix] = number
            found.setdefault(table.group(1), number)  # what is wrong with the whole list is said at its beginning
        elif table := re.match(r"\s*\[\s*([\w.]+)\s*\]", line):
            prefix = table.group(1)
            found[prefix] = number
        elif key := re.match(r"\s*([\w-]+)\s*=", line):
            found.setdefault(f"{prefix}.{key.group(1)}" if prefix else key.group(1), number)
    return found


def _array_path(name: str, counts: dict[str, int]) -> str:
    """``blocks.parameters`` inside the second block, third time, becomes ``blocks[1].parameters[2]``."""
    *parents, last = name.split(".")
    path = ""
    for parent in parents:
        path += ("." if path else "") + parent
        if path in counts:
            path += f"[{counts[path] - 1}]"
    path += ("." if path else "") + last
    counts[path] = counts.get(path, 0) + 1
    return f"{path}[{counts[path] - 1}]"


def _line(lines: dict[str, int], path: str) -> int:
    """The line of ``path``, or of the nearest thing around it that has one."""
    while path:
        if path in lines:
            return lines[path]
        path = re.sub(r"(\.[^.\[]+|\[\d+\]|^[^.\[]+)$", "", path)
    return 0


def _faults(f: ProcessFile) -> Iterator[Found]:
    yield from _calendar(f)
    for name in ("roles", "stages", "endings", "deadlines", "hard_criteria", "blocks", "segments", "checklists", "requests",
                 "stalls", "loss_reasons", "closeness", "price_segments"):
        items = getattr(f, name)
        yield from _unique(name, [i.id for i in items])
        if not items and name != "price_segments":
            yield name, said("empty", name=name)
    stages = {s.id for s in f.stages}
    for needed in STAGES:
        if needed not in stages:
            yield "stages", said("no_stage", name=needed)
    for needed in ENDINGS:
        if needed not in {x.id for x in f.endings}:
            yield "endings", said("no_ending", name=needed)
    for needed in DEADLINES:
        if needed not in {d.id for d in f.deadlines}:
            yield "deadlines", said("no_deadline", name=needed)
    yield from _people(f)
    yield from _moves(f, stages)
    yield from _clocks(f)
    yield from _sheet(f)
    yield from _lists(f, stages)
    yield from _privacy(f)


def _unique(name: str, ids: list[str]) -> Iterator[Found]:
    yield from _unique_at(name, [(f"{name}[{n}].id", id) for n, id in enumerate(ids)])


def _unique_at(name: str, ids: list[tuple[str, str]]) -> Iterator[Found]:
    seen = set()
    for path, id in ids:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", id):
            yield path, said("bad_id", id=id)
        if id in seen:
            yield path, said("id_twice", id=id, name=name)
        seen.add(id)


def _calendar(f: ProcessFile) -> Iterator[Found]:
    c = f.calendar
    try:
        ZoneInfo(c.timezone)
    except Exception:  # zoneinfo raises several unrelated types for a bad key
        yield "calendar.timezone", said("zone", name=c.timezone)
    if not c.weekdays or not set(c.weekdays) <= set(range(1, 8)):
        yield "calendar.weekdays", said("weekdays")
    clock = []
    for name, value in (("opens", c.opens), ("closes", c.closes), *(("lunch", v) for v in c.lunch)):
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            yield f"calendar.{name}", said("time", value=value)
        clock.append(value)
    opens, closes, *lunch = clock
    if opens >= closes:
        yield "calendar.closes", said("closes_first")
    if lunch and (len(lunch) != 2 or not opens < lunch[0] < lunch[1] < closes):
        yield "calendar.lunch", said("lunch")


def _people(f: ProcessFile) -> Iterator[Found]:
    roles, segments = {r.id for r in f.roles}, {s.id for s in f.segments}
    for n, role in enumerate(f.roles):
        for may in role.may:
            if may not in PERMISSIONS:
                yield f"roles[{n}].may", said("no_permission", may=may, known=", ".join(PERMISSIONS))
        if "decide" in role.may and role.id != "head":
            yield f"roles[{n}].may", said("head_alone", role=role.id)
        for s in role.segments:
            if s not in segments:
                yield f"roles[{n}].segments", said("no_segment", name=s)
    for needed in ("administrator", "head", "manager", "auditor"):
        if needed not in roles:
            yield "roles", said("no_role", name=needed)
    for permission in PERMISSIONS:
        # Administrators check the log in any case: a file from before there was this permission stays good.
        if permission != "audit" and not any(permission in r.may for r in f.roles):
            yield "roles", said("nobody_may", name=permission)
    if f.assignment.way not in ("round_robin", "first_come"):
        yield "assignment.way", said("way", name=f.assignment.way)
    if f.assignment.reoffer_minutes_before < 0:
        yield "assignment.reoffer_minutes_before", said("negative_minutes")
    if not f.assignment.roles:
        yield "assignment.roles", said("assigned_to_nobody")
    for r in f.assignment.roles:
        yield from _works(f, "assignment.roles", r)


def _works(f: ProcessFile, path: str, role: str) -> Iterator[Found]:
    """Whoever is given leads must be able to work them."""
    found = next((r for r in f.roles if r.id == role), None)
    if found is None:
        yield path, said("unknown_role", name=role)
    elif "work" not in found.may:
        yield path, said("may_not_work", name=role)


LONGEST_KEPT = 600
"""Months of a retention rule at most."""


def _privacy(f: ProcessFile) -> Iterator[Found]:
    rules = f.privacy.rules
    yield from _unique_at("privacy.rules", [(f"privacy.rules[{n}].id", rule.id) for n, rule in enumerate(rules)])
    for n, rule in enumerate(rules):
        if not rule.ended:
            yield f"privacy.rules[{n}].ended", said("rule_ends", id=rule.id, known=", ".join(ENDINGS))
        for ended in rule.ended:
            if ended not in ENDINGS:
                yield f"privacy.rules[{n}].ended", said("unknown_ending", name=ended, known=", ".join(ENDINGS))
        if not 1 <= rule.months <= LONGEST_KEPT:
            yield f"privacy.rules[{n}].months", said("months", most=LONGEST_KEPT, months=rule.months)
        if rule.qualified is False and "won" in rule.ended:
            yield f"privacy.rules[{n}].ended", said("won_qualified")
    if f.privacy.runs and not rules:
        yield "privacy.runs", said("runs_without_rules")


def _moves(f: ProcessFile, stages: set[str]) -> Iterator[Found]:
    seen = set()
    for n, t in enumerate(f.transitions):
        for key, value in (("from", t.source), ("to", t.to)):
            if value not in stages:
                yield f"transitions[{n}].{key}", said("unknown_stage", name=value)
        if t.source == t.to:
            yield f"transitions[{n}].to", said("move_to_itself", name=t.source)
        if (t.source, t.to) in seen:
            yield f"transitions[{n}]", said("move_twice", source=t.source, to=t.to)
        seen.add((t.source, t.to))
        yield from _guards(f"transitions[{n}].requires", t.requires)
    for n, stage in enumerate(f.stages):
        if not any(t.source == stage.id for t in f.transitions) and not any(stage.id in x.sources for x in f.endings):
            yield f"stages[{n}]", said("leads_nowhere", name=stage.id)
    for n, ending in enumerate(f.endings):
        if not ending.sources:
            yield f"endings[{n}].from", said("ending_from_nowhere", name=ending.id)
        for value in ending.sources:
            if value not in stages:
                yield f"endings[{n}].from", said("unknown_stage", name=value)
        yield from _guards(f"endings[{n}].requires", ending.requires)


def _guards(path: str, names: tuple[str, ...]) -> Iterator[Found]:
    for g in names:
        if g not in GUARDS:
            yield path, said("no_guard", name=g, known=", ".join(GUARDS))


LONGEST = {"minutes": MOST_MINUTES, "hours": MOST_MINUTES // 60, "days": MOST_DAYS, "working_days": MOST_DAYS}


def _clocks(f: ProcessFile) -> Iterator[Found]:
    for n, d in enumerate(f.deadlines):
        lengths = [(unit, length) for unit in LONGEST if (length := getattr(d, unit)) is not None]
        if len(lengths) != 1:
            yield f"deadlines[{n}]", said("one_length", name=d.id)
        for unit, length in lengths:
            if not 0 <= length <= LONGEST[unit]:
                yield f"deadlines[{n}].{unit}", said("length", name=d.id, most=LONGEST[unit], unit=unit, length=length)
        if d.clock not in ("working", "plain"):
            yield f"deadlines[{n}].clock", said("clock", name=d.clock)
        if d.clock == "working" and d.days is not None:
            yield f"deadlines[{n}].clock", said("days_are_plain")
        elif d.clock == "plain" and d.working_days is not None:
            yield f"deadlines[{n}].clock", said("working_days_work")


def _sheet(f: ProcessFile) -> Iterator[Found]:
    ids = []
    for n, block in enumerate(f.blocks):
        ids += [(f"blocks[{n}].parameters[{m}].id", p.id) for m, p in enumerate(block.parameters)]
        for m, p in enumerate(block.parameters):
            yield from _partners_by(f"blocks[{n}].parameters[{m}].partners_by", p.partners_by)
        if len(block.parameters) != 5:
            yield f"blocks[{n}]", said("five", name=block.id, count=len(block.parameters))
    if not any(p.counts for block in f.blocks for p in block.parameters):
        yield "blocks", said("nothing_counts")
    if len(f.blocks) != 3:
        yield "blocks", said("three", count=len(f.blocks))
    yield from _unique_at("parameters", ids)
    for total in range(-15, 16):
        owners = [s.id for s in f.segments if s.low <= total <= s.high]
        if len(owners) != 1:
            yield "segments", (said("total_of_many", total=total, owners=" and ".join(owners)) if owners
                               else said("total_of_none", total=total))
            break
    for n, s in enumerate(f.segments):
        if s.low > s.high:
            yield f"segments[{n}].from", said("upside_down", name=s.id)
        if s.checklist and s.checklist not in {c.id for c in f.checklists}:
            yield f"segments[{n}].checklist", said("no_checklist", name=s.checklist)
        for r in s.worked_by:
            yield from _works(f, f"segments[{n}].worked_by", r)
    if not -15 <= f.proposal.head_above <= 15:
        yield "proposal.head_above", said("total_bounds")
    if not f.proposal.currencies:
        yield "proposal.currencies", said("no_currency")


def _partners_by(path: str, value: str) -> Iterator[Found]:
    if value and value not in PARTNERS_BY:
        yield path, said("partners_by", name=value, known=" / ".join(PARTNERS_BY))


def _lists(f: ProcessFile, stages: set[str]) -> Iterator[Found]:
    for n, c in enumerate(f.checklists):
        if c.stage not in stages:
            yield f"checklists[{n}].stage", said("unknown_stage", name=c.stage)
        if not c.items:
            yield f"checklists[{n}].items", said("no_items", name=c.id)
        yield from _unique_at(f"checklist {c.id}", [(f"checklists[{n}].items", i.id) for i in c.items])
    if "screening" not in {c.id for c in f.checklists}:
        yield "checklists", said("no_screening")
    for n, h in enumerate(f.hard_criteria):
        if h.attempts < 0:
            yield f"hard_criteria[{n}].attempts", said("negative_attempts")
        yield from _partners_by(f"hard_criteria[{n}].partners_by", h.partners_by)
    for n, s in enumerate(f.stalls):
        for a in s.asks:
            if a not in ASKS:
                yield f"stalls[{n}].asks", said("no_question", name=a, known=", ".join(ASKS))
        yield from _unique_at(f"the play of {s.id}", [(f"stalls[{n}].play", p.id) for p in s.play])
        if s.sleep and "until" not in s.asks:
            yield f"stalls[{n}].asks", said("sleeps", name=s.id)
    for n, k in enumerate(f.closeness):
        if k.return_at is not None and not 0 < k.return_at <= 1:
            yield f"closeness[{n}].return_at", said("return_share")

"""Reading and checking ``process.toml``: every fault is named with its line (R0)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec

from hub.domain.process import ASKS, DEADLINES, ENDINGS, GUARDS, PARTNERS_BY, PERMISSIONS, STAGES, ProcessFile
from hub.domain.worktime import MOST_DAYS, MOST_MINUTES


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the file: the 1-based ``line`` (0 where none can be named) and a sentence."""

    line: int
    sentence: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.sentence}" if self.line else self.sentence


class BadProcess(Exception):
    """The process file is not valid; ``faults`` says where and why, all of them at once."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(f) for f in faults))


def read_process(text: str) -> ProcessFile:
    """The file as values, or :class:`BadProcess` with every fault and its line."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        found = re.search(r"\(at line (\d+)", str(e))
        line = int(found.group(1)) if found else text.count("\n") + 1
        raise BadProcess([Fault(line, f"this is not TOML: {re.sub(r' ?[(]at .*', '', str(e))}")]) from e
    lines = _lines(text)
    try:
        file = msgspec.convert(data, ProcessFile)
    except msgspec.ValidationError as e:
        message, _, path = str(e).partition(" - at `$")
        place = path.rstrip("`").lstrip(".")
        if unknown := re.search("unknown field `(.+)`", message):
            place = f"{place}.{unknown.group(1)}".lstrip(".")
        raise BadProcess([Fault(_line(lines, place), message)]) from e
    faults = [Fault(_line(lines, path), sentence) for path, sentence in _faults(file)]
    if faults:
        raise BadProcess(sorted(faults, key=lambda f: f.line))
    return file


def reread_process(text: str) -> ProcessFile:
    """A version that was once in force, as values. What is checked today does not judge it again: old decisions must
    stay readable under the rules of their day."""
    return msgspec.convert(tomllib.loads(text), ProcessFile)


def _lines(text: str) -> dict[str, int]:
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


def _faults(f: ProcessFile) -> Iterator[tuple[str, str]]:
    yield from _calendar(f)
    for name in ("roles", "stages", "endings", "deadlines", "hard_criteria", "blocks", "segments", "checklists", "requests",
                 "stalls", "loss_reasons", "closeness", "price_segments"):
        items = getattr(f, name)
        yield from _unique(name, [i.id for i in items])
        if not items and name != "price_segments":
            yield name, f"[[{name}]] is empty; the process needs at least one"
    stages = {s.id for s in f.stages}
    for needed in STAGES:
        if needed not in stages:
            yield "stages", f"stage {needed!r} is missing; it may be renamed by its title, not dropped"
    for needed in ENDINGS:
        if needed not in {x.id for x in f.endings}:
            yield "endings", f"ending {needed!r} is missing"
    for needed in DEADLINES:
        if needed not in {d.id for d in f.deadlines}:
            yield "deadlines", f"deadline {needed!r} is missing"
    yield from _people(f)
    yield from _moves(f, stages)
    yield from _clocks(f)
    yield from _sheet(f)
    yield from _lists(f, stages)
    yield from _privacy(f)


def _unique(name: str, ids: list[str]) -> Iterator[tuple[str, str]]:
    yield from _unique_at(name, [(f"{name}[{n}].id", id) for n, id in enumerate(ids)])


def _unique_at(name: str, ids: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    seen = set()
    for path, id in ids:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", id):
            yield path, f"id {id!r} must be Latin letters, digits and _, and begin with a letter"
        if id in seen:
            yield path, f"id {id!r} is used twice in {name}"
        seen.add(id)


def _calendar(f: ProcessFile) -> Iterator[tuple[str, str]]:
    c = f.calendar
    try:
        ZoneInfo(c.timezone)
    except Exception:  # zoneinfo raises several unrelated types for a bad key
        yield "calendar.timezone", f"{c.timezone!r} is not a time zone; write one such as Europe/Moscow"
    if not c.weekdays or not set(c.weekdays) <= set(range(1, 8)):
        yield "calendar.weekdays", "weekdays are numbers from 1 (Monday) to 7, at least one"
    clock = []
    for name, value in (("opens", c.opens), ("closes", c.closes), *(("lunch", v) for v in c.lunch)):
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            yield f"calendar.{name}", f"{value!r} is not a time; write it as 09:00"
        clock.append(value)
    opens, closes, *lunch = clock
    if opens >= closes:
        yield "calendar.closes", "the day closes before it opens"
    if lunch and (len(lunch) != 2 or not opens < lunch[0] < lunch[1] < closes):
        yield "calendar.lunch", 'lunch is two times inside the working day, such as ["13:00", "14:00"], or []'


def _people(f: ProcessFile) -> Iterator[tuple[str, str]]:
    roles, segments = {r.id for r in f.roles}, {s.id for s in f.segments}
    for n, role in enumerate(f.roles):
        for may in role.may:
            if may not in PERMISSIONS:
                yield f"roles[{n}].may", f"{may!r} is no permission; there are {', '.join(PERMISSIONS)}"
        if "decide" in role.may and role.id != "head":
            yield f"roles[{n}].may", f"only the head of sales may decide (R32); remove \"decide\" from {role.id!r}"
        for s in role.segments:
            if s not in segments:
                yield f"roles[{n}].segments", f"segment {s!r} does not exist"
    for needed in ("administrator", "head", "manager", "auditor"):
        if needed not in roles:
            yield "roles", f"role {needed!r} is missing"
    for permission in PERMISSIONS:
        # Administrators check the log in any case: a file from before there was this permission stays good.
        if permission != "audit" and not any(permission in r.may for r in f.roles):
            yield "roles", f"nobody may {permission!r}; give it to a role"
    if f.assignment.way not in ("round_robin", "first_come"):
        yield "assignment.way", f"{f.assignment.way!r} is no way; write round_robin or first_come"
    if f.assignment.reoffer_minutes_before < 0:
        yield "assignment.reoffer_minutes_before", "minutes cannot be negative"
    if not f.assignment.roles:
        yield "assignment.roles", "name at least one role that new leads are offered to"
    for r in f.assignment.roles:
        yield from _works(f, "assignment.roles", r)


def _works(f: ProcessFile, path: str, role: str) -> Iterator[tuple[str, str]]:
    """Whoever is given leads must be able to work them."""
    found = next((r for r in f.roles if r.id == role), None)
    if found is None:
        yield path, f"role {role!r} does not exist"
    elif "work" not in found.may:
        yield path, f"role {role!r} may not work leads; give it \"work\", or name another role"


LONGEST_KEPT = 600
"""Months of a retention rule at most."""


def _privacy(f: ProcessFile) -> Iterator[tuple[str, str]]:
    rules = f.privacy.rules
    yield from _unique_at("privacy.rules", [(f"privacy.rules[{n}].id", rule.id) for n, rule in enumerate(rules)])
    for n, rule in enumerate(rules):
        if not rule.ended:
            yield f"privacy.rules[{n}].ended", f"rule {rule.id!r} names no ending; write some of {', '.join(ENDINGS)}"
        for ended in rule.ended:
            if ended not in ENDINGS:
                yield f"privacy.rules[{n}].ended", f"{ended!r} is no ending; there are {', '.join(ENDINGS)}"
        if not 1 <= rule.months <= LONGEST_KEPT:
            yield f"privacy.rules[{n}].months", f"data may be kept 1 to {LONGEST_KEPT} months, not {rule.months}"
        if rule.qualified is False and "won" in rule.ended:
            yield f"privacy.rules[{n}].ended", "a won lead was qualified; leave \"won\" out, or leave out qualified"
    if f.privacy.runs and not rules:
        yield "privacy.runs", "runs = true erases by rules, and there are none; add [[privacy.rules]], or write runs = false"


def _moves(f: ProcessFile, stages: set[str]) -> Iterator[tuple[str, str]]:
    seen = set()
    for n, t in enumerate(f.transitions):
        for key, value in (("from", t.source), ("to", t.to)):
            if value not in stages:
                yield f"transitions[{n}].{key}", f"stage {value!r} does not exist"
        if t.source == t.to:
            yield f"transitions[{n}].to", f"a move from {t.source!r} to itself is no move"
        if (t.source, t.to) in seen:
            yield f"transitions[{n}]", f"the move {t.source} → {t.to} is said twice"
        seen.add((t.source, t.to))
        yield from _guards(f"transitions[{n}].requires", t.requires)
    for n, stage in enumerate(f.stages):
        if not any(t.source == stage.id for t in f.transitions) and not any(stage.id in x.sources for x in f.endings):
            yield f"stages[{n}]", f"stage {stage.id!r} leads nowhere; give it a transition, or name it in an ending"
    for n, ending in enumerate(f.endings):
        if not ending.sources:
            yield f"endings[{n}].from", f"ending {ending.id!r} can be reached from no stage; name at least one"
        for value in ending.sources:
            if value not in stages:
                yield f"endings[{n}].from", f"stage {value!r} does not exist"
        yield from _guards(f"endings[{n}].requires", ending.requires)


def _guards(path: str, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for g in names:
        if g not in GUARDS:
            yield path, f"{g!r} is no guard; there are {', '.join(GUARDS)}"


LONGEST = {"minutes": MOST_MINUTES, "hours": MOST_MINUTES // 60, "days": MOST_DAYS, "working_days": MOST_DAYS}


def _clocks(f: ProcessFile) -> Iterator[tuple[str, str]]:
    for n, d in enumerate(f.deadlines):
        lengths = [(unit, length) for unit in LONGEST if (length := getattr(d, unit)) is not None]
        if len(lengths) != 1:
            yield f"deadlines[{n}]", f"deadline {d.id!r} needs exactly one of minutes, hours, days, working_days"
        for unit, length in lengths:
            if not 0 <= length <= LONGEST[unit]:
                yield f"deadlines[{n}].{unit}", f"deadline {d.id!r} may have 0 to {LONGEST[unit]} {unit}, not {length}"
        if d.clock not in ("working", "plain"):
            yield f"deadlines[{n}].clock", f"{d.clock!r} is no clock; write working or plain"
        if d.clock == "working" and d.days is not None:
            yield f"deadlines[{n}].clock", "days are calendar days: write clock = \"plain\", or use working_days"
        elif d.clock == "plain" and d.working_days is not None:
            yield f"deadlines[{n}].clock", "working_days run on the working clock; use days with the plain one"


def _sheet(f: ProcessFile) -> Iterator[tuple[str, str]]:
    ids = []
    for n, block in enumerate(f.blocks):
        ids += [(f"blocks[{n}].parameters[{m}].id", p.id) for m, p in enumerate(block.parameters)]
        for m, p in enumerate(block.parameters):
            yield from _partners_by(f"blocks[{n}].parameters[{m}].partners_by", p.partners_by)
        if len(block.parameters) != 5:
            yield f"blocks[{n}]", f"block {block.id!r} has {len(block.parameters)} parameters; each block has five (R9)"
    if len(f.blocks) != 3:
        yield "blocks", f"there are {len(f.blocks)} blocks; the sheet has three (R9)"
    yield from _unique_at("parameters", ids)
    for total in range(-15, 16):
        owners = [s.id for s in f.segments if s.low <= total <= s.high]
        if len(owners) != 1:
            belongs = f"to {' and '.join(owners)}" if owners else "to no segment"
            yield "segments", f"total {total} belongs {belongs}; every total from -15 to 15 belongs to exactly one (R10)"
            break
    for n, s in enumerate(f.segments):
        if s.low > s.high:
            yield f"segments[{n}].from", f"segment {s.id!r} begins above its end"
        if s.checklist and s.checklist not in {c.id for c in f.checklists}:
            yield f"segments[{n}].checklist", f"checklist {s.checklist!r} does not exist"
        for r in s.worked_by:
            yield from _works(f, f"segments[{n}].worked_by", r)
    if not -15 <= f.proposal.head_above <= 15:
        yield "proposal.head_above", "a total lies between -15 and 15"
    if not f.proposal.currencies:
        yield "proposal.currencies", "name at least one currency"


def _partners_by(path: str, value: str) -> Iterator[tuple[str, str]]:
    if value and value not in PARTNERS_BY:
        yield path, f"{value!r} chooses no partners; write {' or '.join(PARTNERS_BY)}, or leave it out"


def _lists(f: ProcessFile, stages: set[str]) -> Iterator[tuple[str, str]]:
    for n, c in enumerate(f.checklists):
        if c.stage not in stages:
            yield f"checklists[{n}].stage", f"stage {c.stage!r} does not exist"
        if not c.items:
            yield f"checklists[{n}].items", f"checklist {c.id!r} has no items; give it at least one"
        yield from _unique_at(f"checklist {c.id}", [(f"checklists[{n}].items", i.id) for i in c.items])
    if "screening" not in {c.id for c in f.checklists}:
        yield "checklists", "checklist 'screening' is missing (R5)"
    for n, h in enumerate(f.hard_criteria):
        if h.attempts < 0:
            yield f"hard_criteria[{n}].attempts", "attempts cannot be negative"
        yield from _partners_by(f"hard_criteria[{n}].partners_by", h.partners_by)
    for n, s in enumerate(f.stalls):
        for a in s.asks:
            if a not in ASKS:
                yield f"stalls[{n}].asks", f"{a!r} cannot be asked; there are {', '.join(ASKS)}"
        yield from _unique_at(f"the play of {s.id}", [(f"stalls[{n}].play", p.id) for p in s.play])
        if s.sleep and "until" not in s.asks:
            yield f"stalls[{n}].asks", f"stall {s.id!r} sleeps, so it must ask until when: add \"until\""
    for n, k in enumerate(f.closeness):
        if k.return_at is not None and not 0 < k.return_at <= 1:
            yield f"closeness[{n}].return_at", "return_at is a share between 0 and 1, such as 0.8"

"""Usual changes of the process file, made in its text: comments, order and whatever is not changed stay as they are (R0)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import tomlkit
from msgspec import Struct

from hub.domain.process import CalendarPart, Deadline, ProcessFile, Segment
from hub.domain.process_check import lines_of

UNITS = {"minutes": ("minutes", "working"), "hours": ("hours", "working"), "working_days": ("working_days", "working"),
         "plain_minutes": ("minutes", "plain"), "plain_hours": ("hours", "plain"), "days": ("days", "plain")}
"""How a deadline's length may be said: the key and the clock that it stands for (R7)."""
LENGTHS = ("minutes", "hours", "days", "working_days")

Path = tuple[str | int, ...]
"""Where a table stands in the file."""


class Hours(Struct, frozen=True, kw_only=True):
    """The company's week and its own days (R7), as :class:`CalendarPart` has them."""

    opens: str
    closes: str
    lunch: tuple[str, ...]
    weekdays: tuple[int, ...]
    days_off: tuple[date, ...]
    working_days: tuple[date, ...]


class Edits(Struct, frozen=True, kw_only=True):
    """What to change; what is None or not named stays.

    ``bounds``: where segments begin, by id (R10); the lowest begins at −15 and each ends where the next one begins.
    ``head_above``: R18. ``counts``: the parameters that go into the total (R9). ``deadlines``: length and unit, a key of
    :data:`UNITS`, by id. ``stages``: title and hint by id.
    """

    bounds: Mapping[str, int] = {}
    head_above: int | None = None
    counts: frozenset[str] | None = None
    deadlines: Mapping[str, tuple[int, str]] = {}
    hours: Hours | None = None
    stages: Mapping[str, tuple[str, str]] = {}


def unit_of(deadline: Deadline) -> tuple[int, str]:
    """A deadline's length and the unit it is said in."""
    key = next((key for key in LENGTHS if getattr(deadline, key) is not None), "minutes")
    unit = key if key in ("days", "working_days") or deadline.clock == "working" else f"plain_{key}"
    return getattr(deadline, key) or 0, unit


def ascending(segments: Iterable[Segment]) -> list[Segment]:
    """Segments from the lowest total up."""
    return sorted(segments, key=lambda segment: segment.low)


def hours_of(part: CalendarPart) -> Hours:
    """What the file says of the week and of its own days."""
    return Hours(opens=part.opens, closes=part.closes, lunch=part.lunch, weekdays=part.weekdays, days_off=part.days_off,
                 working_days=part.working_days)


def edited(text: str, file: ProcessFile, edits: Edits) -> str:
    """``text``, which reads as ``file``, with ``edits`` made. What comes out is checked by whoever uses it."""
    return _Text(text).made(file, edits)


class _Text:
    """A text with what is to be done to it: lines to insert or rename first, then values to set."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = lines_of(text)
        self.there: Any = tomlkit.parse(text)
        self.values: list[tuple[Path, str, Any]] = []
        self.new: list[tuple[int, str]] = []
        self.renamed: list[tuple[int, str, str]] = []

    def made(self, file: ProcessFile, edits: Edits) -> str:
        """The text with ``edits``."""
        for n, segment in enumerate(file.segments):
            self._segment(n, segment, file, edits.bounds)
        if edits.head_above is not None and edits.head_above != file.proposal.head_above:
            self._put(("proposal",), "head_above", edits.head_above)
        if edits.counts is not None:
            self._counts(file, edits.counts)
        for n, deadline in enumerate(file.deadlines):
            if (wanted := edits.deadlines.get(deadline.id)) is not None and wanted != unit_of(deadline):
                self._deadline(n, deadline, *wanted)
        for n, stage in enumerate(file.stages):
            for key, value in zip(("title", "hint"), edits.stages.get(stage.id, ()), strict=False):
                if value != getattr(stage, key):
                    self._put(("stages", n), key, value)
        if edits.hours is not None:
            self._hours(file.calendar, edits.hours)
        return self._written()

    def _segment(self, n: int, segment: Segment, file: ProcessFile, bounds: Mapping[str, int]) -> None:
        order = ascending(file.segments)
        place = order.index(segment)
        low = bounds.get(segment.id, segment.low) if place else segment.low
        above = order[place + 1] if place + 1 < len(order) else None
        high = segment.high if above is None or above.id not in bounds else bounds[above.id] - 1
        for key, value, was in (("from", low, segment.low), ("to", high, segment.high)):
            if value != was:
                self._put(("segments", n), key, value)

    def _counts(self, file: ProcessFile, wanted: frozenset[str]) -> None:
        for b, block in enumerate(file.blocks):
            for n, parameter in enumerate(block.parameters):
                if parameter.counts != (parameter.id in wanted):
                    self._put(("blocks", b, "parameters", n), "counts", parameter.id in wanted)

    def _deadline(self, n: int, deadline: Deadline, length: int, unit: str) -> None:
        path: Path = ("deadlines", n)
        key, clock = UNITS[unit]
        old = next(key for key in LENGTHS if getattr(deadline, key) is not None)
        self.values.append((path, key, length))
        if old != key:
            self.renamed.append((self.lines[f"{_name(path)}.{old}"], old, key))
        if clock != deadline.clock:
            self._put(path, "clock", clock)

    def _hours(self, was: CalendarPart, wanted: Hours) -> None:
        for key in Hours.__struct_fields__:
            value = getattr(wanted, key)
            if value != getattr(was, key):
                plain = [str(v) if isinstance(v, date) else v for v in value] if isinstance(value, tuple) else value
                self._put(("calendar",), key, plain)

    def _put(self, path: Path, key: str, value: Any) -> None:
        """Set a value, or insert its line after the one with the ``id`` of its table."""
        if key in _at(self.there, path):
            self.values.append((path, key, value))
        else:
            name = _name(path)
            anchor = self.lines.get(f"{name}.id", self.lines[name])
            self.new.append((anchor, f"{key} = {tomlkit.item(value).as_string()}"))

    def _written(self) -> str:
        lines = self.text.splitlines(keepends=True)
        for number, old, new in self.renamed:
            lines[number - 1] = re.sub(rf"^(\s*){old}(\s*=)", rf"\g<1>{new}\g<2>", lines[number - 1])
        for number, line in sorted(self.new, reverse=True):
            lines.insert(number, f"{line}\n")
        parsed: Any = tomlkit.parse("".join(lines))
        for path, key, value in self.values:
            _at(parsed, path)[key] = value
        return tomlkit.dumps(parsed)


def _name(path: Path) -> str:
    """``("blocks", 1, "parameters", 0)`` as ``blocks[1].parameters[0]``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _at(parsed: Any, path: Path) -> Any:
    for part in path:
        parsed = parsed[part]
    return parsed

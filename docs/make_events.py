"""Writes docs/events.md from the event classes: `python docs/make_events.py` (`--check` only compares).

tests/test_docs.py compares too, so that an event cannot be added or changed without its line here.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import types
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import hub.domain
from hub.domain.event import TOPICS, Event, personal_fields
from hub.domain.events import DueBack, FileRef, Money
from hub.domain.form import FormSettings
from hub.domain.phone import Member, PhonePlan
from hub.domain.privacy import CardReached, Count
from hub.domain.staff import Absence
from hub.domain.telling import Item

TARGET = Path(__file__).with_name("events.md")

HEAD = """\
# Events

Made by `python docs/make_events.py` from the classes; do not edit by hand.

An event is one fact in the past tense. Its topic is its stored name and is never renamed or used for anything else. Every
event also carries:

| field | meaning |
|---|---|
| `originator_id`, `originator_version` | the stream, and the event's number in it (1, 2, …) |
| `event_id` | its own id |
| `actor` | `user:<id>`, `channel:<name>`, or `hub` for what follows from a rule |
| `at` | when the fact became true |
| `recorded_at` | when the hub recorded it, only where that was later |
| `correlation_id` | the delivery or the request that started everything |
| `causation_id` | the event that led to this one, where there is one |
| `process_version` | the version of the process file that it was decided under; 0 where none was in force yet |
| `subject` | whose key encrypts the personal fields; none where the event has no personal text |

**Personal** fields are stored encrypted under the subject's key and read `[erased]` once that key is destroyed. The other fields
are stored as they are. A mark after a type: `?` may be absent; `[]` several.

"""

STREAMS = (
    ("lead", "Lead", "One stream for each lead, from the first delivery to its end and after."),
    ("receipt", "Receipt", "One stream for each delivery: a repeat finds it."),
    ("contact", "Contact", "One stream for each address; the stream's id is the keyed digest of the address."),
    ("content", "Content", "One stream for each content that came without an id of its own; the id is its keyed digest."),
    ("process", "Process", "One stream of all versions of the process file."),
    ("import", "Import", "One stream for each file of leads that was brought in; the id is the keyed digest of the file."),
    ("export", "Export", "One stream for each file of leads that was taken away."),
    ("user", "User", "One stream for each colleague; the id follows from the login."),
    ("telling", "Telling", "One stream for each colleague: how they are told beside the browser, and what became of it."),
    ("phone", "Telephone line", "One stream for each telephone line; the id follows from its channel account."),
    ("form", "Form", "One stream for each website form; the id follows from its address."),
    ("partner", "Partner", "One stream for each partner agency."),
    ("template", "Template", "One stream for each letter."),
    ("webhook", "Webhook", "One stream for each subscription of another program to events of leads."),
    ("access", "Access", "One stream for each sign-in, each failed one, each sign-out; a flood of failures is told by a few."),
    ("attempt", "Attempt", "One stream for each refused attempt, apart from the lead's: it never stands in the way of work."),
    ("upkeep", "Upkeep", "One stream of all decisions about read models that an event stopped."),
    ("privacy", "Personal data", "One stream for each erasure, each archive given out, and each look of an auditor's."),
    ("audit", "Proof of the log", "One stream: which key signs checkpoints, which checks failed, who took an export away."),
    ("token", "Token", "One stream for each token of the API. Its secret and its hash are not in the log."),
)
PHASES = (("intake", "The request and the people"), ("talk", "Writing to and fro"), ("letters", "Letters with more than words"),
          ("calls", "Telephone calls"),
          ("work", "The work"), ("deal", "The deal"), ("ending", "Ends and after"), ("board", "On the board"),
          ("erasing", "A person erased"))
PARTS: tuple[Any, ...] = (Money, FileRef, Absence, FormSettings, Item, Member, PhonePlan, CardReached, Count, DueBack)
"""What fields are made of where they are more than a value."""
WORDS: dict[Any, str] = {str: "text", int: "number", bool: "yes/no", float: "number", Decimal: "amount", datetime: "instant",
                         date: "day", UUID: "id"}


def all_events() -> dict[str, type[Event]]:
    """Every event class by topic, whichever module it is in."""
    for module in pkgutil.walk_packages(hub.domain.__path__, "hub.domain."):
        importlib.import_module(module.name)
    return {name: cls for name, cls in TOPICS.items() if cls.__module__.startswith("hub.")}


def spelled(hint: Any) -> str:
    """A type in short words."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return spelled(inner[0])
    if origin in (Union, types.UnionType):
        return " or ".join(spelled(i) for i in inner if i is not type(None)) + ("?" if type(None) in inner else "")
    if origin is tuple:
        if len(inner) == 2 and inner[1] is Ellipsis:
            several = spelled(inner[0])
            return (f"({several})" if " " in several else several) + "[]"
        return ", ".join(map(spelled, inner))
    if origin is dict:
        return f"{spelled(inner[1])} by {spelled(inner[0])}"
    return WORDS.get(hint) or str(hint.__name__)


def row(cls: type[Event]) -> str:
    """The line of one event."""
    hints = get_type_hints(cls, include_extras=True)
    personal = personal_fields(cls)
    own = [name for name in cls.__struct_fields__ if name not in Event.__struct_fields__]
    fields = ", ".join(f"`{name}` {spelled(hints[name])}" for name in own) or "none"
    meaning = " ".join((cls.__doc__ or "").split()).replace("``", "`").replace("|", "\\|")
    return f"| `{cls.TOPIC}` | {cls.__name__} | {fields} | {', '.join(f'`{name}`' for name in personal) or '–'} | {meaning} |"


def part(cls: Any) -> str:
    """The line of a part."""
    hints = get_type_hints(cls)
    fields = ", ".join(f"`{name}` {spelled(hints[name])}" for name in cls.__struct_fields__)
    return f"| {cls.__name__} | {fields} | {(cls.__doc__ or '').strip().splitlines()[0]} |"


def table(classes: list[type[Event]]) -> Iterator[str]:
    """A table of events in the order of their declaration."""
    yield "| topic | class | fields | personal | meaning |"
    yield "|---|---|---|---|---|"
    yield from map(row, classes)
    yield ""


def page() -> str:
    """The whole page."""
    events = all_events()
    lines = [f"{len(events)} events in {len(STREAMS)} kinds of streams.", ""]
    for prefix, title, text in STREAMS:
        classes = [cls for name, cls in events.items() if name.partition(".")[0] == prefix]
        lines += [f"## {title}", "", text, ""]
        if prefix != "lead":
            lines += table(classes)
            continue
        for module, heading in PHASES:
            lines += [f"### {heading}", ""]
            lines += table([cls for cls in classes if cls.__module__ == f"hub.domain.events.{module}"])
    lines += ["## Parts", "", "| part | fields | meaning |", "|---|---|---|", *map(part, PARTS)]
    left_out = sorted(name for name in events if not any(f"| `{name}` |" in line for line in lines))
    if left_out:
        raise SystemExit(f"these events have no place in docs/make_events.py: {', '.join(left_out)}")
    return HEAD + "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != page():
            sys.exit("docs/events.md is not up to date: run python docs/make_events.py")
    else:
        TARGET.write_text(page(), encoding="utf-8")

"""Two people changed the same thing at once: what of it goes together by itself, and what a person has to choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hub.domain.event import Event
from hub.domain.evolve import evolve
from hub.domain.lead import Lead
from hub.domain.state import LeadState
from hub.web.lead.form import Ctx, Field, Form, Sent

Values = Mapping[str, str]
"""What the questions of a form hold, as texts, by the names of their inputs."""

MINE, THEIRS = "mine", "theirs"


@dataclass(frozen=True)
class Clash:
    """A question that two people answered differently since one of them opened the form: both answers, and who was first."""

    name: str
    label: str
    mine: str
    theirs: str
    mine_said: str
    theirs_said: str
    who: str
    at: datetime | None


@dataclass(frozen=True)
class Compared:
    """``merged``: what may be stored as it is; ``clashes``: what has to be chosen; ``took``: labels of what came from others."""

    merged: dict[str, str]
    clashes: list[Clash]
    took: list[str]


def chosen(texts: MultiDict[str, str]) -> None:
    """Put the answers that a person chose between into the form."""
    for name in [key.removeprefix("pick-") for key in texts if key.startswith("pick-")]:
        side = texts[f"pick-{name}"]
        if side in (MINE, THEIRS):
            texts[name] = texts.get(f"{side}-{name}", "")


def three_ways(base: Values, theirs: Values, mine: Values) -> tuple[dict[str, str], list[str]]:
    """What all of ``mine`` become where the others went from ``base`` to ``theirs``, and the names on which both went
    different ways; of these ``mine`` is kept for now."""
    merged, both = {}, []
    for name, value in mine.items():
        was, now = base.get(name, ""), theirs.get(name, "")
        merged[name] = now if value == was else value
        if value not in (was, now) and now != was:
            both.append(name)
    return merged, both


def compare(made: Form, sent: Sent, ctx: Ctx, events: list[Event], seen: int) -> Compared | None:
    """How a sent form and what happened since version ``seen`` go together. None where the form does not know what it began
    with, so that nothing can be said."""
    base = _answers(made, replace(ctx, state=Lead.fold(events[:seen])))
    theirs = _answers(made, ctx)
    mine = {name: sent.one(name) for name in base.keys() | theirs.keys() if name in sent.texts}
    if not mine:
        return None
    merged, both = three_ways(base, theirs, mine)
    asked = _asked(made, ctx)
    changed = _changed(made, ctx, events, seen)

    def clash(name: str) -> Clash:
        field, label = asked[name]
        event = changed.get(name)
        return Clash(name, label, mine[name], theirs.get(name, ""), _said(field, mine[name], ctx),
                     _said(field, theirs.get(name, ""), ctx), ctx.names.get(event.actor, "") if event else "",
                     event.at if event else None)

    took = [label for name, (_f, label) in asked.items() if base.get(name, "") != theirs.get(name, "") and name not in both]
    return Compared(merged, [clash(name) for name in sorted(both, key=list(asked).index)], took)


def _answers(made: Form, ctx: Ctx) -> dict[str, str]:
    """What the form begins with at a state of the lead."""
    found: dict[str, str] = {}
    for f in made.fields:
        if f.initial is not None:
            found |= _flat(f, f.initial(ctx))
    return found


def _flat(f: Field, value: Any) -> dict[str, str]:
    if f.kind in ("sheet", "notes"):
        prefix = "mark" if f.kind == "sheet" else "note"
        return {f"{prefix}-{parameter}": str(one) for parameter, one in (value or {}).items()}
    return {f.name: "" if value is None else str(value)}


def _asked(made: Form, ctx: Ctx) -> dict[str, tuple[Field, str]]:
    """The question behind every input, with its words."""
    found: dict[str, tuple[Field, str]] = {}
    for f in made.fields:
        if f.kind == "sheet":
            found |= {f"mark-{p.id}": (f, p.title) for p in ctx.process.parameters.values()}
        elif f.kind == "notes":
            found |= {f"note-{p.id}": (f, _("Заметка: %(name)s", name=p.title)) for p in ctx.process.parameters.values()}
        else:
            found[f.name] = (f, str(f.label))
    return found


def _said(f: Field, value: str, ctx: Ctx) -> str:
    if f.kind == "sheet":
        return {"-1": "−1", "1": "+1"}.get(value, value or "—")
    titles = {str(o[0]): str(o[1]) for o in (f.options(ctx) if f.options else [])}
    return titles.get(value, value)


def _changed(made: Form, ctx: Ctx, events: list[Event], seen: int) -> dict[str, Event]:
    """The newest event since ``seen`` that changed each answer."""
    state: LeadState = Lead.fold(events[:seen])
    before, found = _answers(made, replace(ctx, state=state)), dict[str, Event]()
    for event in events[seen:]:
        state = evolve(state, event)
        after = _answers(made, replace(ctx, state=state))
        found |= {name: event for name in before.keys() | after.keys() if before.get(name, "") != after.get(name, "")}
        before = after
    return found

"""A lead's past for programs: what changed between two moments, why each value is what it is, what another process would do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from hub.domain.errors import Refused
from hub.domain.event import Event
from hub.domain.replay import Change, difference, origins, values
from hub.domain.what_if import WhatIf, what_if
from hub.domain.why import Why, why
from hub.web.api.base import endpoint
from hub.web.api.leads import TAG, At, not_ahead
from hub.web.api.schema import LARGEST
from hub.web.desk import now, the_hub


class DifferenceQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Between which moments: versions or instants."""

    old: At
    new: Annotated[At | None, Meta(description="The present when absent.")] = None


class SetBy(Struct, frozen=True, kw_only=True):
    """The event behind a value. ``why`` is the rule that it followed, by the process version of its day."""

    version: int
    type: str
    at: datetime
    recorded_at: datetime | None
    actor: str
    process_version: int
    why: Why


class ValueChange(Struct, frozen=True, kw_only=True):
    """A value that differs; null where nothing was known."""

    key: str
    before: Any
    after: Any
    set_by: SetBy


class Difference(Struct, frozen=True, kw_only=True):
    """What version ``new`` knows otherwise than version ``old``."""

    old: int
    new: int
    changes: list[ValueChange]


class KnownValue(Struct, frozen=True, kw_only=True):
    """A value by its name, such as ``stage``, ``dues.take.due_at``, ``people.<id>.name``."""

    key: str
    value: Any
    set_by: SetBy


class WhyQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which moment, and of which values."""

    at: Annotated[At | None, Meta(description="A version or an instant; the present when absent.")] = None
    key: Annotated[str, Meta(max_length=200, description="Only values whose name begins so.")] = ""


class Whys(Struct, frozen=True):
    """Everything that is known of the lead at ``version``, each value with the event and the rule behind it."""

    version: int
    items: list[KnownValue]


class WhatIfQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which process, up to which moment."""

    process: Annotated[int, Meta(ge=1, le=LARGEST, description="A version of the process; today's when absent.")] | None = None
    at: Annotated[At | None, Meta(description="A version or an instant; the present when absent.")] = None


def _events(lead: UUID, at: int | datetime | None) -> list[Event]:
    hub = the_hub()
    if isinstance(at, datetime):
        not_ahead(at)
        return hub.past(lead, at=at)
    return hub.past(lead, version=at)


def _set_by(event: Event) -> SetBy:
    process = the_hub().process_of_day(event.process_version or 1)
    return SetBy(version=event.originator_version, type=event.TOPIC, at=event.at, recorded_at=event.recorded_at,
                 actor=event.actor, process_version=event.process_version, why=why(event, process))


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value, str_keys=True, order="deterministic")


def _change(change: Change) -> ValueChange:
    return ValueChange(key=change.key, before=_plain(change.before), after=_plain(change.after), set_by=_set_by(change.event))


@endpoint("GET", "/leads/<uuid:lead>/difference", tag=TAG, query=DifferenceQuery, gives=Difference)
def get_difference(lead: UUID, query: DifferenceQuery) -> Difference:
    """What changed between two moments, value by value, with the event that changed it and the rule behind that."""
    old, events = len(_events(lead, query.old)), _events(lead, query.new)
    if old > len(events):
        raise Refused("moments_swapped", field="old")
    return Difference(old=old, new=len(events), changes=[_change(c) for c in difference(events, old, len(events))])


@endpoint("GET", "/leads/<uuid:lead>/why", tag=TAG, query=WhyQuery, gives=Whys)
def get_why(lead: UUID, query: WhyQuery) -> Whys:
    """For every value of a lead: the event that set it, its author, the process version and the rule of that day."""
    events = _events(lead, query.at)
    state = the_hub().lead(lead, version=len(events))
    behind = origins(events)
    return Whys(len(events), [KnownValue(key=key, value=_plain(value), set_by=_set_by(behind[key]))
                              for key, value in values(state).items() if key in behind and key.startswith(query.key)])


@endpoint("GET", "/leads/<uuid:lead>/what-if", tag=TAG, query=WhatIfQuery, gives=WhatIf)
def get_what_if(lead: UUID, query: WhatIfQuery) -> WhatIf:
    """What another version of the process would have decided about this lead: score, segment and path, deadlines, refusals.

    Nothing is recorded.
    """
    hub = the_hub()
    events = _events(lead, query.at)
    process = hub.process if query.process is None else hub.process_of_day(query.process)
    return what_if(events, process, hub.process_of_day, query.at if isinstance(query.at, datetime) else now())

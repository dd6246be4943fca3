"""``hub lead …``: look at one lead."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from hub.bootstrap import House
from hub.commands.base import Stop, add, group, opened
from hub.domain.errors import Refused
from hub.domain.event import Event


def register(commands: Any) -> None:
    """Add the commands."""
    lead = group(commands, "lead", "look at one lead")
    show = add(lead, "show", lead_show, "a lead as it is, or as it was")
    show.add_argument("id", help="its number or UUID")
    show.add_argument("--at", metavar="WHEN|VERSION", help="a time such as 2026-11-20T14:30, or the number of an event")
    add(lead, "events", lead_events, "all events of a lead").add_argument("id", help="its number or UUID")


def _lead_id(house: House, text: str) -> UUID:
    number = text.lstrip("LlЛл-№#")
    if number.isdigit():
        found = house.hub.views.leads.by_number(int(number))
        if found is None:
            raise Refused("no_such_lead")
        return found
    try:
        return UUID(text)
    except ValueError as error:
        raise Stop(f"{text!r} is neither a lead's number nor a UUID.") from error


def lead_show(arguments: argparse.Namespace) -> int:
    """A lead as it is, or as it was."""
    with opened() as house:
        lead = _lead_id(house, arguments.id)
        version, at = None, None
        if arguments.at:
            if arguments.at.isdigit():
                version = int(arguments.at)
            else:
                at = _moment(arguments.at, house)
        state = house.hub.lead(lead, version=version, at=at)
        print(json.dumps(msgspec.to_builtins(state, str_keys=True), ensure_ascii=False, indent=2))
    return 0


def _moment(text: str, house: House) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Stop(f"{text!r} is neither a time such as 2026-11-20T14:30 nor the number of an event.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(house.hub.process.file.calendar.timezone))


def lead_events(arguments: argparse.Namespace) -> int:
    """All events of a lead."""
    with opened() as house:
        for event in house.hub.history(_lead_id(house, arguments.id)):
            print(_line(event))
    return 0


def _line(event: Event) -> str:
    plain = msgspec.to_builtins(event)
    hidden = set(Event.__struct_fields__)
    said = {k: v for k, v in plain.items() if k not in hidden and v not in ("", None, [], {})}
    late = f" (recorded {event.recorded_at:%Y-%m-%d %H:%M:%S})" if event.recorded_at else ""
    return (f"{event.originator_version:>4}  {event.at:%Y-%m-%d %H:%M:%S}{late}  {event.actor:<44} {event.TOPIC}  "
            f"{json.dumps(said, ensure_ascii=False)}")

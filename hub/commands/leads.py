"""``hub lead …``: look at one lead."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from hub.bootstrap import House, clock
from hub.commands.base import Stop, add, group, opened
from hub.domain.errors import Refused
from hub.domain.event import Event
from hub.domain.process import Process
from hub.domain.process_check import BadProcess, read_process
from hub.domain.what_if import what_if


def register(commands: Any) -> None:
    """Add the commands."""
    lead = group(commands, "lead", "look at one lead")
    show = add(lead, "show", lead_show, "a lead as it is, or as it was")
    show.add_argument("id", help="its number or UUID")
    show.add_argument("--at", metavar="WHEN|VERSION", help="a time such as 2026-11-20T14:30, or the number of an event")
    tried = add(lead, "what-if", lead_what_if, "what another process would have decided about a lead; nothing is recorded")
    tried.add_argument("id", help="its number or UUID")
    tried.add_argument("--process", metavar="VERSION|FILE", help="a version that was in force, or a process file; today's process"
                       " when absent")
    tried.add_argument("--at", metavar="WHEN|VERSION", help="up to this time or event; to the present when absent")
    add(lead, "events", lead_events, "all events of a lead").add_argument("id", help="its number or UUID")


def lead_id(house: House, text: str) -> UUID:
    """A lead by its number or UUID, as people type it."""
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
        lead = lead_id(house, arguments.id)
        version, at = _which(arguments.at, house)
        state = house.hub.lead(lead, version=version, at=at)
        print(json.dumps(msgspec.to_builtins(state, str_keys=True), ensure_ascii=False, indent=2))
    return 0


def _which(text: str | None, house: House) -> tuple[int | None, datetime | None]:
    """A version or a time; neither for the present."""
    if not text:
        return None, None
    if text.isdigit():
        return int(text), None
    at = _moment(text, house)
    if at > clock():
        raise Stop(f"{text} has not come yet: name a time that has passed.")
    return None, at


def lead_what_if(arguments: argparse.Namespace) -> int:
    """What another process would have decided about a lead."""
    with opened() as house:
        lead = lead_id(house, arguments.id)
        version, at = _which(arguments.at, house)
        events = house.hub.past(lead, version=version, at=at)
        found = what_if(events, _process(arguments.process, house), house.hub.process_of_day, at or clock())
        print(json.dumps(msgspec.to_builtins(found, str_keys=True), ensure_ascii=False, indent=2))
    return 0


def _process(named: str | None, house: House) -> Process:
    if not named:
        return house.hub.process
    if named.isdigit():
        return house.hub.process_of_day(int(named))
    try:
        text = Path(named).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{named} cannot be read: name a version of the process, or a process file.") from error
    try:
        return Process(read_process(text))
    except BadProcess as bad:
        raise Stop(f"{named} is no process:\n{bad}") from bad


def _moment(text: str, house: House) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Stop(f"{text!r} is neither a time such as 2026-11-20T14:30 nor the number of an event.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(house.hub.process.file.calendar.timezone))


def lead_events(arguments: argparse.Namespace) -> int:
    """All events of a lead."""
    with opened() as house:
        for event in house.hub.history(lead_id(house, arguments.id)):
            print(_line(event))
    return 0


def _line(event: Event) -> str:
    plain = msgspec.to_builtins(event)
    hidden = set(Event.__struct_fields__)
    said = {k: v for k, v in plain.items() if k not in hidden and v not in ("", None, [], {})}
    late = f" (recorded {event.recorded_at:%Y-%m-%d %H:%M:%S})" if event.recorded_at else ""
    return (f"{event.originator_version:>4}  {event.at:%Y-%m-%d %H:%M:%S}{late}  {event.actor:<44} {event.TOPIC}  "
            f"{json.dumps(said, ensure_ascii=False)}")

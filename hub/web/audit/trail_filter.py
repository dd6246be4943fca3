"""What of the audit trail an address asks for: who, what, when, which lead, and from which place on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID

from msgspec.structs import replace

from hub.application import LeadHub
from hub.domain.errors import NotFound, Refused, sentences
from hub.projections.trail import Place, Wanted
from hub.web import words
from hub.web.audit.trail_kinds import GROUPS, KINDS, OTHER, group_title, kind_title, topics_of

LARGEST_NUMBER = 10**9
LARGEST_PLACE = 1 << 62
NAMES = ("who", "what", "since", "until", "lead")

sentences(
    trail_which_lead=("Напишите номер заявки, например L-17.", "Write the number of a lead, such as L-17."),
    trail_what_day=("Выберите день в календаре или напишите как 2026-11-23 или 2026-11-23T11:20.",
                    "Choose a day in the calendar, or write 2026-11-23 or 2026-11-23T11:20."),
    trail_turned=("Начало позже конца. Поменяйте их местами.", "The beginning is after the end. Turn them round."),
    trail_no_kind=("Такого вида событий нет. Выберите из списка.", "There is no such kind of event. Choose from the list."),
    trail_no_place=("Этой страницы журнала нет. Начните с первой.", "There is no such page of the trail. Start with the first."),
)


@dataclass(frozen=True)
class Asked:
    """What was typed, by name, and what it means."""

    given: Mapping[str, str]
    wanted: Wanted

    @property
    def kept(self) -> dict[str, str]:
        """The parts of the address that narrow."""
        return {name: value for name, value in self.given.items() if value}

    def query(self, **more: str) -> str:
        """The rest of the address, with ``more``."""
        return urlencode({**self.kept, **more})


def typed(args: Mapping[str, str]) -> dict[str, str]:
    """What stands in the fields."""
    return {name: args.get(name, "").strip()[:200] for name in NAMES}


def read(hub: LeadHub, given: Mapping[str, str]) -> Asked:
    """What an address asks for. Refused, at the field, where it makes no sense."""
    since, until = moment(given.get("since", ""), "since", end=False), moment(given.get("until", ""), "until", end=True)
    if since is not None and until is not None and since >= until:
        raise Refused("trail_turned", field="until")
    what = given.get("what", "")
    there = hub.views.trail.names()[1]
    if what and what != OTHER and what not in GROUPS and what not in KINDS and what not in there:
        raise Refused("trail_no_kind", field="what")
    topics = topics_of(what, there) if what else ()
    wanted = Wanted(who=given.get("who", ""), topics=topics or (("none",) if what else ()), since=since, until=until)
    if given.get("lead", ""):
        wanted = replace(wanted, lead=lead_of(hub, given["lead"]))
    return Asked(given, wanted)


def moment(text: str, field: str, *, end: bool) -> datetime | None:
    """The instant that a day or a time names in the company's zone; ``end``: of a day its end."""
    text = text.strip()
    if not text:
        return None
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise Refused("trail_what_day", field=field) from None
        if not 1970 < day.year < 9000:
            raise Refused("trail_what_day", field=field)
        return datetime.combine(day + timedelta(days=end), time(), words.company_zone())
    try:
        return words.instant(text, field)
    except Refused as refused:
        raise Refused("trail_what_day", field=field) from refused


def lead_of(hub: LeadHub, text: str) -> UUID:
    """A lead by its number as people write it, or by its id."""
    digits = text.lstrip("LlЛл-№# ")
    if digits.isascii() and digits.isdigit() and int(digits) < LARGEST_NUMBER:
        found = hub.views.leads.by_number(int(digits))
        if found is not None:
            return found
        refused = NotFound("no_such_lead")
        refused.field = "lead"
        raise refused
    try:
        return UUID(text)
    except ValueError:
        raise Refused("trail_which_lead", field="lead") from None


def place(text: str) -> Place | None:
    """A place of an address, ``<time>.<position>``; None where there is none."""
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,19})\.(\d{1,19})", text, re.ASCII)
    if found is None or max(int(found[1]), int(found[2])) >= LARGEST_PLACE:
        raise Refused("trail_no_place")
    return Place(int(found[1]), int(found[2]))


def written(at: Place) -> str:
    """What :func:`place` reads."""
    return f"{at.at}.{at.position}"


def described(given: Mapping[str, str], who: str = "") -> dict[str, str]:
    """A filter in words, for the record of an export; ``who`` is the name of whose events are wanted."""
    said = {name: value for name, value in given.items() if value}
    if "what" in said:
        said["what"] = group_title(said["what"]) if said["what"] in (*GROUPS, OTHER) else kind_title(said["what"])
    if "who" in said and who:
        said["who"] = who
    return said

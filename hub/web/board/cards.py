"""A lead as the board and the list show it: what is due, what comes next, where one can go with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app, g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from hub.domain.process import Process
from hub.domain.state import Due
from hub.projections.lead_queries import DEFERRALS
from hub.projections.lead_tags import tags_in
from hub.web import words
from hub.web.desk import may, now, the_hub
from hub.web.frame import address_of, language
from hub.web.lead.words import AGREED_DUES, PURPOSE_ICONS, PURPOSES

KEPT = 3_000
"""Drawn cards that are kept at most, some 2 KiB each."""
LOCAL_TIME = "\ue000"
"""Stands in a drawn card for what the client's clock shows."""
ASKS = {"sleep": _l("Отложить…"), "wake": _l("Разбудить…"), "lose": _l("Проиграна…"), "refuse": _l("Отказать…"),
        "win": _l("Договор подписан…")}
"""What the menu of a card and the places to drop it at call what asks something first."""
NEAR = timedelta(minutes=5)
NEAR_SHARE = 0.25
"""A deadline is near in its last quarter, and in its last five minutes."""


@dataclass(frozen=True)
class Deadline:
    """What the macro ``due`` draws."""

    title: str
    due_at: datetime
    state: str
    started_at: datetime | None = None


@dataclass(frozen=True)
class Card:
    """A lead on the board."""

    id: str
    number: int
    url: str
    title: str
    about: str
    segment: str
    total: int | None
    deadline: Deadline | None
    next: str
    next_at: datetime | None
    next_icon: str
    channel: str
    source: str
    zone: str
    owner: str
    continuations: int
    deferred: bool
    test: bool
    asleep_until: datetime | None
    can_take: bool
    tags: tuple[str, ...]
    moves: tuple[tuple[str, str], ...]
    asks: tuple[str, ...]
    """What else can be done with it that asks something first: keys of :data:`ASKS`."""
    local_time: str = field(compare=False)
    """Not a part of what is compared: it changes every minute, and a drawn card is kept."""


@dataclass(frozen=True)
class Looker:
    """Who looks, and what they may do. ``segments`` are the only ones they work, beside what is theirs or offered to
    them (R12: a trainee); empty where there is no limit."""

    id: str
    works: bool
    names: Mapping[str, str]
    segments: frozenset[str] = frozenset()

    def may_work(self, row: Any) -> bool:
        """Whether commands on the lead of ``row`` are worth offering; the hub decides again."""
        theirs = self.id == row["owner"] or self.id in row["offered_to"].split()
        return self.works and (not self.segments or theirs or row["segment"] in self.segments)


def lead_url(lead: str | UUID) -> str:
    """The address of a lead's page."""
    return f"/leads/{UUID(str(lead))}"


def when(text: str | None) -> datetime | None:
    """An instant as the read models keep it."""
    return datetime.fromisoformat(text) if text else None


def due_title(kind: str, process: Process) -> str:
    """What must be done, in words: deadlines of the file by its title, agreed ones by ours."""
    if kind in process.deadlines:
        return process.deadlines[kind].title
    return str(AGREED_DUES.get(kind, kind))


def what_is_due(row: Any, process: Process) -> str:
    """What is due first on a lead, in words; a step that is planned is not to be planned again."""
    kind = (row["due_key"] or "").partition(":")[0]
    return str(_("Следующий шаг")) if kind == "next_step" and row["next_step"] else due_title(kind, process)


def state_of(due_at: datetime, since: datetime | None, now: datetime) -> str:
    """``bad`` once it has passed, ``warn`` when it is near, else ``ok``."""
    left = due_at - now
    if left <= timedelta():
        return "bad"
    near = max(NEAR, (due_at - since) * NEAR_SHARE) if since else NEAR
    return "warn" if left <= near else "ok"


def deadline_of(row: Any, process: Process, now: datetime) -> Deadline | None:
    """What is due first on a lead. A clock of working minutes stands still while the department is closed (R7)."""
    due_at, since = when(row["due_at"]), when(row["due_set_at"])
    if due_at is None or row["asleep_until"]:
        return None
    kind = Due(row["due_key"], due_at, since or due_at).kind
    title = what_is_due(row, process)
    title = title[:1].lower() + title[1:]
    rule = process.deadlines.get(kind)
    if rule and rule.minutes and rule.clock == "working" and due_at > now and not process.calendar.is_open(now):
        opening = process.calendar.next_opening(now).astimezone(ZoneInfo(process.calendar.timezone))
        return Deadline(_("до %(time)s, %(what)s", time=f"{opening:%d.%m %H:%M}", what=title), due_at, "pause")
    return Deadline(title, due_at, state_of(due_at, since, now), since)


def local_time(zone: str, now: datetime) -> str:
    """What the client's clock shows, where their zone is known."""
    return f"{now.astimezone(ZoneInfo(zone)):%H:%M}" if zone else ""


def card_of(row: Any, process: Process, looker: Looker, now: datetime) -> Card:
    """A row of the read model as a card."""
    meeting_at = when(row["meeting_at"])
    asleep = when(row["asleep_until"])
    text, icon = row["next_step"], "list-todo"
    if meeting_at is not None and not asleep:
        text = ": ".join(filter(None, (str(PURPOSES.get(row["meeting_purpose"], row["meeting_purpose"])), row["meeting_goal"])))
        icon = PURPOSE_ICONS.get(row["meeting_purpose"], "calendar-days")
    mine = looker.id == row["owner"]
    offered = looker.id in row["offered_to"].split()
    return Card(
        id=str(UUID(row["id"])), number=row["number"], url=lead_url(row["id"]), title=row["name"], about=_about(row),
        segment=row["segment"], total=row["total"], deadline=deadline_of(row, process, now), next=text,
        next_at=meeting_at if not asleep else None, next_icon=icon, channel=row["channel"], source=row["source_title"],
        zone=row["timezone"], owner=looker.names.get(row["owner"], "") if row["owner"] else "",
        continuations=row["continuations"], deferred=row["continuations"] >= DEFERRALS, test=bool(row["test"]),
        asleep_until=asleep,
        can_take=looker.may_work(row) and not mine and (not row["owner"] or offered),
        moves=tuple((to, process.stages[to].title) for to in process.targets(row["stage"]))
        if looker.may_work(row) and not asleep else (), tags=tuple(tags_in(row)),
        asks=asks_of(row, process) if looker.may_work(row) else (), local_time=local_time(row["timezone"], now))


class Drawn(dict[Any, Markup]):
    """Cards that were drawn, by what they show; none after an erasure."""

    __hash__ = object.__hash__  # type: ignore[assignment]

    def forget(self) -> None:
        """Somebody was erased: draw all of them again."""
        self.clear()


def drawn(macro: Callable[[Card, str], Markup], card: Card) -> Markup:
    """A card as ``macro`` of the template draws it. Most cards are the same as at the last look: drawn ones are kept."""
    kept: Drawn | None = current_app.extensions.get("board cards")
    if kept is None:
        kept = current_app.extensions.setdefault("board cards", Drawn())
        the_hub().store.keys.watch(kept.forget)
    key = (card, *_around())
    found = kept.get(key)
    if found is None:
        if len(kept) >= KEPT:
            kept.clear()
        found = kept[key] = macro(card, LOCAL_TIME)
    return Markup(found.replace(LOCAL_TIME, card.local_time)) if card.local_time else found


def _around() -> tuple[object, ...]:
    """What a drawn card shows beside the card: words, the company's zone and year for its times, the address of its icons."""
    if "around_cards" not in g:
        zone = words.company_zone()
        g.around_cards = (language(), may("work", "intake", "account"), zone.key,
                          now().astimezone(zone).year, address_of("static", filename="icons.svg"))
    found: tuple[object, ...] = g.around_cards
    return found


def asks_of(row: Any, process: Process) -> tuple[str, ...]:
    """What can be asked of a lead where it stands: the same as by dropping it there (R8, R28). The hub decides again."""
    if not row["is_open"] or not row["owner"]:
        return ()
    if row["asleep_until"]:
        return ("wake",)
    stage = row["stage"]
    given = {"sleep": True, "lose": stage in process.endings["lost"].sources, "refuse": True,
             "win": stage in process.endings["won"].sources and row["total"] is not None}
    return tuple(ask for ask, there in given.items() if there)


def _about(row: Any) -> str:
    """What the lead is about, unless its name says that already."""
    about: str = row["about"]
    return about if about.strip() != row["name"].strip() else ""

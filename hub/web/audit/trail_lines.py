"""The lines of the audit trail: each event of the log, and each refused attempt, as a sentence with what changed by it.

Events of leads are told as their card tells them, by the state that they met; all others from their own fields. What is
personal reads as it does everywhere: words instead of it where the person was erased.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _

from hub.application import LeadHub
from hub.domain.event import Event
from hub.domain.evolve import evolve
from hub.domain.state import LeadState
from hub.projections.trail import Place, instant
from hub.store import Unreadable
from hub.store.base import Notification
from hub.web.audit.trail_fields import Fields
from hub.web.audit.trail_kinds import group_of, kind_title
from hub.web.frame import the_process
from hub.web.lead import view  # noqa: F401  its modules bring the sentences
from hub.web.lead.story import Change, Teller, tell

log = logging.getLogger(__name__)

STATES_KEPT = 5_000
"""States of leads at hand while a long part of the trail is told."""
NUMBERS_KEPT = 50_000
ICONS = {"access": "lock", "refused": "ban", "people": "users", "tokens": "key-round", "process": "route", "settings": "settings",
         "proof": "shield-check", "exports": "download", "privacy": "trash-2", "intake": "inbox", "upkeep": "wrench",
         "deadlines": "bell"}


@dataclass(frozen=True)
class TrailLine:
    """A line. ``at``: when the hub learned of it; ``happened``: when it was so, where that was earlier; ``number``: of the lead
    that it is of or about; ``version``: its number among the events of its stream; ``leaf``: its number in the tree of the
    log, None where it is not hashed yet; ``readable`` False where the stored event cannot be read any more."""

    place: Place
    at: datetime
    happened: datetime | None
    topic: str
    group: str
    actor: str
    who: str
    what: str
    text: str
    changes: tuple[Change, ...]
    icon: str
    tone: str
    stream: UUID | str
    version: int
    lead: UUID | None
    number: int | None
    leaf: int | None
    readable: bool = True

    @property
    def own(self) -> bool:
        """Whether it is an event of the lead itself, which has a moment of its own on the card."""
        return self.topic.startswith("lead.") and self.stream == self.lead


class Numbers(Mapping[UUID, int]):
    """Numbers of leads by their ids, looked up when they are needed."""

    def __init__(self, hub: LeadHub) -> None:
        self._hub = hub
        self._known: dict[UUID, int | None] = {}

    def _look(self, lead: UUID) -> int | None:
        if lead not in self._known:
            if len(self._known) >= NUMBERS_KEPT:
                self._known.clear()
            row = self._hub.views.leads.one(lead)
            self._known[lead] = row["number"] if row else None
        return self._known[lead]

    def __getitem__(self, lead: UUID) -> int:
        found = self._look(lead)
        if found is None:
            raise KeyError(lead)
        return found

    def __iter__(self) -> Iterator[UUID]:
        return (lead for lead, number in self._known.items() if number is not None)

    def __len__(self) -> int:
        return sum(number is not None for number in self._known.values())


class Storyteller:
    """Makes lines of places; for one page, or for one file."""

    def __init__(self, hub: LeadHub) -> None:
        self.hub = hub
        self.numbers = Numbers(hub)
        self.names = {f"user:{id}": user.name for id, user in hub.users().items()}
        self.teller = Teller(the_process(), self.names, self.numbers)
        self.fields = Fields(hub, self.teller)
        self._states: OrderedDict[UUID, tuple[int, LeadState]] = OrderedDict()

    def lines(self, places: Sequence[Place]) -> list[TrailLine]:
        """The lines of ``places``, in their order. What was taken out of the log since is said, never left out."""
        rows = self.hub.views.trail.rows({place.position for place in places})
        with self.hub.store.reading() as cursor:
            leaves = self.hub.audit.ledger.leaf_numbers(cursor, [place.position for place in places])
        told = {place: self._line(place, rows.get(place.position), leaves.get(place.position))
                for place in sorted(places)}  # in the order of the log, in which the states of a lead follow each other
        return [told[place] for place in places]

    def _line(self, place: Place, row: Notification | None, leaf: int | None) -> TrailLine:
        if row is None:
            return _lost(place, "", UUID(int=0), 0, leaf, _("Этого события больше нет: журнал меняли в обход хаба"))
        try:
            event = self.hub.store.decode(row)
        except Unreadable:
            return _lost(place, row.topic, row.originator_id, row.originator_version, leaf,
                         _("Событие не читается: его меняли в обход хаба"))
        found = getattr(event, "lead", None) or getattr(event, "target", None)
        lead = event.originator_id if event.TOPIC.startswith("lead.") else found if isinstance(found, UUID) else None
        what, who, text, changes, icon, tone = self._told(event)
        return TrailLine(
            place=place, at=instant(place.at), happened=event.at if event.recorded_at is not None else None, topic=event.TOPIC,
            group=group_of(event.TOPIC), actor=event.actor, who=who, what=what, text=text, changes=changes, icon=icon, tone=tone,
            stream=event.originator_id, version=event.originator_version, lead=lead,
            number=self.numbers.get(lead) if lead is not None else None, leaf=leaf)

    def _told(self, event: Event) -> tuple[str, str, str, tuple[Change, ...], str, str]:
        group = group_of(event.TOPIC)
        if not event.TOPIC.startswith("lead."):
            said = self.fields.tell(event)
            return (said.title, said.who or self.teller.who(event.actor), said.text, said.changes, ICONS.get(group, "info"),
                    said.tone)
        before = self._before(event)
        try:
            entry = tell(event, before, self.teller)
        except Exception as error:  # what was altered by hand may hold anything; the line says so, and the others are told
            log.error("an event %s of an altered lead cannot be told (%s)", event.TOPIC, type(error).__name__)
            return kind_title(event.TOPIC), self.teller.who(event.actor), "", (), "shield-alert", "bad"
        title = entry.title if entry.title != event.TOPIC else kind_title(event.TOPIC)
        return title, entry.who, entry.text, entry.changes, entry.icon, entry.tone

    def _before(self, event: Event) -> LeadState:
        """The state that an event of a lead met; where the lead was altered past the hub, what its readable events make."""
        lead, wanted = event.originator_id, event.originator_version - 1
        version, state = self._states.get(lead, (0, LeadState()))
        if version > wanted:
            version, state = 0, LeadState()
        for earlier in self._readable(lead, version, wanted) if version < wanted else ():
            state = _after(state, earlier)
        self._states[lead] = event.originator_version, _after(state, event)
        self._states.move_to_end(lead)
        if len(self._states) > STATES_KEPT:
            self._states.popitem(last=False)
        return state

    def _readable(self, lead: UUID, after: int, upto: int) -> Sequence[Event]:
        try:
            return self.hub.store.read(lead, after, upto)
        except Unreadable:
            found = []
            for row in self.hub.store.raw(lead, after, upto):
                with suppress(Unreadable):
                    found.append(self.hub.store.decode(row))
            return found


def _after(state: LeadState, event: Event) -> LeadState:
    """The state after an event; as it was where an altered one does not fit it."""
    try:
        return evolve(state, event)
    except Exception as error:
        log.error("an event %s of an altered lead does not follow (%s)", event.TOPIC, type(error).__name__)
        return state


def _lost(place: Place, topic: str, stream: UUID | str, version: int, leaf: int | None, said: str) -> TrailLine:
    lead = stream if topic.startswith("lead.") and isinstance(stream, UUID) else None
    return TrailLine(place=place, at=instant(place.at), happened=None, topic=topic, group=group_of(topic), actor="", who="",
                     what=said, text="", changes=(), icon="shield-alert", tone="bad", stream=stream, version=version, lead=lead,
                     number=None, leaf=leaf, readable=False)

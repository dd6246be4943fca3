"""The card as it was at a moment, and the slider over the events of a lead. Nothing can be done from the past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _

from hub.domain import events as e
from hub.domain.errors import NotAllowed, NotFound, Refused
from hub.domain.event import Event
from hub.domain.evolve import evolve
from hub.domain.lead import Lead
from hub.domain.process import Process
from hub.domain.replay import known_at
from hub.domain.state import LeadState
from hub.projections.leads import columns
from hub.web import words
from hub.web.desk import parts, the_hub
from hub.web.frame import in_words, the_process
from hub.web.lead import story
from hub.web.lead import words as w
from hub.web.lead.view import Card, lead_url
from hub.web.past import Moment

TURNS = (e.StageEntered, e.LeadTaken, e.LeadReassigned, e.LeadScored, e.MeetingHeld, e.ProposalSent, e.ProposalPresented,
         e.LeadWon, e.LeadLost, e.LeadRefused, e.LeadSlept, e.LeadWoken, e.LeadReopened, e.LeadMergedInto, e.LeadSplitOff)
"""Events that stand out on the slider."""
TRACK = 1000
"""Width of the slider's picture, in its own units."""


@dataclass(frozen=True)
class Tick:
    """An event on the slider. ``state``: ``k`` a turn, ``off`` later than the moment that is shown."""

    x: float
    state: str


@dataclass(frozen=True)
class Bar:
    """The slider: where we are, and where its buttons lead. ``past`` is empty in the present."""

    number: int
    count: int
    at: datetime
    past: bool
    ticks: list[Tick]
    labels: list[str]
    first: str
    back: str
    forward: str
    now: str
    link: str
    difference: str
    why: str
    what_if: str
    print: str
    note: str = ""
    since: str = ""


def bar_of(lead: UUID, events: list[Event], number: int, at: datetime, past: bool, *, note: str = "", since: str = "") -> Bar:
    """The slider of a lead whose whole history is ``events``, at event ``number``."""
    count = len(events)
    step = TRACK / max(1, count - 1)
    ticks = [Tick(round(place * step, 1), " ".join(filter(None, ("k" if isinstance(event, TURNS) else "",
                                                                 "off" if place >= number else ""))))
             for place, event in enumerate(events)]
    moment = number if past else None

    def there(n: int) -> str:
        return lead_url(lead, at=n)
    return Bar(
        number=number, count=count, at=at, past=past, ticks=ticks, labels=[words.moment(known_at(event)) for event in events],
        first=there(1), back=there(number - 1) if number > 1 else "",
        forward="" if not past else there(number + 1) if number < count else lead_url(lead), now=lead_url(lead),
        link=parts().public_url.rstrip("/") + there(number), note=note, since=since,
        difference=url_for("lead.difference", lead=lead, old=number if past else None),
        why=url_for("lead.why", lead=lead, at=moment), what_if=url_for("lead.what_if", lead=lead, at=moment),
        print=url_for("lead.printed", lead=lead, at=moment))


def present_bar(card: Card) -> Bar:
    """The slider of the card as it is now."""
    return bar_of(card.id, card.events, card.version, card.at, past=False)


class PastCard(Card):
    """A lead at a moment, with the rules of that day. It answers what templates ask of a card, and offers nothing."""

    def __init__(self, lead: UUID, moment: Moment) -> None:
        self.hub = the_hub()
        self.id = lead
        self.moment = moment
        self.events = self.hub.past(lead, version=moment.version, at=moment.at)
        self.whole = self.hub.history(lead)
        self.version = len(self.events)
        self.at = moment.at or known_at(self.events[-1])
        self.process = self._process()
        self.names = {f"user:{id}": u.name for id, u in self.hub.users().items()}
        self.teller = story.Teller(self.process, self.names, self._numbers())
        self.s: LeadState = Lead.fold(self.events)

    def _process(self) -> Process:
        """The one that the last event was decided under; between two events the one in force."""
        if self.moment.at is not None:
            return in_words(self.hub.process_at(self.moment.at))
        decided = next((event.process_version for event in reversed(self.events) if event.process_version), 0)
        return in_words(self.hub.process_of_day(decided) if decided else self.hub.process_at(self.at))

    def refusal_of(self, command: str) -> Refused | None:
        return NotAllowed("in_the_past")

    @property
    def can_mail(self) -> bool:
        return False

    @property
    def can_write(self) -> bool:
        return False

    @cached_property
    def works(self) -> bool:
        return False

    @cached_property
    def others(self) -> list[Any]:
        """The related cards that there were, as they were."""
        found = []
        for row in super().others:
            try:
                state = self.hub.lead(UUID(row["id"]), at=self.at)
            except NotFound:
                continue
            found.append({"id": row["id"], "number": row["number"], **columns(state)})
        return found

    @cached_property
    def bar(self) -> Bar:
        """The slider at this moment."""
        return bar_of(self.id, self.whole, self.version, self.at, past=True, note=self.moment.note, since=self._since())

    def _since(self) -> str:
        """What came after, in a few words: so many events, another stage."""
        later = len(self.whole) - self.version
        if not later:
            return str(_("с тех пор ничего не изменилось"))
        state = self.s
        for event in self.whole[self.version:]:
            state = evolve(state, event)
        said = [words.plural(later, _("событие"), _("события"), _("событий"))]
        if state.ended and state.ended != self.s.ended:
            said.append(w.said(w.ENDINGS, state.ended).lower())
        elif state.stage != self.s.stage:
            said.append(f"{w.titled(self.process.stages, self.s.stage)} → {w.titled(the_process().stages, state.stage)}")
        return str(_("с тех пор: %(what)s", what=", ".join(said)))


def dues_said(card: Card) -> list[tuple[Any, str]]:
    """What was due, with the time that was left then: a countdown of the past stands still."""
    found = []
    for due in card.dues:
        left = due.due_at - card.at
        said = _("просрочено на %(time)s", time=words.span(left)) if left.total_seconds() < 0 else \
            _("оставалось %(time)s", time=words.span(left))
        found.append((due, str(said)))
    return found


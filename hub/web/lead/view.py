"""The card as the template draws it, from one read of the lead's events and a few small views."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from flask import url_for
from flask_babel import gettext as _

from hub.domain import events as e
from hub.domain.aggregate import Stamp
from hub.domain.errors import NotAllowed, Refused
from hub.domain.guards import RULES, holds
from hub.domain.lead import COMMANDS, Lead
from hub.domain.process import Checklist
from hub.domain.state import Due, LeadState, Meeting, Person
from hub.web import words
from hub.web.board.cards import state_of
from hub.web.desk import me, now, the_hub
from hub.web.frame import language, the_process
from hub.web.lead import (
    forms,
    forms_board,
    forms_calls,
    forms_deal,
    forms_end,
    forms_meet,
    forms_talk,
    story,
    tell_board,
    tell_calls,
    tell_deal,
    tell_erasing,
    tell_intake,
    tell_letters,
    tell_talk,
    tell_work,
)
from hub.web.lead import words as w
from hub.web.lead.form import FORMS, GROUPS, Ctx, Form
from hub.web.lead.letters import by_mail
from hub.web.lead.next import Act, next_action

REGISTERED = (forms, forms_board, forms_calls, forms_deal, forms_end, forms_meet, forms_talk, tell_board, tell_calls, tell_deal,
              tell_erasing, tell_intake, tell_letters, tell_talk, tell_work)
"""Modules whose forms and sentences register themselves."""

SHOWN = 40
"""Lines of the timeline before «показать раньше»."""


@dataclass(frozen=True)
class Deadline:
    """A deadline as macros/ui.html draws it."""

    key: str
    title: str
    due_at: datetime
    started_at: datetime
    state: str


@dataclass(frozen=True)
class Target:
    """A stage or an end that the lead may go to, and what is missing for it."""

    id: str
    title: str
    lacking: tuple[str, ...]
    url: str


@dataclass(frozen=True)
class Item:
    """A line of a checklist."""

    id: str
    title: str
    done: bool
    owner: str
    note: str


def lead_url(lead: UUID, **more: Any) -> str:
    """The address of a card."""
    return url_for("lead.card", lead=lead, **more)


def do_url(lead: UUID, command: str, **given: Any) -> str:
    """The address of a command's form, with what is known already."""
    return url_for("lead.do", lead=lead, command=command, **given)


class Card:
    """A lead for the length of one page. Reading an ended or merged one is the same."""

    def __init__(self, lead: UUID) -> None:
        self.hub = the_hub()
        self.id = lead
        self.at = now()
        self.events = self.hub.history(lead)
        self.version = self.events[-1].originator_version
        self.process = the_process()
        self.names = {f"user:{id}": u.name for id, u in self.hub.users().items()}
        self.teller = story.Teller(self.process, self.names, self._numbers())
        self.s: LeadState = Lead.fold(self.events)

    # ── who may ──────────────────────────────────────────────────────────────────

    @cached_property
    def ctx(self) -> Ctx:
        """What the forms may offer."""
        active = {f"user:{id}": u for id, u in self.hub.users().items() if not u.disabled}
        names, roles = {id: u.name for id, u in active.items()}, {id: frozenset(u.roles) for id, u in active.items()}
        return Ctx(self.hub, self.id, self.s, self.process, names, roles, me().actor, self.at)

    @cached_property
    def _asker(self) -> Lead:
        return Lead(self.id, Stamp(me().actor, self.at, uuid4()), self.s, self.version, process=self.process)

    def refusal_of(self, command: str) -> Refused | None:
        """Why the reader may not give a command to this lead, by role and segment; None where they may."""
        try:
            self._asker.authorise(*COMMANDS[command].permissions)
        except NotAllowed as refused:
            return refused
        return None

    def may(self, command: str) -> bool:
        """Whether the reader's role may give ``command`` to this lead."""
        return self.refusal_of(command) is None

    @property
    def can_mail(self) -> bool:
        """Whether a mailbox of ours can write to somebody of the client's."""
        return bool(by_mail(self.ctx))

    @property
    def can_write(self) -> bool:
        """Whether one of our channels reaches somebody of the client's."""
        return bool(forms_talk.routes(self.ctx))

    @cached_property
    def works(self) -> bool:
        """Whether the reader works this lead while it is open."""
        return self.may("note") and self.s.open and self.may("log_attempt")

    def offers(self, form: Form) -> bool:
        """Whether a form makes sense now and the reader may give it."""
        info = COMMANDS[form.command]
        return (self.s.open or (info.ended and self.s.merged_into is None)) and form.when(self.s) and self.may(form.command)

    # ── the head ─────────────────────────────────────────────────────────────────

    def _numbers(self) -> dict[UUID, int]:
        wanted = {getattr(ev, name, None) for ev in self.events for name in ("previous_lead", "other", "survivor", "lead")}
        rows = {id: self.hub.views.leads.one(id) for id in {*wanted, self.id} if isinstance(id, UUID)}
        return {id: row["number"] for id, row in rows.items() if row is not None}

    @property
    def number(self) -> int | None:
        """The number as people say it; None for a moment after it was opened."""
        return self.teller.numbers.get(self.id)

    def number_of(self, lead: UUID) -> str:
        """Another card by its number."""
        return self.teller.card(lead)

    @cached_property
    def zone(self) -> str:
        """The client's time zone."""
        return self.s.person.timezone or next((p.timezone for p in self.s.people.values() if p.timezone), "")

    @property
    def city(self) -> str:
        """The client's time zone by its city."""
        return w.cities(self.zone)

    def theirs(self, at: datetime) -> str:
        """A moment on the client's clock, where it is another than ours."""
        there = at.astimezone(ZoneInfo(self.zone)) if self.zone else None
        here = words.local(at)
        return f"{there:%H:%M}" if there and here and there.utcoffset() != here.utcoffset() else ""

    @property
    def not_decider(self) -> str:
        """What to say where we do not talk to the one who decides."""
        if self.s.decision_maker is None:
            return _("ЛПР неизвестен") if self.s.segment == "A" else ""
        return "" if self.s.decision_maker == self.s.main_person else _("говорим не с ЛПР")

    @cached_property
    def stages(self) -> list[tuple[str, str, str]]:
        """The stage bar: titles, states, and how long the lead stayed (R26)."""
        spent: dict[str, float] = {}
        for row in self.hub.views.intervals.of(self.id.hex, self.at):
            left = datetime.fromisoformat(row["left_at"]) if row["left_at"] else self.at
            spent[row["stage"]] = spent.get(row["stage"], 0) + (left - datetime.fromisoformat(row["entered_at"])).total_seconds()
        ahead = {m.purpose: words.day(m.starts_at) for m in reversed(self.s.planned_meetings)}
        bar, passed = [], self.s.stage in self.process.stages
        for id, stage in self.process.stages.items():
            if id == "refusal" and id not in self.s.visited:
                continue
            if id == self.s.stage:
                passed = False
            state = "now" if id == self.s.stage else "done" if id in self.s.visited and (passed or id in self.s.visited) else ""
            note = words.span(spent[id]) if id in spent else ahead.get(id, "")
            bar.append((stage.title, state, note))
        return bar

    # ── what is next ─────────────────────────────────────────────────────────────

    @cached_property
    def act(self) -> Act:
        """The one main button."""
        return forms_talk.answer_instead(next_action(self.s, self.process, self.at, head="head" in me().roles), self.ctx)

    @property
    def act_url(self) -> str:
        """Where the main button leads."""
        if self.act.command == "survivor":
            return lead_url(self.s.merged_into or self.id)
        if self.act.command == "refusal":
            return url_for("lead.refusal", lead=self.id)
        return do_url(self.id, self.act.command, **self.act.given)

    @property
    def act_allowed(self) -> bool:
        """Whether the reader may do what is next."""
        name = {"refusal": "ask_letter", "survivor": ""}.get(self.act.command, self.act.command)
        return not name or self.may(name)

    @cached_property
    def dues(self) -> list[Deadline]:
        """Everything that is due, the first one first."""
        return [self._deadline(d) for d in sorted(self.s.dues.values(), key=lambda d: d.due_at)]

    def _deadline(self, due: Due) -> Deadline:
        """A clock of working minutes stands still while the department is closed (R7), and so does its countdown."""
        kind = self.process.deadlines.get(due.kind)
        title = w.due_title(due.key, self.process)
        if due.kind == "next_step" and self.s.next_step is not None:
            title = str(_("Сделать следующий шаг"))
        title, state = title[:1].lower() + title[1:], state_of(due.due_at, due.set_at, self.at)
        if kind and kind.minutes and kind.clock == "working" and state != "bad" and not self.process.calendar.is_open(self.at):
            title, state = str(_("до %(at)s, %(what)s", at=words.moment(due.due_at), what=title)), "pause"
        return Deadline(due.key, title, due.due_at, due.set_at, state)

    @cached_property
    def meeting(self) -> Meeting | None:
        """The meeting that comes first or has no outcome yet."""
        return next(iter(self.s.planned_meetings), None)

    @cached_property
    def checklists(self) -> list[tuple[Checklist, list[Item], bool]]:
        """Checklists that matter: of this stage (open), and those that were begun."""
        segment = self.process.segments.get(self.s.segment)
        special = {x.checklist for x in self.process.segments.values() if x.checklist}
        found = []
        for c in self.process.checklists.values():
            begun = any(key.startswith(f"{c.id}.") for key in self.s.checks)
            here = (
                c.stage == self.s.stage
                and self.s.open
                and (c.id not in special or (segment is not None and segment.checklist == c.id))
            )
            if here or begun:
                found.append((c, self._items(c), here))
        return sorted(found, key=lambda f: not f[2])

    def _items(self, checklist: Checklist) -> list[Item]:
        items = []
        for i in checklist.items:
            check = self.s.checks.get(f"{checklist.id}.{i.id}")
            owner = self.names.get(check.owner, check.owner) if check else ""
            items.append(Item(i.id, i.title, bool(check and check.done), owner, check.note if check else ""))
        return items

    # ── moves and menus ──────────────────────────────────────────────────────────

    def _lacking(self, guards: Iterable[str]) -> tuple[str, ...]:
        return tuple(w.said(w.GUARDS, g) for g in guards if not holds(g, self.s, self.process))

    @cached_property
    def targets(self) -> list[Target]:
        """Where the lead may go from here, with what is missing said beforehand."""
        if not self.s.open or not self.may("move"):
            return []
        moves = self.process.transitions
        return [
            Target(
                to, self.process.stages[to].title, self._lacking(moves[(self.s.stage, to)].requires),
                do_url(self.id, "move", to=to),
            )
            for to in self.process.targets(self.s.stage)
        ]

    @cached_property
    def ends(self) -> list[Target]:
        """How the lead may end from here."""
        if not self.s.open:
            return []
        names = {"won": "win", "lost": "lose", "refused": "refuse"}
        return [
            Target(id, end.title, self._lacking(end.requires), do_url(self.id, names[id]))
            for id, end in self.process.endings.items()
            if self.s.stage in end.sources and self.may(names[id])
        ]

    @cached_property
    def menu(self) -> list[tuple[str, list[Form]]]:
        """«Ещё действия»: every form that makes sense, by groups."""
        inside = {"move", "win", "lose", "refuse", "note"}
        groups = []
        for group, title in GROUPS.items():
            forms = [f for f in FORMS.values() if f.group == group and f.command not in inside and self.offers(f)]
            if forms:
                groups.append((str(title), forms))
        return groups

    # ── the story and what came with the request ─────────────────────────────────

    def folds(self, group: str, everything: bool) -> tuple[list[story.Fold], int]:
        """The timeline and how many older lines are left out."""
        return story.shown(self.entries, group, 0 if everything else SHOWN)

    @cached_property
    def entries(self) -> list[story.Entry]:
        """Every event in words, the oldest first."""
        return story.story(self.events, self.teller)[0]

    @cached_property
    def counts(self) -> dict[str, int]:
        """Lines by filter."""
        return story.counts(self.entries)

    def _of(self, kind: type[Any]) -> list[Any]:
        return [ev for ev in self.events if isinstance(ev, kind)]

    @cached_property
    def messages(self) -> list[e.MessageReceived]:
        """What the client sent, word for word."""
        return self._of(e.MessageReceived)

    @cached_property
    def consents(self) -> list[e.ConsentGiven]:
        """What the client ticked."""
        return self._of(e.ConsentGiven)

    @cached_property
    def others(self) -> list[Any]:
        """Other leads with an address of these people."""
        addresses = [a for p in self.s.people.values() for a in p.addresses][:6]
        return self.hub.views.leads.related(self.id, addresses, self.s.previous_lead, 8)

    def people(self) -> list[Person]:
        """The client's side: whom we talk to first, then who decides."""
        main, decides = self.s.main_person, self.s.decision_maker
        return sorted(self.s.people.values(), key=lambda p: (p.id != main, p.id != decides))

    def guard_sentences(self) -> list[tuple[str, str]]:
        """Guards that the head lifted, in words."""
        return [(g, w.said(w.GUARDS, g)) for g in RULES if g in self.s.overrides]

    @property
    def bounds(self) -> str:
        """Segment bounds for the score sheet's script."""
        return " ".join(f"{x.id}:{x.low}:{x.high}" for x in sorted(self.process.segments.values(), key=lambda x: x.low))


def sentence(refused: Refused) -> str:
    """A refusal in the reader's language."""
    return refused.say(language())

"""Erasing people: begun as a fact, carried out by whoever is there, and gone on with by the worker after a crash.

The order matters. First the look-up entries are severed and the cards told, so that what comes in now starts anew; then the
keys are destroyed; then the cards are told again, which makes every process and every read model read them anew; then
files, tables and what databases keep of deleted rows. Each step may be repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from hub.accounts import Accounts
from hub.application import THE_HUB, LeadHub
from hub.domain import events as e
from hub.domain.aggregate import Actor, Stamp
from hub.domain.errors import Conflict as Changed
from hub.domain.errors import NotFound
from hub.domain.index import Contact
from hub.domain.privacy import Count, Erasure, ErasureBegun, ErasureState, checked_reason
from hub.privacy import tables
from hub.privacy.reach import Reach, Reaching
from hub.projections import Runner
from hub.store import Conflict, Unavailable

TRIES = 50
PAUSES = (0.0, 0.05, 0.2, 0.5, 1.0)
"""Seconds before each try to clear what databases keep of deleted rows; readers of a moment ago have gone by then."""


class Eraser:
    """Erasures of one hub. ``runner`` brings the read models up to what was erased."""

    def __init__(self, hub: LeadHub, runner: Runner, accounts: Accounts) -> None:
        self.hub = hub
        self.runner = runner
        self.accounts = accounts
        self.reaching = Reaching(hub, accounts)

    def erase(self, person: UUID, reason: str, *, also: Collection[UUID] | None = None, shared_texts: bool = True,
              seal: str | None = None, rule: str = "", clean: bool = True, actor: Actor, at: datetime) -> UUID:
        """Erase ``person`` as :meth:`hub.privacy.reach.Reaching.of` says; the erasure. ``seal`` is that of the reach that was
        shown: where it is another one by now, nothing is done. Administrators only; ``rule`` is that of the hub itself.
        ``clean`` False leaves the files of the databases to :meth:`go_on`, for many at once."""
        self.hub.allow("person.erase", person, "admin", actor=actor, at=at)
        reach = self.reaching.of(person, also, shared_texts=shared_texts)
        reason = self.check(reach, reason)
        if seal is not None and seal != reach.seal:
            raise Changed("reach_changed")
        begun = {"people": tuple(sorted(reach.taken)), "cards": reach.told, "subjects": reach.subjects,
                 "contacts": reach.entries, "receipts": reach.receipts, "reason": reason, "rule": rule}
        erasure = self.hub.change(Erasure, uuid4(), lambda one: one.begin(begun, reach.removals), actor=actor, at=at).id
        self.carry_out(erasure, at, reach.exact, clean=clean)
        return erasure

    def check(self, reach: Reach, reason: str) -> str:
        """The reason as it will be recorded. Refused where it is none, or quotes the person."""
        return checked_reason(reason, "say_why_erased", reach.known)

    def go_on(self, at: datetime, *, after: timedelta = timedelta(0)) -> int:
        """Carry out what was begun ``after`` so long ago and not finished, or could not be done to the end; how many erasures."""
        waiting = [id for id in self.hub.views.persons.unfinished() if at - (self.state(id).begun_at or at) >= after]
        for erasure in waiting:
            self.carry_out(erasure, at, clean=False)
        again = self._clean((), {}) if waiting else ()
        for erasure in waiting:
            state = self.state(erasure)
            if state.finished is not None:
                self._finish(erasure, state.finished.reached, state.finished.left, again, at)
        return len(waiting)

    def state(self, erasure: UUID) -> ErasureState:
        """An erasure as it is now."""
        found: ErasureState = self.hub.streams.fresh(Erasure, erasure)[1]
        if found.begun is None:
            raise NotFound("no_such_erasure")
        return found

    def carry_out(self, erasure: UUID, at: datetime, known: Sequence[str] = (), *, clean: bool = True) -> ErasureState:
        """Do what an erasure says, or what is left of it. ``known`` are texts of the person to search the files for at the end;
        without them (they are gone by then) the search is left out."""
        state = self.state(erasure)
        assert state.begun is not None
        begun, actor = state.begun, Actor(state.actor)
        leaving = tables.leaving(self.hub.store)
        counts = self._first(state) if state.finished is None else {}
        if state.finished is None:
            self._sever(begun.contacts, actor, at)
            for card in begun.cards:
                for person in card.people:
                    self.hub.find_out(card.lead, lambda lead, person=person, card=card: lead.ask_erasure(  # type: ignore[misc]
                        person, erasure, texts=card.texts, leaving=leaving), at=at, actor=actor)
        self._destroy(begun.subjects)
        if state.finished is None:
            for card in begun.cards:
                self._tell(card.lead, card.people, card.texts, erasure, begun, actor, at)
        if state.finished is None:  # later works began without the person
            self.hub.jobs.forget_people(at)
        counts["files"] = sum(self.hub.files.remove(subject) for subject in begun.subjects)
        self._sever(self._tied_since(begun), actor, at)
        counts["rows"] = tables.clear(self.hub.store, [card.lead for card in begun.cards], self._messages(begun), known)
        again = self._clean(known, counts) if clean else ("scrub",)
        reached = state.finished.reached if state.finished else tuple(Count(what, n) for what, n in counts.items())
        left = self._left(begun, state)
        self._finish(erasure, reached, left, again, at)
        return self.state(erasure)

    def _finish(self, erasure: UUID, reached: tuple[Count, ...], left: tuple[str, ...], again: tuple[str, ...],
                at: datetime) -> None:
        self.hub.change(Erasure, erasure, lambda one: one.finish(reached, left, again), actor=THE_HUB, at=at)

    # ── the steps ────────────────────────────────────────────────────────────────

    def _first(self, state: ErasureState) -> dict[str, int]:
        assert state.begun is not None
        begun = state.begun
        return {"people": len(begun.people), "cards": len(begun.cards), "card_texts": sum(c.texts for c in begun.cards),
                "keys": len(begun.subjects), "deliveries": len(begun.receipts), "entries": len(begun.contacts),
                "removals": len(state.removals)}

    def _sever(self, entries: Collection[UUID], actor: Actor, at: datetime) -> None:
        for entry in entries:
            for _ in range(TRIES):
                version, state = self.hub.streams.fresh(Contact, entry)
                contact = Contact(entry, Stamp(actor, at, uuid4(), self.hub.process.version), state, version)
                contact.sever()
                try:
                    self.hub.streams.save([contact])
                    break
                except Conflict:
                    continue

    def _destroy(self, subjects: Collection[UUID]) -> None:
        keys = self.hub.store.keys
        for subject in subjects:
            try:
                keys.destroy(subject)
            except Unavailable:
                if not keys.destroyed(subject):
                    raise
        time.sleep(keys.noticed_within * 1.2)  # no process reads with a key that it had at hand
        keys.lookup()

    def _tell(self, lead: UUID, people: Collection[UUID], texts: bool, erasure: UUID, begun: ErasureBegun, actor: Actor,
              at: datetime) -> None:
        there = {ev.person_id for ev in self.hub.store.read(lead) if isinstance(ev, e.PersonErased) and ev.erasure == erasure}
        for number, person in enumerate(people):
            if person not in there:
                self.hub.find_out(lead, lambda one, person=person, first=number == 0: one.person_erased(  # type: ignore[misc]
                    person, erasure, texts=texts and first, reason=begun.reason, rule=begun.rule), at=at, actor=actor)

    def _tied_since(self, begun: ErasureBegun) -> set[UUID]:
        """Entries that a delivery tied to the person while the erasure began."""
        self.runner.catch_up()
        return self.hub.views.persons.entries_of(begun.people, [card.lead for card in begun.cards if card.texts])

    def _messages(self, begun: ErasureBegun) -> list[str]:
        found = []
        for card in begun.cards:
            state = self.hub.lead(card.lead)
            found += [m.fixed_id for m in state.outgoing.values()] + [c.fixed_id for c in state.calls.values() if c.fixed_id]
        return found

    def _clean(self, known: Sequence[str], counts: dict[str, int]) -> tuple[str, ...]:
        """Read models, then the files of the databases; what could not be done now."""
        again = []
        self.runner.catch_up()
        if any(status.parked_at is not None for status in self.runner.status()):
            again.append("read_model_parked")
        store = self.hub.store
        names = tables.readable(self.runner.projections.values())
        if not self._tried(lambda: store.scrub(names)) or not self._tried(store.keys.scrub):
            again.append("scrub")
            return tuple(again)
        found = store.holding(known) if known else None
        if found is not None and found[1]:
            self._tried(lambda: store.scrub(names, thorough=True))
            found = store.holding(known)
        if found is not None:
            counts["searched"] = found[0]
            counts["found"] = len(found[1])
        return tuple(again)

    def _tried(self, act: Callable[[], object]) -> bool:
        for pause in PAUSES:
            time.sleep(pause)
            try:
                act()
                return True
            except Unavailable:
                continue
        return False

    def _left(self, begun: ErasureBegun, state: ErasureState) -> tuple[str, ...]:
        """What people must still do: the hub does not reach it."""
        left = ["backups", "erasure_list"]
        if state.finished is None or "open_cards" in state.finished.left:
            cards = [self.hub.lead(card.lead) for card in begun.cards]
            if any(card.open and all(p.erased for p in card.people.values()) for card in cards):
                left.append("open_cards")
        if any(not card.texts for card in begun.cards):
            left.append("shared_texts")
        kinds = {channel.kind for channel in self.accounts.values()}
        left += [code for kind, code in (("email", "mailboxes"), ("telegram", "telegram"), ("vk", "vk"), ("twilio", "provider"))
                 if kind in kinds]
        if any(webhook.personal and not webhook.removed for webhook in self.hub.webhooks().values()):
            left.append("webhooks")
        if self.hub.store.scratch is not None:
            left.append("postgresql")
        return (*left, "staff")


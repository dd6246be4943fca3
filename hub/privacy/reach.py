"""What an erasure reaches, found before anything is done: shown first, and begun only while it is still the same."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import msgspec

from hub.accounts import Accounts
from hub.application import LeadHub
from hub.domain import events as e
from hub.domain.event import ERASED
from hub.domain.index import Contact, ContactState, FactWaits, Receipt, ReceiptState
from hub.domain.privacy import CardReached, Removal
from hub.privacy.clients import Card, Client, Clients, mentions, same_person, texts_of


@dataclass(frozen=True)
class Reached:
    """A card of the person. ``others`` are people on it who stay; ``mentions`` counts the card's own texts that name the erased
    person; ``texts``: these are all erased too, because they are nobody else's or because they name the person."""

    card: Card
    people: tuple[UUID, ...]
    others: tuple[str, ...]
    mentions: int
    texts: bool


@dataclass(frozen=True)
class Reach:
    """Everything that an erasure touches. ``twins`` share an address with the person: ``taken`` ones are erased as well."""

    clients: tuple[Client, ...]
    twins: tuple[Client, ...]
    cards: tuple[Reached, ...]
    receipts: tuple[UUID, ...]
    own_receipts: tuple[UUID, ...]
    entries: tuple[UUID, ...]
    waiting: tuple[UUID, ...]
    files: int
    removals: tuple[Removal, ...]

    @property
    def taken(self) -> frozenset[UUID]:
        """Who is erased."""
        return frozenset(client.id for client in self.clients)

    @cached_property
    def known(self) -> tuple[str, ...]:
        """Every text by which those who are erased can be recognised."""
        return tuple(dict.fromkeys(text for client in self.clients for text in client.known))

    @cached_property
    def exact(self) -> tuple[str, ...]:
        """Those of them that hardly anybody else has."""
        return tuple(dict.fromkeys(text for client in self.clients for text in client.exact))

    @cached_property
    def subjects(self) -> tuple[UUID, ...]:
        """The keys that are destroyed."""
        own = [subject for reached in self.cards if reached.texts for subject in reached.card.own_subjects]
        return tuple(sorted({*self.taken, *own, *self.own_receipts, *self.waiting}))

    @property
    def told(self) -> tuple[CardReached, ...]:
        """The cards, as the erasure's event names them."""
        return tuple(CardReached(r.card.id, r.people, r.texts) for r in self.cards)

    @property
    def open_cards(self) -> tuple[Reached, ...]:
        """Open cards on which nobody is left to talk to: somebody has to close them."""
        return tuple(r for r in self.cards if r.card.state.open and not r.others)

    @cached_property
    def seal(self) -> str:
        """Another text whenever something else would be reached: what was shown is what is erased."""
        said = [sorted(map(str, self.subjects)), sorted(map(str, self.entries)), sorted(map(str, self.receipts)),
                [(str(r.card.id), len(r.card.events), r.texts) for r in self.cards]]
        return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:32]


class Reaching:
    """Finds what an erasure reaches."""

    def __init__(self, hub: LeadHub, accounts: Accounts) -> None:
        self.hub = hub
        self.accounts = accounts
        self.clients = Clients(hub)
        self.persons = hub.views.persons

    def of(self, person: UUID, also: Collection[UUID] | None = None, *, shared_texts: bool = True) -> Reach:
        """What erasing ``person`` reaches. ``also`` are others who are the same person; None takes those who share an address
        and are called the same. ``shared_texts`` False keeps the texts of cards with other people on them."""
        first = self.clients.client(person)
        taken, twins, queue = {first.id: first}, dict[UUID, Client](), [first]
        while queue:
            for twin in self.clients.twins(queue.pop()):
                if twin.id in taken:
                    continue
                twins[twin.id] = twin
                if twin.id in also if also is not None else same_person(first, twin):
                    taken[twin.id] = twin
                    queue.append(twin)
        clients = tuple(taken.values())
        known = tuple(dict.fromkeys(text for client in clients for text in client.known))
        exact = tuple(dict.fromkeys(text for client in clients for text in client.exact))
        cards = tuple(self._reached(card, taken.keys(), known, shared_texts)
                      for card in {card.id: card for client in clients for card in client.cards}.values())
        receipts, own = self._receipts(cards, taken.keys(), exact)
        entries = self.persons.entries_of(taken.keys(), [r.card.id for r in cards if r.texts])
        waiting = [entry for entry in entries if any(isinstance(ev, FactWaits) for ev in self.hub.store.read(entry))]
        for entry in self.persons.loose_entries():
            state: ContactState = self.hub.streams.fresh(Contact, entry)[1]
            if any(mentions(msgspec.json.encode(fact).decode(), exact) for fact in state.waiting):
                waiting.append(entry)
                entries.add(entry)
        names = [r.card for r in cards]
        return Reach(
            clients=clients, twins=tuple(sorted(twins.values(), key=lambda c: c.id)), cards=cards,
            receipts=tuple(sorted(receipts)), own_receipts=tuple(sorted(own)), entries=tuple(sorted(entries)),
            waiting=tuple(sorted(waiting)),
            files=self._files(names, taken.keys(), {r.card.id for r in cards if r.texts}),
            removals=tuple(self._removals(cards, taken.keys())))

    def _reached(self, card: Card, taken: Collection[UUID], known: tuple[str, ...], shared_texts: bool) -> Reached:
        others = tuple(p.name or next((a.raw or a.value for a in p.addresses), "") for p in card.state.people.values()
                       if p.id not in taken and not p.erased)
        own = set(card.own_subjects)
        named = sum(any(mentions(text, known) for text in texts_of(ev)) for ev in card.events if ev.subject in own)
        here = self.persons.people_of(card.id) & set(taken)
        return Reached(card, tuple(sorted(here)), others, named, not others or (shared_texts and named > 0))

    def _receipts(self, cards: Sequence[Reached], taken: Collection[UUID], known: tuple[str, ...]) -> tuple[set[UUID], set[UUID]]:
        """Deliveries of the person, and those of them that have a key of their own."""
        found: set[UUID] = set()
        for reached in cards:
            came = {ev.receipt_id for ev in reached.card.events
                    if isinstance(ev, e.MessageReceived) and ev.person_id in taken and ev.receipt_id is not None}
            for receipt, alone in self.persons.receipts_of([reached.card.id]):
                if not reached.others or receipt in came or (alone and self._names(receipt, known)):
                    found.add(receipt)
        loose = {receipt for receipt in self.persons.loose_receipts() if self._names(receipt, known)}
        own = {receipt for receipt, alone in self.persons.receipts_of([r.card.id for r in cards]) if alone}
        return found | loose, (found & own) | loose

    def _names(self, receipt: UUID, known: tuple[str, ...]) -> bool:
        """Whether a delivery with a key of its own is the person's, by the addresses and names in it."""
        state: ReceiptState = self.hub.streams.fresh(Receipt, receipt)[1]
        texts = (state.delivery, self.hub.raw_of(state, receipt) if state.raw != ERASED else "")
        return any(mentions(text, known) for text in texts if text and text != ERASED)

    def _files(self, cards: Iterable[Card], taken: Collection[UUID], with_texts: Collection[UUID]) -> int:
        digests = set()
        for card in cards:
            for ev in card.events:
                refs = [*getattr(ev, "files", ()), *([ev.file] if isinstance(ev, e.ProposalDrafted) and ev.file else [])]
                if ev.subject in taken or card.id in with_texts:
                    digests |= {(ev.subject, ref.digest) for ref in refs}
        return len(digests)

    def _removals(self, cards: Iterable[Reached], taken: Collection[UUID]) -> Iterable[Removal]:
        """What providers have of the person and can be asked to delete: recordings, calls, messages."""
        seen: set[tuple[str, str]] = set()
        for reached in cards:
            state, all_of_it = reached.card.state, not reached.others
            things: list[tuple[str, str, str]] = []
            for call in state.calls.values():
                if all_of_it or call.person_id in taken:
                    things += [(call.account, "recording", f"recording/{name}") for name in call.recordings]
                    things += [(call.account, "call", name) for name in (call.key, *call.names)]
            for message in state.messages:
                if message.person_id in taken:
                    things.append((message.source, "message", message.key))
            for ours in state.outgoing.values():
                if all_of_it or ours.person_id in taken:
                    things += [(ours.account, "message", name) for name in ours.names]
            for account, kind, name in things:
                channel = self.accounts.get(account)
                ref = channel.removable(name) if channel is not None and name not in ("", ERASED) else ""
                if ref and (account, ref) not in seen:
                    seen.add((account, ref))
                    yield Removal(account, kind, ref)


__all__ = ["Reach", "Reached", "Reaching"]

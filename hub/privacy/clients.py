"""Who a person of the client's side is, over all cards: names and addresses as they were ever known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec

from hub.application import LeadHub
from hub.domain import events as e
from hub.domain.delivery import Address
from hub.domain.errors import NotFound, Refused
from hub.domain.event import ERASED, Event, personal_fields
from hub.domain.state import LeadState
from hub.projections.leads import iso

SHORTEST = 3
"""Letters of a name below which a text is not searched for it."""


@dataclass(frozen=True)
class Card:
    """A card with its events and its state."""

    id: UUID
    number: int
    events: tuple[Event, ...]
    state: LeadState

    @property
    def own_subjects(self) -> tuple[UUID, ...]:
        """The keys of the card's own texts, the old ones included."""
        states = [msgspec.structs.replace(self.state, texts_erased=n) for n in range(self.state.texts_erased + 1)]
        return tuple(state.own_subject(self.id) for state in states)


@dataclass(frozen=True)
class Client:
    """A person: everything that they were ever called and could be reached at. ``cards`` are all that they were ever on."""

    id: UUID
    names: tuple[str, ...]
    addresses: tuple[Address, ...]
    cards: tuple[Card, ...]

    @property
    def name(self) -> str:
        """The newest name, else an address."""
        return next(iter(reversed(self.names)), "") or next((a.raw or a.value for a in self.addresses), "")

    @cached_property
    def known(self) -> tuple[str, ...]:
        """Every text by which the person can be recognised: addresses in all spellings, and names."""
        return tuple(dict.fromkeys(text for text in (*self.exact, *self.names) if len(text) >= SHORTEST))

    @cached_property
    def exact(self) -> tuple[str, ...]:
        """Those that hardly anybody else has: addresses, and names of more than one word."""
        addresses = [text for a in self.addresses for text in (a.value, a.raw)]
        names = [name for name in self.names if " " in name.strip()]
        return tuple(dict.fromkeys(text for text in (*addresses, *names) if len(text) > SHORTEST))


class Clients:
    """Finding people."""

    def __init__(self, hub: LeadHub) -> None:
        self.hub = hub
        self.persons = hub.views.persons

    def card(self, lead: UUID) -> Card:
        """A card with everything on it."""
        events = self.hub.history(lead)
        row = self.hub.views.leads.one(lead)
        return Card(lead, row["number"] if row else 0, tuple(events), self.hub.lead(lead))

    def client(self, person: UUID) -> Client:
        """A person by id. Refused where there is none, where it is a colleague, and where they were erased already."""
        if person in self.hub.users():
            raise Refused("not_a_client", field="person")
        gone = self.persons.erased(person)
        if gone is not None:
            raise Refused("client_erased", field="person", day=f"{gone['at'][8:10]}.{gone['at'][5:7]}.{gone['at'][:4]}")
        leads = self.persons.leads_of([person])
        if not leads:
            raise NotFound("no_such_client", field="person")
        return self._of(person, [self.card(lead) for lead in leads])

    def _of(self, person: UUID, cards: Iterable[Card]) -> Client:
        ordered = tuple(sorted(cards, key=lambda card: (iso(card.state.received_at) or "", card.number)))
        names: dict[str, None] = {}
        addresses: dict[tuple[str, str, str], Address] = {}
        for card in ordered:
            for event in card.events:
                match event:
                    case e.PersonAdded() | e.PersonNamed() if event.person_id == person and event.name not in ("", ERASED):
                        names.pop(event.name, None)
                        names[event.name] = None
                    case e.AddressAdded() if event.person_id == person and event.value not in ("", ERASED):
                        found = Address(event.kind, event.value, event.raw, event.extension)
                        addresses[event.kind, event.value, event.raw] = found
        return Client(person, tuple(names), tuple(addresses.values()), ordered)

    def find(self, words: str, limit: int = 20) -> list[Client]:
        """People on cards that ``words`` find: a card's number, a phone, an e-mail address, a name. Erased ones are left out."""
        words = words.strip()
        leads = self.hub.views.leads
        if not words:
            return []
        try:
            return [self.client(UUID(words))]
        except (ValueError, Refused):
            pass
        number = words.lstrip("LlЛл-№#")
        by_number = leads.by_number(int(number)) if number.isdecimal() and len(number) < 9 else None
        cards = [by_number] if by_number else [UUID(row["id"]) for row in leads.found(words, limit)]
        people = [person for lead in cards for person in self.hub.lead(lead).people.values() if not person.erased]
        folded = words.casefold()
        digits = "".join(ch for ch in words if ch.isdigit())[-10:]

        def fits(person: Any) -> bool:
            texts = [person.name, *(t for a in person.addresses for t in (a.value, a.raw))]
            return any(folded in text.casefold() for text in texts) or (
                len(digits) >= 7 and any(digits in a.value for a in person.addresses))

        matching = [] if by_number else [person for person in people if fits(person)]
        ids = dict.fromkeys(person.id for person in matching or people)
        return [self.client(id) for id in list(ids)[:limit] if self.persons.erased(id) is None]

    def one(self, words: str) -> Client:
        """The one person whom ``words`` name: an id, or words that find nobody else."""
        try:
            return self.client(UUID(words.strip()))
        except ValueError:
            pass
        found = self.find(words)
        if len(found) != 1:
            raise NotFound("no_such_client", field="person") if not found else Refused(
                "several_clients", field="person", n=len(found))
        return found[0]

    def twins(self, client: Client) -> list[Client]:
        """Others who have one of the person's addresses: the same person on another card, or somebody who shares a telephone."""
        leads = {UUID(row["id"]) for address in client.addresses
                 for row in self.hub.views.leads.related(UUID(int=0), [address], None, 200)}
        values = {(a.kind, a.value) for a in client.addresses}
        found = {person.id for lead in leads | {card.id for card in client.cards}
                 for person in self.hub.lead(lead).people.values()
                 if person.id != client.id and not person.erased and values & {(a.kind, a.value) for a in person.addresses}}
        return [self.client(person) for person in sorted(found)]


def same_person(one: Client, other: Client) -> bool:
    """Whether two who share an address are taken for one: they are called the same, or one of them has no name."""
    names, others = ({" ".join(name.casefold().split()) for name in client.names} for client in (one, other))
    return not names or not others or bool(names & others)


def texts_of(event: Event) -> list[str]:
    """All personal texts of an event, those inside of lists included."""
    return [text for name in personal_fields(type(event)) for text in _texts(msgspec.to_builtins(getattr(event, name)))]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if value and value != ERASED else []
    if isinstance(value, dict):
        value = list(value.values())
    return [text for item in value for text in _texts(item)] if isinstance(value, list | tuple) else []


def mentions(text: str, known: Iterable[str]) -> bool:
    """Whether ``text`` holds one of ``known``; a phone in any spelling."""
    folded = text.casefold()
    digits = ""
    for value in known:
        if value.casefold() in folded:
            return True
        if value.startswith("+"):
            digits = digits or "".join(ch for ch in text if ch.isdigit())
            if len(value) > 8 and value[-10:].lstrip("+") in digits:
                return True
    return False


__all__ = ["Card", "Client", "Clients", "mentions", "same_person", "texts_of"]

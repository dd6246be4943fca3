"""The people of the client's side, the company, notes and cards that belong together: R3, R6, R31–R33."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid5

from msgspec import Struct

from hub.domain import contact
from hub.domain import events as e
from hub.domain.delivery import Address
from hub.domain.errors import Refused
from hub.domain.guards import RULES
from hub.domain.lead.base import command
from hub.domain.lead.intake import Intake
from hub.domain.state import Person

SOCIAL = ("telegram", "whatsapp", "vk")


class Reach(Struct, frozen=True, forbid_unknown_fields=True):
    """A way to reach a person: ``phone``, ``email``, ``telegram``, ``whatsapp`` or ``vk``, and the number, address or name."""

    kind: str
    value: str


class People(Intake):
    """Contact capture and everything that is known about who we deal with."""

    def _person(self, person: UUID | None, field: str = "person") -> Person:
        id = person or self.state.main_person
        if id not in self.state.people:
            raise Refused("no_such_contact", field=field)
        if self.state.people[id].erased:
            raise Refused("person_was_erased", field=field)
        return self.state.people[id]

    def _address(self, kind: str, text: str, field: str) -> Address:
        if kind == "phone":
            found = contact.phone(text)
        elif kind == "email":
            found = contact.email(text)
        elif kind in SOCIAL:
            found = Address(kind, text.strip().lstrip("@").lower(), text.strip()) if text.strip() else None
        else:
            raise Refused("no_such_address_kind", field="kind", given=kind)
        if found is None:
            raise Refused(f"bad_{kind}" if kind in ("phone", "email") else "bad_address", rule="R3", field=field, given=text)
        return found

    def _add_address(self, person: UUID, address: Address, origin: str = "manager") -> None:
        held = {(a.kind, a.value) for a in self.state.people[person].addresses}
        if (address.kind, address.value) not in held:
            self.record(e.AddressAdded, subject=person, person_id=person, kind=address.kind, value=address.value,
                        raw=address.raw, extension=address.extension, origin=origin)

    def _learn_zone(self, person: Person, zone: str) -> None:
        if zone and zone != person.timezone:
            if not contact.is_zone(zone):
                raise Refused("bad_timezone", rule="R3", field="timezone", given=zone)
            self.record(e.TimezoneLearned, person_id=person.id, timezone=zone)

    @command("work")
    def capture_contact(self, phone: str = "", timezone: str = "", call_at: datetime | None = None, call_words: str = "",
                        name: str = "", person: UUID | None = None) -> None:
        """Contact capture: phone, time zone and a convenient time to call (R3)."""
        self._must_be_taken()
        who = self._person(person)
        if not any((phone.strip(), timezone.strip(), call_at, call_words.strip(), name.strip())):
            raise Refused("nothing_captured", rule="R3", field="phone")
        address = self._address("phone", phone, "phone") if phone.strip() else None
        if call_at is not None and call_at <= self.stamp.at:
            raise Refused("time_has_passed", rule="R3", field="call_at")
        if name.strip() and name.strip() != who.name:
            self.record(e.PersonNamed, subject=who.id, person_id=who.id, name=name.strip())
        if address is not None:
            self._add_address(who.id, address)
        self._learn_zone(who, timezone.strip())
        if call_at is not None or call_words.strip():
            self.record(e.CallTimeAgreed, subject=who.id, person_id=who.id, call_at=call_at, words=call_words.strip())
        if self.state.stage == "contact":
            self._contact_captured()
        elif call_at is not None and self.state.asleep_until is None:
            if self.state.stage != "screening":
                self._due("call_back", at=call_at)
            elif who.id == self.state.main_person:
                self._screening_due()

    @command("work")
    def add_person(self, name: str, position: str = "", phone: str = "", email: str = "", telegram: str = "",
                   timezone: str = "") -> None:
        """Another person of the client's side is known (R31)."""
        name = self._says(name, "say_name", field="name")
        addresses = [self._address(k, v, k) for k, v in (("phone", phone), ("email", email), ("telegram", telegram)) if v.strip()]
        self._new_person(name, position, addresses, timezone)
        self._learned()

    def _learned(self) -> None:
        """What is known now may be all that contact capture was for (R3)."""
        if self.state.owner:
            self._contact_captured()

    def _new_person(self, name: str, position: str, addresses: list[Address], timezone: str = "") -> UUID:
        person = uuid5(self.id, f"person:{self.version + 1}")
        self.record(e.PersonAdded, subject=person, person_id=person, name=name, position=position.strip())
        for a in addresses:
            self._add_address(person, a)
        self._learn_zone(self.state.people[person], timezone.strip())
        return person

    @command("work")
    def edit_person(self, person: UUID, name: str = "", position: str = "", timezone: str = "",
                    addresses: tuple[Reach, ...] | None = None) -> None:
        """Correct a person's name, position, time zone, or all the ways to reach them (R31).

        ``addresses`` are all that serve from now on: one that is not among them is retired. Without them they stay.
        """
        who = self._person(person)
        if addresses is not None:
            self._correct_addresses(who, tuple(self._address(a.kind, a.value, "addresses") for a in addresses))
        if (name.strip() and name.strip() != who.name) or (position.strip() and position.strip() != who.position):
            self.record(e.PersonNamed, subject=who.id, person_id=who.id, name=name.strip(), position=position.strip())
        self._learn_zone(who, timezone.strip())
        self._learned()

    def _correct_addresses(self, who: Person, wanted: tuple[Address, ...]) -> None:
        kept = {(a.kind, a.value) for a in wanted}
        for old in who.addresses:
            if (old.kind, old.value) not in kept:
                self.record(e.AddressRetired, subject=who.id, person_id=who.id, kind=old.kind, value=old.value, why="R31")
        for address in wanted:
            self._add_address(who.id, address)

    @command("work")
    def add_address(self, kind: str, value: str, person: UUID | None = None) -> None:
        """Another way to reach a person: ``phone``, ``email``, ``telegram``, ``whatsapp``, ``vk``."""
        who = self._person(person)
        self._add_address(who.id, self._address(kind, value, "value"))
        self._learned()

    @command("work")
    def retire_address(self, kind: str, value: str, why: str, person: UUID | None = None) -> None:
        """A way to reach a person does not serve any more."""
        who = self._person(person)
        if (kind, value) not in {(a.kind, a.value) for a in who.addresses}:
            raise Refused("no_such_address", field="value", given=value)
        self.record(e.AddressRetired, subject=who.id, person_id=who.id, kind=kind, value=value,
                    why=self._says(why, "say_why", field="why"))

    @command("work")
    def name_lead(self, title: str = "", about: str = "") -> None:
        """What the card is called and what it is about."""
        if not title.strip() and not about.strip():
            raise Refused("say_title", field="title")
        self.record(e.LeadTitled, subject=self.id, title=title.strip(), about=about.strip())

    @command("work")
    def name_company(self, name: str = "", inn: str = "", site: str = "") -> None:
        """The client's company, with its ИНН where known (R33)."""
        if not any((name.strip(), inn.strip(), site.strip())):
            raise Refused("say_company", rule="R33", field="name")
        if inn.strip() and not inn_is_valid(inn.strip()):
            raise Refused("bad_inn", rule="R33", field="inn", given=inn.strip())
        self.record(e.CompanyNamed, subject=self.id, name=name.strip(), inn=inn.strip(), site=site.strip())

    @command("work")
    def name_budget(self, amount: Decimal, currency: str = "", vat: str = "", note: str = "") -> None:
        """The budget that the client expects (R33)."""
        self.record(e.BudgetNamed, subject=self.id, money=self._money(amount, currency, vat), note=note.strip())

    def _money(self, amount: Decimal, currency: str, vat: str, field: str = "amount") -> e.Money:
        part = self.process.file.proposal
        if not amount.is_finite() or not Decimal("0.01") <= amount < Decimal(10) ** 13:
            raise Refused("bad_amount", rule="R33", field=field)
        currency = currency or part.currencies[0]
        if currency not in part.currencies:
            raise Refused("bad_currency", rule="R33", field="currency", known=", ".join(part.currencies))
        if vat and part.vat and vat not in part.vat:
            raise Refused("bad_vat", rule="R33", field="vat", known=", ".join(part.vat))
        return e.Money(amount.quantize(Decimal("0.01")), currency, vat)

    @command("work", "intake", "account", ended=True)
    def note(self, text: str) -> None:
        """A note on the lead."""
        self.record(e.NoteAdded, subject=self.id, text=self._says(text, "say_text", field="text"))

    @command("work")
    def change_decision_maker(self, person: UUID | None = None, name: str = "", position: str = "", phone: str = "",
                              email: str = "", involved: bool = False, why: str = "") -> None:
        """Another person decides (R25, R31). In follow-up a new one leads back to the in-depth interview."""
        self._must_be_taken()
        addresses = [self._address(k, v, k) for k, v in (("phone", phone), ("email", email)) if v.strip()]
        if person is None:
            name = self._says(name, "say_name", rule="R25", field="name")
            if not addresses:
                raise Refused("decision_maker_contacts", rule="R25", field="phone")
            person = self._new_person(name, position, addresses)
        else:
            known = self._person(person)
            if person == self.state.decision_maker:
                raise Refused("same_decision_maker", rule="R31", field="person")
            if not involved and not known.addresses and not addresses:
                raise Refused("decision_maker_contacts", rule="R25", field="phone")
            for address in addresses:
                self._add_address(person, address)
        if self.state.decision_maker is not None:
            why = self._says(why, "say_why", rule="R31", field="why")
        self.record(e.DecisionMakerChanged, subject=self.id, person_id=person, previous=self.state.decision_maker,
                    involved=involved, why=why.strip())
        if self.state.stage == "follow_up" and self.state.asleep_until is None and not involved and self._can("interview"):
            self._enter("interview", "R25")
            self._next_step_due()

    @command("work")
    def change_contact(self, person: UUID, why: str) -> None:
        """We talk to another person of the client's side from now on (R31)."""
        who = self._person(person)
        if who.id == self.state.main_person:
            raise Refused("same_contact", rule="R31", field="person")
        self.record(e.ContactChanged, subject=who.id, person_id=who.id, previous=self.state.main_person,
                    why=self._says(why, "say_why", rule="R31", field="why"))

    @command("decide")
    def override(self, guard: str, reason: str) -> None:
        """Lift a named guard for this lead, with a reason: the head of sales alone (R32)."""
        self._only_head("R32")
        if guard not in RULES:
            raise Refused("no_such_guard", rule="R32", field="guard", known=", ".join(RULES))
        if guard in self.state.overrides:
            raise Refused("already_lifted", rule="R32", field="guard")
        self.record(e.GuardOverridden, subject=self.id, guard=guard,
                    reason=self._says(reason, "say_why", rule="R32", field="reason"))


def inn_is_valid(inn: str) -> bool:
    """Whether a Russian taxpayer number has 10 or 12 digits and right check digits (R33)."""
    if not (inn.isascii() and inn.isdigit()) or len(inn) not in (10, 12):
        return False
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
    d = [int(c) for c in inn]
    return all(sum(w * x for w, x in zip(weights[-n:], d[:n], strict=True)) % 11 % 10 == d[n]
               for n in ((9,) if len(inn) == 10 else (10, 11)))

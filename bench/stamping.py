"""Many leads of one life: other ids, other people, another time, and everything else as it was decided."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct

from bench import words
from bench.lives import NAMES, ROLES, Case, moment
from hub.domain import index
from hub.domain.event import Event
from hub.domain.events import Money
from hub.domain.index import receipt_stream
from hub.store.keys import blind

KEPT = frozenset({"originator_id", "originator_version", "event_id", "correlation_id", "causation_id", "at", "recorded_at"})
"""Fields of the frame, which every copy has of its own."""
STAFF = {role: [user for user, of in ROLES.items() if of == role] for role in ("manager", "account")}
THOUSAND = Decimal(1000)
CENTS = Decimal("0.00")
Value = Callable[["Copy"], Any]
"""What a field is in a copy."""


class Copy:
    """One lead (or client) made of a mould: who its people are, when it happened, and its ids.

    ``number`` is unique in the history; ``key`` is the key that contacts are looked up by.
    """

    def __init__(self, mould: Mould, seed: UUID, number: int, delta: timedelta, key: bytes) -> None:
        rng = Random(f"{seed}:{number}")
        self.mould, self.number, self.delta, self.key = mould, number, delta, key
        self.days = timedelta(days=delta.days if delta.seconds < 43200 else delta.days + 1)
        self.base = uuid5(seed, str(number))
        self.factor = Decimal(rng.randint(6, 18)) / 10
        self.people = _turned(rng)
        self.tokens: list[str] = []
        self.tokens = _words(rng, number, mould.tokens)
        self.ids: list[UUID] = []
        for make in mould.ids:
            self.ids.append(make(self))
        self.last: UUID | None = None


class Mould:
    """A life, worked out once so that a copy costs little. ``groups`` are the commands: seconds from the first event to the
    command, and where its events begin and end."""

    def __init__(self, case: Case, fixed: frozenset[UUID]) -> None:
        self.case = case
        self.begins, self.ends = case.begins, case.ends
        self.open, self.closed, self.pending = case.open, case.closed, case.pending
        self.tokens = list(case.tokens.values())
        self._token = {token: n for n, token in enumerate(case.tokens)}
        self._pattern = re.compile("|".join(sorted(map(re.escape, case.tokens), key=len, reverse=True))) if case.tokens else None
        self._fixed = fixed
        self._index: dict[UUID, int] = {}
        self.ids: list[Value] = []
        self._streams(case)
        begin, self.groups = 0, []
        for end in case.commits:
            self.groups.append(((moment(case.events[begin]) - self.begins), begin, end))
            begin = end
        self.makers = [self._maker(event) for event in case.events]

    def _streams(self, case: Case) -> None:
        """Ids of receipts, leads and persons follow from each other as intake makes them; those of contacts from addresses."""
        for event in case.events:
            id = event.originator_id
            if id in self._index or id in self._fixed:
                continue
            if isinstance(event, index.DeliveryAccepted | index.DeliveryQuarantined):
                self._new(id, _receipt(event.channel, event.source, len(self.ids)))
                for child in ("lead", "person"):
                    self._new(uuid5(id, child), _child(self._index[id], child))
            elif id in case.contacts:
                kind, value = case.contacts[id]
                self._new(id, _contact(kind, self._text(value) or _constant(value)))

    def _new(self, id: UUID, value: Value) -> int:
        self._index[id] = len(self.ids)
        self.ids.append(value)
        return self._index[id]

    def _id(self, id: UUID) -> Value | None:
        if id in self._fixed:
            return None
        n = self._index.get(id)
        if n is None:
            n = self._new(id, _own(len(self.ids)))
        return lambda copy: copy.ids[n]

    def _maker(self, event: Event) -> Callable[[Copy], Event]:
        cls = type(event)
        constants: dict[str, Any] = {"originator_version": event.originator_version}
        changing: list[tuple[str, Value]] = []
        for name in cls.__struct_fields__:
            if name not in KEPT:
                value = getattr(event, name)
                change = self._value(value)
                if change is None:
                    constants[name] = value
                else:
                    changing.append((name, change))
        stream = self._id(event.originator_id)
        known, version = event.originator_id, event.originator_version
        correlation = self._id(event.correlation_id)
        at, recorded, follows = event.at, event.recorded_at, event.causation_id is not None

        def make(copy: Copy) -> Event:
            fields = constants.copy()
            for name, value in changing:
                fields[name] = value(copy)
            fields["originator_id"] = origin = stream(copy) if stream is not None else known
            fields["correlation_id"] = started = correlation(copy) if correlation is not None else event.correlation_id
            fields["at"] = at + copy.delta
            if recorded is not None:
                fields["recorded_at"] = recorded + copy.delta
            if follows:
                fields["causation_id"] = copy.last
            copy.last = fields["event_id"] = uuid5(started, f"{origin}:{version}")
            return cls(**fields)

        return make

    # ── values ───────────────────────────────────────────────────────────────────

    def _value(self, value: Any) -> Value | None:
        """How a value differs from copy to copy; None where it is always the same."""
        match value:
            case str():
                return self._text(value)
            case UUID():
                return self._id(value)
            case datetime():
                return lambda copy: value + copy.delta
            case date():
                return lambda copy: value + copy.days
            case Money():
                return lambda copy: Money((value.amount * copy.factor / THOUSAND).quantize(Decimal(1)) * THOUSAND + CENTS,
                                          value.currency, value.vat)
            case tuple() | list():
                return _sequence(type(value), value, [self._value(v) for v in value])
            case dict():
                found = {k: c for k, v in value.items() if (c := self._value(v)) is not None}
                return (lambda copy: {**value, **{k: c(copy) for k, c in found.items()}}) if found else None
            case Struct():
                parts = {n: c for n in value.__struct_fields__ if (c := self._value(getattr(value, n))) is not None}
                return (lambda copy: msgspec.structs.replace(value, **{n: c(copy) for n, c in parts.items()})) if parts else None
        return None

    def _text(self, text: str) -> Value | None:
        if text in NAMES or text in NAMES.values():
            return (lambda copy: copy.people.get(text, text)) if text in _MOVING else None
        if self._pattern is None or not (found := list(self._pattern.finditer(text))):
            return None
        if len(found) == 1 and found[0].group() == text:
            only = self._token[text]
            return lambda copy: copy.tokens[only]
        pieces: list[str] = []
        places: list[tuple[int, int]] = []
        end = 0
        for one in found:
            pieces += [text[end:one.start()], ""]
            places.append((len(pieces) - 1, self._token[one.group()]))
            end = one.end()
        pieces.append(text[end:])

        def fill(copy: Copy) -> str:
            parts = pieces.copy()
            for place, token in places:
                parts[place] = copy.tokens[token]
            return "".join(parts)

        return fill


_MOVING = {text for users in STAFF.values() for user in users for text in (user, NAMES[user])}


def _turned(rng: Random) -> dict[str, str]:
    """Colleagues of a role in each other's places: ids and names."""
    found: dict[str, str] = {}
    for users in STAFF.values():
        turn = rng.randrange(len(users))
        for user, other in zip(users, users[turn:] + users[:turn], strict=True):
            found[user], found[NAMES[user]] = other, NAMES[other]
    return found


def _words(rng: Random, number: int, tokens: list[tuple[str, int]]) -> list[str]:
    """What the tokens of a mould say in a copy."""
    people: dict[int, tuple[str, str]] = {}
    site = f"{words.latin(rng.choice(words.FIRST))}{number}.example"
    said = {"company": words.company(rng), "site": f"https://{site}", "contract": f"{number % 900 + 1}/{number % 12 + 1:02d}",
            "inn": words.inn(number)}
    filled = []
    for kind, slot in tokens:
        if kind in said:
            filled.append(said[kind])
            continue
        if slot not in people:
            people[slot] = words.person(rng)
        first, surname = people[slot]
        match kind:
            case "name":
                filled.append(f"{first} {surname}")
            case "first":
                filled.append(first)
            case "phone":
                filled.append(words.phone(number * 4 + slot))
            case "spoken":
                filled.append(words.spoken(words.phone(number * 4 + slot)))
            case "email":
                filled.append(f"{words.latin(surname)}{slot or ''}@{site}")
            case _:
                filled.append(f"{words.latin(first)}_{number * 4 + slot}")
    return filled


def _constant(value: Any) -> Value:
    return lambda copy: value


def _own(n: int) -> Value:
    return lambda copy: uuid5(copy.base, str(n))


def _receipt(channel: str, source: str, n: int) -> Value:
    return lambda copy: receipt_stream(channel, source, f"{copy.base}-{n}")


def _child(parent: int, name: str) -> Value:
    return lambda copy: uuid5(copy.ids[parent], name)


def _contact(kind: str, value: Value) -> Value:
    return lambda copy: blind(copy.key, kind, value(copy))


def _sequence(kind: type[Any], values: Any, changes: list[Value | None]) -> Value | None:
    if not any(changes):
        return None
    return lambda copy: kind(v if c is None else c(copy) for v, c in zip(values, changes, strict=True))


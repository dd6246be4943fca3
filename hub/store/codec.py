"""Events to stored bytes and back: personal fields sealed under their person's key, old forms upcast."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo

from hub.domain.event import ERASED, PERSONAL_MARK, TOPICS, Event, personal_fields
from hub.store.errors import KeyLost, Tampered, UnknownTopic, Unreadable
from hub.store.keys import Keys, seal, unseal

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
KeyOf = Callable[[UUID], bytes | None]

UPCASTERS: dict[tuple[str, int], Upcaster] = {}
"""By topic and the stored version that it takes one version further."""

PLACE = ("originator_id", "originator_version")
VERSION_KEY = "v"
SEALED_KEY = "~"


def upcaster(topic: str, from_version: int) -> Callable[[Upcaster], Upcaster]:
    """Decorator: how the JSON fields of ``topic`` at ``from_version`` become those of the next version.

    The function gets the open fields and, where they can be read, the personal ones: it must do
    without the personal ones, because their key may be destroyed.
    """

    def register(function: Upcaster) -> Upcaster:
        if (topic, from_version) in UPCASTERS:
            raise TypeError(f"{topic!r} has two upcasters from version {from_version}")
        UPCASTERS[topic, from_version] = function
        return function

    return register


class _Envelope(Struct, frozen=True):
    """The part of a stored state that says how to read the rest."""

    v: int = 1
    sealed: bytes | None = msgspec.field(default=None, name=SEALED_KEY)
    subject: UUID | None = None


@dataclass(frozen=True)
class _Plan:
    """How one event class is stored, worked out once. Values are taken in the order of the made classes' fields."""

    open_class: Any
    open_values: Callable[[Event], tuple[Any, ...]]
    personal_class: Any
    personal_values: Callable[[Event], tuple[Any, ...]]
    nothing: tuple[Any, ...]
    """What the personal fields are when nobody filled them in: nothing is sealed then."""
    nothing_json: bytes
    erased: dict[str, Any]
    erased_json: bytes
    decoder: msgspec.json.Decoder[Event]


class EventMapper(Mapper[UUID]):
    """The library's mapper with our own state: JSON of the event, its personal fields sealed as one blob.

    The place of a sealed blob (stream, version, topic) is its associated data, so that a row that is
    moved or changed does not open.
    """

    def __init__(self, keys: Keys) -> None:
        super().__init__(JSONTranscoder())  # the library wants one; ours is msgspec, made per class
        self.keys = keys

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The row of an event. The key of its subject is made and committed first where it is missing."""
        return self.to_stored_events([domain_event])[0]

    def to_stored_events(self, events: Iterable[Event]) -> list[StoredEvent]:
        """The rows of ``events``; the missing keys of all subjects are made in one commit."""
        events = list(events)
        plans = [_plan_of(type(event)) for event in events]
        texts = [plan.personal_values(event) for plan, event in zip(plans, events, strict=True)]
        subjects = dict.fromkeys(event.subject for event, plan, values in zip(events, plans, texts, strict=True)
                                 if event.subject is not None and values != plan.nothing)
        if len(subjects) > 1:
            self.keys.create_all(subjects)
        keys = {subject: self.keys.create(subject) for subject in subjects}
        return [_stored(event, plan, values, keys) for event, plan, values in zip(events, plans, texts, strict=True)]

    def to_domain_event(self, stored_event: StoredEvent) -> Event:
        """The event of a row. Raises :class:`Unreadable` (unknown topic, changed row, lost key), naming its place."""
        return self._to_event(stored_event, self.keys.get)

    def to_domain_events(self, stored_events: Iterable[StoredEvent]) -> list[Event]:
        """The events of rows that are read together."""
        key_of = self.keys.lookup()
        return [self._to_event(stored, key_of) for stored in stored_events]

    def _to_event(self, stored: StoredEvent, key_of: KeyOf) -> Event:
        cls = TOPICS.get(stored.topic)
        if cls is None:
            raise UnknownTopic("no event class has this topic", *_named(stored))
        plan = _plan(cls)
        try:
            envelope = _ENVELOPES.decode(stored.state)
            plain = self._personal(stored, envelope, plan, key_of)
            if envelope.v != cls.VERSION:
                return plan.decoder.decode(_upcast(stored, envelope.v, plain, cls, plan))
            return plan.decoder.decode(_join(_where_json(stored), stored.state, plain))
        except msgspec.MsgspecError as error:
            raise Unreadable(str(error), *_named(stored)) from error

    def _personal(self, stored: StoredEvent, envelope: _Envelope, plan: _Plan, key_of: KeyOf) -> bytes:
        """The personal fields as a JSON object; what stands for them when there are none, or none any more."""
        if envelope.sealed is None:
            return plan.nothing_json
        if envelope.subject is None:
            raise Tampered("the sealed fields have lost their subject", *_named(stored))
        key = key_of(envelope.subject)
        if key is not None:
            try:
                plain = unseal(key, envelope.sealed, _place(*_where(stored), stored.topic))
            except InvalidTag:
                raise Tampered("the sealed fields do not open at this place", *_named(stored)) from None
            if plain is not None:
                return plain
        if not self.keys.destroyed(envelope.subject):
            raise KeyLost("the key of the sealed fields is missing and was never destroyed", *_named(stored))
        return plan.erased_json


_ENVELOPES = msgspec.json.Decoder(_Envelope)


def _plan_of(cls: type[Event]) -> _Plan:
    if TOPICS.get(cls.TOPIC) is not cls:
        raise TypeError(f"{cls.__name__} has no topic of its own: register it with @topic")
    return _plan(cls)


def _stored(event: Event, plan: _Plan, personal: tuple[Any, ...], keys: Mapping[UUID, bytes]) -> StoredEvent:
    """The row of an event with these values of its personal fields."""
    sealed = None
    if personal != plan.nothing:
        if event.subject is None:
            raise TypeError(f"{type(event).__name__} carries personal data and names no subject whose key encrypts it")
        where = _place(event.originator_id, event.originator_version, event.TOPIC)
        sealed = seal(keys[event.subject], msgspec.json.encode(plan.personal_class(*personal)), where)
    state = msgspec.json.encode(plan.open_class(*plan.open_values(event), event.VERSION, sealed))
    return StoredEvent(event.originator_id, event.originator_version, event.TOPIC, state)


def _upcast(stored: StoredEvent, version: int, plain: bytes, cls: type[Event], plan: _Plan) -> bytes:
    if version > cls.VERSION:
        raise Unreadable(f"a newer program stored it (form {version}, known is {cls.VERSION})", *_named(stored))
    fields: dict[str, Any] = msgspec.json.decode(stored.state)
    for key in (VERSION_KEY, SEALED_KEY):
        fields.pop(key, None)
    erased = plain is plan.erased_json
    if not erased:
        fields |= msgspec.json.decode(plain)
    for step in range(version, cls.VERSION):
        function = UPCASTERS.get((cls.TOPIC, step))
        if function is None:
            raise Unreadable(f"nothing takes its form {step} to {step + 1}", *_named(stored))
        fields = function(fields)
    if erased:
        fields |= plan.erased
    return _join(_where_json(stored), msgspec.json.encode(fields), b"{}")


@cache
def _plan(cls: type[Event]) -> _Plan:
    infos = {info.name: info for info in msgspec.structs.fields(cls)}
    personal = [infos[name] for name in personal_fields(cls)]
    hidden = {info.name for info in personal}
    plain = [info for info in infos.values() if info.name not in hidden and info.name not in PLACE]
    _refuse_unseen_marks(cls, plain)
    if clash := {VERSION_KEY, SEALED_KEY, "sealed_"} & infos.keys():
        raise TypeError(f"{cls.__name__}: field name {clash.pop()!r} is taken by the stored form")
    plain = sorted(plain, key=_has_default)  # those without a default first, as a positional class needs them
    extra = [(VERSION_KEY, int, 1), ("sealed_", bytes | None, msgspec.field(default=None, name=SEALED_KEY))]
    required = [info for info in personal if not _has_default(info)]
    nothing = {info.name: _empty(cls, info) for info in required}
    erased = nothing | {info.name: ERASED for info in personal if _takes_text(info)}
    ordered = required + [info for info in personal if _has_default(info)]
    return _Plan(
        open_class=msgspec.defstruct(f"{cls.__name__}Open", [_spec(i) for i in plain] + extra, omit_defaults=True),
        open_values=_values([info.name for info in plain]),
        personal_class=msgspec.defstruct(f"{cls.__name__}Personal", [_spec(i) for i in ordered], omit_defaults=True),
        personal_values=_values([info.name for info in ordered]),
        nothing=tuple(nothing.get(info.name, _default(info)) for info in ordered),
        nothing_json=msgspec.json.encode(nothing),
        erased=msgspec.to_builtins(erased),
        erased_json=msgspec.json.encode(erased) + b" ",  # never the same object as nothing_json
        decoder=msgspec.json.Decoder(cls),
    )


def _values(names: list[str]) -> Callable[[Event], tuple[Any, ...]]:
    if not names:
        return lambda event: ()
    if len(names) == 1:
        get_one = attrgetter(names[0])
        return lambda event: (get_one(event),)
    return attrgetter(*names)


def _spec(info: FieldInfo) -> Any:
    if info.default is not NODEFAULT:
        return info.name, info.type, info.default
    if info.default_factory is not NODEFAULT:
        return info.name, info.type, msgspec.field(default_factory=info.default_factory)
    return info.name, info.type


def _has_default(info: FieldInfo) -> bool:
    return info.default is not NODEFAULT or info.default_factory is not NODEFAULT


def _default(info: FieldInfo) -> Any:
    if info.default_factory is not NODEFAULT:
        return info.default_factory()
    return info.default


def _takes_text(info: FieldInfo) -> bool:
    return _fits(ERASED, info.type)


def _empty(cls: type[Event], info: FieldInfo) -> Any:
    """What a personal field without a default reads when there is nothing to read."""
    candidates: tuple[Any, ...] = ("", None, [], {})
    for value in candidates:
        if _fits(value, info.type):
            return msgspec.convert(value, info.type)
    raise TypeError(f"{cls.__name__}.{info.name}: a personal field of this type needs a default for when its person is erased")


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _refuse_unseen_marks(cls: type[Event], infos: list[FieldInfo]) -> None:
    """A personal mark below the top of a field would be stored in the open: refuse the class instead."""
    for info in infos:
        if _marked(info.type, set()):
            raise TypeError(f"{cls.__name__}.{info.name}: mark the whole field personal, not a part of its type")


def _marked(kind: Any, seen: set[Any]) -> bool:
    if isinstance(kind, msgspec.Meta):
        return bool((kind.extra or {}).get(PERSONAL_MARK))
    if isinstance(kind, type) and issubclass(kind, Struct) and kind not in seen:
        seen.add(kind)
        return any(_marked(info.type, seen) for info in msgspec.structs.fields(kind))
    parts = (*getattr(kind, "__args__", ()), *getattr(kind, "__metadata__", ()))
    return any(_marked(part, seen) for part in parts)


def _join(where: bytes, *objects: bytes) -> bytes:
    """One JSON object of several; parsing it once is cheaper than merging them in Python."""
    for one in objects:
        inner = one.strip()[1:-1]
        if inner:
            where = b"%b,%b" % (where, inner)
    return where + b"}"


def _where_json(stored: StoredEvent) -> bytes:
    """The beginning of the object."""
    stream, version = _where(stored)
    return b'{"originator_id":"%b","originator_version":%d' % (stream.hex.encode(), version)


def _where(stored: StoredEvent) -> tuple[UUID, int]:
    stream = stored.originator_id
    return stream if isinstance(stream, UUID) else UUID(stream), stored.originator_version


def _named(stored: StoredEvent) -> tuple[str, UUID | str, int]:
    return stored.topic, stored.originator_id, stored.originator_version


def _place(stream: UUID, version: int, topic: str) -> bytes:
    return f"{stream.hex}|{version}|{topic}".encode()

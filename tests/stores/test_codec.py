"""What goes into the log comes out of it, old forms included, and what is personal is sealed."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

import msgspec
import pytest
from eventsourcing.persistence import StoredEvent

from hub.domain.event import PERSONAL, TOPICS, Event, Personal, topic
from hub.store import KeyLost, Tampered, UnknownTopic, Unreadable
from hub.store.base import EventStore
from hub.store.keys import KeyStore
from tests.stores.store_events import AT, Colour, Met, Money, MovedHouse, Person, Typed, make, noted


def met(stream: UUID, version: int, subject: UUID | None, **fields: Any) -> Any:
    return make(Met, stream, version, subject=subject, **({"text": "Иван Секретов"} | fields))


class Nested(msgspec.Struct):
    inner: Personal = ""


class LeaksByOption(Event):
    name: Personal | None = None


class LeaksByStruct(Event):
    nested: tuple[Nested, ...] = ()


class Undefaulted(Event):
    amount: Annotated[int, PERSONAL]


def test_every_type_comes_back_as_it_went_in(store: EventStore) -> None:
    stream = uuid4()
    moscow = timezone(timedelta(hours=3))
    events = [
        make(Typed, stream, 1, day=date(2026, 2, 28), when=datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=moscow),
             colour=Colour.RED, price=Money(Decimal("10.50")), ids=(uuid4(), uuid4()), share=Decimal("1e-9"), nothing="something",
             fields={"_type_": "a", "_data_": "б\"\\\n\x00", "v": "2", "~": "3"}, causation_id=uuid4(), recorded_at=AT,
             process_version=7, subject=uuid4()),
        make(Typed, stream, 2, day=date(2026, 2, 28), when=AT, colour=Colour.RED, price=Money(Decimal(0), "USD"), ids=()),
        met(stream, 3, uuid4(), text="А", place="Пермь", pairs=(("a", "б"), ("в", "")), person=Person("П", ("+7", "+8"))),
        met(stream, 4, None, text=""),
    ]
    store.append(events)
    assert store.read(stream) == events


def test_the_stored_form_is_plain_json_without_defaults(store: EventStore) -> None:
    event = noted(uuid4(), 1, "hello")
    store.append([event])
    [row] = store.raw(event.originator_id)
    assert row.topic == "test.noted"
    assert msgspec.json.decode(row.state) == {
        "event_id": str(event.event_id), "actor": "user:1", "at": "2026-03-02T09:30:00Z",
        "correlation_id": str(event.correlation_id), "text": "hello"}


@pytest.mark.parametrize("database_url", [""])  # it looks into the files
def test_personal_data_is_readable_but_not_in_the_files(store: EventStore, tmp_path: Path) -> None:
    event = met(uuid4(), 1, uuid4(), text="Ivan Sekretov", pairs=(("mail", "ivan@secret.example"),),
                person=Person("Ivan", ("+79991234567",)), place="Perm")
    store.append([event])
    assert store.read(event.originator_id) == [event]
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"Perm" in written, "the test looks in the wrong files"
    for secret in (b"Ivan", b"Sekretov", b"secret.example", b"79991234567"):
        assert secret not in written


def test_a_destroyed_key_erases_one_person_and_no_other(store: EventStore, keys: KeyStore) -> None:
    stream, erased, other = uuid4(), uuid4(), uuid4()
    gone = met(stream, 1, erased, pairs=(("a", "b"),), person=Person("Иван"), place="Пермь")
    store.append([gone, met(stream, 2, other), noted(stream, 3)])
    keys.destroy(erased)
    first, second, third = store.read(stream)
    assert first == msgspec.structs.replace(gone, text="[erased]", pairs=(), person=Person())
    assert second.text == "Иван Секретов"  # type: ignore[attr-defined]
    assert third.text == "x"  # type: ignore[attr-defined]


def test_what_is_still_written_about_an_erased_person_can_be_read_by_nobody(
        store: EventStore, keys: KeyStore, tmp_path: Path) -> None:
    stream, person = uuid4(), uuid4()
    store.append([met(stream, 1, person, text="before")])
    keys.destroy(person)
    store.append([met(stream, 2, person, text="after"), met(stream, 3, uuid4(), text="another")])
    assert [event.text for event in store.read(stream)] == ["[erased]", "[erased]", "another"]  # type: ignore[attr-defined]
    assert keys.get(person) is None
    assert keys.create(person) != keys.create(person), "each time another key, which nobody keeps"


def test_a_lost_key_is_not_taken_for_an_erasure(store: EventStore, tmp_path: Path) -> None:
    event = met(uuid4(), 1, uuid4())
    store.append([event])
    empty = KeyStore(tmp_path / "empty.db", b"another file")
    try:
        store.mapper.keys = empty
        with pytest.raises(KeyLost, match=r"test\.met"):
            store.read(event.originator_id)
    finally:
        empty.close()


def test_personal_data_without_a_subject_is_a_programming_error(store: EventStore) -> None:
    with pytest.raises(TypeError, match="names no subject"):
        store.append([met(uuid4(), 1, None)])
    assert store.count() == 0


@pytest.mark.parametrize("kind", [LeaksByOption, LeaksByStruct])
def test_a_personal_mark_that_would_not_be_seen_is_refused(store: EventStore, kind: type[Event]) -> None:
    topic(f"test.{kind.__name__}")(kind)
    try:
        with pytest.raises(TypeError, match="mark the whole field personal"):
            store.append([make(kind, uuid4(), 1)])
    finally:
        del TOPICS[kind.TOPIC]


def test_a_personal_field_that_cannot_be_empty_is_refused(store: EventStore) -> None:
    topic("test.undefaulted")(Undefaulted)
    try:
        with pytest.raises(TypeError, match="needs a default"):
            store.append([make(Undefaulted, uuid4(), 1, amount=5, subject=uuid4())])
    finally:
        del TOPICS["test.undefaulted"]


def test_sealed_fields_open_only_at_their_place(store: EventStore) -> None:
    event = met(uuid4(), 1, uuid4())
    store.append([event])
    with store.writing() as cursor:
        cursor.execute("UPDATE stored_events SET originator_version = 2")
    with pytest.raises(Tampered, match=r"test\.met.*version 2 of stream"):
        store.read(event.originator_id)


def test_an_old_form_is_upcast_through_every_step(store: EventStore) -> None:
    event = make(MovedHouse, uuid4(), 1, city="Тверь", country="Россия")
    fields = msgspec.to_builtins(event)
    first = {"town": "Тверь", **{k: fields[k] for k in ("event_id", "actor", "at", "correlation_id")}}
    store.recorder.insert_events([StoredEvent(event.originator_id, 1, "test.moved_house", msgspec.json.encode(first))])
    assert store.read(event.originator_id) == [event]


def test_an_old_form_of_an_erased_person_is_upcast_too(store: EventStore, keys: KeyStore) -> None:
    event = make(MovedHouse, uuid4(), 1, city="Тверь", country="Литва", street="Садовая 1", subject=uuid4())
    row = store.mapper.to_stored_event(event)
    fields = msgspec.json.decode(row.state)
    assert fields.pop("v") == 3
    fields["town"] = fields.pop("city")
    old = StoredEvent(row.originator_id, 1, row.topic, msgspec.json.encode(fields))
    store.recorder.insert_events([old])
    assert store.read(event.originator_id)[0].street == "Садовая 1"  # type: ignore[attr-defined]
    keys.destroy(event.subject)
    assert store.read(event.originator_id)[0].street == "[erased]"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "version", "error", "says"), [
    ("test.never_heard_of", 1, UnknownTopic, "no event class"),
    ("test.moved_house", 4, Unreadable, "newer program"),
    ("test.noted", 1, Unreadable, "missing required field `text`"),
])
def test_what_cannot_be_read_is_named(store: EventStore, name: str, version: int, error: type[Exception], says: str) -> None:
    stream = uuid4()
    store.recorder.insert_events([StoredEvent(stream, 5, name, msgspec.json.encode({"v": version} if version > 1 else {}))])
    with pytest.raises(error, match=f"{says}.*{name}.*version 5 of stream {stream}"):
        store.read(stream)

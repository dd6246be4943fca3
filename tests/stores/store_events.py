"""Events, stores and small projections that the store's tests share."""

from __future__ import annotations

import enum
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

from msgspec import Struct

from hub.domain.event import PERSONAL, Event, Personal, topic
from hub.projections import Cursor, Projection
from hub.store.base import EventStore
from hub.store.codec import upcaster
from hub.store.keys import Keys, KeyStore
from hub.store.postgres import PostgresStore, migrate
from hub.store.postgres_keys import PostgresKeys
from hub.store.sqlite import SqliteStore

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SECRET = b"the secret of the tests"


class Colour(enum.StrEnum):
    RED = "red"


class Money(Struct, frozen=True):
    amount: Decimal
    currency: str = "RUB"


class Person(Struct, frozen=True):
    name: str = ""
    phones: tuple[str, ...] = ()


@topic("test.noted")
class Noted(Event):
    text: str


@topic("test.typed")
class Typed(Event):
    day: date
    when: datetime
    colour: Colour
    price: Money
    ids: tuple[UUID, ...]
    share: Decimal = Decimal("0.5")
    nothing: str | None = None
    fields: dict[str, str] = {}


@topic("test.met")
class Met(Event):
    text: Personal
    place: str = ""
    pairs: Annotated[tuple[tuple[str, str], ...], PERSONAL] = ()
    person: Annotated[Person, PERSONAL] = Person()


@topic("test.moved_house")
class MovedHouse(Event, kw_only=True):
    """Its first form had ``town``, its second ``city``; the third has the person's street as well."""

    VERSION = 3
    city: str
    street: Personal = ""
    country: str


@upcaster("test.moved_house", 1)
def _town_is_city(fields: dict[str, Any]) -> dict[str, Any]:
    return {**{k: v for k, v in fields.items() if k != "town"}, "city": fields["town"]}


@upcaster("test.moved_house", 2)
def _country_is_known(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "country": "Россия"}


def make(kind: type[Event], stream: UUID, version: int, **fields: Any) -> Any:
    """An event of ``kind``, with everything that a test does not care about filled in."""
    common = {"event_id": uuid4(), "actor": "user:1", "at": AT, "correlation_id": uuid4()}
    return kind(originator_id=stream, originator_version=version, **(common | fields))


def noted(stream: UUID, version: int, text: str = "x") -> Any:
    return make(Noted, stream, version, text=text)


class Home:
    """Keys and a store in a folder, or in the PostgreSQL database of ``url``; open it as often as there are processes to play."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.url = url
        self.keys: Keys
        self.store: EventStore
        if url:
            migrate(url, [])
            self.keys = PostgresKeys(url, SECRET)
            self.store = PostgresStore(url, self.keys)
        else:
            self.keys = KeyStore(folder / "keys.db", SECRET)
            self.store = SqliteStore(folder / "hub.db", self.keys)

    def close(self) -> None:
        self.store.close()
        self.keys.close()


class Notes(Projection):
    """Every note in order, and how many notes each stream has: the second table is sensitive to "twice"."""

    name = "notes"
    topics = frozenset({"test.noted"})
    tables = """
    CREATE TABLE notes (position INTEGER PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE note_counts (stream TEXT PRIMARY KEY, n INTEGER NOT NULL);
    CREATE INDEX notes_by_text ON notes (text);
    """

    def apply(self, cursor: Cursor, position: int, event: Any) -> None:
        if event.text == "poison":
            raise ValueError("cannot digest a note")
        cursor.execute("INSERT INTO notes VALUES (?, ?)", (position, event.text))
        cursor.execute(
            "INSERT INTO note_counts VALUES (?, 1) ON CONFLICT (stream) DO UPDATE SET n = note_counts.n + 1",
            (event.originator_id.hex,))


class Tally(Projection):
    """How many events there were, of whatever topic."""

    name = "tally"
    tables = "CREATE TABLE tally (topic TEXT PRIMARY KEY, n INTEGER NOT NULL)"

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        cursor.execute("INSERT INTO tally VALUES (?, 1) ON CONFLICT (topic) DO UPDATE SET n = tally.n + 1", (event.TOPIC,))


def rows(store: EventStore, table: str) -> list[tuple[Any, ...]]:
    with store.views.reading() as cursor:
        return [tuple(row) for row in cursor.execute(f"SELECT * FROM {table} ORDER BY 1")]

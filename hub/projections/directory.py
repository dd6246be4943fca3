"""People, forms, partners and letter templates as they are now, and whose turn it is to get the next lead (R34)."""

from __future__ import annotations

from typing import Any, Self, TypeVar
from uuid import UUID

import msgspec

from hub.domain import events as e
from hub.domain.aggregate import Aggregate
from hub.domain.event import Event
from hub.domain.form import Form
from hub.domain.partner import Partner, Template
from hub.domain.staff import User
from hub.domain.webhook import Webhook
from hub.projections.base import Projection
from hub.projections.folding import Folded
from hub.store.base import Cursor, EventStore

KINDS: dict[str, type[Aggregate[Any]]] = {"user": User, "form": Form, "partner": Partner, "template": Template,
                                          "webhook": Webhook}
S = TypeVar("S")


class Directory(Projection):
    """Small aggregates by kind, as their whole state."""

    name = "directory"
    version = 1
    readable = False
    tables = """
        CREATE TABLE directory (kind TEXT NOT NULL, stream TEXT NOT NULL, position INTEGER NOT NULL, state BLOB NOT NULL,
                                PRIMARY KEY (kind, stream)) WITHOUT ROWID;
        CREATE TABLE turns ("user" TEXT PRIMARY KEY, position INTEGER NOT NULL);
    """

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self._states = {kind: Folded(store, aggregate) for kind, aggregate in KINDS.items()}

    def fresh(self) -> Self:
        return type(self)(self.store)

    def wants(self, topic: str) -> bool:
        return topic.partition(".")[0] in KINDS or topic in (e.LeadOffered.TOPIC, e.LeadTaken.TOPIC)

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        if isinstance(event, e.LeadTaken):
            self._had_turn(cursor, event.owner, position)
        elif isinstance(event, e.LeadOffered):
            if event.why == "turn":
                self._had_turn(cursor, event.to[0], position)
        else:
            kind = event.TOPIC.partition(".")[0]
            state = msgspec.json.encode(self._states[kind].after(event))
            cursor.execute("INSERT INTO directory VALUES (?, ?, ?, ?) ON CONFLICT (kind, stream) DO UPDATE SET "
                           "position = excluded.position, state = excluded.state",
                           (kind, event.originator_id.hex, position, state))

    def _had_turn(self, cursor: Cursor, user: str, position: int) -> None:
        cursor.execute('INSERT INTO turns VALUES (?, ?) ON CONFLICT ("user") DO UPDATE SET position = excluded.position',
                       (user, position))

    def all(self, kind: str, state: type[S]) -> dict[UUID, S]:
        """Everything of a kind by stream, in the order of its last change."""
        with self.store.views.reading() as c:
            c.execute("SELECT stream, state FROM directory WHERE kind = ? ORDER BY position", (kind,))
            return {UUID(row["stream"]): msgspec.json.decode(row["state"], type=state) for row in c.fetchall()}

    def turns(self) -> tuple[int, dict[str, int]]:
        """When each person last had a turn, as a log position; with :meth:`stamp` of the same moment."""
        with self.store.views.reading() as c:
            stamp = self._stamp(c)
            c.execute('SELECT "user", position FROM turns')
            return stamp, {row["user"]: row["position"] for row in c.fetchall()}

    def stamp(self) -> int:
        """Changes whenever anything here but turns does."""
        with self.store.views.reading() as c:
            return self._stamp(c)

    def _stamp(self, cursor: Cursor) -> int:
        cursor.execute("SELECT COALESCE(MAX(position), 0) AS p FROM directory")
        return int(cursor.fetchone()["p"])

"""Where there is something about a person: their cards, deliveries and look-up entries; and the erasures."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from hub.domain import events as e
from hub.domain import index, privacy
from hub.domain.event import Event
from hub.projections.base import Projection
from hub.projections.leads import iso
from hub.store.base import Cursor, EventStore


class Persons(Projection):
    """Ids only, so that erasing a person has nothing to erase here.

    ``own`` of a receipt: its raw form is sealed under the receipt's own key and not under the person's. A receipt with its own
    key and no lead, and an entry with neither person nor lead, may be anybody's: they are looked into one by one.
    """

    name = "persons"
    version = 1
    readable = False
    tables = """
        CREATE TABLE person_leads (person TEXT NOT NULL, lead TEXT NOT NULL, PRIMARY KEY (person, lead)) WITHOUT ROWID;
        CREATE INDEX person_leads_by_lead ON person_leads (lead, person);
        CREATE TABLE person_receipts (receipt TEXT PRIMARY KEY, lead TEXT, own INTEGER NOT NULL);
        CREATE INDEX person_receipts_by_lead ON person_receipts (lead);
        CREATE TABLE person_entries (entry TEXT PRIMARY KEY, person TEXT, lead TEXT, severed INTEGER NOT NULL);
        CREATE INDEX person_entries_by_person ON person_entries (person);
        CREATE INDEX person_entries_by_lead ON person_entries (lead);
        CREATE TABLE erased_persons (person TEXT PRIMARY KEY, erasure TEXT NOT NULL, at TEXT NOT NULL);
        CREATE TABLE erasures (id TEXT PRIMARY KEY, position INTEGER NOT NULL, at TEXT NOT NULL, actor TEXT NOT NULL,
                               reason TEXT NOT NULL, rule TEXT NOT NULL, people INTEGER NOT NULL, leads INTEGER NOT NULL,
                               pending INTEGER NOT NULL, remains INTEGER NOT NULL, finished INTEGER NOT NULL);
        CREATE TABLE exports (id TEXT PRIMARY KEY, position INTEGER NOT NULL, at TEXT NOT NULL, actor TEXT NOT NULL,
                              reason TEXT NOT NULL, person TEXT NOT NULL);
    """
    topics = frozenset(k.TOPIC for k in (e.LeadReceived, e.PersonAdded, index.DeliveryAccepted, index.DeliveryQuarantined,
                                         index.DeliveryUnread, index.DeliveryReleased, index.DeliveryReread, index.ContactTied,
                                         index.FactWaits, index.ContactSevered, privacy.ErasureBegun, privacy.RemovalAsked,
                                         privacy.RemovalDone, privacy.RemovalFailed, privacy.ErasureFinished,
                                         privacy.DataExported))

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        id = event.originator_id.hex
        match event:
            case e.LeadReceived() | e.PersonAdded():
                cursor.execute("INSERT INTO person_leads VALUES (?, ?) ON CONFLICT (person, lead) DO NOTHING",
                               (event.person_id.hex, id))
            case index.DeliveryAccepted():
                cursor.execute("INSERT INTO person_receipts VALUES (?, ?, 0)", (id, event.lead.hex))
            case index.DeliveryQuarantined() | index.DeliveryUnread():
                cursor.execute("INSERT INTO person_receipts VALUES (?, NULL, 1)", (id,))
            case index.DeliveryReleased() | index.DeliveryReread():
                lead = event.lead.hex if event.lead else None
                cursor.execute("UPDATE person_receipts SET lead = ? WHERE receipt = ?", (lead, id))
            case index.ContactTied():
                self._enter(cursor, id, event.person_id.hex, event.lead.hex, 0)
            case index.FactWaits():
                cursor.execute("INSERT INTO person_entries VALUES (?, NULL, NULL, 0) ON CONFLICT (entry) DO NOTHING", (id,))
            case index.ContactSevered():
                self._enter(cursor, id, None, None, 1)
            case privacy.DataExported():
                cursor.execute("INSERT INTO exports VALUES (?, ?, ?, ?, ?, ?)", (id, position, iso(event.at), event.actor,
                                                                                 event.reason, event.people[0].hex))
            case _:
                self._erasure(cursor, position, event)

    def _enter(self, cursor: Cursor, entry: str, person: str | None, lead: str | None, severed: int) -> None:
        cursor.execute("INSERT INTO person_entries VALUES (?, ?, ?, ?) ON CONFLICT (entry) DO UPDATE SET "
                       "person = excluded.person, lead = excluded.lead, severed = excluded.severed",
                       (entry, person, lead, severed))

    def _erasure(self, cursor: Cursor, position: int, event: Event) -> None:
        id, at = event.originator_id.hex, iso(event.at)
        match event:
            case privacy.ErasureBegun():
                cursor.execute("INSERT INTO erasures VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)",
                               (id, position, at, event.actor, event.reason, event.rule, len(event.people), len(event.cards)))
                for person in event.people:
                    cursor.execute("INSERT INTO erased_persons VALUES (?, ?, ?) ON CONFLICT (person) DO NOTHING",
                                   (person.hex, id, at))
            case privacy.RemovalAsked():
                cursor.execute("UPDATE erasures SET pending = pending + 1 WHERE id = ?", (id,))
            case privacy.RemovalDone() | privacy.RemovalFailed():
                cursor.execute("UPDATE erasures SET pending = pending - 1 WHERE id = ?", (id,))
            case privacy.ErasureFinished():
                cursor.execute("UPDATE erasures SET finished = 1, remains = ? WHERE id = ?", (len(event.again), id))

    # ── questions ────────────────────────────────────────────────────────────────

    def leads_of(self, people: Collection[UUID]) -> set[UUID]:
        """Cards on which one of ``people`` is."""
        return {UUID(row["lead"]) for row in self._in("SELECT lead FROM person_leads WHERE person IN ", people)}

    def people_of(self, lead: UUID) -> set[UUID]:
        """Everybody who ever was on a card."""
        return {UUID(row["person"]) for row in self._in("SELECT person FROM person_leads WHERE lead IN ", [lead])}

    def receipts_of(self, leads: Collection[UUID]) -> list[tuple[UUID, bool]]:
        """Deliveries of cards, and whether each has a key of its own."""
        return [(UUID(row["receipt"]), bool(row["own"]))
                for row in self._in("SELECT receipt, own FROM person_receipts WHERE lead IN ", leads)]

    def loose_receipts(self) -> list[UUID]:
        """Deliveries that belong to no card."""
        return [UUID(row["receipt"]) for row in self._rows("SELECT receipt FROM person_receipts WHERE own = 1 AND lead IS NULL")]

    def entries_of(self, people: Collection[UUID], leads: Collection[UUID]) -> set[UUID]:
        """Look-up entries that lead to ``people`` or to ``leads``."""
        found = [*self._in("SELECT entry FROM person_entries WHERE severed = 0 AND person IN ", people),
                 *self._in("SELECT entry FROM person_entries WHERE severed = 0 AND lead IN ", leads)]
        return {UUID(row["entry"]) for row in found}

    def loose_entries(self) -> list[UUID]:
        """Look-up entries whose facts wait for something that never came."""
        return [UUID(row["entry"]) for row in
                self._rows("SELECT entry FROM person_entries WHERE severed = 0 AND person IS NULL AND lead IS NULL")]

    def erased(self, person: UUID) -> Any:
        """The row of an erased person (``erasure``, ``at``), or None."""
        return next(iter(self._rows("SELECT * FROM erased_persons WHERE person = ?", person.hex)), None)

    def erasures(self, limit: int = 100) -> list[Any]:
        """Erasures, the newest first."""
        return self._rows("SELECT * FROM erasures ORDER BY position DESC LIMIT ?", limit)

    def unfinished(self) -> list[UUID]:
        """Erasures that the hub has still to carry out, or that something is left of which it can try again."""
        rows = self._rows("SELECT id FROM erasures WHERE finished = 0 OR remains > 0 ORDER BY position")
        return [UUID(row["id"]) for row in rows]

    def exports(self, limit: int = 100) -> list[Any]:
        """Archives that were given out, the newest first."""
        return self._rows("SELECT * FROM exports ORDER BY position DESC LIMIT ?", limit)

    def _in(self, statement: str, ids: Collection[UUID]) -> list[Any]:
        found: list[Any] = []
        wanted = [id.hex for id in ids]
        for some in (wanted[n:n + 500] for n in range(0, len(wanted), 500)):
            found += self._rows(f"{statement}({', '.join('?' * len(some))})", *some)
        return found

    def _rows(self, statement: str, *values: object) -> list[Any]:
        with self.store.views.reading() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

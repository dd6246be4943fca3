"""What is to be sent, kept beside the log: positions, states and secrets. No row holds anything of a lead but ids."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hub.domain.event import Event
from hub.store.base import Cursor, EventStore
from hub.store.keys import seal, unseal

PAGE = 500
"""Positions of the log that are looked through at a time."""
BACKLOG = 2000
"""Waiting deliveries of one subscription from which on no further ones are collected: the log itself is the queue."""
KEPT = timedelta(days=14)
"""How long what was sent or dropped stays in the list of deliveries."""

TABLES = """
CREATE TABLE IF NOT EXISTS webhook_secrets (
    id INTEGER PRIMARY KEY, subscription TEXT NOT NULL, sealed BLOB NOT NULL, until TEXT);
CREATE TABLE IF NOT EXISTS webhook_progress (
    subscription TEXT PRIMARY KEY, position INTEGER NOT NULL, last_success TEXT, failing_since TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS webhook_deliveries (
    subscription TEXT NOT NULL, position INTEGER NOT NULL, lead TEXT NOT NULL, version INTEGER NOT NULL, topic TEXT NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL, due TEXT NOT NULL, tried TEXT, status INTEGER NOT NULL,
    fault TEXT NOT NULL, said TEXT NOT NULL, PRIMARY KEY (subscription, position)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS webhook_deliveries_due ON webhook_deliveries (subscription, state, due);
CREATE INDEX IF NOT EXISTS webhook_deliveries_of_lead ON webhook_deliveries (subscription, lead, state, position);
"""
"""The durable tables. ``state`` of a delivery: waiting | sent | dead | dropped. Times are UTC in one width, so they sort."""

DUE = """
SELECT * FROM webhook_deliveries AS d WHERE subscription = ? AND state = 'waiting' AND due <= ? AND NOT EXISTS (
    SELECT 1 FROM webhook_deliveries AS e
    WHERE e.subscription = d.subscription AND e.lead = d.lead AND e.state = 'waiting' AND e.position < d.position)
ORDER BY due, position LIMIT ?
"""


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one subscription; see :data:`TABLES`. ``tried`` is None before the first try."""

    subscription: UUID
    position: int
    lead: UUID
    version: int
    topic: str
    state: str
    attempts: int
    due: datetime
    tried: datetime | None
    status: int
    fault: str
    said: str


@dataclass(frozen=True)
class Standing:
    """How a subscription does. ``position``: read so far; ``failing_since``: since when nothing arrived that was tried."""

    position: int
    last_success: datetime | None = None
    failing_since: datetime | None = None
    waiting: int = 0
    sent: int = 0
    dead: int = 0


class Outbox:
    """Deliveries of all subscriptions. Safe for threads and processes; every method is one transaction at most."""

    def __init__(self, store: EventStore, key: bytes) -> None:
        """``key``: 32 bytes that secrets are sealed with."""
        self.store = store
        self._key = key

    def prepare(self) -> None:
        """Make the tables where they are missing."""
        self.store.make_tables(TABLES)

    # ── secrets ──────────────────────────────────────────────────────────────────

    def add_secret(self, subscription: UUID, secret: str, at: datetime, old_until: datetime | None = None) -> None:
        """Keep a secret; older ones sign until ``old_until`` at most."""
        sealed = seal(self._key, secret.encode(), _place(subscription))
        with self.store.writing() as c:
            if old_until is not None:
                c.execute("UPDATE webhook_secrets SET until = ? WHERE subscription = ? AND (until IS NULL OR until > ?)",
                          (iso(old_until), subscription.hex, iso(old_until)))
            c.execute("DELETE FROM webhook_secrets WHERE subscription = ? AND until <= ?", (subscription.hex, iso(at)))
            c.execute("INSERT INTO webhook_secrets (subscription, sealed) VALUES (?, ?)", (subscription.hex, sealed))

    def secrets(self, subscription: UUID, at: datetime) -> list[str]:
        """The secrets that sign at ``at``, the newest first; none where the hub's own secret is another one by now."""
        with self.store.reading() as c:
            c.execute("SELECT sealed FROM webhook_secrets WHERE subscription = ? AND (until IS NULL OR until > ?) "
                      "ORDER BY id DESC", (subscription.hex, iso(at)))
            opened = [unseal(self._key, bytes(row["sealed"]), _place(subscription)) for row in c.fetchall()]
        return [plain.decode() for plain in opened if plain is not None]

    # ── from the log into the queue ──────────────────────────────────────────────

    def collect(self, subscription: UUID, wants: Callable[[str], bool], after: int) -> int:
        """Queue the next events of the log (from ``after`` on, the first time); how many positions were looked at."""
        with self.store.reading() as c:
            c.execute("SELECT position FROM webhook_progress WHERE subscription = ?", (subscription.hex,))
            row = c.fetchone()
            c.execute("SELECT COUNT(*) AS n FROM webhook_deliveries WHERE subscription = ? AND state = 'waiting'",
                      (subscription.hex,))
            if c.fetchone()["n"] >= BACKLOG:
                return 0
        rows = self.store.tail(row["position"] if row else after, PAGE)
        if rows:
            wanted = [(subscription.hex, r.id, UUID(str(r.originator_id)).hex, r.originator_version, r.topic, iso(EPOCH))
                      for r in rows if wants(r.topic)]
            with self.store.writing() as c:
                for values in wanted:
                    c.execute("INSERT INTO webhook_deliveries (subscription, position, lead, version, topic, due, "
                              "state, attempts, status, fault, said) VALUES (?, ?, ?, ?, ?, ?, 'waiting', 0, 0, '', '') "
                              "ON CONFLICT (subscription, position) DO NOTHING", values)
                c.execute("INSERT INTO webhook_progress (subscription, position) VALUES (?, ?) ON CONFLICT (subscription) "
                          "DO UPDATE SET position = excluded.position WHERE webhook_progress.position < excluded.position",
                          (subscription.hex, rows[-1].id))
        return len(rows)

    def event(self, delivery: Delivery) -> Event:
        """The event itself, read from the log now: what was erased meanwhile is not sent."""
        (event,) = self.store.read(delivery.lead, delivery.version - 1, delivery.version)
        return event

    # ── out of the queue ─────────────────────────────────────────────────────────

    def due(self, subscription: UUID, now: datetime, limit: int) -> list[Delivery]:
        """What may be sent now: of each lead its earliest waiting event, if its time has come."""
        return self._read(DUE, (subscription.hex, iso(now), limit))

    def sent(self, delivery: Delivery, status: int, at: datetime) -> None:
        """It arrived."""
        with self.store.writing() as c:
            _note(c, delivery, "sent", delivery.attempts + 1, at, at, status, "", "")
            c.execute("UPDATE webhook_progress SET last_success = ?, failing_since = NULL WHERE subscription = ?",
                      (iso(at), delivery.subscription.hex))

    def failed(self, delivery: Delivery, at: datetime, again: datetime | None, status: int, fault: str, said: str) -> None:
        """It did not arrive; to be tried ``again`` then, or a dead letter where None."""
        with self.store.writing() as c:
            _note(c, delivery, "waiting" if again else "dead", delivery.attempts + 1, again or at, at, status, fault, said)
            c.execute("UPDATE webhook_progress SET failing_since = COALESCE(failing_since, ?) WHERE subscription = ?",
                      (iso(at), delivery.subscription.hex))

    def revive(self, subscription: UUID, position: int, now: datetime) -> bool:
        """Have a dead letter sent again, with all its tries; False where it is none (any more)."""
        with self.store.writing() as c:
            c.execute("UPDATE webhook_deliveries SET state = 'waiting', attempts = 0, due = ? "
                      "WHERE subscription = ? AND position = ? AND state = 'dead'", (iso(now), subscription.hex, position))
            return c.rowcount == 1

    def drop(self, subscription: UUID, position: int, now: datetime) -> bool:
        """Give a dead letter up; False where it is none (any more)."""
        with self.store.writing() as c:
            c.execute("UPDATE webhook_deliveries SET state = 'dropped', tried = ? "
                      "WHERE subscription = ? AND position = ? AND state = 'dead'", (iso(now), subscription.hex, position))
            return c.rowcount == 1

    def resumed(self, subscription: UUID, now: datetime) -> None:
        """Somebody says that the receiver is well: what waits is tried now, and its failing is counted anew."""
        with self.store.writing() as c:
            c.execute("UPDATE webhook_deliveries SET due = ? WHERE subscription = ? AND state = 'waiting' AND due > ?",
                      (iso(now), subscription.hex, iso(now)))
            c.execute("UPDATE webhook_progress SET failing_since = NULL WHERE subscription = ?", (subscription.hex,))

    def forget(self, subscription: UUID) -> None:
        """Delete everything of a subscription that ended."""
        with self.store.writing() as c:
            for table in ("webhook_deliveries", "webhook_secrets", "webhook_progress"):
                c.execute(f"DELETE FROM {table} WHERE subscription = ?", (subscription.hex,))

    def tidy(self, now: datetime, ended: Collection[UUID]) -> None:
        """Delete what was sent or dropped long ago, and what is left of subscriptions that ``ended``."""
        for subscription in ended:
            with self.store.reading() as c:
                c.execute("SELECT 1 AS n FROM webhook_secrets WHERE subscription = ? UNION ALL "
                          "SELECT 1 AS n FROM webhook_progress WHERE subscription = ?", (subscription.hex, subscription.hex))
                left = c.fetchone()
            if left:
                self.forget(subscription)
        with self.store.writing() as c:
            c.execute("DELETE FROM webhook_deliveries WHERE state IN ('sent', 'dropped') AND tried < ?", (iso(now - KEPT),))

    # ── looking ──────────────────────────────────────────────────────────────────

    def standing(self, subscription: UUID, after: int) -> Standing:
        """How a subscription does that begins ``after`` this position."""
        with self.store.reading() as c:
            c.execute("SELECT * FROM webhook_progress WHERE subscription = ?", (subscription.hex,))
            row = c.fetchone()
            c.execute("SELECT state, COUNT(*) AS n FROM webhook_deliveries WHERE subscription = ? GROUP BY state",
                      (subscription.hex,))
            counts = {found["state"]: found["n"] for found in c.fetchall()}
        numbers = {state: counts.get(state, 0) for state in ("waiting", "sent", "dead")}
        if row is None:
            return Standing(after, **numbers)
        return Standing(row["position"], _time(row["last_success"]), _time(row["failing_since"]), **numbers)

    def failing_since(self, subscription: UUID) -> datetime | None:
        """Since when nothing arrived that was tried; None where the last thing did, or nothing was tried."""
        with self.store.reading() as c:
            c.execute("SELECT failing_since FROM webhook_progress WHERE subscription = ?", (subscription.hex,))
            row = c.fetchone()
        return _time(row["failing_since"]) if row else None

    def listed(self, subscription: UUID, states: Sequence[str], limit: int) -> list[Delivery]:
        """Deliveries in one of ``states``, the newest event first."""
        wanted = ", ".join("?" * len(states))
        return self._read(f"SELECT * FROM webhook_deliveries WHERE subscription = ? AND state IN ({wanted}) "
                          "ORDER BY position DESC LIMIT ?", (subscription.hex, *states, limit))

    def one(self, subscription: UUID, position: int) -> Delivery | None:
        """A delivery, or None."""
        found = self._read("SELECT * FROM webhook_deliveries WHERE subscription = ? AND position = ?",
                           (subscription.hex, position))
        return found[0] if found else None

    def _read(self, sql: str, parameters: tuple[Any, ...]) -> list[Delivery]:
        with self.store.reading() as c:
            c.execute(sql, parameters)
            return [_delivery(row) for row in c.fetchall()]


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""When a delivery that was never tried is due: before everything, so that order alone counts."""


def iso(at: datetime) -> str:
    """A time as text that sorts."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _place(subscription: UUID) -> bytes:
    return f"webhook secret {subscription.hex}".encode()


def _delivery(row: Any) -> Delivery:
    return Delivery(UUID(row["subscription"]), row["position"], UUID(row["lead"]), row["version"], row["topic"], row["state"],
                    row["attempts"], datetime.fromisoformat(row["due"]), _time(row["tried"]), row["status"], row["fault"],
                    row["said"])


def _note(c: Cursor, delivery: Delivery, state: str, attempts: int, due: datetime, at: datetime, status: int, fault: str,
          said: str) -> None:
    """Only what still waits is changed: another worker, or a person, may have been first."""
    c.execute("UPDATE webhook_deliveries SET state = ?, attempts = ?, due = ?, tried = ?, status = ?, fault = ?, said = ? "
              "WHERE subscription = ? AND position = ? AND state = 'waiting'",
              (state, attempts, iso(due), iso(at), status, fault, said, delivery.subscription.hex, delivery.position))

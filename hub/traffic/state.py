"""How every channel account fares, in durable tables: for the status page, for /readyz, and to go on after a restart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import uniform
from typing import Any

from hub.store.base import EventStore

TABLES = """
CREATE TABLE IF NOT EXISTS channel_states (
    account TEXT NOT NULL, direction TEXT NOT NULL, ok_at TEXT, failing_since TEXT, failures INTEGER NOT NULL,
    reason TEXT NOT NULL, next_at TEXT, moved_at TEXT, PRIMARY KEY (account, direction)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS channel_positions (account TEXT PRIMARY KEY, position TEXT NOT NULL, at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox_tries (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, state TEXT NOT NULL, part INTEGER NOT NULL, names TEXT NOT NULL,
    tries INTEGER NOT NULL, first_at TEXT NOT NULL, next_at TEXT, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fetch_tries (
    id TEXT PRIMARY KEY, tries INTEGER NOT NULL, next_at TEXT NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;
"""
"""Durable tables beside the log. ``moved_at`` is when something last came or left; ``outbox_tries`` are the claims of
:mod:`hub.traffic.outbox`."""

NOTED_EVERY = timedelta(seconds=20)
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0
"""Seconds before the second try after a failure, and at most."""


@dataclass(frozen=True)
class Condition:
    """An account in one direction (``in`` or ``out``). Failing while ``failing_since`` is set, for ``reason``."""

    account: str
    direction: str
    ok_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    reason: str = ""
    next_at: datetime | None = None
    moved_at: datetime | None = None


class States:
    """The tables of conditions and positions."""

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self._noted: dict[tuple[str, str], datetime] = {}

    def prepare(self) -> None:
        """Make the tables where they are missing."""
        self.store.make_tables(TABLES)

    def all(self) -> list[Condition]:
        """Every account that was ever used, by id."""
        with self.store.reading() as cursor:
            cursor.execute("SELECT * FROM channel_states ORDER BY account, direction")
            return [_condition(row) for row in cursor.fetchall()]

    def of(self, account: str, direction: str) -> Condition:
        """One account in one direction; a fresh one where it was never used."""
        with self.store.reading() as cursor:
            cursor.execute("SELECT * FROM channel_states WHERE account = ? AND direction = ?", (account, direction))
            row = cursor.fetchone()
        return _condition(row) if row is not None else Condition(account, direction)

    def worked(self, account: str, direction: str, at: datetime, *, moved: bool) -> None:
        """It works; ``moved``: something came or left. That nothing is new is written down now and then only."""
        noted = self._noted.get((account, direction))
        if not moved and noted is not None and at - noted < NOTED_EVERY:
            return
        with self.store.writing() as cursor:
            cursor.execute(
                "INSERT INTO channel_states VALUES (?, ?, ?, NULL, 0, '', NULL, ?) "
                "ON CONFLICT (account, direction) DO UPDATE SET ok_at = excluded.ok_at, failing_since = NULL, failures = 0, "
                "reason = '', next_at = NULL, "
                "moved_at = COALESCE(excluded.moved_at, channel_states.moved_at)",
                (account, direction, _text(at), _text(at) if moved else None))
        self._noted[account, direction] = at

    def failed(self, account: str, direction: str, at: datetime, why: str, seconds: float = 0.0) -> float:
        """It does not; for how many seconds it rests now: longer each time, and not less than the provider asked for."""
        self._noted.pop((account, direction), None)
        before = self.of(account, direction)
        longer: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(before.failures, 10))
        pause = max(seconds, longer * uniform(0.8, 1.2))
        with self.store.writing() as cursor:
            cursor.execute(
                "INSERT INTO channel_states VALUES (?, ?, NULL, ?, 1, ?, ?, NULL) ON CONFLICT (account, direction) DO UPDATE SET "
                "failing_since = COALESCE(channel_states.failing_since, excluded.failing_since), "
                "failures = channel_states.failures + 1, reason = excluded.reason, next_at = excluded.next_at",
                (account, direction, _text(at), why[:300], _text(at + timedelta(seconds=pause))))
        return pause

    def position(self, account: str) -> str:
        """Where polling goes on; "" at first."""
        with self.store.reading() as cursor:
            cursor.execute("SELECT position FROM channel_positions WHERE account = ?", (account,))
            row = cursor.fetchone()
        return str(row["position"]) if row is not None else ""

    def move(self, account: str, position: str, at: datetime) -> None:
        """Polling goes on from here: everything before is stored."""
        with self.store.writing() as cursor:
            cursor.execute("INSERT INTO channel_positions VALUES (?, ?, ?) ON CONFLICT (account) DO UPDATE SET "
                           "position = excluded.position, at = excluded.at", (account, position, _text(at)))


def _text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _condition(row: Any) -> Condition:
    return Condition(row["account"], row["direction"], _moment(row["ok_at"]), _moment(row["failing_since"]), row["failures"],
                     row["reason"], _moment(row["next_at"]), _moment(row["moved_at"]))

"""Drafts of the process file, one for each person: beside the log, as nobody decides by them until they are published (R0)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub.store.base import EventStore

TABLES = """
CREATE TABLE IF NOT EXISTS process_drafts (
    "user" TEXT PRIMARY KEY, text TEXT NOT NULL, seen INTEGER NOT NULL, saved_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS first_steps_hidden ("user" TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Draft:
    """A person's draft. ``seen`` is the version of the process that it was made from."""

    text: str
    seen: int
    saved_at: datetime


class Drafts:
    """What people have begun to change, and who wants to see the first steps no more."""

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def prepare(self) -> None:
        """Make the tables where they are missing."""
        self.store.make_tables(TABLES)

    def of(self, user: UUID) -> Draft | None:
        """The draft of ``user``, if there is one."""
        with self.store.reading() as c:
            row = c.execute('SELECT text, seen, saved_at FROM process_drafts WHERE "user" = ?', (user.hex,)).fetchone()
        return Draft(row["text"], row["seen"], datetime.fromisoformat(row["saved_at"])) if row else None

    def save(self, user: UUID, text: str, seen: int, at: datetime) -> None:
        """Keep a draft in the place of the one before."""
        with self.store.writing() as c:
            c.execute('INSERT INTO process_drafts VALUES (?, ?, ?, ?) ON CONFLICT ("user") DO UPDATE SET text = excluded.text, '
                      "seen = excluded.seen, saved_at = excluded.saved_at", (user.hex, text, seen, at.isoformat()))

    def drop(self, user: UUID) -> None:
        """Forget a draft."""
        with self.store.writing() as c:
            c.execute('DELETE FROM process_drafts WHERE "user" = ?', (user.hex,))

    def hide_steps(self, user: UUID, at: datetime) -> None:
        """``user`` wants to see the first steps no more."""
        with self.store.writing() as c:
            c.execute("INSERT INTO first_steps_hidden VALUES (?, ?) ON CONFLICT DO NOTHING", (user.hex, at.isoformat()))

    def show_steps(self, user: UUID) -> None:
        """``user`` wants to see them again."""
        with self.store.writing() as c:
            c.execute('DELETE FROM first_steps_hidden WHERE "user" = ?', (user.hex,))

    def steps_hidden(self, user: UUID) -> bool:
        """Whether ``user`` wants to see them no more."""
        with self.store.reading() as c:
            return c.execute('SELECT 1 FROM first_steps_hidden WHERE "user" = ?', (user.hex,)).fetchone() is not None

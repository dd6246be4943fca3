"""Leases: which of several processes does a thing now. A holder that dies is followed by another within seconds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hub.store.tables import Tables

TABLES = """
CREATE TABLE IF NOT EXISTS leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until REAL NOT NULL)
"""


class Held(NamedTuple):
    """Who holds a lease, and for how many seconds more (negative: it has run out)."""

    holder: str
    seconds_left: float


class Leases:
    """Leases by name. A lease saves work; what must not be done twice is kept from it by the log or by a row of its own.

    Times are the database's, or the machine's where the database is a file: clocks of several machines need not agree.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def hold(self, name: str, holder: str, seconds: float) -> bool:
        """Take the lease ``name`` for ``seconds``, or go on holding it; False while somebody else holds it."""
        return bool(self.hold_all([name], holder, seconds))

    def hold_all(self, names: Iterable[str], holder: str, seconds: float) -> frozenset[str]:
        """Those of ``names`` that ``holder`` has now, taken or renewed in one transaction."""
        held = set()
        with self._tables.writing() as cursor:
            now = self._tables.now(cursor)
            for name in names:
                cursor.execute(
                    "INSERT INTO leases VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, "
                    "until = excluded.until WHERE leases.holder = excluded.holder OR leases.until < ?",
                    (name, holder, now + seconds, now))
                if cursor.rowcount > 0:
                    held.add(name)
        return frozenset(held)

    def free(self, name: str, holder: str) -> None:
        """Give a lease back, so that the next one need not wait for its end."""
        with self._tables.writing() as cursor:
            cursor.execute("DELETE FROM leases WHERE name = ? AND holder = ?", (name, holder))

    def free_all(self, holder: str) -> None:
        """Give back everything that ``holder`` has."""
        with self._tables.writing() as cursor:
            cursor.execute("DELETE FROM leases WHERE holder = ?", (holder,))

    def holders(self) -> dict[str, Held]:
        """All leases that were ever taken and not given back."""
        with self._tables.reading() as cursor:
            now = self._tables.now(cursor)
            rows = cursor.execute("SELECT name, holder, until FROM leases").fetchall()
        return {row["name"]: Held(row["holder"], row["until"] - now) for row in rows}

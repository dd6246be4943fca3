"""How often an address posts: counted in memory where one process answers, in the database where several do."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from threading import Lock

from hub.store.base import EventStore
from hub.store.tables import Tables

MINUTE = timedelta(minutes=1)
KEPT_RATES = 10_000
"""Addresses that are counted at a time; the one not heard of for longest is forgotten first."""

TABLES = """
CREATE TABLE IF NOT EXISTS rate_hits (address TEXT NOT NULL, form TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS rate_hits_by_address ON rate_hits (address, form, at);
CREATE INDEX IF NOT EXISTS rate_hits_by_time ON rate_hits (at);
"""


class Rates:
    """How many requests came under a key within the last minute, as this process saw them."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], deque[datetime]] = OrderedDict()
        self._lock = Lock()

    def count(self, key: tuple[str, str], cap: int, at: datetime) -> tuple[int, int]:
        """Count a request at ``at``: how many its minute holds with it, and the seconds to wait (0 up to ``cap``).

        A request above the cap is not counted, so that a client who waits is let in.
        """
        with self._lock:
            seen = self._seen.setdefault(key, deque())
            self._seen.move_to_end(key)
            while seen and at - seen[0] >= MINUTE:
                seen.popleft()
            if len(seen) >= cap:
                return len(seen) + 1, max(1, -int((at - seen[0] - MINUTE) // timedelta(seconds=1)))
            seen.append(at)
            if len(self._seen) > KEPT_RATES:
                self._seen.popitem(last=False)
            return len(seen), 0


class SharedRates:
    """The same over all processes that use one database."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def count(self, key: tuple[str, str], cap: int, at: datetime) -> tuple[int, int]:
        """See :meth:`Rates.count`. Two requests at the very same moment may both be let in as the last one."""
        now, minute = at.timestamp(), MINUTE.total_seconds()
        with self._tables.writing() as cursor:
            cursor.execute("DELETE FROM rate_hits WHERE at <= ?", (now - minute,))
            cursor.execute("SELECT COUNT(*) AS n, MIN(at) AS first FROM rate_hits WHERE address = ? AND form = ?", key)
            row = cursor.fetchone()
            if row["n"] >= cap:
                return row["n"] + 1, max(1, -int((now - row["first"] - minute) // 1))
            cursor.execute("INSERT INTO rate_hits VALUES (?, ?, ?)", (*key, now))
        return row["n"] + 1, 0


def rates_of(store: EventStore) -> Rates | SharedRates:
    """The counter for a store: SQLite has one web process."""
    return SharedRates(store.scratch) if store.scratch is not None else Rates()

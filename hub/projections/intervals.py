"""How long leads were where: one row for each stay in a stage, for medians, flows and any past date."""

from __future__ import annotations

from datetime import datetime
from statistics import median
from typing import Any

from hub.domain import events as e
from hub.domain.event import Event
from hub.projections.base import Projection
from hub.projections.leads import iso
from hub.store.base import Cursor, EventStore


class Intervals(Projection):
    """A stay begins with a stage or a waking and ends with the next stage, an end, a sleep or a merge."""

    name = "intervals"
    version = 1
    tables = """
        CREATE TABLE stage_intervals (lead TEXT NOT NULL, version INTEGER NOT NULL, stage TEXT NOT NULL, entered_at TEXT NOT NULL,
                                      previous TEXT NOT NULL, left_at TEXT, left_to TEXT NOT NULL DEFAULT '',
                                      PRIMARY KEY (lead, version)) WITHOUT ROWID;
        CREATE INDEX stage_intervals_now ON stage_intervals (left_at, stage);
        CREATE INDEX stage_intervals_entered ON stage_intervals (entered_at);
    """
    topics = frozenset(k.TOPIC for k in (e.StageEntered, e.LeadWon, e.LeadLost, e.LeadRefused, e.LeadSlept, e.LeadWoken,
                                         e.LeadReopened, e.LeadMergedInto, e.LeadSplitOff))

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        lead, at = event.originator_id.hex, iso(event.at)
        match event:
            case e.StageEntered():
                self._leave(cursor, lead, at, event.stage)
                self._enter(cursor, event, event.stage, event.previous)
            case e.LeadWoken() | e.LeadReopened() | e.LeadSplitOff():
                cursor.execute("SELECT stage, left_to FROM stage_intervals WHERE lead = ? ORDER BY version DESC LIMIT 1", (lead,))
                last = cursor.fetchone()
                if last is not None and last["left_to"]:
                    self._enter(cursor, event, last["stage"], last["left_to"])
            case e.LeadWon() | e.LeadLost() | e.LeadRefused() | e.LeadSlept() | e.LeadMergedInto():
                self._leave(cursor, lead, at, event.TOPIC.partition(".")[2])

    def _leave(self, cursor: Cursor, lead: str, at: str | None, to: str) -> None:
        cursor.execute("UPDATE stage_intervals SET left_at = ?, left_to = ? WHERE lead = ? AND left_at IS NULL", (at, to, lead))

    def _enter(self, cursor: Cursor, event: Event, stage: str, previous: str) -> None:
        cursor.execute("INSERT INTO stage_intervals (lead, version, stage, entered_at, previous) VALUES (?, ?, ?, ?, ?)",
                       (event.originator_id.hex, event.originator_version, stage, iso(event.at), previous))

    def medians(self, since: datetime) -> dict[str, float]:
        """Median stay in seconds by stage, of stays that ended since ``since``."""
        with self.store.reading() as c:
            c.execute("SELECT stage, entered_at, left_at FROM stage_intervals WHERE left_at >= ?", (iso(since),))
            stays: dict[str, list[float]] = {}
            for row in c.fetchall():
                stays.setdefault(row["stage"], []).append(_seconds(row["entered_at"], row["left_at"]))
        return {stage: median(seconds) for stage, seconds in stays.items()}

    def flows(self, since: datetime) -> dict[tuple[str, str], int]:
        """How many went from where to where since ``since``; ends are ``won``, ``lost``, ``refused``, ``slept``."""
        with self.store.reading() as c:
            c.execute("SELECT stage, left_to, COUNT(*) AS n FROM stage_intervals WHERE left_at >= ? GROUP BY stage, left_to",
                      (iso(since),))
            return {(row["stage"], row["left_to"]): row["n"] for row in c.fetchall()}

    def of(self, lead: str) -> list[Any]:
        """The stays of one lead, in order."""
        with self.store.reading() as c:
            c.execute("SELECT * FROM stage_intervals WHERE lead = ? ORDER BY version", (lead,))
            return list(c.fetchall())


def _seconds(a: str, b: str) -> float:
    return (datetime.fromisoformat(b) - datetime.fromisoformat(a)).total_seconds()

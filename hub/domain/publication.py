"""Which process was in force when: every version is an event that holds its whole content (R0)."""

from __future__ import annotations

import hashlib
from datetime import date
from uuid import UUID

from msgspec import Struct

from hub.domain.aggregate import Aggregate
from hub.domain.event import Event, topic
from hub.domain.process import Process
from hub.domain.process_check import read_process, reread_process

PROCESS_STREAM = UUID("6f9f6a3e-0c2b-5d0e-9a51-0f2c3a4b5c6d")
"""The one stream of published processes."""


@topic("process.published")
class ProcessPublished(Event, frozen=True, kw_only=True):
    """A version came into force. It holds the file and the calendar's days, so that a later
    release of the holiday library cannot change history."""

    number: int
    text: str
    digest: str
    days_off: tuple[date, ...] = ()
    working_days: tuple[date, ...] = ()


class Published(Struct, frozen=True):
    """The newest version's number and digest."""

    number: int = 0
    digest: str = ""


def process_of(event: ProcessPublished) -> Process:
    """The process that ``event`` put in force."""
    return Process(reread_process(event.text), event.number, event.days_off, event.working_days)


class Publication(Aggregate[Published]):
    """The stream of versions."""

    EMPTY = Published()

    @staticmethod
    def evolve(state: Published, event: Event) -> Published:
        if isinstance(event, ProcessPublished):
            return Published(event.number, event.digest)
        return state

    def publish(self, text: str, days_off: tuple[date, ...], working_days: tuple[date, ...]) -> bool:
        """Put ``text`` in force unless the same content already is. Raises BadProcess on a faulty file."""
        read_process(text)
        parts = [text, *map(str, days_off), "|", *map(str, working_days)]
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        if digest == self.state.digest:
            return False
        self.record(ProcessPublished, number=self.state.number + 1, text=text, digest=digest,
                    days_off=days_off, working_days=working_days)
        return True

"""Senders of real form posts, each repeated under its own key until it is acknowledged, and the count of what became of them."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from hub.domain import events as e
from hub.projections.views import Views
from tests.serving import opened, submit
from tests.stores.projection_contract import dump

SENDERS = 8
PAUSE = 0.02
"""Seconds before a sender tries again."""
FOR_ONE_PERSON = 3
"""How often each person writes, through different senders at about the same time (R6)."""


@dataclass
class Tally:
    """What the senders saw."""

    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    repeats: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0


class Load:
    """Senders at work while the block runs. A sender goes on to its next submission only when the last one is acknowledged."""

    def __init__(self, port: int, *, senders: int = SENDERS, timeout: float = 30, name: str = "s") -> None:
        self.port, self.senders, self.timeout, self.name = port, senders, timeout, name
        self.tally = Tally()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send, args=(n,), name=f"sender {n}") for n in range(senders)]

    def _send(self, sender: int) -> None:
        for n in range(1_000_000):
            key = f"{self.name}-{sender}-{n}"
            phone = f"+7912{(n * self.senders + sender) // FOR_ONE_PERSON:07d}"
            source = f"127.0.{sender + 1}.{n % 250 + 2}"  # many visitors, so that no limit of one address is met
            first = True
            while not self._once(key, phone, source, first):
                first = False
                if self._over.wait(PAUSE):
                    return
            if self._over.is_set():
                return

    def _once(self, key: str, phone: str, source: str, first: bool) -> bool:
        with self._lock:
            self.tally.sent.add(key)
            self.tally.repeats += not first
        try:
            status = submit(self.port, key, phone, source=source, timeout=self.timeout, text=key).status
        except OSError:
            status = 0
        except Exception:  # half an answer: the server was killed while it wrote it
            status = -1
        with self._lock:
            if status > 0:
                self.tally.statuses[status] += 1
            else:
                self.tally.unanswered += 1
            if status == 202:
                self.tally.acknowledged.add(key)
        return status == 202

    def acknowledged(self) -> int:
        """How many are acknowledged so far."""
        with self._lock:
            return len(self.tally.acknowledged)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


@dataclass(frozen=True)
class Verdict:
    """What the database says of what the senders saw."""

    sent: int
    acknowledged: int
    repeats: int
    stored: int
    lost: int
    twice: int
    leads: int
    persons: int
    persons_with_two_leads: int
    rebuilt_equal: bool

    @property
    def kept(self) -> bool:
        """The promise: nothing acknowledged is lost, nothing is stored twice, one person has one open card."""
        return not (self.lost or self.twice or self.persons_with_two_leads) and self.rebuilt_equal and self.acknowledged > 0

    def row(self, name: str) -> str:
        """A line of the table."""
        return (f"{name:<34} {self.acknowledged:>12} {self.repeats:>8} {self.stored:>8} {self.lost:>6} {self.twice:>6} "
                f"{self.leads:>6} {self.persons_with_two_leads:>10}  {'yes' if self.rebuilt_equal else 'NO'}")


HEAD = (f"{'experiment':<34} {'acknowledged':>12} {'repeats':>8} {'stored':>8} {'lost':>6} {'twice':>6} "
        f"{'leads':>6} {'two leads':>10}  rebuild equal")


def judge(folder: Path, tally: Tally) -> Verdict:
    """Count in the database, with the server stopped: every message carries its key as its text."""
    messages: Counter[str] = Counter()
    leads_of: dict[str, set[UUID]] = defaultdict(set)
    leads = set()
    with closing(opened(folder)) as house:
        position = 0
        while rows := house.store.log(position, 2_000):
            position = rows[-1][0]
            for _, event in rows:
                if isinstance(event, e.MessageReceived):
                    messages[event.text] += 1
                elif isinstance(event, e.LeadReceived):
                    leads.add(event.originator_id)
                elif isinstance(event, e.AddressAdded):
                    leads_of[event.value].add(event.originator_id)
        house.runner.catch_up()
        views = Views(house.store).all
        before = [dump(house.store, view) for view in views]
        for view in views:
            house.runner.rebuild(view.name)
        equal = [dump(house.store, view) for view in views] == before
        in_order = all(status.lag == 0 and status.parked_reason is None for status in house.runner.status())
    return Verdict(
        sent=len(tally.sent), acknowledged=len(tally.acknowledged), repeats=tally.repeats, stored=sum(messages.values()),
        lost=len(tally.acknowledged - messages.keys()), twice=sum(n - 1 for n in messages.values()), leads=len(leads),
        persons=len(leads_of), persons_with_two_leads=sum(len(found) > 1 for found in leads_of.values()),
        rebuilt_equal=equal and in_order)

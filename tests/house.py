"""A department in a folder: stores, hub, read models and people, as bootstrap puts them together, without the web.

The same folder may be opened again, by this process or another one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from hub.application import THE_HUB, Done, LeadHub
from hub.calendar import russian_days
from hub.config import PACKAGED_PROCESS
from hub.domain import events as e
from hub.domain.aggregate import Actor
from hub.domain.delivery import Address, Delivery
from hub.domain.staff import User, user_stream
from hub.intake import Received
from hub.projections import Runner
from hub.projections.views import Views
from hub.store.files import FileStore
from tests.databases import stores

SECRET = b"the secret of the tests' department"
MONDAY = datetime(2026, 11, 16, 10, 0, tzinfo=ZoneInfo("Europe/Moscow")).astimezone(UTC)
"""A working Monday, 10:00 in Moscow; no holiday is near."""

PEOPLE = {"adam": "administrator", "vera": "head", "anna": "manager", "boris": "manager", "tim": "trainee", "olga": "account",
          "audra": "auditor"}

_numbers = count(1)


@cache
def days() -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The Russian calendar of the years of the tests."""
    return russian_days([2026, 2027])


def after(**length: float) -> datetime:
    """So long after Monday 10:00."""
    return MONDAY + timedelta(**length)


def user(name: str) -> str:
    """The id of somebody of ours, as events have it."""
    return f"user:{user_stream(name)}"


def actor(name: str) -> Actor:
    """Somebody of ours, with their role."""
    return Actor(user(name), frozenset({PEOPLE[name]}))


def phone(number: int) -> Address:
    """A phone number of its own for each number."""
    return Address("phone", f"+7912{number:07d}", f"8 912 {number:07d}")


def form(*addresses: Address, id: str | None = None, text: str = "Нужен сайт", **fields: Any) -> Delivery:
    """A submission of a website form with a delivery id of its own."""
    return Delivery(channel="website", source="main", source_title="Сайт", name="Иван", text=text, addresses=addresses,
                    delivery_id=f"delivery-{next(_numbers)}" if id is None else id, payload_digest=text, raw=text, **fields)


class Department:
    """One opening of the folder. Use it as a context manager, or close it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys, self.store = stores(folder, SECRET)
        self.files = FileStore(folder / "files", self.keys, SECRET)
        self.views = Views(self.store)
        self.hub = LeadHub(self.store, self.files, self.views, SECRET)
        self.runner = Runner(self.store, self.views.all, skipped=self.hub.skipped_by)

    def begin(self, *people: str, process: str = "") -> Self:
        """A process in force and these people (everybody where none is named)."""
        text = process or PACKAGED_PROCESS.read_text(encoding="utf-8")
        self.hub.publish_process(text, *days(), actor=THE_HUB, at=after(days=-1))
        for name in people or PEOPLE:
            self.hub.add_user(name, name.title(), (PEOPLE[name],), actor=THE_HUB, at=after(days=-1))
        self.runner.catch_up()
        return self

    def receive(self, delivery: Delivery, at: datetime = MONDAY) -> Received:
        """A delivery comes in."""
        return self.hub.receive(delivery, at=at)

    def do(self, lead: UUID, command: str, who: str = "anna", at: datetime = MONDAY, **arguments: Any) -> Done:
        """A command of somebody of ours."""
        return self.hub.do(lead, command, arguments, actor=actor(who), at=at)

    def new_lead(self, delivery: Delivery | None = None, at: datetime = MONDAY) -> UUID:
        """A lead that has just come in."""
        received = self.receive(delivery or form(phone(next(_numbers) + 5_000_000)), at)
        assert received.lead is not None
        return received.lead

    def screened_lead(self, *addresses: Address, who: str = "anna") -> UUID:
        """A lead that was taken and screened: it is in «scoring», from where it can be won."""
        lead = self.new_lead(form(*(addresses or (phone(next(_numbers) + 6_000_000),))))
        self.do(lead, "take", who)
        self.do(lead, "capture_contact", who, phone="+7 912 345-67-89", timezone="Asia/Omsk")
        self.do(lead, "finish_screening", who, criteria_checked=True)
        return lead

    def score(self, lead: UUID, total: int = 3, who: str = "anna", at: datetime = MONDAY) -> None:
        """A sheet with this total (R9)."""
        self.do(lead, "score", who, at, marks={p: int(n < total) for n, p in enumerate(self.hub.process.parameters)})

    def message(self, lead: UUID, number: int = 1) -> e.MessageReceived:
        """A message as its event says it."""
        return [event for event in self.hub.history(lead) if isinstance(event, e.MessageReceived)][number - 1]

    def absent(self, name: str, since: datetime, until: datetime) -> None:
        """Somebody is away on these days, both included."""
        self.hub.change(User, user_stream(name), lambda u: u.record_absence(since.date(), until.date()), actor=THE_HUB, at=since)

    def topics(self, stream: UUID) -> list[str]:
        """What is stored of a stream, by topic."""
        return [event.TOPIC for event in self.store.read(stream)]

    def leads(self) -> list[Any]:
        """Every row of the board's table, in order of arrival."""
        self.runner.catch_up()
        return self.views.leads.rows("1 = 1", order="number", limit=100_000)

    def close(self) -> None:
        """Close all files."""
        self.store.close()
        self.keys.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def fresh_id() -> str:
    """A delivery id that nobody used."""
    return uuid4().hex

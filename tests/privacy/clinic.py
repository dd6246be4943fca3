"""A person with something in every place where the hub keeps something of a person, and a search of the databases' files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from msgspec.structs import replace

from hub.accounts import Accounts
from hub.bootstrap import DURABLE
from hub.domain.delivery import Address, Delivery, File
from hub.domain.fact import Fact
from hub.privacy import Eraser
from tests.databases import url_of
from tests.house import MONDAY, Department, actor, after, form

PHONE, EMAIL = "+79161234567", "aristarkh@kanareika.example"
NAME = "Аристарх Канарейкин"
CANARIES = (NAME, "Канарейкин", "канарейкин", PHONE, "9161234567", EMAIL, "kanareika", "оранжерея-канарейки", "заметка-канарейка",
            "цель-канарейка", "карантин-канарейка", "шаг-канарейка", "зов-канарейка")
"""What stands in texts of or about the person and nowhere else."""
ADDRESSES = (Address("phone", PHONE, "8 916 123-45-67"), Address("email", EMAIL, EMAIL))


@dataclass
class Clinic:
    """A department with the person on a card, with everything around it."""

    house: Department
    accounts: Accounts = field(default_factory=Accounts)

    @property
    def eraser(self) -> Eraser:
        """Erases in this department."""
        return Eraser(self.house.hub, self.house.runner, self.accounts)

    def person(self, lead: UUID) -> UUID:
        """The main person of a card."""
        return self.house.hub.lead(lead).main_person

    def erase(self, person: UUID, reason: str = "отзыв согласия", **more: Any) -> UUID:
        """Erase somebody as the administrator."""
        self.house.runner.catch_up()
        return self.eraser.erase(person, reason, actor=actor("adam"), at=after(days=1), **more)


def delivery(text: str = "Нужна оранжерея-канарейки", **fields: Any) -> Delivery:
    """A form of the person's."""
    return replace(form(*ADDRESSES, text=text, **fields), name=NAME)


def furnish(clinic: Clinic) -> UUID:
    """The person's card: a file, notes, a meeting, a proposal, a message of ours that waits, a delivery in quarantine, a dead
    letter, a fact that waits for nothing; and two other people's cards around it."""
    house = clinic.house
    for statements in DURABLE:
        house.store.make_tables(statements)
    house.new_lead()
    lead = house.new_lead(replace(delivery(), files=(File("тз.txt", "text/plain", "оранжерея-канарейки".encode() * 50),)))
    house.new_lead()
    house.do(lead, "take")
    house.do(lead, "name_company", name="ИП Канарейкин")
    house.do(lead, "note", text="заметка-канарейка: звонить после обеда")
    house.do(lead, "capture_contact", timezone="Asia/Omsk")
    house.do(lead, "finish_screening", criteria_checked=True)
    house.score(lead, 11)
    house.do(lead, "plan_meeting", purpose="interview", starts_at=after(hours=3), goal="цель-канарейка")
    house.do(lead, "plan_step", step="шаг-канарейка", due_at=after(hours=5))
    house.do(lead, "send_message", route={"way": "email", "account": "email/main", "to": EMAIL}, text="Ждём: оранжерея-канарейки")
    house.receive(replace(delivery("карантин-канарейка"), suspicion="honeypot"), after(minutes=5))
    house.hub.keep_unread("email", "email/main", "Почта", f"From: {EMAIL}\n\nкарантин-канарейка", b"raw", "unreadable",
                          at=after(minutes=6))
    house.hub.hear(Fact(about="msg/unknown", kind="message", status="failed", why=f"зов-канарейка {PHONE}"), channel="twilio",
                   at=MONDAY)
    with house.store.writing() as cursor:
        cursor.execute("INSERT INTO api_answers VALUES ('k', 'd', '2026-11-16', 200, '', ?)", (f'{{"lead":"{lead}"}} {NAME}',))
    house.runner.catch_up()
    return lead


def held_by(house: Department, canaries: tuple[str, ...] = CANARIES) -> dict[str, list[str]]:
    """Which canaries are in which files of the databases, the folder of attached files included."""
    forms = {canary: (canary.encode(), canary.encode("unicode_escape"), canary.encode("utf-16-le")) for canary in canaries}
    found: dict[str, list[str]] = {}
    for path in _files(house):
        try:
            data = path.read_bytes()
        except FileNotFoundError:  # the server has just thrown it away
            continue
        if held := [canary for canary, some in forms.items() if any(one in data for one in some)]:
            found[path.name] = held
    return found


def _files(house: Department) -> list[Path]:
    files = [path for path in house.folder.rglob("*") if path.is_file() and path.name != "database.url"]
    if url := url_of(house.folder):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
            (oid,) = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone() or (0,)
        files += [path for path in (Path(folder) / "base" / str(oid)).iterdir() if path.is_file()]
    return files

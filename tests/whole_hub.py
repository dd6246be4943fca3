"""A whole hub in a folder of its own, with something of everything in it: for copies, backups and restores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from hub.__main__ import main
from hub.application import THE_HUB
from hub.bootstrap import DURABLE, House, make_schema, migrate, open_house, publish_process
from hub.config import Settings, load
from hub.domain.delivery import File
from hub.domain.event import ERASED
from hub.domain.staff import User, user_stream
from hub.store.base import EventStore, tables_made
from hub.transfer.places import opened
from tests.house import MONDAY, Actor, form, phone, user

SECRET = "the one secret that all places of these tests share"
PASSWORD = "correct horse battery staple"
PICTURE = b"\x89PNG and the rest of a picture"
BESIDE = tuple(name for statements in DURABLE for name in tables_made(statements))


class Said(NamedTuple):
    """What a command printed."""

    code: int
    out: str
    err: str


class Site:
    """A place where a hub is, or may be: a data folder, and a PostgreSQL database where ``url`` names one."""

    def __init__(self, folder: Path, url: str = "", secret: str = SECRET) -> None:
        self.folder = folder
        self._migrated = not url  # SQLite makes what is missing
        folder.mkdir(exist_ok=True)
        self.url = url or f"sqlite:///{folder}/hub.db"
        self.environ = {"HUB_DATA_DIR": str(folder), "HUB_DATABASE_URL": self.url}
        if secret:
            self.environ["HUB_SECRET_KEY"] = secret

    @property
    def settings(self) -> Settings:
        return load(self.environ)

    def opened(self) -> closing[House]:
        """The hub, with its read models up to date."""
        if not self._migrated:
            migrate(self.settings)
            self._migrated = True
        house = open_house(self.settings)
        house.runner.catch_up()
        return closing(house)

    @contextmanager
    def store(self) -> Iterator[EventStore]:
        """The store alone."""
        make_schema(self.settings)
        with opened(self.settings) as (_, store):
            yield store

    def furnish(self, leads: int = 5) -> None:
        """Something of everything: people who can sign in, leads with texts and files, work on them, a webhook, a session."""
        with self.opened() as house:
            publish_process(house, MONDAY)
            anna = house.hub.add_user("anna", "Анна", ("manager",), actor=THE_HUB, at=MONDAY)
            adam = house.hub.add_user("adam", "Адам", ("administrator",), actor=THE_HUB, at=MONDAY)
            house.access.set_password(anna, PASSWORD, temporary=False, at=MONDAY)
            house.access.open(anna, "127.0.0.1", "Firefox", datetime.now(UTC))
            house.access.choose_language(anna, "en")
            house.hub.add_webhook("CRM", "https://93.184.215.14/hooks", actor=Actor(f"user:{adam}", frozenset({"administrator"})),
                                  at=MONDAY)
            self.receive(house, *range(leads))
            house.runner.catch_up()

    def receive(self, house: House, *numbers: int) -> list[UUID]:
        """Leads that are taken by Anna, each with a file."""
        leads = []
        for n in numbers:
            got = house.hub.receive(form(phone(n), files=(File("photo.png", "image/png", PICTURE + str(n).encode()),)), at=MONDAY)
            assert got.lead is not None
            house.hub.do(got.lead, "take", {}, actor=Actor(user("anna"), frozenset({"manager"})), at=MONDAY)
            leads.append(got.lead)
        return leads

    def rows(self) -> list[tuple[Any, ...]]:
        """The log, byte for byte."""
        with self.store() as store:
            return [(r.id, str(r.originator_id), r.originator_version, r.topic, r.state) for r in store.tail(0, 1_000_000)]

    def views(self) -> dict[str, list[str]]:
        """All rows of all read models."""
        with self.opened() as house, house.store.views.reading() as cursor:
            return {table: sorted(repr(tuple(row)) for row in cursor.execute(f"SELECT * FROM {table}").fetchall())
                    for projection in house.runner.projections.values() for table in projection.table_names}

    def beside(self) -> dict[str, list[str]]:
        """All rows beside the log."""
        with self.store() as store, store.reading() as cursor:
            return {table: sorted(repr(tuple(row)) for row in cursor.execute(f"SELECT * FROM {table}").fetchall())
                    for table in BESIDE}

    def can_work(self) -> None:
        """Anna's password opens, files are read, and the next event has the next number."""
        with self.opened() as house:
            assert house.access.verify(user_stream("anna"), PASSWORD)
            head = house.store.head()
            house.hub.change(User, user_stream("anna"), lambda u: u.password_changed(temporary=False), actor=THE_HUB, at=MONDAY)
            assert [row.id for row in house.store.tail(head, 10)] == [head + 1]
            house.hub.outgoing.outbox.add_secret(user_stream("anna"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", MONDAY)
            assert len(files(house)) > 0
            for subject, digest in files(house):
                content = house.hub.files.get(digest, subject)
                assert content is not None
                assert content.startswith(PICTURE)

    def texts(self) -> list[str]:
        """What the first message of every lead says."""
        with self.opened() as house:
            leads = house.hub.views.leads.rows("1 = 1", order="number", limit=1000)
            return [house.hub.lead(UUID(row["id"])).messages[0].text for row in leads]

    def subjects(self) -> list[UUID]:
        """Whose texts :meth:`texts` tells, in the same order."""
        with self.opened() as house:
            return [event.subject for _, event in house.store.log(0, 100_000)
                    if event.TOPIC == "lead.message_received" and event.subject is not None]

    def erase(self, subject: UUID) -> None:
        """Destroy a key, as erasing a person does."""
        with self.opened() as house:
            house.keys.destroy(subject)


def files(house: House) -> list[tuple[UUID, str]]:
    """Attached files that are there: subject and digest."""
    paths = sorted((house.settings.data_dir / "files").rglob("*"))
    return [(UUID(path.parent.name), path.name) for path in paths if path.is_file()]


class Commands:
    """``hub …`` in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capsys = monkeypatch, capsys

    def __call__(self, site: Site, *arguments: object, **settings: str) -> Said:
        with self._patch.context() as patch:
            for name, value in {**site.environ, **settings}.items():
                patch.setenv(name, value)
            self._capsys.readouterr()
            code = main([str(argument) for argument in arguments])
            return Said(code, *self._capsys.readouterr())

    def refused(self, site: Site, *arguments: object, **settings: str) -> str:
        """The one sentence of a refusal."""
        said = self(site, *arguments, **settings)
        assert (said.code, said.out) == (1, ""), said
        assert said.err.startswith("hub: ")
        assert said.err.count("\n") == 1, said.err
        return said.err


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    """``hub …`` as a function."""
    return Commands(monkeypatch, capsys)


@contextmanager
def nothing_changes(site: Site) -> Iterator[None]:
    """The hub of ``site`` is the same before and after."""
    before = site.rows(), site.beside(), site.views()
    yield
    assert (site.rows(), site.beside(), site.views()) == before


__all__ = ["ERASED", "Commands", "Site", "files", "hub", "nothing_changes"]

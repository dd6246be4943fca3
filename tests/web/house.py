"""The parts of a whole hub for tests of the web layer and for the live server beside them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from msgspec.structs import replace

from hub.application import THE_HUB, LeadHub
from hub.bootstrap import know_long_works
from hub.calendar import russian_days
from hub.domain.aggregate import Actor
from hub.domain.delivery import Address, Delivery
from hub.domain.event import Event
from hub.domain.form import Form, FormSettings, form_stream
from hub.domain.staff import user_stream
from hub.projections import Runner
from hub.projections.views import Views
from hub.store.base import EventStore
from hub.store.files import FileStore
from hub.store.keys import Keys, derive
from hub.web import all_pages, furnish
from hub.web.desk import Parts
from hub.web.sessions import Access
from tests.databases import stores

PASSWORD = "password-123"
MONDAY = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)
"""11:20 in Moscow on a working Monday: where tests begin."""
PROCESS = Path(__file__).parents[2] / "hub" / "domain" / "process.toml"
SECRET = b"the secret of the tests, 32 chars"
PEOPLE = {
    "administrator": ("Алла Админова", ("administrator",)),
    "head": ("Роман Орлов", ("head",)),
    "manager": ("Мария Котова", ("manager",)),
    "second": ("Пётр Лисин", ("manager",)),
    "trainee": ("Степан Новиков", ("trainee",)),
    "account": ("Анна Белова", ("account",)),
    "auditor": ("Олег Ревин", ("auditor",)),
}


class Compiled(BytecodeCache):
    """Templates that an earlier application of this process compiled: most of a test's time goes there otherwise."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()
FREE: list[Flask] = []
"""Applications whose house is closed. Their addresses are compiled already: a new one costs more than most tests."""
AS_MADE = ("extensions", "config", "before_request_funcs", "after_request_funcs")


def _pages() -> Flask:
    """An application that no open house uses, as it was made."""
    if FREE:
        return FREE.pop()
    app = all_pages()
    app.jinja_env.bytecode_cache = COMPILED
    app.extensions["as made"] = {name: {k: copy(v) for k, v in getattr(app, name).items()} for name in AS_MADE}
    return app


def _leave(app: Flask) -> None:
    """Nothing of the house that used it stays."""
    made = app.extensions["as made"]
    for name in AS_MADE:
        kept = getattr(app, name)
        kept.clear()
        kept.update({k: copy(v) for k, v in made[name].items()})
    app.extensions["as made"] = made
    FREE.append(app)


class Clock:
    """A clock that stands until a test moves it."""

    def __init__(self, at: datetime = MONDAY) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> datetime:
        """Move on, as in ``advance(minutes=20)``."""
        self.at += timedelta(**by)
        return self.at


@dataclass
class House:
    """Everything of one hub, open. ``users`` are streams by login."""

    store: EventStore
    keys: Keys
    hub: LeadHub
    runner: Runner
    clock: Clock
    app: Flask
    users: dict[str, UUID] = field(default_factory=dict)

    @property
    def access(self) -> Access:
        found: Access = self.app.extensions["access"]
        return found

    def actor(self, login: str) -> Actor:
        """A person as the one who acts, for commands past the pages."""
        return Actor(f"user:{self.users[login]}", frozenset(PEOPLE[login][1]))

    def settle(self) -> None:
        """Bring the read models up to the log. Requests of the test client do it by themselves."""
        self.runner.catch_up()

    def receive(self, name: str = "Иван Петренко", phone: str = "+79123456789", **more: object) -> UUID:
        """A lead from the website, received now."""
        base = Delivery(channel="website", source="main", source_title="Сайт", delivery_id=uuid4().hex,
                        payload_digest=uuid4().hex, name=name,
                        text="Нужен интернет-магазин", addresses=(Address("phone", phone, phone),),
                        timezone="Asia/Yekaterinburg")
        lead = self.hub.receive(replace(base, **more), at=self.clock()).lead
        assert lead is not None
        self.settle()
        return lead

    def make_form(self, form: str = "main", **settings: object) -> None:
        """A website form at the address ``form``."""
        made = FormSettings(**{"name": "Сайт, шапка", "origins": ("https://shop.example",), **settings})  # type: ignore[arg-type]
        self.hub.change(Form, form_stream(form), lambda f: f.make(form, made), actor=THE_HUB, at=self.clock())
        self.settle()

    def close(self) -> None:
        self.store.close()
        self.keys.close()
        _leave(self.app)


@cache
def days() -> tuple[tuple[object, ...], tuple[object, ...]]:
    """The calendar of the years around the tests, read once."""
    return russian_days(range(2025, 2029))


def open_house(folder: Path, clock: Clock | None = None, public_url: str = "http://localhost") -> House:
    """A hub in ``folder`` with the packaged process in force and nobody in it."""
    clock = clock or Clock()
    keys, store = stores(folder, derive(SECRET, "keys"))
    views = Views(store)
    hub = LeadHub(store, FileStore(folder / "files", keys, derive(SECRET, "files")), views, derive(SECRET, "contact index"))
    runner = Runner(store, views.all, skipped=hub.skipped_by)
    hub.publish_process(PROCESS.read_text(encoding="utf-8"), *days(), actor=THE_HUB, at=clock())
    parts = Parts(hub, runner, clock, public_url, derive(SECRET, "forms"), derive(SECRET, "sessions"))
    know_long_works(parts)
    app = furnish(_pages(), parts)
    return House(store, keys, hub, runner, clock, app)


def told_house(folder: Path, events: Sequence[Event], at: datetime, *logins: str) -> House:
    """A hub whose log is ``events``. People of theirs who sign in with :data:`PASSWORD` are named by their ``logins``."""
    keys, store = stores(folder, derive(SECRET, "keys"))
    store.append(events)
    views, clock = Views(store), Clock(at)
    hub = LeadHub(store, FileStore(folder / "files", keys, derive(SECRET, "files")), views, derive(SECRET, "contact index"))
    runner = Runner(store, views.all, skipped=hub.skipped_by)
    runner.catch_up()
    app = furnish(_pages(), Parts(hub, runner, clock, "http://localhost", derive(SECRET, "forms"), derive(SECRET, "sessions")))
    house = House(store, keys, hub, runner, clock, app, {login: user_stream(login) for login in logins})
    house.access._hasher = QUICK
    _set_passwords(house)
    return house


QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Passwords of tests need no protection from guessing, and many are checked."""


def add_people(house: House) -> None:
    """A person for each role, with :data:`PASSWORD`."""
    for login, (name, roles) in PEOPLE.items():
        house.users[login] = house.hub.add_user(login, name, roles, actor=THE_HUB, at=house.clock())
    _set_passwords(house)
    house.settle()


def _set_passwords(house: House) -> None:
    hashed = QUICK.hash(PASSWORD)
    with house.store.writing() as c:
        for user in house.users.values():
            c.execute("INSERT INTO credentials VALUES (?, ?, 0, ?)", (user.hex, hashed, house.clock().isoformat()))


def ready_house(folder: Path, public_url: str = "http://localhost", clock: Clock | None = None) -> House:
    """The hub of a test: people in it, read models up to date before every request."""
    house = open_house(folder, clock, public_url)
    house.access._hasher = QUICK
    add_people(house)

    def catch_up() -> None:
        house.runner.catch_up()

    house.app.before_request_funcs.setdefault(None, []).insert(0, catch_up)
    # What a command of this very request adds is shown on the page that it makes.
    wait = house.runner.wait
    house.runner.wait = lambda position, timeout: (house.runner.catch_up(), wait(position, timeout))[1]  # type: ignore[method-assign]
    return house

"""The one place where the parts meet: settings in, a working hub out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from hub import accounts, calendar
from hub.application import THE_HUB, LeadHub
from hub.audit import ledger
from hub.audit.keeping import Options
from hub.audit.signing import Custody
from hub.audit.stamping import Stamps
from hub.config import Settings
from hub.domain.process_check import read_process, reread_process
from hub.domain.staff import User, user_stream
from hub.exports import giving
from hub.jobs import table as jobs
from hub.projections import Runner
from hub.projections.views import Views
from hub.sheets import exporting, importing, remembered, undoing
from hub.store import postgres
from hub.store.base import EventStore
from hub.store.files import FileStore
from hub.store.keys import Keys, KeyStore, derive
from hub.store.postgres import PostgresStore
from hub.store.postgres_keys import PostgresKeys
from hub.store.sqlite import SqliteStore
from hub.traffic import state as traffic
from hub.web import drafts, rates, sessions, tokens
from hub.web.audit import trail_files
from hub.web.board import saved
from hub.web.desk import Parts
from hub.web.sessions import Access
from hub.webhooks import outbox

DURABLE = (sessions.TABLES, tokens.TABLES, outbox.TABLES, traffic.TABLES, ledger.TABLES, jobs.TABLES, saved.TABLES,
           remembered.TABLES, drafts.TABLES)
"""Tables beside the log that cannot be made again from it."""
SCRATCH = (rates.TABLES,)
"""Tables that several web processes share and that are worth nothing after a restart: with PostgreSQL only."""


def clock() -> datetime:
    """The one clock of the hub."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class House:
    """A hub with its parts, open."""

    settings: Settings
    store: EventStore
    keys: Keys
    hub: LeadHub
    runner: Runner
    access: Access
    parts: Parts

    def close(self) -> None:
        """Close all files."""
        self.store.close()
        self.keys.close()


def open_house(settings: Settings) -> House:
    """Open the stores of these settings and put the hub together; starts nothing.

    SQLite: makes what is missing. PostgreSQL: raises :class:`hub.store.NotMigrated` where :func:`migrate` has not.
    """
    return _house(settings, make_tables=not settings.postgres_url)


def migrate(settings: Settings) -> None:
    """Make the tables of this release and rebuild read models that changed. May be repeated."""
    make_schema(settings)
    _house(settings, make_tables=True).close()


def make_schema(settings: Settings) -> None:
    """Make what :func:`open_stores` wants to find: the first half of :func:`migrate`."""
    if settings.postgres_url:
        postgres.migrate(settings.postgres_url, (*DURABLE, *SCRATCH))
        if settings.keys_url:
            postgres.migrate_keys(settings.keys_url)


def open_stores(settings: Settings) -> tuple[Keys, EventStore]:
    """The keys and the store of these settings, alone: read models stay as they are. As :func:`open_house` otherwise."""
    keys, store = _stores(settings, derive(settings.secret_key.encode(), "keys"))
    try:
        for statements in DURABLE:
            store.make_tables(statements)
    except BaseException:
        store.close()
        keys.close()
        raise
    return keys, store


def _house(settings: Settings, *, make_tables: bool) -> House:
    channels = accounts.load(settings.channels_file, settings.public_url)
    folder = settings.make_data_dir()
    secret = settings.secret_key.encode()
    keys, store = open_stores(settings)
    try:
        views = Views(store)
        hub = LeadHub(store, FileStore(folder / "files", keys, derive(secret, "files")), views, derive(secret, "contact index"))
        hub.outgoing.allow(settings.webhook_allow)
        hub.audit.options = audit_options(settings)
        runner = Runner(store, views.all, make_tables=make_tables, skipped=hub.skipped_by,
                        altered=hub.audit.altered_before)
    except BaseException:
        store.close()
        keys.close()
        raise
    access = Access(store, derive(secret, "sessions"))
    parts = Parts(hub, runner, clock, settings.public_url, derive(secret, "forms"), derive(secret, "sessions"),
                  channels)
    know_long_works(parts)
    return House(settings, store, keys, hub, runner, access, parts)


def know_long_works(parts: Parts) -> None:
    """Tell the hub which kinds of long work there are (:mod:`hub.jobs`)."""
    hub = parts.hub
    hub.jobs.register(giving.kind(hub), importing.kind(hub), undoing.kind(hub), exporting.kind(hub), trail_files.kind(parts))


def audit_options(settings: Settings) -> Options:
    """How the log is proven here."""
    told = settings.audit
    stamps = Stamps(told.stamp_url, told.stamp_roots) if told.stamp_roots is not None else None
    return Options(Custody(settings.data_dir, told.key), told.folder or settings.data_dir / "checkpoints",
                   urlsplit(settings.public_url).netloc, timedelta(hours=told.hours), told.mail, stamps)


def _stores(settings: Settings, secret: bytes) -> tuple[Keys, EventStore]:
    keys: Keys
    if settings.postgres_url:
        keys = PostgresKeys(settings.keys_url or settings.postgres_url, secret, prepare=not settings.listen_url)
        try:
            return keys, PostgresStore(settings.postgres_url, keys, listen_url=settings.listen_url)
        except BaseException:
            keys.close()
            raise
    settings.database_path.parent.mkdir(parents=True, exist_ok=True)
    keys = KeyStore(settings.data_dir / "keys.db", secret)
    try:
        return keys, SqliteStore(settings.database_path, keys)
    except BaseException:
        keys.close()
        raise


def publish_process(house: House, at: datetime) -> bool:
    """Put the settings' process file in force if it is new; the days off of the years around ``at`` go with it (R0, R7).

    A file that says what it said last leaves what was published on the pages since in force. Called at start and daily by the
    worker, so that a new year's calendar comes in without a restart. Raises BadProcess on a faulty file.
    """
    file = house.settings.process_file.read_text(encoding="utf-8")
    read_process(file, calendar.knows)
    text = house.hub.process_text_due(file)
    days_off, working_days = calendar.days_around(at, reread_process(text).calendar.country)
    return house.hub.publish_process(text, days_off, working_days, actor=THE_HUB, at=at)


def first_administrator(house: House, at: datetime) -> str | None:
    """Where there is no administrator yet: make the first one and return the one-time password, else None.

    The first person is the head of sales as well, so that one person alone can try everything. People who were
    added by the command line before the first start do not stand in the way, unless one of them is called ``admin``.
    """
    users = house.hub.users()
    if user_stream("admin") in users or any("administrator" in user.roles for user in users.values()):
        return None
    user = house.hub.add_user("admin", "Администратор", ("administrator", "head"), actor=THE_HUB, at=at)
    return one_time_password(house, user, at)


def one_time_password(house: House, user: UUID, at: datetime) -> str:
    """Give a person a password to sign in with once; they choose their own then. Open sessions end."""
    password = house.access.make_one_time_password()
    house.access.set_password(user, password, temporary=True, at=at)
    house.hub.change(User, user, lambda u: u.password_changed(temporary=True), actor=THE_HUB, at=at)
    return password

"""Where a hub is: its database, its keys, its data folder and its secret, as settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hub.bootstrap import House, migrate, open_house, open_stores
from hub.config import SECRET_FILE, Settings, load
from hub.store.base import EventStore
from hub.store.keys import Keys
from hub.transfer import durable
from hub.transfer.base import Refusal

OF_ONE_DATABASE = ("HUB_DATABASE_URL", "HUB_DATABASE_LISTEN_URL", "HUB_KEYS_URL", "HUB_WEB_PROCESSES", "HUB_CHANNELS_FILE")
"""Settings that say something about the hub that runs, and not about another place."""


def settings_of(url: str, environ: Mapping[str, str], data: Path | None = None) -> Settings:
    """The settings of the hub in the database ``url``.

    Its data folder is ``data``; else, for a file, the folder of that file, because ``keys.db`` and ``files`` belong beside it,
    and for a server HUB_DATA_DIR. HUB_KEYS_URL is heeded for a server. Raises :class:`hub.config.BadSetting`.
    """
    rest = {name: value for name, value in environ.items() if name not in OF_ONE_DATABASE}
    if not url.startswith("sqlite:") and "HUB_KEYS_URL" in environ:
        rest["HUB_KEYS_URL"] = environ["HUB_KEYS_URL"]
    settings = load({**rest, "HUB_DATABASE_URL": url})
    if data is None:
        data = settings.data_dir if settings.postgres_url else settings.database_path.parent
    return replace(settings, data_dir=data.absolute())


def existing(settings: Settings) -> Settings:
    """The same with the secret read. :class:`Refusal` where there is no hub, which opening would make anew."""
    if not settings.postgres_url:
        for path in (settings.database_path, settings.data_dir / "keys.db"):
            if not path.exists():
                raise Refusal(f"there is no {path}: name the database of a hub that has run, and the data folder that belongs "
                              "to it.")
    secret = known_secret(settings)
    if not secret:
        raise Refusal(f"the secret is neither in HUB_SECRET_KEY nor in {settings.data_dir / SECRET_FILE}: give the secret that "
                      "this hub runs with.")
    return replace(settings, given_secret=secret)


def known_secret(settings: Settings) -> str:
    """The secret of a place; an empty text where it has none yet, and none is made."""
    if settings.given_secret or (settings.data_dir / SECRET_FILE).exists():
        return settings.secret_key
    return ""


def keep_secret(settings: Settings, secret: str) -> None:
    """Put the secret into the data folder where there is none."""
    path = settings.make_data_dir() / SECRET_FILE
    if not path.exists():
        durable.write(path, f"{secret}\n".encode("ascii"))


def keys_place(settings: Settings) -> str:
    """Where the keys are: the same text for the same place."""
    return settings.keys_url or settings.postgres_url or str((settings.data_dir / "keys.db").resolve())


def told(settings: Settings) -> str:
    """A database in words, without its password."""
    if not settings.postgres_url:
        return f"SQLite {settings.database_path}"
    return f"PostgreSQL {settings.postgres_url.rpartition('@')[2]}"


def forget_read_models(store: EventStore) -> None:
    """Drop the read models of a log that is empty now: those of an earlier one would be taken for those of the next."""
    with store.views.writing() as cursor:
        there = store.views.names(cursor)
        if "projection_positions" in there:
            for row in cursor.execute("SELECT own_tables FROM projection_positions").fetchall():
                for table in row["own_tables"].split():
                    cursor.execute(f"DROP TABLE IF EXISTS {table}")
            for table in ("projection_positions", "projection_rebuilds", "projection_log"):
                cursor.execute(f"DELETE FROM {table}")


def make_read_models(settings: Settings) -> list[str]:
    """Make the read models from the log; the parked ones, in words."""
    migrate(settings)
    house = open_house(settings)
    try:
        return catch_up(house)
    finally:
        house.close()


def catch_up(house: House) -> list[str]:
    """Bring the read models up to the log; the parked ones, in words."""
    house.runner.catch_up()
    return [f"the read model {status.name} is parked at position {status.parked_at}: {status.parked_reason}"
            for status in house.runner.status() if status.parked_at is not None]

@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Keys, EventStore]]:
    """The keys and the store of a place, closed at the end; read models stay as they are."""
    keys, store = open_stores(settings)
    try:
        yield keys, store
    finally:
        store.close()
        keys.close()

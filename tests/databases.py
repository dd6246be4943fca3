"""Which database a folder of a test belongs to: SQLite files in it, or the PostgreSQL database that a file there names."""

from __future__ import annotations

from pathlib import Path

from hub.bootstrap import DURABLE, SCRATCH
from hub.store.base import EventStore
from hub.store.keys import Keys, KeyStore
from hub.store.postgres import PostgresStore, migrate
from hub.store.postgres_keys import PostgresKeys
from hub.store.sqlite import SqliteStore

NAME = "database.url"


def put(folder: Path, url: str) -> None:
    """The stores of ``folder`` are in the PostgreSQL database of ``url`` from now on."""
    (folder / NAME).write_text(url, encoding="utf-8")
    migrate(url, (*DURABLE, *SCRATCH))


def url_of(folder: Path) -> str:
    """The URL of the folder's database; an empty text for SQLite."""
    file = folder / NAME
    return file.read_text(encoding="utf-8") if file.exists() else ""


def stores(folder: Path, secret: bytes) -> tuple[Keys, EventStore]:
    """The keys and the store of a folder, open."""
    url = url_of(folder)
    if url:
        server_keys = PostgresKeys(url, secret)
        return server_keys, PostgresStore(url, server_keys)
    keys = KeyStore(folder / "keys.db", secret)
    return keys, SqliteStore(folder / "hub.db", keys)

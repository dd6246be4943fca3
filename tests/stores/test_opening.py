"""A store that cannot be opened leaves nothing open behind it: who tries again and again must not run out of files."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from hub.bootstrap import open_house
from hub.config import load
from hub.store import DAMAGED, NotMigrated, Unavailable, WrongSecret
from tests.serving import until

SECRET = "the secret of a hub that opens, of some length"
FILES = ("hub.db", "hub-views.db", "keys.db")


def held(folder: Path) -> list[str]:
    """Files of ``folder`` that this process has open."""
    links = []
    for handle in Path("/proc/self/fd").iterdir():
        try:
            links.append(os.readlink(handle))
        except FileNotFoundError:
            continue
    return [link for link in links if link.startswith(str(folder))]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The settings of a hub that there is."""
    made = {"HUB_DATA_DIR": str(tmp_path), "HUB_SECRET_KEY": SECRET}
    open_house(load(made)).close()
    assert held(tmp_path) == []
    return made


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_database_leaves_no_file_open(tmp_path: Path, environ: dict[str, str], name: str) -> None:
    (tmp_path / name).write_bytes(b"no database at all" * 100)
    with pytest.raises((*DAMAGED, sqlite3.DatabaseError)) as failed:
        open_house(load(environ))
    assert held(tmp_path) == [], failed


@pytest.mark.parametrize("name", FILES[:2])
def test_a_database_that_somebody_else_writes_to_leaves_no_file_open(tmp_path: Path, environ: dict[str, str], name: str,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.store.sqlite_tables.LOCK_TIMEOUT", 0)
    with closing(sqlite3.connect(tmp_path / name, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable) as failed:
            open_house(load(environ))
    assert held(tmp_path) == [], failed


def test_another_secret_leaves_no_file_open(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(WrongSecret) as failed:
        open_house(load({**environ, "HUB_SECRET_KEY": SECRET[::-1]}))
    assert held(tmp_path) == [], failed


def test_a_database_without_tables_leaves_no_connection(tmp_path: Path, postgres_url: str) -> None:
    with closing(psycopg.connect(postgres_url, autocommit=True)) as watching:
        watching.execute("DROP SCHEMA IF EXISTS hub_keys CASCADE")
        with pytest.raises(NotMigrated):
            open_house(load({"HUB_DATA_DIR": str(tmp_path), "HUB_SECRET_KEY": SECRET, "HUB_DATABASE_URL": postgres_url}))

        def connected() -> int:
            row = watching.execute("SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'hub' "
                                   "AND datname = current_database()").fetchone()
            assert row
            return int(row[0])
        until(lambda: connected() == 0, why="the server has noticed that they are closed")

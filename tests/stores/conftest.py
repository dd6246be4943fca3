"""A data folder with an open store, closed after each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store.keys import KeyStore
from hub.store.sqlite import SqliteStore
from tests.stores.store_events import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.close()


@pytest.fixture
def second(home: Home, tmp_path: Path) -> Iterator[Home]:
    """The same folder opened once more, as another process would."""
    second = Home(tmp_path)
    yield second
    second.close()


@pytest.fixture
def store(home: Home) -> SqliteStore:
    return home.store


@pytest.fixture
def keys(home: Home) -> KeyStore:
    return home.keys

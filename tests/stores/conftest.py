"""An open store, on both databases unless a test is about one of them; closed after each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store.base import EventStore
from hub.store.keys import Keys
from tests.stores.store_events import Home


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Iterator[Home]:
    home = Home(tmp_path, database_url)
    yield home
    home.close()


@pytest.fixture
def second(home: Home) -> Iterator[Home]:
    """The same place opened once more, as another process would."""
    second = Home(home.folder, home.url)
    yield second
    second.close()


@pytest.fixture
def store(home: Home) -> EventStore:
    return home.store


@pytest.fixture
def keys(home: Home) -> Keys:
    return home.keys

"""What every test shares: hypothesis without luck, and a real Chromium where one is installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests import databases, postgres

IN_CI = bool(os.environ.get("CI"))
EVERYTHING_ON_POSTGRES = os.environ.get("HUB_TEST_DATABASE") == "postgres"

# No deadline: a busy machine is not a broken rule. In CI every run tries the same examples.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if IN_CI else "local")

CHROMIUM = Path("/usr/bin/chromium")

# Without a sandbox because CI runs as root; the rest keeps the browser from talking to its maker.
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                  "--disable-component-update", "--disable-sync"]

BROWSER_FIXTURES = {"browser", "context", "new_context", "page"}


LONG_FILES = ("test_pages", "test_cli", "test_walk_win", "test_walk_refusal", "test_walk_loss", "test_tokens", "test_backup",
              "test_copy", "test_views", "test_postgres", "test_api_schemathesis", "test_demo", "test_keyboard")
"""Files that take longest go first: with a worker for each core the last one to end must not be one of them."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that asks for a page is a browser test; a soak test runs only where ``-m`` names it."""
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG_FILES) if item.path.stem == name), len(LONG_FILES)))
    for item in items:
        if BROWSER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("browser")
    if "soak" not in config.getoption("markexpr"):
        soaks = [item for item in items if item.get_closest_marker("soak")]
        items[:] = [item for item in items if item not in soaks]
        config.hook.pytest_deselected(items=soaks)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    if not CHROMIUM.exists():
        missing = f"BROWSER TESTS DID NOT RUN: there is no {CHROMIUM}; tools/ensure_system.sh installs it"
        if IN_CI:
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    return {**browser_type_launch_args, "executable_path": str(CHROMIUM), "args": CHROMIUM_FLAGS}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server where the tests make databases."""
    with postgres.server() as url:
        if url is None:
            missing = "POSTGRESQL TESTS DID NOT RUN: it is not installed; tools/ensure_system.sh installs it"
            if IN_CI:
                pytest.fail(missing, pytrace=False)
            pytest.skip(missing)
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty database for one test."""
    with postgres.database(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """For tests on both stores: the URL of an empty database, or an empty text for SQLite in the test's own folder."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def both_stores(tmp_path: Path, database_url: str) -> None:
    """``pytestmark = pytest.mark.usefixtures("both_stores")``: the tests of a module run once on each store."""
    if database_url:
        databases.put(tmp_path, database_url)


@pytest.fixture(autouse=EVERYTHING_ON_POSTGRES)
def everything_on_postgres(request: pytest.FixtureRequest) -> None:
    """With HUB_TEST_DATABASE=postgres every test that has a folder of its own has its stores in PostgreSQL."""
    if "tmp_path" in request.fixturenames and "database_url" not in request.fixturenames:
        databases.put(request.getfixturevalue("tmp_path"), request.getfixturevalue("postgres_url"))

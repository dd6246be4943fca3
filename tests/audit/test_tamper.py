"""Every way of :mod:`tests.audit.tampering`, on both stores: found, and by what the table of docs/audit.md says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import databases, postgres
from tests.audit.tampering import CASES, Case, Desk, build, found, table
from tests.databases import NAME

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sqlite_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    build(folder)
    return folder


@pytest.fixture(scope="module")
def postgres_base(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("base-postgres")
    with postgres.database(postgres_server) as url:
        databases.put(folder, url)
        build(folder)
        yield folder


@pytest.fixture(params=["sqlite", "postgres"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A copy of the hub of :func:`build`."""
    base: Path = request.getfixturevalue(f"{request.param}_base")
    folder = tmp_path / "hub"
    shutil.copytree(base, folder)
    if request.param == "sqlite":
        yield Desk(folder)
        return
    name = databases.url_of(base).rpartition("/")[2]
    with postgres.database(request.getfixturevalue("postgres_server"), template=name) as url:
        (folder / NAME).write_text(url, encoding="utf-8")
        yield Desk(folder)


def test_nothing_is_found_where_nothing_was_altered(desk: Desk) -> None:
    check = desk.check()
    assert check.findings == ()
    assert check.done == len(desk.rows()) == check.size


@pytest.mark.parametrize("case", CASES, ids=[case.what for case in CASES])
def test_it_is_found(desk: Desk, case: Case) -> None:
    if case.only == "sqlite" and desk.on_postgres:
        with pytest.raises(psycopg.Error):
            case.act(desk)
        return
    case.act(desk)
    assert found(desk.check()).by == case.by


def test_there_are_at_least_thirty_ways() -> None:
    assert len([case for case in CASES if case.by]) >= 30
    assert len({case.what for case in CASES}) == len(CASES)


def test_the_page_has_this_table() -> None:
    """Run ``python docs/make_tamperings.py`` when it has not."""
    assert f"<!-- tamperings -->\n\n{table()}\n\n<!-- end -->" in (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")

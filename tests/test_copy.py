"""``hub copy``: a hub moves from SQLite to PostgreSQL and back, byte for byte."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from hub.bootstrap import House
from hub.store import Conflict
from hub.transfer.base import Refusal
from hub.transfer.moving import move
from tests.whole_hub import BESIDE, ERASED, Commands, Said, Site, hub, nothing_changes

__all__ = ["hub"]


@pytest.fixture
def one(tmp_path: Path) -> Site:
    """On SQLite, with something in it."""
    site = Site(tmp_path / "one")
    site.furnish()
    return site


@pytest.fixture
def server(tmp_path: Path, postgres_url: str) -> Site:
    """On PostgreSQL, empty."""
    return Site(tmp_path / "server", postgres_url)


@pytest.fixture
def two(tmp_path: Path) -> Site:
    """On SQLite, empty."""
    return Site(tmp_path / "two")


def copied(hub: Commands, source: Site, target: Site, *options: object) -> Said:
    """``hub copy`` as the administrator of the server runs it, whose data folder is that of the PostgreSQL side."""
    here = target if target.url.startswith("postgresql:") else source
    return hub(here, "copy", "--from", source.url, "--to", target.url, *options)


def digest(said: Said) -> str:
    assert said.code == 0, said
    found = re.search(r"SHA-256 of both logs: ([0-9a-f]{64})$", said.out, re.M)
    assert found
    return found[1]


def test_there_and_back_is_the_same_hub(hub: Commands, one: Site, server: Site, two: Site) -> None:
    log, beside, views, texts = one.rows(), one.beside(), one.views(), one.texts()
    assert all(len(beside[table]) > 0 for table in ("credentials", "sessions", "preferences", "webhook_secrets"))
    there = copied(hub, one, server)
    back = copied(hub, server, two)
    assert digest(there) == digest(back)
    for site in (one, server, two):
        assert (site.rows(), site.beside(), site.views(), site.texts()) == (log, beside, views, texts), site.url
    server.can_work()
    two.can_work()


def test_positions_keep_their_gaps(hub: Commands, one: Site, server: Site, two: Site) -> None:
    copied(hub, one, server)
    with server.opened() as house:
        [(_, event)] = house.store.log(0, 1)
        with pytest.raises(Conflict):  # burns a number of the sequence
            house.store.append([msgspec.structs.replace(event, event_id=uuid4())])
        server.receive(house, 100)
    ids = [row[0] for row in server.rows()]
    assert ids != list(range(1, len(ids) + 1))
    copied(hub, server, two)
    assert two.rows() == server.rows()
    assert two.views() == server.views()
    two.can_work()


def test_who_was_erased_stays_erased(hub: Commands, one: Site, server: Site, two: Site) -> None:
    first = one.subjects()[0]
    one.erase(first)
    copied(hub, one, server)
    server.erase(server.subjects()[1])
    copied(hub, server, two)
    assert [text == ERASED for text in two.texts()] == [True, True, False, False, False]
    assert first.hex not in {path.name for path in (two.folder / "files").iterdir()}


def test_a_target_that_is_not_empty_is_refused_and_untouched(hub: Commands, one: Site, server: Site) -> None:
    server.furnish(leads=1)
    with nothing_changes(server), nothing_changes(one):
        for source, target in ((one, server), (server, one)):
            here = hub.refused(server, "copy", "--from", source.url, "--to", target.url)
            assert "not empty" in here
            assert "Give a new" in here


@pytest.mark.parametrize("step", ["events", "events read again"])
def test_a_source_that_is_written_to_is_noticed_and_the_next_try_succeeds(step: str, one: Site, server: Site, two: Site) -> None:
    for number, (source, target) in enumerate(((one, server), (server, two)), 100):
        with source.opened() as house:
            with pytest.raises(Refusal, match="written to meanwhile"):
                move(source.settings, target.settings, Meanwhile(step, source, house, number))
            assert target.rows() == []
        assert move(source.settings, target.settings, lambda *progress: None).log.head == source.rows()[-1][0]
        assert target.views() == source.views()


def test_a_source_that_is_written_to_at_the_last_moment_is_told(one: Site, server: Site) -> None:
    with one.opened() as house:
        moved = move(one.settings, server.settings, Meanwhile("events of the source again", one, house, 100))
    assert "copy again" in moved.notes[0]
    assert moved.log.head < one.rows()[-1][0]


class Meanwhile:
    """A lead comes in at the end of a step."""

    def __init__(self, step: str, site: Site, house: House, number: int) -> None:
        self.step, self.site, self.house, self.number = step, site, house, number

    def __call__(self, step: str, done: int, total: int) -> None:
        if step == self.step and done == total:
            self.site.receive(self.house, self.number)


KILLED = """
import os, signal, sys
from hub.config import load
from hub.transfer.moving import move
from hub.transfer.places import settings_of

def tell(step, done, total):
    if step == "events of the source again":
        os.kill(os.getpid(), signal.SIGKILL)

move(settings_of(sys.argv[1], os.environ), settings_of(sys.argv[2], os.environ), tell)
"""


def test_a_copy_that_was_killed_is_simply_begun_again(hub: Commands, one: Site, server: Site, two: Site) -> None:
    for source, target in ((one, server), (server, two)):
        done = subprocess.run([sys.executable, "-c", KILLED, source.url, target.url], env=server.environ, check=False, timeout=60)
        assert done.returncode == -signal.SIGKILL
        assert target.rows() == []
        digest(hub(server, "copy", "--from", source.url, "--to", target.url))
        assert target.rows() == source.rows()
        assert target.views() == source.views()


def test_a_hub_that_works_on_the_source_is_refused(hub: Commands, one: Site, server: Site) -> None:
    with one.opened() as house:
        house.store.leases.hold("projection:leads", "somebody", 60)
    assert "stop it" in hub.refused(server, "copy", "--from", one.url, "--to", server.url)
    assert server.rows() == []


def test_read_models_of_an_earlier_hub_are_not_taken_for_the_new_ones(hub: Commands, one: Site, server: Site) -> None:
    """Somebody has emptied the log by hand."""
    server.furnish(leads=3)
    with server.opened() as house, house.store.writing() as cursor:
        for table in ("stored_events", *BESIDE):
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("DELETE FROM hub_keys.keys")
    digest(copied(hub, one, server))
    assert server.views() == one.views()


def test_the_secret_moves_with_the_folder(hub: Commands, tmp_path: Path, postgres_url: str) -> None:
    one, server = Site(tmp_path / "one", secret=""), Site(tmp_path / "server", postgres_url, secret="")
    one.furnish()
    digest(copied(hub, one, server))
    assert (server.folder / "secret.key").read_text() == (one.folder / "secret.key").read_text()
    assert server.texts() == one.texts()


def test_the_same_data_folder_keeps_its_files(hub: Commands, one: Site, postgres_url: str) -> None:
    server = Site(one.folder, postgres_url)
    said = copied(hub, one, server)
    assert "Attached files stay" in said.out
    assert server.views() == one.views()


def test_every_mistake_has_a_sentence(hub: Commands, one: Site, server: Site, two: Site, tmp_path: Path) -> None:
    def no(source: str, target: str, *options: object, **settings: str) -> str:
        return hub.refused(server, "copy", "--from", source, "--to", target, *options, **settings)

    assert "there is no" in no(f"sqlite:///{tmp_path}/nowhere.db", server.url)
    assert "keys.db" in no(one.url, server.url, "--from-data", two.folder)
    assert "the same database" in no(one.url, one.url)
    assert "holds no events" in no(server.url, two.url) or "hub migrate" in no(server.url, two.url)
    assert "another HUB_SECRET_KEY" in no(one.url, server.url, HUB_SECRET_KEY="x" * 40)
    assert "HUB_DATABASE_URL" in no("mysql:///x", server.url)
    (two.folder / "secret.key").write_text("y" * 40)
    assert server.rows() == two.rows() == []

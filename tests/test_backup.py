"""``hub backup`` and ``hub restore``: one file of the whole hub, made while it works, brought back into either store."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import msgspec
import pytest

from hub.store import WrongSecret
from hub.transfer import backup
from hub.transfer.archive import Manifest, Writer, reading
from hub.transfer.base import Refusal
from tests.whole_hub import ERASED, SECRET, Commands, Site, hub, nothing_changes

__all__ = ["hub"]


@pytest.fixture
def one(tmp_path: Path, database_url: str) -> Site:
    """A hub with something of everything, on each store."""
    site = Site(tmp_path / "one", database_url)
    site.furnish()
    return site


@pytest.fixture
def lite(tmp_path: Path) -> Site:
    """A hub on SQLite, where the store does not matter."""
    site = Site(tmp_path / "one")
    site.furnish(leads=2)
    return site


@pytest.fixture
def other(tmp_path: Path, request: pytest.FixtureRequest, database_url: str) -> Site:
    """An empty place of the other kind than ``one``."""
    return Site(tmp_path / "other", "" if database_url else request.getfixturevalue("postgres_url"))


@pytest.fixture
def empty(tmp_path: Path) -> Site:
    """An empty place."""
    return Site(tmp_path / "empty")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the backup goes: a folder of its own, so that what is left behind is seen."""
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups" / "hub.backup"


def made(hub: Commands, site: Site, file: Path, *options: object) -> Manifest:
    said = hub(site, "backup", file, *options)
    assert (said.code, said.err) == (0, ""), said
    with reading(file) as archive:
        return archive.manifest


def restored(hub: Commands, site: Site, file: Path, *options: object) -> str:
    said = hub(site, "restore", file, *options)
    assert (said.code, said.err) == (0, ""), said
    return said.out


def test_a_backup_restored_onto_the_other_store_is_the_same_hub(hub: Commands, one: Site, other: Site, file: Path) -> None:
    manifest = made(hub, one, file)
    assert [path.name for path in file.parent.iterdir()] == ["hub.backup"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert manifest.store == ("sqlite" if one.url.startswith("sqlite") else "postgresql")
    assert (manifest.count, manifest.head, manifest.process_version, manifest.files) == (len(one.rows()), one.rows()[-1][0], 1, 5)
    restored(hub, other, file)
    assert other.rows() == one.rows()
    assert other.views() == one.views()
    signed_out = {"sessions": [], "sign_in_failures": [], "api_answers": []}
    assert one.beside()["sessions"] != []
    assert other.beside() == {**one.beside(), **signed_out}
    other.can_work()
    again = file.with_name("again.backup")
    assert made(hub, one, again, "--quick").digest == manifest.digest


def test_a_backup_under_writers_is_a_state_that_there_was(hub: Commands, one: Site, other: Site, file: Path) -> None:
    stop = Flag()
    with one.opened() as house:
        def write(first: int) -> None:
            number = first
            while not stop.is_set():
                one.receive(house, number)
                number += 1

        threads = [Thread(target=write, args=(n * 10_000,)) for n in (1, 2, 3)]
        for thread in threads:
            thread.start()
        try:
            head = house.store.head()
            house.store.wait_for_append(head, 30)
            done = backup.make(one.settings, file, lambda *progress: None, datetime.now(UTC), quick=True)
            after = house.store.head()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert head < done.manifest.head < after
        assert done.notes == ()
        assert house.store.head() >= after
    restored(hub, other, file)
    log = other.rows()
    assert log == one.rows()[:done.manifest.count]
    assert log[-1][0] == done.manifest.head
    assert len(other.texts()) == len([row for row in log if row[3] == "lead.received"])
    assert ERASED not in other.texts()


def test_who_was_erased_since_does_not_come_back(hub: Commands, one: Site, other: Site, file: Path) -> None:
    made(hub, one, file)
    gone = one.subjects()[1]
    one.erase(gone)
    names = file.with_name("erased.txt")
    assert "1 erased" in hub(one, "backup", "--erasure-list", names).out
    out = restored(hub, other, file, "--erased", names)
    assert "1 people were erased since the backup" in out
    assert [text == ERASED for text in other.texts()] == [False, True, False, False, False]
    assert gone.hex not in {path.name for path in (other.folder / "files").iterdir()}
    with other.opened() as house:
        assert gone not in dict(house.keys.rows()[0])
        assert house.keys.destroyed(gone)


def test_a_newer_backup_serves_as_erasure_list(hub: Commands, lite: Site, empty: Site, file: Path) -> None:
    made(hub, lite, file)
    lite.erase(lite.subjects()[0])
    newer = file.with_name("newer.backup")
    made(hub, lite, newer, "--quick")
    restored(hub, empty, file, "--erased", newer)
    assert [text == ERASED for text in empty.texts()] == [True, False]


def test_keys_that_are_still_there_tell_who_was_erased(hub: Commands, lite: Site, file: Path) -> None:
    """The disk with the log is gone, the keys are not."""
    made(hub, lite, file)
    lite.erase(lite.subjects()[0])
    for path in lite.folder.glob("hub*.db*"):
        path.unlink()
    assert "1 people were erased" in restored(hub, lite, file)
    assert [text == ERASED for text in lite.texts()] == [True, False]


@pytest.mark.parametrize("damage", ["", "# subjects erased from the hub\n", "HALF"])
def test_half_an_erasure_list_is_refused(hub: Commands, lite: Site, empty: Site, file: Path, damage: str) -> None:
    made(hub, lite, file)
    lite.erase(lite.subjects()[0])
    names = file.with_name("erased.txt")
    hub(lite, "backup", "--erasure-list", names)
    names.write_text(damage if damage != "HALF" else names.read_text().partition("# end")[0])
    assert "no whole erasure list" in hub.refused(empty, "restore", file, "--erased", names)
    assert not (empty.folder / "hub.db").exists()


def contents(path: Path) -> dict[str, bytes]:
    with reading(path) as archive:
        archive.check_secret(SECRET)
        archive.check()
        return {name: archive.read(name) for name in sorted(archive.manifest.members)}


def test_every_flipped_byte_is_found_or_changes_nothing(hub: Commands, lite: Site, file: Path) -> None:
    made(hub, lite, file)
    whole, good = file.read_bytes(), contents(file)
    bad = file.with_name("bad.backup")
    found = 0
    end = len(whole) - 4_000  # the list of files of the zip, byte by byte: nothing of it is covered by a checksum
    places = [*range(0, end, max(1, end // 150)), *range(end, len(whole), 9)]
    for place in places:
        bad.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1:])
        try:
            assert contents(bad) == good
        except (Refusal, WrongSecret):
            found += 1
    assert found > len(places) * 0.8


def test_a_file_that_is_damaged_or_something_else_is_refused(hub: Commands, lite: Site, empty: Site, file: Path) -> None:
    made(hub, lite, file)
    whole = file.read_bytes()
    bad = file.with_name("bad.backup")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for content, word in ((bytes(flipped), "damaged"), (whole[:-1], "cut short"), (whole[:len(whole) // 2], "cut short"),
                          (b"", "cut short"), (b"something else" * 100, "no backup"), (_zip({"a": b"b"}), "damaged")):
        bad.write_bytes(content)
        assert word in hub.refused(empty, "restore", bad)
        assert list(empty.folder.iterdir()) == []
    assert "there is no" in hub.refused(empty, "restore", file.with_name("nowhere"))


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in members.items():
            target.writestr(name, content)
    return buffer.getvalue()


def test_a_backup_of_a_newer_release_is_refused(hub: Commands, lite: Site, empty: Site, file: Path) -> None:
    manifest = made(hub, lite, file)
    newer = file.with_name("newer.backup")
    newer.write_bytes(_zip({"manifest.json": json.dumps({**msgspec.to_builtins(manifest), "format": 2, "more": 1}).encode()}))
    assert "newer release" in hub.refused(empty, "restore", newer)


def test_a_log_that_is_not_that_of_the_manifest_is_refused(hub: Commands, lite: Site, empty: Site, file: Path) -> None:
    """Somebody who has the secret put another log in."""
    manifest = made(hub, lite, file)
    forged = file.with_name("forged.backup")
    with reading(file) as archive:
        writer = Writer(forged)
        for name in manifest.members:
            writer.add(name, io.BytesIO(archive.read(name)))
        writer.seal(msgspec.structs.replace(manifest, count=manifest.count + 1, members=writer.members), SECRET)
        writer.close()
    assert "not the one" in hub.refused(empty, "restore", forged)
    assert not (empty.folder / "hub.db").exists()


def test_a_name_that_leads_out_of_the_folder_is_refused(lite: Site, hub: Commands, empty: Site, file: Path) -> None:
    manifest = made(hub, lite, file)
    forged = file.with_name("forged.backup")
    with reading(file) as archive:
        writer = Writer(forged)
        for name in manifest.members:
            writer.add(name, io.BytesIO(archive.read(name)))
        writer.add("files/../../evil", io.BytesIO(b"evil"))
        writer.seal(msgspec.structs.replace(manifest, members=writer.members), SECRET)
        writer.close()
    assert "evil" in hub.refused(empty, "restore", forged)


def test_a_place_that_is_not_empty_is_refused_and_untouched(hub: Commands, one: Site, file: Path) -> None:
    made(hub, one, file)
    with nothing_changes(one):
        assert "not empty" in hub.refused(one, "restore", file)


def test_a_backup_is_not_replaced_unless_told_to(hub: Commands, lite: Site, file: Path) -> None:
    made(hub, lite, file, "--quick")
    before = file.read_bytes()
    assert "--force" in hub.refused(lite, "backup", file)
    assert file.read_bytes() == before
    made(hub, lite, file, "--quick", "--force")
    assert file.read_bytes() != before
    assert "no folder" in hub.refused(lite, "backup", file.parent / "nowhere" / "hub.backup")
    assert "say where to" in hub.refused(lite, "backup")


def test_a_hub_that_is_not_there_is_not_made_by_a_backup(hub: Commands, empty: Site, file: Path) -> None:
    assert "there is no" in hub.refused(empty, "backup", file)
    assert list(empty.folder.iterdir()) == list(file.parent.iterdir()) == []


def test_another_secret_opens_nothing(hub: Commands, lite: Site, empty: Site, file: Path) -> None:
    made(hub, lite, file)
    assert "another HUB_SECRET_KEY" in hub.refused(empty, "restore", file, HUB_SECRET_KEY="x" * 40)
    del empty.environ["HUB_SECRET_KEY"]
    assert "nor in the backup" in hub.refused(empty, "restore", file)
    assert list(empty.folder.iterdir()) == []


def test_the_kept_secret_goes_in_only_when_asked_for(hub: Commands, tmp_path: Path, file: Path) -> None:
    one, empty = Site(tmp_path / "one", secret=""), Site(tmp_path / "empty", secret="")
    one.furnish(leads=1)
    secret = (one.folder / "secret.key").read_bytes()
    made(hub, one, file, "--quick")
    assert secret.strip() not in file.read_bytes()
    assert "nor in the backup" in hub.refused(empty, "restore", file)
    made(hub, one, file, "--quick", "--force", "--with-secret")
    restored(hub, empty, file)
    assert (empty.folder / "secret.key").read_bytes() == secret
    assert empty.texts() == one.texts()


def test_a_given_secret_never_goes_in(hub: Commands, lite: Site, file: Path) -> None:
    assert "HUB_SECRET_KEY" in hub.refused(lite, "backup", file, "--with-secret")
    made(hub, lite, file)
    assert SECRET.encode() not in file.read_bytes()


def test_an_event_that_cannot_be_read_is_told_and_kept(hub: Commands, lite: Site, empty: Site, file: Path) -> None:
    with lite.opened() as house, house.store.writing() as cursor:
        cursor.execute("UPDATE stored_events SET state = ? WHERE topic = 'lead.message_received' AND rowid = "
                       "(SELECT MAX(rowid) FROM stored_events WHERE topic = 'lead.message_received')", (b"{",))
    said = hub(lite, "backup", file, "--quick")
    assert said.code == 1
    assert "1 events of the hub cannot be read" in said.err
    hub(empty, "restore", file)
    assert empty.rows() == lite.rows()


def test_unpacked_by_hand_it_is_a_data_folder(hub: Commands, one: Site, empty: Site, file: Path) -> None:
    made(hub, one, file, "--quick")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(empty.folder)
    assert empty.rows() == one.rows()
    assert empty.texts() == one.texts()


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from hub.config import load
from hub.transfer import backup, restore

def tell(step, done, total):
    if step == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[1] == "backup":
    backup.make(load(os.environ), Path(sys.argv[2]), tell, datetime.now(UTC))
else:
    restore.restore(load(os.environ), Path(sys.argv[2]), tell)
"""


def killed(site: Site, command: str, file: Path, step: str) -> None:
    """The command, killed at the beginning of a step."""
    done = subprocess.run([sys.executable, "-c", KILLED, command, str(file), step], env={**os.environ, **site.environ},
                          check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL


def test_what_a_killed_backup_or_restore_leaves_behind_is_removed_by_the_next(hub: Commands, lite: Site, empty: Site,
                                                                              file: Path) -> None:
    """It holds read models and keys, of people as well who are erased later."""
    killed(lite, "backup", file, "read models")
    assert [path.name for path in file.parent.rglob("keys.db")] == ["keys.db"]
    made(hub, lite, file)
    assert [path.name for path in file.parent.iterdir()] == ["hub.backup"]
    killed(empty, "restore", file, "events of the backup")
    assert len(list(empty.folder.rglob("keys.db"))) == 1
    restored(hub, empty, file)
    assert [path for path in empty.folder.iterdir() if path.is_dir()] == [empty.folder / "files"]
    assert empty.rows() == lite.rows()


def test_two_backups_at_once_leave_each_other_alone(lite: Site, file: Path) -> None:
    def second(step: str, done: int, total: int) -> None:
        if step == "read models":
            backup.make(lite.settings, file.with_name("second"), lambda *progress: None, datetime.now(UTC), quick=True)
            file.with_name("third").write_bytes(b"made meanwhile")
    backup.make(lite.settings, file, second, datetime.now(UTC))
    assert sorted(path.name for path in file.parent.iterdir()) == ["hub.backup", "second", "third"]
    with pytest.raises(Refusal, match="meanwhile"):
        backup.make(lite.settings, file.with_name("fourth"), lambda *progress: file.with_name("fourth").write_bytes(b"mine"),
                    datetime.now(UTC))
    assert file.with_name("fourth").read_bytes() == b"mine"


def test_a_database_that_could_not_be_brought_to_the_disk_whole_is_no_backup(lite: Site, file: Path) -> None:
    """SQLite closes without a word where its journal cannot be emptied into the file."""
    reading_on: list[sqlite3.Connection] = []

    def hold(step: str, done: int, total: int) -> None:
        if step == "read models":
            (log,) = file.parent.rglob("hub.db")
            reading_on.append(sqlite3.connect(log))
            reading_on[0].execute("SELECT * FROM stored_events").fetchone()
    try:
        with pytest.raises(Refusal, match="could not be brought to the disk whole"):
            backup.make(lite.settings, file, hold, datetime.now(UTC))
    finally:
        reading_on[0].close()
    assert list(file.parent.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="a small disk takes a mount")
def test_a_restore_onto_a_full_disk_is_told_and_begun_again(hub: Commands, lite: Site, tmp_path: Path, file: Path) -> None:
    made(hub, lite, file, "--quick")
    small = tmp_path / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=600k none {small} 2>/dev/null"):
        pytest.skip("no mount here")
    try:
        place = Site(small / "hub")
        assert "disk is full" in hub.refused(place, "restore", file)
        assert [path for path in place.folder.rglob("*") if path.name.startswith(".")] == []
        os.system(f"mount -o remount,size=100m {small}")
        restored(hub, place, file)
        assert place.rows() == lite.rows()
    finally:
        os.system(f"umount {small}")


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="a small disk takes a mount")
def test_a_full_disk_is_told_and_nothing_is_left(hub: Commands, lite: Site, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=100k none {small} 2>/dev/null"):
        pytest.skip("no mount here")
    try:
        assert "disk is full" in hub.refused(lite, "backup", small / "hub.backup")
        assert list(small.iterdir()) == []
    finally:
        os.system(f"umount {small}")

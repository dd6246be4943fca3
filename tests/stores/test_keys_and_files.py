"""Keys of persons and attached files: made once, kept apart, gone when destroyed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag

from hub.store import WrongSecret
from hub.store.files import FileStore
from hub.store.keys import KeyStore, blind, derive
from tests.serving import until
from tests.stores.store_events import SECRET, Home


@pytest.fixture
def files(keys: KeyStore, tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files", keys, SECRET)


def test_a_key_is_made_once_and_survives_a_restart(keys: KeyStore, second: Home) -> None:
    subject = uuid4()
    key = keys.create(subject)
    assert len(key) == 32
    assert keys.create(subject) == key
    assert second.keys.get(subject) == key
    assert keys.get(uuid4()) is None


def test_racing_makers_of_a_key_get_the_same_one(keys: KeyStore, second: Home) -> None:
    subjects = [uuid4() for _ in range(20)]
    makers = [keys, second.keys] * 4
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda maker: [maker.create(subject) for subject in subjects], makers))
    assert all(one == made[0] for one in made)
    assert len(set(made[0])) == 20


def test_a_destroyed_key_is_gone_here_and_in_the_other_process(keys: KeyStore, second: Home) -> None:
    gone, kept = uuid4(), uuid4()
    keys.create(gone)
    keys.create(kept)
    assert second.keys.get(gone) is not None  # now cached there
    keys.destroy(gone)
    assert keys.get(gone) is None
    until(lambda: second.keys.get(gone) is None, 5, "the other process notices")
    assert second.keys.get(kept) == keys.get(kept)
    assert second.keys.destroyed(gone)
    assert not keys.destroyed(kept)


@pytest.mark.parametrize("database_url", [""])  # the file of SQLite
def test_neither_a_key_nor_what_is_left_of_a_destroyed_one_is_in_the_file(keys: KeyStore, tmp_path: Path) -> None:
    subject = uuid4()
    key = keys.create(subject)
    wrapped = keys._writer.execute("SELECT wrapped FROM keys").fetchone()[0]
    written = b"".join(path.read_bytes() for path in tmp_path.glob("keys.db*"))
    assert wrapped in written
    assert key not in written
    keys.destroy(subject)
    assert wrapped not in b"".join(path.read_bytes() for path in tmp_path.glob("keys.db*"))


@pytest.mark.parametrize("database_url", [""])  # the file of SQLite
def test_another_secret_is_refused_with_a_sentence(keys: KeyStore) -> None:
    with pytest.raises(WrongSecret, match="made under another HUB_SECRET_KEY: start with the secret"):
        KeyStore(keys.path, b"not the secret")


@pytest.mark.parametrize("database_url", [""])  # the file of SQLite
def test_the_keys_file_is_its_owners_only(keys: KeyStore) -> None:
    assert keys.path.stat().st_mode & 0o077 == 0


def test_derived_keys_differ_by_purpose_and_lookup_ids_by_key_and_kind() -> None:
    assert derive(b"s", "a") == derive(b"s", "a")
    assert len({derive(b"s", "a"), derive(b"s", "b"), derive(b"t", "a")}) == 3
    key = derive(b"s", "contacts")
    ids = {blind(key, "phone", "+7999"), blind(key, "email", "+7999"), blind(derive(b"t", "contacts"), "phone", "+7999")}
    assert len(ids) == 3
    assert blind(key, "phone", "+7999") in ids
    assert all(isinstance(one, UUID) for one in ids)


def test_a_file_comes_back_and_is_unreadable_on_the_disk(files: FileStore) -> None:
    subject, data = uuid4(), b"a brief of the project" * 1000
    digest = files.put(data, subject)
    assert files.put(data, subject) == digest
    assert files.get(digest, subject) == data
    assert files.get(digest, uuid4()) is None
    stored = [path for path in files.folder.rglob("*") if path.is_file()]
    assert [path.name for path in stored] == [digest]
    assert b"brief" not in stored[0].read_bytes()


def test_a_file_goes_with_its_persons_key(files: FileStore, keys: KeyStore) -> None:
    subject = uuid4()
    digest = files.put(b"data", subject)
    keys.destroy(subject)
    assert files.get(digest, subject) is None
    assert files.put(b"data", subject) == digest
    assert files.get(digest, subject) is None, "nothing is kept any more of who was erased"
    assert files.remove(subject) == 1
    assert not (files.folder / subject.hex).exists()
    assert files.remove(subject) == 0


def test_a_changed_file_is_noticed_and_a_path_is_no_digest(files: FileStore) -> None:
    subject = uuid4()
    digest = files.put(b"data", subject)
    [path] = [path for path in files.folder.rglob("*") if path.is_file()]
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(InvalidTag):
        files.get(digest, subject)
    with pytest.raises(ValueError, match="hexadecimal"):
        files.get("../../keys.db", subject)


def test_files_and_their_folders_are_their_owners_only(files: FileStore) -> None:
    files.put(b"passport", uuid4())
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in (files.folder, *files.folder.rglob("*"))}
    assert modes == {True: 0o700, False: 0o600}
    assert files.folder.stat().st_mode & 0o777 == 0o700

"""Bringing a backup back, into an empty place of either store."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from hub.bootstrap import make_schema
from hub.config import SECRET_FILE, Settings
from hub.store.base import EventStore
from hub.store.keys import Keys
from hub.transfer import durable, erasures
from hub.transfer.archive import ERASED, FILES, KEYS, LOG, Manifest, Reader, reading
from hub.transfer.base import Fingerprint, Refusal, Tell, fingerprint
from hub.transfer.copying import Copied, copy, copy_keys
from hub.transfer.places import forget_read_models, keep_secret, known_secret, make_read_models, opened

LEFT_OUT = ("sessions", "sign_in_failures", "api_answers")
"""Tables that do not come back: who was signed in then may be gone now, and kept answers quote persons. Commands that are
repeated are recognised by the log."""


@dataclass(frozen=True)
class Restored:
    """What was brought back. ``erased_since``: subjects whose key was in the backup and did not come back."""

    manifest: Manifest
    files: int
    erased_since: int
    notes: tuple[str, ...]


def restore(settings: Settings, file: Path, tell: Tell, erased_list: Path | None = None) -> Restored:
    """Bring the backup ``file`` back into the empty place of ``settings``.

    Who was erased since does not come back: those of ``erased_list`` (a list or a newer backup), and those whom the keys
    that are still at the place know of. Nothing is touched before the whole file is proven. Raises :class:`Refusal`.
    """
    gone = _erased(erased_list) if erased_list is not None else frozenset()
    with reading(file) as archive:
        settings = replace(settings, given_secret=_secret(settings, archive))
        archive.check_secret(settings.secret_key)
        tell("checking the file", 0, 1)
        archive.check()
        folder = settings.make_data_dir()
        with durable.workplace(folder) as inside:
            place = replace(settings, data_dir=inside, database_path=inside / LOG, postgres_url="", listen_url="", keys_url="")
            for name in (LOG, KEYS):
                archive.extract(name, inside / name)
            with opened(place) as (keys, store):
                _check_log(archive, store, tell)
                make_schema(settings)
                with opened(settings) as (target_keys, target):
                    files, erased_since = _bring_back(archive, (keys, store), (target_keys, target), settings, gone, tell)
        manifest = archive.manifest
    tell("read models", 0, 1)
    return Restored(manifest, files, erased_since, tuple(make_read_models(settings)))


def _bring_back(archive: Reader, source: tuple[Keys, EventStore], target: tuple[Keys, EventStore], settings: Settings,
                gone: Collection[UUID], tell: Tell) -> tuple[int, int]:
    keys, store = source
    target_keys, target_store = target
    files = 0

    def bring_the_rest() -> None:
        nonlocal files
        forget_read_models(target_store)
        if SECRET_FILE in archive.manifest.members:
            keep_secret(settings, settings.secret_key)
        copy_keys(keys, target_keys, gone)
        files = _bring_files(archive, settings.data_dir / "files", set(target_keys.rows()[1]))

    def check(copied: Copied) -> None:
        if copied.unread.count > archive.manifest.unreadable:
            raise Refusal(f"{copied.unread.count} events of the backup cannot be read ({copied.unread.first}); no event was kept."
                          f" It was made by release {archive.manifest.hub} of the hub: restore it with that one or a newer one.")

    copy(store, target_store, tell, leave=LEFT_OUT, before_log=bring_the_rest, check=check)
    there = {subject for subject, _ in target_keys.rows()[0]}
    return files, sum(subject not in there for subject, _ in keys.rows()[0])


def _secret(settings: Settings, archive: Reader) -> str:
    secret = known_secret(settings)
    if not secret and SECRET_FILE in archive.manifest.members:
        secret = archive.read(SECRET_FILE).decode("ascii", "replace").strip()
    if not secret:
        raise Refusal(f"the secret is neither in HUB_SECRET_KEY nor in {settings.data_dir / SECRET_FILE} nor in the backup: give "
                      "the secret that the hub had when the backup was made.")
    return secret


def _check_log(archive: Reader, store: EventStore, tell: Tell) -> None:
    said = archive.manifest
    with store.reading() as cursor:
        found = fingerprint(store, cursor, "events of the backup", tell)
    if found != Fingerprint(said.count, said.head, said.digest):
        raise Refusal(f"the log in {archive.path} is not the one that the backup was made of: take another backup.")


def _erased(path: Path) -> frozenset[UUID]:
    if not path.exists():
        raise Refusal(f"there is no {path}: give the erasure list, or a newer backup.")
    with open(path, "rb") as file:
        is_backup = file.read(2) == b"PK"
    if not is_backup:
        return erasures.read(path.read_bytes().decode("ascii", "replace"), str(path))
    with reading(path) as archive:
        archive.check()
        return erasures.read(archive.read(ERASED).decode("ascii", "replace"), str(path))


def _bring_files(archive: Reader, folder: Path, without: Collection[UUID]) -> int:
    count = 0
    for name in archive.manifest.members:
        if name.startswith(FILES) and UUID(name.removeprefix(FILES).partition("/")[0]) not in without:
            with archive.member(name) as content:
                durable.put_attached(folder, name.removeprefix(FILES), content)
            count += 1
    return count

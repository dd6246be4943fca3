"""Making a backup while the hub works."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from uuid import UUID

from hub import __version__
from hub.bootstrap import open_house
from hub.config import SECRET_FILE, Settings
from hub.domain.publication import PROCESS_STREAM
from hub.transfer import durable, erasures
from hub.transfer.archive import ERASED, FILES, FORMAT, KEYS, LOG, Manifest, Writer, reading
from hub.transfer.base import Refusal, Tell
from hub.transfer.copying import Copied, copy, copy_keys
from hub.transfer.places import catch_up, existing, opened


@dataclass(frozen=True)
class Backup:
    """What is in a backup, and what somebody should look at: it is whole all the same."""

    manifest: Manifest
    notes: tuple[str, ...]


def make(settings: Settings, file: Path, tell: Tell, at: datetime, *, force: bool = False, quick: bool = False,
         with_secret: bool = False) -> Backup:
    """Back the hub of ``settings`` up into one ``file``, which appears when it is whole and proven.

    The log and the tables beside it are one state of the database; the keys are taken after them, so that no event is
    newer than its key, and the attached files last: a file is there before its event. Every event is decoded with the
    keys of the backup, and unless ``quick`` all read models are made from it. Raises :class:`Refusal`.
    """
    settings = existing(settings)
    if file.exists() and not force:
        raise Refusal(f"there is a file {file} already: give another name, or --force to replace it.")
    if not file.parent.is_dir():
        raise Refusal(f"there is no folder {file.parent}: make it, or give another one.")
    secret_file = settings.data_dir / SECRET_FILE
    if with_secret and not (secret_file.exists() and secret_file.read_text("ascii").strip() == settings.secret_key):
        raise Refusal("the secret is given in HUB_SECRET_KEY and not kept by the hub, so it does not go into a backup: leave "
                      "--with-secret out, and keep the secret where the other settings are kept.")
    with durable.workplace(file.parent) as folder:
        part = folder / "backup"
        made = _make(settings, folder / "data", part, tell, at, quick, secret_file if with_secret else None)
        with reading(part) as archive:
            archive.check_secret(settings.secret_key)
            archive.check()
        if file.exists() and not force:
            raise Refusal(f"somebody has made a file {file} meanwhile: give another name, or --force to replace it.")
        durable.put_in_place(part, file)
    return made


def list_erased(settings: Settings, file: Path, at: datetime) -> int:
    """Write the erasure list of the hub into ``file``, in place of an older one; how many subjects."""
    settings = existing(settings)
    with opened(settings) as (keys, _):
        _, subjects = keys.rows()
    durable.write(file.absolute(), erasures.told(subjects, at).encode("ascii"))
    return len(subjects)


def _make(settings: Settings, folder: Path, part: Path, tell: Tell, at: datetime, quick: bool,
          secret_file: Path | None) -> Backup:
    folder.mkdir(mode=0o700)
    inside = replace(settings, data_dir=folder, database_path=folder / LOG, postgres_url="", listen_url="", keys_url="",
                     channels_file=None, web_processes=1)
    with opened(settings) as (keys, store), opened(inside) as (new_keys, new_store):
        copied = copy(store, new_store, tell, before_log=lambda: copy_keys(keys, new_keys))
        kept, erased = new_keys.rows()
        process_version = len(new_store.raw(PROCESS_STREAM))
    notes = _notes(copied)
    if not quick:
        tell("read models", 0, 1)
        house = open_house(inside)
        try:
            notes += catch_up(house)
        finally:
            house.close()
    if left := [name for name in (LOG, KEYS) if (folder / f"{name}-wal").exists()]:
        # Closing a database empties its journal into it, and says nothing where it cannot.
        raise Refusal(f"{' and '.join(left)} of the backup could not be brought to the disk whole; nothing was kept. Make room "
                      "on the disk (about three times the size of the log), and try again.")
    writer = Writer(part)
    try:
        for name in (LOG, KEYS):
            with open(folder / name, "rb") as content:
                writer.add(name, content, pack=True)
        writer.add(ERASED, BytesIO(erasures.told(erased, at).encode("ascii")))
        files = _add_files(writer, settings.data_dir / "files", erased)
        if secret_file is not None:
            with open(secret_file, "rb") as content:
                writer.add(SECRET_FILE, content)
        manifest = Manifest(
            format=FORMAT, hub=__version__, made_at=at, store="postgresql" if settings.postgres_url else "sqlite",
            process_version=process_version, count=copied.log.count, head=copied.log.head, digest=copied.log.digest,
            rows=copied.rows, keys=len(kept), erased=len(erased), files=files, unreadable=copied.unread.count,
            members=writer.members)
        writer.seal(manifest, settings.secret_key)
    finally:
        writer.close()
    return Backup(manifest, tuple(notes))


def _notes(copied: Copied) -> list[str]:
    if not copied.unread.count:
        return []
    return [f"{copied.unread.count} events of the hub cannot be read (the first: {copied.unread.first}); they are in the backup "
            "as they are"]


def _add_files(writer: Writer, folder: Path, erased: Collection[UUID]) -> int:
    count, gone = 0, set(erased)
    for file in durable.attached(folder):
        if file.subject not in gone:
            with open(file.path, "rb") as content:
                writer.add(FILES + file.name, content)
            count += 1
    return count

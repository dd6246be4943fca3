"""Files written so that they are there whole or not at all, and attached files from one folder to another."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import IO, NamedTuple
from uuid import UUID

SUBJECT, DIGEST = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{64}")


class Attached(NamedTuple):
    """An attached file where it lies, sealed."""

    subject: UUID
    digest: str
    path: Path

    @property
    def name(self) -> str:
        """Its place below the folder of attached files."""
        return f"{self.subject.hex}/{self.digest}"


def write(path: Path, source: IO[bytes] | bytes) -> None:
    """Write a file for this user only; on return it is on the disk, and under its name only when it is whole."""
    part = path.with_name(f".{path.name}.part")
    try:
        with open(part, "wb", opener=private) as file:
            shutil.copyfileobj(BytesIO(source) if isinstance(source, bytes) else source, file)
            to_disk(file)
        put_in_place(part, path)
    finally:
        part.unlink(missing_ok=True)


WORKPLACE, LOCK = ".hub-work-", "lock"


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """A folder for half-done work inside ``folder``, for this user only, gone at the end.

    Those of programs that were killed are removed first: they hold keys and read models. Who works in one locks it.
    """
    for left in folder.glob(f"{WORKPLACE}*"):
        with suppress(OSError), open(left / LOCK, "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    place = Path(tempfile.mkdtemp(prefix=WORKPLACE, dir=folder))
    try:
        with open(place / LOCK, "wb") as lock:
            with suppress(OSError):  # where there are no locks, nobody can take one and remove this
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def to_disk(file: IO[bytes]) -> None:
    """On return, what was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def private(name: str, flags: int) -> int:
    """For ``open``: a file that only this user may read."""
    return os.open(name, flags, 0o600)


def put_in_place(part: Path, path: Path) -> None:
    """Give a file that is on the disk its name, for good."""
    part.replace(path)
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def attached(folder: Path) -> Iterator[Attached]:
    """The attached files below ``folder``, without what is half written."""
    for person in sorted(folder.iterdir()) if folder.is_dir() else ():
        if SUBJECT.fullmatch(person.name):
            yield from (Attached(UUID(person.name), file.name, file) for file in sorted(person.iterdir())
                        if DIGEST.fullmatch(file.name))


def copy_attached(source: Path, target: Path, without: Collection[UUID]) -> int:
    """Copy attached files into another folder, except those of the subjects ``without``; how many. None is copied onto itself."""
    if source.resolve() == target.resolve():
        return 0
    count = 0
    for file in attached(source):
        if file.subject not in without:
            with open(file.path, "rb") as content:
                put_attached(target, file.name, content)
            count += 1
    return count


def put_attached(folder: Path, name: str, content: IO[bytes]) -> None:
    """Write one attached file under the ``name`` that :attr:`Attached.name` gave."""
    path = folder / name
    for made in (folder, path.parent):
        made.mkdir(mode=0o700, parents=True, exist_ok=True)
    write(path, content)

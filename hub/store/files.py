"""Attached files: encrypted under their person's key, named by a keyed digest, durable before they are named."""

from __future__ import annotations

import hmac
import os
from pathlib import Path
from secrets import token_hex
from uuid import UUID

from hub.store.errors import Unavailable
from hub.store.keys import Keys, derive, seal, unseal


class FileStore:
    """Files under ``folder``, one folder a person. Erasing the person's key erases the contents."""

    def __init__(self, folder: Path, keys: Keys, secret: bytes) -> None:
        self.folder = folder
        self.keys = keys
        self._naming = derive(secret, "hub file names")

    def put(self, data: bytes, subject: UUID) -> str:
        """Store ``data`` for ``subject`` and return its digest (hex). On return it is on the disk.

        The digest is keyed, so that it does not tell whether somebody has a certain file. Storing the
        same data again gives the same digest. Raises :class:`Unavailable` when the disk is full.
        """
        digest = hmac.digest(self._naming, data, "sha256").hex()
        if self.keys.destroyed(subject):
            return digest  # nothing is kept any more of who was erased
        sealed = seal(self.keys.create(subject), data, _place(digest, subject))
        path = self._path(digest, subject)
        part = path.with_name(f".{digest}.{token_hex(8)}")
        try:
            self._make_folder(path.parent)
            try:
                _write(part, sealed)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
            _sync_folder(path.parent)
        except OSError as error:
            raise Unavailable(f"files: {error.strerror}") from error
        return digest

    def get(self, digest: str, subject: UUID) -> bytes | None:
        """The file; None when there is none or its person was erased. ``InvalidTag`` when it was changed."""
        key = self.keys.get(subject)
        if key is None:
            return None
        try:
            sealed = self._path(digest, subject).read_bytes()
        except FileNotFoundError:
            return None
        return unseal(key, sealed, _place(digest, subject))

    def remove(self, subject: UUID) -> int:
        """Delete all files of a subject; how many. Their contents went with the key, their sizes and number go here."""
        folder = self.folder / subject.hex
        try:
            found = list(folder.iterdir())
            for path in found:
                path.unlink(missing_ok=True)
            folder.rmdir()
            _sync_folder(self.folder)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise Unavailable(f"files: {error.strerror}") from error
        return len(found)

    def _path(self, digest: str, subject: UUID) -> Path:
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise ValueError("a file's digest is 64 hexadecimal digits")
        return self.folder / subject.hex / digest

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(self.folder)
            _sync_folder(self.folder.parent)


def _place(digest: str, subject: UUID) -> bytes:
    return f"{digest}|{subject.hex}".encode()


def _write(path: Path, data: bytes) -> None:
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""The file of a backup: a zip of a whole data folder, with a manifest that the secret vouches for.

Unpacked by hand it is the data folder of a hub on SQLite, whatever store it was made from.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import shutil
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from hub.config import SECRET_FILE
from hub.store.errors import WrongSecret
from hub.store.keys import derive
from hub.transfer.base import Refusal
from hub.transfer.durable import DIGEST, SUBJECT, private, to_disk

FORMAT = 1
MANIFEST, SEAL, LOG, KEYS, ERASED, FILES = "manifest.json", "manifest.seal", "hub.db", "keys.db", "erased.txt", "files/"
COPY_BYTES = 1 << 20
FAULTS = (zipfile.BadZipFile, zlib.error, msgspec.MsgspecError, EOFError, OSError, ValueError, KeyError, NotImplementedError,
          RuntimeError)
"""What reading a damaged zip raises."""


class Member(Struct, frozen=True):
    """Bytes and SHA-256 (hex) of a file in the archive."""

    size: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """What is in a backup. ``digest``: see :class:`hub.transfer.base.Fingerprint`; ``unreadable``: events that could not be
    decoded when it was made; ``rows``: of the tables beside the log."""

    format: int
    hub: str
    made_at: datetime
    store: str
    process_version: int
    count: int
    head: int
    digest: str
    rows: int
    keys: int
    erased: int
    files: int
    unreadable: int
    members: dict[str, Member]


class Writer:
    """An archive being written; :meth:`seal` ends it."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "xb", opener=private)  # noqa: SIM115 - closed by close()
        self._zip = zipfile.ZipFile(self._file, "w")
        self.members: dict[str, Member] = {}

    def add(self, name: str, source: IO[bytes], *, pack: bool = False) -> None:
        """Put a file in. Sealed ones do not get smaller by packing."""
        size, digest = 0, hashlib.sha256()
        with self._zip.open(_info(name, pack), "w", force_zip64=True) as target:
            while piece := source.read(COPY_BYTES):
                target.write(piece)
                digest.update(piece)
                size += len(piece)
        self.members[name] = Member(size, digest.hexdigest())

    def seal(self, manifest: Manifest, secret: str) -> None:
        """Write the manifest, and what proves that it was written under ``secret``; all is on the disk then."""
        text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        self._zip.writestr(_info(MANIFEST, False), text)
        self._zip.writestr(_info(SEAL, False), _proof(text, secret))
        self._zip.close()
        to_disk(self._file)

    def close(self) -> None:
        """Close the file, whatever has become of it."""
        self._file.close()


class Reader:
    """An archive whose manifest can be read. Everything raises :class:`Refusal` where the file is damaged."""

    def __init__(self, path: Path, zip: zipfile.ZipFile) -> None:
        self.path = path
        self._zip = zip
        with self._damage(MANIFEST):
            self._text = zip.read(MANIFEST)
            version = msgspec.json.decode(self._text, type=dict[str, object]).get("format")
        if isinstance(version, int) and version > FORMAT:
            raise Refusal(f"{path} is a backup of a newer release (format {version}, known is {FORMAT}): install that release of "
                          "the hub and restore with it.")
        with self._damage(MANIFEST):
            self.manifest = msgspec.json.decode(self._text, type=Manifest)

    def check_secret(self, secret: str) -> None:
        """Raises :class:`WrongSecret` unless the manifest was written under ``secret``."""
        with self._damage(SEAL):
            proof = self._zip.read(SEAL)
        if not hmac.compare_digest(proof, _proof(self._text, secret)):
            raise WrongSecret(f"{self.path} was made under another HUB_SECRET_KEY: give the secret that the hub had then.")

    def check(self) -> None:
        """Read everything: what is there is what the manifest says, byte by byte."""
        wanted = self.manifest.members
        if sorted(self._zip.namelist()) != sorted([MANIFEST, SEAL, *wanted]) or not {LOG, KEYS, ERASED} <= wanted.keys():
            raise self._damaged("its list of files")
        for name, member in wanted.items():
            if not _is_ours(name):
                raise self._damaged(name)
            size, digest = 0, hashlib.sha256()
            with self.member(name) as source:
                while piece := source.read(COPY_BYTES):
                    digest.update(piece)
                    size += len(piece)
            if Member(size, digest.hexdigest()) != member:
                raise self._damaged(name)

    def read(self, name: str) -> bytes:
        """A small file of the archive."""
        with self.member(name) as source:
            return source.read()

    def extract(self, name: str, path: Path) -> None:
        """Write a file of the archive to ``path``, for this user only."""
        with self.member(name) as source, open(path, "xb", opener=private) as target:
            shutil.copyfileobj(source, target, COPY_BYTES)

    @contextmanager
    def member(self, name: str) -> Iterator[IO[bytes]]:
        """A file of the archive, to be read once."""
        with self._damage(name), self._zip.open(name) as source:
            yield source

    @contextmanager
    def _damage(self, name: str) -> Iterator[None]:
        try:
            yield
        except FAULTS as error:
            if _of_the_disk(error):
                raise
            raise self._damaged(name) from error

    def _damaged(self, name: str) -> Refusal:
        return Refusal(f"{self.path} is damaged ({name}): take another copy of it, or another backup.")


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Open an archive. Raises :class:`Refusal` for what is none, or is cut short."""
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise Refusal(f"there is no {path}: give the path of a backup.") from None
    except FAULTS as error:
        if _of_the_disk(error):
            raise
        raise Refusal(f"{path} is no backup of the hub, or was cut short: take another copy of it, or another backup.") from None
    with archive:
        yield Reader(path, archive)


def _of_the_disk(error: Exception) -> bool:
    """Whether the disk is at fault and not the archive; one that is damaged leads to places that there are not."""
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)


def _info(name: str, pack: bool) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, time.gmtime()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED if pack else zipfile.ZIP_STORED
    info.external_attr = 0o600 << 16
    return info


def _proof(text: bytes, secret: str) -> bytes:
    return hmac.digest(derive(secret.encode(), "backup"), text, "sha256").hex().encode()


def _is_ours(name: str) -> bool:
    """Whether a file of this name belongs into a data folder; none leads out of it."""
    if not name.startswith(FILES):
        return name in (LOG, KEYS, ERASED, SECRET_FILE)
    subject, _, digest = name.removeprefix(FILES).partition("/")
    return bool(SUBJECT.fullmatch(subject) and DIGEST.fullmatch(digest))

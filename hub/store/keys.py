"""Keys of persons, kept apart from the events, so that destroying one key erases one person."""

from __future__ import annotations

import hashlib
import hmac
import os
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.store.errors import Unavailable, WrongSecret

KEY_BYTES = 32
NONCE_BYTES = 12
MARK_BYTES = 4
CACHED_KEYS = 4096

TABLES = (
    "CREATE TABLE IF NOT EXISTS check_value (only INTEGER PRIMARY KEY CHECK (only = 1), value BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS keys (subject BLOB PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS destroyed (subject BLOB PRIMARY KEY) WITHOUT ROWID",
)
CHECK = b"this file opens with this secret"


def derive(secret: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one ``purpose``, from the one secret (HKDF-SHA256)."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(secret)


def blind(key: bytes, kind: str, value: str) -> UUID:
    """The look-up id of an address: keyed, because a plain hash of a phone number is the number:
    all Russian mobile numbers are tried in minutes."""
    return UUID(bytes=hmac.digest(key, f"{kind}\0{value}".encode(), "sha256")[:16])


def mark(key: bytes) -> bytes:
    """Tells keys apart without saying anything about them: a key made anew after erasure is another key."""
    return hashlib.sha256(key).digest()[:MARK_BYTES]


def seal(key: bytes, plain: bytes, place: bytes) -> bytes:
    """AES-256-GCM of ``plain``, bound to its ``place`` (associated data), with the mark of its key in front."""
    nonce = os.urandom(NONCE_BYTES)
    return mark(key) + nonce + AESGCM(key).encrypt(nonce, plain, place)


def unseal(key: bytes, sealed: bytes, place: bytes) -> bytes | None:
    """What was sealed; None when another key sealed it. ``InvalidTag`` when it was changed or moved."""
    if sealed[:MARK_BYTES] != mark(key):
        return None
    body = MARK_BYTES + NONCE_BYTES
    return AESGCM(key).decrypt(sealed[MARK_BYTES:body], sealed[body:], place)


class KeyStore:
    """One key per person in an SQLite file of its own; keys are wrapped by a key derived from ``secret``.

    Safe for threads and processes. Raises :class:`WrongSecret` when the file was made under another
    secret, :class:`Unavailable` when the file is locked, full or gone.
    """

    def __init__(self, path: Path, secret: bytes) -> None:
        self.path = path
        self._wrapping = AESGCM(derive(secret, "hub key wrapping"))
        self._lock = RLock()
        self._cache: OrderedDict[UUID, bytes] = OrderedDict()
        self._seen_version = -1
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        with _outages():
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=1"):
                self._db.execute(f"PRAGMA {pragma}").fetchall()
            with self._writing():
                for table in TABLES:
                    self._db.execute(table)
                self._db.execute("INSERT OR IGNORE INTO check_value VALUES (1, ?)", (self._wrap(CHECK, b"check"),))
            (value,) = self._db.execute("SELECT value FROM check_value").fetchone()
        self._unwrap(value, b"check")

    def create(self, subject: UUID) -> bytes:
        """The key of ``subject``, made and committed now if there is none. Every caller gets the same one."""
        key = self.get(subject)
        if key is None:
            self.create_all([subject])
            key = self.get(subject)
        if key is None:
            raise Unavailable(f"the key of {subject} was destroyed while it was being made; try again")
        return key

    def create_all(self, subjects: Collection[UUID]) -> None:
        """Make the missing keys of ``subjects`` in one commit; the first writer's key wins."""
        with self._lock, _outages():
            get = self.lookup()
            missing = [subject for subject in subjects if get(subject) is None]
            if not missing:
                return
            with self._writing():
                self._db.executemany(
                    "INSERT OR IGNORE INTO keys VALUES (?, ?)",
                    [(s.bytes, self._wrap(AESGCM.generate_key(KEY_BYTES * 8), s.bytes)) for s in missing])

    def get(self, subject: UUID) -> bytes | None:
        """The key of ``subject``; None when there is none. A key destroyed by another process is not given."""
        return self.lookup()(subject)

    def lookup(self) -> Callable[[UUID], bytes | None]:
        """:meth:`get` for one batch: looks for destroys of other processes now and not at every key."""
        with self._lock, _outages():
            (version,) = self._db.execute("PRAGMA data_version").fetchone()
            if version != self._seen_version:  # another connection committed: perhaps a destroy
                self._cache.clear()
                self._seen_version = version
        return self._known

    def _known(self, subject: UUID) -> bytes | None:
        with self._lock:
            key = self._cache.get(subject)
            return self._read(subject) if key is None else key

    def _read(self, subject: UUID) -> bytes | None:
        with _outages():
            row = self._db.execute("SELECT wrapped FROM keys WHERE subject = ?", (subject.bytes,)).fetchone()
            if row is None:
                return None
            key = self._cache[subject] = self._unwrap(row[0], subject.bytes)
            if len(self._cache) > CACHED_KEYS:
                self._cache.popitem(last=False)
        return key

    def destroy(self, subject: UUID) -> None:
        """Erase the person: the key goes from the file, its log and all caches. May be repeated.

        The subject is remembered as destroyed, so that a lost keys file is not taken for an erasure.
        """
        with self._lock, _outages():
            self._cache.pop(subject, None)
            with self._writing():
                self._db.execute("INSERT OR IGNORE INTO destroyed VALUES (?)", (subject.bytes,))
                self._db.execute("DELETE FROM keys WHERE subject = ?", (subject.bytes,))
            (busy, *_) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise Unavailable(f"the key of {subject} is deleted, but still in the log of {self.path.name}; destroy it again")

    def destroyed(self, subject: UUID) -> bool:
        """Whether a key of ``subject`` was ever destroyed."""
        with self._lock, _outages():
            row = self._db.execute("SELECT 1 FROM destroyed WHERE subject = ?", (subject.bytes,)).fetchone()
        return row is not None

    def close(self) -> None:
        """Close the file and forget the keys."""
        with self._lock:
            self._cache.clear()
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.rollback()

    def _wrap(self, key: bytes, place: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, key, place)

    def _unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        try:
            return self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], place)
        except InvalidTag:
            raise WrongSecret(
                f"{self.path} was made under another HUB_SECRET_KEY: "
                "start with the secret that it was made under, or restore the keys file that belongs to this secret"
            ) from None


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Unavailable(f"keys: {error}") from error

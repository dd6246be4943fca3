"""Keys of persons, kept apart from the events, so that destroying one key erases one person."""

from __future__ import annotations

import hashlib
import hmac
import os
import sqlite3
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, RLock
from typing import Any, ClassVar
from uuid import UUID
from weakref import WeakMethod

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.store.errors import Unavailable, WrongSecret
from hub.store.group import GroupCommit

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


class Keys(ABC):
    """One key per person, wrapped by a key derived from ``secret``; a place to keep them adds the abstract methods.

    Safe for threads and processes. Raises :class:`WrongSecret` when the keys were made under another
    secret, :class:`Unavailable` when their place is locked, full or gone.
    """

    def __init__(self, where: str, secret: bytes) -> None:
        self.where = where
        self._wrapping = AESGCM(derive(secret, "hub key wrapping"))
        self._lock = RLock()
        self._cache: OrderedDict[UUID, bytes] = OrderedDict()
        self._seen_version = -1
        self._watchers: list[WeakMethod[Callable[[], object]]] = []

    noticed_within: ClassVar[float] = 0.0
    """Seconds after which every process knows of a destroyed key."""

    def watch(self, forget: Callable[[], object]) -> None:
        """Call the method ``forget`` of an object, as long as it lives, when this process learns that a key was destroyed:
        what it keeps decrypted in memory is to be read again."""
        with self._lock:
            self._watchers = [known for known in self._watchers if known() is not None]
            self._watchers.append(WeakMethod(forget))

    def create(self, subject: UUID) -> bytes:
        """The key of ``subject``, made and committed now if there is none. Every caller gets the same one.

        An erased subject has no key any more: each call gives another one, which nobody keeps, so that what is still written
        about the subject can be read by nobody.
        """
        key = self.get(subject)
        if key is None:
            self.create_all([subject])
            key = self.get(subject)
        if key is None:
            if not self.destroyed(subject):
                raise Unavailable(f"the key of {subject} could not be made; try again")
            key = AESGCM.generate_key(KEY_BYTES * 8)
        return key

    def create_all(self, subjects: Collection[UUID]) -> None:
        """Make the missing keys of ``subjects`` in one commit; the first writer's key wins. Erased subjects get none."""
        get = self.lookup()
        missing = [subject for subject in subjects if get(subject) is None]
        if missing:
            self._insert([(s, self._wrap(AESGCM.generate_key(KEY_BYTES * 8), s.bytes)) for s in missing])

    def get(self, subject: UUID) -> bytes | None:
        """The key of ``subject``; None when there is none. A key destroyed by another process is not given."""
        return self.lookup()(subject)

    def lookup(self) -> Callable[[UUID], bytes | None]:
        """:meth:`get` for one batch: looks for destroys of other processes now and not at every key."""
        with self._lock:
            version = self._version()
            destroyed = version != self._seen_version
            if destroyed:
                self._cache.clear()
                self._seen_version = version
            watchers = self._watchers if destroyed else []
        for watcher in watchers:
            if (forget := watcher()) is not None:
                forget()
        return self._known

    def _known(self, subject: UUID) -> bytes | None:
        with self._lock:
            key = self._cache.get(subject)
            if key is not None:
                return key
            wrapped = self._select(subject)
            if wrapped is None:
                return None
            key = self._cache[subject] = self._unwrap(wrapped, subject.bytes)
            if len(self._cache) > CACHED_KEYS:
                self._cache.popitem(last=False)
        return key

    def destroy(self, subject: UUID) -> None:
        """Erase the person: the key goes from its place and all caches. May be repeated.

        The subject is remembered as destroyed, so that a lost keys file is not taken for an erasure.
        """
        with self._lock:
            self._cache.pop(subject, None)
        self._delete(subject)

    def close(self) -> None:
        """Close the place and forget the keys."""
        with self._lock:
            self._cache.clear()

    @abstractmethod
    def destroyed(self, subject: UUID) -> bool:
        """Whether a key of ``subject`` was ever destroyed."""

    @abstractmethod
    def _version(self) -> int:
        """Another number whenever another process may have destroyed a key."""

    @abstractmethod
    def _select(self, subject: UUID) -> bytes | None:
        """The wrapped key."""

    @abstractmethod
    def _insert(self, keys: Sequence[tuple[UUID, bytes]]) -> None:
        """Keep wrapped keys, except those of subjects who have one or were erased."""

    @abstractmethod
    def _delete(self, subject: UUID) -> None:
        """Delete the key for good and remember that it was destroyed."""

    @abstractmethod
    def scrub(self) -> None:
        """Leave nothing of destroyed keys in the files of their place. :class:`Unavailable` where that cannot be done now."""

    @abstractmethod
    def rows(self) -> tuple[list[tuple[UUID, bytes]], list[UUID]]:
        """All wrapped keys, and the subjects of destroyed ones: for a backup."""

    def take_in(self, keys: Sequence[tuple[UUID, bytes]], destroyed: Collection[UUID]) -> None:
        """Keep what :meth:`rows` of another place under the same secret gave: keys, except of subjects who have one.

        A destroyed key stays destroyed, or is destroyed now, whichever of the two places knows of it.
        """
        with self._lock:
            self._cache.clear()
        gone = {*self.rows()[1], *destroyed}
        self._insert([(subject, wrapped) for subject, wrapped in keys if subject not in gone])
        for subject in destroyed:
            self.destroy(subject)

    def check_value(self) -> bytes:
        """What :meth:`check` opens only with the same secret."""
        return self._wrap(CHECK, b"check")

    def check(self, value: bytes) -> None:
        """Raises :class:`WrongSecret` unless ``value`` was made under this secret."""
        self._unwrap(value, b"check")

    def _wrap(self, key: bytes, place: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, key, place)

    def _unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        try:
            return self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], place)
        except InvalidTag:
            raise WrongSecret(
                f"{self.where} was made under another HUB_SECRET_KEY: "
                "start with the secret that it was made under, or restore the keys that belong to this secret"
            ) from None


class KeyStore(Keys):
    """Keys in an SQLite file of its own."""

    def __init__(self, path: Path, secret: bytes) -> None:
        super().__init__(str(path), secret)
        self.path = path
        path.touch(mode=0o600)
        self._writer = self._connect()
        self._reader = self._writer
        self._reading, self._writing = Lock(), Lock()
        self._group: GroupCommit[Sequence[tuple[UUID, bytes]], None] = GroupCommit(self._commit)
        try:
            self._open()
            self._reader = self._connect()
        except BaseException:
            self._writer.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=5.0)
        try:
            with _outages():
                for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=1"):
                    connection.execute(f"PRAGMA {pragma}").fetchall()
        except BaseException:
            connection.close()
            raise
        return connection

    def _open(self) -> None:
        with self._transaction() as db:
            for table in TABLES:
                db.execute(table)
            db.execute("INSERT OR IGNORE INTO check_value VALUES (1, ?)", (self.check_value(),))
            (value,) = db.execute("SELECT value FROM check_value").fetchone()
        self.check(value)

    def _read(self, statement: str, *values: object) -> list[Any]:
        with self._reading, _outages():
            return self._reader.execute(statement, values).fetchall()

    def _version(self) -> int:
        [(version,)] = self._read("PRAGMA user_version")
        return int(version)

    def _select(self, subject: UUID) -> bytes | None:
        rows = self._read("SELECT wrapped FROM keys WHERE subject = ?", subject.bytes)
        return rows[0][0] if rows else None

    def _insert(self, keys: Sequence[tuple[UUID, bytes]]) -> None:
        self._group.write(keys)

    def _commit(self, writes: list[Sequence[tuple[UUID, bytes]]]) -> list[None | Exception]:
        with self._transaction() as db:
            db.executemany("INSERT OR IGNORE INTO keys SELECT ?1, ?2 WHERE ?1 NOT IN (SELECT subject FROM destroyed)",
                           [(subject.bytes, wrapped) for keys in writes for subject, wrapped in keys])
        return [None] * len(writes)

    def _delete(self, subject: UUID) -> None:
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO destroyed VALUES (?)", (subject.bytes,))
            db.execute("DELETE FROM keys WHERE subject = ?", (subject.bytes,))
            (version,) = db.execute("PRAGMA user_version").fetchone()
            db.execute(f"PRAGMA user_version = {version + 1}")  # every process sees that a key went
        try:
            self.scrub()
        except Unavailable as error:
            raise Unavailable(f"the key of {subject} is deleted, but {error}; destroy it again") from error

    def scrub(self) -> None:
        with self._writing, _outages():
            (busy, *_) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise Unavailable(f"a deleted key is still in the log of {self.path.name}")

    def destroyed(self, subject: UUID) -> bool:
        return bool(self._read("SELECT 1 FROM destroyed WHERE subject = ?", subject.bytes))

    def rows(self) -> tuple[list[tuple[UUID, bytes]], list[UUID]]:
        keys = [(UUID(bytes=s), wrapped) for s, wrapped in self._read("SELECT subject, wrapped FROM keys")]
        return keys, [UUID(bytes=s) for (s,) in self._read("SELECT subject FROM destroyed")]

    def close(self) -> None:
        super().close()
        for connection in (self._reader, self._writer):
            connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing, _outages():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            finally:
                if self._writer.in_transaction:
                    self._writer.rollback()


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Unavailable(f"keys: {error}") from error

"""Passwords, sessions and a person's own settings: beside the log, in tables of their own (hashes do not belong in events)."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.application import LeadHub
from hub.domain.aggregate import Actor
from hub.domain.errors import Refused, sentences
from hub.domain.staff import User, UserState, user_stream
from hub.store import Unavailable
from hub.store.base import EventStore
from hub.store.keys import derive
from hub.web.passwords import check_strength, one_time_password

IDLE = timedelta(hours=12)
"""A session ends after this time without a request."""
ABSOLUTE = timedelta(days=7)
"""A session ends this long after sign-in, whatever happens."""
TOUCH_EVERY = timedelta(minutes=1)
"""How old the kept time of the last request may be."""
WINDOW = timedelta(minutes=15)
"""Failed sign-ins are counted over this time."""
LOGIN_LIMIT = 10
"""Failures of one login within the window; then its sign-in waits."""
IP_LIMIT = 50
"""Failures from one address within the window: an office of many people shares one."""
TOLD_AN_HOUR = 20
"""Failed sign-ins of one login that the log tells one by one in an hour; of more it tells the 32nd, the 64th, the 128th and so
on, each with how many it stands for."""
HASHES_AT_ONCE = 2
"""Argon2 takes 64 MiB each: more of them at once would let strangers take the memory of the server."""

TABLES = """
CREATE TABLE IF NOT EXISTS credentials (
    "user" TEXT PRIMARY KEY, hash TEXT NOT NULL, temporary INTEGER NOT NULL, changed_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
    key TEXT PRIMARY KEY, "user" TEXT NOT NULL, created TEXT NOT NULL, last_seen TEXT NOT NULL, ip TEXT NOT NULL,
    agent TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions ("user");
CREATE TABLE IF NOT EXISTS sign_in_failures (id INTEGER PRIMARY KEY, key TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sign_in_failures_by_key ON sign_in_failures (key, at);
CREATE TABLE IF NOT EXISTS sign_ins_told (
    "user" TEXT PRIMARY KEY, hour TEXT NOT NULL, n INTEGER NOT NULL, untold INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS preferences (
    "user" TEXT PRIMARY KEY, language TEXT NOT NULL, notices_seen INTEGER NOT NULL) WITHOUT ROWID;
"""

sentences(
    sign_in_wrong=("Логин или пароль не подошли. Проверьте их; забытый пароль меняет администратор.",
                   "The login or the password is wrong. Check them; an administrator replaces a forgotten password."),
    sign_in_wait=("Слишком много неудачных попыток. Попробуйте снова через {minutes} мин.",
                  "Too many failed attempts. Try again in {minutes} min."),
    password_same=("Это прежний пароль. Придумайте новый.", "This is the old password. Think of a new one."),
    password_not_yours=("Нынешний пароль не подошёл. Введите его ещё раз.", "The present password is wrong. Type it again."),
    password_differs=("Пароли не совпали. Введите новый пароль дважды одинаково.",
                      "The passwords differ. Type the new one twice alike."),
)


@dataclass(frozen=True)
class Session:
    """One sign-in. ``key`` is the keyed hash of the secret in the cookie, good for naming it, useless for signing in."""

    key: str
    user: UUID
    created: datetime
    last_seen: datetime
    ip: str
    agent: str


class Access:
    """Who may sign in, and who is signed in. For the web pages, the command line and the first start.

    ``session_key``: 32 bytes that sessions, CSRF tokens and counters are keyed with. Call :meth:`prepare` once
    at start. All times are aware. Facts about passwords are the hub's: use :func:`change_password`.
    """

    def __init__(self, store: EventStore, session_key: bytes) -> None:
        self.store = store
        self._key = derive(session_key, "hub sessions")
        self._hasher = PasswordHasher()
        self._at_once = BoundedSemaphore(HASHES_AT_ONCE)
        self._users: dict[UUID, tuple[int, UserState]] = {}

    def prepare(self) -> None:
        """Make the tables where they are missing."""
        self.store.make_tables(TABLES)

    def user(self, stream: UUID) -> UserState:
        """A colleague as the newest event left them; ``login`` is empty where there is none."""
        version, state = self._users.get(stream, (0, User.EMPTY))
        events = self.store.read(stream, after=version)
        if events:
            state = User.fold(events, state)
            self._users[stream] = events[-1].originator_version, state
        return state

    # ── passwords ────────────────────────────────────────────────────────────────

    def set_password(self, user: UUID, password: str, *, temporary: bool, at: datetime) -> None:
        """Keep the hash of ``password`` and end all sessions of ``user``. Refused when a program would guess it.

        ``temporary``: it must be changed at the next sign-in.
        """
        self.check_strength(user, password)
        with self._at_once:
            hashed = self._hasher.hash(password)
        with self.store.writing() as c:
            c.execute('INSERT INTO credentials VALUES (?, ?, ?, ?) ON CONFLICT ("user") DO UPDATE SET hash = excluded.hash, '
                      "temporary = excluded.temporary, changed_at = excluded.changed_at",
                      (user.hex, hashed, int(temporary), _iso(at)))
            c.execute('DELETE FROM sessions WHERE "user" = ?', (user.hex,))

    def check_strength(self, user: UUID, password: str) -> None:
        """Refuse a password that would be guessed; see :func:`hub.web.passwords.check_strength`."""
        check_strength(self.user(user).login, password)

    @staticmethod
    def make_one_time_password() -> str:
        """A password that is easy to read out."""
        return one_time_password()

    def temporary(self, user: UUID) -> bool:
        """Whether the password must be changed before anything else."""
        with self.store.reading() as c:
            row = c.execute('SELECT temporary FROM credentials WHERE "user" = ?', (user.hex,)).fetchone()
        return bool(row and row["temporary"])

    def verify(self, user: UUID, password: str) -> bool:
        """Whether ``password`` is the user's. Takes as long for a user that does not exist."""
        with self.store.reading() as c:
            row = c.execute('SELECT hash FROM credentials WHERE "user" = ?', (user.hex,)).fetchone()
        with self._at_once:
            try:
                self._hasher.verify(row["hash"] if row else self._nobodys, password)
            except (VerificationError, InvalidHashError):
                return False
            if row is None:
                return False
            renewed = self._hasher.hash(password) if self._hasher.check_needs_rehash(row["hash"]) else ""
        if renewed:
            with self.store.writing() as c:
                c.execute('UPDATE credentials SET hash = ? WHERE "user" = ? AND hash = ?', (renewed, user.hex, row["hash"]))
        return True

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(secrets.token_hex(16))

    # ── signing in ───────────────────────────────────────────────────────────────

    def check(self, login: str, password: str, ip: str, now: datetime) -> UUID:
        """The user behind ``login`` and ``password``.

        Refused as ``sign_in_wrong`` (one answer for a wrong password, an unknown login and a disabled user) or as
        ``sign_in_wait`` with ``minutes`` when this login or address failed too often.
        """
        user = user_stream(login)
        keys = (self._hidden("login", user.hex), self._hidden("ip", ip))
        attempt = self._count_attempt(keys, now)
        state = self.user(user)
        fits = self.verify(user, password)
        if not fits or not state.login or state.disabled:
            raise Refused("sign_in_wrong")
        with self.store.writing() as c:
            c.execute("DELETE FROM sign_in_failures WHERE key = ? OR id = ?", (keys[0], attempt))
        return user

    def _count_attempt(self, keys: tuple[str, str], now: datetime) -> int:
        """Count the attempt as failed before the password is looked at, so that many at once are counted too."""
        with self.store.writing() as c:
            c.execute("DELETE FROM sign_in_failures WHERE at <= ?", (_iso(now - WINDOW),))
            waits = [_until_free(c, key, limit, now) for key, limit in zip(keys, (LOGIN_LIMIT, IP_LIMIT), strict=True)]
            if any(waits):
                raise Refused("sign_in_wait", minutes=max(waits))
            for key in keys:
                c.execute("INSERT INTO sign_in_failures (key, at) VALUES (?, ?)", (key, _iso(now)))
            return int(c.execute("SELECT MAX(id) AS id FROM sign_in_failures").fetchone()["id"])

    def failures_to_tell(self, user: UUID | None, now: datetime) -> int:
        """Count a failed sign-in as ``user`` (None: as nobody we know) for the log: how many failures an event of now is to tell,
        0 where a later one tells this one as well."""
        key, hour = user.hex if user else "", _iso(now)[:13]
        with self.store.writing() as c:
            row = c.execute('SELECT hour, n, untold FROM sign_ins_told WHERE "user" = ?', (key,)).fetchone()
            n = row["n"] + 1 if row and row["hour"] == hour else 1
            untold = (row["untold"] if row else 0) + 1
            told = n <= TOLD_AN_HOUR or n & (n - 1) == 0
            c.execute('INSERT INTO sign_ins_told VALUES (?, ?, ?, ?) ON CONFLICT ("user") DO UPDATE SET hour = excluded.hour, '
                      "n = excluded.n, untold = excluded.untold", (key, hour, n, 0 if told else untold))
        return untold if told else 0

    def verify_own(self, user: UUID, password: str, ip: str, now: datetime) -> bool:
        """Like :meth:`verify` for somebody who is signed in, counted like a sign-in: a stolen session guesses no password.

        Refused as ``sign_in_wait``.
        """
        attempt = self._count_attempt((self._hidden("own", user.hex), self._hidden("ip", ip)), now)
        fits = self.verify(user, password)
        if fits:
            with self.store.writing() as c:
                c.execute("DELETE FROM sign_in_failures WHERE key = ? OR id = ?", (self._hidden("own", user.hex), attempt))
        return fits

    # ── sessions ─────────────────────────────────────────────────────────────────

    def open(self, user: UUID, ip: str, agent: str, now: datetime) -> str:
        """Begin a session; the secret for its cookie."""
        secret = secrets.token_urlsafe(32)
        with self.store.writing() as c:
            c.execute("DELETE FROM sessions WHERE last_seen <= ? OR created <= ?", (_iso(now - IDLE), _iso(now - ABSOLUTE)))
            c.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)",
                      (self._hidden("session", secret), user.hex, _iso(now), _iso(now), ip, agent[:300]))
        return secret

    def touch(self, secret: str, ip: str, now: datetime) -> Session | None:
        """The living session behind a cookie, marked as used now; None where it ended or its user is disabled."""
        found = self.living(secret, now)
        if found is not None and now - found.last_seen >= TOUCH_EVERY:
            with suppress(Unavailable), self.store.writing() as c:  # a busy database keeps nobody from reading
                c.execute("UPDATE sessions SET last_seen = ?, ip = ? WHERE key = ?", (_iso(now), ip, found.key))
        return found

    def living(self, secret: str, now: datetime) -> Session | None:
        """As :meth:`touch`, without the mark."""
        with self.store.reading() as c:
            row = c.execute("SELECT * FROM sessions WHERE key = ?", (self._hidden("session", secret),)).fetchone()
        found = _session(row) if row else None
        if found is None or now - found.last_seen >= IDLE or now - found.created >= ABSOLUTE:
            return None
        state = self.user(found.user)
        return None if state.disabled or not state.login else found

    def close(self, secret: str) -> None:
        """End the session behind a cookie."""
        self.close_one(self._hidden("session", secret))

    def close_one(self, key: str, user: UUID | None = None) -> None:
        """End a session by its key; only one of ``user``'s when given."""
        with self.store.writing() as c:
            mine, values = (' AND "user" = ?', [user.hex]) if user else ("", [])
            c.execute(f"DELETE FROM sessions WHERE key = ?{mine}", (key, *values))

    def close_all(self, user: UUID) -> None:
        """End all sessions of ``user``."""
        with self.store.writing() as c:
            c.execute('DELETE FROM sessions WHERE "user" = ?', (user.hex,))

    def sessions(self, user: UUID, now: datetime) -> list[Session]:
        """The living sessions of ``user``, the last used first."""
        with self.store.reading() as c:
            rows = c.execute('SELECT * FROM sessions WHERE "user" = ? AND last_seen > ? AND created > ? ORDER BY last_seen DESC',
                             (user.hex, _iso(now - IDLE), _iso(now - ABSOLUTE))).fetchall()
        return [_session(row) for row in rows]

    # ── tokens ───────────────────────────────────────────────────────────────────

    def csrf_token(self, bound_to: str) -> str:
        """The token that a form must bring back; good only with the secret ``bound_to``."""
        return self._hidden("csrf", bound_to)

    def csrf_fits(self, token: str, bound_to: str) -> bool:
        """Whether ``token`` is the one for ``bound_to``."""
        return bool(bound_to) and hmac.compare_digest(token.encode(), self.csrf_token(bound_to).encode())

    def _hidden(self, kind: str, value: str) -> str:
        return hmac.digest(self._key, f"{kind}\x1f{value}".encode(), "sha256").hex()

    # ── a person's own settings ──────────────────────────────────────────────────

    def language(self, user: UUID) -> str:
        """``ru``, ``en``, or ``""`` where the user did not choose."""
        with self.store.reading() as c:
            row = c.execute('SELECT language FROM preferences WHERE "user" = ?', (user.hex,)).fetchone()
        return str(row["language"]) if row else ""

    def choose_language(self, user: UUID, language: str) -> None:
        """Remember the language of the screens."""
        with self._own(user) as c:
            c.execute('UPDATE preferences SET language = ? WHERE "user" = ?', (language, user.hex))

    def notices_seen(self, user: UUID) -> int:
        """The log position up to which the user has seen their notices; 0 at first."""
        with self.store.reading() as c:
            row = c.execute('SELECT notices_seen FROM preferences WHERE "user" = ?', (user.hex,)).fetchone()
        return int(row["notices_seen"]) if row else 0

    def see_notices(self, user: UUID, position: int) -> None:
        """The user has seen their notices up to a log position; it never goes back."""
        with self._own(user) as c:
            c.execute('UPDATE preferences SET notices_seen = ? WHERE "user" = ? AND notices_seen < ?',
                      (position, user.hex, position))

    @contextmanager
    def _own(self, user: UUID) -> Iterator[Any]:
        with self.store.writing() as c:
            c.execute("INSERT INTO preferences VALUES (?, '', 0) ON CONFLICT DO NOTHING", (user.hex,))
            yield c


def change_password(hub: LeadHub, access: Access, user: UUID, password: str, *, temporary: bool, actor: Actor,
                    at: datetime) -> None:
    """Set a password and record the fact. Everyone may set their own, administrators anyone's.

    Refused (NotAllowed, NotFound, a weak password) before anything is changed. All sessions of ``user`` end.
    """
    access.check_strength(user, password)
    own = actor.id == f"user:{user}"
    permissions = tuple(hub.process.permissions(actor.roles)) if own else ("admin",)
    hub.change(User, user, lambda u: u.password_changed(temporary), actor=actor, at=at, permissions=permissions)
    access.set_password(user, password, temporary=temporary, at=at)


def _until_free(cursor: Any, key: str, limit: int, now: datetime) -> int:
    """Whole minutes until ``key`` has fewer than ``limit`` failures in the window; 0 when it has now."""
    row = cursor.execute("SELECT at FROM sign_in_failures WHERE key = ? ORDER BY at DESC LIMIT 1 OFFSET ?",
                         (key, limit - 1)).fetchone()
    if row is None:
        return 0
    return max(1, -int((now - WINDOW - datetime.fromisoformat(row["at"])) // timedelta(minutes=1)))


def _session(row: Any) -> Session:
    return Session(row["key"], UUID(row["user"]), datetime.fromisoformat(row["created"]),
                   datetime.fromisoformat(row["last_seen"]), row["ip"], row["agent"])


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")

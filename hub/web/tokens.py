"""Bearer tokens of the API: issued, found by their secret, listed, revoked. Only a keyed hash of a secret is kept.

What a token may do is in its events (:mod:`hub.domain.token`); the table here holds the hash and when it was last used.
"""

from __future__ import annotations

import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hub.application import LeadHub
from hub.domain.aggregate import Actor
from hub.domain.errors import NotFound, Refused
from hub.domain.staff import User, UserState
from hub.domain.token import Token, TokenState
from hub.store import Unavailable
from hub.store.keys import derive

TOUCH_EVERY = timedelta(minutes=1)
"""How old the kept time of the last use may be."""
SIGN = "hub_"
"""What every secret begins with, so that a lost one is recognised."""
HINT = 8
"""Characters of a secret that are kept to tell tokens apart."""

TABLES = """
CREATE TABLE IF NOT EXISTS api_tokens (
    id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, hint TEXT NOT NULL, last_used TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS api_answers (
    key TEXT PRIMARY KEY, digest TEXT NOT NULL, at TEXT NOT NULL, status INTEGER NOT NULL, etag TEXT NOT NULL,
    body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS api_answers_by_time ON api_answers (at);
"""
"""Tables of the API: its tokens, and its answers by Idempotency-Key (:mod:`hub.web.api.answers`)."""


@dataclass(frozen=True)
class Caller:
    """The program behind a request: its token, and for whom it acts. ``user`` is None for a program of its own."""

    token: UUID
    actor: Actor
    name: str
    scopes: frozenset[str]
    user: UUID | None = None
    login: str = ""


@dataclass(frozen=True)
class Listed:
    """A token as a list shows it. ``state``: living | expired | revoked | holder_disabled."""

    id: UUID
    token: TokenState
    hint: str
    last_used: datetime | None
    state: str


class Tokens:
    """All tokens of one hub. ``key``: the 32 bytes that sessions are keyed with, too."""

    def __init__(self, hub: LeadHub, key: bytes) -> None:
        self.hub = hub
        self.store = hub.store
        self._key = derive(key, "hub api tokens")

    def prepare(self) -> None:
        """Make the tables of the API where they are missing."""
        self.store.make_tables(TABLES)

    def issue(self, name: str, scopes: tuple[str, ...], *, actor: Actor, at: datetime, holder: UUID | None = None,
              roles: tuple[str, ...] = (), expires_at: datetime | None = None) -> tuple[UUID, str]:
        """A new token: its id and its secret, which is told this once.

        Administrators give tokens to anyone; other people only to programs that act for themselves.
        """
        own = holder is not None and actor.id == f"user:{holder}"
        process = self.hub.process
        if holder is not None and self._user(holder).login == "":
            raise NotFound("no_such_user")
        if holder is not None and self._user(holder).disabled:
            raise Refused("user_disabled", field="holder")
        token, secret = uuid4(), SIGN + secrets.token_urlsafe(32)
        whom = f"user:{holder}" if holder else ""
        self.hub.change(Token, token,
                        lambda t: t.issue(process, name, scopes, holder=whom, roles=roles, expires_at=expires_at),
                        actor=actor, at=at, permissions=tuple(process.permissions(actor.roles)) if own else ("admin",))
        with self.store.writing() as c:
            c.execute("INSERT INTO api_tokens (id, hash, hint, last_used) VALUES (?, ?, ?, '')",
                      (token.hex, self._hash(secret), secret[:HINT]))
        return token, secret

    def revoke(self, token: UUID, *, actor: Actor, at: datetime) -> None:
        """End a token at once. People may end their own, a program the one that it uses, administrators anyone's."""
        own = actor.id in (self.state(token).holder, f"token:{token}")
        permissions = tuple(self.hub.process.permissions(actor.roles)) if own else ("admin",)
        self.hub.change(Token, token, lambda t: t.revoke(), actor=actor, at=at, permissions=permissions)

    def state(self, token: UUID) -> TokenState:
        """A token as its newest event left it; without a name where there is none."""
        found: TokenState = self.hub.streams.fresh(Token, token)[1]
        return found

    def _user(self, user: UUID) -> UserState:
        found: UserState = self.hub.streams.fresh(User, user)[1]
        return found

    def caller(self, secret: str, now: datetime) -> Caller | None:
        """Who stands behind a secret; None where it opens nothing: unknown, revoked, expired, or of a disabled person."""
        with self.store.reading() as c:
            row = c.execute("SELECT id, last_used FROM api_tokens WHERE hash = ?", (self._hash(secret),)).fetchone()
        if row is None:
            return None
        token = UUID(row["id"])
        state = self.state(token)
        if not state.living(now):
            return None
        found = self._behind(token, state)
        if found is not None and (not row["last_used"] or now - datetime.fromisoformat(row["last_used"]) >= TOUCH_EVERY):
            with suppress(Unavailable), self.store.writing() as c:  # a busy database keeps nobody from reading
                c.execute("UPDATE api_tokens SET last_used = ? WHERE id = ?", (_iso(now), token.hex))
        return found

    def _behind(self, token: UUID, state: TokenState) -> Caller | None:
        scopes = frozenset(state.scopes)
        if not state.holder:
            return Caller(token, Actor(f"token:{token}", frozenset(state.roles)), state.name, scopes)
        user = UUID(state.holder.removeprefix("user:"))
        person = self._user(user)
        if person.disabled or not person.login:
            return None
        return Caller(token, Actor(state.holder, frozenset(person.roles)), person.name, scopes, user, person.login)

    def listed(self, now: datetime, holder: UUID | None = None) -> list[Listed]:
        """All tokens, or those of one person; living ones first, then the newest."""
        with self.store.reading() as c:
            rows = c.execute("SELECT id, hint, last_used FROM api_tokens").fetchall()
        found = [self._listed(row["id"], row["hint"], row["last_used"], now) for row in rows]
        if holder is not None:
            found = [line for line in found if line.token.holder == f"user:{holder}"]
        found.sort(key=lambda line: line.token.issued_at or now, reverse=True)
        return sorted(found, key=lambda line: line.state != "living")

    def _listed(self, id: str, hint: str, last_used: str, now: datetime) -> Listed:
        token = UUID(id)
        state = self.state(token)
        condition = ("revoked" if state.revoked_at else "expired" if not state.living(now)
                     else "living" if self._behind(token, state) else "holder_disabled")
        return Listed(token, state, hint, datetime.fromisoformat(last_used) if last_used else None, condition)

    def _hash(self, secret: str) -> str:
        return hmac.digest(self._key, secret.encode(), "sha256").hex()


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")

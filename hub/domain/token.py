"""Tokens of the API: who gave which program what to do, until when. The secret and its hash are nowhere in the log."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from hub.domain.aggregate import Aggregate
from hub.domain.errors import NotFound, Refused, sentences
from hub.domain.event import Event, topic
from hub.domain.process import PERMISSIONS, Process

SCOPES = tuple(PERMISSIONS)
"""What a token may be given: the permissions of the process file, each a scope of the same name."""

LONGEST_NAME = 100

sentences(
    no_such_token=("Такого токена нет. Обновите страницу.", "There is no such token. Reload the page."),
    token_name=("Назовите программу, которая будет пользоваться токеном, до 100 знаков.",
                "Name the program that will use the token, in up to 100 characters."),
    token_no_scopes=("Отметьте хотя бы одно право токена.", "Choose at least one scope for the token."),
    token_no_such_scope=("Нет права «{given}». Есть: {known}.", "There is no scope “{given}”. There are: {known}."),
    token_roles=("Программе без сотрудника нужны роли, а токену сотрудника они не нужны: он действует с ролями человека.",
                 "A program of its own needs roles; a person's token needs none, it acts with the person's roles."),
    token_past=("Срок токена уже прошёл. Выберите день впереди.", "The token's end is in the past. Choose a day ahead."),
)


@topic("token.issued")
class TokenIssued(Event, frozen=True, kw_only=True):
    """A program may use the API: for a colleague (``holder`` is ``user:<id>``) with that person's roles, or, where
    ``holder`` is empty, by itself with ``roles``. ``scopes`` cut down either."""

    name: str
    scopes: tuple[str, ...]
    holder: str = ""
    roles: tuple[str, ...] = ()
    expires_at: datetime | None = None


@topic("token.revoked")
class TokenRevoked(Event, frozen=True, kw_only=True):
    """A token is good for nothing any more."""


class TokenState(Struct, frozen=True):
    """A token as its events left it; ``name`` is empty where there is none."""

    name: str = ""
    holder: str = ""
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    issued_at: datetime | None = None
    issued_by: str = ""
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def living(self, now: datetime) -> bool:
        """Whether it opens anything at ``now``."""
        return bool(self.name) and self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Token(Aggregate[TokenState]):
    """One token of the API."""

    EMPTY = TokenState()

    @staticmethod
    def evolve(state: TokenState, event: Event) -> TokenState:
        match event:
            case TokenIssued():
                return TokenState(event.name, event.holder, event.roles, event.scopes, event.at, event.actor, event.expires_at)
            case TokenRevoked():
                return replace(state, revoked_at=event.at)
        return state

    def issue(self, process: Process, name: str, scopes: tuple[str, ...], *, holder: str = "", roles: tuple[str, ...] = (),
              expires_at: datetime | None = None) -> None:
        """Make the token known. ``holder`` is somebody of ours, checked by the caller."""
        if not name.strip() or len(name.strip()) > LONGEST_NAME:
            raise Refused("token_name", field="name")
        if not scopes:
            raise Refused("token_no_scopes", field="scopes")
        for scope in scopes:
            if scope not in SCOPES:
                raise Refused("token_no_such_scope", field="scopes", given=scope, known=", ".join(SCOPES))
        if bool(holder) == bool(roles):
            raise Refused("token_roles", field="roles")
        for role in roles:
            if role not in process.roles:
                raise Refused("no_such_role", field="roles", role=role, known=", ".join(process.roles))
        if expires_at is not None and expires_at <= self.stamp.at:
            raise Refused("token_past", field="expires_at")
        self.record(TokenIssued, name=name.strip(), scopes=tuple(s for s in SCOPES if s in scopes), holder=holder, roles=roles,
                    expires_at=expires_at)

    def revoke(self) -> None:
        """End the token. Nothing happens when it was revoked before."""
        if not self.state.name:
            raise NotFound("no_such_token")
        if self.state.revoked_at is None:
            self.record(TokenRevoked)

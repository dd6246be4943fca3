"""``hub token …``: programs that may use the API."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hub.application import THE_HUB
from hub.bootstrap import House, clock
from hub.commands.base import Stop, add, group, opened
from hub.domain.errors import Refused
from hub.domain.staff import user_stream
from hub.domain.token import SCOPES
from hub.web.tokens import Listed, Tokens


def register(commands: Any) -> None:
    """Add the commands."""
    token = group(commands, "token", "programs that may use the API")
    new = add(token, "add", token_add, "make a token and print it once")
    new.add_argument("name", help="the program that will use it")
    whose = new.add_mutually_exclusive_group(required=True)
    whose.add_argument("--for", dest="login", metavar="LOGIN", help="act for this person, with their roles")
    whose.add_argument("--role", action="append", metavar="ROLE", help="act for itself in this role; may be given several times")
    new.add_argument("--scope", action="append", required=True, choices=SCOPES, help="may be given several times")
    new.add_argument("--days", type=int, metavar="N", help="good for so many days; without end when absent")
    add(token, "list", token_list, "list tokens")
    add(token, "revoke", token_revoke, "end a token at once").add_argument("token", help="its id, or the beginning of it")


def _tokens(house: House) -> Tokens:
    tokens = Tokens(house.hub, house.parts.session_key)
    tokens.prepare()
    return tokens


def token_add(arguments: argparse.Namespace) -> int:
    """Make a token."""
    if arguments.days is not None and not 0 < arguments.days < 10_000:
        raise Stop("--days takes a number from 1 to 9999.")
    with opened() as house:
        now = clock()
        holder = user_stream(arguments.login) if arguments.login else None
        expires = now + timedelta(days=arguments.days) if arguments.days else None
        token, secret = _tokens(house).issue(arguments.name, tuple(arguments.scope), actor=THE_HUB, at=now, holder=holder,
                                             roles=tuple(arguments.role or ()), expires_at=expires)
        print(f"Token {token}, told only now:  {secret}")
    return 0


def token_list(_: argparse.Namespace) -> int:
    """List tokens."""
    with opened() as house:
        people = house.hub.users()
        for line in _tokens(house).listed(clock()):
            print(_told(line, {f"user:{id}": user.login for id, user in people.items()}))
    return 0


def _told(line: Listed, logins: dict[str, str]) -> str:
    token = line.token
    whose = f"for {logins.get(token.holder, token.holder)}" if token.holder else f"as {', '.join(token.roles)}"
    used = f"used {_day(line.last_used)}" if line.last_used else "never used"
    end = f", until {_day(token.expires_at)}" if token.expires_at else ""
    return f"{line.id}  {line.hint}…  {token.name:<24} {whose:<28} {', '.join(token.scopes)}  ({line.state}, {used}{end})"


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def token_revoke(arguments: argparse.Namespace) -> int:
    """End a token at once."""
    with opened() as house:
        tokens = _tokens(house)
        found: list[UUID] = [line.id for line in tokens.listed(clock()) if str(line.id).startswith(arguments.token.lower())]
        if len(found) > 1:
            raise Stop(f"{len(found)} tokens begin with {arguments.token}; give more of the id.")
        if not found:
            raise Refused("no_such_token")
        tokens.revoke(found[0], actor=THE_HUB, at=clock())
        print(f"Token {found[0]} opens nothing any more.")
    return 0

"""``hub user …``: people who may sign in."""

from __future__ import annotations

import argparse
import getpass
from typing import Any
from uuid import UUID

from hub.application import THE_HUB
from hub.bootstrap import House, clock, one_time_password
from hub.commands.base import Stop, add, group, opened
from hub.domain.errors import Refused
from hub.domain.staff import User, user_stream


def register(commands: Any) -> None:
    """Add the commands."""
    user = group(commands, "user", "people who may sign in")
    new = add(user, "add", user_add, "add a person and print a one-time password")
    new.add_argument("login")
    new.add_argument("name")
    new.add_argument("--role", action="append", required=True, metavar="ROLE", help="may be given several times")
    add(user, "list", user_list, "list people")
    add(user, "disable", user_disable, "end a person's access at once").add_argument("login")
    password = add(user, "password", user_password, "set a password, or print a one-time one")
    password.add_argument("login")
    password.add_argument("--ask", action="store_true", help="type the password instead of having one made")


def user_add(arguments: argparse.Namespace) -> int:
    """Add a person."""
    with opened() as house:
        user = house.hub.add_user(arguments.login, arguments.name, tuple(arguments.role), actor=THE_HUB, at=clock())
        _one_time_password(house, user, arguments.login)
    return 0


def _one_time_password(house: House, user: UUID, login: str) -> None:
    password = one_time_password(house, user, clock())
    print(f"{login.lower()} signs in with the one-time password  {password}  and then chooses another.")


def user_list(_: argparse.Namespace) -> int:
    """List people."""
    with opened() as house:
        for user in sorted(house.hub.users().values(), key=lambda u: u.login):
            print(f"{user.login:<20} {user.name:<30} {', '.join(user.roles)}{'  (disabled)' if user.disabled else ''}")
    return 0


def _user(house: House, login: str) -> UUID:
    stream = user_stream(login)
    if stream not in house.hub.users():
        raise Refused("no_such_user")
    return stream


def user_disable(arguments: argparse.Namespace) -> int:
    """End a person's access."""
    with opened() as house:
        house.hub.disable_user(_user(house, arguments.login), actor=THE_HUB, at=clock())
        house.access.close_all(user_stream(arguments.login))
        print(f"{arguments.login.lower()} is disabled; open sessions have ended.")
    return 0


def user_password(arguments: argparse.Namespace) -> int:
    """Set a password."""
    with opened() as house:
        user = _user(house, arguments.login)
        if arguments.ask:
            first, second = getpass.getpass("New password: "), getpass.getpass("Once more: ")
            if first != second:
                raise Stop("the two passwords differ; try again.")
            house.access.set_password(user, first, temporary=False, at=clock())
            house.hub.change(User, user, lambda u: u.password_changed(temporary=False), actor=THE_HUB, at=clock())
            print("The password is set.")
        else:
            _one_time_password(house, user, arguments.login)
    return 0

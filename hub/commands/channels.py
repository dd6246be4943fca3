"""``hub channels …``: try the accounts of the channels file, tell providers our address, see how they fare."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from hub.bootstrap import House
from hub.channels.base import Channel, Check, Trouble, said
from hub.commands.base import Stop, add, group, opened
from hub.traffic.state import States


def register(commands: Any) -> None:
    """Add the commands."""
    channels = group(commands, "channels", "phone, social networks and e-mail")
    for name, run, help in (("check", check, "try the accounts: what was tried and what came back; nothing is sent to a client"),
                            ("connect", connect, "tell providers our address, where a program tells it"),
                            ("status", status, "how each account fares")):
        add(channels, name, run, help).add_argument("account", nargs="?", default="", help="one account, such as telegram/main")


def check(arguments: argparse.Namespace) -> int:
    """Try the accounts."""
    return _try(arguments.account, lambda channel: channel.check())


def connect(arguments: argparse.Namespace) -> int:
    """Tell providers our address."""
    return _try(arguments.account, lambda channel: channel.connect())


def _chosen(house: House, account: str) -> list[Channel]:
    accounts = house.parts.accounts
    if account and account not in accounts:
        raise Stop(f"There is no account {account!r}. Known are: {', '.join(accounts) or 'none: set HUB_CHANNELS_FILE'}.")
    if not accounts:
        raise Stop("There are no accounts: HUB_CHANNELS_FILE names a TOML file of them (docs/channels).")
    return [accounts[account]] if account else list(accounts.values())


def _try(account: str, act: Callable[[Channel], list[Check]]) -> int:
    failed = 0
    with opened() as house:
        for channel in _chosen(house, account):
            print(f"{channel.account}  {channel.place.title}")
            if channel.hooked:
                print(f"  address for the provider: {channel.place.hook}")
            try:
                results = act(channel)
            except Trouble as trouble:
                results = [Check("connection", False, trouble.why)]
            except Exception as error:
                results = [Check("connection", False, said(error))]
            for result in results or [Check("nothing to try", True)]:
                failed += not result.ok
                print(f"  {'ok    ' if result.ok else 'FAILED'}  {result.what}{': ' + result.said if result.said else ''}")
    return 1 if failed else 0


def status(arguments: argparse.Namespace) -> int:
    """How each account fares."""
    with opened() as house:
        conditions = {(c.account, c.direction): c for c in States(house.store).all()}
        traffic, waiting = house.hub.views.channels.traffic(), house.hub.views.outbox.waiting()
        for channel in _chosen(house, arguments.account):
            print(f"{channel.account}  {channel.place.title}")
            for direction in ("in", "out"):
                found = conditions.get((channel.account, direction))
                if found is not None and found.failing_since is not None:
                    print(f"  {direction:<3}  FAILING since {found.failing_since:%Y-%m-%d %H:%M:%S}: {found.reason}"
                          + (f"; next try {found.next_at:%H:%M:%S}" if found.next_at else ""))
                elif found is not None and found.ok_at is not None:
                    print(f"  {direction:<3}  ok, {found.ok_at:%Y-%m-%d %H:%M:%S}")
            for what in ("came", "unread", "asked", "sent", "failed", "unknown"):
                if (channel.account, what) in traffic:
                    counted = traffic[channel.account, what]
                    print(f"  {what}: {counted.n}, last {counted.last_at:%Y-%m-%d %H:%M:%S}")
            if waiting.get(channel.account):
                print(f"  waiting to be sent: {waiting[channel.account]}")
        if unread := house.hub.views.channels.unread():
            print(f"deliveries that could not be read: {unread} (Settings, Quarantine)")
    return 0

"""Channel accounts from the file that HUB_CHANNELS_FILE names; their secrets are never in the log, in events or in answers.

    [telegram.main]
    title = "Бот студии"
    token = "env:TELEGRAM_TOKEN"
    secrets = ["file:/run/secrets/telegram", "env:TELEGRAM_SECRET_BEFORE"]

A value ``env:NAME`` is taken from the environment, ``file:/path`` from the first line of a file.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from hub.channels import KINDS, Channel
from hub.channels.base import Place
from hub.config import BadSetting

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
COMMON = ("title", "off")
"""What every account may have: the name that people see, and whether it rests."""


class Accounts(Mapping[str, Channel]):
    """All accounts by their id (``telegram/main``), in the file's order. Safe for threads."""

    def __init__(self, channels: Mapping[str, Channel] | None = None) -> None:
        self._channels = dict(channels or {})

    def __getitem__(self, account: str) -> Channel:
        return self._channels[account]

    def __iter__(self) -> Iterator[str]:
        return iter(self._channels)

    def __len__(self) -> int:
        return len(self._channels)

    @property
    def public_url(self) -> str:
        """The hub's own address, as the accounts know it."""
        return next((channel.place.public_url for channel in self._channels.values()), "")

    def senders(self) -> list[Channel]:
        """Accounts that send messages."""
        return [channel for channel in self._channels.values() if channel.ways]

    def pollers(self) -> list[Channel]:
        """Accounts that are polled."""
        return [channel for channel in self._channels.values() if channel.polled]

    def close(self) -> None:
        """Let all connections go."""
        for channel in self._channels.values():
            channel.close()


def load(path: Path | None, public_url: str, environ: Mapping[str, str] = os.environ) -> Accounts:
    """The accounts of a channels file; none where there is no file. :class:`BadSetting` names the place, never a value."""
    if path is None:
        return Accounts()
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"HUB_CHANNELS_FILE is {str(path)!r}, which cannot be read ({type(error).__name__}).") from error
    except tomllib.TOMLDecodeError as error:
        raise BadSetting(f"HUB_CHANNELS_FILE {str(path)!r} is no TOML: {error}.") from error
    channels = {}
    for kind, named in written.items():
        if kind not in KINDS:
            raise BadSetting(f"HUB_CHANNELS_FILE: there is no channel {kind!r}. Known are: {', '.join(KINDS)}.")
        for name, settings in (named.items() if isinstance(named, dict) else ()):
            account = f"{kind}/{name}"
            if not NAME.fullmatch(name) or not isinstance(settings, dict):
                raise BadSetting(f"HUB_CHANNELS_FILE: [{kind}.{name}] is no account: give it a name of a-z, 0-9, _ or -, "
                                 "and its settings below it.")
            if not settings.get("off", False):
                channels[account] = _made(account, settings, public_url, environ)
    return Accounts(channels)


def _made(account: str, settings: dict[str, Any], public_url: str, environ: Mapping[str, str]) -> Channel:
    kind = KINDS[account.partition("/")[0]]
    own = {key: _resolved(value, f"{account}: {key}", environ) for key, value in settings.items() if key not in COMMON}
    place = Place(account, str(settings.get("title", kind.title)), public_url)
    try:
        return kind(place, msgspec.convert(own, kind.Settings))
    except (msgspec.ValidationError, ValueError) as error:
        raise BadSetting(f"HUB_CHANNELS_FILE: {account}: {error}.") from None


def _resolved(value: Any, where: str, environ: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_resolved(v, where, environ) for v in value]
    if isinstance(value, dict):
        return {k: _resolved(v, f"{where}.{k}", environ) for k, v in value.items()}
    if not isinstance(value, str):
        return value
    source, _, name = value.partition(":")
    if source == "env" and name:
        if name not in environ:
            raise BadSetting(f"HUB_CHANNELS_FILE: {where} names the variable {name}, which is not set.")
        return environ[name].strip()
    if source == "file" and name:
        try:
            return Path(name).read_text(encoding="utf-8").strip().partition("\n")[0]
        except (OSError, UnicodeDecodeError) as error:
            raise BadSetting(f"HUB_CHANNELS_FILE: {where} names a file that cannot be read ({type(error).__name__}).") from None
    return value

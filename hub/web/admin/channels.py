"""How every channel account fares: whether it works, since when not and why, what came and what left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, render_template

from hub.channels.base import Channel
from hub.projections.channels import Traffic
from hub.traffic.state import Condition, States
from hub.web.desk import needs, parts, the_hub

bp = Blueprint("channels", __name__, url_prefix="/channels")

WHO = ("intake", "admin")


@dataclass(frozen=True)
class Way:
    """One direction of an account. ``mode``: ``webhook``, ``poll`` or ``send``."""

    mode: str
    condition: Condition

    @property
    def failing(self) -> bool:
        """Whether it does not work now."""
        return self.condition.failing_since is not None


@dataclass(frozen=True)
class Line:
    """An account with everything that is known of it."""

    account: str
    title: str
    kind: str
    hook: str
    ways: tuple[Way, ...]
    traffic: dict[str, Traffic]
    waiting: int

    @property
    def failing(self) -> bool:
        """Whether any direction does not work now."""
        return any(way.failing for way in self.ways)

    def number(self, what: str) -> int:
        """How many there were."""
        return self.traffic[what].n if what in self.traffic else 0

    def last(self, what: str) -> datetime | None:
        """When the last one was."""
        return self.traffic[what].last_at if what in self.traffic else None


def lines() -> list[Line]:
    """All accounts that are set up."""
    hub = the_hub()
    states = {(c.account, c.direction): c for c in States(hub.store).all()}
    traffic, waiting = hub.views.channels.traffic(), hub.views.outbox.waiting()

    def line(channel: Channel) -> Line:
        def way(mode: str, direction: str) -> Way:
            return Way(mode, states.get((channel.account, direction), Condition(channel.account, direction)))
        ways = [way("poll", "in")] if channel.polled else []
        ways += [way("webhook", "hook")] if channel.hooked else []
        ways += [way("send", "out")] if channel.ways else []
        own = {what: t for (account, what), t in traffic.items() if account == channel.account}
        hook = channel.place.hook if channel.hooked else ""
        return Line(channel.account, channel.place.title, channel.title, hook, tuple(ways), own, waiting.get(channel.account, 0))
    return [line(channel) for channel in parts().accounts.values()]


def orphans() -> dict[str, int]:
    """Messages that wait for accounts that are not set up any more."""
    waiting = the_hub().views.outbox.waiting()
    return {account: n for account, n in waiting.items() if account not in parts().accounts}


@bp.get("")
@needs(*WHO)
def index() -> str:
    """The page."""
    return render_template("admin/channels.html", lines=lines(), unread=the_hub().views.channels.unread(), orphans=orphans())

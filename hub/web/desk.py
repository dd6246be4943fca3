"""What every page needs: the hub, who is signed in, the time, and how a command becomes an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar, cast
from uuid import UUID

from flask import abort, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response

from hub.accounts import Accounts
from hub.application import Done, LeadHub
from hub.domain.aggregate import Actor
from hub.projections import Runner
from hub.web.sessions import Access
from hub.web.tokens import Tokens

PROJECTED_WITHIN = 2.0
"""Seconds that a page waits for its own event to be in the read models before it shows them as they are."""

V = TypeVar("V", bound=Callable[..., Any])


@dataclass(frozen=True)
class Signed:
    """The person behind a request. ``id`` is ``user:<uuid>``, as in events; ``session`` is the secret of the cookie."""

    stream: UUID
    id: str
    login: str
    name: str
    roles: tuple[str, ...]
    session: str
    role_title: str = ""

    @property
    def actor(self) -> Actor:
        """Who acts, for the hub."""
        return Actor(self.id, frozenset(self.roles))


@dataclass(frozen=True)
class Parts:
    """What the web layer is given by bootstrap."""

    hub: LeadHub
    runner: Runner
    clock: Callable[[], datetime]
    public_url: str
    form_key: bytes
    session_key: bytes
    accounts: Accounts = field(default_factory=Accounts)


def parts() -> Parts:
    """The parts that this application was made of."""
    return cast(Parts, current_app.extensions["hub"])


def the_hub() -> LeadHub:
    """The application object."""
    return parts().hub


def the_access() -> Access:
    """Passwords, sessions and people's own settings (language, which notices they have seen)."""
    return cast(Access, current_app.extensions["access"])


def the_tokens() -> Tokens:
    """Tokens of the API."""
    return cast(Tokens, current_app.extensions["tokens"])


def now() -> datetime:
    """The time of this request, the same throughout."""
    if "now" not in g:
        g.now = parts().clock()
    return cast(datetime, g.now)


def me() -> Signed:
    """Who is signed in; 401 where nobody is."""
    found = g.get("signed")
    if found is None:
        abort(401)
    return cast(Signed, found)


def may(*permissions: str) -> bool:
    """Whether the signed-in person's roles give one of ``permissions``."""
    return the_hub().may(me().actor, *permissions)


def signed_in(view: V) -> V:
    """Only for people who are signed in; others are sent to the sign-in page and back.

    A part of a page is answered 401 alone: the page says so and keeps what somebody was writing on it.
    """
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if g.get("signed") is None:
            if request.headers.get("HX-Request"):
                return Response("", 401)
            wanted = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("access.sign_in", next=wanted))
        return view(*args, **kwargs)
    return cast(V, guarded)


def needs(*permissions: str) -> Callable[[V], V]:
    """Only for people whose roles give one of ``permissions``; the application checks commands again.

    Looking is answered 403; a try to change something is refused by the application, which keeps the attempt.
    """
    def guard(view: V) -> V:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not may(*permissions):
                if request.method == "POST":
                    the_hub().allow(str(request.endpoint), None, *permissions, actor=me().actor, at=now())
                abort(403)
            return view(*args, **kwargs)
        return signed_in(cast(V, guarded))
    return guard


def do(lead: UUID, command: str, arguments: Mapping[str, Any], expected: int | None = None) -> Done:
    """Give a command as the signed-in person and wait until the read models show it."""
    done = the_hub().do(lead, command, arguments, actor=me().actor, at=now(), expected=expected)
    settle(done.position)
    return done


def settle(position: int = 0) -> None:
    """Wait until the read models have the event at ``position`` (the newest one where 0)."""
    here = parts()
    here.runner.wait(position or here.hub.store.head(), PROJECTED_WITHIN)

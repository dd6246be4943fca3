"""Who came in, who tried to and who left: facts of their own streams, so that they never stand in the way of work.

No secret is in them: no password, no session, and not what was typed as a login that nobody has (people type their password
there). The address that somebody came from is personal: it is sealed under the key of the colleague, or under one that all
strangers share.
"""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from hub.domain.aggregate import Aggregate
from hub.domain.event import Event, Personal, topic

STRANGERS = UUID("3f8f3f0a-52c1-5a55-8c0e-4b1f6a7d2c64")
"""Under whose key the addresses of failed sign-ins lie where no colleague has the login."""


@topic("access.signed_in")
class SignedIn(Event, frozen=True, kw_only=True):
    """A colleague began a session."""

    user: UUID
    ip: Personal = ""


@topic("access.sign_in_failed")
class SignInFailed(Event, frozen=True, kw_only=True):
    """Somebody was not let in as ``user`` (None: nobody has that login).

    ``why``: ``wrong`` (login or password), ``waits`` (too many failures before), ``own`` (the password of somebody who is
    signed in, asked for again). ``times`` failures of this login are told by this one event: a flood is counted, not listed.
    """

    user: UUID | None
    why: str
    times: int = 1
    ip: Personal = ""


@topic("access.signed_out")
class SignedOut(Event, frozen=True, kw_only=True):
    """A colleague ended sessions. ``what``: ``this`` one, an ``other`` one of theirs, or ``all`` of them."""

    user: UUID
    what: str


class AccessState(Struct, frozen=True):
    """Nothing follows from it."""


class AccessNote(Aggregate[AccessState]):
    """One sign-in, one failure, one sign-out."""

    EMPTY = AccessState()

    @staticmethod
    def evolve(state: AccessState, event: Event) -> AccessState:
        return state

    def signed_in(self, user: UUID, ip: str) -> None:
        """A session began."""
        self.record(SignedIn, subject=user, user=user, ip=ip)

    def failed(self, user: UUID | None, why: str, times: int, ip: str) -> None:
        """Somebody was not let in; this event tells ``times`` such failures."""
        self.record(SignInFailed, subject=user or STRANGERS, user=user, why=why, times=times, ip=ip)

    def signed_out(self, user: UUID, what: str) -> None:
        """Sessions were ended by their owner."""
        self.record(SignedOut, user=user, what=what)

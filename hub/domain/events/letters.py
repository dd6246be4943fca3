"""Messages of ours that carry more than words: a proposal, an invitation."""

from __future__ import annotations

from datetime import datetime

from hub.domain.event import Event, Personal, topic

__all__ = ["InvitationMailed", "ProposalMailed"]


@topic("lead.proposal_mailed")
class ProposalMailed(Event, frozen=True, kw_only=True):
    """A version is to go to the client in this message; it counts as sent once that has left (R19)."""

    proposal: int
    message: int
    without_presentation: bool = True


@topic("lead.invitation_mailed")
class InvitationMailed(Event, frozen=True, kw_only=True):
    """An invitation to a meeting is to go to the client in this message, as the meeting was then (R26).

    ``sequence`` counts what was sent for this meeting, from 0: calendars believe the highest one. ``cancelled``: it
    takes the meeting back.
    """

    meeting: int
    message: int
    sequence: int
    starts_at: datetime
    minutes: int
    cancelled: bool = False
    place: Personal = ""

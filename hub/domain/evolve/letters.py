"""How letters that carry a proposal or an invitation change what is known."""

from __future__ import annotations

from msgspec.structs import replace

from hub.domain import events as e
from hub.domain.evolve.fold import on, put
from hub.domain.outgoing import Invitation, Mailed
from hub.domain.state import LeadState


@on(e.ProposalMailed)
def _(st: LeadState, ev: e.ProposalMailed) -> LeadState:
    return replace(st, mailed=put(st.mailed, ev.message, Mailed(ev.proposal, ev.without_presentation)))


@on(e.InvitationMailed)
def _(st: LeadState, ev: e.InvitationMailed) -> LeadState:
    invitation = Invitation(ev.meeting, f"{ev.originator_id.hex}-{ev.meeting}", ev.sequence, ev.starts_at, ev.minutes, ev.place,
                            ev.cancelled)
    return replace(st, invitations=put(st.invitations, ev.message, invitation))

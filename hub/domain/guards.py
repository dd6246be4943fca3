"""The named conditions that a transition or an ending may require (process.toml; R32 lifts one by name)."""

from __future__ import annotations

from collections.abc import Callable

from hub.domain.process import GUARDS, Process
from hub.domain.state import LeadState, Proposal

RULES = {"taken": "R2", "phone_known": "R3", "timezone_known": "R3", "screened": "R4", "scored": "R9", "not_refused": "R12",
         "meeting_agreed": "R14", "benefit_stated": "R17", "proposal_promised": "R17", "proposal_ready": "R18",
         "head_contributed": "R18", "proposal_delivered": "R19", "decision_maker_changed": "R25"}
"""Which rule each guard comes from."""


def head_is_missing(proposal: Proposal, s: LeadState, p: Process) -> bool:
    """Whether this version needs the head's part and has none: for the total of its day, or for the newest one (R18)."""
    needed = proposal.needs_head or (s.score is not None and s.score.total > p.file.proposal.head_above)
    return needed and not proposal.head_part


def _head_contributed(s: LeadState, p: Process) -> bool:
    return s.proposal is None or not head_is_missing(s.proposal, s, p)


def _promised_here(s: LeadState) -> bool:
    """A promise of an earlier round with another decision maker does not count (R17, R25)."""
    return s.promised_at is not None and (s.dm_changed_at is None or s.promised_at >= s.dm_changed_at or s.dm_involved)


def _met_refusal(s: LeadState, p: Process) -> bool:
    segment = p.segments.get(s.segment)
    return segment is not None and segment.refuse


CHECKS: dict[str, Callable[[LeadState, Process], bool]] = {
    "taken": lambda s, p: bool(s.owner),
    "phone_known": lambda s, p: bool(s.address("phone")),
    "timezone_known": lambda s, p: any(person.timezone for person in s.people.values()),
    "screened": lambda s, p: s.screened,
    "scored": lambda s, p: s.score is not None,
    "not_refused": lambda s, p: not s.disqualified and not _met_refusal(s, p),
    "meeting_agreed": lambda s, p: any(m.purpose != "call" for m in s.planned_meetings),
    "benefit_stated": lambda s, p: bool(s.benefit and s.benefit_kpi),
    "proposal_promised": lambda s, p: _promised_here(s),
    "proposal_ready": lambda s, p: s.proposal is not None,
    "head_contributed": _head_contributed,
    "proposal_delivered": lambda s, p: any(v.sent or v.presented_in for v in s.proposals.values()),
    "decision_maker_changed": lambda s, p: s.dm_changed_at is not None and (s.stage_since is None
                                                                            or s.dm_changed_at >= s.stage_since),
}
assert set(CHECKS) == set(GUARDS)


def holds(guard: str, state: LeadState, process: Process) -> bool:
    """Whether ``guard`` is satisfied, by itself or because the head lifted it (R32)."""
    return guard in state.overrides or CHECKS[guard](state, process)

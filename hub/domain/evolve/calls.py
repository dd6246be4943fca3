"""How calls change what is known of a lead."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from hub.domain import events as e
from hub.domain.call import CALL_RANKS, LEG_RANKS, OUTCOME_RANKS, Call
from hub.domain.evolve.fold import change, on, put
from hub.domain.state import LeadState


@on(e.CallBegan)
def _(st: LeadState, ev: e.CallBegan) -> LeadState:
    return _with(st, Call(ev.call, "in", ev.at, ev.account, ev.named, ev.message, ev.person_id))


@on(e.CallAsked)
def _(st: LeadState, ev: e.CallAsked) -> LeadState:
    return _with(st, Call(ev.call, "out", ev.at, ev.account, person_id=ev.person_id, fixed_id=ev.event_id.hex, author=ev.actor,
                          phone=ev.phone, to=ev.to, status="asked"))


def _with(st: LeadState, call: Call) -> LeadState:
    return replace(st, calls=put(st.calls, call.id, call))


def _came_to(st: LeadState, id: int, status: str, **more: Any) -> LeadState:
    call = st.calls.get(id)
    if call is None:
        return st
    if CALL_RANKS.get(status, -1) > CALL_RANKS[call.status]:
        more["status"] = status
    return replace(st, calls=change(st.calls, id, **more))


@on(e.CallPlaced)
def _(st: LeadState, ev: e.CallPlaced) -> LeadState:
    known = st.calls[ev.call].names if ev.call in st.calls else ()
    return _came_to(st, ev.call, "placed", names=tuple(dict.fromkeys((*known, *ev.names))))


@on(e.CallFailed)
def _(st: LeadState, ev: e.CallFailed) -> LeadState:
    return _came_to(st, ev.call, "failed", code=ev.code)


@on(e.CallUnknown)
def _(st: LeadState, ev: e.CallUnknown) -> LeadState:
    return _came_to(st, ev.call, "unknown", code=ev.code)


@on(e.CallMoved)
def _(st: LeadState, ev: e.CallMoved) -> LeadState:
    known = st.calls[ev.call].seconds if ev.call in st.calls else 0
    return _came_to(st, ev.call, ev.status, seconds=max(known, ev.seconds))


@on(e.CallLegMoved)
def _(st: LeadState, ev: e.CallLegMoved) -> LeadState:
    call = st.calls.get(ev.call)
    if call is None or LEG_RANKS.get(ev.status, -1) <= LEG_RANKS[call.legs.get(ev.leg, "")]:
        return st
    return replace(st, calls=change(st.calls, ev.call, legs=put(call.legs, ev.leg, ev.status)))


@on(e.CallAnswered)
def _(st: LeadState, ev: e.CallAnswered) -> LeadState:
    return _ended_as(st, ev.call, "answered", ev.by)


@on(e.CallMissed)
def _(st: LeadState, ev: e.CallMissed) -> LeadState:
    return _ended_as(st, ev.call, "missed")


def _ended_as(st: LeadState, id: int, outcome: str, by: str = "") -> LeadState:
    call = st.calls.get(id)
    if call is None or OUTCOME_RANKS[outcome] <= OUTCOME_RANKS[call.outcome]:
        return st
    return replace(st, calls=change(st.calls, id, outcome=outcome, by=by))


@on(e.CallBackAsked)
def _(st: LeadState, ev: e.CallBackAsked) -> LeadState:
    return replace(st, calls=change(st.calls, ev.call, callback=True))


@on(e.CallRecorded)
def _(st: LeadState, ev: e.CallRecorded) -> LeadState:
    call = st.calls.get(ev.call)
    return st if call is None else replace(st, calls=change(st.calls, ev.call, recordings=(*call.recordings, ev.named)))

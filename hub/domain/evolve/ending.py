"""How ends, sleep and what follows a contract change what is known."""

from __future__ import annotations

from msgspec.structs import replace

from hub.domain import events as e
from hub.domain import state as s
from hub.domain.event import Event
from hub.domain.evolve.fold import change, on, put
from hub.domain.state import LeadState


@on(e.LeadSlept)
def _(st: LeadState, ev: e.LeadSlept) -> LeadState:
    return replace(st, asleep_until=ev.until)


@on(e.LeadWoken)
def _(st: LeadState, ev: e.LeadWoken) -> LeadState:
    return replace(st, asleep_until=None, ended="", ended_at=None)


@on(e.LeadReopened)
def _(st: LeadState, ev: e.LeadReopened) -> LeadState:
    return replace(st, asleep_until=None, ended="", ended_at=None, disqualified="")


def _end(st: LeadState, ev: Event, how: str) -> LeadState:
    return replace(st, ended=how, ended_at=ev.at, ended_from=st.stage, asleep_until=None, offered_to=(),
                   next_step=None)


@on(e.LeadWon)
def _(st: LeadState, ev: e.LeadWon) -> LeadState:
    return replace(_end(st, ev, "won"), win=s.Win(ev.at, ev.contract_number, ev.money, ev.signed_on))


@on(e.LeadLost)
def _(st: LeadState, ev: e.LeadLost) -> LeadState:
    loss = s.Loss(ev.loss, ev.at, ev.reason, ev.closeness, ev.competitor, ev.competitor_until, ev.debrief, ev.return_on,
                  st.stage)
    return replace(_end(st, ev, "lost"), losses=(*st.losses, loss))


@on(e.LeadRefused)
def _(st: LeadState, ev: e.LeadRefused) -> LeadState:
    refusal = s.Refusal(ev.at, ev.criterion, ev.total, ev.segment, ev.letter, ev.without_letter)
    return replace(_end(st, ev, "refused"), refusal=refusal)


@on(e.HandedOver)
def _(st: LeadState, ev: e.HandedOver) -> LeadState:
    return replace(st, account_manager=ev.account_manager)


@on(e.InstalledWorkRecorded)
def _(st: LeadState, ev: e.InstalledWorkRecorded) -> LeadState:
    return replace(st, installed=(*st.installed, ev.text))


@on(e.ChanceRecorded)
def _(st: LeadState, ev: e.ChanceRecorded) -> LeadState:
    return replace(st, chances=put(st.chances, ev.chance, s.Chance(ev.chance, ev.kind, ev.text, ev.money)))


@on(e.ChanceClosed)
def _(st: LeadState, ev: e.ChanceClosed) -> LeadState:
    return replace(st, chances=change(st.chances, ev.chance, status="won" if ev.won else "lost", result=ev.text))


@on(e.RequestOpenedByAccount)
def _(st: LeadState, ev: e.RequestOpenedByAccount) -> LeadState:
    return replace(st, opened_requests=(*st.opened_requests, ev.lead))

"""How tags and a move that is taken back change what is known."""

from __future__ import annotations

from msgspec.structs import replace

from hub.domain import events as e
from hub.domain.evolve.fold import on
from hub.domain.state import Due, LeadState


def kept(st: LeadState) -> tuple[e.DueBack, ...]:
    """The deadlines of a state as a move keeps them."""
    return tuple(e.DueBack(d.key, d.due_at, d.set_at, d.warn_at, d.rule, d.missed, d.warned) for d in st.dues.values())


@on(e.LeadTagged)
def _(st: LeadState, ev: e.LeadTagged) -> LeadState:
    return replace(st, tags=tuple(sorted({*st.tags, ev.tag})))


@on(e.LeadUntagged)
def _(st: LeadState, ev: e.LeadUntagged) -> LeadState:
    return replace(st, tags=tuple(tag for tag in st.tags if tag != ev.tag))


@on(e.MoveUndone)
def _(st: LeadState, ev: e.MoveUndone) -> LeadState:
    dues = {key: due for key, due in st.dues.items() if key not in ev.gone}
    dues.update((b.key, Due(b.key, b.due_at, b.set_at, b.warn_at, b.rule, b.missed, b.warned)) for b in ev.back)
    return replace(st, stage=ev.stage, stage_since=ev.since, visited=st.visited[:-1], disqualified=ev.disqualified, dues=dues,
                   moved=None)

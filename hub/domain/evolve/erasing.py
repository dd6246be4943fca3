"""How an erasure changes what is known."""

from __future__ import annotations

from msgspec.structs import replace

from hub.domain import events as e
from hub.domain.event import ERASED
from hub.domain.evolve.fold import on, put
from hub.domain.state import LeadState, Person


@on(e.ErasureAsked)
def _(st: LeadState, ev: e.ErasureAsked) -> LeadState:
    old = st.people.get(ev.person_id) or Person(ev.person_id)
    return replace(st, people=put(st.people, ev.person_id, replace(old, erased=True, addresses=())))


@on(e.PersonErased)
def _(st: LeadState, ev: e.PersonErased) -> LeadState:
    """The name stays ``[erased]``, as it reads by now; addresses are none."""
    old = st.people.get(ev.person_id) or Person(ev.person_id)
    gone = Person(ev.person_id, name=old.name and ERASED, position=old.position and ERASED, erased=True)
    return replace(st, people=put(st.people, ev.person_id, gone), texts_erased=st.texts_erased + ev.texts)

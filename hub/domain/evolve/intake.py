"""How the request and the people of it change what is known."""

from __future__ import annotations

from msgspec.structs import replace

from hub.domain import events as e
from hub.domain import state as s
from hub.domain.delivery import Address
from hub.domain.evolve.fold import bring, change, on, put, without
from hub.domain.state import LeadState


@on(e.LeadReceived)
def _(st: LeadState, ev: e.LeadReceived) -> LeadState:
    return replace(st, channel=ev.channel, source=ev.source, source_title=ev.source_title, received_at=ev.at,
                   by_hand=ev.by_hand, test=ev.test, written=ev.written, previous_lead=ev.previous_lead, main_person=ev.person_id)


@on(e.MessageReceived)
def _(st: LeadState, ev: e.MessageReceived) -> LeadState:
    message = s.Message(ev.message, ev.at, ev.channel, ev.person_id, ev.text, ev.subject_line, ev.source, ev.named,
                        ev.revision)
    if ev.automatic:
        return replace(st, messages=(*st.messages, message))
    return replace(st, messages=(*st.messages, message), last_inbound_at=ev.at, attempts=0,
                   attribution=st.attribution or ev.attribution, about=st.about or ev.text[:200])


@on(e.LeadTitled)
def _(st: LeadState, ev: e.LeadTitled) -> LeadState:
    return replace(st, title=ev.title or st.title, about=ev.about or st.about)


@on(e.PersonAdded, e.PersonNamed)
def _(st: LeadState, ev: e.PersonAdded | e.PersonNamed) -> LeadState:
    old = st.people.get(ev.person_id) or s.Person(ev.person_id)
    new = replace(old, name=ev.name or old.name, position=ev.position or old.position)
    st = replace(st, people=put(st.people, ev.person_id, new))
    return bring(st, ev.merged_from, people=ev.person_id) if isinstance(ev, e.PersonAdded) else st


@on(e.PersonLeft)
def _(st: LeadState, ev: e.PersonLeft) -> LeadState:
    return replace(st, people=without(st.people, ev.person_id))


@on(e.AddressAdded)
def _(st: LeadState, ev: e.AddressAdded) -> LeadState:
    old = st.people.get(ev.person_id) or s.Person(ev.person_id)
    new = replace(old, addresses=(*old.addresses, Address(ev.kind, ev.value, ev.raw, ev.extension)))
    return replace(st, people=put(st.people, ev.person_id, new))


@on(e.AddressRetired)
def _(st: LeadState, ev: e.AddressRetired) -> LeadState:
    old = st.people.get(ev.person_id) or s.Person(ev.person_id)
    left = tuple(a for a in old.addresses if (a.kind, a.value) != (ev.kind, ev.value))
    return replace(st, people=put(st.people, ev.person_id, replace(old, addresses=left)))


@on(e.TimezoneLearned)
def _(st: LeadState, ev: e.TimezoneLearned) -> LeadState:
    return replace(st, people=change(st.people, ev.person_id, timezone=ev.timezone))


@on(e.PlaceLearned)
def _(st: LeadState, ev: e.PlaceLearned) -> LeadState:
    return replace(st, people=change(st.people, ev.person_id, place=ev.place))


@on(e.CallTimeAgreed)
def _(st: LeadState, ev: e.CallTimeAgreed) -> LeadState:
    return replace(st, people=change(st.people, ev.person_id, call_at=ev.call_at, call_words=ev.words))


@on(e.CompanyNamed)
def _(st: LeadState, ev: e.CompanyNamed) -> LeadState:
    return replace(st, company=ev.name or st.company, inn=ev.inn or st.inn, site=ev.site or st.site)


@on(e.DecisionMakerChanged)
def _(st: LeadState, ev: e.DecisionMakerChanged) -> LeadState:
    return replace(st, decision_maker=ev.person_id, dm_changed_at=ev.at, dm_involved=ev.involved)


@on(e.ContactChanged)
def _(st: LeadState, ev: e.ContactChanged) -> LeadState:
    return replace(st, main_person=ev.person_id)


@on(e.LeadAbsorbed)
def _(st: LeadState, ev: e.LeadAbsorbed) -> LeadState:
    return replace(st, absorbed=(*st.absorbed, ev.other))


@on(e.LeadReleased)
def _(st: LeadState, ev: e.LeadReleased) -> LeadState:
    return replace(st, absorbed=tuple(o for o in st.absorbed if o != ev.other), brought=without(st.brought, ev.other))


@on(e.LeadsToldApart)
def _(st: LeadState, ev: e.LeadsToldApart) -> LeadState:
    return replace(st, apart=(*st.apart, ev.other))


@on(e.LeadMergedInto)
def _(st: LeadState, ev: e.LeadMergedInto) -> LeadState:
    return replace(st, merged_into=ev.survivor)


@on(e.LeadSplitOff)
def _(st: LeadState, ev: e.LeadSplitOff) -> LeadState:
    return replace(st, merged_into=None)

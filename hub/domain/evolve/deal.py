"""How interview, proposal and follow-up change what is known."""

from __future__ import annotations

from msgspec.structs import replace

from hub.domain import events as e
from hub.domain import state as s
from hub.domain.evolve.fold import bring, change, on, put
from hub.domain.state import LeadState


@on(e.BudgetNamed)
def _(st: LeadState, ev: e.BudgetNamed) -> LeadState:
    return replace(st, budget=ev.money)


@on(e.QuestionRecorded)
def _(st: LeadState, ev: e.QuestionRecorded) -> LeadState:
    return replace(st, questions=put(st.questions, ev.question, s.Question(ev.question, ev.kind, ev.text)))


@on(e.QuestionAnswered)
def _(st: LeadState, ev: e.QuestionAnswered) -> LeadState:
    return replace(st, questions=change(st.questions, ev.question, answer=ev.answer))


@on(e.NeedFound)
def _(st: LeadState, ev: e.NeedFound) -> LeadState:
    return replace(st, needs=put(st.needs, ev.need, s.Need(ev.need, ev.text, ev.explicit, ev.quote)))


@on(e.NeedMadeExplicit)
def _(st: LeadState, ev: e.NeedMadeExplicit) -> LeadState:
    return replace(st, needs=change(st.needs, ev.need, explicit=True, quote=ev.quote))


@on(e.BenefitStated)
def _(st: LeadState, ev: e.BenefitStated) -> LeadState:
    return replace(st, benefit=ev.text, benefit_kpi=ev.kpi)


@on(e.ProposalPromised)
def _(st: LeadState, ev: e.ProposalPromised) -> LeadState:
    return replace(st, promise=(ev.ready_on, ev.presented), promised_at=ev.at)


@on(e.ProposalDrafted)
def _(st: LeadState, ev: e.ProposalDrafted) -> LeadState:
    new = s.Proposal(ev.proposal, ev.at, ev.money, ev.valid_until, ev.note, ev.file, ev.needs_head)
    return replace(st, proposals=put(st.proposals, ev.proposal, new))


@on(e.HeadContributed)
def _(st: LeadState, ev: e.HeadContributed) -> LeadState:
    return replace(st, proposals=change(st.proposals, ev.proposal, head_part=ev.text))


@on(e.ProposalSent)
def _(st: LeadState, ev: e.ProposalSent) -> LeadState:
    sent = (*st.proposals[ev.proposal].sent, (ev.at, ev.way, ev.to)) if ev.proposal in st.proposals else ()
    return replace(st, proposals=change(st.proposals, ev.proposal, sent=sent))


@on(e.ProposalPresented)
def _(st: LeadState, ev: e.ProposalPresented) -> LeadState:
    return replace(st, proposals=change(st.proposals, ev.proposal, presented_in=ev.meeting), presented_at=ev.at)


@on(e.DecisionDateAgreed)
def _(st: LeadState, ev: e.DecisionDateAgreed) -> LeadState:
    return replace(st, decision_date=ev.on)


@on(e.RequestOpened)
def _(st: LeadState, ev: e.RequestOpened) -> LeadState:
    request = s.ClientRequest(ev.request, ev.kind, ev.owner, ev.text)
    return bring(replace(st, requests=put(st.requests, ev.request, request)), ev.merged_from, requests=ev.request)


@on(e.RequestClosed)
def _(st: LeadState, ev: e.RequestClosed) -> LeadState:
    return replace(st, requests=change(st.requests, ev.request, status="done" if ev.done else "given_up", result=ev.text))


@on(e.HeadOpinionGiven)
def _(st: LeadState, ev: e.HeadOpinionGiven) -> LeadState:
    return replace(st, requests=change(st.requests, ev.request, opinion=ev.in_favour, opinion_text=ev.text,
                                        resources=ev.resources))


@on(e.TrialDecided)
def _(st: LeadState, ev: e.TrialDecided) -> LeadState:
    return replace(st, requests=change(st.requests, ev.request, accepted=ev.accepted))


@on(e.StallFound)
def _(st: LeadState, ev: e.StallFound) -> LeadState:
    stall = s.StallState(ev.stall, ev.at, ev.reason, ev.why, ev.until, ev.who, ev.involved, ev.decision_date, ev.debrief,
                         ev.closeness, ev.competitor, ev.competitor_until, ev.wish)
    return replace(st, stalls=put(st.stalls, ev.stall, stall))


@on(e.StallPlayed)
def _(st: LeadState, ev: e.StallPlayed) -> LeadState:
    played = (*st.stalls[ev.stall].played, (ev.action, ev.result)) if ev.stall in st.stalls else ()
    return replace(st, stalls=change(st.stalls, ev.stall, played=played))

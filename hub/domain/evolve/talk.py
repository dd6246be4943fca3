"""How messages of ours, and what comes after a client's message, change what is known."""

from __future__ import annotations

from msgspec.structs import replace

from hub.domain import events as e
from hub.domain.evolve.fold import change, on, put
from hub.domain.outgoing import OUT_RANKS, Fetch, Outgoing
from hub.domain.state import LeadState


@on(e.MessageAsked)
def _(st: LeadState, ev: e.MessageAsked) -> LeadState:
    message = Outgoing(ev.message, ev.event_id.hex, ev.at, ev.actor, ev.way, ev.account, ev.to, ev.text, ev.subject_line,
                       ev.html, ev.files, ev.answers, ev.person_id, ev.letter, again=ev.again, automatic=ev.automatic)
    return replace(st, outgoing=put(st.outgoing, ev.message, message))


def _came_to(st: LeadState, message: int, status: str, code: str = "", names: tuple[str, ...] = ()) -> LeadState:
    known = st.outgoing.get(message)
    if known is None:
        return st
    if OUT_RANKS.get(status, 0) <= OUT_RANKS[known.status]:
        status, code = known.status, known.code
    changed = change(st.outgoing, message, status=status, code=code, names=tuple(dict.fromkeys((*known.names, *names))))
    return replace(st, outgoing=changed)


@on(e.MessageSent)
def _(st: LeadState, ev: e.MessageSent) -> LeadState:
    return _came_to(st, ev.message, "sent", names=ev.names)


@on(e.MessageReached)
def _(st: LeadState, ev: e.MessageReached) -> LeadState:
    return _came_to(st, ev.message, ev.status)


@on(e.MessageFailed)
def _(st: LeadState, ev: e.MessageFailed) -> LeadState:
    return _came_to(st, ev.message, "failed", ev.code)


@on(e.MessageUnknown)
def _(st: LeadState, ev: e.MessageUnknown) -> LeadState:
    return _came_to(st, ev.message, "unknown", ev.code)


@on(e.MessageEdited)
def _(st: LeadState, ev: e.MessageEdited) -> LeadState:
    return replace(st, messages=tuple(replace(m, text=ev.text, revision=ev.revision) if m.id == ev.message else m
                                      for m in st.messages))


@on(e.FetchAsked)
def _(st: LeadState, ev: e.FetchAsked) -> LeadState:
    fetch = Fetch(ev.fetch, ev.kind, ev.message, ev.account, ev.ref, ev.name, ev.content_type, ev.size, ev.person_id)
    return replace(st, fetches=put(st.fetches, ev.fetch, fetch))


@on(e.FileFetched)
def _(st: LeadState, ev: e.FileFetched) -> LeadState:
    return replace(st, fetches=change(st.fetches, ev.fetch, status="fetched"))


@on(e.FetchEnded)
def _(st: LeadState, ev: e.FetchEnded) -> LeadState:
    return replace(st, fetches=change(st.fetches, ev.fetch, status="ended"))

"""Every command of a lead as an address of its own, made from the commands themselves; merging and splitting."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from flask import request
from msgspec import Meta, Struct

from hub.application import Done
from hub.company import RETRIES
from hub.domain.errors import Conflict, Refused
from hub.domain.event import Event
from hub.domain.events import FileRef
from hub.domain.lead import COMMANDS, CommandInfo
from hub.domain.partner import PartnerState
from hub.web.api import answers
from hub.web.api.base import Answered, endpoint
from hub.web.api.problems import Malformed, Moved, why
from hub.web.api.schema import LARGEST, body_of
from hub.web.desk import me, now, settle, the_hub
from hub.web.files import is_kept
from hub.web.letters import default_template

TAG = "Commands"
Expected = Annotated[int, Meta(ge=1, le=LARGEST, description="The version that you saw. Where the lead has moved on: 409.")]
ONLY_PEOPLE = frozenset({"take"})
"""Commands that make who acts answer for a lead; a program answers for nothing."""


class Recorded(Struct, frozen=True):
    """An event that a command recorded."""

    version: int
    type: str
    at: datetime


class CommandDone(Struct, frozen=True):
    """What a command did: the lead's version after it, and what it recorded (nothing where all was so already)."""

    lead: UUID
    version: int
    recorded: list[Recorded]


def _declare(info: CommandInfo) -> None:
    name = "".join(part.title() for part in info.name.split("_")) + "Command"
    body = body_of(name, info.arguments, info.summary, {"expected_version": (Expected | None, None)}, frozenset())

    @endpoint("POST", f"/leads/<uuid:lead>/{info.name}", tag=TAG, body=body, gives=CommandDone, scopes=info.permissions,
              keyed=True, guarded=True, summary=info.summary, name=info.name, personal=info.name in ONLY_PEOPLE)
    def command(lead: UUID, body: Any) -> Answered:
        _check_files(lead, body)
        values = msgspec.to_builtins(body)
        expected = values.pop("expected_version")
        matched = _if_match(lead)
        try:
            events = _give(lead, info.name, values, _both(expected, matched))
        except Conflict as conflict:
            if conflict.code != "conflict":
                raise
            raise Moved(the_hub().version(lead), 409 if matched is None else 412) from None
        return _done(lead, events)


def _check_files(lead: UUID, body: Struct) -> None:
    """Only files that were uploaded to this very lead may be named."""
    for name in body.__struct_fields__:
        given = getattr(body, name)
        for ref in given if isinstance(given, (tuple, list)) else (given,):
            if isinstance(ref, FileRef) and not is_kept(lead, ref):
                raise Refused("no_such_upload", field=name, name=ref.name[:100])


def _if_match(lead: UUID) -> int | None:
    """The version that the header If-Match names; ``*`` only asks that there is such a lead."""
    text = request.headers.get("If-Match")
    if text is None:
        return None
    if text == "*":
        the_hub().lead(lead)
        return None
    if not re.fullmatch('"?[0-9]{1,9}"?', text):
        raise Malformed("bad_header", name="If-Match", why=why('a version such as "12" is expected'))
    return int(text.strip('"'))


NO_VERSION = 0
"""No lead is at this version."""


def _both(said: int | None, matched: int | None) -> int | None:
    """The version of the body and that of the header; the lead cannot be at two."""
    if None not in (said, matched) and said != matched:
        return NO_VERSION
    return said if matched is None else matched


def _give(lead: UUID, command: str, values: dict[str, Any], expected: int | None) -> Sequence[Event]:
    """Give the command. Under an Idempotency-Key it is decided on a version whose history is known not to hold it yet, so
    that no second try, and no other process at the same moment, can do it again."""
    hub, tied = the_hub(), answers.correlation()
    if tied is None:
        done = hub.do(lead, command, values, actor=me().actor, at=now(), expected=expected)
        settle(done.position)
        return done.events
    for _ in range(RETRIES):
        history = hub.history(lead)
        before = [event for event in history if event.correlation_id == tied]
        if before:
            return before
        version = history[-1].originator_version
        if expected is not None and expected != version:
            raise Conflict("conflict")
        try:
            done = hub.do(lead, command, values, actor=me().actor, at=now(), expected=version, correlation=tied)
        except Conflict as conflict:
            if conflict.code != "conflict" or hub.version(lead) == version:
                raise
            continue
        settle(done.position)
        return done.events
    raise Conflict("conflict")


def _done(lead: UUID, events: Sequence[Event]) -> Answered:
    version = events[-1].originator_version if events else the_hub().version(lead)
    return Answered(CommandDone(lead, version, [Recorded(e.originator_version, e.TOPIC, e.at) for e in events]), version)


for _info in COMMANDS.values():
    _declare(_info)


# ── two leads at once (R6) ───────────────────────────────────────────────────────


class Merge(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The other lead, and why."""

    other: UUID
    why: str


@endpoint("POST", "/leads/<uuid:lead>/merge", tag=TAG, body=Merge, gives=CommandDone, scopes=("work",), keyed=True)
def merge_leads(lead: UUID, body: Merge) -> Answered:
    """Merge the other lead into this one (R6); both histories stay."""
    return _on_both(the_hub().merge, lead, body)


@endpoint("POST", "/leads/<uuid:lead>/unmerge", tag=TAG, body=Merge, gives=CommandDone, scopes=("work",), keyed=True)
def unmerge_leads(lead: UUID, body: Merge) -> Answered:
    """Split a wrong merge (R6); both leads go on."""
    return _on_both(the_hub().unmerge, lead, body)


class Apart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The other lead, and how they differ where somebody said so."""

    other: UUID
    why: str = ""


@endpoint("POST", "/leads/<uuid:lead>/tell_apart", tag=TAG, body=Apart, gives=CommandDone, scopes=("work",), keyed=True)
def tell_leads_apart(lead: UUID, body: Apart) -> Answered:
    """Two leads that look alike are not the same request (R6): they are not proposed as duplicates again."""
    return _on_both(the_hub().tell_apart, lead, body)


def _on_both(act: Callable[..., Done], lead: UUID, body: Merge | Apart) -> Answered:
    """Under an Idempotency-Key what was done already is recognised in the lead's history."""
    tied = answers.correlation()
    before = [event for event in the_hub().history(lead) if event.correlation_id == tied] if tied else []
    if before:
        return _done(lead, before)
    done = act(lead, body.other, body.why, actor=me().actor, at=now(), correlation=tied)
    settle(done.position)
    return _done(lead, [event for event in done.events if event.originator_id == lead])


# ── the refusal letter (R12) ─────────────────────────────────────────────────────


class Suggested(Struct, frozen=True):
    """A partner that the letter names."""

    id: UUID
    partner: PartnerState


class LetterProposal(Struct, frozen=True):
    """A proposed letter; nothing is sent by it. A person reads it and gives `ask_letter`."""

    to: str
    subject: str
    body: str
    partners: list[Suggested]


@endpoint("GET", "/leads/<uuid:lead>/refusal-letter", tag=TAG, gives=LetterProposal)
def propose_letter(lead: UUID) -> LetterProposal:
    """The refusal letter as the template, the score sheet and the three best partners make it (R12, R13)."""
    hub = the_hub()
    draft = hub.refusal_letter(lead, default_template("refusal"), actor=me().actor, agency=hub.process.file.name)
    return LetterProposal(draft.to, draft.subject, draft.body, [Suggested(id, partner) for id, partner in draft.partners])

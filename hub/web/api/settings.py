"""The hub itself: its channels, telephone lines, read models and tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from hub.domain import contact
from hub.domain.errors import NotFound, Refused, sentences
from hub.domain.phone import PhonePlan, line_stream
from hub.domain.token import TokenState
from hub.projections import rebuild as rebuilds
from hub.web.admin import channels, phone
from hub.web.api.base import caller, check_scope, endpoint
from hub.web.api.schema import body_of
from hub.web.desk import may, me, now, parts, settle, the_hub, the_tokens

sentences(
    no_such_line=("Линии «{given}» нет. Есть: {known}.", "There is no line “{given}”. There are: {known}."),
)

# ── channels ─────────────────────────────────────────────────────────────────────


class Direction(Struct, frozen=True, kw_only=True):
    """One way of an account: ``mode`` is `webhook`, `poll` or `send`. It fails while ``failing_since`` is set."""

    mode: str
    ok_at: datetime | None
    failing_since: datetime | None
    reason: str


class ChannelAccount(Struct, frozen=True, kw_only=True):
    """An account of a channel; ``traffic`` counts what `came`, was `unread`, `asked`, `sent`, `failed`, `unknown`;
    ``waiting`` are messages that have not left."""

    account: str
    title: str
    kind: str
    ways: list[Direction]
    traffic: dict[str, int]
    waiting: int


class ChannelAccounts(Struct, frozen=True):
    """All that are set up; ``unread`` dead letters wait, and ``orphans`` are messages for accounts that are gone."""

    items: list[ChannelAccount]
    unread: int
    orphans: dict[str, int]


@endpoint("GET", "/channels", tag="Channels", gives=ChannelAccounts, scopes=channels.WHO)
def list_channels() -> ChannelAccounts:
    """How every account of a channel fares, and what still has to leave."""
    items = [ChannelAccount(account=line.account, title=line.title, kind=line.kind, waiting=line.waiting,
                            traffic={what: t.n for what, t in line.traffic.items()},
                            ways=[Direction(mode=way.mode, ok_at=way.condition.ok_at, reason=way.condition.reason,
                                            failing_since=way.condition.failing_since) for way in line.ways])
             for line in channels.lines()]
    return ChannelAccounts(items, the_hub().views.channels.unread(), channels.orphans())


# ── telephone lines ──────────────────────────────────────────────────────────────

PlanBody = body_of("PhonePlanBody", PhonePlan, "How a line is answered; numbers in any spelling.", {}, frozenset())


class PhoneLineEntry(Struct, frozen=True):
    """A line of ours and how it is answered."""

    account: str
    title: str
    plan: PhonePlan


class PhoneLines(Struct, frozen=True):
    """All that are set up."""

    items: list[PhoneLineEntry]


def _line(account: str) -> phone.Line:
    found = {line.channel.account: line for line in phone.lines()}
    if account not in found:
        raise NotFound("no_such_line", given=account[:60], known=", ".join(found))
    return found[account]


def _entry(line: phone.Line) -> PhoneLineEntry:
    return PhoneLineEntry(line.channel.account, line.channel.place.title, line.plan)


@endpoint("GET", "/phone-lines", tag="Channels", gives=PhoneLines, scopes=phone.WHO)
def list_phone_lines() -> PhoneLines:
    """Telephone lines and how they are answered."""
    return PhoneLines([_entry(line) for line in phone.lines()])


@endpoint("PUT", "/phone-lines/<path:account>", tag="Channels", body=PlanBody, gives=PhoneLineEntry, scopes=phone.WHO)
def put_phone_line(account: str, body: Any) -> PhoneLineEntry:
    """Answer a line so from the next call on."""
    the_hub().allow("phoneline", line_stream(account), *phone.WHO, actor=me().actor, at=now())
    plan = PhonePlan(**{name: getattr(body, name) for name in body.__struct_fields__})
    members = []
    for member in plan.members:
        number = contact.phone(member.number)
        if number is None:
            raise Refused("phone_bad_member", field="members", given=f"{member.login} {member.number}"[:80])
        members.append(replace(member, login=member.login.lower(), number=number.value))
    phone.write_plan(_line(account), replace(plan, members=tuple(members)))
    settle()
    return _entry(_line(account))


class Ring(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to ring."""

    number: str


@endpoint("POST", "/phone-tests/<path:account>", tag="Channels", body=Ring, scopes=phone.WHO, status=204)
def call_from_phone_line(account: str, body: Ring) -> None:
    """Ring a number and say what callers of the line hear."""
    the_hub().allow("phone.test", line_stream(account), *phone.WHO, actor=me().actor, at=now())
    phone.ring(_line(account), body.number)


# ── read models ──────────────────────────────────────────────────────────────────


class ReadModel(Struct, frozen=True, kw_only=True):
    """A read model: ``lag`` events behind; parked at an event, for a reason, until it is tried again or skipped.

    ``skipped``: how many events it does without. ``rebuild``: `asked`, `running` or `failed`, empty where none is under way.
    """

    name: str
    position: int
    lag: int
    parked_at: int | None
    parked_reason: str
    skipped: int
    rebuild: str
    rebuild_position: int
    rebuild_target: int


class ReadModels(Struct, frozen=True):
    """All that are switched on."""

    items: list[ReadModel]


def _read_models() -> list[ReadModel]:
    hub, runner = the_hub(), parts().runner
    under_way = {progress.name: progress for progress in rebuilds.progresses(runner.views)}
    found = []
    for status in runner.status():
        progress = under_way.get(status.name)
        found.append(ReadModel(
            name=status.name, position=status.position, lag=status.lag, parked_at=status.parked_at,
            parked_reason=status.parked_reason or "", skipped=len(hub.skipped_by(status.name)),
            rebuild=progress.state if progress else "", rebuild_position=progress.position if progress else 0,
            rebuild_target=progress.target if progress else 0))
    return found


def _read_model(name: str) -> ReadModel:
    found = {model.name: model for model in _read_models()}
    if name not in found:
        raise NotFound("no_such_read_model", known=", ".join(found))
    return found[name]


@endpoint("GET", "/read-models", tag="Hub", gives=ReadModels, scopes=("admin",))
def list_read_models() -> ReadModels:
    """How far each read model is, and what stopped one."""
    return ReadModels(_read_models())


@endpoint("POST", "/read-models/<name>/retry", tag="Hub", gives=ReadModel, scopes=("admin",))
def retry_read_model(name: str) -> ReadModel:
    """Have a parked read model try its event again."""
    return _release(name, skip=False, why="")


class Skip(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it may do without the event."""

    why: str


@endpoint("POST", "/read-models/<name>/skip", tag="Hub", body=Skip, gives=ReadModel, scopes=("admin",))
def skip_in_read_model(name: str, body: Skip) -> ReadModel:
    """Have a parked read model go on without its event; who decided so is recorded."""
    return _release(name, skip=True, why=body.why)


def _release(name: str, *, skip: bool, why: str) -> ReadModel:
    the_hub().allow("upkeep", None, "admin", actor=me().actor, at=now())
    the_hub().release_read_model(parts().runner, _read_model(name).name, skip=skip, why=why, actor=me().actor, at=now())
    settle()
    return _read_model(name)


@endpoint("POST", "/read-models/<name>/rebuild", tag="Hub", gives=ReadModel, scopes=("admin",), status=202)
def rebuild_read_model(name: str) -> ReadModel:
    """Ask the worker to make it anew beside the one that serves."""
    the_hub().allow("rebuild", None, "admin", actor=me().actor, at=now())
    rebuilds.ask(parts().runner.views, _read_model(name).name, the_hub().store.head())
    return _read_model(name)


# ── tokens ───────────────────────────────────────────────────────────────────────


class TokenEntry(Struct, frozen=True, kw_only=True):
    """A token without its secret: ``hint`` are its first characters; ``state`` is `living`, `expired`, `revoked` or
    `holder_disabled`."""

    id: UUID
    token: TokenState
    hint: str
    last_used: datetime | None
    state: str


class TokenList(Struct, frozen=True):
    """Living ones first, then the newest."""

    items: list[TokenEntry]


@endpoint("GET", "/tokens", tag="Hub", gives=TokenList)
def list_tokens() -> TokenList:
    """All tokens for administrators, one's own for others. They are issued on the page and on the command line only: a lost
    token must not make itself a successor."""
    everyone = may("admin") and "admin" in caller().scopes
    holder = None if everyone else me().stream
    return TokenList([TokenEntry(id=line.id, token=line.token, hint=line.hint, last_used=line.last_used, state=line.state)
                      for line in the_tokens().listed(now(), holder)])


@endpoint("POST", "/tokens/<uuid:token>/revoke", tag="Hub", status=204)
def revoke_token(token: UUID) -> None:
    """End a token at once: one's own, or anybody's for administrators; a program may end the very token that it uses."""
    if the_tokens().state(token).holder != me().id and token != caller().token:
        check_scope("admin")
    the_tokens().revoke(token, actor=me().actor, at=now())
    settle()

"""Taking in what a channel read: deliveries and facts to the hub, what nobody can read to the dead letters (R1).

The same for a webhook and a poll. An error of a store that is busy or gone goes through to the caller, who
must not acknowledge then.
"""

from __future__ import annotations

import json
import logging
import traceback
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub.accounts import Accounts
from hub.application import LeadHub
from hub.channels.base import Accepted, Channel, Rejected, Request, Stored, Unreadable, as_text, from_text
from hub.domain.aggregate import Actor
from hub.domain.errors import Refused, sentences
from hub.store import Unavailable
from hub.traffic.staff import from_colleague

log = logging.getLogger(__name__)

sentences(
    still_unread=("Всё ещё не разобрать: обращение осталось в карантине. Прочитайте его и заведите заявку вручную.",
                  "It still cannot be read and stays here. Read it, and open a card by hand."),
    account_gone=("Канал {account} больше не настроен, разобрать обращение нечем. Заведите заявку вручную.",
                  "The channel {account} is not set up any more, so nothing can read this. Open a card by hand."),
)


@dataclass(frozen=True)
class Taken:
    """What became of a request. ``accepted`` is None for a dead letter."""

    accepted: Accepted | None
    stored: Stored


def take_in(hub: LeadHub, channel: Channel, request: Request) -> Taken:
    """Read a genuine request and store everything that it holds. On return it may be acknowledged."""
    try:
        accepted = channel.read(request)
    except Rejected:
        raise
    except Exception as error:
        code = error.code if isinstance(error, Unreadable) else "unreadable"
        log.warning("%s: a delivery could not be read and is kept as a dead letter: %s", channel.account, where(error))
        return Taken(None, _keep(hub, channel, request, code))
    return Taken(accepted, store(hub, channel, accepted, request.at))


def store(hub: LeadHub, channel: Channel, accepted: Accepted, at: datetime) -> Stored:
    """Store deliveries and facts, each exactly once."""
    leads: list[UUID | None] = []
    first_at, repeated = at, bool(accepted.deliveries)
    for came in accepted.deliveries:
        delivery = from_colleague(hub, channel.account, came, at)
        if delivery is None:
            leads.append(None)
            continue
        taken = hub.receive(delivery, at=at)
        leads.append(taken.lead)
        repeated = repeated and taken.duplicate
        if taken.duplicate:
            first_at = min(first_at, hub.first_at(taken.receipt) or at)
    for fact in accepted.facts:
        hub.hear(fact, channel=channel.kind, at=at)
    return Stored(tuple(leads), first_at, repeated)


def take_fetched(hub: LeadHub, channel: Channel, item: Request) -> Taken:
    """As :func:`take_in`, for what a poll found: a fault of ours in one item must not stop those behind it; it is kept whole."""
    try:
        return take_in(hub, channel, item)
    except Unavailable:
        raise
    except Exception as error:
        log.error("%s: a delivery could not be stored and is kept as a dead letter: %s", channel.account, where(error))
        return Taken(None, _keep(hub, channel, item, "fault"))


def _keep(hub: LeadHub, channel: Channel, request: Request, code: str) -> Stored:
    content = f"{request.tail}?{request.query}\n".encode() + request.body
    whole = as_text(channel.keeps(request))
    kept = hub.keep_unread(channel.kind, channel.account, channel.place.title, whole, content, code, at=request.at)
    return Stored((), hub.first_at(kept.receipt) or request.at, kept.duplicate)


def read_again(hub: LeadHub, accounts: Accounts, receipt: UUID, *, actor: Actor, at: datetime) -> UUID | None:
    """A person has a dead letter read again, by a parser that may be mended now. The card that it led to, if any.

    Refused with ``still_unread``. Pressed twice, it adds nothing: what it holds has ids of its own.
    """
    hub.allow("read_again", receipt, "intake", "admin", actor=actor, at=at)
    kept = hub.unread(receipt)
    channel = accounts.get(kept.account)
    if channel is None:
        raise Refused("account_gone", account=kept.account)
    request = from_text(kept.raw)
    try:
        stored = store(hub, channel, channel.read(request), at)
    except (Unavailable, Refused):
        raise
    except Exception as error:
        log.warning("%s: a dead letter is still unreadable: %s", channel.account, where(error))
        raise Refused("still_unread") from error
    lead = next(filter(None, stored.leads), None)
    hub.was_read(receipt, lead, actor=actor, at=at)
    return lead


def readable(raw: str) -> str:
    """A dead letter as a person reads it: its body, with the letters that JSON had escaped."""
    try:
        body = from_text(raw).body.decode(errors="replace")
    except (ValueError, KeyError):  # it was erased
        return raw
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=1)
    except ValueError:
        return body


def where(error: BaseException) -> str:
    """Kind and place of an error; its message may quote somebody's data and is left out."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {frame.filename.rpartition('/')[2]}:{frame.lineno}"

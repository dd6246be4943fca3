"""Telling staff beside the browser (R34): batches of notices to each colleague's own Telegram or e-mail, as facts, once each."""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import date, datetime
from uuid import UUID

from msgspec.structs import replace

from hub.application import THE_HUB, LeadHub
from hub.channels.base import Channel, Outgoing
from hub.domain.aggregate import Actor
from hub.domain.delivery import Address, Delivery
from hub.domain.errors import Refused
from hub.domain.staff import UserState
from hub.domain.telling import MOST_ITEMS, Item, Telling, TellingState, telling_stream
from hub.traffic.staff_words import letter

log = logging.getLogger(__name__)

ANYBODY = ("read",)
"""Own notices are everybody's to set who may look at all."""


def telling(hub: LeadHub, user: UUID) -> TellingState:
    """How a colleague is told, as of now."""
    state: TellingState = hub.streams.fresh(Telling, telling_stream(user))[1]
    return state


# ── sending ──────────────────────────────────────────────────────────────────────


def mailbox(accounts: Mapping[str, Channel], to: str) -> str:
    """The account that writes to colleagues by e-mail: the first one that sends; empty where there is none."""
    return next((c.account for c in accounts.values() if c.reaches("email", Address("email", to))), "")


def routes(state: TellingState, accounts: Mapping[str, Channel]) -> list[tuple[str, str, str]]:
    """Way, account and address of each way that the colleague chose and that can be used."""
    found = []
    if "telegram" in state.ways and state.account in accounts:
        found.append(("telegram", state.account, state.chat))
    if "email" in state.ways and (account := mailbox(accounts, state.email)):
        found.append(("email", account, state.email))
    return found


class Teller:
    """Asks for messages to colleagues. Several may run: a batch is decided once."""

    def __init__(self, hub: LeadHub, accounts: Mapping[str, Channel]) -> None:
        self.hub = hub
        self.accounts = accounts

    def turn(self, now: datetime) -> int:
        """Tell everybody what they are to be told now; how many messages were asked for."""
        if not self.accounts:
            return 0
        process = self.hub.process
        day, zone = process.date_of(now), process.calendar.timezone
        asked = 0
        for id, user in self.hub.users().items():
            state = telling(self.hub, id)
            if state.ways and not self._rests(user, state, now, day, zone):
                asked += self._tell(id, now)
        return asked

    @staticmethod
    def _rests(user: UserState, state: TellingState, now: datetime, day: date, zone: str) -> bool:
        """Whether the colleague is left alone now; what comes meanwhile is told afterwards as one message."""
        return user.disabled or user.absent_on(day) is not None or state.quiet(now, zone)

    def _tell(self, user: UUID, now: datetime) -> int:
        asked = 0

        def act(found: Telling) -> None:
            nonlocal asked
            asked, state = 0, found.state
            notices = self.hub.views.notices
            rows = notices.of(f"user:{user}", after=state.upto, limit=MOST_ITEMS)
            if not rows:
                return
            count = notices.count(f"user:{user}", state.upto)
            oldest = min(datetime.fromisoformat(row["at"]) for row in rows)
            if not state.due(oldest, now):
                return
            items = tuple(Item(UUID(row["lead"]), row["kind"], row["key"], datetime.fromisoformat(row["at"])) for row in rows)
            for way, account, to in routes(state, self.accounts):
                found.ask(way, account, to, "notices", rows[0]["position"], count, items)
                asked += 1
        self.hub.change(Telling, telling_stream(user), act, actor=THE_HUB, at=now)
        return asked


class StaffMessages:
    """Messages to colleagues, for :class:`hub.traffic.outbox.Sender`."""

    def __init__(self, hub: LeadHub, public_url: str) -> None:
        self.hub = hub
        self.public_url = public_url

    def load(self, stream: UUID, number: int) -> Outgoing | None:
        state: TellingState = self.hub.streams.fresh(Telling, stream)[1]
        told = state.told.get(number)
        if told is None:
            return None
        subject, text = letter(told, state.language, self.hub.process, self._number, self.public_url)
        # No program may answer it: an out-of-office notice of a colleague's would come in as a client's letter.
        return Outgoing(UUID(told.fixed_id), told.way, told.to, text, subject, asked_at=told.at, automatic=True)

    def _number(self, lead: UUID) -> int | None:
        row = self.hub.views.leads.one(lead)
        return row["number"] if row else None

    def sent(self, stream: UUID, number: int, names: tuple[str, ...], at: datetime) -> None:
        self._change(stream, lambda t: t.sent(number), at)

    def failed(self, stream: UUID, number: int, code: str, why: str, at: datetime) -> None:
        self._change(stream, lambda t: t.did_not_leave(number, code, why), at)

    def unknown(self, stream: UUID, number: int, code: str, why: str, at: datetime) -> None:
        self._change(stream, lambda t: t.did_not_leave(number, code, why, unknown=True), at)

    def _change(self, stream: UUID, act: Callable[[Telling], None], at: datetime) -> None:
        self.hub.change(Telling, stream, act, actor=THE_HUB, at=at)


def send_test(hub: LeadHub, accounts: Mapping[str, Channel], user: UUID, *, actor: Actor, at: datetime) -> int:
    """Send the colleague a test by every way that they chose; how many. Refused where there is none."""
    def act(found: Telling) -> None:
        chosen = routes(found.state, accounts)
        if not chosen:
            raise Refused("nothing_to_test", rule="R34")
        for way, account, to in chosen:
            found.ask(way, account, to, "test")
    hub.change(Telling, telling_stream(user), act, actor=actor, at=at, permissions=ANYBODY)
    return len(routes(telling(hub, user), accounts))


# ── linking a chat ───────────────────────────────────────────────────────────────


def make_code(hub: LeadHub, user: UUID, *, actor: Actor, at: datetime) -> str:
    """A one-time code for ``/start``: whose it is, and a secret of which only the digest is kept."""
    code = base64.urlsafe_b64encode(user.bytes + secrets.token_bytes(16)).decode().rstrip("=")
    hub.change(Telling, telling_stream(user), lambda t: t.make_code(user, code), actor=actor, at=at, permissions=ANYBODY)
    return code


def user_of(code: str) -> UUID | None:
    """Whose code it is, by its form alone; None where it is none of ours."""
    try:
        data = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    except ValueError:
        return None
    return UUID(bytes=data[:16]) if len(data) == 32 else None


def from_colleague(hub: LeadHub, account: str, delivery: Delivery, at: datetime) -> Delivery | None:
    """A delivery that may be a colleague's: None where it was a code that links a chat, and else what is to be received.

    What a colleague writes from the linked chat is no request of a client: it waits in the quarantine.
    """
    chat = next((a.value for a in delivery.addresses if a.kind == "telegram" and a.value.isdigit()), "")
    if not chat:
        return delivery
    user = user_of(dict(delivery.attribution).get("start", ""))
    if user is not None and _links(hub, user, dict(delivery.attribution)["start"], account, chat, at):
        return None
    mine = any(telling(hub, id).chat == chat for id, known in hub.users().items() if not known.disabled)
    return replace(delivery, suspicion=f"{delivery.suspicion} colleague".strip()) if mine else delivery


def _links(hub: LeadHub, user: UUID, code: str, account: str, chat: str, at: datetime) -> bool:
    if user not in hub.users():
        return False
    linked = False

    def act(found: Telling) -> None:
        nonlocal linked
        linked = found.link(code, account, chat)
    hub.change(Telling, telling_stream(user), act, actor=THE_HUB, at=at)
    return linked

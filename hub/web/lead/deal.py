"""What the card says beyond its state: who sent and opened a proposal, whom we pointed to, and what a play asks to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hub.domain import events as e
from hub.domain.event import ERASED
from hub.domain.state import Proposal
from hub.web import words
from hub.web.lead import words as w
from hub.web.lead.form import Text
from hub.web.lead.story import amount
from hub.web.lead.view import Card, do_url


@dataclass(frozen=True)
class Sending:
    """A version that left: when, by whom, how and where to, and how far it is known to have come."""

    at: datetime
    who: str
    way: str
    to: str
    fate: str
    tone: str
    opened: datetime | None = None


@dataclass(frozen=True)
class Version:
    """A version of the proposal with what the panel says of it."""

    proposal: Proposal
    author: str
    was: str
    """The amount before, where this version changed it."""
    head: str
    """Who gave the head's part."""
    file_url: str
    look_url: str
    sendings: list[Sending]
    newest: bool


def versions(card: Card) -> list[Version]:
    """All versions, the newest first (R18)."""
    s, newest = card.s, card.s.proposal
    authors = {ev.proposal: card.teller.who(ev.actor) for ev in card.events if isinstance(ev, e.ProposalDrafted)}
    heads = {ev.proposal: card.teller.who(ev.actor) for ev in card.events if isinstance(ev, e.HeadContributed)}
    found = []
    for one in sorted(s.proposals.values(), key=lambda p: -p.id):
        before = s.proposals.get(one.id - 1)
        was = amount(before.money) if before is not None and before.money != one.money else ""
        there = one.file is not None and one.file.name != ERASED
        urls = [url_for(f"lead.{view}", lead=card.id, digest=one.file.digest) if there and one.file else ""
                for view in ("file", "look")]
        look = urls[1] if one.file is not None and one.file.name.lower().endswith(".pdf") else ""
        found.append(Version(one, authors.get(one.id, ""), was, heads.get(one.id, ""), urls[0], look,
                             _sendings(card, one), newest is not None and one.id == newest.id))
    return found


def _sendings(card: Card, proposal: Proposal) -> list[Sending]:
    messages = {ev.message for ev in card.events if isinstance(ev, e.ProposalMailed) and ev.proposal == proposal.id}
    reached = {ev.message: ev.at for ev in card.events if isinstance(ev, e.MessageReached) and ev.status == "read"}
    sent = [ev for ev in card.events if isinstance(ev, e.ProposalSent) and ev.proposal == proposal.id]
    outgoing = [card.s.outgoing[n] for n in sorted(messages) if n in card.s.outgoing]
    found = []
    for ev in sent:
        message = next((m for m in outgoing if m.to == ev.to), None)
        who = card.teller.who(message.author if message is not None else ev.actor)
        status = message.status if message is not None else ""
        opened = reached.get(message.id) if message is not None else None
        fate = str(FATES.get(status, FATES[""]))
        found.append(Sending(ev.at, who, w.said(w.WAYS, ev.way), ev.to, fate, TONES.get(status, ""), opened))
    known = {ev.to for ev in sent}
    found += [Sending(m.at, card.teller.who(m.author), w.said(w.WAYS, m.way), m.to, str(FATES[m.status]), TONES.get(m.status, ""))
              for m in outgoing if m.to not in known]
    return found


FATES: Mapping[str, Text] = {
    "": _l("открыли ли, неизвестно"), "asked": _l("уходит"), "unknown": _l("неизвестно, дошло ли"),
    "sent": _l("ушло, открыли ли, неизвестно"), "failed": _l("не дошло"), "delivered": _l("доставлено, не открыто"),
    "read": _l("открыто"),
}
TONES = {"read": "ok", "failed": "bad", "unknown": "warn"}


@dataclass(frozen=True)
class Referral:
    """A partner that the client was pointed to (R13)."""

    name: str
    at: datetime
    who: str


def referrals(card: Card) -> list[Referral]:
    """All of them, the newest first."""
    found = [ev for ev in card.events if isinstance(ev, e.PartnerReferred)]
    return [Referral(ev.partner_name or _("партнёр"), ev.at, card.teller.who(ev.actor)) for ev in reversed(found)]


@dataclass(frozen=True)
class HandOver:
    """Who gave the deal to the account manager, and what they should know (R30)."""

    at: datetime
    who: str
    note: str


def hand_over(card: Card) -> HandOver | None:
    """The newest one."""
    found = next((ev for ev in reversed(card.events) if isinstance(ev, e.HandedOver)), None)
    return HandOver(found.at, card.teller.who(found.actor), found.note) if found is not None else None


PLAYS: Mapping[str, tuple[str, Mapping[str, str], Text]] = {
    "return_date": ("sleep", {}, _l("Отложить до даты")),
    "contacts": ("add_person", {}, _l("Добавить человека")),
    "new_dm": ("change_decision_maker", {}, _l("Сменить ЛПР")),
    "present": ("plan_meeting", {"purpose": "presentation"}, _l("Назначить презентацию")),
    "exact_date": ("agree_decision_date", {}, _l("Записать дату")),
}
"""Actions of the packaged plays that a form of the card does; any other one becomes the next step (R25)."""


def play_act(card: Card, action: str, title: str) -> tuple[str, str]:
    """What does an action of a play: the address of its form and the words on its button; empty where nobody may."""
    command, given, text = PLAYS.get(action, ("plan_step", {"step": title}, _l("В шаги")))
    return (do_url(card.id, command, **given), str(text)) if card.may(command) else ("", "")


def request_due(card: Card, number: int) -> str:
    """By when a request of the client's is due (R23)."""
    due = card.s.dues.get(f"request:{number}")
    return words.moment(due.due_at) if due is not None else ""

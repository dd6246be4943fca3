"""Cards of one client (R6, R29): probable duplicates, both side by side, a merge and a split, an older request of the client."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from hub.application import Done
from hub.domain.errors import NotFound, Refused
from hub.domain.state import LeadState
from hub.store import Unreadable
from hub.web import words
from hub.web.desk import me, needs, now, settle, the_hub
from hub.web.errors import status_of
from hub.web.lead import words as w
from hub.web.lead.blueprint import bp, go
from hub.web.lead.story import amount
from hub.web.lead.view import Card, lead_url, sentence

SHOWN = 3
"""Probable duplicates in the banner."""

REASONS: w.Words = {
    "address": _l("один и тот же контакт"),
    "inn": _l("один ИНН"),
    "name": _l("те же имя и компания"),
    "phone": _l("телефоны отличаются только концом"),
    "domain": _l("почта одной компании"),
}


@dataclass(frozen=True)
class Twin:
    """A card that looks like this one. ``compare`` opens both side by side, the one further on as the one that stays."""

    row: Any
    why: str
    compare: tuple[UUID, UUID]


def twins(card: Card) -> list[Twin]:
    """Probable duplicates of an open card, for whoever may merge."""
    if not card.s.open or not card.may("note"):
        return []
    found = []
    for row, reasons in card.hub.views.leads.alike(card.id, card.s, SHOWN):
        other = UUID(row["id"])
        try:
            stays = card.id if _further(card.s) >= _further(card.hub.lead(other)) else other
        except Unreadable:
            continue  # altered past the hub: it cannot be merged
        why = ", ".join(w.said(REASONS, reason) for reason in reasons)
        found.append(Twin(row, why, (stays, other if stays == card.id else card.id)))
    return found


def _further(s: LeadState) -> tuple[bool, int, int]:
    """Which of two cards the work goes on in: the one that somebody works, the one further on, the one that came first."""
    return bool(s.owner), len(s.visited), -int(s.received_at.timestamp()) if s.received_at else 0


@dataclass(frozen=True)
class Before:
    """An earlier request of the same client: its number, how it went, who worked it."""

    id: UUID
    number: str
    state: LeadState
    how: str


def before(card: Card) -> Before | None:
    """The closed card after which this one was opened (R29)."""
    if card.s.previous_lead is None:
        return None
    try:
        state = card.hub.lead(card.s.previous_lead)
    except Unreadable:
        how = str(_("её историю изменили в обход хаба, она не читается"))
        return Before(card.s.previous_lead, card.number_of(card.s.previous_lead), LeadState(), how)
    said = [w.said(w.ENDINGS, state.ended).lower() if state.ended else w.titled(card.process.stages, state.stage).lower()]
    if state.ended_at is not None:
        said.append(words.day(state.ended_at))
    if state.losses and state.ended == "lost":
        said.append(w.titled(card.process.loss_reasons, state.losses[-1].reason).lower())
    if state.refusal is not None and state.refusal.criterion:
        said.append(w.titled(card.process.hard_criteria, state.refusal.criterion).lower())
    if state.win is not None:
        said.append(amount(state.win.money, True))
    return Before(card.s.previous_lead, card.number_of(card.s.previous_lead), state, ", ".join(said))


def living(card: Card) -> UUID:
    """The card in which the work goes on, however many merges lie between."""
    id, state = card.id, card.s
    while state.merged_into is not None:
        id = state.merged_into
        state = card.hub.lead(id)
    return id


@bp.context_processor
def helpers() -> dict[str, Any]:
    """What the card calls."""
    return {"twins": twins, "before": before, "living": living}


# ── side by side ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Field:
    """A line of the comparison. ``mark``: ``same``, ``other``, or empty where one side has nothing."""

    title: str
    left: str
    right: str
    of_its_own: bool = False

    @property
    def mark(self) -> str:
        """How the sides stand to each other; what every card has of its own is not compared."""
        if self.of_its_own or not self.left or not self.right:
            return ""
        return "same" if self.left.casefold() == self.right.casefold() else "other"


def fields(a: Card, b: Card) -> list[Field]:
    """Both cards line by line; lines that neither has are left out."""
    pairs = zip(_lines(a), _lines(b), strict=True)
    own = (_("Номер"), _("Пришла"), _("Событий"))
    return [Field(title, left, right, title in own) for (title, left), (_same, right) in pairs if left or right]


def _lines(c: Card) -> list[tuple[str, str]]:
    s = c.s
    stage = w.said(w.ENDINGS, s.ended) if s.ended else w.titled(c.process.stages, s.stage)
    source = s.source_title if s.source_title != w.said(w.CHANNELS, s.channel) else ""
    addresses = [words.phone(a.value) if a.kind == "phone" else a.value for p in c.people() for a in p.addresses]
    return [
        (_("Номер"), f"L-{c.number}" if c.number else ""),
        (_("Название"), words.personal(s.name)),
        (_("Пришла"), ", ".join(x for x in (words.moment(s.received_at), w.said(w.CHANNELS, s.channel), source) if x)),
        (_("Стадия"), stage),
        (_("Ответственный"), c.names.get(s.owner, s.owner) or _("никто")),
        (_("Люди"), ", ".join(words.personal(p.name) or _("имя неизвестно") for p in c.people())),
        (_("Контакты"), ", ".join(words.personal(a) for a in addresses)),
        (_("Компания"), words.personal(s.company)),
        (_("ИНН"), words.personal(s.inn)),
        (_("Суть"), words.personal(s.about)),
        (_("Бюджет"), amount(s.budget) if s.budget else ""),
        (_("Оценка"), f"{s.score.total:+d}, {s.segment}" if s.score else ""),
        (_("Следующий шаг"), f"{words.personal(s.next_step.text)}, {words.moment(s.next_step.due_at)}" if s.next_step else ""),
        (_("КП"), amount(s.proposal.money) if s.proposal else ""),
        (_("Событий"), str(c.version)),
    ]


def moves(stays: Card, goes: Card) -> list[str]:
    """What the merge would bring from the card that goes to the one that stays."""
    s, found = goes.s, []
    known = {(a.kind, a.value) for p in stays.s.people.values() for a in p.addresses}
    new = [a for p in s.people.values() for a in p.addresses if (a.kind, a.value) not in known]
    if new:
        values = ", ".join(words.phone(a.value) if a.kind == "phone" else words.personal(a.value) for a in new)
        found.append(_("Контакты: %(values)s", values=values))
    if s.asleep_until is None:
        found += [f"{w.said(w.PURPOSES, m.purpose)}, {words.moment(m.starts_at)}" for m in s.planned_meetings]
        found += [_("Просьба клиента: %(what)s", what=w.titled(goes.process.requests, r.kind))
                  for r in s.requests.values() if r.status == "open"]
        if "reply" in s.dues and "reply" not in stays.s.dues:
            found.append(_("Ответ, которого ждёт клиент"))
        if s.owner and not stays.s.owner:
            found.append(_("Ответственный: %(who)s", who=goes.names.get(s.owner, s.owner)))
    found.append(_("Всё, что клиент напишет дальше"))
    return found


# ── pages ────────────────────────────────────────────────────────────────────────────


def find_lead(text: str) -> UUID:
    """A lead by its number (L-12, 12, №12) or by a link to its card."""
    text = text.strip()
    found = re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", text.lower())
    if found:
        return UUID(found[0])
    number = re.search(r"(\d{1,9})/?$", text)
    lead = the_hub().views.leads.by_number(int(number[1])) if number else None
    if lead is None:
        raise Refused("merge_unknown", rule="R6", field="other")
    return lead


def _page(card: Card, wanted: str, refused: Refused | None = None) -> Response:
    other = None
    if wanted.strip():
        try:
            other = _other(card, wanted)
        except Refused as unknown:
            refused = refused or unknown
    page = render_template(
        "lead/merge.html", errors={refused.field: sentence(refused)} if refused else {}, card=card, s=card.s, other=other,
        wanted=wanted, fields=fields(card, other) if other else [], moves=moves(card, other) if other else [])
    return make_response(page, status_of(refused) if refused else 200)


def _other(card: Card, wanted: str) -> Card:
    found = find_lead(wanted)
    if found == card.id:
        raise Refused("merge_with_itself", rule="R6", field="other")
    try:
        return Card(found)
    except NotFound:
        raise Refused("merge_unknown", rule="R6", field="other") from None


@bp.get("/leads/<uuid:lead>/merge")
@needs("work")
def merge(lead: UUID) -> Response:
    """Which card is the same request; then both side by side, to be confirmed."""
    return _page(Card(lead), request.args.get("other", ""))


@bp.post("/leads/<uuid:lead>/merge")
@needs("work")
def merged(lead: UUID) -> Response:
    """Merge the other card into this one; both histories stay."""
    return _decided(lead, the_hub().merge, _("Карточки объединены, работа идёт в этой."))


@bp.post("/leads/<uuid:lead>/apart")
@needs("work")
def apart(lead: UUID) -> Response:
    """The other card only looks like this one: it is not proposed again."""
    return _decided(lead, the_hub().tell_apart, _("Отмечено: это разные заявки. Больше не предложим их объединить."))


def _decided(lead: UUID, decide: Callable[..., Done], said: str) -> Response:
    """What was decided about this card and the other one; a refusal comes back with both."""
    try:
        other = find_lead(request.form.get("other", ""))
        settle(decide(lead, other, request.form.get("why", ""), actor=me().actor, at=now()).position)
    except Refused as refused:
        return _page(Card(lead), request.form.get("other", ""), refused)
    flash(said, "ok")
    return go(lead_url(lead))


@bp.route("/leads/<uuid:lead>/unmerge/<uuid:other>", methods=["GET", "POST"])
@needs("work")
def unmerge(lead: UUID, other: UUID) -> Response:
    """Split a wrong merge; both go on."""
    refused = None
    if request.method == "POST":
        try:
            settle(the_hub().unmerge(lead, other, request.form.get("why", ""), actor=me().actor, at=now()).position)
            flash(_("Карточки разделены, у каждой своя работа."), "ok")
            return go(lead_url(lead))
        except Refused as no:
            refused = no
    card = Card(lead)
    page = render_template("lead/unmerge.html", errors={refused.field: sentence(refused)} if refused else {}, card=card, s=card.s,
                           other=Card(other))
    return make_response(page, status_of(refused) if refused else 200)

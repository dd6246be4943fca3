"""Files of a lead as its card shows them: what they are, whose, of which event; pictures and PDFs can be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _

from hub.domain import events as e
from hub.web.lead.links import file_refs
from hub.web.lead.view import Card

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
DOCUMENTS = (".pdf",)


@dataclass(frozen=True)
class Attachment:
    """A file of the lead. ``look`` shows it in the browser (``kind``: ``picture`` or ``document``); empty for any other one."""

    name: str
    size: int
    digest: str
    url: str
    look: str
    kind: str
    at: datetime
    who: str
    origin: str
    number: int
    """The event that brought it."""


def attachments(card: Card) -> list[Attachment]:
    """Files of the client, of our messages and of proposals; the newest first."""
    found = []
    for event, ref in file_refs(card.events):
        ours = isinstance(event, (e.ProposalDrafted, e.MessageAsked))
        if isinstance(event, e.ProposalDrafted):
            origin = _("КП, версия %(number)s", number=event.proposal)
        else:
            origin = _("мы отправили") if ours else _("от клиента")
        who = card.teller.who(event.actor) if ours else _sender(card, event)
        kind = _kind(ref.name)
        look = url_for("lead.look", lead=card.id, digest=ref.digest) if kind else ""
        found.append(Attachment(ref.name, ref.size, ref.digest, url_for("lead.file", lead=card.id, digest=ref.digest), look, kind,
                                event.at, who, origin, event.originator_version))
    return sorted(found, key=lambda f: -f.number)


def by_event(card: Card) -> dict[int, list[Attachment]]:
    """The files that each event brought, for the timeline."""
    found: dict[int, list[Attachment]] = {}
    for one in attachments(card):
        found.setdefault(one.number, []).append(one)
    return found


def _kind(name: str) -> str:
    low = name.lower()
    return "picture" if low.endswith(PICTURES) else "document" if low.endswith(DOCUMENTS) else ""


def _sender(card: Card, event: e.MessageReceived | e.FileFetched) -> str:
    person = event.person_id if isinstance(event, e.MessageReceived) else next(
        (m.person_id for m in card.s.messages if m.id == event.message), None)
    known = card.s.people.get(person) if person else None
    return known.name if known else ""

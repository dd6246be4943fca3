"""Letters from the card: the mailboxes that send them, and how a letter looks before it leaves (R12, R19, R26)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from hub.channels.email_letters import as_html
from hub.domain.delivery import Address
from hub.domain.state import Meeting
from hub.web import words
from hub.web.desk import parts
from hub.web.lead.form import Ctx, Field, Initial, Option
from hub.web.lead.links import size
from hub.web.letters import draft

SOMEBODY = Address("email", "somebody@example.org")


def mailboxes(ctx: Ctx) -> list[Option]:
    """Accounts that send letters."""
    return [(c.account, c.place.title) for c in parts().accounts.senders() if c.reaches("email", SOMEBODY)]


def mailbox(ctx: Ctx) -> str:
    """The first of them; empty where a person sends letters by themselves."""
    return next((str(option[0]) for option in mailboxes(ctx)), "")


MAILBOX = Field("account", _l("Отправит хаб с ящика"), "select", mailboxes, mailbox, empty=_l("никто: письмо я отправляю сам"),
                help=_l("Если письмо отправляете вы, здесь только записывают, что оно ушло."))


@dataclass(frozen=True)
class Preview:
    """A letter as the client will get it. ``seen`` stands for exactly this letter: it comes back with the confirmation."""

    to: str
    subject: str
    body: Markup
    files: tuple[str, ...]
    seen: str


def _preview(to: str, subject: str, text: str, *files: str) -> Preview:
    seen = hashlib.sha256(repr((to, subject, text, files)).encode()).hexdigest()
    return Preview(to, subject, Markup(as_html(text)), files, seen)


def letter(values: Mapping[str, Any], ctx: Ctx) -> Preview | None:
    """``ask_letter``; None where a person sends it."""
    if not values.get("account") or values.get("way", "email") != "email":
        return None
    return _preview(values.get("to") or ctx.state.address("email"), values.get("subject", ""), values.get("body", ""))


def proposal(values: Mapping[str, Any], ctx: Ctx) -> Preview | None:
    """``send_proposal``; None where a person sends it."""
    found = ctx.state.proposals.get(int(values.get("proposal") or 0), ctx.state.proposal)
    if not values.get("account") or values.get("way", "email") != "email" or found is None or found.file is None:
        return None
    return _preview(values.get("to") or ctx.state.address("email"), values.get("subject", ""), values.get("text", ""),
                    f"{found.file.name}, {size(found.file.size)}")


def invitation(values: Mapping[str, Any], ctx: Ctx) -> Preview | None:
    """``invite``."""
    found = ctx.state.meetings.get(int(values.get("meeting") or 0))
    if found is None:
        return None
    at = words.moment(found.starts_at)
    entry = _("отмена в календаре: %(at)s", at=at) if found.status == "cancelled" else _("запись в календарь: %(at)s", at=at)
    return _preview(values["route"]["to"], values.get("subject", ""), values.get("text", ""), entry)


# ── what forms begin with ────────────────────────────────────────────────────────


def to_invite(ctx: Ctx) -> list[Option]:
    """Meetings to come, and cancelled ones to which the client was invited; the newest first."""
    invited = {i.meeting for i in ctx.state.invitations.values()}
    found = [m for m in ctx.state.meetings.values()
             if (m.status == "planned" and m.starts_at > ctx.at) or (m.status == "cancelled" and m.id in invited)]
    return [(str(m.id), f"№{m.id}, {words.moment(m.starts_at)}" + (f" ({_('отменена')})" if m.status == "cancelled" else ""))
            for m in reversed(found)]


def _meeting(ctx: Ctx) -> Meeting | None:
    found = to_invite(ctx)
    return ctx.state.meetings[int(found[0][0])] if found else None


def subject_of(name: str) -> Initial:
    """The subject of a letter in the wording in force."""
    return lambda ctx: draft(name, ctx.state, meeting=_meeting(ctx))[0]


def text_of(name: str) -> Initial:
    """The text of a letter in the wording in force."""
    return lambda ctx: draft(name, ctx.state, meeting=_meeting(ctx))[1]


def answered_subject(ctx: Ctx) -> str:
    """``Re: …`` of the client's newest letter, so that mail programs keep the thread together."""
    last = next((m.subject_line for m in reversed(ctx.state.messages) if m.channel == "email" and m.subject_line), "")
    return last if not last or last.lower().startswith(("re:", "ответ:")) else f"Re: {last}"


def by_mail(ctx: Ctx) -> list[Option]:
    """Mailboxes of ours and addresses of the client's."""
    people = sorted(ctx.state.people.values(), key=lambda p: p.id != ctx.state.main_person)
    return [(f"email {account} {a.value}", f"{title}: {', '.join(filter(None, (p.name, a.value)))}")
            for account, title in mailboxes(ctx) for p in people for a in p.addresses if a.kind == "email"]

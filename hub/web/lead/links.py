"""What a card links to: its files, and the ways to call and write to the client."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from hub.domain import events as e
from hub.domain.event import Event
from hub.domain.state import LeadState


def file_refs(events: list[Event]) -> list[tuple[Any, e.FileRef]]:
    """Every file that the events name, with its event, whose subject's key opens it."""
    found: list[tuple[Any, e.FileRef]] = [(ev, ref) for ev in events if isinstance(ev, e.MessageReceived) for ref in ev.files]
    found += [(ev, ref) for ev in events if isinstance(ev, (e.FileFetched, e.MessageAsked)) for ref in ev.files]
    found += [(ev, ev.file) for ev in events if isinstance(ev, e.ProposalDrafted) and ev.file is not None]
    return found


def reach(kind: str, value: str) -> str:
    """A link that calls or writes; empty where there is none."""
    match kind:
        case "phone":
            return f"tel:{value}"
        case "email":
            return f"mailto:{value}"
        case "telegram":
            # a numeric id has no page of its own
            return f"https://t.me/{value}" if not value.isdigit() and value.replace("_", "").isalnum() and value.isascii() else ""
        case "whatsapp":
            digits = value.lstrip("+")
            return f"https://wa.me/{digits}" if digits.isdigit() else ""
        case "vk":
            return f"https://vk.com/{value}" if value.replace("_", "").replace(".", "").isalnum() and value.isascii() else ""
    return ""


def telegram(s: LeadState) -> str:
    """Telegram's own program: by the name, the number of the account, else by the phone."""
    names = [a.value for p in (s.person, *s.people.values()) for a in p.addresses if a.kind == "telegram"]
    name = next((n for n in names if reach("telegram", n)), "")
    if name:
        return f"tg://resolve?domain={name}"
    if number := next((n for n in names if n.isascii() and n.isdigit()), ""):
        return f"tg://user?id={number}"
    phone = s.address("phone").lstrip("+")
    return f"tg://resolve?phone={phone}" if phone.isascii() and phone.isdigit() else ""


def size(bytes: int) -> str:
    """A file's size in words."""
    if bytes < 1024:
        return str(_("%(n)s Б", n=bytes))
    if bytes < 1024 * 1024:
        return str(_("%(n)s КБ", n=round(bytes / 1024)))
    return str(_("%(n)s МБ", n=f"{bytes / 1024 / 1024:.1f}".replace(".", ",")))


def whatsapp(s: LeadState) -> str:
    """WhatsApp by the known id, else by the phone number."""
    return reach("whatsapp", s.person.first("whatsapp") or s.address("phone"))

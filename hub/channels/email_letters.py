"""A message of ours as a letter (RFC 5322): made the same however often it is made, and nothing of it can become a header."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from html import escape
from uuid import UUID

from hub.channels.base_out import Outgoing
from hub.channels.email_calendar import calendar, method
from hub.channels.email_names import message_ids, our_message_id
from hub.domain.delivery import File
from hub.domain.outgoing import Invitation

POLICY: EmailPolicy[EmailMessage] = SMTP.clone(max_line_length=76, cte_type="7bit")
WIDE: EmailPolicy[EmailMessage] = POLICY.clone(utf8=True)
"""For addresses beyond ASCII, where the server takes them."""
CONTROLS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
LINK = re.compile(r"https?://[^\s<>()]+[^\s<>().,;:!?»]")
PAGE = '<!doctype html><html><head><meta charset="utf-8"></head><body>{}</body></html>'
LONGEST_SUBJECT = 200
LONGEST_LOCAL_PART = 64
"""Bytes before the @ that RFC 5321 allows."""
LOOP_MARK = "X-Hub-Loop"
"""A header that letters of ours have, so that one which comes back is known."""


class NoAddress(ValueError):
    """What should be written to is no e-mail address."""


def ascii_address(address: str) -> str:
    """An address as it goes into an envelope: its domain in ASCII (IDNA). Raises :class:`NoAddress`."""
    local, at, domain = address.strip().rpartition("@")
    if not at or not local or CONTROLS.search(address) or re.search(r'[\s<>,;:"()\[\]\\]', address):
        raise NoAddress(address)
    try:
        return f"{local}@{domain.encode('idna').decode('ascii').lower()}"
    except UnicodeError as error:
        raise NoAddress(address) from error


def name_of(message: Outgoing, sender: str) -> str:
    """The Message-ID of a message: that of the first one where it repeats one."""
    return our_message_id(message.first_id or message.id, sender.rpartition("@")[2])


def reply_address(id: UUID, sender: str) -> str:
    """The sender's address with the message in it: an answer that lost its references still finds its card."""
    local, _, domain = sender.rpartition("@")
    tagged = f"{local}+{id.hex}"
    return f"{tagged}@{domain}" if len(tagged) <= LONGEST_LOCAL_PART else sender


def letter(message: Outgoing, sender: str, name: str = "", *, tagged: bool = False) -> EmailMessage:
    """The whole letter. ``sender`` is our ASCII address, ``name`` what people read beside it; ``tagged``: answers go to
    an address with the message in it. Raises :class:`NoAddress`."""
    made = EmailMessage(POLICY)
    made["From"] = _mailbox(sender, name)
    made["To"] = _mailbox(ascii_address(message.to))
    made["Subject"] = one_line(message.subject)[:LONGEST_SUBJECT] or _first_line(message.text)
    made["Message-ID"] = name_of(message, sender)
    made["Date"] = format_datetime((message.asked_at or datetime.now(UTC)).astimezone(UTC))
    if answered := message_ids(message.answers):
        made["In-Reply-To"] = answered[-1]
        made["References"] = answered[-1]
    if tagged:
        made["Reply-To"] = _mailbox(reply_address(message.first_id or message.id, sender), name)
    if message.automatic:
        made["Auto-Submitted"] = "auto-replied"
        made["X-Auto-Response-Suppress"] = "All"
        made["Precedence"] = "auto_reply"
    made[LOOP_MARK] = sender
    _fill(made, message)
    return made


def _fill(made: EmailMessage, message: Outgoing) -> None:
    text = message.text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    made.set_content(text + "\n", charset="utf-8", cte="quoted-printable" if text.isascii() else "base64")
    made.add_alternative(PAGE.format(message.html.replace("\x00", "") or as_html(text)), subtype="html", charset="utf-8",
                         cte="base64")
    if message.invitation is not None:
        _invite(made, message, message.invitation)
    for file in message.files:
        main, _, sub = _content_type(file).partition("/")
        made.add_attachment(file.data, maintype=main, subtype=sub, filename=file_name(file.name))


def _invite(made: EmailMessage, message: Outgoing, invitation: Invitation) -> None:
    """Programs show an invitation only where it is one of the alternatives; others need it as a file."""
    entry = calendar(invitation, sender=made["From"].addresses[0].addr_spec, to=ascii_address(message.to),
                     subject=one_line(message.subject) or _first_line(message.text), text=message.text,
                     made_at=message.asked_at or invitation.starts_at)
    params = {"method": method(invitation)}
    made.add_alternative(entry, subtype="calendar", charset="utf-8", cte="base64", params=params)
    made.add_attachment(entry.encode(), maintype="application", subtype="ics", filename="invite.ics")


def _content_type(file: File) -> str:
    """What an attachment is declared as: only what is well formed and no letter of its own."""
    plain = file.content_type.partition(";")[0].strip().lower()
    if not re.fullmatch(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,100}", plain) or plain.startswith(("multipart/", "message/")):
        return "application/octet-stream"
    return plain


def file_name(name: str) -> str:
    """A file's name as it may stand in a header: no folders, no control characters."""
    plain = one_line(name).replace("\\", "/").rpartition("/")[2].strip(" .")
    return plain[:150] or "file"


def as_html(text: str) -> str:
    """A text as HTML: its paragraphs and lines, and links that can be followed; nothing in it is markup."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n".join(f"<p>{LINK.sub(_link, escape(paragraph)).replace(chr(10), '<br>')}</p>" for paragraph in paragraphs)


def _link(found: re.Match[str]) -> str:
    return f'<a href="{found[0]}">{found[0]}</a>'


def one_line(text: str) -> str:
    """A text for a header: in one line, without control characters or blanks around it."""
    return " ".join(CONTROLS.sub(" ", text).split())


def _first_line(text: str) -> str:
    return one_line(next((line for line in text.splitlines() if line.strip()), ""))[:70] or "—"


def _mailbox(address: str, name: str = "") -> Mailbox:
    local, _, domain = address.rpartition("@")
    return Mailbox(one_line(name)[:100], local, domain)

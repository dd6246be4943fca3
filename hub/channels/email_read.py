"""A letter as a delivery or as a fact (R1, R3, R6): who wrote, what they say, what it is called, what it answers. Pure.

A letter is known by its Message-ID together with its content, so that one that was moved, copied, or came to two mailboxes is
one, and two letters of a sender who gives all of them the same Message-ID are two.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC
from typing import Any

from msgspec.structs import replace

from hub.channels.base import Accepted, Request, Unreadable
from hub.channels.email_bounce import read_report
from hub.channels.email_form import read_form
from hub.channels.email_kind import from_program, kind_of
from hub.channels.email_mime import Letter, Mail, parse
from hub.channels.email_names import message_ids, ours_in
from hub.channels.email_quotes import Parts, split
from hub.channels.email_settings import EmailSettings, listed
from hub.channels.email_signature import offered
from hub.domain import contact
from hub.domain.delivery import Delivery
from hub.domain.errors import sentences
from hub.domain.fact import Fact

LONGEST_FIELD = 100_000
LONGEST_TEXT = 200_000
MOST_THREADS = 40
CALENDAR_FIELDS = ("SUMMARY", "DTSTART", "DTEND", "LOCATION", "DESCRIPTION")

_TRACES = re.compile(r"received|x-|delivered-to|return-path|arc-|dkim-signature|authentication-results|received-spf"
                     r"|envelope-to|status$"
                     r"|content-length|domainkey|resent-|sender$|list-|precedence", re.I)

sentences(
    suspect_mail_list=("рассылка: такие письма не становятся заявками", "a mailing list: such letters do not become requests"),
    suspect_mail_own=("письмо с нашего собственного адреса", "a letter from an address of ours"),
    suspect_mail_robot=("пишет робот сайта или сервиса. Если это форма вашего сайта, добавьте его адрес в forms этого ящика",
                        "a robot of a site or a service writes. If it is your site's form, add it to this mailbox's forms"),
    suspect_mail_bounce=("сервер почты сообщает о письме, которое отправлял не хаб",
                         "a mail server tells about a letter that the hub did not send"),
    unread_mail_unfetched=("письмо не отдаёт сервер почты: откройте его в самом ящике", "the mail server does not give it out: "
                           "open it in the mailbox itself"),
    out_email_bounced=("Почтовый сервер вернул письмо: его причина ниже. Проверьте адрес или напишите другим способом.",
                       "A mail server returned the letter and says why below. Check the address, or write another way."),
)


def read_letter(request: Request, settings: EmailSettings, account: str, title: str) -> Accepted:
    """What a letter that a poll found holds. A letter that is empty or makes no sense raises."""
    if not request.body.strip():
        raise Unreadable("mail_unfetched")
    lies = _where(request)
    letter = parse(request.body)
    if not letter.headers:
        raise Unreadable
    kind = kind_of(letter, settings)
    if kind == "loop":
        return Accepted()
    if kind == "bounce":
        report = read_report(letter)
        if report.about:
            return Accepted(facts=tuple(_bounced(name, report.status, report.why) for name in report.about[:1] if report.status
                                        in ("failed", "delivered", "read")))
        made = replace(_automatic(letter, settings, kind), addresses=report.recipients, name="")
        if not report.recipients:
            made = replace(made, suspicion="mail_bounce")
    elif kind == "form":
        made = read_form(letter, settings)
    elif kind == "auto":
        made = _automatic(letter, settings, kind)
    else:
        suspicion = {"list": "mail_list", "own": "mail_own", "notification": "mail_robot"}.get(kind, "")
        made = replace(_human(letter, settings), suspicion=suspicion)
    id = identity(letter, request)
    names = message_ids(letter.first("message-id"))[:1] or (f"email/{id}",)
    raw, charset = _raw(request.body)
    fields = tuple((name[:200], value[:LONGEST_FIELD]) for name, value in (*made.fields, *_about(letter, lies, kind)) if value)
    return Accepted((replace(
        made, source=account, source_title=title, delivery_id=id, anywhere=True, names=names, threads=threads(letter),
        subject_line=letter.first("subject")[:998], text=made.text[:LONGEST_TEXT], files=tuple(letter.files), fields=fields,
        raw=raw, content_type=f"message/rfc822; charset={charset}"),))


def _bounced(name: str, status: str, why: str) -> Fact:
    return Fact(about=name, kind="message", status=status, code="email_bounced" if status == "failed" else "",
                why=why if status == "failed" else "")


def _where(request: Request) -> dict[str, Any]:
    """Where the letter lay, as the poll noted it."""
    try:
        found = json.loads(request.headers.get("content-type", "").partition(";")[2] or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


# ── who and what ─────────────────────────────────────────────────────────────────────


def _human(letter: Letter, settings: EmailSettings) -> Delivery:
    own = (settings.address, *settings.own)
    parts = _parts(letter)
    writer = _writer(letter, own)
    answers_to = [mail for mail in letter.mails("reply-to") if not listed(mail.address, own) and not from_program(mail.address)]
    addresses = [contact.email(mail.address) for mail in (writer, *answers_to[:1]) if mail is not None]
    name = _name(writer)
    words = parts.own.removesuffix(parts.signature) if parts.signature else parts.own
    said = contact.phones_in(words) if "forward" not in _shape(letter) else ()
    # A number in the writer's own words is theirs (R3); of more than two nobody knows whose they are.
    phones = said if len(said) <= 2 else ()
    known = frozenset(a.value for a in (*filter(None, addresses), *phones)) | {settings.address.lower()}
    signed = parts.signature or "\n".join(parts.own.split("\n")[-8:])
    offers = offered(signed, name, known) if "forward" not in _shape(letter) else ()
    return Delivery(
        channel="email", source="", name=name, text=parts.own, addresses=tuple(filter(None, (*addresses, *phones))),
        fields=(*offers, ("mail_quoted", parts.quoted),
                ("mail_signature", parts.signature if parts.signature not in parts.own else "")))


def _automatic(letter: Letter, settings: EmailSettings, kind: str) -> Delivery:
    """What a program answered: its words, and from whose mailbox. Nothing is learned of it."""
    writer = _writer(letter, (settings.address, *settings.own))
    address = contact.email(writer.address) if writer is not None and not from_program(writer.address) else None
    parts = _parts(letter)
    return Delivery(channel="email", source="", name=_name(writer) if address else "", text=parts.own, automatic=True,
                    addresses=(address,) if address else (), fields=(("mail_quoted", parts.quoted), ("mail_kind", kind)))


def _shape(letter: Letter) -> str:
    return "forward" if re.match(r"\s*(?:fwd?|пересл|пер|wg)\s*:", letter.first("subject"), re.I) else ""


def _parts(letter: Letter) -> Parts:
    parts = split(letter.text, letter.first("subject"))
    if not parts.own.strip() and letter.calendar:
        return Parts(_invitation(letter.calendar))
    return parts


def _writer(letter: Letter, own: tuple[str, ...]) -> Mail | None:
    """Who wrote: From, or whoever stands behind a group of ours that put its own address there."""
    senders = [mail for name in ("from", "sender", "return-path") for mail in letter.mails(name)]
    if senders and listed(senders[0].address, own):
        behind = [mail for name in ("x-original-from", "reply-to", "x-google-original-from") for mail in letter.mails(name)]
        return next((mail for mail in behind if not listed(mail.address, own)), None)
    return senders[0] if senders else None


def _name(writer: Mail | None) -> str:
    if writer is None or "@" in writer.name:
        return ""
    name = re.sub(r"\s+(?:via|через|по)\s+.{1,80}$", "", writer.name, flags=re.I).strip("'\" ")
    if re.fullmatch(r"([^,\s]{2,40}),\s*([^,\s]{2,40}(?:\s[^,\s]{2,40})?)", name):  # «Иванов, Иван»
        last, _, first = name.partition(",")
        name = f"{first.strip()} {last}"
    return contact.person_name(name)


def _invitation(calendar: str) -> str:
    """An invitation in words."""
    lines = re.sub(r"\r?\n[ \t]", "", calendar).splitlines()
    inside = lines[next((i for i, line in enumerate(lines) if line.upper() == "BEGIN:VEVENT"), 0):]
    found: dict[str, str] = {}
    for line in inside:
        name, _, value = line.partition(":")
        found.setdefault(name.partition(";")[0].upper(), re.sub(r"\\([,;n\\])", lambda m: "\n" if m[1] == "n" else m[1], value))
    said = "\n".join(found[name] for name in CALENDAR_FIELDS if found.get(name, "").strip())
    return f"Приглашение: {said}" if said else ""


# ── what it is called ────────────────────────────────────────────────────────────────


def identity(letter: Letter, request: Request) -> str:
    """The letter itself, wherever it lies and however often."""
    body = letter.body.replace(b"\r\n", b"\n").strip()
    digest = hashlib.sha256()
    if own := message_ids(letter.first("message-id"))[:1]:
        for value in (*own, letter.first("from"), letter.first("date"), letter.first("subject")):
            digest.update(value.encode("utf-8", "replace") + b"\0")
    else:
        for name, values in letter.headers.items():
            if not _TRACES.match(name):
                digest.update(f"{name}:{values}\0".encode("utf-8", "replace"))
        if letter.date is None:  # the same words on another day are another letter
            digest.update(request.query.encode())
    digest.update(body)
    return digest.hexdigest()


def threads(letter: Letter) -> tuple[str, ...]:
    """Names of what it answers, the nearest first: In-Reply-To, References from their end, the address that it was written to."""
    ids = [*message_ids(letter.first("in-reply-to")), *reversed(message_ids(" ".join(letter.headers.get("references", ()))))]
    found = [name for id in ids for name in (id, *ours_in(id))]
    for header in ("to", "cc", "delivered-to", "x-original-to", "envelope-to"):
        found += [name for mail in letter.mails(header) if "+" in mail.address for name in ours_in(mail.address)]
    return tuple(dict.fromkeys(found))[:MOST_THREADS]


def _about(letter: Letter, lies: dict[str, Any], kind: str) -> tuple[tuple[str, str], ...]:
    """What else is worth knowing of a letter, under names that no form's field has."""
    cut = int(lies.get("cut-from", 0) or 0)
    date = letter.date
    at = date.astimezone(UTC) if date is not None and date.tzinfo is not None else date
    return (
        ("mail_from", ", ".join(f"{mail.name} <{mail.address}>".strip() for mail in letter.mails("from"))),
        ("mail_to", ", ".join(mail.address for mail in letter.mails("to")[:20])),
        ("mail_cc", ", ".join(mail.address for mail in letter.mails("cc")[:20])),
        ("mail_date", at.isoformat(timespec="seconds") if at is not None else ""),
        ("mail_left_out", ", ".join(letter.left_out[:50])),
        ("mail_cut", str(cut) if cut else ""),
    )


def _raw(body: bytes) -> tuple[str, str]:
    """The whole letter as text from which its bytes can be made again, and the charset for that."""
    try:
        return body.decode(), "utf-8"
    except UnicodeDecodeError:
        return body.decode("latin-1"), "latin-1"

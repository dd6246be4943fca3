"""The parts of a letter: headers, text, files. Reads whatever bytes come, however broken; nothing is trusted. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

from hub.channels.email_charset import decode, header
from hub.channels.email_html import to_text
from hub.domain.delivery import File

MOST_PARTS = 1000
MOST_FILES, LARGEST_FILES = 50, 30_000_000
SMALL_PICTURE = 20_000
"""Bytes up to which a picture inside the text is taken for a logo."""
LONGEST_TEXT = 1_000_000
LONGEST_HEADER = 5000
"""Characters of a header with addresses that are read."""

_STUB = re.compile(r"(?:does not|doesn.t|cannot|can.t|unable to) (?:support|display|view|read)"
                   r"|html[- ](?:версию|письм|capable|enabled)"
                   r"|не поддерживает (?:просмотр )?html|view (?:this|it) (?:email|message) in|в формате html", re.I)
_NO_FILES = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature",
             "application/pgp-keys", "message/delivery-status", "message/disposition-notification", "text/rfc822-headers",
             "message/feedback-report", "message/global-delivery-status")


@dataclass(frozen=True)
class Mail:
    """An address as a header gives it. ``address`` is in lower case."""

    name: str
    address: str


@dataclass(frozen=True)
class Piece:
    """A piece of the text. Pieces of one ``group`` say the same in another form; group 0: it stands for itself."""

    group: int
    page: bool
    text: str


@dataclass
class Letter:
    """A letter taken to pieces. ``headers`` by lower-case name, decoded; ``reports`` are what programs wrote for programs, by
    type; ``inner`` the headers of letters inside; ``calendar`` the first invitation; ``left_out`` files above the limits."""

    headers: dict[str, list[str]] = field(default_factory=dict)
    content_type: str = "text/plain"
    report_type: str = ""
    pieces: list[Piece] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    reports: list[tuple[str, str]] = field(default_factory=list)
    inner: list[dict[str, list[str]]] = field(default_factory=list)
    calendar: str = ""
    left_out: list[str] = field(default_factory=list)
    body: bytes = b""

    def first(self, name: str) -> str:
        """The first header of this name, "" where there is none."""
        return next(iter(self.headers.get(name, ())), "")

    @property
    def date(self) -> datetime | None:
        """When the letter says that it was written; None where that is no date."""
        try:
            return parsedate_to_datetime(self.first("date"))
        except (ValueError, TypeError, IndexError, OverflowError):
            return None

    def mails(self, name: str) -> list[Mail]:
        """The addresses in a header."""
        return [mail for value in self.headers.get(name, ()) for mail in _mails(value)]

    @property
    def text(self) -> str:
        """What a person reads: of every group the plain text, or the page where there is none to speak of."""
        return self._read(" ")

    def tabled(self, cells: str) -> str:
        """The same with ``cells`` between the cells of a row, and pages before plain texts."""
        return self._read(cells, pages_first=True)

    def _read(self, cells: str, *, pages_first: bool = False) -> str:
        texts: list[str] = []
        groups = {piece.group for piece in self.pieces if piece.page and piece.text.strip()} - {0}
        plain = {piece.group: piece.text for piece in self.pieces if not piece.page and piece.text.strip()}
        for piece in self.pieces:
            other = piece.group and (piece.group in groups if not piece.page else piece.group in plain)
            if other:
                written = plain.get(piece.group, "")
                page_wins = pages_first or not written or (len(written) < 400 and bool(_STUB.search(written)))
                if piece.page != page_wins:
                    continue
            texts.append(to_text(piece.text, cells) if piece.page else piece.text.strip("\n").rstrip())
        return "\n\n".join(text for text in texts if text.strip())[:LONGEST_TEXT]


def parse(data: bytes) -> Letter:
    """Take a letter to pieces. Never fails: what no parser understands is text."""
    data = data.lstrip(b"\r\n")
    if data.startswith(b"From ") and b"\n" in data:  # an mbox's line
        data = data.partition(b"\n")[2]
    try:
        message = message_from_bytes(data)
        letter = _headed(message)
        _walk(letter, message)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError, IndexError):
        letter = _headed(BytesHeaderParser(policy=compat32).parsebytes(data))
        letter.pieces.append(Piece(0, False, decode(_after_headers(data)[:LONGEST_TEXT])))
    letter.body = _after_headers(data)
    return letter


def _after_headers(data: bytes) -> bytes:
    found = re.search(rb"\r?\n\r?\n", data)
    return data[found.end():] if found else b""


def _headed(message: Message) -> Letter:
    letter = Letter(_headers(message), message.get_content_type())
    letter.report_type = str(_parameter(message, "report-type")).lower()
    return letter


def _headers(message: Message) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, raw in message.raw_items():
        value = str(raw)
        # Addresses are read before encoded words are decoded: a name may hold a comma.
        kept = _unfolded(value) if name.lower() in _ADDRESSED else header(value)
        found.setdefault(name.lower(), []).append(kept)
    return found


_ADDRESSED = ("from", "to", "cc", "reply-to", "sender", "return-path", "delivered-to", "x-original-to", "envelope-to",
              "x-original-from", "message-id", "in-reply-to", "references", "x-failed-recipients", "resent-from")


def _unfolded(value: str) -> str:
    if re.search("[\udc80-\udcff]", value):
        value = decode(value.encode("utf-8", "surrogateescape"))
    return " ".join(value.replace("\x00", "").split())


_MAIL = re.compile(r'("(?:[^"\\]|\\.)*"|[^<>,;"]*)<\s*(?:mailto:)?([^<>\s]+@[^<>\s]+?)\s*>')


def _mails(value: str) -> list[Mail]:
    value = value[:LONGEST_HEADER]
    pairs = getaddresses([value])
    if not any("@" in address for _, address in pairs) or value.count("@") > sum("@" in address for _, address in pairs) + 1:
        pairs = [(name.strip(' "\''), address) for name, address in _MAIL.findall(value)] or \
            [("", word.strip("<>,;\"'()")) for word in value.split() if re.fullmatch(r"\W*[^@\s]+@[^@\s]+\W*", word)]
    return [Mail(header(name).strip("\"' "), _address(address)) for name, address in pairs if "@" in address]


def _address(address: str) -> str:
    return header(address).replace(" ", "").lower() if "=?" in address else address.strip("<>'\" ").lower()


def _parameter(message: Message, name: str) -> Any:
    try:
        found = message.get_param(name, "")
        return found[2] if isinstance(found, tuple) else found or ""
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""


def _walk(letter: Letter, top: Message) -> None:
    waiting: list[tuple[Message, int]] = [(top, 0)]
    parts = 0
    while waiting and parts < MOST_PARTS:
        part, group = waiting.pop()
        parts += 1
        kind = part.get_content_type()
        if kind in ("message/rfc822", "message/global") and part is not top:
            _enclosed(letter, part)
        elif kind in _NO_FILES:
            letter.reports.append((kind, _report(part)))
        elif part.is_multipart():
            inside = [one for one in part.get_payload() if isinstance(one, Message)]
            group = group or (parts if kind == "multipart/alternative" else 0)
            waiting += [(one, group) for one in reversed(inside)]
        else:
            _leaf(letter, part, kind, group)
    letter.left_out += [one.get_content_type() for one, _ in waiting]


def _payload(part: Message) -> bytes:
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _report(part: Message) -> str:
    inside = part.get_payload()
    if isinstance(inside, list):  # delivery-status: a list of blocks of headers
        return "\n\n".join("\n".join(f"{name}: {header(str(value))}" for name, value in one.raw_items())
                           for one in inside if isinstance(one, Message))
    return decode(_payload(part))


def _enclosed(letter: Letter, part: Message) -> None:
    inside = [one for one in part.get_payload() if isinstance(one, Message)] if part.is_multipart() else []
    if not inside:
        letter.reports.append(("text/rfc822-headers", decode(_payload(part))))
        return
    for one in inside:
        headers = _headers(one)
        letter.inner.append(headers)
        try:
            data = one.as_bytes()
        except (UnicodeError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            data = "\n".join(f"{name}: {value}" for name, values in headers.items() for value in values).encode()
        _keep(letter, f"{header(next(iter(headers.get('subject', ())), '')) or 'letter'}.eml", "message/rfc822", data)


def _leaf(letter: Letter, part: Message, kind: str, group: int) -> None:
    data, name = _payload(part), _name(part)
    disposition = str(part.get("content-disposition", "")).lower().strip()
    attached = disposition.startswith("attachment") or (bool(name) and not kind.startswith(("text/plain", "text/html", "image/")))
    if kind == "text/calendar" and not letter.calendar:
        letter.calendar = decode(data, str(_parameter(part, "charset")))
    if kind.startswith("multipart/"):  # its boundary is missing or never comes: what is inside is read as it is
        kind = "text/plain"
    if kind in ("text/plain", "text/html") and not attached and not (name and letter.pieces):
        text = decode(data, str(_parameter(part, "charset"))).replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
        page = kind == "text/html"
        letter.pieces.append(Piece(group, page, text if page else _unflowed(text, part)))
        return
    if not data and not name:
        return
    inline = kind.startswith("image/") and not attached and bool(part.get("content-id"))
    if inline and len(data) <= SMALL_PICTURE:
        return
    _keep(letter, name or _default_name(kind), kind, data)


def _keep(letter: Letter, name: str, kind: str, data: bytes) -> None:
    if len(letter.files) >= MOST_FILES or sum(len(file.data) for file in letter.files) + len(data) > LARGEST_FILES:
        letter.left_out.append(name)
        return
    kind = kind if re.fullmatch(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,100}", kind) else "application/octet-stream"
    letter.files.append(File(safe_name(name) or _default_name(kind), kind, data))


def _name(part: Message) -> str:
    try:
        return header(part.get_filename("") or "")
    except (ValueError, LookupError, TypeError, AttributeError):
        return "file"


def _default_name(kind: str) -> str:
    ends = {"text/calendar": "invite.ics", "application/ms-tnef": "winmail.dat", "application/pdf": "file.pdf"}
    main, _, sub = kind.partition("/")
    return ends.get(kind) or (f"picture.{sub}" if main == "image" and sub.isalnum() else "file")


def safe_name(name: str) -> str:
    """A sender's name of a file as text: its last piece, without what hides or reorders letters. At most 150 characters."""
    name = name.replace("\\", "/").rstrip("/ ").rpartition("/")[2]
    name = "".join(c for c in name if c.isprintable() and c not in "<>:\"|?*")
    name = " ".join(name.split()).strip(". ")
    stem, dot, end = name.rpartition(".")
    return name if len(name) <= 150 else stem[:130] + dot + end[:15]


def _unflowed(text: str, part: Message) -> str:
    """Lines of ``format=flowed`` put together again (RFC 3676)."""
    if str(_parameter(part, "format")).lower() != "flowed":
        return text
    joined = str(_parameter(part, "delsp")).lower() == "yes"
    lines: list[str] = []
    open_depth = -1
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        said = line[depth:].removeprefix(" ")
        if open_depth == depth and lines and said != "-- ":
            lines[-1] = (lines[-1][:-1] if joined else lines[-1]) + said
        else:
            lines.append(">" * depth + (" " if depth else "") + said)
        open_depth = depth if said.endswith(" ") and said != "-- " else -1
    return "\n".join(lines)

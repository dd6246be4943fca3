"""Files that came with a lead or are attached to it: kept, found and handed out, for the pages and for the API alike.

A file is handed out as a download: most of them are a stranger's. Pictures and PDFs, known by how they begin, can be looked at.
"""

from __future__ import annotations

import re
from io import BytesIO
from uuid import UUID, uuid4

import msgspec
from cryptography.exceptions import InvalidTag
from flask import Response, send_file

from hub.domain.aggregate import Stamp
from hub.domain.errors import NotFound, sentences
from hub.domain.event import ERASED
from hub.domain.events import FileRef
from hub.domain.index import ReceiptState
from hub.domain.lead import Lead
from hub.web.desk import me, now, the_hub
from hub.web.lead.links import file_refs

sentences(
    no_such_file=(
        "Такого файла в этой карточке нет, или его данные удалены. Вернитесь к карточке.",
        "This card has no such file, or its data was erased. Go back to the card.",
    ),
)

MAX_FILE = 10 * 1024 * 1024
"""Bytes of a file that people attach."""
WHO = ("work", "account")
"""Who may attach files to a lead."""
KIND = re.compile(r"[\w.+-]{1,49}/[\w.+-]{1,50}", re.ASCII)
ANY_KIND = "application/octet-stream"


def keep(lead: UUID, data: bytes, name: str, kind: str) -> FileRef:
    """Keep a file for a command to name. Refused where the person may not work on the lead (R12)."""
    hub, (version, state) = the_hub(), the_hub().streams.fresh(Lead, lead)
    if not state.exists:
        raise NotFound("no_such_lead")
    hub.allow("attach", lead, *WHO, actor=me().actor, at=now())
    Lead(lead, Stamp(me().actor, now(), uuid4()), state, version, process=hub.process).authorise(*WHO)
    digest = hub.files.put(data, state.own_subject(lead))
    return FileRef(digest, file_name(name), kind if KIND.fullmatch(kind) else ANY_KIND, len(data))


def is_kept(lead: UUID, ref: FileRef) -> bool:
    """Whether ``ref`` is what :func:`keep` gave: its content is there, and its name leads nowhere else."""
    try:
        data = the_hub().files.get(ref.digest, the_hub().lead(lead).own_subject(lead))
    except (ValueError, InvalidTag):
        return False
    return data is not None and len(data) == ref.size and ref.name == file_name(ref.name) and bool(
        KIND.fullmatch(ref.content_type))


def of_lead(lead: UUID, digest: str) -> Response:
    """A file that the lead's history names."""
    for event, ref in file_refs(the_hub().history(lead)):
        if ref.digest == digest:
            return _download(ref, event.subject)
    raise NotFound("no_such_file")


LOOKS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF87a": "image/gif", b"GIF89a": "image/gif",
         b"%PDF-": "application/pdf"}
"""Files that a browser may show, by how they begin. What a sender calls a file decides nothing."""


def look_of(data: bytes) -> str:
    """What a file may be shown as; empty for one that is only ever saved."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for beginning, kind in LOOKS.items() if data.startswith(beginning)), "")


def shown(lead: UUID, digest: str) -> Response:
    """A picture or a PDF of the lead in the browser, alone: no script, nothing from elsewhere. Any other file is saved."""
    answer = of_lead(lead, digest)
    answer.direct_passthrough = False
    kind = look_of(answer.get_data())
    if kind:
        answer.mimetype = kind
        answer.headers["Content-Disposition"] = answer.headers["Content-Disposition"].replace("attachment", "inline", 1)
        # A PDF is drawn by the browser's own viewer, which a sandbox would keep out.
        answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'" + (
            "" if kind == "application/pdf" else "; sandbox")
    return answer


def refs_of(state: ReceiptState) -> tuple[FileRef, ...]:
    """The files of a delivery in the quarantine."""
    return msgspec.json.decode(state.files, type=tuple[FileRef, ...]) if state.files and state.files != ERASED else ()


def of_receipt(receipt: UUID, state: ReceiptState, number: int) -> Response:
    """A file of a delivery, by its place from 0."""
    refs = refs_of(state)
    if number >= len(refs):
        raise NotFound("no_such_file")
    return _download(refs[number], receipt)


def _download(ref: FileRef, subject: UUID) -> Response:
    try:
        data = the_hub().files.get(ref.digest, subject)
    except (ValueError, InvalidTag):  # the stored file, or its name, was changed
        data = None
    if data is None:
        raise NotFound("no_such_file")
    answer = send_file(BytesIO(data), ANY_KIND, as_attachment=True, download_name=file_name(ref.name))
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def file_name(name: str) -> str:
    """The sender's name for a file without anything that leads elsewhere."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable() and c != '"').strip(". ")[:150].strip(". ") or "file"

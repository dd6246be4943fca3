"""One lead's history as one file that proves itself: events as stored, proofs, a checkpoint, the verifier and its description."""

from __future__ import annotations

import base64
import json
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import msgspec

from hub import __version__
from hub.audit import tree, verifier
from hub.audit.ledger import Kept, Ledger
from hub.audit.verifier import FORMAT, KEY_TOPIC, Bad, read_checkpoint
from hub.domain.audit import AUDIT_STREAM
from hub.domain.event import Event, personal_fields
from hub.domain.publication import PROCESS_STREAM
from hub.store.base import Cursor, EventStore, StoredEvent
from hub.store.errors import Unreadable

MOST_EARLIER = 400
"""Older checkpoints whose consistency is proven in an export: more than a year of daily ones."""
VERIFIER = Path(verifier.__file__)
FORMAT_PAGE = "audit-format.md"

Who = Callable[[str], str]
"""An actor (``user:<id>``, ``channel:<name>``, ``hub``) as people call it."""


class NotExported(Exception):
    """There is no export. The sentence names the way out."""


@dataclass(frozen=True)
class Request:
    """What is exported: the lead's stream and number, who is who, and a checkpoint that somebody kept (``against``)."""

    lead: UUID
    number: int
    at: datetime
    who: Who
    against: str = ""


@dataclass(frozen=True)
class Exported:
    """How many events of the lead are in the file, up to its version ``upto``, under which checkpoint."""

    events: int
    upto: int
    checkpoint: Kept


def export(ledger: Ledger, kept: Kept, request: Request, file: IO[bytes]) -> Exported:
    """Write the export of a lead under a checkpoint into ``file`` (a zip). Events after the checkpoint are not in it.

    Raises :class:`NotExported`.
    """
    store = ledger.store
    with store.reading() as cursor:
        node = ledger.nodes(cursor)
        try:
            parts = _Parts(ledger, cursor, node, kept, request.who)
            events = parts.of(request.lead, "lead")
            if not events:
                raise NotExported("the checkpoint covers no event of this lead yet: make a new one with `hub audit checkpoint`")
            published = {_process_version(e) for e in events} - {0}
            events += [e for e in parts.of(PROCESS_STREAM, "process") if e["version"] in published]
            events += [e for e in parts.of(AUDIT_STREAM, "key") if e["topic"] == KEY_TOPIC]
            earlier = _earlier(ledger.kept(cursor), kept, request.against, node)
        except LookupError as error:
            raise NotExported(f"no proof can be made ({error}): run `hub audit verify`") from error
    whole = {
        "format": FORMAT, "hub": __version__, "made_at": request.at.isoformat(),
        "lead": {"stream": str(request.lead), "number": request.number}, "checkpoint": kept.note,
        "stamp": base64.b64encode(kept.stamp).decode() if kept.stamp is not None else None, "earlier": earlier, "events": events,
    }
    _write(file, whole)
    versions = [e["version"] for e in events if e["part"] == "lead"]
    return Exported(len(versions), versions[-1], kept)


class _Parts:
    """Streams as an export has them."""

    def __init__(self, ledger: Ledger, cursor: Cursor, node: tree.Node, kept: Kept, who: Who) -> None:
        self.ledger, self.cursor, self.node, self.kept, self.who = ledger, cursor, node, kept, who
        self.store: EventStore = ledger.store

    def of(self, stream: UUID, part: str) -> list[dict[str, Any]]:
        """The events of a stream that the checkpoint covers."""
        found = []
        for row in self.store.raw(stream):
            position = self.store.position(stream, row.originator_version)
            if position > self.kept.position:
                break
            leaf = self.ledger.leaf_at(self.cursor, position)
            if leaf is None:
                raise LookupError(f"the tree does not know the event at position {position}")
            proof = tree.inclusion(self.node, leaf.number, self.kept.size)
            found.append({"part": part, "leaf": leaf.number, "stream": str(stream), "version": row.originator_version,
                          "topic": row.topic, "state": base64.b64encode(row.state).decode(), "proof": _texts(proof),
                          **self._readable(row)})
        return found

    def _readable(self, row: StoredEvent) -> dict[str, Any]:
        """What the stored bytes do not say to people: a title, who it was, and the personal fields."""
        try:
            event: Event = self.store.decode(row)
        except Unreadable as error:
            return {"title": f"unreadable ({type(error).__name__})", "who": "", "personal": {}}
        plain = msgspec.to_builtins(event, str_keys=True)
        personal = {name: plain[name] for name in personal_fields(type(event)) if plain.get(name) not in (None, "", [], {})}
        return {"title": _title(type(event)), "who": self.who(event.actor), "personal": personal}


def _title(cls: type[Event]) -> str:
    """The first sentence of what the class says of itself."""
    return " ".join((cls.__doc__ or cls.__name__).split()).partition(". ")[0].rstrip(".").replace("`", "")


def _process_version(event: dict[str, Any]) -> int:
    """The version of the process that the event was decided under, as its stored bytes say."""
    found = json.loads(base64.b64decode(event["state"])).get("process_version", 0)
    return found if isinstance(found, int) else 0


def _earlier(all_kept: Sequence[Kept], kept: Kept, against: str, node: tree.Node) -> list[dict[str, Any]]:
    """Consistency proofs from older checkpoints, the newest first, and from the one that somebody kept."""
    notes = [known.note for known in all_kept if known.size < kept.size][:MOST_EARLIER]
    if against:
        try:
            old = read_checkpoint(against)
        except Bad as bad:
            raise NotExported(f"the checkpoint that was given cannot be read ({bad})") from bad
        if old.size > kept.size:
            raise NotExported(f"the checkpoint that was given covers {old.size} events, the log has {kept.size}: it was cut, or "
                              "the checkpoint is of another log. Run `hub audit verify --checkpoint` with it")
        if old.size < kept.size and old.size not in {read_checkpoint(note).size for note in notes}:
            notes.append(against)
    return [{"checkpoint": note, "proof": _texts(tree.consistency(node, read_checkpoint(note).size, kept.size))}
            for note in notes]


def _texts(proof: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(hash).decode() for hash in proof]


def _write(file: IO[bytes], whole: dict[str, Any]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            ("export.json", json.dumps(whole, ensure_ascii=False, indent=1).encode()),
            ("history.txt", verifier.told(whole).encode()),
            ("checkpoint.txt", whole["checkpoint"].encode()),
            ("checkpoint.tsr", base64.b64decode(whole["stamp"]) if whole["stamp"] else None),
            ("verify.py", VERIFIER.read_bytes()),
            ("FORMAT.md", _format_page().read_bytes()),
        ):
            if content is not None:
                info = zipfile.ZipInfo(name, time.gmtime()[:6])
                info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(info, content)


def _format_page() -> Path:
    """The description of the format: in the package when it was installed from a wheel, in docs in a working tree."""
    packaged = Path(__file__).with_name(FORMAT_PAGE)
    return packaged if packaged.exists() else Path(__file__).parents[2] / "docs" / FORMAT_PAGE

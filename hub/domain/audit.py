"""What the log says of its own proof: which key signs its checkpoints, which checks failed, who took an export away."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from hub.domain.aggregate import Aggregate
from hub.domain.errors import Refused, sentences
from hub.domain.event import Event, topic

AUDIT_STREAM = UUID("5f0c1b52-0d8b-5b0e-9e0f-6a4c7c2f3d91")
"""The one stream of these events."""

sentences(
    audit_key_why=("Напишите, почему меняется ключ подписи.", "Say why the signing key is replaced."),
    audit_key_same=("Этот ключ уже подписывает контрольные точки: менять нечего.",
                    "This key signs the checkpoints already: there is nothing to replace."),
)


@topic("audit.key_in_force")
class SigningKeyInForce(Event, frozen=True, kw_only=True):
    """From here on this key signs the checkpoints; the one before signs none that cover this event.

    ``vkey`` is the public key in the form of C2SP signed notes, with the log's name. The private key is in no event.
    """

    vkey: str
    why: str = ""


@topic("audit.check_failed")
class AuditCheckFailed(Event, frozen=True, kw_only=True):
    """A check of the log against its tree and checkpoints found ``findings`` faults; ``first`` is the first one's code."""

    findings: int
    first: str


@topic("audit.lead_exported")
class LeadExported(Event, frozen=True, kw_only=True):
    """Somebody took the provable history of a lead away, up to its event ``upto``, with the names in it."""

    lead: UUID
    upto: int


@topic("audit.trail_exported")
class TrailExported(Event, frozen=True, kw_only=True):
    """Somebody took the audit trail away, or the part of it that ``filters`` leave (name and value; none: all of it).

    ``rows`` are the lines of the file, ``format`` is ``csv`` or ``jsonl``. Names of clients are in it.
    """

    format: str
    rows: int
    filters: dict[str, str] = {}


@topic("audit.log_exported")
class LogExported(Event, frozen=True, kw_only=True):
    """Somebody took the log of leads away for other tools. ``format`` is ``xes`` or ``ocel``; ``leads`` is how many they are.

    ``personal``: with names and addresses of clients and names of colleagues. ``since`` and ``until``: when the leads came in;
    ``only``: these leads alone.
    """

    format: str
    leads: int
    personal: bool = False
    since: datetime | None = None
    until: datetime | None = None
    only: tuple[UUID, ...] = ()


class KeyOnRecord(Struct, frozen=True):
    """A key that signs or signed. ``version`` is that of its event in the stream."""

    vkey: str
    version: int
    since: datetime


class AuditState(Struct, frozen=True):
    """All keys that ever signed, the one in force last."""

    keys: tuple[KeyOnRecord, ...] = ()


class AuditLog(Aggregate[AuditState]):
    """The stream of these events."""

    EMPTY = AuditState()

    @staticmethod
    def evolve(state: AuditState, event: Event) -> AuditState:
        if isinstance(event, SigningKeyInForce):
            return replace(state, keys=(*state.keys, KeyOnRecord(event.vkey, event.originator_version, event.at)))
        return state

    def put_in_force(self, vkey: str, why: str = "") -> None:
        """Let another key sign; the first one needs no reason."""
        if self.state.keys and not why.strip():
            raise Refused("audit_key_why", field="why")
        if self.state.keys and self.state.keys[-1].vkey == vkey:
            raise Refused("audit_key_same")
        self.record(SigningKeyInForce, vkey=vkey, why=why.strip())

    def check_failed(self, findings: int, first: str) -> None:
        """A check failed."""
        self.record(AuditCheckFailed, findings=findings, first=first)

    def exported(self, lead: UUID, upto: int) -> None:
        """A lead's history was taken away."""
        self.record(LeadExported, lead=lead, upto=upto)

    def trail_exported(self, format: str, rows: int, filters: dict[str, str]) -> None:
        """The trail was taken away."""
        self.record(TrailExported, format=format, rows=rows, filters=filters)

    def log_exported(self, format: str, leads: int, personal: bool, since: datetime | None, until: datetime | None,
                     only: tuple[UUID, ...]) -> None:
        """The log of leads was taken away."""
        self.record(LogExported, format=format, leads=leads, personal=personal, since=since, until=until, only=only)

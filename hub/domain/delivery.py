"""A delivery: what a channel makes of one inbound request, before it is anybody's lead."""

from __future__ import annotations

from msgspec import Struct


class Address(Struct, frozen=True, gc=False):
    """One way to reach a person. ``value`` is normalised and ties deliveries together (R6).

    ``kind`` is ``phone`` (E.164), ``email`` (lower case), ``vk``, ``telegram`` or ``whatsapp``.
    ``raw`` is what was written; ``extension`` is a phone's extension.
    """

    kind: str
    value: str
    raw: str = ""
    extension: str = ""


class Consent(Struct, frozen=True):
    """Consent to processing of personal data: the text that was shown, and whether it was ticked."""

    version: str
    text_sha256: str
    given: bool
    ip: str = ""
    page: str = ""


class File(Struct, frozen=True):
    """An attached file as it came. ``name`` is the sender's and is never trusted as a path."""

    name: str
    content_type: str
    data: bytes


class Later(Struct, frozen=True):
    """Something of a delivery that lies with its provider and is fetched after the delivery is stored.

    ``kind`` is ``file`` (a photo, a recording) or ``person`` (the writer's name). ``ref`` is what the channel needs to
    fetch it; ``name``, ``content_type`` and ``size`` (bytes, 0 where not known) are the provider's word.
    """

    kind: str
    ref: str
    name: str = ""
    content_type: str = ""
    size: int = 0


class Delivery(Struct, frozen=True, kw_only=True):
    """One inbound request, verified and normalised by its channel and nothing else (R1).

    ``channel`` is ``phone``, ``social``, ``email`` or ``website``; ``source`` is the account in it
    (a form's id, a mailbox). ``delivery_id`` with these two makes the delivery the same delivery
    when it is repeated; it is empty where the sender gave none, and then ``fingerprint`` of the
    content marks a possible duplicate. ``payload_digest`` is a keyed-by-nobody sha256 of the raw
    body: the same ``delivery_id`` with another digest is a conflict. ``suspicion`` names why a
    person should look first: the delivery then goes to the quarantine. ``fields`` keeps every
    field of the sender word for word, the unknown ones included. ``raw`` is the whole body as text.

    ``anywhere``: the id is one in the whole channel, whichever account it came to (a letter to two mailboxes).
    ``names`` are what this message is called in its channel, unique over all channels (``telegram/77/1/5``, a
    Message-ID): later messages and facts find its card by them. ``threads`` are names of messages that it answers,
    the nearest first: they lead to a card before any address does. ``edits`` is the name of a message that
    this one replaces; where that one is not known it is a message by itself. ``revision`` grows with every change
    that the client makes to the message (0: never changed): an older text that comes late never replaces a newer one.
    ``written``: it came by telephone and is no call (SMS, WhatsApp), so that nobody is on the line (R3).
    ``quiet``: it starts no clocks and tells nobody (rows of a file that is imported). ``apart``: it begins a card of its own
    even where its sender has an open one.
    ``later`` is fetched after it is stored. ``automatic``: a program answered (out of office): it joins the open card
    that it finds, asks for no answer and opens none; where it finds none it waits in the quarantine.
    """

    channel: str
    source: str
    source_title: str = ""
    delivery_id: str = ""
    payload_digest: str = ""
    fingerprint: str = ""
    suspicion: str = ""
    name: str = ""
    company: str = ""
    text: str = ""
    subject_line: str = ""
    addresses: tuple[Address, ...] = ()
    timezone: str = ""
    convenient_time: str = ""
    budget: str = ""
    region: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    attribution: tuple[tuple[str, str], ...] = ()
    consent: Consent | None = None
    files: tuple[File, ...] = ()
    raw: str = ""
    content_type: str = ""
    ip: str = ""
    test: bool = False
    anywhere: bool = False
    names: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    edits: str = ""
    revision: int = 0
    written: bool = False
    later: tuple[Later, ...] = ()
    automatic: bool = False
    quiet: bool = False
    apart: bool = False

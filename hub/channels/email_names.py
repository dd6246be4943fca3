"""What letters are called: a Message-ID names a message, and one of ours has our fixed id in it."""

from __future__ import annotations

import re
from uuid import UUID

from hub.domain.fact import own_name

_ID = re.compile(r"<[^<>\s]{1,900}>")
_OURS = re.compile(r"(?<![0-9a-f])([0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?![0-9a-f])")


def message_ids(header: str) -> tuple[str, ...]:
    """All Message-IDs in a header, ``<…>`` each, in order and each once; folding and junk between them are left out."""
    found = _ID.findall(header.replace("\r", "").replace("\n", ""))
    return tuple(dict.fromkeys(found or _ID.findall(" ".join(f"<{word}>" for word in header.split() if "@" in word))))


def our_message_id(id: UUID, domain: str) -> str:
    """The Message-ID of a message of ours: the same however often it is tried."""
    return f"<{id.hex}@{domain}>"


def ours_in(text: str) -> tuple[str, ...]:
    """Names ``out/<id>`` of messages of ours that a Message-ID or an address with a plus holds."""
    return tuple(dict.fromkeys(own_name(found.replace("-", "")) for found in _OURS.findall(text.lower())))

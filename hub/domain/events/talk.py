"""Messages of ours and how they fared, and what of a client's message came after it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from hub.domain.event import PERSONAL, Event, Personal, topic
from hub.domain.events.intake import FileRef

__all__ = ["FetchAsked", "FetchEnded", "FileFetched", "MessageAsked", "MessageEdited", "MessageFailed", "MessageReached",
           "MessageSent", "MessageUnknown"]


@topic("lead.message_asked")
class MessageAsked(Event, frozen=True, kw_only=True):
    """A person asked for a message to the client. Its event id is the fixed id under which it is sent, however often tried.

    ``account`` is the channel account that sends it; ``answers`` names the client's message that it answers;
    ``again`` the message of ours that it repeats; ``letter`` the letter that it carries; ``automatic``: the hub itself answers.
    """

    message: int
    way: str
    account: str
    person_id: UUID | None = None
    again: int = 0
    letter: int = 0
    automatic: bool = False
    to: Personal = ""
    answers: Personal = ""
    subject_line: Personal = ""
    text: Personal = ""
    html: Personal = ""
    files: Annotated[tuple[FileRef, ...], PERSONAL] = ()


@topic("lead.message_sent")
class MessageSent(Event, frozen=True, kw_only=True):
    """The provider took it. ``names`` are what it is called there; ``by_hand`` where a person says so."""

    message: int
    by_hand: bool = False
    names: Annotated[tuple[str, ...], PERSONAL] = ()


@topic("lead.message_reached")
class MessageReached(Event, frozen=True, kw_only=True):
    """The provider says how far it came. ``status``: ``delivered`` or ``read``."""

    message: int
    status: str


@topic("lead.message_failed")
class MessageFailed(Event, frozen=True, kw_only=True):
    """It did not reach the client and is not tried any more. ``code`` is a sentence ``out_<code>``, ``why`` the provider's."""

    message: int
    code: str
    why: Personal = ""


@topic("lead.message_unknown")
class MessageUnknown(Event, frozen=True, kw_only=True):
    """Nobody can say whether it left: the connection or the hub broke off after the request had gone out."""

    message: int
    code: str
    why: Personal = ""


@topic("lead.message_edited")
class MessageEdited(Event, frozen=True, kw_only=True):
    """The client changed what they had written. ``revision`` grows with every change: an older one never comes after a newer."""

    message: int
    text: Personal = ""
    revision: int = 0


@topic("lead.fetch_asked")
class FetchAsked(Event, frozen=True, kw_only=True):
    """Something of a client's message lies with its provider and is to be fetched. ``kind``: ``file`` or ``person``."""

    fetch: int
    kind: str
    message: int
    person_id: UUID | None = None
    account: str = ""
    size: int = 0
    ref: Personal = ""
    name: Personal = ""
    content_type: Personal = ""


@topic("lead.file_fetched")
class FileFetched(Event, frozen=True, kw_only=True):
    """A file of a client's message came."""

    fetch: int
    message: int
    files: Annotated[tuple[FileRef, ...], PERSONAL] = ()


@topic("lead.fetch_ended")
class FetchEnded(Event, frozen=True, kw_only=True):
    """Fetching is over without a file: what was to be learned is learned, or it cannot be had. ``code`` is a sentence
    ``fetch_<code>``, empty where nothing is wrong."""

    fetch: int
    message: int
    code: str = ""

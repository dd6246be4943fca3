"""What the contract of channels says of sending and fetching: a message, what is known after a try, and what went wrong.

Channels import these from :mod:`hub.channels.base`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub.domain.delivery import File
from hub.domain.outgoing import Invitation


@dataclass(frozen=True)
class Outgoing:
    """A message of ours to be sent. ``id`` never changes, however often it is tried: make Message-ID or random_id of it.

    ``answers`` is the name of the message that it answers, empty where there is none. ``first_id`` is the id of the
    message that it repeats, where it does: what receivers know repeats by is made of that one. ``automatic``: a program
    answers, so that no other program may answer it. ``invitation`` is a calendar entry that it carries.
    """

    id: UUID
    way: str
    to: str
    text: str = ""
    subject: str = ""
    html: str = ""
    files: tuple[File, ...] = ()
    answers: str = ""
    asked_at: datetime | None = None
    first_id: UUID | None = None
    automatic: bool = False
    invitation: Invitation | None = None


@dataclass(frozen=True)
class Sent:
    """The provider took it; ``names`` are what it is called there (facts about it name one of them)."""

    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failed:
    """It was not taken and will not be: a sentence ``out_<code>``, and the provider's own words."""

    code: str
    why: str = ""


@dataclass(frozen=True)
class Retry:
    """It certainly did not leave, and may another time. ``seconds`` is the provider's wish; ``whole``: the account rests."""

    why: str
    seconds: float = 0.0
    whole: bool = False


@dataclass(frozen=True)
class Unknown:
    """The request went out and no answer came: it may have left."""

    why: str


Result = Sent | Failed | Retry | Unknown


class NotThere(Exception):
    """What should be fetched cannot be had. ``code`` is a sentence ``fetch_<code>``."""

    def __init__(self, code: str = "gone") -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Fetched:
    """What was fetched of a :class:`Later`: a file, or the writer's name, city and time zone (IANA)."""

    file: File | None = None
    name: str = ""
    timezone: str = ""
    place: str = ""


class Trouble(Exception):
    """The channel does not work now: a sentence for the status page without secrets. ``seconds``: not before that."""

    def __init__(self, why: str, seconds: float = 0.0) -> None:
        super().__init__(why)
        self.why = why
        self.seconds = seconds

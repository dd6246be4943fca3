"""What the hub reads of Telegram's updates, after the Bot API's documentation (core.telegram.org/bots/api).

Structs of our own rather than a library's: the kept libraries are frameworks with a loop, a client and a hundred
types of their own, and the hub needs a dozen fields. What is not named here is ignored, and stays in the raw delivery.
"""

from __future__ import annotations

from msgspec import Struct, field


class User(Struct, frozen=True):
    """Who wrote."""

    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    language_code: str = ""


class Chat(Struct, frozen=True):
    """Where it was written. ``type``: ``private``, ``group``, ``supergroup``, ``channel``."""

    id: int
    type: str


class PhotoSize(Struct, frozen=True):
    """One size of a photo; the last of a message's list is the largest."""

    file_id: str
    file_size: int = 0


class Attached(Struct, frozen=True):
    """A document, a voice message, an audio or a video: they have these fields in common."""

    file_id: str
    file_name: str = ""
    mime_type: str = ""
    file_size: int = 0


class SharedContact(Struct, frozen=True):
    """A phone number that was shared; ``user_id`` is whose it is, where that person uses Telegram."""

    phone_number: str
    first_name: str = ""
    last_name: str = ""
    user_id: int = 0


class Sticker(Struct, frozen=True):
    """A sticker: only its emoji says something."""

    emoji: str = ""


class Location(Struct, frozen=True):
    """A place on the map."""

    latitude: float
    longitude: float


class Answered(Struct, frozen=True):
    """The message that was answered."""

    message_id: int


class Message(Struct, frozen=True):
    """A message in a chat."""

    message_id: int
    chat: Chat
    date: int = 0
    edit_date: int = 0
    sender: User | None = field(default=None, name="from")
    text: str = ""
    caption: str = ""
    contact: SharedContact | None = None
    photo: tuple[PhotoSize, ...] = ()
    document: Attached | None = None
    voice: Attached | None = None
    audio: Attached | None = None
    video: Attached | None = None
    video_note: Attached | None = None
    sticker: Sticker | None = None
    location: Location | None = None
    reply_to_message: Answered | None = None
    media_group_id: str = ""


class Update(Struct, frozen=True):
    """One update; exactly one of its messages is there. Other kinds of updates have neither."""

    update_id: int
    message: Message | None = None
    edited_message: Message | None = None


ALLOWED = ("message", "edited_message")
"""The kinds of updates that the hub asks for."""

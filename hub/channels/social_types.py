"""What the hub reads of VK's events, after VK's own schema (github.com/VKCOM/vk-api-schema, version 5.199).

What is not named here is ignored and stays in the raw delivery. Attachments stay as they came: VK adds kinds, and one that
is odd must not cost the words beside it.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

CHATS = 2_000_000_000
"""Peers from here on are chats of several people."""


class Event(Struct, frozen=True):
    """One event, as the Callback API posts it and the long poll lists it."""

    type: str
    group_id: int
    object: Raw = Raw(b"{}")
    event_id: str = ""
    secret: str = ""


class Message(Struct, frozen=True):
    """A message. ``user_id`` and ``body`` are what ``from_id`` and ``text`` were called before version 5.80."""

    id: int = 0
    date: int = 0
    peer_id: int = 0
    from_id: int = 0
    user_id: int = 0
    out: int | bool = 0
    text: str = ""
    body: str = ""
    conversation_message_id: int = 0
    random_id: int = 0
    update_time: int = 0
    payload: str = ""
    ref: str = ""
    ref_source: str = ""
    is_cropped: bool = False
    attachments: tuple[Any, ...] = ()
    fwd_messages: tuple[Any, ...] = ()
    reply_message: Answered | None = None
    geo: Any = None
    action: Any = None

    @property
    def writer(self) -> int:
        """Who wrote: a person above 0, a community below."""
        return self.from_id or self.user_id

    @property
    def peer(self) -> int:
        """The conversation."""
        return self.peer_id or self.writer

    @property
    def words(self) -> str:
        """What was written."""
        return self.text or self.body


class Answered(Struct, frozen=True):
    """The message that was answered."""

    id: int = 0
    from_id: int = 0
    conversation_message_id: int = 0


class Holder(Struct, frozen=True):
    """The object of an event of version 5.103 and later; before it was the message itself."""

    message: Message | None = None


class Said(Struct, frozen=True):
    """An answer in a lead form. ``answer`` is a text, or several."""

    key: str = ""
    question: str = ""
    answer: Any = ""


class LeadForm(Struct, frozen=True):
    """A filled-in lead form."""

    lead_id: int
    form_id: int = 0
    form_name: str = ""
    user_id: int = 0
    ad_id: int = 0
    answers: tuple[Said, ...] = ()


class Price(Struct, frozen=True):
    """A sum in words."""

    text: str = ""


class Named(Struct, frozen=True):
    """What the shop sells."""

    title: str = ""


class Item(Struct, frozen=True):
    """A line of an order."""

    title: str = ""
    quantity: int = 1
    item: Named | None = None


class Recipient(Struct, frozen=True):
    """Who gets an order."""

    name: str = ""
    phone: str = ""


class Order(Struct, frozen=True):
    """An order in the community's shop."""

    id: int
    user_id: int = 0
    display_order_id: str = ""
    comment: str = ""
    total_price: Price = Price()
    preview_order_items: tuple[Item, ...] = ()
    recipient: Recipient = Recipient()


class Comment(Struct, frozen=True):
    """A public comment, under a post, an item of the shop or in a discussion."""

    id: int
    from_id: int = 0
    text: str = ""
    owner_id: int = 0
    post_id: int = 0
    topic_id: int = 0
    topic_owner_id: int = 0
    item_id: int = 0
    market_owner_id: int = 0


EVENTS = msgspec.json.Decoder(Event)
MESSAGES = msgspec.json.Decoder(Message)
HOLDERS = msgspec.json.Decoder(Holder)
LEAD_FORMS = msgspec.json.Decoder(LeadForm)
ORDERS = msgspec.json.Decoder(Order)
COMMENTS = msgspec.json.Decoder(Comment)
"""Made once by one thread: msgspec works a class out at its first use, which two threads must not do at once."""

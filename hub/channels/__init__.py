"""Channels: each turns requests of one provider into plain deliveries and facts, and our messages into its requests.

One file a channel, and one line here. The website is a channel without accounts: its forms are made on their page.
"""

from hub.channels.base import Channel
from hub.channels.email import Email
from hub.channels.phone_twilio import Twilio
from hub.channels.social import Vk
from hub.channels.telegram import Telegram

KINDS: dict[str, type[Channel]] = {channel.kind: channel for channel in (Telegram, Vk, Twilio, Email)}
"""Every kind of channel that an account can be set up for."""

__all__ = ["KINDS", "Channel"]

"""What the hub sends to other programs: the message of an event, signed and posted."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from hub import __version__
from hub.domain.event import Event, personal_fields
from hub.domain.webhook import WebhookState
from hub.store.base import EventStore
from hub.webhooks.guard import Guard
from hub.webhooks.outbox import Outbox
from hub.webhooks.post import Answer, Poster
from hub.webhooks.signing import headers

TEST = "webhook.test"
"""The type of a message that a person has sent to try the receiver."""
FRAME = frozenset(Event.__struct_fields__)


class Outgoing:
    """The outbox, and how one message leaves. One for each process."""

    def __init__(self, store: EventStore, key: bytes) -> None:
        """``key``: 32 bytes that secrets are sealed with."""
        self.outbox = Outbox(store, key)
        self.poster = Poster(Guard())

    def allow(self, internal: tuple[str, ...]) -> None:
        """Send to these internal hosts and networks as well (``HUB_WEBHOOK_ALLOW``)."""
        self.poster = Poster(Guard(internal), self.poster.limits)

    def send(self, subscription: UUID, state: WebhookState, id: str, message: dict[str, Any], now: datetime) -> Answer:
        """Sign and post one message. Takes as long as the poster's limits allow."""
        keys = self.outbox.secrets(subscription, now)
        if not keys:
            return Answer(0, "webhook_no_secret")
        body = msgspec.json.encode(message)
        about = {"Content-Type": "application/json", "User-Agent": f"lead-hub/{__version__}"}
        return self.poster.post(state.url, {**about, **headers(keys, id, now, body)}, body)

    def test(self, subscription: UUID, state: WebhookState, now: datetime) -> Answer:
        """Send a test message now, outside the queue."""
        message = {"type": TEST, "timestamp": now.isoformat(), "data": {"subscription": str(subscription), "name": state.name}}
        return self.send(subscription, state, f"test_{uuid4().hex}", message, now)


def message_id(event: Event, subscription: UUID) -> str:
    """The same for every try to send this event to this subscription, whoever tries."""
    return f"msg_{event.event_id.hex}_{subscription.hex}"


def message(event: Event, position: int, number: int | None, personal: bool) -> dict[str, Any]:
    """What is sent of an event. ``number`` is the lead's, where it is known by now.

    Without ``personal`` the personal fields are left out, and so is the id of the person's key.
    """
    hidden = FRAME if personal else FRAME | set(personal_fields(type(event)))
    whole = msgspec.to_builtins(event)
    fields = {name: msgspec.to_builtins(getattr(event, name), str_keys=True) for name in type(event).__struct_fields__
              if name not in hidden}
    frame = {name: whole[name] for name in ("actor", "recorded_at", "correlation_id", "causation_id") if name in whole}
    data = {"lead": str(event.originator_id), "number": number, "version": event.originator_version, "position": position,
            "event": str(event.event_id), "at": whole["at"], "process_version": event.process_version, **frame, "fields": fields}
    if personal and event.subject is not None:
        data["subject"] = str(event.subject)
    return {"type": event.TOPIC, "timestamp": whole["at"], "data": data}

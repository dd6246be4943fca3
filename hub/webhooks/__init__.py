"""Events of leads sent to other programs: signed, retried, in each lead's order, to public addresses only."""

from hub.webhooks.outbox import Delivery, Standing
from hub.webhooks.outgoing import Outgoing
from hub.webhooks.post import Answer
from hub.webhooks.sender import Sender
from hub.webhooks.signing import make_secret

__all__ = ["Answer", "Delivery", "Outgoing", "Sender", "Standing", "make_secret"]

"""Subscriptions of other programs: which events of leads are sent where, and what could not be delivered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import asdict

from hub.domain.errors import NotFound
from hub.domain.webhook import Webhook, WebhookState
from hub.web.api.base import endpoint
from hub.web.api.leads import Limit, Place
from hub.web.api.schema import LARGEST
from hub.web.desk import me, now, settle, the_hub

TAG = "Webhooks"
WHO = ("admin",)


class Subscription(Struct, frozen=True, kw_only=True):
    """A subscription and how it does: it has read the log up to ``position``; ``failing_since`` nothing arrived."""

    id: UUID
    webhook: WebhookState
    position: int
    last_success: datetime | None
    failing_since: datetime | None
    waiting: int
    sent: int
    dead: int


class Subscriptions(Struct, frozen=True):
    """All that have not ended, by name."""

    items: list[Subscription]


def _subscription(id: UUID, state: WebhookState) -> Subscription:
    does = the_hub().outgoing.outbox.standing(id, state.after)
    return Subscription(id=id, webhook=state, position=does.position, last_success=does.last_success, dead=does.dead,
                        failing_since=does.failing_since, waiting=does.waiting, sent=does.sent)


def _there(webhook: UUID) -> WebhookState:
    state: WebhookState = the_hub().streams.fresh(Webhook, webhook)[1]
    if not state.name or state.removed:
        raise NotFound("no_such_webhook")
    return state


def _now(webhook: UUID) -> Subscription:
    settle()
    return _subscription(webhook, _there(webhook))


@endpoint("GET", "/webhooks", tag=TAG, gives=Subscriptions, scopes=WHO)
def list_webhooks() -> Subscriptions:
    """Subscriptions and how they do."""
    found = sorted(the_hub().webhooks().items(), key=lambda pair: pair[1].name.casefold())
    return Subscriptions([_subscription(id, state) for id, state in found if not state.removed])


@endpoint("GET", "/webhooks/<uuid:webhook>", tag=TAG, gives=Subscription, scopes=WHO)
def get_webhook(webhook: UUID) -> Subscription:
    """One subscription."""
    return _subscription(webhook, _there(webhook))


class WebhookBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent where. No ``topics``: all events of leads. ``personal``: with personal data."""

    name: str
    url: str
    topics: list[str] = []
    personal: bool = False


class NewWebhook(WebhookBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent where, from which event on."""

    after: Annotated[Annotated[int, Meta(ge=0, le=LARGEST)] | None,
                     Meta(description="Events after this position of the log; those from now on when null.")] = None


class WithSecret(Struct, frozen=True):
    """A subscription and the secret that signs what it is sent. The secret is told here and never again."""

    subscription: Subscription
    secret: str


@endpoint("POST", "/webhooks", tag=TAG, body=NewWebhook, gives=WithSecret, scopes=WHO, status=201)
def add_webhook(body: NewWebhook) -> WithSecret:
    """Subscribe to events of leads. A program that loses the answer removes the subscription that it then finds."""
    id, secret = the_hub().add_webhook(body.name, body.url, tuple(body.topics), personal=body.personal, after=body.after,
                                       actor=me().actor, at=now())
    return WithSecret(_now(id), secret)


@endpoint("PUT", "/webhooks/<uuid:webhook>", tag=TAG, body=WebhookBody, gives=Subscription, scopes=WHO)
def edit_webhook(webhook: UUID, body: WebhookBody) -> Subscription:
    """Change what is sent, or where."""
    the_hub().edit_webhook(webhook, **{**asdict(body), "topics": tuple(body.topics)}, actor=me().actor, at=now())
    return _now(webhook)


class Renewal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the old secret goes on signing beside the new one for a day."""

    keep_old: bool = True


@endpoint("POST", "/webhooks/<uuid:webhook>/secret", tag=TAG, body=Renewal, gives=WithSecret, scopes=WHO)
def renew_webhook_secret(webhook: UUID, body: Renewal) -> WithSecret:
    """Another secret; `keep_old` false where the old one leaked."""
    secret = the_hub().renew_webhook_secret(webhook, keep_old=body.keep_old, actor=me().actor, at=now())
    return WithSecret(_now(webhook), secret)


class Tested(Struct, frozen=True):
    """What the receiver answered: its status (0: none came), and why it did not arrive (empty: it did)."""

    status: int
    fault: str


@endpoint("POST", "/webhooks/<uuid:webhook>/test", tag=TAG, gives=Tested, scopes=WHO)
def test_webhook(webhook: UUID) -> Tested:
    """Send a test message now and wait for the answer."""
    answer = the_hub().test_webhook(webhook, actor=me().actor, at=now())
    return Tested(answer.status, answer.fault)


@endpoint("POST", "/webhooks/<uuid:webhook>/pause", tag=TAG, gives=Subscription, scopes=WHO)
def pause_webhook(webhook: UUID) -> Subscription:
    """Send nothing for now; nothing is lost."""
    the_hub().change(Webhook, webhook, lambda w: w.pause(), actor=me().actor, at=now())
    return _now(webhook)


@endpoint("POST", "/webhooks/<uuid:webhook>/resume", tag=TAG, gives=Subscription, scopes=WHO)
def resume_webhook(webhook: UUID) -> Subscription:
    """Send again, beginning with what waits."""
    the_hub().resume_webhook(webhook, actor=me().actor, at=now())
    return _now(webhook)


@endpoint("POST", "/webhooks/<uuid:webhook>/remove", tag=TAG, scopes=WHO, status=204)
def remove_webhook(webhook: UUID) -> None:
    """End the subscription; its secrets and what still waited go with it."""
    the_hub().remove_webhook(webhook, actor=me().actor, at=now())
    settle()


# ── what was sent and what was not ───────────────────────────────────────────────


class DeliveriesQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which of them, the newest event first."""

    state: Literal["waiting", "sent", "dead", "dropped"] = "dead"
    limit: Limit = 100


class Sending(Struct, frozen=True, kw_only=True):
    """An event on its way to a subscription: the lead's event ``version``, at ``position`` of the log."""

    position: int
    lead: UUID
    version: int
    type: str
    state: str
    attempts: int
    tried: datetime | None
    status: int
    fault: str


class Sendings(Struct, frozen=True):
    """Of one subscription."""

    items: list[Sending]


@endpoint("GET", "/webhooks/<uuid:webhook>/deliveries", tag=TAG, query=DeliveriesQuery, gives=Sendings, scopes=WHO)
def list_webhook_deliveries(webhook: UUID, query: DeliveriesQuery) -> Sendings:
    """Dead letters, or what waits, was sent or dropped."""
    _there(webhook)
    found = the_hub().outgoing.outbox.listed(webhook, (query.state,), query.limit)
    return Sendings([Sending(position=d.position, lead=d.lead, version=d.version, type=d.topic, state=d.state, tried=d.tried,
                             attempts=d.attempts, status=d.status, fault=d.fault) for d in found])


class DeadLetter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which dead letter."""

    position: Place


@endpoint("POST", "/webhooks/<uuid:webhook>/send-again", tag=TAG, body=DeadLetter, scopes=WHO, status=204)
def send_again_to_webhook(webhook: UUID, body: DeadLetter) -> None:
    """Send a dead letter again, with all its tries."""
    the_hub().settle_dead(webhook, body.position, again=True, actor=me().actor, at=now())


@endpoint("POST", "/webhooks/<uuid:webhook>/drop", tag=TAG, body=DeadLetter, scopes=WHO, status=204)
def drop_for_webhook(webhook: UUID, body: DeadLetter) -> None:
    """Give a dead letter up."""
    the_hub().settle_dead(webhook, body.position, again=False, actor=me().actor, at=now())

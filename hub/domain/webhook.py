"""Subscriptions of other programs: which events of leads are sent where. Secrets are kept apart and are never in events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from hub.domain import events
from hub.domain.aggregate import Aggregate
from hub.domain.errors import NotFound, Refused, sentences
from hub.domain.event import TOPICS, Event, topic

LONGEST_NAME = 100
BY_PERSON, GONE, FAILING = "person", "gone", "failing"
"""Why a subscription is paused: somebody said so, its receiver answered 410 Gone, nothing arrived for days."""

sentences(
    no_such_webhook=("Такой подписки нет. Обновите страницу.", "There is no such subscription. Reload the page."),
    webhook_name=("Назовите подписку: от 1 до {most} знаков.", "Name the subscription: 1 to {most} characters."),
    webhook_topic=("Нет события «{given}». Выберите из списка.", "There is no event “{given}”. Choose from the list."),
    webhook_start=("Позиция начала — целое число от 0 до {head}, номера последнего события.",
                   "The position to begin after is a whole number from 0 to {head}, that of the newest event."),
)


def lead_topics() -> tuple[str, ...]:
    """The events that can be subscribed to: all of leads."""
    return tuple(sorted(cls.TOPIC for cls in TOPICS.values() if cls.__module__.startswith(events.__name__)))


@topic("webhook.added")
class WebhookAdded(Event, frozen=True, kw_only=True):
    """Another program is sent events of leads: those after position ``after`` of the log. No ``topics``: all of them."""

    name: str
    url: str
    topics: tuple[str, ...] = ()
    personal: bool = False
    after: int = 0


@topic("webhook.edited")
class WebhookEdited(Event, frozen=True, kw_only=True):
    """What is sent, or where, changed; from the next event on."""

    name: str
    url: str
    topics: tuple[str, ...] = ()
    personal: bool = False


@topic("webhook.secret_renewed")
class WebhookSecretRenewed(Event, frozen=True, kw_only=True):
    """The secret that signs was replaced; the old one signs as well until ``old_until``. Neither is in the log."""

    old_until: datetime


@topic("webhook.paused")
class WebhookPaused(Event, frozen=True, kw_only=True):
    """Nothing is sent for now. ``why``: person, gone (the receiver answered 410), failing (nothing arrived for days)."""

    why: str


@topic("webhook.resumed")
class WebhookResumed(Event, frozen=True, kw_only=True):
    """Sending goes on where it stopped."""


@topic("webhook.removed")
class WebhookRemoved(Event, frozen=True, kw_only=True):
    """The subscription ended; its secrets and what still waited are deleted."""


@topic("webhook.sent_again")
class WebhookSentAgain(Event, frozen=True, kw_only=True):
    """Somebody had the event at ``position`` of the log sent again after all tries had failed."""

    position: int


@topic("webhook.dropped")
class WebhookDropped(Event, frozen=True, kw_only=True):
    """Somebody decided that the event at ``position`` of the log, which could not be delivered, is not sent any more."""

    position: int


class WebhookState(Struct, frozen=True):
    """A subscription. ``paused`` says why, and is empty while events are sent."""

    name: str = ""
    url: str = ""
    topics: tuple[str, ...] = ()
    personal: bool = False
    after: int = 0
    paused: str = ""
    paused_at: datetime | None = None
    old_secret_until: datetime | None = None
    removed: bool = False

    @property
    def sends(self) -> bool:
        """Whether events are sent now."""
        return bool(self.name) and not self.paused and not self.removed

    def wants(self, topic: str) -> bool:
        """Whether events of ``topic`` are sent."""
        return topic in self.topics if self.topics else topic.startswith("lead.")


class Webhook(Aggregate[WebhookState]):
    """A subscription of another program."""

    EMPTY = WebhookState()

    @staticmethod
    def evolve(state: WebhookState, event: Event) -> WebhookState:
        match event:
            case WebhookAdded():
                return WebhookState(event.name, event.url, event.topics, event.personal, event.after)
            case WebhookEdited():
                return replace(state, name=event.name, url=event.url, topics=event.topics, personal=event.personal)
            case WebhookSecretRenewed():
                return replace(state, old_secret_until=event.old_until)
            case WebhookPaused():
                return replace(state, paused=event.why, paused_at=event.at)
            case WebhookResumed():
                return replace(state, paused="", paused_at=None)
            case WebhookRemoved():
                return replace(state, removed=True)
        return state

    def add(self, name: str, url: str, topics: Iterable[str], personal: bool, after: int, head: int) -> None:
        """Subscribe to events after position ``after`` of a log whose newest event is at ``head``."""
        if not 0 <= after <= head:
            raise Refused("webhook_start", field="after", head=head)
        name, wanted = self._checked(name, topics)
        self.record(WebhookAdded, name=name, url=url, topics=wanted, personal=personal, after=after)

    def edit(self, name: str, url: str, topics: Iterable[str], personal: bool) -> None:
        """Change what is sent, or where."""
        self.there()
        name, wanted = self._checked(name, topics)
        s = self.state
        if (name, url, wanted, personal) != (s.name, s.url, s.topics, s.personal):
            self.record(WebhookEdited, name=name, url=url, topics=wanted, personal=personal)

    @staticmethod
    def _checked(name: str, topics: Iterable[str]) -> tuple[str, tuple[str, ...]]:
        name, known = " ".join(name.split()), lead_topics()
        if not 0 < len(name) <= LONGEST_NAME:
            raise Refused("webhook_name", field="name", most=LONGEST_NAME)
        wanted = tuple(sorted(set(topics)))
        for given in wanted:
            if given not in known:
                raise Refused("webhook_topic", field="topics", given=given)
        return name, wanted

    def secret_renewed(self, old_until: datetime) -> None:
        """Record that another secret signs; the old one too until ``old_until``."""
        self.there()
        self.record(WebhookSecretRenewed, old_until=old_until)

    def pause(self, why: str = BY_PERSON) -> None:
        """Send nothing for now."""
        self.there()
        if not self.state.paused:
            self.record(WebhookPaused, why=why)

    def resume(self) -> None:
        """Go on sending where it stopped."""
        self.there()
        if self.state.paused:
            self.record(WebhookResumed)

    def remove(self) -> None:
        """End the subscription. It cannot be taken up again."""
        self.there()
        self.record(WebhookRemoved)

    def send_again(self, position: int) -> None:
        """Record that the event at ``position`` is sent again."""
        self.there()
        self.record(WebhookSentAgain, position=position)

    def drop(self, position: int) -> None:
        """Record that the event at ``position`` is not sent any more."""
        self.there()
        self.record(WebhookDropped, position=position)

    def there(self) -> None:
        """Refuse where there is no such subscription (any more)."""
        if not self.state.name or self.state.removed:
            raise NotFound("no_such_webhook")

"""The sender: takes events from the log into the queue and out to the receivers, each lead's in their order."""

from __future__ import annotations

import logging
import math
import random
import re
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Event as Flag
from threading import Lock
from typing import Protocol
from uuid import UUID, uuid4

from hub.domain.errors import sentences
from hub.domain.webhook import FAILING, GONE, WebhookState
from hub.store import Unavailable, Unreadable
from hub.webhooks.outbox import PAGE, Delivery
from hub.webhooks.outgoing import Outgoing, message, message_id
from hub.webhooks.post import Answer

log = logging.getLogger(__name__)

RETRIES = tuple(timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18_000, 36_000, 36_000, 72_000, 86_400))
"""Waits before the second try and each one after it: three days together. Then the event is a dead letter."""
JITTER = 0.2
"""Each wait is up to this part shorter or longer, so that what failed together does not come back together."""
WAIT_MOST = timedelta(hours=12)
"""The longest wait that a receiver may ask for (Retry-After)."""
FAILING_FOR = timedelta(days=3)
"""A subscription of which nothing arrived for so long is paused."""
PARALLEL = 4
"""Messages on their way to one receiver at a time; one while it fails."""
THREADS = 16
PAGES = 20
"""Pages of the log that are looked through for one subscription before the next one has its turn."""
LEASE, LEASE_SECONDS = "webhooks", 30.0
"""One worker sends. The lease outlasts every message that is on its way, so that the next worker repeats few of them."""
LONGEST_SLEEP = 1.0
"""Seconds between two looks at what is due."""
TIDY_EVERY = timedelta(minutes=10)

sentences(
    webhook_no_secret=("Секрет подписки не открывается: у хаба теперь другой HUB_SECRET_KEY. Смените секрет подписки.",
                       "The subscription's secret does not open: the hub has another HUB_SECRET_KEY now. Renew the secret."),
    webhook_unreadable=("Это событие не читается из журнала. Отправить его нельзя.",
                        "This event cannot be read from the log. It cannot be sent."),
    webhook_fault=("Ошибка хаба, подробности в его журнале.", "A fault of the hub; its log tells more."),
)


class Leases(Protocol):
    """Who does what only one may do; see ``hub.store``."""

    def hold(self, name: str, holder: str, seconds: float) -> bool: ...
    def free(self, name: str, holder: str) -> object: ...


class Sender:
    """Sends at least once: what was sent and not marked before a crash is sent again under the same id.

    Reads nothing but the list of subscriptions while nobody is subscribed.
    """

    def __init__(self, outgoing: Outgoing, subscriptions: Callable[[], dict[UUID, WebhookState]],
                 pause: Callable[[UUID, str, datetime], object], number: Callable[[UUID], int | None], leases: Leases,
                 clock: Callable[[], datetime], chance: Callable[[], float] = random.random) -> None:
        """``pause`` records that a subscription is paused and why; ``number`` tells a lead's number; ``chance`` is
        from 0 to 1."""
        self.outgoing = outgoing
        self.outbox = outgoing.outbox
        self.subscriptions = subscriptions
        self.pause = pause
        self.number = number
        self.leases = leases
        self.clock = clock
        self.chance = chance
        self.holder = uuid4().hex
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="webhooks")
        self._flying: set[tuple[UUID, UUID]] = set()
        self._lock = Lock()
        self._landing = Flag()
        self._held_at = -math.inf
        self._tidy_at: datetime | None = None

    def run(self, stop: Flag) -> None:
        """Send until ``stop`` is set. Faults are logged and tried again."""
        while not stop.is_set():
            try:
                seen = self.outbox.store.head()
                if self.turn():
                    self._rest(seen)
                    continue
            except Unavailable as error:
                log.warning("the store is unavailable, trying again: %s", error)
            except Exception:
                log.exception("a turn of the sender failed; the next one goes on")
            stop.wait(LONGEST_SLEEP)
        self.close()

    def _rest(self, seen: int) -> None:
        """Until something arrived (then more may be due), or the log reaches beyond position ``seen``."""
        if self._flying:
            self._landing.wait(LONGEST_SLEEP)
            self._landing.clear()
        else:
            self.outbox.store.wait_for_append(seen, LONGEST_SLEEP)

    def close(self) -> None:
        """Finish what is on its way and let another worker go on."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        try:
            self.leases.free(LEASE, self.holder)
        except Unavailable as error:
            log.warning("the lease ends by itself: %s", error)

    def turn(self) -> list[UUID]:
        """One look: the subscriptions that this worker serves now. Messages leave in threads; see :meth:`settle`."""
        known = self.subscriptions()
        serving = {id: state for id, state in known.items() if state.sends}
        now = self.clock()
        if not serving and not any(state.removed for state in known.values()):
            return []
        if not self._hold():
            return []
        if self._tidy_at is None or now - self._tidy_at >= TIDY_EVERY:
            self._tidy_at = now
            self.outbox.tidy(now, [id for id, state in known.items() if state.removed])
        for id, state in serving.items():
            for _ in range(PAGES):
                if self.outbox.collect(id, state.wants, state.after) < PAGE:
                    break
            self._send_due(id, state, now)
        return list(serving)

    def _hold(self) -> bool:
        """Whether this worker is the one that sends. The lease is renewed long before its end, and not at every turn."""
        if time.monotonic() - self._held_at >= LEASE_SECONDS / 3:
            held = self.leases.hold(LEASE, self.holder, LEASE_SECONDS)
            self._held_at = time.monotonic() if held else -math.inf
        return self._held_at > -math.inf

    def settle(self) -> None:
        """Wait for the messages that are on their way."""
        self._pool.shutdown(wait=True)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="webhooks")

    def _send_due(self, id: UUID, state: WebhookState, now: datetime) -> None:
        with self._lock:
            flying = {lead for subscription, lead in self._flying if subscription == id}
        failing = self.outbox.failing_since(id) is not None
        free = (1 if failing else PARALLEL) - len(flying)
        if free <= 0:
            return
        ready = [d for d in self.outbox.due(id, now, free + len(flying)) if d.lead not in flying]
        for delivery in ready[:free]:
            with self._lock:
                self._flying.add((id, delivery.lead))
            self._pool.submit(self._deliver, delivery, state).add_done_callback(self._landed(id, delivery.lead))

    def _landed(self, id: UUID, lead: UUID) -> Callable[[Future[None]], None]:
        def landed(_: Future[None]) -> None:
            with self._lock:
                self._flying.discard((id, lead))
            self._landing.set()
        return landed

    def _deliver(self, delivery: Delivery, state: WebhookState) -> None:
        try:
            self._mark(delivery, state, self._answer(delivery, state))
        except Unavailable as error:
            log.warning("what became of a message could not be noted, it is sent again: %s", error)
        except Exception:
            log.exception("subscription %s, position %s: marking failed, it is sent again", delivery.subscription,
                          delivery.position)

    def _answer(self, delivery: Delivery, state: WebhookState) -> Answer:
        try:
            event = self.outbox.event(delivery)
            body = message(event, delivery.position, self.number(delivery.lead), state.personal)
            return self.outgoing.send(delivery.subscription, state, message_id(event, delivery.subscription), body, self.clock())
        except Unavailable:
            raise
        except Unreadable:
            return Answer(0, "webhook_unreadable")
        except Exception:
            log.exception("subscription %s, position %s: the message could not be made", delivery.subscription, delivery.position)
            return Answer(0, "webhook_fault")

    def _mark(self, delivery: Delivery, state: WebhookState, answer: Answer) -> None:
        now = self.clock()
        if not answer.fault:
            self.outbox.sent(delivery, answer.status, now)
            return
        # A receiver that gets personal data may quote it, and this table is not erased with the person.
        said = "" if state.personal else answer.said
        self.outbox.failed(delivery, now, self._again(delivery, answer, now), answer.status, answer.fault, said)
        if answer.fault == "webhook_gone":
            self.pause(delivery.subscription, GONE, now)
            return
        since = self.outbox.failing_since(delivery.subscription)
        if since is not None and now - since >= FAILING_FOR:
            self.pause(delivery.subscription, FAILING, now)

    def _again(self, delivery: Delivery, answer: Answer, now: datetime) -> datetime | None:
        """When to try again; None where all tries are used up."""
        if delivery.attempts >= len(RETRIES) or answer.fault == "webhook_unreadable":
            return None
        wait = RETRIES[delivery.attempts] * (1 - JITTER + 2 * JITTER * self.chance())
        return now + max(wait, min(asked(answer.retry_after, now), WAIT_MOST))


def asked(retry_after: str, now: datetime) -> timedelta:
    """How long a ``Retry-After`` header asks to wait: seconds, or until a date; nothing for what is neither."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after.strip()):
        return timedelta(seconds=int(retry_after))
    try:
        at = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError):
        return timedelta(0)
    return max(timedelta(0), at.replace(tzinfo=at.tzinfo or UTC) - now)

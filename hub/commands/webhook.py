"""``hub webhook …``: events of leads for other programs."""

from __future__ import annotations

import argparse
from typing import Any
from uuid import UUID

from hub.application import THE_HUB
from hub.bootstrap import House, clock
from hub.commands.base import Stop, add, group, opened
from hub.domain.errors import SENTENCES, Refused
from hub.domain.webhook import Webhook, WebhookState

SHOWN = 100
"""Dead letters of a subscription that are listed, the newest first."""


def register(commands: Any) -> None:
    """Add the commands."""
    webhook = group(commands, "webhook", "send events of leads to other programs")
    add(webhook, "list", webhook_list, "list subscriptions and how they do")
    new = add(webhook, "add", webhook_add, "subscribe an address and print the secret that signs")
    new.add_argument("name")
    new.add_argument("url", help="https://…")
    new.add_argument("--topic", action="append", default=[], metavar="TOPIC",
                     help="such as lead.won; all events of leads when absent")
    new.add_argument("--personal", action="store_true", help="send personal data as well")
    new.add_argument("--after", type=int, metavar="POSITION",
                     help="begin after this position of the log, 0 for everything; now when absent")
    for name, run, help in (("pause", webhook_pause, "send nothing for now"),
                            ("resume", webhook_resume, "send again, beginning with what waits"),
                            ("remove", webhook_remove, "end a subscription"),
                            ("dead", webhook_dead, "list what could not be delivered")):
        add(webhook, name, run, help).add_argument("id", help="as `hub webhook list` tells it; its beginning is enough")
    again = add(webhook, "resend", webhook_resend, "send again what could not be delivered")
    again.add_argument("id", help="as `hub webhook list` tells it; its beginning is enough")
    again.add_argument("position", type=int, nargs="?", help="of one event; all dead letters when absent")


def _found(house: House, text: str) -> tuple[UUID, WebhookState]:
    known = {id: state for id, state in house.hub.webhooks().items() if not state.removed}
    matching = [id for id in known if str(id).startswith(text.lower()) or id.hex.startswith(text.lower())]
    if not matching:
        raise Refused("no_such_webhook")
    if len(matching) > 1:
        raise Stop(f"{text!r} is the beginning of several subscriptions; give more of the id.")
    return matching[0], known[matching[0]]


def webhook_list(_: argparse.Namespace) -> int:
    """List subscriptions."""
    with opened() as house:
        for id, state in sorted(house.hub.webhooks().items(), key=lambda pair: pair[1].name):
            if state.removed:
                continue
            does = house.hub.outgoing.outbox.standing(id, state.after)
            word = f"paused ({state.paused})" if state.paused else "failing" if does.failing_since else "active"
            print(f"{id}  {state.name:<24} {word:<18} {does.sent} sent, {does.waiting} waiting, {does.dead} dead  {state.url}")
    return 0


def webhook_add(arguments: argparse.Namespace) -> int:
    """Subscribe an address."""
    with opened() as house:
        id, secret = house.hub.add_webhook(arguments.name, arguments.url, tuple(arguments.topic), personal=arguments.personal,
                                           after=arguments.after, actor=THE_HUB, at=clock())
        print(f"{id}\nThe secret that signs, shown only now:  {secret}")
    return 0


def webhook_pause(arguments: argparse.Namespace) -> int:
    """Pause a subscription."""
    with opened() as house:
        id, state = _found(house, arguments.id)
        house.hub.change(Webhook, id, lambda w: w.pause(), actor=THE_HUB, at=clock())
        print(f"{state.name} is paused; what happens meanwhile is sent once it is resumed.")
    return 0


def webhook_resume(arguments: argparse.Namespace) -> int:
    """Resume a subscription."""
    with opened() as house:
        id, state = _found(house, arguments.id)
        house.hub.resume_webhook(id, actor=THE_HUB, at=clock())
        print(f"{state.name} is sent events again.")
    return 0


def webhook_remove(arguments: argparse.Namespace) -> int:
    """Remove a subscription."""
    with opened() as house:
        id, state = _found(house, arguments.id)
        house.hub.remove_webhook(id, actor=THE_HUB, at=clock())
        print(f"{state.name} is removed; what waited is not sent.")
    return 0


def webhook_dead(arguments: argparse.Namespace) -> int:
    """List dead letters."""
    with opened() as house:
        id, _ = _found(house, arguments.id)
        for d in house.hub.outgoing.outbox.listed(id, ("dead",), SHOWN):
            words = SENTENCES[d.fault].en if d.fault in SENTENCES else d.fault
            why = f"{d.status or '':<3} {words} {d.said}"
            print(f"{d.position:>9}  lead {d.lead}  {d.topic:<28} {d.attempts} tries  {why}".rstrip())
    return 0


def webhook_resend(arguments: argparse.Namespace) -> int:
    """Send dead letters again."""
    with opened() as house:
        id, _ = _found(house, arguments.id)
        at, sent = clock(), 0
        if arguments.position is not None:
            house.hub.settle_dead(id, arguments.position, again=True, actor=THE_HUB, at=at)
            sent = 1
        else:
            while found := house.hub.outgoing.outbox.listed(id, ("dead",), SHOWN):
                for delivery in found:
                    house.hub.settle_dead(id, delivery.position, again=True, actor=THE_HUB, at=at)
                sent += len(found)
        print(f"{sent} to be sent again by the worker.")
    return 0

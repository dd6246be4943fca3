"""What VK's events become. A message is known by its community, conversation and number there, whatever brought it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from hub.channels.base import Accepted, Answer, Place, Request, Unreadable
from hub.channels.social_files import files, forwarded, forwarded_files, shown
from hub.channels.social_types import (
    CHATS,
    COMMENTS,
    EVENTS,
    HOLDERS,
    LEAD_FORMS,
    MESSAGES,
    ORDERS,
    Event,
    Item,
    Message,
    Said,
)
from hub.domain import contact
from hub.domain.delivery import Address, Delivery, Later
from hub.domain.errors import sentences
from hub.domain.fact import Fact, own_name

OK = Answer("ok")

sentences(
    suspect_vk_comment=("публичный комментарий в сообществе ВКонтакте: посмотрите, обращение ли это",
                        "a public comment in the VK community: see whether it is a request"),
)


def random_id(id: UUID, part: int) -> int:
    """The number under which VK knows a part of a message of ours again: always the same, above 0, below 2⁶³."""
    return int.from_bytes(sha256(f"{id.hex}/{part}".encode()).digest()[:8]) >> 1 or 1


class Reader:
    """Reads the events of one community. Pure."""

    def __init__(self, place: Place, group: int, confirmation: str) -> None:
        self._place = place
        self._group = group
        self._confirmation = confirmation
        self._kinds: dict[str, Callable[[Event, str], Accepted]] = {
            "confirmation": self._confirm, "message_new": self._new, "message_edit": self._edit, "message_reply": self._reply,
            "lead_forms_new": self._lead_form, "market_order_new": self._order,
            "wall_reply_new": self._comment, "board_post_new": self._comment, "market_comment_new": self._comment,
        }

    def read(self, request: Request) -> Accepted:
        """What an event holds; raises :class:`Unreadable`."""
        try:
            event = EVENTS.decode(request.body)
            if event.group_id != self._group:
                raise Unreadable
            kind = self._kinds.get(event.type)
            return kind(event, _raw(request.body)) if kind is not None else Accepted(response=OK)
        except msgspec.DecodeError as error:
            raise Unreadable from error

    def name(self, peer: int, number: int) -> str:
        """What a message is called over all channels."""
        return f"vk/{self._group}/{peer}/{number}"

    def _confirm(self, event: Event, raw: str) -> Accepted:
        return Accepted(response=Answer(self._confirmation))

    # ── messages ─────────────────────────────────────────────────────────────────

    def _new(self, event: Event, raw: str) -> Accepted:
        return Accepted(self._deliveries(event, _message(event), raw), response=OK)

    def _edit(self, event: Event, raw: str) -> Accepted:
        message = _message(event)
        found = self._deliveries(event, message, raw)
        if not found:
            return Accepted(response=OK)
        # VK keeps no order: the change may come before what it changes. The message is then taken as it is now, under its
        # own id, and what comes late is a repeat of it.
        mark = str(message.update_time) if message.update_time else event.event_id
        edited = msgspec.structs.replace(found[0], delivery_id=f"{found[0].delivery_id}/edit/{mark}/{_digest(found[0].text)}",
                                         edits=found[0].names[0], later=(), names=())
        return Accepted((*found, edited), response=OK)

    def _deliveries(self, event: Event, message: Message, raw: str) -> tuple[Delivery, ...]:
        if not message.writer:
            raise Unreadable
        if message.writer < 0 or message.out or message.action is not None:
            return ()
        if message.peer >= CHATS and not self._to_us(message):
            return ()
        if not (message.conversation_message_id or message.id):
            raise Unreadable
        number, who, text = message.conversation_message_id or message.id, message.writer, message.words
        names = [self.name(message.peer, message.conversation_message_id)] if message.conversation_message_id else []
        names += [self._by_id(message.peer, message.id)] if message.id else []
        beside = [*shown(message.attachments, message.geo), *forwarded(message.fwd_messages)]
        fields = (("chat", str(message.peer) if message.peer >= CHATS else ""), ("payload", message.payload),
                  ("cropped", "yes" if message.is_cropped else ""))
        answered, threads = message.reply_message, []
        if answered is not None:
            threads = [self.name(message.peer, answered.conversation_message_id)] if answered.conversation_message_id else []
            threads += [self._by_id(message.peer, answered.id)] if answered.id else []
        return (Delivery(
            channel="social", source=self._place.account, source_title=self._place.title, delivery_id=names[0],
            text="\n".join(filter(None, (text, *beside))),
            addresses=(_writer(who), *contact.phones_in(text), *contact.emails_in(text)),
            fields=_said(fields), attribution=_said((("ref", message.ref), ("ref_source", message.ref_source))),
            names=tuple(names), threads=tuple(threads), revision=message.update_time,
            later=(_person(who), *files(message.attachments, number), *forwarded_files(message.fwd_messages, number)),
            raw=raw, content_type="application/json"),)

    def _to_us(self, message: Message) -> bool:
        """Whether something in a chat of several people is said to the community."""
        answered = message.reply_message
        mention = re.search(rf"\[(?:club|public){self._group}\|", message.words)
        return mention is not None or (answered is not None and answered.from_id == -self._group)

    def _by_id(self, peer: int, id: int) -> str:
        return f"vk/{self._group}/{peer}/id/{id}"

    def _reply(self, event: Event, raw: str) -> Accepted:
        """What the community wrote. A message of ours carries its fixed id, and the number that is made of it proves it."""
        message = _message(event)
        try:
            told = json.loads(message.payload)
            id, part, parts = UUID(told["out"]), int(told["part"]), int(told["parts"])
        except (ValueError, TypeError, KeyError, AttributeError):
            return Accepted(response=OK)
        if part + 1 < parts or message.random_id != random_id(id, part):
            return Accepted(response=OK)
        return Accepted(facts=(Fact(about=own_name(id.hex), kind="message", status="sent"),), response=OK)

    # ── what else may be a lead ──────────────────────────────────────────────────

    def _lead_form(self, event: Event, raw: str) -> Accepted:
        form = LEAD_FORMS.decode(event.object)
        by_key = {said.key: _answer(said) for said in form.answers}
        phone, email = contact.phone(by_key.get("phone_number", "")), contact.email(by_key.get("email", ""))
        name = " ".join(filter(None, (by_key.get(key, "") for key in ("first_name", "patronymic_name", "last_name"))))
        place = by_key.get("location", "") or by_key.get("city", "")
        own = [address for address in (phone, email) if address is not None]
        if form.user_id > 0:
            own.append(_writer(form.user_id))
        delivery = Delivery(
            channel="social", source=self._place.account, source_title=self._place.title,
            delivery_id=f"vk/{self._group}/lead/{form.lead_id}", name=contact.person_name(name), addresses=tuple(own),
            text="\n".join(f"{said.question or said.key}: {_answer(said)}" for said in form.answers), region=place,
            timezone=contact.timezone_of(region=place, phone=phone.value if phone else ""),
            fields=tuple((said.question or said.key, _answer(said)) for said in form.answers),
            attribution=_said((("form", form.form_name), ("form_id", _number(form.form_id)), ("ad_id", _number(form.ad_id)))),
            names=(f"vk/{self._group}/lead/{form.lead_id}",), later=(_person(form.user_id),) if form.user_id > 0 else (),
            raw=raw, content_type="application/json")
        return Accepted((delivery,), response=OK)

    def _order(self, event: Event, raw: str) -> Accepted:
        order = ORDERS.decode(event.object)
        price = f" на {order.total_price.text}" if order.total_price.text else ""
        lines = [f"Заказ {order.display_order_id or order.id}{price}"]
        lines += [f"{_title(item)} × {item.quantity}" for item in order.preview_order_items]
        lines += [order.comment] if order.comment else []
        phone = contact.phone(order.recipient.phone)
        name = f"vk/{self._group}/order/{order.user_id}/{order.id}"
        delivery = Delivery(
            channel="social", source=self._place.account, source_title=self._place.title, delivery_id=name,
            name=contact.person_name(order.recipient.name), text="\n".join(lines), names=(name,),
            addresses=tuple(filter(None, (_writer(order.user_id) if order.user_id > 0 else None, phone))),
            fields=_said((("order", str(order.id)), ("total", order.total_price.text))),
            later=(_person(order.user_id),) if order.user_id > 0 else (), raw=raw, content_type="application/json")
        return Accepted((delivery,), response=OK)

    def _comment(self, event: Event, raw: str) -> Accepted:
        """What is said in public may be a request or a «+»: a person looks."""
        comment = COMMENTS.decode(event.object)
        if comment.from_id <= 0:
            return Accepted(response=OK)
        owner = comment.owner_id or comment.topic_owner_id or comment.market_owner_id or -self._group
        under = comment.post_id or comment.topic_id or comment.item_id
        kind = {"wall_reply_new": "wall", "board_post_new": "topic", "market_comment_new": "market"}[event.type]
        name = f"vk/{self._group}/{kind}/{owner}/{under}/{comment.id}"
        delivery = Delivery(
            channel="social", source=self._place.account, source_title=self._place.title, delivery_id=name,
            suspicion="vk_comment", text=comment.text, names=(name,),
            addresses=(_writer(comment.from_id), *contact.phones_in(comment.text), *contact.emails_in(comment.text)),
            fields=(("link", f"https://vk.com/{kind}{owner}_{under}"),), later=(_person(comment.from_id),),
            raw=raw, content_type="application/json")
        return Accepted((delivery,), response=OK)


def _message(event: Event) -> Message:
    """The message of an event in either form: under ``message``, or the object itself (before version 5.103)."""
    inside = HOLDERS.decode(event.object).message
    return inside if inside is not None else MESSAGES.decode(event.object)


def _raw(body: bytes) -> str:
    """The event word for word, without the secret."""
    event = json.loads(body)
    event.pop("secret", None)
    return json.dumps(event, ensure_ascii=False)


def _writer(id: int) -> Address:
    return Address("vk", f"id{id}", f"vk.com/id{id}")


def _person(id: int) -> Later:
    return Later("person", str(id))


def _answer(said: Said) -> str:
    found = said.answer if isinstance(said.answer, list) else [said.answer]
    return ", ".join(str(one.get("value", "")) if isinstance(one, dict) else str(one) for one in found if one is not None)


def _title(item: Item) -> str:
    return item.title or (item.item.title if item.item is not None else "") or "товар"


def _number(value: int) -> str:
    return str(value) if value else ""


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _said(pairs: tuple[tuple[str, Any], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in pairs if value)

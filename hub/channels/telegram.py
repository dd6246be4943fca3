"""Telegram: a bot that people write to (R1, R6), by webhook or by long poll, and answers from the card.

A message is known by chat and number, so that both transports at once, and a repeat under another update id,
are one delivery. Only private chats are read: what is said in a group is not said to us.
"""

from __future__ import annotations

import hmac
import json
import re
import time
from datetime import UTC, datetime
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.channels.base import (
    Accepted,
    Batch,
    Channel,
    Check,
    Failed,
    Fetched,
    Outgoing,
    Place,
    Rejected,
    Request,
    Result,
    Sent,
    Trouble,
    Unreadable,
    fetched,
)
from hub.channels.telegram_api import LARGEST_SENT, Api, chunks, reply_to
from hub.channels.telegram_types import ALLOWED, Attached, Message, SharedContact, Update
from hub.domain import contact
from hub.domain.delivery import Address, Delivery, Later

SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")
UPDATES = msgspec.json.Decoder(Update)
"""Made once by one thread: msgspec works a class out at its first use, which two threads must not do at once."""
LONG_POLL = 25
"""Seconds that Telegram holds a poll open."""
UPDATES_A_SECOND = 1_000_000
"""More than a bot gets: changes within one second are told apart by their update's number."""
OFFSET_LIVES = 5 * 24 * 3600
"""Seconds after which a quiet bot is asked without an offset: after a week of silence update ids begin anew at random."""


class TelegramSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``token`` is BotFather's. ``secrets`` are of our own making: the first is given to Telegram, all are taken.

    ``mode`` ``poll`` needs no public address. ``api`` is another server of the Bot API.
    """

    token: str
    secrets: tuple[str, ...] = ()
    mode: Literal["webhook", "poll"] = "webhook"
    api: str = "https://api.telegram.org"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", self.token):
            raise ValueError("token: this is not a bot's token, such as 123456:ABC")
        if self.mode == "webhook" and not self.secrets:
            raise ValueError("secrets: a webhook needs one, at least 16 letters, digits, _ or -")
        if not all(SECRET.fullmatch(secret) for secret in self.secrets):
            raise ValueError("secrets: at least 16 letters, digits, _ or - each")


class Telegram(Channel):
    """One bot."""

    kind = "telegram"
    title = "Telegram"
    Settings = TelegramSettings
    ways = ("telegram",)

    def __init__(self, place: Place, settings: TelegramSettings) -> None:
        super().__init__(place, settings)
        self.bot = settings.token.partition(":")[0]
        self.api = Api(settings.api, settings.token)

    @property
    def hooked(self) -> bool:
        return bool(self.settings.secrets)

    @property
    def polled(self) -> bool:
        return bool(self.settings.mode == "poll")

    # ── in ───────────────────────────────────────────────────────────────────────

    def verify(self, request: Request) -> None:
        given = request.headers.get("x-telegram-bot-api-secret-token", "").encode()
        # All are compared, so that the time of an answer does not tell which one is near.
        if not sum(hmac.compare_digest(given, secret.encode()) for secret in self.settings.secrets):
            raise Rejected(403, "hook_forged", account=self.account)

    def read(self, request: Request) -> Accepted:
        try:
            update = UPDATES.decode(request.body)
        except msgspec.DecodeError as error:
            raise Unreadable from error
        message = update.message or update.edited_message
        if message is None or message.chat.type != "private" or message.sender is None or message.sender.is_bot:
            return Accepted()
        first = replace(self._delivery(message, request), revision=_revision(message, update))
        if update.message is not None:
            return Accepted((first,))
        # A webhook has several connections, so that a change may overtake its message: that is then taken as it is now,
        # under its own id, and what comes late is a repeat of it.
        return Accepted((first, replace(first, delivery_id=f"update/{self.bot}/{update.update_id}", edits=first.names[0],
                                        names=(), later=())))

    def _name(self, message: Message, number: int = 0) -> str:
        return f"telegram/{self.bot}/{message.chat.id}/{number or message.message_id}"

    def _delivery(self, message: Message, request: Request) -> Delivery:
        assert message.sender is not None
        who, text = message.sender, message.text or message.caption
        start = re.fullmatch(r"/start(?:@\w+)?(?: ([A-Za-z0-9_-]{1,64}))?", text)
        said = (("username", who.username), ("language", who.language_code), ("media_group", message.media_group_id))
        answered = message.reply_to_message
        return Delivery(
            channel="social", source=self.account, source_title=self.place.title,
            delivery_id=self._name(message),
            name=contact.person_name(f"{who.first_name} {who.last_name}"), text="\n".join(filter(None, (text, _shown(message)))),
            addresses=(Address("telegram", str(who.id), f"id {who.id}"), *_addresses(message, text)),
            fields=tuple((name, value) for name, value in said if value),
            attribution=(("start", start[1]),) if start and start[1] else (),
            names=(self._name(message),), later=_later(message),
            threads=(self._name(message, answered.message_id),) if answered else (),
            raw=request.body.decode(errors="replace"), content_type="application/json",
        )

    def poll(self, position: str) -> Batch:
        known = json.loads(position) if position else {}
        asked: dict[str, object] = {"timeout": LONG_POLL, "allowed_updates": ALLOWED}
        if time.time() - known.get("at", 0) < OFFSET_LIVES:
            asked["offset"] = known["offset"]
        found = self.api.call("getUpdates", read=LONG_POLL + 10, **asked)
        if not isinstance(found, list):
            raise Trouble("Telegram: getUpdates: ответ не разобрать")
        if not found:
            return Batch(position=position)
        now = datetime.now(UTC)
        ids = [u["update_id"] for u in found if isinstance(u, dict) and isinstance(u.get("update_id"), int)]
        items = tuple(fetched(json.dumps(update, ensure_ascii=False).encode(), now) for update in found)
        following = json.dumps({"offset": max(ids) + 1, "at": int(time.time())}) if ids else position
        return Batch(items, following, more=True)

    def fetch(self, item: Later) -> Fetched:
        return self.api.download(item)

    # ── out ──────────────────────────────────────────────────────────────────────

    def reaches(self, way: str, address: Address) -> bool:
        return way == "telegram" and address.kind == "telegram" and address.value.isdigit()

    def parts(self, message: Outgoing) -> int:
        return len(chunks(message.text)) + len(message.files)

    def send(self, message: Outgoing, part: int) -> Result:
        texts = chunks(message.text)
        fields: dict[str, object] = {"chat_id": message.to}
        answered = re.fullmatch(rf"telegram/{self.bot}/{re.escape(message.to)}/(\d+)", message.answers)
        if answered and part == 0:
            fields["reply_parameters"] = reply_to(int(answered[1]))
        if part < len(texts):
            result, told = self.api.send("sendMessage", {**fields, "text": texts[part]})
        else:
            file = message.files[part - len(texts)]
            if len(file.data) > LARGEST_SENT:
                return Failed("telegram_large")
            document = (file.name or "file", file.data, file.content_type or "application/octet-stream")
            result, told = self.api.send("sendDocument", {**fields, "document": document})
        if isinstance(result, Sent) and isinstance(told, dict) and "message_id" in told:
            return Sent((f"telegram/{self.bot}/{message.to}/{told['message_id']}",))
        return result

    # ── both ─────────────────────────────────────────────────────────────────────

    def check(self) -> list[Check]:
        me = self.api.call("getMe")
        found = [Check("getMe", True, f"@{me.get('username', '?')}")]
        info = self.api.call("getWebhookInfo")
        url, error = str(info.get("url", "")), str(info.get("last_error_message", ""))
        wanted = "" if self.polled else self.place.hook
        said = f"webhook: {url or '—'}, waiting updates: {info.get('pending_update_count', 0)}"
        found.append(Check("getWebhookInfo", url == wanted, said if url == wanted else f"{said}; expected {wanted or '—'}: "
                           "run hub channels connect"))
        if error:
            found.append(Check("last delivery", False, error))
        return found

    def connect(self) -> list[Check]:
        if self.polled:
            self.api.call("deleteWebhook")
            return [Check("deleteWebhook", True)]
        self.api.call("setWebhook", url=self.place.hook, secret_token=self.settings.secrets[0], allowed_updates=ALLOWED,
                      max_connections=4)
        return [Check("setWebhook", True, self.place.hook)]


def _revision(message: Message, update: Update) -> int:
    """Grows with every change of a message: its second, and within that the update's number. 0 for one that never changed."""
    return message.edit_date * UPDATES_A_SECOND + update.update_id % UPDATES_A_SECOND if message.edit_date else 0


def _addresses(message: Message, text: str) -> tuple[Address, ...]:
    """How the writer can be reached beside this chat. A contact card of somebody else is words, not the writer's number."""
    who, card = message.sender, message.contact
    found: list[Address | None] = []
    if who is not None and who.username:
        found.append(Address("telegram", who.username.lower(), f"@{who.username}"))
    if who is not None and card is not None and card.user_id == who.id:
        found.append(contact.phone(_with_plus(card)))
    return (*filter(None, found), *contact.phones_in(text), *contact.emails_in(text))


def _with_plus(card: SharedContact) -> str:
    return card.phone_number if card.phone_number.startswith("+") else f"+{card.phone_number}"


def _shown(message: Message) -> str:
    """What is no text and no file, in words."""
    if message.contact is not None:
        card = message.contact
        return "Контакт: " + " ".join(filter(None, (card.first_name, card.last_name, _with_plus(card))))
    if message.location is not None:
        return f"Место на карте: {message.location.latitude}, {message.location.longitude}"
    return f"Стикер {message.sticker.emoji}".strip() if message.sticker is not None else ""


def _later(message: Message) -> tuple[Later, ...]:
    """The files of a message; of a photo its largest size."""
    found = [Later("file", message.photo[-1].file_id, f"photo-{message.message_id}.jpg", "image/jpeg",
                   message.photo[-1].file_size)] if message.photo else []
    kinds: tuple[tuple[Attached | None, str], ...] = (
        (message.document, ""), (message.voice, "voice-{}.ogg"), (message.audio, "audio-{}.mp3"), (message.video, "video-{}.mp4"),
        (message.video_note, "video-{}.mp4"))
    for attached, name in kinds:
        if attached is not None:
            found.append(Later("file", attached.file_id, attached.file_name or name.format(message.message_id),
                               attached.mime_type, attached.file_size))
    return tuple(found)

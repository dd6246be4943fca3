"""Clients who write over every channel at once while the hub is killed: what they sent, and how it was brought."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.channels.dovecot import Dovecot
from tests.channels.telegram_server import TelegramServer
from tests.channels.twilio_requests import FORM, KIND, signature
from tests.channels.twilio_server import ACCOUNT, NUMBER, TwilioServer
from tests.channels.vk_server import VkServer
from tests.serving import FORM as SITE

SECRET = "the-secret-of-soak_1"
FORGED = "a-forged-secret_1"
PEOPLE = 40
"""Clients of each channel."""
ANSWERED = 4.0
"""Seconds that a provider waits for an answer."""


class Door:
    """One channel. A client writes by :meth:`write`; :meth:`bring` is one delivery of it, repeated and out of order."""

    name = ""
    forgeable = True

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.public = f"http://localhost:{port}"
        self.chance = random.Random(self.name)
        self.sent: list[str] = []
        self.did: Counter[str] = Counter()

    def write(self, text: str, who: int) -> Any:
        """A client writes; what a delivery of it needs, None where the provider loses the event."""
        raise NotImplementedError

    def bring(self, item: Any, *, forged: bool = False) -> None:
        """Deliver it once. Raises OSError or HTTPException where no whole answer came."""
        raise NotImplementedError

    def label(self, text: str) -> str:
        """How the stored entry is known again."""
        return text

    def go_on(self, over: threading.Event) -> None:
        """Write until it is over."""
        waiting: list[Any] = []
        recent: list[Any] = []
        while not over.wait(self.chance.uniform(0.1, 0.5)):
            text = f"{self.name}-{len(self.sent)}"
            item = self.write(text, self.chance.randrange(PEOPLE))
            self.sent.append(self.label(text))
            if item is not None:
                waiting.append(item)
            if len(waiting) > self.chance.randrange(4):
                which = self.chance.randrange(len(waiting))
                self.did["out of order"] += which > 0
                recent.append(waiting.pop(which))
                self._bring(recent[-1])
            for again in self.chance.sample(recent, min(len(recent), self.chance.randrange(3))):
                self.did["repeated"] += 1
                self._bring(again)
            if self.forgeable and recent and self.chance.random() < 0.4:
                self._forge(recent[-1])
            recent = recent[-8:]
        for item in waiting:
            self._bring(item)

    def _bring(self, item: Any) -> None:
        self.did["brought"] += 1
        try:
            self.bring(item)
        except HTTPError as refused:
            self.did[f"answered {refused.code}"] += 1
        except (OSError, HTTPException) as error:
            self._unanswered(error)

    def _forge(self, item: Any) -> None:
        try:
            self.bring(item, forged=True)
            self.did["forged and taken"] += 1
        except HTTPError as refused:
            self.did["forged" if 400 <= refused.code < 500 else f"answered {refused.code}"] += 1
        except (OSError, HTTPException) as error:
            self._unanswered(error)

    def _unanswered(self, error: Exception) -> None:
        nobody = isinstance(getattr(error, "reason", error), ConnectionRefusedError)
        self.did["nobody there" if nobody else "cut"] += 1

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        """A request of the provider's."""
        with urlopen(Request(self.base + path, body, dict(headers)), timeout=ANSWERED) as answer:
            answer.read()


class TelegramDoor(Door):
    """Telegram by long poll, and by the webhook as well."""

    name = "telegram"

    def __init__(self, port: int, server: TelegramServer) -> None:
        super().__init__(port)
        self._server = server

    def write(self, text: str, who: int) -> Any:
        return self._server.writes(1000 + who, text)

    def bring(self, item: Any, *, forged: bool = False) -> None:
        headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": FORGED if forged else SECRET}
        self.post("/hooks/telegram/main", json.dumps(item).encode(), headers)


class VkDoor(Door):
    """VK by long poll, by the Callback API as well, and now and then by its lists alone."""

    name = "vk"

    def __init__(self, port: int, server: VkServer) -> None:
        super().__init__(port)
        self._server = server

    def write(self, text: str, who: int) -> Any:
        told = self.chance.random() > 0.1
        event = self._server.writes(1000 + who, text, told=told)
        return event if told else None

    def bring(self, item: Any, *, forged: bool = False) -> None:
        body = json.dumps({**item, "secret": FORGED if forged else SECRET}).encode()
        self.post("/hooks/vk/main", body, {"Content-Type": "application/json"})


class PhoneDoor(Door):
    """Calls and SMS of Twilio: the webhook is tried, and what it loses stands in Twilio's lists."""

    name = "phone"

    def __init__(self, port: int, server: TwilioServer) -> None:
        super().__init__(port)
        self._server = server
        self._labels: dict[str, str] = {}

    def write(self, text: str, who: int) -> Any:
        number = f"+7912{who:07}"
        if self.chance.random() < 0.5:
            call = self._server.add_call(**{"from": number})
            self._labels[text] = f"call/{call['sid']}"
            return {"CallSid": call["sid"], "From": number, "To": NUMBER, "CallStatus": "ringing", "Direction": "inbound"}
        told = self._server.add_message(body=text, **{"from": number})
        return {"MessageSid": told["sid"], "From": number, "To": NUMBER, "Body": text, "NumMedia": "0"}

    def label(self, text: str) -> str:
        return self._labels.get(text, text)

    def bring(self, item: Any, *, forged: bool = False) -> None:
        fields = {"AccountSid": ACCOUNT, **item}
        path = f"/hooks/{KIND}"
        signed = signature(self.public + path, fields, FORGED) if forged else signature(self.public + path, fields)
        self.post(path, urlencode(fields).encode(), {"Content-Type": FORM, "X-Twilio-Signature": signed})


class EmailDoor(Door):
    """Letters in a mailbox: copies of them come again, later ones before earlier ones. Nobody signs letters."""

    name = "email"
    forgeable = False

    def __init__(self, port: int, dovecot: Dovecot, user: str) -> None:
        super().__init__(port)
        self._dovecot, self._user = dovecot, user

    def write(self, text: str, who: int) -> Any:
        return (f"From: client{who}@client.example\r\nTo: info@studio.example\r\nSubject: Site\r\n"
                f"Date: Mon, 23 Nov 2026 11:20:00 +0300\r\nMessage-ID: <{text}@client.example>\r\n\r\n{text}\r\n").encode()

    def bring(self, item: Any, *, forged: bool = False) -> None:
        self._dovecot.put(self._user, item)


class WebsiteDoor(Door):
    """A form: the visitor's page repeats it until it is taken."""

    name = "website"

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._open: dict[str, Any] = {}

    def write(self, text: str, who: int) -> Any:
        return text, f"+7913{who:07}"

    def bring(self, item: Any, *, forged: bool = False) -> None:
        text, phone = item
        if not forged:
            self._open[text] = item
        form = "no-such-form" if forged else SITE
        headers = {"Content-Type": "application/json", "Idempotency-Key": f'"{text}"'}
        self.post(f"/api/v1/forms/{form}/submissions", json.dumps({"name": "Иван", "phone": phone, "message": text}).encode(),
                  headers)
        if not forged:
            del self._open[text]

    def finish(self) -> None:
        """What was never answered is sent again, as the page does."""
        for item in list(self._open.values()):
            self.bring(item)

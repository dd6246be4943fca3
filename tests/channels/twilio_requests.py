"""Requests as Twilio signs them, and answers in TwiML as a call goes through them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from hub.channels.base import Place, Request
from hub.channels.phone_twilio import Twilio, TwilioSettings
from tests.channels.twilio_server import ACCOUNT, NUMBER, TOKEN, WHATSAPP, TwilioServer, sid

KIND = "twilio/main"
BASE = "http://localhost"
OLD = "the-auth-token-before"
KEY, KEY_SECRET = "webhooks_sharedkey_1", "the-shared-key-secret"
CHILD, CHILD_TOKEN = "AC" + "0" * 31 + "2", "the-token-of-a-sub-account"
AT = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"


def account(server: TwilioServer | None = None, clock: Any = lambda: AT, **more: Any) -> Twilio:
    """The account under test."""
    api = server.url if server else "http://127.0.0.1:9"
    settings = TwilioSettings(ACCOUNT, (TOKEN, OLD), NUMBER, whatsapp=WHATSAPP, shared_keys={KEY: KEY_SECRET},
                              subaccounts={CHILD: (CHILD_TOKEN,)}, api=api, **more)
    return Twilio(Place(KIND, "Телефон", BASE), settings, clock)


def signature(url: str, fields: Mapping[str, str], secret: str = TOKEN, digest: Any = hashlib.sha1) -> str:
    """As Twilio documents it, by hand: not by the code under test."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), digest).digest()).decode()


def request(fields: Mapping[str, str], tail: str = "", *, secret: str = TOKEN, digest: Any = hashlib.sha1, query: str = "",
            **headers: str) -> Request:
    """A form as Twilio posts it."""
    path = f"/hooks/{KIND}" + (f"/{tail}" if tail else "")
    fields = {"AccountSid": ACCOUNT, **fields}
    url = f"{BASE}{path}" + (f"?{query}" if query else "")
    given = {"content-type": FORM, "x-twilio-signature": signature(url, fields, secret, digest),
             **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Request("POST", path, given, urlencode(fields).encode(), "54.172.60.0", AT, query, BASE, tail)


def call(number: int = 1, tail: str = "", **fields: str) -> Request:
    """A client calls, or something is told of that call."""
    return request({"CallSid": sid("CA", number), "From": "+79123456789", "To": NUMBER, "CallStatus": "ringing",
                    "Direction": "inbound", "ApiVersion": "2010-04-01", "CallerName": "", **fields}, tail)


def text(number: int = 1, body: str = "Нужен сайт", **fields: str) -> Request:
    """A client writes an SMS."""
    return request({"MessageSid": sid("SM", number), "From": "+79123456789", "To": NUMBER, "Body": body, "NumMedia": "0",
                    **fields})


class Said:
    """TwiML: what is said, and where the call goes on. Addresses are those behind our hook."""

    def __init__(self, xml: bytes) -> None:
        self.root = ElementTree.fromstring(xml)

    @property
    def words(self) -> str:
        """Everything that is spoken."""
        return " ".join(node.text or "" for node in self.root.iter("Say"))

    @property
    def verbs(self) -> list[str]:
        """The verbs at the top."""
        return [node.tag for node in self.root]

    @property
    def rings(self) -> list[str]:
        """Numbers that ring."""
        return [node.text or "" for node in self.root.iter("Number")]

    def to(self, verb: str, attribute: str = "action") -> str:
        """Where a verb's result goes."""
        url = next(node for node in self.root.iter(verb)).attrib[attribute]
        assert url.startswith(f"{BASE}/hooks/{KIND}/")
        return url.removeprefix(f"{BASE}/hooks/{KIND}/")

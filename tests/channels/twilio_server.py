"""Twilio's REST API after its documentation, on this machine: it checks authentication and forms, and keeps state."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from tests.channels.stand_in import StandIn

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "the-auth-token-in-force"
NUMBER = "+74951234567"
WHATSAPP = "+74957654321"
ROOT = f"/2010-04-01/Accounts/{ACCOUNT}"
EVENTS = {"initiated", "ringing", "answered", "completed"}


class TwilioServer(StandIn):
    """One account. Use it as a context manager; ``url`` is its address.

    ``faults`` are taken one for each request that creates something: ``cut_before``, ``cut_after``, or an answer (status, body).
    """

    def __init__(self, now: Any = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self.now = now
        self.calls: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.recordings: list[dict[str, Any]] = []
        self.media: dict[str, list[tuple[str, str, bytes]]] = {}
        self.sounds: dict[str, bytes] = {}
        self.numbers: dict[str, dict[str, str]] = {NUMBER: {"sid": sid("PN", 1), "voice_url": ""}}
        self.asked: list[str] = []
        self.redirects = True
        self.broken = False
        self.page = 3
        self._ids = count(1000)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[Any, ...]:
        match method:
            case "POST":
                return self._post(path, headers, body)
            case "DELETE":
                return self._delete(path, headers)
        return self._get(path, headers)

    # ── what happens at Twilio ───────────────────────────────────────────────────

    def _dated(self) -> str:
        return format_datetime(self.now())

    def add_call(self, **fields: Any) -> dict[str, Any]:
        """A call that Twilio's list shows."""
        call = {"sid": sid("CA", next(self._ids)), "parent_call_sid": None, "to": NUMBER, "from": "+79123456789", "duration": "0",
                "status": "completed", "direction": "inbound", "date_created": self._dated(), **fields}
        self.calls.append(call)
        return call

    def add_message(self, **fields: Any) -> dict[str, Any]:
        """A message that Twilio's list shows."""
        message = {"sid": sid("SM", next(self._ids)), "to": NUMBER, "from": "+79123456789", "body": "", "status": "received",
                   "direction": "inbound", "num_media": "0", "error_code": None, "date_created": self._dated(), **fields}
        self.messages.append(message)
        return message

    def add_recording(self, call: str, sound: bytes = b"ID3 sound", **fields: Any) -> dict[str, Any]:
        """A recording of a call."""
        found = {"sid": sid("RE", next(self._ids)), "call_sid": call, "status": "completed", "source": "RecordVerb",
                 "duration": "7", "date_created": self._dated(), **fields}
        self.recordings.append(found)
        self.sounds[found["sid"]] = sound
        return found

    # ── what the hub asks ────────────────────────────────────────────────────────

    def _refused(self, headers: dict[str, str]) -> tuple[int, Any] | None:
        right = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        return None if headers.get("Authorization") == right else (401, error(20003, "Authenticate"))

    def _post(self, path: str, headers: dict[str, str], body: bytes) -> tuple[Any, ...]:
        self.asked.append(f"POST {path}")
        if (refused := self._refused(headers)) is not None:
            return refused
        if headers.get("Content-Type") != "application/x-www-form-urlencoded":
            return 415, error(20415, "Unsupported Media Type")
        given = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=True)
        if path.startswith(f"{ROOT}/IncomingPhoneNumbers/"):
            number = next(n for n in self.numbers.values() if path == f"{ROOT}/IncomingPhoneNumbers/{n['sid']}.json")
            number |= {_snake(name): values[0] for name, values in given.items()}
            return 200, number
        if self.faults and self.faults[0] != "cut_after":
            return self.fault()
        made = self._call(given) if path == f"{ROOT}/Calls.json" else self._message(given)
        if self.faults:
            return self.fault()
        return made

    def _delete(self, path: str, headers: dict[str, str]) -> tuple[Any, ...]:
        """What goes on cannot be deleted yet."""
        self.asked.append(f"DELETE {path}")
        if (refused := self._refused(headers)) is not None:
            return refused
        if self.faults:
            return self.fault()
        kind, id = path.removeprefix(f"{ROOT}/").removesuffix(".json").split("/")
        there: list[dict[str, Any]] = {"Calls": self.calls, "Messages": self.messages, "Recordings": self.recordings}[kind]
        found = next((item for item in there if item["sid"] == id), None)
        if found is None:
            return 404, error(20404, "not found")
        if found["status"] in ("queued", "ringing", "in-progress"):
            return 400, error(20009, "Cannot delete: it has not finished")
        there.remove(found)
        self.sounds.pop(id, None)
        return 204, b"", {}

    def _call(self, given: dict[str, list[str]]) -> tuple[int, Any]:
        if not {"To", "From"} <= given.keys() or len({"Url", "Twiml"} & given.keys()) != 1:
            return 400, error(21205, "Url parameter is required.")
        if not set(given.get("StatusCallbackEvent", [])) <= EVENTS:
            return 400, error(21626, "Invalid StatusCallbackEvent")
        if given["From"][0] not in self.numbers:
            return 400, error(21210, "'From' phone number not verified")
        extra = {name: values[0] for name, values in given.items() if name in ("Url", "Twiml", "StatusCallback")}
        made = self.add_call(to=given["To"][0], direction="outbound-api", status="queued", asked=extra,
                             **{"from": given["From"][0]})
        return 201, made

    def _message(self, given: dict[str, list[str]]) -> tuple[int, Any]:
        if not {"To", "From", "Body"} <= given.keys():
            return 400, error(21602, "Message body is required.")
        if given["To"][0].startswith("whatsapp:") != given["From"][0].startswith("whatsapp:"):
            return 400, error(63007, "Twilio could not find a Channel with the specified From address")
        made = self.add_message(to=given["To"][0], body=given["Body"][0], direction="outbound-api", status="queued",
                                **{"from": given["From"][0]}, asked={"StatusCallback": given.get("StatusCallback", [""])[0]})
        return 201, made

    def _get(self, path: str, headers: dict[str, str]) -> tuple[Any, ...]:
        self.asked.append(f"GET {path}")
        parts = urlsplit(path)
        if parts.path.startswith("/cdn/"):
            # Elsewhere our authentication has no business.
            return (400, b"") if "Authorization" in headers else (200, self.sounds[parts.path.rpartition("/")[2]], {})
        if (refused := self._refused(headers)) is not None:
            return refused
        if self.broken:
            return 503, b"<html>Service Unavailable</html>"
        query, where = dict(parse_qsl(parts.query, keep_blank_values=True)), parts.path.removeprefix(ROOT).removesuffix(".json")
        where = where.strip("/")
        match where.split("/"):
            case [""]:
                return 200, {"sid": ACCOUNT, "status": "active"}
            case ["IncomingPhoneNumbers"]:
                found = [n for number, n in self.numbers.items() if number == query.get("PhoneNumber", number)]
                return 200, {"incoming_phone_numbers": found, "next_page_uri": None}
            case ["Calls" | "Messages" | "Recordings" as kind]:
                return 200, self._page(kind.lower(), query)
            case ["Calls", one]:
                return next(((200, c) for c in self.calls if c["sid"] == one), (404, error(20404, "not found")))
            case ["Recordings", file]:
                sound = self.sounds.get(file.removesuffix(".mp3"))
                return (404, error(20404, "not found")) if sound is None else (200, sound, {"Content-Type": "audio/mpeg"})
            case ["Messages", one, "Media"]:
                return 200, {"media_list": [{"sid": id} for id, _, _ in self.media[one]]}
            case ["Messages", one, "Media", id]:
                return self._medium(one, id)
        return 404, error(20404, f"{path} was not found")

    def _medium(self, message: str, id: str) -> tuple[Any, ...]:
        kind, data = next(((kind, data) for known, kind, data in self.media.get(message, ()) if known == id), ("", b""))
        if not kind:
            return 404, error(20404, "not found")
        if not self.redirects:
            return 200, data, {"Content-Type": kind}
        self.sounds[id] = data
        host = self.url.replace("127.0.0.1", "localhost")
        return 307, b"", {"Location": f"{host}/cdn/{id}"}

    def _page(self, kind: str, query: dict[str, str]) -> Any:
        """A page of few, so that all pages are asked for."""
        items = list(reversed(getattr(self, kind)))
        for name, field in (("To", "to"), ("From", "from")):
            items = [i for i in items if i.get(field) == query.get(name, i.get(field))]
        number, size = int(query.get("Page", 0)), self.page
        begin = number * size
        more = f"{ROOT}/{kind.title()}.json?" + urlencode({**query, "Page": number + 1})
        return {kind: items[begin:begin + size], "next_page_uri": more if len(items) > begin + size else None}


def sid(kind: str, number: int) -> str:
    """An id as Twilio makes them."""
    return f"{kind}{number:032x}"


def error(code: int, message: str) -> dict[str, Any]:
    """An error as Twilio words it."""
    return {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": 400}


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")

"""Twilio: calls, SMS and WhatsApp, in and out (R1, R3). Another telephone provider is another file of this kind.

A webhook's place says what it is about and where in the call one is; :mod:`hub.domain.phone` decides what comes next, and
the lead ranks what is told (:mod:`hub.domain.call`). Twilio's own lists are asked as well: for what a webhook could not bring
while we were away, and for how calls ended of which no report came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any
from uuid import UUID

from msgspec import Struct

from hub.channels.base import (
    FETCHED,
    REMOVAL,
    Accepted,
    Answer,
    Batch,
    Channel,
    Check,
    Failed,
    Fetched,
    House,
    Outgoing,
    Place,
    Rejected,
    Request,
    Result,
    Retry,
    Sent,
    Stored,
    Trouble,
    Unknown,
    fetched,
)
from hub.channels.phone_twilio_api import Api
from hub.channels.phone_twilio_reading import SIDS, Form, moment, named, read_form, read_listed
from hub.channels.phone_twilio_signature import form_of, is_genuine
from hub.channels.phone_twilio_voice import Voice, nothing
from hub.domain.call import called
from hub.domain.delivery import Address, Later
from hub.domain.phone import PhonePlan, after_ring, at_first

E164 = re.compile(r"\+[1-9]\d{6,14}")
ACCOUNT = re.compile(r"AC[0-9a-f]{32}")
LONGEST_TEXT = 1600
LOOKS_BACK = timedelta(hours=1)
"""How far before the last look a list is read again: what was not over then may be now."""
RINGS_OURS = 25
"""Seconds that our own telephone rings for a call from the card."""
TOO_LATE = timedelta(minutes=2)
"""A call from the card that could not be placed for so long is not placed any more: nobody waits beside the telephone."""
OVER = ("completed", "busy", "failed", "no-answer", "canceled")


class TwilioSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """``tokens`` are the account's Auth Tokens, the one in use first. ``number`` is ours that we call and write from,
    ``numbers`` further ones that clients call, ``whatsapp`` the sender for WhatsApp.

    ``shared_keys`` are secrets of shared signing keys by the key's id, ``subaccounts`` Auth Tokens of sub-accounts by their sid.
    ``api_key`` and ``api_secret`` ask in place of the token. ``api`` is another address of the REST API. ``poll = false``
    asks no lists.
    """

    account_sid: str
    tokens: tuple[str, ...]
    number: str
    numbers: tuple[str, ...] = ()
    whatsapp: str = ""
    sms: bool = True
    shared_keys: dict[str, str] = {}
    subaccounts: dict[str, tuple[str, ...]] = {}
    api_key: str = ""
    api_secret: str = ""
    api: str = "https://api.twilio.com"
    poll: bool = True
    language: str = "ru-RU"
    voice: str = ""

    def __post_init__(self) -> None:
        if not all(ACCOUNT.fullmatch(sid) for sid in (self.account_sid, *self.subaccounts)):
            raise ValueError("account_sid: this is not an account's id, AC and 32 digits or letters a-f")
        if not all(map(all, (self.tokens, *self.subaccounts.values()))) or not (self.tokens or self.shared_keys):
            raise ValueError("tokens: at least one Auth Token is needed, and none may be empty")
        if not all(E164.fullmatch(number) for number in (self.number, *self.numbers)):
            raise ValueError("number: write it with its country, such as +74951234567")
        if self.whatsapp and not E164.fullmatch(self.whatsapp):
            raise ValueError("whatsapp: write it with its country, such as +74951234567")
        if bool(self.api_key) != bool(self.api_secret) or not (self.api_key or self.tokens):
            raise ValueError("api_key: a key and its api_secret belong together")


class Twilio(Channel):
    """One account and its numbers."""

    kind = "twilio"
    title = "Телефон"
    Settings = TwilioSettings
    ways = ("sms", "whatsapp")
    calls = True
    pause = 60.0

    def __init__(self, place: Place, settings: TwilioSettings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(place, settings)
        password = settings.api_secret or settings.tokens[0]
        self.api = Api(settings.api, settings.account_sid, settings.api_key or settings.account_sid, password)
        self.voice = Voice(place.hook, settings.language, settings.voice, settings.number)
        self.clock = clock
        self.ours = {settings.number, *settings.numbers, *([f"whatsapp:{settings.whatsapp}"] if settings.whatsapp else [])}
        self._known: dict[str, str] = {}
        self._lock = Lock()

    @property
    def polled(self) -> bool:
        return bool(self.settings.poll)

    # ── in ───────────────────────────────────────────────────────────────────────

    def verify(self, request: Request) -> None:
        form = form_of(request)
        account = form.first().get("AccountSid", self.settings.account_sid)
        tokens = self.settings.tokens if account == self.settings.account_sid else self.settings.subaccounts.get(account, ())
        known = account == self.settings.account_sid or account in self.settings.subaccounts
        if not known or not is_genuine(request, form, tokens, self.settings.shared_keys):
            raise Rejected(403, "hook_forged", account=self.account)

    def read(self, request: Request) -> Accepted:
        if request.method == FETCHED:
            return read_listed(self.place, request.tail, request.body)
        return read_form(Form(form_of(request).first(), request, self.place))

    def acknowledge(self, request: Request) -> Answer:
        """A caller whose call we could not read still leaves a message."""
        return self.voice.voicemail(PhonePlan()) if request.tail in ("", "voice", "fallback") else nothing()

    def respond(self, accepted: Accepted, stored: Stored, house: House) -> Answer:
        told = accepted.answer
        if "scene" not in told:
            return nothing()
        plan = house.phone_plan(self.account)
        match told["scene"]:
            case "first":
                at = stored.first_at
                scene = at_first(plan, is_open=house.is_open(at), here=house.at_work(at), salt=told["call"])
                return self.voice.scene(plan, scene, told["call"])
            case "fallback":
                return self.voice.voicemail(plan, plan.nobody)
            case "rung":
                if house.talks(called(told["call"])):
                    return self.voice.goodbye()
                scene = after_ring(plan, here=house.at_work(stored.first_at), salt=told["call"], turn=int(told["turn"]))
                return self.voice.scene(plan, scene, told["call"])
            case "whisper":
                return self.voice.ask_ours(plan.whisper, f"accept/{told['call']}/{told['login']}")
            case "tone":
                return self.voice.tone()
            case "thanks":
                return self.voice.goodbye(plan.thanks)
            case "connect":
                return self.voice.ask_ours(plan.connect, f"out/{told['id']}/accept")
            case "dial":
                client = house.client_of(UUID(hex=told["id"]))
                return self.voice.dial_client(client, told["id"]) if client else self.voice.goodbye()
            case "join":
                return nothing()
        return self.voice.goodbye()

    def fetch(self, item: Later) -> Fetched:
        return self.api.download(item)

    # ── Twilio's own lists ───────────────────────────────────────────────────────

    def poll(self, position: str) -> Batch:
        """What began since the last look, and what was not over then. At first nothing: what came before us is not ours."""
        now = self.clock().replace(microsecond=0)
        if not position:
            return Batch(position=json.dumps({"first": now.isoformat(), "since": now.isoformat(), "open": []}))
        known = json.loads(position)
        since = max(datetime.fromisoformat(known["first"]), datetime.fromisoformat(known["since"]) - LOOKS_BACK)
        found = [*self._listed(since)]
        seen = {item["sid"] for _, item in found}
        found += [("call", call) for sid in known["open"] if sid not in seen and (call := self.api.find(f"/Calls/{sid}"))]
        going = [item["sid"] for kind, item in found if kind == "call" and item.get("status") not in OVER]
        fresh = [(kind, item) for kind, item in found if self._known.get(item["sid"]) != item.get("status")]
        items = tuple(fetched(json.dumps(item, ensure_ascii=False).encode(), now, kind) for kind, item in fresh)

        def note() -> None:
            with self._lock:
                self._known = {item["sid"]: str(item.get("status")) for _, item in found}

        following = json.dumps({"first": known["first"], "since": now.isoformat(), "open": going[:500]})
        return Batch(items, following, note)

    def _listed(self, since: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
        """Calls of our numbers with their legs before them, recordings of these, and messages; the oldest first."""
        after = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        calls = [c for c in self.api.all("Calls", {"StartTime>": after}) if moment(c.get("date_created")) >= since.timestamp()]
        ours = {c["sid"] for c in calls if c.get("to" if c.get("direction") == "inbound" else "from") in self.ours
                and not c.get("parent_call_sid")}
        placed = {c["sid"] for c in calls if c.get("direction") == "outbound-api"}
        for call in sorted(calls, key=lambda c: (not c.get("parent_call_sid"), moment(c.get("date_created")))):
            if call["sid"] in ours or (call.get("parent_call_sid") in ours & placed and call.get("status") in OVER):
                yield "call", call
        for one in self.api.all("Recordings", {"DateCreated>": after}):
            if one.get("call_sid") in ours and one.get("status") in ("completed", "absent"):
                yield "recording", one
        for one in sorted(self.api.all("Messages", {"DateSent>": after}), key=lambda m: moment(m.get("date_created"))):
            mine = one.get("to" if one.get("direction") == "inbound" else "from") in self.ours
            if mine and moment(one.get("date_created")) >= since.timestamp():
                yield "message", one

    # ── out ──────────────────────────────────────────────────────────────────────

    def reaches(self, way: str, address: Address) -> bool:
        if way == "sms":
            return bool(self.settings.sms) and address.kind == "phone"
        return way == "whatsapp" and bool(self.settings.whatsapp) and address.kind in ("whatsapp", "phone") and (
            E164.fullmatch(address.value) is not None)

    def send(self, message: Outgoing, part: int) -> Result:
        if message.way == "call":
            return self._place(message)
        if message.way == REMOVAL:
            return self.api.remove(message.to)
        if message.files:
            return Failed("twilio_files")
        if len(message.text) > LONGEST_TEXT:
            return Failed("twilio_long")
        sender, to = self._between(message)
        told = f"{self.place.hook}/message/{message.id.hex}"
        fields = [("To", to), ("From", sender), ("Body", message.text), ("StatusCallback", told)]
        result, sid = self.api.create("Messages", fields)
        return self._result(message, result, named(sid))

    def _place(self, message: Outgoing) -> Result:
        """Ring our own telephone; once it is picked up and a key pressed, the client's."""
        if message.asked_at is not None and self.clock() - message.asked_at > TOO_LATE:
            return Failed("call_too_late")
        out = f"{self.place.hook}/out/{message.id.hex}"
        events = [("StatusCallbackEvent", event) for event in ("initiated", "ringing", "answered", "completed")]
        result, sid = self.api.create("Calls", [
            ("To", message.to), ("From", self.settings.number), ("Url", out), ("StatusCallback", f"{out}/status"), *events,
            ("Timeout", str(RINGS_OURS))])
        return self._result(message, result, called(sid))

    def _result(self, message: Outgoing, result: Result, name: str) -> Result:
        if isinstance(result, Sent):
            return Sent((name,))
        if isinstance(result, Unknown):
            try:
                return self.was_sent(message, 0) or result
            except Trouble:
                return result
        return result

    def _between(self, message: Outgoing) -> tuple[str, str]:
        if message.way == "whatsapp":
            return f"whatsapp:{self.settings.whatsapp}", f"whatsapp:{message.to}"
        return self.settings.number, message.to

    def was_sent(self, message: Outgoing, part: int) -> Result | None:
        """Look for it in Twilio's list. What is not there may still come, so that only a person sends it again."""
        asked = message.asked_at
        if message.way == REMOVAL:
            return Retry("Twilio")  # deleting twice does no harm
        if asked is None:
            return None
        since = asked.astimezone(UTC).replace(microsecond=0)
        after = since.strftime("%Y-%m-%dT%H:%M:%SZ")
        if message.way == "call":
            calls = self.api.all("Calls", {"To": message.to, "StartTime>": after})
            return self._first(calls, since, self.settings.number, None, called)
        sender, to = self._between(message)
        messages = self.api.all("Messages", {"To": to, "From": sender, "DateSent>": after})
        return self._first(messages, since, sender, message.text, named)

    def removable(self, name: str) -> str:
        """Recordings, and the lists' entries of calls and messages with their numbers and texts."""
        kind, _, id = name.partition("/")
        resource = {"recording": "Recordings", "call": "Calls", "msg": "Messages"}.get(kind)
        return f"{resource}/{id}" if resource and SIDS.fullmatch(id) else ""

    def _first(self, items: Iterator[dict[str, Any]], since: datetime, sender: str, text: str | None,
               name: Callable[[str], str]) -> Result | None:
        for item in items:
            same = item.get("from") == sender and item.get("direction") == "outbound-api" and text in (None, item.get("body"))
            if same and moment(item.get("date_created")) >= since.timestamp():
                return Sent((name(str(item["sid"])),))
        return None

    # ── both ─────────────────────────────────────────────────────────────────────

    def call_me(self, number: str, plan: PhonePlan) -> None:
        """Call one of ours and say what callers hear; raises :class:`Trouble` with Twilio's words."""
        result, _ = self.api.create("Calls", [("To", number), ("From", self.settings.number), ("Twiml", self.voice.trial(plan))])
        if not isinstance(result, Sent):
            raise Trouble(result.why or "Twilio не принял звонок: проверьте номер")

    def _wanted(self) -> dict[str, str]:
        hook = self.place.hook
        return {"voice_url": hook, "voice_fallback_url": f"{hook}/fallback", "status_callback": f"{hook}/status", "sms_url": hook}

    def check(self) -> list[Check]:
        account = self.api.get("")
        found = [Check("account", account.get("status") == "active", str(account.get("status", "")))]
        for number in (self.settings.number, *self.settings.numbers):
            listed = next(self.api.all("IncomingPhoneNumbers", {"PhoneNumber": number}), None)
            if listed is None:
                found.append(Check(number, False, "this account has no such number"))
                continue
            wrong = [name for name, url in self._wanted().items() if listed.get(name) != url]
            said = f"not ours: {', '.join(wrong)}: run hub channels connect" if wrong else self.place.hook
            found.append(Check(number, not wrong, said))
        return found

    def connect(self) -> list[Check]:
        done = []
        for number in (self.settings.number, *self.settings.numbers):
            listed = next(self.api.all("IncomingPhoneNumbers", {"PhoneNumber": number}), None)
            if listed is None:
                raise Trouble(f"Twilio: у аккаунта нет номера {number}")
            fields = [("".join(map(str.title, name.split("_"))), url) for name, url in self._wanted().items()]
            methods = [(name, "POST") for name in ("VoiceMethod", "VoiceFallbackMethod", "StatusCallbackMethod", "SmsMethod")]
            self.api.update(f"IncomingPhoneNumbers/{listed['sid']}", [*fields, *methods])
            done.append(Check(number, True, self.place.hook))
        return done

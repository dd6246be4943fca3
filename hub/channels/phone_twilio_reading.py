"""What Twilio's forms and its lists hold, in our words. The field names are those of Twilio's documentation."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

from hub.channels.base import Accepted, Place, Rejected, Request, Unreadable
from hub.domain import contact
from hub.domain.call import CLIENT, called
from hub.domain.delivery import Address, Delivery, Later
from hub.domain.errors import sentences
from hub.domain.fact import Fact, own_name
from hub.domain.staff import user_stream

sentences(twilio_no_such_place=("У этого канала нет такого адреса.", "This channel has no such address."))

CALL_STATUSES = {"queued": "ringing", "initiated": "ringing", "ringing": "ringing", "in-progress": "talking",
                 "answered": "talking", "completed": "ended", "busy": "busy", "failed": "failed", "no-answer": "no_answer",
                 "canceled": "cancelled"}
LEG_STATUSES = {"queued": "ringing", "initiated": "ringing", "ringing": "ringing", "in-progress": "picked_up",
                "answered": "picked_up", "completed": "ended", "busy": "busy", "failed": "failed", "no-answer": "no_answer",
                "canceled": "cancelled"}
DIALLED = {"completed": "connected", "answered": "connected", "busy": "busy", "no-answer": "no_answer", "failed": "failed",
           "canceled": "cancelled"}
"""How the client's leg of a call from the card ended, by DialCallStatus."""
MESSAGE_STATUSES = {"sent": "sent", "delivered": "delivered", "read": "read", "undelivered": "failed", "failed": "failed",
                    "canceled": "failed"}
SIDS = re.compile(r"[A-Z]{2}[0-9a-f]{32}")
YES = "1"
FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Form:
    """A form by its fields, with the request and the account that it came to."""

    values: Mapping[str, str]
    request: Request
    place: Place

    def get(self, name: str) -> str:
        """A field; empty where it is missing."""
        return self.values.get(name, "")

    def sid(self, name: str) -> str:
        """An id of Twilio's. :class:`Unreadable` where there is none."""
        return sid(self.get(name))

    @property
    def raw(self) -> str:
        """The body as it came."""
        return self.request.body.decode(errors="replace")


def sid(text: object) -> str:
    """An id of Twilio's, checked."""
    if not isinstance(text, str) or not SIDS.fullmatch(text):
        raise Unreadable
    return text


def read_form(form: Form) -> Accepted:
    """A webhook's form, by the place that it came to. ``Accepted.answer`` names the scene that is answered with."""
    where, _, rest = form.request.tail.partition("/")
    parts = rest.split("/") if rest else []
    match where, len(parts):
        case "" | "voice" | "fallback", 0:
            if form.get("MessageSid"):
                return Accepted((message_in(form),))
            return _call(form, {"scene": where if where == "fallback" else "first", "call": form.sid("CallSid")})
        case "status", 0:
            return _call(form, {})
        case "ring", 1 if parts[0].isdecimal() and len(parts[0]) < 4:
            return Accepted(answer={"scene": "rung", "turn": parts[0], "call": form.sid("CallSid")})
        case "leg", 2:
            return Accepted(facts=_leg(parts, LEG_STATUSES.get(form.get("CallStatus"), "")))
        case "whisper", 2:
            return Accepted(facts=_leg(parts, "picked_up"), answer={"scene": "whisper", "call": sid(parts[0]), "login": parts[1]})
        case "accept", 2:
            pressed = form.get("Digits") == YES
            return Accepted(facts=_leg(parts, "connected" if pressed else ""), answer={"scene": "join" if pressed else "end"})
        case "key", 0:
            return _key(form)
        case "left", 0:
            return Accepted(answer={"scene": "thanks"})
        case "recorded", 1 if parts[0] in ("voicemail", "talk"):
            return Accepted(facts=(recording(form.sid("RecordingSid"), form.sid("CallSid"), parts[0], form.get("RecordingStatus"),
                                             form.get("RecordingDuration")),))
        case "out", 1 | 2:
            return _out(form, _id(parts[0]), parts[1] if len(parts) == 2 else "")
        case "message", 1:
            fact = message_status(own_name(_id(parts[0]).hex), form.get("MessageStatus"), form.get("ErrorCode"))
            return Accepted(facts=(fact,) if fact else ())
    raise Rejected(404, "twilio_no_such_place")


def _id(text: str) -> UUID:
    try:
        return UUID(hex=text)
    except ValueError:
        raise Rejected(404, "twilio_no_such_place") from None


def _leg(parts: list[str], status: str) -> tuple[Fact, ...]:
    """A fact about the leg of one of ours; the path says whose."""
    fact = Fact(about=called(sid(parts[0])), kind="call_leg", code=f"user:{user_stream(parts[1])}", status=status)
    return (fact,) if status else ()


def _key(form: Form) -> Accepted:
    call = form.sid("CallSid")
    if form.get("Digits") == YES:
        return Accepted(facts=(Fact(about=called(call), kind="call_key"),), answer={"scene": "thanks"})
    return Accepted(answer={"scene": "tone"})


# ── calls ────────────────────────────────────────────────────────────────────────────


def _call(form: Form, answer: dict[str, str]) -> Accepted:
    """A call of the client's. Every report of it carries the delivery, so that whichever comes first opens the card."""
    call, inbound = form.sid("CallSid"), form.get("Direction") in ("", "inbound")
    fact = call_status(called(call), form.get("CallStatus") or "ringing", form.get("CallDuration"))
    return Accepted((call_in(form.place, call, form.get, form.raw),) if inbound else (), answer, fact)


def call_status(about: str, status: str, seconds: str) -> tuple[Fact, ...]:
    """How far a call is; nothing where Twilio says what we do not know."""
    known = CALL_STATUSES.get(status)
    return (Fact(about=about, kind="call", status=known, details=(("seconds", seconds),) if seconds else ()),) if known else ()


def call_in(place: Place, call: str, get: Any, raw: str) -> Delivery:
    """An incoming call. Who hides their number is a lead all the same."""
    who = get("From")
    said = (("from", "" if _number(who) else who), ("to", get("To")), ("forwarded_from", get("ForwardedFrom")))
    return Delivery(
        channel="phone", source=place.account, source_title=place.title, delivery_id=called(call), names=(called(call),),
        name=contact.person_name(get("CallerName")), addresses=_number(who), raw=raw, content_type=FORM_TYPE,
        fields=tuple((name, value) for name, value in said if value))


def _number(text: str) -> tuple[Address, ...]:
    found = contact.phone(text) if re.fullmatch(r"\+\d{7,15}", text) else None
    return (found,) if found else ()


def recording(id: str, call: str, kind: str, status: str, seconds: str) -> Fact:
    """A recording of a call, to be fetched; of silence there is none."""
    absent = status == "absent"
    name = f"{'voicemail' if kind == 'voicemail' else 'call'}-{id[-6:]}.mp3"
    later = () if absent or status in ("deleted", "failed") else (Later("file", f"recording/{id}", name, "audio/mpeg"),)
    return Fact(about=called(call), kind="call_recording", status=status, code=kind, why=id, details=(("seconds", seconds),),
                later=later)


def _out(form: Form, id: UUID, what: str) -> Accepted:
    """A call from the card: ``""`` our own telephone was picked up, ``accept`` the key, ``dialled`` the client's leg."""
    about = own_name(id.hex)
    match what:
        case "":
            return Accepted(facts=call_status(about, "in-progress", ""), answer={"scene": "connect", "id": id.hex})
        case "accept":
            return Accepted(answer={"scene": "dial" if form.get("Digits") == YES else "end", "id": id.hex})
        case "dialled":
            status = DIALLED.get(form.get("DialCallStatus"), "")
            return Accepted(facts=client_leg(about, status), answer={"scene": "end"})
        case "status":
            return Accepted(facts=call_status(about, form.get("CallStatus"), form.get("CallDuration")))
    raise Rejected(404, "twilio_no_such_place")


def client_leg(about: str, status: str) -> tuple[Fact, ...]:
    """A fact about the client's leg of a call from the card."""
    return (Fact(about=about, kind="call_leg", code=CLIENT, status=status),) if status else ()


# ── messages ─────────────────────────────────────────────────────────────────────────


def message_in(form: Form) -> Delivery:
    """An SMS or a WhatsApp message. It is no call: what is still to be learned is asked in writing (R3)."""
    id, get = form.sid("MessageSid"), form.get
    answered = get("OriginalRepliedMessageSid")
    count = int(get("NumMedia")) if get("NumMedia").isdecimal() and len(get("NumMedia")) < 3 else 0
    later = [Later("file", media_ref(get(f"MediaUrl{n}"), id, n), f"{id[-6:]}-{n + 1}{_ending(get(f'MediaContentType{n}'))}",
                   get(f"MediaContentType{n}")) for n in range(count)]
    said = (("button", get("ButtonText")), ("latitude", get("Latitude")), ("longitude", get("Longitude")), ("to", get("To")))
    return message(form.place, id, get("From"), get("Body"), get("ProfileName"), tuple(later), form.raw,
                   tuple((n, v) for n, v in said if v), (named(answered),) if SIDS.fullmatch(answered) else ())


def message(place: Place, id: str, sender: str, text: str, name: str, later: tuple[Later, ...], raw: str,
            fields: tuple[tuple[str, str], ...] = (), threads: tuple[str, ...] = ()) -> Delivery:
    """A message by what is known of it, whether a webhook brought it or a list."""
    whatsapp = sender.startswith("whatsapp:")
    number = _number(sender.removeprefix("whatsapp:"))
    addresses = (Address("whatsapp", number[0].value, number[0].raw), *number) if whatsapp and number else number
    return Delivery(
        channel="phone", written=True, source=place.account, source_title=f"{place.title}: {'WhatsApp' if whatsapp else 'SMS'}",
        delivery_id=named(id), names=(named(id),), threads=threads, name=contact.person_name(name), text=text,
        addresses=(*addresses, *contact.emails_in(text)), fields=fields if number else (("from", sender), *fields),
        later=later, raw=raw, content_type=FORM_TYPE)


def named(id: str) -> str:
    """The name of a message by Twilio's id."""
    return f"msg/{id}"


def message_status(about: str, status: str, code: str) -> Fact | None:
    """How a message of ours fared; None while it says nothing new."""
    known = MESSAGE_STATUSES.get(status)
    why = f"{status} {code}".strip() if known == "failed" else ""
    return Fact(about=about, kind="message", status=known, why=why) if known else None


MEDIA = re.compile(r"https?://[^/]+(/2010-04-01/Accounts/AC[0-9a-f]{32}/Messages/[A-Z]{2}[0-9a-f]{32}/Media/ME[0-9a-f]{32})(?:\.json)?")


def media_ref(url: str, message: str, number: int) -> str:
    """How to fetch a file of a message: by its path at Twilio's own address, never by a host that a form names."""
    found = MEDIA.fullmatch(url)
    return found[1] if found else f"media/{message}/{number}"


def _ending(kind: str) -> str:
    found = re.fullmatch(r"\w+/([a-z0-9]{2,5})", kind)
    return f".{found[1]}" if found else ""


# ── Twilio's own lists ───────────────────────────────────────────────────────────────


def read_listed(place: Place, kind: str, body: bytes) -> Accepted:
    """An item of one of Twilio's lists: ``call``, ``message`` or ``recording``."""
    item = json.loads(body)
    text = {name: value for name, value in item.items() if isinstance(value, str)}
    raw = body.decode(errors="replace")
    if kind == "call":
        return _listed_call(place, text, raw)
    if kind == "recording":
        of = "voicemail" if text.get("source") == "RecordVerb" else "talk"
        return Accepted(facts=(recording(sid(text.get("sid")), sid(text.get("call_sid")), of, text.get("status", ""),
                                         text.get("duration", "")),))
    id = sid(text.get("sid"))
    if text.get("direction") == "inbound":
        count = int(text.get("num_media", "0") or 0)
        later = tuple(Later("file", f"media/{id}/{n}", f"{id[-6:]}-{n + 1}") for n in range(min(count, 10)))
        return Accepted((message(place, id, text.get("from", ""), text.get("body", ""), "", later, raw),))
    fact = message_status(named(id), text.get("status", ""), str(item.get("error_code") or ""))
    return Accepted(facts=(fact,) if fact else ())


def _listed_call(place: Place, text: dict[str, str], raw: str) -> Accepted:
    call = sid(text.get("sid"))
    facts = call_status(called(call), text.get("status", ""), text.get("duration", ""))
    if text.get("direction") == "inbound":
        names = {"From": "from", "To": "to", "ForwardedFrom": "forwarded_from", "CallerName": "caller_name"}
        return Accepted((call_in(place, call, lambda name: text.get(names[name], ""), raw),), facts=facts)
    if text.get("parent_call_sid"):  # the second leg: of a call from the card it is the client's
        talked = text.get("status") == "completed" and text.get("duration", "0") not in ("", "0")
        status = "connected" if talked else LEG_STATUSES.get(text.get("status", ""), "")
        return Accepted(facts=client_leg(f"{called(sid(text['parent_call_sid']))}", status))
    return Accepted(facts=facts)


def moment(text: object) -> float:
    """A date of Twilio's lists as seconds; 0 where there is none yet."""
    try:
        return parsedate_to_datetime(text).timestamp() if isinstance(text, str) else 0.0
    except ValueError:
        return 0.0

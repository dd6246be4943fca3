"""Twilio: the contract of all channels, and every way in which a signature or a form can be wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from werkzeug.test import TestResponse as Answered

from hub.accounts import load
from hub.channels.base import Rejected, Request
from hub.channels.phone_twilio import Twilio, TwilioSettings
from hub.config import BadSetting
from tests.channels.contract import HookContract
from tests.channels.house import ChannelHouse
from tests.channels.twilio_requests import (
    BASE,
    CHILD,
    CHILD_TOKEN,
    FORM,
    KEY,
    KEY_SECRET,
    KIND,
    OLD,
    Said,
    account,
    call,
    request,
    signature,
    text,
)
from tests.channels.twilio_server import ACCOUNT, NUMBER, TOKEN, sid

SHARED = f"key={KEY},algorithm=HMAC_SHA256"


class TestTwilio(HookContract):
    """The contract of all channels, by a call."""

    module = "phone_twilio"
    vendors = ("twilio",)

    @pytest.fixture(autouse=True)
    def _account(self) -> None:
        self._one = account()

    def channel(self) -> Twilio:
        return self._one

    def genuine(self) -> Request:
        return call()

    def repeat(self) -> Request:
        return replace(call(), headers={**call().headers, "i-twilio-idempotency-token": "again"})

    def another(self) -> Request:
        return call(2)

    def forged(self) -> list[Request]:
        other = call(2)
        return [replace(call(), headers={"content-type": FORM}), replace(call(), body=other.body),
                request({"CallSid": sid("CA", 1)}, secret="somebody else's"), call(AccountSid="AC" + "9" * 32)]

    def unparsable(self) -> list[tuple[Request, str]]:
        return [(request({"From": "+79123456789", "Note": "no sid, piece"}), "piece"), (call(CallSid="CA-short-piece"), "piece"),
                (call(3, "recorded/voicemail", RecordingSid="nothing"), "nothing")]

    def rotated(self) -> list[Request]:
        return [call(1), request({"CallSid": sid("CA", 2), "From": "+79123456780"}, secret=OLD),
                request({"CallSid": sid("CA", 3), "From": "+79123456781"}, secret=KEY_SECRET, digest=hashlib.sha256,
                        x_twilio_webhooks_signature_settings=SHARED)]

    def acknowledges(self, answer: Answered) -> bool:
        return answer.status_code == 200 and answer.content_type.startswith("text/xml") and bool(Said(answer.data))


def taken(given: Request) -> bool:
    """Whether the request passes as genuine; anything but a refusal with 4xx is a fault."""
    try:
        account().verify(given)
    except Rejected as refused:
        if not 400 <= refused.status < 500:
            raise
        return False
    return True


def with_headers(given: Request, **headers: str) -> Request:
    return replace(given, headers={**given.headers, **{name.replace("_", "-"): value for name, value in headers.items()}})


# ── the table of traps (signature and form) ──────────────────────────────────────────


def test_a_missing_or_senseless_signature_is_a_4xx() -> None:
    """a. The library raises TypeError on None."""
    bare = {"content-type": FORM}
    assert not taken(replace(call(), headers=bare))
    for given in ("", "=", "я" * 28, "\x00", "A" * 28, "x" * 10_000):
        assert not taken(with_headers(call(), x_twilio_signature=given))


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", "", "я"])
@pytest.mark.parametrize("query", ["", "bodySHA256=" + hashlib.sha256(b"{}").hexdigest(), "bodySHA256=0"])
def test_a_body_that_is_no_form_is_refused_whatever_its_url_says(kind: str, query: str) -> None:
    """b, c, d. The library raises for some of these and takes others with any body: none gets as far as the library."""
    url = f"{BASE}/hooks/{KIND}" + (f"?{query}" if query else "")
    headers = {"content-type": kind, "x-twilio-signature": signature(url, {})}
    for body in (b"{}", b"", b"\xff\xfe", json.dumps({"CallSid": sid("CA", 1)}).encode()):
        assert not taken(Request("POST", f"/hooks/{KIND}", headers, body, "", call().at, query, BASE))


def test_a_signed_address_without_a_body_does_not_carry_another_body() -> None:
    """d. A hash in the address does not replace the form's own signature."""
    query = "bodySHA256=" + hashlib.sha256(b"other").hexdigest()
    signed = request({"CallSid": sid("CA", 1)}, query=query)
    assert taken(signed)
    assert not taken(replace(signed, body=signed.body + b"&From=%2B79990000000"))


@pytest.mark.parametrize("query", ["name=%D0%98", "b=2&a=1", "a=1&a=2", "it's", "x=%2f%2F", "empty=", "plus=a+b", "a=1&&b"])
def test_the_query_is_signed_as_it_came(query: str) -> None:
    """e. Decoded, sorted or quoted anew it would not be the same text."""
    assert taken(request({"CallSid": sid("CA", 1)}, query=query))


def test_the_query_is_signed_as_it_came_through_the_whole_server(house: ChannelHouse) -> None:
    assert house.call(request({"CallSid": sid("CA", 1), "From": "+79123456789"}, query="name=%D0%98&b=it's&a")).status_code == 200


def test_the_address_is_our_own_whatever_a_proxy_says(house: ChannelHouse) -> None:
    """f. Neither Host nor X-Forwarded-* decide what was signed."""
    behind = with_headers(call(), host="internal:8000", x_forwarded_proto="https", x_forwarded_host="evil.example")
    assert house.call(behind).status_code == 200
    evil = {"CallSid": sid("CA", 5), "AccountSid": ACCOUNT}
    forged = signature("https://evil.example/hooks/twilio/main", evil, "guess")
    assert house.call(Request("POST", "", {"content-type": FORM, "x-twilio-signature": forged, "host": "evil.example"},
                              urlencode(evil).encode(), "", call().at)).status_code == 403


@pytest.mark.parametrize("base", ["https://hub.example", "https://hub.example:443", "https://hub.example:8443", "http://[::1]:8000"])
def test_a_port_in_the_address_does_not_matter(base: str) -> None:
    """g. The library tries the address with and without its port; an IPv6 host must not make it fail."""
    fields = {"AccountSid": ACCOUNT, "CallSid": sid("CA", 1)}
    headers = {"content-type": FORM, "x-twilio-signature": signature(f"{base}/hooks/{KIND}", fields)}
    given = Request("POST", f"/hooks/{KIND}", headers, urlencode(fields).encode(), "", call().at, "", base)
    if "[" in base:
        assert taken(given) in (True, False)  # no fault either way
    else:
        assert taken(given)


def test_blank_and_padded_fields_are_signed_too() -> None:
    """h. Nothing is stripped or left out."""
    assert taken(call(CallerName="", FromCity=" Пермь ", Body="two\nlines & more"))
    given = call(CallerName="")
    assert not taken(replace(given, body=given.body.replace(b"&CallerName=", b"")))


def test_the_body_reaches_the_dead_letters_whole(house: ChannelHouse) -> None:
    """i. The raw bytes are read before anything parses them."""
    house.call(request({"Note": "Кириллица and piece"}))
    kept = json.loads(house.hub.unread(house.dead_letters()[0]).raw)
    assert "Note=" + quote("Кириллица") in kept["body"].replace("+", "%20")


def test_a_captured_request_may_be_replayed_and_changes_nothing(house: ChannelHouse) -> None:
    """j. A signature says nothing of time: the delivery's own id does."""
    house.call(call())
    head = house.head()
    house.clock.advance(minutes=1)
    for _ in range(5):
        assert house.call(call()).status_code == 200
    assert house.head() == head


def test_neither_a_fragment_nor_a_password_is_put_into_our_addresses(house: ChannelHouse) -> None:
    """k, l. Overrides behind # are not known to be signed, and user:password@ makes every request come twice."""
    answer = house.call(call()).data.decode()
    assert "#" not in answer
    assert "@" not in answer


def test_a_malformed_form_and_a_place_that_is_not_ours_are_a_4xx(house: ChannelHouse) -> None:
    head = house.head()
    for body in (b"CallSid", b"a=1&b", b"%FF%FE=%FF", b"\xff=1", "ключ=1".encode(), b"&".join(b"a=1" for _ in range(600))):
        assert house.call(replace(call(), body=body)).status_code in (400, 403), body
    for tail in ("nothing", "ring/x", "ring/99999", "leg/1", "out/not-hex", f"out/{'0' * 32}/what", "recorded/x", "a/b/c/d"):
        assert house.call(call(1, tail)).status_code in (403, 404), tail
    assert house.head() == head


# ── secrets ──────────────────────────────────────────────────────────────────────────


def test_a_shared_key_signs_by_its_own_algorithm_alone() -> None:
    fields = {"CallSid": sid("CA", 1)}
    named = {"x_twilio_webhooks_signature_settings": SHARED}
    assert taken(request(fields, secret=KEY_SECRET, digest=hashlib.sha256, **named))
    for wrong in ({"secret": TOKEN, "digest": hashlib.sha256}, {"secret": KEY_SECRET, "digest": hashlib.sha1}):
        assert not taken(request(fields, **wrong, **named))  # type: ignore[arg-type]
    for other in (f"key={KEY},algorithm=HMAC_SHA1", f"key={KEY}", f"key={KEY},algorithm=MD5", "key=unknown,algorithm=HMAC_SHA256",
                  "key=,algorithm=HMAC_SHA256", ",,=,key", "algorithm=" + "x" * 5000):
        for digest in (hashlib.sha256, hashlib.sha1):
            assert not taken(request(fields, secret=KEY_SECRET, digest=digest, x_twilio_webhooks_signature_settings=other))


def test_a_sub_account_signs_with_its_own_token() -> None:
    fields = {"CallSid": sid("CA", 1), "AccountSid": CHILD}
    assert taken(request(fields, secret=CHILD_TOKEN))
    assert not taken(request(fields, secret=TOKEN))
    assert not taken(request({"CallSid": sid("CA", 1)}, secret=CHILD_TOKEN))


@pytest.mark.parametrize(("wrong", "where"), [
    ({"account_sid": "AC1"}, "account_sid"), ({"tokens": ()}, "tokens"), ({"tokens": ("",)}, "tokens"),
    ({"number": "8 495"}, "number"), ({"whatsapp": "x"}, "whatsapp"), ({"api_key": "SK1"}, "api_key"),
    ({"subaccounts": {"x": ("t",)}}, "account_sid")])
def test_settings_are_refused_with_their_place(wrong: dict[str, object], where: str) -> None:
    right: dict[str, object] = {"account_sid": ACCOUNT, "tokens": (TOKEN,), "number": NUMBER}
    assert TwilioSettings(**right)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"^{where}: "):
        TwilioSettings(**{**right, **wrong})  # type: ignore[arg-type]


def test_an_account_is_set_up_by_the_file_and_its_secrets_are_not_told(tmp_path: Path) -> None:
    file = tmp_path / "channels.toml"
    file.write_text(f'[twilio.main]\naccount_sid = "{ACCOUNT}"\ntokens = ["env:TWILIO_TOKEN"]\nnumber = "{NUMBER}"\n'
                    '[twilio.main.shared_keys]\nkey1 = "env:TWILIO_KEY"\n')
    found = load(file, BASE, {"TWILIO_TOKEN": TOKEN, "TWILIO_KEY": "k"})["twilio/main"]
    assert isinstance(found, Twilio)
    assert found.settings.shared_keys == {"key1": "k"}
    file.write_text(file.read_text().replace(NUMBER, "8 495"))
    with pytest.raises(BadSetting) as refused:
        load(file, BASE, {"TWILIO_TOKEN": TOKEN, "TWILIO_KEY": "k"})
    assert TOKEN not in str(refused.value)


# ── who calls ────────────────────────────────────────────────────────────────────────


def test_who_hides_their_number_is_a_lead_all_the_same(house: ChannelHouse) -> None:
    hidden = ("anonymous", "Restricted", "+266696687", "+7378742833", "client:anna", "sip:+79123456789@x.example", "")
    for number, who in enumerate(hidden, 1):
        house.call(call(number, From=who))
        (delivery,) = account().read(call(number, From=who)).deliveries
        assert delivery.addresses == ()
        assert ("from", who) in delivery.fields or not who
    assert [row["channel"] for row in house.leads()] == ["phone"] * len(hidden)


def test_a_message_says_who_wrote_and_what_it_answers() -> None:
    given = text(1, "Пишите на ivan@example.ru", From="whatsapp:+79123456789", ProfileName="иван",
                 OriginalRepliedMessageSid=sid("SM", 9), NumMedia="1", MediaContentType0="image/jpeg",
                 MediaUrl0=f"https://evil.example/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid('MM', 1)}/Media/{sid('ME', 1)}")
    (delivery,) = account().read(given).deliveries
    assert [(a.kind, a.value) for a in delivery.addresses] == [
        ("whatsapp", "+79123456789"), ("phone", "+79123456789"), ("email", "ivan@example.ru")]
    assert (delivery.name, delivery.channel, delivery.source_title) == ("Иван", "phone", "Телефон: WhatsApp")
    assert delivery.threads == (f"msg/{sid('SM', 9)}",)
    (file,) = delivery.later
    assert file.ref == f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid('MM', 1)}/Media/{sid('ME', 1)}"  # never the host of a form
    assert file.name.endswith(".jpeg")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ChannelHouse]:
    house = ChannelHouse(tmp_path, account())
    yield house
    house.close()



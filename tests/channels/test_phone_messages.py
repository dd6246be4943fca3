"""SMS and WhatsApp out, files, setting up at Twilio, the settings page, and a storm: nothing lost, nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from hub.channels.base import Outgoing, Request, Trouble
from hub.domain.events import FileRef
from hub.domain.phone import PhoneLine, PhonePlan, line_stream
from tests.channels.house import ChannelHouse
from tests.channels.twilio_requests import KIND, account, call, request, text
from tests.channels.twilio_server import NUMBER, WHATSAPP, TwilioServer, error, sid
from tests.web.admin_pages import Browser, error_at, words

CLIENT = "+79123456789"


@pytest.fixture
def server() -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, server: TwilioServer) -> Iterator[ChannelHouse]:
    house = ChannelHouse(tmp_path)
    house.use(account(server, house.clock))
    server.now = house.clock
    yield house
    house.close()


def taken(house: ChannelHouse) -> UUID:
    """The card of somebody who wrote and whom a manager took."""
    assert house.call(text()).data == b'<?xml version="1.0" encoding="UTF-8"?><Response />'
    lead = UUID(house.leads()[0]["id"])
    house.do(lead, "take")
    return lead


def answer(house: ChannelHouse, lead: UUID, words: str = "Здравствуйте!", way: str = "sms", **more: Any) -> None:
    house.do(lead, "send_message", route={"way": way, "account": KIND, "to": CLIENT}, text=words, **more)


def status(house: ChannelHouse, lead: UUID, number: int = 1) -> tuple[str, str]:
    message = house.hub.lead(lead).outgoing[number]
    return message.status, message.code


def test_an_answer_leaves_once_and_its_reports_are_ranked(house: ChannelHouse, server: TwilioServer) -> None:
    lead = taken(house)
    assert house.hub.lead(lead).stage == "contact"  # an SMS is no call (R3)
    answer(house, lead)
    assert house.send(KIND) == 1
    (sent,) = server.messages
    assert (sent["to"], sent["from"], sent["body"]) == (CLIENT, NUMBER, "Здравствуйте!")
    place = sent["asked"]["StatusCallback"].partition("/hooks/twilio/main/")[2]
    for one in ("delivered", "sent", "queued", "undelivered", "delivered"):
        given = {"MessageSid": sent["sid"], "MessageStatus": one, "To": CLIENT, "From": NUMBER, "ErrorCode": "30005"}
        assert house.call(request(given, place)).status_code == 200
    assert status(house, lead)[0] == "delivered"
    assert house.send(KIND) == 0
    assert len(server.messages) == 1


def test_whatsapp_goes_from_its_own_sender(house: ChannelHouse, server: TwilioServer) -> None:
    house.call(text(From=f"whatsapp:{CLIENT}", To=f"whatsapp:{WHATSAPP}", ProfileName="Иван"))
    lead = UUID(house.leads()[0]["id"])
    house.do(lead, "take")
    answer(house, lead, way="whatsapp")
    house.send(KIND)
    assert (server.messages[0]["to"], server.messages[0]["from"]) == (f"whatsapp:{CLIENT}", f"whatsapp:{WHATSAPP}")
    assert house.hub.lead(lead).stage == "contact"


def test_what_came_back_decides(house: ChannelHouse, server: TwilioServer) -> None:
    lead = taken(house)
    expected = [((400, error(21610, "Attempt to send to unsubscribed recipient")), ("failed", "twilio_stopped")),
                ((400, error(21211, "Invalid 'To' Phone Number")), ("failed", "twilio_number")),
                ((400, error(63016, "Outside the allowed window")), ("failed", "twilio_window")),
                ((400, error(99999, "Something else")), ("failed", "not_taken")),
                ((502, b"<html>Bad Gateway</html>"), ("unknown", "cut")),
                ("cut_before", ("unknown", "cut")),
                ("cut_after", ("sent", ""))]  # found in Twilio's list
    for number, (fault, becomes) in enumerate(expected, 1):
        answer(house, lead, f"Ответ {number}")
        server.faults = [fault]
        house.send(KIND)
        assert status(house, lead, number) == becomes, fault
        house.clock.advance(minutes=1)
    assert [m["body"] for m in server.messages] == ["Ответ 7"]
    answer(house, lead, "Слишком часто")
    server.faults = [(429, error(20429, "Too Many Requests"))]
    with pytest.raises(Trouble, match="20429"):
        house.send(KIND)
    assert status(house, lead, 8)[0] == "asked"
    server.faults = [(401, error(20003, "Authenticate"))]
    house.clock.advance(minutes=10)
    with pytest.raises(Trouble, match="account_sid"):
        house.send(KIND)
    house.clock.advance(minutes=10)
    house.send(KIND)
    assert status(house, lead, 8)[0] == "sent"


def test_files_and_long_texts_are_refused_before_anything_leaves(house: ChannelHouse, server: TwilioServer) -> None:
    lead = taken(house)
    ref = FileRef(house.hub.files.put(b"x", lead), "a.pdf", "application/pdf", 1)
    answer(house, lead, files=[{"digest": ref.digest, "name": ref.name, "content_type": ref.content_type, "size": ref.size}])
    answer(house, lead, "ы" * 1601)
    house.send(KIND)
    assert [status(house, lead, n) for n in (1, 2)] == [("failed", "twilio_files"), ("failed", "twilio_long")]
    assert server.messages == []


def test_an_older_message_of_the_same_words_is_not_taken_for_this_one(house: ChannelHouse, server: TwilioServer) -> None:
    server.add_message(to=CLIENT, body="Здравствуйте!", direction="outbound-api", status="delivered", **{"from": NUMBER})
    house.clock.advance(minutes=1)
    message = Outgoing(UUID(int=7), "sms", CLIENT, "Здравствуйте!", asked_at=house.clock())
    assert house.accounts[KIND].was_sent(message, 0) is None
    server.add_message(to=CLIENT, body="Здравствуйте!", direction="outbound-api", status="queued", **{"from": NUMBER})
    assert house.accounts[KIND].was_sent(message, 0) is not None


@pytest.mark.parametrize("redirects", [True, False])
def test_files_are_fetched_with_authentication_that_no_other_host_sees(house: ChannelHouse, server: TwilioServer,
                                                                   redirects: bool) -> None:
    server.redirects = redirects
    media = f"{server.url}/2010-04-01/Accounts/{account().settings.account_sid}/Messages/{sid('SM', 1)}/Media/{sid('ME', 1)}"
    server.media[sid("SM", 1)] = [(sid("ME", 1), "image/jpeg", b"\xff\xd8 picture")]
    house.call(text(1, "", NumMedia="1", MediaUrl0=media, MediaContentType0="image/jpeg"))
    assert house.fetch(KIND) == 1
    (lead,) = (UUID(row["id"]) for row in house.leads())
    (event,) = (e for e in house.hub.history(lead) if e.TOPIC == "lead.file_fetched")
    assert house.hub.files.get(event.files[0].digest, event.subject) == b"\xff\xd8 picture"


def test_reports_before_the_answer_wait_for_it(house: ChannelHouse, server: TwilioServer) -> None:
    """A status report may come before our own request has its answer, and in any order."""
    for number, order in enumerate(permutations(("sent", "delivered", "read")), 1):
        house.call(text(number, From=f"+7912000{number:04}"))
        lead = UUID(house.leads()[-1]["id"])
        house.do(lead, "take")
        house.do(lead, "send_message", route={"way": "sms", "account": KIND, "to": f"+7912000{number:04}"}, text="Ответ")
        for one in order:
            fixed = house.hub.lead(lead).outgoing[1].fixed_id
            house.call(request({"MessageSid": sid("SM", 50 + number), "MessageStatus": one}, f"message/{fixed}"))
        assert status(house, lead)[0] == "read"


# ── set up at Twilio ─────────────────────────────────────────────────────────────────


def test_the_numbers_are_told_our_addresses_and_checked(server: TwilioServer) -> None:
    channel = account(server)
    before = channel.check()
    assert [c.ok for c in before] == [True, False]
    assert "connect" in before[1].said
    channel.connect()
    assert all(c.ok for c in channel.check())
    assert server.numbers[NUMBER]["voice_url"] == "http://localhost/hooks/twilio/main"
    assert server.numbers[NUMBER]["voice_fallback_url"].endswith("/fallback")
    assert server.numbers[NUMBER]["sms_method"] == "POST"
    missing = account(server, numbers=("+74950000001",))
    assert [c.ok for c in missing.check()] == [True, True, False]
    wrong = account(server, api_key="SK1", api_secret="wrong")
    with pytest.raises(Trouble, match="account_sid") as refused:
        wrong.check()
    assert "wrong" not in refused.value.why


# ── the settings page ────────────────────────────────────────────────────────────────


def test_who_rings_and_what_is_said_is_set_on_a_page_and_heard_by_a_test_call(house: ChannelHouse, server: TwilioServer) -> None:
    admin = Browser(house.house, "administrator")
    assert "Телефон" in words(admin.get("/settings"))
    assert "некому" in words(admin.get("/settings"))
    page = admin.get("/settings/phone")
    assert "автоответчик" in words(page)
    fields = {"act": "save", "members": "manager 8 999 000-00-01\nsecond +7 999 000 00 02", "way": "together", "seconds": "25",
              "record": "1", **{name: getattr(PhonePlan(), name) for name in ("announcement", "closed", "nobody", "leave", "key",
                                                                              "thanks", "whisper", "connect")},
              "greeting": "Студия Т, <добрый> день!"}
    admin.done("/settings/phone/twilio/main", **fields)
    answer = house.call(call()).data.decode()
    assert "Студия Т, &lt;добрый&gt; день!" in answer
    assert "+79990000002" in answer
    for field, value in (("members", "nobody +79990000001"), ("members", "manager"), ("seconds", "600"), ("greeting", " "),
                         ("way", "x"), ("announcement", " "), ("members", "manager +79990000001\nmanager +79990000002")):
        refused = admin.post("/settings/phone/twilio/main", **{**fields, field: value})
        assert 400 <= refused.status_code < 500
        assert error_at(refused.get_data(as_text=True), field)
    head = house.head()
    admin.done("/settings/phone/twilio/main", **fields)
    assert house.head() == head  # nothing changed
    admin.done("/settings/phone/twilio/main", act="call", number="8 999 000-00-01")
    assert server.calls[-1]["to"] == "+79990000001"
    assert "добрый" in server.calls[-1]["asked"]["Twiml"]
    server.faults = [(400, error(21211, "Invalid 'To' Phone Number"))]
    refused = admin.post("/settings/phone/twilio/main", act="call", number="8 999 000-00-01")
    assert "Invalid" in error_at(refused.get_data(as_text=True), "number")
    assert Browser(house.house, "manager").status("/settings/phone") == 403
    assert admin.status("/settings/phone/twilio/other") == 404


def test_a_manager_calls_from_the_card(house: ChannelHouse, server: TwilioServer) -> None:
    house.call(call(1, "status", CallStatus="no-answer"))
    lead = UUID(house.leads()[0]["id"])
    house.hub.change(PhoneLine, line_stream(KIND), lambda line: line.write(KIND, PhonePlan(members=()), ()),
                     actor=house.house.actor("administrator"), at=house.clock())
    manager = Browser(house.house, "manager")
    manager.done(f"/leads/{lead}/do/take")
    card = manager.get(f"/leads/{lead}")
    assert "Пропущенный звонок" in card
    assert f"/leads/{lead}/do/call_client" in card
    form = manager.get(f"/leads/{lead}/do/call_client")
    route = f"call {KIND} {CLIENT}"
    assert route in form
    manager.done(f"/leads/{lead}/do/call_client", route=route, phone="8 999 000-00-01")
    house.send(KIND)
    assert server.calls[-1]["to"] == "+79990000001"
    assert "+79990000001" in manager.get(f"/leads/{lead}/do/call_client")  # the next time it is filled in
    assert "Звоним клиенту" in manager.get(f"/leads/{lead}")


# ── a storm ──────────────────────────────────────────────────────────────────────────


def storm(people: int) -> list[tuple[Request, str]]:
    """What Twilio sends of so many people's calls and messages: each with its kind."""
    sent = []
    for n in range(1, people + 1):
        who, one = f"+7913{n:07}", sid("CA", n)
        sent += [(call(n, From=who), "call"), (call(n, "status", From=who, CallStatus="completed", CallDuration="30"), "status"),
                 (request({"CallSid": sid("CA", 5000 + n), "Digits": "1"}, f"accept/{one}/manager"), "accept") if n % 2
                 else (call(n, "key", Digits="1"), "key"),
                 (text(n, f"Пишу {n}", From=who), "text")]
    return sent


def test_a_storm_of_repeated_reordered_and_forged_deliveries_loses_nothing_and_takes_nothing_twice(house: ChannelHouse) -> None:
    people, luck = 30, Random(4)
    genuine = storm(people)
    given = [one for one, _ in genuine for _ in range(3)]
    forged = [replace(one, headers={**one.headers, "x-twilio-signature": "A" * 28}) for one, _ in luck.sample(genuine, 40)]
    everything = [(one, True) for one in given] + [(one, False) for one in forged]
    luck.shuffle(everything)
    for one, good in everything:
        assert (house.call(one).status_code == 200) is good
    states = [house.hub.lead(UUID(row["id"])) for row in house.leads()]
    assert len(states) == people
    count: Counter[str] = Counter()
    for state in states:
        assert len({m.key for m in state.messages}) == len(state.messages) == 2
        (found,) = state.calls.values()
        odd = int(state.address("phone")[-2:]) % 2
        assert (found.status, found.outcome, found.callback) == ("ended", "answered" if odd else "missed", not odd)
        assert ("call_back" in state.dues) is (not odd)
        count.update(m.channel for m in state.messages)
    assert count == {"phone": 2 * people}
    head = house.head()
    for one, _ in genuine:
        house.call(one)
    assert house.head() == head

"""Whole calls by HTTP requests against the hub: answered, missed, voicemail, closed, hung up first, repeated, in every order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hub.channels.base import Request, Trouble
from hub.domain.call import Call
from hub.domain.errors import Refused
from hub.domain.phone import Member, PhoneLine, PhonePlan, line_stream
from hub.domain.staff import User
from hub.domain.state import LeadState
from tests.channels.house import ChannelHouse
from tests.channels.twilio_requests import KIND, Said, account, call, request, text
from tests.channels.twilio_server import ACCOUNT, NUMBER, WHATSAPP, TwilioServer, sid

CLIENT = "+79123456789"
MARIA, PETER = "+79990000001", "+79990000002"
RINGS = (Member("manager", MARIA), Member("second", PETER))
LEG = sid("CA", 99)


@pytest.fixture
def server() -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, server: TwilioServer) -> Iterator[ChannelHouse]:
    house = ChannelHouse(tmp_path)
    house.use(account(server, house.clock))
    server.now = house.clock
    plan(house)
    yield house
    house.close()


def plan(house: ChannelHouse, **more: Any) -> None:
    """The line is set up by the administrator."""
    chosen = PhonePlan(**{"members": RINGS, "fair": False, **more})
    house.hub.change(PhoneLine, line_stream(KIND), lambda line: line.write(KIND, chosen, ("manager", "second", "trainee")),
                     actor=house.house.actor("administrator"), at=house.clock())
    house.house.settle()


def say(house: ChannelHouse, given: Request) -> Said:
    """Twilio calls the webhook."""
    answer = house.call(given)
    assert answer.status_code == 200, answer.data
    assert answer.content_type == "text/xml; charset=utf-8"
    return Said(answer.data)


def lead(house: ChannelHouse) -> LeadState:
    """The only card."""
    (row,) = house.leads()
    return house.hub.lead(UUID(row["id"]))


def the_call(house: ChannelHouse) -> Call:
    return lead(house).calls[1]


def leg(tail: str, **fields: str) -> Request:
    """Something of the telephone of one of ours."""
    return request({"CallSid": LEG, "ParentCallSid": sid("CA", 1), "From": CLIENT, "To": MARIA, "Direction": "outbound-dial",
                    **fields}, tail)


def ended(status: str = "completed", seconds: str = "42") -> Request:
    return call(1, "status", CallStatus=status, CallDuration=seconds)


def to_voicemail(house: ChannelHouse) -> Said:
    """A call that rings everybody in vain."""
    said = say(house, call())
    while said.rings:
        said = say(house, call(1, said.to("Dial"), DialCallStatus="no-answer"))
    return said


# ── answered ─────────────────────────────────────────────────────────────────────────


def test_an_answered_call_is_a_card_in_screening_of_who_answered(house: ChannelHouse) -> None:
    """R3, R4: the card is there while it rings; who presses 1 has taken it, and the call is the first contact."""
    rings = say(house, call())
    assert lead(house).stage == "new"
    assert (rings.words, rings.rings, rings.verbs) == (PhonePlan().greeting, [MARIA], ["Say", "Dial"])
    whisper = say(house, leg(rings.to("Number", "url")))
    assert whisper.words == PhonePlan().whisper
    say(house, leg(rings.to("Number", "statusCallback"), CallStatus="in-progress"))
    assert the_call(house).outcome == ""  # picked up, perhaps by a machine
    joined = say(house, leg(whisper.to("Gather"), Digits="1"))
    assert joined.verbs == []
    state = lead(house)
    manager = f"user:{house.house.users['manager']}"
    assert (state.stage, state.owner, state.calls[1].by, state.calls[1].outcome) == ("screening", manager, manager, "answered")
    assert not {"take", "contact", "call_back"} & state.dues.keys()
    assert "screening" in state.dues
    assert say(house, call(1, rings.to("Dial"), DialCallStatus="completed")).verbs == ["Hangup"]
    say(house, ended())
    assert (the_call(house).status, the_call(house).seconds, the_call(house).outcome) == ("ended", 42, "answered")


def test_a_voicemail_of_ours_that_picks_up_is_no_answer_and_the_next_one_rings(house: ChannelHouse) -> None:
    rings = say(house, call())
    whisper = say(house, leg(rings.to("Number", "url")))
    assert whisper.verbs == ["Gather", "Hangup"]  # nobody presses: the leg ends
    say(house, leg(whisper.to("Gather"), Digits="5"))
    say(house, leg(rings.to("Number", "statusCallback"), CallStatus="completed"))
    # Twilio calls such a leg completed: we know better.
    second = say(house, call(1, rings.to("Dial"), DialCallStatus="completed"))
    assert second.rings == [PETER]
    last = say(house, call(1, second.to("Dial"), DialCallStatus="no-answer"))
    assert last.words.startswith(PhonePlan().nobody)
    assert last.verbs == ["Say", "Gather", "Record", "Hangup"]
    assert the_call(house).outcome == ""


def test_all_ring_at_once_and_then_the_voicemail(house: ChannelHouse) -> None:
    plan(house, way="together", seconds=30)
    rings = say(house, call())
    assert rings.rings == [MARIA, PETER]
    assert rings.root.find("Dial").attrib["timeout"] == "30"  # type: ignore[union-attr]
    assert "Record" in say(house, call(1, rings.to("Dial"), DialCallStatus="no-answer")).verbs


def test_a_fair_line_begins_with_another_one_and_repeats_itself(house: ChannelHouse) -> None:
    plan(house, fair=True)
    first = [tuple(say(house, call(n)).rings) for n in range(1, 9)]
    assert {(MARIA,), (PETER,)} == set(first)
    assert [tuple(say(house, call(n)).rings) for n in range(1, 9)] == first
    both = say(house, call(1, "ring/0", DialCallStatus="no-answer")).rings
    assert set(first[0]) | set(both) == {MARIA, PETER}


def test_who_is_away_does_not_ring(house: ChannelHouse) -> None:
    day = house.clock().date()
    house.hub.change(User, house.house.users["manager"], lambda u: u.record_absence(day, day), actor=house.house.actor("head"),
                     at=house.clock(), permissions=("decide",))
    house.house.settle()
    assert say(house, call()).rings == [PETER]


def test_a_call_of_a_known_client_joins_the_open_card_and_answers_what_waited(house: ChannelHouse) -> None:
    """R6."""
    house.call(text())
    (row,) = house.leads()
    house.do(UUID(row["id"]), "take")
    house.call(text(2, "Вы где?"))
    assert "reply" in lead(house).dues
    rings = say(house, call())
    whisper = say(house, leg(rings.to("Number", "url")))
    say(house, leg(whisper.to("Gather"), Digits="1"))
    state = lead(house)
    assert len(state.messages) == 3
    assert not {"reply", "contact", "call_back"} & state.dues.keys()


# ── missed ───────────────────────────────────────────────────────────────────────────


def test_a_caller_who_hangs_up_first_is_to_be_called_back(house: ChannelHouse) -> None:
    """No Dial action comes then: the status report alone says it."""
    say(house, call())
    say(house, ended("no-answer", "0"))
    state = lead(house)
    assert (state.calls[1].outcome, state.calls[1].status) == ("missed", "no_answer")
    assert state.dues["call_back"].due_at == house.clock() + timedelta(minutes=15)
    kinds = [event.kind for event in house.hub.history(UUID(house.leads()[0]["id"])) if event.TOPIC == "lead.notice_raised"]
    assert kinds == ["missed_call"]


def test_a_voicemail_is_a_missed_call_with_its_sound(house: ChannelHouse, server: TwilioServer) -> None:
    mail = say(house, call(1, to_voicemail(house).to("Gather"), Digits="7"))  # another key: the tone
    assert say(house, call(1, mail.to("Record"), RecordingDuration="7")).words == PhonePlan().thanks
    say(house, ended())
    recorded = call(1, mail.to("Record", "recordingStatusCallback"), RecordingSid=sid("RE", 1), RecordingStatus="completed",
                    RecordingDuration="7")
    for _ in range(3):
        say(house, recorded)
    assert house.fetch(KIND) == 0  # told of before it is ready
    server.sounds[sid("RE", 1)] = b"ID3 hello"
    house.clock.advance(minutes=1)
    assert house.fetch(KIND) == 1
    (row,) = house.leads()
    topics = house.topics(UUID(row["id"]))
    assert topics.count("lead.file_fetched") == 1
    assert the_call(house).outcome == "missed"
    assert "call_back" in lead(house).dues
    assert len(lead(house).messages) == 1


def test_silence_is_a_missed_call_too(house: ChannelHouse) -> None:
    say(house, call())
    say(house, call(1, "recorded/voicemail", RecordingSid=sid("RE", 2), RecordingStatus="absent", RecordingDuration="0"))
    say(house, ended())
    assert the_call(house).outcome == "missed"
    assert lead(house).fetches == {}


def test_out_of_hours_a_message_is_taken_and_the_call_back_is_due_in_the_morning(house: ChannelHouse) -> None:
    """R7."""
    house.clock.at = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)  # a Saturday
    closed = say(house, call())
    assert closed.words.startswith(PhonePlan().closed)
    assert closed.rings == []
    say(house, ended())
    assert lead(house).dues["call_back"].due_at == datetime(2026, 11, 23, 6, 15, tzinfo=UTC)
    plan(house, always=True)
    assert say(house, call(2)).rings == [MARIA]


def test_the_key_asks_for_a_call_back(house: ChannelHouse) -> None:
    mail = to_voicemail(house)
    assert PhonePlan().key in mail.words
    assert say(house, call(1, mail.to("Gather"), Digits="1")).words == PhonePlan().thanks
    assert the_call(house).callback
    assert "call_back" in lead(house).dues
    plan(house, ask_key=False)
    assert "Gather" not in to_voicemail(house).verbs


def test_nobody_set_up_is_no_reason_to_lose_a_caller(house: ChannelHouse) -> None:
    plan(house, members=())
    assert "Record" in say(house, call()).verbs
    assert "Record" in say(house, call(2, "fallback", ErrorCode="11200", ErrorUrl="http://localhost/hooks/twilio/main")).verbs
    assert len(house.leads()) == 1


# ── recording ────────────────────────────────────────────────────────────────────────


def test_a_talk_is_recorded_only_if_switched_on_and_only_after_the_announcement(house: ChannelHouse) -> None:
    assert "record" not in say(house, call()).root.find("Dial").attrib  # type: ignore[union-attr]
    plan(house, record=True, announcement="Разговор пишется.")
    rings = say(house, call(2))
    assert rings.root.find("Dial").attrib["record"] == "record-from-answer-dual"  # type: ignore[union-attr]
    assert rings.words.endswith("Разговор пишется.")
    assert rings.verbs == ["Say", "Say", "Dial"]
    with pytest.raises(Refused, match="announcement"):
        plan(house, record=True, announcement=" ")


# ── repeated, late, and in every order ───────────────────────────────────────────────


def reports(number: int) -> dict[str, Request]:
    """Everything that is told of one answered call."""
    one, who = sid("CA", number), f"+7912{number:07}"
    return {"call": call(number, From=who), "pressed": leg(f"accept/{one}/manager", Digits="1"),
            "leg": leg(f"leg/{one}/manager", CallStatus="completed"),
            "ended": call(number, "status", CallStatus="completed", CallDuration="42", From=who)}


def test_the_order_of_reports_does_not_matter(house: ChannelHouse) -> None:
    """24 orders, each with every report twice: one card, one call, the same end."""
    orders = list(permutations(reports(1)))
    for number, order in enumerate(orders, 1):
        given = reports(number)
        for name in (*order, *order):
            say(house, given[name])
    manager = f"user:{house.house.users['manager']}"
    states = [house.hub.lead(UUID(row["id"])) for row in house.leads()]
    assert len(states) == len(orders)
    for state in states:
        found = state.calls[1]
        assert (found.status, found.outcome, found.seconds, found.legs) == ("ended", "answered", 42, {manager: "connected"})
        assert not {"call_back", "contact", "take"} & state.dues.keys()
        assert (len(state.messages), len(state.calls), state.stage, state.owner) == (1, 1, "screening", manager)
    head = house.head()
    for number, order in enumerate(orders, 1):
        for name in order:
            say(house, reports(number)[name])
    assert house.head() == head


def test_statuses_are_ranked_and_never_go_back(house: ChannelHouse) -> None:
    statuses = ["queued", "ringing", "in-progress", "completed"]
    for number, order in enumerate(permutations(statuses), 1):
        for status in order:
            say(house, call(number, "status", CallStatus=status, From=f"+7912{number:07}"))
    calls = [house.hub.lead(UUID(row["id"])).calls[1] for row in house.leads()]
    assert [c.status for c in calls] == ["ended"] * 24
    assert [c.outcome for c in calls] == ["missed"] * 24


def test_a_status_that_we_do_not_know_opens_the_card_all_the_same(house: ChannelHouse) -> None:
    say(house, call(1, "status", CallStatus="teleported"))
    assert len(house.leads()) == 1


# ── Twilio's lists: an outage, and calls of which no report came ─────────────────────


def test_what_came_during_an_outage_is_taken_in_from_the_lists(house: ChannelHouse, server: TwilioServer) -> None:
    server.add_call(**{"from": "+79120000099"})  # before the hub was connected: not ours
    house.clock.advance(minutes=1)
    house.poll(KIND)
    assert house.leads() == []
    house.clock.advance(minutes=5)
    calls = [server.add_call(status=status, **{"from": f"+7912000000{n}"}) for n, status in enumerate(
        ("completed", "no-answer", "busy", "canceled", "completed"))]
    server.add_recording(calls[0]["sid"])
    server.add_call(to="+74950000000")  # another number of the account
    messages = [server.add_message(body="Пишу", **{"from": f"+7912000001{n}"}) for n in range(4)]
    messages.append(server.add_message(num_media="1", to=f"whatsapp:{WHATSAPP}", **{"from": "whatsapp:+79120000020"}))
    server.media[messages[-1]["sid"]] = [(sid("ME", 1), "image/png", b"PNG")]
    house.clock.advance(minutes=30)
    house.poll(KIND)
    assert len(house.leads()) == 10
    states = [house.hub.lead(UUID(row["id"])) for row in house.leads()]
    assert [s.calls[1].outcome for s in states if s.calls] == ["missed"] * 5
    assert house.fetch(KIND) == 2
    head = house.head()
    house.restart()
    house.use(account(server, house.clock))  # nothing in memory
    house.poll(KIND)
    for one in calls:
        house.call(call(1, CallSid=one["sid"], From=one["from"], CallStatus="ringing"))  # and the webhook comes after all
    assert house.head() == head


def test_a_call_without_a_last_report_is_asked_for(house: ChannelHouse, server: TwilioServer) -> None:
    house.poll(KIND)
    going = server.add_call(status="in-progress")
    say(house, call(1, CallSid=going["sid"]))
    house.clock.advance(minutes=1)
    house.poll(KIND)
    assert the_call(house).outcome == ""
    house.clock.advance(hours=3)  # longer ago than lists are read
    going |= {"status": "completed", "duration": "65"}
    house.poll(KIND)
    assert (the_call(house).status, the_call(house).outcome, the_call(house).seconds) == ("ended", "missed", 65)


def test_a_list_that_breaks_off_moves_nothing(house: ChannelHouse, server: TwilioServer) -> None:
    house.poll(KIND)
    house.clock.advance(minutes=1)
    server.add_call()
    server.broken = True
    with pytest.raises(Trouble, match="503"):
        house.poll(KIND)
    server.broken = False
    house.poll(KIND)
    assert len(house.leads()) == 1


# ── calls from the card ──────────────────────────────────────────────────────────────


def asked(house: ChannelHouse) -> UUID:
    """A manager presses «call» on a card."""
    house.call(text())
    (row,) = house.leads()
    found = UUID(row["id"])
    house.do(found, "take")
    house.do(found, "call_client", route={"way": "call", "account": KIND, "to": CLIENT}, phone="8 999 000-00-01")
    return found


def test_a_call_from_the_card_rings_ours_first_and_then_the_client(house: ChannelHouse, server: TwilioServer) -> None:
    card = asked(house)
    assert house.send(KIND) == 1
    (placed,) = server.calls
    assert (placed["to"], placed["from"]) == (MARIA, NUMBER)
    out = placed["asked"]["Url"].partition("/hooks/twilio/main/")[2]
    at_ours = {"CallSid": placed["sid"], "From": NUMBER, "To": MARIA, "Direction": "outbound-api", "AccountSid": ACCOUNT}
    ask = say(house, request(at_ours, out))
    assert ask.words == PhonePlan().connect
    assert say(house, request({**at_ours, "Digits": "9"}, ask.to("Gather"))).verbs == ["Hangup"]
    dial = say(house, request({**at_ours, "Digits": "1"}, ask.to("Gather")))
    assert (dial.rings, dial.root.find("Dial").attrib["callerId"]) == ([CLIENT], NUMBER)  # type: ignore[union-attr]
    for _ in range(2):
        say(house, request({**at_ours, "DialCallStatus": "completed"}, dial.to("Dial")))
        say(house, request({**at_ours, "CallStatus": "completed", "CallDuration": "90"}, f"{out}/status"))
    found = house.hub.lead(card).calls[1]
    manager = f"user:{house.house.users['manager']}"
    assert (found.outcome, found.status, found.seconds, found.by) == ("answered", "ended", 90, manager)
    assert not {"contact", "reply"} & house.hub.lead(card).dues.keys()
    assert house.send(KIND) == 0
    assert len(server.calls) == 1


@pytest.mark.parametrize("status", ["no-answer", "busy", "failed"])
def test_a_client_who_does_not_answer_is_an_attempt(house: ChannelHouse, server: TwilioServer, status: str) -> None:
    """R8: attempts are counted; one of ours who does not pick up is none."""
    card = asked(house)
    house.send(KIND)
    out = server.calls[0]["asked"]["Url"].partition("/hooks/twilio/main/")[2]
    dialled = request({"CallSid": server.calls[0]["sid"], "DialCallStatus": status}, f"{out}/dialled")
    over = request({"CallSid": server.calls[0]["sid"], "CallStatus": "completed", "CallDuration": "30"}, f"{out}/status")
    for given in (over, dialled, over, dialled):
        say(house, given)
    state = house.hub.lead(card)
    assert (state.attempts, state.calls[1].outcome) == (1, "missed")


def test_ours_who_does_not_pick_up_is_no_attempt(house: ChannelHouse, server: TwilioServer) -> None:
    card = asked(house)
    house.send(KIND)
    server.calls[0] |= {"status": "no-answer"}
    out = server.calls[0]["asked"]["Url"].partition("/hooks/twilio/main/")[2]
    say(house, request({"CallSid": server.calls[0]["sid"], "CallStatus": "no-answer"}, f"{out}/status"))
    assert house.hub.lead(card).attempts == 0


def test_a_second_press_does_not_call_twice(house: ChannelHouse, server: TwilioServer) -> None:
    card = asked(house)
    with pytest.raises(Refused, match="under way"):
        house.do(card, "call_client", route={"way": "call", "account": KIND, "to": CLIENT}, phone=MARIA)
    with pytest.raises(Refused):
        house.do(card, "call_client", route={"way": "call", "account": KIND, "to": "+79990009999"}, phone=MARIA)
    house.clock.advance(minutes=3)
    with pytest.raises(Refused, match="your own telephone"):
        house.do(card, "call_client", route={"way": "call", "account": KIND, "to": CLIENT}, phone="мой")
    house.send(KIND)
    assert server.calls == []  # three minutes later nobody waits beside the telephone
    assert (house.hub.lead(card).calls[1].status, house.hub.lead(card).calls[1].code) == ("failed", "call_too_late")


def test_a_call_whose_answer_was_cut_is_looked_for_and_never_placed_again(house: ChannelHouse, server: TwilioServer) -> None:
    card = asked(house)
    server.faults = ["cut_after"]
    assert house.send(KIND) == 1
    assert house.hub.lead(card).calls[1].status == "placed"  # it was in Twilio's list
    assert len(server.calls) == 1
    house.clock.advance(minutes=5)
    house.do(card, "call_client", route={"way": "call", "account": KIND, "to": CLIENT}, phone=MARIA)
    server.faults = ["cut_before"]
    house.send(KIND)
    assert house.hub.lead(card).calls[2].status == "unknown"  # nobody can say: a person does
    house.restart()
    assert house.send(KIND) == 0
    assert len(server.calls) == 1
    house.do(card, "mark_call", call=2, took_place=False)
    assert house.hub.lead(card).calls[2].status == "failed"


def test_a_crash_between_claim_and_answer_asks_the_list(house: ChannelHouse, server: TwilioServer,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """The process ends here."""

    def kill(*_: Any, **__: Any) -> None:
        raise Killed

    card = asked(house)
    with monkeypatch.context() as broken:
        broken.setattr(type(house.sender.tries), "release", kill)
        with pytest.raises(Killed):
            house.send(KIND)
    assert len(server.calls) == 1
    house.restart()
    assert house.send(KIND) == 1
    assert house.hub.lead(card).calls[1].names == (f"call/{server.calls[0]['sid']}",)
    assert len(server.calls) == 1

"""What a provider has of an erased person: it is asked to delete it, through the channel's own sender, until it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from hub.domain.privacy import ErasureState
from hub.privacy import Eraser
from tests.channels.house import ChannelHouse
from tests.channels.twilio_requests import KIND, account, call
from tests.channels.twilio_server import TwilioServer, sid

CALL, RECORDING = sid("CA", 1), sid("RE", 1)
CLIENT = "+79123456789"


@pytest.fixture
def server() -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, server: TwilioServer) -> Iterator[ChannelHouse]:
    """A client has called and left a message, and we have written to them."""
    house = ChannelHouse(tmp_path)
    house.use(account(server, house.clock))
    server.now = house.clock
    server.add_call(sid=CALL)
    server.add_recording(CALL, sid=RECORDING)
    for one in (call(1), call(1, "status", CallStatus="completed", CallDuration="9"),
                call(1, "recorded/voicemail", RecordingSid=RECORDING, RecordingStatus="completed", RecordingDuration="7")):
        assert house.call(one).status_code == 200
    house.fetch(KIND)
    (row,) = house.leads()
    house.do(UUID(row["id"]), "take")
    house.do(UUID(row["id"]), "send_message", route={"way": "sms", "account": KIND, "to": CLIENT}, text="Перезвоним")
    assert house.send(KIND) == 1
    yield house
    house.close()


def erase(house: ChannelHouse) -> UUID:
    (row,) = house.leads()
    eraser = Eraser(house.hub, house.house.runner, house.accounts)
    person = house.hub.lead(UUID(row["id"])).main_person
    return eraser.erase(person, "отзыв согласия", actor=house.house.actor("administrator"), at=house.clock())


def state(house: ChannelHouse, erasure: UUID) -> ErasureState:
    return Eraser(house.hub, house.house.runner, house.accounts).state(erasure)


def test_recordings_calls_and_messages_are_deleted_there(house: ChannelHouse, server: TwilioServer) -> None:
    erasure = erase(house)
    assert sorted(r.kind for r in state(house, erasure).removals.values()) == ["call", "message", "recording"]
    assert server.recordings, "nothing is done before the sender's turn"
    server.messages[0]["status"] = "delivered"

    assert house.send(KIND) == 3

    assert (server.recordings, server.calls, server.messages) == ([], [], [])
    assert {r.status for r in state(house, erasure).removals.values()} == {"done"}
    assert house.send(KIND) == 0
    row = house.hub.views.persons.erasures()[0]
    assert (row["pending"], row["finished"]) == (0, 1)


def test_what_it_was_called_there_is_erased_when_the_last_one_is_answered(house: ChannelHouse, server: TwilioServer) -> None:
    erasure = erase(house)
    assert any(RECORDING in r.ref for r in state(house, erasure).removals.values())
    server.messages[0]["status"] = "delivered"
    house.send(KIND)
    asked = [ev.ref for ev in house.hub.store.read(erasure) if ev.TOPIC == "privacy.removal_asked"]  # type: ignore[attr-defined]
    assert asked == ["[erased]"] * 3


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", (503, {}), (429, {"code": 20429, "message": "Too Many"})])
def test_it_is_tried_until_it_is_gone(house: ChannelHouse, server: TwilioServer, fault: object) -> None:
    erasure = erase(house)
    server.messages[0]["status"] = "delivered"
    server.faults.append(fault)
    house.send(KIND)
    assert state(house, erasure).pending
    house.clock.advance(minutes=5)
    house.restart()
    house.send(KIND)
    assert {r.status for r in state(house, erasure).removals.values()} == {"done"}
    assert server.recordings == []


def test_what_is_gone_there_already_counts_as_deleted(house: ChannelHouse, server: TwilioServer) -> None:
    server.recordings.clear()
    server.messages[0]["status"] = "delivered"
    erasure = erase(house)
    house.send(KIND)
    assert {r.status for r in state(house, erasure).removals.values()} == {"done"}


def test_what_can_never_be_deleted_is_said_to_be_a_persons_task(house: ChannelHouse, server: TwilioServer) -> None:
    erasure = erase(house)  # the message stays «queued» at the provider
    house.send(KIND)
    house.clock.advance(hours=25)
    house.send(KIND)
    found = {r.kind: (r.status, r.code) for r in state(house, erasure).removals.values()}
    assert found == {"call": ("done", ""), "recording": ("done", ""), "message": ("failed", "tried_long")}


def test_a_poll_brings_nothing_back_before_the_provider_has_deleted_it(house: ChannelHouse, server: TwilioServer) -> None:
    erase(house)
    head = len(house.leads())
    house.poll(KIND)
    server.add_recording(CALL)
    house.poll(KIND)
    house.call(call(1, "status", CallStatus="completed", CallDuration="9"))
    assert len(house.leads()) == head
    assert house.hub.views.leads.found(CLIENT) == []

"""VK, out: answers under a stable random_id, what VK refuses, crashes, files, names; setting the account up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.channels.base import Outgoing, Place, Result, Trouble
from hub.channels.social import Vk, VkSettings, chunks
from hub.channels.social_reading import random_id
from hub.domain.errors import SENTENCES
from tests.channels.house import ChannelHouse
from tests.channels.test_vk import ACCOUNT, HTML, NEW, community, drained, request, started, texts
from tests.channels.vk_server import CODE, GROUP, TOKEN, VkServer
from tests.web.house import MONDAY


@pytest.fixture
def server() -> Iterator[VkServer]:
    with VkServer() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, server: VkServer) -> Iterator[ChannelHouse]:
    house = ChannelHouse(tmp_path, community(server, "poll"))
    yield house
    house.close()


def taken(house: ChannelHouse, server: VkServer) -> UUID:
    """The card of somebody who wrote and whom a manager took."""
    started(house)
    server.writes(text="Нужен сайт")
    drained(house)
    lead = UUID(house.leads()[0]["id"])
    house.do(lead, "take")
    server.calls.clear()
    return lead


def answer(house: ChannelHouse, lead: UUID, text: str = "Здравствуйте!", **more: Any) -> None:
    """A manager answers from the card."""
    house.do(lead, "send_message", route={"way": "vk", "account": ACCOUNT, "to": "id5"}, text=text, **more)


def attached(house: ChannelHouse, lead: UUID, data: bytes, name: str = "КП.pdf") -> dict[str, Any]:
    digest = house.hub.files.put(data, lead)
    return {"digest": digest, "name": name, "content_type": "application/pdf", "size": len(data)}


# ── answers ──────────────────────────────────────────────────────────────────────────


def test_an_answer_goes_out_once_and_comes_back_as_no_message(house: ChannelHouse, server: VkServer) -> None:
    lead = taken(house, server)
    server.writes(text="Вы тут?")
    drained(house)
    answer(house, lead)
    assert house.send(ACCOUNT) == 1
    assert house.send(ACCOUNT) == 0
    (sent,) = server.sent
    assert (sent["peer_id"], sent["text"]) == (5, "Здравствуйте!")
    assert "reply" not in house.hub.lead(lead).dues
    head = house.head()
    drained(house)  # message_reply comes by the long poll
    house.call(request(server.events[-1]))
    assert house.head() == head
    assert house.hub.lead(lead).outgoing[1].status == "sent"
    server.writes(text="Спасибо", reply_message={"id": sent["id"], "from_id": -GROUP, "conversation_message_id": 3})
    drained(house)
    assert (len(house.leads()), texts(house)[-1]) == (1, "Спасибо")


def test_what_was_lost_in_a_conversation_that_we_answered_is_still_read(house: ChannelHouse, server: VkServer) -> None:
    """The account began with empty lists, and what is answered is unread no more."""
    lead = taken(house, server)
    server.writes(text="потеряно", told=False)
    answer(house, lead)
    house.send(ACCOUNT)
    house.use(community(server, "poll"))
    drained(house)
    assert texts(house) == ["Нужен сайт", "потеряно"]


def test_what_a_colleague_answers_in_vk_itself_is_no_message(house: ChannelHouse, server: VkServer) -> None:
    taken(house, server)
    head = house.head()
    forged = json.dumps({"out": uuid4().hex, "part": 0, "parts": 1})
    for payload in ("", "{}", "[]", '{"out": "x", "part": 0, "parts": 1}', forged):
        server.happens("message_reply", {"id": 9, "from_id": -GROUP, "out": 1, "peer_id": 5, "text": "Привет",
                                         "conversation_message_id": 9, "random_id": 77, "payload": payload})
    drained(house)
    assert (house.head(), house.dead_letters()) == (head, [])


def test_a_long_answer_with_a_file_leaves_in_parts_under_numbers_of_their_own(house: ChannelHouse, server: VkServer) -> None:
    lead = taken(house, server)
    answer(house, lead, "слово " * 900, files=[attached(house, lead, b"%PDF offer")])
    house.send(ACCOUNT)
    assert [bool(m["attachment"]) for m in server.sent] == [False, False, True]
    assert server.uploaded == [b"%PDF offer"]
    assert len({m["random_id"] for m in server.sent}) == 3
    assert len(house.hub.lead(lead).outgoing[1].names) == 3


def test_a_part_that_comes_back_does_not_settle_the_whole(house: ChannelHouse, server: VkServer) -> None:
    lead = taken(house, server)
    answer(house, lead, "слово " * 900)

    def cut_the_second(method: str) -> None:
        if method == "messages.send" and len(server.sent) == 1:
            server.faults.append("cut_after")
    server.on_call = cut_the_second
    assert house.send(ACCOUNT) == 0
    server.on_call = lambda method: None
    assert len(server.sent) == 2
    house.call(request(server.events[-2]))  # the first part's echo
    assert house.hub.lead(lead).outgoing[1].status == "asked"
    house.clock.advance(minutes=1)
    house.send(ACCOUNT)
    assert len(server.sent) == 2
    assert house.hub.lead(lead).outgoing[1].status == "sent"


def test_what_vk_refuses_is_failed_with_a_sentence_and_told(house: ChannelHouse, server: VkServer) -> None:
    lead = taken(house, server)
    codes = {901: "vk_not_allowed", 902: "vk_privacy", 900: "vk_blocked", 7: "vk_denied", 18: "vk_gone", 914: "vk_long",
             100: "not_taken", 4242: "not_taken"}
    for number, (code, told) in enumerate(codes.items(), 1):
        server.refuses[5] = code
        answer(house, lead)
        assert house.send(ACCOUNT) == 1
        found = house.hub.lead(lead).outgoing[number]
        assert (found.status, found.code) == ("failed", told)
        assert SENTENCES[f"out_{found.code}"].ru
    assert server.sent == []
    assert "unsent" in [e.kind for e in house.hub.history(lead) if e.TOPIC == "lead.notice_raised"]  # type: ignore[attr-defined]


def test_what_is_wrong_with_the_account_waits_and_is_said(house: ChannelHouse, server: VkServer) -> None:
    lead = taken(house, server)
    answer(house, lead, "первое")
    answer(house, lead, "второе")
    for code, seconds in ((6, 1.0), (9, 60.0), (14, 300.0), (29, 3600.0), (5, 0.0), (27, 0.0), (17, 0.0)):
        server.faults.append(code)
        server.calls.clear()
        with pytest.raises(Trouble) as trouble:
            house.send(ACCOUNT)
        assert trouble.value.seconds >= seconds
        assert server.calls == ["messages.send"], code  # nothing is repeated by the library
        house.clock.advance(hours=2)
    assert house.send(ACCOUNT) == 2
    assert [m["text"] for m in server.sent] == ["первое", "второе"]  # nobody overtakes


def test_what_nobody_knows_is_sent_again_under_the_same_number(house: ChannelHouse, server: VkServer) -> None:
    lead = taken(house, server)
    faults: list[Any] = ["cut_after", "cut_before", HTML, (200, b"<html>"), (200, {"odd": 1}), 1, 10]
    for number, fault in enumerate(faults, 1):
        server.faults.append(fault)
        answer(house, lead, f"{number}")
        assert house.send(ACCOUNT) == 0, fault
        house.clock.advance(minutes=1)
        assert house.send(ACCOUNT) == 1
        assert house.hub.lead(lead).outgoing[number].status == "sent"
    assert [m["text"] for m in server.sent] == [f"{n}" for n in range(1, len(faults) + 1)]


def test_a_number_that_vk_has_forgotten_is_asked_for_first(house: ChannelHouse, server: VkServer) -> None:
    """VK's documents disagree on how long it remembers a random_id; after half an hour the conversation is asked."""
    lead = taken(house, server)
    server.faults += ["cut_after"]
    answer(house, lead)
    assert house.send(ACCOUNT) == 0
    forgotten, server.sent = server.sent, []
    house.accounts[ACCOUNT].now = lambda: MONDAY + timedelta(hours=3)  # type: ignore[attr-defined]
    house.clock.advance(hours=3)
    assert house.send(ACCOUNT) == 1
    assert (len(forgotten), server.sent) == (1, [])
    assert house.hub.lead(lead).outgoing[1].status == "sent"


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("seam", ["before", "release", "sent", "forget"])
def test_killed_at_any_seam_the_client_has_it_once(house: ChannelHouse, server: VkServer, monkeypatch: pytest.MonkeyPatch,
                                                   seam: str) -> None:
    lead = taken(house, server)
    answer(house, lead)

    def die(*_: Any, **__: Any) -> Result:
        raise Killed
    with monkeypatch.context() as dying:
        if seam == "before":
            dying.setattr(Vk, "send", die)
        else:
            dying.setattr(house.sender.sources["lead"] if seam == "sent" else house.sender.tries, seam, die)
        with pytest.raises(Killed):
            house.send(ACCOUNT)
    house.use(community(server, "poll"))
    house.send(ACCOUNT)
    assert len(server.sent) == 1
    assert house.hub.lead(lead).outgoing[1].status == "sent"


def test_the_echo_of_a_message_says_that_it_left(house: ChannelHouse, server: VkServer) -> None:
    """Killed after the request, and VK is away for the sender: its event still tells."""
    lead = taken(house, server)
    server.faults.append("cut_after")
    answer(house, lead)
    house.send(ACCOUNT)
    assert house.hub.lead(lead).outgoing[1].status == "asked"
    drained(house)
    assert house.hub.lead(lead).outgoing[1].status == "sent"
    house.clock.advance(minutes=1)
    house.send(ACCOUNT)
    assert len(server.sent) == 1


def test_two_senders_at_once_send_once(house: ChannelHouse, server: VkServer) -> None:
    lead = taken(house, server)
    for n in range(6):
        answer(house, lead, f"{n}")
    house.house.settle()
    senders, channels = [house.sender], [house.accounts[ACCOUNT], community(server, "poll")]
    house.restart()
    senders.append(house.sender)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(s.turn, c) for s, c in zip(senders, channels, strict=True)]:
            done.result()
    house.send(ACCOUNT)
    assert sorted(m["text"] for m in server.sent) == [str(n) for n in range(6)]


def test_a_file_that_vk_does_not_take_fails_its_message_alone(house: ChannelHouse, server: VkServer) -> None:
    lead = taken(house, server)
    answer(house, lead, files=[attached(house, lead, b"MZ program", "setup.exe")])
    answer(house, lead, "Второе")
    assert house.send(ACCOUNT) == 2
    assert (house.hub.lead(lead).outgoing[1].code, house.hub.lead(lead).outgoing[2].status) == ("vk_file", "sent")


def test_the_number_is_stable_positive_and_its_own_for_each_part() -> None:
    id = UUID("12345678123456781234567812345678")
    assert random_id(id, 0) == random_id(id, 0)
    found = {random_id(uuid4(), part) for part in range(3) for _ in range(1000)}
    assert len(found) == 3000
    assert all(0 < number < 2 ** 63 for number in found)


def test_a_text_is_cut_where_it_hurts_least() -> None:
    text = ("слово " * 600 + "\n\n") * 3 + "😀" * 9000
    pieces = chunks(text)
    assert all(0 < len(piece) <= 4096 for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert chunks("") == []


@pytest.mark.parametrize(("value", "reached"), [("id5", True), ("studio", False), ("5", False), ("id0", False), ("id5x", False)])
def test_only_a_numbered_page_is_written_to(value: str, reached: bool) -> None:
    from hub.domain.delivery import Address
    assert community().reaches("vk", Address("vk", value)) is reached
    assert not community().reaches("telegram", Address("vk", value))
    assert community().parts(Outgoing(uuid4(), "vk", "id5", "x")) == 1


# ── names and files ──────────────────────────────────────────────────────────────────


def test_name_and_time_zone_of_the_writer_come_later(house: ChannelHouse, server: VkServer) -> None:
    server.people[5] = {"id": 5, "first_name": "Иван", "last_name": "Петренко", "city": {"id": 1, "title": "Екатеринбург"}}
    server.people[6] = {"id": 6, "first_name": "DELETED", "last_name": "", "deactivated": "deleted"}
    started(house)
    for peer in (5, 6, 7):
        server.writes(peer=peer, text="Нужен сайт")
    drained(house)
    assert "users.get" not in server.calls  # nobody waits for it
    server.faults.append(10)
    assert house.fetch(ACCOUNT) == 2
    house.clock.advance(minutes=1)
    assert house.fetch(ACCOUNT) == 1
    people = {row["number"]: house.hub.lead(UUID(row["id"])).person for row in house.leads()}
    assert [(p.name, p.place, p.timezone) for p in people.values()] == [
        ("Иван Петренко", "Екатеринбург", "Asia/Yekaterinburg"), ("", "", ""), ("", "", "")]
    assert house.fetch(ACCOUNT) == 0


def test_files_come_after_their_message_from_vk_alone(house: ChannelHouse, server: VkServer) -> None:
    server.files = {"doc": f"{server.url}/files/real", "real": b"%PDF plan", "loop": f"{server.url}/files/loop"}
    docs = [("doc", server.url, 9), ("gone", server.url, 5), ("loop", server.url, 5), ("x", "http://169.254.169.254", 5),
            ("x", "https://vk.com.evil.example", 5), ("big", server.url, 60_000_000)]
    started(house)
    server.writes(text="ТЗ", attachments=[{"type": "doc", "doc": {
        "id": n, "owner_id": 5, "title": "ТЗ", "ext": "pdf", "size": size, "url": f"{at}/files/{path}"}}
        for n, (path, at, size) in enumerate(docs)])
    drained(house)
    lead = UUID(house.leads()[0]["id"])
    assert house.fetch(ACCOUNT) == 7
    events = house.hub.history(lead)
    (file,) = [e for e in events if e.TOPIC == "lead.file_fetched"]
    (ref,) = file.files  # type: ignore[attr-defined]
    assert (ref.name, house.hub.files.get(ref.digest, file.subject)) == ("ТЗ.pdf", b"%PDF plan")  # type: ignore[arg-type]
    assert [e.code for e in events if e.TOPIC == "lead.fetch_ended"] == ["", "gone", "gone", "gone", "gone", "too_large"]  # type: ignore[attr-defined]


# ── setting up ───────────────────────────────────────────────────────────────────────


def test_check_and_connect_say_what_came_back(server: VkServer) -> None:
    channel = community(server, "poll")
    assert {c.what: c.ok for c in channel.check()} == {
        "groups.getById": True, "messages.getConversations": True, "groups.getCallbackConfirmationCode": True,
        "groups.getCallbackServers": False, "groups.getLongPollSettings": False}
    for _ in range(2):
        assert all(c.ok for c in channel.connect())
    assert [(s["url"], s["secret_key"]) for s in server.servers] == [("https://hub.example/hooks/vk/main", NEW)]
    assert server.settings["callback"]["message_new"] == "1"
    assert all(c.ok for c in channel.check())
    told = str(channel.check())
    assert TOKEN not in told
    assert NEW not in told


def test_a_key_that_vk_does_not_take_is_said_for_every_try(server: VkServer) -> None:
    wrong = Vk(Place(ACCOUNT, "Сообщество", ""), VkSettings(GROUP, "x" * 30, (NEW,), CODE, "callback", server.url))
    checks = wrong.check()
    assert [c.ok for c in checks] == [False] * 4
    assert "проверьте token" in checks[0].said


@pytest.mark.parametrize(("settings", "why"), [
    ({"group": 0}, "group"), ({"token": "hunter2"}, "token"), ({"secrets": ()}, "secrets"), ({"secrets": ("short",)}, "secrets"),
    ({"confirmation": ""}, "confirmation")])
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why) as refusal:
        VkSettings(**{"group": GROUP, "token": TOKEN, "secrets": (NEW,), "confirmation": CODE, **settings})
    assert "hunter2" not in str(refusal.value)

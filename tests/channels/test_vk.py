"""VK: the contract, what events become, both transports, losses and outages, against a stand-in over real HTTP."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hub.channels.base import Place, Rejected, Request, Trouble
from hub.channels.social import Vk, VkSettings
from hub.store import Unavailable
from tests.channels.contract import HookContract
from tests.channels.house import ChannelHouse
from tests.channels.vk_server import CODE, GROUP, TOKEN, VkServer, deliver
from tests.web.house import MONDAY

ACCOUNT = "vk/main"
NEW, OLD = "the-new-secret_1", "the-old-secret_0"
AT = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)
HTML = (502, b"<html>502 Bad Gateway</html>")


def community(server: VkServer | None = None, mode: Any = "callback") -> Vk:
    """The account under test."""
    api = server.url if server else "http://127.0.0.1:9"
    channel = Vk(Place(ACCOUNT, "Сообщество", "https://hub.example"), VkSettings(GROUP, TOKEN, (NEW, OLD), CODE, mode, api))
    channel.now = lambda: MONDAY
    return channel


def request(event: Any, secret: str | None = NEW, **headers: str) -> Request:
    """An event as VK posts it."""
    held = {} if secret is None else {"secret": secret}
    body = event if isinstance(event, bytes) else json.dumps({**event, **held}, ensure_ascii=False).encode()
    return Request("POST", f"/hooks/{ACCOUNT}", {"content-type": "application/json", **headers}, body, "95.142.192.1", AT)


def event(number: int = 1, text: str = "Хочу сайт", kind: str = "message_new", **more: Any) -> dict[str, Any]:
    """VK's own sample of a message."""
    message = {"date": 1_790_000_000, "from_id": 5, "id": 2 + number, "version": 10_000_001, "out": 0, "fwd_messages": [],
               "important": False, "is_hidden": False, "attachments": [], "conversation_message_id": number, "text": text,
               "peer_id": 5, "random_id": 0, **more}
    return {"group_id": GROUP, "type": kind, "event_id": f"{number:040x}", "v": "5.199", "object": {"message": message}}


class TestVk(HookContract):
    """The contract of all channels."""

    module = "social"
    vendors = ("vk_api",)

    @pytest.fixture(autouse=True)
    def _account(self) -> None:
        self._community = community()

    def channel(self) -> Vk:
        return self._community

    def genuine(self) -> Request:
        return request(event())

    def repeat(self) -> Request:
        return request({**event(), "event_id": "f" * 40}, **{"x-retry-counter": "3"})  # as the other transport may name it

    def another(self) -> Request:
        return request(event(2))

    def forged(self) -> list[Request]:
        wrong = [request(event(), secret) for secret in (None, "", "a-wrong-secret_1", "ключ")]
        return [*wrong, request({**event(), "secret": 5}, None), request({**event(), "group_id": 7}),
                request(b'{"type": "message'), request(b"[]"), request(b"\xff\xfe"),
                request({"type": "confirmation", "group_id": GROUP}, "a-wrong-secret_1"),
                request({"type": "confirmation", "group_id": 7}, None)]

    def unparsable(self) -> list[tuple[Request, str]]:
        return [(request({**event(3), "object": "no object, piece"}), "no object, piece"),
                (request({**event(4), "object": {"message": {"text": "без автора"}}}), "без автора"),
                (request(event(5, from_id="кто-то")), "кто-то"), (request({**event(6), "object": {}}), str(GROUP))]

    def rotated(self) -> list[Request]:
        return [request(event(1), NEW), request(event(2), OLD)]

    def acknowledges(self, answer: Any) -> bool:
        return (answer.status_code, answer.data) == (200, b"ok")


@pytest.fixture
def server() -> Iterator[VkServer]:
    with VkServer() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, server: VkServer) -> Iterator[ChannelHouse]:
    house = ChannelHouse(tmp_path, community(server, "poll"))
    yield house
    house.close()


def started(house: ChannelHouse) -> None:
    """The long poll has its first position and has read the lists once."""
    house.poll(ACCOUNT)
    house.poll(ACCOUNT)


def drained(house: ChannelHouse) -> None:
    """Poll until nothing is new."""
    while house.poll(ACCOUNT):
        pass


def texts(house: ChannelHouse, n: int = 0) -> list[str]:
    """What is written on the n-th card."""
    return [m.text for m in house.hub.lead(UUID(house.leads()[n]["id"])).messages]


# ── the webhook ──────────────────────────────────────────────────────────────────────


def test_the_confirmation_is_the_whole_answer_with_and_without_a_secret(house: ChannelHouse) -> None:
    head = house.head()
    for secret in (None, NEW):
        answer = house.call(request({"type": "confirmation", "group_id": GROUP, "v": "5.199"}, secret))
        assert (answer.status_code, answer.data, answer.mimetype) == (200, CODE.encode(), "text/plain")
    assert house.head() == head


def test_another_community_is_told_so() -> None:
    with pytest.raises(Rejected) as refusal:
        community().verify(request({**event(), "group_id": 7}))
    assert (refusal.value.status, refusal.value.code) == (403, "hook_vk_group")


def test_the_secret_is_not_kept(house: ChannelHouse) -> None:
    (delivery,) = community().read(request(event())).deliveries
    assert NEW not in delivery.raw
    assert "Хочу сайт" in delivery.raw


# ── what an event becomes ────────────────────────────────────────────────────────────


def read(kind: str, object: Any) -> Any:
    found = community().read(request({"group_id": GROUP, "type": kind, "event_id": "1", "object": object}))
    return found.deliveries


def one(**message: Any) -> Any:
    (delivery,) = community().read(request(event(**message))).deliveries
    return delivery


def test_the_writer_is_known_by_id_and_what_they_say() -> None:
    delivery = one(text="Позвоните: 8 912 345-67-89, ivan@example.ru", ref="banner")
    assert {(a.kind, a.value) for a in delivery.addresses} == {("vk", "id5"), ("phone", "+79123456789"),
                                                               ("email", "ivan@example.ru")}
    assert [(later.kind, later.ref) for later in delivery.later] == [("person", "5")]
    assert delivery.attribution == (("ref", "banner"),)


@pytest.mark.parametrize("bare", [
    {"date": 1, "from_id": 5, "id": 3, "out": 0, "conversation_message_id": 1, "text": "Хочу сайт", "peer_id": 5},
    {"date": 1, "user_id": 5, "id": 3, "out": 0, "conversation_message_id": 1, "body": "Хочу сайт"}])
def test_the_forms_before_5_103_are_the_same_delivery(bare: dict[str, Any]) -> None:
    (old,) = read("message_new", bare)
    new = one()
    assert (old.delivery_id, old.text, old.addresses) == (new.delivery_id, new.text, new.addresses)


def test_attachments_are_files_to_fetch_or_words() -> None:
    photo = {"sizes": [{"type": "s", "url": "https://a.userapi.com/s", "width": 75, "height": 50},
                       {"type": "w", "url": "https://a.userapi.com/w", "width": 2560, "height": 1700}, {"type": "odd"}]}
    doc = {"id": 1, "owner_id": 5, "title": "ТЗ", "ext": "pdf", "size": 7, "url": "https://vk.com/doc5_1"}
    voice = {"link_mp3": "https://a.userapi.com/v.mp3", "link_ogg": "https://a.userapi.com/v.ogg", "transcript": "нужен сайт"}
    delivery = one(text="", attachments=[
        {"type": "photo", "photo": photo}, {"type": "doc", "doc": doc}, {"type": "audio_message", "audio_message": voice},
        {"type": "link", "link": {"url": "https://old.example", "title": "Старый сайт"}}, {"type": "sticker", "sticker": {}},
        {"type": "video", "video": {"id": 2, "owner_id": -3, "title": "Ролик"}}, {"type": "новое"}, "обломок", {"type": "photo"}],
        geo={"type": "point", "coordinates": {"latitude": 55.7, "longitude": 37.6}},
        fwd_messages=[{"from_id": 9, "text": "вот такой", "attachments": [{"type": "photo", "photo": photo}]}])
    assert [(later.ref.rpartition("/")[2], later.name, later.content_type) for later in delivery.later[1:]] == [
        ("w", "photo-1.jpg", "image/jpeg"), ("doc5_1", "ТЗ.pdf", "application/pdf"), ("v.mp3", "voice-1.mp3", "audio/mpeg"),
        ("w", "photo-1.jpg", "image/jpeg")]
    for piece in ("Голосовое: нужен сайт", "Ссылка: Старый сайт https://old.example", "Стикер", "https://vk.com/video-3_2",
                  "Место на карте: 55.7, 37.6", "Переслано: вот такой", "новое"):
        assert piece in delivery.text, piece


def test_a_chat_of_several_people_is_read_only_where_it_is_said_to_us() -> None:
    chat = 2_000_000_001
    assert read("message_new", {"message": event(peer_id=chat, text="обед?")["object"]["message"]}) == ()
    said = one(peer_id=chat, text=f"[club{GROUP}|@studio] сколько стоит?")
    assert said.addresses[0].value == "id5"  # the answer goes to the person, not before everybody
    assert dict(said.fields)["chat"] == str(chat)
    assert one(peer_id=chat, text="да", reply_message={"id": 1, "from_id": -GROUP, "conversation_message_id": 4}).threads[0] == (
        f"vk/{GROUP}/{chat}/4")


@pytest.mark.parametrize("message", [{"from_id": -7}, {"out": 1}, {"action": {"type": "chat_invite_user"}}])
def test_what_no_client_says_is_nothing(message: dict[str, Any]) -> None:
    assert community().read(request(event(**message))).deliveries == ()


def test_a_lead_form_is_a_card_with_its_fields(house: ChannelHouse) -> None:
    form = {"lead_id": 11, "group_id": GROUP, "user_id": 5, "form_id": 2, "form_name": "Заявка", "ad_id": 7, "answers": [
        {"key": "first_name", "question": "Имя", "answer": "мария"},
        {"key": "last_name", "question": "Фамилия", "answer": "лунина"},
        {"key": "phone_number", "question": "Телефон", "answer": "89123456789"},
        {"key": "email", "question": "Почта", "answer": "m@example.ru"},
        {"key": "location", "question": "Город", "answer": "Омск"},
        {"key": "custom_0", "question": "Что нужно", "answer": ["Сайт", "Логотип"]}]}
    happened = {"group_id": GROUP, "type": "lead_forms_new", "event_id": "9", "v": "5.199", "object": form}
    for _ in range(2):
        assert house.call(request(happened)).data == b"ok"
    (row,) = house.leads()
    person = house.hub.lead(UUID(row["id"])).person
    assert (person.name, person.timezone) == ("Мария Лунина", "Asia/Omsk")
    assert {(a.kind, a.value) for a in person.addresses} == {("phone", "+79123456789"), ("email", "m@example.ru"), ("vk", "id5")}
    assert "Что нужно: Сайт, Логотип" in texts(house)[0]


def test_an_order_is_a_card_and_a_comment_waits_for_a_look(house: ChannelHouse) -> None:
    order = {"id": 4, "group_id": GROUP, "user_id": 6, "date": 1, "status": 0, "items_count": 1, "comment": "Срочно",
             "display_order_id": "6-4", "total_price": {"amount": "500000", "text": "5 000 руб."},
             "preview_order_items": [{"owner_id": -GROUP, "item_id": 1, "quantity": 2, "item": {"id": 1, "title": "Аудит"}}],
             "recipient": {"name": "Пётр", "phone": "+79120000000"}}
    comment = {"id": 8, "from_id": 7, "date": 1, "text": "А сколько стоит?", "post_id": 3, "owner_id": -GROUP}
    for kind, object in (("market_order_new", order), ("wall_reply_new", comment), ("message_allow", {"user_id": 8, "key": ""}),
                         ("group_join", {"user_id": 8, "join_type": "join"}),
                         ("wall_reply_new", {**comment, "from_id": -GROUP, "id": 9})):
        assert house.call(request({"group_id": GROUP, "type": kind, "event_id": kind, "object": object})).data == b"ok"
    assert texts(house) == ["Заказ 6-4 на 5 000 руб.\nАудит × 2\nСрочно"]
    assert len(house.leads()) == 1
    assert house.dead_letters() == []
    (waiting,) = read("wall_reply_new", comment)
    assert (waiting.suspicion, dict(waiting.fields)["link"]) == ("vk_comment", f"https://vk.com/wall-{GROUP}_3")


# ── one person, one card; edits ──────────────────────────────────────────────────────


def test_messages_of_one_person_are_one_card_and_an_edit_is_no_message(house: ChannelHouse, server: VkServer) -> None:
    started(house)
    first = server.writes(text="Нужен сайт")
    server.writes(text="И логотип")
    server.edits(first, "Нужен магазин")
    server.writes(peer=6, text="А мне бот")
    drained(house)
    assert texts(house) == ["Нужен магазин", "И логотип"]
    assert texts(house, 1) == ["А мне бот"]
    assert "lead.message_edited" in house.topics(UUID(house.leads()[0]["id"]))


def test_changes_that_come_the_wrong_way_round_leave_the_newest_text(house: ChannelHouse, server: VkServer) -> None:
    new = server.writes(text="Нужен сайт", told=False)
    older = server.edits(new, "Нужен магазин", told=False)
    newer = server.edits({"object": {"message": older["object"]}}, "Нужен бот", told=False)
    for came in (new, newer, older, newer, new):
        assert house.call(request(came)).status_code == 200
    assert texts(house) == ["Нужен бот"]


def test_an_edit_that_overtakes_its_message_is_not_a_second_one(house: ChannelHouse, server: VkServer) -> None:
    """VK's callbacks keep no order."""
    new = server.writes(text="Нужен сайт")
    edit = server.edits(new, "Нужен магазин")
    for came in (edit, new, edit, new):
        assert house.call(request(came)).data == b"ok"
    assert texts(house) == ["Нужен магазин"]


# ── both transports at once ──────────────────────────────────────────────────────────


def test_callback_and_long_poll_at_once_are_one_delivery(house: ChannelHouse, server: VkServer) -> None:
    """Sent 60, repeated, reordered, renamed and polled at the same time: lost 0, twice 0; forged ones leave nothing."""
    started(house)
    events = [server.writes(peer=100 + n % 20, text=f"письмо {n}") for n in range(60)]
    rows = [*events, *events, *({**one, "event_id": f"other-{n}"} for n, one in enumerate(events))]
    random.Random(7).shuffle(rows)
    with house.listening() as address, ThreadPoolExecutor(6) as pool:
        url = f"{address}/hooks/{ACCOUNT}"
        polls = pool.submit(drained, house)
        answers = [pool.submit(deliver, url, one, random.Random(n).choice((NEW, OLD)), n % 4) for n, one in enumerate(rows)]
        forged = [pool.submit(house.call, request(one, "a-wrong-secret_1")) for one in events[:10]]
        assert {a.result() for a in answers} == {(200, b"ok")}
        assert {f.result().status_code for f in forged} == {403}
        polls.result()
    drained(house)
    assert len(house.leads()) == 20
    assert house.came() == 60
    assert sorted(text for n in range(20) for text in texts(house, n)) == sorted(f"письмо {n}" for n in range(60))


# ── long poll ────────────────────────────────────────────────────────────────────────


def test_the_position_moves_only_after_everything_is_stored(house: ChannelHouse, server: VkServer) -> None:
    started(house)
    before = house.states.position(ACCOUNT)
    for n in range(3):
        server.writes(peer=10 + n, text=f"{n}")
    with house.full_after(2):
        house.poll(ACCOUNT)
    assert house.states.position(ACCOUNT) == before
    house.use(community(server, "poll"))  # a new process
    drained(house)
    assert (len(house.leads()), house.came()) == (3, 3)


def test_a_first_start_that_fails_to_store_begins_anew(house: ChannelHouse, server: VkServer,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    server.writes(text="до нас, ещё не прочитано")

    def away(*_: Any, **__: Any) -> None:
        raise Unavailable("full")
    with monkeypatch.context() as broken:
        broken.setattr(house.hub, "receive", away)
        house.poll(ACCOUNT)
        with pytest.raises(Unavailable):
            house.poll(ACCOUNT)
    drained(house)
    assert texts(house) == ["до нас, ещё не прочитано"]


def test_malformed_updates_are_kept_and_stop_nothing(house: ChannelHouse, server: VkServer) -> None:
    started(house)
    server.writes(text="до")
    server.happens("message_new", {"text": "обломок"})
    server.events.append("обрывок")  # type: ignore[arg-type]
    server.writes(peer=6, text="после")
    drained(house)
    assert len(house.leads()) == 2
    assert len(house.dead_letters()) == 2
    assert "обломок" in "".join(house.hub.unread(letter).raw for letter in house.dead_letters())


def test_what_a_dead_letter_keeps_of_a_callback_has_not_its_secret() -> None:
    broken = request({**event(), "object": 5})
    assert NEW.encode() in broken.body
    kept = community().keeps(broken)
    assert NEW.encode() not in kept.body
    assert {**json.loads(kept.body), "secret": NEW} == json.loads(broken.body)


def test_what_is_wrong_with_the_long_poll_is_said_and_loses_nothing(house: ChannelHouse, server: VkServer) -> None:
    started(house)
    faults: list[Any] = ["cut", HTML, (200, b"not json"), (200, {"odd": 1}), (200, []), {"failed": 4}, (302, b"/x")]
    for n, fault in enumerate(faults):
        server.writes(text=f"{n}")
        server.polls.append(fault)
        with pytest.raises(Trouble) as trouble:
            house.poll(ACCOUNT)
        assert TOKEN not in trouble.value.why
        drained(house)
        assert texts(house)[-1] == f"{n}", fault
    assert house.came() == len(faults)


def test_what_is_wrong_with_vk_is_said_once_and_not_hammered(house: ChannelHouse, server: VkServer) -> None:
    server.writes(text="Нужен сайт")
    faults: list[tuple[Any, float]] = [("cut_before", 0), (HTML, 0), (5, 0), (6, 1), (9, 60), (10, 0), (14, 300), (29, 3600)]
    for fault, seconds in faults:
        server.faults.append(fault)
        server.calls.clear()
        with pytest.raises(Trouble) as trouble:
            house.poll(ACCOUNT)
        assert (len(server.calls), trouble.value.seconds) == (1, seconds), fault
    drained(house)
    assert texts(house) == ["Нужен сайт"]


def test_a_key_that_expires_is_renewed(house: ChannelHouse, server: VkServer) -> None:
    started(house)
    server.writes(text="Нужен сайт")
    server.new_key()
    drained(house)
    assert texts(house) == ["Нужен сайт"]


@pytest.mark.parametrize("failed", [1, 3])
def test_what_the_long_poll_lost_is_read_from_vks_lists(house: ChannelHouse, server: VkServer, failed: int) -> None:
    started(house)
    server.writes(text="раньше")
    drained(house)
    lost = [server.writes(peer=5 + n % 3, text=f"потеряно {n}") for n in range(9)]
    server.edits(lost[0], "потеряно и изменено")
    if failed == 1:
        server.forgets()
    else:
        server.polls.append({"failed": 3})
        server.events.clear()
    drained(house)
    assert len(house.leads()) == 3
    assert texts(house) == ["раньше", "потеряно и изменено", "потеряно 3", "потеряно 6"]
    assert sum(len(texts(house, n)) for n in range(3)) == 10


def test_after_an_outage_everything_is_there(house: ChannelHouse, server: VkServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Down for 30 minutes: the events are gone, VK's lists are longer than a page, and people go on writing meanwhile."""
    monkeypatch.setattr("hub.channels.social_catch_up.PAGE", 5)
    started(house)
    server.writes(peer=7, text="до")
    drained(house)
    for n in range(18):
        server.writes(peer=1000 + n, text=f"{n}", told=False, seconds=100)
    for n in range(12):
        server.writes(peer=1017, text=f"ещё {n}", told=False)
    pages: list[str] = []

    def meanwhile(method: str) -> None:
        pages.append(method)
        if method == "messages.getConversations" and pages.count(method) == 2:
            server.writes(peer=1000, text="я снова", told=False)  # moves from the fourth page to the first
    server.on_call = meanwhile
    house.use(community(server, "poll"))
    drained(house)
    found = [texts(house, n) for n in range(len(house.leads()))]
    assert len(found) == 19
    assert ["0", "я снова"] in found
    assert ["17", *(f"ещё {n}" for n in range(12))] in found
    assert house.came() == 1 + 18 + 12 + 1


def test_the_callback_api_alone_is_caught_up_from_vks_lists(house: ChannelHouse, server: VkServer) -> None:
    house.use(community(server, "callback"))
    drained(house)
    told = server.writes(text="дошло")
    house.call(request(told))
    server.writes(text="не дошло", told=False)
    house.poll(ACCOUNT)
    assert texts(house) == ["дошло", "не дошло"]
    assert "groups.getLongPollServer" not in server.calls


def test_a_new_account_begins_with_what_nobody_has_read(house: ChannelHouse, server: VkServer) -> None:
    server.writes(peer=5, text="год назад", told=False)
    server.writes(peer=6, text="вчера", told=False, seconds=365 * 24 * 3600)
    drained(house)
    assert [texts(house, n) for n in range(len(house.leads()))] == [["вчера"]]

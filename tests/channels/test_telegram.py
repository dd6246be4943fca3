"""Telegram: the contract, what messages become, polling, files, and answers, against a stand-in over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hub.channels.base import Outgoing, Place, Request, Result, Trouble
from hub.channels.telegram import Telegram, TelegramSettings
from hub.channels.telegram_api import chunks
from hub.domain.events import FileRef
from hub.store import Unavailable
from tests.channels.contract import HookContract
from tests.channels.house import ChannelHouse
from tests.channels.telegram_server import BOT, TOKEN, TelegramServer, too_many

ACCOUNT = "telegram/main"
NEW, OLD = "the-new-secret_1", "the-old-secret_0"
AT = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)
HTML = (502, b"<html>502 Bad Gateway</html>")


def bot(server: TelegramServer | None = None, mode: Any = "webhook") -> Telegram:
    """The account under test."""
    api = server.url if server else "http://127.0.0.1:9"
    return Telegram(Place(ACCOUNT, "Бот", "https://hub.example"), TelegramSettings(TOKEN, (NEW, OLD), mode, api))


def request(update: Any, secret: str | None = NEW) -> Request:
    """An update as Telegram posts it."""
    headers = {"content-type": "application/json", **({"x-telegram-bot-api-secret-token": secret} if secret is not None else {})}
    body = update if isinstance(update, bytes) else json.dumps(update).encode()
    return Request("POST", f"/hooks/{ACCOUNT}", headers, body, "149.154.160.1", AT)


def update(number: int = 1, text: str = "Нужен сайт", **more: Any) -> dict[str, Any]:
    """An update with a message in a private chat."""
    message = {"message_id": number, "date": 1_790_000_000, "text": text, "chat": {"id": 5, "type": "private"},
               "from": {"id": 5, "is_bot": False, "first_name": "иван", "username": "Ivan"}, **more}
    return {"update_id": 10_000 + number, "message": message}


class TestTelegram(HookContract):
    """The contract of all channels."""

    module = "telegram"

    @pytest.fixture(autouse=True)
    def _account(self) -> None:
        self._bot = bot()

    def channel(self) -> Telegram:
        return self._bot

    def genuine(self) -> Request:
        return request(update())

    def repeat(self) -> Request:
        return request({**update(), "update_id": 999_999})  # under another id, as after a week of silence

    def another(self) -> Request:
        return request(update(2))

    def forged(self) -> list[Request]:
        return [request(update(), None), request(update(), ""), request(update(), "a-wrong-secret_1"), request(update(), "ключ")]

    def unparsable(self) -> list[tuple[Request, str]]:
        cut = '{"update_id": 1, "message": {"text": "пишу'
        return [(request(cut.encode()), "пишу"), (request(b"[]"), "[]"),
                (request(update(3, chat="no chat, piece")), "no chat, piece"), (request(b"\xff\xfe piece"), "")]

    def rotated(self) -> list[Request]:
        return [request(update(1), NEW), request(update(2), OLD)]


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, server: TelegramServer) -> Iterator[ChannelHouse]:
    house = ChannelHouse(tmp_path, bot(server, "poll"))
    yield house
    house.close()


def taken(house: ChannelHouse, server: TelegramServer, text: str = "Нужен сайт") -> UUID:
    """The card of somebody who wrote and whom a manager took."""
    server.writes(text=text)
    house.poll(ACCOUNT)
    lead = UUID(house.leads()[0]["id"])
    house.do(lead, "take")
    return lead


def answer(house: ChannelHouse, lead: UUID, text: str = "Здравствуйте!", **more: Any) -> None:
    """A manager answers from the card."""
    house.do(lead, "send_message", route={"way": "telegram", "account": ACCOUNT, "to": "5"}, text=text, **more)


# ── what a message becomes ───────────────────────────────────────────────────────────


def read(**message: Any) -> Any:
    (delivery,) = bot().read(request(update(**message))).deliveries
    return delivery


def test_the_writer_is_known_by_id_name_and_what_they_say() -> None:
    delivery = read(text="Позвоните: 8 912 345-67-89, ivan@example.ru")
    assert delivery.name == "Иван"
    assert {(a.kind, a.value) for a in delivery.addresses} == {("telegram", "5"), ("telegram", "ivan"), ("phone", "+79123456789"),
                                                               ("email", "ivan@example.ru")}


def test_a_shared_contact_is_the_writers_number_only_if_it_is_their_own() -> None:
    own = read(text="", contact={"phone_number": "79123456789", "first_name": "Иван", "user_id": 5})
    assert ("phone", "+79123456789") in {(a.kind, a.value) for a in own.addresses}
    other = read(text="", contact={"phone_number": "79123456789", "first_name": "Пётр", "user_id": 6})
    assert {a.kind for a in other.addresses} == {"telegram"}
    assert "Пётр +79123456789" in other.text


def test_a_deep_link_says_where_the_client_came_from() -> None:
    assert read(text="/start vk_spring").attribution == (("start", "vk_spring"),)
    assert read(text="/start").attribution == ()


def test_files_are_named_and_fetched_later() -> None:
    delivery = read(text="", caption="вот", photo=[{"file_id": "small", "file_size": 9}, {"file_id": "large", "file_size": 99}],
                    document={"file_id": "d", "file_name": "ТЗ.pdf", "mime_type": "application/pdf", "file_size": 7},
                    voice={"file_id": "v", "mime_type": "audio/ogg", "duration": 3})
    assert delivery.text == "вот"
    assert [(f.ref, f.name, f.size) for f in delivery.later] == [("large", "photo-1.jpg", 99), ("d", "ТЗ.pdf", 7),
                                                                 ("v", "voice-1.ogg", 0)]


@pytest.mark.parametrize("update", [
    update(chat={"id": -9, "type": "supergroup"}), update(**{"from": {"id": 6, "is_bot": True, "first_name": "b"}}),
    {"update_id": 5, "my_chat_member": {"chat": {"id": 5, "type": "private"}}}])
def test_groups_bots_and_other_updates_are_no_request(update: dict[str, Any]) -> None:
    assert bot().read(request(update)).deliveries == ()


def test_a_long_text_is_cut_where_it_hurts_least() -> None:
    text = ("слово " * 600 + "\n\n") * 3 + "😀" * 5000
    pieces = chunks(text)
    assert all(len(piece.encode("utf-16-le")) <= 8192 and piece for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


# ── one person, one card ─────────────────────────────────────────────────────────────


def test_messages_of_one_person_are_one_card_and_an_edit_is_no_message(house: ChannelHouse, server: TelegramServer) -> None:
    first = server.writes(text="Нужен сайт")
    server.writes(text="И логотип")
    server.writes(kind="edited_message", text="Нужен магазин", message_id=first["message"]["message_id"])
    server.writes(chat=6, text="А мне бот")
    house.poll(ACCOUNT)
    one, other = house.leads()
    state = house.hub.lead(UUID(one["id"]))
    assert [m.text for m in state.messages] == ["Нужен магазин", "И логотип"]
    assert "lead.message_edited" in house.topics(UUID(one["id"]))
    assert [m.text for m in house.hub.lead(UUID(other["id"])).messages] == ["А мне бот"]


def test_an_edit_of_what_we_never_had_is_a_message(house: ChannelHouse, server: TelegramServer) -> None:
    server.writes(kind="edited_message", text="Мы писали, пока вас не было", message_id=7)
    house.poll(ACCOUNT)
    (row,) = house.leads()
    assert [m.text for m in house.hub.lead(UUID(row["id"])).messages] == ["Мы писали, пока вас не было"]


def test_an_edit_that_overtakes_its_message_is_not_a_second_one(house: ChannelHouse) -> None:
    """Telegram calls a webhook over several connections."""
    edit = {"update_id": 20_000, "edited_message": update(7, "Нужен магазин")["message"]}
    for came in (edit, update(7), edit, update(7)):
        assert house.call(request(came)).status_code == 200
    (row,) = house.leads()
    assert [m.text for m in house.hub.lead(UUID(row["id"])).messages] == ["Нужен магазин"]


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_changes_in_any_order_leave_the_newest_text(house: ChannelHouse, order: tuple[int, ...]) -> None:
    """The third change takes the first text back, so that it looks like no change where it comes first."""
    texts = ("Нужен сайт", "Нужен магазин", "Нужен бот", "Нужен сайт")
    edits = [{"update_id": 20_000 + n, "edited_message": {**update(7, text)["message"], "edit_date": 1_790_000_100 + n // 2}}
             for n, text in enumerate(texts)]
    came = [update(7, texts[0]), *edits[1:]]
    for n in (*order, *order):
        assert house.call(request(came[n])).status_code == 200
    (row,) = house.leads()
    assert [m.text for m in house.hub.lead(UUID(row["id"])).messages] == ["Нужен сайт"]


def test_webhook_and_long_poll_at_once_are_one_delivery(house: ChannelHouse, server: TelegramServer) -> None:
    updates = [server.writes(chat=100 + n, text=f"письмо {n}") for n in range(12)]
    with house.listening() as address, ThreadPoolExecutor(6) as pool:
        server.webhook = {"url": f"{address}/hooks/{ACCOUNT}", "secret_token": OLD}
        answers = [pool.submit(server.deliver, update) for update in (*updates, *updates)]
        items = [pool.submit(house.call, request(update)) for update in reversed(updates)]
        assert {a.result()[0] for a in answers} == {200}
        assert {i.result().status_code for i in items} == {200}
    server.webhook = {}
    house.poll(ACCOUNT)
    assert len(house.leads()) == 12
    assert house.came() == 12


# ── long poll ────────────────────────────────────────────────────────────────────────


def test_the_position_moves_only_after_everything_is_stored(house: ChannelHouse, server: TelegramServer) -> None:
    for n in range(3):
        server.writes(chat=10 + n, text=f"{n}")
    with house.full_after(2):
        house.poll(ACCOUNT)
    assert house.states.position(ACCOUNT) == ""
    house.restart()
    house.poll(ACCOUNT)
    house.poll(ACCOUNT)
    assert len(house.leads()) == 3
    assert house.came() == 3
    assert server.updates == []  # confirmed at last


def test_a_malformed_update_is_kept_and_stops_nothing(house: ChannelHouse, server: TelegramServer) -> None:
    server.writes(text="до")
    server.updates.append({"update_id": server._update_id + 1, "message": {"text": "обломок"}})
    server._update_id += 1
    server.writes(chat=6, text="после")
    house.poll(ACCOUNT)
    assert len(house.leads()) == 2
    (letter,) = house.dead_letters()
    assert "обломок" in house.hub.unread(letter).raw
    house.poll(ACCOUNT)
    assert server.updates == []


@pytest.mark.parametrize("fault", ["cut_before", HTML, (200, b"not json"), (401, {"ok": False}), too_many(7)])
def test_what_is_wrong_with_telegram_is_said_and_loses_nothing(house: ChannelHouse, server: TelegramServer, fault: Any) -> None:
    server.writes(text="Нужен сайт")
    server.faults.append(fault)
    with pytest.raises(Trouble) as trouble:
        house.poll(ACCOUNT)
    assert TOKEN.partition(":")[2] not in trouble.value.why
    assert trouble.value.seconds == (7.0 if fault == too_many(7) else 0.0)
    house.poll(ACCOUNT)
    assert len(house.leads()) == 1


def test_a_bot_that_was_quiet_for_a_week_is_asked_without_an_offset(house: ChannelHouse, server: TelegramServer) -> None:
    """Update ids begin anew at random then: a lower one is still taken."""
    house.states.move(ACCOUNT, json.dumps({"offset": 900_000, "at": 0}), house.clock())
    server.writes(text="после отпуска")
    house.poll(ACCOUNT)
    assert len(house.leads()) == 1


# ── files ────────────────────────────────────────────────────────────────────────────


def test_a_file_comes_after_its_message_and_lies_on_the_card(house: ChannelHouse, server: TelegramServer) -> None:
    server.files["abc"] = b"%PDF-1.7 plan"
    server.writes(caption="ТЗ",
                  document={"file_id": "abc", "file_name": "ТЗ.pdf", "mime_type": "application/pdf", "file_size": 13})
    server.writes(document={"file_id": "gone", "file_name": "нет.pdf", "file_size": 5})
    server.writes(document={"file_id": "big", "file_name": "фильм.mp4", "file_size": 30_000_000})
    house.poll(ACCOUNT)
    lead = UUID(house.leads()[0]["id"])
    assert house.fetch(ACCOUNT) == 3
    events = house.hub.history(lead)
    (file,) = [e for e in events if e.TOPIC == "lead.file_fetched"]
    (ref,) = file.files  # type: ignore[attr-defined]
    assert (ref.name, house.hub.files.get(ref.digest, file.subject)) == ("ТЗ.pdf", b"%PDF-1.7 plan")  # type: ignore[arg-type]
    assert [e.code for e in events if e.TOPIC == "lead.fetch_ended"] == ["gone", "too_large"]  # type: ignore[attr-defined]
    assert house.fetch(ACCOUNT) == 0


def test_a_file_is_tried_again_while_telegram_is_away(house: ChannelHouse, server: TelegramServer) -> None:
    server.files["abc"] = b"x"
    server.writes(document={"file_id": "abc", "file_name": "a", "file_size": 1})
    house.poll(ACCOUNT)
    channel = house.accounts[ACCOUNT]
    house.use(bot(None, "poll"))
    assert house.fetch(ACCOUNT) == 0
    house.use(channel)
    assert house.fetch(ACCOUNT) == 0  # not yet
    house.clock.advance(minutes=1)
    assert house.fetch(ACCOUNT) == 1


# ── answers ──────────────────────────────────────────────────────────────────────────


def test_an_answer_goes_out_once_as_a_reply_and_meets_the_deadline(house: ChannelHouse, server: TelegramServer) -> None:
    lead = taken(house, server)
    server.writes(text="Вы тут?")
    house.poll(ACCOUNT)
    assert "reply" in house.hub.lead(lead).dues
    answer(house, lead)
    assert "reply" in house.hub.lead(lead).dues  # asked is not yet said
    assert house.send(ACCOUNT) == 1
    assert house.send(ACCOUNT) == 0
    (sent,) = server.sent
    assert (sent["chat"], sent["text"]) == (5, "Здравствуйте!")
    assert json.loads(sent["reply_parameters"])["message_id"] == server.sent[0]["message_id"] - 1
    state = house.hub.lead(lead)
    assert (state.outgoing[1].status, "reply" in state.dues) == ("sent", False)
    server.writes(text="Спасибо", reply_to_message={"message_id": sent["message_id"]})
    house.poll(ACCOUNT)
    assert len(house.leads()) == 1
    assert house.hub.lead(lead).messages[-1].text == "Спасибо"


def test_a_long_answer_with_a_file_leaves_in_parts(house: ChannelHouse, server: TelegramServer) -> None:
    lead = taken(house, server)
    data = b"%PDF offer"
    ref = {"digest": house.hub.files.put(data, lead), "name": "КП.pdf", "content_type": "application/pdf", "size": len(data)}
    answer(house, lead, "слово " * 900, files=[ref])
    house.send(ACCOUNT)
    assert [m["method"] for m in server.sent] == ["sendMessage", "sendMessage", "sendDocument"]
    assert server.sent[2]["document"]["data"] == data
    assert len(house.hub.lead(lead).outgoing[1].names) == 3


@pytest.mark.parametrize(("prepare", "code"), [
    (lambda s: s.blocked.add(5), "telegram_blocked"),
    (lambda s: s.faults.append((400, {"ok": False, "description": "Bad Request: chat not found"})), "telegram_no_chat"),
    (lambda s: s.faults.append((400, {"ok": False, "description": "Bad Request: message is too long"})), "not_taken")])
def test_what_telegram_refuses_is_failed_with_a_sentence_and_told(house: ChannelHouse, server: TelegramServer, prepare: Any,
                                                                  code: str) -> None:
    lead = taken(house, server)
    prepare(server)
    answer(house, lead)
    assert house.send(ACCOUNT) == 1
    found = house.hub.lead(lead).outgoing[1]
    assert (found.status, found.code, server.sent) == ("failed", code, [])
    assert [e.kind for e in house.hub.history(lead) if e.TOPIC == "lead.notice_raised"][-1] == "unsent"  # type: ignore[attr-defined]


def test_too_many_requests_wait_as_long_as_telegram_says(house: ChannelHouse, server: TelegramServer) -> None:
    lead = taken(house, server)
    server.faults.append(too_many(30))
    answer(house, lead, "первое")
    answer(house, lead, "второе")
    with pytest.raises(Trouble) as trouble:
        house.send(ACCOUNT)
    assert trouble.value.seconds == 30.0
    assert house.send(ACCOUNT) == 0
    house.clock.advance(seconds=31)
    assert house.send(ACCOUNT) == 2
    assert [m["text"] for m in server.sent] == ["первое", "второе"]  # nobody overtakes


def test_a_gateway_before_anything_was_sent_is_tried_again(house: ChannelHouse, server: TelegramServer) -> None:
    lead = taken(house, server)
    channel = house.accounts[ACCOUNT]
    answer(house, lead)
    house.use(bot(None, "poll"))  # nobody listens there
    assert house.send(ACCOUNT) == 0
    house.use(channel)
    house.clock.advance(minutes=1)
    assert house.send(ACCOUNT) == 1
    assert len(server.sent) == 1


def test_after_a_day_of_tries_a_message_has_failed(house: ChannelHouse, server: TelegramServer) -> None:
    lead = taken(house, server)
    answer(house, lead)
    house.use(bot(None, "poll"))
    for hours in (0, 23, 2):
        house.clock.advance(hours=hours)
        house.send(ACCOUNT)
    assert house.hub.lead(lead).outgoing[1].code == "tried_long"


@pytest.mark.parametrize(("fault", "there"), [("cut_after", 1), ("cut_before", 0), (HTML, 0)])
def test_a_cut_after_the_request_went_out_is_unknown_and_not_repeated(house: ChannelHouse, server: TelegramServer, fault: Any,
                                                                      there: int) -> None:
    lead = taken(house, server)
    server.faults.append(fault)
    answer(house, lead)
    assert house.send(ACCOUNT) == 1
    assert house.hub.lead(lead).outgoing[1].status == "unknown"
    house.clock.advance(hours=2)
    assert house.send(ACCOUNT) == 0
    assert len(server.sent) == there
    if there:
        house.do(lead, "mark_message", message=1, sent=True)
        assert house.hub.lead(lead).outgoing[1].status == "sent"
    else:
        house.do(lead, "send_again", message=1)
        assert house.send(ACCOUNT) == 1
        assert len(server.sent) == 1


class Killed(BaseException):
    """The process ends here."""


def test_killed_between_claim_and_request_nothing_is_sent_twice_or_lost(house: ChannelHouse, server: TelegramServer,
                                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    lead = taken(house, server)
    answer(house, lead)

    def die(self: Telegram, message: Outgoing, part: int) -> Result:
        raise Killed
    with monkeypatch.context() as dying:
        dying.setattr(Telegram, "send", die)
        with pytest.raises(Killed):
            house.send(ACCOUNT)
    house.restart()
    assert house.send(ACCOUNT) == 1
    found = house.hub.lead(lead).outgoing[1]
    assert (found.status, found.code, server.sent) == ("unknown", "crashed", [])


@pytest.mark.parametrize("seam", ["release", "sent", "forget"])
def test_killed_after_the_request_the_client_has_it_once(house: ChannelHouse, server: TelegramServer,
                                                         monkeypatch: pytest.MonkeyPatch, seam: str) -> None:
    """Between the answer and its mark it is unknown; once the mark is made it is sent."""
    lead = taken(house, server)
    answer(house, lead)

    def die(*_: Any, **__: Any) -> None:
        raise Killed
    with monkeypatch.context() as dying:
        dying.setattr(house.sender.sources["lead"] if seam == "sent" else house.sender.tries, seam, die)
        with pytest.raises(Killed):
            house.send(ACCOUNT)
    house.restart()
    house.send(ACCOUNT)
    assert len(server.sent) == 1
    assert house.hub.lead(lead).outgoing[1].status == ("unknown" if seam == "release" else "sent")


def test_a_store_that_is_away_for_the_mark_forgets_nothing(house: ChannelHouse, server: TelegramServer,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    lead = taken(house, server)
    answer(house, lead)

    def away(*_: Any, **__: Any) -> None:
        raise Unavailable("locked")
    with monkeypatch.context() as broken:
        broken.setattr(house.sender.tries, "release", away)
        with pytest.raises(Unavailable):
            house.send(ACCOUNT)
    assert house.send(ACCOUNT) == 1  # the same process still knows the answer
    assert (len(server.sent), house.hub.lead(lead).outgoing[1].status) == (1, "sent")


def test_two_senders_at_once_send_once(house: ChannelHouse, server: TelegramServer) -> None:
    lead = taken(house, server)
    for n in range(8):
        answer(house, lead, f"{n}")
    house.house.settle()
    senders = [house.sender]
    house.restart()
    senders.append(house.sender)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(s.turn, house.accounts[ACCOUNT]) for s in senders]:
            done.result()
    house.send(ACCOUNT)
    assert sorted(m["text"] for m in server.sent) == [str(n) for n in range(8)]


def test_a_file_that_is_gone_fails_the_message(house: ChannelHouse, server: TelegramServer) -> None:
    lead = taken(house, server)
    answer(house, lead, files=[{"digest": "0" * 64, "name": "x", "content_type": "", "size": 1}])
    assert house.send(ACCOUNT) == 1
    assert house.hub.lead(lead).outgoing[1].code == "file_gone"
    assert FileRef("0" * 64, "x", "", 1) in house.hub.lead(lead).outgoing[1].files


# ── setting up ───────────────────────────────────────────────────────────────────────


def test_check_and_connect_say_what_came_back(server: TelegramServer) -> None:
    channel = bot(server)
    before = channel.check()
    assert [c.ok for c in before] == [True, False]
    assert channel.connect()[0].ok
    assert server.webhook["url"] == "https://hub.example/hooks/telegram/main"
    assert server.webhook["secret_token"] == NEW
    assert all(c.ok for c in channel.check())
    assert f"@studio_bot{BOT}" != before[0].said == "@studio_bot"
    with pytest.raises(Trouble, match="вебхук"):
        bot(server, "poll").poll("")

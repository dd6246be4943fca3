"""Channels in the running hub: accounts, the supervisor, the pages, an answer from the card, the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from hub.accounts import load
from hub.channels.base import Request
from hub.config import BadSetting
from hub.traffic.supervisor import Supervisor
from tests.channels.house import ChannelHouse
from tests.channels.telegram_server import TOKEN, TelegramServer
from tests.channels.test_telegram import ACCOUNT, AT, NEW, bot, request, update
from tests.web.conftest import sign_in

FILE = f"""
[telegram.main]
title = "Бот студии"
token = "env:BOT_TOKEN"
secrets = ["file:{{secret}}", "{NEW}"]

[telegram.second]
token = "{TOKEN}"
mode = "poll"
off = true
"""


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, server: TelegramServer) -> Iterator[ChannelHouse]:
    house = ChannelHouse(tmp_path, bot(server, "poll"))
    yield house
    house.close()


# ── accounts ─────────────────────────────────────────────────────────────────────────


def written(folder: Path, text: str) -> Path:
    (folder / "secret").write_text("from-a-file-secret\nsecond line", encoding="utf-8")
    path = folder / "channels.toml"
    path.write_text(text.replace("{secret}", str(folder / "secret")), encoding="utf-8")
    return path


def test_accounts_take_their_secrets_from_environment_and_files(tmp_path: Path) -> None:
    accounts = load(written(tmp_path, FILE), "https://hub.example", {"BOT_TOKEN": TOKEN})
    assert list(accounts) == [ACCOUNT]  # one that is off is not there
    account = accounts[ACCOUNT]
    assert account.settings.secrets == ("from-a-file-secret", NEW)
    assert (account.place.title, account.place.hook) == ("Бот студии", "https://hub.example/hooks/telegram/main")
    assert list(load(None, "")) == []


@pytest.mark.parametrize(("text", "place"), [
    ("[telegram.main]\ntoken = 'env:NOT_SET'", "telegram/main: token names the variable NOT_SET"),
    ("[telegram.main]\ntoken = 'file:/no/such'", "telegram/main: token names a file that cannot be read"),
    ("[telegram.main]\ntoken = 'hunter2'", "this is not a bot's token"),
    (f"[telegram.main]\ntoken = '{TOKEN}'\nsecrets = ['hunter2']", "at least 16"),
    (f"[telegram.main]\ntoken = '{TOKEN}'", "a webhook needs one"),
    (f"[telegram.main]\ntoken = '{TOKEN}'\nmode = 'poll'\ntokn = 'hunter2'", "telegram/main: Object contains unknown field"),
    ("[pigeon.main]", "there is no channel 'pigeon'"), ("[telegram.'A B']", "is no account"), ("[telegram", "is no TOML")])
def test_a_bad_account_is_refused_by_its_place_and_never_by_its_secret(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(BadSetting) as refusal:
        load(written(tmp_path, text), "", {})
    assert place in str(refusal.value)
    assert "hunter2" not in str(refusal.value)
    assert TOKEN not in str(refusal.value)


# ── the supervisor ───────────────────────────────────────────────────────────────────


def until(what: Any, house: ChannelHouse) -> None:
    for _ in range(1000):
        house.house.settle()
        if what():
            return
        Flag().wait(0.01)
    raise AssertionError("it did not come to that")


def test_a_broken_channel_says_so_and_stops_nobody(house: ChannelHouse, server: TelegramServer) -> None:
    broken = bot(None, "poll")
    broken.place = broken.place.__class__("telegram/broken", "Сломан", "")
    house.use(*house.accounts.values(), broken)
    stop = Flag()
    thread = Thread(target=Supervisor(house.hub, house.accounts, house.clock).run, args=(stop,), daemon=True)
    thread.start()
    try:
        server.writes(text="Нужен сайт")
        until(lambda: len(house.leads()) == 1, house)
        lead = UUID(house.leads()[0]["id"])
        house.do(lead, "take")
        house.do(lead, "send_message", route={"way": "telegram", "account": ACCOUNT, "to": "5"}, text="Здравствуйте")
        until(lambda: house.hub.lead(lead).outgoing[1].status == "sent", house)
        until(lambda: house.states.of("telegram/broken", "in").failures > 0, house)
    finally:
        stop.set()
        thread.join(15)
    assert not thread.is_alive()
    assert house.states.of(ACCOUNT, "in").failing_since is None
    failing = house.states.of("telegram/broken", "in")
    assert failing.reason.startswith("Telegram: getUpdates")
    assert failing.next_at is not None
    ready = house.house.app.test_client().get("/readyz").get_json()
    assert "telegram/broken (in)" in str(ready)


# ── pages ────────────────────────────────────────────────────────────────────────────


def test_the_status_page_tells_what_works_and_what_waits(house: ChannelHouse, server: TelegramServer) -> None:
    server.writes(text="Нужен сайт")
    house.poll(ACCOUNT)
    house.states.failed(ACCOUNT, "out", house.clock(), "Telegram: sendMessage: 401")
    client = house.house.app.test_client()
    sign_in(client, "administrator")
    page = client.get("/channels").get_data(as_text=True)
    for piece in ("Бот", ACCOUNT, "не работает", "sendMessage: 401", "https://hub.example/hooks/telegram/main"):
        assert piece in page, piece
    assert TOKEN not in page
    assert NEW not in page


def test_a_dead_letter_is_seen_read_again_and_becomes_a_card(house: ChannelHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(type(house.accounts[ACCOUNT]), "read", lambda *_: {}["not there"])
        assert house.call(request(update(text="Прочитайте меня"))).status_code == 200
    (letter,) = house.dead_letters()
    client = house.house.app.test_client()
    token = sign_in(client, "manager")
    assert "не удалось разобрать" in client.get("/quarantine?state=unread").get_data(as_text=True)
    assert "Прочитайте меня" in client.get(f"/quarantine/{letter}").get_data(as_text=True)
    answer = client.post(f"/quarantine/{letter}/read-again", data={"csrf_token": token})
    (row,) = house.leads()
    assert answer.headers["Location"] == f"/leads/{UUID(row['id'])}"
    assert client.post(f"/quarantine/{letter}/read-again", data={"csrf_token": token}).status_code == 422
    assert len(house.leads()) == 1


def test_what_is_still_unreadable_stays_with_a_sentence_and_can_be_dismissed(house: ChannelHouse) -> None:
    house.call(request(b"{"))
    (letter,) = house.dead_letters()
    client = house.house.app.test_client()
    token = sign_in(client, "manager")
    page = client.post(f"/quarantine/{letter}/read-again", data={"csrf_token": token})
    assert page.status_code == 422
    assert "Всё ещё не разобрать" in page.get_data(as_text=True)
    client.post(f"/quarantine/{letter}/dismiss", data={"csrf_token": token, "why": "проверка"})
    assert house.dead_letters() == []


def test_a_manager_answers_from_the_card_with_a_file(house: ChannelHouse, server: TelegramServer) -> None:
    server.writes(text="Нужен сайт")
    house.poll(ACCOUNT)
    lead = UUID(house.leads()[0]["id"])
    house.do(lead, "take")
    client = house.house.app.test_client()
    token = sign_in(client, "manager")
    form = client.get(f"/leads/{lead}/do/send_message").get_data(as_text=True)
    assert 'value="telegram telegram/main 5" selected' in form
    assert "client_5" not in form.partition("<select")[2].partition("</select>")[0]  # a bot cannot write to a name
    with (Path(__file__)).open("rb") as file:
        answer = client.post(f"/leads/{lead}/do/send_message", content_type="multipart/form-data",
                             data={"csrf_token": token, "route": "telegram telegram/main 5", "text": "Здравствуйте!",
                                   "files": [(file, "ТЗ.txt")]})
    assert answer.status_code == 303
    assert house.send(ACCOUNT) == 1
    assert [m["method"] for m in server.sent] == ["sendMessage", "sendDocument"]
    page = client.get(f"/leads/{lead}").get_data(as_text=True)
    for piece in ("Написали клиенту, №1", "Здравствуйте!", "ТЗ.txt"):
        assert piece in page, piece


def test_there_is_nothing_at_an_address_without_an_account(house: ChannelHouse) -> None:
    wrong = Request("POST", "", {}, b"{}", "", AT)
    for account in ("telegram/none", "pigeon/main"):
        assert house.call(wrong, account).status_code == 404


# ── the command line ─────────────────────────────────────────────────────────────────


def test_the_command_says_what_it_tried_and_what_came_back(tmp_path: Path, server: TelegramServer,
                                                           capsys: pytest.CaptureFixture[str],
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.__main__ import main

    path = written(tmp_path, f'[telegram.main]\ntoken = "{TOKEN}"\nsecrets = ["{NEW}"]\napi = "{server.url}"\n')
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)
    for name, value in (("HUB_CHANNELS_FILE", path), ("HUB_DATA_DIR", tmp_path / "data"), ("HUB_PUBLIC_URL", "https://hub.example")):
        monkeypatch.setenv(name, str(value))
    assert main(["channels", "check"]) == 1
    assert "FAILED  getWebhookInfo" in capsys.readouterr().out
    assert main(["channels", "connect", ACCOUNT]) == 0
    assert main(["channels", "check"]) == 0
    out = capsys.readouterr().out
    assert "@studio_bot" in out
    assert main(["channels", "status"]) == 0
    assert main(["channels", "check", "vk/none"]) == 1
    told = out + "".join(capsys.readouterr())
    assert TOKEN not in told
    assert NEW not in told

"""The administrator's pages of webhooks, and ``hub webhook``: a subscription from its making to its end."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hub.__main__ import main
from hub.config import BadSetting, load
from hub.webhooks.sender import RETRIES
from hub.worker import sender_of
from tests.web.admin_pages import Browser, error_at, words
from tests.web.house import SECRET as SECRET_OF_THE_HUB
from tests.web.house import House, ready_house
from tests.webhook_receiver import Receiver, Reply

PAGE = "/settings/webhooks"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{44}")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = ready_house(tmp_path)
    house.hub.outgoing.allow(("127.0.0.1/32",))
    yield house
    house.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def admin(house: House) -> Browser:
    return Browser(house, "administrator")


def make(admin: Browser, receiver: Receiver, **fields: Any) -> tuple[str, str]:
    """A subscription made on the page: its address there, and its secret."""
    answer = admin.post(f"{PAGE}/new", **{"name": "Бухгалтерия", "url": receiver.url, "topics": "lead.note_added", "start": "now",
                                          **fields})
    assert answer.status_code == 200, words(answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    told = SECRET.search(html.unescape(answer.text))
    link = re.search(rf'href="({PAGE}/[0-9a-f-]{{36}})"', answer.text)
    assert told
    assert link
    return link[1], told[0]


def send(house: House, receiver: Receiver, **later: float) -> None:
    """Send all that is due, after a while."""
    house.clock.advance(**later)
    house.settle()
    sender = sender_of(house.hub, house.clock)
    sender.chance = lambda: 0.5
    before = -1
    while len(receiver.came) != before:
        before = len(receiver.came)
        sender.turn()
        sender.settle()
    sender.close()


def note(house: House, phone: str = "+79120000001") -> UUID:
    lead = house.receive(phone=phone)
    house.hub.do(lead, "note", {"text": "Перезвонить"}, actor=house.actor("head"), at=house.clock())
    return lead


def test_a_subscription_from_its_making_to_its_end(house: House, admin: Browser, receiver: Receiver) -> None:
    assert "Подписок пока нет" in admin.get(PAGE)
    page, secret = make(admin, receiver)
    assert "работает" in words(admin.get(page))
    assert secret not in html.unescape(admin.get(page)), "shown once"

    note(house)
    send(house, receiver)
    (came,) = receiver.came
    assert came.message["type"] == "lead.note_added"
    shown = words(admin.get(page))
    assert "дошло 204" in shown
    assert "Персональные данные не передаются" in shown

    admin.done(f"{page}/edit", name="Склад", url=receiver.url + "/2", topics="", personal="1")
    assert "Персональные данные передаются" in words(admin.get(page))
    admin.done(f"{page}/pause")
    assert "на паузе" in words(admin.get(PAGE))
    admin.done(f"{page}/resume")
    assert "работает" in words(admin.get(PAGE))
    admin.done(f"{page}/remove")
    assert "Подписок пока нет" in admin.get(PAGE)
    assert admin.status(page) == 404


def test_trouble_is_told_where_the_administrator_looks_and_dead_letters_are_decided_there(house: House, admin: Browser,
                                                                                         receiver: Receiver) -> None:
    page, _ = make(admin, receiver)
    receiver.answer = lambda came: Reply(500, body=b"<script>alert(1)</script>")
    note(house, "+79120000001")
    note(house, "+79120000002")
    for wait in (timedelta(0), *RETRIES):
        send(house, receiver, seconds=wait.total_seconds())

    admin = Browser(house, "administrator")  # days have passed
    settings = words(admin.get("/settings"))
    assert "Вебхуки 1 подписка требуют внимания: 1" in settings
    told = admin.get(page)
    assert "<script>alert" not in told
    assert "не доходит" in words(told)
    assert "Получатель ответил отказом. 500 &lt;script&gt;" in " ".join(re.sub(r"</?(?:span|br|small)[^>]*>", " ", told).split())
    first, second = re.findall(rf'action="({page}/dead/\d+)/again"', told)

    admin.done(f"{first}/again")
    admin.done(f"{second}/drop")
    assert admin.post(f"{second}/again").status_code == 409
    receiver.answer = lambda came: Reply()
    receiver.came.clear()
    send(house, receiver)
    assert len(receiver.came) == 1
    shown = words(admin.get(page))
    assert "дошло" in shown
    assert "снято" in shown
    assert "Не доставлены 0" in shown


def test_a_test_message_tells_what_the_receiver_answered(house: House, admin: Browser, receiver: Receiver) -> None:
    page, secret = make(admin, receiver)
    admin.done(f"{page}/test")
    assert "Тест дошёл: получатель ответил 204." in words(admin.get(page))
    receiver.answer = lambda came: Reply(302, {"Location": "http://127.0.0.1/"})
    admin.done(f"{page}/test")
    assert "Тест не дошёл. Получатель отправляет на другой адрес." in words(admin.get(page))
    assert len(receiver.came) == 2


def test_a_new_secret_is_shown_once(admin: Browser, receiver: Receiver) -> None:
    page, old = make(admin, receiver)
    for fields, told in (({}, "ещё сутки подписывает"), ({"leaked": "1"}, "больше не подписывает")):
        answer = admin.post(f"{page}/secret", **fields)
        assert told in words(answer.text)
        new = SECRET.search(html.unescape(answer.text))
        assert new
        assert new[0] != old


@pytest.mark.parametrize(("field", "value", "told"), [
    ("name", "", "Назовите подписку"), ("url", "http://example.com", "начинается с https://"),
    ("url", "https://192.168.1.1/", "внутреннюю сеть"), ("topics", "lead.none", "Нет события «lead.none»"),
    ("after", "x", "целое число"), ("after", "99999999", "от 0 до")])
def test_a_wrong_subscription_is_told_at_the_field(house: House, admin: Browser, receiver: Receiver, field: str, value: str,
                                                   told: str) -> None:
    fields = {"name": "CRM", "url": receiver.url, "topics": "", "start": "position", "after": "0", field: value}
    answer = admin.post(f"{PAGE}/new", **fields)
    assert answer.status_code == 422
    assert told in error_at(answer.text, field)
    house.settle()
    assert not house.hub.webhooks()


def test_the_whole_history_is_sent_where_it_is_asked_for(house: House, admin: Browser, receiver: Receiver) -> None:
    note(house)
    make(admin, receiver, start="all")
    send(house, receiver)
    assert len(receiver.came) == 1


@pytest.mark.parametrize("login", ["head", "manager", "auditor"])
def test_others_neither_see_nor_keep_subscriptions(house: House, admin: Browser, receiver: Receiver, login: str) -> None:
    page, _ = make(admin, receiver)
    browser = Browser(house, login)
    assert "Вебхуки" not in words(browser.get("/settings"))
    assert [browser.status(p) for p in (PAGE, f"{PAGE}/new", page, f"{page}/edit")] == [403] * 4
    for action in ("edit", "secret", "test", "pause", "resume", "remove", "dead/1/again", "dead/1/drop"):
        assert browser.post(f"{page}/{action}", name="x", url=receiver.url).status_code == 403
    assert receiver.came == []


# ── the command line ─────────────────────────────────────────────────────────────


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """``hub …`` in a data folder of its own: the exit code, and what was printed."""
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HUB_SECRET_KEY", SECRET_OF_THE_HUB.decode())

    def run(*words: str) -> tuple[int, str]:
        code = main(words)
        printed = capsys.readouterr()
        return code, printed.out + printed.err
    return run


def test_the_command_line_keeps_subscriptions_too(hub: Callable[..., tuple[int, str]]) -> None:
    url = "https://hooks.example.com"
    code, told = hub("webhook", "add", "CRM", url, "--topic", "lead.received", "--personal", "--after", "0")
    assert code == 0
    id, secret = told.strip().splitlines()
    assert SECRET.search(secret)
    assert re.search(rf"^{id}  CRM +active +0 sent, 0 waiting, 0 dead  {url}$", hub("webhook", "list")[1])
    assert hub("webhook", "pause", id[:8])[0] == 0
    assert "paused (person)" in hub("webhook", "list")[1]
    assert hub("webhook", "resume", id)[0] == 0
    assert hub("webhook", "dead", id) == (0, "")
    assert hub("webhook", "resend", id) == (0, "0 to be sent again by the worker.\n")
    assert hub("webhook", "resend", id, "7") == (1, "hub: This event was sent, waits or was dropped already. Reload the page.\n")
    assert hub("webhook", "remove", id)[0] == 0
    assert hub("webhook", "list") == (0, "")
    assert hub("webhook", "pause", id) == (1, "hub: There is no such subscription. Reload the page.\n")


def test_dead_letters_are_listed_and_sent_again_by_the_command_line(tmp_path: Path, receiver: Receiver,
                                                                    hub: Callable[..., tuple[int, str]]) -> None:
    with closing(ready_house(tmp_path)) as house:
        house.hub.outgoing.allow(("127.0.0.1/32",))
        id, _ = house.hub.add_webhook("CRM", receiver.url, ("lead.note_added",), actor=house.actor("administrator"),
                                      at=house.clock())
        receiver.answer = lambda came: Reply(500)
        lead = note(house)
        for wait in (timedelta(0), *RETRIES):
            send(house, receiver, seconds=wait.total_seconds())
    code, told = hub("webhook", "dead", str(id))
    assert code == 0
    assert re.search(rf"lead {lead}  lead.note_added +10 tries  500 The receiver answered with a refusal.$", told, re.M)
    assert hub("webhook", "resend", str(id)) == (0, "1 to be sent again by the worker.\n")
    assert re.search(rf"^{id} .* 0 sent, 1 waiting, 0 dead", hub("webhook", "list")[1], re.M)


@pytest.mark.parametrize(("allow", "code"), [("127.0.0.1/32", 0), ("localhost,10.0.0.0/8", 1), ("none", 1)])
def test_an_internal_address_is_taken_only_where_the_server_allows_it(hub: Callable[..., tuple[int, str]], allow: str, code: int,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_WEBHOOK_ALLOW", allow)
    assert hub("webhook", "add", "CRM", "http://127.0.0.1:9/")[0] == code


@pytest.mark.parametrize("value", ["10.0.0.1/8", "http://crm.lan", "a b", "crm.lan,", "300.1.1.1"])
def test_a_setting_that_names_no_hosts_and_networks_is_refused(value: str) -> None:
    with pytest.raises(BadSetting, match="HUB_WEBHOOK_ALLOW is .* give host names and networks"):
        load({"HUB_WEBHOOK_ALLOW": value})

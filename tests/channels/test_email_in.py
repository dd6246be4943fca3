"""Mailboxes with a real Dovecot: every letter once, whatever is cut, killed, moved, copied, or numbered anew."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.channels import email_imap
from hub.channels.base import Place, Request, Trouble
from hub.channels.email import Email
from hub.channels.email_imap import KEYWORD
from hub.channels.email_settings import EmailSettings
from tests.channels.contract import Contract
from tests.channels.dovecot import PASSWORD, CuttingProxy, Dovecot, running
from tests.channels.house import ChannelHouse
from tests.channels.test_email_in_letters import INDEX, request, sample
from tests.web.conftest import sign_in

ACCOUNT = "email/main"


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running() as server:
        yield server


@pytest.fixture
def user() -> str:
    return f"u{uuid4().hex[:12]}"


def mailbox(port: int, user: str, account: str = ACCOUNT, **more: Any) -> Email:
    """An account of that user's mailbox."""
    settings = EmailSettings(**{"address": "info@studio.example", "password": PASSWORD, "user": user, "imap": "127.0.0.1",
                                "imap_port": port, "imap_security": "none", "forms": ("@site.example",),
                                "own": ("@studio.example",), **more})
    return Email(Place(account, "Почта", ""), settings)


@pytest.fixture
def house(tmp_path: Path, dovecot: Dovecot, user: str) -> Iterator[ChannelHouse]:
    house = ChannelHouse(tmp_path, mailbox(dovecot.port, user))
    yield house
    house.close()


def letter(number: int, text: str = "Нужен сайт") -> bytes:
    """A letter of a client of its own."""
    return (f"From: client{number}@client.example\r\nTo: info@studio.example\r\nSubject: Site {number}\r\n"
            f"Date: Mon, 23 Nov 2026 11:20:00 +0300\r\nMessage-ID: <n{number}@client.example>\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text} {number}\r\n").encode()


def use(house: ChannelHouse, *channels: Email) -> None:
    """Another process with these accounts: nothing in memory is left."""
    house.accounts.close()
    house.use(*channels)


def read_all(house: ChannelHouse, account: str = ACCOUNT) -> None:
    """Poll until nothing is new."""
    while house.poll(account):
        pass


class TestEmail(Contract):
    """The contract of all channels, for what nobody calls: the web brings nothing in."""

    module = "email"
    vendors = ("imapclient",)

    def channel(self) -> Email:
        return mailbox(1, "nobody")

    def accept(self, request: Request) -> Any:
        channel = self.channel()
        return channel.read(request) if request.method == "FETCHED" else channel.accept(request)

    def genuine(self) -> Request:
        return request(letter(1))

    def repeat(self) -> Request:
        return request(letter(1))

    def another(self) -> Request:
        return request(letter(2))

    def forged(self) -> list[Request]:
        return [Request("POST", f"/hooks/{ACCOUNT}", {}, letter(1), "", request(b"").at)]


def test_nobody_can_bring_a_letter_over_the_web(house: ChannelHouse) -> None:
    assert house.call(Request("POST", "", {}, letter(1), "", house.clock())).status_code == 404
    assert house.leads() == []


# ── once, and only what is stored is left behind ─────────────────────────────────────


def test_letters_become_cards_once_and_are_left_as_they_are(house: ChannelHouse, dovecot: Dovecot, user: str) -> None:
    dovecot.put(user, letter(1), letter(2))
    read_all(house)
    dovecot.put(user, letter(3))
    read_all(house)
    read_all(house)
    assert [row["number"] for row in house.leads()] == [1, 2, 3]
    assert not any(b"\\Seen" in flags or KEYWORD in flags for flags in dovecot.flags(user))
    messages = house.hub.lead(UUID(house.leads()[0]["id"])).messages
    assert [(m.text, m.channel, m.subject_line, m.key) for m in messages] == [
        ("Нужен сайт 1", "email", "Site 1", "<n1@client.example>")]


def test_every_sample_is_taken_in_and_none_twice(house: ChannelHouse, dovecot: Dovecot, user: str) -> None:
    dovecot.put(user, *(sample(name).replace(b"\0", b"") for name in INDEX))
    read_all(house)
    head = house.head()
    house.states.move(ACCOUNT, "", house.clock())  # everything is read again
    house.restart()
    read_all(house)
    assert house.head() == head
    assert house.dead_letters() == []
    kinds = {INDEX[name]["kind"] for name in INDEX}
    assert kinds == {"human", "auto", "bounce", "list", "own", "notification", "loop", "form"}
    people = {a.value for row in house.leads() for a in house.hub.lead(UUID(row["id"])).person.addresses}
    assert "ivan@client.example" in people
    assert not people & {"news@shop.example", "no-reply@service.example", "wordpress@site.example", "irina@studio.example"}


def test_a_letter_moved_copied_and_in_two_mailboxes_is_one(house: ChannelHouse, dovecot: Dovecot, user: str) -> None:
    folders = ("INBOX", "Клиенты")
    other = f"{user}b"
    use(house, mailbox(dovecot.port, user, folders=folders), mailbox(dovecot.port, other, "email/second"))
    nameless = sample("header-no-message-id-no-date")
    with dovecot.client(user) as client:
        client.create_folder("Клиенты")
    dovecot.put(user, letter(1), letter(2), nameless)
    read_all(house)
    with dovecot.client(user) as client:
        client.select_folder("INBOX")
        first, second, third = client.search()
        client.copy([first, third], "Клиенты")
        client.move([second], "Клиенты")
    dovecot.put(other, b"Received: by another way\r\nDelivered-To: second@studio.example\r\n" + letter(1))
    read_all(house)
    read_all(house, "email/second")
    assert len(house.leads()) == 3
    assert house.came() == 3


def test_two_letters_with_the_same_message_id_are_two(house: ChannelHouse, dovecot: Dovecot, user: str) -> None:
    dovecot.put(user, letter(1), letter(1, "Совсем другое"))
    read_all(house)
    (row,) = house.leads()
    assert [m.text for m in house.hub.lead(UUID(row["id"])).messages] == ["Нужен сайт 1", "Совсем другое 1"]


def test_a_folder_that_is_made_anew_is_read_again_and_adds_only_what_is_new(house: ChannelHouse, dovecot: Dovecot,
                                                                            user: str) -> None:
    use(house, mailbox(dovecot.port, user, folders=("Заявки",)))
    dovecot.put(user, letter(1), letter(2), folder="Заявки")
    read_all(house)
    before = json.loads(house.states.position(ACCOUNT))["Заявки"]
    with dovecot.client(user) as client:
        client.delete_folder("Заявки")
    dovecot.put(user, letter(2), letter(3), letter(1), folder="Заявки")
    read_all(house)
    after = json.loads(house.states.position(ACCOUNT))["Заявки"]
    assert after["validity"] != before["validity"]
    assert len(house.leads()) == 3
    assert house.came() == 3


def test_the_position_moves_only_after_everything_is_stored(house: ChannelHouse, dovecot: Dovecot, user: str) -> None:
    use(house, mailbox(dovecot.port, user, after="mark"))
    dovecot.put(user, *(letter(n) for n in range(5)))
    with house.full_after(3):
        house.poll(ACCOUNT)
    assert house.states.position(ACCOUNT) == ""
    assert not any(KEYWORD in flags for flags in dovecot.flags(user))
    house.restart()
    read_all(house)
    assert (len(house.leads()), house.came()) == (5, 5)
    assert all(KEYWORD in flags for flags in dovecot.flags(user))


@pytest.mark.parametrize("after", ["mark", "move"])
def test_letters_are_marked_or_moved_even_if_the_hub_dies_before_it(dovecot: Dovecot, user: str, house: ChannelHouse,
                                                                    after: Any) -> None:
    dovecot.put(user, letter(1), letter(2))
    use(house, mailbox(dovecot.port, user, after=after))
    batch = house.accounts[ACCOUNT].poll("")
    house.states.move(ACCOUNT, batch.position, house.clock())  # stored, and then killed: nothing was marked
    use(house, mailbox(dovecot.port, user, after=after))
    dovecot.put(user, letter(3))
    read_all(house)
    if after == "mark":
        assert all(KEYWORD in flags for flags in dovecot.flags(user))
    else:
        assert dovecot.flags(user) == []
        assert len(dovecot.flags(user, "Processed")) == 3


def test_letters_from_before_a_day_are_left_alone(house: ChannelHouse, dovecot: Dovecot, user: str) -> None:
    use(house, mailbox(dovecot.port, user, since="2026-11-23"))
    dovecot.put(user, letter(1), at=house.clock().replace(year=2025))
    dovecot.put(user, letter(2))
    read_all(house)
    assert [row["number"] for row in house.leads()] == [1]
    assert house.hub.lead(UUID(house.leads()[0]["id"])).messages[0].text == "Нужен сайт 2"


def test_of_a_letter_above_the_limit_the_beginning_is_read_and_it_says_so(house: ChannelHouse, dovecot: Dovecot,
                                                                          user: str) -> None:
    use(house, mailbox(dovecot.port, user, largest=400_000))
    dovecot.put(user, letter(1, "Нужен сайт. " + "много " * 100_000), letter(2))
    read_all(house)
    first, _ = house.leads()
    assert house.hub.lead(UUID(first["id"])).messages[0].text.startswith("Нужен сайт. много")
    (event,) = [e for e in house.hub.history(UUID(first["id"])) if e.TOPIC == "lead.message_received"]
    assert int(dict(event.fields)["mail_cut"]) > 400_000  # type: ignore[attr-defined]


def test_a_letter_that_nobody_can_read_is_kept_whole_once_and_stops_nothing(house: ChannelHouse, dovecot: Dovecot, user: str,
                                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    dovecot.put(user, letter(1), letter(2))
    with monkeypatch.context() as broken:
        broken.setattr(Email, "read", lambda *_: {}["not there"])
        read_all(house)
    assert len(house.dead_letters()) == 2
    house.states.move(ACCOUNT, "", house.clock())
    with dovecot.client(user) as client:
        client.create_folder("Клиенты")
        client.select_folder("INBOX")
        client.move(client.search(), "Клиенты")
    use(house, mailbox(dovecot.port, user, folders=("Клиенты",)))
    read_all(house)
    assert len(house.leads()) == 2
    for dead in house.dead_letters():
        assert house.read_again(dead) is not None
    assert (len(house.leads()), house.came()) == (2, 2)


# ── on the card ──────────────────────────────────────────────────────────────────────


def test_a_bounce_marks_our_letter_and_an_answer_finds_its_card_from_another_address(house: ChannelHouse, dovecot: Dovecot,
                                                                                     user: str) -> None:
    use(house, mailbox(dovecot.port, user, smtp="127.0.0.1"))
    dovecot.put(user, letter(1))
    read_all(house)
    lead = UUID(house.leads()[0]["id"])
    house.do(lead, "take")
    route = {"way": "email", "account": ACCOUNT, "to": "client1@client.example"}
    for _ in range(2):
        house.do(lead, "send_message", route=route, text="Добрый день")
    ours = [UUID(message.fixed_id).hex for message in house.hub.lead(lead).outgoing.values()]
    known = b"0123456789abcdef0123456789abcdef"
    away = sample("auto-rfc3834").replace(known, ours[1].encode())
    answer = sample("quote-gmail-ru").replace(known, ours[1].encode()).replace(b"ivan@", b"colleague@")
    dovecot.put(user, sample("bounce-dsn").replace(known, ours[0].encode()), answer, away, sample("bounce-dsn-delayed"))
    read_all(house)
    assert len(house.leads()) == 1
    state = house.hub.lead(lead)
    assert [message.status for message in state.outgoing.values()] == ["failed", "asked"]
    assert [m.text for m in state.messages] == ["Нужен сайт 1", "Завтра в 11, если можно.", "Меня нет на месте до 30 ноября."]
    assert state.outgoing[1].code == "email_bounced"


def test_what_a_signature_says_is_offered_and_added_by_a_person(house: ChannelHouse, dovecot: Dovecot, user: str) -> None:
    dovecot.put(user, sample("signature-delimited"), sample("quote-gmail-ru"))
    read_all(house)
    (row,) = house.leads()
    lead = UUID(row["id"])
    assert {a.kind for a in house.hub.lead(lead).person.addresses} == {"email"}
    house.do(lead, "take")
    client = house.house.app.test_client()
    sign_in(client, "manager")
    page = client.get(f"/leads/{lead}").get_data(as_text=True)
    for piece in ("ООО «Ромашка»", "директор по маркетингу", "+79123456789", "Добавить", "Показать цитату", "Когда вам удобно"):
        assert piece in page, piece
    form = client.get(f"/leads/{lead}/do/add_address?kind=phone&value=%2B79123456789").get_data(as_text=True)
    assert "+79123456789" in form
    house.do(lead, "name_company", name="ООО «Ромашка»")
    house.do(lead, "add_address", kind="phone", value="+79123456789")
    person = str(house.hub.lead(lead).person.id)
    house.do(lead, "edit_person", person=person, name="Иван Петров", position="директор по маркетингу")
    page = client.get(f"/leads/{lead}").get_data(as_text=True)
    assert "Добавить" not in page.partition("в подписи")[2].partition("</dl>")[0]


# ── a broken connection ──────────────────────────────────────────────────────────────


def test_connections_cut_at_random_bytes_lose_nothing_and_add_nothing(house: ChannelHouse, dovecot: Dovecot, user: str) -> None:
    dovecot.put(user, *(letter(n, "текст " * 300) for n in range(40)))
    with CuttingProxy(dovecot.port, seed=4) as proxy:
        use(house, mailbox(proxy.port, user, after="mark"))
        proxy.budgets = [proxy.random.randrange(1, 40_000) for _ in range(50)]
        troubles = []
        while proxy.budgets or house.states.of(ACCOUNT, "in").ok_at is None:
            try:
                read_all(house)
                proxy.cut()
            except Trouble as trouble:
                troubles.append(trouble.why)
        read_all(house)
        assert proxy.connections > 20
    assert troubles
    assert not any(PASSWORD in why for why in troubles)
    assert (len(house.leads()), house.came(), house.dead_letters()) == (40, 40, [])
    assert all(KEYWORD in flags for flags in dovecot.flags(user))


def test_a_connection_that_died_while_nothing_came_is_replaced_without_a_word(house: ChannelHouse, dovecot: Dovecot,
                                                                              user: str) -> None:
    with CuttingProxy(dovecot.port) as proxy:
        use(house, mailbox(proxy.port, user))
        read_all(house)
        proxy.cut()
        dovecot.put(user, letter(1))
        read_all(house)
        assert proxy.connections == 2
    assert len(house.leads()) == 1


def test_what_is_wrong_is_said_without_the_password(house: ChannelHouse, dovecot: Dovecot, user: str) -> None:
    wrong = mailbox(dovecot.port, user, password="hunter2-wrong")
    use(house, wrong)
    with pytest.raises(Trouble, match="не принимает имя или пароль") as trouble:
        house.poll(ACCOUNT)
    assert "hunter2" not in trouble.value.why
    use(house, mailbox(dovecot.port, user, folders=("INBOX", "Нет такой")))
    dovecot.put(user, letter(1))
    house.poll(ACCOUNT)  # the folder that is there goes on
    assert len(house.leads()) == 1
    with pytest.raises(Trouble, match="Нет такой"):
        house.poll(ACCOUNT)


# ── waiting ──────────────────────────────────────────────────────────────────────────


def test_a_letter_that_comes_while_it_waits_wakes_it(house: ChannelHouse, dovecot: Dovecot, user: str) -> None:
    read_all(house)
    channel, stop, came_back = house.accounts[ACCOUNT], Flag(), Flag()

    def wait() -> None:
        channel.rest(stop, 60)
        came_back.set()
    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    dovecot.put(user, letter(1))
    assert came_back.wait(20), "IDLE did not wake it"
    thread.join()
    read_all(house)
    assert len(house.leads()) == 1


def test_a_letter_that_came_between_the_look_and_the_waiting_is_not_waited_for(house: ChannelHouse, dovecot: Dovecot,
                                                                               user: str) -> None:
    """The server tells of it before IDLE begins, and never again."""
    read_all(house)
    dovecot.put(user, letter(1))
    stop = Flag()
    waiting = threading.Thread(target=house.accounts[ACCOUNT].rest, args=(stop, 600), daemon=True)
    waiting.start()
    waiting.join(15)
    slept = waiting.is_alive()
    stop.set()
    waiting.join(15)
    assert not slept
    read_all(house)
    assert len(house.leads()) == 1



def test_a_server_that_hangs_up_while_it_waits_is_not_asked_without_end(house: ChannelHouse, dovecot: Dovecot, user: str) -> None:
    with CuttingProxy(dovecot.port) as proxy:
        use(house, mailbox(proxy.port, user))
        read_all(house)
        channel = house.accounts[ACCOUNT]
        thread = threading.Thread(target=channel.rest, args=(Flag(), 3.0), daemon=True)
        thread.start()
        proxy.cut()
        thread.join(30)
        assert not thread.is_alive()
        read_all(house)
        assert proxy.connections == 2  # no storm of them


# ── the account ──────────────────────────────────────────────────────────────────────


def test_a_check_says_what_it_tried(dovecot: Dovecot, user: str) -> None:
    dovecot.put(user, letter(1))
    found = mailbox(dovecot.port, user, folders=("INBOX", "Нет")).check()
    assert [(c.what.partition(" ")[0], c.ok) for c in found[:3]] == [("IMAP", True), ("folder", True), ("folder", False)]
    assert "letters: 1" in found[1].said
    (refused,) = mailbox(dovecot.port, user, password="wrong-one").check()
    assert (refused.ok, "wrong-one" in refused.said) == (False, False)


@pytest.mark.parametrize(("settings", "why"), [
    ({"address": "nobody"}, "address"), ({"imap": "", "smtp": ""}, "imap"), ({"password": ""}, "password"),
    ({"folders": ()}, "folders"),
    ({"imap": "https://x"}, "imap"), ({"imap_port": 0}, "imap_port"), ({"since": "soon"}, "since"), ({"largest": 5}, "largest"),
    ({"after": "move", "folders": ("Processed",)}, "done_folder"), ({"own": ("x",)}, "own")])
def test_nonsense_is_refused_by_its_name(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}: "):
        mailbox(**{"port": settings.pop("imap_port", 143), "user": "x", **settings})


# ── many ─────────────────────────────────────────────────────────────────────────────


def test_a_large_folder_is_taken_in_by_pieces_and_can_be_interrupted(house: ChannelHouse, dovecot: Dovecot, user: str,
                                                                     caplog: pytest.LogCaptureFixture,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email_imap, "BATCH", 10)
    use(house, mailbox(dovecot.port, user))
    dovecot.fill(user, (letter(n) for n in range(25)))
    caplog.set_level(logging.INFO, "hub.channels.email_imap")
    assert house.poll(ACCOUNT)
    assert len(house.leads()) == 10
    assert "10 letters fetched, 15 to go" in caplog.text
    use(house, mailbox(dovecot.port, user))  # another process goes on where this one was stopped
    read_all(house)
    assert (len(house.leads()), house.came()) == (25, 25)


@pytest.mark.soak
def test_ten_thousand_letters_with_interruptions(house: ChannelHouse, dovecot: Dovecot, user: str) -> None:
    """``SOAK_LETTERS=1000 make soak`` takes fewer."""
    many = int(os.environ.get("SOAK_LETTERS", "10000"))
    dovecot.fill(user, (letter(n) for n in range(many)))
    with CuttingProxy(dovecot.port, seed=1) as proxy:
        use(house, mailbox(proxy.port, user))
        proxy.budgets = [proxy.random.randrange(1, 300_000) for _ in range(100)]
        while True:
            try:
                if not house.poll(ACCOUNT) and not proxy.budgets:
                    break
                if proxy.budgets and proxy.random.random() < 0.3:
                    use(house, mailbox(proxy.port, user))
            except Trouble:
                pass
    assert (house.came(), house.hub.views.leads.count("1 = 1"), house.dead_letters()) == (many, many, [])

"""Staff are told beside the browser (R34): in batches, not in their quiet hours, without a word about clients, once each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub.channels.base import Place, Request
from hub.channels.email_out import EmailOut
from hub.channels.email_settings import EmailSettings
from hub.channels.telegram import Telegram, TelegramSettings
from hub.domain.delivery import Address
from hub.domain.errors import Refused
from hub.domain.staff import User
from hub.domain.telling import Telling, TellingState, telling_stream
from hub.traffic.outbox import Sender
from hub.traffic.staff import Teller, make_code, send_test, telling
from tests.channels.house import ChannelHouse
from tests.channels.smtp_server import MailServer, mail_server
from tests.channels.telegram_server import TOKEN, TelegramServer
from tests.web.conftest import sign_in

CHAT = 4242
HUB = "https://hub.example"
SECRET = "a-secret-of-the-tests"


class Mailbox(EmailOut):
    """The sending half of a mailbox."""

    kind = "email"
    title = "Почта"
    Settings = EmailSettings


class Staff:
    """A hub with a bot and a mailbox, and what reached colleagues."""

    def __init__(self, folder: Path, mail: MailServer, telegram: TelegramServer) -> None:
        settings = EmailSettings("sales@studio.example", smtp="127.0.0.1", smtp_port=mail.port, smtp_security="none")
        self.bot = Telegram(Place("telegram/main", "Бот студии", HUB), TelegramSettings(TOKEN, (SECRET,), api=telegram.url))
        self.house = ChannelHouse(folder, self.bot, Mailbox(Place("email/main", "Почта", HUB), settings))
        self.mail, self.telegram = mail, telegram
        self.restart()

    def restart(self) -> None:
        """As a new process has it."""
        self.house.sender = Sender(self.house.hub, self.house.states, self.house.clock, HUB)
        self.teller = Teller(self.house.hub, self.house.accounts)

    def user(self, login: str = "manager") -> UUID:
        return self.house.house.users[login]

    def wants(self, login: str = "manager", **more: object) -> None:
        settings = {"telegram": False, "by_email": True, "address": f"{login}@studio.example", "quiet_from": "",
                    "quiet_until": "", "language": "ru", **more}
        user = self.user(login)
        self.house.hub.change(Telling, telling_stream(user),
                              lambda t: t.set_ways(user, head=self.house.head(), **settings),  # type: ignore[arg-type]
                              actor=self.house.house.actor(login), at=self.house.clock(), permissions=("read",))

    def code(self, login: str = "manager") -> str:
        return make_code(self.house.hub, self.user(login), actor=self.house.house.actor(login), at=self.house.clock())

    def writes(self, text: str) -> Request:
        """Somebody writes to the bot from the chat."""
        update = self.telegram.writes(CHAT, text)
        headers = {"content-type": "application/json", "x-telegram-bot-api-secret-token": SECRET}
        request = Request("POST", "/hooks/telegram/main", headers, json.dumps(update).encode(), "", self.house.clock())
        assert self.house.call(request, "telegram/main").status_code == 200
        return request

    def state(self, login: str = "manager") -> TellingState:
        return telling(self.house.hub, self.user(login))

    def tell(self, seconds: float = 70) -> int:
        """A turn of the worker and of the senders, a little later."""
        self.house.clock.advance(seconds=seconds)
        self.house.house.settle()
        asked = self.teller.turn(self.house.clock())
        self.send()
        return asked

    def send(self) -> None:
        for account in self.house.accounts:
            self.house.send(account)

    def lead(self, n: int = 0) -> UUID:
        return self.house.house.receive(f"Клиент Секретный {n}", phone=f"+791200000{n:02}")

    def letters(self) -> list[str]:
        """Letters to colleagues."""
        found = []
        for came in self.mail.came:
            body = came.letter.get_body(("plain",))
            assert body is not None
            found.append(str(body.get_content()))
        return found

    def browser(self, login: str) -> tuple[FlaskClient, Callable[..., TestResponse]]:
        """A signed-in browser, and how it posts a form."""
        client = self.house.house.app.test_client()
        token = sign_in(client, login)
        return client, lambda path, **typed: client.post(path, data={**typed, "csrf_token": token})

    def chat(self) -> list[str]:
        """What the bot wrote."""
        return [str(sent["text"]) for sent in self.telegram.sent]


@pytest.fixture
def staff(tmp_path: Path) -> Iterator[Staff]:
    with mail_server() as mail, TelegramServer() as telegram:
        staff = Staff(tmp_path, mail, telegram)
        yield staff
        staff.house.close()


def everybody(staff: Staff) -> None:
    """Whoever has the turn, the manager is told."""
    for login in ("second", "trainee"):
        user = staff.user(login)
        staff.house.hub.change(User, user, lambda u: u.record_absence(date(2026, 11, 1), date(2026, 12, 31)),
                               actor=staff.house.house.actor("administrator"), at=staff.house.clock())


# ── what is told ─────────────────────────────────────────────────────────────────────


def test_a_new_lead_is_told_with_its_number_and_a_link_and_without_the_client(staff: Staff) -> None:
    everybody(staff)
    staff.wants()
    lead = staff.lead()
    assert staff.tell() == 1
    (text,) = staff.letters()
    number = staff.house.hub.views.leads.one(lead)["number"]
    assert f"L-{number}: Новая заявка: ваша очередь." in text
    assert f"{HUB}/leads/{number}" in text
    for secret in ("Секретный", "+7912", "магазин"):
        assert secret not in text
        assert secret not in str(staff.mail.came[0].data)
    assert staff.mail.came[0].letter["Auto-Submitted"] == "auto-replied"
    assert [m.status for m in staff.state().last] == ["sent"]
    assert staff.tell() == 0


def test_fifty_at_once_are_one_message(staff: Staff) -> None:
    everybody(staff)
    staff.wants()
    for n in range(50):
        staff.lead(n)
    assert staff.tell() == 1
    (text,) = staff.letters()
    assert text.startswith("Уведомлений: 50")
    assert f"И ещё 40: {HUB}/notices" in text
    staff.lead(60)
    assert [staff.tell(10), staff.tell(20), staff.tell(40)] == [0, 0, 1]  # not more than one in a minute
    assert len(staff.letters()) == 2


def test_quiet_hours_are_kept_and_the_morning_tells_all_at_once(staff: Staff) -> None:
    everybody(staff)
    staff.wants(quiet_from="11:00", quiet_until="13:00")  # it is 11:20 in Moscow
    for n in range(3):
        staff.lead(n)
    assert staff.tell() == 0
    staff.house.clock.advance(hours=1, minutes=45)
    assert staff.tell() == 1
    assert staff.letters()[0].startswith("Уведомлений: ")
    assert len(staff.letters()) == 1


@pytest.mark.parametrize(("at", "quiet"), [("20:59", False), ("21:00", True), ("23:59", True), ("00:00", True), ("07:59", True),
                                           ("08:00", False), ("12:00", False)])
def test_quiet_hours_may_go_over_midnight(staff: Staff, at: str, quiet: bool) -> None:
    moment = staff.house.clock().replace(hour=(int(at[:2]) - 3) % 24, minute=int(at[3:]))
    state = TellingState(quiet_from="21:00", quiet_until="08:00")
    assert state.quiet(moment, "Europe/Moscow") is quiet
    assert not TellingState().quiet(moment, "Europe/Moscow")


def test_who_is_away_is_left_alone(staff: Staff) -> None:
    staff.wants("second")
    everybody(staff)
    staff.house.house.settle()
    assert staff.teller.turn(staff.house.clock()) == 0
    staff.lead()
    assert staff.tell() == 0


def test_a_deadline_near_and_missed_reaches_its_owner_and_the_head_what_is_late(staff: Staff) -> None:
    """R2, R34: with no tab open there are still 15 minutes."""
    everybody(staff)
    staff.wants()
    staff.wants("head")
    lead = staff.lead()
    staff.tell()
    for _ in range(20):
        staff.house.clock.advance(minutes=1)
        staff.house.hub.pass_time(lead, at=staff.house.clock())
        staff.tell(10)
    told = {to: [text for came, text in zip(staff.mail.came, staff.letters(), strict=True) if to in came.to[0]]
            for to in ("manager", "head")}
    assert any("Никто" in text or "никто не взял" in text or "Срок подходит" in text for text in told["manager"])
    assert any("Срок прошёл" in text for text in told["manager"])
    assert any("Срок прошёл" in text for text in told["head"])


def test_what_came_before_notices_were_switched_on_is_not_told(staff: Staff) -> None:
    everybody(staff)
    staff.lead()
    staff.house.house.settle()
    staff.wants()
    assert staff.tell() == 0
    staff.lead(1)
    staff.tell()
    assert len(staff.letters()) == 1
    assert "Уведомлений" not in staff.letters()[0]


def test_a_letter_that_cannot_be_delivered_is_a_fact_that_administrators_see(staff: Staff) -> None:
    everybody(staff)
    staff.wants()
    staff.mail.says = {"RCPT": ["550 no such user"]}
    staff.lead()
    staff.tell()
    failed = staff.state().failed
    assert failed is not None
    assert (failed.code, failed.why) == ("email_recipient", "550 no such user")
    client, _ = staff.browser("administrator")
    page = client.get("/settings/notices")
    assert page.status_code == 200
    assert "550 no such user" in page.text


# ── Telegram ─────────────────────────────────────────────────────────────────────────


def test_a_chat_is_linked_by_a_code_once_and_opens_no_card(staff: Staff) -> None:
    everybody(staff)
    request = staff.writes(f"/start {staff.code()}")
    head = staff.house.head()
    staff.house.call(request, "telegram/main")  # Telegram repeats
    assert staff.house.head() == head
    assert staff.house.leads() == []
    staff.send()
    assert staff.chat() == [f"Готово. Уведомления хаба будут приходить сюда. Выключить их можно в хабе: {HUB}/account/notices"]
    number = staff.house.hub.views.leads.one(staff.lead())["number"]
    staff.tell()
    assert staff.chat()[1].startswith(f"L-{number}: ")
    assert "Секретный" not in staff.chat()[1]


def test_an_old_a_used_and_an_invented_code_link_nothing(staff: Staff) -> None:
    old = staff.code()
    staff.house.clock.advance(minutes=16)
    staff.writes(f"/start {old}")
    staff.writes("/start " + old[:-4] + "AAAA")
    staff.writes("/start vk_ads")
    assert staff.state().chat == ""
    assert len(staff.house.leads()) == 1  # to us it is somebody who came by a link
    assert old not in str(staff.house.hub.store.read(telling_stream(staff.user())))


def test_another_chat_with_a_used_code_takes_nothing_over(staff: Staff) -> None:
    code = staff.code()
    staff.writes(f"/start {code}")
    update = staff.telegram.writes(777, f"/start {code}")
    headers = {"content-type": "application/json", "x-telegram-bot-api-secret-token": SECRET}
    staff.house.call(Request("POST", "", headers, json.dumps(update).encode(), "", staff.house.clock()), "telegram/main")
    assert staff.state().chat == str(CHAT)


def test_what_a_colleague_writes_to_the_bot_waits_in_the_quarantine(staff: Staff) -> None:
    staff.writes(f"/start {staff.code()}")
    staff.writes("ок, беру")
    assert staff.house.leads() == []
    (row,) = staff.house.hub.views.receipts.quarantine()
    assert row["reason"] == "colleague"


def test_a_blocked_bot_is_a_failure_and_the_other_way_still_works(staff: Staff) -> None:
    everybody(staff)
    staff.writes(f"/start {staff.code()}")
    staff.send()
    staff.wants(telegram=True)
    staff.telegram.blocked.add(CHAT)
    staff.lead()
    assert staff.tell() == 2
    assert {m.way: m.status for m in staff.state().last[-2:]} == {"telegram": "failed", "email": "sent"}


# ── once each ────────────────────────────────────────────────────────────────────────


class Killed(BaseException):
    """Stands for kill -9."""


@pytest.mark.parametrize("seam", ["decided", "claimed", "left", "marked"])
@pytest.mark.parametrize("round", range(3))
def test_killed_at_any_seam_a_notice_is_told_at_most_once_and_never_lost(staff: Staff, seam: str, round: int,
                                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    everybody(staff)
    staff.wants()
    staff.lead(round)
    from hub.traffic.outbox import Tries
    from hub.traffic.staff import StaffMessages
    owner, name = {"decided": (Teller, "_tell"), "claimed": (Tries, "claim"), "left": (EmailOut, "send"),
                   "marked": (StaffMessages, "sent")}[seam]
    real = getattr(owner, name)

    def dying(*given: object, **more: object) -> object:
        real(*given, **more)
        raise Killed
    with monkeypatch.context() as broken:
        broken.setattr(owner, name, dying)
        with pytest.raises(Killed):
            staff.tell()
    staff.restart()
    for _ in range(3):
        staff.tell(400)
    assert len(staff.letters()) <= 1
    assert [m.status for m in staff.state().last] == (["sent"] if seam in ("decided", "marked") else ["unknown"])
    assert staff.letters() or staff.state().last[-1].status == "unknown"


def test_two_workers_decide_a_batch_once(staff: Staff) -> None:
    everybody(staff)
    staff.wants()
    staff.lead()
    staff.house.clock.advance(minutes=2)
    staff.house.house.settle()
    other = Teller(staff.house.hub, staff.house.accounts)
    assert staff.teller.turn(staff.house.clock()) + other.turn(staff.house.clock()) == 1


# ── settings ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("wanted", "code"), [
    ({"address": "nobody"}, "bad_own_email"), ({"telegram": True}, "telegram_not_linked"),
    ({"quiet_from": "21:00"}, "bad_quiet"), ({"quiet_from": "9", "quiet_until": "10:00"}, "bad_quiet")])
def test_settings_that_make_no_sense_are_refused(staff: Staff, wanted: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        staff.wants(**wanted)
    assert refusal.value.code == code
    assert staff.state() == TellingState()


def test_a_test_message_goes_by_every_way(staff: Staff) -> None:
    actor = staff.house.house.actor("manager")
    with pytest.raises(Refused, match="Choose a way"):
        send_test(staff.house.hub, staff.house.accounts, staff.user(), actor=actor, at=staff.house.clock())
    staff.wants()
    assert send_test(staff.house.hub, staff.house.accounts, staff.user(), actor=actor, at=staff.house.clock()) == 1
    staff.send()
    assert "Проверка" in staff.letters()[0]
    assert Address("email", staff.mail.came[0].to[0]).value == "manager@studio.example"


def test_a_person_sets_it_all_on_their_own_page(staff: Staff) -> None:
    client, post = staff.browser("manager")
    assert client.get("/account/notices").status_code == 200
    typed = {"by_email": "1", "email": "maria@studio.example", "quiet_from": "21:00", "quiet_until": "08:00"}
    assert post("/account/notices", **typed).status_code == 303
    assert (staff.state().email, staff.state().quiet_from) == ("maria@studio.example", "21:00")
    assert post("/account/notices/test").status_code == 303
    staff.send()
    assert "отправлено" in client.get("/account/notices").text
    wrong = post("/account/notices", by_email="1", email="maria")
    assert wrong.status_code == 422
    assert "Укажите свою почту" in wrong.text
    code = re.search(r"/start ([A-Za-z0-9_-]{43})", post("/account/notices/code").text)
    assert code is not None
    staff.writes(f"/start {code[1]}")
    assert "подключён" in client.get("/account/notices").text
    assert post("/account/notices/unlink").status_code == 303
    assert staff.state().chat == ""

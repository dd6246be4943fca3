"""A day of a running hub, and nothing of it in what its operator reads: no person, no secret in the log and the metrics.

Everything goes through one real ``hub serve``: the log of its master, its web process and its worker is what is searched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest

from hub.application import THE_HUB
from hub.domain.aggregate import Actor
from hub.domain.staff import user_stream
from hub.domain.token import SCOPES
from hub.store.keys import derive
from hub.web.tokens import Tokens
from tests.channels.smtp_server import MailServer, mail_server
from tests.channels.telegram_server import TOKEN as BOT_TOKEN
from tests.channels.telegram_server import TelegramServer
from tests.serving import FORM, Answer, Serving, ask, make_form, opened, until
from tests.webhook_receiver import Receiver, Reply

NAME, PHONE, MAIL = "Аристарх Вышеславцев", "9137776655", "aristarh@vysheslavtsev.example"
WISH, CHAT = "Нужен портал для завода Кристалл", "Пишу из Телеграма про складской учёт"
NOTE = "Просил звонить жене Глафире"
PASSWORD, WRONG = "ordinary-Words-82", "half-Remembered-61"
METRICS_TOKEN = "metrics-token-0123456789"
HOOK = "/hooks/hook-key-5566?key=hook-query-7788"
PERSONAL = (NAME, "Вышеславцев", "Аристарх", PHONE, "913 777-66-55", MAIL, "vysheslavtsev", "Кристалл", CHAT, "складской",
            "Петренко", "client_5", NOTE, "Глафире", "Рудольф Штейнер", "rudolf")
DEAF_TOKEN = "777002:BBtestTOKENtestTOKENtestTOKENtest"
SECRETS = (PASSWORD, WRONG, METRICS_TOKEN, "hook-key-5566", "hook-query-7788", BOT_TOKEN, DEAF_TOKEN, "smtp-Password-93")

CHANNELS = """
[telegram.main]
token = "{token}"
mode = "poll"
api = "{api}"

[telegram.deaf]
token = "{deaf}"
mode = "poll"
api = "http://127.0.0.1:9"

[email.main]
address = "sales@studio.example"
smtp = "127.0.0.1"
smtp_port = {port}
smtp_security = "none"
password = "smtp-Password-93"
acknowledge = ["form:main"]
"""


class Day:
    """The hub of that day, with what was made up for it and what it must keep to itself."""

    def __init__(self, folder: Path, telegram: TelegramServer, mail: MailServer, receiver: Receiver) -> None:
        self.telegram, self.mail, self.receiver = telegram, mail, receiver
        make_form(folder)
        channels = folder / "channels.toml"
        channels.write_text(CHANNELS.format(token=BOT_TOKEN, deaf=DEAF_TOKEN, api=telegram.url, port=mail.port), encoding="utf-8")
        now = datetime.now(UTC)
        allowed = {"HUB_WEBHOOK_ALLOW": "127.0.0.0/8"}
        with closing(opened(folder, **allowed)) as house:
            user = house.hub.add_user("rudolf", "Рудольф Штейнер", ("administrator", "head"), actor=THE_HUB, at=now)
            house.access.set_password(user, PASSWORD, temporary=False, at=now)
            _, self.token = Tokens(house.hub, derive(house.settings.secret_key.encode(), "sessions")).issue(
                "Сайт", SCOPES, actor=THE_HUB, at=now, holder=user)
            boss = Actor(f"user:{user_stream('rudolf')}", frozenset({"administrator", "head"}))
            url = receiver.url.replace("/hooks", HOOK)
            _, self.hook_secret = house.hub.add_webhook("CRM", url, personal=True, actor=boss, at=now)
            self.hub_secret = house.settings.secret_key
        self.folder = folder
        self.server = Serving(folder, (), 0, HUB_CHANNELS_FILE=str(channels), HUB_METRICS_TOKEN=METRICS_TOKEN, **allowed)
        self.cookie = ""

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.server.port, method, path, body.encode() if body else None, {"Cookie": self.cookie, **named})

    def api(self, method: str, path: str, body: str = "") -> Answer:
        return self.ask(method, f"/api/v1{path}", body, Authorization=f"Bearer {self.token}", Content_Type="application/json")

    def form(self, path: str, **fields: str) -> Answer:
        return self.ask("POST", path, urlencode(fields), Content_Type="application/x-www-form-urlencoded")

    def sign_in(self, password: str) -> Answer:
        self.cookie = ""
        page = self.ask("GET", "/sign-in")
        self.cookie = page.headers["set-cookie"].partition(";")[0]
        token = re.search(r'name="csrf-token" content="([^"]+)"', page.body.decode())
        assert token
        answer = self.form("/sign-in", login="rudolf", password=password, csrf_token=token[1])
        self.cookie = answer.headers.get("set-cookie", self.cookie).partition(";")[0]
        return answer


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with TelegramServer() as telegram, mail_server() as mail, Receiver() as receiver:
        made = Day(tmp_path_factory.mktemp("day"), telegram, mail, receiver)
        with made.server.start():
            yield made


def live_through(day: Day) -> None:
    """Everything that a hub has to do with people, well and badly."""
    # Each letter and message is refused at first by somebody who quotes it back.
    day.receiver.answer = lambda came: Reply(500, body=came.body) if NAME.encode() in came.body else Reply()
    day.mail.says = {"RCPT": [f"450 4.2.1 <{MAIL}> of {NAME} is busy".encode().decode("ascii", "replace")]}
    phone = f"+7 {PHONE[:3]} {PHONE[3:6]}-{PHONE[6:8]}-{PHONE[8:]}"
    given = {"name": NAME, "phone": phone, "email": MAIL, "message": WISH}
    assert day.form(f"/f/{FORM}", **given).status in (200, 303)
    half = json.dumps(given)[:-9]
    assert day.ask("POST", f"/api/v1/forms/{FORM}/submissions", half, Content_Type="application/json").status == 202
    day.telegram.writes(text=CHAT)

    assert day.sign_in(WRONG).status == 422
    assert day.sign_in(PASSWORD).status == 303
    assert day.ask("GET", f"/leads?q={quote_plus(NAME)}&phone={PHONE}", Referer=f"https://x.example/?{MAIL}").status in (200, 404)
    assert day.ask("GET", f"/leads/{PHONE}/{quote(NAME)}").status == 404

    until(lambda: len(found(day)) == 2, why="both leads are there")
    lead = found(day)[-1]
    assert day.api("GET", f"/leads?q={quote_plus(NAME)}").status == 200
    told = day.api("POST", f"/leads/{lead}/note", json.dumps({"text": NOTE}))
    assert told.status in (200, 201, 428), told
    assert day.api("POST", f"/leads/{lead}/{quote(NAME)}", json.dumps({"text": NOTE})).status >= 400
    assert ask(day.server.port, "GET", "/api/v1/leads", headers={"Authorization": f"Bearer {day.token}x"}).status == 401
    until(lambda: any(NAME.encode() in came.body for came in day.receiver.came), why="a webhook was tried")
    until(lambda: "RCPT" not in day.mail.says or not day.mail.says["RCPT"], why="a letter was tried")

    spoil(day.folder)
    answer = day.api("GET", f"/leads/{lead}/events")
    assert answer.status == 409, answer


def found(day: Day) -> list[str]:
    return [row["id"] for row in day.api("GET", "/leads").json()["items"]]


def spoil(folder: Path) -> None:
    """Somebody changes the log by hand: events that cannot be read are what this day's log tells of."""
    with closing(opened(folder)) as house, house.store.writing() as cursor:
        cursor.execute("UPDATE stored_events SET state = ? WHERE topic = 'lead.received'", (f'{{"at": "{NAME}"}}'.encode(),))


def test_nothing_of_a_person_and_no_secret_is_in_the_log_or_the_metrics(day: Day) -> None:
    live_through(day)
    numbers = ask(day.server.port, "GET", "/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    assert numbers.status == 200
    ready = ask(day.server.port, "GET", "/readyz")
    assert day.server.stop() == 0
    said = day.server.said()

    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert {line["process"] for line in lines} >= {"web", "worker"}
    routes = {(line["route"], line["status"]) for line in lines if line["event"] == "request"}
    assert {("/sign-in", 422), ("/sign-in", 303), ("/f/<form>", 303)} <= routes, routes
    assert any(line["level"] == "error" for line in lines), "the fault is told"
    for where, text in (("log", said), ("metrics", numbers.body.decode()), ("readiness", ready.body.decode())):
        spoken = text.encode().decode("unicode_escape", "replace") if "\\u" in text else text
        for word in (*PERSONAL, *SECRETS, day.token, day.hook_secret, day.hub_secret):
            for form in {word, quote(word), quote_plus(word), word.lower(), json.dumps(word).strip('"')}:
                assert form not in text, f"{form!r} is in the {where}"
                assert form not in spoken, f"{form!r} is in the {where}"

"""From a delivery to the card on the board: the hub served, each provider's stand-in knocking at its own door.

The clock starts when the provider begins to tell (for a letter: when it lies in the mailbox) and stops when the board's read
model has the card. ``python -m bench.doors`` measures this part alone and prints it; SENT is how often each door is knocked at.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlencode

from bench.measure import Report, Times, machine
from hub.bootstrap import House
from tests import databases
from tests.channels import twilio_requests as twilio
from tests.channels import twilio_server
from tests.channels.dovecot import PASSWORD, Dovecot, missing
from tests.channels.telegram_server import TOKEN as BOT
from tests.channels.telegram_server import TelegramServer
from tests.channels.twilio_server import TwilioServer, sid
from tests.channels.vk_server import CODE, GROUP, TOKEN, VkServer, deliver
from tests.serving import Serving, ask, free_port, make_form, opened, submit

SENT = int(os.environ.get("BENCH_SENT", "100"))
WITHIN = 60.0
"""Seconds after which a card that has not come is a fault of the run."""
SECRET = "a-secret-of-the-doors"
FILE = """
[vk.main]
group = {group}
token = "{vk_token}"
secrets = ["{secret}"]
confirmation = "{code}"
api = "{vk}"
[telegram.main]
token = "{bot}"
secrets = ["{secret}"]
api = "{telegram}"
[twilio.main]
account_sid = "{account}"
tokens = ["{auth}"]
number = "{number}"
api = "{twilio}"
[email.info]
address = "info@studio.example"
user = "doors"
password = "{password}"
imap = "127.0.0.1"
imap_port = {imap}
imap_security = "none"
"""

Knock = Callable[[int], None]


class Doors:
    """A served hub with its providers. Each method is a delivery of somebody new, who is given by a number."""

    def __init__(self, hub: Serving, vk: VkServer, telegram: TelegramServer, imap: Dovecot | None) -> None:
        self.hub, self.vk, self.telegram, self.imap = hub, vk, telegram, imap
        self.url = f"http://127.0.0.1:{hub.port}"
        telegram.webhook = {"url": f"{self.url}/hooks/telegram/main", "secret_token": SECRET}

    def website(self, n: int) -> None:
        """A form."""
        answer = submit(self.hub.port, f"door-{n}", f"+7911{n:07d}")
        assert answer.status == 202, answer

    def sms(self, n: int) -> None:
        """An SMS as Twilio signs it."""
        fields = {"AccountSid": twilio_server.ACCOUNT, "MessageSid": sid("SM", n), "From": f"+7912{n:07d}",
                  "To": twilio_server.NUMBER, "Body": "Нужен сайт", "NumMedia": "0"}
        path = f"/hooks/{twilio.KIND}"
        headers = {"Content-Type": twilio.FORM, "X-Twilio-Signature": twilio.signature(self.url + path, fields),
                   "Host": f"127.0.0.1:{self.hub.port}"}
        answer = ask(self.hub.port, "POST", path, urlencode(fields).encode(), headers)
        assert answer.status == 200, answer

    def callback(self, n: int) -> None:
        """VK's Callback API."""
        assert deliver(f"{self.url}/hooks/vk/main", self.vk.writes(100_000 + n, "Нужен сайт"), SECRET) == (200, b"ok")

    def bot(self, n: int) -> None:
        """Telegram's webhook."""
        assert self.telegram.deliver(self.telegram.writes(100_000 + n, "Нужен сайт"), SECRET)[0] == 200

    def letter(self, n: int) -> None:
        """A letter, put into the mailbox as another program would: IDLE tells the hub of it."""
        assert self.imap is not None
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = f"client{n}@firm{n}.example", "info@studio.example", "Нужен сайт"
        letter["Message-ID"] = f"<door-{n}@firm{n}.example>"
        letter.set_content("Сколько стоит магазин?")
        self.imap.put("doors", letter.as_bytes())


def measured(house: House, knock: Knock, first: int, count: int) -> tuple[Times, Times]:
    """How long the provider waited for its answer, and how long it took until the board had the card; one after the other."""
    answered, shown = [], []
    for n in range(first, first + count):
        before = house.hub.views.leads.count()
        begin = time.perf_counter()
        knock(n)
        answered.append(time.perf_counter() - begin)
        while house.hub.views.leads.count() == before:
            if time.perf_counter() - begin > WITHIN:
                raise RuntimeError(f"the card of {knock.__name__} {n} did not come within {WITHIN:.0f} s")
            time.sleep(0.001)
        shown.append(time.perf_counter() - begin)
    return Times(tuple(answered)), Times(tuple(shown))


@contextmanager
def mailbox() -> Iterator[Dovecot | None]:
    """Dovecot, None where it is not installed."""
    if missing():
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="hub-dovecot-", ignore_cleanup_errors=True) as folder:
        server = Dovecot(Path(folder))
        try:
            yield server
        finally:
            server.stop()


def run(folder: Path, report: Report, url: str = "") -> None:
    """All doors of one store."""
    data = folder / "hub"
    data.mkdir(parents=True)
    if url:
        databases.put(data, url)
    make_form(data)
    port = free_port()
    with VkServer() as vk, TelegramServer() as telegram, TwilioServer() as phone, mailbox() as imap:
        accounts = folder / "channels.toml"
        text = FILE if imap is not None else FILE.partition("[email.info]")[0]
        accounts.write_text(text.format(
            group=GROUP, vk_token=TOKEN, secret=SECRET, code=CODE, vk=vk.url, bot=BOT, telegram=telegram.url,
            account=twilio_server.ACCOUNT, auth=twilio_server.TOKEN, number=twilio_server.NUMBER, twilio=phone.url,
            password=PASSWORD, imap=imap.port if imap is not None else 0), encoding="utf-8")
        settings = {"HUB_CHANNELS_FILE": str(accounts), "HUB_PUBLIC_URL": f"http://127.0.0.1:{port}"}
        with Serving(data, port=port, **settings) as hub, closing(opened(data, **settings)) as house:
            hub.start()
            doors = Doors(hub, vk, telegram, imap)
            report.section(f"{'PostgreSQL' if url else 'SQLite'}: from a delivery to the card on the board, {SENT} of each, one "
                           "after another", "door", "answered p50", "p99", "on the board p50", "p99")
            knocks = {"website form": doors.website, "Twilio SMS": doors.sms, "VK callback": doors.callback,
                      "Telegram webhook": doors.bot, "letter (IMAP IDLE)": doors.letter}
            for number, (name, knock) in enumerate(knocks.items()):
                if knock == doors.letter and imap is None:
                    report.row(name, "Dovecot is missing", "", "", "")
                    continue
                measured(house, knock, number * 10_000, 3)
                answered, shown = measured(house, knock, number * 10_000 + 3, SENT)
                # Of a letter nobody waits for an answer: it is put into the mailbox.
                waited = ("–", "–") if knock == doors.letter else (_ms(answered.median), _ms(answered.at(.99)))
                report.row(name, *waited, _ms(shown.median), _ms(shown.at(.99)))


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


if __name__ == "__main__":
    alone = Report()
    alone.say(f"Measured on {machine()}.")
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as here:
        run(Path(here) / "doors", alone)
    sys.exit(0)

"""A talk over three channels on one card, with the hub served and the far ends standing in for VK, a mailbox and Telegram.

VK by its Callback API, letters by Dovecot (in) and aiosmtpd (out), Telegram by its webhook. What the client does is here;
what the manager does is done in a browser.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.people import Person
from tests.browser.places import Product
from tests.channels.dovecot import PASSWORD as MAIL_PASSWORD
from tests.channels.dovecot import Dovecot, running
from tests.channels.smtp_server import MailServer, mail_server
from tests.channels.telegram_server import TOKEN as BOT
from tests.channels.telegram_server import TelegramServer
from tests.channels.vk_server import CODE, GROUP, TOKEN, VkServer, deliver
from tests.serving import until

SECRET = "a-secret-of-the-conversation"
CLIENT, OURS = "olga@clinic.example", "info@studio.example"
FILE = """
[vk.main]
title = "ВКонтакте «Студия Т»"
group = {group}
token = "{token}"
secrets = ["{secret}"]
confirmation = "{code}"
api = "{vk}"

[email.info]
title = "Почта студии"
address = "{ours}"
name = "Студия Т"
user = "conversation"
password = "{password}"
imap = "127.0.0.1"
imap_port = {imap}
imap_security = "none"
smtp = "127.0.0.1"
smtp_port = {smtp}
smtp_security = "none"

[telegram.main]
title = "Бот студии"
token = "{bot}"
secrets = ["{secret}"]
api = "{telegram}"
"""


@dataclass
class FarEnds:
    """The servers of three channels, and the client at them."""

    vk: VkServer
    telegram: TelegramServer
    smtp: MailServer
    imap: Dovecot

    def settings(self, folder: Path) -> Path:
        """The file of accounts that leads to these servers."""
        path = folder / "channels.toml"
        path.write_text(FILE.format(group=GROUP, token=TOKEN, secret=SECRET, code=CODE, vk=self.vk.url, ours=OURS,
                                    password=MAIL_PASSWORD, imap=self.imap.port, smtp=self.smtp.port, bot=BOT,
                                    telegram=self.telegram.url), encoding="utf-8")
        return path

    def writes_in_vk(self, product: Product, text: str) -> None:
        """A message to the community; VK tells the hub."""
        assert deliver(f"{product.url}/hooks/vk/main", self.vk.writes(77, text), SECRET) == (200, b"ok")

    def answers_by_letter(self, text: str) -> None:
        """An answer to the letter that came last; it lies in the mailbox."""
        ours, letter = self.smtp.came[-1].letter, EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = f"Ольга Смирнова <{CLIENT}>", OURS, f"Re: {ours['Subject']}"
        letter["Message-ID"], letter["In-Reply-To"] = "<answer@clinic.example>", str(ours["Message-ID"])
        body = ours.get_body(("plain",))
        assert body is not None
        letter.set_content(f"{text}\n\n> {body.get_content().splitlines()[0]}\n")
        self.imap.put("conversation", letter.as_bytes())

    def writes_in_telegram(self, product: Product, text: str) -> None:
        """A message to the bot; Telegram tells the hub."""
        self.telegram.webhook = {"url": f"{product.url}/hooks/telegram/main", "secret_token": SECRET}
        assert self.telegram.deliver(self.telegram.writes(5, text), SECRET)[0] == 200


@contextmanager
def far_ends() -> Iterator[FarEnds]:
    """All of them, for as long as a talk needs them; skips where there is no Dovecot."""
    with VkServer() as vk, TelegramServer() as telegram, mail_server() as smtp, running() as imap:
        vk.people[77] = {"id": 77, "first_name": "Ольга", "last_name": "Смирнова"}
        yield FarEnds(vk, telegram, smtp, imap)


def talk(product: Product, manager: Person, ends: FarEnds) -> None:
    """From the first message to the last answer; the manager is left on the card."""
    ends.writes_in_vk(product, "Здравствуйте! Нужен сайт клиники с записью к врачу. Мой телефон 8 912 345-67-89")
    manager.open("/")
    card = manager.page.locator("#columns .card")
    expect(card.get_by_role("heading")).to_have_text("Ольга Смирнова", timeout=20_000)
    card.get_by_role("button", name="Взять").click()
    expect(card.get_by_role("button", name="Взять")).to_have_count(0)
    manager.card(1)
    manager.do("send_message", text="Здравствуйте, Ольга! Сделаем. На какую почту прислать примеры?")
    until(lambda: [m["text"] for m in ends.vk.sent] == ["Здравствуйте, Ольга! Сделаем. На какую почту прислать примеры?"])

    ends.writes_in_vk(product, f"Присылайте на {CLIENT}")
    manager.sees(f"Присылайте на {CLIENT}", within=".timeline")
    if not manager.page.locator(".people .addr", has_text=CLIENT).count():
        manager.do("add_address", kind="email", value=CLIENT)
    manager.do("send_message", route=f"email email/info {CLIENT}", subject="Примеры клиник",
               text="Ольга, посмотрите три клиники: запись, расписание, напоминания. Что ближе?")
    until(lambda: len(ends.smtp.came) == 1)
    ends.answers_by_letter("Второй вариант, с напоминаниями. Сроки поджимают, напишу вам ещё в Telegram.")
    manager.sees("Второй вариант, с напоминаниями", within=".timeline")

    ends.writes_in_telegram(product, "Это Ольга из клиники, +7 912 345-67-89. Можно созвониться в четверг в 15:00?")
    manager.sees("Можно созвониться в четверг", within=".timeline")
    manager.do("send_message", text="Да, четверг, 15:00. Позвоню вам сама.")
    until(lambda: [m["text"] for m in ends.telegram.sent] == ["Да, четверг, 15:00. Позвоню вам сама."])
    manager.sees("Да, четверг, 15:00", within=".timeline")

"""What goes to and fro: a talk over three channels, calls with every end, letters that leave and that do not, likely duplicates.

The demo has no accounts at providers. What they would have told is told here, through the doors by which they tell it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

from hub.bootstrap import House
from hub.demo import arrivals
from hub.demo.people import actor, user_id
from hub.demo.simulator import Simulator, Waits
from hub.demo.story import Story
from hub.domain import events as e
from hub.domain.delivery import Later
from hub.domain.fact import Fact
from hub.domain.lead import Lead

MAILBOX = "hello@studio-t.example"
LINE = "office"
PDF = b"%PDF-1.4\n% made up\n"
CITY = "Москва"
"""Of the client who writes by VK, as the page there names it."""


def stories(sim: Simulator, house: House) -> list[Waits]:
    """The talks."""
    def of(client: str, **more: bool) -> Story:
        return Story(sim, house, client, **more)

    return [three_channels(of("radar", gives_phone=False)), missed_call(of("skalka")), letter_came_back(of("lampa")),
            calls_out(of("bereg")), look_alike(of("vympel"), of("vympel")), merged_with_its_work(of("yantar"), of("yantar"))]


# ── how it is told ───────────────────────────────────────────────────────────────────


def tell(s: Story, kind: str, about: str, status: str = "", **more: object) -> None:
    """A provider tells a fact."""
    fact = Fact(about=about, kind=kind, status=status, **more)  # type: ignore[arg-type]
    s.hub.hear(fact, channel="phone" if kind.startswith("call") else "email", at=s.sim.tick())


def found(s: Story, about: Callable[[Lead], object]) -> None:
    """The hub finds out how something fared."""
    def take(lead: Lead) -> None:
        about(lead)
    s.hub.find_out(s.lead, take, at=s.sim.tick())


def write(s: Story, way: str, account: str, to: str, text: str, subject: str = "", files: tuple[e.FileRef, ...] = ()) -> int:
    """A message of ours is asked for; its number."""
    s.do("send_message", route={"way": way, "account": account, "to": to}, text=text, subject=subject, files=files)
    return max(s.state.outgoing)


def left(s: Story, message: int) -> str:
    """It left; what its provider calls it."""
    name = f"demo/{s.client.key}/{message}"
    found(s, lambda lead: lead.message_sent(message, (name,)))
    return name


def call_comes(s: Story, hold: int = 40) -> str:
    """The client calls; what the provider calls it."""
    s.arrive("phone")
    name = s.state.messages[-1].key
    tell(s, "call", name, "ringing")
    s.sim.clock = min(s.sim.clock + timedelta(seconds=hold), s.sim.end)
    return name


def stored(s: Story, name: str, data: bytes, subject: UUID | None = None) -> e.FileRef:
    """A file of the card."""
    return e.FileRef(s.hub.files.put(data, subject or s.lead), name, "application/pdf", len(data))


# ── the talks ────────────────────────────────────────────────────────────────────────


def three_channels(s: Story) -> Waits:
    """VK, then letters, then Telegram: one card, answered in each (R6)."""
    yield s.sim.ago(400)
    s.arrive("vk", later=(Later("person", "777"), Later("file", "photo777", "Склад.pdf", "application/pdf", len(PDF))))
    yield s.minutes(4)
    s.do("take", by="anna")
    person = s.state.main_person
    found(s, lambda lead: lead.person_fetched(1, s.client.name, s.client.zone, CITY))
    found(s, lambda lead: lead.file_fetched(2, stored(s, "Склад.pdf", PDF, person)))
    yield s.minutes(3)
    name = left(s, write(s, "vk", "vk", s.client.nick.lower(), "Здравствуйте! Расскажите, сколько складов и чем ведёте учёт? "
                                                              "Если удобнее почтой, пишите на hello@studio-t.example"))
    tell(s, "message", name, "read")
    yield s.minutes(12)
    s.do("add_address", kind="email", value=s.client.email)
    s.arrive("email", "Перехожу в почту, как договорились. Складов три, учёт в 1С:УТ 11. Опись во вложении.",
             files=(arrivals.PRICES,), subject="Адресное хранение на трёх складах")
    yield s.minutes(9)
    left(s, write(s, "email", MAILBOX, s.client.email, "Спасибо, опись получили. Предлагаю созвониться завтра: покажем, как это "
                  "сделано у логистов. Какой у вас номер или Telegram?", "Re: Адресное хранение на трёх складах"))
    yield s.minutes(25)
    s.do("add_address", kind="telegram", value=s.client.nick)
    s.arrive("telegram", f"Это {s.client.name}. Телефон {s.client.phone}, звоните завтра до обеда")
    key = s.state.messages[-1].key
    yield s.minutes(5)
    found(s, lambda lead: lead.edited(key, f"Это {s.client.name}. Телефон {s.client.phone}, звоните завтра после 14"))
    name = left(s, write(s, "telegram", "telegram", s.client.nick.lower(), "Записала: завтра после 14. До связи!"))
    tell(s, "message", name, "delivered")
    s.do("capture_contact", timezone=s.client.zone, call_words="после 14")


def missed_call(s: Story) -> Waits:
    """Nobody picked up: a voicemail, the wish to be called back, and the deadline for it."""
    yield s.sim.ago(75)
    name = call_comes(s)
    for login in ("anna", "dmitry"):
        tell(s, "call_leg", name, "ringing", code=user_id(login))
        tell(s, "call_leg", name, "no_answer", code=user_id(login))
    tell(s, "call_key", name)
    tell(s, "call", name, "ended", details=(("seconds", "58"),))
    tell(s, "call_recording", name, code="voicemail", why=f"RE-{s.client.key}", details=(("seconds", "21"),),
         later=(Later("file", f"RE-{s.client.key}", "Голосовое сообщение.pdf", "application/pdf"),))
    yield s.minutes(12)
    s.do("take", by="dmitry")
    found(s, lambda lead: lead.not_fetched(1, "gone"))


def calls_out(s: Story) -> Waits:
    """An answered call, then calls from the card: one that was talked, one that was not placed, one that nobody knows about."""
    yield s.sim.on(6, "11:08")
    name = call_comes(s, 9)
    tell(s, "call_leg", name, "connected", code=user_id("dmitry"))
    tell(s, "call", name, "ended", details=(("seconds", "312"),))
    yield from s.screen()
    yield from s.score(4)
    for days, (placed, status, seconds) in ((4, (True, "ended", "184")), (3, (False, "", "")), (1, (True, "", ""))):
        yield s.sim.on(days, "12:20")
        s.do("call_client", route={"way": "phone", "account": LINE, "to": s.state.address("phone")}, phone="+7 900 000-00-11")
        number = max(s.state.calls)
        if not placed:
            found(s, partial(Lead.call_failed, call=number, code="provider", why="No route to this number"))
        elif not status:
            found(s, partial(Lead.call_unknown, call=number, code="cut"))
        else:
            found(s, partial(Lead.call_placed, call=number, names=(f"call/demo-out-{number}",)))
            tell(s, "call_leg", f"call/demo-out-{number}", "connected", code="client")
            tell(s, "call", f"call/demo-out-{number}", status, details=(("seconds", seconds),))
    s.plan("meeting", s.sim.ahead(700), "Посмотреть, как работает стойка")


def letter_came_back(s: Story) -> Waits:
    """An invitation and a proposal by letter; one letter came back, was sent again to a better address; one hangs in the air."""
    yield from s.qualify(s.sim.on(12, "10:41"), "email", 6)
    s.plan("interview", s.sim.on(9, "12:00"))
    s.do("invite", meeting=1, route={"way": "email", "account": MAILBOX, "to": s.client.email},
         subject="Встреча: Студия Т", text="Ждём вас на встрече. Приглашение для календаря во вложении.")
    left(s, max(s.state.outgoing))
    yield from s.prepare(4)
    yield from s.interview(ready_in=4, presented=False)
    yield s.sim.on(5, "15:10")
    s.do("draft_proposal", amount=s.client.amount * 1000, valid_until=s.date(30), vat="с НДС", note="Одна очередь, 9 недель",
         file=stored(s, "КП Студия Т.pdf", PDF))
    if s.state.next_step is not None:
        s.do("finish_step", result="КП собрано")
    s.do("send_proposal", account=MAILBOX, to=s.client.email, subject="Коммерческое предложение: Студия Т",
         text="Как договаривались, отправляем предложение: оно во вложении.")
    left(s, max(s.state.outgoing))
    yield s.sim.on(2, "11:30")
    wrong = f"info@{s.client.domain}"
    s.do("add_address", kind="email", value=wrong)
    number = write(s, "email", MAILBOX, wrong, "Удалось посмотреть предложение с коллегами?", "Коммерческое предложение")
    found(s, lambda lead: lead.message_failed(number, "email_recipient", "550 5.1.1 No such user here"))
    again = write(s, "email", MAILBOX, s.client.email, "Удалось посмотреть предложение с коллегами?", "Коммерческое предложение")
    left(s, again)
    yield s.sim.ago(95)
    hangs = write(s, "email", MAILBOX, s.client.email, "Завтра позвоню вам в 11, хорошо?", "Созвон")
    found(s, lambda lead: lead.message_unknown(hangs, "cut"))


# ── cards that look alike (R6) ───────────────────────────────────────────────────────


def look_alike(first: Story, second: Story) -> Waits:
    """The same person by a form and, from the telephone of the office, by hand: the card proposes to merge them."""
    second.client = replace(second.client, number=second.client.number + 300)
    yield first.sim.ago(320)
    first.arrive("website")
    yield first.minutes(5)
    first.do("take", by="anna")
    first.do("name_company", name=first.client.company)
    yield first.sim.ago(50)
    opened = second.hub.open_by_hand(arrivals.by_hand(second.client), actor=actor("dmitry"), at=second.sim.clock)
    second.lead = opened.lead or second.lead
    second.do("take", by="dmitry")


def merged_with_its_work(first: Story, second: Story) -> Waits:
    """Merged with a meeting and a request that go on in the other card, split again, and told apart for good."""
    second.client = replace(second.client, number=second.client.number + 300, name="Глеб Янин")
    yield from first.qualify(first.sim.on(7, "10:15"), "phone", 4)
    yield from second.begin(first.sim.on(6, "10:20"), "telegram")
    yield from second.contact()
    second.do("plan_meeting", purpose="call", starts_at=second.day(5, "12:00"), goal="Понять, тот ли это «Янтарь»")
    second.do("open_request", kind="documents", text="Прислать карточку компании")
    me = actor(first.me)
    first.hub.merge(first.lead, second.lead, "Оба из «Янтаря»", actor=me, at=first.sim.tick())
    yield first.minutes(90)
    first.hub.unmerge(first.lead, second.lead, "Это другой «Янтарь», из Светлогорска", actor=actor("head"), at=first.sim.tick())
    first.hub.tell_apart(first.lead, second.lead, "Разные компании", actor=me, at=first.sim.tick())
    first.plan("meeting", first.sim.ahead(900), "Показать демо бронирования")
    second.do("close_request", request=1, text="Прислали")
    second.do("note", text="Не путать с «Янтарём» из Калининграда")

"""How a telephone line of ours is answered: who rings, in which order, and what a caller hears. No provider is named here.

A provider's channel asks :func:`at_first` and :func:`after_ring` what comes next and says it in its own language. Where in the
call one is stands in the address that the provider calls, never in memory, so that any process can answer.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated
from uuid import UUID, uuid5
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from hub.domain import contact
from hub.domain.aggregate import Aggregate
from hub.domain.errors import Refused, sentences
from hub.domain.event import PERSONAL, Event, topic

LINES = UUID("0c7de8f2-3c57-5d0a-9a5e-6a0f1f0f5b21")

MOST_MEMBERS = 10
"""Telephones of one line: so many a provider rings at once."""
LONGEST_SAID = 1000
SECONDS = (5, 60)
"""How long one of ours may ring."""

sentences(
    phone_bad_member=("Строка «{given}»: напишите логин сотрудника и номер, например «anna +7 912 345-67-89».",
                      "Line “{given}”: write a login and a number, such as “anna +7 912 345-67-89”."),
    phone_no_such_login=("Сотрудника «{given}» нет или он отключён. Проверьте логин.",
                         "There is no colleague “{given}”, or they are disabled. Check the login."),
    phone_twice=("Сотрудник «{given}» указан дважды.", "“{given}” is named twice."),
    phone_too_many=("Больше {most} телефонов линия не обзванивает.", "A line rings {most} telephones at most."),
    phone_bad_way=("Выберите: по очереди или всем сразу.", "Choose: in turn or together."),
    phone_bad_seconds=("Звонить можно от {least} до {most} секунд.", "A telephone may ring {least} to {most} seconds."),
    phone_say_text=("Напишите, что услышит клиент.", "Write what the client hears."),
    phone_text_long=("Текст длиннее {most} знаков.", "The text is longer than {most} characters."),
    phone_announce=("Запись разговора начинается только после предупреждения: напишите его текст.",
                    "A talk is recorded only after an announcement: write its text."),
)


def line_stream(account: str) -> UUID:
    """The stream of an account's line."""
    return uuid5(LINES, account)


class Member(Struct, frozen=True):
    """One of ours who rings: their login, and their telephone (E.164)."""

    login: str
    number: str


class PhonePlan(Struct, frozen=True, kw_only=True):
    """``way``: ``in_turn`` rings one after the other, ``together`` all at once. ``fair`` begins with another one each call.

    ``seconds`` is how long each rings; ``always`` rings outside the process's working hours as well; ``record`` records talks,
    after ``announcement``; ``ask_key``: whoever waits for the tone may press 1 for a call back. The rest is what callers
    (``whisper``: ours) hear.
    """

    members: tuple[Member, ...] = ()
    way: str = "in_turn"
    fair: bool = True
    seconds: int = 20
    always: bool = False
    record: bool = False
    ask_key: bool = True
    greeting: str = "Здравствуйте! Соединяем с менеджером."
    announcement: str = "Разговор записывается, чтобы ничего не упустить."
    closed: str = "Здравствуйте! Сейчас мы не работаем."
    nobody: str = "К сожалению, все менеджеры сейчас заняты."
    leave: str = "Оставьте сообщение после сигнала, и мы перезвоним."
    key: str = "Или нажмите один, и мы просто перезвоним вам."
    thanks: str = "Спасибо! Мы скоро перезвоним."
    whisper: str = "Звонок клиента. Чтобы ответить, нажмите один."
    connect: str = "Чтобы соединить вас с клиентом, нажмите один."

    def number_of(self, login: str) -> str:
        """The telephone of one of ours; empty where there is none."""
        return next((m.number for m in self.members if m.login == login), "")


TEXTS = ("greeting", "announcement", "closed", "nobody", "leave", "key", "thanks", "whisper", "connect")


@topic("phone.plan_set")
class PlanSet(Event, frozen=True, kw_only=True):
    """How a line is answered from now on: the announcement that was in force at a call is found by its time."""

    account: str
    members: Annotated[tuple[Member, ...], PERSONAL] = ()
    plan: PhonePlan


class PhoneLine(Aggregate[PhonePlan]):
    """One line of ours, by its channel account."""

    EMPTY = PhonePlan()

    @staticmethod
    def evolve(state: PhonePlan, event: Event) -> PhonePlan:
        return replace(event.plan, members=event.members) if isinstance(event, PlanSet) else state

    def write(self, account: str, plan: PhonePlan, logins: Collection[str]) -> None:
        """Answer by ``plan`` from now on; ``logins`` are the colleagues who are here. The same again records nothing."""
        if plan.way not in ("in_turn", "together"):
            raise Refused("phone_bad_way", field="way")
        if not SECONDS[0] <= plan.seconds <= SECONDS[1]:
            raise Refused("phone_bad_seconds", field="seconds", least=SECONDS[0], most=SECONDS[1])
        plan = replace(plan, **{name: getattr(plan, name).strip() for name in TEXTS})
        if plan.record and not plan.announcement:
            raise Refused("phone_announce", field="announcement")
        for name in TEXTS:
            if not getattr(plan, name) and name != "announcement":
                raise Refused("phone_say_text", field=name)
            if len(getattr(plan, name)) > LONGEST_SAID:
                raise Refused("phone_text_long", field=name, most=LONGEST_SAID)
        self._check_members(plan.members, logins)
        if plan != self.state:
            self.record(PlanSet, subject=self.id, account=account, members=plan.members, plan=replace(plan, members=()))

    def _check_members(self, members: tuple[Member, ...], logins: Collection[str]) -> None:
        if len(members) > MOST_MEMBERS:
            raise Refused("phone_too_many", field="members", most=MOST_MEMBERS)
        seen: set[str] = set()
        for member in members:
            if member.login not in logins:
                raise Refused("phone_no_such_login", field="members", given=member.login)
            if member.login in seen:
                raise Refused("phone_twice", field="members", given=member.login)
            seen.add(member.login)


def members_in(text: str) -> tuple[Member, ...]:
    """Who rings, one a line: a login and a number in any spelling. Refused at ``members``."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        login, _, number = line.partition(" ")
        phone = contact.phone(number)
        if phone is None:
            raise Refused("phone_bad_member", field="members", given=line)
        found.append(Member(login.lower(), phone.value))
    return tuple(found)


# ── what comes next in a call ────────────────────────────────────────────────────────


class Scene(Struct, frozen=True):
    """What happens now: ``say`` in this order, then ring ``ring`` (as round ``turn``), else the voicemail."""

    say: tuple[str, ...] = ()
    ring: tuple[Member, ...] = ()
    turn: int = 0


def at_first(plan: PhonePlan, *, is_open: bool, here: Collection[str], salt: str) -> Scene:
    """A call has come. ``here`` are the logins of those at work; ``salt`` is the call's id, by which a fair line begins."""
    if not (is_open or plan.always):
        return Scene((plan.closed,))
    scene = _ring(plan, here, salt, 0)
    if not scene.ring:
        return Scene((plan.nobody,))
    return replace(scene, say=(plan.greeting, plan.announcement) if plan.record else (plan.greeting,))


def after_ring(plan: PhonePlan, *, here: Collection[str], salt: str, turn: int) -> Scene:
    """Round ``turn`` has rung in vain: the next one, or the voicemail."""
    scene = _ring(plan, here, salt, turn + 1)
    return scene if scene.ring else Scene((plan.nobody,))


def _ring(plan: PhonePlan, here: Collection[str], salt: str, turn: int) -> Scene:
    """The first round from ``turn`` on with somebody at work. Rounds count all members, so that they stay the same in a call."""
    members = plan.members
    if plan.fair and members:
        first = crc32(salt.encode()) % len(members)
        members = members[first:] + members[:first]
    if plan.way == "together":
        return Scene(ring=tuple(m for m in members if m.login in here) if turn == 0 else ())
    for number, member in enumerate(members[turn:], turn):
        if member.login in here:
            return Scene(ring=(member,), turn=number)
    return Scene()

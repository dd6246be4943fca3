"""A development server with a small department in it: ``python -m tests.web.live --port 8123``.

The database is temporary. Logins are the roles (administrator, head, manager, second, trainee, account, auditor), the
password is ``password-123``. Leads stand in every stage, made by real commands at times before now.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from werkzeug.serving import run_simple

from hub.domain.delivery import Address
from hub.domain.errors import Refused
from tests.web.house import PASSWORD, PEOPLE, Clock, House, ready_house

A_MARKS, B_MARKS, C_MARKS = 12, 3, -11
"""Totals of the sheet for each segment."""


class Real(Clock):
    """The clock on the wall once :attr:`live` is set; before that a past that is being made."""

    live = False

    def __call__(self) -> datetime:
        return datetime.now(UTC) if self.live else self.at


class Story:
    """One lead and the commands that bring it on; each takes a while of its past."""

    def __init__(self, house: House, lead: UUID, at: datetime, owner: str = "manager") -> None:
        self.house, self.lead, self.at, self.owner = house, lead, at, owner

    def do(self, command: str, by: str = "", minutes: float = 5, **arguments: Any) -> None:
        """Give a command, some minutes after the one before."""
        self.at = min(self.at + timedelta(minutes=minutes), datetime.now(UTC))
        self.house.hub.do(self.lead, command, arguments, actor=self.house.actor(by or self.owner), at=self.at)

    def take(self) -> None:
        self.do("take")

    def contact(self) -> None:
        self.do("capture_contact", timezone="Asia/Yekaterinburg", call_words="после обеда")

    def screen(self) -> None:
        state = self.house.hub.lead(self.lead)
        if state.stage != "screening":
            self.do("move", to="screening")
        self.do("finish_screening", progress="messenger", note="Есть задача и срок", criteria_checked=True)

    def score(self, total: int) -> None:
        parameters = list(self.house.hub.process.parameters)
        sign = 1 if total > 0 else -1
        self.do("score", marks={p: sign if n < abs(total) else 0 for n, p in enumerate(parameters)},
                comment="Оценка после первого разговора")

    def meeting(self, purpose: str, days: float, goal: str) -> None:
        self.do("plan_meeting", purpose=purpose, starts_at=self.at + timedelta(days=days), goal=goal,
                ours=("Мария Котова",), theirs=("Директор", "Маркетолог"))

    def prepare(self) -> None:
        self.meeting("interview", 0.1, "Понять задачу и кто решает")

    def interview(self) -> None:
        self.do("name_budget", amount="1250000", vat="без НДС")
        self.do("find_need", text="Каталог не связан со складом", explicit=True, quote="Каждый день правим остатки руками")
        self.do("state_benefit", text="Остатки обновляются сами", kpi="2 часа в день")
        self.at += timedelta(hours=4)
        self.do("hold_meeting", meeting=1, outcome="advance", text="Обсудили задачу", step="Подготовить предложение",
                step_due=self.at + timedelta(days=3))

    def proposal(self) -> None:
        self.do("promise_proposal", ready_on=(self.at + timedelta(days=3)).date(), presented=True)
        state = self.house.hub.lead(self.lead)
        if state.stage != "proposal":
            self.do("move", to="proposal")
        self.do("draft_proposal", amount="1320000", valid_until=(self.at + timedelta(days=30)).date())
        self.do("contribute", by="head", text="Добавить этап сопровождения")

    def present(self) -> None:
        self.meeting("presentation", 0.1, "Показать предложение и договориться о дате решения")
        state = self.house.hub.lead(self.lead)
        if state.stage != "presentation":
            self.do("move", to="presentation")

    def follow_up(self) -> None:
        self.at += timedelta(hours=4)
        self.do("hold_meeting", meeting=2, outcome="advance", text="Показали", step="Узнать решение", step_due=self.at +
                timedelta(days=4), decision_date=(self.at + timedelta(days=4)).date(), feedback="Понравилось")
        state = self.house.hub.lead(self.lead)
        if state.stage != "follow_up":
            self.do("send_proposal", way="email", to="client@example.ru")
            self.do("move", to="follow_up")


STEPS = ("take", "contact", "screen", "score", "prepare", "interview", "proposal", "present", "follow_up")

LEADS = (
    # name, company, text, channel, hours ago, owner, how far (a step of STEPS, or "" for not taken), total
    ("Иван Петренко", "ООО «Технопарк Юг»", "Нужен сайт с каталогом и личным кабинетом", "website", 0.1, "manager", "", 0),
    ("Ольга Смирнова", "Клиника «Меридиан»", "Запись онлайн, сейчас теряем звонки", "phone", 0.5, "manager", "", 0),
    ("Кофейня «Зерно»", "", "Приложение лояльности", "social", 3, "manager", "take", 0),
    ("Дмитрий Ким", "Ким и партнёры", "Переделать корпоративный сайт", "email", 6, "second", "contact", 0),
    ("Елена Гусева", "Гусева", "Лендинг за три дня и недорого", "website", 20, "manager", "screen", 0),
    ("Павел Носов", "Носов Авто", "Сайт-визитка, бюджет 30 тысяч", "website", 26, "manager", "score", C_MARKS),
    ("Вера Лапина", "Школа «Маяк»", "Личный кабинет родителей", "website", 30, "second", "score", B_MARKS),
    ("Артём Волков", "Волков Логистик", "Портал для перевозчиков", "email", 50, "manager", "prepare", A_MARKS),
    ("Нина Орехова", "Фабрика «Уют»", "Интернет-магазин с 1С", "website", 75, "manager", "interview", A_MARKS),
    ("Сергей Дёмин", "Дёмин Строй", "CRM для отдела продаж", "phone", 100, "second", "proposal", B_MARKS),
    ("Анна Власова", "Музей игрушки", "Мультимедийный гид", "website", 120, "manager", "present", A_MARKS),
    ("Олег Титов", "Титов Энерго", "Портал потребителя", "email", 150, "manager", "follow_up", A_MARKS),
    ("Юлия Рощина", "Рощина Декор", "Интернет-магазин", "website", 200, "manager", "win", A_MARKS),
    ("Фёдор Жук", "Жук Сервис", "Сайт сервиса", "website", 220, "second", "lose", B_MARKS),
)


def seed(house: House) -> list[str]:
    """Fill the hub; a line for each lead that a rule did not let as far as planned."""
    begin = datetime.now(UTC)
    house.clock.at = begin - timedelta(days=10)
    house.make_form()
    for n, (name, site, fields) in enumerate((("Студия «Берег»", "https://bereg.example", {"contact": "Юрий, +7 900 111-22-33"}),
                                              ("Веб-цех", "https://webceh.example", {"contact": "hello@webceh.example"}))):
        house.hub.write_partner(None, actor=house.actor("head"), at=house.clock.at, name=name, site=site,
                                prices=tuple(house.hub.process.price_segments)[:n + 1], **fields)
    told = []
    for n, (name, company, text, channel, ago, owner, upto, total) in enumerate(LEADS):
        at = house.clock.at = begin - timedelta(hours=ago)
        phone = f"+7912345{n:02d}{n:02d}"
        lead = house.receive(name, phone, text=text, company=company, channel=channel,
                             source="main" if channel == "website" else channel,
                             addresses=(Address("phone", phone, phone), Address("email", f"client{n}@example.ru")))
        story = Story(house, lead, at, owner)
        last = upto if upto in STEPS else "follow_up"
        try:
            for step in STEPS[:STEPS.index(last) + 1] if upto else ():
                getattr(story, step)(*([total] if step == "score" else []))
            if upto == "win":
                story.do("win", contract_number="17/26", amount="1320000", signed_on=story.at.date())
            elif upto == "lose":
                story.do("lose", reason="price", closeness="second", competitor="Веб-цех", debrief="Дороже на треть")
        except Refused as problem:
            told.append(f"{name}: stopped at {house.hub.lead(lead).stage}: {problem}")
    house.settle()
    return told


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8123)
    port = parser.parse_args().port
    with tempfile.TemporaryDirectory(prefix="hub-live-") as folder:
        clock = Real(datetime.now(UTC) - timedelta(days=12))
        house = ready_house(Path(folder), f"http://127.0.0.1:{port}", clock)
        for line in seed(house):
            print(line)
        clock.live = True
        print(f"http://127.0.0.1:{port}  logins: {', '.join(PEOPLE)}; password: {PASSWORD}", flush=True)
        try:
            run_simple("127.0.0.1", port, house.app, threaded=True, use_reloader=False)
        finally:
            house.close()


if __name__ == "__main__":
    main()

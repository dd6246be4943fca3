"""«Что если»: a draft over all past leads before it comes into force (R0, R9, R10)."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from hub.calendar import russian_days
from hub.domain.clockwork import Clockwork, instant, micros
from hub.domain.process import Process
from hub.domain.process_check import read_process
from tests.web.admin_pages import Browser, words
from tests.web.house import PROCESS, House

TEXT = PROCESS.read_text(encoding="utf-8")


def scored(house: House, phone: str, total: int, *, won: str = "", after: float = 0) -> UUID:
    """A lead that was taken after so many minutes, with a sheet of this total; won for an amount where one is given."""
    lead = house.receive(phone=phone)
    at = house.clock.advance(minutes=after)
    parameters = list(house.hub.process.parameters)
    marks = {p: (1 if total > 0 else -1) * (n < abs(total)) for n, p in enumerate(parameters)}
    steps = [("take", {}), ("capture_contact", {"phone": phone, "timezone": "Asia/Omsk"}),
             ("finish_screening", {"criteria_checked": True}), ("score", {"marks": marks})]
    if won:
        steps.append(("win", {"contract_number": "1", "amount": won, "signed_on": at.date()}))
    for command, arguments in steps:
        house.hub.do(lead, command, arguments, actor=house.actor("manager"), at=at)
    house.settle()
    return lead


@pytest.fixture
def head(house: House) -> Browser:
    return Browser(house, "head")


def test_r10_a_bound_moves_leads_and_says_what_was_won(house: House, head: Browser) -> None:
    """A won B of 3 would have been refused, an A of 11 would be a B; one of −2 stays where it is."""
    won, vip, _same = (scored(house, f"+7912345670{n}", total, won=won) for n, (total, won) in
                       enumerate([(-8, "500000"), (11, ""), (2, "")]))
    page = words(head.get("/what-if"))
    assert "Сменили бы сегмент 0 из 3" in page
    head.done("/what-if", **{"from-A": "12", "from-B": "-5"})
    page = words(head.get("/what-if"))
    assert "Выиграны, а получили бы отказ: 1 (сегмент B стал бы C)" in page
    assert "Сменили бы сегмент 2 из 3" in page
    assert "500 000 ₽" in page
    assert "ваш черновик на всех прошлых заявках" in page
    assert "Опубликовать этот черновик" in page
    cell = head.get("/what-if/leads?was=B&now=C&ended=won")
    assert f"/leads/{won}" in cell
    assert f"/leads/{vip}" not in cell
    table = list(csv.reader(io.StringIO(head.get("/what-if/leads.csv").lstrip("\ufeff")), delimiter=";"))
    assert {(row[2], row[3], row[4], row[6]) for row in table[1:]} == {("B", "-8", "C", "выиграны"), ("A", "11", "B", "в работе")}
    assert house.hub.process.version == 1


def test_r9_a_parameter_that_no_longer_counts_leaves_every_sum(house: House, head: Browser) -> None:
    scored(house, "+79123456711", 10)
    first = next(iter(house.hub.process.parameters))
    head.done("/what-if", **{"has-counts": "1", "counts": [p for p in house.hub.process.parameters if p != first]})
    assert "Сменили бы сегмент 1 из 1" in words(head.get("/what-if"))
    assert "+9" in words(head.get("/what-if/leads?was=A&now=B"))


def test_r2_another_length_of_a_deadline_is_counted_on_what_happened(house: House, head: Browser) -> None:
    """Taken after 12 minutes: in time with 15, late with 10; after 20: late with 15, in time with 25."""
    scored(house, "+79123456721", 2, after=12)
    late = house.receive(phone="+79123456722")
    house.hub.do(late, "take", {}, actor=house.actor("manager"), at=house.clock.advance(minutes=20))
    head.done("/what-if", **{"length-take": "10", "unit-take": "minutes"})
    row = words(head.get("/what-if"))
    assert "Взять в работу 2 0 1 1" in row
    assert f"/leads/{late}" not in head.get("/what-if/deadlines/take?late=1")
    head.done("/what-if", **{"length-take": "25", "unit-take": "minutes"})
    assert "Взять в работу 2 1 0 0" in words(head.get("/what-if"))
    assert f"/leads/{late}" in head.get("/what-if/deadlines/take?late=0")


def test_r7_another_calendar_counts_every_deadline_of_working_time_anew(house: House, head: Browser) -> None:
    """The day of the leads becomes a day off: what was late is in time."""
    late = house.receive()
    house.hub.do(late, "take", {}, actor=house.actor("manager"), at=house.clock.advance(minutes=20))
    c = house.hub.process.file.calendar
    hours = {"opens": c.opens, "closes": c.closes, "weekdays": [str(n) for n in c.weekdays]}
    head.done("/what-if", **hours, days_off=house.hub.process.date_of(house.clock()).isoformat())
    page = words(head.get("/what-if"))
    assert "Взять в работу 1 1 0 0" in page
    assert "Решение после презентации" not in page[:page.index("Изменить черновик")]


def test_an_empty_hub_a_faulty_draft_and_a_wrong_bound_say_what_to_do(house: House, head: Browser) -> None:
    assert "Здесь появятся все заявки с заполненным листом оценки" in words(head.get("/what-if"))
    answer = head.post("/what-if", **{"from-A": "16"})
    assert answer.status_code == 422
    assert "от −15 до 15" in words(answer.get_data(as_text=True))
    assert head.post("/what-if", **{"from-A": "3", "from-B": "5"}).status_code == 422
    head.done("/settings/process/text", text="name = ")
    assert "Черновик с ошибками примерить нельзя" in words(head.get("/what-if"))
    assert head.status("/what-if/leads?was=A&now=B") == 404


def test_an_auditor_looks_at_published_versions_and_changes_nothing(house: House, head: Browser) -> None:
    auditor = Browser(house, "auditor")
    assert "Изменить черновик" not in auditor.get("/what-if?version=1")
    assert auditor.post("/what-if", **{"from-A": "12"}).status_code == 403
    assert Browser(house, "manager").status("/what-if") == 403


def test_deadlines_laid_out_at_once_are_those_of_the_process() -> None:
    """R7: the same instants to the microsecond, with lunch, holidays, nights, and beginnings outside the lists."""
    text = TEXT.replace("lunch = []  ", 'lunch = ["13:00", "14:00"]  ')
    process = Process(read_process(text), 1, *russian_days(range(2024, 2029)))
    clockwork = Clockwork(process, date(2025, 1, 1), date(2026, 12, 1))
    random = Random(7)
    begin = datetime(2024, 12, 25, tzinfo=UTC)
    starts = [begin + timedelta(seconds=random.randrange(700 * 86_400), microseconds=random.randrange(10**6)) for _ in range(300)]
    starts += [datetime(2026, 11, 23, hour, tzinfo=UTC) for hour in (6, 10, 11, 15, 21)]
    for kind in process.deadlines:
        of = clockwork.of(kind)
        assert [instant(of(micros(start))) for start in starts] == [process.due(kind, start) for start in starts], kind

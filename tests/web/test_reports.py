"""The head's view: every number opens exactly the leads that it counts; who sees what; decisions in place; files."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from hub.projections.reports_over import Over
from hub.web.reports.figures import steps
from hub.web.reports.filter import midnight
from hub.web.reports.tables import Cell, Column, csv_of
from tests.house import MONDAY
from tests.projections.history import history
from tests.web.conftest import csrf_of, sign_in
from tests.web.house import House, told_house

PARTS = ("speed", "deadlines", "funnel", "losses", "money", "sources", "talks")


@pytest.fixture
def told(tmp_path: Path) -> Iterator[House]:
    """The department of the projections' history, a month after its first lead."""
    house = told_house(tmp_path, history(), MONDAY + timedelta(days=31), "vera", "anna", "audra")
    yield house
    house.close()


@pytest.fixture
def head(told: House) -> FlaskClient:
    client = told.app.test_client()
    sign_in(client, "vera")
    return client


def page(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def links(text: str) -> set[tuple[str, str]]:
    """Addresses of leads behind numbers, with the number that is shown."""
    found = re.findall(r'href="(/reports/leads\?[^"]+)"[^>]*>([^<]+)<', text)
    return {(html.unescape(url), shown) for url, shown in found}


def behind(client: FlaskClient, url: str) -> tuple[int, int]:
    """How many leads a list has, and how often they count."""
    text = re.sub(r"\s+", " ", page(client, url)).replace("\xa0", " ")
    leads = re.search(r'class="what"><b>(\d+) заяв', text)
    assert leads, text[:2000]
    times = re.search(r"всего раз: (\d+)", text)
    return int(leads[1]), int(times[1]) if times else int(leads[1])


def test_every_number_of_every_part_opens_exactly_what_it_counts(head: FlaskClient) -> None:
    """The numbers are links; behind each is a list that counts the same. Shares open what they are the share of."""
    figures = set()
    for part in PARTS:
        for url, shown in links(page(head, f"/reports/{part}?channel=website")) | links(page(head, f"/reports/{part}")):
            figures.add(dict(parse_qsl(urlsplit(url).query))["figure"])
            if shown.isdigit():
                assert behind(head, url)[1] == int(shown), url
    assert figures >= {"taken", "in_time", "not_in_time", "untaken", "kept", "missed", "reached", "dropped", "stayed", "scored",
                       "were", "chances_won", "lost", "refused", "won", "requests", "qualified", "sold", "talks"}


def test_the_funnel_adds_up_and_counts_nobody_twice(told: House, head: FlaskClient) -> None:
    """Each lead is once in the base; who reached a step either went on, or is named with what became of them."""
    process = told.hub.process
    day = process.date_of(told.clock())
    over = Over(since=midnight(day - timedelta(days=60), process), until=midnight(day + timedelta(days=1), process))
    found = told.hub.views.reports.funnel(over, steps(process))
    with told.store.views.reading() as c:
        base = c.execute("SELECT COUNT(*) AS n FROM leads WHERE test = 0 AND merged_into IS NULL").fetchone()["n"]
    assert found[0].reached == base
    for step, following in zip(found, [*found[1:], None], strict=True):
        assert step.reached == (following.reached if following else 0) + sum(step.dropped.values()) + (
            step.reached if following is None else 0)
        assert step.were <= step.reached
    assert found[-1].id == "won"
    assert found[-1].reached == 1
    assert sum(step.dropped["lost"] for step in found) == 1  # it was lost twice, came back once, and is one lead


def test_time_narrows_and_what_makes_no_sense_is_said(head: FlaskClient) -> None:
    whole = page(head, "/reports/sources")
    assert "yandex" in whole
    assert "yandex" not in page(head, "/reports/sources?from=2026-11-16&to=2026-11-20")
    turned = page(head, "/reports/speed?from=2026-12-01&to=2026-11-01")
    assert "Начало позже конца" in turned
    assert "Показаны последние 90 дней" in turned
    assert "не больше чем за 366" in page(head, "/reports/speed?from=2020-01-01&to=2026-11-01")
    page(head, "/reports/speed?from=yesterday&owner=nobody&segment=Z&channel=fax")
    page(head, "/reports/leads?figure=nothing", 404)
    page(head, "/reports/leads?figure=dropped&step=nowhere", 404)
    page(head, "/reports/leads?figure=missed&kind=%00&page=9999999&s_channel=%00")
    page(head, "/reports/speed/nothing.csv", 404)


def test_a_manager_sees_their_own_figures_whatever_the_address_says(told: House) -> None:
    client = told.app.test_client()
    sign_in(client, "anna")
    boris = f"user:{UUID(int=1)}"
    for part in ("", *(f"/{part}" for part in PARTS)):
        text = page(client, f"/reports{part}?owner={boris}")
        assert "ваши показатели" in text
        assert 'name="owner"' not in text
        assert "Boris" not in text
    mine = behind(client, "/reports/leads?figure=talks&owner=none")
    assert mine == behind(client, "/reports/leads?figure=talks")
    assert mine[0] > 0


def test_a_table_is_a_file_that_runs_no_formula(told: House, head: FlaskClient) -> None:
    answer = head.get("/reports/sources/sources.csv")
    assert answer.mimetype == "text/csv"
    assert "sources-" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig")), delimiter=";"))
    assert rows[0][:3] == ["Канал", "Источник", "utm_source"]
    assert next(r for r in rows if "yandex" in r)[:9] == ["Сайт", "Сайт", "yandex", "cpc", "", "1", "0", "0", "0"]
    with told.app.test_request_context("/"):
        values = ("=HYPERLINK(1)", "@x", "\tx", "чисто", 5, Decimal("7.5"))
        evil = csv_of([Column("=1+1")], [[Cell("", value)] for value in values])
    assert evil.decode("utf-8-sig").splitlines() == ["'=1+1", "'=HYPERLINK(1)", "'@x", "'\tx", "чисто", "5", "7,5"]
    leads = head.get("/reports/leads.csv?" + urlencode({"figure": "reached", "step": "won"}))
    assert len(leads.get_data().decode("utf-8-sig").splitlines()) == 2


# ── today ────────────────────────────────────────────────────────────────────────


def today(house: House, login: str = "head") -> tuple[FlaskClient, str]:
    client = house.app.test_client()
    sign_in(client, login)
    return client, page(client, "/reports")


def section(text: str, id: str) -> str:
    found = re.search(rf'<section[^>]* id="{id}".*?</section>', text, re.S)
    assert found, id
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]))).replace("\xa0", " ")


def test_what_is_late_says_whose_and_why(house: House) -> None:
    house.receive("Никем не взятый", "+79120000001")
    slow = house.receive("Медленный", "+79120000002")
    house.hub.do(slow, "take", {}, actor=house.actor("manager"), at=house.clock())
    house.clock.advance(hours=2)
    client, text = today(house)
    late = section(text, "late")
    assert "Никем не взятый" in late
    assert "никто не взял" in late
    assert "Взять в работу 1 ч 45 мин" in late
    assert "Мария Котова" in late
    assert "<html" not in page(client, "/reports/part")
    assert "Никем не взятый" in section(page(client, "/reports/part"), "late")
    load = section(text, "load")
    assert re.search(r"Мария Котова .*? 1 1 ", load)
    assert behind(client, "/reports/leads?figure=late")[0] == 2
    rows = client.get("/reports/load.csv").get_data().decode("utf-8-sig").splitlines()
    assert next(row for row in rows if row.startswith("Мария Котова")) == "Мария Котова;на смене;1;1;0;0;1;1"
    assert behind(client, f"/reports/leads?figure=late&owner=user:{house.users['manager']}")[0] == 1


def test_an_untaken_lead_is_given_to_somebody_from_the_page(house: House) -> None:
    lead = house.receive("Никем не взятый", "+79120000001")
    house.clock.advance(hours=1)
    client, text = today(house)
    assert "Никто не взял: кому отдать" in section(text, "decide")
    sent = {"command": "reassign", "lead": lead.hex, "key": f"reassign:{lead.hex}", "owner": f"user:{house.users['second']}",
            "why": "", "csrf_token": csrf_of(client, "/reports")}
    refused = client.post("/reports/decide", data=sent)
    assert refused.status_code == 422
    back = refused.get_data(as_text=True)
    assert re.search(r'<details class="in-place" open>', back)
    assert re.search(rf'value="user:{house.users["second"]}" selected', back)  # what was chosen stays
    assert client.post("/reports/decide", data={**sent, "why": "Мария занята"}).status_code == 303
    assert house.hub.lead(lead).owner == f"user:{house.users['second']}"
    assert "Никем не взятый" not in section(page(client, "/reports"), "decide")


def test_the_head_gives_an_opinion_where_it_is_asked_R24(house: House) -> None:
    lead = house.receive("Фактор", "+79120000001")
    def do(command: str, **arguments: object) -> None:
        house.hub.do(lead, command, arguments, actor=house.actor("manager"), at=house.clock())
    do("take")
    do("finish_screening", criteria_checked=True)
    do("score", marks={p: int(n < 3) for n, p in enumerate(house.hub.process.parameters)})
    kind = next(k.id for k in house.hub.process.requests.values() if k.head_opinion)
    do("open_request", kind=kind, text="Прототип за неделю")
    client, text = today(house)
    assert "Прототип за неделю" in section(text, "decide")
    auditor, seen = today(house, "auditor")
    assert 'action="/reports/decide"' not in seen
    assert "Прототип за неделю" in section(seen, "decide")
    sent = {"command": "give_opinion", "lead": lead.hex, "key": "x", "request": "1", "in_favour": "yes", "resources": "Аналитик"}
    assert auditor.post("/reports/decide", data={**sent, "csrf_token": csrf_of(auditor, "/reports")}).status_code == 403
    assert client.post("/reports/decide", data={**sent, "csrf_token": csrf_of(client, "/reports")}).status_code == 303
    assert house.hub.lead(lead).requests[1].opinion is True
    token = csrf_of(client, "/reports")
    for wrong in ({"command": "erase"}, {"lead": "x"}):
        assert client.post("/reports/decide", data={**sent, **wrong, "csrf_token": token}).status_code == 404


def test_returns_to_come_and_chances_after_a_win_R29_R30(told: House, head: FlaskClient) -> None:
    text = page(head, "/reports")
    assert "Кросс-продажа" in section(text, "chances")
    assert "Допродажа" not in section(text, "chances")  # it was sold
    returns = re.search(r'href="(/reports/leads\?figure=returns[^"]+|/reports/leads\?[^"]*figure=returns[^"]*)"', text)
    assert returns is None or behind(head, html.unescape(returns[1]))[0] > 0
    coming = told.hub.views.reports.returns(told.clock(), told.clock() + timedelta(days=60), "", 10)
    assert [row["asleep_until"] for row in coming]
    assert all(row["was"] == "" for row in coming)

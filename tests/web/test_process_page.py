"""The page of the process: everything in it comes from the file in force, and every version stays readable (R0)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from hub.application import THE_HUB
from hub.web.process.asked import Asked
from hub.web.process.leads import KINDS
from hub.web.process.map import HIT, draw
from hub.web.process.numbers import count
from tests.web.api_house import person
from tests.web.conftest import sign_in
from tests.web.house import MONDAY, PROCESS, House, days
from tests.web.test_board import do, page


def plain(html: str) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


@pytest.fixture
def auditor(client: FlaskClient) -> FlaskClient:
    sign_in(client, "auditor")
    return client


def test_all_parts_of_the_file_are_on_the_page_R0(house: House, auditor: FlaskClient) -> None:
    html, file = page(auditor, "/process"), house.hub.process.file
    titled = [*file.stages, *file.deadlines, *file.hard_criteria, *house.hub.process.parameters.values(), *file.segments,
              *file.checklists, *[i for c in file.checklists for i in c.items], *file.requests, *file.stalls,
              *[p for s in file.stalls for p in s.play], *file.loss_reasons, *file.closeness, *file.endings, *file.roles]
    assert [part.title for part in titled if part.title not in html] == []
    for parameter in house.hub.process.parameters.values():
        assert parameter.minus in html
        assert parameter.zero in html
        assert parameter.plus in html


def test_guards_and_deadlines_are_said_in_words_with_their_rules(auditor: FlaskClient) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page(auditor, "/process")))
    assert "если сформулирована измеримая польза клиента R17 , названа дата готовности КП" in text
    assert "Связаться после КП до конца 2-го рабочего дня рабочее время R22" in text
    assert "Решение после презентации 72 часа обычные часы" in text.replace("\xa0", " ")


def test_the_calendar_names_coming_days_off_and_worked_saturdays_R7(auditor: FlaskClient) -> None:
    text = page(auditor, "/process").replace("\xa0", " ")
    assert "31 декабря" in text
    assert "20 февраля 2027" in text  # a worked Saturday


MOVES = {("new", "contact"): 2, ("contact", "screening"): 2, ("screening", "contact"): 1}
"""Of :func:`deals`, drawn as lines."""


@pytest.fixture
def deals(house: House) -> dict[str, UUID]:
    """Three leads: one goes to the next stage and back, one is taken and lost, one lies untaken until its time has passed."""
    clock, hub = house.clock, house.hub
    names = {name: house.receive(name, f"+7912000000{n}") for n, name in enumerate(("Клиника", "Завод", "Школа"))}
    clock.advance(minutes=5)
    for name in ("Клиника", "Завод"):
        do(house, names[name], "manager", "take")
    clock.advance(minutes=20)
    stage, to = hub.lead(names["Клиника"]).stage, "contact"
    assert stage == "screening"
    do(house, names["Клиника"], "manager", "move", to=to)
    clock.advance(hours=1)
    do(house, names["Завод"], "manager", "lose", reason=next(iter(hub.process.loss_reasons)), closeness="never_close")
    for lead in names.values():
        hub.pass_time(lead, at=clock())
    house.settle()
    return names


def figures(html: str) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """Of the drawn map: leads by stage, and moves."""
    boxes = re.findall(r'<a href="[^"]*what=open&amp;stage=(\w+)[^"]*" class="box.*?class="big-n"[^>]*>(\d+) <', html, re.S)
    moves = re.findall(r'<a href="[^"]*what=left&amp;stage=(\w+)&amp;into=(\w+)[^"]*" aria-label[^>]*><title>.*?<text[^>]*>'
                       r'(\d+)<', html)
    return {stage: int(n) for stage, n in boxes}, {(stage, to): int(n) for stage, to, n in moves}


def test_map_tables_files_and_api_say_the_same(house: House, auditor: FlaskClient, deals: dict[str, UUID]) -> None:
    now, moves = figures(page(auditor, "/process"))
    assert {stage: n for stage, n in now.items() if n} == {"new": 1, "contact": 1}
    assert moves == MOVES
    text = plain(page(auditor, "/process"))
    assert "Новый 1 3 2" in text  # now, came, left
    assert "5 мин 5 мин 50% пропущено 2" in text
    assert "Новый Контакт 2 100%" in text
    assert "Первичный отсев Проигран 1 50%" in text
    assert "Сайт 3 100%" in text
    assert "Проигран 1 100% 0" in text
    stages = auditor.get("/process/stages.csv").get_data(as_text=True)
    assert "Новый;1;3;2;0,08;0,08;50,0;2;2\r\n" in stages
    assert auditor.get("/process/stages.csv").headers["Content-Type"] == "text/csv; charset=utf-8"
    found = auditor.get("/process/moves.csv").get_data(as_text=True)
    assert found.startswith("\ufeffОткуда;Куда;Заявок;Доля, %\r\nНовый;Контакт;2;100,0\r\n")
    assert "Сайт;новые заявки;3;100,0" in found
    api: Any = person(house, "auditor").get("/reports/process").json
    assert {s["stage"]: s["open"] for s in api["stages"]} == now
    new = next(s for s in api["stages"] if s["stage"] == "new")
    assert (new["came"], new["left"], new["median_seconds"], new["met"], new["missed"]) == (3, 2, 300, 2, 2)
    assert {(m["source"], m["to"]): m["count"] for m in api["moves"]} == {**moves, ("screening", "lost"): 1}
    assert [(d["channel"], d["count"]) for d in api["doors"]] == [("website", 3)]


def test_every_number_opens_exactly_its_leads(house: House, auditor: FlaskClient, deals: dict[str, UUID]) -> None:
    html = page(auditor, "/process")
    links = {unescape(url): int(n) for url, n in re.findall(r'<td class="r[^>]*><a href="(/process/leads[^"]+)">(\d+)</a>', html)}
    assert len(links) > 8
    for url, n in links.items():
        rows = re.findall(r"<tr data-row>", page(auditor, url))
        assert len(rows) == n, url
    lost = plain(page(auditor, "/process/leads?what=left&stage=screening&into=lost"))
    assert "Проигран на стадии «Первичный отсев»" in lost
    assert "Завод" in lost
    assert "Клиника" not in lost
    late = plain(page(auditor, "/process/leads?what=missed&stage=new"))
    assert "Школа" in late
    assert "Взять в работу" in late
    api = person(house, "auditor")
    missed: Any = api.get("/reports/process/behind?what=missed&stage=new").json
    assert {(t["lead"], t["deadline"]) for t in missed["items"]} == {(str(deals["Школа"]), key) for key in ("take", "contact")}
    first: Any = api.get("/reports/process/behind?what=left&stage=new&limit=1").json
    assert (first["total"], first["leads"], len(first["items"])) == (2, 2, 1)
    second: Any = api.get(f"/reports/process/behind?what=left&stage=new&limit=1&cursor={first['next']}").json
    assert second["next"] is None
    assert {first["items"][0]["lead"], second["items"][0]["lead"]} == {str(deals["Клиника"]), str(deals["Завод"])}


def test_leads_behind_a_number_come_page_by_page(auditor: FlaskClient, deals: dict[str, UUID],
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.web.process.leads.SHOWN", 1)
    url, seen = "/process/leads?what=came&into=new", []
    while url:
        html = page(auditor, url)
        seen += re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)', html)
        assert "3 прохождения" in plain(html)
        more = re.search(r'href="(/process/leads[^"]*after=[^"]*)"', html)
        url = unescape(more[1]) if more else ""
    assert sorted(seen) == ["Завод", "Клиника", "Школа"]


def test_the_filter_lives_in_the_address_and_narrows_every_number(house: House, auditor: FlaskClient,
                                                                  deals: dict[str, UUID]) -> None:
    nobody = page(auditor, "/process?owner=none")
    assert figures(nobody) == ({**dict.fromkeys(house.hub.process.stages, 0), "new": 1}, {})
    hers = f"user:{house.users['manager']}"
    mine = page(auditor, f"/process?owner={hers}&channel=website&segment=none&source=main")
    assert figures(mine)[1] == MOVES
    assert "Ответственный: Мария Котова" in plain(mine)
    assert all(f"owner=user%3A{house.users['manager']}" in url for url in re.findall(r'href="(/process/leads[^"]+)"', mine))
    assert figures(page(auditor, "/process?channel=phone"))[1] == {}
    assert figures(page(auditor, "/process?from=2026-11-01&to=2026-11-22"))[1] == {}
    assert figures(page(auditor, "/process?owner=user:nobody&segment=Z&channel=smoke"))[1] != {}


def test_a_manager_may_narrow_the_map_to_herself_only(house: House, client: FlaskClient, deals: dict[str, UUID]) -> None:
    sign_in(client, "second")
    assert figures(page(client, f"/process?owner=user:{house.users['manager']}"))[1] == figures(page(client, "/process"))[1]
    assert figures(page(client, f"/process?owner=user:{house.users['second']}"))[1] == {}
    other: Any = person(house, "second").get(f"/reports/process?owner=user:{house.users['manager']}")
    assert (other.status_code, other.json["code"]) == (403, "own_figures_only")


def test_the_map_of_a_past_moment_counts_what_had_happened_by_then(house: House, auditor: FlaskClient,
                                                                   deals: dict[str, UUID]) -> None:
    now, moves = figures(page(auditor, "/process?at=2026-11-23T11:30"))
    assert {stage: n for stage, n in now.items() if n} == {"new": 1, "screening": 2}
    assert moves == {("new", "contact"): 2, ("contact", "screening"): 2}
    assert figures(page(auditor, "/process?at=2026-11-20")) == (dict.fromkeys(now, 0), {})
    behind = page(auditor, "/process/leads?what=open&stage=screening&at=2026-11-23T11:30")
    assert len(re.findall(r"<tr data-row>", behind)) == 2
    assert "Были в стадии «Первичный отсев»" in behind
    assert "at=2026-11-23T08" in behind  # the cards open at that moment
    then: Any = person(house, "auditor").get("/reports/process?at=2026-11-23T08:30:00Z").json
    assert {(m["source"], m["to"]): m["count"] for m in then["moves"]} == moves


@pytest.mark.parametrize(("query", "sentence"), [
    ("from=2026-11-20&to=2026-11-10", "Первый день позже последнего"), ("from=вчера", "«вчера» — не день"),
    ("to=2026-13-40", "не день"), ("at=2031-01-01", "ещё не наступил")])
def test_a_time_that_makes_no_sense_is_answered_with_a_sentence(auditor: FlaskClient, query: str, sentence: str) -> None:
    answer = auditor.get(f"/process?{query}")
    assert answer.status_code == 422
    assert sentence in plain(answer.get_data(as_text=True))


@pytest.mark.parametrize("query", ["", "what=all", "what=left&stage=" + "x" * 100])
def test_a_number_that_the_map_does_not_have_is_refused(auditor: FlaskClient, query: str) -> None:
    answer = auditor.get(f"/process/leads?{query}")
    assert answer.status_code == 422
    assert "Такого числа на карте нет" in answer.get_data(as_text=True)


def test_every_transition_of_the_file_is_a_line_and_arcs_do_not_share_a_place(house: House, deals: dict[str, UUID]) -> None:
    process = house.hub.process
    with house.app.test_request_context("/process"):
        numbers = count(Asked(process, MONDAY.date() - timedelta(days=30), MONDAY.date()))
    drawn = draw(process, replace(numbers, returns={"follow_up": 2, "scoring": 1}))
    assert {(e.source, e.to) for e in drawn.edges} - set(process.transitions) == {("ended", "follow_up"), ("ended", "scoring")}
    assert set(process.transitions) <= {(e.source, e.to) for e in drawn.edges}
    order = [*process.stages, "ended"]
    for e in drawn.edges:
        step = order.index(e.to) - order.index(e.source)
        assert e.kind == ("return" if e.source == "ended" else "next" if step == 1 else "jump" if step > 1 else "back")
    starts = [re.match(r"M[\d.]+ [\d.]+", e.path)[0] for e in drawn.edges if e.kind != "next"]  # type: ignore[index]
    assert len(set(starts)) == len(starts)
    spots = [(e.x, e.y) for e in drawn.edges if e.kind != "next"]
    assert all(abs(a[0] - b[0]) >= HIT or abs(a[1] - b[1]) >= HIT for n, a in enumerate(spots) for b in spots[:n])
    bounds = [drawn.width, drawn.height]
    for e in drawn.edges:
        assert all(0 <= float(n) <= max(bounds) for n in re.findall(r"\d+\.?\d*", e.path))


def test_what_the_map_asks_is_found_by_an_index(house: House, auditor: FlaskClient, deals: dict[str, UUID]) -> None:
    asked: list[str] = []
    with house.store.views.reading() as c:
        connection = c.connection  # type: ignore[attr-defined]
        connection.set_trace_callback(asked.append)
    try:
        for url in ("/process", "/process?owner=none&source=main", "/process?at=2026-11-23T11:30",
                    *(f"/process/leads?what={what}&stage=new" for what in KINDS)):
            page(auditor, url)
    finally:
        connection.set_trace_callback(None)
    ours = {sql for sql in asked if sql.startswith("SELECT") and re.search("stage_|lead_moments", sql)}
    assert len(ours) > 20
    with house.store.views.reading() as c:
        for sql in ours:
            plan = [row["detail"] for row in c.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]
            assert [step for step in plan if re.match("SCAN (stage_(?!sources)|lead_moments)", step)] == [], (sql, plan)


def test_a_new_version_is_listed_and_compared_with_the_one_before_R0(house: House, auditor: FlaskClient) -> None:
    text = PROCESS.read_text(encoding="utf-8").replace("minutes = 15\n", "minutes = 20\n", 1)
    assert house.hub.publish_process(text, *days(), actor=THE_HUB, at=house.clock.advance(days=1))  # type: ignore[arg-type]
    sign_in(auditor, "auditor")
    html = page(auditor, "/process")
    assert "редакция 2" in html
    assert 'href="/process/diff?old=1&amp;new=2"' in html
    changes = page(auditor, "/process/diff?old=1&new=2")
    assert re.search(r"<del>.*?minutes = 15", changes)
    assert re.search(r"<ins>.*?minutes = 20", changes)
    assert changes.count("<del>") == changes.count("<ins>") == 1
    assert "Это прежняя редакция" in page(auditor, "/process?version=1")


@pytest.mark.parametrize("path", ["/process?version=7", "/process?version=x", "/process/diff?old=1&new=9", "/process/diff?old=a"])
def test_a_version_that_never_was_is_not_found(auditor: FlaskClient, path: str) -> None:
    assert auditor.get(path).status_code == 404

"""The page of the process: everything in it comes from the file in force, and every version stays readable (R0)."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from hub.application import THE_HUB
from hub.web.process.map import draw
from tests.web.conftest import sign_in
from tests.web.house import PROCESS, House, days
from tests.web.test_board import do, page


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


def test_map_and_table_show_the_same_numbers(house: House, auditor: FlaskClient) -> None:
    lead = house.receive("Клиника")
    house.receive("Вторая", "+79120000002")
    do(house, lead, "manager", "take")
    html = page(auditor, "/process")
    boxes = dict(re.findall(r'<a href="/leads\?stage=(\w+)"><rect.*?class="big-n"[^>]*>(\d+)<', html, re.S))
    assert boxes["new"] == "1"
    row = re.search(r'<a href="/leads\?stage=new">Новый</a>.*?</tr>', html, re.S)
    assert row
    assert re.search(r'data-th="Сейчас">1<', row[0])
    stage = house.hub.lead(lead).stage
    assert boxes[stage] == "1"


def test_every_transition_of_the_file_is_a_line_and_arcs_do_not_share_a_place(house: House) -> None:
    process = house.hub.process
    drawn = draw(process, {}, {}, {})
    assert {(e.source, e.to) for e in drawn.edges} == set(process.transitions)
    order = list(process.stages)
    for e in drawn.edges:
        step = order.index(e.to) - order.index(e.source)
        assert e.kind == ("next" if step == 1 else "skip" if step > 1 else "back")
    starts = [re.match(r"M[\d.]+ [\d.]+", e.path)[0] for e in drawn.edges if e.kind != "next"]  # type: ignore[index]
    assert len(set(starts)) == len(starts)


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

"""The pages of long work: who sees a job, how far it is, that no worker is there, cancelling, and its files."""

from __future__ import annotations

from threading import Event as Flag
from uuid import UUID

import pytest

from hub.jobs import JobRunner, Kind, Work
from tests.web.admin_pages import Browser
from tests.web.house import House


def run(work: Work) -> None:
    """Makes a file and says what is going on."""
    work.progress(2, 8)
    work.add_file("итог.csv", "text/csv; charset=utf-8", b"a;b")


@pytest.fixture
def job(house: House) -> UUID:
    house.hub.jobs.register(Kind("count", ("Счёт овец", "Counting sheep"), run, ("work",), resumable=True))
    return house.hub.jobs.start("count", {}, actor=house.actor("manager"), at=house.clock(), name="Отара <3")


def work(house: House) -> None:
    assert JobRunner(house.hub.jobs, house.clock).turn(Flag())


def test_the_page_tells_that_no_worker_is_there_and_then_what_came_of_it(house: House, job: UUID) -> None:
    mine = Browser(house, "manager")
    page = mine.get(f"/jobs/{job}")
    for words in ("Счёт овец", "Отара &lt;3", "Ждёт очереди", "Обработчик не запущен", "Страницу можно закрыть"):
        assert words in page
    work(house)
    state = mine.get(f"/jobs/{job}/state")
    assert "<html" not in state
    for words in ("Готово", "2 из 8", 'data-job-state="ended"'):
        assert words in state
    answer = mine.client.get(f"/jobs/{job}/file?name=итог.csv")
    assert (answer.status_code, answer.data, answer.headers["Cache-Control"]) == (200, b"a;b", "no-store")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert mine.client.get(f"/jobs/{job}/file?name=other").status_code == 404


def test_only_its_owner_and_administrators_see_a_job(house: House, job: UUID) -> None:
    work(house)
    others, admin = Browser(house, "head"), Browser(house, "administrator")
    for path in ("", "/state", "/file?name=итог.csv"):
        assert others.client.get(f"/jobs/{job}{path}").status_code == 404
    assert others.post(f"/jobs/{job}/cancel").status_code == 404
    assert "Счёт овец" not in others.get("/jobs")
    page = admin.get("/jobs")
    assert "Счёт овец" in page
    assert "Мария Котова" in page
    assert "Готово" in admin.get(f"/jobs/{job}")


def test_files_are_for_those_who_may_start_such_work_still(house: House, job: UUID) -> None:
    work(house)
    assert Browser(house, "administrator").client.get(f"/jobs/{job}/file?name=итог.csv").status_code == 403


def test_stopped_and_gone_on_with(house: House, job: UUID) -> None:
    mine = Browser(house, "manager")
    mine.post(f"/jobs/{job}/cancel")
    assert "Остановлено" in mine.get(f"/jobs/{job}")
    assert mine.post(f"/jobs/{job}/cancel").status_code == 422
    mine.post(f"/jobs/{job}/resume")
    assert "Ждёт очереди" in mine.get(f"/jobs/{job}")


def test_without_long_works_the_page_says_what_will_be_there(house: House) -> None:
    assert "Здесь появятся загрузки" in Browser(house, "manager").get("/jobs")

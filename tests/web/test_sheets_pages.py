"""The pages of imports and exports, as a person walks them, and who may."""

from __future__ import annotations

import io
import re
from threading import Event as Flag

import pytest

from hub.domain.delivery import Address
from hub.jobs import JobRunner
from tests.web.admin_pages import Browser, error_at, words
from tests.web.house import House

TABLE = ("ФИО;Телефон;Запрос\r\nПётр Лебедев;8 911 111-22-33;Нужен <b>сайт</b>\r\nАнна;+7 912 345-67-89;Каталог\r\n"
         "Никто;не телефон;\r\n").encode("cp1251")


@pytest.fixture
def head(house: House) -> Browser:
    return Browser(house, "head")


def work(house: House) -> None:
    assert JobRunner(house.hub.jobs, house.clock).turn(Flag())
    house.settle()


def upload(browser: Browser, data: bytes = TABLE, name: str = "база.csv") -> str:
    answer = browser.client.post("/import", data={"file": (io.BytesIO(data), name), "csrf_token": browser.token})
    assert answer.status_code == 303, words(answer.get_data(as_text=True))
    return str(answer.headers["Location"])


def test_the_walk_of_an_import_to_its_undoing(house: House, head: Browser) -> None:
    card = house.receive()
    place = upload(head)
    page = head.get(place)
    shown = words(page)
    for said in ("прочитано как cp1251 ;", "Пётр Лебедев", "+7 911 111-22-33", "новая заявка", "добавим в карточку", "№ 1",
                 "пропустим телефон не разобрать: не телефон", "Загрузить 3 строки"):
        assert said in shown, said
    assert "<b>сайт</b>" not in page
    told = {"column": ["name", "phone", "text"], "title": "Выставка, осень", "channel": "phone", "known": "add"}
    assert "пропустим" in words(head.post(place, **{**told, "known": "skip"}).get_data(as_text=True))
    work_page = head.done(place, **told, do="import")
    assert head.status(place) == 303
    work(house)
    done = words(head.get(work_page))
    for said in ("Готово", "Новых заявок 1", "Добавлено в карточки 1", "Пропущено 1", "телефон не разобрать: …",
                 "пропущенные-строки.csv"):
        assert said in done, said
    listed = head.get("/leads")
    assert "Пётр Лебедев" in listed
    assert len(house.hub.lead(card).messages) == 2
    job = work_page.rpartition("/")[2]
    assert "Загрузка завела 1 заявку" in words(head.get(f"/import/{job}/undo"))
    undo_page = head.done(f"/import/{job}/undo")
    work(house)
    done = words(head.get(undo_page))
    for said in ("Заявок закрыто 1", "Осталось 1", "№ 1 строка добавлена в карточку"):
        assert said in done, said
    assert "отменена" in words(head.get("/import"))
    assert head.post(f"/import/{job}/undo").status_code == 422


def test_the_next_file_of_the_same_shape_is_known(head: Browser) -> None:
    told = {"column": ["company", "phone", "skip"], "title": "Один", "channel": "website", "known": "add", "do": "import"}
    head.done(upload(head), **told)
    page = head.get(upload(head, TABLE + "Ещё;8 911 000-00-00;\r\n".encode("cp1251")))
    assert re.findall(r'<option value="(\w+)" selected>', page)[:3] == ["company", "phone", "skip"]


def test_faults_are_said_in_their_place_and_nothing_is_lost(head: Browser) -> None:
    answer = head.client.post("/import", data={"file": (io.BytesIO(b"a;b\n"), "x.csv"), "csrf_token": head.token})
    assert answer.status_code == 422
    assert "нет строк с данными" in error_at(answer.get_data(as_text=True), "file")
    assert head.post("/import").status_code == 422
    place = upload(head)
    answer = head.post(place, column=["text", "skip", "skip"], title="a", do="import")
    assert answer.status_code == 422
    assert "без этого заявка ни с кем не связана" in words(answer.get_data(as_text=True))
    answer = head.post(place, column=["name", "phone", "skip"], title="8 912 345-67-89", do="import")
    assert "похоже на телефон" in error_at(answer.get_data(as_text=True), "title")
    assert "Столбцы" in head.get(place)
    assert head.done(f"{place}/drop") == "/import"


def test_a_draft_is_its_owners_alone_and_importing_is_for_those_who_decide(house: House, head: Browser) -> None:
    place = upload(head)
    admin = Browser(house, "administrator")
    assert admin.status(place) == 404
    assert admin.status("/import") == 200
    for login in ("manager", "trainee", "auditor", "account"):
        assert Browser(house, login).status("/import") == 403
        assert Browser(house, login).post("/import").status_code == 403


def test_the_walk_of_an_export(house: House, head: Browser) -> None:
    house.receive("Иван", company="Меридиан")
    house.receive("Анна", "+79160001122", addresses=(Address("phone", "+79160001122", ""),), company="Ромашка")
    manager = Browser(house, "manager")
    page = manager.get("/exports/leads?q=ромашка")
    assert "1 заявка" in words(page)
    place = manager.done("/exports/leads", q="ромашка", column=["company", "phones"], format="csv")
    work(house)
    (file,) = re.findall(r'href="(/jobs/[^"]*/file[^"]*)"', manager.get(place))
    answer = manager.client.get(file)
    assert answer.get_data().decode("utf-8-sig").split("\r\n")[:2] == ["Компания;Телефоны", "Ромашка;+79160001122"]
    answer = manager.post("/exports/leads", q="ромашка", format="csv")
    assert "Выберите хотя бы один столбец" in answer.get_data(as_text=True)
    answer = manager.post("/exports/leads", q="нет", column="name", format="csv")
    assert "не подходит ни одна заявка" in answer.get_data(as_text=True)

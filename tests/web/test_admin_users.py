"""The pages of people: accounts are the administrator's, shifts and absences also the head's (R34)."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tests.web.admin_pages import Browser, error_at, words
from tests.web.house import House

PASSWORD = re.compile(r'<pre id="one-time-password"[^>]*>([^<]+)</pre>')


@pytest.fixture
def admin(house: House) -> Browser:
    return Browser(house, "administrator")


@pytest.fixture
def head(house: House) -> Browser:
    return Browser(house, "head")


def page_of(house: House, login: str) -> str:
    return f"/settings/users/{house.users[login]}"


def add_anna(admin: Browser) -> tuple[str, str]:
    """A new colleague by the page; her one-time password and the address of her page."""
    answer = admin.post("/settings/users/new", login="anna.k", name="Анна Крылова", roles=["manager"])
    page = answer.get_data(as_text=True)
    found = PASSWORD.search(page)
    link = re.search(r"/settings/users/[0-9a-f-]{36}", page)
    assert answer.status_code == 200
    assert found
    assert link
    return found[1], link[0]


def test_a_new_colleague_gets_a_one_time_password_that_is_shown_once(house: House, admin: Browser) -> None:
    password, link = add_anna(admin)

    for path in (link, "/settings/users", "/settings"):
        assert password not in admin.get(path)
    assert "Анна Крылова" in admin.get("/settings/users")


def test_the_page_with_the_password_is_kept_by_no_cache(admin: Browser) -> None:
    answer = admin.post("/settings/users/new", login="anna.k", name="Анна", roles=["manager"])

    assert answer.headers["Cache-Control"] == "no-store"


def test_with_the_one_time_password_one_can_only_set_an_own_one(house: House, admin: Browser) -> None:
    password, _link = add_anna(admin)
    anna = house.app.test_client()
    token = re.search(r'name="csrf-token" content="([^"]+)"', anna.get("/sign-in").get_data(as_text=True))
    assert token

    signed = anna.post("/sign-in", data={"login": "anna.k", "password": password, "csrf_token": token[1]})

    assert signed.status_code == 303
    assert anna.get("/settings").headers["Location"] == "/password"


def test_a_new_password_ends_the_sessions_and_the_old_password(house: House, admin: Browser) -> None:
    manager = Browser(house, "manager")

    page = admin.post(f"{page_of(house, 'manager')}/password").get_data(as_text=True)

    assert PASSWORD.search(page)
    assert manager.status("/partners") == 302
    assert not house.access.verify(house.users["manager"], "password-123")


@pytest.mark.parametrize(("typed", "field"), [({"login": "manager"}, "login"), ({"login": "Ы"}, "login"), ({"name": " "}, "name"),
                                              ({"roles": []}, "roles")])
def test_a_refused_colleague_is_told_at_the_field_and_keeps_what_was_typed(admin: Browser, typed: dict[str, object],
                                                                           field: str) -> None:
    given = {"login": "anna.k", "name": "Анна Крылова", "roles": ["manager"], **typed}

    answer = admin.post("/settings/users/new", **given)

    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert error_at(page, field)
    assert f'value="{given["login"]}"' in page


def test_name_and_roles_are_changed(house: House, admin: Browser) -> None:
    admin.done(page_of(house, "trainee"), name="Степан Опытный", roles=["manager", "trainee"])

    shown = words(admin.get("/settings/users"))
    assert "Степан Опытный" in shown
    assert "Менеджер продаж, Стажёр" in shown


def test_the_last_administrator_cannot_be_disabled_nor_lose_the_role(house: House, admin: Browser) -> None:
    mine = page_of(house, "administrator")

    disabled = admin.post(f"{mine}/disable")
    changed = admin.post(mine, name="Алла Админова", roles=["manager"])

    assert (disabled.status_code, changed.status_code) == (422, 422)
    assert "Это последний администратор" in words(disabled.get_data(as_text=True))
    assert "Это последний администратор" in error_at(changed.get_data(as_text=True), "roles")
    assert admin.status("/settings/users/new") == 200


def test_a_disabled_colleague_is_out_at_once_and_comes_back_when_enabled(house: House, admin: Browser) -> None:
    manager = Browser(house, "manager")

    admin.done(f"{page_of(house, 'manager')}/disable")
    assert manager.status("/partners") == 302
    assert "отключён" in words(admin.get("/settings/users"))

    admin.done(f"{page_of(house, 'manager')}/enable")
    assert Browser(house, "manager").status("/partners") == 200


def test_the_head_sets_shifts_and_absences_but_no_accounts(house: House, head: Browser) -> None:
    """R34: who is at work is the head's matter; who may sign in is the administrator's."""
    mine = page_of(house, "manager")
    assert "Отключить" not in words(head.get(mine))

    head.done(f"{mine}/absences", since="2026-11-23", until="2026-11-27", why="отпуск")
    assert "отсутствует по 27 ноября" in words(head.get("/settings/users"))

    for path in (mine, f"{mine}/disable", f"{mine}/enable", f"{mine}/password", "/settings/users/new"):
        assert head.post(path, name="Чужое имя", roles=["administrator"]).status_code == 403, path
    house.settle()
    assert house.hub.users()[house.users["manager"]].name == "Мария Котова"


def test_an_absent_colleague_gets_no_new_leads(house: House, head: Browser) -> None:
    """R34."""
    head.done(f"{page_of(house, 'manager')}/absences", since="2026-11-23", until="2026-11-23", why="")
    house.settle()

    assert house.hub.staff(house.clock()).of("manager") == (f"user:{house.users['second']}",)


def test_an_absence_is_withdrawn(house: House, head: Browser) -> None:
    """R34."""
    mine = page_of(house, "manager")
    head.done(f"{mine}/absences", since="2026-11-23", until="2026-11-27", why="отпуск")

    head.done(f"{mine}/absences/withdraw", since="2026-11-23")

    house.settle()
    assert house.hub.users()[house.users["manager"]].absent_on(date(2026, 11, 23)) is None


@pytest.mark.parametrize(("since", "until", "field"), [("2026-11-27", "2026-11-23", "until"), ("завтра", "2026-11-23", "since"),
                                                       ("2026-11-23", "", "until")])
def test_a_wrong_absence_is_told_at_its_field(house: House, head: Browser, since: str, until: str, field: str) -> None:
    answer = head.post(f"{page_of(house, 'manager')}/absences", since=since, until=until, why="отпуск")

    assert answer.status_code == 422
    assert error_at(answer.get_data(as_text=True), field)
    assert 'value="отпуск"' in answer.get_data(as_text=True)


def test_own_shifts_are_set_and_taken_back(house: House, head: Browser) -> None:
    """R34: a day without hours is free; the company's hours are no shifts at all."""
    mine = page_of(house, "manager")

    head.done(f"{mine}/shifts", way="own", from1="10:00", to1="14:00", from3="15:00", to3="18:00")
    house.settle()
    assert house.hub.users()[house.users["manager"]].shifts == {1: "10:00-14:00", 3: "15:00-18:00"}
    assert 'value="15:00"' in head.get(mine)

    head.done(f"{mine}/shifts", way="company", from1="10:00", to1="14:00")
    house.settle()
    assert house.hub.users()[house.users["manager"]].shifts == {}


@pytest.mark.parametrize("hours", [{"from1": "14:00", "to1": "10:00"}, {"from1": "10:00"}, {}])
def test_wrong_shifts_are_refused_and_kept_on_the_page(house: House, head: Browser, hours: dict[str, str]) -> None:
    """R34."""
    answer = head.post(f"{page_of(house, 'manager')}/shifts", way="own", **hours)

    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert 'class="error"' in page
    assert all(f'value="{value}"' in page for value in hours.values())


@pytest.mark.parametrize("login", ["manager", "trainee", "account", "auditor"])
def test_other_roles_see_no_people_pages(house: House, login: str) -> None:
    browser = Browser(house, login)

    assert browser.status("/settings/users") == 403
    assert browser.post(f"{page_of(house, login)}/absences", since="2026-11-23", until="2026-11-24").status_code == 403


def test_a_name_with_markup_is_shown_as_text(house: House, admin: Browser) -> None:
    admin.done(page_of(house, "trainee"), name="<script>alert(1)</script>", roles=["trainee"])

    for path in (page_of(house, "trainee"), "/settings/users"):
        page = admin.get(path)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_nobody_is_found_at_an_unknown_address(admin: Browser) -> None:
    unknown = "/settings/users/00000000-0000-4000-8000-000000000000"

    assert admin.status(unknown) == 404
    assert [admin.post(f"{unknown}/{act}").status_code for act in ("disable", "enable", "password")] == [404, 404, 404]

"""Signing in and out, throttling, how long sessions live, passwords, one's own account."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub.domain.errors import Refused
from hub.domain.staff import PasswordChanged, User, user_stream
from hub.web.access import safe_next
from hub.web.sessions import LOGIN_LIMIT, change_password
from tests.web.conftest import csrf_of, sign_in
from tests.web.house import PASSWORD, House, open_house, ready_house

NEW = "три сорок один кот"


def try_sign_in(client: FlaskClient, login: str = "manager", password: str = "не тот пароль", **more: str) -> TestResponse:
    return client.post("/sign-in", data={"login": login, "password": password, "csrf_token": csrf_of(client), **more})


def signed_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def cookie(client: FlaskClient, name: str = "hub_session") -> str:
    found = client.get_cookie(name)
    return found.value if found else ""


# ── signing in and out ──


def test_a_stranger_is_sent_to_the_sign_in_page_and_back(client: FlaskClient) -> None:
    asked = client.get("/account?x=1")
    assert asked.status_code == 302
    assert asked.headers["Location"] == "/sign-in?next=/account?x%3D1"
    page = client.get(asked.headers["Location"])
    assert 'value="/account?x=1"' in page.text
    answer = try_sign_in(client, password=PASSWORD, next="/account?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account?x=1")
    assert signed_in(client)


@pytest.mark.parametrize("wanted", [
    "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "/a\\b", "javascript:alert(1)", "evil",
    "/\t/evil.example", "/x\nSet-Cookie: a=b", "", None, "/sign-in", "/sign-out?x"])
def test_signing_in_never_leads_away_from_the_hub(wanted: str | None) -> None:
    assert safe_next(wanted) == "/"


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(client: FlaskClient) -> None:
    answer = try_sign_in(client, password=PASSWORD)
    (header,) = [h for h in answer.headers.getlist("Set-Cookie") if h.startswith("hub_session=")]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(header.split("; "))
    assert "Secure" not in header


def test_over_https_cookies_never_travel_in_the_open(tmp_path_factory: pytest.TempPathFactory) -> None:
    house = ready_house(tmp_path_factory.mktemp("https"), "https://hub.example")
    try:
        client = house.app.test_client()
        answer = client.get("/sign-in", base_url="https://hub.example")
        token = re.search(r'name="csrf-token" content="([^"]+)"', answer.text)
        assert token
        signed = client.post("/sign-in", base_url="https://hub.example",
                             data={"login": "manager", "password": PASSWORD, "csrf_token": token[1]})
        cookies = [*answer.headers.getlist("Set-Cookie"), *signed.headers.getlist("Set-Cookie")]
        assert any(c.startswith("__Host-hub_session=") for c in cookies)
        assert all(c.startswith("__Host-") and "; Secure" in c and "; HttpOnly" in c for c in cookies)
        assert answer.headers["Strict-Transport-Security"]
    finally:
        house.close()


def test_the_cookie_is_nowhere_in_the_database(client: FlaskClient, house: House) -> None:
    sign_in(client, "manager")
    with house.store.reading() as c:
        kept = [str(tuple(row)) for row in c.execute("SELECT * FROM sessions")]
    assert len(kept) == 1
    assert cookie(client)
    assert cookie(client) not in kept[0]


def test_a_new_sign_in_has_a_new_session_and_ends_the_old_one(client: FlaskClient, house: House) -> None:
    sign_in(client, "manager")
    first = cookie(client)
    client.delete_cookie("hub_session")
    token = csrf_of(client)
    client.set_cookie("hub_session", first)
    other = house.app.test_client()
    other.set_cookie("hub_session", first)
    assert signed_in(other)
    client.set_cookie("hub_session", "planted by somebody")
    client.post("/sign-in", data={"login": "manager", "password": PASSWORD, "csrf_token": token})
    assert cookie(client) not in ("planted by somebody", first, "")


def test_signing_out_ends_the_session_on_the_server(client: FlaskClient, app: Flask) -> None:
    token = sign_in(client, "manager")
    stolen = cookie(client)
    assert client.post("/sign-out", data={"csrf_token": token}).status_code == 303
    assert not cookie(client)
    thief = app.test_client()
    thief.set_cookie("hub_session", stolen)
    assert not signed_in(thief)


def test_unknown_logins_wrong_passwords_and_disabled_people_get_one_answer(client: FlaskClient, house: House) -> None:
    house.hub.change(User, house.users["second"], lambda u: u.disable(), actor=house.actor("administrator"), at=house.clock())
    texts = set()
    tries = (("manager", "не тот пароль"), ("nobody", PASSWORD), ("second", PASSWORD), ("", ""), ("x" * 9000, "\0"))
    for login, password in tries:
        answer = try_sign_in(client, login, password)
        assert answer.status_code == 422
        found = re.search(r'role="alert".*?<div>(.*?)</div>', answer.text, re.S)
        assert found
        texts.add(found[1])
    assert texts == {"Логин или пароль не подошли. Проверьте их; забытый пароль меняет администратор."}


def test_an_unknown_login_costs_a_password_check_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    monkeypatch.setattr(PasswordHasher, "verify", lambda self, hash, password: checked.append(password) or True)
    with pytest.raises(Refused):
        house.access.check("nobody", "пароль", "203.0.113.1", house.clock())
    assert checked == ["пароль"]


def test_a_login_is_the_same_in_any_case_and_with_blanks(client: FlaskClient) -> None:
    assert try_sign_in(client, " Manager ", PASSWORD).status_code == 303


# ── throttling ──


def test_after_many_failures_a_login_waits_and_is_told_how_long(client: FlaskClient, house: House, app: Flask) -> None:
    for n in range(LOGIN_LIMIT):
        house.clock.advance(minutes=1)
        assert try_sign_in(client).status_code == 422, n
    refused = try_sign_in(client, password=PASSWORD)
    assert refused.status_code == 429
    assert "через 6 мин" in refused.text
    assert refused.headers["Retry-After"] == "360"
    assert not signed_in(client)
    assert try_sign_in(app.test_client(), "head", PASSWORD).status_code == 303
    house.clock.advance(minutes=6)
    assert try_sign_in(client, password=PASSWORD).status_code == 303


def test_a_login_that_nobody_has_waits_just_the_same(client: FlaskClient) -> None:
    codes = [try_sign_in(client, "nobody").status_code for _ in range(LOGIN_LIMIT + 1)]
    assert codes == [422] * LOGIN_LIMIT + [429]


def test_one_address_cannot_try_many_logins(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PasswordHasher, "verify", lambda self, hash, password: password == PASSWORD)
    said = []
    for n in range(52):
        with pytest.raises(Refused) as refused:
            house.access.check(f"login{n}", "guess", "203.0.113.1", house.clock())
        said.append(refused.value.code)
    assert said == ["sign_in_wrong"] * 50 + ["sign_in_wait"] * 2
    assert house.access.check("manager", PASSWORD, "203.0.113.2", house.clock()) == house.users["manager"]


def test_a_good_sign_in_forgets_the_failures_of_its_login(house: House) -> None:
    for _ in range(3):
        for _ in range(LOGIN_LIMIT - 1):
            with pytest.raises(Refused, match="wrong"):
                house.access.check("manager", "guess", "203.0.113.1", house.clock())
        house.access.check("manager", PASSWORD, "203.0.113.1", house.clock())


# ── how long a session lives ──


def test_a_session_ends_after_twelve_idle_hours(client: FlaskClient, house: House) -> None:
    sign_in(client, "manager")
    house.clock.advance(hours=11, minutes=59)
    assert signed_in(client)
    house.clock.advance(hours=11, minutes=59)
    assert signed_in(client)
    house.clock.advance(hours=12)
    assert not signed_in(client)


def test_a_session_ends_after_seven_days_even_in_use(client: FlaskClient, house: House) -> None:
    sign_in(client, "manager")
    for _ in range(14 * 2 - 1):
        house.clock.advance(hours=6)
        assert signed_in(client)
    house.clock.advance(hours=6)
    assert not signed_in(client)


def test_the_last_request_is_written_at_most_each_minute(client: FlaskClient, house: House) -> None:
    sign_in(client, "manager")
    at = house.clock()
    house.clock.advance(seconds=59)
    client.get("/account")
    assert house.access.sessions(house.users["manager"], house.clock())[0].last_seen == at
    house.clock.advance(seconds=1)
    client.get("/account")
    assert house.access.sessions(house.users["manager"], house.clock())[0].last_seen == at + timedelta(minutes=1)


def test_a_disabled_persons_sessions_die_at_once(client: FlaskClient, house: House) -> None:
    sign_in(client, "manager")
    house.hub.change(User, house.users["manager"], lambda u: u.disable(), actor=house.actor("administrator"), at=house.clock())
    assert not signed_in(client)


def test_new_roles_count_from_the_next_request(client: FlaskClient, house: House) -> None:
    sign_in(client, "manager")
    assert "/quarantine" in client.get("/account").text
    house.hub.change(User, house.users["manager"], lambda u: u.change_roles(("auditor",), house.hub.process),
                     actor=house.actor("administrator"), at=house.clock())
    assert "/quarantine" not in client.get("/account").text


# ── one's own account ──


def test_a_person_sees_their_sessions_and_ends_one(client: FlaskClient, app: Flask, house: House) -> None:
    other = app.test_client()
    sign_in(other, "manager")
    token = sign_in(client, "manager")
    page = client.get("/account", headers={"User-Agent": "x"}).text
    assert page.count("Завершить") == 1
    assert "этот браузер" in page
    key = re.search(r"/account/sessions/(\w+)/close", page)
    assert key
    client.post(f"/account/sessions/{key[1]}/close", data={"csrf_token": token})
    assert not signed_in(other)
    assert signed_in(client)


def test_nobody_ends_a_session_of_somebody_else(client: FlaskClient, app: Flask, house: House) -> None:
    other = app.test_client()
    sign_in(other, "head")
    token = sign_in(client, "manager")
    (session,) = house.access.sessions(house.users["head"], house.clock())
    client.post(f"/account/sessions/{session.key}/close", data={"csrf_token": token})
    assert signed_in(other)


def test_sign_out_everywhere(client: FlaskClient, app: Flask) -> None:
    other = app.test_client()
    sign_in(other, "manager")
    token = sign_in(client, "manager")
    client.post("/account/sign-out-everywhere", data={"csrf_token": token})
    assert not signed_in(other)
    assert not signed_in(client)


# ── passwords ──


def change(client: FlaskClient, token: str, current: str = PASSWORD, new: str = NEW, again: str | None = None) -> TestResponse:
    typed = {"current": current, "password": new, "again": new if again is None else again}
    return client.post("/password", data={**typed, "csrf_token": token})


def test_a_changed_password_is_a_fact_and_ends_all_other_sessions(client: FlaskClient, app: Flask, house: House) -> None:
    other = app.test_client()
    sign_in(other, "manager")
    token = sign_in(client, "manager")
    before = cookie(client)
    assert change(client, token).status_code == 303
    assert signed_in(client)
    assert cookie(client) != before
    assert not signed_in(other)
    assert try_sign_in(other, password=PASSWORD).status_code == 422
    assert try_sign_in(other, password=NEW).status_code == 303
    fact = house.store.read(house.users["manager"])[-1]
    assert isinstance(fact, PasswordChanged)
    assert (fact.actor, fact.temporary) == (f"user:{house.users['manager']}", False)
    assert NEW not in repr(fact)


@pytest.mark.parametrize(("new", "says"), [
    ("короткий", "короче 10"), ("qwerty12345", "подберут первым"), ("ЙЦУКЕНГШЩЗ", "подберут первым"),
    ("aaaaaaaaaaaa", "подберут первым"), ("manager-2026", "похож на логин"), (PASSWORD, "прежний"), ("я" * 1001, "длиннее 1000"),
])
def test_a_weak_password_is_refused_with_a_reason(client: FlaskClient, house: House, new: str, says: str) -> None:
    token = sign_in(client, "manager")
    answer = change(client, token, new=new)
    assert answer.status_code == 422
    assert says in answer.text
    assert not [e for e in house.store.read(house.users["manager"]) if isinstance(e, PasswordChanged)]


@pytest.mark.parametrize("new", ["correcthorse", "длинный пароль из слов", "7f3kq9zt2m"])
def test_there_are_no_rules_of_composition(client: FlaskClient, new: str) -> None:
    assert change(client, sign_in(client, "manager"), new=new).status_code == 303


def test_the_present_password_is_asked_for_and_guessing_it_is_throttled(client: FlaskClient) -> None:
    token = sign_in(client, "manager")
    assert "не подошёл" in change(client, token, current="guess").text
    assert "Пароли не совпали" in change(client, token, again="другой").text
    codes = [change(client, token, current="guess").status_code for _ in range(LOGIN_LIMIT)]
    assert set(codes) == {422}
    assert "Слишком много неудачных попыток" in change(client, token).text


def test_a_temporary_password_must_be_changed_before_anything_else(client: FlaskClient, house: House) -> None:
    password = house.access.make_one_time_password()
    change_password(house.hub, house.access, house.users["manager"], password, temporary=True,
                    actor=house.actor("administrator"), at=house.clock())
    assert try_sign_in(client, password=password).status_code == 303
    for path in ("/account", "/", "/leads"):
        assert client.get(path).headers["Location"] == "/password"
    assert client.get("/account", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/password"
    page = client.get("/password")
    assert "временным паролем" in page.text
    assert 'class="rail"' not in page.text
    answer = change(client, csrf_of(client, "/password"), current=password)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert signed_in(client)


def test_only_an_administrator_sets_the_password_of_others(house: House) -> None:
    with pytest.raises(Refused) as refused:
        change_password(house.hub, house.access, house.users["head"], NEW, temporary=True, actor=house.actor("manager"),
                        at=house.clock())
    assert refused.value.code == "not_your_role"
    assert house.access.verify(house.users["head"], PASSWORD)


def test_passwords_are_hashed_with_argon2id_as_its_library_advises(tmp_path: Path) -> None:
    house = open_house(tmp_path)
    try:
        house.access.set_password(user_stream("anna"), NEW, temporary=False, at=house.clock())
        with house.store.reading() as c:
            kept = c.execute("SELECT hash FROM credentials").fetchone()["hash"]
        assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        assert house.access.verify(user_stream("anna"), NEW)
        assert not house.access.verify(user_stream("anna"), NEW + " ")
    finally:
        house.close()


def test_one_time_passwords_differ_and_are_strong_enough(house: House) -> None:
    made = {house.access.make_one_time_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        house.access.check_strength(user_stream("manager"), password)


def test_a_hash_of_older_parameters_is_renewed_at_sign_in(house: House) -> None:
    user = house.users["manager"]
    old = PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD)
    with house.store.writing() as c:
        c.execute("UPDATE credentials SET hash = ? WHERE user = ?", (old, user.hex))
    house.access.check("manager", PASSWORD, "203.0.113.1", house.clock())
    with house.store.reading() as c:
        kept = c.execute("SELECT hash FROM credentials WHERE user = ?", (user.hex,)).fetchone()["hash"]
    assert kept != old
    assert house.access.verify(user, PASSWORD)

"""What every page has in common: CSRF, headers, static files, errors, and the frame around it."""

from __future__ import annotations

import re

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub.store import Unavailable
from hub.web import create_app
from hub.web.frame import templates_folder
from hub.web.guard import CSP, OPEN
from tests.web.conftest import csrf_of, sign_in
from tests.web.house import PASSWORD, House

# ── CSRF ──


def routes(app: Flask, method: str) -> list[str]:
    """Paths of our own pages that take ``method``, with something in their places."""
    found = []
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or ()) and rule.endpoint not in OPEN and rule.endpoint.split(".")[0] not in OPEN:
            found.append(re.sub(r"<(?:(\w+)(?:\((\w+)[^)]*\))?:)?\w+>", something, str(rule)))
    return found


def something(place: re.Match[str]) -> str:
    """A value for a place in a path: the first of a list, an id, a number or a word."""
    return place[2] or {"uuid": "00000000-0000-4000-8000-000000000000", "int": "1"}.get(place[1] or "", "x")


def test_no_page_changes_anything_without_its_token(client: FlaskClient, app: Flask) -> None:
    token = sign_in(client, "head")
    other = app.test_client()
    foreign = sign_in(other, "head")
    paths = routes(app, "POST")
    assert len(paths) > 5
    for path in paths:
        for wrong in ("", "wrong", foreign):
            assert client.post(path, data={"csrf_token": wrong}).status_code == 400, path
        assert client.post(path, headers={"X-CSRF-Token": "ё".encode().decode("latin-1")}).status_code == 400, path
    assert "Страница устарела" in client.post(paths[0]).text
    refused = client.post("/account/language", data={"csrf_token": token}, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403


def test_the_token_may_come_as_a_header(client: FlaskClient) -> None:
    token = sign_in(client, "manager")
    assert client.post("/sign-out", headers={"X-CSRF-Token": token}).status_code == 303


def test_the_sign_in_page_has_a_token_of_its_own(client: FlaskClient, app: Flask) -> None:
    foreign = csrf_of(app.test_client())
    data = {"login": "manager", "password": PASSWORD}
    assert client.post("/sign-in", data={**data, "csrf_token": foreign}).status_code == 400
    csrf_of(client)
    assert client.post("/sign-in", data={**data, "csrf_token": foreign}).status_code == 400


def test_every_page_of_ours_is_closed_to_strangers(client: FlaskClient, app: Flask) -> None:
    for path in routes(app, "GET"):
        if path != "/sign-in":
            answer = client.get(path)
            assert answer.status_code == 302, path
            assert answer.headers["Location"].startswith("/sign-in"), path


# ── headers, static files, errors ──


def test_every_answer_is_strict_and_no_page_is_cached(client: FlaskClient) -> None:
    sign_in(client, "manager")
    for path in ("/account", "/nope", "/healthz", "/sign-in", "/static/app.css"):
        headers = static(client, path).headers
        assert headers["Content-Security-Policy"] == CSP
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        if not path.startswith("/static"):
            assert headers["Cache-Control"] == "no-store"
    assert "unsafe" not in CSP
    assert CSP.startswith("default-src 'none'")


def static(client: FlaskClient, path: str, **headers: str) -> TestResponse:
    """The answer, with its file closed."""
    answer = client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer.close()
    return answer


def test_static_files_are_kept_for_ever_only_under_their_content(client: FlaskClient) -> None:
    address = re.search(r'href="(/static/app\.css\?v=\w+)"', client.get("/sign-in").text)
    assert address
    assert "immutable" in static(client, address[1]).headers["Cache-Control"]
    assert static(client, "/static/app.css?v=old").headers["Cache-Control"] == "public, no-cache"
    script = static(client, "/static/hub-form.js")
    assert script.headers["Cache-Control"] == "public, no-cache"
    assert static(client, "/static/hub-form.js", If_None_Match=script.headers["ETag"]).status_code == 304
    assert static(client, "/static/nope.css").status_code == 404


@pytest.mark.parametrize(("path", "method", "status"), [("/nope", "GET", 404), ("/sign-out", "GET", 405),
                                                        ("/static/../x", "GET", 404)])
def test_an_error_is_a_page_with_a_sentence_and_a_way_out(client: FlaskClient, path: str, method: str, status: int) -> None:
    for login in ("", "manager"):
        if login:
            sign_in(client, login)
        answer = client.open(path, method=method)
        assert answer.status_code == status
        assert "доск" in answer.text
        assert "<h1>" in answer.text


def test_too_large_a_request_is_413(client: FlaskClient) -> None:
    token = sign_in(client, "manager")
    answer = client.post("/account/language", data={"language": "x" * 13_000_000, "csrf_token": token})
    assert answer.status_code == 413
    assert "Слишком большой" in answer.text


def test_htmx_gets_an_error_as_a_fragment(client: FlaskClient) -> None:
    sign_in(client, "manager")
    answer = client.get("/nope", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert "<html" not in answer.text
    assert 'role="alert"' in answer.text


def test_a_fault_of_ours_is_logged_under_the_reference_that_is_shown(house: House, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(house.app.extensions["hub"])

    @app.get("/boom")
    def boom() -> str:
        raise RuntimeError("+79123456789") from ValueError("Иван")

    answer = app.test_client().get("/boom")
    assert answer.status_code == 500
    assert "+79123456789" not in answer.text
    reference = re.search(r"номер (\w{8})", answer.text)
    assert reference
    assert reference[1] in caplog.text
    assert f"{__file__}\", line " in caplog.text
    assert "RuntimeError" in caplog.text
    assert "ValueError" in caplog.text


def test_the_log_tells_nothing_of_what_a_person_or_a_stranger_wrote(house: House, caplog: pytest.LogCaptureFixture,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages of errors quote what was given: a log is kept longer and read by more people than a card."""
    app = create_app(house.app.extensions["hub"])

    @app.get("/boom/<name>")
    def boom(name: str) -> str:
        return str(int(request.args["q"]))

    def busy(*_: object) -> None:
        raise Unavailable("database is locked")

    client = app.test_client()
    assert client.get("/boom/%0aFORGED?q=Иван+79123456789").status_code == 500
    monkeypatch.setattr(app.extensions["access"], "touch", busy)
    client.set_cookie("hub_session", "x")
    assert client.get("/+79123456789").status_code == 503
    assert "Иван" not in caplog.text
    assert "79123456789" not in caplog.text
    assert "\nFORGED" not in caplog.text
    assert "database is locked" in caplog.text


def test_a_busy_store_is_503_and_worth_trying_again(house: House) -> None:
    app = create_app(house.app.extensions["hub"])

    @app.get("/busy")
    def busy() -> str:
        raise Unavailable("locked")

    answer = app.test_client().get("/busy")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Ничего не потеряно" in answer.text


def test_the_sentence_about_the_store_needs_no_store(client: FlaskClient, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(client, "manager")

    def gone() -> None:
        raise Unavailable("the file was deleted")

    def status(*_: object) -> None:
        monkeypatch.setattr(house.store, "reading", gone)
        gone()

    monkeypatch.setattr(house.access, "sessions", status)
    answer = client.get("/account")
    assert answer.status_code == 503
    assert "Ничего не потеряно" in answer.text


def test_the_page_is_not_lost_when_the_store_cannot_note_the_visit(client: FlaskClient, house: House,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(client, "manager")
    house.clock.advance(minutes=5)

    def busy() -> None:
        raise Unavailable("locked")

    monkeypatch.setattr(house.store, "writing", busy)
    assert client.get("/account").status_code == 200


def test_health_says_whether_the_database_is_there(client: FlaskClient, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/healthz").status_code == 200
    monkeypatch.setattr(house.store, "healthy", lambda: False)
    assert client.get("/healthz").status_code == 503


# ── the frame ──


def test_the_frame_shows_what_the_person_may_see(client: FlaskClient, app: Flask, house: House) -> None:
    house.make_form()
    app.test_client().post("/f/main", data={"name": "Бот", "hub_topic": "x"})
    for login, sees, not_sees in (("manager", ["/quarantine", "/leads/new", 'href="/settings"'], []),
                                  ("auditor", ["/partners", 'href="/settings"'], ["/quarantine", "/leads/new"]),
                                  ("administrator", ["/quarantine", 'href="/settings"'], ["/leads/new"])):
        browser = app.test_client()
        sign_in(browser, login)
        page = browser.get("/account").text
        rail = page[page.index('class="rail"'):]
        assert all(text in rail for text in sees), login
        assert not any(text in rail for text in not_sees), login
        assert ('<span class="vh">, новых: </span>1</span>' in rail) == ("/quarantine" in sees)


def test_the_bell_counts_what_was_not_seen(client: FlaskClient, house: House) -> None:
    house.receive()
    sign_in(client, "manager")
    assert "Уведомления, новых: 1" in client.get("/account").text
    house.access.see_notices(house.users["manager"], house.store.head())
    house.access.see_notices(house.users["manager"], 1)
    assert "Уведомления, новых: 0" in client.get("/account").text


def test_templates_are_found_beside_the_package_or_in_it() -> None:
    assert (templates_folder() / "layout.html").is_file()

"""Every address of the application, as each role may and may not use it: no rule is passed by another door."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub.domain.lead import COMMANDS
from hub.web import guard
from hub.web.sessions import change_password
from tests.web.conftest import csrf_of, sign_in
from tests.web.house import House

OWN = {"access.sign_in", "access.sign_out", "access.password", "access.sign_out_everywhere", "access.close_session",
       "access.choose_language", "own_notices.save", "own_notices.code", "own_notices.unlink", "own_notices.test",
       "lead.what_if", "audit.verify", "board.saved.save", "board.saved.remove", "board.saved.begin", "board.saved.look",
       "trail.export", "log.export"}
"""What everybody may do about themselves; a process file may be tried on a lead, and the log be checked by who may see that:
neither records anything. The log is what auditors are there to take away; that is recorded first (tests/exports)."""
HEADERS = ("Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cache-Control")


@pytest.fixture
def things(house: House) -> dict[str, str]:
    """Something that is there for every place in an address."""
    house.make_form()
    lead, other = house.receive(), house.receive("Ольга", "+79990001122")
    house.receive("Спам", "+79990001133")
    waiting = house.app.test_client().post("/f/main", data={"name": "Бот", "phone": "89990001144", "hub_topic": "x"})
    assert waiting.status_code == 303
    house.settle()
    (row,) = house.hub.views.receipts.quarantine()
    partner = house.hub.write_partner(None, actor=house.actor("head"), at=house.clock(), name="Бюро",
                                      prices=tuple(house.hub.process.price_segments)[:1])
    webhook, _ = house.hub.add_webhook("CRM", "https://hooks.example.com", actor=house.actor("administrator"), at=house.clock())
    return {"webhook": str(webhook), "token": str(uuid4()), "person": str(uuid4()), "erasure": str(uuid4()), "position": "1",
            "name": "leads", "lead": str(lead), "kind": "telegram", "tail": "x", "account": "phone/main",
            "other": str(other), "receipt": str(UUID(row["id"])), "user": str(house.users["second"]),
            "partner": str(partner), "form": "main", "number": "1", "digest": "a" * 64, "filename": "app.js", "key": "0" * 64,
            "part": "head", "size": "1", "suffix": "txt", "meeting": "1", "what": "lose",
            "tab": "note", "id": str(uuid4()), "job": str(uuid4()), "table": "people"}


def addresses(app: Flask, things: dict[str, str], method: str) -> Iterator[tuple[str, str]]:
    """(endpoint, address) of everything that takes ``method``; each command of a lead is an address."""
    for rule in app.url_map.iter_rules():
        if method not in (rule.methods or ()):
            continue
        for command in sorted(COMMANDS) if "command" in rule.arguments else [""]:
            known = {**things, "command": command}
            one_of = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", rule.rule)  # the first of those that are known
            plain = re.sub(r"<(?:[^:>]*:)?(\w+)>", r"{\1}", one_of)
            yield rule.endpoint, plain.format(**known)


def is_open(endpoint: str) -> bool:
    return endpoint in guard.OPEN or endpoint.partition(".")[0] in guard.OPEN


def test_a_stranger_is_sent_to_the_sign_in_page_from_everywhere(client: FlaskClient, app: Flask, things: dict[str, str]) -> None:
    for endpoint, url in addresses(app, things, "GET"):
        if not is_open(endpoint) and endpoint != "access.sign_in":
            answer = client.get(url)
            assert answer.status_code == 302, url
            assert answer.headers["Location"].startswith("/sign-in"), url


@pytest.mark.parametrize("token", ["", "0" * 64])
def test_nothing_is_done_without_the_token_of_this_session(client: FlaskClient, app: Flask, house: House, things: dict[str, str],
                                                           token: str) -> None:
    before = client.get("/sign-in") and csrf_of(client)
    sign_in(client, "administrator")
    head = house.store.head()
    for endpoint, url in addresses(app, things, "POST"):
        for sent in (token, before):
            if not is_open(endpoint):
                assert client.post(url, data={"csrf_token": sent}).status_code == 400, url
    assert house.store.head() == head


def test_every_answer_has_the_headers_that_keep_a_browser_strict(client: FlaskClient, app: Flask, things: dict[str, str]) -> None:
    sign_in(client, "head")
    urls = {url for method in ("GET", "POST") for _, url in addresses(app, things, method)}
    for url in sorted(urls - {"/account/sign-out-everywhere", "/sign-out", "/readyz"} | {"/no-such-page", "/static/none.css"}):
        for answer in (client.get(url), client.post(url)):
            assert [name for name in HEADERS if name not in answer.headers] == [], url
            assert answer.status_code < 500, url
            answer.close()


def test_with_a_temporary_password_there_is_one_page(client: FlaskClient, app: Flask, house: House,
                                                     things: dict[str, str]) -> None:
    password = house.access.make_one_time_password()
    change_password(house.hub, house.access, house.users["administrator"], password, temporary=True,
                    actor=house.actor("administrator"), at=house.clock())
    client.post("/sign-in", data={"login": "administrator", "password": password, "csrf_token": csrf_of(client)})
    token = csrf_of(client, "/password")
    head = house.store.head()
    for method in ("GET", "POST"):
        for endpoint, url in addresses(app, things, method):
            if not is_open(endpoint) and endpoint not in ("access.password", "access.sign_out"):
                answer = client.open(url, method=method, data={"csrf_token": token} if method == "POST" else None)
                assert (answer.status_code, answer.headers["Location"]) == (303, "/password"), url
    assert house.store.head() == head


def test_an_auditor_changes_nothing_by_any_door(client: FlaskClient, app: Flask, house: House, things: dict[str, str]) -> None:
    token = sign_in(client, "auditor")
    head = house.store.head()
    for endpoint, url in addresses(app, things, "POST"):
        if endpoint not in OWN and not is_open(endpoint):
            answer = client.post(url, data={"csrf_token": token, "to": "screening", "why": "так надо", "other": things["other"],
                                            "text": "Текст", "name": "Имя", "login": "new", "roles": "administrator"})
            assert 400 <= answer.status_code < 500, url
    assert {event.TOPIC for _, event in house.store.log(head, 10_000)} == {"attempt.refused"}


@pytest.mark.parametrize(("role", "url"), [
    ("manager", "/settings/users/new"), ("manager", "/settings/forms/main/retire"), ("trainee", "/quarantine/{receipt}/release"),
    ("trainee", "/partners/{partner}/retire"), ("auditor", "/leads/{lead}/merge"), ("head", "/settings/users/{user}/password")])
def test_a_try_beyond_the_role_is_kept_with_who_tried_what(client: FlaskClient, house: House, things: dict[str, str], role: str,
                                                           url: str) -> None:
    token = sign_in(client, role)
    head = house.store.head()
    answer = client.post(url.format(**things), data={"csrf_token": token})
    assert answer.status_code == 403
    ((_, attempt),) = house.store.log(head, 10)
    assert attempt.TOPIC == "attempt.refused"
    assert (attempt.actor, attempt.code) == (f"user:{house.users[role]}", "not_your_role")  # type: ignore[attr-defined]


def test_numbers_that_no_database_holds_are_no_fault_of_ours(client: FlaskClient, house: House, things: dict[str, str]) -> None:
    token = sign_in(client, "head")
    for number in ("9" * 30, str(2**63), "²"):
        assert client.get(f"/leads/{number}").status_code == 404
        assert client.get(f"/leads?page={number}").status_code == 200
        assert client.get(f"/quarantine/{things['receipt']}/files/{number}").status_code == 404
        sent = {"csrf_token": token, "version": number, "title": "Сайт"}
        assert client.post(f"/leads/{things['lead']}/do/name_lead", data=sent).status_code < 500


def test_a_strangers_file_is_a_download_with_a_harmless_name_that_no_cache_keeps(client: FlaskClient, house: House) -> None:
    house.make_form()
    body = (b'--x\r\nContent-Disposition: form-data; name="f"; filename="../../a%0D%0ASet-Cookie: b=c.html"\r\n'
            b"Content-Type: text/html\r\n\r\n<script>\r\n--x\r\n"
            b"Content-Disposition: form-data; name=hub_topic\r\n\r\nx\r\n--x--\r\n")
    client.post("/f/main", data=body, content_type="multipart/form-data; boundary=x")
    sign_in(client, "head")
    (row,) = house.hub.views.receipts.quarantine()
    quarantined = str(UUID(row["id"]))
    token = csrf_of(client, "/account")
    waiting = client.get(f"/quarantine/{quarantined}/files/0")
    lead = client.post(f"/quarantine/{quarantined}/release", data={"csrf_token": token}).headers["Location"]
    link = re.search(r'href="(/leads/[^"]+/files/[^"]+)"', client.get(lead).text)
    assert link
    for answer in (waiting, client.get(link[1])):
        assert answer.data == b"<script>"
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="aSet-Cookie: b=c.html"'
        assert answer.headers["Cache-Control"] == "no-store"
        assert "b=c" not in answer.headers.get("Set-Cookie", "")


def test_files_of_another_lead_are_not_there(client: FlaskClient, things: dict[str, str]) -> None:
    sign_in(client, "head")
    for digest in ("a" * 64, "..%2f..%2fhub.db", "%00", str(uuid4())):
        assert client.get(f"/leads/{things['lead']}/files/{digest}").status_code == 404

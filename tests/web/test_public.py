"""The intake of website forms over HTTP: acknowledged only when stored, refused with a sentence, never a 500 (R1)."""

from __future__ import annotations

import json
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from hub.domain.form import Form, form_stream
from hub.domain.index import Receipt
from hub.store import Unavailable
from tests.web.house import House

SITE = "https://shop.example"
API = "/api/v1/forms/main/submissions"
PERSON = {"name": "Иван", "phone": "8 912 345-67-89", "message": "Нужен сайт"}


@pytest.fixture(autouse=True)
def form(house: House) -> None:
    house.make_form(phone_shown="8 800 555-35-35", rate_per_minute=900, rate_cap_per_minute=9000,
                    thank_you_urls=("https://shop.example/thanks", "https://shop.example/promo"))
    house.make_form("own", origins=(SITE,))


def post(client: FlaskClient, body: Any = None, path: str = API, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(path, json=body or PERSON, headers=named)


def leads(house: House) -> list[Any]:
    house.settle()
    return house.hub.views.leads.rows("1 = 1", ())


def quarantine(house: House) -> list[str]:
    house.settle()
    return [row["reason"] for row in house.hub.views.receipts.quarantine()]


# ── taken ──


def test_r1_a_submission_is_acknowledged_with_the_receipt_of_its_card(client: FlaskClient, house: House) -> None:
    answer = post(client, Idempotency_Key='"one"')
    assert answer.status_code == 202
    assert answer.json is not None
    receipt = house.hub.streams.fresh(Receipt, UUID(answer.json["receipt"]))[1]
    assert receipt.status == "accepted"
    assert answer.json["duplicate"] is False
    (lead,) = leads(house)
    assert (lead["id"], lead["name"]) == (receipt.lead.hex, "Иван")


def test_r1_the_same_request_again_is_answered_as_the_first_time(client: FlaskClient, house: House) -> None:
    first, again = post(client, Idempotency_Key="k-1"), post(client, Idempotency_Key="k-1")
    assert first.json is not None
    assert again.status_code == 202
    assert again.json == {"receipt": first.json["receipt"], "duplicate": True}
    assert len(leads(house)) == 1


def test_the_same_key_with_another_payload_is_refused_in_the_callers_language(client: FlaskClient, house: House) -> None:
    post(client, Idempotency_Key="k-1")
    russian = post(client, {**PERSON, "message": "Другое"}, Idempotency_Key="k-1")
    english = post(client, {**PERSON, "message": "Другое"}, Idempotency_Key="k-1", Accept_Language="en-GB,en;q=0.9")
    assert russian.status_code == english.status_code == 409
    assert russian.content_type == "application/problem+json"
    assert russian.json is not None
    assert russian.json["status"] == 409
    assert "новым ключом" in russian.json["detail"]
    assert english.json is not None
    assert "key" in english.json["detail"]
    assert len(leads(house)) == 1


def test_a_plain_form_leads_to_the_forms_own_page_of_thanks(client: FlaskClient, house: House) -> None:
    answer = client.post("/f/main", data=PERSON, headers={"Origin": SITE})
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://shop.example/thanks")
    chosen = client.post("/f/main", data={**PERSON, "thank_you": "https://shop.example/promo"})
    assert chosen.headers["Location"] == "https://shop.example/promo"


def test_a_visitor_is_never_sent_to_an_address_that_is_not_on_the_list(client: FlaskClient) -> None:
    for field in ("thank_you", "redirect", "_next"):
        answer = client.post("/f/main", data={**PERSON, field: "https://evil.example/"})
        assert answer.headers["Location"] == "https://shop.example/thanks"


def test_a_form_without_thank_you_page_has_ours(client: FlaskClient) -> None:
    answer = client.post("/f/own", data=PERSON)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/f/own/thanks")
    page = client.get("/f/own/thanks", headers={"Referer": f"{SITE}/page"})
    assert "Заявка отправлена" in page.text
    assert f'href="{SITE}/page"' in page.text
    assert "evil" not in client.get("/f/own/thanks", headers={"Referer": "https://evil.example/"}).text


def test_visitors_of_a_form_get_no_cookie(client: FlaskClient) -> None:
    for answer in (post(client), client.post("/f/own", data=PERSON), client.get("/f/own/thanks"),
                   client.post("/f/own", data={}), client.get("/api/v1/forms/main/token")):
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/f/main", API])
def test_tildas_connection_test_makes_nothing(client: FlaskClient, house: House, path: str) -> None:
    answer = client.post(path, data={"test": "test"})
    assert (answer.status_code, answer.text) == (200, "ok")
    assert not leads(house)
    assert not quarantine(house)


def test_tildas_webhook_is_told_ok_and_its_repeat_is_the_same_lead(client: FlaskClient, house: House) -> None:
    sent = {"Name": "Иван", "Phone": "+7 (912) 345-67-89", "tranid": "123:456", "formid": "form1"}
    for _ in range(3):
        answer = client.post("/f/main", data=sent)
        assert (answer.status_code, answer.text) == (200, "ok")
    assert len(leads(house)) == 1


def test_the_token_of_a_form_measures_how_fast_it_was_filled_in(client: FlaskClient, house: House) -> None:
    answer = client.get("/api/v1/forms/main/token", headers={"Origin": SITE})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert answer.json is not None
    token = answer.json["token"]
    house.clock.advance(seconds=1)
    assert post(client, {**PERSON, "hub_token": token}).status_code == 202
    assert quarantine(house) == ["too_fast"]
    house.clock.advance(seconds=20)
    post(client, {**PERSON, "hub_token": token})
    assert len(leads(house)) == 1


# ── other sites ──


def test_a_page_of_the_forms_site_may_post_and_read_every_answer(client: FlaskClient) -> None:
    asked = client.options(API, headers={"Origin": SITE, "Access-Control-Request-Method": "POST"})
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == SITE
    assert "Idempotency-Key" in asked.headers["Access-Control-Allow-Headers"]
    assert post(client, Origin=SITE).headers["Access-Control-Allow-Origin"] == SITE
    for refused in (client.post(API, data=b"", headers={"Origin": SITE}),
                    client.post(API, data=b"x" * 2_000_001, headers={"Origin": SITE})):
        assert refused.status_code in (400, 413)
        assert refused.headers["Access-Control-Allow-Origin"] == SITE
        assert refused.headers["Vary"] == "Origin"


def test_another_site_is_refused_and_can_read_nothing(client: FlaskClient, house: House) -> None:
    answer = post(client, Origin="https://evil.example")
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert client.options(API, headers={"Origin": "https://evil.example"}).headers.get("Access-Control-Allow-Origin") is None
    assert not leads(house)


# ── refused or kept for a person ──


def test_a_form_that_never_existed_is_404_with_a_sentence(client: FlaskClient) -> None:
    answer = post(client, path="/api/v1/forms/none/submissions")
    assert answer.status_code == 404
    assert answer.json is not None
    assert "владельцу сайта" in answer.json["detail"]
    page = client.post("/f/none", data=PERSON)
    assert page.status_code == 404
    assert "владельцу сайта" in page.text


def test_what_comes_through_a_retired_form_waits_in_the_quarantine(client: FlaskClient, house: House) -> None:
    house.hub.change(Form, form_stream("main"), lambda f: f.retire(), actor=house.actor("administrator"), at=house.clock())
    assert post(client).status_code == 202
    assert quarantine(house) == ["retired_form"]


def test_a_refused_plain_form_shows_the_sentence_and_the_phone(client: FlaskClient) -> None:
    answer = client.post("/f/main", data={"name": ""})
    assert answer.status_code == 400
    assert "напишите имя" in answer.text
    assert 'href="tel:88005553535"' in answer.text.replace("-", "")


@pytest.mark.parametrize(("kind", "size", "status"), [
    ("application/json", 2_000_001, 413),
    ("multipart/form-data; boundary=x", 10_000_001, 413),
    ("multipart/form-data; boundary=x", 2_000_001, 202),
])
def test_a_body_has_a_limit(client: FlaskClient, kind: str, size: int, status: int) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\n' + b"a" * size
    answer = client.post(API, data=body[:size] if status == 413 else body, content_type=kind)
    assert answer.status_code == status


def test_a_chunked_body_has_the_same_limit(client: FlaskClient) -> None:
    class Endless:
        """More than anybody should read."""

        given = 0

        def read(self, size: int = -1) -> bytes:
            size = size if size > 0 else 65536
            self.given += size
            assert self.given < 4_000_000, "read far beyond the limit"
            return b"x" * size

        def readline(self, size: int = -1) -> bytes:
            return self.read(size)

        def readinto(self, buffer: Any) -> int:
            buffer[:] = self.read(len(buffer))
            return len(buffer)

    answer = client.post(API, content_type="application/json",
                         environ_overrides={"wsgi.input": Endless(), "wsgi.input_terminated": True, "CONTENT_LENGTH": "",
                                            "HTTP_TRANSFER_ENCODING": "chunked"})
    assert answer.status_code == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_is_405(client: FlaskClient, method: str) -> None:
    answer = client.open(API, method=method)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert answer.content_type == "application/problem+json"


def test_many_requests_of_one_address_wait_for_a_person_and_then_are_429(client: FlaskClient, house: House) -> None:
    house.make_form("busy", rate_per_minute=3, rate_cap_per_minute=5)
    codes = [post(client, {**PERSON, "message": str(n)}, "/api/v1/forms/busy/submissions").status_code for n in range(8)]
    assert codes == [202] * 5 + [429] * 3
    assert quarantine(house) == ["rate", "rate"]
    refused = post(client, path="/api/v1/forms/busy/submissions", Origin=SITE)
    assert refused.headers["Retry-After"] == "60"
    assert refused.headers["Access-Control-Allow-Origin"] == SITE
    other = client.post("/api/v1/forms/busy/submissions", json=PERSON, environ_base={"REMOTE_ADDR": "198.51.100.7"})
    assert other.status_code == 202
    house.clock.advance(seconds=61)
    assert post(client, path="/api/v1/forms/busy/submissions").status_code == 202


def test_the_address_that_a_client_claims_does_not_get_around_the_limit(client: FlaskClient, house: House) -> None:
    house.make_form("busy", rate_per_minute=1, rate_cap_per_minute=2)
    codes = [post(client, path="/api/v1/forms/busy/submissions", X_Forwarded_For=f"198.51.100.{n}").status_code for n in range(4)]
    assert codes == [202, 202, 429, 429]


# ── the store ──


def test_while_another_process_holds_the_database_nothing_is_acknowledged(client: FlaskClient, house: House,
                                                                          tmp_path: Path) -> None:
    blocker = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
    try:
        with house.store.writing() as cursor:
            cursor.execute("PRAGMA busy_timeout = 1")
        house.app.before_request_funcs[None].pop(0)  # the tests' own catching up would be the first to find it locked
        blocker.execute("BEGIN IMMEDIATE")
        answer = post(client, Origin=SITE)
        page = client.post("/f/main", data=PERSON)
        blocker.execute("ROLLBACK")
    finally:
        blocker.close()
    assert answer.status_code == page.status_code == 503
    assert answer.headers["Retry-After"] == page.headers["Retry-After"] == "5"
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert "браузер отправит её ещё раз" in page.text
    assert not leads(house)
    assert post(client).status_code == 202


def test_nothing_is_acknowledged_when_the_store_fails_at_the_end(client: FlaskClient, house: House,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise Unavailable("disk full")

    monkeypatch.setattr(house.store, "append", full)
    assert post(client, Idempotency_Key="k").status_code == 503
    monkeypatch.undo()
    answer = post(client, Idempotency_Key="k")
    assert answer.json is not None
    assert answer.json["duplicate"] is False


# ── races ──


def test_r6_one_phone_from_many_threads_at_once_is_one_card(house: House) -> None:
    def send(n: int) -> int:
        return post(house.app.test_client(), {**PERSON, "message": f"Заявка {n}"}, Idempotency_Key=uuid4().hex).status_code

    house.app.before_request_funcs[None].pop(0)
    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(send, range(30))) == {202}
    (lead,) = leads(house)
    assert len(house.hub.lead(UUID(lead["id"])).messages) == 30


def test_r1_each_id_sent_four_times_at_once_has_one_receipt(house: House) -> None:
    def send(n: int) -> str:
        person = {"name": "Иван", "phone": f"8 912 345-00-{n % 15:02d}"}
        answer = post(house.app.test_client(), person, Idempotency_Key=f"id-{n % 15}")
        assert answer.json is not None
        return str(answer.json["receipt"])

    house.app.before_request_funcs[None].pop(0)
    with ThreadPoolExecutor(10) as pool:
        receipts = list(pool.map(send, range(60)))
    assert len(set(receipts)) == 15
    assert len(leads(house)) == 15


# ── anything at all ──

KINDS = st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x",
                         "multipart/form-data", "application/json; charset=utf-16", "text/html; charset=nonsense", "", "=;=;"])
PIECES = st.sampled_from([b'{"name": "', b"phone=8912", b"\x00", b"\xff\xfe", b'"}', b"--x\r\n", b"--x--",
                          b"Content-Disposition: form-data; ", b'name="a"', b"\r\n\r\n", b"%00",
                          b"[" * 2000, b"\xd0\x98", b"a" * 70_000, b"&", b"=",
                          b'{"a":1,"a":2}'])
BODIES = st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=12).map(b"".join))
HEADERS = st.dictionaries(st.sampled_from(["Idempotency-Key", "Origin", "Referer", "Accept-Language", "Cookie", "User-Agent"]),
                          st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=300))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, kind=KINDS, headers=HEADERS, query=st.text(max_size=20),
       path=st.sampled_from([API, "/f/main", "/f/none", "/api/v1/forms/%00/submissions"]))
def test_no_input_makes_an_error_of_ours(house: House, caplog: pytest.LogCaptureFixture, body: bytes, kind: str,
                                         headers: dict[str, str], path: str, query: str) -> None:
    caplog.set_level(logging.ERROR)
    house.clock.at += timedelta(seconds=1)
    answer = house.app.test_client().post(path, data=body, content_type=kind, headers=headers, query_string={"q": query})
    assert answer.status_code in (200, 202, 303, 400, 403, 404, 409, 413), answer.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    if answer.status_code >= 400 and path.startswith("/api/"):
        assert json.loads(answer.data)["detail"]

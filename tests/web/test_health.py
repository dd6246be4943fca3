"""Whether the hub is well, in its own words and numbers: checks, metrics, and the line that a request leaves."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from hub import logs
from hub.domain.delivery import Address, Delivery
from hub.domain.errors import Refused
from hub.web import create_app, health
from tests.web.conftest import sign_in
from tests.web.house import House

TOKEN = "a-token-of-prometheus"


@pytest.fixture
def asked(house: House) -> FlaskClient:
    """A client whose every question is answered anew."""
    house.app.extensions["readiness"] = health.Readiness(house.app.extensions["hub"], kept=0)
    return house.app.test_client()


def works(house: House) -> None:
    """A worker says that it lives."""
    assert house.store.leases.hold(health.WORKER, "the test", 60)


def arrives(house: House) -> UUID:
    """A lead comes in; the read models have not heard of it."""
    lead = house.hub.receive(Delivery(channel="website", source="main", delivery_id=uuid4().hex, name="Иван Петренко",
                                      addresses=(Address("phone", "+79123456789", "+79123456789"),)), at=house.clock()).lead
    assert lead is not None
    return lead


def failing(client: FlaskClient) -> set[str]:
    """The checks that fail."""
    answer = client.get("/readyz")
    said = answer.get_json()
    failed = {name for name, check in said["checks"].items() if not check["ok"]}
    assert said["ready"] is (not failed)
    assert answer.status_code == (503 if failed else 200)
    return failed


def numbers(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and the values of its labels."""
    return {(sample.name, tuple(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text) for sample in family.samples}


def scrape(client: FlaskClient) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return numbers(answer.text)


# ── ready ──


def test_the_hub_is_ready_when_everything_is(asked: FlaskClient, house: House) -> None:
    works(house)
    house.settle()
    assert failing(asked) == set()


def test_without_a_worker_it_is_not(asked: FlaskClient, house: House) -> None:
    house.settle()
    assert failing(asked) == {"worker"}
    works(house)
    assert failing(asked) == set()
    house.store.leases.free(health.WORKER, "the test")
    assert failing(asked) == {"worker"}


def test_read_models_that_are_far_behind_make_it_not_ready(asked: FlaskClient, house: House) -> None:
    works(house)
    house.settle()
    arrives(house)
    readiness = health.Readiness(house.app.extensions["hub"], kept=0)  # a request would bring them up
    behind = readiness.checks()["projections"]
    assert behind["behind"] > 0
    assert behind["ok"], "for a moment only"
    house.clock.advance(seconds=health.LATE + 1)
    assert not readiness.checks()["projections"]["ok"]
    house.settle()
    assert failing(asked) == set()


def test_a_store_that_is_gone_fails_and_is_not_an_error_page(
        asked: FlaskClient, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    works(house)
    monkeypatch.setattr(house.store, "healthy", lambda: False)
    assert "store" in failing(asked)


def test_tables_of_an_older_program_are_not_ready(asked: FlaskClient, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    works(house)
    house.settle()
    newest = next(iter(house.runner.projections.values()))
    monkeypatch.setattr(type(newest), "version", newest.version + 1)
    assert failing(asked) == {"schema"}
    assert asked.get("/readyz").get_json()["checks"]["schema"]["old"] == [newest.name]


def test_an_answer_is_kept_for_a_moment(house: House) -> None:
    house.app.extensions["readiness"] = health.Readiness(house.app.extensions["hub"], kept=3600)
    asked = house.app.test_client()
    assert failing(asked) == {"worker"}
    works(house)
    assert failing(asked) == {"worker"}


def test_no_answer_tells_anybodys_data(asked: FlaskClient, house: House) -> None:
    arrives(house)
    house.settle()
    for path in ("/healthz", "/readyz", "/metrics"):
        said = asked.get(path).text
        for person in house.hub.users().values():
            assert person.name not in said


# ── metrics ──


def test_requests_are_counted_by_pattern_and_never_by_what_a_stranger_typed(client: FlaskClient) -> None:
    sign_in(client, "manager")
    client.get("/leads/1?phone=79121234567")
    client.get("/79121234567")
    text = client.get("/metrics").text
    counted = numbers(text)
    assert counted["hub_requests_total", ("GET", "/leads/<int:number>", "404")] == 1
    assert counted["hub_requests_total", ("GET", "(unknown address)", "404")] == 1
    assert counted["hub_request_seconds_count", ("GET", "/leads/<int:number>")] == 1
    assert "79121234567" not in text


def test_the_state_of_the_hub_is_told(client: FlaskClient, house: House) -> None:
    arrives(house)
    house.settle()
    now = scrape(client)
    assert now["hub_events_total", ()] == house.store.head() == now["hub_projection_position", ("leads",)]
    assert now["hub_projection_lag_events", ("leads",)] == 0
    assert now["hub_leads_open", ()] == 1
    assert now["hub_leads_late", ()] == 0
    house.clock.advance(hours=2)
    assert scrape(client)["hub_leads_late", ()] == 1
    assert now["hub_store_reachable", ()] == 1


def test_commands_and_deliveries_are_counted_with_their_ends(house: House) -> None:
    metrics = house.app.extensions["metrics"]
    metrics.watch(house.hub)
    lead = arrives(house)
    actor, at = house.actor("manager"), house.clock()
    house.hub.do(lead, "take", actor=actor, at=at)
    with pytest.raises(Refused):
        house.hub.do(lead, "sign", actor=actor, at=at)
    with pytest.raises(Refused):
        house.hub.do(lead, "take", actor=actor, at=at, expected=0)
    with pytest.raises(Refused):
        house.hub.do(lead, "79121234567", actor=actor, at=at)
    counted = scrape(house.app.test_client())
    assert counted["hub_commands_total", ("take", "done")] == 1
    assert counted["hub_commands_total", ("take", "conflict")] == 1
    assert counted["hub_commands_total", ("(unknown)", "refused")] >= 1
    assert sum(value for (name, labels), value in counted.items() if name == "hub_intake_total" and "taken" in labels) == 1


@pytest.mark.parametrize(("headers", "address", "status"), [
    ({}, "127.0.0.1", 200), ({}, "127.8.9.1", 200), ({}, "::1", 200), ({}, "10.0.0.7", 404), ({}, "", 404),
    ({"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", 404), ({"Forwarded": "for=127.0.0.1"}, "127.0.0.1", 404),
])
def test_without_a_token_only_a_program_on_this_machine_reads_the_numbers(
        client: FlaskClient, headers: dict[str, str], address: str, status: int) -> None:
    assert client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address}).status_code == status


@pytest.mark.parametrize(("given", "address", "status"), [
    (f"Bearer {TOKEN}", "10.0.0.7", 200), (f"Bearer {TOKEN}x", "10.0.0.7", 404), ("", "127.0.0.1", 404),
    (f"Basic {TOKEN}", "127.0.0.1", 404), ("Bearer токен", "127.0.0.1", 404),
])
def test_with_a_token_whoever_shows_it_reads_them(house: House, given: str, address: str, status: int) -> None:
    app: Flask = create_app(house.app.extensions["hub"], metrics_token=TOKEN)
    environ = {"REMOTE_ADDR": address, "HTTP_AUTHORIZATION": given.encode().decode("latin-1")}
    assert app.test_client().get("/metrics", environ_overrides=environ).status_code == status


# ── the line of a request ──


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What is logged, as JSON."""
    root, stream = logging.getLogger(), io.StringIO()
    before = root.handlers[:], root.level
    logs.set_up("json", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, root.level = before


def test_a_request_leaves_one_line_with_ids_and_no_query(client: FlaskClient, house: House, lines: Any) -> None:
    sign_in(client, "manager")
    given = "0123456789abcdef0123456789abcdef"
    answer = client.get("/leads/1?q=%D0%98%D0%B2%D0%B0%D0%BD+79121234567", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == given
    told = lines()[-1]
    assert {"method": "GET", "route": "/leads/<int:number>", "status": 404, "lead": "1", "request_id": given,
            "actor": house.actor("manager").id, "level": "info"}.items() <= told.items()
    assert told["ms"] >= 0
    assert "79121234567" not in json.dumps(lines())


@pytest.mark.parametrize("given", ["79121234567", "anna@example.ru", "x" * 500, "0123456789abcdef\u00a0"])
def test_an_id_that_somebody_made_up_is_replaced(client: FlaskClient, given: str) -> None:
    answer = client.get("/sign-in", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] != given
    assert len(answer.headers["X-Request-ID"]) == 32


def test_health_is_not_told_until_it_fails(client: FlaskClient, lines: Any) -> None:
    client.get("/healthz")
    assert lines() == []
    client.get("/readyz")
    assert [line["route"] for line in lines() if line["event"] == "request"] == ["/readyz"]


def test_a_fault_of_ours_tells_the_pattern_of_the_address_and_not_what_stood_in_it(house: House, lines: Any) -> None:
    def fail(what: str) -> str:
        raise RuntimeError(what)
    app: Flask = create_app(house.app.extensions["hub"])
    app.add_url_rule("/try/<what>", view_func=fail)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert app.test_client().get("/try/+79123456789").status_code == 500
    fault = next(line for line in lines() if line["level"] == "error")
    assert fault["event"].startswith("GET /try/<what> failed")
    assert "9123456789" not in json.dumps(lines())


def test_libraries_tell_nothing_of_their_daily_work(lines: Any) -> None:
    """Twilio's client tells each address with the numbers in it, psycopg's pool each connection that it lends."""
    for name in ("twilio.http_client", "psycopg.pool", "urllib3.connectionpool"):
        logging.getLogger(name).info("POST Request: /Calls.json?To=+79123456789")
    logging.getLogger("urllib3.connection").warning("Failed to parse headers (url=https://api.example/bot777:SECRET/x)")
    assert lines() == []


def test_an_error_is_told_by_type_and_place_without_its_words(lines: Any) -> None:
    def fail() -> None:
        try:
            int("+7 912 123-45-67")
        except ValueError as error:
            raise RuntimeError("Иван Петров") from error

    try:
        fail()
    except RuntimeError:
        logging.getLogger("hub.anything").exception("a turn failed")
    [line] = lines()
    assert [error["type"] for error in line["error"]] == ["builtins.ValueError", "builtins.RuntimeError"]
    assert "test_health.py" in line["error"][-1]["at"][-1]
    assert "123-45" not in json.dumps(line, ensure_ascii=False)
    assert "Иван" not in json.dumps(line, ensure_ascii=False)

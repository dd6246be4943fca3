"""The page of the log's integrity, what a card says of its own proof, and how loud a failed check is."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from hub.audit import verifier
from hub.audit.keeping import Check, Options
from hub.audit.publishing import Keeper
from hub.audit.signing import Custody
from hub.domain.audit import AUDIT_STREAM
from hub.web import health
from tests.web.admin_pages import Browser, error_at, words
from tests.web.conftest import csrf_of
from tests.web.house import House, ready_house

WATCHERS = ("administrator", "auditor")
OTHERS = ("head", "manager", "trainee", "account")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = ready_house(tmp_path)
    house.hub.audit.options = Options(Custody(tmp_path), tmp_path / "checkpoints", "hub.example", timedelta(hours=24))
    yield house
    house.close()


def keeper(house: House) -> Keeper:
    """The worker's part."""
    return Keeper(house.hub.audit, house.hub.audit_record(), None, house.clock)


def altered(house: House) -> Check:
    """Somebody changes an event in the database, and the hub looks."""
    with house.store.writing() as cursor:
        cursor.execute("UPDATE stored_events SET topic = 'lead.taken' WHERE originator_id = ? AND originator_version = 1",
                       (AUDIT_STREAM.hex if "Sqlite" in type(house.store).__name__ else AUDIT_STREAM,))
    house.hub.audit.ask("hub", house.clock())
    keeper(house).turn()
    last = house.hub.audit.state(fresh=True).last
    assert last is not None
    return last


@pytest.mark.parametrize("login", WATCHERS)
def test_a_check_is_asked_for_run_by_the_worker_and_shown(house: House, login: str) -> None:
    browser = Browser(house, login)
    assert "Проверки ещё не было" in browser.get("/audit")
    browser.done("/audit/verify")
    assert 'http-equiv="refresh"' in browser.get("/audit")
    keeper(house).turn()
    page = words(browser.get("/audit"))
    size, _ = house.hub.audit.ledger.size()
    assert f"Проверено до события {size}" in page
    assert "совпадает" in page
    assert 'http-equiv="refresh"' not in browser.get("/audit")


@pytest.mark.parametrize("login", OTHERS)
def test_others_see_nothing_of_it_and_their_tries_are_kept(house: House, login: str) -> None:
    browser = Browser(house, login)
    assert browser.status("/audit") == 403
    assert 'href="/audit"' not in browser.get("/account")
    for path in ("/audit/verify", "/audit/checkpoint", "/audit/export"):
        assert browser.post(path).status_code == 403
    assert house.store.read(AUDIT_STREAM) == []


def test_a_checkpoint_is_signed_and_downloaded(house: House) -> None:
    browser = Browser(house, "auditor")
    browser.done("/audit/checkpoint")
    (kept,) = house.hub.audit.ledger.kept()
    answer = browser.client.get(f"/audit/files/checkpoint-{kept.size}.txt")
    assert answer.get_data(as_text=True) == kept.note
    assert "attachment" in answer.headers["Content-Disposition"]
    assert verifier.read_checkpoint(kept.note).size == kept.size
    assert browser.status("/audit/files/checkpoint-1.txt") == browser.status(f"/audit/files/checkpoint-{kept.size}.tsr") == 404
    vkey = house.hub.audit.keys().keys[0].vkey.replace("+", "&#43;")
    assert vkey in browser.get("/audit").replace("+", "&#43;")


def test_without_the_key_the_page_says_what_to_do(house: House, tmp_path: Path) -> None:
    browser = Browser(house, "administrator")
    browser.done("/audit/checkpoint")
    (tmp_path / "audit.key").unlink()
    house.receive()
    answer = browser.post("/audit/checkpoint")
    assert answer.status_code == 422
    assert "hub audit rotate-key" in words(answer.get_data(as_text=True))


def test_a_lead_is_exported_and_who_took_it_is_recorded(house: House) -> None:
    lead = house.receive()
    browser = Browser(house, "auditor")
    answer = browser.post("/audit/export", number="L-1")
    assert answer.status_code == 200, words(answer.get_data(as_text=True))
    with zipfile.ZipFile(io.BytesIO(answer.data)) as file:
        assert "+79123456789" in file.read("history.txt").decode()
    taken = house.store.read(AUDIT_STREAM)[-1]
    assert (taken.TOPIC, taken.actor, getattr(taken, "lead", None)) == (
        "audit.lead_exported", house.actor("auditor").id, lead)


@pytest.mark.parametrize(("number", "sentence"), [("семь", "Напишите номер"), ("99", "Такой заявки нет"),
                                                  ("9" * 30, "Напишите номер")])
def test_a_number_that_is_none_is_refused_at_its_field(house: House, number: str, sentence: str) -> None:
    answer = Browser(house, "auditor").post("/audit/export", number=number)
    assert answer.status_code in (404, 422)
    assert sentence in error_at(answer.get_data(as_text=True), "number")


def test_a_card_says_up_to_where_it_was_verified(house: House) -> None:
    lead = house.receive()
    browser = Browser(house, "manager")
    assert "Ещё не проверялось" in browser.get(f"/leads/{lead}")
    keeper(house).turn()
    version = len(house.store.read(lead))
    house.hub.audit.state(fresh=True)
    assert f"Проверено до события {version} из {version}" in words(browser.get(f"/leads/{lead}"))
    browser.post(f"/leads/{lead}/do/note", text="Позже")
    page = words(browser.get(f"/leads/{lead}"))
    assert f"Проверено до события {version} из " in page
    assert f"Проверено до события {version} из {version}" not in page
    assert "контрольная точка" in page
    assert "Выгрузить с доказательством" not in page
    assert "Выгрузить с доказательством" in Browser(house, "auditor").get(f"/leads/{lead}")


def test_a_failed_check_is_loud_and_blocks_nothing(house: House) -> None:
    lead = house.receive()
    keeper(house).turn()
    assert altered(house).good is False
    for login in WATCHERS:
        assert "проверка не прошла" in Browser(house, login).get("/account")
    assert "проверка не прошла" not in Browser(house, "manager").get("/account")
    browser = Browser(house, "auditor")
    assert "Проверка не прошла" in browser.get("/audit")
    assert "изменено" in browser.get("/audit")
    assert "Проверка журнала не прошла" in browser.get(f"/leads/{lead}")
    assert house.receive("Ольга", "+79990001122")
    assert house.store.leases.hold(health.WORKER, "the test", 60)
    said = house.app.test_client().get("/readyz").get_json()["checks"]["audit"]
    assert (said["ok"], said["failed"]) == (True, True)
    assert said["findings"] > 0
    metrics = house.app.test_client().get("/metrics").get_data(as_text=True)
    assert "hub_audit_failed 1.0" in metrics


def test_the_same_failure_is_recorded_once(house: House) -> None:
    house.receive()
    keeper(house).turn()
    altered(house)
    house.hub.audit.ask("hub", house.clock())
    keeper(house).turn()
    topics = [row.topic for row in house.store.raw(AUDIT_STREAM)]
    assert topics.count("audit.check_failed") == 1


def test_the_form_on_the_card_needs_its_token(house: House) -> None:
    house.receive()
    browser = Browser(house, "auditor")
    assert csrf_of(browser.client, "/audit")
    assert browser.client.post("/audit/export", data={"number": "1"}).status_code in (400, 403)


def test_versions_beyond_the_last_check_are_not_called_verified(house: House) -> None:
    assert house.hub.audit.verified_upto(UUID(int=1), 5) == 0

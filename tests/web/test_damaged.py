"""A log that was altered past the hub: what the pages of an altered card say, and that everything else goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from hub.domain.errors import SENTENCES
from hub.projections.rebuild import RebuildFailed
from hub.store.base import EventStore
from hub.worker import Worker
from tests.web.admin_pages import Browser, words
from tests.web.api_house import person
from tests.web.house import House, ready_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = ready_house(tmp_path)
    yield house
    house.close()


def alter(store: EventStore, lead: UUID, version: int, what: str = "state = ?", value: object = b'{"v":1') -> None:
    """Somebody changes an event in the database, past the hub."""
    with store.writing() as cursor:
        cursor.execute(f"UPDATE stored_events SET {what} WHERE originator_id = ? AND originator_version = ?",
                       (value, lead.hex if "Sqlite" in type(store).__name__ else lead, version))


def forgotten(house: House, lead: UUID) -> None:
    """As after a restart: nothing is at hand."""
    house.hub.audit.ledger.catch_up()
    house.hub.streams.forget(lead)


@pytest.fixture
def lead(house: House) -> UUID:
    """A lead of some events, the third of which cannot be read any more."""
    lead = house.receive()
    Browser(house, "manager").done(f"/leads/{lead}/do/take")
    forgotten(house, lead)
    alter(house.store, lead, 3)
    return lead


def test_the_card_says_what_happened_what_can_be_read_and_whom_to_tell(house: House, lead: UUID) -> None:
    answer = Browser(house, "manager").client.get(f"/leads/{lead}")
    page = words(answer.get_data(as_text=True))
    assert answer.status_code == 409
    for said in ("изменили в обход хаба", "Событие № 3", "не читается", "hub audit verify", "Олег Ревин", "Алла Админова",
                 "Пришла заявка", "Откуда: Сайт", "Заявку взяли"):
        assert said in page, said
    assert "Проверить журнал" not in page
    assert "Проверить журнал" in Browser(house, "auditor").client.get(f"/leads/{lead}").get_data(as_text=True)
    waiting = house.hub.audit.asked()
    assert waiting is not None
    assert waiting.asked_by == "hub"


@pytest.mark.parametrize("path", ["", "?at=2", "/why", "/print", "/what-if", "/difference", "/do/note", "/live/head"])
def test_no_page_of_the_card_fails(house: House, lead: UUID, path: str) -> None:
    assert Browser(house, "head").client.get(f"/leads/{lead}{path}").status_code == 409


def test_a_command_is_refused_with_the_same_sentence_and_nothing_is_stored(house: House, lead: UUID) -> None:
    before = house.store.head()
    browser = Browser(house, "manager")
    head = house.store.head()
    answer = browser.post(f"/leads/{lead}/do/note", text="Заметка")
    assert answer.status_code == 409
    assert "изменили в обход хаба" in answer.get_data(as_text=True)
    assert house.store.head() == head > before  # the sign-in alone


def test_programs_are_told_by_a_code(house: House, lead: UUID) -> None:
    program = person(house, "manager")
    for answer in (program.get(f"/leads/{lead}"), program.post(f"/leads/{lead}/note", {"text": "x"})):
        assert (answer.status_code, answer.get_json()["code"]) == (409, "history_altered")
        assert answer.get_json()["detail"] in SENTENCES["history_altered"]


def test_intake_goes_on_and_names_the_card_that_cannot_be_read(house: House, lead: UUID) -> None:
    again = house.receive("Иван Петренко", "+79123456789", text="Я писал вам раньше")
    assert again != lead
    state = house.hub.lead(again)
    assert state.previous_lead == lead
    assert house.receive("Иван Петренко", "+79123456789", text="И ещё раз") == again
    assert house.receive("Ольга", "+79990001122") not in (lead, again)
    assert Browser(house, "manager").status(f"/leads/{again}") == 200


def test_the_board_and_the_lists_go_on(house: House, lead: UUID) -> None:
    browser = Browser(house, "head")
    for path in ("/", "/leads", "/my", "/process", "/search?q=Петренко"):
        assert browser.status(path) == 200, path


@pytest.mark.parametrize(("what", "value"), [("topic = ?", "lead.won"), ("topic = ?", "lead.no_such"), ("state = ?", b"{}"),
                                             ("state = ?", b"\xff")])
def test_whatever_was_changed_the_card_is_none_of_our_faults(house: House, what: str, value: object) -> None:
    lead = house.receive()
    version = house.hub.version(lead)
    for number in range(1, version + 1):
        forgotten(house, lead)
        (row,) = house.store.raw(lead, number - 1, number)
        alter(house.store, lead, number, what, value)
        assert Browser(house, "head").status(f"/leads/{lead}") in (200, 409), (number, row.topic)
        alter(house.store, lead, number, "topic = ?", row.topic)
        alter(house.store, lead, number, "state = ?", row.state)
    assert Browser(house, "head").status(f"/leads/{lead}") == 200


def test_a_card_that_reads_well_and_was_altered_says_so_once_the_check_found_it(house: House) -> None:
    lead = house.receive()
    other = house.receive("Ольга", "+79990001122")
    forgotten(house, lead)
    (row,) = house.store.raw(lead, 0, 1)
    alter(house.store, lead, 1, "state = ?", row.state[:-1] + b" }")
    house.hub.audit.run(house.hub.audit_record(), house.clock, by="hub")
    house.hub.audit.state(fresh=True)
    page = words(Browser(house, "manager").get(f"/leads/{lead}"))
    assert "Проверка журнала не прошла" in page
    assert "Историю этой карточки изменили в обход хаба. События: 1." in page
    assert f'href="/leads/{lead}">Карточка L-1</a>' in Browser(house, "auditor").get("/audit")
    assert "изменили в обход хаба" in Browser(house, "manager").get(f"/leads/{lead}?at=1")
    assert "совпадают с деревом" in words(Browser(house, "manager").get(f"/leads/{other}"))


def test_a_fault_of_ours_is_still_one(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that nobody altered: the reference of the fault, as before."""
    lead = house.receive()
    house.hub.audit.ledger.catch_up()

    def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")
    monkeypatch.setattr("hub.web.lead.card.present_bar", broken)
    assert Browser(house, "manager").status(f"/leads/{lead}") == 500


def test_an_altered_event_of_something_else_is_said_too(house: House) -> None:
    house.make_form()
    browser = Browser(house, "administrator")
    (row,) = [row for row in house.store.tail(0, 1000) if row.topic == "form.made"]
    assert isinstance(row.originator_id, UUID)
    house.hub.streams.forget(row.originator_id)
    alter(house.store, row.originator_id, 1)
    answer = house.app.test_client().get("/f/main")
    assert answer.status_code != 500
    assert browser.status("/audit") == 200


def test_read_models_do_without_what_was_altered_and_go_on(house: House, lead: UUID) -> None:
    """After a new release, which makes them anew, as in everyday work; what was not altered is no excuse."""
    before = {row["number"] for row in house.hub.views.leads.rows()}
    with pytest.raises(RebuildFailed):
        house.runner.rebuild("leads")
    house.runner.altered = house.hub.audit.altered_before
    for name in house.runner.projections:
        house.runner.rebuild(name)
    other = house.receive("Ольга", "+79990001122")
    assert {row["number"] for row in house.hub.views.leads.rows()} == before | {2}
    assert all(status.parked_at is None and status.lag == 0 for status in house.runner.status())
    (row,) = house.store.raw(other, 0, 1)
    house.hub.audit.ledger.catch_up()
    (stored,) = house.store.tail(house.store.position(other, 1) - 1, 1)
    assert not house.hub.audit.altered_before(stored)
    assert row.topic == stored.topic


def test_time_passes_for_others(house: House, lead: UUID, caplog: pytest.LogCaptureFixture) -> None:
    other = house.receive("Ольга", "+79990001122")
    worker = Worker(house.hub, house.runner, house.clock, lambda at: None)
    for _ in range(3):
        worker.turn(house.clock.advance(hours=1))
        house.settle()
    assert "lead.deadline_missed" in [event.TOPIC for event in house.store.read(other)]
    assert len([r for r in caplog.records if "time does not pass" in r.getMessage()]) == 1


def test_the_trail_tells_what_it_cannot_read(house: House, lead: UUID) -> None:
    browser = Browser(house, "auditor")
    page = words(browser.get(f"/audit/trail?lead={lead}"))
    assert "Событие не читается: его меняли в обход хаба" in page
    with house.store.writing() as cursor:
        cursor.execute("DELETE FROM stored_events WHERE originator_version = 3 AND originator_id = ?",
                       (lead.hex if "Sqlite" in type(house.store).__name__ else lead,))
    assert "Этого события больше нет" in words(browser.get(f"/audit/trail?lead={lead}"))

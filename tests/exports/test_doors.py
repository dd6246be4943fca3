"""The doors of the exports: the page with its long work, the process page, the API, the command line."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC
from pathlib import Path
from threading import Event as Flag
from uuid import UUID
from xml.etree import ElementTree

import pytest

from hub.domain.audit import AUDIT_STREAM, LogExported
from hub.jobs import JobRunner
from tests.web.admin_pages import Browser, error_at, words
from tests.web.api_house import Program, person
from tests.web.conftest import house
from tests.web.house import House
from tests.whole_hub import Commands, Site, hub

__all__ = ["house", "hub"]

WATCHERS = ("administrator", "auditor")
OTHERS = ("head", "manager", "trainee", "account")


def facts(house: House) -> list[LogExported]:
    return [event for event in house.store.read(AUDIT_STREAM) if isinstance(event, LogExported)]


def made(house: House, where: str) -> str:
    """The address of the file of a job that a worker has done."""
    assert JobRunner(house.hub.jobs, house.clock).turn(Flag())
    job = house.hub.jobs.one(UUID(where.rsplit("/", 1)[1]))
    assert job.state == "done", job.said
    return f"{where}/file?name={job.results[0].name}"


@pytest.mark.parametrize("login", WATCHERS)
def test_the_page_has_a_log_made_and_gives_its_file(house: House, login: str) -> None:
    house.receive()
    browser = Browser(house, login)
    assert "/audit/log" in browser.get("/audit")
    where = browser.done("/audit/log", format="xes")
    assert facts(house)[-1].actor == house.actor(login).id
    address = made(house, where)
    answer = browser.client.get(address)
    assert len(ElementTree.fromstring(answer.data).findall("{http://www.xes-standard.org/}trace")) == 1
    assert "Иван Петренко" not in answer.get_data(as_text=True)
    assert "XES, заявок: 1" in words(browser.get("/audit/log"))


def test_personal_data_comes_where_it_was_asked_for(house: House) -> None:
    house.receive()
    browser = Browser(house, "auditor")
    address = made(house, browser.done("/audit/log", format="ocel", personal="1", since="2026-11-01", until="2026-11-30"))
    assert "Иван Петренко" in browser.client.get(address).get_data(as_text=True)
    (fact,) = facts(house)
    assert (fact.format, fact.personal, fact.leads) == ("ocel", True, 1)
    assert fact.until is not None
    assert f"{fact.until.astimezone(UTC):%Y-%m-%dT%H}" == "2026-11-30T21", "the end of the company's day"


@pytest.mark.parametrize("login", OTHERS)
def test_others_get_neither_page_nor_log(house: House, login: str) -> None:
    house.receive()
    browser = Browser(house, login)
    assert browser.status("/audit/log") == 403
    assert browser.post("/audit/log", format="xes").status_code == 403
    assert person(house, login).get("/exports/xes").status_code == 403
    assert facts(house) == []


@pytest.mark.parametrize(("fields", "where", "sentence"), [
    ({"since": "вчера"}, "since", "Выберите день"), ({"lead": "семь"}, "lead", "Напишите номер"),
    ({"since": "2026-11-20", "until": "2026-11-19"}, "since", "Поменяйте даты"), ({"format": "csv"}, "", "xes и ocel"),
    ({"since": "2027-01-01"}, "", "ни одна заявка")])
def test_what_makes_no_sense_is_refused_and_what_was_typed_stays(
        house: House, fields: dict[str, str], where: str, sentence: str) -> None:
    house.receive()
    answer = Browser(house, "auditor").post("/audit/log", **{"format": "ocel", **fields})
    page = answer.get_data(as_text=True)
    assert answer.status_code in (404, 422)
    assert sentence in (error_at(page, where) if where else words(page))
    for value in fields.values():
        assert value in page or value == "csv"


def test_the_process_page_gives_every_version_as_bpmn(house: House) -> None:
    browser = Browser(house, "manager")
    link = re.search(r'href="(/process/process\.bpmn\?version=\d+)"', browser.get("/process"))
    assert link is not None
    answer = browser.client.get(link[1])
    assert answer.mimetype == "application/bpmn+xml"
    assert 'filename="process-1.bpmn"' in answer.headers["Content-Disposition"]
    assert "Первичный отсев" in answer.get_data(as_text=True)
    assert browser.status("/process/process.bpmn?version=99") == 404
    for version in ("9" * 5000, "x", ""):
        assert browser.status(f"/process/process.bpmn?version={version}") == 404
    assert house.app.test_client().get("/process/process.bpmn").status_code == 302


@pytest.mark.parametrize("login", WATCHERS)
def test_programs_of_auditors_and_administrators_get_logs_without_names(house: House, login: str) -> None:
    house.receive()
    program: Program = person(house, login, "read")
    log = program.get("/exports/xes?steps=true&language=en")
    assert (log.status_code, log.mimetype) == (200, "application/xml")
    assert 'value="New"' in log.get_data(as_text=True)
    whole = program.get("/exports/ocel?since=2026-11-01T00:00:00Z")
    assert [found["id"] for found in json.loads(whole.data)["objects"]][0] == "L-1"
    assert "Иван Петренко" not in whole.get_data(as_text=True)
    assert [fact.format for fact in facts(house)] == ["xes", "ocel"]
    assert program.get("/exports/ocel?since=2027-01-01T00:00:00Z").status_code == 404
    assert program.get("/exports/xes?personal=true").status_code == 400
    assert b"bpmn:definitions" in program.get("/process/bpmn").data
    assert program.get("/process/bpmn?version=99").status_code == 404


def test_the_command_line_writes_all_three_once(hub: Commands, tmp_path: Path) -> None:
    site = Site(tmp_path / "one")
    site.furnish(leads=3)
    xes, ocel, drawn = tmp_path / "leads.xes.gz", tmp_path / "leads.json", tmp_path / "process.bpmn"
    said = hub(site, "export", "xes", "-o", str(xes))
    assert (said.code, said.err) == (0, "")
    assert "3 leads" in said.out
    assert gzip.decompress(xes.read_bytes()).count(b"<trace>") == 3
    assert xes.stat().st_mode & 0o077 == 0, "for this user only"
    assert hub(site, "export", "ocel", "--lead", "L-2", "--steps", "--language", "en", "-o", str(ocel)).code == 0
    objects = json.loads(ocel.read_text(encoding="utf-8"))["objects"]
    assert {found["id"] for found in objects if found["type"] == "lead"} == {"L-2"}
    assert hub(site, "export", "bpmn", "-o", str(drawn)).code == 0
    again = hub(site, "export", "bpmn", "-o", str(drawn))
    assert (again.code, "give another name" in again.err) == (1, True)
    for option, value, way_out in (("--from", "вчера", "a day such as"), ("--lead", "99", "no such lead"),
                                   ("--from", "2099-01-01", "Change the dates"), ("--version", "99", "there are 1 to 1")):
        refused = hub(site, "export", "xes", option, value, "-o", str(tmp_path / "none.xes"))
        assert refused.code == 1, refused
        assert way_out in refused.err, refused.err
    assert not (tmp_path / "none.xes").exists()

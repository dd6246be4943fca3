"""The API: what pages can do programs can, with the same rules, once, and with sentences when they may not."""

from __future__ import annotations

import base64
import json
import re
from uuid import uuid4

import pytest

from hub.domain.lead import COMMANDS
from tests.web.api_house import Program, person, program_token
from tests.web.conftest import sign_in
from tests.web.house import House


@pytest.fixture
def manager(house: House) -> Program:
    return person(house, "manager")


@pytest.fixture
def head(house: House) -> Program:
    return person(house, "head")


# --- reading -----------------------------------------------------------------------------------------------------------------


def test_pages_are_stable_while_leads_come_in(house: House, manager: Program) -> None:
    for n in range(5):
        house.receive(f"Клиент {n}", f"+7912345670{n}")
    first = manager.get("/leads?limit=2").json
    house.receive("Новый", "+79123456799")
    second = manager.get(f"/leads?limit=2&cursor={first['next']}").json
    last = manager.get(f"/leads?limit=2&cursor={second['next']}").json
    assert [row["number"] for page in (first, second, last) for row in page["items"]] == [5, 4, 3, 2, 1]
    assert last["next"] is None


@pytest.mark.parametrize("made", [("-number", 10**30, 1), ("-number", 1, -10**30), ("-number", "1", 1), ("due", "x", 1),
                                  ("-number",), ("-received", "\x00", 1), "text", 5])
def test_a_cursor_that_is_not_ours_is_refused(house: House, manager: Program, made: object) -> None:
    house.receive()
    text = base64.urlsafe_b64encode(json.dumps(made).encode()).decode().rstrip("=")
    for path in (f"/leads?cursor={text}", f"/leads?sort=-received&cursor={text}", "/leads?cursor=%D1%8F", "/leads?cursor=-",
                 f"/my/notices?cursor={text}"):
        answer = manager.get(path)
        assert (answer.status_code, answer.json["code"]) == (422, "bad_cursor"), path


@pytest.mark.parametrize("sort", ["number", "-number", "due", "-due", "received", "-received", "updated", "-updated"])
def test_every_order_gives_every_lead_once(house: House, manager: Program, sort: str) -> None:
    for n in range(7):
        house.receive(f"Клиент {n}", f"+7912345670{n}")
    numbers, cursor = [], ""
    while cursor is not None:
        page = manager.get(f"/leads?limit=2&sort={sort}&cursor={cursor}").json
        numbers += [row["number"] for row in page["items"]]
        cursor = page["next"]
    assert sorted(numbers) == list(range(1, 8))


def test_the_list_has_the_filters_of_the_board(house: House, manager: Program) -> None:
    taken, other = house.receive(), house.receive("Ольга Сомова", "+79990001122")
    manager.post(f"/leads/{taken}/take")

    def found(query: str) -> list[str]:
        return [row["id"] for row in manager.get(f"/leads?{query}").json["items"]]
    assert found("show=mine") == [str(taken)]
    assert found("owner=none") == [str(other)]
    assert found("q=сомова") == found("q=0001122") == found("number=2") == [str(other)]
    assert found(f"stage={house.hub.lead(taken).stage}") == [str(taken)]
    assert found("show=won") == []
    assert len(found("show=everything")) == 2


def test_a_filter_that_there_is_not_is_refused_with_what_there_is(manager: Program) -> None:
    answer = manager.get("/leads?stage=nowhere")
    assert answer.status_code == 422
    assert answer.json["field"] == "stage"
    assert "screening" in answer.json["detail"]


def test_a_lead_is_read_as_it_is_and_as_it_was(house: House, manager: Program) -> None:
    lead = house.receive()
    then = house.clock()
    house.clock.advance(minutes=3)
    manager.post(f"/leads/{lead}/take")
    now = manager.get(f"/leads/{lead}")
    assert now.json["state"]["owner"] == f"user:{house.users['manager']}"
    assert now.headers["ETag"] == f'"{now.json["version"]}"'
    assert manager.get(f"/leads/{lead}?at={then:%Y-%m-%dT%H:%M:%SZ}").json["state"]["owner"] == ""
    first = manager.get(f"/leads/{lead}?at=1")
    assert first.json["state"]["people"] == {}
    assert "ETag" not in first.headers
    assert manager.get(f"/leads/{lead}?at=2026-11-23T11:20:00").status_code == 400
    assert manager.get(f"/leads/{lead}?at=1990-01-01T00:00:00Z").status_code == 404


def test_the_events_of_a_lead_come_in_order_page_by_page(house: House, manager: Program) -> None:
    lead = house.receive()
    seen, cursor = [], ""
    while cursor is not None:
        page = manager.get(f"/leads/{lead}/events?limit=4&cursor={cursor}").json
        seen += page["items"]
        cursor = page["next"]
    history = house.hub.history(lead)
    assert [(e["version"], e["type"], e["id"]) for e in seen] == [
        (e.originator_version, e.TOPIC, str(e.event_id)) for e in history]
    assert seen[0]["data"]["channel"] == "website"


# --- commands ----------------------------------------------------------------------------------------------------------------


def test_every_command_has_its_address_and_its_arguments(house: House, manager: Program) -> None:
    paths = manager.client.get("/api/openapi.json").json["paths"]
    assert {f"/api/v1/leads/{{lead}}/{name}" for name in COMMANDS} <= set(paths)


def test_a_lead_goes_its_way_by_the_api(house: House, manager: Program) -> None:
    lead = house.receive()
    for command, body in (("take", None), ("capture_contact", {"call_at": "2026-11-23T12:00:00+03:00", "name": "Иван П."}),
                          ("name_budget", {"amount": "1500000.50"}), ("note", {"text": "Просили перезвонить"})):
        answer = manager.post(f"/leads/{lead}/{command}", body)
        assert answer.status_code == 200, answer.text
        assert answer.json["version"] == house.hub.version(lead)
        assert answer.json["recorded"]
    assert house.hub.lead(lead).budget is not None


def test_a_refusal_is_a_problem_with_the_sentence_of_the_pages(house: House, manager: Program) -> None:
    lead = house.receive()
    russian, english = (manager.post(f"/leads/{lead}/move", {"to": "proposal"}, Accept_Language=lang) for lang in ("ru", "en"))
    for answer in (russian, english):
        assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
        assert answer.json["code"]
        assert answer.json["title"] == "Unprocessable Entity"
    assert russian.json["detail"].startswith("Из")
    assert english.json["detail"].startswith("From")


@pytest.mark.parametrize(("body", "field"), [
    ({"txt": "x"}, "txt"), ({}, "text"), ({"text": 5}, "text"), ({"text": "x", "expected_version": 0}, "expected_version")])
def test_a_body_that_the_description_does_not_allow_names_its_field(house: House, manager: Program, body: object,
                                                                     field: str) -> None:
    answer = manager.post(f"/leads/{house.receive()}/note", body)
    assert (answer.status_code, answer.json["code"], answer.json["field"]) == (400, "bad_argument", field)


def test_what_fits_no_database_or_calendar_is_refused(house: House, manager: Program) -> None:
    lead = house.receive()
    assert manager.post(f"/leads/{lead}/note", {"text": "a\x00b"}).json["code"] == "nul_character"
    assert manager.post(f"/leads/{lead}/sleep", {"until": "9999-12-31", "why": "x"}).json["code"] == "date_far"
    assert manager.post(f"/leads/{lead}/mark_letter", {"letter": 2**40}).status_code == 400
    naive = manager.post(f"/leads/{lead}/plan_step", {"step": "x", "due_at": "2026-12-01T10:00:00"})
    assert (naive.status_code, naive.json["field"]) == (400, "due_at")


def test_other_kinds_of_requests_are_told_what_is_expected(house: House, manager: Program) -> None:
    url = f"/api/v1/leads/{house.receive()}/note"
    for status, sent in ((400, {"data": "{", "content_type": "application/json"}), (415, {"data": "text=x"}),
                         (413, {"data": b" " * 1_000_001, "content_type": "application/json"}),
                         (400, {"data": "[" * 100_000, "content_type": "application/json"})):
        answer = manager.client.post(url, headers=manager.headers, **sent)
        assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.text
    assert manager.get("/nothing").json["code"] == "http_404"
    assert manager.ask("PATCH", "/leads").headers["Allow"]
    assert manager.ask("PATCH", "/leads").json["status"] == 405


# --- the expected version ----------------------------------------------------------------------------------------------------


def test_a_lead_that_moved_on_refuses_the_old_version(house: House, manager: Program) -> None:
    lead = house.receive()
    version = house.hub.version(lead)
    assert manager.post(f"/leads/{lead}/note", {"text": "1"}, If_Match=f'"{version}"').status_code == 200
    by_header = manager.post(f"/leads/{lead}/note", {"text": "2"}, If_Match=f'"{version}"')
    by_body = manager.post(f"/leads/{lead}/note", {"text": "2", "expected_version": version})
    assert (by_header.status_code, by_body.status_code) == (412, 409)
    assert by_header.json["version"] == by_body.json["version"] == house.hub.version(lead) == version + 1


# --- the same request again --------------------------------------------------------------------------------------------------


def test_the_same_key_and_request_is_done_once_and_answered_the_same(house: House, manager: Program) -> None:
    lead = house.receive()
    first = manager.post(f"/leads/{lead}/note", {"text": "раз"}, Idempotency_Key="a")
    house.clock.advance(hours=1)
    again = manager.post(f"/leads/{lead}/note", {"text": "раз"}, Idempotency_Key="a")
    assert first.data == again.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [e.TOPIC for e in house.hub.history(lead)].count("lead.note_added") == 1
    other = manager.post(f"/leads/{lead}/note", {"text": "два"}, Idempotency_Key="a")
    assert (other.status_code, other.json["code"]) == (422, "key_used_otherwise")


def test_a_command_whose_answer_was_lost_in_a_crash_is_recognised_in_the_history(house: House, manager: Program) -> None:
    lead = house.receive()
    first = manager.post(f"/leads/{lead}/note", {"text": "раз"}, Idempotency_Key="a")
    with house.store.writing() as c:  # what a crash between the command and its answer leaves
        c.execute("UPDATE api_answers SET status = 0, body = '', etag = ''")
    assert manager.post(f"/leads/{lead}/note", {"text": "раз"}, Idempotency_Key="a").data == first.data
    with house.store.writing() as c:  # and what is left after the answer's time
        c.execute("DELETE FROM api_answers")
    assert manager.post(f"/leads/{lead}/note", {"text": "раз"}, Idempotency_Key="a").data == first.data
    assert [e.TOPIC for e in house.hub.history(lead)].count("lead.note_added") == 1


def test_keys_belong_to_their_token(house: House, manager: Program, head: Program) -> None:
    lead = house.receive()
    for program in (manager, head):
        assert program.post(f"/leads/{lead}/note", {"text": "раз"}, Idempotency_Key="a").status_code == 200
    assert [e.TOPIC for e in house.hub.history(lead)].count("lead.note_added") == 2


def test_a_refusal_is_not_kept_because_it_changed_nothing(house: House, manager: Program) -> None:
    lead = house.receive()
    asked = {"step": "Позвонить", "due_at": "2026-11-24T10:00:00Z"}
    assert manager.post(f"/leads/{lead}/plan_step", asked, Idempotency_Key="a").status_code == 422
    manager.post(f"/leads/{lead}/take")
    assert manager.post(f"/leads/{lead}/plan_step", asked, Idempotency_Key="a").status_code == 200


def test_answers_hold_no_personal_data(house: House, manager: Program) -> None:
    lead = house.receive("Иван Петренко")
    manager.post(f"/leads/{lead}/add_person", {"name": "Секретов", "phone": "89990001122"}, Idempotency_Key="a")
    manager.post("/leads", {"channel": "phone", "name": "Секретов", "phone": "89990001123"}, Idempotency_Key="b")
    with house.store.reading() as c:
        kept = [dict(row) for row in c.execute("SELECT * FROM api_answers").fetchall()]
    assert len(kept) == 2
    assert not any(secret in str(kept) for secret in ("Секретов", "0001122", "0001123"))


# --- intake, quarantine, merging ---------------------------------------------------------------------------------------------


def test_a_card_opened_by_hand_is_opened_once(house: House, manager: Program) -> None:
    new = {"channel": "phone", "name": "Ольга", "phone": "8 999 000-11-22", "text": "Сайт"}
    first = manager.post("/leads", new, Idempotency_Key="a")
    assert (first.status_code, first.json["began"]) == (201, True)
    with house.store.writing() as c:
        c.execute("DELETE FROM api_answers")
    assert manager.post("/leads", new, Idempotency_Key="a").json == {**first.json, "began": False, "duplicate": True}
    assert house.hub.views.leads.count() == 1
    assert manager.post("/leads", {"channel": "phone"}).json["code"] == "say_who"


def test_the_quarantine_is_worked_by_the_api(house: House, manager: Program) -> None:
    house.make_form()
    for n in range(2):
        house.app.test_client().post("/f/main", data={"name": "Бот", "phone": f"8999000114{n}", "hub_topic": "x"})
    waiting = manager.get("/quarantine").json
    assert waiting["waiting"] == 2
    one, other = (item["receipt"] for item in waiting["items"])
    made = manager.post(f"/quarantine/{one}/release").json
    assert manager.post(f"/quarantine/{one}/release").json == {**made, "began": False, "duplicate": True}
    assert manager.post(f"/quarantine/{other}/dismiss", {"why": "робот"}).status_code == 204
    assert manager.get("/quarantine").json["items"] == []
    assert manager.get(f"/quarantine/{uuid4()}").status_code == 404


def test_leads_are_merged_and_split(house: House, manager: Program) -> None:
    one, other = house.receive(), house.receive("Ольга", "+79990001122")
    assert manager.post(f"/leads/{one}/merge", {"other": str(other), "why": "одно и то же"}).status_code == 200
    assert manager.get("/leads").json["items"][0]["id"] == str(one)
    assert manager.get("/leads?show=everything&number=2").json["items"][0]["merged_into"] == str(one)
    assert manager.post(f"/leads/{one}/unmerge", {"other": str(other), "why": "разные"}).status_code == 200
    assert len(manager.get("/leads").json["items"]) == 2


def test_a_merge_under_one_key_is_done_once_even_if_its_answer_was_never_kept(house: House, manager: Program) -> None:
    one, other = house.receive(), house.receive("Ольга", "+79990001122")
    body, key = {"other": str(other), "why": "одно и то же"}, "merge-1"
    first = manager.post(f"/leads/{one}/merge", body, Idempotency_Key=key)
    with house.store.writing() as cursor:
        cursor.execute("DELETE FROM api_answers")
    again = manager.post(f"/leads/{one}/merge", body, Idempotency_Key=key)
    assert (again.status_code, again.json) == (200, first.json)
    assert house.hub.lead(other).merged_into == one


# --- the company and its numbers ---------------------------------------------------------------------------------------------


def test_the_process_of_any_day(house: House, manager: Program) -> None:
    found = manager.get("/process").json
    assert (found["version"], found["in_force"]) == (1, True)
    assert [stage["id"] for stage in found["file"]["stages"]] == list(house.hub.process.stages)
    assert manager.get("/process/1").json == found
    assert manager.get("/process/2").status_code == 404


def test_accounts_are_for_those_who_keep_them(house: House, manager: Program, head: Program) -> None:
    assert {item["account"] for item in manager.get("/people").json["items"]} == {None}
    assert all(item["account"]["login"] for item in head.get("/people").json["items"])
    narrow = person(house, "head", "read", "work")
    assert {item["account"] for item in narrow.get("/people").json["items"]} == {None}


def test_people_forms_partners_and_the_letter_are_kept_by_the_api(house: House, head: Program) -> None:
    admin, second = person(house, "administrator"), house.users["second"]
    assert admin.ask("PUT", f"/people/{second}", {"name": "Пётр Иванов", "roles": ["manager"]}).json["name"] == "Пётр Иванов"
    assert head.post(f"/people/{second}/absences", {"since": "2026-11-24", "until": "2026-11-25"}).status_code == 201
    assert head.ask("PUT", f"/people/{second}/shifts", {"shifts": {"1": "10:00-18:00"}}).json["account"]["shifts"]
    assert admin.post(f"/people/{second}/disable").json["disabled"] is True
    assert admin.ask("PUT", "/forms/site", {"name": "Сайт"}).json["id"] == "site"
    assert admin.ask("PUT", "/forms/site", {"name": "Сайт, шапка"}).json["name"] == "Сайт, шапка"
    assert admin.post("/forms/site/retire").json["retired"] is True
    price = next(iter(house.hub.process.price_segments))
    made = head.post("/partners", {"name": "Бюро", "prices": [price]}, Idempotency_Key="a").json
    assert head.ask("PUT", f"/partners/{made['id']}", {"name": "Бюро 2", "prices": [price]}).json["partner"]["name"] == "Бюро 2"
    assert [item["partner"]["name"] for item in head.get("/partners").json["items"]] == ["Бюро 2"]
    assert head.ask("PUT", f"/partners/{uuid4()}", {"name": "Бюро", "prices": [price]}).status_code == 404
    assert head.ask("PUT", "/templates/refusal", {"subject_line": "Ответ", "body": "Здравствуйте, {name}"}).status_code == 200
    assert head.get("/templates/refusal").json["subject_line"] == "Ответ"


def test_my_day_and_what_i_was_told(house: House, manager: Program) -> None:
    lead = house.receive()
    offered = person(house, "second") if house.hub.lead(lead).offered_to == (f"user:{house.users['second']}",) else manager
    tasks = offered.get("/my/tasks").json["items"]
    assert ("offer", str(lead)) in {(task["kind"], task["lead"]) for task in tasks}
    notices = offered.get("/my/notices").json
    assert [(n["kind"], n["new"]) for n in notices["items"]] == [("offered", True)]
    assert offered.post("/my/notices/seen", {"position": notices["items"][0]["position"]}).status_code == 204
    assert [n["new"] for n in offered.get("/my/notices").json["items"]] == [False]
    assert offered.get(f"/my/notices?cursor={notices['next']}").json["items"] == []


def test_the_numbers_are_those_of_the_board(house: House, manager: Program) -> None:
    lead = house.receive()
    house.receive("Ольга", "+79990001122")
    house.clock.advance(minutes=10)
    manager.post(f"/leads/{lead}/take")
    numbers = manager.get("/reports/numbers").json
    assert {s["stage"]: s["open"] for s in numbers["stages"] if s["open"]} == {"new": 1, "screening": 1}
    assert {"source": "new", "to": "contact", "count": 1} in numbers["flows"]
    assert next(s for s in numbers["stages"] if s["stage"] == "new")["median_seconds"] == 600
    assert numbers["shows"]["mine"] == 1


# --- by the same rules as the pages ------------------------------------------------------------------------------------------


def test_a_trainee_works_only_their_segments_by_this_door_too(house: House) -> None:
    answer = person(house, "trainee").post(f"/leads/{house.receive()}/note", {"text": "x"})
    assert (answer.status_code, answer.json["code"], answer.json["rule"]) == (403, "not_your_segment", "R12")


def test_an_auditor_reads_and_changes_nothing(house: House) -> None:
    auditor, lead = person(house, "auditor"), house.receive()
    assert auditor.get(f"/leads/{lead}/events").status_code == 200
    before = house.store.head()
    for path, body in ((f"/leads/{lead}/note", {"text": "x"}), ("/leads", {"channel": "phone", "name": "x"}),
                       (f"/leads/{lead}/merge", {"other": str(uuid4()), "why": "x"}), ("/partners", {"name": "x", "prices": []})):
        assert auditor.post(path, body).status_code in (403, 404), path
    assert {event.TOPIC for _, event in house.store.log(before, 100)} == {"attempt.refused"}
    assert auditor.get("/quarantine").status_code == auditor.get("/forms").status_code == 403


def test_a_program_answers_for_no_lead_and_its_work_bears_its_name(house: House) -> None:
    lead = house.receive()
    program = Program(house, program_token(house, "manager", name="Обзвон"))
    assert program.post(f"/leads/{lead}/take").json["code"] == "token_no_person"
    assert program.get("/my/tasks").status_code == 403
    assert program.post(f"/leads/{lead}/note", {"text": "Дозвонились"}).status_code == 200
    assert house.hub.history(lead)[-1].actor.startswith("token:")
    sign_in(program.client, "manager")
    assert "через API: Обзвон" in program.client.get(f"/leads/{lead}").text


def test_the_correlation_of_a_key_is_the_tokens_own_and_that_requests(house: House) -> None:
    one, other = Program(house, program_token(house, "manager")), Program(house, program_token(house, "manager"))
    leads = house.receive(), house.receive("Ольга", "+79990001122")
    for program, lead in ((one, 0), (other, 0), (one, 1)):
        with house.store.writing() as c:
            c.execute("DELETE FROM api_answers")
        for _ in range(2):
            assert program.post(f"/leads/{leads[lead]}/note", {"text": "x"}, Idempotency_Key="a").status_code == 200
    tied = [e.correlation_id for lead in leads for e in house.hub.history(lead) if e.TOPIC == "lead.note_added"]
    assert len(tied) == len(set(tied)) == 3


# --- the description ---------------------------------------------------------------------------------------------------------


def test_the_page_tells_every_address_and_needs_no_session(house: House) -> None:
    client = house.app.test_client()
    document, page = client.get("/api/openapi.json").json, client.get("/api/docs").text
    assert document["openapi"].startswith("3.")
    for path, operations in document["paths"].items():
        assert path in page
        for operation in operations.values():
            if isinstance(operation, dict):
                assert f'id="op-{operation["operationId"]}"' in page
                assert operation["summary"]
    assert "/api/v1/forms/{form}/submissions" in document["paths"]
    for reference in set(re.findall(r'href="#(schema-[^"]+)"', page)):
        assert f'id="{reference}"' in page

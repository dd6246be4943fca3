"""The API's doors: nothing that people can do is missing there, and none of them opens more than it should."""

from __future__ import annotations

import hashlib
from uuid import UUID, uuid4

import pytest

from hub.application import THE_HUB
from hub.domain.lead import COMMANDS
from tests.web.api_house import Program, person, tokens_of
from tests.web.house import House

PAGES = {
    "reports.decide": "give_opinion contribute reassign hand_over", "board.take": "take", "board.move": "move",
    "board.bulk.bulk": "reassign move tag untag", "board.bulk.undo": "undo_move",
    "board.ask.answered": "lose sleep wake refuse disqualify win", "board.quick.add": "open_lead",
    "lead.refusal_asked": "ask_letter", "lead.merged": "merge_leads",
    "log.export": "export_xes export_ocel", "sheets_out.make": "export_leads", "jobs.cancel": "cancel_job",
    "jobs.resume": "resume_job",
    "trail.export": "get_trail", "lead.what_if": "get_what_if", "lead.unmerge": "unmerge_leads", "lead.apart": "tell_leads_apart",
    "lead.compose": "note log_contact log_attempt send_message ask_letter plan_meeting", "lead.person_edited": "edit_person",
    "lead.stepped": "finish_step plan_step plan_meeting",
    "lead.opened": "open_lead", "lead.next_request": "open_next_request", "admin.partners.new": "add_partner",
    "admin.partners.edit": "edit_partner", "admin.partners.retire": "retire_partner",
    "admin.partners.restore": "restore_partner", "admin.quarantine.release": "release",
    "admin.quarantine.dismiss": "dismiss", "admin.quarantine.again": "read_again_quarantined", "admin.forms.new": "put_form",
    "admin.forms.edit": "put_form", "admin.forms.retire": "retire_form", "admin.forms.restore": "restore_form",
    "admin.forms.test": "test_form", "admin.first_steps.test": "test_form",
    "admin.phone.write": "put_phone_line call_from_phone_line",
    "admin.read_models.retry": "retry_read_model", "admin.read_models.skip": "skip_in_read_model",
    "admin.read_models.rebuild": "rebuild_read_model", "admin.letters.write": "put_template",
    "admin.letters.write_first": "put_template", "admin.tokens.revoke": "revoke_token", "admin.users.new": "add_colleague",
    "admin.users.edit": "edit_colleague", "admin.users.disable": "disable_person", "admin.users.enable": "enable_person",
    "admin.users.shifts": "set_shifts", "admin.users.add_absence": "add_absence",
    "admin.users.withdraw_absence": "withdraw_absence", "admin.webhooks.new": "add_webhook",
    "admin.webhooks.edit": "edit_webhook", "admin.webhooks.secret": "renew_webhook_secret",
    "admin.webhooks.test": "test_webhook", "admin.webhooks.pause": "pause_webhook",
    "admin.webhooks.resume": "resume_webhook", "admin.webhooks.remove": "remove_webhook",
    "admin.webhooks.again": "send_again_to_webhook", "admin.webhooks.drop": "drop_for_webhook",
}
"""What each page that changes something is done by in the API."""
BY_PAGE_ONLY = {
    "access.sign_in": "a session is the browser's", "access.sign_out": "a session is the browser's",
    "access.password": "a lost token must not change what outlives it",
    "access.close_session": "a session is the browser's", "access.sign_out_everywhere": "a session is the browser's",
    "access.choose_language": "each request of a program says its language",
    "board.saved.save": "a view is an address of the pages", "board.saved.remove": "a view is an address of the pages",
    "board.saved.begin": "how somebody's pages look", "board.saved.look": "how somebody's pages look",
    "own_notices.save": "a lost token must not change what outlives it",
    "own_notices.code": "a lost token must not change what outlives it",
    "own_notices.unlink": "a lost token must not change what outlives it",
    "own_notices.test": "belongs to the settings of that page",
    "admin.users.close_sessions": "a session is the browser's",
    **dict.fromkeys((f"admin.process.{name}" for name in ("usual", "write", "check", "publish", "rebase", "discard", "restore")),
                    "a lost token must not change the rules that everybody works by"),
    "what_if.change": "a draft of the process is its person's own",
    **dict.fromkeys((f"admin.first_steps.{name}" for name in ("hide", "show")), "belongs to the page of the first steps"),
    "admin.users.password": "a lost token must not change what outlives it",
    "admin.tokens.issue": "a lost token must not make itself a successor",
    "admin.privacy.export": "a lost token must not carry off or erase a person",
    "admin.privacy.erase": "a lost token must not carry off or erase a person",
    "admin.privacy.run": "a lost token must not carry off or erase a person",
    "audit.checkpoint": "the proof of the log is kept on its pages",
    "audit.export_lead": "the proof of the log is kept on its pages",
    "audit.verify": "the proof of the log is kept on its pages",
    "imports.upload": "a program opens leads one by one", "imports.begin": "a program opens leads one by one",
    "imports.drop": "a program opens leads one by one", "imports.undo": "a program opens leads one by one",
}
"""What docs/api.md says is not in the API, and why."""
NOT_PEOPLES = ("public", "hooks", "api", "static")
"""Doors that are not for people who are signed in."""


@pytest.fixture
def head(house: House) -> Program:
    return person(house, "head")


@pytest.fixture
def manager(house: House) -> Program:
    return person(house, "manager")


@pytest.fixture
def admin(house: House) -> Program:
    return person(house, "administrator")


# --- nothing is missing ------------------------------------------------------------------------------------------------------


def test_every_command_and_every_page_that_changes_something_has_its_operation(house: House) -> None:
    """Fails when a command or a page is added without its address in the API, or without a word why not."""
    document = house.app.test_client().get("/api/openapi.json").json
    paths, schemas = document["paths"], document["components"]["schemas"]
    operations = {op["operationId"]: op for path in paths.values() for op in path.values() if isinstance(op, dict)}
    for name, info in COMMANDS.items():
        scopes = operations[name]["description"]
        assert all(f"`{permission}`" in scopes for permission in info.permissions), name
        body = operations[name]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        fields = schemas[body]["properties"]
        assert set(fields) - {"expected_version"} == set(info.arguments.__struct_fields__), name
    changing = {rule.endpoint for rule in house.app.url_map.iter_rules()
                if "POST" in (rule.methods or ()) and rule.endpoint.partition(".")[0] not in NOT_PEOPLES}
    assert changing - {"lead.done"} == PAGES.keys() | BY_PAGE_ONLY.keys()
    assert {name for names in PAGES.values() for name in names.split()} <= operations.keys()


# --- files -------------------------------------------------------------------------------------------------------------------


def upload(program: Program, lead: UUID, data: bytes, name: str = "КП.pdf", kind: str = "application/octet-stream") -> object:
    return program.client.post(f"/api/v1/leads/{lead}/files", query_string={"name": name, "content_type": "application/pdf"},
                               data=data, content_type=kind, headers=program.headers)


def to_interview(house: House, program: Program) -> UUID:
    lead = house.receive()
    for command, body in (("take", None), ("finish_screening", {"progress": "none", "criteria_checked": True}),
                          ("score", {"marks": {p: int(n < 12) for n, p in enumerate(house.hub.process.parameters)}}),
                          ("plan_meeting", {"purpose": "interview", "goal": "Понять задачу",
                                            "starts_at": "2026-11-24T11:00:00+03:00"}),
                          ("override", {"guard": "preparation_done", "reason": "тест"}), ("move", {"to": "preparation"}),
                          ("move", {"to": "interview"})):
        program.post(f"/leads/{lead}/{command}", body)
    return lead


def test_a_version_of_a_proposal_goes_up_and_comes_down_with_its_file(house: House, head: Program) -> None:
    lead = to_interview(house, head)
    assert house.hub.lead(lead).stage == "interview"
    ref = upload(head, lead, b"%PDF-1.7").json  # type: ignore[attr-defined]
    assert (ref["name"], ref["content_type"], ref["size"]) == ("КП.pdf", "application/pdf", 8)
    made = head.post(f"/leads/{lead}/draft_proposal", {"amount": "1500000", "valid_until": "2026-12-31", "file": ref})
    assert made.status_code == 200, made.text
    (file,) = head.get(f"/leads/{lead}/files").json["items"]
    assert (file["digest"], file["type"]) == (ref["digest"], "lead.proposal_drafted")
    down = head.get(f"/leads/{lead}/files/{file['digest']}")
    assert (down.data, down.content_type) == (b"%PDF-1.7", "application/octet-stream")
    assert down.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("wrong", ["another lead's", "made up", "no digest", "another size", "a path", "a header"])
def test_a_command_names_only_files_that_were_uploaded_to_its_lead(house: House, head: Program, wrong: str) -> None:
    lead, other = house.receive(), house.receive("Ольга", "+79990001122")
    ref = upload(head, other if wrong == "another lead's" else lead, b"text").json  # type: ignore[attr-defined]
    ref |= {"made up": {"digest": hashlib.sha256(b"text").hexdigest()}, "no digest": {"digest": "../../hub.db"},
            "another size": {"size": 5}, "a path": {"name": "../a"}, "a header": {"content_type": "a/b\r\nX: y"}}.get(wrong, {})
    head.post(f"/leads/{lead}/take")
    answer = head.post(f"/leads/{lead}/send_message", {"route": {"way": "email", "account": "email/main", "to": "a@example.ru"},
                                                       "files": [ref]})
    assert (answer.status_code, answer.json["code"], answer.json["field"]) == (422, "no_such_upload", "files")


def test_an_upload_is_a_file_of_a_size_by_somebody_who_works_on_the_lead(house: House, head: Program) -> None:
    lead = house.receive()
    assert upload(head, lead, b"x" * (10 * 1024 * 1024 + 1)).status_code == 413  # type: ignore[attr-defined]
    assert upload(head, lead, b"{}", kind="application/json").status_code == 415  # type: ignore[attr-defined]
    assert upload(head, uuid4(), b"x").status_code == 404  # type: ignore[attr-defined]
    for login, code in (("auditor", "not_your_role"), ("trainee", "not_your_segment")):
        refused = upload(person(house, login), lead, b"x")
        assert (refused.status_code, refused.json["code"]) == (403, code)  # type: ignore[attr-defined]
    assert upload(person(house, "head", "read"), lead, b"x").json["code"] == "token_scope"  # type: ignore[attr-defined]
    assert head.get(f"/leads/{lead}/files/{'a' * 64}").status_code == head.get(f"/leads/{lead}/files/x").status_code == 404


# --- the quarantine ----------------------------------------------------------------------------------------------------------


def test_the_quarantine_has_pages_in_which_nothing_is_missing_or_twice(house: House, manager: Program) -> None:
    house.make_form()
    browser = house.app.test_client()
    for n in range(5):  # all at one instant: the order is still one
        browser.post("/f/main", data={"name": "Бот", "phone": f"8999000114{n}", "hub_topic": "x"})
    first = manager.get("/quarantine?limit=2").json
    browser.post("/f/main", data={"name": "Бот", "phone": "89990001149", "hub_topic": "x"})
    second = manager.get(f"/quarantine?limit=2&cursor={first['next']}").json
    seen = [item["receipt"] for page in (first, second) for item in page["items"]]
    last = manager.get(f"/quarantine?limit=200&cursor={second['next']}").json
    seen += [item["receipt"] for item in last["items"]]
    assert len(set(seen)) == len(seen) >= 5
    assert last["next"] is None
    assert manager.get("/quarantine?cursor=WyJ4Il0").json["code"] == "bad_cursor"


# --- numbers -----------------------------------------------------------------------------------------------------------------


def test_the_share_of_deadlines_that_were_met_by_person_and_channel(house: House, manager: Program) -> None:
    kept, late, nobodys = (house.receive(f"Клиент {n}", f"+7912345600{n}") for n in range(3))
    house.receive("Проба", "+79123456009", test=True)
    house.clock.advance(minutes=5)
    manager.post(f"/leads/{kept}/take")
    house.clock.advance(minutes=30)
    house.hub.pass_time(late, at=house.clock())
    house.hub.pass_time(nobodys, at=house.clock())
    person(house, "second").post(f"/leads/{late}/take")  # done, and late all the same
    told = manager.get("/reports/deadlines").json
    by = {(part, row["by"]): (row["met"], row["missed"]) for part in ("deadlines", "people", "channels") for row in told[part]}
    assert by["deadlines", "take"] == (1, 2)
    assert by["people", f"user:{house.users['manager']}"] == (told["met"], 0)
    assert by["people", ""] == (0, told["missed"])
    assert by["channels", "website"] == (told["met"], told["missed"])
    assert told["share"] == told["met"] / (told["met"] + told["missed"])
    assert next(row for row in told["people"] if row["by"] == "")["share"] == 0
    empty = manager.get("/reports/deadlines?until=2026-11-22").json
    assert (empty["met"], empty["share"], empty["people"]) == (0, None, [])
    assert manager.get("/reports/deadlines?since=2026-11-24&until=2026-11-23").json["code"] == "time_turned"


# --- the hub itself ----------------------------------------------------------------------------------------------------------


def test_a_read_model_that_stands_still_is_released_by_the_api(house: House, admin: Program) -> None:
    assert {model["lag"] for model in admin.get("/read-models").json["items"]} == {0}
    assert admin.post("/read-models/leads/retry").json["code"] == "not_parked"
    assert admin.post("/read-models/nothing/retry").status_code == 404
    house.receive()
    with house.store.views.writing() as c:
        c.execute("UPDATE projection_positions SET parked_at_position = position, parked_reason = 'x' WHERE name = 'leads'")
    before = next(m for m in admin.get("/read-models").json["items"] if m["name"] == "leads")
    assert before["parked_reason"] == "x"
    skipped = admin.post("/read-models/leads/skip", {"why": "старое событие"})
    assert (skipped.status_code, skipped.json["parked_at"], skipped.json["skipped"]) == (200, None, 1), skipped.text
    assert admin.post("/read-models/leads/rebuild").json["rebuild"] == "asked"


def test_webhooks_are_kept_by_the_api_and_their_secret_is_told_once(house: House, admin: Program) -> None:
    made = admin.post("/webhooks", {"name": "CRM", "url": "https://hooks.example.com/in", "topics": ["lead.won"]})
    assert (made.status_code, made.json["secret"][:6]) == (201, "whsec_"), made.text
    id = made.json["subscription"]["id"]
    edited = admin.ask("PUT", f"/webhooks/{id}", {"name": "CRM 2", "url": "https://hooks.example.com/in"})
    assert edited.json["webhook"]["name"] == "CRM 2"
    assert admin.post(f"/webhooks/{id}/pause").json["webhook"]["paused"] == "person"
    assert admin.post(f"/webhooks/{id}/resume").json["webhook"]["paused"] == ""
    assert admin.post(f"/webhooks/{id}/secret", {"keep_old": False}).json["secret"] != made.json["secret"]
    assert admin.get(f"/webhooks/{id}/deliveries").json["items"] == []
    assert admin.post(f"/webhooks/{id}/drop", {"position": 1}).json["code"] == "webhook_not_dead"
    assert made.json["secret"] not in admin.get("/webhooks").text
    assert admin.post(f"/webhooks/{id}/remove").status_code == 204
    assert admin.get(f"/webhooks/{id}").status_code == 404


@pytest.mark.parametrize(("path", "body"), [
    ("/webhooks", {"name": "x", "url": "https://hooks.example.com"}), ("/people", {"login": "x", "name": "x", "roles": ["head"]}),
    ("/read-models/leads/rebuild", None), ("/read-models/leads/skip", {"why": "x"}), ("/forms/main/test", None)])
@pytest.mark.parametrize("who", ["manager", "a narrow administrator"])
def test_what_is_the_administrators_is_nobody_elses(house: House, path: str, body: object, who: str) -> None:
    house.make_form()
    program = person(house, "manager") if who == "manager" else person(house, "administrator", "read", "work")
    head = house.store.head()
    answer = program.post(path, body)
    assert (answer.status_code, answer.json["code"]) == (403, "not_your_role" if who == "manager" else "token_scope")
    assert {event.TOPIC for _, event in house.store.log(head, 10)} <= {"attempt.refused"}


def test_colleagues_are_added_and_a_form_is_tested(house: House, admin: Program) -> None:
    house.make_form()
    added = admin.post("/people", {"login": "new.one", "name": "Новый", "roles": ["manager"]})
    assert (added.status_code, added.json["account"]["login"]) == (201, "new.one")
    person = added.json["id"].removeprefix("user:")
    admin.post(f"/people/{person}/absences", {"since": "2026-11-24", "until": "2026-11-25"})
    assert admin.post(f"/people/{person}/absences/withdraw", {"since": "2026-11-24"}).json["account"]["absences"] == []
    tested = admin.post("/forms/main/test").json
    assert house.hub.lead(UUID(tested["lead"])).test


# --- tokens ------------------------------------------------------------------------------------------------------------------


def test_a_token_ends_itself_and_those_of_its_person_and_no_others(house: House) -> None:
    tokens, at = tokens_of(house), house.clock()

    def made(**more: object) -> tuple[UUID, Program]:
        id, secret = tokens.issue("x", ("read",), actor=THE_HUB, at=at, **more)  # type: ignore[arg-type]
        return id, Program(house, secret)
    own, narrow = made(holder=house.users["administrator"])
    others, _ = made(holder=house.users["head"])
    programs, program = made(roles=("administrator",))
    for asking in (narrow, program):
        assert asking.post(f"/tokens/{others}/revoke").json["code"] == "token_scope"
        assert [item["id"] for item in asking.get("/tokens").json["items"]] in ([str(own)], [])
    assert narrow.get("/leads").status_code == 200
    assert program.post(f"/tokens/{programs}/revoke").status_code == 204
    assert narrow.post(f"/tokens/{own}/revoke").status_code == 204
    assert program.get("/leads").status_code == narrow.get("/leads").status_code == 401
    whole = person(house, "administrator")
    assert whole.post(f"/tokens/{others}/revoke").status_code == 204
    assert whole.post(f"/tokens/{uuid4()}/revoke").status_code == 404
    assert len(whole.get("/tokens").json["items"]) == 4


# --- what a fresh look found -------------------------------------------------------------------------------------------------


def test_asking_for_the_head_alone_opens_no_door(manager: Program) -> None:
    for path in ("/forms", "/templates/refusal", "/webhooks"):
        assert manager.ask("HEAD", path).status_code == manager.get(path).status_code == 403


def test_another_request_under_an_old_key_is_another_one_even_when_the_answer_was_forgotten(house: House, head: Program) -> None:
    lead, price = house.receive(), next(iter(house.hub.process.price_segments))
    head.post(f"/leads/{lead}/note", {"text": "раз"}, Idempotency_Key="a")
    first = head.post("/partners", {"name": "Бюро", "prices": [price]}, Idempotency_Key="b").json
    with house.store.writing() as c:  # a week later
        c.execute("DELETE FROM api_answers")
    assert head.post(f"/leads/{lead}/note", {"text": "два"}, Idempotency_Key="a").json["recorded"]
    second = head.post("/partners", {"name": "Студия", "prices": [price]}, Idempotency_Key="b").json
    assert [e.text for e in house.hub.history(lead) if e.TOPIC == "lead.note_added"] == ["раз", "два"]  # type: ignore[attr-defined]
    assert first["id"] != second["id"]
    assert {p["partner"]["name"] for p in head.get("/partners").json["items"]} == {"Бюро", "Студия"}


def test_an_expected_version_is_never_passed_over(house: House, manager: Program) -> None:
    one, other = house.receive(), house.receive("Ольга", "+79990001122")
    merged = manager.post(f"/leads/{one}/merge", {"other": str(other), "why": "x"}, If_Match='"1"')
    assert (merged.status_code, merged.json["code"]) == (400, "bad_header")
    version = house.hub.version(one)
    for said, matched in ((version - 1, version), (version, version - 1)):
        both = manager.post(f"/leads/{one}/note", {"text": "x", "expected_version": said}, If_Match=f'"{matched}"')
        assert (both.status_code, both.json["version"]) == (412, version)
    assert house.hub.version(one) == version


@pytest.mark.parametrize(("body", "russian", "english"), [
    ({}, "нет обязательного поля text", "missing required field"), ({"text": 5}, "нужно str, а пришло int", "got `int`"),
    ({"text": "x", "more": 1}, "поля more здесь нет", "unknown field"), ([], "нужно object, а пришло array", "got `array`")])
def test_a_wrong_request_is_told_in_the_language_of_the_caller(house: House, manager: Program, body: object, russian: str,
                                                               english: str) -> None:
    lead = house.receive()
    assert russian in manager.post(f"/leads/{lead}/note", body, Accept_Language="ru").json["detail"]
    assert english in manager.post(f"/leads/{lead}/note", body, Accept_Language="en").json["detail"]


def test_the_id_of_another_thing_is_no_id(house: House, head: Program, admin: Program) -> None:
    """Whatever is known of the other thing already: its state is not taken for that of the one asked for."""
    lead, somebody = house.receive(), house.users["manager"]
    partner = house.hub.write_partner(None, actor=house.actor("head"), at=house.clock(), name="Бюро",
                                      prices=tuple(house.hub.process.price_segments)[:1])
    token, _ = tokens_of(house).issue("x", ("read",), actor=THE_HUB, at=house.clock(), roles=("manager",))
    webhook = UUID(admin.post("/webhooks", {"name": "CRM", "url": "https://hooks.example.com"}).json["subscription"]["id"])
    things = {"lead": lead, "user": somebody, "partner": partner, "token": token, "webhook": webhook}
    bodies = {"note": {"text": "x"}, "merge": {"other": str(partner), "why": "x"}, "absences": {"since": "2026-11-24",
              "until": "2026-11-25"}, "shifts": {"shifts": {}}, "next-request": {"text": "x"}, "drop": {"position": 1}}
    document = admin.client.get("/api/openapi.json").json
    before, asked = house.store.head(), 0
    for path, operations in document["paths"].items():
        kind = next((name for name in things if f"{{{name}}}" in path), "")
        for method in {"get", "post", "put"} & operations.keys() if kind else ():
            for other in [id for name, id in things.items() if name != kind]:
                url = path.removeprefix("/api/v1").replace(f"{{{kind}}}", str(other)).replace("{digest}", "a" * 64)
                body = bodies.get(path.rpartition("/")[2]) if method != "get" else None
                for program in (head, admin):
                    answer = program.ask(method.upper(), url, body)
                    asked += 1
                    assert 400 <= answer.status_code < 500, (method, url, answer.text)
    assert asked > 200
    assert {event.TOPIC for _, event in house.store.log(before, 10_000)} <= {"attempt.refused"}

"""Tokens: told once, kept as a hash, cut down by scopes, gone at once."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from hub.application import THE_HUB
from hub.domain.errors import NotAllowed, Refused
from hub.domain.staff import User
from hub.web.tokens import Tokens
from tests.serving import opened, run
from tests.web.api_house import Program, person, person_token, program_token, tokens_of
from tests.web.conftest import sign_in
from tests.web.house import House


def test_without_a_good_token_there_is_a_challenge_and_a_sentence(house: House) -> None:
    nobody, wrong = Program(house).get("/leads"), Program(house, "hub_wrong").get("/leads", Accept_Language="en")
    assert (nobody.status_code, nobody.json["code"]) == (401, "token_missing")
    assert (wrong.status_code, wrong.json["code"]) == (401, "token_wrong")
    assert nobody.headers["WWW-Authenticate"] == 'Bearer realm="hub"'
    assert wrong.headers["WWW-Authenticate"] == 'Bearer realm="hub", error="invalid_token"'
    assert wrong.json["detail"].isascii()


def test_a_session_opens_no_door_of_the_api(house: House, client: FlaskClient) -> None:
    sign_in(client, "administrator")
    assert client.get("/api/v1/leads").status_code == 401


def test_the_secret_is_nowhere(house: House) -> None:
    secret = person_token(house, "manager")
    house.settle()
    for path in (house.store.path.parent).rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("end", ["revoked", "expired", "disabled"])
def test_a_token_ends_at_once(house: House, end: str) -> None:
    tokens = tokens_of(house)
    token, secret = tokens.issue("x", ("read",), actor=THE_HUB, at=house.clock(), holder=house.users["manager"],
                                 expires_at=house.clock() + timedelta(days=1))
    program = Program(house, secret)
    assert program.get("/leads").status_code == 200
    if end == "revoked":
        tokens.revoke(token, actor=THE_HUB, at=house.clock())
    elif end == "expired":
        house.clock.advance(days=1)
    else:
        house.hub.change(User, house.users["manager"], lambda u: u.disable(), actor=THE_HUB, at=house.clock())
    assert program.get("/leads").json["code"] == "token_wrong"
    assert [line.state for line in tokens.listed(house.clock())] == [{"disabled": "holder_disabled"}.get(end, end)]


def test_roles_are_those_of_the_person_at_that_moment(house: House) -> None:
    program = person(house, "manager")
    assert program.get("/forms").status_code == 403
    house.hub.edit_user(house.users["manager"], "Мария", ("administrator",), actor=THE_HUB, at=house.clock())
    assert program.get("/forms").status_code == 200


def test_scopes_cut_down_what_the_roles_allow(house: House) -> None:
    reader, lead = person(house, "head", "read"), house.receive()
    assert reader.get(f"/leads/{lead}").status_code == 200
    answer = reader.post(f"/leads/{lead}/note", {"text": "x"})
    assert (answer.status_code, answer.json["code"]) == (403, "token_scope")
    worker = person(house, "head", "read", "work")
    assert worker.post(f"/leads/{lead}/note", {"text": "x"}).status_code == 200
    assert worker.post(f"/leads/{lead}/override", {"guard": "taken", "reason": "x"}).json["code"] == "token_scope"


def test_a_scope_gives_nothing_that_the_role_has_not(house: House) -> None:
    # note needs work, intake or account. A manager has no account: the scope alone opens nothing.
    lead = house.receive()
    assert person(house, "manager", "read", "account").post(f"/leads/{lead}/note", {"text": "x"}).json["code"] == "token_scope"
    assert person(house, "auditor").post(f"/leads/{lead}/note", {"text": "x"}).json["code"] == "not_your_role"


def test_who_may_issue_and_revoke(house: House) -> None:
    tokens, manager, at = tokens_of(house), house.actor("manager"), house.clock()
    own, _ = tokens.issue("моя", ("read",), actor=manager, at=at, holder=house.users["manager"])
    others, _ = tokens.issue("чужая", ("read",), actor=THE_HUB, at=at, holder=house.users["head"])
    with pytest.raises(NotAllowed):
        tokens.issue("чужая", ("read",), actor=manager, at=at, holder=house.users["head"])
    with pytest.raises(NotAllowed):
        tokens.issue("сама", ("read",), actor=manager, at=at, roles=("manager",))
    with pytest.raises(NotAllowed):
        tokens.revoke(others, actor=manager, at=at)
    tokens.revoke(own, actor=manager, at=at)
    tokens.revoke(others, actor=house.actor("administrator"), at=at)
    issued = [event for _, event in house.store.log(0, 1000) if event.TOPIC.startswith("token.")]
    assert [event.TOPIC for event in issued] == ["token.issued", "token.issued", "token.revoked", "token.revoked"]
    assert [line.id for line in tokens.listed(at, house.users["manager"])] == [own]


@pytest.mark.parametrize(("code", "wrong"), [
    ("token_name", {"name": " "}), ("token_no_scopes", {"scopes": ()}), ("token_no_such_scope", {"scopes": ("all",)}),
    ("token_roles", {"roles": ()}), ("no_such_role", {"roles": ("king",)}), ("token_past", {"expires_at": "now"})])
def test_a_token_that_makes_no_sense_is_refused(house: House, code: str, wrong: dict[str, object]) -> None:
    asked: dict[str, object] = {"name": "x", "scopes": ("read",), "roles": ("manager",), **wrong}
    if wrong.get("expires_at"):
        asked["expires_at"] = house.clock()
    with pytest.raises(Refused) as refused:
        tokens_of(house).issue(actor=THE_HUB, at=house.clock(), **asked)  # type: ignore[arg-type]
    assert refused.value.code == code


def test_the_last_use_is_kept(house: House) -> None:
    program = Program(house, program_token(house, "manager"))
    program.get("/leads")
    house.clock.advance(hours=1)
    program.get("/leads")
    assert tokens_of(house).listed(house.clock())[0].last_used == house.clock()


def test_the_administrators_page_issues_shows_once_and_revokes(house: House, client: FlaskClient) -> None:
    token = sign_in(client, "administrator")
    sent = {"csrf_token": token, "name": "Обзвон", "holder": str(house.users["manager"]), "scopes": ["read", "work"],
            "until": "2026-12-31"}
    shown = client.post("/settings/tokens", data=sent)
    secret = re.search(r"hub_[\w-]{40,}", shown.text)
    assert secret
    assert shown.headers["Cache-Control"] == "no-store"
    assert Program(house, secret[0]).get("/leads").status_code == 200
    page = client.get("/settings/tokens").text
    assert "Обзвон" in page
    assert secret[0] not in page
    revoke = re.search(r'action="(/settings/tokens/[^"]+/revoke)"', page)
    assert revoke
    assert client.post(revoke[1], data={"csrf_token": token}).status_code == 303
    assert Program(house, secret[0]).get("/leads").status_code == 401
    again = client.post("/settings/tokens", data={**sent, "name": ""})
    assert again.status_code == 422
    assert "Назовите программу" in again.text


def test_people_keep_tokens_of_their_own(house: House, client: FlaskClient) -> None:
    person_token(house, "head")
    token = sign_in(client, "manager")
    page = client.get("/settings/tokens").text
    assert "программа head" not in page
    assert 'name="holder"' not in page
    shown = client.post("/settings/tokens", data={"csrf_token": token, "name": "Моя", "scopes": ["read"],
                                                  "holder": str(house.users["head"])})
    secret = re.search(r"hub_[\w-]{40,}", shown.text)
    assert secret
    caller = tokens_of(house).caller(secret[0], house.clock())
    assert caller is not None
    assert caller.user == house.users["manager"]


def test_the_command_line_adds_lists_and_revokes(tmp_path: Path) -> None:
    assert run(tmp_path, "token", "add", "Сайт", "--for", "nobody", "--scope", "read").returncode == 1
    added = run(tmp_path, "token", "add", "Сайт", "--role", "manager", "--scope", "read", "--scope", "intake", "--days", "30")
    secret = re.search(r"hub_[\w-]{40,}", added.stdout)
    assert secret, added.stderr
    listed = run(tmp_path, "token", "list").stdout
    assert "Сайт" in listed
    assert "as manager" in listed
    assert secret[0] not in listed
    assert run(tmp_path, "token", "revoke", listed.split()[0]).returncode == 0
    with closing(opened(tmp_path)) as house:
        assert Tokens(house.hub, house.parts.session_key).caller(secret[0], house.parts.clock()) is None

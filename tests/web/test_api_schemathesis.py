"""What the API says of itself is true, whatever is asked, as every role: schemathesis finds nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode

from hub.application import THE_HUB
from hub.domain.token import SCOPES
from hub.web.tokens import Tokens
from tests.serving import Serving, make_form, opened, submit
from tests.web.api_house import person_token, program_token
from tests.web.house import PEOPLE, House

CONFIG = Path(__file__).parents[1] / "schemathesis.toml"
EXAMPLES = 3
"""Of each operation and each way (allowed by the description, or not)."""


def callers(house: House) -> list[str]:
    """The secrets of every role, of programs by themselves, of one with little to do, a wrong one and none."""
    roles = [person_token(house, login) for login in house.users]
    return [*roles, program_token(house, "administrator", "head"), program_token(house, "manager", scopes=("read",)), "wrong", ""]


def things(house: House) -> dict[str, list[str]]:
    """What is there for the places of an address."""
    house.make_form()
    leads = [str(house.receive(f"Клиент {n}", f"+791234500{n:02}")) for n in range(4)]
    house.hub.do(UUID(leads[0]), "take", {}, actor=house.actor("manager"), at=house.clock())
    partner = house.hub.write_partner(None, actor=house.actor("head"), at=house.clock(), name="Бюро",
                                      prices=tuple(house.hub.process.price_segments)[:1])
    webhook, _ = house.hub.add_webhook("CRM", "https://hooks.example.com", actor=house.actor("administrator"), at=house.clock())
    house.app.test_client().post("/f/main", data={"name": "Бот", "phone": "89990001144", "hub_topic": "x"})
    house.settle()
    (row,) = house.hub.views.receipts.quarantine()
    return {"webhook": [str(webhook)], "receipt": [str(UUID(row["id"]))], "name": ["leads"], "lead": leads,
            "user": [str(user) for user in house.users.values()], "partner": [str(partner)], "form": ["main"]}


def test_schemathesis_finds_nothing_as_any_role(house: House) -> None:
    secrets, known = callers(house), things(house)
    able = program_token(house, "administrator", "head")
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", house.app, config=SchemathesisConfig.from_path(CONFIG))
    asked, done = 0, set()
    for found in schema.get_all_operations():
        operation = found.ok()
        places = {name: values[0] for name, values in known.items() if f"{{{name}}}" in operation.path}
        if "/templates/" in operation.path:
            places["name"] = "refusal"
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            cases = operation.as_strategy(generation_mode=mode, path_parameters=places or None)

            @settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
                      suppress_health_check=list(HealthCheck))
            @given(case=cases, secret=st.sampled_from([able] * len(secrets) + secrets))  # half of them by who may
            def examine(case: Any, secret: str) -> None:
                nonlocal asked
                asked += 1
                answer = case.call_and_validate(headers={"Authorization": f"Bearer {secret}"} if secret else {})
                assert answer.status_code != 503
                if answer.status_code < 300:
                    done.add(case.operation.label)

            try:
                examine()
            except Unsatisfiable:  # nothing can be wrong with a request that holds nothing
                assert mode is GenerationMode.NEGATIVE
    assert asked > 400
    assert len(done) >= 25, "hardly anything was answered with more than a refusal"


@pytest.mark.soak
@pytest.mark.parametrize("role", [*PEOPLE, "program", "narrow program", "wrong", "nobody"])
def test_schemathesis_finds_nothing_against_the_running_hub(tmp_path: Path, role: str) -> None:
    make_form(tmp_path)
    with closing(opened(tmp_path)) as house:
        at = house.parts.clock()
        tokens = Tokens(house.hub, house.parts.session_key)
        tokens.prepare()
        secret = "wrong"
        if role in PEOPLE:
            user = house.hub.add_user(role, PEOPLE[role][0], PEOPLE[role][1], actor=THE_HUB, at=at)
            secret = tokens.issue(role, SCOPES, actor=THE_HUB, at=at, holder=user)[1]
        elif role.endswith("program"):
            scopes = SCOPES if role == "program" else ("read", "intake")
            secret = tokens.issue(role, scopes, actor=THE_HUB, at=at, roles=("administrator", "head"))[1]
    with Serving(tmp_path) as server:
        server.start()
        for n in range(5):
            assert submit(server.port, f"key-{n}", f"+791234500{n:02}").status == 202
        header = [] if role == "nobody" else ["-H", f"Authorization: Bearer {secret}"]
        report = tmp_path / "report"
        told = subprocess.run(
            [str(Path(sys.executable).with_name("st")), "--config-file", str(CONFIG), "run",
             f"http://127.0.0.1:{server.port}/api/openapi.json", *header, "-n", "30", "--seed", "1", "--no-color",
             "--suppress-health-check", "all", "--report", "ndjson", "--report-dir", str(report)],
            cwd=tmp_path, capture_output=True, text=True, timeout=1500, check=False)
    print(told.stdout[-2500:])
    assert told.returncode == 0, told.stdout[-6000:]
    assert json.dumps(server.said()).count("Traceback") == 0

"""A whole hub behind a test client: real stores in a temporary folder, a clock that tests move, people of every role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub.application import LeadHub
from tests.web.house import PASSWORD, Clock, House, ready_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """The open parts: .hub, .app, .access, .runner, .clock, .users (login -> stream), .store, .actor(login), .settle()."""
    house = ready_house(tmp_path)
    yield house
    house.close()


@pytest.fixture
def hub(house: House) -> LeadHub:
    return house.hub


@pytest.fixture
def app(house: House) -> Flask:
    return house.app


@pytest.fixture
def clock(house: House) -> Clock:
    return house.clock


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a session; :func:`sign_in` gives it one."""
    return app.test_client()


def csrf_of(client: FlaskClient, path: str = "/sign-in") -> str:
    """The CSRF token that a page of this client carries; for POST as form field ``csrf_token``."""
    page = client.get(path).get_data(as_text=True)
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found, f"{path} has no CSRF token"
    return found[1]


def sign_in(client: FlaskClient, login: str, password: str = PASSWORD) -> str:
    """Sign in through the page as administrator, head, manager, trainee, account, auditor or second (another manager).

    Returns the CSRF token of the new session, for POSTs.
    """
    answer = client.post("/sign-in", data={"login": login, "password": password, "csrf_token": csrf_of(client)})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return csrf_of(client, "/account")

"""Programs with tokens for the tests of the API."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from hub.application import THE_HUB
from hub.domain.token import SCOPES
from hub.web.tokens import Tokens
from tests.web.house import PEOPLE, House


def tokens_of(house: House) -> Tokens:
    found: Tokens = house.app.extensions["tokens"]
    return found


def person_token(house: House, login: str, *scopes: str) -> str:
    """The secret of a token of a person, with every scope when none is named."""
    return tokens_of(house).issue(f"программа {login}", scopes or SCOPES, actor=THE_HUB, at=house.clock(),
                                  holder=house.users[login])[1]


def program_token(house: House, *roles: str, scopes: tuple[str, ...] = SCOPES, name: str = "Сайт") -> str:
    """The secret of a token of a program that acts for itself."""
    return tokens_of(house).issue(name, scopes, actor=THE_HUB, at=house.clock(), roles=roles)[1]


class Program:
    """A program with a token, or without one."""

    def __init__(self, house: House, secret: str = "") -> None:
        self.client = house.app.test_client()
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    def ask(self, method: str, path: str, json: Any = None, **headers: str) -> TestResponse:
        """One request below /api/v1; header names with underscores for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(f"/api/v1{path}", method=method, json=json, headers={**self.headers, **named})

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.ask("GET", path, **headers)

    def post(self, path: str, json: Any = None, **headers: str) -> TestResponse:
        return self.ask("POST", path, json, **headers)


def person(house: House, login: str, *scopes: str) -> Program:
    """The program of a person."""
    return Program(house, person_token(house, login, *scopes))


ROLES = tuple(PEOPLE)

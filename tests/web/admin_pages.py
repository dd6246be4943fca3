"""A signed-in person's browser for the tests of the settings pages."""

from __future__ import annotations

import html
import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.conftest import sign_in
from tests.web.house import House


class Browser:
    """One person, signed in. Pages come back as their visible words with spaces evened out."""

    def __init__(self, house: House, login: str) -> None:
        self.client: FlaskClient = house.app.test_client()
        self.token = sign_in(self.client, login)

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        return answer.get_data(as_text=True)

    def status(self, path: str) -> int:
        return self.client.get(path).status_code

    def post(self, path: str, **fields: Any) -> TestResponse:
        return self.client.post(path, data={**fields, "csrf_token": self.token})

    def done(self, path: str, **fields: Any) -> str:
        """Post, and where it leads."""
        answer = self.post(path, **fields)
        assert answer.status_code == 303, words(answer.get_data(as_text=True))
        return str(answer.headers["Location"])


def words(page: str) -> str:
    """What stands in ``main``, without markup."""
    inner = page[page.index("<main"):] if "<main" in page else page
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", inner)).replace("\xa0", " ").split())


def error_at(page: str, field: str) -> str:
    """The sentence at a field of a refused form."""
    found = re.search(rf'<p class="error" id="f-{field}-error">(.*?)</p>', page, re.S)
    assert found, f"no error at {field}"
    return words(found[1])

"""Where the walks happen: the hub as it is served, with time in the test's hands, and a site on another origin."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from hub.application import THE_HUB
from hub.bootstrap import publish_process
from hub.domain.form import Form, FormSettings, form_stream
from tests.serving import FORM, Serving, free_port, opened, run

PASSWORD = "четыре слова подряд 17"
"""Everybody's."""

MOSCOW = ZoneInfo("Europe/Moscow")
MONDAY = datetime(2026, 11, 16, 10, 0, tzinfo=MOSCOW)
"""A working Monday morning: where every walk begins."""


class Product(Serving):
    """``hub serve`` on a free port. :meth:`advance` moves its time on."""

    def __init__(self, folder: Path, at: datetime = MONDAY, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.clock = folder / "clock"
        self._set((at - datetime.now(UTC)).total_seconds())
        command = [sys.executable, "-m", "tests.browser.serve_shifted", str(self.clock), "serve"]
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(folder, command, port, HUB_PUBLIC_URL=self.url, **settings)

    def _set(self, seconds: float) -> None:
        written = self.clock.with_suffix(".new")
        written.write_text(str(seconds), encoding="ascii")
        os.replace(written, self.clock)

    def now(self) -> datetime:
        """The server's time, on the company's clock."""
        return (datetime.now(UTC) + timedelta(seconds=float(self.clock.read_text(encoding="ascii")))).astimezone(MOSCOW)

    def advance(self, **by: float) -> None:
        """Let time pass, as in ``advance(hours=2)``."""
        self._set(float(self.clock.read_text(encoding="ascii")) + timedelta(**by).total_seconds())

    def at(self, **ahead: float) -> str:
        """A moment ahead as a person types it into a field of date and time."""
        return f"{self.now() + timedelta(**ahead):%Y-%m-%dT%H:%M}"

    def day(self, ahead: int) -> date:
        """A day ahead."""
        return self.now().date() + timedelta(days=ahead)

    def first_password(self) -> str:
        """The one-time password that the first start prints."""
        found = re.search(r"one-time password +(\S+)", self.said())
        assert found, self.said()
        return found[1]

    def events(self, lead: int) -> str:
        """What ``hub lead events`` prints."""
        answer = run(self.folder, "lead", "events", str(lead))
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def topics(self, lead: int) -> list[str]:
        """The lead's events in their order, by their topics without «lead.»."""
        return re.findall(r"^ *\d+  \S+ \S+(?: \(recorded [^)]+\))?  \S+ +lead\.(\S+)  \{", self.events(lead), re.M)

    def state(self, lead: int) -> dict[str, Any]:
        """What ``hub lead show`` prints."""
        answer = run(self.folder, "lead", "show", str(lead))
        assert answer.returncode == 0, answer.stderr
        found: dict[str, Any] = json.loads(answer.stdout)
        return found


def furnish(product: Product, site: Site, **roles: str) -> None:
    """Before the start: people (login=role; the login is the name too) who have chosen their password, and a form of the site."""
    at = MONDAY - timedelta(days=3)
    with closing(opened(product.folder)) as house:
        publish_process(house, at)
        for login, role in roles.items():
            user = house.hub.add_user(login, login.title(), (role,), actor=THE_HUB, at=at)
            house.access.set_password(user, PASSWORD, temporary=False, at=at)
        settings = FormSettings(name="Сайт", origins=(site.url,), phone_shown="8 800 555-35-35")
        house.hub.change(Form, form_stream(FORM), lambda f: f.make(FORM, settings), actor=THE_HUB, at=at)


class Site:
    """A company's own site: plain pages on another origin than the hub's."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://localhost:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                body = site.pages.get(self.path.partition("?")[0])
                page = (f'<!doctype html><html lang="ru"><head><meta charset="utf-8"><link rel="icon" href="data:,">'
                        f"<title>Сайт</title></head><body>{body}</body></html>").encode()
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

        return Handler

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def in_order(wanted: list[str], found: list[str]) -> None:
    """Assert that ``wanted`` stand in ``found`` in this order, whatever lies between."""
    rest = iter(found)
    missing = [one for one in wanted if not any(one == other for other in rest)]
    assert not missing, f"{missing[0]} is missing, or not after what was wanted before it; there is {found}"

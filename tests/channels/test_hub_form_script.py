"""hub-form.js in a real browser, on a page of another origin, against the channel itself behind a small server."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from playwright.sync_api import FilePayload, Page, expect

from hub.channels.base import Rejected, Request
from hub.channels.website import Website, cors_headers, fill_token
from hub.channels.website_snippets import snippets
from hub.domain.delivery import Delivery
from hub.domain.errors import SENTENCES
from hub.domain.form import FormState

SCRIPT = Path(__file__).parents[2] / "hub/web/static/hub-form.js"
KEY = b"k" * 32


@dataclass
class Hub:
    """A hub's door without a store: ``down`` answers that many posts with 503, ``lost`` takes that many and drops the answer."""

    form: FormState = field(default_factory=FormState)
    got: dict[str, Delivery] = field(default_factory=dict)
    posts: int = 0
    down: int = 0
    lost: int = 0
    url: str = ""
    site_url: str = ""
    page: str = ""

    def post(self, request: Request) -> tuple[int, dict[str, Any]]:
        self.posts += 1
        if self.down > 0:
            self.down -= 1
            return 503, {"detail": "later"}
        try:
            (delivery,) = Website(KEY).accept(request, self.form, at=request.at).deliveries
        except Rejected as refusal:
            return refusal.status, {"detail": SENTENCES[refusal.code].ru.format(**refusal.params)}
        duplicate = delivery.delivery_id in self.got
        self.got[delivery.delivery_id] = delivery
        return 202, {"receipt": f"W-{len(self.got)}", "duplicate": duplicate}


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def answer(self, status: int, body: bytes = b"", kind: str = "application/json", **more: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **more}.items():
                self.send_header(name.replace("_", "-"), value)
            for name, value in cors_headers(hub.form, self.headers.get("Origin", "")).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_OPTIONS(self) -> None:
            self.answer(204)

        def do_GET(self) -> None:
            if self.path.startswith("/static/hub-form.js"):
                self.answer(200, SCRIPT.read_bytes(), "text/javascript")
            elif self.path.endswith("/token"):
                opened = datetime.now(UTC) - timedelta(minutes=1)
                self.answer(200, json.dumps({"token": fill_token(KEY, hub.form.id, opened)}).encode())
            else:
                self.answer(404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = hub.post(Request("POST", self.path, headers, body, self.client_address[0], datetime.now(UTC)))
            if hub.lost > 0:
                hub.lost -= 1
                self.close_connection = True
                return
            if self.path.startswith("/f/"):
                self.answer(303, Location=hub.site_url + "/thanks")
            else:
                self.answer(status, json.dumps(answer).encode())

    return Door


def site_handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Site(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            body = "<h1>Спасибо</h1>" if self.path.startswith("/thanks") else hub.page
            page = f'<!doctype html><html lang="ru"><meta charset="utf-8"><title>Сайт</title>{body}</html>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            # A strict site: only the hub's script runs, no inline code and no inline styles.
            self.send_header(
                "Content-Security-Policy",
                f"default-src 'none'; script-src {hub.url}; connect-src {hub.url}; form-action {hub.url} 'self'",
            )
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

    return Site


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler(hub)), ThreadingHTTPServer(("127.0.0.1", 0), site_handler(hub))]
    hub.url, hub.site_url = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    hub.form = FormState(
        id="main",
        name="Сайт",
        origins=(hub.site_url,),
        consent_text="Согласен",
        consent_texts=("Согласен",),
        phone_shown="8 800 555-35-35",
    )
    hub.page = snippets(hub.form, hub.url)["script"]
    threads = [threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}) for server in servers]
    for thread in threads:
        thread.start()
    yield hub
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()


def open_form(page: Page, hub: Hub, query: str = "") -> None:
    with page.expect_response(lambda answer: answer.url.endswith("/token")):
        page.goto(f"{hub.site_url}/landing{query}")
    page.wait_for_function("window.hubForm && document.querySelector('[data-hub-status]')")


def fill(page: Page) -> None:
    page.get_by_label("Имя").fill("Иван")
    page.get_by_label("Телефон").fill("8 900 123-45-67")
    page.get_by_label("Что нужно сделать").fill("Сайт")


def send(page: Page) -> None:
    page.get_by_role("button", name="Отправить").click()


def state(page: Page, value: str, timeout: float = 20_000) -> None:
    expect(page.locator("form")).to_have_attribute("data-hub-state", value, timeout=timeout)


def delivered(hub: Hub) -> Delivery:
    (delivery,) = hub.got.values()
    return delivery


def test_the_script_is_small() -> None:
    assert len(gzip.compress(SCRIPT.read_bytes())) <= 6 * 1024


def test_a_request_arrives_from_another_origin_with_its_attribution(page: Page, hub: Hub) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_form(page, hub, "?utm_source=vk&utm_campaign=first")
    page.context.add_cookies([{"name": "_ym_uid", "value": "1700000000123456789", "url": hub.site_url}])
    open_form(page, hub, "?utm_source=yandex&yclid=12345678901234567890")
    fill(page)
    page.get_by_label("Согласен").check()
    send(page)
    state(page, "sent")
    expect(page.get_by_role("status")).to_have_text("Спасибо, заявка отправлена. Номер: W-1.")
    expect(page.get_by_role("status")).to_be_focused()
    delivery = delivered(hub)
    said = dict(delivery.attribution)
    assert (delivery.suspicion, delivery.name, delivery.addresses[0].value) == ("", "Иван", "+79001234567")
    assert (said["utm_source"], said["yclid"], said["first_utm_source"], said["first_utm_campaign"], said["ym_client_id"]) == (
        "yandex",
        "12345678901234567890",
        "vk",
        "first",
        "1700000000123456789",
    )
    assert said["page"].startswith(hub.site_url)
    assert delivery.consent is not None
    assert (delivery.consent.given, delivery.consent.version) == (True, "1")
    assert dict(delivery.fields)["hub_token"]
    assert dict(delivery.fields)["submission_id"] == delivery.delivery_id
    assert page.get_by_label("Телефон").input_value() == ""
    assert errors == []


def test_a_lost_answer_is_one_request_and_the_button_waits(page: Page, hub: Hub) -> None:
    hub.lost = 1
    open_form(page, hub)
    fill(page)
    send(page)
    expect(page.get_by_role("button", name="Отправить")).to_be_disabled()
    state(page, "sent")
    assert hub.posts >= 2
    assert delivered(hub).name == "Иван"


def test_when_the_hub_is_away_the_request_is_kept_and_goes_on_the_next_visit(page: Page, hub: Hub) -> None:
    hub.down = 99
    page.clock.install()
    open_form(page, hub)
    fill(page)
    send(page)
    pass_time_until(page, "kept")
    assert 2 <= hub.posts <= 4
    state(page, "kept")
    expect(page.get_by_role("status")).to_contain_text("Заявка сохранена")
    expect(page.get_by_role("status")).to_contain_text("8 800 555-35-35")
    assert hub.got == {}
    hub.down = 0
    open_form(page, hub)
    state(page, "sent")
    expect(page.get_by_role("status")).to_contain_text("раньше")
    assert delivered(hub).addresses[0].value == "+79001234567"
    posts = hub.posts
    open_form(page, hub)
    assert hub.posts == posts


def pass_time_until(page: Page, state: str) -> None:
    """Let the page's own clock run, half a second at a time, until the form says ``state``."""
    for _ in range(400):
        if page.locator("form").get_attribute("data-hub-state") == state:
            return
        page.clock.run_for(500)
    raise AssertionError(f"the form never came to {state!r}")


def test_a_refusal_is_shown_in_the_hubs_words_and_nothing_is_lost(page: Page, hub: Hub) -> None:
    hub.page = hub.page.replace(" required", "")
    open_form(page, hub)
    send(page)
    state(page, "refused")
    expect(page.get_by_role("status")).to_contain_text(SENTENCES["site_nothing"].ru)
    fill(page)
    send(page)
    state(page, "sent")
    assert len(hub.got) == 1


def test_the_draft_survives_a_reload_and_consent_is_not_ticked_for_the_visitor(page: Page, hub: Hub) -> None:
    open_form(page, hub)
    fill(page)
    page.get_by_label("Согласен").check()
    open_form(page, hub)
    expect(page.get_by_label("Что нужно сделать")).to_have_value("Сайт")
    expect(page.get_by_label("Согласен")).not_to_be_checked()
    send(page)
    state(page, "sent")
    open_form(page, hub)
    expect(page.get_by_label("Что нужно сделать")).to_have_value("")


def test_it_works_where_storage_is_blocked(page: Page, hub: Hub) -> None:
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('blocked', 'SecurityError'); } })"
    )
    open_form(page, hub)
    fill(page)
    send(page)
    state(page, "sent")
    assert delivered(hub).name == "Иван"


def test_a_double_click_is_one_request(page: Page, hub: Hub) -> None:
    open_form(page, hub)
    fill(page)
    page.locator("form").evaluate("form => { form.requestSubmit(); form.requestSubmit(); }")
    state(page, "sent")
    assert (hub.posts, len(hub.got)) == (1, 1)


def test_a_filled_honeypot_is_marked_and_people_do_not_see_it(page: Page, hub: Hub) -> None:
    open_form(page, hub)
    box = page.locator("[name=hub_topic]").bounding_box()
    assert box is not None
    assert box["x"] < 0
    page.locator("[name=hub_topic]").evaluate("field => { field.value = 'buy' }")
    fill(page)
    send(page)
    state(page, "sent")
    assert delivered(hub).suspicion == "honeypot"


def test_files_go_with_the_request(page: Page, hub: Hub) -> None:
    hub.page = hub.page.replace("  <p><button", '  <p><label>ТЗ <input type="file" name="brief"></label></p>\n  <p><button')
    open_form(page, hub)
    fill(page)
    page.get_by_label("ТЗ").set_input_files(FilePayload(name="ТЗ.txt", mimeType="text/plain", buffer=b"brief"))
    send(page)
    state(page, "sent")
    (file,) = delivered(hub).files
    assert (file.name, file.data) == ("ТЗ.txt", b"brief")


def test_after_success_the_visitor_goes_to_the_thank_you_page(page: Page, hub: Hub) -> None:
    hub.page = snippets(structs.replace(hub.form, thank_you_urls=(hub.site_url + "/thanks",)), hub.url)["script"]
    open_form(page, hub)
    fill(page)
    send(page)
    expect(page.get_by_role("heading", name="Спасибо")).to_be_visible()
    assert len(hub.got) == 1


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_javascript_the_same_form_posts_plainly(page: Page, hub: Hub) -> None:
    page.goto(hub.site_url + "/landing")
    fill(page)
    send(page)
    expect(page.get_by_role("heading", name="Спасибо")).to_be_visible()
    delivery = delivered(hub)
    assert (delivery.suspicion, delivery.addresses[0].value, delivery.delivery_id) == ("", "+79001234567", "")

"""The listener before gunicorn's threads: slow, half and oversized requests hold nobody up, and proxies are believed as set."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from hub.listener import CONNECTIONS, HEAD_WITHIN, LARGEST, WHOLE_WITHIN, Arriving
from hub.server import THREADS
from tests.serving import FORM, Serving, ask, make_form, submit

PATH = f"/api/v1/forms/{FORM}/submissions"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n".encode()
BODY = json.dumps({"name": "Иван", "phone": "8 912 345-67-89"}).encode()
SLOW = {
    "nothing": b"",
    "half a head": HEAD,
    "half a body": HEAD + b"Content-Length: 1000\r\n\r\n{",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{}\r\n0\r\n\r\n",
    "one whole request and half of the next": b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n" + HEAD,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("listener")
    make_form(folder)
    with Serving(folder).start() as serving:
        yield serving


@contextmanager
def clients(server: Serving, number: int, say: bytes) -> Iterator[list[socket.socket]]:
    """Connections that have said this much and stay open."""
    with ExitStack() as stack:
        found = []
        for _ in range(number):
            found.append(stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30)))
            found[-1].sendall(say)
        yield found


def answer(server: Serving, *pieces: bytes) -> bytes:
    """Everything that comes back for these pieces, until the server closes."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)) as client:
        for piece in pieces:
            client.sendall(piece)
        return b"".join(iter(lambda: client.recv(65536), b""))


# ── on a running server ──


@pytest.mark.parametrize("say", SLOW.values(), ids=SLOW)
def test_r1_slow_clients_beyond_all_threads_keep_no_visitor_from_sending(server: Serving, say: bytes) -> None:
    with clients(server, THREADS * 3, say):
        for n in range(3):
            assert submit(server.port, f"{hash(say)}-{n}", f"8 912 100-00-{n:02d}", timeout=4).status == 202


def test_where_connections_run_out_the_oldest_makes_room(server: Serving) -> None:
    with clients(server, CONNECTIONS + 50, HEAD) as slow:
        assert ask(server.port, "GET", "/healthz").status == 200
        assert slow[0].recv(100) == b""


def test_a_file_that_is_too_large_is_refused_in_a_sentence_that_a_browser_can_show(server: Serving) -> None:
    """A server that answers and closes while a browser still sends is shown as a broken connection."""
    size = LARGEST + 5_000_000
    head = (f"POST /f/{FORM} HTTP/1.1\r\nHost: hub\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            f"Content-Length: {size}\r\n\r\n")
    said = answer(server, head.encode(), b"x" * size)
    assert said.startswith(b"HTTP/1.1 413")
    assert "10 МБ" in said.decode()


def test_a_client_that_asks_before_it_sends_is_told_to_go_on_once(server: Serving) -> None:
    head = HEAD + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)) as client:
        client.sendall(head)
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(BODY)
        said = b"".join(iter(lambda: client.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 202")


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_bodies_in_pieces_are_taken_whole(server: Serving, version: bytes) -> None:
    head = HEAD.replace(b"1.1", version) + b"Connection: close\r\n"
    assert b" 202 " in answer(server, head + b"Content-Length: %d\r\n" % len(BODY), b"\r\n", BODY[:5], BODY[5:])[:20]
    if version == b"1.1":
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (BODY[:7], BODY[7:]))
        assert b" 202 " in answer(server, head + b"Transfer-Encoding: chunked\r\n\r\n", chunks, b"0\r\n", b"\r\n")[:20]


def test_requests_one_behind_the_other_are_all_answered(server: Serving) -> None:
    one = b"GET /healthz HTTP/1.1\r\nHost: hub\r\n"
    assert answer(server, (one + b"\r\n") * 3 + one + b"Connection: close\r\n\r\n").count(b"HTTP/1.1 200") == 4


def test_nothing_that_a_stranger_sends_is_in_the_log(server: Serving) -> None:
    for said in (b"\x16\x03+79123456789\r\n\r\n", b"GET /?q=+79123456789 HTTP/9\r\n\r\n",
                 b"GET /+79123456789%0aERROR HTTP/1.0\r\n\r\n", HEAD + b"Content-Length: -5\r\n\r\n"):
        answer(server, said)
    assert "9123456789" not in server.said()
    assert "127.0.0.1:" in server.said()
    assert "Invalid request" not in server.said()


# ── when a request is whole ──


@pytest.mark.parametrize("request_", [
    b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n",
    HEAD + b"content-length:\t5 \r\n\r\n12345",
    HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\nTrailer: a\r\n\r\n",
])
def test_a_request_is_whole_at_its_last_byte_and_not_before(request_: bytes) -> None:
    arriving = Arriving(b"", 0.0)
    for n in range(len(request_)):
        assert not arriving.whole
        arriving.take(request_[n:n + 1])
    assert arriving.whole
    assert bytes(arriving.data) == request_


def test_a_head_has_less_time_than_a_body_and_more_bytes_give_no_more_time() -> None:
    arriving = Arriving(HEAD, 100.0)
    arriving.take(b"X: y\r\n")
    assert arriving.until == 100.0 + HEAD_WITHIN
    arriving.take(b"Content-Length: 9\r\n\r\n")
    arriving.take(b"1")
    assert arriving.until == 100.0 + WHOLE_WITHIN


def test_what_is_no_request_is_left_to_the_parser_to_refuse() -> None:
    for nonsense in (b"x" * 70_000, HEAD + b"Transfer-Encoding: chunked\r\n\r\nno chunk\r\n"):
        assert Arriving(nonsense, 0.0).whole


def test_of_a_body_that_is_too_large_nothing_is_kept() -> None:
    arriving = Arriving(HEAD + b"Content-Length: %d\r\n\r\n" % (LARGEST + 10), 0.0)
    for _ in range(11):
        assert not arriving.whole
        arriving.take(b"x" * (LARGEST // 10))
    assert arriving.whole
    assert len(arriving.data) < 1000


# ── proxies ──


def statuses(folder: Path, proxies: str, forwarded: list[str]) -> list[int]:
    """What a form that takes one request a minute from one address answers to these X-Forwarded-For."""
    make_form(folder, rate_per_minute=1, rate_cap_per_minute=1)
    with Serving(folder, HUB_TRUSTED_PROXIES=proxies).start() as server:
        return [ask(server.port, "POST", PATH, BODY, {"Content-Type": "application/json", "X-Forwarded-For": addresses}).status
                for addresses in forwarded]


def test_without_trusted_proxies_no_header_changes_the_visitors_address(tmp_path: Path) -> None:
    assert statuses(tmp_path, "0", ["198.51.100.1", "198.51.100.2"]) == [202, 429]


def test_behind_one_proxy_the_address_is_the_one_that_it_added(tmp_path: Path) -> None:
    assert statuses(tmp_path, "1", ["198.51.100.1", "198.51.100.2", "203.0.113.9, 198.51.100.2"]) == [202, 202, 429]


def test_behind_two_proxies_the_address_is_the_one_that_the_outer_one_added(tmp_path: Path) -> None:
    assert statuses(tmp_path, "2", ["198.51.100.1, 10.0.0.1", "198.51.100.2, 10.0.0.1", "9.9.9.9, 198.51.100.2, 10.0.0.1"]) \
        == [202, 202, 429]


@pytest.mark.parametrize("headers", [
    {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "off"}, {"X-Forwarded-Host": "evil.example"}, {"SCRIPT_NAME": "/evil"},
    {"X-Forwarded-Prefix": "/evil"}])
def test_no_other_header_of_a_proxy_is_read(server: Serving, headers: dict[str, str]) -> None:
    answer = ask(server.port, "GET", "/account", headers=headers, source="127.0.0.1")
    assert (answer.status, answer.headers["location"]) == (302, "/sign-in?next=/account")

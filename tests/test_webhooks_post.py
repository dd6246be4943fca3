"""One POST to a stranger's server: pinned to the checked address, over TLS, within time and size, following nothing."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.webhooks.guard import Guard
from hub.webhooks.post import READ_MOST, Answer, Limits, Poster
from tests.webhook_receiver import Receiver, Reply

HERE = ("127.0.0.0/8",)
SHORT = Limits(connect=5.0, read=5.0, total=0.3)


def poster(limits: Limits | None = None, tls: ssl.SSLContext | None = None) -> Poster:
    """Sends to this machine, whatever the name."""
    return Poster(Guard(HERE, lambda host, port: ["127.0.0.1"]), limits or Limits(), tls)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@contextmanager
def raw(behave: Callable[[socket.socket, Flag], None]) -> Iterator[str]:
    """A server that does ``behave(connection, over)`` with its one connection; its address."""
    over = Flag()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            behave(connection, over)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            over.set()
            thread.join(30)


# ── answers ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("status", "fault"), [(200, ""), (204, ""), (299, ""), (301, "webhook_redirect"),
                                               (400, "webhook_status"), (410, "webhook_gone"), (500, "webhook_status")])
def test_only_a_status_of_success_is_success(receiver: Receiver, status: int, fault: str) -> None:
    receiver.answer = lambda came: Reply(status)
    assert poster().post(receiver.url, {}, b"{}") == Answer(status, fault)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_wherever_it_leads(receiver: Receiver, status: int) -> None:
    with Receiver() as inside:
        receiver.answer = lambda came: Reply(status, {"Location": inside.url})
        assert poster().post(receiver.url, {}, b"{}").fault == "webhook_redirect"
        assert inside.came == []
    assert len(receiver.came) == 1


def test_the_request_is_what_the_receiver_expects(receiver: Receiver) -> None:
    url = receiver.url.replace("127.0.0.1", "localhost") + "?a=1"
    allowed = Poster(Guard(("localhost",), lambda host, port: ["127.0.0.1"]))
    assert allowed.post(url, {"Content-Type": "application/json"}, b'{"a": "\xd0\xb0"}').fault == ""
    (came,) = receiver.came
    assert came.path == "/hooks?a=1"
    assert came.headers["host"] == f"localhost:{receiver.port}"
    assert (came.headers["content-type"], came.body) == ("application/json", b'{"a": "\xd0\xb0"}')


def test_proxies_of_the_environment_are_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert poster().post(receiver.url, {}, b"{}").fault == ""
        assert proxy.came == []


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert poster().post(f"http://127.0.0.1:{port}/", {}, b"{}") == Answer(0, "webhook_unreachable")


def test_an_address_that_is_refused_is_not_connected_to(receiver: Receiver) -> None:
    strict = Poster(Guard((), lambda host, port: ["127.0.0.1"]))
    assert strict.post(f"https://hooks.example.com:{receiver.port}/", {}, b"{}").fault == "webhook_private"
    assert strict.post(receiver.url, {}, b"{}").fault == "webhook_https"
    assert receiver.came == []


def test_another_address_of_the_host_is_tried_where_the_first_does_not_answer(receiver: Receiver) -> None:
    there = Poster(Guard(("hooks.lan",), lambda host, port: ["127.0.0.9", "127.0.0.1"]))
    assert there.post(f"http://hooks.lan:{receiver.port}/", {}, b"{}").fault == ""


# ── limits ───────────────────────────────────────────────────────────────────────


def silent(connection: socket.socket, over: Flag) -> None:
    over.wait(30)


def drop_by_drop(head: bytes) -> Callable[[socket.socket, Flag], None]:
    """Sends ``head`` and then a byte now and then for ever, so that no silence is ever long."""
    def behave(connection: socket.socket, over: Flag) -> None:
        connection.sendall(head)
        while not over.wait(0.02):
            try:
                connection.sendall(b"a")
            except OSError:
                return
    return behave


@pytest.mark.parametrize("behave", [silent, drop_by_drop(b""), drop_by_drop(b"HTTP/1.1 200 OK\r\nX-Slow: ")],
                         ids=["silent", "status", "headers"])
def test_a_receiver_that_never_finishes_is_left_when_the_time_is_over(behave: Callable[[socket.socket, Flag], None]) -> None:
    with raw(behave) as url:
        assert poster(SHORT).post(url, {}, b"{}") == Answer(0, "webhook_timeout")


def test_a_silence_is_ended_before_the_whole_time_is_over() -> None:
    with raw(silent) as url:
        assert poster(Limits(connect=3600.0, read=0.1, total=3600.0)).post(url, {}, b"{}") == Answer(0, "webhook_timeout")


@pytest.mark.parametrize(("status", "fault"), [(b"200 OK", ""), (b"500 No", "webhook_status")])
def test_a_body_that_never_ends_changes_nothing_of_the_answer(status: bytes, fault: str) -> None:
    """Else a message that was taken would be sent for three days."""
    with raw(drop_by_drop(b"HTTP/1.1 " + status + b"\r\nContent-Length: 999999\r\n\r\n")) as url:
        assert poster(SHORT).post(url, {}, b"{}").fault == fault


def test_of_a_large_answer_only_the_beginning_is_read() -> None:
    sent = 0

    def flood(connection: socket.socket, over: Flag) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 500 No\r\n\r\n")
        block = b"x" * READ_MOST
        try:
            for _ in range(1000):
                connection.sendall(block)
                sent += len(block)
        except OSError:
            return
    with raw(flood) as url:
        answer = poster().post(url, {}, b"{}")
    assert answer.said == "x" * 200
    assert sent < 900 * READ_MOST


@pytest.mark.parametrize("head", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x16\x03\x01" * 50,
                                  b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
                                  b"HTTP/1.1 200 OK\r\nA: " + b"a" * 100_000 + b"\r\n\r\n"])
def test_what_is_no_http_is_a_failure_and_no_fault_of_ours(head: bytes) -> None:
    def behave(connection: socket.socket, over: Flag) -> None:
        connection.recv(65_536)
        connection.sendall(head)
    with raw(behave) as url:
        assert poster().post(url, {}, b"{}").fault == "webhook_broken"


# ── TLS ──────────────────────────────────────────────────────────────────────────


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for ``name``, and that of a client who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    alt: x509.GeneralName
    try:
        alt = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alt = x509.DNSName(name)
    made = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([alt]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256()))
    file = folder / "cert.pem"
    pem = serialization.Encoding.PEM
    file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
                     + made.public_bytes(pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))


def test_it_connects_to_the_checked_address_and_asks_for_the_certificate_of_the_name(tmp_path: Path) -> None:
    """The name leads nowhere by itself: that the message arrives shows that it is not resolved a second time."""
    server, client = certificate(tmp_path, "hooks.example.invalid")
    with Receiver(server) as receiver:
        url = f"https://hooks.example.invalid:{receiver.port}/hooks"
        assert poster(tls=client).post(url, {}, b"{}") == Answer(204)
        assert receiver.came[0].headers["host"] == f"hooks.example.invalid:{receiver.port}"
        assert poster(tls=client).post(f"https://127.0.0.1:{receiver.port}/", {}, b"{}").fault == "webhook_tls"
        assert poster(tls=client).post(f"https://other.example.invalid:{receiver.port}/", {}, b"{}").fault == "webhook_tls"
        assert poster().post(url, {}, b"{}").fault == "webhook_tls", "signed by nobody whom we trust"
        assert len(receiver.came) == 1


def test_an_answer_over_tls_that_never_finishes_is_left_too(tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "hooks.example.invalid")

    def behave(connection: socket.socket, over: Flag) -> None:
        with server.wrap_socket(connection, server_side=True) as secure:
            drop_by_drop(b"HTTP/1.1 200 OK\r\nX-Slow: ")(secure, over)
    with raw(behave) as url:
        port = url.rsplit(":", 1)[1]
        answer = poster(SHORT, tls=client).post(f"https://hooks.example.invalid:{port}", {}, b"{}")
    assert answer == Answer(0, "webhook_timeout")


def test_a_server_without_tls_gets_nothing_to_read(receiver: Receiver) -> None:
    assert poster().post(receiver.url.replace("http:", "https:"), {}, b"{}").fault == "webhook_tls"
    assert receiver.came == []

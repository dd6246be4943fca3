"""Letters out over a real SMTP server that says no, says later, and breaks off (R12, R19): sent once, or said to be unknown."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.channels.base import Failed, Outgoing, Place, Result, Retry, Sent, Trouble, Unknown
from hub.channels.email_out import EmailOut
from hub.channels.email_settings import EmailSettings
from hub.domain.delivery import Address, File
from tests.channels.house import ChannelHouse
from tests.channels.smtp_server import CUT, PASSWORD, USER, MailServer, mail_server

CLIENT = "client@firm.example"
ACCOUNT = "email/main"


class Mailbox(EmailOut):
    """The sending half by itself."""

    kind = "email"
    title = "Почта"
    Settings = EmailSettings


def mailbox(server: MailServer, **more: object) -> Mailbox:
    settings = {"address": USER, "name": "Студия Т", "smtp": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none",
                **more}
    return Mailbox(Place(ACCOUNT, "Почта студии"), msgspec.convert(settings, EmailSettings))


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def message(**more: object) -> Outgoing:
    given = {"text": "Добрый день!", "subject": "О проекте", "to": CLIENT, **more}
    return Outgoing(uuid4(), "email", asked_at=datetime(2026, 11, 23, 9, tzinfo=UTC), **given)  # type: ignore[arg-type]


# ── the letter ───────────────────────────────────────────────────────────────────────


def test_a_letter_has_text_and_html_its_files_and_its_thread(server: MailServer) -> None:
    sent = message(html="<p>Добрый день!</p>", files=(File("КП «Студия».pdf", "application/pdf", b"%PDF\x00\xff"),),
                   answers="<question@firm.example>")
    channel = mailbox(server, plus=True)
    assert channel.send(sent, 0) == Sent((f"<{sent.id.hex}@studio.example>",))
    (came,) = server.came
    letter = came.letter
    assert (came.sender, came.to) == (USER, (CLIENT,))
    assert str(letter["From"]) == f"Студия Т <{USER}>"
    assert letter["Message-ID"] == f"<{sent.id.hex}@studio.example>"
    assert letter["In-Reply-To"] == letter["References"] == "<question@firm.example>"
    assert letter["Reply-To"].addresses[0].addr_spec == f"sales+{sent.id.hex}@studio.example"
    assert letter["Auto-Submitted"] is None
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().strip() == "Добрый день!"
    assert "<p>Добрый день!</p>" in html.get_content()
    (file,) = letter.iter_attachments()
    assert (file.get_filename(), file.get_content(), file.get_content_type()) == ("КП «Студия».pdf", b"%PDF\x00\xff",
                                                                                 "application/pdf")


@pytest.mark.parametrize("text", ["x" * 5000, "я" * 3000, ".\n.точка\n..\n.\r\nконец", "a\x00b", "", "\n\n"])
def test_any_text_arrives_in_short_lines(server: MailServer, text: str) -> None:
    assert isinstance(mailbox(server).send(message(text=text), 0), Sent)
    (came,) = server.came
    assert max(map(len, came.data.split(b"\r\n"))) <= 998
    body = came.letter.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").rstrip("\n") == text.replace("\r\n", "\n").replace("\x00", "").rstrip("\n")


def test_html_is_made_of_the_text_and_nothing_typed_is_markup(server: MailServer) -> None:
    text = "Цена < 5 & <b>жирно</b>\nвторая строка\n\nСсылка https://studio.example/a?b=1&c=2. <script>x</script>"
    assert isinstance(mailbox(server).send(message(text=text), 0), Sent)
    html = server.came[0].letter.get_body(("html",))
    assert html is not None
    content = html.get_content().replace("\r\n", "\n")
    assert "<p>Цена &lt; 5 &amp; &lt;b&gt;жирно&lt;/b&gt;<br>вторая строка</p>" in content
    assert '<a href="https://studio.example/a?b=1&amp;c=2">' in content
    assert "<script>" not in content


OUR_HEADERS = {"from", "to", "subject", "message-id", "date", "mime-version", "x-hub-loop", "content-type",
               "content-transfer-encoding", "in-reply-to", "references"}
EVIL = "Тема\r\nBcc: everyone@firm.example\r\n\r\nтело\x00\u2028ещё"


def test_nothing_that_is_typed_becomes_a_header(server: MailServer) -> None:
    files = (File(f"../../{EVIL}.pdf", f"text/html\r\nX-Evil: 1; name={EVIL}", b"x"), File("a.eml", "message/rfc822", b"x"))
    for sent in (message(subject=EVIL, files=files), message(subject=EVIL, answers=f"<a@b>\r\nX-Evil: 1 {EVIL}"),
                 message(subject=EVIL * 40)):
        assert isinstance(mailbox(server, name=EVIL).send(sent, 0), Sent)
    for came in server.came:
        assert came.to == (CLIENT,)
        assert {name.lower() for name in came.letter} <= OUR_HEADERS
        assert b"\nX-Evil" not in came.data
        for part in came.letter.iter_attachments():
            assert part.get_content_type() == "application/octet-stream"
            assert "/" not in str(part.get_filename())


@pytest.mark.parametrize("to", ["no address", f"{CLIENT}\r\nRCPT TO:<x@y.example>",
                                f"{CLIENT}>, <x@y.example", "a b@firm.example",
                                "@x", f"{CLIENT},x@y.example", "a@" + "я" * 80 + ".рф"])
def test_what_is_no_address_is_refused_and_reaches_no_server(server: MailServer, to: str) -> None:
    assert mailbox(server).send(message(to=to), 0) == Failed("email_address")
    assert server.came == []


def test_a_domain_beyond_ascii_goes_out_in_ascii(server: MailServer) -> None:
    assert isinstance(mailbox(server).send(message(to="client@Почта.рф"), 0), Sent)
    assert server.came[0].to == ("client@xn--80a1acny.xn--p1ai",)


def test_a_name_beyond_ascii_needs_a_server_that_takes_it(server: MailServer) -> None:
    assert isinstance(mailbox(server).send(message(to="иван@почта.рф"), 0), Sent)
    assert server.came[0].to == ("иван@xn--80a1acny.xn--p1ai",)
    with mail_server(enable_SMTPUTF8=False) as narrow:
        assert mailbox(narrow).send(message(to="иван@почта.рф"), 0) == Failed("email_local")
        assert narrow.came == []


def test_an_answer_of_the_hub_itself_starts_no_loop(server: MailServer) -> None:
    """RFC 3834: it has no sender to answer to, and says that nobody wrote it."""
    assert isinstance(mailbox(server).send(message(automatic=True), 0), Sent)
    (came,) = server.came
    assert came.sender == "<>"
    assert came.letter["Auto-Submitted"] == "auto-replied"
    assert came.letter["X-Auto-Response-Suppress"] == "All"


# ── what the server says ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("says", "result"), [
    ({"RCPT": ["550 5.1.1 no such user"]}, Failed("email_recipient", "550 5.1.1 no such user")),
    ({"RCPT": ["450 4.2.0 greylisted"]}, Retry("450 4.2.0 greylisted")),
    ({"MAIL": ["552 5.3.4 too big"]}, Failed("email_refused", "552 5.3.4 too big")),
    ({"MAIL": ["421 4.7.0 too many letters"]}, Retry("421 4.7.0 too many letters", whole=True)),
    ({"DATA": ["451 4.3.0 later"]}, Retry("451 4.3.0 later")),
    ({"DATA": ["554 5.7.1 looks like spam"]}, Failed("email_refused", "554 5.7.1 looks like spam")),
])
def test_later_and_never_are_told_apart(server: MailServer, says: dict[str, list[str]], result: Result) -> None:
    server.says = says
    assert mailbox(server).send(message(), 0) == result
    assert server.came == []


@pytest.mark.parametrize(("at", "kind"), [("MAIL", Retry), ("RCPT", Retry), ("DATA", Unknown)])
def test_a_cut_is_unknown_only_once_the_whole_letter_has_gone(server: MailServer, at: str, kind: type[Result]) -> None:
    server.says = {at: [CUT]}
    assert isinstance(mailbox(server).send(message(), 0), kind)
    assert len(server.came) == (kind is Unknown)


def test_without_a_server_the_account_rests(server: MailServer) -> None:
    with pytest.raises(Trouble, match="SMTP 127.0.0.1:1: ConnectionRefusedError"):
        mailbox(server, smtp_port=1).send(message(), 0)


# ── encryption and the password ──────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and its certificate for 127.0.0.1 in one file."""
    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([]), datetime.now(UTC)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=True)
            .sign(key, hashes.SHA256()))
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return path


def test_starttls_and_a_password(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with mail_server(tls=context) as server:
        own = {"smtp_security": "starttls", "ca_file": str(certificate), "smtp_password": PASSWORD}
        assert isinstance(mailbox(server, **own).send(message(), 0), Sent)
        assert server.signed_in == [USER]
        assert [check.ok for check in mailbox(server, **own).check()] == [True]
        with pytest.raises(Trouble, match="пароль не принят") as trouble:
            mailbox(server, **{**own, "smtp_password": "wrong password"}).send(message(), 0)
        assert "wrong" not in trouble.value.why
        assert trouble.value.seconds == 300
        with pytest.raises(Trouble, match="CERTIFICATE_VERIFY_FAILED"):
            mailbox(server, smtp_security="starttls", smtp_password=PASSWORD).send(message(), 0)
        assert len(server.came) == 1


def test_a_server_without_starttls_gets_no_password(server: MailServer) -> None:
    with pytest.raises(Trouble, match="STARTTLS"):
        mailbox(server, smtp_security="starttls", smtp_password=PASSWORD).send(message(), 0)
    assert server.signed_in == []


# ── over the hub: asked, sent, failed, unknown ───────────────────────────────────────


@pytest.fixture
def house(tmp_path: Path, server: MailServer) -> Iterator[ChannelHouse]:
    house = ChannelHouse(tmp_path, mailbox(server))
    yield house
    house.close()


def a_lead(house: ChannelHouse) -> UUID:
    lead = house.house.receive(addresses=(Address("email", CLIENT, CLIENT),))
    house.do(lead, "take")
    return lead


ROUTE = {"way": "email", "account": ACCOUNT, "to": CLIENT}


def asked(house: ChannelHouse) -> UUID:
    lead = a_lead(house)
    house.do(lead, "send_message", route=ROUTE, text="Добрый день", subject="О проекте")
    return lead


def status(house: ChannelHouse, lead: UUID, number: int = 1) -> str:
    return house.hub.lead(lead).outgoing[number].status


def test_what_cannot_leave_now_leaves_later_under_the_same_id(house: ChannelHouse, server: MailServer) -> None:
    server.says = {"RCPT": ["451 greylisted", "451 greylisted"], "DATA": ["451 later"]}
    lead = asked(house)
    for _ in range(4):
        house.send(ACCOUNT)
        assert status(house, lead) in ("asked", "sent")
        house.clock.advance(minutes=5)
    assert status(house, lead) == "sent"
    assert server.ids() == [f"<{house.hub.lead(lead).outgoing[1].fixed_id}@studio.example>"]


def test_never_is_failed_with_the_servers_words(house: ChannelHouse, server: MailServer) -> None:
    server.says = {"RCPT": ["550 no such user"]}
    lead = asked(house)
    house.send(ACCOUNT)
    failed = house.hub.history(lead)[-2]
    assert (failed.TOPIC, failed.code, failed.why) == ("lead.message_failed", "email_recipient", "550 no such user")  # type: ignore[attr-defined]


def test_what_is_unknown_is_sent_again_by_a_person_under_the_same_message_id(house: ChannelHouse, server: MailServer) -> None:
    """The receiver sees that it is the same letter; and a bounce about it is the newest one's."""
    server.says = {"DATA": [CUT]}
    lead = asked(house)
    house.send(ACCOUNT)
    house.send(ACCOUNT)
    assert status(house, lead) == "unknown"
    assert len(server.came) == 1
    house.do(lead, "send_again", message=1)
    house.send(ACCOUNT)
    assert (status(house, lead), status(house, lead, 2)) == ("unknown", "sent")
    assert len(server.ids()) == 2
    assert len(set(server.ids())) == 1


class Killed(BaseException):
    """Stands for kill -9: nothing of ours runs after it."""


SEAMS = ("claim", "claimed", "connected", "sent", "release", "released", "record", "recorded")


@pytest.mark.parametrize("seam", SEAMS)
@pytest.mark.parametrize("round", range(3))
def test_killed_at_any_seam_it_is_never_sent_twice_and_never_lost(house: ChannelHouse, server: MailServer, seam: str, round: int,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    leads = [asked(house)] + [_further(house, n) for n in range(round)]
    with monkeypatch.context() as broken:
        _kill_at(broken, seam, after=round)
        with pytest.raises(Killed):
            house.send(ACCOUNT)
    house.restart()
    for _ in range(3):
        house.send(ACCOUNT)
        house.clock.advance(minutes=6)
    ids = [f"<{house.hub.lead(lead).outgoing[1].fixed_id}@studio.example>" for lead in leads]
    came = server.ids()
    assert len(came) == len(set(came))
    for lead, id in zip(leads, ids, strict=True):
        assert status(house, lead) in ("sent", "unknown")
        assert status(house, lead) == "unknown" or id in came


def _further(house: ChannelHouse, n: int) -> UUID:
    lead = house.house.receive(phone=f"+7912000000{n}", addresses=(Address("email", f"{n}@firm.example", ""),))
    house.do(lead, "take")
    house.do(lead, "send_message", route={**ROUTE, "to": f"{n}@firm.example"}, text="Добрый день")
    return lead


def _kill_at(broken: pytest.MonkeyPatch, seam: str, after: int) -> None:
    """Die before or after one step of the sender, at its ``after``-th message."""
    from hub.traffic.outbox import LeadMessages, Tries
    owner, name = {"claim": (Tries, "claim"), "claimed": (Tries, "claim"), "connected": (EmailOut, "_transaction"),
                   "sent": (EmailOut, "send"), "release": (Tries, "release"), "released": (Tries, "release"),
                   "record": (LeadMessages, "sent"), "recorded": (LeadMessages, "sent")}[seam]
    real, calls = getattr(owner, name), iter(range(99))

    def dying(*given: object, **more: object) -> object:
        now = next(calls) == after
        if now and seam in ("claim", "connected", "release", "record"):
            raise Killed
        done = real(*given, **more)
        if now:
            raise Killed
        return done
    broken.setattr(owner, name, dying)

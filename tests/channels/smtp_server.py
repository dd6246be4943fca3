"""An SMTP server for tests: aiosmtpd over a real socket, which answers as it was told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from ssl import SSLContext
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "sales@studio.example", "the password of the mailbox"
CUT = "CUT"
"""An answer that is none: the connection breaks."""


@dataclass(frozen=True)
class Came:
    """A letter that the server took."""

    sender: str
    to: tuple[str, ...]
    data: bytes

    @property
    def letter(self) -> EmailMessage:
        """The letter, parsed."""
        found = BytesParser(policy=policy.default).parsebytes(self.data)
        assert isinstance(found, EmailMessage)
        return found


@dataclass
class MailServer:
    """``says`` are answers to come, by command (``MAIL``, ``RCPT``, ``DATA``), the first one first; then it agrees. ``CUT``
    takes the letter (for ``DATA``) and breaks off without a word."""

    came: list[Came] = field(default_factory=list)
    says: dict[str, list[str]] = field(default_factory=dict)
    signed_in: list[str] = field(default_factory=list)
    port: int = 0

    def _answer(self, command: str) -> str | None:
        answers = self.says.get(command, [])
        return answers.pop(0) if answers else None

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if (answer := self._answer("MAIL")) is not None:
            return _or_cut(server, answer)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if (answer := self._answer("RCPT")) is not None:
            return _or_cut(server, answer)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self._answer("DATA")
        if answer is None or answer == CUT:
            assert isinstance(envelope.content, bytes)
            self.came.append(Came(envelope.mail_from or "", tuple(envelope.rcpt_tos), envelope.content))
        return "250 OK taken" if answer is None else _or_cut(server, answer)

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.signed_in.append(data.login.decode())
        return AuthResult(success=data.password.decode() == PASSWORD, handled=False)

    def ids(self) -> list[str]:
        """Message-IDs of what came."""
        return [str(came.letter["Message-ID"]) for came in self.came]


class _Anywhere(Controller):
    """Listens on a free port."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def _or_cut(server: SMTP, answer: str) -> str:
    if answer == CUT:
        assert server.transport is not None
        server.transport.abort()
    return answer


@contextmanager
def mail_server(*, tls: SSLContext | None = None, **more: Any) -> Iterator[MailServer]:
    """A server on a port of its own. With ``tls`` it wants STARTTLS and a password."""
    found = MailServer()
    if tls is not None:
        more |= {"tls_context": tls, "require_starttls": True, "authenticator": found.authenticate, "auth_required": True}
    controller = _Anywhere(found, hostname="127.0.0.1", port=0, server_hostname="mail.test", **more)
    controller.start()
    try:
        found.port = controller.port
        yield found
    finally:
        controller.stop()

"""E-mail out over SMTP (R12, R19): each letter has its Message-ID before the first try, and what the server said is told apart.

A server cannot be asked afterwards whether it took a letter: what breaks off once all of it has been sent is unknown, and
a repeat by a person carries the same Message-ID, by which the receiver can see that it is the same letter.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from hub.channels.base import Channel, Check, Failed, Outgoing, Result, Retry, Sent, Trouble, Unknown, said
from hub.channels.email_letters import POLICY, WIDE, NoAddress, ascii_address, letter, name_of
from hub.channels.email_settings import EmailSettings
from hub.domain.delivery import Address
from hub.domain.errors import sentences

OUR_NAME = "[127.0.0.1]"
ANSWERS_WITHIN = 15.0
"""Seconds that the server has for each answer but the last."""
TAKES_WITHIN = 60.0
"""Seconds that it has to take a letter once it has all of it."""
WRONG_PASSWORD_RESTS = 300.0
"""Seconds of rest after a wrong password: servers lock out who tries too often."""

sentences(
    out_email_address=("Это не адрес почты: исправьте его на карточке и отправьте письмо ещё раз.",
                       "This is no e-mail address: mend it on the card and send the letter again."),
    out_email_recipient=("Сервер почты не принимает письма на этот адрес: проверьте его или напишите иначе.",
                         "The mail server takes no letters for this address: check it, or write another way."),
    out_email_refused=("Сервер почты отказался принять письмо. Причина в его ответе: исправьте её и отправьте ещё раз.",
                       "The mail server refused the letter. Its answer says why: mend that and send it again."),
    out_email_local=("Сервер почты не умеет писать на адреса с нелатинскими буквами перед @: спросите другой адрес.",
                     "The mail server cannot write to addresses with letters beyond Latin before the @: ask for another."),
)


class EmailOut(Channel):
    """The sending half of a mailbox. Without ``smtp`` in its settings nothing is sent."""

    ways = ("email",)
    settings: EmailSettings

    def reaches(self, way: str, address: Address) -> bool:
        return bool(self.settings.smtp) and way == "email" and address.kind == "email"

    def send(self, message: Outgoing, part: int) -> Result:
        own = self.settings
        if not own.smtp:
            return Failed("no_account")
        try:
            sender, to = ascii_address(own.address), ascii_address(message.to)
            made = letter(message, sender, own.name, tagged=own.plus)
        except NoAddress:
            return Failed("email_address")
        with self._signed_in() as client:
            wide = not to.isascii()
            if wide and not client.has_extn("smtputf8"):
                return Failed("email_local")
            data = made.as_bytes(policy=WIDE if wide else POLICY)
            envelope = "" if message.automatic else sender
            return self._transaction(client, envelope, to, data, name_of(message, sender), wide)

    def _transaction(self, client: smtplib.SMTP, sender: str, to: str, data: bytes, name: str, wide: bool) -> Result:
        """MAIL, RCPT, DATA, one by one: what breaks off before the last dot is sent certainly did not leave."""
        options = ["SMTPUTF8", "BODY=8BITMIME"] if wide else []
        if client.has_extn("size"):
            options.append(f"SIZE={len(data)}")
        try:
            answer = client.mail(sender, options)
            if answer[0] != 250:
                return _refused(answer, "email_refused", whole=True)
            answer = client.rcpt(to)
            if answer[0] not in (250, 251):
                return _refused(answer, "email_recipient")
            client.putcmd("data")
            answer = client.getreply()
            if answer[0] != 354:
                return _refused(answer, "email_refused")
            client.send(_quoted(data))
        except (smtplib.SMTPException, OSError) as error:
            client.close()
            return Retry(said(error))
        return self._ended(client, name)

    def _ended(self, client: smtplib.SMTP, name: str) -> Result:
        try:
            if client.sock is not None:
                client.sock.settimeout(TAKES_WITHIN)
            client.send(b".\r\n")
            answer = client.getreply()
        except (smtplib.SMTPException, OSError) as error:
            client.close()
            return Unknown(said(error))
        if answer[0] < 200:
            return Unknown(_words(answer))
        return Sent((name,)) if answer[0] < 300 else _refused(answer, "email_refused")

    # ── the connection ───────────────────────────────────────────────────────────

    @contextmanager
    def _signed_in(self) -> Iterator[smtplib.SMTP]:
        """A connection with its password given. Raises :class:`Trouble`: nothing was sent yet."""
        client = self._connected()
        try:
            self._introduced(client)
            yield client
        finally:
            with suppress(smtplib.SMTPException, OSError):
                client.quit()
            client.close()

    def _connected(self) -> smtplib.SMTP:
        own = self.settings
        try:
            tls = ssl.create_default_context(cafile=own.ca_file or None)
            # Without a name of ours smtplib asks the resolver for one, which may take long where there is none.
            if own.smtp_security == "tls":
                return smtplib.SMTP_SSL(own.smtp, own.smtp_port, local_hostname=OUR_NAME, timeout=ANSWERS_WITHIN, context=tls)
            client = smtplib.SMTP(own.smtp, own.smtp_port, local_hostname=OUR_NAME, timeout=ANSWERS_WITHIN)
        except (smtplib.SMTPException, OSError) as error:
            raise self._trouble(error) from error
        if own.smtp_security == "starttls":
            try:
                client.starttls(context=tls)
            except (smtplib.SMTPException, OSError) as error:
                client.close()
                raise self._trouble(error, "STARTTLS: ") from error
        return client

    def _introduced(self, client: smtplib.SMTP) -> None:
        user, password = self._credentials()
        try:
            client.ehlo_or_helo_if_needed()
            if password:
                client.login(user, password)
        except smtplib.SMTPAuthenticationError as error:
            rests = WRONG_PASSWORD_RESTS if error.smtp_code >= 500 else 0.0
            raise self._trouble(error, "пароль не принят: ", rests) from error
        except (smtplib.SMTPException, OSError) as error:
            raise self._trouble(error) from error

    def _credentials(self) -> tuple[str, str]:
        """Who signs in: those of IMAP where SMTP has none of its own; without a password nobody does."""
        own = self.settings
        if own.smtp_password or own.smtp_security == "none":
            return own.smtp_user or own.login, own.smtp_password
        return own.smtp_user or own.login, own.password

    def _trouble(self, error: Exception, at: str = "", seconds: float = 0.0) -> Trouble:
        own = self.settings
        words = said(error, own.smtp_password, own.password)
        return Trouble(f"SMTP {own.smtp}:{own.smtp_port}: {at}{words}", seconds)

    def check(self) -> list[Check]:
        """Sign in and say goodbye; sends nothing."""
        found, own = super().check(), self.settings
        if not own.smtp:
            return found
        with self._signed_in() as client:
            answer = client.noop()
        where = f"{own.smtp}:{own.smtp_port}, {own.address}"
        return [*found, Check("SMTP", answer[0] == 250, where if answer[0] == 250 else f"{where}: {_words(answer)}")]


def _quoted(data: bytes) -> bytes:
    """A letter as DATA wants it: dots at the beginnings of lines doubled, and ended by a line's end (RFC 5321, 4.5.2)."""
    whole = data if data.endswith(b"\r\n") else data + b"\r\n"
    return (b"." if whole.startswith(b".") else b"") + whole.replace(b"\r\n.", b"\r\n..")


def _refused(answer: tuple[int, bytes], code: str, *, whole: bool = False) -> Result:
    """What an answer other than yes means: 4xx for now, 5xx for ever. What is no answer at all counts as for now."""
    if answer[0] >= 500:
        return Failed(code, _words(answer))
    return Retry(_words(answer), whole=whole and answer[0] == 421)


def _words(answer: tuple[int, bytes]) -> str:
    text = " ".join(answer[1].decode(errors="replace").split())
    return f"{answer[0]} {text}"[:300]


"""Checkpoints by mail to people outside: through the first e-mail account that sends."""

from __future__ import annotations

from uuid import uuid5

from hub.accounts import Accounts
from hub.audit.publishing import Letter, Mail
from hub.channels.base import Failed, Outgoing, Retry, Sent, Trouble
from hub.domain.audit import AUDIT_STREAM
from hub.domain.delivery import Address, File
from hub.domain.errors import SENTENCES

TEXT = """Это контрольная точка журнала {origin}. Её подпись отвечает за первые {size} событий, какими они были
{at:%d.%m.%Y %H:%M} UTC.

Сохраните это письмо. Если журнал потом перепишут, проверка с этой точкой найдёт подмену:

    hub audit verify --checkpoint checkpoint-{size}.txt
    hub audit verify-file ВЫГРУЗКА --checkpoint checkpoint-{size}.txt

This is a checkpoint of the log {origin}: it answers for its first {size} events. Keep this letter: a check against it finds
every later rewriting of them.

{note}"""


BYTES = "application/octet-stream"
"""Of the attached checkpoint: what mail programs take for a text they change, and then its signature does not hold."""


def mailer(accounts: Accounts) -> Mail | None:
    """What sends letters with checkpoints; None where no account sends e-mail."""
    def reaches(to: str) -> Address:
        return Address("email", to, to)
    senders = [channel for channel in accounts.senders() if channel.reaches("email", reaches("somebody@example.org"))]
    if not senders:
        return None
    channel = senders[0]

    def mail(letter: Letter) -> str:
        files = [File(f"checkpoint-{letter.size}.txt", BYTES, letter.note.encode())]
        if letter.stamp is not None:
            files.append(File(f"checkpoint-{letter.size}.tsr", "application/timestamp-reply", letter.stamp))
        text = TEXT.format(origin=letter.origin, size=letter.size, at=letter.at, note=letter.note)
        message = Outgoing(uuid5(AUDIT_STREAM, f"{letter.origin} {letter.size} {letter.to}"), "email", letter.to, text,
                           f"Контрольная точка журнала: {letter.size} событий", files=tuple(files), asked_at=letter.at,
                           automatic=True)
        try:
            result = channel.send(message, 0)
        except Trouble as trouble:
            return trouble.why
        if isinstance(result, Sent):
            return ""
        if isinstance(result, Failed):
            return result.why or SENTENCES[f"out_{result.code}"].en
        return f"{'not sent' if isinstance(result, Retry) else 'it may have left'}: {result.why}"

    return mail

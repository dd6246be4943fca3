"""E-mail: mailboxes that people write to (R1, R6), read by IMAP, and letters of ours by SMTP.

What a letter holds is in :mod:`hub.channels.email_read`, how a mailbox is read in :mod:`hub.channels.email_imap`, how a
letter leaves in :mod:`hub.channels.email_out`.
"""

from __future__ import annotations

from hub.channels.email_in import EmailIn
from hub.channels.email_out import EmailOut


class Email(EmailIn, EmailOut):
    """One mailbox."""

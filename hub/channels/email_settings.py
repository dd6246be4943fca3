"""What the channels file says of a mailbox: how letters are fetched, and how they are sent."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from msgspec import Struct

ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
HOST = re.compile(r"[A-Za-z0-9._\-\[\]:]+")
LOCAL = ("localhost", "127.0.0.1", "::1")

Security = Literal["tls", "starttls", "none"]
"""How a connection is encrypted; ``none`` only inside one machine or network."""


class EmailSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One mailbox. Without ``imap`` it is not read, without ``smtp`` nothing is sent from it.

    ``address`` is what clients write to; ``own`` are further addresses of ours (a sender or ``@domain``). ``folders`` are
    read in this order; ``since`` (a date) leaves alone what the server took in before it. Once a letter is stored it is
    left as it is, marked with the keyword ``$HubDone``, or moved to ``done_folder``. ``forms`` are senders (an address or
    ``@domain``) whose letters are notifications of a site's form. ``largest`` is in bytes: of a larger letter only the
    beginning is read. ``user`` is the address where nothing else is said; ``smtp_user`` and ``smtp_password`` are those of IMAP.
    ``name`` is the sender's name that clients see; ``plus``: the server takes ``address+anything@``.
    ``ca_file`` holds certificates of the company's own for SMTP. ``acknowledge`` says what is answered by itself: ``letters`` to
    this mailbox, and forms as ``form:<address of the form>``.
    """

    address: str
    password: str = ""
    user: str = ""
    imap: str = ""
    imap_port: int = 993
    imap_security: Security = "tls"
    folders: tuple[str, ...] = ("INBOX",)
    since: str = ""
    after: Literal["leave", "mark", "move"] = "leave"
    done_folder: str = "Processed"
    own: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    largest: int = 30_000_000
    name: str = ""
    smtp: str = ""
    smtp_port: int = 465
    smtp_security: Security = "tls"
    smtp_user: str = ""
    smtp_password: str = ""
    plus: bool = False
    ca_file: str = ""
    acknowledge: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not ADDRESS.fullmatch(self.address):
            raise ValueError("address: an e-mail address, such as info@studio.example")
        if not (self.imap or self.smtp):
            raise ValueError("imap: name the IMAP server, or smtp: the SMTP server, or both")
        for field, host, port in (("imap", self.imap, self.imap_port), ("smtp", self.smtp, self.smtp_port)):
            if host and not HOST.fullmatch(host):
                raise ValueError(f"{field}: a host's name without a scheme and without a port, such as {field}.studio.example")
            if not 0 < port < 65536:
                raise ValueError(f"{field}_port: 1 to 65535")
        if self.imap and not self.password:
            raise ValueError("password: reading a mailbox needs one (Gmail, Yandex and Mail.ru: a password for applications)")
        if self.imap and not (self.folders and all(name.strip() for name in self.folders)):
            raise ValueError('folders: at least one, such as ["INBOX"]')
        if self.after == "move" and self.done_folder in self.folders:
            raise ValueError("done_folder: letters cannot be moved to a folder that is read")
        if self.largest < 100_000:
            raise ValueError("largest: at least 100000 bytes")
        for field, listed in (("own", self.own), ("forms", self.forms)):
            if not all(ADDRESS.fullmatch(one) or re.fullmatch(r"@[^@\s]+", one) for one in listed):
                raise ValueError(f"{field}: addresses, or domains such as @studio.example")
        if self.smtp_password and self.smtp_security == "none" and self.smtp not in LOCAL:
            raise ValueError("smtp_security: a password goes out over tls or starttls only")
        if not all(what == "letters" or re.fullmatch(r"form:[a-z0-9_-]+", what) for what in self.acknowledge):
            raise ValueError('acknowledge: "letters", or "form:main" for the form main')
        try:
            self.since_date()
        except ValueError:
            raise ValueError("since: a date such as 2026-11-01") from None

    def since_date(self) -> date | None:
        """The day from which letters are taken; None for all of them."""
        return date.fromisoformat(self.since) if self.since else None

    @property
    def login(self) -> str:
        """Who signs in to IMAP."""
        return self.user or self.address


def listed(address: str, entries: tuple[str, ...]) -> bool:
    """Whether an address is among ``entries``, by itself or by its domain (``@studio.example``)."""
    wanted = address.lower()
    return any(wanted == entry.lower() or (entry.startswith("@") and wanted.endswith(entry.lower())) for entry in entries)

"""Settings of the proof: the signing key, and where checkpoints go. A part of :mod:`hub.config`."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

KEY_FILE = "audit.key"
KEY_BYTES = 32
MOST_HOURS = 8760

SETTINGS = (
    ("HUB_AUDIT_KEY", "<HUB_DATA_DIR>/audit.key",
     "Private key that signs checkpoints: Base64 of 32 bytes; made and kept in the file when not given."),
    ("HUB_AUDIT_HOURS", "24", "Hours between two checkpoints and checks of the whole log: 1 to 8760."),
    ("HUB_AUDIT_FOLDER", "<HUB_DATA_DIR>/checkpoints", "Folder that checkpoints are written to; best on another machine."),
    ("HUB_AUDIT_MAIL", "none", "Addresses outside that checkpoints are mailed to, with commas; the first e-mail account sends."),
    ("HUB_AUDIT_STAMP_URL", "none", "Time stamp authority (RFC 3161) that stamps checkpoints: http(s)://…"),
    ("HUB_AUDIT_STAMP_ROOTS", "none", "Root certificates of that authority: a PEM file."),
)
"""Name, default and meaning, as :class:`hub.config.Setting` has them."""


class BadAuditSetting(ValueError):
    """A setting makes no sense; the sentence never shows the key."""


@dataclass(frozen=True)
class AuditSettings:
    """What :mod:`hub.audit` is told. ``folder`` is None for the folder in the data folder."""

    hours: int = 24
    folder: Path | None = None
    mail: tuple[str, ...] = ()
    stamp_url: str = ""
    stamp_roots: Path | None = None
    key: str = field(default="", repr=False)


def read(given: Mapping[str, str]) -> AuditSettings:
    """The settings of ``given``. Raises :class:`BadAuditSetting`."""
    hours = given.get("HUB_AUDIT_HOURS", "24")
    if not re.fullmatch(r"[0-9]{1,4}", hours) or not 1 <= int(hours) <= MOST_HOURS:
        raise BadAuditSetting(f"HUB_AUDIT_HOURS is {hours!r}: give a whole number from 1 to {MOST_HOURS}.")
    key = given.get("HUB_AUDIT_KEY", "")
    if key and not is_key(key):
        raise BadAuditSetting(f"HUB_AUDIT_KEY has {len(key)} characters and is not Base64 of {KEY_BYTES} bytes: make one with "
                              "`openssl rand -base64 32`, or remove the variable and the hub makes its own.")
    url, roots = (given.get(name, "none") for name in ("HUB_AUDIT_STAMP_URL", "HUB_AUDIT_STAMP_ROOTS"))
    if (url == "none") != (roots == "none"):
        raise BadAuditSetting("HUB_AUDIT_STAMP_URL and HUB_AUDIT_STAMP_ROOTS belong together: give both, or neither.")
    folder, mail = (given.get(name, "none") for name in ("HUB_AUDIT_FOLDER", "HUB_AUDIT_MAIL"))
    return AuditSettings(int(hours), _folder(folder), _addresses(mail), "" if url == "none" else _url(url),
                         None if roots == "none" else _roots(roots), key)


def is_key(text: str) -> bool:
    """Whether a text is a private key."""
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except ValueError:
        return False


def _folder(value: str) -> Path | None:
    if value == "none":
        return None
    path = Path(os.path.expanduser(value)).absolute()
    if os.path.exists(path) and not os.path.isdir(path):
        raise BadAuditSetting(f"HUB_AUDIT_FOLDER is {value!r}: this is a file; give a folder, which is made when it is missing.")
    return path


def _addresses(value: str) -> tuple[str, ...]:
    if value == "none":
        return ()
    found = tuple(address.strip() for address in value.split(","))
    if not all(re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+", address) for address in found):
        raise BadAuditSetting(f"HUB_AUDIT_MAIL is {value!r}: give e-mail addresses with commas between them, or none.")
    return found


def _url(value: str) -> str:
    try:
        url = urlsplit(value)
        good = url.scheme in ("http", "https") and bool(url.hostname) and (url.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise BadAuditSetting("HUB_AUDIT_STAMP_URL is no address: give http(s)://host/path of a time stamp authority, or none.")
    return value


def _roots(value: str) -> Path:
    path = Path(os.path.expanduser(value)).absolute()
    try:
        x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadAuditSetting(f"HUB_AUDIT_STAMP_ROOTS is {value!r}: there are no PEM certificates that the hub may read there; "
                              "give the file of the authority's root certificates.") from error
    return path

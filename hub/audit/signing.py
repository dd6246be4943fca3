"""The key that signs checkpoints: where it is kept, and what it writes (C2SP signed-note, tlog-checkpoint; Ed25519).

The private key is a file of the data folder, or comes from HUB_AUDIT_KEY; it is in no event, no table and no backup. Public
keys are events of the log (:mod:`hub.domain.audit`), so that every checkpoint covers which key may sign it.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.audit.verifier import DASH, ED25519, Key, key_id, read_key
from hub.config_audit import KEY_BYTES, KEY_FILE, is_key


class NoKey(Exception):
    """Checkpoints cannot be signed. The sentence names the way out."""


class Signer:
    """A private key under the name of its log."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes_raw()
        self.key = Key(name, key_id(name, public), public)

    @property
    def vkey(self) -> str:
        """The public key as others are told it."""
        return told(self.key)

    def checkpoint(self, size: int, root: bytes) -> str:
        """The signed note of a tree head. No extension lines: the standard advises against them, and a time that the signer
        writes himself proves nothing; time stamps and the mails tell the time."""
        text = f"{self.key.name}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = self.key.id + self._key.sign(text.encode())
        return f"{text}\n{DASH}{self.key.name} {base64.b64encode(signature).decode()}\n"


class Custody:
    """Where the private key lies: ``given`` by the environment, else a file in ``folder``."""

    def __init__(self, folder: Path, given: str = "") -> None:
        self.path = folder / KEY_FILE
        self._next = folder / f"{KEY_FILE}.next"
        self._given = given

    def first(self, host: str) -> Signer:
        """The signer of a log that has no key on record yet; the key is made and kept where none is given."""
        name = f"{host}/lead-hub/{secrets.token_hex(4)}"
        if not self._given and not self.path.exists():
            self._write(self.path)
        return self._signer(name, self.path)

    def next(self, name: str) -> Signer:
        """The signer that is to follow: the one given now, or one made anew beside the present one; see :meth:`settle`."""
        if not self._given:
            self._next.unlink(missing_ok=True)
            self._write(self._next)
        return self._signer(name, self._next)

    def settle(self, vkey: str) -> None:
        """After the key in force was recorded: the new file takes the place of the old one, whose private key is gone then."""
        if not self._given and self._next.exists() and self._signer(read_key(vkey).name, self._next).vkey == vkey:
            self._next.replace(self.path)
            _sync(self.path.parent)

    def signer(self, vkey: str) -> Signer:
        """The signer of the key that is in force. Raises :class:`NoKey` where another or none is at hand."""
        self.settle(vkey)
        if not self._given and not self.path.exists():
            raise NoKey(f"there is no {self.path}: bring the file back that belongs to this log, or put a new key in force with "
                        "`hub audit rotate-key --why REASON`")
        found = self._signer(read_key(vkey).name, self.path)
        if found.vkey != vkey:
            where = "HUB_AUDIT_KEY" if self._given else str(self.path)
            raise NoKey(f"{where} is not the key in force ({read_key(vkey).id.hex()}): give that one, or put a new one in force "
                        "with `hub audit rotate-key --why REASON`")
        return found

    def _signer(self, name: str, path: Path) -> Signer:
        text = self._given
        if not text:
            try:
                text = path.read_text(encoding="ascii").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise NoKey(f"{path} cannot be read ({type(error).__name__}): bring the file back that belongs to this "
                            "log") from error
        if not is_key(text):
            raise NoKey(f"{path} is damaged: bring the file back that belongs to this log")
        return Signer(name, base64.b64decode(text))

    def _write(self, path: Path) -> None:
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n")
                file.flush()
                os.fsync(file.fileno())
            _sync(path.parent)
        except FileExistsError:
            return  # another process was first
        except OSError as error:
            raise NoKey(f"no key can be kept in {path} ({error.strerror}): let the hub write there, or give "
                        "HUB_AUDIT_KEY") from error


def told(key: Key) -> str:
    """A public key in the form that :func:`hub.audit.verifier.read_key` reads."""
    return f"{key.name}+{key.id.hex()}+{base64.b64encode(ED25519 + key.public).decode()}"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Settings from the environment: one table says what there is, and every bad value is refused by name."""

from __future__ import annotations

import difflib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from hub import config_audit
from hub.config_audit import AuditSettings

SECRET_LENGTH = 32
SECRET_FILE = "secret.key"
TOKEN_LENGTH = 16
MOST_WEB_PROCESSES = 32
LOG_FORMS = ("auto", "json", "text")
PACKAGED_PROCESS = Path(__file__).parent / "domain" / "process.toml"

HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses to listen on that nobody can visit, and the ones that a browser on this machine can."""


class Setting(NamedTuple):
    """One environment variable, as README's table tells it."""

    name: str
    default: str
    meaning: str


SETTINGS = (
    Setting("HUB_HOST", "127.0.0.1", "Address to listen on: an IP address or a host name."),
    Setting("HUB_PORT", "8000", "Port to listen on: 1 to 65535."),
    Setting("HUB_DATA_DIR", "data", "Folder for the database and the secret; made on the first start."),
    Setting("HUB_DATABASE_URL", "sqlite:///<HUB_DATA_DIR>/hub.db",
            "The database: sqlite:///relative/path, sqlite:////absolute/path or postgresql://user:password@host/name."),
    Setting("HUB_DATABASE_LISTEN_URL", "none",
            "PostgreSQL behind a pooler in transaction mode: the direct address, for notifications."),
    Setting("HUB_KEYS_URL", "none",
            "The PostgreSQL database of the personal data's keys; without it they are beside the events, in a schema hub_keys."),
    Setting("HUB_PUBLIC_URL", "http://<HUB_HOST>:<HUB_PORT>",
            "Where visitors and staff reach the hub: http(s)://host, with a port if needed and without a path."),
    Setting("HUB_TRUSTED_PROXIES", "0",
            "How many proxies of yours stand before the hub, each adding to X-Forwarded-For: 0 to 10."),
    Setting("HUB_SECRET_KEY", "<HUB_DATA_DIR>/secret.key",
            "Secret that signs and protects, at least 32 characters; made and kept in the file when not given."),
    Setting("HUB_PROCESS_FILE", "hub/domain/process.toml", "The sales process: a TOML file."),
    Setting("HUB_CHANNELS_FILE", "none", "Accounts of phone, social networks and e-mail: a TOML file."),
    Setting("HUB_WEB_PROCESSES", "1", "Processes that answer requests, each with 16 threads and 24 live pages: 1 to 32; "
            "1 with SQLite."),
    Setting("HUB_LOG", "auto", "Form of the log on stderr: json, text, or auto: text on a terminal, JSON elsewhere."),
    Setting("HUB_METRICS_TOKEN", "none",
            "What Prometheus shows as bearer token to read /metrics, at least 16 characters; without it only this machine may."),
    Setting("HUB_WEBHOOK_ALLOW", "none",
            "Internal hosts and networks that webhooks may be sent to all the same: names and CIDR, with commas."),
    *(Setting(*told) for told in config_audit.SETTINGS),
)
"""Every setting there is. README's table is tested against this one."""


class BadSetting(Exception):
    """A setting makes no sense. The sentence names the variable, its value (never a secret) and what is allowed."""


@dataclass(frozen=True)
class Settings:
    """The hub's settings, all checked. Paths are absolute, so that a change of folder cannot move them."""

    host: str
    port: int
    data_dir: Path
    database_path: Path
    public_url: str
    process_file: Path
    channels_file: Path | None = None
    trusted_proxies: int = 0
    web_processes: int = 1
    log: str = "auto"
    metrics_token: str = field(default="", repr=False)
    webhook_allow: tuple[str, ...] = ()
    audit: AuditSettings = field(default_factory=AuditSettings)
    postgres_url: str = field(default="", repr=False)
    listen_url: str = field(default="", repr=False)
    keys_url: str = field(default="", repr=False)
    given_secret: str = field(default="", repr=False)

    @cached_property
    def secret_key(self) -> str:
        """HUB_SECRET_KEY, or the one kept in the data folder; made there on first use."""
        return self.given_secret or _kept_secret(self.make_data_dir() / SECRET_FILE)

    def make_data_dir(self) -> Path:
        """The data folder, made for this user only where it was missing."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BadSetting(f"HUB_DATA_DIR is {str(self.data_dir)!r}, and this folder cannot be made "
                             f"({error.strerror}): give a folder that the hub may write to.") from error
        return self.data_dir


def load(environ: Mapping[str, str]) -> Settings:
    """The settings that ``environ`` gives, defaults for the rest. Reads the disk, writes nothing.

    Raises :class:`BadSetting` for the first value that makes no sense, and for an unknown HUB_ name.
    """
    _refuse_unknown(environ)
    given = {s.name: environ[s.name].strip() for s in SETTINGS if s.name in environ}
    for name, value in given.items():
        if not value:
            raise BadSetting(f"{name} is empty: give it a value, or remove the variable to have the default.")
    host = _host(given.get("HUB_HOST", "127.0.0.1"))
    port = _port(given.get("HUB_PORT", "8000"))
    data_dir = _folder(given.get("HUB_DATA_DIR", "data"))
    database = given.get("HUB_DATABASE_URL", "")
    return Settings(
        host=host,
        port=port,
        data_dir=data_dir,
        database_path=data_dir / "hub.db" if _is_postgres(database) or not database else _database(database),
        public_url=_public_url(given["HUB_PUBLIC_URL"]) if "HUB_PUBLIC_URL" in given else _own_url(host, port),
        process_file=_process_file(given["HUB_PROCESS_FILE"]) if "HUB_PROCESS_FILE" in given else PACKAGED_PROCESS,
        channels_file=_channels_file(given.get("HUB_CHANNELS_FILE", "none")),
        trusted_proxies=_proxies(given.get("HUB_TRUSTED_PROXIES", "0")),
        web_processes=_web_processes(given.get("HUB_WEB_PROCESSES", "1"), given.get("HUB_DATABASE_URL", "")),
        log=_log(given.get("HUB_LOG", "auto")),
        metrics_token=_metrics_token(given.get("HUB_METRICS_TOKEN", "none")),
        webhook_allow=_allowed(given.get("HUB_WEBHOOK_ALLOW", "none")),
        audit=_audit(given),
        postgres_url=_postgres("HUB_DATABASE_URL", database) if _is_postgres(database) else "",
        listen_url=_beside_postgres("HUB_DATABASE_LISTEN_URL", given, database),
        keys_url=_beside_postgres("HUB_KEYS_URL", given, database),
        given_secret=_secret(given["HUB_SECRET_KEY"]) if "HUB_SECRET_KEY" in given else "",
    )


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = [setting.name for setting in SETTINGS]
    for name in sorted(environ):
        if name.startswith("HUB_") and name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
            raise BadSetting(f"{name} is not a setting of the hub. Did you mean {nearest}? "
                             f"Known are: {', '.join(known)}.")


def _refusal(name: str, value: str, allowed: str) -> BadSetting:
    shown = re.sub(r"^(\w+://)?.*@", r"\1***@", value)  # a URL may carry a password
    return BadSetting(f"{name} is {shown!r}: {allowed}.")


def _is_host(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        looks_like_ip = re.fullmatch(r"[0-9.]+", value)
        return not looks_like_ip and len(value) <= 253 and HOST_NAME.fullmatch(value) is not None
    return True


def _host(value: str) -> str:
    if not _is_host(value):
        raise _refusal("HUB_HOST", value, "give an IP address or a host name, such as 127.0.0.1 or 0.0.0.0")
    return value


def _port(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", value) or not 1 <= int(value) <= 65535:
        raise _refusal("HUB_PORT", value, "give a whole number from 1 to 65535")
    return int(value)


def _proxies(value: str) -> int:
    if not re.fullmatch(r"[0-9]|10", value):
        raise _refusal("HUB_TRUSTED_PROXIES", value, "give how many proxies of yours stand before the hub, from 0 to 10")
    return int(value)


def _web_processes(value: str, database: str) -> int:
    if not re.fullmatch(r"[0-9]{1,2}", value) or not 1 <= int(value) <= MOST_WEB_PROCESSES:
        raise _refusal("HUB_WEB_PROCESSES", value, f"give a whole number from 1 to {MOST_WEB_PROCESSES}")
    if int(value) > 1 and not database.startswith(("postgresql:", "postgres:")):
        raise _refusal("HUB_WEB_PROCESSES", value, "with SQLite one process answers requests: give 1, or name a PostgreSQL "
                                                   "database in HUB_DATABASE_URL")
    return int(value)


def _log(value: str) -> str:
    if value not in LOG_FORMS:
        raise _refusal("HUB_LOG", value, f"give {', '.join(LOG_FORMS[:-1])} or {LOG_FORMS[-1]}")
    return value


def _metrics_token(value: str) -> str:
    if value == "none":
        return ""
    if len(value) < TOKEN_LENGTH or not value.isascii() or not value.isprintable() or " " in value:
        raise BadSetting(f"HUB_METRICS_TOKEN has {len(value)} characters: give at least {TOKEN_LENGTH} of ASCII without spaces, "
                         "or remove the variable, and only this machine may read /metrics.")
    return value


def _allowed(value: str) -> tuple[str, ...]:
    if value == "none":
        return ()
    entries = tuple(entry.strip() for entry in value.split(","))
    if not all(_is_network(entry) or _is_host(entry) for entry in entries):
        raise _refusal("HUB_WEBHOOK_ALLOW", value,
                       "give host names and networks with commas between them, such as crm.lan,10.0.0.0/8, or none")
    return entries


def _audit(given: Mapping[str, str]) -> AuditSettings:
    try:
        return config_audit.read(given)
    except config_audit.BadAuditSetting as error:
        raise BadSetting(str(error)) from error


def _is_network(value: str) -> bool:
    try:
        ip_network(value)
    except ValueError:
        return False
    return True


def _folder(value: str) -> Path:
    path = Path(os.path.expanduser(value)).absolute()
    if os.path.exists(path) and not os.path.isdir(path):
        raise _refusal("HUB_DATA_DIR", value, "this is a file; give a folder, which is made when it is missing")
    return path


def _is_postgres(value: str) -> bool:
    return value.startswith(("postgresql:", "postgres:"))


def _postgres(name: str, value: str) -> str:
    try:
        url = urlsplit(value)
        good = url.scheme in ("postgresql", "postgres") and url.path.strip("/") and (url.port or 1) > 0 and not url.fragment
    except ValueError:
        good = False
    if not good:
        raise _refusal(name, value, "give postgresql://user:password@host:port/name, with the name of the database at the end")
    return value


def _beside_postgres(name: str, given: Mapping[str, str], database: str) -> str:
    value = given.get(name, "none")
    if value == "none":
        return ""
    if not _is_postgres(database):
        raise BadSetting(f"{name} is of use with PostgreSQL only: remove it, or name a PostgreSQL database in HUB_DATABASE_URL.")
    return _postgres(name, value)


def _database(value: str) -> Path:
    scheme, separator, path = value.partition(":///")
    if scheme != "sqlite" or not separator or not path or re.search("[?#]", path):
        raise _refusal("HUB_DATABASE_URL", value, "give sqlite:///relative/path, sqlite:////absolute/path or "
                                                  "postgresql://user:password@host/name")
    if path == ":memory:":
        raise _refusal("HUB_DATABASE_URL", value, "the database must be a file, or a restart would lose every lead")
    file = Path(path).absolute()
    if os.path.isdir(file):
        raise _refusal("HUB_DATABASE_URL", value, "this is a folder; give the path of a file in it, such as hub.db")
    return file


def _own_url(host: str, port: int) -> str:
    host = EVERY_ADDRESS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _public_url(value: str) -> str:
    allowed = "give http:// or https:// and a host, with a port if needed and nothing after it, " \
              "such as https://hub.example.com"
    try:
        url = urlsplit(value)
        port = url.port
        host = _ascii_host(url.hostname or "")
    except ValueError:
        raise _refusal("HUB_PUBLIC_URL", value, allowed) from None
    extra = url.path.strip("/") or url.query or url.fragment or url.username is not None or re.search(r"[?#\s\\]", value)
    if url.scheme not in ("http", "https") or not _is_host(host) or extra or port == 0:
        raise _refusal("HUB_PUBLIC_URL", value, allowed)
    shown = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{shown}" + (f":{port}" if port else "")


def _ascii_host(host: str) -> str:
    """``host`` as it goes into headers and links: a Cyrillic domain becomes its ``xn--`` form."""
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _process_file(value: str) -> Path:
    path = Path(os.path.expanduser(value)).absolute()
    if not os.path.isfile(path):
        raise _refusal("HUB_PROCESS_FILE", value, "there is no such file; give the path of a process file (TOML)")
    if not os.access(path, os.R_OK):
        raise _refusal("HUB_PROCESS_FILE", value, "the hub may not read this file; change its permissions")
    return path


def _channels_file(value: str) -> Path | None:
    if value == "none":
        return None
    path = Path(os.path.expanduser(value)).absolute()
    if not os.path.isfile(path) or not os.access(path, os.R_OK):
        raise _refusal("HUB_CHANNELS_FILE", value, "there is no such file that the hub may read; give a TOML file of accounts")
    return path


def _secret(value: str) -> str:
    if len(value) < SECRET_LENGTH:
        raise BadSetting(f"HUB_SECRET_KEY has {len(value)} characters: give at least {SECRET_LENGTH}, "
                         "or remove the variable and the hub makes its own.")
    return value


def _kept_secret(path: Path) -> str:
    """The secret in ``path``, made there once: of several processes that start together one makes it."""
    try:
        if not path.exists():
            _make_secret(path)
        value = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        value = ""
    if len(value) < SECRET_LENGTH:
        raise BadSetting(f"HUB_SECRET_KEY is not set, and the one kept in {str(path)!r} is damaged or cannot be read: "
                         "restore this file from a backup, or give HUB_SECRET_KEY.")
    return value


def _make_secret(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link appears whole or not at all, and never replaces the secret of a faster process.
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        raise BadSetting(f"HUB_SECRET_KEY is not set, and it cannot be kept in {str(path)!r} ({error.strerror}): "
                         "let the hub write to HUB_DATA_DIR, or give HUB_SECRET_KEY.") from error


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

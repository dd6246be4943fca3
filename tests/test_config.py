"""Settings from the environment: defaults that work, and a clear sentence for everything that makes no sense."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from hub.config import PACKAGED_PROCESS, SECRET_FILE, SETTINGS, BadSetting, Settings, load

ROOT = Path(__file__).parents[1]
SECRET = "correct-horse-battery-staple-0123456789"


def test_with_nothing_set_the_hub_serves_this_machine_from_the_data_folder() -> None:
    settings = load({"PATH": "/usr/bin"})
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.data_dir == Path.cwd() / "data"
    assert settings.database_path == Path.cwd() / "data" / "hub.db"
    assert settings.process_file == PACKAGED_PROCESS


def test_reading_the_settings_writes_nothing(tmp_path: Path) -> None:
    load({"HUB_DATA_DIR": str(tmp_path / "data")})
    assert list(tmp_path.iterdir()) == []


def test_everything_can_be_set(tmp_path: Path) -> None:
    process = tmp_path / "process.toml"
    process.touch()
    settings = load({
        "HUB_HOST": "0.0.0.0", "HUB_PORT": "9000", "HUB_DATA_DIR": str(tmp_path), "HUB_PROCESS_FILE": str(process),
        "HUB_DATABASE_URL": f"sqlite:///{tmp_path}/leads.db", "HUB_PUBLIC_URL": "https://hub.example.com/",
        "HUB_SECRET_KEY": SECRET, "HUB_TRUSTED_PROXIES": "2",
    })
    assert settings == Settings(host="0.0.0.0", port=9000, data_dir=tmp_path, database_path=tmp_path / "leads.db",
                                public_url="https://hub.example.com", process_file=process, trusted_proxies=2,
                                given_secret=SECRET)
    assert settings.secret_key == SECRET


def test_a_postgresql_database_may_have_its_keys_elsewhere_and_notifications_past_a_pooler() -> None:
    url, keys, direct = (f"postgresql://hub:hunter2@{host}/hub" for host in ("pooler:6432", "vault", "db"))
    settings = load({"HUB_DATABASE_URL": url, "HUB_KEYS_URL": keys, "HUB_DATABASE_LISTEN_URL": direct, "HUB_WEB_PROCESSES": "4"})
    assert (settings.postgres_url, settings.keys_url, settings.listen_url, settings.web_processes) == (url, keys, direct, 4)
    assert "hunter2" not in repr(settings)


def test_the_database_lies_in_the_data_folder_and_a_relative_one_in_the_current_folder(tmp_path: Path) -> None:
    assert load({"HUB_DATA_DIR": str(tmp_path)}).database_path == tmp_path / "hub.db"
    assert load({"HUB_DATABASE_URL": "sqlite:///some/leads.db"}).database_path == Path.cwd() / "some" / "leads.db"


@pytest.mark.parametrize(("host", "url"), [
    ("0.0.0.0", "http://127.0.0.1:8000"), ("::", "http://[::1]:8000"), ("::1", "http://[::1]:8000"),
    ("leads.local", "http://leads.local:8000"),
])
def test_without_a_public_url_it_is_where_the_hub_listens(host: str, url: str) -> None:
    assert load({"HUB_HOST": host}).public_url == url


@pytest.mark.parametrize(("given", "url"), [
    ("HTTPS://Hub.Example.com:443/", "https://hub.example.com:443"),
    ("http://[2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
    ("https://пример.рф", "https://xn--e1afmkfd.xn--p1ai"),
    (" https://hub.example.com ", "https://hub.example.com"),
])
def test_a_public_url_is_kept_as_links_need_it(given: str, url: str) -> None:
    assert load({"HUB_PUBLIC_URL": given}).public_url == url


@pytest.mark.parametrize(("name", "value", "sentence"), [
    ("HUB_HOST", "not a host", "HUB_HOST is 'not a host': give an IP address or a host name"),
    ("HUB_HOST", "127.0.0.300", "give an IP address"),
    ("HUB_HOST", "http://127.0.0.1", "give an IP address"),
    ("HUB_HOST", "", "HUB_HOST is empty: give it a value, or remove the variable"),
    ("HUB_PORT", "eighty", "HUB_PORT is 'eighty': give a whole number from 1 to 65535"),
    ("HUB_PORT", "0", "HUB_PORT is '0'"),
    ("HUB_PORT", "65536", "from 1 to 65535"),
    ("HUB_PORT", "-1", "from 1 to 65535"),
    ("HUB_PORT", "8_000", "from 1 to 65535"),
    ("HUB_PORT", "٨٠٨٠", "from 1 to 65535"),
    ("HUB_PORT", "  ", "HUB_PORT is empty"),
    ("HUB_DATA_DIR", __file__, "this is a file; give a folder"),
    ("HUB_DATABASE_URL", "mysql://db/hub", "HUB_DATABASE_URL is 'mysql://db/hub': give sqlite:///relative/path"),
    ("HUB_DATABASE_URL", "hub.db", "give sqlite:///relative/path"),
    ("HUB_DATABASE_URL", "sqlite://hub.db", "give sqlite:///relative/path"),
    ("HUB_DATABASE_URL", "sqlite:///", "give sqlite:///relative/path"),
    ("HUB_DATABASE_URL", "sqlite:///hub.db?mode=ro", "give sqlite:///relative/path"),
    ("HUB_DATABASE_URL", "postgresql://hub@db", "with the name of the database at the end"),
    ("HUB_DATABASE_URL", "postgresql://hub@db:99999/hub", "give postgresql://user:password@host:port/name"),
    ("HUB_DATABASE_LISTEN_URL", "postgresql://hub@db/hub", "of use with PostgreSQL only"),
    ("HUB_KEYS_URL", "postgresql://hub@db/keys", "of use with PostgreSQL only"),
    ("HUB_WEB_PROCESSES", "0", "give a whole number from 1 to 32"),
    ("HUB_WEB_PROCESSES", "2", "with SQLite one process answers requests"),
    ("HUB_LOG", "xml", "give auto, json or text"),
    ("HUB_METRICS_TOKEN", "short", "HUB_METRICS_TOKEN has 5 characters"),
    ("HUB_WEBHOOK_ALLOW", "10.0.0.0/99", "give host names and networks"),
    ("HUB_DATABASE_URL", "sqlite:///:memory:", "must be a file, or a restart would lose every lead"),
    ("HUB_DATABASE_URL", "sqlite:////tmp", "this is a folder; give the path of a file in it"),
    ("HUB_PUBLIC_URL", "hub.example.com", "HUB_PUBLIC_URL is 'hub.example.com': give http:// or https:// and a host"),
    ("HUB_PUBLIC_URL", "ftp://hub.example.com", "give http:// or https://"),
    ("HUB_PUBLIC_URL", "https://", "give http:// or https://"),
    ("HUB_PUBLIC_URL", "https://hub.example.com/leads", "nothing after it"),
    ("HUB_PUBLIC_URL", "https://hub.example.com?", "nothing after it"),
    ("HUB_PUBLIC_URL", "https://hub.example.com/#top", "nothing after it"),
    ("HUB_PUBLIC_URL", "https://hub.example.com:99999", "with a port if needed"),
    ("HUB_PUBLIC_URL", "https://hub.example.com:0", "with a port if needed"),
    ("HUB_PUBLIC_URL", "https://hub example.com", "give http:// or https://"),
    ("HUB_PUBLIC_URL", "https://[::1", "give http:// or https://"),
    ("HUB_PUBLIC_URL", "https://..", "give http:// or https://"),
    ("HUB_TRUSTED_PROXIES", "yes", "HUB_TRUSTED_PROXIES is 'yes': give how many proxies of yours stand before the hub"),
    ("HUB_TRUSTED_PROXIES", "-1", "from 0 to 10"),
    ("HUB_TRUSTED_PROXIES", "11", "from 0 to 10"),
    ("HUB_SECRET_KEY", "short", "HUB_SECRET_KEY has 5 characters: give at least 32"),
    ("HUB_SECRET_KEY", "", "HUB_SECRET_KEY is empty"),
    ("HUB_PROCESS_FILE", "/no/such/process.toml", "HUB_PROCESS_FILE is '/no/such/process.toml': there is no such file"),
    ("HUB_PROCESS_FILE", "/tmp", "there is no such file"),
])
def test_nonsense_is_refused_with_the_name_the_value_and_what_is_allowed(name: str, value: str, sentence: str) -> None:
    with pytest.raises(BadSetting, match=re.escape(sentence)) as refusal:
        load({name: value})
    assert str(refusal.value).startswith(name)


@pytest.mark.parametrize(("name", "value"), [
    ("HUB_SECRET_KEY", "hunter2"),
    ("HUB_DATABASE_URL", "postgresql://hub:hunter2@db"),
    ("HUB_KEYS_URL", "postgresql://hub:hunter2@db/keys"),
    ("HUB_METRICS_TOKEN", "hunter2"),
    ("HUB_DATABASE_URL", "mysql://hub:hunter2/x@db/hub"),
    ("HUB_PUBLIC_URL", "https://admin:hunter2@hub.example.com"),
    ("HUB_PUBLIC_URL", "admin:hunter2@hub.example.com"),
])
def test_a_refusal_never_tells_a_secret(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as refusal:
        load({name: value})
    assert "hunter2" not in str(refusal.value)


def test_settings_that_are_printed_do_not_tell_the_secret() -> None:
    assert SECRET not in repr(load({"HUB_SECRET_KEY": SECRET}))


@pytest.mark.parametrize(("unknown", "nearest"), [
    ("HUB_PROT", "HUB_PORT"), ("HUB_DATABSE_URL", "HUB_DATABASE_URL"), ("HUB_SECRET", "HUB_SECRET_KEY"), ("HUB_", "HUB_"),
])
def test_an_unknown_setting_is_refused_with_the_nearest_known_one(unknown: str, nearest: str) -> None:
    with pytest.raises(BadSetting, match=f"{unknown} is not a setting of the hub. Did you mean {nearest}"):
        load({unknown: "1"})


def test_a_secret_is_made_once_kept_for_its_owner_only_and_found_again(tmp_path: Path) -> None:
    environ = {"HUB_DATA_DIR": str(tmp_path / "new" / "data")}
    first = load(environ).secret_key
    kept = tmp_path / "new" / "data" / SECRET_FILE
    assert len(first) >= 32
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert load(environ).secret_key == first
    assert [path.name for path in kept.parent.iterdir()] == [SECRET_FILE]


def test_of_two_that_start_together_the_slower_takes_the_secret_of_the_faster(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"HUB_DATA_DIR": str(tmp_path)}
    faster = load(environ).secret_key
    monkeypatch.setattr(Path, "exists", lambda path: False)  # the slower one looked before there was a secret
    assert load(environ).secret_key == faster
    assert [path.name for path in tmp_path.iterdir()] == [SECRET_FILE]


@pytest.mark.parametrize("damage", [b"", b"short\n", "щ".encode() * 40])
def test_a_damaged_secret_is_refused_and_never_replaced(tmp_path: Path, damage: bytes) -> None:
    kept = tmp_path / SECRET_FILE
    kept.write_bytes(damage)
    with pytest.raises(BadSetting, match="damaged or cannot be read: restore this file from a backup"):
        _ = load({"HUB_DATA_DIR": str(tmp_path)}).secret_key
    assert kept.read_bytes() == damage


def test_a_data_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = load({"HUB_DATA_DIR": str(tmp_path / "file" / "data")})
    with pytest.raises(BadSetting, match="this folder cannot be made .*: give a folder that the hub may write to"):
        settings.make_data_dir()


def test_a_secret_that_cannot_be_kept_is_refused() -> None:
    with pytest.raises(BadSetting, match="HUB_SECRET_KEY is not set, and it cannot be kept in '/proc/secret.key'"):
        _ = load({"HUB_DATA_DIR": "/proc"}).secret_key


def test_the_packaged_process_is_there() -> None:
    assert PACKAGED_PROCESS.is_file()
    assert os.fspath(PACKAGED_PROCESS).endswith("hub/domain/process.toml")


def test_readme_tells_every_setting_and_its_default() -> None:
    section = re.search(r"^## Settings\n(.*?)(?=^## |\Z)", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    assert section, "README.md has no section '## Settings'"
    rows = [[cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
            for line in section[1].splitlines() if line.startswith("| `HUB_")]
    assert [(row[0], row[1]) for row in rows] == [(setting.name, setting.default) for setting in SETTINGS]

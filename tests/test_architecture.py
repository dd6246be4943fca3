"""What import-linter (its contracts are in setup.cfg) cannot see: vendors, clocks, sizes, topics, the top level."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import hub.domain
from hub.domain.event import TOPICS, Event

ROOT = Path(__file__).parents[1]
LONGEST_FILE = 400

VENDORS = {
    "flask": ("hub.web",),
    "flask_babel": ("hub.web",),
    "flask_smorest": ("hub.web",),
    "werkzeug": ("hub.web", "hub.channels.website"),
    "jinja2": ("hub.web", "hub.application"),
    "eventsourcing": ("hub.store",),
    "argon2": ("hub.web", "hub.application"),
    "phonenumbers": ("hub.domain.contact",),
    "holidays": ("hub.calendar",),
    "urllib3": ("hub.webhooks", "hub.channels.base_http"),
    "psycopg": ("hub.store.postgres", "hub.store.postgres_tables"),
    "psycopg_pool": ("hub.store.postgres_tables",),
    "prometheus_client": ("hub.metrics", "hub.web.health"),
    "structlog": ("hub.logs",),
    "gunicorn": ("hub.server", "hub.listener"),
    "twilio": ("hub.channels.phone_twilio_signature", "hub.channels.phone_twilio_voice"),
    "vk_api": ("hub.channels.social_api",),
    "imapclient": ("hub.channels.email_imap",),
    "rfc3161_client": ("hub.audit.stamping",),
    "openpyxl": ("hub.sheets.workbook",),
}
"""Each vendor library and the only modules (with what lies under them) that may import it."""

NOT_IN_DOMAIN = {"time", "random", "secrets", "os", "socket", "sqlite3", "subprocess", "threading", "asyncio", "pathlib",
                 "logging", "urllib.request", "http"}
"""Modules of clocks, luck and the outside world: in the domain, time and chance are arguments."""

BANNED_NAMES = {"open", "print", "input", "uuid1", "uuid4"}
BANNED_ATTRIBUTES = {"now", "utcnow", "today", "uuid1", "uuid4", "read_text", "read_bytes", "write_text", "write_bytes"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported absolutely, wherever in the file, a lazy import in a function included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_under(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def vendor_breaches(module: str, source: str) -> list[str]:
    return [f"{module} imports {name}; only {', '.join(allowed)} may"
            for name in imports(ast.parse(source)) for vendor, allowed in VENDORS.items()
            if is_under(name, vendor) and not any(is_under(module, package) for package in allowed)]


def channel_breaches(module: str, source: str) -> list[str]:
    """Other channels that ``module`` imports. A channel's helpers bear its name: ``website_body`` is the website's."""
    family = module.removeprefix("hub.channels.").split("_")[0]
    return [f"{module} imports {name}" for name in imports(ast.parse(source)) if name.startswith("hub.channels.")
            if name.split(".")[2].split("_")[0] not in (family, "base")]


def impurities(source: str) -> list[str]:
    tree = ast.parse(source)
    found = [f"imports {name}" for name in imports(tree) for banned in NOT_IN_DOMAIN if is_under(name, banned)]
    for node in ast.walk(tree):
        # Used at all, not only called: a clock that is handed on as a function is a clock.
        if isinstance(node, ast.Attribute) and node.attr in BANNED_ATTRIBUTES:
            found.append(f"uses .{node.attr} in line {node.lineno}")
        if isinstance(node, ast.Name) and node.id in BANNED_NAMES:
            found.append(f"uses {node.id} in line {node.lineno}")
    return found


SOURCES = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "hub").rglob("*.py"))}


def test_each_vendor_library_lives_where_it_belongs() -> None:
    assert [breach for path, source in SOURCES.items() for breach in vendor_breaches(module_name(path), source)] == []


@pytest.mark.parametrize("source", ["import flask", "from flask import Flask", "import flask.json as j",
                                    "def late():\n    from flask import g"])
def test_a_vendor_in_the_wrong_place_is_found(source: str) -> None:
    assert vendor_breaches("hub.domain.lead", source)
    assert not vendor_breaches("hub.web.pages", source)


def test_channels_are_strangers_to_each_other_and_share_only_their_base() -> None:
    assert [breach for path, source in SOURCES.items() if module_name(path).startswith("hub.channels.")
            for breach in channel_breaches(module_name(path), source)] == []


def test_a_channel_that_knows_another_is_found() -> None:
    source = "from hub.channels.website_body import read\nfrom hub.channels.base import Request"
    assert channel_breaches("hub.channels.email", source)
    assert not channel_breaches("hub.channels.website", source)
    assert channel_breaches("hub.channels.base", source)


def test_the_domain_has_no_clock_no_chance_and_no_outside_world() -> None:
    domain = {path: source for path, source in SOURCES.items() if is_under(module_name(path), "hub.domain")}
    assert len(domain) >= 5
    assert {module_name(path): found for path, source in domain.items() if (found := impurities(source))} == {}


@pytest.mark.parametrize("source", [
    "datetime.now(UTC)", "datetime.datetime.now()", "date.today()", "x = datetime.utcnow", "import time",
    "from time import monotonic",
    "import random", "from uuid import uuid4\nuuid4()", "uuid.uuid4()", "open('f')", "field(default_factory=uuid4)",
    "Path('f').read_text()", "from os import environ", "import urllib.request",
])
def test_an_impurity_is_found(source: str) -> None:
    assert impurities(source)


@pytest.mark.parametrize("source", ["from datetime import datetime, time", "time(9)", "from urllib.parse import urlsplit",
                                    "now = fold(events)", "self.opens", "from uuid import UUID, uuid5"])
def test_what_only_looks_like_an_impurity_is_not_one(source: str) -> None:
    assert not impurities(source)


def test_no_file_is_too_long_to_be_read() -> None:
    lines = {module_name(path): source.count("\n") for path, source in SOURCES.items()}
    assert {name: count for name, count in lines.items() if count > LONGEST_FILE} == {}


def concrete_events(cls: type[Event] = Event) -> Iterator[type[Event]]:
    """Every event of the hub: the classes under Event that nothing is derived from."""
    subclasses = [sub for sub in cls.__subclasses__() if sub.__module__.startswith("hub.")]
    if not subclasses and cls is not Event:
        yield cls
    for sub in subclasses:
        yield from concrete_events(sub)


def test_every_event_has_a_stable_topic_of_its_own() -> None:
    for module in pkgutil.walk_packages(hub.domain.__path__, "hub.domain."):
        importlib.import_module(module.name)
    events = list(concrete_events())
    assert events
    for event in events:
        assert "TOPIC" in vars(event), f"{event.__qualname__} has no TOPIC: decorate it with @topic('…')"
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", event.TOPIC), f"{event.TOPIC!r} is not a lead.stage_entered"
        assert TOPICS[event.TOPIC] is event


@pytest.mark.parametrize("path", ["hub", "hub/channels", "hub/domain", "hub/projections", "hub/web", "templates", "tests",
                                  "setup.cfg", "README.md"])
def test_the_top_level_is_what_was_agreed(path: str) -> None:
    assert (ROOT / path).exists()

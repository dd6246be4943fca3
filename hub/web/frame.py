"""What every page stands in: the layout's context, the language, hashed addresses of static files."""

from __future__ import annotations

import hashlib
from datetime import UTC
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from flask import Flask, Response, g, has_request_context, request, url_for
from flask_babel import Babel, get_babel
from flask_babel import gettext as _

from hub.domain.process import Process
from hub.domain.spoken import spoken
from hub.web.desk import Signed, may, now, parts, the_access

STATIC = Path(__file__).parent / "static"
LANGUAGES = ("ru", "en")
"""The languages of sentences (refusals, errors); pages are in those of them that have a catalogue, Russian always."""
LANGUAGE_COOKIE = "hub_language"
A_YEAR = 365 * 24 * 3600
LAG_WORTH_SAYING = 200
"""Events that a read model may be behind before the page says so."""


def templates_folder() -> Path:
    """The templates: inside the package when it was installed from a wheel, beside it in a working tree."""
    packaged = Path(__file__).parents[1] / "templates"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "templates"


# ── language ─────────────────────────────────────────────────────────────────────


def page_languages() -> list[str]:
    """The languages that pages can be shown in: Russian, and those with a catalogue."""
    found = {locale.language for locale in get_babel().instance.list_translations()}
    return [language for language in LANGUAGES if language == "ru" or language in found]


def language() -> str:
    """The language of this page: the person's own choice, else this browser's cookie, else what the browser prefers."""
    if not has_request_context():
        return "ru"
    if "language" not in g:
        known = page_languages()
        chosen = [g.get("language_chosen") or "", request.cookies.get(LANGUAGE_COOKIE, "")]
        g.language = next((c for c in chosen if c in known), "") or (
            "ru" if g.get("signed") else request.accept_languages.best_match(known, "ru"))
    return str(g.language)


def the_process() -> Process:
    """The process in force, in the language of this page: for showing it. What it decides is the same in every language."""
    return in_words(parts().hub.process)


def in_words(process: Process) -> Process:
    """A version of the process in the language of this page."""
    return spoken(process, language())


def caller_language() -> str:
    """The language of a program's or a visitor's errors: by Accept-Language, Russian by default."""
    return request.accept_languages.best_match(LANGUAGES, "ru") or "ru"


def locale() -> Locale:
    """The locale of dates and plurals."""
    return Locale.parse(language())


# ── static files ─────────────────────────────────────────────────────────────────


def static_hash(filename: str) -> str:
    """What changes in the address of a static file when the file does; ``""`` for a file that is not there."""
    path = STATIC / filename
    try:
        return _hash_of(path, path.stat().st_mtime_ns)
    except OSError:
        return ""


@lru_cache(maxsize=512)
def _hash_of(path: Path, changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def hashed(endpoint: str, values: dict[str, Any]) -> None:
    """``url_for('static')`` names the content, too. Not of fonts: the style sheets name them without it."""
    if endpoint == "static" and "v" not in values and not str(values.get("filename", "")).endswith(".woff2"):
        found = static_hash(values.get("filename", ""))
        if found:
            values["v"] = found


def address_of(endpoint: str, **values: Any) -> str:
    """``url_for`` of templates. An icon names the sprite's address, hundreds of times on a page: it is made once for each."""
    if endpoint != "static" or values.keys() != {"filename"} or not has_request_context():
        return url_for(endpoint, **values)
    if "static_addresses" not in g:
        g.static_addresses = {}
    made: dict[str, str] = g.static_addresses
    filename = values["filename"]
    if filename not in made:
        made[filename] = url_for(endpoint, filename=filename)
    return made[filename]


def cache_static(response: Response) -> Response:
    """An address that names the content is good for ever; fonts nearly so; everything else is asked about each time."""
    if request.endpoint == "static" and response.status_code in (200, 206, 304):
        filename = (request.view_args or {}).get("filename", "")
        named = request.args.get("v")
        if named and named == static_hash(filename):
            response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
        elif filename.endswith(".woff2"):
            response.headers["Cache-Control"] = f"public, max-age={A_YEAR}"
        else:
            response.headers["Cache-Control"] = "public, no-cache"
    return response


# ── the layout ───────────────────────────────────────────────────────────────────


def layout() -> dict[str, Any]:
    """What ``layout.html`` takes; see its top. Before sign-in only the language and the time."""
    signed: Signed | None = g.get("signed")
    frame: dict[str, Any] = {"lang": language(), "server_time": now().astimezone(UTC).isoformat(timespec="milliseconds"),
                             "user": signed, "nav": [], "bell": 0}
    if signed is None or g.get("bare"):
        frame["user"] = None
        return frame
    views = parts().hub.views
    frame["nav"] = _nav()
    frame["bell"] = views.notices.count(signed.id, the_access().notices_seen(signed.stream))
    frame["connection"] = _connection()
    frame["new_url"] = "/leads/new" if may("intake") else None
    return frame


def _nav() -> list[tuple[str, str, str, int, bool]]:
    """The sections that the person may see; the first four are the phone's tab bar, the last stands at the foot."""
    items = [("/", "square-kanban", _("Доска"), 0), ("/my", "list-todo", _("Мои дела"), 0),
             ("/leads", "inbox", _("Заявки"), 0), ("/meetings", "calendar-days", _("Встречи"), 0),
             ("/process", "route", _("Процесс"), 0),
             ("/reports", "chart-column", _("Отчёты"), 0), ("/partners", "handshake", _("Партнёры"), 0)]
    if may("intake", "admin"):
        items.append(("/quarantine", "shield-alert", _("Карантин"), parts().hub.views.receipts.waiting()))
    if may("admin", "audit"):
        items.append(("/audit", "shield-check", _("Аудит"), 0))
    items.append(("/settings", "settings", _("Настройки"), 0))
    here = request.path
    return [(url, glyph, title, count, here == url or (url != "/" and here.startswith(url + "/")))
            for url, glyph, title, count in items]


def _connection() -> tuple[str, str]:
    """Whether what the page shows is up to date."""
    states = parts().runner.status()
    if any(state.parked_at is not None for state in states):
        return "bad", _("Часть данных не обновляется")
    if any(state.lag > LAG_WORTH_SAYING for state in states):
        return "warn", _("Данные догоняют")
    return "ok", _("На связи")


def set_up(app: Flask) -> None:
    """Language, static addresses and the layout's context for ``app``."""
    Babel(app, locale_selector=language, default_locale="ru",
          default_translation_directories=str(Path(__file__).parent / "translations"))
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.globals["url_for"] = address_of
    app.url_defaults(hashed)
    app.after_request(cache_static)
    app.context_processor(layout)

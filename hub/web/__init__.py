"""The web layer: pages for staff, the intake of website forms. Everything is done by the application object behind it."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix

from hub.metrics import Metrics
from hub.store.keys import derive
from hub.traffic.state import States
from hub.web import access, audit, errors, frame, guard, health, hooks, jobs, live, observed, own_notices, past, public, words
from hub.web import search as search_pages
from hub.web.admin import index
from hub.web.api import openapi
from hub.web.audit import damage, log, trail
from hub.web.board import page
from hub.web.board.saved import SavedViews
from hub.web.desk import Parts
from hub.web.drafts import Drafts
from hub.web.lead import blueprint, card, contacts, merging, pages, step  # noqa: F401  they add their views to the blueprint
from hub.web.rates import rates_of
from hub.web.reports import page as reports_pages
from hub.web.sessions import Access
from hub.web.sheets import exports, imports
from hub.web.tokens import Tokens
from hub.web.what_if import page as what_if_pages

MAX_REQUEST = 12_000_000
"""Bytes of a request of our own pages; the intake of forms has limits of its own."""
MAX_FORM_MEMORY = 2_000_000
"""Bytes of a form's texts; files beyond go to a temporary file."""
MAX_FORM_PARTS = 1000


class Cookies(SecureCookieSessionInterface):
    """Flask's sessions with their signer made once: every request asks for it, and it keeps nothing of a request."""

    def __init__(self) -> None:
        self._signer: Any = None

    def get_signing_serializer(self, app: Flask) -> Any:
        """The signer under the application's secret key, which never changes."""
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer


def create_app(parts: Parts, metrics: Metrics | None = None, metrics_token: str = "") -> Flask:
    """The WSGI application over ``parts``. Makes its own side tables (sessions and the like) where they are missing.

    ``metrics``: what it counts with, where several processes count together. ``metrics_token``: what ``/metrics`` asks for.
    """
    return furnish(all_pages(), parts, metrics, metrics_token)


def all_pages() -> Flask:
    """Every address of the hub, without a hub behind them."""
    app = Flask("hub.web", template_folder=str(frame.templates_folder()), static_folder=str(frame.STATIC))
    app.config.update(SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax",
                      MAX_CONTENT_LENGTH=MAX_REQUEST, MAX_FORM_MEMORY_SIZE=MAX_FORM_MEMORY, MAX_FORM_PARTS=MAX_FORM_PARTS)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    observed.set_up(app)
    frame.set_up(app)
    guard.set_up(app)
    errors.set_up(app)
    damage.set_up(app)
    words.set_up(app)
    past.set_up(app)
    for part in (access.bp, own_notices.bp, live.bp, public.bp, hooks.bp, page.bp, blueprint.bp, index.bp, audit.bp, trail.bp,
                 log.bp, jobs.bp, what_if_pages.bp, reports_pages.bp, search_pages.bp, imports.bp, exports.bp, health.bp):
        app.register_blueprint(part)
    openapi.set_up(app)
    return app


def furnish(app: Flask, parts: Parts, metrics: Metrics | None = None, metrics_token: str = "") -> Flask:
    """``app`` with this hub behind its addresses. The views find everything in ``app.extensions``."""
    https = parts.public_url.startswith("https://")
    app.config.update(SECRET_KEY=derive(parts.session_key, "hub flash cookie"),
                      SESSION_COOKIE_NAME="__Host-hub_page" if https else "hub_page", SESSION_COOKIE_SECURE=https)
    app.session_interface = Cookies()
    people = Access(parts.hub.store, parts.session_key)
    people.prepare()
    tokens = Tokens(parts.hub, parts.session_key)
    tokens.prepare()
    parts.hub.outgoing.outbox.prepare()
    parts.hub.audit.ledger.prepare()
    States(parts.hub.store).prepare()
    parts.hub.jobs.prepare()
    views = SavedViews(parts.hub.store)
    views.prepare()
    drafts = Drafts(parts.hub.store)
    drafts.prepare()
    app.extensions.update({
        "hub": parts, "drafts": drafts, "access": people, "tokens": tokens, "saved views": views,
        "metrics": metrics or Metrics(), "metrics_token": metrics_token,
        "readiness": health.Readiness(parts), "form_rates": rates_of(parts.hub.store),
        "feed": live.Feed(parts)})
    return app


def behind_proxies(app: Flask, number: int) -> Flask:
    """``app`` with the visitor's address as the outermost of ``number`` proxies of ours saw it; 0 believes no header."""
    if number:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=number, x_proto=0)  # type: ignore[method-assign]
    return app

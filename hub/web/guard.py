"""What stands before every view: who is signed in, CSRF, and the headers that keep a browser strict."""

from __future__ import annotations

import secrets

from flask import Flask, abort, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from hub.domain.errors import Refused, sentences
from hub.web.desk import Signed, now, parts, the_access
from hub.web.frame import the_process

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
OPEN = ("static", "health", "public", "hooks", "api", "api_docs")
"""Endpoints and blueprints that know no session: none is read and no cookie is set there. The API asks for a token instead."""
TOKEN_FIELD, TOKEN_HEADER = "csrf_token", "X-CSRF-Token"
GUEST = "guest"

CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
       "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}

sentences(
    form_expired=("Страница устарела: вернитесь на неё, обновите и отправьте ещё раз.",
                  "The page is out of date: go back, reload it and send again."),
)


def secure() -> bool:
    """Whether people reach the hub over https, so that cookies may be kept to it."""
    return parts().public_url.startswith("https://")


def cookie_name() -> str:
    """The session cookie. Over https the prefix keeps other hosts of the domain from setting it."""
    return "__Host-hub_session" if secure() else "hub_session"


def is_open() -> bool:
    """Whether the request is for something that knows no person."""
    return request.endpoint in OPEN or request.blueprint in OPEN


def who_is_it() -> Response | None:
    """Put the signed-in person into ``g.signed``; one with a temporary password must change it first."""
    secret = request.cookies.get(cookie_name(), "")
    if is_open() or not secret:
        return None
    access = the_access()
    found = access.touch(secret, request.remote_addr or "", now())
    if found is None:
        return None
    user = access.user(found.user)
    roles = the_process().roles
    language = access.language(found.user)
    title = next((roles[r].name(language or "ru") for r in user.roles if r in roles), "")
    g.signed = Signed(found.user, f"user:{found.user}", user.login, user.name, user.roles, secret, title)
    g.language_chosen = language
    if access.temporary(found.user) and request.endpoint not in ("access.password", "access.sign_out"):
        g.bare = True
        if request.headers.get("HX-Request"):
            return Response("", 200, {"HX-Redirect": url_for("access.password")})
        return redirect(url_for("access.password"), 303)
    return None


def csrf_token() -> str:
    """The token of the forms of this page, bound to the session, or before sign-in to a signed cookie."""
    if is_open():
        return ""
    if g.get("signed") is None and GUEST not in session:
        session[GUEST] = secrets.token_urlsafe(16)
    return the_access().csrf_token(_bound_to())


def _bound_to() -> str:
    signed: Signed | None = g.get("signed")
    return signed.session if signed else str(session.get(GUEST, ""))


def check_csrf() -> None:
    """Refuse an unsafe request that no page of ours sent. Only the intake of forms is open: it has no session to misuse."""
    if request.method in SAFE or is_open() or request.endpoint is None:
        return
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        abort(403)
    token = request.headers.get(TOKEN_HEADER) or request.form.get(TOKEN_FIELD, "")
    if not the_access().csrf_fits(token, _bound_to()):
        raise Refused("form_expired")


def harden(response: Response) -> Response:
    """Security headers, and no copy of a person's page in any cache."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if secure():
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static" or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"  # a file to download says "no-cache" by itself, which keeps it
    return response


def set_up(app: Flask) -> None:
    """Install the guards; their order matters."""
    app.before_request(who_is_it)
    app.before_request(check_csrf)
    app.after_request(harden)
    app.jinja_env.globals["csrf_token"] = csrf_token

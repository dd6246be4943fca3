"""Signing in and out, one's own password and sessions."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.errors import Refused
from hub.web import errors, guard
from hub.web.desk import me, now, signed_in, the_access, the_hub
from hub.web.frame import A_YEAR, LANGUAGE_COOKIE, language, page_languages
from hub.web.sessions import ABSOLUTE, Session, change_password

bp = Blueprint("access", __name__)

BROWSERS = (("YaBrowser", "Яндекс Браузер"), ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"),
            ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
           ("Linux", "Linux"))
"""Marks in a User-Agent, the most telling first."""

NEVER_NEXT = ("/sign-in", "/sign-out", "/password")


def safe_next(wanted: str | None) -> str:
    """``wanted`` if it is a path of this hub, else the board: a link to the sign-in page must not lead elsewhere."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or not wanted.isprintable():
        return "/"
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or "\\" in wanted or parts.path in NEVER_NEXT:
        return "/"
    return wanted


def _begin_session(response: Response, user: UUID) -> Response:
    """Give the browser a new session of ``user``; the one that it had ends."""
    _end_session()
    secret = the_access().open(user, request.remote_addr or "", request.user_agent.string, now())
    response.set_cookie(guard.cookie_name(), secret, max_age=int(ABSOLUTE.total_seconds()), secure=guard.secure(),
                        httponly=True, samesite="Lax", path="/")
    return response


def _end_session() -> None:
    secret = request.cookies.get(guard.cookie_name(), "")
    if secret:
        the_access().close(secret)


def _forget_cookie(response: Response) -> Response:
    response.delete_cookie(guard.cookie_name(), path="/", secure=guard.secure(), httponly=True, samesite="Lax")
    return response


@bp.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Response:
    """The sign-in page. ``next`` is where to go then."""
    wanted = safe_next(request.values.get("next"))
    if g.get("signed") is not None:
        return redirect(wanted, 303)
    if request.method == "GET":
        return make_response(render_template("access/sign_in.html", next=wanted, login="", error=None))
    login = request.form.get("login", "")
    try:
        user = the_access().check(login, request.form.get("password", ""), request.remote_addr or "", now())
    except Refused as refused:
        page = render_template("access/sign_in.html", next=wanted, login=login, error=refused.say(language()))
        answer = make_response(page, errors.status_of(refused))
        if "minutes" in refused.params:
            answer.headers["Retry-After"] = str(int(str(refused.params["minutes"])) * 60)
        return answer
    return _begin_session(redirect(wanted, 303), user)


@bp.post("/sign-out")
def sign_out() -> Response:
    """End the session, on the server too."""
    _end_session()
    answer = _forget_cookie(redirect(url_for("access.sign_in"), 303))
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@bp.route("/password", methods=["GET", "POST"])
@signed_in
def password() -> Response:
    """Change one's own password; forced where it is temporary."""
    access, person = the_access(), me()
    forced = access.temporary(person.stream)
    error, field = None, ""
    if request.method == "POST":
        try:
            _change_own(request.form.get("current", ""), request.form.get("password", ""), request.form.get("again", ""))
        except Refused as refused:
            error, field = refused.say(language()), refused.field
        else:
            flash(_("Пароль изменён. На других устройствах нужно войти заново."), "ok")
            return _begin_session(redirect("/" if forced else url_for("access.account"), 303), person.stream)
    g.bare = forced
    page = render_template("access/password.html", forced=forced, error=error, where=field, login=person.login)
    return make_response(page, 422 if error else 200)


def _change_own(current: str, new: str, again: str) -> None:
    access, person = the_access(), me()
    if not access.verify_own(person.stream, current, request.remote_addr or "", now()):
        raise Refused("password_not_yours", field="current")
    if new != again:
        raise Refused("password_differs", field="again")
    if new == current:
        raise Refused("password_same", field="password")
    change_password(the_hub(), access, person.stream, new, temporary=False, actor=person.actor, at=now())


@bp.get("/account")
@signed_in
def account() -> str:
    """One's own sessions, theme and language."""
    access, person = the_access(), me()
    roles = the_hub().process.roles
    here = access.touch(person.session, request.remote_addr or "", now())
    return render_template("access/account.html", here=here and here.key,
                           sessions=[_shown(session) for session in access.sessions(person.stream, now())],
                           roles=[roles[r].name(language()) for r in person.roles if r in roles], languages=page_languages())


def _shown(session: Session) -> dict[str, object]:
    """A session as a person recognises it: the browser and the system out of what it calls itself."""
    agent = session.agent
    browser = next((title for mark, title in BROWSERS if mark in agent), _("Неизвестный браузер"))
    system = next((title for mark, title in SYSTEMS if mark in agent), "")
    return {"key": session.key, "created": session.created, "last_seen": session.last_seen, "ip": session.ip,
            "device": ", ".join(filter(None, [browser, system])), "phone": system in ("iPhone", "Android")}


@bp.post("/account/sessions/<key>/close")
@signed_in
def close_session(key: str) -> Response:
    """End one of one's own sessions."""
    the_access().close_one(key, me().stream)
    flash(_("Сеанс завершён."), "ok")
    return redirect(url_for("access.account"), 303)


@bp.post("/account/sign-out-everywhere")
@signed_in
def sign_out_everywhere() -> Response:
    """End all one's sessions, this one included."""
    the_access().close_all(me().stream)
    return _forget_cookie(redirect(url_for("access.sign_in"), 303))


@bp.post("/account/language")
@signed_in
def choose_language() -> Response:
    """The language of the screens, for this person everywhere and for this browser before sign-in."""
    wanted = request.form.get("language", "")
    answer = redirect(url_for("access.account"), 303)
    if wanted in page_languages():
        the_access().choose_language(me().stream, wanted)
        answer.set_cookie(LANGUAGE_COOKIE, wanted, max_age=A_YEAR, secure=guard.secure(), httponly=True, samesite="Lax", path="/")
    return answer

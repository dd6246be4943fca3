"""Signing in and out, one's own password and sessions."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.aggregate import Actor
from hub.domain.errors import Refused
from hub.domain.staff import user_stream
from hub.web import errors, guard
from hub.web.desk import me, now, signed_in, the_access, the_hub
from hub.web.frame import A_YEAR, LANGUAGE_COOKIE, language, page_languages, the_process
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


def _note_failure(user: UUID | None, refused: Refused, why: str = "wrong") -> None:
    """A failed sign-in is a fact of the log; of a flood of them a few are, which tell how many there were."""
    times = the_access().failures_to_tell(user, now())
    if times:
        why = "waits" if refused.code == "sign_in_wait" else why
        the_hub().note_access(lambda note: note.failed(user, why, times, request.remote_addr or ""), at=now())


def _note_end(what: str) -> None:
    """Somebody ended sessions of theirs."""
    signed = g.get("signed")
    if signed is not None:
        the_hub().note_access(lambda note: note.signed_out(signed.stream, what), actor=signed.actor, at=now())


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
        known = user_stream(login)
        _note_failure(known if the_access().user(known).login else None, refused)
        page = render_template("access/sign_in.html", next=wanted, login=login, error=refused.say(language()))
        answer = make_response(page, errors.status_of(refused))
        if "minutes" in refused.params:
            answer.headers["Retry-After"] = str(int(str(refused.params["minutes"])) * 60)
        return answer
    # Before the session: nobody is in of whom the log does not say so.
    the_hub().note_access(lambda note: note.signed_in(user, request.remote_addr or ""), actor=Actor(f"user:{user}"), at=now())
    return _begin_session(redirect(wanted, 303), user)


@bp.post("/sign-out")
def sign_out() -> Response:
    """End the session, on the server too."""
    _note_end("this")
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
    try:
        if not access.verify_own(person.stream, current, request.remote_addr or "", now()):
            raise Refused("password_not_yours", field="current")
    except Refused as refused:
        _note_failure(person.stream, refused, "own")
        raise
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
    roles = the_process().roles
    here = access.touch(person.session, request.remote_addr or "", now())
    return render_template("access/account.html", here=here and here.key,
                           sessions=[session_shown(session) for session in access.sessions(person.stream, now())],
                           roles=[roles[r].name(language()) for r in person.roles if r in roles], languages=page_languages())


def session_shown(session: Session) -> dict[str, object]:
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
    _note_end("other")
    the_access().close_one(key, me().stream)
    flash(_("Сеанс завершён."), "ok")
    return redirect(url_for("access.account"), 303)


@bp.post("/account/sign-out-everywhere")
@signed_in
def sign_out_everywhere() -> Response:
    """End all one's sessions, this one included."""
    _note_end("all")
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

"""People: accounts for the administrator; shifts and absences for the head of sales as well (R34)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.errors import Refused, sentences
from hub.domain.staff import Absence, User, UserState
from hub.web.access import session_shown
from hub.web.admin.base import day, done, found, refused_page, role_titles
from hub.web.desk import may, me, needs, now, settle, the_access, the_hub
from hub.web.frame import the_process
from hub.web.sessions import Access, change_password

bp = Blueprint("users", __name__, url_prefix="/settings/users")

PAGE = "admin/user.html"
WORK = ("admin", "decide")
"""Who may say when people work (R34)."""

sentences(
    no_shift_days=("Заполните хотя бы один день или выберите часы компании.",
                   "Fill in at least one day, or choose the company's hours."),
)


@dataclass(frozen=True)
class Line:
    """A colleague in the list. ``presence``: working | off | away | disabled."""

    stream: UUID
    name: str
    login: str
    roles: str
    presence: str
    absence: Absence | None
    own_hours: bool
    temporary: bool
    last_seen: datetime | None


def _line(stream: UUID, user: UserState, at: datetime) -> Line:
    process = the_process()
    absence = user.absent_on(process.date_of(at))
    working = process.calendar.is_open(at) if not user.shifts else True
    presence = ("disabled" if user.disabled else "away" if absence
                else "working" if working and user.at_work(at, process) else "off")
    sessions = the_access().sessions(stream, at)
    return Line(stream, user.name, user.login, role_titles(user.roles), presence, absence, bool(user.shifts),
                user.temporary_password, sessions[0].last_seen if sessions else None)


@bp.get("")
@needs(*WORK)
def index() -> str:
    """Everybody, active people first."""
    people = [_line(stream, user, now()) for stream, user in the_hub().users().items()]
    people.sort(key=lambda p: (p.presence == "disabled", p.name.casefold()))
    return render_template("admin/users.html", people=people, may_edit=may("admin"))


@bp.route("/new", methods=("GET", "POST"))
@needs("admin")
def new() -> Response:
    """A new colleague, with a password that is shown once."""
    login, name, roles = request.form.get("login", ""), request.form.get("name", ""), tuple(request.form.getlist("roles"))
    page: dict[str, Any] = {"typed": {"login": login, "name": name, "roles": roles}, "roles": _role_options()}
    if request.method == "GET":
        return make_response(render_template("admin/user_new.html", errors={}, **page))
    try:
        stream = the_hub().add_user(login, name, roles, actor=me().actor, at=now())
    except Refused as refused:
        return refused_page("admin/user_new.html", refused, **page)
    return _with_password(stream, added=True)


@bp.get("/<uuid:user>")
@needs(*WORK)
def one(user: UUID) -> Response:
    """A colleague's page."""
    return make_response(render_template(PAGE, errors={}, **_page(user)))


def _page(stream: UUID, **typed: Any) -> dict[str, Any]:
    user = found(the_hub().users(), stream)
    today = the_process().date_of(now())
    absences = sorted((a for a in user.absences if a.until >= today), key=lambda a: a.since)
    hours = {n: dict(zip(("from", "to"), user.shifts[n].split("-"), strict=True)) for n in sorted(user.shifts)}
    return {"user_page": user, "stream": stream, "line": _line(stream, user, now()), "may_edit": may("admin"), "today": today,
            "absences": absences, "hours": hours, "own_hours": bool(user.shifts), "roles": _role_options(),
            "company_hours": the_process().file.calendar, "box": "", "typed": {"name": user.name, "roles": user.roles},
            "sessions": [session_shown(s) for s in the_access().sessions(stream, now())] if may("admin") else [], **typed}


def _role_options() -> list[tuple[str, str]]:
    return [(r.id, r.title) for r in the_process().roles.values()]


def _with_password(stream: UUID, *, added: bool = False) -> Response:
    """The page that shows a one-time password. It is in this answer and nowhere else, not even in the browser's store."""
    password = Access.make_one_time_password()
    change_password(the_hub(), the_access(), stream, password, temporary=True, actor=me().actor, at=now())
    settle()
    user = the_hub().users()[stream]
    answer = make_response(render_template("admin/user_password.html", person=user, stream=stream, password=password,
                                           added=added))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/<uuid:user>/password")
@needs("admin")
def password(user: UUID) -> Response:
    """A new one-time password for a colleague who forgot theirs."""
    try:
        return _with_password(user)
    except Refused as refused:
        return refused_page(PAGE, refused, **_page(user))


@bp.post("/<uuid:user>")
@needs("admin")
def edit(user: UUID) -> Response:
    """Name and roles."""
    name, roles = request.form.get("name", ""), tuple(request.form.getlist("roles"))
    try:
        the_hub().edit_user(user, name, roles, actor=me().actor, at=now())
    except Refused as refused:
        return refused_page(PAGE, refused, **_page(user, typed={"name": name, "roles": roles}, box="account"))
    flash(_("Сохранено."), "ok")
    return done(url_for(".one", user=user))


@bp.post("/<uuid:user>/disable")
@needs("admin")
def disable(user: UUID) -> Response:
    """No more sign-in."""
    try:
        the_hub().disable_user(user, actor=me().actor, at=now())
    except Refused as refused:
        return refused_page(PAGE, refused, at_top=True, **_page(user))
    flash(_("Сотрудник отключён и больше не войдёт. Его заявки остались за ним: передайте их коллегам."), "ok")
    return done(url_for(".one", user=user))


@bp.post("/<uuid:user>/enable")
@needs("admin")
def enable(user: UUID) -> Response:
    """Sign-in again."""
    return _change(user, lambda u: u.enable(), _("Сотрудник снова может войти."), "access", "admin")


@bp.post("/<uuid:user>/sessions/close")
@needs("admin")
def close_sessions(user: UUID) -> Response:
    """End a colleague's session that ``key`` names, or all of them where it names none."""
    found(the_hub().users(), user)
    key = request.form.get("key", "")
    if key:
        the_access().close_one(key, user)
    else:
        the_access().close_all(user)
    flash(_("Сеанс завершён.") if key else _("Все сеансы завершены: человеку нужно войти заново."), "ok")
    return done(url_for(".one", user=user) if user != me().stream or key else "/sign-in")


@bp.post("/<uuid:user>/shifts")
@needs(*WORK)
def shifts(user: UUID) -> Response:
    """Hours of work by weekday (R34)."""
    typed = {n: {"from": request.form.get(f"from{n}", ""), "to": request.form.get(f"to{n}", "")} for n in range(1, 8)}
    own = request.form.get("way") == "own"

    def act(found: User) -> None:
        wanted = {n: f"{h['from'][:5]}-{h['to'][:5]}" for n, h in typed.items() if h["from"] or h["to"]} if own else {}
        if own and not wanted:
            raise Refused("no_shift_days", rule="R34", field="shifts")
        found.set_shifts(wanted)
    return _change(user, act, _("Часы работы сохранены."), "shifts", hours=typed, own_hours=own)


@bp.post("/<uuid:user>/absences")
@needs(*WORK)
def add_absence(user: UUID) -> Response:
    """Days away (R34)."""
    form = {"since": request.form.get("since", ""), "until": request.form.get("until", ""), "why": request.form.get("why", "")}
    return _change(user, lambda u: u.record_absence(day("since"), day("until"), form["why"]),
                   _("Отсутствие записано. Новые заявки в эти дни достанутся другим."), "absence", absence_typed=form)


@bp.post("/<uuid:user>/absences/withdraw")
@needs(*WORK)
def withdraw_absence(user: UUID) -> Response:
    """Not away after all."""
    return _change(user, lambda u: u.withdraw_absence(day("since")), _("Отсутствие отменено."), "absence")


def _change(user: UUID, act: Any, words: str, box: str, *permissions: str, **typed: Any) -> Response:
    """One change of a colleague; a refusal comes back in the box that it was asked in."""
    try:
        the_hub().change(User, user, act, actor=me().actor, at=now(), permissions=permissions or WORK)
    except Refused as refused:
        return refused_page(PAGE, refused, **_page(user, box=box, **typed))
    flash(words, "ok")
    return done(url_for(".one", user=user))

"""Website forms: their settings, what to paste into a site, and a real test submission (R1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from flask import Blueprint, abort, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _
from msgspec.structs import asdict, replace
from werkzeug.wrappers import Response

from hub.channels.base import Request as Inbound
from hub.channels.website import Website
from hub.channels.website_snippets import snippets
from hub.domain.errors import Refused
from hub.domain.form import FIELDS, RANGES, Form, FormSettings, FormState, form_stream, silent
from hub.web.admin.base import done, lines, refused_page, whole
from hub.web.desk import me, needs, now, parts, the_hub

bp = Blueprint("forms", __name__, url_prefix="/settings/forms")

EDIT = "admin/form_edit.html"
SHOW = "admin/form.html"
TEXTS = ("name", "thank_you", "phone_shown", "consent_text")
LISTS = ("origins", "thank_you_urls")


@dataclass(frozen=True)
class Line:
    """A form in the list. ``state``: live | silent | untested | retired."""

    form: FormState
    state: str
    last: datetime | None
    count: int


def _line(form: FormState, heard: dict[str, tuple[datetime, int]]) -> Line:
    last, count = heard.get(form.id, (None, 0))
    state = ("retired" if form.retired else "silent" if silent(form, last, now())
             else "untested" if not count and form.tested_at is None else "live")
    return Line(form, state, last, count)


def _heard() -> dict[str, tuple[datetime, int]]:
    return the_hub().views.receipts.last_of("website")


def listed() -> list[Line]:
    """All forms, those on sites first."""
    heard = _heard()
    found = [_line(form, heard) for form in the_hub().forms().values()]
    return sorted(found, key=lambda line: (line.form.retired, line.form.name.casefold()))


@bp.get("")
@needs("admin")
def index() -> str:
    """The list."""
    return render_template("admin/forms.html", forms=listed())


def _existing(form: str) -> FormState:
    state = the_hub().form(form)
    if state is None:
        abort(404)
    return state


# ── one form: state, snippets, test ──────────────────────────────────────────────


def _page(form: FormState) -> dict[str, Any]:
    public = parts().public_url
    return {"form": form, "line": _line(form, _heard()), "snippets": snippets(form, public), "tab": "paste",
            "addresses": {"form": f"{public}/f/{form.id}", "api": f"{public}/api/v1/forms/{form.id}/submissions",
                          "script": f"{public}/static/hub-form.js"}, "tested": None}


@bp.get("/<form>")
@needs("admin")
def one(form: str) -> str:
    """What to paste where; with ``?test=<receipt>`` also what became of a test."""
    state = _existing(form)
    page = _page(state)
    try:
        receipt = UUID(request.args["test"])
    except (KeyError, ValueError):
        receipt = None
    if receipt is not None:
        page["tested"] = _test_result(receipt, state.id)
    return render_template(SHOW, errors={}, **page)


def _test_result(receipt: UUID, form: str) -> dict[str, Any] | None:
    try:
        known = the_hub().quarantined(receipt)
    except Refused:
        return None
    if known.lead is None or known.source != form:
        return None
    lead = the_hub().lead(known.lead)
    row = the_hub().views.leads.one(known.lead)
    return {"receipt": receipt, "at": known.at, "lead": known.lead, "name": lead.name, "number": row["number"] if row else None}


@bp.post("/<form>/test")
@needs("admin")
def test(form: str) -> Response:
    """A submission as a visitor's browser would send it, through the same channel and intake; it ends as a test lead."""
    state = _existing(form)
    try:
        receipt = send_test(state)
    except Refused as refused:
        return refused_page(SHOW, refused, at_top=True, **_page(state))
    return done(url_for(".one", form=form, test=receipt))


def send_test(form: FormState) -> UUID:
    """Send it, for the test on the page and for the API's; the receipt by which it is found."""
    if form.retired:
        raise Refused("form_is_retired", id=form.id)
    here, key = parts(), f"test-{uuid4()}"
    body = urlencode({"name": _("Тестовая заявка"), "email": f"{key[:13]}@example.com",
                      "message": _("Проверка формы «%(name)s». Отвечать на неё не нужно.", name=form.id)}).encode()
    sent = Inbound("POST", f"/f/{form.id}", {"content-type": "application/x-www-form-urlencoded", "idempotency-key": key,
                                             "origin": here.public_url}, body, request.remote_addr or "", now())
    accepted = Website(here.form_key, here.public_url).accept(sent, form, at=now())
    taken = here.hub.receive(replace(accepted.deliveries[0], test=True), at=now())
    here.hub.change(Form, form_stream(form.id), lambda f: f.note_test(str(taken.receipt)), actor=me().actor, at=now())
    return taken.receipt


# ── settings ─────────────────────────────────────────────────────────────────────


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in ("id", *FormSettings.__struct_fields__)}


def _shown(settings: FormSettings, id: str = "") -> dict[str, str]:
    """Settings as the fields of the page show them."""
    values = {name: str(value) for name, value in asdict(settings).items()}
    values |= {name: "\n".join(getattr(settings, name)) for name in LISTS}
    return {**values, "aliases": "\n".join(f"{name} = {field}" for name, field in settings.aliases), "id": id}


def _settings() -> FormSettings:
    """The settings that the page sent. Refused at the field that is no number; the rest is the form's own to judge."""
    values: dict[str, Any] = {name: request.form.get(name, "") for name in TEXTS}
    values |= {name: lines(name) for name in LISTS} | {name: whole(name) for name in RANGES}
    return FormSettings(**values, aliases=tuple(_alias(line) for line in lines("aliases")))


def _alias(line: str) -> tuple[str, str]:
    name, _sign, field = line.rpartition("=")
    return (name.strip(), field.strip()) if name else (field.strip(), "")


def _edit_page(typed: dict[str, str], form: FormState | None) -> dict[str, Any]:
    return {"typed": typed, "form": form, "ranges": RANGES, "fields": FIELDS, "tab": "settings",
            "line": _line(form, _heard()) if form else None}


@bp.route("/new", methods=("GET", "POST"))
@needs("admin")
def new() -> Response:
    """A new form; afterwards its page says what to paste."""
    if request.method == "GET":
        return make_response(render_template(EDIT, errors={}, **_edit_page(_shown(FormSettings(name="")), None)))
    address = request.form.get("id", "").strip()
    try:
        settings = _settings()
        the_hub().change(Form, form_stream(address), lambda f: f.make(address, settings), actor=me().actor, at=now())
    except Refused as refused:
        return refused_page(EDIT, refused, **_edit_page(_typed(), None))
    flash(_("Форма создана. Вставьте её на сайт и отправьте тест."), "ok")
    return done(url_for(".one", form=address))


@bp.route("/<form>/edit", methods=("GET", "POST"))
@needs("admin")
def edit(form: str) -> Response:
    """The settings of a form; its address stays."""
    state = _existing(form)
    if request.method == "GET":
        return make_response(render_template(EDIT, errors={}, **_edit_page(_shown(state.settings(), state.id), state)))
    try:
        settings = _settings()
        the_hub().change(Form, form_stream(form), lambda f: f.edit(settings), actor=me().actor, at=now())
    except Refused as refused:
        return refused_page(EDIT, refused, **_edit_page({**_typed(), "id": state.id}, state))
    flash(_("Настройки формы сохранены."), "ok")
    return done(url_for(".edit", form=form))


@bp.post("/<form>/retire")
@needs("admin")
def retire(form: str) -> Response:
    """The form left its site; what still comes waits in the quarantine."""
    return _move(form, lambda f: f.retire(), _("Форма снята. Если с неё ещё придут заявки, они будут ждать в карантине."))


@bp.post("/<form>/restore")
@needs("admin")
def restore(form: str) -> Response:
    """The form is in use again."""
    return _move(form, lambda f: f.restore(), _("Форма снова принимает заявки."))


def _move(form: str, act: Any, words: str) -> Response:
    state = _existing(form)
    try:
        the_hub().change(Form, form_stream(form), act, actor=me().actor, at=now())
    except Refused as refused:
        return refused_page(SHOW, refused, **_page(state))
    flash(words, "ok")
    return done(url_for(".one", form=form))

"""The editor of the process file (R0): a draft for each person, its faults, what it changes, and putting it in force."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import cast

import msgspec
from flask import Blueprint, abort, current_app, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.calendar import knows
from hub.domain.errors import Refused, sentences
from hub.domain.process import ProcessFile
from hub.domain.process_check import BadProcess, read_process, reread_process
from hub.domain.process_edit import edited
from hub.domain.publication import ProcessPublished
from hub.web.admin.base import done, refused_page
from hub.web.desk import me, needs, now, the_hub
from hub.web.drafts import Drafts
from hub.web.frame import language
from hub.web.process.page import published
from hub.web.process.trial_form import edits_of, fields_of
from hub.web.process.words import Change, diff_of

bp = Blueprint("process", __name__, url_prefix="/settings/process")

KEEP = ("decide", "admin")
"""Who changes the process."""
LONGEST = 500_000
"""Characters of a process file."""
AROUND = 2

sentences(
    process_too_long=("Файл длиннее {most} знаков. Уберите лишнее.", "The file is longer than {most} characters. Shorten it."),
    process_faulty=("В файле есть ошибки: исправьте их и опубликуйте снова.",
                    "The file has faults: mend them and publish again."),
    process_same=("Черновик не отличается от действующей редакции: публиковать нечего.",
                  "The draft says what is in force already: there is nothing to publish."),
)


@dataclass(frozen=True)
class Shown:
    """A fault as the page shows it: the line's number (0: none) and words, and what stands there."""

    line: int
    sentence: str
    there: str


@dataclass(frozen=True)
class Desk:
    """What one person works on: the text, the version it was made from, the one in force now, and its faults."""

    text: str
    seen: int
    newest: ProcessPublished
    own: bool
    faults: list[Shown]

    @property
    def differs(self) -> bool:
        """Whether there is anything to publish."""
        return self.text != self.newest.text

    @property
    def behind(self) -> bool:
        """Whether another version came into force since the draft was begun."""
        return self.own and self.seen != self.newest.number


def the_drafts() -> Drafts:
    """Drafts of all people."""
    return cast(Drafts, current_app.extensions["drafts"])


def faults_of(text: str) -> list[Shown]:
    """What is wrong with a text, in the language of the page."""
    try:
        read_process(text, knows)
    except BadProcess as bad:
        lines = text.splitlines()
        return [Shown(f.line, f.say(language()), lines[f.line - 1].strip()[:120] if 0 < f.line <= len(lines) else "")
                for f in bad.faults]
    return []


def desk() -> Desk:
    """What the signed-in person works on: their draft, or what is in force."""
    newest = published()[-1]
    draft = the_drafts().of(me().stream)
    if draft is None:
        return Desk(newest.text, newest.number, newest, False, faults_of(newest.text))
    return Desk(draft.text, draft.seen, newest, True, faults_of(draft.text))


def keep(text: str, seen: int) -> None:
    """Keep a text as the draft; one that says what is in force is none."""
    if len(text) > LONGEST:
        raise Refused("process_too_long", field="text", most=LONGEST)
    if text == published()[-1].text:
        the_drafts().drop(me().stream)
    else:
        the_drafts().save(me().stream, text, seen, now())


def readable(text: str) -> ProcessFile | None:
    """The file as values, faults or not; None where it cannot be read at all."""
    try:
        return reread_process(text)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError):
        return None


def change_usual(current: Desk) -> None:
    """Make the changes that the sent form asks for in the draft. Refused at the field that makes no sense."""
    file = readable(current.text)
    if file is not None:
        keep(edited(current.text, file, edits_of(file)), current.seen)


def _sent() -> str:
    return request.form.get("text", "").replace("\r\n", "\n")


def _changes(old: str, new: str) -> list[Change]:
    return diff_of(old.splitlines(), new.splitlines(), AROUND)


@bp.get("")
@needs(*KEEP)
def index() -> str:
    """The usual things as a form."""
    return _usual(desk(), {})


def _usual(current: Desk, errors: dict[str, str]) -> str:
    file = readable(current.text)
    return render_template("admin/process_usual.html", desk=current, errors=errors, tab="usual", file=file,
                           **(fields_of(file) if file else {}))


@bp.post("")
@needs(*KEEP)
def usual() -> Response:
    """Change the usual things in the draft."""
    current = desk()
    try:
        change_usual(current)
    except Refused as refused:
        return make_response(_usual(current, {refused.field: refused.say(language())}), 422)
    return done(url_for(".review") if desk().differs else url_for(".index"))


@bp.get("/text")
@needs(*KEEP)
def whole() -> str:
    """The whole file as text."""
    return render_template("admin/process_text.html", desk=desk(), tab="text", errors={})


@bp.post("/text")
@needs(*KEEP)
def write() -> Response:
    """Keep the text as the draft, faulty or not; a good one goes on to the review."""
    current = desk()
    try:
        keep(_sent(), current.seen)
    except Refused as refused:
        return refused_page("admin/process_text.html", refused, desk=current, tab="text")
    after = desk()
    if after.faults:
        flash(_("Черновик сохранён. В нём есть ошибки: они перечислены над файлом."), "warn")
        return done(url_for(".whole"))
    return done(url_for(".review") if after.differs else url_for(".whole"))


@bp.post("/check")
@needs(*KEEP)
def check() -> str:
    """The faults of a text that is being written, as a part of the page; nothing is kept."""
    return render_template("admin/process_faults.html", faults=faults_of(_sent()[:LONGEST]), checked=True)


@bp.get("/review")
@needs(*KEEP)
def review() -> str:
    """What the draft changes, before it is put in force."""
    return _review(desk(), {}, "")


def _review(current: Desk, errors: dict[str, str], why: str) -> str:
    return render_template("admin/process_review.html", desk=current, errors=errors, why=why, tab="review",
                           changes=_changes(current.newest.text, current.text))


@bp.post("/publish")
@needs(*KEEP)
def publish() -> Response:
    """Put the draft in force, with a reason."""
    current, why = desk(), request.form.get("why", "")
    try:
        if not current.differs:
            raise Refused("process_same")
        if current.faults:
            raise Refused("process_faulty", field="why")
        the_hub().change_process(current.text, why, seen=current.seen, actor=me().actor, at=now())
    except Refused as refused:
        field = refused.field if refused.field == "why" else ""
        return make_response(_review(current, {field: refused.say(language())}, why), 422)
    the_drafts().drop(me().stream)
    flash(_("Редакция %(number)s вступила в силу. Прежние решения остались под прежними правилами.",
            number=the_hub().process.version), "ok")
    return done("/process")


@bp.post("/rebase")
@needs(*KEEP)
def rebase() -> Response:
    """The draft has been compared with the newest version: it may be published over it."""
    current = desk()
    keep(current.text, current.newest.number)
    return done(url_for(".review"))


@bp.post("/discard")
@needs(*KEEP)
def discard() -> Response:
    """Forget the draft."""
    the_drafts().drop(me().stream)
    flash(_("Черновик удалён. Действующая редакция не изменилась."), "ok")
    return done(url_for(".index"))


@bp.post("/restore")
@needs(*KEEP)
def restore() -> Response:
    """Take an old version as the draft."""
    versions = published()
    old = next((v for v in versions if str(v.number) == request.form.get("version", "")), None)
    if old is None:
        abort(404)
    keep(old.text, versions[-1].number)
    return done(url_for(".review"))


@bp.get("/history")
@needs(*KEEP, "audit")
def history() -> str:
    """All versions that were in force: when, by whom, why; any two to compare."""
    return render_template("admin/process_history.html", versions=published()[::-1], tab="history", may_edit=the_hub().may(
        me().actor, *KEEP))


@bp.get("/file")
@needs(*KEEP, "audit")
def file() -> Response:
    """The file in force, to keep beside the server's."""
    return Response(published()[-1].text, mimetype="application/toml",
                    headers={"Content-Disposition": 'attachment; filename="process.toml"'})

"""Clients' personal data: found, given out, erased in two steps, and the retention rules with whose time has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.errors import NotFound, Refused
from hub.domain.privacy import ErasureState
from hub.privacy import Client, Clients, Eraser, Reach
from hub.privacy.archive import Archivist
from hub.privacy.retention import Retention
from hub.privacy.words import AGAIN, LEFT, REACHED, said
from hub.web.admin.base import refused_page
from hub.web.desk import me, needs, now, parts, settle, the_hub
from hub.web.frame import language, the_process

bp = Blueprint("privacy", __name__, url_prefix="/settings/privacy")

WHO = ("admin",)
PERSON, CONFIRM = "admin/privacy_person.html", "admin/privacy_erase.html"
SHOWN = 50
"""Erasures and archives in the lists."""


@dataclass(frozen=True)
class Done:
    """A line of the list of erasures or archives."""

    id: UUID
    at: datetime
    who: str
    reason: str
    row: Any


@bp.app_template_filter("reported")
def reported(code: str, kind: str) -> str:
    """The words of a report's code; ``kind``: ``reached``, ``again``, ``left``."""
    return said({"reached": REACHED, "again": AGAIN, "left": LEFT}[kind], code, language())


def eraser() -> Eraser:
    """Erases in this hub."""
    here = parts()
    return Eraser(here.hub, here.runner, here.accounts)


def _who(actor: str) -> str:
    found = next((user.name for id, user in the_hub().users().items() if f"user:{id}" == actor), "")
    return found or str(_("Хаб или администратор сервера"))


def _line(row: Any) -> Done:
    return Done(UUID(row["id"]), datetime.fromisoformat(row["at"]), _who(row["actor"]), row["reason"], row)


@bp.get("")
@needs(*WHO)
def index() -> str:
    """Find a person; what was erased and given out; what the rules say."""
    hub, words = the_hub(), request.args.get("q", "").strip()[:200]
    persons = hub.views.persons
    return render_template("admin/privacy.html", q=words, found=Clients(hub).find(words) if words else [],
                           erasures=[_line(row) for row in persons.erasures(SHOWN)],
                           exports=[_line(row) for row in persons.exports(SHOWN)], rules=the_process().file.privacy)


def _reach(person: UUID) -> Reach:
    """What an erasure would reach, as the form says: who is the same person, and whether texts of shared cards go."""
    given = request.values
    asked = given.get("asked") == "1"
    also = [UUID(text) for text in given.getlist("also")] if asked else None
    return eraser().reaching.of(person, also, shared_texts=not asked or given.get("shared") == "1")


def _page(person: UUID) -> dict[str, Any]:
    try:
        reach = _reach(person)
    except ValueError:
        abort(400)
    client: Client = next(c for c in reach.clients if c.id == person)
    return {"client": client, "reach": reach, "reason": request.form.get("reason", ""),
            "stage": lambda state: the_process().stages[state.stage].title if state.stage in the_process().stages else ""}


@bp.get("/people/<uuid:person>")
@needs(*WHO)
def person(person: UUID) -> str | Response:
    """A person: who they are, their cards, giving out and erasing."""
    gone = the_hub().views.persons.erased(person)
    if gone is not None:
        return redirect(url_for(".erasure", erasure=UUID(gone["erasure"])), 303)
    return render_template(PERSON, errors={}, **_page(person))


@bp.post("/people/<uuid:person>/export")
@needs(*WHO)
def export(person: UUID) -> Response:
    """The archive for the person, as a download."""
    try:
        archive = Archivist(the_hub()).give(person, request.form.get("reason", ""), actor=me().actor, at=now())
    except NotFound:
        raise
    except Refused as refused:
        return refused_page(PERSON, refused, **{**_page(person), "failed": "export"})
    answer: Response = send_file(BytesIO(archive), "application/zip", as_attachment=True,
                                 download_name=f"personal-data-{person.hex[:8]}.zip")
    return answer


@bp.post("/people/<uuid:person>/erase")
@needs(*WHO)
def erase(person: UUID) -> Response:
    """The first press shows what is reached; the second one, with the seal of what was shown, erases."""
    page = _page(person)
    form = request.form
    if "seal" not in form:
        try:
            eraser().check(page["reach"], form.get("reason", ""))
        except Refused as refused:
            return refused_page(PERSON, refused, **{**page, "failed": "erase"})
        return make_response(render_template(CONFIRM, errors={}, **page))
    also = tuple(UUID(text) for text in form.getlist("also"))
    try:
        done = eraser().erase(person, form.get("reason", ""), also=also, shared_texts=form.get("shared") == "1",
                              seal=form["seal"], actor=me().actor, at=now())
    except NotFound:
        raise
    except Refused as refused:
        return refused_page(CONFIRM, refused, at_top=True, **page)
    settle()
    flash(_("Данные удалены. Ниже — что сделал хаб и что осталось людям."), "ok")
    return redirect(url_for(".erasure", erasure=done), 303)


@bp.get("/erasures/<uuid:erasure>")
@needs(*WHO)
def erasure(erasure: UUID) -> str:
    """The report of an erasure."""
    state: ErasureState = eraser().state(erasure)
    assert state.begun is not None
    cards = [(card, the_hub().views.leads.one(card.lead)) for card in state.begun.cards]
    return render_template("admin/privacy_erasure.html", erasure=erasure, state=state, begun=state.begun, who=_who(state.actor),
                           cards=cards)


@bp.get("/retention")
@needs(*WHO)
def retention() -> str:
    """Whose time has come. Nothing is erased by looking."""
    due = Retention(eraser()).due(now())
    clients = Clients(the_hub())
    return render_template("admin/privacy_retention.html", due=[(one, clients.client(one.person)) for one in due[:SHOWN]],
                           total=len(due), rules=the_process().file.privacy)


@bp.post("/retention")
@needs(*WHO)
def run() -> Response:
    """Erase those whose time has come, now."""
    the_hub().allow("retention.run", None, "admin", actor=me().actor, at=now())
    done = Retention(eraser()).run(now())
    settle()
    flash(_("Удалены данные: %(number)s чел.", number=len(done)), "ok")
    return redirect(url_for(".index"), 303)

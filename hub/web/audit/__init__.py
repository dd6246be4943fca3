"""The proof of the log for people: what was checked, what was signed, and a lead's history to take away."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, NamedTuple
from uuid import UUID

from flask import Blueprint, abort, flash, g, make_response, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.audit.export import NotExported, Request, export
from hub.audit.findings import Finding
from hub.audit.keeping import State
from hub.audit.ledger import Kept
from hub.audit.signing import NoKey
from hub.domain.errors import NotFound, Refused, sentences
from hub.web.admin.base import done, refused_page
from hub.web.desk import may, me, needs, now, settle, the_hub
from hub.web.words import GAP

bp = Blueprint("audit", __name__)
WHO = ("admin", "audit")
PAGE = "audit/page.html"
LISTED = 30
"""Checkpoints and checks on the page."""
LARGEST_NUMBER = 10**9
LATE = 3
"""Intervals without a check after which the page says that nobody checks."""

sentences(
    audit_no_key=("Подписать контрольную точку нельзя: {why}.", "No checkpoint can be signed: {why}."),
    audit_no_export=("Выгрузить заявку нельзя: {why}.", "The lead cannot be exported: {why}."),
    audit_which_lead=("Напишите номер заявки, например L-17.", "Write the number of a lead, such as L-17."),
)


class Proof(NamedTuple):
    """What a card says of its own proof: up to which of its ``events`` it was found unaltered, when, and under which checkpoint
    (how many events of the log that covers, 0 for none)."""

    verified: int
    events: int
    at: datetime | None
    checkpoint: int
    failed: bool


def lead_proof(lead: UUID, events: int) -> Proof:
    """The proof of a lead that has ``events`` events."""
    audit = the_hub().audit
    state = audit.state()
    newest = next(iter(audit.ledger.kept(limit=1)), None) if state.good else None
    return Proof(audit.verified_upto(lead, events), events, state.good.ended_at if state.good else None,
                 newest.size if newest else 0, state.failed)


def alarm() -> State | None:
    """The checks, for those who must hear of a failed one, on every page; else None."""
    if g.get("signed") is None or not may(*WHO):
        return None
    state = the_hub().audit.state()
    return state if state.failed else None


def lead_of(finding: Finding) -> tuple[UUID, int] | None:
    """The lead whose event a finding names, with its number; None where it names none."""
    try:
        stream = UUID(str(finding.params.get("stream", "")))
    except ValueError:
        return None
    row = the_hub().views.leads.one(stream)
    return (stream, row["number"]) if row is not None else None


@bp.app_context_processor
def helpers() -> dict[str, Any]:
    """What the layout and the card call."""
    return {"audit_alarm": alarm, "lead_proof": lead_proof, "audit_may": lambda: may(*WHO),
            "lead_of_finding": lead_of}


@bp.app_template_filter("grouped")
def grouped(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}".replace(",", GAP)


def _page(**more: Any) -> dict[str, Any]:
    audit = the_hub().audit
    state = audit.state(fresh=True)
    size, _position = audit.ledger.size()
    options, keys = audit.options, audit.keys().keys
    every = options.every if options is not None else timedelta(hours=24)
    last = state.last.ended_at if state.last else None
    return {"state": state, "size": size, "kept": audit.ledger.kept(limit=LISTED), "checks": audit.checks(LISTED), "keys": keys,
            "options": options, "late": last is not None and now() - last > LATE * every, "errors": {}, "number": "", **more}


@bp.get("/audit")
@needs(*WHO)
def index() -> str:
    """Checkpoints, the last check, and what can be done. The page looks again by itself while a check is under way."""
    return render_template(PAGE, **_page())


@bp.post("/audit/verify")
@needs(*WHO)
def verify() -> Response:
    """Ask the worker for a check of the whole log."""
    the_hub().audit.ask(me().id, now())
    return redirect(url_for("audit.index"), 303)


@bp.post("/audit/checkpoint")
@needs(*WHO)
def checkpoint() -> Response:
    """Sign a checkpoint now; the worker takes it to where it belongs."""
    try:
        kept = _signed()
    except Refused as refused:
        return refused_page(PAGE, refused, at_top=True, **_page())
    flash(_("Контрольная точка подписана: событий %(number)s.", number=kept.size), "ok")
    return done(url_for("audit.index"))


def _signed() -> Kept:
    """A checkpoint of all that is stored now."""
    hub = the_hub()
    try:
        kept = hub.audit.sign(hub.audit_record(), now())
    except NoKey as error:
        raise Refused("audit_no_key", why=error) from error
    if kept is None:
        abort(404)
    return kept


@bp.get("/audit/files/checkpoint-<int:size>.<any(txt, tsr):suffix>")
@needs(*WHO)
def checkpoint_file(size: int, suffix: str) -> Response:
    """A checkpoint or its time stamp, to be kept elsewhere."""
    found = next((kept for kept in the_hub().audit.ledger.kept() if kept.size == size), None)
    content = None if found is None else found.note.encode() if suffix == "txt" else found.stamp
    if content is None:
        abort(404)
    return _attachment(content, f"checkpoint-{size:012}.{suffix}",
                       "text/plain; charset=utf-8" if suffix == "txt" else "application/timestamp-reply")


@bp.post("/audit/export")
@needs(*WHO)
def export_lead() -> Response:
    """A lead's history as one file that proves itself. Who took it away is recorded."""
    hub, number = the_hub(), request.form.get("number", "").strip()
    try:
        lead, known = _lead(number)
        kept = _signed()
        file = BytesIO()
        names = {f"user:{id}": user.name for id, user in hub.users().items()}
        try:
            out = export(hub.audit.ledger, kept, Request(lead, known, now(), lambda actor: names.get(actor, actor)), file)
        except NotExported as error:
            raise Refused("audit_no_export", why=error) from error
    except Refused as refused:
        return refused_page(PAGE, refused, at_top=not refused.field, **_page(number=number))
    hub.audit_record(me().actor)(lambda log: log.exported(lead, out.upto), now())
    settle()
    return _attachment(file.getvalue(), f"L-{known}-{kept.size}.zip", "application/zip")


def _lead(text: str) -> tuple[UUID, int]:
    digits = text.lstrip("LlЛл-№# ")
    if not digits.isascii() or not digits.isdigit() or int(digits) >= LARGEST_NUMBER:
        raise Refused("audit_which_lead", field="number")
    found = the_hub().views.leads.by_number(int(digits))
    if found is None:
        refused = NotFound("no_such_lead")
        refused.field = "number"
        raise refused
    return found, int(digits)


def _attachment(content: bytes, name: str, kind: str) -> Response:
    answer = make_response(send_file(BytesIO(content), kind, as_attachment=True, download_name=name))
    answer.headers["Cache-Control"] = "no-store"
    return answer


__all__ = ["alarm", "bp", "lead_proof"]

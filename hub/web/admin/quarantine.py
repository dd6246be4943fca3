"""The quarantine: what a person should look at before it becomes a lead. Nothing in it is ever deleted (R1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import format_decimal
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.delivery import Delivery
from hub.domain.errors import SENTENCES, Refused
from hub.domain.event import ERASED
from hub.domain.index import ReceiptState
from hub.traffic.inbound import read_again, readable
from hub.web import files
from hub.web.admin.base import done, lead_url, refused_page
from hub.web.desk import me, needs, now, parts, the_hub
from hub.web.frame import language

bp = Blueprint("quarantine", __name__, url_prefix="/quarantine")

WHO = ("intake", "admin")
PAGE = "admin/quarantined.html"
SHOWN = 100
"""Deliveries on one page of the list, the newest first."""
EXCERPT = 140
"""Characters of a delivery in the list."""
RAW_SHOWN = 4_000
"""Characters of the body that a page shows until it is asked for all of it."""
TABS = {"waiting": "quarantined", "unread": "unread", "made": "released", "dismissed": "dismissed"}
"""Tabs of the list and the receipts' statuses behind them; ``unread`` are the dead letters of the channels."""


@dataclass(frozen=True)
class Line:
    """A delivery in the list."""

    receipt: UUID
    at: datetime
    source: str
    who: str
    excerpt: str
    reasons: list[str]
    lead: UUID | None
    why: str


def reasons(codes: str) -> list[str]:
    """Why a person should look: the sentences of ``Delivery.suspicion``, or why it could not be read."""
    known = {code: SENTENCES.get(f"suspect_{code}") or SENTENCES.get(f"unread_{code}") for code in codes.split()}
    return [code if words is None else words.en if language() == "en" else words.ru for code, words in known.items()]


def understood(state: ReceiptState) -> Delivery:
    """What was understood of a delivery; only its channel where the person was erased."""
    if not state.delivery or state.delivery == ERASED:
        return Delivery(channel=state.channel, source=state.source, source_title=state.source_title)
    return msgspec.json.decode(state.delivery, type=Delivery)


@bp.app_template_filter("size")
def size(count: int) -> str:
    """Bytes as people read them: «1,5 МБ»."""
    if count < 1024:
        return f"{count} {_('байт')}"
    kilo = count / 1024
    number, unit = (kilo, _("КБ")) if kilo < 1000 else (kilo / 1024, _("МБ"))
    return f"{format_decimal(number, '0.#')} {unit}"


def _line(row: Any) -> Line:
    receipt = UUID(row["id"])
    state = the_hub().quarantined(receipt)
    delivery = understood(state)
    contacts = [a.raw or a.value for a in delivery.addresses]
    words = " ".join((delivery.text or delivery.subject_line or the_hub().raw_of(state, receipt)[:2000]).split())
    return Line(receipt, datetime.fromisoformat(row["at"]), state.source_title or state.source,
                ", ".join(filter(None, (delivery.name, *contacts[:2]))), words[:EXCERPT] + ("…" if len(words) > EXCERPT else ""),
                reasons(state.reason), state.lead, state.why)


@bp.get("")
@needs(*WHO)
def index() -> str:
    """One of the three tabs, chosen by ``state``."""
    tab = request.args.get("state", "waiting")
    if tab not in TABS:
        abort(404)
    receipts = the_hub().views.receipts
    letters = the_hub().views.channels
    rows = letters.dead_letters("unread", SHOWN + 1) if tab == "unread" else receipts.quarantine(TABS[tab], SHOWN + 1)
    return render_template("admin/quarantine.html", tab=tab, lines=[_line(row) for row in rows[:SHOWN]], more=len(rows) > SHOWN,
                           shown=SHOWN, waiting=receipts.waiting(), unread=letters.unread())


def _state(receipt: UUID) -> ReceiptState:
    try:
        state = the_hub().quarantined(receipt)
    except Refused:
        abort(404)
    if state.status == "accepted":
        abort(404)
    return state


def _page(receipt: UUID, state: ReceiptState) -> dict[str, Any]:
    delivery, whole, raw = understood(state), request.args.get("all") == "1", the_hub().raw_of(state, receipt)
    if not state.delivery:
        raw = readable(raw)
    return {"receipt": receipt, "state": state, "delivery": delivery, "files": files.refs_of(state),
            "reasons": reasons(state.reason),
            "raw": raw if whole else raw[:RAW_SHOWN], "raw_left": 0 if whole else max(0, len(raw) - RAW_SHOWN),
            "erased": raw == ERASED, "typed": request.form.get("why", "")}


@bp.get("/<uuid:receipt>")
@needs(*WHO)
def one(receipt: UUID) -> str:
    """A delivery with everything that came."""
    return render_template(PAGE, errors={}, **_page(receipt, _state(receipt)))


@bp.get("/<uuid:receipt>/files/<int:number>")
@needs(*WHO)
def file(receipt: UUID, number: int) -> Response:
    """An attached file, always as a download: it is a stranger's."""
    return files.of_receipt(receipt, _state(receipt), number)


@bp.post("/<uuid:receipt>/release")
@needs(*WHO)
def release(receipt: UUID) -> Response:
    """Make a lead of it. Pressed twice, or by two people, it is still one lead."""
    state = _state(receipt)
    try:
        taken = the_hub().release(receipt, actor=me().actor, at=now())
    except Refused as refused:
        state = _state(receipt)
        if state.lead is None:
            return refused_page(PAGE, refused, **_page(receipt, state))
        flash(_("Заявка из этого обращения уже создана."), "info")
        return redirect(lead_url(state.lead), 303)
    flash(_("Создана новая заявка. Её сроки пошли сейчас.") if taken.began
          else _("Обращение добавлено в открытую заявку этого клиента."), "ok")
    assert taken.lead is not None
    return done(lead_url(taken.lead))


@bp.post("/<uuid:receipt>/read-again")
@needs(*WHO)
def again(receipt: UUID) -> Response:
    """Have a dead letter read by the channel as it is now. Pressed twice, it adds nothing."""
    state = _state(receipt)
    try:
        lead = read_again(the_hub(), parts().accounts, receipt, actor=me().actor, at=now())
    except Refused as refused:
        return refused_page(PAGE, refused, at_top=True, **_page(receipt, state))
    flash(_("Обращение разобрано и стало заявкой.") if lead else _("Обращение разобрано: заявки в нём нет."), "ok")
    return done(lead_url(lead) if lead else url_for(".index"))


@bp.post("/<uuid:receipt>/dismiss")
@needs(*WHO)
def dismiss(receipt: UUID) -> Response:
    """Say that it is no request, and why; it is kept."""
    _state(receipt)
    try:
        the_hub().dismiss(receipt, request.form.get("why", ""), actor=me().actor, at=now())
    except Refused as refused:
        return refused_page(PAGE, refused, **_page(receipt, _state(receipt)))
    flash(_("Отмечено: это не заявка. Обращение осталось на вкладке «Не заявки»."), "ok")
    return done(url_for(".index"))


"""The partner directory (R13): everybody reads it, the administrator and the head of sales keep it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.errors import Refused
from hub.domain.partner import Partner, PartnerState
from hub.web.admin.base import done, found, refused_page
from hub.web.desk import may, me, needs, now, signed_in, the_hub
from hub.web.frame import the_process

bp = Blueprint("partners", __name__, url_prefix="/partners")

KEEP = ("admin", "partners")
EDIT = "admin/partner_edit.html"


@bp.get("")
@signed_in
def index() -> str:
    """The agencies, filtered by price segment (``price``) and technology (``technology``)."""
    price, technology = request.args.get("price", ""), request.args.get("technology", "")
    everyone = sorted(the_hub().partners().items(), key=lambda pair: (pair[1].retired, pair[1].name.casefold()))
    prices = the_process().price_segments
    shown = [(id, p) for id, p in everyone if (not price or price in p.prices)
             and (not technology or technology.casefold() in {t.casefold() for t in p.technologies})]
    known = [p for _id, p in everyone]
    return render_template(
        "admin/partners.html", partners=shown, total=len(everyone), may_edit=may(*KEEP), prices=prices,
        price_chips=_chips("price", price, technology, [(p.id, p.title) for p in prices.values()], known),
        technology_chips=_chips("technology", technology, price, [(t, t) for t in _technologies(known)], known))


def _technologies(partners: list[PartnerState]) -> list[str]:
    """Technologies in one spelling each, in alphabetical order."""
    spelt = {t.casefold(): t for p in reversed(partners) for t in p.technologies}
    return [spelt[key] for key in sorted(spelt)]


def _chips(name: str, chosen: str, other: str, options: list[tuple[str, str]],
           partners: list[PartnerState]) -> list[tuple[str, str, int | None, bool]]:
    """Filter links (url, title, count, current); each keeps the other filter."""
    rest: dict[str, Any] = {"technology" if name == "price" else "price": other or None}

    def count(value: str) -> int:
        return sum(value.casefold() in map(str.casefold, p.prices if name == "price" else p.technologies) for p in partners)
    every: list[tuple[str, str, int | None, bool]] = [(url_for(".index", **rest), _("Все"), None, not chosen)]
    return every + [(url_for(".index", **{**rest, name: value}), title, count(value), value.casefold() == chosen.casefold())
                    for value, title in options]


def _fields() -> dict[str, Any]:
    technologies = request.form.get("technologies", "").split(",")
    return {"prices": tuple(request.form.getlist("prices")), "technologies": tuple(t.strip() for t in technologies if t.strip()),
            **{name: request.form.get(name, "") for name in ("name", "site", "contact", "about")}}


def _page(partner: UUID | None, typed: dict[str, Any], state: PartnerState | None) -> dict[str, Any]:
    return {"partner": partner, "state": state, "typed": typed,
            "price_options": [(p.id, p.title) for p in the_process().price_segments.values()]}


@bp.route("/new", methods=("GET", "POST"))
@needs(*KEEP)
def new() -> Response:
    """A vetted agency joins."""
    typed = _fields()
    if request.method == "GET":
        return make_response(render_template(EDIT, errors={}, **_page(None, typed, None)))
    try:
        the_hub().write_partner(None, actor=me().actor, at=now(), **typed)
    except Refused as refused:
        return refused_page(EDIT, refused, **_page(None, typed, None))
    flash(_("Партнёр «%(name)s» добавлен.", name=typed["name"].strip()), "ok")
    return done(url_for(".index"))


@bp.route("/<uuid:partner>", methods=("GET", "POST"))
@needs(*KEEP)
def edit(partner: UUID) -> Response:
    """What is known of an agency."""
    state = found(the_hub().partners(), partner)
    if request.method == "GET":
        shown = {name: getattr(state, name) for name in _fields()}
        return make_response(render_template(EDIT, errors={}, **_page(partner, shown, state)))
    typed = _fields()
    try:
        the_hub().write_partner(partner, actor=me().actor, at=now(), **typed)
    except Refused as refused:
        return refused_page(EDIT, refused, **_page(partner, typed, state))
    flash(_("Сохранено."), "ok")
    return done(url_for(".index"))


@bp.post("/<uuid:partner>/retire")
@needs(*KEEP)
def retire(partner: UUID) -> Response:
    """Offer the agency no more."""
    return _move(partner, lambda p: p.retire(request.form.get("why", "")),
                 _("Партнёра больше не предлагаем. Он остался в списке."))


@bp.post("/<uuid:partner>/restore")
@needs(*KEEP)
def restore(partner: UUID) -> Response:
    """Offer the agency again."""
    return _move(partner, lambda p: p.restore(), _("Партнёра снова предлагаем."))


def _move(partner: UUID, act: Any, words: str) -> Response:
    found(the_hub().partners(), partner)
    the_hub().change(Partner, partner, act, actor=me().actor, at=now(), permissions=KEEP)
    flash(words, "ok")
    return done(url_for(".index"))

"""What all settings pages share: a refused form drawn again, and the company's own clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from flask import abort, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from hub.domain.errors import Refused, sentences
from hub.web.desk import settle
from hub.web.errors import status_of
from hub.web.frame import language, the_process

T = TypeVar("T")

sentences(
    bad_day=("Выберите день в календаре.", "Choose a day in the calendar."),
    bad_whole_number=("Напишите целое число.", "Write a whole number."),
)

def refused_page(template: str, refused: Refused, *, at_top: bool = False, **context: Any) -> Response:
    """The same page again with the sentence in its place: ``errors`` holds it by field, by "" for the top.

    ``at_top`` where the page has no such field.
    """
    context["errors"] = {"" if at_top else refused.field: refused.say(language())}
    return make_response(render_template(template, **context), status_of(refused))


def done(url: str) -> Response:
    """After a change: wait until the read models show it, then go there."""
    settle()
    return redirect(url, 303)


def lead_url(lead: UUID) -> str:
    """A lead's page."""
    return f"/leads/{lead}"


def lines(name: str) -> tuple[str, ...]:
    """The non-empty lines of a field."""
    return tuple(line.strip() for line in request.form.get(name, "").splitlines() if line.strip())


def day(name: str) -> date:
    """The day in a date field, or a refusal at it."""
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        raise Refused("bad_day", field=name) from None


def whole(name: str) -> int:
    """The whole number in a field, or a refusal at it."""
    text = request.form.get(name, "").strip()
    if not text.isascii() or not text.lstrip("-").isdigit() or len(text) > 9:
        raise Refused("bad_whole_number", field=name)
    return int(text)


def role_titles(roles: tuple[str, ...]) -> str:
    """Roles as people call them."""
    known = the_process().roles
    return ", ".join(known[r].title if r in known else r for r in roles)


def found(things: Mapping[UUID, T], stream: UUID) -> T:
    """One of ``things``; 404 where there is no such one."""
    if stream not in things:
        abort(404)
    return things[stream]

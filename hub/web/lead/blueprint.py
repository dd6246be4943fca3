"""The blueprint of the card's pages, and how they leave for another one."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

bp = Blueprint("lead", __name__)


def by_htmx() -> bool:
    """Whether a part of a page is wanted rather than a whole one."""
    return bool(request.headers.get("HX-Request"))


def go(url: str) -> Response:
    """Leave for another page, also from a dialog that htmx filled."""
    return Response("", 204, {"HX-Redirect": url}) if by_htmx() else redirect(url, 303)

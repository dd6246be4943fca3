"""The blueprint of the card's pages, and how they leave for another one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

bp = Blueprint("lead", __name__)


def by_htmx() -> bool:
    """Whether a part of a page is wanted rather than a whole one."""
    return bool(request.headers.get("HX-Request"))


def go(url: str) -> Response:
    """Leave for another page, also from a dialog that htmx filled."""
    return Response("", 204, {"HX-Redirect": url}) if by_htmx() else redirect(url, 303)


def answered(lead: UUID, said: str, event: str = "", about: Mapping[str, Any] | None = None) -> Response:
    """Something was stored from within the card: the page stays, says so, and fetches what changed; ``event`` tells its script.

    A plain form goes back to the card.
    """
    if not by_htmx():
        flash(said, "ok")
        return redirect(url_for("lead.card", lead=lead), 303)
    events: dict[str, Any] = {"toast": {"text": said, "state": "ok"}, "refresh-live": {}}
    if event:
        events[event] = about or {}
    return Response("", 204, {"HX-Trigger": json.dumps(events)})  # ASCII, as htmx wants it

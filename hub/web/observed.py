"""Every request leaves one line in the log and one count: which address, how it ended, how long, who and which lead.

The line holds ids and the pattern of the address, never a query, a form, a header or an address that a stranger made up.
"""

from __future__ import annotations

import logging
import re
import time
from typing import cast
from uuid import uuid4

from flask import Flask, Response, current_app, g, request

from hub import logs
from hub.metrics import Metrics

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
SANE = re.compile(r"[0-9a-fA-F]{16,64}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""Ids that a proxy makes: anything else could be what somebody typed."""
UNKNOWN = "(unknown address)"
QUIET = ("health", "static")
"""Endpoints and blueprints that are asked all the time: counted, and told only when they fail."""


def set_up(app: Flask) -> None:
    """Tell and count each request of ``app``. To be installed before everything else, so that it sees all of a request."""
    def begin() -> None:
        given = request.headers.get(HEADER, "")
        g.request_id = given if SANE.fullmatch(given) else uuid4().hex
        g.began = time.perf_counter()
        logs.begin_request(g.request_id)

    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.began
        route = str(request.url_rule) if request.url_rule else UNKNOWN
        cast(Metrics, current_app.extensions["metrics"]).request(request.method, route, response.status_code, seconds)
        response.headers[HEADER] = g.request_id
        if response.status_code >= 500 or not (request.endpoint in QUIET or request.blueprint in QUIET):
            logs.tell(logger, "request", **_told(route, response.status_code, seconds))
        return response

    app.before_request(begin)
    app.after_request(end)


def _told(route: str, status: int, seconds: float) -> dict[str, object]:
    told: dict[str, object] = {"method": request.method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
    signed = g.get("signed")
    if signed is not None:
        told["actor"] = signed.id
    asked = request.view_args or {}
    lead = asked.get("lead") or (asked.get("number") if route.startswith("/leads/") else None)
    if lead is not None:
        told["lead"] = str(lead)
    return told

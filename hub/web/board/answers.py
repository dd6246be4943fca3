"""How an act on the board answers: to the script with a toast and what it can do next, else with a page."""

from __future__ import annotations

import json
from collections.abc import Sequence

from werkzeug.wrappers import Response


def acted(response: Response, text: str, state: str, *, undo: Sequence[str] = (), done: bool = False) -> Response:
    """``response`` with a toast. ``undo``: leads whose move can be taken back for ten seconds; ``done``: the window that asked
    can close, and the page behind it is looked at again."""
    said: dict[str, object] = {"toast": {"text": text, "state": state, **({"undo": list(undo)} if undo else {})}}
    if done:
        said["board-done"] = {}
    response.headers["HX-Trigger"] = json.dumps(said)  # ASCII, as htmx wants it
    return response

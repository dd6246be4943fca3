"""How colleagues are told beside the browser, and what did not reach them (R34)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template

from hub.domain.telling import TellingState
from hub.traffic.staff import telling
from hub.web.desk import needs, the_hub
from hub.web.own_notices import why_not

bp = Blueprint("notices", __name__, url_prefix="/settings/notices")

WHO = ("admin", "decide")


@dataclass(frozen=True)
class Line:
    """A colleague and how notices reach them."""

    name: str
    login: str
    state: TellingState


def lines() -> list[Line]:
    """Everybody who is with the company, by name."""
    hub = the_hub()
    found = [Line(user.name, user.login, telling(hub, id)) for id, user in hub.users().items() if not user.disabled]
    return sorted(found, key=lambda line: line.name)


@bp.get("")
@needs(*WHO)
def index() -> str:
    """The page."""
    return render_template("admin/notices.html", lines=lines(), why_not=why_not)

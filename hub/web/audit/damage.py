"""What a page says where the log was altered past the hub: which events, what can still be read, and whom to tell.

Nothing is answered as a fault of ours then, and nothing else stops: new requests come in, other cards are worked on.
"""

from __future__ import annotations

import logging
from uuid import UUID

from flask import Flask, g, make_response, render_template, request
from werkzeug.wrappers import Response

from hub.audit.checking import Altered, altered
from hub.domain.errors import SENTENCES, sentences
from hub.domain.event import HUB
from hub.projections.trail import Wanted
from hub.store import Unreadable
from hub.web import errors
from hub.web.audit import WHO, trail_kinds
from hub.web.audit.trail_lines import Storyteller
from hub.web.desk import may, now, the_hub
from hub.web.frame import caller_language, language

log = logging.getLogger(__name__)

STATUS = 409
LISTED = 200
"""Events that can still be read, on the page."""

sentences(
    history_altered=(
        "Историю этой карточки изменили в обход хаба, и собрать её нельзя. Ничего не исправляйте: покажите это администратору "
        "или аудитору, их проверка — hub audit verify. Новые обращения принимаются.",
        "This card's history was altered past the hub and cannot be put together. Repair nothing: tell an administrator or an "
        "auditor, whose check is hub audit verify. New requests come in all the same."),
    log_altered=(
        "Журнал событий изменили в обход хаба, и эту страницу не собрать. Ничего не исправляйте: покажите это администратору, "
        "его проверка — hub audit verify. Новые обращения принимаются.",
        "The log of events was altered past the hub and this page cannot be put together. Repair nothing: tell an administrator, "
        "whose check is hub audit verify. New requests come in all the same."),
)


def explain(error: Exception) -> Response | None:
    """The answer to a fault that comes from an altered log; None for any other fault."""
    hub = the_hub()
    lead = (request.view_args or {}).get("lead")
    stream = error.stream if isinstance(error, Unreadable) else lead
    if not isinstance(stream, UUID):
        stream = lead
    if not isinstance(stream, UUID):
        return _sentence("log_altered") if isinstance(error, Unreadable) else None
    found = altered(hub.audit.ledger, stream)
    if not found and not isinstance(error, Unreadable):
        return None
    log.error("%s %s: the log was altered past the hub: %s", request.method, request.url_rule, errors.trace(error))
    if not hub.audit.state().failed:
        hub.audit.ask(HUB, now())
    row = hub.views.leads.one(stream)
    if row is None:
        return _sentence("log_altered")
    if request.path.startswith("/api/") or request.headers.get("HX-Request") or g.get("signed") is None or not may("read"):
        return _sentence("history_altered")
    return _page(stream, row["number"], found)


def _sentence(code: str) -> Response:
    spoken = caller_language() if request.path.startswith("/api/") else language()
    g.bare = True  # the frame reads the log as well
    words = SENTENCES[code]
    return errors.answer(STATUS, words.ru if spoken == "ru" else words.en, code=code)


def _page(lead: UUID, number: int, found: list[Altered]) -> Response:
    """The events of the card that can still be read, those that were altered among them, and who may look into it."""
    hub = the_hub()
    process = hub.process
    watchers = [user.name for user in hub.users().values()
                if not user.disabled and process.permissions(frozenset(user.roles)) & set(WHO)]
    lines = Storyteller(hub).lines(hub.views.trail.places(Wanted(lead=lead), LISTED))
    page = render_template("audit/damaged.html", number=number, found=[(one, trail_kinds.kind_title(one.topic)) for one in found],
                           lines=[line for line in lines if line.topic.startswith("lead.")], watchers=sorted(watchers),
                           altered={one.version for one in found}, may_check=may(*WHO))
    return make_response(page, STATUS)


def of_lead(lead: UUID) -> list[tuple[int, str]]:
    """Which events of a lead are not what was hashed, by number and words; looked at only where a check has failed."""
    if not the_hub().audit.state().failed:
        return []
    return [(one.version, trail_kinds.kind_title(one.topic)) for one in altered(the_hub().audit.ledger, lead)]


def set_up(app: Flask) -> None:
    """Have every fault of ``app`` looked at, and give the cards what they say."""
    app.extensions["explain_fault"] = explain
    app.context_processor(lambda: {"lead_damage": of_lead})

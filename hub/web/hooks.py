"""Webhooks of all channels: ``/hooks/<kind>/<account>/…``. What is acknowledged is stored, a repeat is answered as the first.

A forged request is a 4xx and leaves nothing; one that nobody can read is kept whole and acknowledged; a fault of ours
is a 5xx, so that the provider repeats. Nobody is called from here.
"""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from hub.application import LeadHub
from hub.channels.base import Answer, Channel, Rejected, Request
from hub.domain.errors import SENTENCES, Refused, sentences
from hub.domain.phone import PhonePlan
from hub.store import Unavailable
from hub.traffic import telephony
from hub.traffic.inbound import take_in
from hub.web.desk import now, parts, the_hub
from hub.web.errors import RETRY_AFTER, trace

bp = Blueprint("hooks", __name__, url_prefix="/hooks")
logger = logging.getLogger(__name__)

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

sentences(
    hook_unknown=("Канала с таким адресом нет.", "There is no channel at this address."),
    hook_too_large=("Запрос больше {limit} МБ.", "The request is larger than {limit} MB."),
    hook_busy=("Сейчас не принять: повторите.", "It cannot be taken now: send it again."),
)


class Ours:
    """What a channel may ask about us while it answers; see :class:`hub.channels.base.House`."""

    def __init__(self, hub: LeadHub) -> None:
        self._hub = hub

    def is_open(self, at: datetime) -> bool:
        """Whether we work at ``at``."""
        return self._hub.process.calendar.is_open(at)

    def at_work(self, at: datetime) -> tuple[str, ...]:
        """Who takes requests and is there, by login, whose turn it is first."""
        users = {f"user:{id}": user.login for id, user in self._hub.users().items()}
        staff = self._hub.staff(at)
        return tuple(users[id] for id in staff.of(*self._hub.process.file.assignment.roles) if id in users)

    def phone_plan(self, account: str) -> PhonePlan:
        """How a telephone line of ours is answered."""
        return telephony.plan_of(self._hub, account)

    def talks(self, call: str) -> bool:
        """Whether one of ours has answered the call."""
        return telephony.talks(self._hub, call)

    def client_of(self, id: UUID) -> str:
        """The client's number of a call from a card."""
        return telephony.client_of(self._hub, id)


@bp.route("/<kind>/<name>", methods=METHODS, provide_automatic_options=False)
@bp.route("/<kind>/<name>/<path:tail>", methods=METHODS, provide_automatic_options=False)
def hook(kind: str, name: str, tail: str = "") -> Response:
    """A provider calls."""
    channel = parts().accounts.get(f"{kind}/{name}")
    if channel is None or not channel.hooked:
        return refuse(404, "hook_unknown")
    if request.method not in channel.accepts:
        return refuse(405, "hook_method", methods=", ".join(channel.accepts))
    came = _as_request(channel, tail)
    if len(came.body) > channel.largest:
        return refuse(413, "hook_too_large", limit=max(1, channel.largest // 1_000_000))
    channel.verify(came)
    taken = take_in(the_hub(), channel, came)
    if taken.accepted is None:
        return _said(channel.acknowledge(came))
    return _said(channel.respond(taken.accepted, taken.stored, Ours(the_hub())))


def _as_request(channel: Channel, tail: str) -> Request:
    # One byte more than the channel takes: a chunked body is cut there in silence, and must not pass for a whole one.
    request.max_content_length = channel.largest + 1
    body = request.get_data(cache=False)
    return Request(request.method, request.path, {name.lower(): value for name, value in request.headers}, body,
                   request.remote_addr or "", now(), request.query_string.decode("latin-1"), parts().public_url, tail)


def _said(answer: Answer) -> Response:
    return Response(answer.body, answer.status, content_type=answer.content_type)


def refuse(status: int, code: str, **params: object) -> Response:
    """A refusal in plain English: a program reads it."""
    response = Response(SENTENCES[code].en.format(**params) + "\n", status, mimetype="text/plain")
    if status == 503:
        response.headers["Retry-After"] = RETRY_AFTER
    return response


@bp.errorhandler(Rejected)
def on_rejected(rejected: Rejected) -> Response:
    """The channel refuses the request; nothing is stored."""
    return refuse(rejected.status, rejected.code, **rejected.params)


@bp.errorhandler(413)
def on_too_large(error: object) -> Response:
    """The body is larger than we read."""
    return refuse(413, "hook_too_large", limit=max(1, (request.max_content_length or 0) // 1_000_000))


@bp.errorhandler(Unavailable)
def on_unavailable(error: Unavailable) -> Response:
    """Nothing was stored and nothing acknowledged."""
    logger.warning("a delivery was not taken, the store is unavailable: %s", error)
    return refuse(503, "hook_busy")


@bp.errorhandler(Refused)
def on_refused(refused: Refused) -> Response:
    """The hub could not store it: no fault of the provider."""
    logger.error("a delivery was refused by the hub: %s", refused.code)
    return refuse(503, "hook_busy")


@bp.errorhandler(Exception)
def on_fault(error: Exception) -> Response:
    """A fault of ours: the provider repeats."""
    if isinstance(error, HTTPException):
        return refuse(error.code or 400, "http_400")
    logger.error("a delivery was not taken\n%s", trace(error))
    return refuse(500, "hook_busy")

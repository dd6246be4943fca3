"""The intake of website forms: what a site posts is acknowledged only after it is stored (R1).

Limits on how often one address may post hold over all processes: above the form's
``rate_per_minute`` a request is marked for a person to look at, above ``rate_cap_per_minute`` it is answered 429
before its body is looked at. The address is the one that the connection comes from, unless HUB_TRUSTED_PROXIES says that
proxies of ours stand between.
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, jsonify, make_response, redirect, render_template, request, url_for
from msgspec.structs import replace
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as BaseResponse

from hub.application import Received
from hub.channels.base import Rejected, Request
from hub.channels.website import MAX_BODY, MAX_BODY_WITH_FILES, Website, cors_headers, fill_token
from hub.channels.website_body import media_type
from hub.domain.errors import SENTENCES, Conflict, NotFound, Refused, sentences
from hub.domain.form import FormState
from hub.store import Unavailable
from hub.web import errors
from hub.web.desk import now, parts, the_hub
from hub.web.frame import caller_language, language

bp = Blueprint("public", __name__)
logger = logging.getLogger(__name__)

sentences(
    site_no_form=("Формы с таким адресом нет. Сообщите об этом владельцу сайта.",
                  "There is no form at this address. Tell the owner of the site."),
    site_too_often=("Слишком много заявок с вашего адреса. Подождите минуту и отправьте ещё раз.",
                    "Too many requests from your address. Wait a minute and send again."),
    site_busy=("Заявка пока не принята: у нас заминка. Через несколько секунд обновите страницу, и браузер отправит её ещё раз.",
               "Your request is not taken yet: we are busy. Reload the page in a few seconds, and the browser sends it again."),
)


# ── addresses ────────────────────────────────────────────────────────────────────


@bp.route("/api/v1/forms/<form>/submissions", methods=["POST"], provide_automatic_options=False)
def submit(form: str) -> Response:
    """A submission by a script or a server: 202 with its receipt."""
    taken, answer = _take_in(_form(form))
    if taken is None:
        return _plain(answer["body"])
    return make_response(jsonify(receipt=str(taken.receipt), duplicate=taken.duplicate), 202)


@bp.route("/api/v1/forms/<form>/token", methods=["GET"], provide_automatic_options=False)
def token(form: str) -> Response:
    """The signed time of opening, for the script of the form."""
    return jsonify(token=fill_token(parts().form_key, _form(form).id, now()))


@bp.route("/api/v1/forms/<form>/submissions", methods=["OPTIONS"], provide_automatic_options=False)
@bp.route("/api/v1/forms/<form>/token", methods=["OPTIONS"], provide_automatic_options=False)
def preflight(form: str) -> Response:
    """A browser asks whether a page may post here; the headers of :func:`let_pages_read` say so."""
    _form(form)
    return Response(status=204)


@bp.post("/f/<form>")
def post_plain(form: str) -> BaseResponse:
    """A submission by a plain HTML form: 303 to the form's own page of thanks, else to ours. Tilda's webhook is told ``ok``."""
    found = _form(form)
    taken, answer = _take_in(found)
    if taken is None:
        return _plain(answer["body"])
    if answer.get("webhook") and "text/html" not in request.headers.get("Accept", ""):
        return _plain("ok")
    return redirect(answer["thank_you"] or url_for("public.thanks", form=found.id), 303)


@bp.get("/f/<form>/thanks")
def thanks(form: str) -> str:
    """Our page of thanks, for forms without one of their own."""
    return render_template("public/thanks.html", form=_form(form), back=_site_behind())


@bp.after_request
def let_pages_read(response: Response) -> Response:
    """CORS headers by the form's sites, on errors too: without them a script cannot read the sentence."""
    form: FormState | None = g.get("form")
    if request.path.startswith("/api/"):
        for name, value in cors_headers(form or FormState(), request.headers.get("Origin", "")).items():
            response.headers[name] = value
    return response


# ── taking in ────────────────────────────────────────────────────────────────────


def _form(form: str) -> FormState:
    found = the_hub().form(form)
    if found is None:
        raise NotFound("site_no_form")
    g.form = found
    return found


def _take_in(form: FormState) -> tuple[Received | None, dict[str, str]]:
    """Store what the request holds. None and ``body`` where there is nothing to store (a connection test).

    ``webhook`` in the answer: Tilda sent it, which wants a plain 200 where a browser wants a page.
    """
    came, wait = current_app.extensions["form_rates"].count((request.remote_addr or "", form.id), form.rate_cap_per_minute, now())
    if wait:
        raise TooManyRequests(retry_after=wait)
    accepted = Website(parts().form_key, parts().public_url).accept(_as_request(), form, at=now())
    received = None
    for delivery in accepted.deliveries:
        if came > form.rate_per_minute:
            delivery = replace(delivery, suspicion=" ".join(filter(None, [delivery.suspicion, "rate"])))
        received = the_hub().receive(delivery, at=now())
    tilda = any(name.casefold() == "tranid" for delivery in accepted.deliveries for name, _ in delivery.fields)
    return received, {**accepted.answer, **({"webhook": "tilda"} if tilda else {})}


def _as_request() -> Request:
    kind, _ = media_type(request.headers.get("Content-Type", ""))
    # One byte more than the channel takes: a chunked body is cut there in silence, and must not pass for a whole one.
    request.max_content_length = (MAX_BODY_WITH_FILES if kind == "multipart/form-data" else MAX_BODY) + 1
    body = request.get_data(cache=False)
    return Request(request.method, request.path, {name.lower(): value for name, value in request.headers}, body,
                   request.remote_addr or "", now(), request.query_string.decode("latin-1"))


def _plain(text: str) -> Response:
    return Response(text, mimetype="text/plain")


# ── refusals ─────────────────────────────────────────────────────────────────────


@bp.errorhandler(Rejected)
def on_rejected(rejected: Rejected) -> Response:
    """The channel refuses the request."""
    return refuse(rejected.status, rejected.code, **rejected.params)


@bp.errorhandler(TooManyRequests)
def on_too_often(error: TooManyRequests) -> Response:
    """Above the hard cap."""
    response = refuse(429, "site_too_often")
    response.headers["Retry-After"] = str(error.retry_after)
    return response


@bp.errorhandler(413)
def on_too_large(error: object) -> Response:
    """The body is larger than we read."""
    return refuse(413, "site_too_large", limit=(request.max_content_length or MAX_BODY) // 1_000_000)


@bp.errorhandler(Refused)
def on_refused(refused: Refused) -> Response:
    """An id used twice is the sender's error (409); any other refusal by the hub is no fault of the visitor's: try again."""
    if isinstance(refused, NotFound):
        return refuse(404, refused.code)
    if isinstance(refused, Conflict) and refused.code == "same_key_other_payload":
        return refuse(409, refused.code)
    logger.error("a delivery to form %s was refused: %s", g.form.id if "form" in g else "?", refused.code)
    return refuse(503, "site_busy")


@bp.errorhandler(Unavailable)
def on_unavailable(error: Unavailable) -> Response:
    """Nothing was stored and nothing acknowledged."""
    logger.warning("a delivery was not taken, the store is unavailable: %s", error)
    return refuse(503, "site_busy")


def refuse(status: int, code: str, **params: object) -> Response:
    """A refusal in the caller's language: problem+json for scripts, a page with the form's phone for people."""
    words = SENTENCES[code]
    if request.path.startswith("/api/"):
        return errors.answer(status, (words.ru if caller_language() == "ru" else words.en).format(**params), code=code)
    sentence = (words.ru if language() == "ru" else words.en).format(**params)
    form: FormState | None = g.get("form")
    page = render_template("public/refused.html", sentence=sentence, phone=form.phone_shown if form else "", back=_site_behind())
    response = make_response(page, status)
    if status == 503:
        response.headers["Retry-After"] = errors.RETRY_AFTER
    return response


def _site_behind() -> str:
    """The page of the form's own site that the visitor comes from, to go back to."""
    form: FormState | None = g.get("form")
    came = urlsplit(request.referrer or "")
    return request.referrer or "" if form and f"{came.scheme}://{came.netloc}" in form.origins else ""

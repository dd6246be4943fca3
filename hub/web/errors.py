"""Every error is a page with one sentence and a way out; the same for htmx (a fragment) and for programs (problem+json)."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
from flask import Flask, Response, current_app, g, make_response, render_template, request
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WsgiResponse

from hub.domain.errors import SENTENCES, Conflict, NotAllowed, NotFound, Refused, sentences
from hub.store import Unavailable, Unreadable
from hub.web.api.problems import Problem
from hub.web.frame import caller_language, language

logger = logging.getLogger(__name__)

RETRY_AFTER = "5"
"""Seconds after which it is worth trying again when the store was busy."""

sentences(
    http_400=("Запрос не разобрать. Вернитесь назад и повторите.", "The request makes no sense. Go back and try again."),
    http_401=("Вы не вошли. Войдите и повторите.", "You are not signed in. Sign in and try again."),
    http_403=("Этот раздел не для вашей роли. Попросите коллегу, у которого он есть, или администратора.",
              "Your role does not include this. Ask a colleague who has it, or an administrator."),
    http_404=("Такой страницы нет. Проверьте адрес или начните с доски.",
              "There is no such page. Check the address or start from the board."),
    http_405=("Так эту страницу не открыть. Начните с доски.", "This page is not opened like that. Start from the board."),
    http_413=("Слишком большой запрос. Отправьте файлы поменьше.", "The request is too large. Send smaller files."),
    http_429=("Слишком часто. Подождите минуту и повторите.", "Too often. Wait a minute and try again."),
    http_500=("У нас ошибка, ничего не изменилось. Повторите; если не поможет, назовите администратору номер {reference}.",
              "Something broke here, nothing was changed. Try again; if that does not help, tell an administrator {reference}."),
    http_503=("База данных сейчас занята. Ничего не потеряно: повторите через несколько секунд.",
              "The database is busy. Nothing is lost: try again in a few seconds."),
    api_400=("Запрос не разобрать. Сверьтесь с /api/docs.", "The request makes no sense. See /api/docs."),
    api_404=("Такого адреса в API нет. Сверьтесь с /api/docs.", "The API has no such address. See /api/docs."),
    api_405=("Этот адрес так не спрашивают: метод назван в заголовке Allow.",
             "This address is not asked like that: the header Allow names the methods."),
)

TITLES = {400: _l("Неверный запрос"), 401: _l("Нужно войти"), 403: _l("Нет доступа"), 404: _l("Не найдено"),
          405: _l("Неверный запрос"), 409: _l("Данные изменились"), 413: _l("Слишком большой запрос"), 422: _l("Не получилось"),
          429: _l("Слишком часто"), 500: _l("Ошибка"), 503: _l("Временно недоступно")}


def status_of(refused: Refused) -> int:
    """The HTTP status that a refusal is answered with: its own, else 403, 404, 409, else 422."""
    own: int | None = getattr(refused, "status", None)
    if own is not None:
        return own
    if refused.code == "form_expired":
        return 400
    if refused.code == "sign_in_wait":
        return 429
    return {NotAllowed: 403, NotFound: 404, Conflict: 409}.get(type(refused), 422)


def answer(status: int, sentence: str, **members: Any) -> Response:
    """An error as the caller can read it: a page, for htmx a notice, for programs problem+json with ``members``."""
    if request.path.startswith("/api/"):
        problem = Problem(type="about:blank", status=status, title=HTTPStatus(status).phrase, detail=sentence, **members)
        response = Response(msgspec.json.encode(problem), status, content_type="application/problem+json")
    else:
        g.bare = status >= 500  # the frame reads the database, which may be what has failed
        form = g.get("form")
        name = "errors/notice.html" if request.headers.get("HX-Request") else "errors/page.html"
        response = make_response(render_template(name, status=status, sentence=sentence,
                                                 title=TITLES.get(status, TITLES[400]),
                                                 phone=form.phone_shown if form else ""), status)
    if status == 503:
        response.headers["Retry-After"] = RETRY_AFTER
    return response


def _said(code: str, **params: object) -> str:
    words = SENTENCES[code]
    spoken = caller_language() if request.path.startswith("/api/") else language()
    return (words.ru if spoken == "ru" else words.en).format(**params)


def on_http(error: HTTPException) -> Response:
    """An error of the protocol: 404, 405, 413 and the like."""
    status = error.code or 500
    if status < 400 or error.response is not None:
        return make_response(error.get_response())
    known = (code for code in (f"http_{status}", "http_400") if code in SENTENCES and code != "http_500")
    if request.path.startswith("/api/"):
        known = (code for code in (f"api_{status}", f"http_{status}", "api_400") if code in SENTENCES and code != "http_500")
    response = answer(status, _said(next(known)), code=f"http_{status}")
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def on_refused(refused: Refused) -> Response:
    """A refusal that no form caught."""
    spoken = caller_language() if request.path.startswith("/api/") else language()
    status = status_of(refused)
    response = answer(status, refused.say(spoken), code=refused.code, rule=refused.rule, field=refused.field,
                      version=getattr(refused, "version", None))
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="hub"' + (', error="invalid_token"' if refused.code == "token_wrong"
                                                                       else "")
    return response


def on_unavailable(error: Unavailable) -> Response:
    """The database is locked, full or gone: worth trying again."""
    logger.warning("%s: the store is unavailable: %s", _asked(), error)
    return answer(503, _said("http_503"), code="http_503")


def on_fault(error: Exception) -> WsgiResponse:
    """A fault of ours, unless ``explain_fault`` of the application says what else it is. The log has the trace under the
    reference that the person is told."""
    explain: Callable[[Exception], WsgiResponse | None] | None = current_app.extensions.get("explain_fault")
    if explain is not None and (explained := explain(error)) is not None:
        return explained
    reference = secrets.token_hex(4)
    logger.error("%s failed, reference %s\n%s", _asked(), reference, trace(error))
    return answer(500, _said("http_500", reference=reference), code="http_500")


def _asked() -> str:
    """What was asked for, as the log may tell it: the pattern of a known address. In its place may stand what somebody typed."""
    return f"{request.method} {request.url_rule or '(unknown address)'}"


def trace(error: BaseException) -> str:
    """Where a fault came from, each cause first. Its message may quote somebody's data and is left out, except that of
    the database and of the store, which name columns and places only."""
    cause = error.__cause__ or error.__context__
    before = f"{trace(cause)}\nand then\n" if cause is not None else ""
    says_no_data = isinstance(error, (Unreadable, Unavailable)) or type(error).__module__ == "sqlite3"
    kind = f"{type(error).__module__}.{type(error).__name__}"
    frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    return f"{before}{frames}{kind}: {error}" if says_no_data else f"{before}{frames}{kind}"


def set_up(app: Flask) -> None:
    """Install the handlers."""
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(Refused, on_refused)
    app.register_error_handler(Unavailable, on_unavailable)
    app.register_error_handler(Exception, on_fault)

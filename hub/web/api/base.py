"""How an endpoint of the API is declared: its types make its checks and its description alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import msgspec
from flask import Response, g, request
from flask_smorest import Blueprint  # type: ignore[import-untyped]
from msgspec import Struct
from werkzeug.exceptions import RequestEntityTooLarge

from hub.domain.errors import NotAllowed
from hub.web.api import answers
from hub.web.api.problems import Malformed, TooLarge, Unauthorised, WrongKind, no_scope, why
from hub.web.api.schema import even, parameters, schemas, within_bounds
from hub.web.desk import Signed, now, the_hub, the_tokens
from hub.web.tokens import Caller

bp = Blueprint("api", __name__, url_prefix="/api/v1")

LARGEST_BODY = 1_000_000
"""Bytes of a request."""
KEY = re.compile(r"[!-~]{1,200}")
PROBLEM = {"$ref": "#/components/responses/Problem"}

F = TypeVar("F", bound=Callable[..., Any])

NAMES: set[str] = set()
"""Of all endpoints."""
COMPONENTS: dict[str, Any] = {}
"""Schemas of all classes that endpoints take and give, by name."""


class Answered(NamedTuple):
    """What an endpoint gives where it is not the thing alone: ``etag`` is the version of a lead."""

    value: Any
    etag: int | None = None


def caller() -> Caller:
    """The program behind this request."""
    found: Caller = g.api_caller
    return found


def endpoint(method: str, rule: str, *, tag: str, gives: Any = None, query: type[Struct] | None = None,
             body: type[Struct] | None = None, scopes: tuple[str, ...] = ("read",), keyed: bool = False, guarded: bool = False,
             personal: bool = False, status: int = 200, summary: str = "", name: str = "", largest_file: int = 0,
             gives_file: str = "") -> Callable[[F], F]:
    """Declare ``method rule``.

    The view gets ``query`` and ``body`` as objects of these classes, and what the address holds. With ``largest_file`` (bytes)
    the body is a file, which the view gets as ``data``; with ``gives_file`` (its media type) the view answers with one.
    ``scopes``: one of them is needed, beside what the hub itself checks of roles. ``keyed``: takes an Idempotency-Key; its
    answer is kept and must hold no personal data. ``guarded``: takes If-Match. ``personal``: only for the token of a person.
    """
    def declare(view: F) -> F:
        @wraps(view)
        def answer(**values: Any) -> Response:
            _authenticate(scopes, personal)
            if query is not None:
                values["query"] = _query(query)
            elif request.args:
                raise Malformed("bad_request", field=next(iter(request.args)), name=next(iter(request.args)), why=why("unknown"))
            raw = _raw_body(largest_file) if method != "GET" else b""
            if largest_file:
                values["data"] = raw
            elif body is not None:
                values["body"] = _body(raw, body)
            elif raw.strip() not in (b"", b"{}"):
                raise Malformed("bad_request", name="body", why=why("no body is expected"))
            if not guarded and "If-Match" in request.headers:
                raise Malformed("bad_header", name="If-Match", why=why("this address does not look at it"))
            if keyed and (key := _key()):
                return answers.once(caller().token, key, raw, lambda: _respond(view(**values), status))
            return _respond(view(**values), status)

        if (name or view.__name__) in NAMES:
            raise TypeError(f"two endpoints of the API are called {name or view.__name__}")
        NAMES.add(name or view.__name__)
        doc: dict[str, Any] = {"operationId": name or view.__name__, "description": _about(scopes, personal)}
        if summary:
            doc["summary"] = summary
        doc["parameters"] = [*(parameters(query) if query else ()), *([KEY_HEADER] if keyed else ()),
                             *([MATCH_HEADER] if guarded else ())]
        if body is not None:
            doc["requestBody"] = {"required": any(info.required for info in msgspec.structs.fields(body)),
                                  "content": {"application/json": {"schema": component(body)}}}
        if largest_file:
            doc["requestBody"] = {"required": True, "content": {A_FILE: BINARY}}
        doc["responses"] = _responses(method, rule, status, gives, guarded, gives_file)
        route = bp.route(rule, methods=[method], tags=[tag], endpoint=name or view.__name__)
        route(bp.doc(**doc)(answer))
        return view
    return declare


A_FILE = "application/octet-stream"
BINARY = {"schema": {"type": "string", "format": "binary"}}
KEY_HEADER = {"name": "Idempotency-Key", "in": "header", "required": False,
            "description": "The same key with the same request gives the same answer again and does nothing twice.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"}}
MATCH_HEADER = {"name": "If-Match", "in": "header", "required": False,
              "description": "The version of the lead that you saw, as its ETag. Where the lead has moved on: 412.",
              "schema": {"type": "string", "pattern": '^([*]|"?[0-9]{1,9}"?)$'}}


def _about(scopes: tuple[str, ...], personal: bool) -> str:
    who = " A token of a person only." if personal else ""
    return f"Scope: {' or '.join(f'`{s}`' for s in scopes)}.{who}"


def component(kind: Any) -> Any:
    """The schema of ``kind``; it and the classes that it names are kept by name, so that no two may have the same."""
    (found,), components = schemas([kind])
    for name, schema in components.items():
        schema = even(schema)
        if COMPONENTS.setdefault(name, schema) != schema:
            raise TypeError(f"two classes of the API are called {name}")
    return found


def _responses(method: str, rule: str, status: int, gives: Any, guarded: bool, gives_file: str) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done." if method != "GET" else "Here it is."}
    if gives_file:
        good["content"] = {gives_file: {"schema": {"type": "object"}} if gives_file == "application/json" else BINARY}
    if gives is not None:
        good["content"] = {"application/json": {"schema": component(gives)}}
    said = {400, 401, 403, 422, 503}
    if "<" in rule or gives_file:
        said.add(404)
    if method != "GET":
        said |= {404, 409, 413, 415}
    if guarded:
        said.add(412)
    return {str(status): good, **{str(code): PROBLEM for code in sorted(said)}}


# ── what a request holds ─────────────────────────────────────────────────────────


def _authenticate(scopes: tuple[str, ...], personal: bool) -> None:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        raise Unauthorised("token_missing")
    found = the_tokens().caller(secret.strip(), now())
    if found is None:
        raise Unauthorised("token_wrong")
    g.api_caller = found
    g.signed = Signed(found.user or found.token, found.actor.id, found.login, found.name, tuple(found.actor.roles), "")
    check_scope(*scopes)
    if request.method in ("GET", "HEAD") and not the_hub().may(found.actor, *scopes):
        who = ", ".join(r.title for r in the_hub().process.roles.values() if set(scopes) & set(r.may))
        raise NotAllowed("not_your_role", who=who)
    if personal and found.user is None:
        raise NotAllowed("token_no_person")


def check_scope(*permissions: str) -> None:
    """Refuse where the roles would allow it and the token does not. What the roles do not allow the hub refuses itself."""
    by_role = the_hub().process.permissions(caller().actor.roles) & set(permissions)
    if not caller().scopes & (by_role or set(permissions)):
        raise no_scope(permissions)


def _query(kind: type[Struct]) -> Any:
    given: dict[str, str] = {}
    for name, value in request.args.items(multi=True):
        if name in given:
            raise Malformed("bad_request", field=name, name=name, why=why("given twice"))
        given[name] = value
    found = _checked(lambda: msgspec.convert(given, kind, strict=False), "bad_request")
    for name in given:
        if getattr(found, name) is None:
            raise Malformed("bad_request", field=name, name=name, why=why("leave it out instead"))
    return found


def _raw_body(largest_file: int) -> bytes:
    largest = largest_file or LARGEST_BODY
    request.max_content_length = largest + 1  # a chunked body is cut there in silence, and must not pass for a whole one
    try:
        raw = request.get_data()
    except RequestEntityTooLarge:
        raw = b" " * (largest + 1)
    if len(raw) > largest:
        raise TooLarge("too_large", limit=largest // 1000)
    if largest_file and request.mimetype != "application/octet-stream":
        raise WrongKind("not_a_file")
    if raw.strip() and not largest_file and request.mimetype != "application/json":
        raise WrongKind("not_json")
    return raw


def _body(raw: bytes, kind: type[Struct]) -> Any:
    return _checked(lambda: msgspec.convert(_whole(msgspec.json.decode(raw if raw.strip() else b"{}")), kind), "bad_argument")


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 3.0 is an integer as well."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return {key: _whole(item) for key, item in value.items()} if isinstance(value, dict) else value


def _checked(read: Callable[[], Any], code: str) -> Any:
    """What was sent, as its class; refused with the name of what is wrong."""
    try:
        found = read()
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `$")
        named = path.strip("`.") or (said.split("`")[1] if "missing required" in said or "unknown field" in said else "")
        raise Malformed(code, field=re.split(r"[.\[]", named)[0], name=named or "body", why=why(said)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Malformed("bad_json", why=why(str(error).partition(" (byte")[0])) from None
    within_bounds(found)
    return found


def _key() -> str:
    if "Idempotency-Key" not in request.headers:
        return ""
    key = request.headers["Idempotency-Key"]
    if not KEY.fullmatch(key):
        raise Malformed("bad_header", name="Idempotency-Key", why=why("1–200 visible ASCII characters are expected"))
    return key


def _respond(found: Any, status: int) -> Response:
    if isinstance(found, Response):
        return found
    value, etag = found if isinstance(found, Answered) else (found, None)
    if value is None:
        return Response(status=204)
    response = Response(msgspec.json.encode(value), status, mimetype="application/json")
    if etag is not None:
        response.headers["ETag"] = f'"{etag}"'
    return response

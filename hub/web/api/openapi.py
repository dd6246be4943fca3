"""The description of the API (OpenAPI 3.1) and the page that tells it to people, both made from the endpoints themselves."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from flask import Blueprint, Flask, Response, render_template
from flask_smorest import Api  # type: ignore[import-untyped]

from hub import __version__
from hub.web.api import (  # noqa: F401  they declare
    audit,
    commands,
    company,
    exports,
    figures,
    files,
    intake,
    jobs,
    leads,
    past,
    persons,
    process_map,
    reports,
    settings,
    webhooks,
    work,
)
from hub.web.api.base import COMPONENTS, PROBLEM, bp, component
from hub.web.api.problems import Problem

docs = Blueprint("api_docs", __name__, url_prefix="/api")

TAGS = {
    "Leads": "The list with its filters, one lead as it is and as it was, its events.",
    "Commands": "Everything that is done with a lead. Who may, and when, the hub decides as it does for its pages.",
    "Files": "What came with a lead, and what is attached to proposals and messages.",
    "Intake": "New leads, and what waits in the quarantine.",
    "My day": "What the person of a token has to do and was told.",
    "Audit": "Everything that was done and everything that was refused, as lines.",
    "Reports": "The department's numbers.",
    "Exports": "The log of leads and the process for tools of process mining.",
    "Long works": "How far a long work is, and the files that came of it.",
    "Process": "The sales process in force and of any past day.",
    "People": "Colleagues, their hours and absences.",
    "Forms": "Website forms.",
    "Partners": "Agencies that we offer when we refuse.",
    "Letters": "The wording of the refusal letter.",
    "Personal data": "A client's data: found, and erased in two steps. See docs/privacy.md.",
    "Channels": "How the channels fare, and how telephone lines are answered.",
    "Webhooks": "Events of leads for other programs.",
    "Hub": "Read models and tokens.",
    "Website": "What websites post, without a token. See docs/channels/website.md.",
}
"""The parts of the API in the order of the page."""

ABOUT = """Leads, commands, the process and the numbers of the hub, for other programs.

Every request carries `Authorization: Bearer <token>`. Instants have an offset, sums are text, unknown fields are refused.
Errors are problem details (RFC 9457) with a sentence in the language of Accept-Language (ru or en) and a stable `code`."""


class HubApi(Api):  # type: ignore[misc]
    """The library's API with the hub's own errors."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """The hub's handlers answer all addresses alike (:mod:`hub.web.errors`)."""


def set_up(app: Flask) -> None:
    """Register the endpoints, and what describes them."""
    app.register_blueprint(bp)
    app.register_blueprint(docs)


@cache
def description() -> dict[str, Any]:
    """The description of all endpoints. Made when it is first asked for: it takes longer than all else of a start."""
    api = HubApi(Flask(__name__), spec_kwargs={
        "title": "Lead hub", "version": __version__, "openapi_version": "3.1.0",
        "info": {"description": ABOUT, "license": {"name": "MIT", "identifier": "MIT"}}, "security": [{"token": []}]})
    api.register_blueprint(bp)
    component(Problem)
    api.spec.components.response("Problem", {
        "description": "Why nothing was done.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}})
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    document: dict[str, Any] = api.spec.to_dict()
    document["paths"].update(_website())
    document["components"]["schemas"] = dict(sorted(COMPONENTS.items()))
    document["tags"] = [{"name": name, "description": about} for name, about in TAGS.items()]
    return document


def _website() -> dict[str, Any]:
    """The public addresses of forms, which are the website channel's (:mod:`hub.web.public`)."""
    form = {"name": "form", "in": "path", "required": True, "schema": {"type": "string"}, "description": "The form's address."}
    fields = {"schema": {"type": "object"}}
    receipt = {"type": "object", "required": ["receipt", "duplicate"],
               "properties": {"receipt": {"type": "string", "format": "uuid"}, "duplicate": {"type": "boolean"}}}
    submissions = {"parameters": [form], "post": {
        "operationId": "submit_form", "tags": ["Website"], "security": [], "summary": "Take in what a visitor wrote.",
        "description": "Stored before it is acknowledged. The same Idempotency-Key again is the same submission.",
        "parameters": [{"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string"}}],
        "requestBody": {"required": True, "content": {"application/json": fields, "application/x-www-form-urlencoded": fields,
                                                      "multipart/form-data": fields}},
        "responses": {"200": {"description": "A connection test: nothing to store.",
                              "content": {"text/plain": {"schema": {"type": "string"}}}},
                      "202": {"description": "Stored.", "content": {"application/json": {"schema": receipt}}},
                      **dict.fromkeys(("400", "403", "404", "409", "413", "415", "422", "429", "503"), PROBLEM)}}}
    opening = {"parameters": [form], "get": {
        "operationId": "form_token", "tags": ["Website"], "security": [],
        "summary": "The signed time of opening, for the script of a form.",
        "responses": {"200": {"description": "Here it is.", "content": {"application/json": {"schema": {
            "type": "object", "required": ["token"], "properties": {"token": {"type": "string"}}}}}},
            "404": PROBLEM, "503": PROBLEM}}}
    return {"/api/v1/forms/{form}/submissions": submissions, "/api/v1/forms/{form}/token": opening}


@docs.get("/openapi.json")
def for_programs() -> Response:
    """The description for programs."""
    return Response(json.dumps(description(), ensure_ascii=False), mimetype="application/json")


@docs.get("/docs")
def page() -> str:
    """The description for people."""
    document = description()
    by_tag: dict[str, list[dict[str, Any]]] = {name: [] for name in TAGS}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if isinstance(operation, dict) and "operationId" in operation:
                by_tag[operation["tags"][0]].append({"method": method.upper(), "path": path, **operation, "parameters": [
                    *operations.get("parameters", ()), *operation.get("parameters", ())]})
    return render_template("api/docs.html", document=document, by_tag=by_tag, about=TAGS,
                           schemas=document["components"]["schemas"])

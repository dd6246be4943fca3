"""The log of leads and the process for other programs, in the formats of process mining."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from msgspec import Meta, Struct

from hub.exports.bpmn import MEDIA_TYPE
from hub.exports.giving import FORMATS, pieces, recorded
from hub.exports.reading import Scope
from hub.web.api.base import endpoint
from hub.web.api.schema import LARGEST, Instant
from hub.web.audit.log import bpmn_file
from hub.web.desk import me, now, settle, the_hub

TAG = "Exports"


class LogQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which leads, and how they are told."""

    since: Annotated[Instant | None, Meta(description="Leads that came in from here on.")] = None
    until: Annotated[Instant | None, Meta(description="Leads that came in before.")] = None
    steps: Annotated[bool, Meta(description="Only what the BPMN of the process has tasks for.")] = False
    language: Annotated[Literal["ru", "en"], Meta(description="Of the activities.")] = "ru"


@endpoint("GET", "/exports/xes", tag=TAG, query=LogQuery, gives_file=FORMATS["xes"].media_type)
def export_xes(query: LogQuery) -> Response:
    """Leads as traces: XES (IEEE 1849), without personal data. For auditors and administrators; is recorded."""
    return _log("xes", query)


@endpoint("GET", "/exports/ocel", tag=TAG, query=LogQuery, gives_file=FORMATS["ocel"].media_type)
def export_ocel(query: LogQuery) -> Response:
    """Leads, people, meetings and proposals as objects: OCEL 2.0 JSON, without personal data. For auditors and administrators;
    is recorded."""
    return _log("ocel", query)


def _log(format: str, query: LogQuery) -> Response:
    hub, at = the_hub(), now()
    scope = Scope(at=at, since=query.since, until=query.until, steps=query.steps, language=query.language)
    recorded(hub, format, scope, me().actor, at)
    settle()
    made = pieces(hub, format, scope)
    found = FORMATS[format]
    name = {"Content-Disposition": f'attachment; filename="leads.{found.suffix}"'}
    return Response(made, mimetype=found.media_type, headers=name)


class BpmnQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which version."""

    version: Annotated[int, Meta(ge=0, le=LARGEST, description="The one in force where 0.")] = 0


@endpoint("GET", "/process/bpmn", tag=TAG, query=BpmnQuery, gives_file=MEDIA_TYPE)
def export_bpmn(query: BpmnQuery) -> Response:
    """The process with its drawing: BPMN 2.0. Its tasks are called as the activities of the logs are; in the language of
    Accept-Language."""
    return bpmn_file(query.version)

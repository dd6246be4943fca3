"""Files of leads: what came, what was attached, and a new one for a command to name."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from flask import Response
from msgspec import Meta, Struct

from hub.domain.events import FileRef
from hub.web import files
from hub.web.api.base import A_FILE, endpoint
from hub.web.desk import the_hub
from hub.web.lead.links import file_refs

TAG = "Files"


class LeadFile(Struct, frozen=True, kw_only=True):
    """A file that an event of the lead names. ``version`` is that event's number, ``type`` its type."""

    digest: str
    name: str
    content_type: str
    size: int
    version: int
    type: str
    at: datetime


class LeadFiles(Struct, frozen=True):
    """In the order in which they came."""

    items: list[LeadFile]


@endpoint("GET", "/leads/<uuid:lead>/files", tag=TAG, gives=LeadFiles)
def list_files(lead: UUID) -> LeadFiles:
    """Files of the client, of proposals and of messages."""
    the_hub().lead(lead)
    found = sorted(file_refs(the_hub().history(lead)), key=lambda pair: pair[0].originator_version)
    return LeadFiles([LeadFile(digest=ref.digest, name=ref.name, content_type=ref.content_type, size=ref.size, at=event.at,
                               version=event.originator_version, type=event.TOPIC) for event, ref in found])


class FileQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file is."""

    name: Annotated[str, Meta(min_length=1, max_length=150, description="Its name, such as `offer.pdf`.")]
    content_type: Annotated[str, Meta(max_length=100, description="Such as `application/pdf`.")] = files.ANY_KIND


@endpoint("POST", "/leads/<uuid:lead>/files", tag=TAG, query=FileQuery, gives=FileRef, scopes=files.WHO, status=201,
          largest_file=files.MAX_FILE)
def upload_file(lead: UUID, query: FileQuery, data: bytes) -> FileRef:
    """Keep a file of up to 10 MiB for this lead.

    Name the answer in `draft_proposal` (`file`) or `send_message` (`files`). The same file again gives the same digest.
    """
    return files.keep(lead, data, query.name, query.content_type)


@endpoint("GET", "/leads/<uuid:lead>/files/<digest>", tag=TAG, gives_file=A_FILE)
def download_file(lead: UUID, digest: str) -> Response:
    """The content of a file that the lead's history names; 404 where its person was erased."""
    return files.of_lead(lead, digest)

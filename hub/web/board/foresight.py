"""What a command would do to a lead, in words, before it is given."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from flask_babel import gettext as _

from hub.application import convert
from hub.domain import events as e
from hub.domain.aggregate import Stamp
from hub.domain.lead import COMMANDS, Lead
from hub.domain.state import LeadState
from hub.web import words
from hub.web.board.cards import due_title
from hub.web.desk import me, now, the_hub
from hub.web.frame import the_process


def foresee(lead: UUID, command: str, arguments: Mapping[str, Any]) -> tuple[str, int]:
    """What ``command`` of the signed-in person would do now, and the version of the lead that this holds for.

    Raises as the command would. Nothing is recorded, not even a refused attempt.
    """
    hub, at = the_hub(), now()
    process = the_process()
    before = hub.lead(lead)
    stamp = Stamp(me().actor, max(at, before.last_at or at), uuid4(), process.version)
    found = Lead(lead, stamp, before, version := hub.version(lead), process=process, staff=partial(hub.staff, at, process))
    found.do(command, convert(arguments, COMMANDS[command].arguments))
    return told(found, before), version


def told(lead: Lead, before: LeadState) -> str:
    """What the events of a lead change, in words of the board."""
    process = lead.process
    names = {f"user:{id}": user.name for id, user in the_hub().users().items()}

    def stage(id: str) -> str:
        return process.stages[id].title if id in process.stages else id
    said = []
    for event in lead.events:
        match event:
            case e.StageEntered():
                said.append(_("%(previous)s → %(stage)s", previous=stage(event.previous), stage=stage(event.stage)))
            case e.LeadTaken() | e.LeadReassigned():
                was = names.get(before.owner, "") if before.owner else _("никто")
                said.append(_("%(previous)s → %(owner)s", previous=was, owner=names.get(event.owner, event.owner)))
            case e.DeadlineSet():
                kind = event.key.partition(":")[0]
                said.append(_("срок «%(what)s» до %(time)s", what=due_title(kind, process), time=words.moment(event.due_at)))
            case e.LeadTagged():
                said.append(_("появится метка «%(tag)s»", tag=event.tag))
            case e.LeadUntagged():
                said.append(_("метка «%(tag)s» исчезнет", tag=event.tag))
    return "; ".join(said)

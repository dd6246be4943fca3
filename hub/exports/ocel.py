"""OCEL 2.0 as JSON: leads, people, meetings, proposals and colleagues as objects, and the events that relate them.

Events are written as they are read; objects wait in a file beside, because the format wants them in a list of their own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from hub.domain import events as e
from hub.domain.event import HUB, Event
from hub.exports.reading import USER, Reader, Told, Trace, Value

MEDIA_TYPE = "application/json"
LEAD, PERSON, MEETING, PROPOSAL, COLLEAGUE = "lead", "person", "meeting", "proposal", "colleague"
STAFF = ("owner", "previous", "by", "account_manager")
"""Fields that name a colleague."""
IN_MEMORY = 1 << 20
"""Bytes of objects that are kept in memory before they go to a file."""

Objects = dict[str, dict[str, Any]]


def write(reader: Reader, traces: Iterable[Trace], after: int = 0) -> Iterator[bytes]:
    """The document, a piece for each lead. ``after``: the number after which the leads begin."""
    types = _Types()
    colleagues: Objects = {}
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as kept:
        yield b'{"events":['
        between = b"\n"
        first = True
        for trace in traces:
            one = _Lead(reader, trace, after, types, colleagues)
            if one.events:
                yield between + b",\n".join(one.events)
                between = b",\n"
            for found in one.objects.values():
                kept.write((b"\n" if first else b",\n") + _json(types.of_object(found)))
                first = False
        for found in colleagues.values():
            kept.write((b"\n" if first else b",\n") + _json(types.of_object(found)))
            first = False
        yield b'],\n"objects":['
        kept.seek(0)
        while piece := kept.read(IN_MEMORY):
            yield piece
    yield b'],\n"objectTypes":' + _json(types.declared(types.objects)) + b',\n"eventTypes":' + _json(types.declared(types.events))
    yield b"}\n"


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value)


class _Types:
    """The types that were met, with their attributes. There are as many as kinds of events, not as many as events."""

    def __init__(self) -> None:
        self.events: dict[str, dict[str, str]] = {}
        self.objects: dict[str, dict[str, str]] = {}

    def of_event(self, found: dict[str, Any]) -> dict[str, Any]:
        """Note the types of an event's attributes and make their values plain."""
        return self._of(self.events, found)

    def of_object(self, found: dict[str, Any]) -> dict[str, Any]:
        """The same of an object."""
        return self._of(self.objects, found)

    def _of(self, types: dict[str, dict[str, str]], found: dict[str, Any]) -> dict[str, Any]:
        known = types.setdefault(found["type"], {})
        for attribute in found["attributes"]:
            value: Value = attribute["value"]
            known[attribute["name"]] = _kind(value)
            if isinstance(value, datetime):
                attribute["value"] = _time(value)
        return found

    @staticmethod
    def declared(types: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
        """As the format declares them."""
        return [{"name": name, "attributes": [{"name": key, "type": kind} for key, kind in sorted(known.items())]}
                for name, known in sorted(types.items())]


def _kind(value: Value) -> str:
    return {bool: "boolean", int: "integer", float: "float", datetime: "time"}.get(type(value), "string")


def _time(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


class _Lead:
    """The events of a lead, and the objects that it brings."""

    def __init__(self, reader: Reader, trace: Trace, after: int, types: _Types, colleagues: Objects) -> None:
        self.reader, self.trace, self.after, self.types, self.colleagues = reader, trace, after, types, colleagues
        self.objects: Objects = {}
        self.name = trace.name
        self._lead()
        self.events = [self._event(told) for told in trace.events]
        self._borrowed()

    def _lead(self) -> None:
        s, at = self.trace.state, self.trace.events[0].at if self.trace.events else self.reader.scope.at
        lead = self._object(LEAD, self.name)
        said: dict[str, Value] = {"stream": str(self.trace.lead), "channel": s.channel, "source": s.source_title or s.source,
                                  "test": s.test}
        if self.reader.scope.personal:
            said |= {"client": s.person.name, "company": s.company, "title": s.title}
        for key, value in said.items():
            self._say(lead, key, value, at)
        for other, qualifier in ((s.previous_lead, "came back after"), (s.merged_into, "merged into")):
            number = self._number(other) if other is not None else 0
            if number:
                _relate(lead, f"L-{number}", qualifier)

    def _number(self, lead: UUID) -> int:
        """The number of another lead of this export; 0 where it is not in it."""
        row = self.reader.hub.views.leads.one(lead) if self.reader.holds(lead) else None
        return int(row["number"]) if row is not None else 0

    def _object(self, kind: str, id: str) -> dict[str, Any]:
        return self.objects.setdefault(id, {"id": id, "type": kind, "attributes": [], "relationships": []})

    def _say(self, found: dict[str, Any], name: str, value: Value | None, at: datetime) -> None:
        if value is not None and value != "":
            found["attributes"].append({"name": name, "time": _time(at), "value": value})

    def _colleague(self, actor: str) -> str:
        """The id of a colleague, who is an object of the whole log; empty for channels and the hub itself."""
        if not actor.startswith(USER):
            return ""
        id = self.reader.who(actor)
        self.colleagues.setdefault(id, {"id": id, "type": COLLEAGUE, "attributes": [], "relationships": []})
        return id

    # ── events ───────────────────────────────────────────────────────────────────

    def _event(self, told: Told) -> bytes:
        event = told.event
        related = [{"objectId": self.name, "qualifier": LEAD}]

        def relate(id: str, qualifier: str) -> None:
            if id and all(id != known["objectId"] for known in related):
                related.append({"objectId": id, "qualifier": qualifier})

        relate(self._colleague(event.actor), "done by")
        if isinstance(person := getattr(event, "person_id", None), UUID):
            relate(self._person(person), PERSON)
        for field in (MEETING, PROPOSAL):
            if number := getattr(event, field, 0):
                relate(self._part(field, number), field)
        for field in STAFF:
            value = getattr(event, field, None)
            if isinstance(value, str):
                relate(self._colleague(value), field.replace("_", " "))
        self._changes(told)
        own = event.at if event.at != told.at else None
        values: dict[str, Value | None] = {
            "lifecycle": told.activity.lifecycle, "resource": told.resource or HUB, "role": told.role, "topic": event.TOPIC,
            "event_number": event.originator_version, "step": told.activity.step, "process_version": event.process_version,
            "instance": told.instance, "event_id": str(event.event_id), "true_at": own, "recorded_at": event.recorded_at,
            **told.values}
        return _json(self.types.of_event({
            "id": f"{self.name}/{event.originator_version:06}", "type": told.activity.name, "time": _time(told.at),
            "attributes": [{"name": key, "value": value} for key, value in values.items() if value is not None and value != ""],
            "relationships": related}))

    def _person(self, person: UUID) -> str:
        found = self._object(PERSON, str(person))
        if not found["relationships"]:
            lead = self.objects[self.name]
            _relate(found, self.name, "asked for")
            _relate(lead, str(person), "decision maker" if person == self.trace.state.decision_maker else PERSON)
        return str(person)

    def _part(self, kind: str, number: int) -> str:
        id = f"{self.name}/{kind}-{number}"
        found = self._object(kind, id)
        if not found["relationships"]:
            _relate(found, self.name, "of")
        return id

    def _changes(self, told: Told) -> None:
        """What an event changes about an object, with the time of the change."""
        event, at = told.event, told.at
        lead = self.objects[self.name]
        match event:
            case e.StageEntered():
                self._say(lead, "stage", event.stage, at)
            case e.LeadTaken() | e.LeadReassigned():
                self._say(lead, "owner", self.reader.who(event.owner), at)
            case e.LeadScored():
                self._say(lead, "segment", event.segment, at)
                self._say(lead, "score", event.total, at)
            case e.LeadWon() | e.LeadLost() | e.LeadRefused():
                self._say(lead, "ended", event.TOPIC.removeprefix("lead."), at)
            case e.LeadReopened() | e.LeadWoken():
                self._say(lead, "ended", "no", at)
            case e.MeetingPlanned() | e.MeetingMoved() | e.MeetingHeld() | e.MeetingCancelled():
                self._meeting(event, at)
            case e.ProposalDrafted() | e.ProposalSent() | e.ProposalPresented() | e.HeadContributed():
                self._proposal(event, at)
            case e.PersonAdded() | e.PersonNamed() | e.AddressAdded() | e.TimezoneLearned() | e.PlaceLearned():
                person = self.objects[str(event.person_id)]
                values = self.reader.values(event)
                for key in ("name", "position", "timezone", "place"):
                    self._say(person, key, values.get(key), at)
                self._say(person, str(values.get("kind", "")), values.get("value"), at)

    def _meeting(self, event: e.MeetingPlanned | e.MeetingMoved | e.MeetingHeld | e.MeetingCancelled, at: datetime) -> None:
        meeting = self.objects[f"{self.name}/{MEETING}-{event.meeting}"]
        values = self.reader.values(event)
        for key in ("purpose", "starts_at", "minutes", "online", "goal", "outcome"):
            self._say(meeting, key, values.get(key), at)
        self._say(meeting, "status", {e.MeetingHeld: "held", e.MeetingCancelled: "cancelled"}.get(type(event), "planned"), at)
        for one in getattr(event, "ours", ()):
            id = self._colleague(one)
            if id and all(id != known["objectId"] for known in meeting["relationships"]):
                _relate(meeting, id, "ours")

    def _proposal(self, event: e.ProposalDrafted | e.ProposalSent | e.ProposalPresented | e.HeadContributed,
                  at: datetime) -> None:
        proposal = self.objects[f"{self.name}/{PROPOSAL}-{event.proposal}"]
        if isinstance(event, e.ProposalDrafted):
            values = self.reader.values(event)
            for key in ("amount", "currency", "vat", "valid_until", "needs_head"):
                self._say(proposal, key, values.get(key), at)
        if isinstance(event, e.ProposalPresented):
            _relate(proposal, self._part(MEETING, event.meeting), "presented at")
        self._say(proposal, "status", STATUS[type(event)], at)

    def _borrowed(self) -> None:
        """A person is an object once, of their first lead in the export: of later ones there is only the relation."""
        people = [UUID(id) for id, found in self.objects.items() if found["type"] == PERSON]
        for person in people:
            others = self.reader.hub.views.persons.leads_of([person]) - {self.trace.lead}
            if any(self.after < self._number(other) < self.trace.number for other in others):
                del self.objects[str(person)]


STATUS: dict[type[Event], str] = {e.ProposalDrafted: "drafted", e.HeadContributed: "with the head's part",
                                  e.ProposalSent: "sent", e.ProposalPresented: "presented"}


def _relate(found: dict[str, Any], id: str, qualifier: str) -> None:
    found["relationships"].append({"objectId": id, "qualifier": qualifier})

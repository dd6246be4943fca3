"""XES (IEEE 1849-2016): every lead a trace. Made piece by piece, whatever the size of the log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from uuid import UUID
from xml.sax.saxutils import quoteattr

from hub.exports.reading import Reader, Told, Trace, Value

MEDIA_TYPE = "application/xml"
EXTENSIONS = (("Concept", "concept"), ("Time", "time"), ("Organizational", "org"), ("Lifecycle", "lifecycle"),
              ("Identity", "identity"))
NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold; people paste such things into forms."""

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">
""" + "".join(f'<extension name="{name}" prefix="{prefix}" uri="http://www.xes-standard.org/{prefix}.xesext"/>\n'
              for name, prefix in EXTENSIONS) + """<global scope="trace"><string key="concept:name" value=""/></global>
<global scope="event"><string key="concept:name" value=""/><date key="time:timestamp" value="1970-01-01T00:00:00.000000+00:00"/>\
<string key="lifecycle:transition" value="complete"/><int key="event_number" value="0"/><string key="topic" value=""/></global>
<classifier name="Activity" keys="concept:name"/>
<classifier name="Activity and lifecycle" keys="concept:name lifecycle:transition"/>
"""


def write(reader: Reader, traces: Iterable[Trace]) -> Iterator[bytes]:
    """The document, a piece for each trace."""
    log: dict[str, Value | UUID | None] = {
        "concept:name": reader.process.file.name, "lifecycle:model": "standard", "process_version": reader.process.version,
        "as_of": reader.scope.at}
    yield (HEAD + _all(log)).encode()
    for trace in traces:
        yield "".join(_trace(trace, reader)).encode()
    yield b"</log>\n"


def _trace(trace: Trace, reader: Reader) -> Iterator[str]:
    s = trace.state
    told: dict[str, Value | UUID | None] = {
        "concept:name": trace.name, "identity:id": trace.lead, "channel": s.channel, "source": s.source_title or s.source,
        "stage": s.stage, "ended": s.ended, "merged": s.merged_into is not None, "test": s.test, "segment": s.segment,
        "score": s.score.total if s.score else None, "owner": reader.who(s.owner)}
    if reader.scope.personal:
        told |= {"client": s.person.name, "company": s.company, "title": s.title}
    yield f"<trace>\n{_all(told)}"
    for event in trace.events:
        yield f"<event>{_all(_event(event), '')}</event>\n"
    yield "</trace>\n"


def _event(told: Told) -> dict[str, Value | UUID | None]:
    event = told.event
    own = event.at if event.at != told.at else None
    return {"concept:name": told.activity.name, "time:timestamp": told.at, "lifecycle:transition": told.activity.lifecycle,
            "org:resource": told.resource, "org:role": told.role, "concept:instance": told.instance,
            "identity:id": event.event_id, "event_number": event.originator_version, "topic": event.TOPIC,
            "step": told.activity.step, "process_version": event.process_version, "true_at": own,
            "recorded_at": event.recorded_at, **told.values}


def _all(values: Mapping[str, Value | UUID | None], end: str = "\n") -> str:
    return "".join(f"{_attribute(key, value)}{end}" for key, value in values.items() if value is not None and value != "")


def _attribute(key: str, value: Value | UUID) -> str:
    match value:
        case bool():
            kind, text = "boolean", str(value).lower()
        case int():
            kind, text = "int", str(value)
        case float():
            kind, text = "float", repr(value)
        case datetime():
            kind, text = "date", value.isoformat(timespec="microseconds")
        case UUID():
            kind, text = "id", str(value)
        case _:
            kind, text = "string", NOT_XML.sub("\ufffd", value)
    return f"<{kind} key={quoteattr(key)} value={quoteattr(text)}/>"

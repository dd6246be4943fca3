"""Invitations as calendar entries (iCalendar, RFC 5545; iTIP, RFC 5546)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hub.domain.outgoing import Invitation

LONGEST_LINE = 73
"""Bytes of a line before it is folded: with the fold's own blank it stays under the 75 of RFC 5545, 3.1."""


def method(invitation: Invitation) -> str:
    """What the entry asks a calendar to do."""
    return "CANCEL" if invitation.cancelled else "REQUEST"


class Entry(NamedTuple):
    """A meeting in somebody's own calendar. ``uid`` names it for good; ``sequence`` grows when it is moved."""

    uid: str
    starts_at: datetime
    minutes: int
    sequence: int
    subject: str
    text: str
    place: str
    cancelled: bool


def calendar(invitation: Invitation, *, sender: str, to: str, subject: str, text: str, made_at: datetime) -> str:
    """The entry. ``sender`` organises the meeting and ``to`` attends it; the same ``uid`` at any time is the same meeting."""
    entry = Entry(invitation.uid, invitation.starts_at, invitation.minutes, invitation.sequence, subject, text, invitation.place,
                  invitation.cancelled)
    sides = (f"ORGANIZER:mailto:{sender}", f"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{to}")
    return _calendar(method(invitation), *_event(entry, sender.rpartition("@")[2], made_at, sides))


def entries(found: Iterable[Entry], *, host: str, made_at: datetime) -> str:
    """A calendar file of meetings, for one's own calendar: nobody is invited and nobody answers."""
    return _calendar("PUBLISH", *(line for entry in found for line in _event(entry, host, made_at)))


def _calendar(asked: str, *lines: str) -> str:
    head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//lead hub//RU", "CALSCALE:GREGORIAN", f"METHOD:{asked}")
    return "".join(_folded(line) for line in (*head, *lines, "END:VCALENDAR"))


def _event(entry: Entry, host: str, made_at: datetime, sides: Sequence[str] = ()) -> Sequence[str]:
    begins = entry.starts_at
    return (
        "BEGIN:VEVENT",
        f"UID:{entry.uid}@{host}",
        f"SEQUENCE:{entry.sequence}",
        f"DTSTAMP:{_moment(made_at)}",
        f"DTSTART:{_moment(begins)}",
        f"DTEND:{_moment(begins + timedelta(minutes=entry.minutes))}",
        f"SUMMARY:{_escaped(entry.subject)}",
        f"DESCRIPTION:{_escaped(entry.text)}",
        *([f"LOCATION:{_escaped(entry.place)}"] if entry.place else []),
        *sides,
        f"STATUS:{'CANCELLED' if entry.cancelled else 'CONFIRMED'}",
        "END:VEVENT",
    )


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    plain = "".join(c for c in text.replace("\r\n", "\n").replace("\r", "\n") if c >= " " or c == "\n")
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> str:
    """A line in pieces that calendars take, never within a letter."""
    pieces, piece = [], ""
    for letter in line:
        if len((piece + letter).encode()) > LONGEST_LINE:
            pieces.append(piece)
            piece = ""
        piece += letter
    return "\r\n ".join([*pieces, piece]) + "\r\n"

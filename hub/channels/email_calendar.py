"""Invitations as calendar entries (iCalendar, RFC 5545; iTIP, RFC 5546)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.domain.outgoing import Invitation

LONGEST_LINE = 73
"""Bytes of a line before it is folded: with the fold's own blank it stays under the 75 of RFC 5545, 3.1."""


def method(invitation: Invitation) -> str:
    """What the entry asks a calendar to do."""
    return "CANCEL" if invitation.cancelled else "REQUEST"


def calendar(invitation: Invitation, *, sender: str, to: str, subject: str, text: str, made_at: datetime) -> str:
    """The entry. ``sender`` organises the meeting and ``to`` attends it; the same ``uid`` at any time is the same meeting."""
    begins = invitation.starts_at
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//lead hub//RU", "CALSCALE:GREGORIAN", f"METHOD:{method(invitation)}",
        "BEGIN:VEVENT",
        f"UID:{invitation.uid}@{sender.rpartition('@')[2]}",
        f"SEQUENCE:{invitation.sequence}",
        f"DTSTAMP:{_moment(made_at)}",
        f"DTSTART:{_moment(begins)}",
        f"DTEND:{_moment(begins + timedelta(minutes=invitation.minutes))}",
        f"SUMMARY:{_escaped(subject)}",
        f"DESCRIPTION:{_escaped(text)}",
        *([f"LOCATION:{_escaped(invitation.place)}"] if invitation.place else []),
        f"ORGANIZER:mailto:{sender}",
        f"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{to}",
        f"STATUS:{'CANCELLED' if invitation.cancelled else 'CONFIRMED'}",
        "END:VEVENT", "END:VCALENDAR",
    )
    return "".join(_folded(line) for line in lines)


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

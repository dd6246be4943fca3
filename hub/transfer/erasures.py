"""The erasure list: who was erased, kept outside of backups, so that no old backup brings anybody back.

It is a text of ids, one a line, between a heading and an end that says how many there are: half a list is not taken for a whole.
Ids are random and say nothing about a person.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from hub.transfer.base import Refusal

HEADING = "# subjects erased from the hub"


def told(subjects: Collection[UUID], at: datetime) -> str:
    """The list as a text."""
    lines = [f"{HEADING}, as of {at:%Y-%m-%dT%H:%M:%SZ}", *sorted(subject.hex for subject in subjects)]
    return "\n".join([*lines, f"# end: {len(subjects)}", ""])


def read(text: str, where: str) -> frozenset[UUID]:
    """The subjects of a list. Raises :class:`Refusal` for what is no whole list; ``where`` names it."""
    lines = text.split("\n")
    try:
        subjects = frozenset(UUID(hex=line) for line in lines[1:-2])
    except ValueError:
        subjects = frozenset()
    if not lines[0].startswith(HEADING) or lines[-2:] != [f"# end: {len(subjects)}", ""]:
        raise Refusal(f"{where} is no whole erasure list: take what `hub backup --erasure-list` wrote, or a newer backup.")
    return subjects

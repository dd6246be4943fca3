"""One search over everything: leads as typed, as they may have been meant, with slips forgiven; and what was written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.projections import lead_words
from hub.projections.leads import Leads
from hub.projections.spelling import other_spellings
from hub.projections.texts import Texts
from hub.store.base import Cursor


@dataclass(frozen=True)
class Found:
    """What a search found. ``leads``: rows of the board's table; ``texts``: leads in whose letters the words stand, without those
    of ``leads``; ``meant``: the words that were taken instead of those that nobody has, "" where none were; ``more``: there are
    more leads than were asked for."""

    leads: tuple[Any, ...]
    texts: tuple[UUID, ...]
    words: str
    meant: str
    more: bool


def search(leads: Leads, texts: Texts, words: str, limit: int, text_limit: int) -> Found:
    """Leads and texts for what somebody typed. Each question is answered from an index."""
    rows = list(leads.found(words, limit + 1))
    if len(rows) <= limit:
        seen = {row["number"] for row in rows}
        others = _by(leads, lambda among: lead_words.meaning(words, among), limit + 1)
        rows += [row for row in others if row["number"] not in seen]
    written, meant = _written(texts, words, text_limit + limit), ""
    if not rows and not written:
        with leads.store.views.reading() as cursor:
            guesses = lead_words.corrected(cursor, words)
        for guess in guesses:
            rows = list(leads.found(guess, limit + 1))
            if rows:
                meant = guess
                break
    there = {row["id"] for row in rows[:limit]}
    return Found(tuple(rows[:limit]), tuple(lead for lead in written if lead.hex not in there)[:text_limit], words, meant,
                 len(rows) > limit)


def _by(leads: Leads, asked: Callable[[Any], lead_words.Question | None], limit: int) -> list[Any]:
    """Rows of leads that a question finds, open ones first, the newest of each first."""
    with leads.store.views.reading() as cursor:
        numbers: list[int] = []
        for among in (lead_words.OPEN, lead_words.ENDED):
            if len(numbers) < limit:
                numbers += _numbers(cursor, asked(among), limit - len(numbers))
        return leads.in_order(cursor, numbers)


def _numbers(cursor: Cursor, asked: lead_words.Question | None, limit: int) -> list[int]:
    if asked is None:
        return []
    cursor.execute(f"SELECT DISTINCT number FROM ({asked[0]}) found ORDER BY number DESC LIMIT ?", (*asked[1], limit))
    return [row["number"] for row in cursor.fetchall()]


def _written(texts: Texts, words: str, limit: int) -> list[UUID]:
    """As typed; where nobody wrote that, in the other layout or alphabet."""
    found = texts.found(words, limit)
    if found:
        return found
    typed = lead_words.folded(words).split()
    spellings = [other_spellings(word) for word in typed]
    for n in range(max(map(len, spellings), default=0)):
        meant = " ".join(others[n] if n < len(others) else word for word, others in zip(typed, spellings, strict=True))
        found = texts.found(meant, limit)
        if found:
            return found
    return []

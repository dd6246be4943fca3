"""Leads about the same: those that share the rarest words of a request, by the index of the search."""

from __future__ import annotations

from typing import Any

from hub.projections.lead_words import words_in
from hub.store.base import Cursor

SHORTEST = 5
"""Letters of a word that says something."""
COMMON = 200
"""A word that more leads have says nothing about what a request is about."""
MOST = 6
"""Words that are compared, the rarest ones."""
SHARED = 2
"""So many of them at least two requests must share."""


def similar(cursor: Cursor, number: int, about: str, limit: int) -> list[Any]:
    """Rows of the leads that are most like a request ``about`` (that of the lead ``number``), the most alike first."""
    words = sorted({word for word in words_in(about) if len(word) >= SHORTEST and word.isalpha()})[:40]
    if len(words) < SHARED:
        return []
    marks = ", ".join("?" * len(words))
    cursor.execute(f"SELECT word FROM known_words WHERE word IN ({marks}) AND n BETWEEN 2 AND ? ORDER BY n, word LIMIT ?",
                   (*words, COMMON, MOST))
    rare = [row["word"] for row in cursor.fetchall()]
    if len(rare) < SHARED:
        return []
    cursor.execute(f"SELECT number FROM lead_words WHERE is_open IN (0, 1) AND word IN ({', '.join('?' * len(rare))}) "
                   "AND number <> ? GROUP BY number HAVING COUNT(*) >= ? ORDER BY COUNT(*) DESC, number DESC LIMIT ?",
                   (*rare, number, SHARED, limit))
    numbers = [row["number"] for row in cursor.fetchall()]
    if not numbers:
        return []
    cursor.execute(f"SELECT * FROM leads WHERE number IN ({', '.join('?' * len(numbers))})", tuple(numbers))
    rows = {row["number"]: row for row in cursor.fetchall()}
    return [rows[number] for number in numbers]

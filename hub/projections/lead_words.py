"""What the search compares: every word, phone and address of a lead, as rows of one index.

A word is found by its beginning, a short one only whole; a phone by its beginning or its end, in any spelling. One kind of
row serves them all: a word is letters and digits in small letters, a phone stands as ``+79123456789`` and once more from its
end as ``-98765432197+``, any other address as ``email:anna@example.ru``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hub.domain import contact
from hub.domain.delivery import Address
from hub.domain.event import ERASED
from hub.domain.state import LeadState
from hub.store.base import Cursor

TABLE = """
    CREATE TABLE lead_words (is_open INTEGER NOT NULL, word TEXT NOT NULL, number INTEGER NOT NULL,
                             PRIMARY KEY (is_open, word, number)) WITHOUT ROWID;
"""
LONGEST = 64
"""Characters of a word that are compared; PostgreSQL indexes no text of any length."""
LONGEST_ADDRESS = 200
MOST = 8
"""Words of a search that are compared."""
SHORT = 2
"""Words of so many letters have too many continuations: they are found whole."""
END = 4
"""So many digits at least are compared with the ends of phones."""
AFTER_ALL = "\U0010ffff"
"""Sorts after every letter."""
BOTH, ENDED, OPEN = (0, 1), (0,), (1,)
"""Values of ``is_open``."""

_WORDS = re.compile(r"[^\W_]+")

Question = tuple[str, list[Any]]
"""SQL for numbers of leads, and its parameters."""
NOTHING: Question = ("SELECT number FROM leads WHERE number = 0", [])


def folded(text: str) -> str:
    """``text`` as it is compared in a search: small letters, ``ё`` as ``е``."""
    return text.lower().replace("ё", "е")


def words_in(text: str) -> list[str]:
    """The words of ``text`` as they are compared."""
    return [word[:LONGEST] for word in _WORDS.findall(folded(text))]


def address_word(address: Address) -> str:
    """How a whole address stands in the index."""
    return (address.value if address.kind == "phone" else f"{address.kind}:{address.value}")[:LONGEST_ADDRESS].replace("\n", " ")


def words_of(s: LeadState) -> list[str]:
    """All rows of a lead, in order."""
    addresses = {a for p in s.people.values() for a in p.addresses if a.value and a.value != ERASED}
    text = " ".join((s.name, s.title, s.company, s.inn, s.about, *(p.name for p in s.people.values()),
                     *(a.value for a in addresses if a.kind != "phone")))
    whole = [address_word(a) for a in addresses]
    return sorted({*words_in(text), *whole, *(f"-{phone[::-1]}" for phone in whole if phone.startswith("+"))})


class Indexed(NamedTuple):
    """How a lead stands in the index: ``words`` are :func:`words_of`, one a line."""

    number: int
    is_open: int
    words: str


def write(cursor: Cursor, old: Iterable[Indexed], new: Iterable[Indexed]) -> None:
    """Put the rows of leads in the place of those that were. A lead of ``old`` that ``new`` does not name is left as it is."""
    before = {lead.number: lead for lead in old}
    gone: list[tuple[int, str, int]] = []
    come: list[tuple[int, str, int]] = []
    for lead in new:
        was = before.get(lead.number)
        if was == lead:
            continue
        is_now = {(lead.is_open, word, lead.number) for word in lead.words.split("\n") if word}
        there = {(was.is_open, word, was.number) for word in was.words.split("\n") if word} if was else set()
        gone += there - is_now
        come += is_now - there
    if gone:
        cursor.executemany("DELETE FROM lead_words WHERE is_open = ? AND word = ? AND number = ?", sorted(gone))
    if come:
        cursor.executemany("INSERT INTO lead_words (is_open, word, number) VALUES (?, ?, ?)", sorted(come))


def matching(words: str, among: Collection[int]) -> Question | None:
    """Numbers of the leads ``among`` open or ended ones that hold all of ``words``, or have them as a phone. None where
    ``words`` has nothing to compare."""
    parts: list[str] = []
    values: list[Any] = []
    here = f"SELECT number FROM lead_words WHERE is_open IN ({', '.join(map(str, among))}) AND "
    for word in words_in(words.replace("№", " "))[:MOST]:
        if len(word) <= SHORT:
            parts.append(f"{here}word = ?")
            values.append(word)
        else:
            parts.append(f"{here}word >= ? AND word < ?")
            values += _range(word)
    if not parts:
        return None
    question = " INTERSECT ".join(parts)
    for beginning in phone_beginnings(words):
        question += f" UNION {here}word >= ? AND word < ?"
        values += _range(beginning)
    return question, values


def having(addresses: Sequence[Address], among: Collection[int] = BOTH) -> Question:
    """Numbers of the leads that have one of ``addresses``."""
    if not addresses:
        return NOTHING
    return (f"SELECT number FROM lead_words WHERE is_open IN ({', '.join(map(str, among))}) "
            f"AND word IN ({', '.join('?' * len(addresses))})", [address_word(address) for address in addresses])


def phone_beginnings(words: str) -> list[str]:
    """What rows of phones begin with, where ``words`` are (a part of) one: its whole number, else its beginning or its end."""
    digits = "".join(ch for ch in words if ch.isascii() and ch.isdigit())
    if len(digits) < END or any(ch.isalpha() for ch in words):
        return []
    whole = contact.phone(words)
    if whole is not None:
        return [whole.value]
    national = digits[1:] if digits[0] == "8" and len(digits) > END else digits
    return [f"-{digits[::-1]}", f"+{digits}", f"+7{national}"]


def _range(beginning: str) -> tuple[str, str]:
    return beginning, beginning + AFTER_ALL


def shown(row: Mapping[str, Any]) -> Indexed:
    """How a lead stands in the index by its row of ``leads``."""
    return Indexed(row["number"], row["is_open"], row["words"])

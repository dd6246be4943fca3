"""What the search compares: every word, phone and address of a lead, as rows of one index.

A word is found by its beginning, a short one only whole; a phone by its beginning or its end, in any spelling. One kind of
row serves them all: a word is letters and digits in small letters, a phone stands as ``+79123456789`` and once more from its
end as ``-98765432197+``, any other address as ``email:anna@example.ru``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from hub.domain import contact
from hub.domain.delivery import Address
from hub.domain.event import ERASED
from hub.domain.state import LeadState
from hub.projections.spelling import grams, nearest, other_spellings, slips
from hub.store.base import Cursor

TABLE = """
    CREATE TABLE lead_words (is_open INTEGER NOT NULL, word TEXT NOT NULL, number INTEGER NOT NULL,
                             PRIMARY KEY (is_open, word, number)) WITHOUT ROWID;
    CREATE TABLE known_words (word TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE known_grams (gram TEXT NOT NULL, size INTEGER NOT NULL, word TEXT NOT NULL,
                              PRIMARY KEY (gram, size, word)) WITHOUT ROWID;
"""
"""``known_words``: words of letters alone with the number of leads that have them, and by their groups of three letters: what a
slip of the finger may have meant. A word that no lead has any more is not there."""
LONGEST = 64
"""Characters of a word that are compared; PostgreSQL indexes no text of any length."""
LONGEST_ADDRESS = 200
MOST = 8
"""Words of a search that are compared."""
SHORTEST_KNOWN = 4
"""Letters of a word for which slips are forgiven."""
CANDIDATES = 300
"""Known words with the most letters in common that are compared letter by letter."""
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
    changes = Counter(word for _, word, _ in come if _is_known(word))
    changes.subtract(word for _, word, _ in gone if _is_known(word))
    _count(cursor, {word: n for word, n in sorted(changes.items()) if n})


def _is_known(word: str) -> bool:
    return len(word) >= SHORTEST_KNOWN and word.isalpha()


def _count(cursor: Cursor, changes: Mapping[str, int]) -> None:
    """Keep ``known_words``; a word that is new there, or that no lead has any more, comes and goes with its groups of letters."""
    before = {row["word"]: row["n"] for row in _known(cursor, list(changes))}
    after = {word: before.get(word, 0) + n for word, n in changes.items()}
    there = [(word, n) for word, n in after.items() if n]
    if there:
        cursor.executemany("INSERT INTO known_words VALUES (?, ?) ON CONFLICT (word) DO UPDATE SET n = excluded.n", there)
    new = [(gram, len(word), word) for word, _ in there if word not in before for gram in grams(word)]
    if new:
        cursor.executemany("INSERT INTO known_grams VALUES (?, ?, ?)", sorted(new))
    left = [word for word, n in after.items() if not n]
    if left:
        cursor.executemany("DELETE FROM known_words WHERE word = ?", [(word,) for word in left])
        cursor.executemany("DELETE FROM known_grams WHERE gram = ? AND size = ? AND word = ?",
                           sorted((gram, len(word), word) for word in left for gram in grams(word)))


def _known(cursor: Cursor, words: Sequence[str]) -> Iterator[Any]:
    for some in (words[n:n + 500] for n in range(0, len(words), 500)):
        cursor.execute(f"SELECT word, n FROM known_words WHERE word IN ({', '.join('?' * len(some))})", some)
        yield from cursor.fetchall()


def near(cursor: Cursor, word: str, limit: int = 5) -> list[str]:
    """Known words that ``word`` may be a slip for, the nearest first."""
    if len(word) < SHORTEST_KNOWN:
        return []
    parts, most = sorted(grams(word)), slips(word)
    one = "SELECT word FROM known_grams WHERE gram = ? AND size BETWEEN ? AND ?"
    cursor.execute(f"SELECT word, COUNT(*) AS n FROM ({' UNION ALL '.join([one] * len(parts))}) found GROUP BY word "
                   "HAVING COUNT(*) >= ? ORDER BY COUNT(*) DESC, word LIMIT ?",
                   (*(value for gram in parts for value in (gram, len(word) - most, len(word) + most)),
                    1 if len(word) <= 5 else 2, CANDIDATES))
    return nearest(word, [row["word"] for row in cursor.fetchall()], limit)


def matching(words: str, among: Collection[int]) -> Question | None:
    """Numbers of the leads ``among`` open or ended ones that hold all of ``words``, or have them as a phone. None where
    ``words`` has nothing to compare."""
    asked = _all_of(words_in(words.replace("№", " "))[:MOST], among)
    if asked is None:
        return None
    question, values = asked
    for beginning in phone_beginnings(words):
        question += f" UNION {_here(among)}word >= ? AND word < ?"
        values += _range(beginning)
    return question, values


def meaning(words: str, among: Collection[int]) -> Question | None:
    """As :func:`matching`, where any word may be in the other keyboard layout or alphabet. None where no word can be."""
    parts: list[str] = []
    values: list[Any] = []
    others = False
    for typed in folded(words).split()[:MOST]:
        spellings = [typed, *other_spellings(typed)]
        others = others or len(spellings) > 1
        asked = [one for one in (_all_of(words_in(spelling), among) for spelling in spellings) if one is not None]
        if asked:
            parts.append(" UNION ".join(f"SELECT number FROM ({question}) one" for question, _ in asked))
            values += [value for _, given in asked for value in given]
    if not parts or not others:
        return None
    return " INTERSECT ".join(f"SELECT number FROM ({part}) any_of" for part in parts), values


def _here(among: Collection[int]) -> str:
    return f"SELECT number FROM lead_words WHERE is_open IN ({', '.join(map(str, among))}) AND "


def _all_of(words: Sequence[str], among: Collection[int]) -> Question | None:
    parts: list[str] = []
    values: list[Any] = []
    for word in words:
        if len(word) <= SHORT:
            parts.append(f"{_here(among)}word = ?")
            values.append(word)
        else:
            parts.append(f"{_here(among)}word >= ? AND word < ?")
            values += _range(word)
    return (" INTERSECT ".join(parts), values) if parts else None


def corrected(cursor: Cursor, words: str) -> list[str]:
    """``words`` with each one that no lead has in its place taken for what it may be a slip for; the likeliest first, none where
    nothing is near."""
    choices: list[list[str]] = []
    for typed in folded(words).split()[:MOST]:
        spellings = [word for spelling in (typed, *other_spellings(typed)) for word in words_in(spelling)]
        there = [word for word in spellings if _begins(cursor, word)]
        near_ones = [] if there else [word for spelling in spellings for word in near(cursor, spelling)]
        if not there and not near_ones:
            return []
        choices.append(list(dict.fromkeys(there or near_ones))[:3])
    return [" ".join(choice) for choice in product(*choices)][:3] if choices else []


def _begins(cursor: Cursor, word: str) -> bool:
    asked = _all_of([word], BOTH)
    if asked is None:
        return False
    cursor.execute(f"{asked[0]} LIMIT 1", asked[1])
    return cursor.fetchone() is not None


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

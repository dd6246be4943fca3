"""How else a word may have been meant: in the other keyboard layout, in the other alphabet, or with a slip of the finger."""

from __future__ import annotations

import re
from collections.abc import Collection

LATIN_KEYS = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
RUSSIAN_KEYS = "ёйцукенгшщзхъфывапролджэячсмитьбю"
TO_RUSSIAN = str.maketrans(LATIN_KEYS, RUSSIAN_KEYS)
TO_LATIN = str.maketrans(RUSSIAN_KEYS, LATIN_KEYS)

CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "й": "y", "к": "k", "л": "l",
    "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch",
    "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
}
"""As Russian passports and most mail addresses spell it."""
LATIN = {
    "shch": "щ", "sch": "щ", "kh": "х", "zh": "ж", "ts": "ц", "tz": "ц", "ch": "ч", "sh": "ш", "yu": "ю", "ju": "ю", "iu": "ю",
    "ya": "я", "ja": "я", "yo": "е", "jo": "е", "ye": "е", "ck": "к", "ph": "ф", "iy": "ий", "ij": "ий", "yy": "ый",
    "a": "а", "b": "б", "c": "к", "d": "д", "e": "е", "f": "ф", "g": "г", "h": "х", "i": "и", "j": "й", "k": "к", "l": "л",
    "m": "м", "n": "н", "o": "о", "p": "п", "q": "к", "r": "р", "s": "с", "t": "т", "u": "у", "v": "в", "w": "в", "x": "кс",
    "z": "з",
}
VOWELS = "aeiouy"
SHORTEST = 3
"""Letters from which a word is looked for in other spellings."""

_LATIN_PARTS = re.compile("|".join(sorted([*LATIN, "ia", "y"], key=len, reverse=True)))
_ENDINGS = tuple(sorted((
    "ами", "ями", "ого", "его", "ому", "ему", "ыми", "ими", "ая", "яя", "ое", "ее", "ые", "ие", "ый", "ий", "ой", "ей", "ую",
    "юю", "ых", "их", "ым", "им", "ам", "ям", "ах", "ях", "ом", "ем", "ов", "ев", "а", "я", "о", "е", "ы", "и", "у", "ю", "ь",
    "й"), key=len, reverse=True))
_STEM = 4


def other_spellings(typed: str) -> list[str]:
    """``typed`` (small letters, one word with whatever stands in it) as it may have been meant; without itself."""
    if sum(ch.isalpha() for ch in typed) < SHORTEST or any(ch.isdigit() for ch in typed):
        return []
    latin = any("a" <= ch <= "z" for ch in typed)
    cyrillic = any("а" <= ch <= "я" or ch == "ё" for ch in typed)
    if latin and cyrillic:
        return []
    if cyrillic:
        found = [typed.translate(TO_LATIN), "".join(CYRILLIC.get(ch, ch) for ch in typed)]
    else:
        found = [typed.translate(TO_RUSSIAN), in_cyrillic(typed)]
    return [one for one in dict.fromkeys(found) if one != typed]


def in_cyrillic(word: str) -> str:
    """A Russian word that was written in Latin letters."""
    def letter(part: re.Match[str]) -> str:
        if part[0] == "ia":
            return "ия" if part.end() == len(word) else "иа"
        if part[0] != "y":
            return LATIN[part[0]]
        before, last = word[:part.start()], part.end() == len(word)
        if before and before[-1] in VOWELS:
            return "й"
        return "ий" if last and len(before) > 2 else "ы"  # «evgeny», but «rybin»
    return _LATIN_PARTS.sub(letter, word)


def stem(word: str) -> str:
    """The beginning that a Russian word's cases share, roughly: what is searched for in texts."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            return word[:-len(ending)]
    return word


def grams(word: str) -> set[str]:
    """Groups of three letters, with the edges of the word."""
    edged = f" {word} "
    return {edged[n:n + 3] for n in range(len(edged) - 2)}


def slips(word: str) -> int:
    """So many slips are forgiven in a word."""
    return 1 if len(word) <= 5 else 2


def distance(one: str, other: str, most: int) -> int:
    """Letters left out, added, replaced, or swapped with their neighbour between two words; ``most`` + 1 where it is more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before, last = list(range(len(other) + 1)), list[int]()
    for i, a in enumerate(one, 1):
        now = [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, now[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            now.append(cost)
        if min(now) > most:
            return most + 1
        last, before = before, now
    return min(before[-1], most + 1)


def nearest(word: str, among: Collection[str], limit: int) -> list[str]:
    """Those of ``among`` that ``word`` may be a slip for, the nearest first."""
    most = slips(word)
    near = [(distance(word, other, most), other) for other in among]
    return [other for far, other in sorted(near) if far <= most][:limit]

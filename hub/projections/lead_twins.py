"""What makes two open leads look like one request, as rows of an index: probable duplicates (R6) are found without a search.

An address that two cards have, a phone that differs in its last two digits, a company's own mail domain, a taxpayer number,
a name together with a company. Only open leads stand here: an ended one is not merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from hub.domain.event import ERASED
from hub.domain.state import LeadState
from hub.projections.lead_words import LONGEST_ADDRESS, address_word, words_in
from hub.store.base import Cursor

TABLE = """
    CREATE TABLE lead_twins (key TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (key, number)) WITHOUT ROWID;
"""
LAST_PART = 2
"""Digits at the end of a phone in which the numbers of one office differ."""
SHORTEST_PHONE = 9
MOST_KEYS = 16
"""Keys of a lead that are looked for."""
OF_EACH = 8
"""Leads of one key that are looked at, the newest ones."""

FORMS_OF_BUSINESS = frozenset(["ооо", "оао", "зао", "пао", "ао", "ип", "тк", "гк", "нко", "ltd", "llc", "inc", "gmbh"])
EVERYBODYS_MAIL = frozenset((
    "gmail.com", "yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz", "mail.ru", "bk.ru", "list.ru", "inbox.ru",
    "internet.ru", "rambler.ru", "lenta.ru", "autorambler.ru", "myrambler.ru", "ro.ru", "outlook.com", "hotmail.com", "live.com",
    "live.ru", "msn.com", "yahoo.com", "icloud.com", "me.com", "mac.com", "proton.me", "protonmail.com", "pm.me", "aol.com",
    "gmx.com", "gmx.de", "googlemail.com", "ukr.net", "tut.by", "qip.ru", "pochta.ru", "vk.com", "xmail.ru", "zoho.com"))
"""Domains where anybody has a mailbox: the same one says nothing."""


def keys_of(s: LeadState) -> list[str]:
    """All rows of a lead, in order; none of one that is not open or a test. What comes before the colon says what it is."""
    if not s.open or s.test:
        return []
    addresses = [a for p in s.people.values() for a in p.addresses if a.value and a.value != ERASED]
    keys = {f"address:{address_word(a)}" for a in addresses}
    keys |= {f"phone:{a.value[:-LAST_PART]}" for a in addresses if a.kind == "phone" and len(a.value) > SHORTEST_PHONE}
    keys |= {f"domain:{domain}" for a in addresses if a.kind == "email"
             for domain in (a.value.rpartition("@")[2].lower(),) if domain and domain not in EVERYBODYS_MAIL}
    if s.inn and s.inn != ERASED:
        keys.add(f"inn:{s.inn}")
    company = " ".join(w for w in words_in(s.company if s.company != ERASED else "") if w not in FORMS_OF_BUSINESS)
    if company:
        keys |= {f"name:{' '.join(sorted(words_in(p.name)))}/{company}" for p in s.people.values()
                 if p.name and p.name != ERASED and words_in(p.name)}
    return sorted({key[:LONGEST_ADDRESS].replace("\n", " ") for key in keys})


def write(cursor: Cursor, old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]) -> None:
    """Put the keys of leads (rows of ``leads``) in the place of those that were. A lead that ``new`` does not name is left."""
    before = {row["number"]: row["twins"] for row in old}
    gone: list[tuple[str, int]] = []
    come: list[tuple[str, int]] = []
    for row in new:
        number, was = row["number"], before.get(row["number"], "")
        if was != row["twins"]:
            there, is_now = ({key for key in text.split("\n") if key} for text in (was, row["twins"]))
            gone += [(key, number) for key in there - is_now]
            come += [(key, number) for key in is_now - there]
    if gone:
        cursor.executemany("DELETE FROM lead_twins WHERE key = ? AND number = ?", sorted(gone))
    if come:
        cursor.executemany("INSERT INTO lead_twins (key, number) VALUES (?, ?)", sorted(come))


def alike(cursor: Cursor, lead: UUID, s: LeadState, limit: int) -> list[tuple[Any, tuple[str, ...]]]:
    """Rows of ``leads`` that look like ``s``, the likeliest first, each with its reasons: ``address``, ``inn``, ``name``,
    ``phone``, ``domain``. Without those that were told apart from it."""
    keys = sorted(keys_of(s), key=lambda key: ORDER.index(key.partition(":")[0]))[:MOST_KEYS]
    if not keys:
        return []
    one = "SELECT * FROM (SELECT key, number FROM lead_twins WHERE key = ? ORDER BY number DESC LIMIT ?) found"
    looked = OF_EACH + 1 + len(s.apart)
    cursor.execute(" UNION ALL ".join([one] * len(keys)), tuple(value for key in keys for value in (key, looked)))
    reasons: dict[int, set[str]] = {}
    for row in cursor.fetchall():
        reasons.setdefault(row["number"], set()).add(row["key"].partition(":")[0])
    if not reasons:
        return []
    but = {lead.hex, *(other.hex for other in s.apart)}
    cursor.execute(f"SELECT * FROM leads WHERE number IN ({', '.join('?' * len(reasons))})", tuple(reasons))
    found = [(row, _in_order(reasons[row["number"]])) for row in cursor.fetchall() if row["id"] not in but]
    return sorted(found, key=lambda one: (_weight(one[1]), one[0]["number"]))[:limit]


ORDER: Sequence[str] = ("address", "inn", "name", "phone", "domain")
"""Reasons, the strongest first."""


def _in_order(reasons: Iterable[str]) -> tuple[str, ...]:
    # The same phone differs in no part of it, and the same e-mail has the same domain.
    told = set(reasons)
    return tuple(r for r in ORDER if r in told and not ("address" in told and r in ("phone", "domain")))


def _weight(reasons: tuple[str, ...]) -> tuple[int, int]:
    return ORDER.index(reasons[0]), -len(reasons)

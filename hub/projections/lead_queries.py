"""What the board, the list and the search ask of leads. A person's words are always parameters, never SQL."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.domain import contact
from hub.domain.delivery import Address
from hub.domain.state import LeadState
from hub.projections import lead_tags, lead_twins, lead_words
from hub.store.base import Cursor, EventStore

OPEN = "is_open = 1"
ASLEEP = "asleep"
"""The place of a lead that is open and sleeps; the place of any other open lead is its stage."""
DEFERRALS = 2
"""From so many continuations on, the board points to a lead (R26)."""
SAID_NUMBER = 4
"""Bare digits up to so many are the number of a lead, as people say it; more may as well be the end of a phone."""

OPEN_SHOWS = ("all", "mine", "no_step", "today", "deferrals", "asleep")
ENDED_SHOWS = ("won", "lost", "refused")
NULLS_LAST = "CASE WHEN total IS NULL THEN 1 ELSE 0 END"
SORTS = {
    "due": "due_sort {way}, number {way}", "number": "number {way}", "name": "name {way}, number",
    "stage": "place {way}, due_sort, number",
    "score": NULLS_LAST + ", COALESCE(total, 0) {way}, number", "received": "received_at {way}, number {way}",
    "ended": "ended_at {way}, number",
    "owner": "owner {way}, due_sort, number", "channel": "channel {way}, due_sort, number",
    "deferrals": "continuations {way}, due_sort, number",
}
"""What the list may be sorted by."""


@dataclass(frozen=True)
class Wanted:
    """Which leads somebody wants to see. ``me``: who asks; ``day_ends``: the end of the company's day, as sortable text.

    ``owner`` and ``segment`` take ``none`` for leads without one; ``words`` are what a person typed, ``tag`` is one tag.
    """

    show: str = "all"
    owner: str = ""
    segment: str = ""
    channel: str = ""
    stage: str = ""
    words: str = ""
    tag: str = ""
    me: str = ""
    day_ends: str = ""

    def common(self, among: Collection[int] = lead_words.BOTH) -> tuple[list[str], list[Any]]:
        """Conditions of everything but ``show``; its words are looked for ``among`` open or ended leads."""
        conditions, values = [], []
        for column, value in (("owner", self.owner), ("segment", self.segment), ("channel", self.channel), ("stage", self.stage)):
            if value:
                conditions.append(f"{column} = ?")
                values.append("" if value == "none" else value)
        if self.words:
            found, words = lead_words.matching(self.words, among) or lead_words.NOTHING
            conditions.append(f"number IN ({found})")
            values += words
        if self.tag:
            tagged, tag = lead_tags.having(self.tag, among)
            conditions.append(f"number IN ({tagged})")
            values += tag
        return conditions, values

    def shown(self) -> tuple[list[str], list[Any]]:
        """The condition of ``show`` alone."""
        if self.show in ENDED_SHOWS:
            return ["is_open = 0", "ended = ?"], [self.show]
        return {
            "all": ([OPEN], []),
            "mine": ([OPEN, "owner = ?"], [self.me]),
            "no_step": ([OPEN, "place <> 'asleep'", "owner <> ''", "planned = 0"], []),
            "today": ([OPEN, "place <> 'asleep'", "due_sort < ?"], [self.day_ends]),
            "deferrals": ([OPEN, "place <> 'asleep'", f"continuations >= {DEFERRALS}"], []),
            "asleep": ([OPEN, "place = 'asleep'"], []),
        }[self.show]

    def where(self) -> tuple[str, list[Any]]:
        """Both together, as SQL and its parameters."""
        common, shown = self.common(lead_words.ENDED if self.show in ENDED_SHOWS else lead_words.OPEN), self.shown()
        return " AND ".join([*shown[0], *common[0]]), [*shown[1], *common[1]]


@dataclass(frozen=True)
class Counts:
    """How many leads each chip has, and each column under the chip that is chosen."""

    shows: dict[str, int]
    places: dict[str, int]


def counted(cursor: Cursor, wanted: Wanted, among: str, values: Sequence[Any]) -> Counts:
    """Numbers of all chips and columns over ``among``: what stands after FROM, with its ``values``."""
    shown, shown_values = wanted.shown() if wanted.show in OPEN_SHOWS else ([OPEN], [])
    cursor.execute(
        "SELECT place, COUNT(*) AS everything, COUNT(*) FILTER (WHERE owner = ?) AS mine, "
        "COUNT(*) FILTER (WHERE owner <> '' AND planned = 0) AS no_step, COUNT(*) FILTER (WHERE due_sort < ?) AS today, "
        f"COUNT(*) FILTER (WHERE continuations >= {DEFERRALS}) AS deferrals, "
        f"COUNT(*) FILTER (WHERE {' AND '.join(shown)}) AS shown FROM {among} GROUP BY place",
        (wanted.me, wanted.day_ends, *shown_values, *values))
    rows = cursor.fetchall()
    shows = dict.fromkeys(OPEN_SHOWS, 0)
    for row in rows:
        shows["all"] += row["everything"]
        shows["mine"] += row["mine"]
        if row["place"] == ASLEEP:
            shows["asleep"] += row["everything"]
        else:
            for show in ("no_step", "today", "deferrals"):
                shows[show] += row[show]
    return Counts(shows, {row["place"]: row["shown"] for row in rows})


class LeadQueries:
    """Questions to the table ``leads``; every one of them has an index for the open leads."""

    store: EventStore

    def one(self, lead: UUID) -> Any:
        """The row of a lead, or None."""
        with self.store.views.reading() as c:
            c.execute("SELECT * FROM leads WHERE id = ?", (lead.hex,))
            return c.fetchone()

    def some(self, leads: Sequence[UUID]) -> list[Any]:
        """The rows of several leads, in no order."""
        if not leads:
            return []
        with self.store.views.reading() as c:
            c.execute(f"SELECT * FROM leads WHERE id IN ({', '.join('?' * len(leads))})", tuple(lead.hex for lead in leads))
            return list(c.fetchall())

    def by_number(self, number: int) -> UUID | None:
        """The lead with a number, as people say it."""
        with self.store.views.reading() as c:
            c.execute("SELECT id FROM leads WHERE number = ?", (number,))
            row = c.fetchone()
        return UUID(row["id"]) if row else None

    def rows(self, where: str = OPEN, parameters: Sequence[Any] = (), order: str = "due_sort, number",
             limit: int = 500, offset: int = 0) -> list[Any]:
        """Rows by a condition of ours (never of a user's words), in order."""
        with self.store.views.reading() as c:
            c.execute(f"SELECT * FROM leads WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?", (*parameters, limit, offset))
            return list(c.fetchall())

    def count(self, where: str = OPEN, parameters: Sequence[Any] = ()) -> int:
        """How many rows a condition has."""
        with self.store.views.reading() as c:
            c.execute(f"SELECT COUNT(*) AS n FROM leads WHERE {where}", tuple(parameters))
            return int(c.fetchone()["n"])

    # ── the board ────────────────────────────────────────────────────────────────

    def column(self, place: str, wanted: Wanted, limit: int) -> list[Any]:
        """The first leads of a column (a stage, or ``asleep``), what is due first on top."""
        where, values = wanted.where()
        return self.rows(f"place = ? AND {where}", (place, *values), limit=limit)

    def counts(self, wanted: Wanted) -> Counts:
        """Numbers of all chips and columns in one pass over an index."""
        conditions, values = wanted.common(lead_words.OPEN)
        where = " AND ".join([OPEN, *conditions])
        with self.store.views.reading() as c:
            return counted(c, wanted, f"leads WHERE {where}", values)

    def hottest(self, since: str, limit: int, owners: Sequence[str] = ()) -> list[Any]:
        """Open leads whose deadline comes first from ``since`` (sortable text) on; where these are few, with what was missed
        before that. Only of ``owners`` (an empty text: untaken ones) when given."""
        where = f"{OPEN} AND place <> 'asleep' AND due_at IS NOT NULL AND due_sort"
        rows = self._of_each(owners, f"{where} >= ?", since, limit)
        if len(rows) < limit:
            rows = self._of_each(owners, f"{where} < ?", since, limit - len(rows), last=True) + rows
        return rows

    def _of_each(self, owners: Sequence[str], where: str, since: str, limit: int, *, last: bool = False) -> list[Any]:
        """The first (or ``last``) rows of all ``owners`` in the order of what is due; each owner's come sorted from an index."""
        order = "due_sort DESC, number DESC" if last else "due_sort, number"
        found = [row for owner in owners for row in self.rows(f"{where} AND owner = ?", (since, owner), order, limit)]
        if not owners:
            found = self.rows(where, (since,), order, limit)
        found.sort(key=lambda row: (row["due_sort"], row["number"]))
        return found[-limit:] if last else found[:limit]

    def late(self, now: str, limit: int) -> list[Any]:
        """Open leads whose deadline has passed by ``now`` (sortable text), the latest by most first."""
        return self.rows(f"{OPEN} AND place <> 'asleep' AND due_sort < ?", (now,), limit=limit)

    def late_count(self, now: str) -> int:
        """How many those are."""
        return self.count(f"{OPEN} AND place <> 'asleep' AND due_sort < ?", (now,))

    def handed_over(self, account_manager: str, limit: int) -> list[Any]:
        """Won leads of an account manager, the newest first (R30)."""
        where = "account_manager <> '' AND account_manager = ? AND ended = 'won'"  # the first names the index
        return self.rows(where, (account_manager,), "ended_at DESC", limit)

    # ── the list ─────────────────────────────────────────────────────────────────

    def listed(self, wanted: Wanted, sort: str, limit: int, beside: int = 0, *, back: bool = False) -> tuple[list[Any], bool]:
        """Leads of the list after the one with the number ``beside`` (``back``: those before it), and whether there are more.

        From the beginning where ``beside`` is 0 or no such lead. ``sort`` is a key of ``SORTS``, with a minus for the other way
        round. Where that lead has moved since, the page goes on from where it stands now.
        """
        where, values = wanted.where()
        keys = order_of(sort, back=back)
        order = ", ".join(f"{key} {way}" for key, way in keys)
        with self.store.views.reading() as c:  # only numbers are sorted, in an index: the rows are wide
            if beside:
                c.execute(f"SELECT {', '.join(f'{key} AS k{n}' for n, (key, _) in enumerate(keys))} FROM leads WHERE number = ?",
                          (beside,))
                if (row := c.fetchone()) is not None:
                    further, place = _further(keys, [row[f"k{n}"] for n in range(len(keys))])
                    where, values = f"{where} AND ({further})", [*values, *place]
            c.execute(f"SELECT number FROM leads WHERE {where} ORDER BY {order} LIMIT ?", (*values, limit + 1))
            numbers = [row["number"] for row in c.fetchall()]
            more, numbers = len(numbers) > limit, numbers[:limit]
            return self.in_order(c, numbers[::-1] if back else numbers), more

    def in_order(self, c: Cursor, numbers: Sequence[int]) -> list[Any]:
        """Whole rows of ``numbers``, in their order."""
        if not numbers:
            return []
        c.execute(f"SELECT * FROM leads WHERE number IN ({', '.join('?' * len(numbers))})", tuple(numbers))
        rows = {row["number"]: row for row in c.fetchall()}
        return [rows[number] for number in numbers]

    def endings(self, wanted: Wanted) -> dict[str, int]:
        """How many ended leads there are of each ending, whatever ``wanted`` shows."""
        conditions, values = wanted.common(lead_words.ENDED)
        by_number = bool(wanted.words or wanted.tag)
        table, number = ("leads", "COUNT(*)") if by_number else ("lead_endings", "SUM(n)")
        # With its sign the column is no way in: the index of the ended leads holds all that is asked.
        where = " AND ".join([*(["is_open = 0"] if by_number else []), "ended <> ''",
                              *(c.replace("number IN", "+number IN") for c in conditions)])
        with self.store.views.reading() as c:
            c.execute(f"SELECT ended, {number} AS n FROM {table} WHERE {where} GROUP BY ended", values)
            found = {row["ended"]: int(row["n"]) for row in c.fetchall()}
        return {show: found.get(show, 0) for show in ENDED_SHOWS}

    def how_many(self, wanted: Wanted) -> int:
        """How many leads the list has."""
        if wanted.show in ENDED_SHOWS:
            return self.endings(wanted)[wanted.show]
        where, values = wanted.where()
        return self.count(where, values)

    def tags(self) -> list[str]:
        """Tags that leads have, in order; of very many those of most leads."""
        with self.store.views.reading() as c:
            c.execute("SELECT tag FROM tags ORDER BY n DESC, tag LIMIT ?", (lead_tags.MOST,))
            return sorted(row["tag"] for row in c.fetchall())

    def owners(self) -> list[str]:
        """People who own an open lead."""
        with self.store.views.reading() as c:
            c.execute(f"SELECT DISTINCT owner FROM leads WHERE {OPEN} AND owner <> ''")
            return [row["owner"] for row in c.fetchall()]

    # ── the search ───────────────────────────────────────────────────────────────

    def found(self, words: str, limit: int = 50) -> list[Any]:
        """Leads whose name, company, person, e-mail or request hold all of ``words``, or that have them as (a part of) a phone:
        the lead with this number first, then open ones, the newest first."""
        number = number_in(words)
        with self.store.views.reading() as c:
            numbers = [number] if number is not None and self._there(c, number) else []
            for among in (lead_words.OPEN, lead_words.ENDED):
                asked = lead_words.matching(words, among)
                if asked is not None and len(numbers) < limit:
                    c.execute(f"SELECT DISTINCT number FROM ({asked[0]}) found ORDER BY number DESC LIMIT ?", (*asked[1], limit))
                    numbers += [row["number"] for row in c.fetchall()]
            return self.in_order(c, list(dict.fromkeys(numbers))[:limit])

    def exact(self, words: str) -> UUID | None:
        """The one lead that ``words`` name exactly: by its number, or by a whole phone that no other lead has.

        Bare digits of five or more that are the end of a phone as well name nothing exactly.
        """
        number = number_in(words)
        phone = contact.phone(words) if number is None and sum(ch.isdigit() for ch in words) >= 10 else None
        with self.store.views.reading() as c:
            if number is not None:
                ends = lead_words.matching(words, lead_words.BOTH) if len(words.strip()) > SAID_NUMBER else None
                if ends is not None and words.strip().isdigit():
                    c.execute(f"SELECT number FROM ({ends[0]}) found WHERE number <> ? LIMIT 1", (*ends[1], number))
                    if c.fetchone() is not None:
                        return None
                c.execute("SELECT id FROM leads WHERE number = ?", (number,))
            elif phone is not None:
                asked, values = lead_words.having([phone])
                c.execute(f"SELECT id FROM leads WHERE number IN ({asked}) LIMIT 2", values)
            else:
                return None
            rows = c.fetchall()
        return UUID(rows[0]["id"]) if len(rows) == 1 else None

    def related(self, lead: UUID, addresses: Sequence[Address], previous: UUID | None, limit: int) -> list[Any]:
        """Other leads that have one of ``addresses``, that came after ``lead`` or are the ``previous`` one; the newest first."""
        asked, values = lead_words.having(addresses)
        with self.store.views.reading() as c:
            c.execute(f"SELECT * FROM leads WHERE id <> ? AND number IN ({asked} UNION SELECT number FROM leads "
                      "WHERE previous_lead = ? UNION SELECT number FROM leads WHERE id = ?) ORDER BY received_at DESC LIMIT ?",
                      (lead.hex, *values, lead.hex, previous.hex if previous else "", limit))
            return list(c.fetchall())

    def alike(self, lead: UUID, state: LeadState, limit: int) -> list[tuple[Any, tuple[str, ...]]]:
        """Probable duplicates of an open lead with their reasons (R6); see :func:`hub.projections.lead_twins.alike`."""
        with self.store.views.reading() as c:
            return lead_twins.alike(c, lead, state, limit)

    def _there(self, c: Cursor, number: int) -> bool:
        c.execute("SELECT number FROM leads WHERE number = ?", (number,))
        return c.fetchone() is not None


def number_in(words: str) -> int | None:
    """The lead's number, where ``words`` are one: ``42``, ``№ 42``, ``L-42``."""
    bare = words.strip().lstrip("LlЛл№#-— ").strip()
    return int(bare) if bare.isascii() and bare.isdigit() and len(bare) <= 8 else None


def order_of(sort: str, *, back: bool = False) -> list[tuple[str, str]]:
    """What a sort compares, with ``ASC`` or ``DESC``; ``back`` turns all of it round."""
    text = SORTS[sort.lstrip("-")].format(way="DESC" if sort.startswith("-") else "ASC")
    parts = [part.strip() for part in re.split(r",(?![^(]*\))", text)]
    keys = [(part.removesuffix(" ASC").removesuffix(" DESC"), "DESC" if part.endswith(" DESC") else "ASC") for part in parts]
    return [(key, "ASC" if way == "DESC" else "DESC") for key, way in keys] if back else keys


def _further(keys: Sequence[tuple[str, str]], place: Sequence[Any]) -> tuple[str, list[Any]]:
    """The condition of what comes after ``place`` in an order, with its parameters. A lead that lacks a value of the order (no
    end yet) comes nowhere."""
    parts: list[str] = []
    values: list[Any] = []
    for n, (key, way) in enumerate(keys):
        same = [f"{earlier} = ?" for earlier, _ in keys[:n]]
        parts.append(" AND ".join([*same, f"{key} {'<' if way == 'DESC' else '>'} ?"]))
        values += place[: n + 1]
    key, way = keys[0]  # said once more by itself: an index begins there
    return f"{key} {'<=' if way == 'DESC' else '>='} ? AND ({' OR '.join(f'({part})' for part in parts)})", [place[0], *values]

"""What was written to and fro, by its words: letters, messages, notes, names of files. Found by the beginning of words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

from hub.domain import events as e
from hub.domain.event import ERASED, TOPICS, Event
from hub.projections import spelling
from hub.projections.base import Projection, Row
from hub.projections.lead_words import AFTER_ALL, MOST, words_in
from hub.store.base import Cursor, EventStore

SHORTEST = 3
"""Letters of a word that is kept."""
LOOKED_AT = 500
"""Leads whose words are read to answer a search for several words."""
MOST_WORDS = 5000
"""Different words of one lead that are kept."""


def texts_of(event: Event) -> Iterator[str]:
    """What an event says in somebody's words."""
    match event:
        case e.MessageReceived():
            yield from (event.subject_line, event.text, *(file.name for file in event.files), *(said for _, said in event.fields))
        case e.MessageAsked():
            yield from (event.subject_line, event.text, *(file.name for file in event.files))
        case e.LetterAsked():
            yield from (event.subject_line, event.body)
        case e.MessageEdited() | e.NoteAdded() | e.ContactLogged() | e.MeetingHeld() | e.NextStepPlanned():
            yield event.text
        case e.FileFetched():
            yield from (file.name for file in event.files)


SAYING = frozenset(kind.TOPIC for kind in (e.MessageReceived, e.MessageAsked, e.MessageEdited, e.LetterAsked, e.NoteAdded,
                                           e.ContactLogged, e.MeetingHeld, e.NextStepPlanned, e.FileFetched))


def words_of(event: Event) -> set[str]:
    """The words of :func:`texts_of` that are kept."""
    return {word for text in texts_of(event) if text and text != ERASED for word in words_in(text) if len(word) >= SHORTEST}


class Texts(Projection):
    """One row for a word of a lead, whoever wrote it. With an erasure they are made anew from what can still be read."""

    name = "texts"
    tables = """
        CREATE TABLE text_leads (n INTEGER PRIMARY KEY, lead TEXT NOT NULL UNIQUE, words TEXT NOT NULL);
        CREATE TABLE text_words (word TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (word, n)) WITHOUT ROWID;
    """

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def wants(self, topic: str) -> bool:
        return topic in SAYING or (topic in TOPICS and topic.startswith("lead.") and TOPICS[topic].ERASES)

    def apply(self, cursor: Cursor, position: int, event: Event) -> None:
        self.apply_all(cursor, [(position, event)])

    def apply_all(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Only what is new of each lead's words is written."""
        said: dict[UUID, list[Event]] = {}
        for _, event in rows:
            said.setdefault(event.originator_id, []).append(event)
        there = self._there(cursor, [lead.hex for lead in said])
        cursor.execute("SELECT COALESCE(MAX(n), 0) AS n FROM text_leads")
        following = cursor.fetchone()["n"]
        leads: list[tuple[int, str, str]] = []
        gone: list[tuple[str, int]] = []
        come: list[tuple[str, int]] = []
        for lead, events in said.items():
            row = there.get(lead.hex)
            before = set(row["words"].split("\n")) - {""} if row else set[str]()
            now = self._words(lead, before, events)
            if row is None:
                following += 1
            n = row["n"] if row else following
            if row is None or now != before:
                leads.append((n, lead.hex, "\n".join(sorted(now))))
            gone += [(word, n) for word in before - now]
            come += [(word, n) for word in now - before]
        cursor.executemany("INSERT INTO text_leads VALUES (?, ?, ?) ON CONFLICT (n) DO UPDATE SET words = excluded.words", leads)
        if gone:
            cursor.executemany("DELETE FROM text_words WHERE word = ? AND n = ?", sorted(gone))
        cursor.executemany("INSERT INTO text_words VALUES (?, ?)", sorted(come))

    def _words(self, lead: UUID, before: set[str], events: Sequence[Event]) -> set[str]:
        erasing = next((event for event in reversed(events) if event.ERASES), None)
        if erasing is not None:
            before = set()
            events = [*self.store.read(lead, 0, erasing.originator_version),
                      *(event for event in events if event.originator_version > erasing.originator_version)]
        for event in events:
            before = before | words_of(event)
            if len(before) > MOST_WORDS:
                before = set(sorted(before)[:MOST_WORDS])
        return before

    def _there(self, cursor: Cursor, leads: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for some in (leads[n:n + 500] for n in range(0, len(leads), 500)):
            cursor.execute(f"SELECT n, lead, words FROM text_leads WHERE lead IN ({', '.join('?' * len(some))})", some)
            found.update((row["lead"], row) for row in cursor.fetchall())
        return found

    # ── questions ────────────────────────────────────────────────────────────────

    def found(self, words: str, limit: int) -> list[UUID]:
        """Leads in whose texts all of ``words`` begin a word, those that came last first."""
        beginnings = wanted(words)
        asked = question(beginnings)
        if asked is None:
            return []
        with self.store.views.reading() as cursor:
            if len(beginnings) > 1 and (newest := self._newest(cursor, beginnings, limit)) is not None:
                return newest
            cursor.execute("SELECT lead FROM text_leads WHERE n IN "
                           f"(SELECT n FROM ({asked[0]}) found ORDER BY n DESC LIMIT ?) ORDER BY n DESC", (*asked[1], limit))
            return [UUID(row["lead"]) for row in cursor.fetchall()]

    def _newest(self, cursor: Cursor, beginnings: Sequence[str], limit: int) -> list[UUID] | None:
        """The answer where it is among the last :data:`LOOKED_AT` leads of the longest word, or they are all that have it: words
        that stand in nearly every letter need not be compared over all of them. None where that is not enough."""
        longest = max(beginnings, key=len)
        cursor.execute("SELECT n FROM text_words WHERE word >= ? AND word < ? GROUP BY n ORDER BY n DESC LIMIT ?",
                       (longest, longest + AFTER_ALL, LOOKED_AT))
        places = [row["n"] for row in cursor.fetchall()]
        if not places:
            return []
        cursor.execute(f"SELECT lead, words FROM text_leads WHERE n IN ({', '.join('?' * len(places))}) ORDER BY n DESC", places)
        found = [UUID(row["lead"]) for row in cursor.fetchall()
                 if all(f"\n{one}" in f"\n{row['words']}" for one in beginnings)]
        return found[:limit] if len(found) >= limit or len(places) < LOOKED_AT else None


def wanted(words: str) -> list[str]:
    """The beginnings of words that are looked for: a word without its case's ending."""
    return [spelling.stem(word) for word in words_in(words) if len(word) >= SHORTEST][:MOST]


def question(beginnings: Collection[str]) -> tuple[str, list[str]] | None:
    """SQL for the places of leads that have a word with each of ``beginnings``, and its parameters; None without any."""
    if not beginnings:
        return None
    parts = ["SELECT n FROM text_words WHERE word >= ? AND word < ?"] * len(beginnings)
    return " INTERSECT ".join(parts), [value for word in beginnings for value in (word, word + AFTER_ALL)]

"""Tags of leads: an index by tag, and how many leads each tag has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from hub.store.base import Cursor

TABLE = """
    CREATE TABLE lead_tags (is_open INTEGER NOT NULL, tag TEXT NOT NULL, number INTEGER NOT NULL,
                            PRIMARY KEY (is_open, tag, number)) WITHOUT ROWID;
    CREATE TABLE tags (tag TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX tags_by_use ON tags (n DESC, tag);
"""
MOST = 200
"""Tags that are offered, those of most leads first."""


def tags_in(row: Mapping[str, Any]) -> list[str]:
    """The tags of a lead by its row of ``leads``."""
    return [tag for tag in row["tags"].split("\n") if tag]


def write(cursor: Cursor, old: Iterable[Any], new: Iterable[Any]) -> None:
    """Put the tags of leads in the place of those that were. A lead of ``old`` that ``new`` does not name is left as it is."""
    before = {row["number"]: row for row in old}
    gone: set[tuple[int, str, int]] = set()
    come: set[tuple[int, str, int]] = set()
    for row in new:
        was = before.get(row["number"])
        is_now = {(row["is_open"], tag, row["number"]) for tag in tags_in(row)}
        there = {(was["is_open"], tag, was["number"]) for tag in tags_in(was)} if was else set()
        gone |= there - is_now
        come |= is_now - there
    if gone:
        cursor.executemany("DELETE FROM lead_tags WHERE is_open = ? AND tag = ? AND number = ?", sorted(gone))
    if come:
        cursor.executemany("INSERT INTO lead_tags (is_open, tag, number) VALUES (?, ?, ?)", sorted(come))
    numbers = Counter(tag for _, tag, _ in come)
    numbers.subtract(tag for _, tag, _ in gone)
    cursor.executemany("INSERT INTO tags (tag, n) VALUES (?, ?) ON CONFLICT (tag) DO UPDATE SET n = tags.n + excluded.n",
                       [(tag, n) for tag, n in sorted(numbers.items()) if n])
    if any(n < 0 for n in numbers.values()):
        cursor.execute("DELETE FROM tags WHERE n = 0")


def having(tag: str, among: Collection[int]) -> tuple[str, list[Any]]:
    """Numbers of the leads ``among`` open or ended ones (values of ``is_open``) that have ``tag``, as SQL and its parameters."""
    return f"SELECT number FROM lead_tags WHERE is_open IN ({', '.join(map(str, among))}) AND tag = ?", [tag]

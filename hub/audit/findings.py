"""What a check can find, each with its sentence in two languages, and by what it is found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Struct

LEAF, ORDER, KEPT_TREE, CHECKPOINT, FOLDER, OUTSIDE, KEY, STAMP = (
    "leaf", "order", "tree", "checkpoint", "folder", "outside", "key", "stamp")
"""By what something is found: the hash of an event, the versions of a stream, the tiles of the tree, a checkpoint in the
database, one in the folder of checkpoints, one that was kept elsewhere, the keys on record, a time stamp."""


LISTED = 20
"""Findings of a kind that are told one by one."""


class _Words(NamedTuple):
    by: str
    ru: str
    en: str


WORDS = {
    "changed": _Words(LEAF, "Событие {position} (лист {leaf}) изменено: сейчас это {topic}, версия {version} потока {stream}.",
                      "Event {position} (leaf {leaf}) was changed: it is {topic} now, version {version} of stream {stream}."),
    "moved": _Words(LEAF, "Событие {position} (лист {leaf}) стоит не на своём месте: порядок журнала изменён.",
                    "Event {position} (leaf {leaf}) is not in its place: the order of the log was changed."),
    "deleted": _Words(LEAF, "События {position} (лист {leaf}) больше нет.", "Event {position} (leaf {leaf}) is gone."),
    "inserted": _Words(LEAF, "Событие {position} ({topic}) вставлено между прежними.",
                       "Event {position} ({topic}) was inserted between older ones."),
    "cut": _Words(LEAF, "Конец журнала отрезан: событий {there}, а в дереве {size}.",
                  "The end of the log was cut: there are {there} events, the tree has {size}."),
    "versions": _Words(ORDER, "В потоке {stream} после версии {before} идёт версия {version} (событие {position}).",
                       "In stream {stream} version {version} follows version {before} (event {position})."),
    "tile": _Words(KEPT_TREE, "Дерево в базе повреждено: плитка {number} уровня {level}.",
                   "The tree in the database is damaged: tile {number} of level {level}."),
    "note": _Words(CHECKPOINT, "Контрольная точка {where} не читается или подписана не нашим ключом: {why}.",
                   "The checkpoint {where} cannot be read, or no key of ours signed it: {why}."),
    "root": _Words(CHECKPOINT, "Первые {size} событий — не те, что подписаны в контрольной точке {where}.",
                   "The first {size} events are not those that the checkpoint {where} signed."),
    "ahead": _Words(CHECKPOINT, "Контрольная точка {where} подписывает {size} событий, а в журнале их {there}: журнал откатили.",
                    "The checkpoint {where} signed {size} events, the log has {there}: it was rewound."),
    "missing": _Words(FOLDER, "Контрольная точка {where} есть в папке, но пропала из базы.",
                      "The checkpoint {where} is in the folder, but not in the database any more."),
    "key": _Words(KEY, "Ключ подписи у хаба не тот, что записан в журнале: {why}.",
                  "The signing key on the disk is not the one on record: {why}."),
    "stamp": _Words(STAMP, "Метка времени не относится к контрольной точке {where}: {why}.",
                    "The time stamp does not belong to the checkpoint {where}: {why}."),
    "unreadable": _Words(LEAF, "Журнал не читается до конца: {why}.", "The log cannot be read to its end: {why}."),
    "more": _Words(LEAF, "И ещё {number} таких же.", "And {number} more like that."),
}
"""Findings by code."""


class Finding(Struct, frozen=True):
    """One fault. ``by``: by what it was found."""

    code: str
    params: dict[str, Any]
    by: str

    def say(self, language: str = "ru") -> str:
        """The sentence."""
        words = WORDS[self.code]
        return (words.ru if language == "ru" else words.en).format(**self.params)


def listed(findings: Sequence[Finding]) -> list[Finding]:
    """The first :data:`LISTED` of every kind, kind by kind, and how many more there are."""
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for one in findings:
        kinds.setdefault((one.code, one.by), []).append(one)
    found = []
    for (_, by), of_a_kind in kinds.items():
        found += of_a_kind[:LISTED]
        if len(of_a_kind) > LISTED:
            found.append(finding("more", by, number=len(of_a_kind) - LISTED))
    return found


def finding(code: str, by: str = "", **params: Any) -> Finding:
    """A finding; ``by`` where it is not the usual one of its code."""
    return Finding(code, {name: value if isinstance(value, int) else str(value) for name, value in params.items()},
                   by or WORDS[code].by)

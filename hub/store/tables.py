"""Tables beside the log, in transactions; one dialect of SQL for both databases.

The SQL of the hub runs on SQLite and on PostgreSQL as it stands: ``?`` for parameters, rows by column name, ``ON CONFLICT``
instead of ``OR REPLACE``, ``"user"`` in quotes. What the two name differently (types, ``WITHOUT ROWID``) is translated.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Cursor(Protocol):
    """The part of a database cursor that the hub uses. Rows are read by column name."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Any: ...
    def executemany(self, sql: str, parameters: Any, /) -> Any: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    @property
    def rowcount(self) -> int: ...


class Tables(ABC):
    """A place for tables. Safe for threads and processes; :class:`hub.store.Unavailable` when it is locked, full or gone."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[Cursor]:
        """A cursor in one write transaction: committed at the end, rolled back on an exception.

        There is one writer at a time. No second ``writing`` of the same place inside it: they would wait for each other
        and end in :class:`Unavailable`. A broken constraint is the library's ``IntegrityError`` once it leaves the block.
        """

    @abstractmethod
    def reading(self) -> AbstractContextManager[Cursor]:
        """A cursor that sees one consistent state of the database and cannot write. Never waits for a writer."""

    @abstractmethod
    def script(self, cursor: Cursor, statements: str) -> None:
        """Run several statements (tables, indexes) inside the transaction of ``cursor``."""

    @abstractmethod
    def names(self, cursor: Cursor) -> frozenset[str]:
        """The tables that there are."""

    @abstractmethod
    def outage(self, error: BaseException) -> bool:
        """Whether ``error`` says that the database cannot work now, rather than that the caller is wrong."""

    @abstractmethod
    def now(self, cursor: Cursor) -> float:
        """Seconds since 1970 by the one clock that all users of these tables share."""

    @abstractmethod
    def beside(self, name: str) -> AbstractContextManager[Tables]:
        """An empty place of its own, where tables may have the names of those here; gone at the end of the block."""

    @abstractmethod
    def seclude(self, cursor: Cursor, names: Sequence[str]) -> None:
        """Keep readers away from the tables ``names`` until the transaction of ``cursor`` ends, where they could stand in the
        way of dropping them. Waits for those that read now."""

    @abstractmethod
    def move_in(self, cursor: Cursor, other: Tables, names: Sequence[str], statements: str) -> None:
        """Put the tables ``names`` of ``other``, a place beside this one, here, in the transaction of ``cursor``.

        They must not be here any more. ``statements`` made them there.
        """

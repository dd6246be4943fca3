"""Group commit: writes of several threads that wait for each other become one transaction, and one wait for the disk."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Work = TypeVar("Work")
Result = TypeVar("Result")

LARGEST = 64
"""Writes in one transaction."""


class _Write(Generic[Work, Result]):
    def __init__(self, work: Work) -> None:
        self.work = work
        self.done = False
        self.outcome: Result | Exception


class GroupCommit(Generic[Work, Result]):
    """Whoever gets the turn commits everything that has queued up meanwhile; the others find theirs done.

    ``commit`` stores several writes in one transaction and tells the outcome of each, its result or why it alone failed;
    what it raises, it raises to all of them, and nothing of them is stored then.
    """

    def __init__(self, commit: Callable[[list[Work]], list[Result | Exception]]) -> None:
        self._commit = commit
        self._queue: list[_Write[Work, Result]] = []
        self._queueing = Lock()
        self._turn = Lock()

    def write(self, work: Work) -> Result:
        """Store ``work``, all or nothing, with whatever other threads want to store now."""
        mine: _Write[Work, Result] = _Write(work)
        with self._queueing:
            self._queue.append(mine)
        with self._turn:
            while not mine.done:
                with self._queueing:
                    batch, self._queue = self._queue[:LARGEST], self._queue[LARGEST:]
                self._store(batch)
        if isinstance(mine.outcome, Exception):
            raise type(mine.outcome)(*mine.outcome.args) from mine.outcome  # of its own: each thread adds its traceback
        return mine.outcome

    def _store(self, batch: list[_Write[Work, Result]]) -> None:
        outcomes: list[Result | Exception] = [RuntimeError("the thread that stored this was ended")] * len(batch)
        try:
            outcomes = self._commit([one.work for one in batch])
        except Exception as error:
            outcomes = [error] * len(batch)
        finally:
            for one, outcome in zip(batch, outcomes, strict=True):
                one.outcome, one.done = outcome, True

"""What the function of a kind is given: its parameters, a place to say how far it is, and a place for what comes out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from threading import Event as Flag
from typing import Any
from uuid import UUID

import msgspec

from hub.domain.aggregate import Actor
from hub.jobs.table import File, Inside, Job, Jobs, said, text

WRITTEN_EVERY = 0.5
"""Seconds between two progress reports that are written down; those in between are kept in memory."""


class Cancelled(Exception):
    """Somebody cancelled the work, or it was taken away (its data erased, another worker has it). Clean up and let it through."""


class Stopped(Exception):
    """The worker ends; the next one goes on from the last saved cursor. Let it through."""


class Work:
    """One try at a job, for the function of its kind. Used by one thread."""

    def __init__(self, jobs: Jobs, job: Job, inside: Inside, holder: str, clock: Callable[[], datetime], stop: Flag,
                 lost: Flag) -> None:
        self.id: UUID = job.id
        self.actor: Actor = job.actor
        """Who asked, with the roles of that moment."""
        self.asked: datetime = job.asked
        self.clock = clock
        self._holder = holder
        self._jobs, self._job, self._inside = jobs, job, inside
        self._stop, self._lost = stop, lost
        self._done, self._total, self._said = job.done, job.total, ""
        self._written = float("-inf")

    @property
    def name(self) -> str:
        """What the asker called it."""
        return self._inside.name

    @property
    def parameters(self) -> dict[str, Any]:
        """What :meth:`hub.jobs.Jobs.start` was given."""
        return self._inside.parameters

    @property
    def cursor(self) -> Any:
        """What :meth:`save` was given last, by this try or an earlier one; None at first."""
        return self._inside.cursor

    @property
    def facts(self) -> dict[str, Any]:
        """What :meth:`tell` was given so far, by earlier tries too."""
        return self._inside.facts

    @property
    def done(self) -> int:
        """How far it is, earlier tries included."""
        return self._done

    def read(self, name: str) -> bytes:
        """A file that the work was given or has made. ``no_such_result`` where it is gone."""
        return self._jobs.read(replace(self._job, inside=self._inside), name)

    def progress(self, done: int, total: int | None = None, said_code: str = "", /, **params: object) -> None:
        """``done`` of ``total`` pieces are done (a total that was said stays); ``said_code``: a sentence of what is going on,
        with no personal data in its parameters. Raises :class:`Cancelled` and :class:`Stopped`: let them through."""
        self._done = done
        self._total = total if total is not None else self._total
        if said_code:
            self._said = said(said_code, **params)
        if self._lost.is_set():
            raise Cancelled
        if self._stop.is_set():
            raise Stopped
        if time.monotonic() - self._written >= WRITTEN_EVERY:
            self._write()

    def save(self, cursor: Any, done: int | None = None) -> None:
        """On return a next try will start with this ``cursor`` (JSON) and all facts told so far. Raises as :meth:`progress`."""
        self._inside = msgspec.structs.replace(self._inside, cursor=cursor)
        self._done = self._done if done is None else done
        self._write(saved=True)
        if self._stop.is_set():
            raise Stopped

    def note(self, cursor: Any) -> None:
        """As :meth:`save`, but durable only with the next save or when this try ends: for a function that is stopped."""
        self._inside = msgspec.structs.replace(self._inside, cursor=cursor)

    def tell(self, **facts: Any) -> None:
        """Facts (JSON) for the page of the job, durable with the next :meth:`save` or with the end."""
        self._inside = msgspec.structs.replace(self._inside, facts={**self._inside.facts, **facts})

    def add_file(self, name: str, media_type: str, data: bytes, *, result: bool = True) -> None:
        """Keep a file, in the place of one of the same name; ``result``: to download. Durable with the next save or the end."""
        file = File(name, media_type, len(data), self._jobs.files.put(data, self.id), result)
        others = tuple(known for known in self._inside.files if known.name != name)
        self._inside = msgspec.structs.replace(self._inside, files=(*others, file))

    def _write(self, *, saved: bool = False) -> None:
        self._written = time.monotonic()
        sealed = self._jobs.sealed(self.id, self._inside) if saved else None
        with self._jobs.store.writing() as c:
            c.execute("UPDATE jobs SET done = ?, total = ?, said = ?, alive = ? WHERE id = ? AND state = 'running' "
                      "AND holder = ? AND cancel = 0",
                      (self._done, self._total, self._said, text(self.clock()), self.id.hex, self._holder))
            going = c.rowcount == 1
            if sealed is not None:
                c.execute("UPDATE jobs SET sealed = ?, takes = 1 WHERE id = ? AND state = 'running' AND holder = ?",
                          (sealed, self.id.hex, self._holder))
        if not going:
            raise Cancelled

    def put_back(self) -> None:
        """The job waits again, and this try is not counted: nothing was wrong with it."""
        sealed = self._jobs.sealed(self.id, self._inside)
        with self._jobs.store.writing() as c:
            c.execute("UPDATE jobs SET state = 'waiting', takes = takes - 1, done = ?, total = ?, sealed = ? "
                      "WHERE id = ? AND state = 'running' AND holder = ?",
                      (self._done, self._total, sealed, self.id.hex, self._holder))

    def end(self, state: str, words: str = "") -> None:
        """The last word, by whoever ran the function: how it ended, with the last progress and everything told."""
        sealed = self._jobs.sealed(self.id, self._inside)
        with self._jobs.store.writing() as c:
            now = text(self.clock())
            c.execute("UPDATE jobs SET state = ?, finished = ?, alive = ?, done = ?, total = ?, said = ?, cancel = 0, sealed = ? "
                      "WHERE id = ? AND state = 'running' AND holder = ?",
                      (state, now, now, self._done, self._total, words, sealed, self.id.hex, self._holder))

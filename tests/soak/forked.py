"""A server that starts at once: forked from a process that has read the code already, and killed as any other."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

from hub.__main__ import main
from tests.serving import Serving, environment, until

_servers = multiprocessing.get_context("forkserver")
_servers.set_forkserver_preload(["hub.__main__", "hub.server", "hub.commands"])


def _serve(surroundings: dict[str, str], log: Path) -> None:
    """``hub serve`` in a process group of its own, with its own environment and streams."""
    os.setsid()
    os.environ.clear()
    os.environ.update(surroundings)
    with open(log, "ab") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    sys.exit(main(["serve"]))


class Forked(Serving):
    """As :class:`Serving`, for tests that start it hundreds of times."""

    _forked: multiprocessing.process.BaseProcess | None = None

    def start(self) -> Self:
        """Start it and wait until it answers."""
        self._forked = _servers.Process(target=_serve, args=(environment(self.folder, **self.settings), self.log))
        self._forked.start()
        until(self.answers, why=f"the server answers; it said: {self.said()[-2000:]}")
        return self

    def answers(self) -> bool:
        """Whether it answers at all."""
        if self._forked is not None and self._forked.exitcode is not None:
            raise AssertionError(f"the server ended with {self._forked.exitcode}: {self.said()[-2000:]}")
        return super().answers()

    def kill(self) -> None:
        """The end that nothing can be done about."""
        if self._forked is not None and self._forked.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._forked.pid, signal.SIGKILL)
            self._forked.join()
            self._forked = None

"""Numbers for Prometheus: what this process counts, added up over all processes of one server.

The web processes and the worker count in files of their own, in memory where there is ``/dev/shm``; whichever process is
asked adds all of them up. What the database knows (positions, open leads, queues) is read when somebody asks.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram, values
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from hub.application import LeadHub, Received
from hub.domain.errors import Conflict, Refused
from hub.domain.lead import COMMANDS
from hub.store import Unavailable

__all__ = ["CONTENT_TYPE", "Metrics", "folder_for_processes"]

CONTENT_TYPE = CONTENT_TYPE_LATEST
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds of a request."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
IN_MEMORY = Path("/dev/shm")
PREFIX = "hub-metrics-"

F = TypeVar("F", bound=Callable[..., Any])


def folder_for_processes() -> Path:
    """A new folder that the processes of this server count in; those of servers that were killed are removed."""
    parent = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    for old in parent.glob(f"{PREFIX}*"):
        pid = old.name.removeprefix(PREFIX).partition("-")[0]
        with suppress(FileNotFoundError):  # another server, or its own, is removing it
            if pid.isdigit() and not Path("/proc", pid).exists() and old.stat().st_uid == os.geteuid():
                shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))


class Metrics:
    """All counters. ``folder``: count for several processes; before the fork of any of them, once in a program."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.started = time.time()
        self._own = CollectorRegistry()
        if folder is not None:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
            values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        self.requests = self._counter("hub_requests", "Requests answered.", "method", "route", "status")
        self.seconds = Histogram("hub_request_seconds", "Seconds until a request was answered.", ("method", "route"),
                                 registry=self._own, buckets=BUCKETS)
        self.intake = self._counter("hub_intake", "Deliveries by channel and what became of them.", "channel", "outcome")
        self.commands = self._counter("hub_commands", "Commands to leads and what became of them.", "command", "outcome")
        self.turns = self._counter("hub_worker_turns", "Rounds of the worker.", "outcome")
        self.passed = self._counter("hub_deadlines_passed", "Leads that the worker let time pass for.")

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self._own)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request. ``route`` is the pattern of the address, so that there are not more series than routes."""
        method = method if method in METHODS else "(other)"
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(method, route).observe(seconds)

    def watch(self, hub: LeadHub) -> None:
        """Count what ``hub`` takes in and is told to do from here on."""
        hub.receive = self._counted_intake(hub.receive)  # type: ignore[method-assign]
        hub.open_by_hand = self._counted_intake(hub.open_by_hand)  # type: ignore[method-assign]
        hub.do = self._counted_commands(hub.do)  # type: ignore[method-assign]

    def _counted_intake(self, receive: F) -> F:
        @wraps(receive)
        def counted(delivery: Any, **how: Any) -> Received:
            with _Counting(self.intake, delivery.channel) as counting:
                received: Received = receive(delivery, **how)
                counting.outcome = ("duplicate" if received.duplicate else
                                    "quarantined" if received.quarantined else "taken")
                return received
        return counted  # type: ignore[return-value]

    def _counted_commands(self, do: F) -> F:
        @wraps(do)
        def counted(lead: Any, command: str, *given: Any, **how: Any) -> Any:
            with _Counting(self.commands, command if command in COMMANDS else "(unknown)"):
                return do(lead, command, *given, **how)
        return counted  # type: ignore[return-value]

    def text(self, state: Collector | None = None) -> bytes:
        """Everything as Prometheus reads it; ``state`` tells what is read from the database."""
        registry = CollectorRegistry() if self.folder else self._own
        if self.folder:
            MultiProcessCollector(registry, str(self.folder))  # type: ignore[no-untyped-call]
        return generate_latest(_Both(registry, state))

    def close(self) -> None:
        """Remove the folder of the processes."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


class _Counting:
    """Counts the end of a block: ``outcome``, or how it was refused."""

    def __init__(self, counter: Counter, label: str) -> None:
        self._counter = counter
        self._label = label
        self.outcome = "done"

    def __enter__(self) -> _Counting:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        if kind is not None:
            kinds = ((Conflict, "conflict"), (Refused, "refused"), (Unavailable, "unavailable"))
            self.outcome = next((word for one, word in kinds if issubclass(kind, one)), "failed")
        with suppress(OSError):  # a full /dev/shm must not fail what was done
            self._counter.labels(self._label, self.outcome).inc()


class _Both(CollectorRegistry):
    """One scrape: counters, then what the database says."""

    def __init__(self, counters: CollectorRegistry, state: Collector | None) -> None:
        super().__init__()
        self._parts = (counters, state)

    def collect(self) -> Iterable[Metric]:
        for part in self._parts:
            if part is not None:
                yield from part.collect()

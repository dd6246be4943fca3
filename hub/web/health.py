"""Whether the hub is well: ``/healthz`` for whoever restarts it, ``/readyz`` for alarms, ``/metrics`` for Prometheus."""

from __future__ import annotations

import hmac
import platform
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from ipaddress import ip_address
from threading import Lock
from typing import Any, cast

from flask import Blueprint, Response, abort, current_app, jsonify, request
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hub import __version__
from hub.metrics import CONTENT_TYPE, Metrics
from hub.projections.base import Status
from hub.projections.leads import OPEN, iso
from hub.store import Unavailable, Unreadable
from hub.traffic.state import States
from hub.traffic.supervisor import failing_accounts
from hub.web.desk import Parts, parts

bp = Blueprint("health", __name__)

WORKER = "worker"
"""The lease of the worker."""
LATE = 30.0
"""Seconds that read models may be behind before the hub is not ready."""
KEPT = 1.0
"""Seconds that an answer of ``/readyz`` is kept, so that asking often costs nothing."""
Check = dict[str, Any]


class Readiness:
    """What ``/readyz`` says, made anew at most once in ``kept`` seconds."""

    def __init__(self, here: Parts, kept: float = KEPT) -> None:
        self._parts = here
        self._kept = kept
        self._lock = Lock()
        self._made_at = -kept
        self._checks: dict[str, Check] = {}

    def checks(self) -> dict[str, Check]:
        """Every check by name; each has ``ok`` and what it found, without anybody's data."""
        with self._lock:
            if time.monotonic() - self._made_at >= self._kept:
                self._checks = {name: _or_unavailable(check) for name, check in (
                    ("store", self._store), ("schema", self._schema), ("projections", self._projections),
                    ("worker", self._worker), ("channels", self._channels),
                    ("audit", self._audit))}
                self._made_at = time.monotonic()
            return self._checks

    def _store(self) -> Check:
        """The database is the one that was opened, and takes a transaction."""
        store = self._parts.hub.store
        if not store.healthy():
            return {"ok": False, "why": "the database is not the one that was opened, or cannot be written to"}
        with store.writing():
            pass
        return {"ok": True, "head": store.head()}

    def _schema(self) -> Check:
        """Every read model has the tables of this version of the program."""
        found = {status.name: status.version for status in self._parts.runner.status()}
        old = [p.name for p in self._parts.runner.projections.values() if found.get(p.name) != p.version]
        return {"ok": not old, "old": old}

    def _projections(self) -> Check:
        """Those that go on are not far behind. A parked one is told and does not count: intake goes on without it."""
        states = self._parts.runner.status()
        going = [status for status in states if status.parked_at is None]
        seconds = _seconds_behind(self._parts, going)
        return {"ok": seconds <= LATE, "behind": max((s.lag for s in going), default=0), "seconds": round(seconds, 3),
                "parked": [s.name for s in states if s.parked_at is not None]}

    def _worker(self) -> Check:
        """Somebody holds the worker's lease."""
        held = self._parts.hub.store.leases.holders().get(WORKER)
        left = held.seconds_left if held is not None else None
        return {"ok": left is not None and left > 0, "lease_seconds_left": None if left is None else round(left, 1)}

    def _audit(self) -> Check:
        """What the last check of the log found. It is told and does not count: a failed one never holds intake up."""
        state = self._parts.hub.audit.state()
        last = state.last
        return {"ok": True, "failed": state.failed, "findings": len(last.findings) if last else 0,
                "checked_at": last.ended_at.isoformat() if last and last.ended_at else None,
                "verified_events": state.good.size if state.good else 0}

    def _channels(self) -> Check:
        """Channel accounts that do not work now, and why. They are told and do not count: the hub serves everybody else."""
        here = self._parts
        return {"ok": True, "failing": failing_accounts(States(here.hub.store), here.accounts),
                "unread": here.hub.views.channels.unread()}


def _or_unavailable(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Unavailable:
        return {"ok": False, "why": "the database is locked, full or gone"}


def _seconds_behind(here: Parts, going: list[Status]) -> float:
    """The age of the oldest event that a read model has not taken in."""
    position = min((s.position for s in going if s.lag > 0), default=None)
    if position is None:
        return 0.0
    waiting = here.hub.store.tail(position, 1)
    if not waiting:
        return 0.0
    try:
        event = here.hub.store.decode(waiting[0])
    except Unreadable:
        return 0.0  # it parks the projection, which is told apart
    known: datetime = event.recorded_at or event.at
    return max(0.0, (here.clock() - known).total_seconds())


class _State(Collector):
    """What the database knows, read when somebody asks."""

    def __init__(self, here: Parts, metrics: Metrics) -> None:
        self._parts = here
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        info = GaugeMetricFamily("hub_info", "The version that runs.", labels=("version", "python"))
        info.add_metric((__version__, platform.python_version()), 1)
        yield info
        yield GaugeMetricFamily("hub_start_time_seconds", "When the server started, seconds since 1970.", self._metrics.started)
        reachable = 1.0
        try:
            yield from self._of_the_store()
        except Unavailable:
            reachable = 0.0
        yield GaugeMetricFamily("hub_store_reachable", "Whether the database could be read for this answer.", reachable)

    def _of_the_store(self) -> Iterable[Metric]:
        store, leads = self._parts.hub.store, self._parts.hub.views.leads
        states = self._parts.runner.status()
        yield CounterMetricFamily("hub_events", "Events in the log: the position of the newest.", store.head())
        for name, meaning, value in (
            ("position", "The log position that a read model has come to.", lambda s: s.position),
            ("lag_events", "Log positions that a read model is behind.", lambda s: s.lag),
            ("parked", "Whether a read model is parked at an event that it cannot take.", lambda s: s.parked_at is not None),
        ):
            family = GaugeMetricFamily(f"hub_projection_{name}", meaning, labels=("projection",))
            for status in states:
                family.add_metric((status.name,), float(value(status)))
            yield family
        yield GaugeMetricFamily("hub_projections_behind_seconds", "Age of the oldest event that a read model still lacks.",
                                _seconds_behind(self._parts, [s for s in states if s.parked_at is None]))
        checks = self._parts.hub.audit.state()
        yield GaugeMetricFamily("hub_audit_failed", "Whether the last check of the log found something altered.", checks.failed)
        yield GaugeMetricFamily("hub_audit_verified_events", "Events that the last good check covered.",
                                checks.good.size if checks.good else 0)
        yield GaugeMetricFamily("hub_leads_open", "Open leads.", leads.count(OPEN))
        yield GaugeMetricFamily("hub_leads_late", "Open leads with something overdue.",
                                leads.count(f"{OPEN} AND due_at < ?", (iso(self._parts.clock()),)))
        leases = GaugeMetricFamily("hub_lease_seconds_left", "Seconds that a lease has left.", labels=("lease",))
        for name, held in store.leases.holders().items():
            leases.add_metric((name,), held.seconds_left)
        yield leases


def _answered_here() -> bool:
    """Whether who asks may see the numbers: by the token where there is one, else a program on this machine.

    A request that came through a proxy is never from this machine.
    """
    token = str(current_app.extensions["metrics_token"])
    if token:
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"))
    try:
        return not forwarded and ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


@bp.get("/healthz")
def healthz() -> Response:
    """Whether the process lives and its database is there to be written to."""
    healthy = parts().hub.store.healthy()
    return Response("ok\n" if healthy else "the database is not there\n", 200 if healthy else 503, mimetype="text/plain")


@bp.get("/readyz")
def readyz() -> Response:
    """Every check; 503 where one fails."""
    checks = cast(Readiness, current_app.extensions["readiness"]).checks()
    ready = all(check["ok"] for check in checks.values())
    response = jsonify(ready=ready, checks=checks)
    response.status_code = 200 if ready else 503
    return response


@bp.get("/metrics")
def metrics() -> Response:
    """The numbers of all processes; 404 for whoever may not see them."""
    if not _answered_here():
        abort(404)
    counted = cast(Metrics, current_app.extensions["metrics"])
    return Response(counted.text(_State(parts(), counted)), content_type=CONTENT_TYPE)

"""The production server: gunicorn with threads in one or several web processes, and the worker in one beside them.

The master opens no database. It is told to stop by SIGTERM, and to hand over to a new master by SIGUSR2: that one starts
from the program as it is on the disk then, on the same sockets, and ends the old one when its first web process serves.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Thread
from typing import Any

from gunicorn import sock, systemd
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from hub import logs
from hub.bootstrap import House, open_house, publish_process
from hub.config import Settings
from hub.listener import CONNECTIONS, WholeRequests
from hub.metrics import Metrics, folder_for_processes
from hub.privacy.forgetting import forget_in_time
from hub.store import Unavailable
from hub.web import behind_proxies, create_app
from hub.web.live import STREAMS
from hub.worker import Worker

THREADS = 16
"""Requests at a time in a web process. SQLite has one writer; readers never wait for it."""
GRACE = 20
"""Seconds that running requests and the worker get when the server is stopped."""
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before a worker that ended by itself is started again: the more often it did, the longer."""
WELL = 60.0
"""Seconds after which a worker counts as well, and its earlier ends as forgotten."""
ENDINGS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})
"""Signals that end a process."""
LOOK_EVERY = 1.0
"""Seconds between two looks whether the worker still has a master."""

logger = logging.getLogger(__name__)


class _Counted(Worker):
    """The worker with its rounds counted."""

    metrics: Metrics

    def turn(self, now: datetime) -> int:
        outcome = "failed"
        try:
            passed = super().turn(now)
            outcome = "done"
        finally:
            self.metrics.turns.labels(outcome).inc()
        self.metrics.passed.inc(passed)
        return passed


def worker_of(house: House, metrics: Metrics | None = None) -> Worker:
    """The worker of a house."""
    def publish(at: datetime) -> bool:
        return publish_process(house, at)
    worker = _Counted(house.hub, house.runner, house.parts.clock, publish, house.parts.accounts)
    worker.metrics = metrics or Metrics()
    return worker


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings. Stores are opened after the fork: database connections must not cross it."""

    def __init__(self, settings: Settings, *, with_worker: bool = True) -> None:
        self.settings = settings
        self.house: House | None = None
        self.metrics = Metrics(folder_for_processes())
        self.companion = Companion(settings, self.metrics) if with_worker else None
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn."""
        options: dict[str, Any] = {
            "bind": f"{_bracketed(self.settings.host)}:{self.settings.port}", "workers": self.settings.web_processes,
            "worker_class": _Web, "worker_connections": CONNECTIONS, "threads": THREADS + STREAMS,
            "graceful_timeout": GRACE, "timeout": 60, "keepalive": 5, "loglevel": "error", "logger_class": _Log,
            "proc_name": "hub", "when_ready": _when_ready, "post_fork": _after_fork, "post_worker_init": _serving,
            "worker_exit": self._end, "limit_request_line": 8190, "control_socket_disable": True,
            # What a proxy says is believed in one place only, and only as HUB_TRUSTED_PROXIES tells.
            "forwarded_allow_ips": "", "forwarder_headers": "", "secure_scheme_headers": {},
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI application; called by gunicorn in the forked process."""
        self.house, app = furnished(self.settings, self.metrics)
        self.metrics.watch(self.house.hub)
        forget_in_time(self.house.keys)
        return behind_proxies(app, self.settings.trusted_proxies)

    def run(self) -> None:
        """Serve until a signal; ends the program."""
        master = os.getpid()
        try:
            Master(self).run()
        except RuntimeError as error:
            sys.exit(f"hub: {error}")
        finally:
            if os.getpid() == master:
                self.metrics.close()

    def _end(self, _: Any, __: Any) -> None:
        if self.house is not None:
            self.house.close()
            self.house = None


class _Web(WholeRequests):
    """A web process. What ends it is held back until it can be understood; see :meth:`Master.spawn_worker`."""

    def init_signals(self) -> None:
        """Called by gunicorn."""
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)


class Master(Arbiter):  # type: ignore[misc]
    """gunicorn's master, which watches the worker's process as well."""

    def __init__(self, app: Server) -> None:
        super().__init__(app)
        self.companion = app.companion
        self._successor = 0
        # argv alone does not say how ``python -m hub`` was started.
        self.START_CTX["args"] = [sys.executable, *sys.orig_argv[1:]]

    def manage_workers(self) -> None:
        """Called about once a second and whenever a process ended."""
        super().manage_workers()
        if self._successor and not self.reexec_pid:
            self._successor = 0
            logger.error("the new master ended before it served; this one goes on. Mend what it said last, then reload again")
        if self.companion is not None:
            self.companion.keep(lambda: sock.close_sockets(self.LISTENERS, unlink=False))

    def spawn_worker(self) -> Any:
        """Start a web process. A signal that came before it has handlers of its own would be lost, and it would go on."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        try:
            return super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)

    def handle_usr2(self) -> None:
        """Hand over to a new master. One that has just taken over itself may not have noticed yet that it is alone."""
        self.maybe_promote_master()
        if self.reexec_pid or self.master_pid:
            logger.warning("not reloaded: %s. Reload again when it has",
                           "a new master is starting already" if self.reexec_pid else "the old master has not ended yet")
            return
        super().handle_usr2()
        self._successor = self.reexec_pid

    def stop(self, graceful: bool = True) -> None:
        """End all processes; running requests and the worker's turn get their time."""
        if self.companion is not None:
            self.companion.tell_to_stop()
        until = time.monotonic() + GRACE
        super().stop(graceful)
        if self.companion is not None:
            self.companion.wait_or_kill(until)


class Companion:
    """The worker in a process of its own; started again when it ends by itself. All methods run in the master."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._pid = 0
        self._began_at = 0.0
        self._not_before = 0.0
        self._ends = 0
        self._stopping = False

    def keep(self, close_sockets: Callable[[], None]) -> None:
        """Start it where it does not run and it is time. ``close_sockets`` lets go of what only web processes listen on."""
        now = time.monotonic()
        if self._pid and self._ended():
            self._pid = 0
            self._ends = 1 if now - self._began_at > WELL else self._ends + 1
            pause = PAUSES[min(self._ends, len(PAUSES)) - 1]
            self._not_before = now + pause
            logger.error("the worker ended by itself; it is started again in %g s", pause)
        if not self._pid and not self._stopping and now >= self._not_before:
            self._began_at = now
            self._start(close_sockets)

    def tell_to_stop(self) -> None:
        """It finishes its turn."""
        self._stopping = True
        self._signal(signal.SIGTERM)

    def wait_or_kill(self, until: float) -> None:
        """Wait for its end up to a monotonic time."""
        while self._pid and not self._ended():
            if time.monotonic() > until:
                logger.error("the worker did not end within %d s and is killed", GRACE)
                self._signal(signal.SIGKILL)
                return
            time.sleep(0.05)
        self._pid = 0

    def _start(self, close_sockets: Callable[[], None]) -> None:
        master = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)  # in the new process until it has handlers of its own
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
        self._pid = pid
        if pid:
            return
        code = 1
        try:
            close_sockets()
            _work(self._settings, self._metrics, master)
            code = 0
        except BaseException:
            logger.exception("the worker failed")
        finally:
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)  # nothing of the master's is to be run here

    def _ended(self) -> bool:
        try:
            return os.waitpid(self._pid, os.WNOHANG)[0] != 0
        except ChildProcessError:  # gunicorn waits for any child and was first
            return True

    def _signal(self, number: int) -> None:
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)


def until_told(work: Callable[[Flag], object], goes_on: Callable[[], bool] = lambda: True) -> None:
    """Run ``work`` in a thread, with a flag that is set when a signal ends the process or when it ``goes_on`` no more.

    A handler must not set the flag itself: where it interrupts the one who waits for the flag, it would wait for him for ever.
    """
    told: SimpleQueue[int] = SimpleQueue()
    for number in ENDINGS:
        signal.signal(number, lambda number, _: told.put(number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
    stop = Flag()
    thread = Thread(target=work, args=(stop,), name="work")
    thread.start()
    while thread.is_alive() and goes_on():
        with suppress(Empty):
            told.get(timeout=LOOK_EVERY)
            break
    stop.set()
    thread.join()


def _work(settings: Settings, metrics: Metrics, master: int) -> None:
    """The worker's process, to its end."""
    for number in set(Arbiter.SIGNALS) - ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    logs.this_process_is("worker")
    with closing(open_house(settings)) as house:
        metrics.watch(house.hub)
        until_told(worker_of(house, metrics).run, lambda: os.getppid() == master)


def furnished(settings: Settings, metrics: Metrics) -> tuple[House, Any]:
    """The house and its application, as soon as the database can be used for both: a web process that cannot begin would
    end the master with it."""
    while True:
        house = None
        try:
            house = open_house(settings)
            return house, create_app(house.parts, metrics, settings.metrics_token)
        except Unavailable as error:
            if house is not None:
                house.close()
            logger.warning("the database cannot be used now, trying again: %s", error)
            time.sleep(PAUSES[0])


def _when_ready(_: Any) -> None:
    """The master listens and has no children yet."""
    logs.this_process_is("master")
    gc.collect()
    gc.freeze()  # what is here now stays shared with the processes that are forked


def _after_fork(_: Any, __: Any) -> None:
    logs.this_process_is("web")


def _serving(worker: Any) -> None:
    """A web process serves: the master that this one follows is not needed any more."""
    worker.wsgi.extensions["feed"].serving = lambda: worker.alive
    old = int(os.environ.get("GUNICORN_PID", "0"))
    if old:
        # Not before: systemd takes the end of its main process for the end of everything.
        systemd.sd_notify(f"MAINPID={worker.ppid}", worker.log)
        with suppress(ProcessLookupError):
            os.kill(old, signal.SIGTERM)


class _Log(Logger):  # type: ignore[misc]
    """gunicorn's log as lines of ours. Its arguments may hold addresses of requests and are left out of errors."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers = []
            log.propagate = True

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """An error in a request."""
        self.error_log.error(msg.partition("%")[0].strip(), exc_info=True)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host

"""The whole intake over HTTP, against the same server that does one raw INSERT a request."""

from __future__ import annotations

import multiprocessing
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.engine import spread
from bench.measure import Report, Times
from tests import databases
from tests.serving import Serving, ask, make_form, submit

SPAWN = multiprocessing.get_context("spawn")
ROUNDS = 3
REQUESTS = 240
SENDERS = (1, 8)


def sent(port: int, senders: int, round_: int) -> tuple[float, Times]:
    """Requests a second, and the time of each, by so many senders at once. Each sends as somebody new."""
    def send(n: int) -> float:
        begin = time.perf_counter()
        phone, source = f"+79{senders}{round_}{n:07d}", f"127.0.{round_ + 1}.{n % 250 + 2}"
        answer = submit(port, f"{senders}-{round_}-{n}", phone, source=source)
        assert answer.status == 202, answer
        return time.perf_counter() - begin

    begin = time.perf_counter()
    with ThreadPoolExecutor(senders) as threads:
        seconds = tuple(threads.map(send, range(REQUESTS)))
    return REQUESTS / (time.perf_counter() - begin), Times(seconds)


def run(folder: Path, report: Report, url: str = "") -> None:
    """Both servers at once, asked in turn."""
    store = "PostgreSQL" if url else "SQLite"
    hub_folder, control_folder = folder / "hub", folder / "control"
    for path in (hub_folder, control_folder):
        path.mkdir(parents=True)
        if url:
            databases.put(path, url)
    make_form(hub_folder)
    control = Serving(control_folder)
    control.command = [sys.executable, "-m", "bench.control", str(control_folder), str(control.port)]
    with Serving(hub_folder) as hub, control:
        hub.start()
        control.start()
        empty = hub.memory()
        report.section(f"{store}: form posts over HTTP, a connection each (the senders run on the same machine)",
                       "senders", "server", "requests/s", "p50", "p99", "share of raw")
        for senders in SENDERS:
            rates: dict[str, list[float]] = {"raw": [], "hub": []}
            times: dict[str, list[float]] = {"raw": [], "hub": []}
            for round_ in range(ROUNDS):
                for name, server in (("raw", control), ("hub", hub)):
                    rate, seconds = sent(server.port, senders, round_)
                    rates[name].append(rate)
                    times[name] += seconds.seconds
            for name in rates:
                all_ = Times(tuple(times[name]))
                share = sorted(rates[name])[ROUNDS // 2] / sorted(rates["raw"])[ROUNDS // 2]
                report.row(senders, "one raw INSERT" if name == "raw" else "hub serve", spread(rates[name]),
                           f"{all_.median * 1e3:.1f} ms", f"{all_.at(.99) * 1e3:.1f} ms", f"{share:.2f}")
        health = [_timed(lambda: ask(hub.port, "GET", "/healthz")) for _ in range(50)]
        report.section(f"{store}: the server", "what", "figure")
        report.row("resident memory after the start, all processes (shared pages counted in each)", f"{empty / 2**20:.0f} MiB")
        report.row(f"after {ROUNDS * REQUESTS * len(SENDERS)} submissions", f"{hub.memory() / 2**20:.0f} MiB")
        report.row("/healthz", Times(tuple(health)))


def _timed(act: object) -> float:
    begin = time.perf_counter()
    act()  # type: ignore[operator]
    return time.perf_counter() - begin

"""``hub projections …``: the read models."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import closing
from typing import Any

from hub.application import THE_HUB
from hub.bootstrap import House, clock, open_house
from hub.commands.base import Stop, add, group
from hub.config import load
from hub.projections.rebuild import Progress, progresses


def register(commands: Any) -> None:
    """Add the commands."""
    projections = group(commands, "projections", "the read models")
    add(projections, "status", projections_status, "how far each read model is, and rebuilds under way")
    add(projections, "rebuild", projections_rebuild, "make read models anew from the log, beside those that serve").add_argument(
        "name", nargs="?", help="one of them; all when absent")
    add(projections, "retry", projections_retry, "let a parked read model try its event again").add_argument("name")
    skip = add(projections, "skip", projections_skip, "decide that a parked read model does without its event")
    skip.add_argument("name")
    skip.add_argument("--why", required=True, metavar="REASON", help="kept in the log")


def projections_status(_: argparse.Namespace) -> int:
    """How far each read model is."""
    parked = False
    with closing(open_house(load(os.environ))) as house:
        print(f"{'read model':<14} {'position':>10} {'behind':>8}  state")
        for s in house.runner.status():
            parked |= s.parked_reason is not None
            state = f"parked at {s.parked_at} after {s.retries} tries: {s.parked_reason}" if s.parked_reason else "in order"
            print(f"{s.name:<14} {s.position:>10} {s.lag:>8}  {state}")
        for progress in progresses(house.store.views):
            print(f"rebuild of {progress.name}: {said(progress)}")
    return 1 if parked else 0


def projections_rebuild(arguments: argparse.Namespace) -> int:
    """Make read models anew."""
    with closing(open_house(load(os.environ))) as house:
        for name in [arguments.name] if arguments.name else list(house.runner.projections):
            _known(house, name)
            events = house.runner.rebuild(name, _tell if sys.stderr.isatty() else lambda progress: None)
            print(f"{name}: {events} events read")
    return 0


def projections_retry(arguments: argparse.Namespace) -> int:
    """Let a parked read model try again."""
    return _release(arguments.name, skip=False)


def projections_skip(arguments: argparse.Namespace) -> int:
    """Leave an event out of a parked read model."""
    return _release(arguments.name, skip=True, why=arguments.why)


def _release(name: str, *, skip: bool, why: str = "") -> int:
    with closing(open_house(load(os.environ))) as house:
        position = house.hub.release_read_model(house.runner, name, skip=skip, why=why, actor=THE_HUB, at=clock())
        house.runner.catch_up()
        status = next(s for s in house.runner.status() if s.name == name)
        if status.parked_at is None:
            print(f"{name}: went on from position {position}.")
            return 0
        print(f"{name}: still parked, now at position {status.parked_at}: {status.parked_reason}", file=sys.stderr)
    return 1


def _known(house: House, name: str) -> None:
    if name not in house.runner.projections:
        raise Stop(f"there is no read model {name!r}; there are {', '.join(house.runner.projections)}.")


def _tell(progress: Progress) -> None:
    end = "\n" if progress.position >= progress.target else "\r"
    print(f"{progress.name}: {said(progress):<70}", end=end, file=sys.stderr, flush=True)


def said(progress: Progress) -> str:
    """A rebuild's progress in words."""
    if progress.state != "running":
        return f"{progress.state}{': ' + progress.reason if progress.reason else ''}"
    left = progress.seconds_left
    return (f"{progress.position} of {progress.target} events, {progress.rate:,.0f} a second"
            f"{f', {left:.0f} s left' if left is not None else ''}")

"""``hub projections …``: the read models."""

from __future__ import annotations

import argparse
import os
from contextlib import closing
from typing import Any

from hub.bootstrap import open_house
from hub.commands.base import Stop, add, group
from hub.config import load


def register(commands: Any) -> None:
    """Add the commands."""
    projections = group(commands, "projections", "the read models")
    add(projections, "status", projections_status, "how far each read model is")
    add(projections, "rebuild", projections_rebuild, "make read models anew from the log").add_argument(
        "name", nargs="?", help="one of them; all when absent")


def projections_status(_: argparse.Namespace) -> int:
    """How far each read model is."""
    parked = False
    with closing(open_house(load(os.environ))) as house:
        print(f"{'read model':<14} {'position':>10} {'behind':>8}  state")
        for s in house.runner.status():
            parked |= s.parked_reason is not None
            state = f"parked at {s.parked_at} after {s.retries} tries: {s.parked_reason}" if s.parked_reason else "in order"
            print(f"{s.name:<14} {s.position:>10} {s.lag:>8}  {state}")
    return 1 if parked else 0


def projections_rebuild(arguments: argparse.Namespace) -> int:
    """Make read models anew."""
    with closing(open_house(load(os.environ))) as house:
        names = [s.name for s in house.runner.status()]
        if arguments.name and arguments.name not in names:
            raise Stop(f"there is no read model {arguments.name!r}; there are {', '.join(names)}.")
        for name in [arguments.name] if arguments.name else names:
            print(f"{name}: {house.runner.rebuild(name)} events read")
    return 0

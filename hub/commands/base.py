"""What the commands share: how one is added to the parser, and the open house that it works on."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from contextlib import closing
from typing import Any

from hub.bootstrap import House, clock, open_house, publish_process
from hub.config import load

Run = Callable[[argparse.Namespace], int]


class Stop(Exception):
    """A sentence for the person at the terminal; exit code 1."""


def add(parent: Any, name: str, run: Run, help: str) -> argparse.ArgumentParser:
    """A command of ``parent`` (what ``add_subparsers`` gave); its arguments are added to what this returns."""
    parser: argparse.ArgumentParser = parent.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def group(commands: Any, name: str, help: str) -> Any:
    """A word with commands of its own, such as ``hub user add``."""
    return commands.add_parser(name, help=help).add_subparsers(required=True, metavar="ACTION")


def opened() -> closing[House]:
    """The house with its read models up to date and a process in force."""
    house = open_house(load(os.environ))
    try:
        if house.store.head() == 0:
            publish_process(house, clock())
        house.runner.catch_up()
    except Exception:
        house.close()
        raise
    return closing(house)

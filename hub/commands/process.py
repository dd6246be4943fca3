"""``hub process …``: the sales process."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from hub.calendar import knows
from hub.commands.base import Stop, add, group
from hub.config import PACKAGED_PROCESS, load
from hub.domain.process_check import BadProcess, read_process


def register(commands: Any) -> None:
    """Add the commands."""
    process = group(commands, "process", "the sales process")
    check = add(process, "check", process_check, "check a process file and name every fault with its line")
    check.add_argument("file", nargs="?", type=Path, metavar="FILE", help="HUB_PROCESS_FILE when absent")


def process_check(arguments: argparse.Namespace) -> int:
    """Check a process file."""
    file: Path = arguments.file or load(os.environ).process_file
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{file} cannot be read: {error}. Give a TOML file in UTF-8, such as {PACKAGED_PROCESS}.") from error
    try:
        process = read_process(text, knows)
    except BadProcess as bad:
        for fault in bad.faults:
            print(f"{file}:{fault.line}: {fault.sentence}", file=sys.stderr)
        return 1
    print(f"{file} is a valid process: {len(process.stages)} stages, {len(process.transitions)} transitions, "
          f"{len(process.deadlines)} deadlines.")
    return 0

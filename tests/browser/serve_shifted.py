"""``hub`` with its one clock set off by what a file says: ``python -m tests.browser.serve_shifted FILE COMMAND...``.

The file holds seconds; whoever writes another number moves the time of the running server, of its requests and its worker.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import gunicorn.util

import hub.bootstrap


def main(argv: list[str]) -> int:
    """Run a command of the hub with the moved clock."""
    file, *command = argv
    offset = Path(file)

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(offset.read_text(encoding="ascii")))

    hub.bootstrap.clock = clock
    # Pages set their countdowns by the Date of the server's answers.
    gunicorn.util.http_date = lambda *_: format_datetime(clock(), usegmt=True)
    from hub.__main__ import main as run  # it takes the clock when it is imported

    return run(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
